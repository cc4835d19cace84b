//! Lines of orders by outcome.

/// Lines of a file, as rows and money, by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Lines of orders up to the last as-of date.
    pub included: (u64, i128),
    /// Lines of later orders.
    pub after: (u64, i128),
    /// Lines of orders of zero that the job drops.
    pub zero: (u64, i128),
}

impl LineCounts {
    /// Adds the lines of another.
    pub fn merge(&mut self, other: &LineCounts) {
        for (sum, more) in [(&mut self.included, other.included), (&mut self.after, other.after), (&mut self.zero, other.zero)] {
            sum.0 += more.0;
            sum.1 += more.1;
        }
    }
}
