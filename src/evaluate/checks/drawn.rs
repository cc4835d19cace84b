//! Whether strata or states, and not customers, were drawn into arms.

use std::collections::BTreeMap;

use super::FAILED;
use crate::error::Result;
use crate::evaluate::arm_sums::{ALL, PeriodSums, Quantity, TOTAL};
use crate::evaluate::settings::{StrategyPeriod, StrategySettings};

/// Customers per arm of a value.
type Counts<'a> = BTreeMap<&'a str, i64>;

/// Whether every stratum lies wholly in one arm, which chance alone would not do.
pub fn are_strata_whole(period: &StrategyPeriod, during: &PeriodSums<'_>, quantity: &Quantity) -> bool {
    let mut strata: BTreeMap<&str, Counts<'_>> = BTreeMap::new();
    for (cell, arms) in during.table(TOTAL, quantity).into_iter().flatten() {
        let counts = strata.entry(period.assigned_on.stratum(cell)).or_default();
        arms.iter().for_each(|(arm, sums)| *counts.entry(arm).or_default() += sums.n);
    }
    are_whole(&strata.into_values().collect::<Vec<_>>())
}

/// The first scheme whose states lie wholly in one arm each.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub fn whole_states<'a>(strategy: &'a StrategySettings, during: &PeriodSums<'a>, quantity: &Quantity) -> Result<Option<&'a str>> {
    for scheme in &strategy.by {
        let mut states: Vec<Counts<'_>> = Vec::new();
        for group in during.groups(std::slice::from_ref(scheme)).into_iter().filter(|(scheme, _)| *scheme != ALL) {
            let mut counts = Counts::new();
            for arm in during.arms() {
                counts.insert(arm, during.arm(group, quantity, arm)?.n);
            }
            states.push(counts);
        }
        if are_whole(&states) {
            return Ok(Some(scheme));
        }
    }
    Ok(None)
}

/// Whether what lies in one arm each, given by number of the arm and customers, was drawn as it is: two values of an arm at least in
/// two of them, and over two customers per value.
pub fn lie_whole(values: &[(u16, u64)]) -> bool {
    let mut arms: BTreeMap<u16, u64> = BTreeMap::new();
    values.iter().for_each(|(arm, _)| *arms.entry(*arm).or_default() += 1);
    let customers: u64 = values.iter().map(|(_, n)| n).sum();
    let names: Vec<String> = arms.keys().map(u16::to_string).collect();
    let name = |arm: u16| arms.keys().position(|own| *own == arm).map_or("", |at| names[at].as_str());
    let counts: Vec<Counts<'_>> = values.iter().map(|(arm, n)| Counts::from([(name(*arm), *n as i64)])).collect();
    let has_several = arms.values().filter(|values| **values > 1).count() > 1;
    has_several && customers > 2 * values.len() as u64 && are_whole(&counts)
}

/// Whether each of several values lies in one arm. Of customers who are drawn one by one, n fall into one arm with the probability
/// Σ pⁿ over the arms' shares p; over all values it must be below the level of checks.
fn are_whole(values: &[Counts<'_>]) -> bool {
    let mut totals = Counts::new();
    values.iter().flatten().for_each(|(arm, n)| *totals.entry(arm).or_default() += n);
    let all = totals.values().sum::<i64>() as f64;
    let by_chance = |counts: &Counts<'_>| {
        let n = counts.values().sum::<i64>() as f64;
        totals.values().map(|total| (*total as f64 / all).powf(n)).sum::<f64>().min(1.0)
    };
    let is_whole = |counts: &Counts<'_>| counts.values().filter(|n| **n > 0).count() == 1;
    let is_shared = totals.values().filter(|n| **n > 0).count() > 1;
    is_shared && values.iter().all(is_whole) && values.iter().map(by_chance).product::<f64>() < FAILED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_whole_where_several_values_are_in_either_arm() {
        let stores: Vec<(u16, u64)> = (0..12).map(|store| (store % 2, 250)).collect();
        assert!(lie_whole(&stores));
        // The text of a mail, and what none got, say no more than the arm does.
        assert!(!lie_whole(&[(0, 500), (1, 250), (1, 250)]));
        // Codes of single customers.
        assert!(!lie_whole(&(0..900).map(|code| (code % 2, 1)).collect::<Vec<_>>()));
        assert!(!lie_whole(&[]));
    }

    #[test]
    fn values_are_whole_where_chance_would_mix_them() {
        let counts = |mail: i64, control: i64| Counts::from([("mail", mail), ("control", control)]);
        let stores = |each: i64| [counts(each, 0), counts(0, each), counts(each, 0), counts(0, each)];
        // Four stores of 4 in halves: (2·0.5⁴)⁴ = 0.00024; of 3: (2·0.5³)⁴ = 0.0039.
        assert!(are_whole(&stores(4)));
        assert!(!are_whole(&stores(3)));
        assert!(!are_whole(&[stores(250).to_vec(), vec![counts(1, 1)]].concat()));
        // One arm, or one value, says nothing.
        assert!(!are_whole(&[counts(100, 0), counts(50, 0)]));
        assert!(!are_whole(&[counts(100, 0)]));
        assert!(!are_whole(&[]));
    }
}
