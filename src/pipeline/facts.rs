//! What the last stages are given: what is known of all customers, and where a run goes.

use super::scanned::Scanned;
use super::scored::Scored;
use crate::input::orders::ledger::RowCounts;
use crate::publish::{Output, Staging};

/// What was scanned and scored.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub scanned: &'a Scanned,
    /// Outcomes of all rows of orders.
    pub ledger: &'a RowCounts,
    pub scored: &'a Scored,
}

/// Where a run goes: the output, and its files before they are committed there.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub output: &'a Output,
    pub staging: &'a Staging,
}
