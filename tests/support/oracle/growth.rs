//! Growth accounting, cohorts, and how unequal customers are.

use std::collections::BTreeMap;

use super::*;

/// Purchases and money of a period; everything before it; and everything up to its end.
struct Doings {
    inside: Sums,
    before: Sums,
    life: Sums,
}

fn doings(job: &Job, orders: &[&Order], (start, end): (i64, i64)) -> Doings {
    Doings {
        inside: sums(job, orders, Some(start), end),
        before: sums(job, orders, None, start - 1),
        life: sums(job, orders, None, end),
    }
}

/// `growth`: at as-of dates with a period and a period before.
pub(super) fn growth(job: &Job, moments: &[Moment], snapshots: &[Snapshot], customers: &Customers) -> Vec<Growth> {
    let mut rows: BTreeMap<(i64, String, String, String), Growth> = BTreeMap::new();
    let mut former: Option<&Snapshot> = None;
    for (moment, snapshot) in moments.iter().zip(snapshots).filter(|(m, _)| m.shown) {
        let from = former.replace(snapshot);
        let (Some(period), Some(previous)) = (moment.period, moment.previous) else { continue };
        for ((slice, id), orders) in customers {
            let Doings { inside, before, life } = doings(job, orders, period);
            if life.purchases == 0 {
                continue;
            }
            let formerly = sums(job, orders, Some(previous.0), previous.1).purchases > 0;
            let mut groups = vec![("(all)".to_string(), "(all)".to_string())];
            for (k, scheme) in job.schemes.iter().enumerate().filter(|_| from.is_some()) {
                let of_slice = from.and_then(|f| f.slices.iter().find(|s| s.slice == *slice));
                let row = of_slice.and_then(|s| s.customers.iter().find(|c| c.id == *id));
                groups.push((scheme.column.clone(), row.map_or("(none)".into(), |r| r.states[k].clone())));
            }
            for (scheme, state) in groups {
                let key = (moment.as_of, slice_name(slice), scheme.clone(), state.clone());
                let row = rows.entry(key).or_insert_with(|| Growth {
                    as_of: moment.as_of,
                    slice: slice_name(slice),
                    scheme,
                    from_state: state,
                    from_as_of: from.map(|f| f.as_of),
                    ..Growth::default()
                });
                let now = inside.purchases > 0;
                let count = match (now, formerly, before.purchases > 0) {
                    (true, _, false) => &mut row.new,
                    (true, true, true) => &mut row.retained,
                    (true, false, true) => &mut row.resurrected,
                    (false, true, _) => &mut row.lapsed,
                    (false, false, _) => &mut row.inactive,
                };
                *count += 1;
                row.revenue += inside.money;
            }
        }
    }
    rows.into_values().collect()
}

/// `cohorts`: at as-of dates with a period.
pub(super) fn cohorts(job: &Job, moments: &[Moment], customers: &Customers) -> Vec<Cohort> {
    let shown: Vec<&Moment> = moments.iter().filter(|m| m.shown).collect();
    let mut rows: BTreeMap<(i64, String, Option<i64>), Cohort> = BTreeMap::new();
    for (k, moment) in shown.iter().enumerate() {
        let Some(period) = moment.period else { continue };
        for ((slice, _), orders) in customers {
            let purchases = orders.iter().filter(|o| o.is_purchase && o.date <= moment.as_of);
            let Some(first) = purchases.map(|o| o.date).min() else { continue };
            let born = shown.iter().position(|m| m.period.is_some_and(|(start, end)| (start..=end).contains(&first)));
            let of_birth = born.and_then(|b| shown[b].period);
            let Doings { inside, life, .. } = doings(job, orders, period);
            let row = rows.entry((moment.as_of, slice_name(slice), of_birth.map(|p| p.0))).or_insert_with(|| Cohort {
                as_of: moment.as_of,
                slice: slice_name(slice),
                period: of_birth,
                periods_since: born.map(|b| (k - b) as i128),
                customers: 0,
                active: 0,
                repeat: 0,
                orders: 0,
                revenue: 0,
                revenue_to_date: 0,
                // What is spent on winning customers is known of all slices together.
                spend: job.acquisition.iter().find(|a| job.slice.is_none() && Some(a.0) == of_birth.map(|p| p.0)).map(|a| a.1),
            });
            row.customers += 1;
            row.active += i128::from(inside.purchases > 0);
            row.repeat += i128::from(life.purchases >= 2);
            row.orders += inside.purchases;
            row.revenue += inside.money;
            row.revenue_to_date += life.money;
        }
    }
    rows.into_values().collect()
}

/// `concentration`: over who bought in the lookback; revenue below zero counts as zero in the shares.
pub(super) fn concentration(snapshots: &[Snapshot]) -> Vec<Concentration> {
    let mut rows = Vec::new();
    for snapshot in snapshots.iter().filter(|s| s.shown) {
        for slice in &snapshot.slices {
            let money: Vec<i128> = slice.customers.iter().filter(|c| c.frequency > 0).map(|c| c.revenue).collect();
            if money.is_empty() {
                continue;
            }
            let mut best: Vec<i128> = money.iter().map(|m| (*m).max(0)).collect();
            best.sort();
            best.reverse();
            let (n, all) = (best.len(), best.iter().sum::<i128>());
            let top = |percent: usize| {
                // A share of the customers is rounded up to a whole one.
                let count = (1..=n).find(|c| 100 * c >= percent * n).expect("n is enough");
                (all > 0).then(|| best[..count].iter().sum::<i128>() as f64 / all as f64)
            };
            // Half of the mean difference between two customers, over the mean.
            let apart: i128 = best.iter().flat_map(|a| best.iter().map(move |b| (a - b).abs())).sum();
            rows.push(Concentration {
                as_of: snapshot.as_of,
                slice: slice_name(&slice.slice),
                customers: n as i128,
                revenue: money.iter().sum(),
                top: [1, 10, 20].map(top),
                gini: (all > 0).then(|| apart as f64 / (2.0 * n as f64 * all as f64)),
            });
        }
    }
    rows
}
