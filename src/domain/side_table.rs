//! How a table beside the orders meets them.

use std::fmt::{self, Display, Formatter};

/// The ids of a table beside the orders, and how many of them have an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideTable {
    /// What the table is: customers, events.
    pub name: String,
    /// Ids, each once.
    pub ids: u64,
    /// Those of them with an order.
    pub met: u64,
    /// Examples of ids without an order, as they are written.
    pub without_orders: Vec<String>,
    /// Examples of ids of orders that the table lacks.
    pub without_row: Vec<String>,
}

impl SideTable {
    /// Whether fewer than half of the ids have an order.
    pub fn is_poor(&self) -> bool {
        2 * self.met < self.ids
    }

    /// Those with an order in percent of all.
    pub fn share(&self) -> f64 {
        self.met as f64 / self.ids.max(1) as f64 * 100.0
    }
}

impl Display for SideTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} of {} ids have an order ({:.1} %)", self.name, self.met, self.ids, self.share())
    }
}
