//! Sums by state.

use super::rows::CustomerRows;
use crate::measure::{Column, NULL_INT, NULL_LONG};
use crate::movement::CustomerGroups;
use crate::plan::Plan;
use crate::tables::{SegmentKey, SegmentSum};

/// Adds the sums of every state at a date: of all customers of a slice, and of those who share a value of a dimension.
/// `state_counts` is the number of states per scheme, `states` has the state of every row per scheme. Adds nothing if the
/// plan lacks the columns of `segments`.
pub fn add_segments(
    plan: &Plan,
    date: usize,
    groups: &CustomerGroups,
    rows: &CustomerRows,
    (state_counts, states): (&[usize], &[Vec<u16>]),
    sums: &mut Vec<(SegmentKey, SegmentSum)>,
) {
    let Some(columns) = SummedColumns::new(plan, rows) else { return };
    let states = RowStates::new(state_counts, states);
    let mut add = |slice: u32, dimension: u32, value: u32, by_scheme: Vec<Vec<SegmentSum>>| {
        for (scheme, by_state) in by_scheme.into_iter().enumerate() {
            for (state, sum) in by_state.into_iter().enumerate().filter(|(_, sum)| sum.customers > 0) {
                sums.push(([date as u32, slice, dimension, value, scheme as u32, state as u32], sum));
            }
        }
    };
    for (slice, of_slice) in &rows.slices {
        add(*slice, 0, 0, states.sums(&columns, of_slice.clone()));
    }
    if groups.has_dimensions() {
        let row_of_customer = rows.row_of_customer(groups.len());
        for group in groups.by_dimension() {
            let of_group = group.customers.iter().filter_map(|customer| row_of_customer[*customer as usize]);
            add(group.slice, group.dimension, group.value, states.sums(&columns, of_group));
        }
    }
}

/// Up to this many cells of sums stay in the L1 cache.
const MAX_JOINT_CELLS: usize = 144;

/// The states of rows in all schemes.
struct RowStates<'a> {
    /// How many states each scheme has.
    counts: &'a [usize],
    by_scheme: &'a [Vec<u16>],
    /// The states of all schemes as one number, unless there are too many, so that rows are summed in one pass.
    joint: Option<Vec<u16>>,
}

impl RowStates<'_> {
    fn new<'a>(counts: &'a [usize], by_scheme: &'a [Vec<u16>]) -> RowStates<'a> {
        let joint = (counts.iter().product::<usize>() <= MAX_JOINT_CELLS).then(|| {
            let mut joint = vec![0; by_scheme.first().map_or(0, Vec::len)];
            for (states, count) in by_scheme.iter().zip(counts) {
                joint.iter_mut().zip(states).for_each(|(joint, state)| *joint = *joint * *count as u16 + state);
            }
            joint
        });
        RowStates { counts, by_scheme, joint }
    }

    /// The sums of some rows by scheme and state.
    fn sums(&self, columns: &SummedColumns<'_>, rows: impl Iterator<Item = usize> + Clone) -> Vec<Vec<SegmentSum>> {
        let Some(joint) = &self.joint else {
            let schemes = self.counts.iter().zip(self.by_scheme);
            return schemes.map(|(count, states)| columns.sums(*count, states, rows.clone())).collect();
        };
        let mut by_scheme: Vec<Vec<SegmentSum>> = self.counts.iter().map(|count| vec![SegmentSum::default(); *count]).collect();
        let by_cell = columns.sums(self.counts.iter().product(), joint, rows);
        for (cell, sum) in by_cell.iter().enumerate().filter(|(_, sum)| sum.customers > 0) {
            let mut rest = cell;
            for (by_state, count) in by_scheme.iter_mut().zip(self.counts).rev() {
                by_state[rest % count].merge(sum);
                rest /= count;
            }
        }
        by_scheme
    }
}

/// The columns that `segments` sums.
struct SummedColumns<'a> {
    recency: &'a [i32],
    frequency: &'a [i64],
    monetary: &'a [i64],
    revenue: &'a [i64],
    annual_value: &'a [i64],
    /// What serving the customers cost, and their margin before it.
    cost_to_serve: Option<&'a [i64]>,
    margin: Option<&'a [i64]>,
    /// How content they are.
    satisfaction: Option<&'a [i64]>,
}

impl SummedColumns<'_> {
    /// The columns of these rows; `None` if the job does not ask for `segments`.
    fn new<'a>(plan: &Plan, rows: &'a CustomerRows) -> Option<SummedColumns<'a>> {
        let longs = |at: usize| if let Column::Long(values) = &rows.columns[at] { values.as_slice() } else { &[] };
        let [recency, frequency, monetary] = plan.axes;
        Some(SummedColumns {
            recency: if let Column::Int(values) = &rows.columns[recency] { values } else { &[] },
            frequency: longs(frequency),
            monetary: longs(monetary),
            revenue: longs(plan.revenue?),
            annual_value: longs(plan.annual_value?),
            cost_to_serve: plan.cost_to_serve.map(longs),
            margin: plan.margin.map(longs),
            satisfaction: plan.satisfaction.map(|(at, _)| longs(at)),
        })
    }

    /// The sums of some rows by state.
    fn sums(&self, state_count: usize, states: &[u16], rows: impl Iterator<Item = usize> + Clone) -> Vec<SegmentSum> {
        let mut by_state = vec![SegmentSum::default(); state_count];
        let known = |value: i64| if value == NULL_LONG { 0 } else { value };
        // Unless money is an average, both are one column.
        let is_same = std::ptr::eq(self.monetary, self.revenue);
        for row in rows.clone() {
            let sum = &mut by_state[usize::from(states[row])];
            let (recency, orders) = (self.recency[row], known(self.frequency[row]));
            let bought = recency != NULL_INT;
            sum.customers += 1;
            sum.buyers += i64::from(bought);
            sum.orders += orders;
            sum.repeat_customers += i64::from(orders >= 2);
            sum.recency_days += if bought { i64::from(recency) } else { 0 };
            sum.revenue += i128::from(known(self.revenue[row]));
            sum.annual_value += i128::from(known(self.annual_value[row]));
            if !is_same {
                sum.monetary += i128::from(known(self.monetary[row]));
            }
        }
        if self.cost_to_serve.is_some() || self.satisfaction.is_some() {
            rows.for_each(|row| self.add_values(row, &mut by_state[usize::from(states[row])]));
        }
        if is_same {
            by_state.iter_mut().for_each(|sum| sum.monetary = sum.revenue);
        }
        by_state
    }

    /// Adds what serving a customer cost, the margin before it, and the last answer. Who has not ordered has no margin; who has, and
    /// lacks it, lacks a cost.
    fn add_values(&self, row: usize, sum: &mut SegmentSum) {
        let known = |values: &[i64]| values.get(row).copied().filter(|value| *value != NULL_LONG);
        sum.cost_to_serve += i128::from(self.cost_to_serve.and_then(known).unwrap_or(0));
        if let Some(margins) = self.margin.filter(|_| self.recency[row] != NULL_INT) {
            let margin = known(margins);
            sum.margin += i128::from(margin.unwrap_or(0));
            sum.without_margin += i64::from(margin.is_none());
        }
        if let Some(answer) = self.satisfaction.and_then(known) {
            sum.answers += 1;
            sum.satisfaction += i128::from(answer);
        }
    }
}
