//! `[score.only]`: which customers are scored.

use super::Plan;
use crate::domain::Measure;
use crate::job::Job;
use crate::measure::Column;
use crate::scheme::CompiledTest;

/// The ranges of `[score.only]` over columns that hold certain measures.
pub struct ScoringFilter {
    tests: Vec<CompiledTest>,
}

impl ScoringFilter {
    /// The ranges of a plan, for columns that hold these measures.
    pub fn new(job: &Job, plan: &Plan, measures: &[Measure]) -> ScoringFilter {
        let mut tests = Vec::with_capacity(plan.only.len());
        for (measure, test) in &plan.only {
            if let Some(column) = measures.iter().position(|m| m == measure) {
                tests.push(CompiledTest::new(test, column, plan.fold.unit(*measure), job.scale()));
            }
        }
        ScoringFilter { tests }
    }

    /// Whether every customer is scored.
    pub fn admits_all(&self) -> bool {
        self.tests.is_empty()
    }

    /// Whether the customer in a row (or cell) of the columns is scored.
    pub fn admits(&self, columns: &[Column], row: usize) -> bool {
        self.tests.iter().all(|test| test.passes(columns, row))
    }
}
