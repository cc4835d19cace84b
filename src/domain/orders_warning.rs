//! Findings about the rows of orders.

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
