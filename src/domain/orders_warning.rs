//! Findings about the rows of orders, and their sentences.

use std::fmt::{self, Display, Formatter};

/// A finding about the rows of orders.
#[derive(Debug, Clone, PartialEq)]
pub enum OrdersWarning {
    /// The lines of orders lie far apart, as if numbers were used again.
    LongOrders {
        /// How many orders.
        orders: u64,
        /// The columns of the order id.
        columns: Vec<String>,
    },
    /// Rows of two customers share a key of `orders.latest`.
    SharedKeys {
        /// How many keys.
        keys: u64,
        /// The columns of the key.
        columns: Vec<String>,
        /// The column of the customer.
        customer: String,
    },
    /// Rows have no customer, but other rows of their orders do.
    CustomerOnOtherRow {
        /// How many rows.
        rows: u64,
        /// Their money.
        money: String,
        /// Whether both are estimates.
        is_estimate: bool,
        /// The column of the customer.
        customer: String,
    },
    /// Returns have positive amounts.
    PositiveReturns {
        /// How many returns.
        returns: u64,
        /// Their money.
        money: String,
        /// Whether the job turns the signs of returns.
        negated: bool,
    },
}

impl Display for OrdersWarning {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            OrdersWarning::LongOrders { orders, columns } => write!(
                f,
                "the lines of {orders} order{} span more than 90 days, as if numbers were used again; if they were, name as orders.order_id what tells orders apart, such as [{}, \"shop\"]",
                plural(*orders),
                quoted(columns)
            ),
            OrdersWarning::SharedKeys { keys, columns, customer } => write!(
                f,
                "{keys} time{} two customers share {}, and the newer row supersedes that of the other; if they are not one person, add {customer:?} to orders.latest.key",
                plural(*keys),
                columns.join(", ")
            ),
            OrdersWarning::CustomerOnOtherRow { rows, money, is_estimate, customer } => write!(
                f,
                "{}{rows} row{} of {money} in all count as no_customer, although other rows of the same orders have a customer; with inherit = [{customer:?}] in [orders] they take it from there",
                if *is_estimate { "about " } else { "" },
                plural(*rows)
            ),
            OrdersWarning::PositiveReturns { returns, money, negated } => {
                let next = match negated {
                    false => "if they should lower it, set negate = true in [orders.returns]",
                    true => {
                        "negate = true in [orders.returns] turns the signs of all returns, so remove it if they are negative in the data"
                    }
                };
                write!(f, "{returns} return{} of {money} in all add to the money; {next}", plural(*returns))
            }
        }
    }
}

fn plural(n: u64) -> &'static str {
    if n == 1 { "" } else { "s" }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}
