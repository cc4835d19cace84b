//! What is odd about the states of customers: a scheme that puts most of them into one, and states that nobody can reach yet.

use super::scored::Scored;
use super::state_lines::StateLine;
use crate::domain::{Day, SchemeWarning};
use crate::plan::SchemeColumn;
use crate::score::Axis;

/// Share of the customers from which on a state is crowded.
const CROWDED: f64 = 0.6;

/// Of fewer customers, shares say little.
const LEAST_CUSTOMERS: i64 = 100;

/// Of two states, one always has half of the customers or more.
const LEAST_STATES: usize = 3;

/// A way to divide the customers: its name, whether the job has it as a column, and the share of its largest state.
type Division = (String, bool, f64);

/// A warning per scheme column one of whose states has over 60 % of the customers, with what would divide them better: the
/// column of the job, or the built-in scheme that follows from the scores and the distribution of recency, whose largest state is
/// the smallest. Ranges that the job itself gives are its own affair.
pub(super) fn crowded_states(lines: &[StateLine], columns: &[SchemeColumn], scored: &Scored, bins: u32) -> Vec<SchemeWarning> {
    let largest = |column: &SchemeColumn| {
        let of_column = lines.iter().filter(|line| line.scheme == column.column);
        of_column.max_by(|a, b| a.share.total_cmp(&b.share))
    };
    let of_job = columns.iter().filter_map(|column| Some((column.column.clone(), true, largest(column)?.share)));
    let used = |name: &str| columns.iter().any(|column| column.scheme.builtin && column.scheme.name == name);
    let built_in = built_in_divisions(scored, bins).into_iter().filter(|(name, ..)| !used(name));
    let divisions: Vec<Division> = of_job.chain(built_in).collect();
    let better = divisions.iter().min_by(|a, b| a.2.total_cmp(&b.2)).filter(|(.., share)| *share <= CROWDED);

    let warning = |column: &SchemeColumn| {
        let scheme = &column.scheme;
        let customers: i64 = lines.iter().filter(|line| line.scheme == column.column).map(|line| line.customers).sum();
        let line = largest(column).filter(|line| line.share > CROWDED && scheme.states.iter().any(|s| s.name == line.state))?;
        let is_told = customers >= LEAST_CUSTOMERS && scheme.states.len() >= LEAST_STATES && !(scheme.builtin && scheme.changed);
        is_told.then(|| SchemeWarning::CrowdedState {
            scheme: column.column.clone(),
            state: line.state.clone(),
            share: line.share,
            better: better.cloned(),
        })
    };
    columns.iter().filter_map(warning).collect()
}

/// How built-in schemes that follow from what every run counts would divide the scored customers at the last date.
fn built_in_divisions(scored: &Scored, bins: u32) -> Vec<Division> {
    let largest = |sizes: &[u64]| {
        let all: u64 = sizes.iter().sum();
        (all > 0).then(|| sizes.iter().copied().max().unwrap_or(0) as f64 / all as f64)
    };
    // Of five scores, the tiers are 1 and 2, 3 and 4, and 5.
    let tiers = |axis: Axis| {
        let mut sizes = [0; 3];
        for slice in scored.scoring.last().into_iter().flatten() {
            let counts = &slice.bins[axis as usize];
            counts.iter().zip([0, 0, 1, 1, 2]).for_each(|(count, tier): (&u64, usize)| sizes[tier] += count);
        }
        (bins == 5).then(|| largest(&sizes)).flatten()
    };
    let found = [
        ("recency_windows", largest(&scored.recency_windows)),
        ("value_tier", tiers(Axis::Monetary)),
        ("frequency_tier", tiers(Axis::Frequency)),
    ];
    found.into_iter().filter_map(|(name, share)| Some((name.to_owned(), false, share?))).collect()
}

/// A warning per scheme column with states that take more days since the first order than the data reach back.
pub(super) fn young_data(columns: &[SchemeColumn], first: Day, last: Day) -> Vec<SchemeWarning> {
    let warning = |column: &SchemeColumn| {
        let scheme = &column.scheme;
        let needed = |state: usize| scheme.tenure_of(state)[0].filter(|days| *days > i64::from(last.0) - i64::from(first.0));
        let states: Vec<(i64, String)> =
            (0..scheme.states.len()).filter_map(|state| Some((needed(state)?, scheme.states[state].name.clone()))).collect();
        let days = states.iter().map(|(days, _)| *days).min()?;
        let states = states.into_iter().map(|(_, name)| name).collect();
        Some(SchemeWarning::YoungData { scheme: column.column.clone(), states, days, data_begin: first, last })
    };
    columns.iter().filter_map(warning).collect()
}
