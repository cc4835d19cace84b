//! Findings about the rows of orders, and their sentences.

use std::fmt::{self, Display, Formatter};

use super::date::Day;

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
    /// All lines of every order of several lines have the same amount.
    RepeatedAmounts {
        /// How many orders.
        orders: u64,
        /// The columns of the amount.
        columns: Vec<String>,
    },
    /// One customer has a large part of all orders.
    LargeCustomer {
        /// The id, as it is written.
        id: String,
        /// Purchases.
        orders: u64,
        /// Their share of all.
        share: f64,
    },
    /// Ids differ only in case or outer blanks.
    SimilarIds {
        /// How many ids.
        ids: u64,
        /// Two of them, as they are written.
        example: (String, String),
        /// The column of the customer.
        column: String,
    },
    /// Rounding moved the total of a file.
    MovedTotal {
        /// The file whose total it moved most.
        file: String,
        /// How many others it moved.
        more_files: usize,
        /// The total of all digits.
        exact: String,
        /// The total of rounded rows.
        rounded: String,
        /// The scale of the job.
        scale: u32,
        /// The least scale that keeps the total, if there is one.
        keeping_scale: Option<u32>,
    },
    /// Dates that often stand for missing ones.
    FillerDates {
        /// Rows by date.
        rows: Vec<(Day, u64)>,
    },
    /// First purchases lie far from the median one.
    FarDates {
        /// How many customers.
        customers: u64,
        /// The first of their days.
        example: Day,
        /// The median first purchase.
        median: Day,
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
            OrdersWarning::RepeatedAmounts { orders, columns } => write!(
                f,
                "in all {orders} orders of several lines each line has the same amount, and all of them count; if {} is the total of the order, name the amount of the line as orders.amount, or keep one line of each order with [orders.latest]",
                quoted(columns)
            ),
            OrdersWarning::LargeCustomer { id, orders, share } => write!(
                f,
                "customer {id} has {orders} orders, {:.1} % of all; if that is no person but guests, set guests = [{id}] in [orders], and if it is an account of the shop, leave it out with [[orders.keep]]",
                share * 100.0
            ),
            OrdersWarning::SimilarIds { ids, example: (one, other), column } => write!(
                f,
                "{ids} customer ids differ from others only in case or blanks around them, such as {one} and {other}, and count as customers of their own; write column {column:?} alike where it comes from"
            ),
            OrdersWarning::MovedTotal { file, more_files, exact, rounded, scale, keeping_scale } => {
                let others = match more_files {
                    0 => String::new(),
                    1 => " (and that of 1 more file)".into(),
                    n => format!(" (and those of {n} more files)"),
                };
                write!(
                    f,
                    "rounding rows to amount_scale = {scale} makes the total of {file} {rounded} instead of {exact}{others}; "
                )?;
                match keeping_scale {
                    Some(scale) => write!(f, "amount_scale = {scale} would keep it"),
                    None => f.write_str("no amount_scale up to 6 would keep it"),
                }
            }
            OrdersWarning::FillerDates { rows } => {
                let rows: Vec<String> = rows.iter().map(|(day, rows)| format!("{rows} row{} of {day}", plural(*rows))).collect();
                write!(
                    f,
                    "{} count as orders of that day, which often stands for a date that is not known; write null there, or leave such rows out with [[orders.keep]]",
                    rows.join(" and ")
                )
            }
            OrdersWarning::FarDates { customers, example, median } => write!(
                f,
                "{customers} customer{} ordered first more than 40 years apart from the median customer ({median}), such as on {example}; look for wrong dates",
                plural(*customers)
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
