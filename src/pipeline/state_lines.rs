//! The short table of states that the console shows at the end of a run.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::plan::SchemeColumn;
use crate::scheme::NONE;
use crate::tables::{Segment, SegmentKey};

/// A line of the table of states.
#[derive(Debug, Clone, PartialEq)]
pub struct StateLine {
    /// Scheme column.
    pub scheme: String,
    /// State.
    pub state: String,
    /// Customers in it.
    pub customers: i64,
    /// Their share.
    pub share: f64,
    /// Revenue in the lookback, minor units.
    pub revenue: i128,
    /// Share of the revenue; `None` where there is none.
    pub revenue_share: Option<f64>,
}

/// The states at the last as-of date of the slice with most customers, and its name; over everybody, without a name, in a job
/// without slices. Money of slices may be of several currencies, and customers of two slices would count twice.
pub fn of_largest_slice(
    segments: &[Segment],
    schemes: &[SchemeColumn],
    last_date: usize,
    slices: &[String],
) -> (Vec<StateLine>, Option<String>) {
    let mut customers: BTreeMap<u32, i64> = BTreeMap::new();
    for ([_, slice, ..], sum) in segments.iter().filter(|(key, _)| key[0] as usize == last_date && key[2] == 0 && key[4] == 0) {
        *customers.entry(*slice).or_default() += sum.customers;
    }
    let by_size = customers.into_iter().max_by_key(|(slice, customers)| (*customers, Reverse(*slice)));
    let largest = by_size.map(|(slice, _)| slice).filter(|_| !slices.is_empty());
    // People who never ordered are in no slice.
    let name = largest.map(|slice| slices.get(slice as usize).cloned().unwrap_or_else(|| NONE.to_owned()));
    (states(segments, schemes, last_date, largest), name)
}

/// The states at the last as-of date, best first: of a slice, or over all of them.
pub fn states(segments: &[Segment], schemes: &[SchemeColumn], last_date: usize, slice: Option<u32>) -> Vec<StateLine> {
    let mut out = Vec::new();
    for (number, column) in schemes.iter().enumerate() {
        let names = column.scheme.all_states();
        let is_of_scheme = |key: &SegmentKey| {
            key[0] as usize == last_date && slice.is_none_or(|slice| key[1] == slice) && key[2] == 0 && key[4] as usize == number
        };
        let of_scheme: Vec<&Segment> = segments.iter().filter(|(key, _)| is_of_scheme(key)).collect();
        let all_customers: i64 = of_scheme.iter().map(|(_, sum)| sum.customers).sum();
        let all_revenue: i128 = of_scheme.iter().map(|(_, sum)| sum.revenue).sum();
        let mut states: Vec<usize> = (0..names.len()).collect();
        states.sort_by_key(|s| column.scheme.rank(*s));
        for state in states {
            let of_state = of_scheme.iter().filter(|(key, _)| key[5] as usize == state);
            let (customers, revenue) = of_state.fold((0, 0), |(c, m), (_, sum)| (c + sum.customers, m + sum.revenue));
            if customers > 0 {
                out.push(StateLine {
                    scheme: column.column.clone(),
                    state: names[state].clone(),
                    customers,
                    share: customers as f64 / all_customers as f64,
                    revenue,
                    revenue_share: (all_revenue != 0).then(|| revenue as f64 / all_revenue as f64),
                });
            }
        }
    }
    out
}
