//! Carry-over: customers whom an earlier assignment of the same strategy treated inside the baseline.

use super::cursor::CustomerBatch;
use super::run::AssignmentRun;
use crate::domain::{Day, Period};

/// No day.
const NO_DAY: Day = Day(i32::MAX);

/// Finds treatments in a baseline.
#[derive(Default)]
pub struct CarryOver {
    /// By customer of the batch: the first assignment that treated them in the baseline; [`NO_DAY`] without one.
    first_treated: Vec<Day>,
    /// By row of the run that was asked for: whether an earlier assignment treated its customer in the baseline.
    pub treated: Vec<bool>,
}

impl CarryOver {
    /// Finds which customers of a run's rows were treated in the baseline. An assignment to the arm `control` is no treatment.
    pub fn find(
        &mut self,
        runs: &[AssignmentRun<'_>],
        batch: &CustomerBatch<'_>,
        run: usize,
        baseline: Option<Period>,
        control: Option<u16>,
    ) {
        let (own, rows) = (&runs[run], &batch.runs[run]);
        self.treated.clear();
        self.treated.resize(rows.rows.len(), false);
        let Some(baseline) = baseline else { return };
        let may_treat = |other: &AssignmentRun<'_>| {
            let is_other = other.strategy == own.strategy && other.eligibility != own.eligibility;
            is_other && other.bounds.hull().overlaps(baseline)
        };
        if !runs.iter().any(may_treat) {
            return;
        }
        self.first_treated.clear();
        self.first_treated.resize(batch.ids.len(), NO_DAY);
        for (other, rows) in runs.iter().zip(&batch.runs).filter(|(other, _)| may_treat(other)) {
            // Whether all treatments lie in the baseline and begin before those of the run: then their days do not matter.
            let all_earlier = other.bounds.last_start < own.bounds.first_start
                && other.bounds.last_start < baseline.end
                && other.bounds.first_end > baseline.start;
            for ((row, arm), customer) in rows.rows.iter().zip(&rows.arms).zip(&rows.customers) {
                if Some(*arm) == control {
                    continue;
                }
                let treatment = if all_earlier { other.bounds.hull() } else { other.treatment(*row as usize) };
                if all_earlier || treatment.overlaps(baseline) {
                    let first_treated = &mut self.first_treated[*customer as usize];
                    *first_treated = treatment.start.min(*first_treated);
                }
            }
        }
        for ((treated, row), customer) in self.treated.iter_mut().zip(&rows.rows).zip(&rows.customers) {
            *treated = self.first_treated[*customer as usize] < own.table.day(*row as usize);
        }
    }
}
