//! Outcomes: what assigned customers did on the days that count.

pub mod members;
pub mod snapshots;
pub mod values;
