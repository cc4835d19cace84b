//! Lines of orders by outcome, and what is odd about the orders that they make.

use serde::{Deserialize, Serialize};

/// Lines of a file, as rows and money, by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineCounts {
    /// Lines that count.
    pub included: (u64, i128),
    /// Lines of orders of zero that the job drops.
    pub zero: (u64, i128),
}

impl LineCounts {
    /// Adds the lines of another.
    pub fn merge(&mut self, other: &LineCounts) {
        for (sum, more) in [(&mut self.included, other.included), (&mut self.zero, other.zero)] {
            sum.0 += more.0;
            sum.1 += more.1;
        }
    }
}

/// What is odd about orders that are made of lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFindings {
    /// Orders whose lines lie more than 90 days apart.
    pub long_orders: u64,
    /// Orders of several lines.
    pub of_several_lines: u64,
    /// Those of them whose lines all have one amount, which is not zero, with the least and the greatest of these amounts.
    pub repeated: u64,
    /// See `repeated`; `None` without such orders.
    pub repeated_amounts: Option<(i64, i64)>,
    /// Returns whose money is above zero, and that money.
    pub positive_returns: (u64, i128),
}

impl LineFindings {
    /// Widens the range of amounts that lines repeat.
    pub(super) fn add_repeated(&mut self, least: i64, most: i64) {
        self.repeated_amounts = Some(match self.repeated_amounts {
            Some((a, b)) => (a.min(least), b.max(most)),
            None => (least, most),
        });
    }

    /// Adds those of other orders.
    pub fn merge(&mut self, other: &LineFindings) {
        self.long_orders += other.long_orders;
        self.of_several_lines += other.of_several_lines;
        self.repeated += other.repeated;
        if let Some((least, most)) = other.repeated_amounts {
            self.add_repeated(least, most);
        }
        self.positive_returns.0 += other.positive_returns.0;
        self.positive_returns.1 += other.positive_returns.1;
    }
}
