//! A slow and obvious second opinion on every number that a run prints.
//!
//! Written from the meaning of the tables alone: sort and loop, one customer after the other, nothing shared with the
//! program. Money is an `i128` of minor units, cut points are exact fractions, dates are days since 1970-01-01.
//!
//! Where the meaning leaves room, the most literal reading is taken, and [`Answer::notes`] says that the case depends
//! on it; the names of the notes are listed in [`notes`].

mod answer;
mod growth;
mod input;
mod job;
mod measures;
mod movement;
mod numbers;
mod orders;
mod periods;
mod schemes;
mod scores;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use answer::*;
pub use input::*;
pub use job::*;
pub use numbers::{divide_half_even, scale_float, ten_to};
pub use orders::{Amount, amount_of, passes};
pub use periods::{Moment, moments};

use measures::{Sums, holds, measure, measure_value, sums};
use numbers::{compare_rows, compare_values, divide_up};
use orders::{Order, fail, read_orders};
use schemes::{give_states, state_of};
use scores::{finish_slice, scored_under};

/// The orders of every (slice, customer).
type Customers<'a> = BTreeMap<(Option<String>, Id), Vec<&'a Order>>;

/// What summed tables call a slice.
fn slice_name(slice: &Option<String>) -> String {
    slice.clone().unwrap_or("(all)".into())
}

/// Everything a run of this job over this input must say, or the exit code it must fail with.
pub fn solve(job: &Job, input: &Input) -> Result<Answer, Failure> {
    if job.frozen && job.methods.contains(&Method::Ntile) {
        return fail(2, "ntile has no cut points to freeze");
    }
    let moments = moments(job);
    if job.uses_periods() && moments.iter().all(|m| !m.shown || m.period.is_none()) {
        return fail(2, "measures of periods without any period");
    }
    let starts: Vec<i64> = moments.iter().filter(|m| m.shown).filter_map(|m| m.period).map(|p| p.0).collect();
    if !job.acquisition.is_empty() && !starts.is_empty() && job.acquisition.iter().all(|a| !starts.contains(&a.0)) {
        return fail(3, "costs of acquisition of no period of the job");
    }
    let mut seen = BTreeSet::new();
    let read = read_orders(job, input, &mut seen)?;
    let mut customers = Customers::new();
    for order in &read.orders {
        customers.entry((order.slice.clone(), order.customer.clone())).or_default().push(order);
    }
    let mut snapshot = |moment: &Moment, frozen: Option<&BTreeMap<Option<String>, Bounds>>| {
        let mut rows: BTreeMap<Option<String>, Vec<CustomerRow>> = BTreeMap::new();
        for ((slice, id), orders) in &customers {
            if let Some(row) = measure(job, id, orders, moment, &mut seen) {
                rows.entry(slice.clone()).or_default().push(row);
            }
        }
        let slices = rows.into_iter().map(|(slice, list)| finish_slice(job, slice, list, frozen, &mut seen));
        Snapshot {
            as_of: moment.as_of,
            shown: moment.shown,
            history_complete: history_complete(job, &read.orders, moment.as_of),
            slices: slices.collect(),
        }
    };
    // Frozen are the cut points of the first as-of date, also for earlier dates that it is compared with.
    let first = moments.iter().position(|m| m.shown).expect("an as-of date");
    let of_first = snapshot(&moments[first], None);
    let frozen: BTreeMap<Option<String>, Bounds> =
        of_first.slices.iter().filter_map(|s| Some((s.slice.clone(), s.bounds.clone()?))).collect();
    let mut snapshots = Vec::new();
    for (k, moment) in moments.iter().enumerate() {
        snapshots.push(if k == first { of_first.clone() } else { snapshot(moment, job.frozen.then_some(&frozen)) });
    }
    let (transitions, movers) = movement::moves(job, &moments, &snapshots, &customers, &mut seen);
    let movement = Movement {
        transitions,
        movers,
        stays: movement::stays(job, &snapshots, &customers),
        growth: growth::growth(job, &moments, &snapshots, &customers),
        cohorts: growth::cohorts(job, &moments, &customers),
        concentration: growth::concentration(&snapshots),
    };
    Ok(Answer { ledger: read.ledger, snapshots, movement, notes: seen })
}

/// True if no lookback of the job at this date begins before the first kept order.
fn history_complete(job: &Job, orders: &[Order], as_of: i64) -> bool {
    let first = orders.iter().map(|o| o.date).min().expect("an order");
    let lookbacks = [job.lookback].into_iter().chain(job.used_lookbacks());
    lookbacks.filter_map(|l| l.start(as_of)).all(|start| start >= first)
}
