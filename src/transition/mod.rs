//! How customers move: between states ([`Matrix`]), in and out of activity ([`Growth`]), by the period of their first
//! order ([`Cohorts`]), over time ([`History`]); and how unequal they are ([`Concentration`]).
//!
//! Everything here works on the customers of a part, each at a fixed place, date after date, and gives sums that add up
//! over parts.

mod cohort;
mod concentration;
mod growth;
mod history;
mod matrix;

pub use cohort::{CohortSum, Cohorts};
pub use concentration::Concentration;
pub use growth::{Activity, Growth, GrowthSum};
pub use history::{History, Stay};
pub use matrix::{Matrix, Moved};

/// The state of who is not listed at a date.
pub const ABSENT: u16 = u16::MAX;
