//! The statuses that orders have.

use crate::domain::SplitMix;

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    Paid,
    Shipped,
    Returned,
    Cancelled,
}

/// Names of the statuses, in the order of their numbers.
pub(super) const STATUSES: [&str; 4] = ["paid", "shipped", "returned", "cancelled"];

impl Status {
    pub(super) fn of_purchase(stream: &mut SplitMix) -> Self {
        match stream.below(50) {
            0 => Self::Cancelled,
            1..7 => Self::Paid,
            _ => Self::Shipped,
        }
    }
}
