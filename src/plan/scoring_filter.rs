//! `[score.only]`: which customers are scored.

use super::Plan;
use crate::domain::{Measure, Ratio};
use crate::job::Job;
use crate::measure::Column;
use crate::scheme::Test;

/// The ranges of `[score.only]` over columns that hold certain measures.
pub struct ScoringFilter {
    tests: Vec<(usize, Test)>,
    /// Digits after the decimal point, per column.
    scales: Vec<u32>,
}

impl ScoringFilter {
    /// The ranges of a plan, for columns that hold these measures.
    pub fn new(job: &Job, plan: &Plan, measures: &[Measure]) -> ScoringFilter {
        let column = |measure: &Measure| measures.iter().position(|m| m == measure);
        let tests = plan.only.iter().filter_map(|(measure, test)| Some((column(measure)?, *test))).collect();
        let scales = measures.iter().map(|m| crate::scheme::unit_scale(plan.fold.unit(*m), job.scale())).collect();
        ScoringFilter { tests, scales }
    }

    /// Whether every customer is scored.
    pub fn admits_all(&self) -> bool {
        self.tests.is_empty()
    }

    /// Whether the customer in a row (or cell) of the columns is scored.
    pub fn admits(&self, columns: &[Column], row: usize) -> bool {
        self.tests.iter().all(|(column, test)| {
            let unit = crate::domain::pow10(self.scales.get(*column).copied().unwrap_or(0)).unwrap_or(1);
            let column = &columns[*column];
            if let Column::Double(_) = column {
                let value = column.get_double(row);
                return match test.doubles() {
                    Some((low, high)) => value.is_some_and(|v| low <= v && v <= high),
                    None => value.is_none(),
                };
            }
            test.passes(column.get_ratio(row).map(|(n, d)| Ratio::new(i128::from(n), i128::from(d) * unit)))
        })
    }
}
