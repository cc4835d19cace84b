//! What the numbers of a measure mean.

/// What the numbers of a measure mean, which decides their type in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// A date (DATE).
    Date,
    /// Days (INT32).
    Days,
    /// A count (INT64).
    Count,
    /// Money in minor units (DECIMAL(18, scale)).
    Money,
    /// Money per purchase with two more digits (DECIMAL(18, scale + 2)).
    Average,
    /// A ratio of two integers (DOUBLE).
    Ratio,
    /// One of a list of texts (a dictionary string).
    Text,
    /// A decimal number with its precision and scale (DECIMAL).
    Decimal(u8, u8),
    /// A floating-point number (DOUBLE).
    Double,
}
