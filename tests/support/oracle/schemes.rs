//! States by rule tables.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// True if one condition holds for a customer.
fn condition_holds(job: &Job, row: &CustomerRow, condition: &Condition) -> bool {
    let score = |axis: Axis| row.scores[axis as usize].map(i128::from);
    match condition {
        Condition::Measure(measure, test) => holds(*test, measure_value(job, row, *measure)),
        Condition::Score(axis, test) => holds(*test, score(*axis).map(|s| (s, 0))),
        Condition::Level(axis, level) => row.levels[*axis as usize] == Some(*level),
        Condition::FPlusM(test) => {
            let sum = match (score(Axis::Frequency), score(Axis::Monetary)) {
                (Some(f), Some(m)) => Some((f + m, 0)),
                _ => None,
            };
            holds(*test, sum)
        }
        Condition::Cells(cells) => cells.iter().any(|cell| row.scores == cell.map(Some)),
    }
}

/// The state of a customer in a scheme.
pub(super) fn state_of(job: &Job, scheme: &Scheme, row: &CustomerRow, seen: &mut BTreeSet<&'static str>) -> String {
    if row.scores.contains(&None) && scheme.uses_scores() {
        if scheme.uses_levels_only() {
            seen.insert(notes::UNSCORED_LEVEL);
        }
        return "(unscored)".to_string();
    }
    let rule = scheme.rules.iter().find(|r| r.when.iter().all(|c| condition_holds(job, row, c)));
    rule.expect("a rule for every customer").state.clone()
}

/// Gives every customer a state per scheme and sums them.
pub(super) fn give_states(job: &Job, customers: &mut [CustomerRow], seen: &mut BTreeSet<&'static str>) -> Vec<SegmentRow> {
    let mut segments = Vec::new();
    for scheme in &job.schemes {
        let mut by_state: BTreeMap<String, SegmentRow> = BTreeMap::new();
        for row in customers.iter_mut() {
            let state = state_of(job, scheme, row, seen);
            let segment = by_state.entry(state.clone()).or_insert_with(|| SegmentRow {
                scheme: scheme.column.clone(),
                state: state.clone(),
                ..SegmentRow::default()
            });
            segment.customers += 1;
            segment.orders += row.frequency;
            segment.revenue += row.revenue;
            segment.repeat_customers += u64::from(row.frequency >= 2);
            row.states.push(state);
        }
        segments.extend(by_state.into_values());
    }
    segments
}
