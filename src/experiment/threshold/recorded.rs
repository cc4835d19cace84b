//! Whose measure lies inside the window around a cut, on the days that count.

use std::collections::BTreeMap;

use super::plan::ThresholdPlan;
use crate::part::DateRows;

/// A customer, as an index among those of the part, and the measure.
pub type Inside = (u32, i64);

/// The customers of a part inside the windows of all periods.
#[derive(Default)]
pub struct QualificationDays {
    /// By strategy and date, ascending by customer.
    inside: BTreeMap<(usize, usize), Vec<Inside>>,
}

impl QualificationDays {
    /// Records a date.
    pub fn record(&mut self, plans: &[ThresholdPlan<'_>], date: &DateRows) {
        for (number, plan) in plans.iter().enumerate() {
            if !plan.periods.iter().any(|period| period.before == Some(date.date)) {
                continue;
            }
            let Some(column) = date.rows.columns.get(plan.cut.measure) else { continue };
            let is_near = |value: &i64| value.abs_diff(plan.cut.cut) <= plan.cut.window.unsigned_abs();
            let rows = date.rows.customers.iter().enumerate();
            let inside = rows.filter_map(|(row, customer)| Some((*customer, column.get(row).filter(is_near)?)));
            let mut inside: Vec<Inside> = inside.collect();
            inside.sort_unstable();
            self.inside.insert((number, date.date), inside);
        }
    }

    /// The customers inside the window of a strategy at a date.
    pub fn inside(&self, strategy: usize, date: usize) -> &[Inside] {
        self.inside.get(&(strategy, date)).map_or(&[], Vec::as_slice)
    }
}
