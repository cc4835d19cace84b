//! Further columns of the assignments, whose values may be what was drawn: those of which every value lies in one arm.

use std::collections::HashMap;

use super::names::CodedName;
use crate::assign::WholeColumn;
use crate::domain::{Day, Period};

/// Columns beyond these are not looked at.
pub(super) const MOST_COLUMNS: usize = 8;

/// Columns with more values than these are no clusters that anybody would draw by hand.
const MOST_VALUES: usize = 1_000;

/// The customers of a value: the code of their arm, and how many they are.
type Counts = HashMap<String, (u32, u64), ahash::RandomState>;

/// The values of further columns by period, as long as each lies in one arm.
#[derive(Debug, Default)]
pub(super) struct FurtherColumns {
    /// Names of the columns.
    pub names: Vec<String>,
    periods: Vec<Period>,
    /// By column and period; none where a value lies in several arms.
    counts: Vec<Option<Counts>>,
}

impl FurtherColumns {
    pub fn new(names: Vec<String>, periods: &[Period]) -> FurtherColumns {
        let counts = vec![Some(Counts::default()); names.len() * periods.len()];
        FurtherColumns { names, periods: periods.to_vec(), counts }
    }

    /// Whether all columns are known to be mixed.
    pub fn are_mixed(&self) -> bool {
        self.counts.iter().all(Option::is_none)
    }

    /// Whether a column is known to be mixed in all periods.
    pub fn is_mixed(&self, name: &str) -> bool {
        let columns = self.names.iter().zip(self.counts.chunks(self.periods.len().max(1)));
        columns.filter(|(own, _)| *own == name).all(|(_, counts)| counts.iter().all(Option::is_none))
    }

    /// Adds a row that counts, with its value in the column at an index.
    pub fn add(&mut self, column: usize, value: &str, arm: u32, day: Day) {
        let Some(period) = self.periods.iter().position(|period| period.contains(day)) else { return };
        add(&mut self.counts[column * self.periods.len() + period], value, (arm, 1));
    }

    /// Adds the rows of another chunk of the table, whose arms have these names.
    pub fn merge(&mut self, other: &FurtherColumns, arm: impl Fn(u32) -> u32) {
        for (column, name) in self.names.iter().enumerate() {
            let found = other.names.iter().position(|other| other == name);
            for period in 0..self.periods.len() {
                let counts = &mut self.counts[column * self.periods.len() + period];
                match found.and_then(|at| other.counts[at * self.periods.len() + period].as_ref()) {
                    Some(others) => others.iter().for_each(|(value, (of, n))| add(counts, value, (arm(*of), *n))),
                    None => *counts = None,
                }
            }
        }
    }

    /// The columns and periods in which no value is mixed.
    pub fn whole(self) -> Vec<WholeColumn> {
        let of = |(at, counts): (usize, Option<Counts>)| {
            let mut values: Vec<(u16, u64)> = counts?.into_values().map(|(arm, n)| (arm as u16, n)).collect();
            values.sort_unstable();
            let (column, period) = (at / self.periods.len(), at % self.periods.len());
            (values.len() > 1).then(|| WholeColumn { column: self.names[column].clone(), period, values })
        };
        self.counts.into_iter().enumerate().filter_map(of).collect()
    }
}

fn add(counts: &mut Option<Counts>, value: &str, (arm, n): (u32, u64)) {
    let Some(known) = counts else { return };
    let has_room = known.len() < MOST_VALUES;
    match known.get_mut(value) {
        Some((of, all)) if *of == arm => *all += n,
        None if has_room => drop(known.insert(value.to_owned(), (arm, n))),
        _ => *counts = None,
    }
}

/// The code that an arm of a chunk has among all arms.
pub(super) fn common_code<'a>(names: &'a [CodedName], arms: &'a [String]) -> impl Fn(u32) -> u32 + 'a {
    |code| {
        let name = names.get(code as usize).map(|arm| arm.name.as_str());
        arms.iter().position(|arm| Some(arm.as_str()) == name).unwrap_or_default() as u32
    }
}
