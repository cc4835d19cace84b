//! Who went from which state to which, why, and how long they stayed.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// The row of a customer at a date, if it is listed there.
fn row_at<'a>(snapshot: &'a Snapshot, slice: &Option<String>, id: &Id) -> Option<&'a CustomerRow> {
    snapshot.slices.iter().find(|s| s.slice == *slice)?.customers.iter().find(|c| c.id == *id)
}

/// The ends of the 95 % interval of Wilson (1927) for a share of `hits` in `n`.
pub fn wilson(hits: i128, n: i128) -> (f64, f64) {
    let z = 1.959_963_984_540_054_f64;
    let (hits, n) = (hits as f64, n as f64);
    let share = hits / n;
    let middle = share + z * z / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let below = 1.0 + z * z / n;
    ((middle - half) / below, (middle + half) / below)
}

/// `transitions` and `movers`.
pub(super) fn moves(
    job: &Job,
    moments: &[Moment],
    snapshots: &[Snapshot],
    customers: &Customers,
    seen: &mut BTreeSet<&'static str>,
) -> (Vec<Transition>, Vec<Mover>) {
    let (mut transitions, mut movers) = (Vec::new(), Vec::new());
    for (moment, now) in moments.iter().zip(snapshots).filter(|(m, _)| m.shown) {
        for from_as_of in &moment.compared_with {
            let before = snapshots.iter().find(|s| s.as_of == *from_as_of).expect("a date of the job");
            for (k, scheme) in job.schemes.iter().enumerate() {
                let mut counts: BTreeMap<(String, String, String), (i128, i128)> = BTreeMap::new();
                for ((slice, id), orders) in customers {
                    let (old, new) = (row_at(before, slice, id), row_at(now, slice, id));
                    if old.is_none() && new.is_none() {
                        continue;
                    }
                    let name = |row: Option<&CustomerRow>| row.map_or("(none)".to_string(), |r| r.states[k].clone());
                    let cell = counts.entry((slice_name(slice), name(old), name(new))).or_default();
                    cell.0 += 1;
                    cell.1 += sums(job, orders, Some(from_as_of + 1), moment.as_of).money;
                    if let (Some(old), Some(new)) = (old, new)
                        && old.states[k] != new.states[k]
                    {
                        movers.push(Mover {
                            as_of: moment.as_of,
                            slice: slice_name(slice),
                            id: id.clone(),
                            scheme: scheme.column.clone(),
                            from_as_of: *from_as_of,
                            from_state: old.states[k].clone(),
                            to_state: new.states[k].clone(),
                            reason: reason(job, scheme, before, slice, &old.states[k], new, seen),
                        });
                    }
                }
                for ((slice, from, to), (n, revenue)) in &counts {
                    let same = counts.iter().filter(|((s, f, _), _)| s == slice && f == from);
                    let all: i128 = same.map(|(_, (n, _))| n).sum();
                    transitions.push(Transition {
                        as_of: moment.as_of,
                        slice: slice.clone(),
                        scheme: scheme.column.clone(),
                        from_state: from.clone(),
                        to_state: to.clone(),
                        from_as_of: *from_as_of,
                        customers: *n,
                        rate: *n as f64 / all as f64,
                        interval: wilson(*n, all),
                        revenue: *revenue,
                    });
                }
            }
        }
    }
    (transitions, movers)
}

/// Why a customer's state is another one: would it be the old one under the cut points of the earlier date?
fn reason(
    job: &Job,
    scheme: &Scheme,
    before: &Snapshot,
    slice: &Option<String>,
    old: &str,
    new: &CustomerRow,
    seen: &mut BTreeSet<&'static str>,
) -> Option<String> {
    let word = |behaviour: bool| Some(if behaviour { "behaviour" } else { "cut_points" }.to_string());
    if !scheme.uses_scores() {
        return word(true);
    }
    if job.methods.contains(&Method::Ntile) {
        return None;
    }
    let Some(bounds) = before.slices.iter().find(|s| s.slice == *slice).and_then(|s| s.bounds.as_ref()) else {
        // Nobody was scored then, so no cut point has moved.
        return word(true);
    };
    word(state_of(job, scheme, &scored_under(job, new, bounds), seen) != old)
}

/// `state_history`: over the as-of dates alone.
pub(super) fn stays(job: &Job, snapshots: &[Snapshot], customers: &Customers) -> Vec<Stay> {
    let mut stays: Vec<Stay> = Vec::new();
    for (slice, id) in customers.keys() {
        for (k, scheme) in job.schemes.iter().enumerate() {
            let mut open: Option<Stay> = None;
            for snapshot in snapshots.iter().filter(|s| s.shown) {
                let state = row_at(snapshot, slice, id).map(|row| row.states[k].clone());
                if open.as_ref().map(|stay| &stay.state) == state.as_ref() {
                    continue;
                }
                stays.extend(open.take().map(|stay| Stay { valid_to: Some(snapshot.as_of - 1), ..stay }));
                open = state.map(|state| Stay {
                    slice: slice_name(slice),
                    id: id.clone(),
                    scheme: scheme.column.clone(),
                    state,
                    valid_from: snapshot.as_of,
                    valid_to: None,
                });
            }
            stays.extend(open);
        }
    }
    stays
}
