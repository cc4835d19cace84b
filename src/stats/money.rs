//! Money.

/// A number with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MoneyInterval {
    /// The number.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}
