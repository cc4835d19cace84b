//! Lines of orders by outcome, and what is odd about the orders that they make.

/// Lines of a file, as rows and money, by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineFindings {
    /// Orders whose lines lie more than 90 days apart.
    pub long_orders: u64,
    /// Returns whose money is above zero, and that money.
    pub positive_returns: (u64, i128),
}

impl LineFindings {
    /// Adds those of other orders.
    pub fn merge(&mut self, other: &LineFindings) {
        self.long_orders += other.long_orders;
        self.positive_returns.0 += other.positive_returns.0;
        self.positive_returns.1 += other.positive_returns.1;
    }
}
