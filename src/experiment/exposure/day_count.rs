//! How many were assigned to an arm on a day.

use crate::domain::Day;

/// Customers, or clusters, of a stratum who are assigned to an arm on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayCount {
    /// Number of the stratum, 0 without strata.
    pub stratum: u32,
    /// The day.
    pub day: Day,
    /// Number of the arm.
    pub arm: u16,
    /// How many they are.
    pub customers: u64,
}
