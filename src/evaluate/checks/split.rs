//! The arms' sizes, and the share of them that an earlier period treated.

use std::collections::{BTreeMap, BTreeSet};

use super::FAILED;
use super::before::unlike_shares;
use crate::error::Result;
use crate::evaluate::arm_sums::{PeriodSums, Quantity, TOTAL};
use crate::evaluate::settings::{StrategyPeriod, StrategySettings};
use crate::stats::{SplitCell, Y, chi_square_homogeneity, split_check};

/// The split check over all arms, or among the two of a pair, stratum by stratum of the job.
pub fn split_p(
    strategy: &StrategySettings,
    period: &StrategyPeriod,
    during: &PeriodSums<'_>,
    quantity: &Quantity,
    pair: Option<[&str; 2]>,
) -> Option<f64> {
    let is_checked = |arm: &str| pair.is_none_or(|pair| pair.contains(&arm));
    let mut strata: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    for (cell, arms) in during.table(TOTAL, quantity)? {
        let counts = strata.entry(period.assigned_on.stratum(cell)).or_default();
        arms.iter().for_each(|(arm, sums)| *counts.entry(arm).or_default() += sums.n);
    }
    let arms: BTreeSet<&String> = strata.keys().flat_map(|stratum| strategy.split.of(stratum).keys()).collect();
    let arms: Vec<&String> = arms.into_iter().filter(|arm| is_checked(arm)).collect();
    let cell = |(stratum, counts): (&&str, &BTreeMap<&str, i64>)| {
        let shares = strategy.split.of(stratum);
        SplitCell {
            observed: arms.iter().map(|arm| counts.get(arm.as_str()).copied().unwrap_or(0)).collect(),
            planned: arms.iter().map(|arm| shares.get(*arm).copied().unwrap_or(0.0)).collect(),
        }
    };
    split_check(&strata.iter().map(cell).collect::<Vec<_>>())
}

/// Whether some customers of the period are assigned in another one, too.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub fn some_recur(during: &PeriodSums<'_>) -> Result<bool> {
    for arm in during.arms() {
        if during.arm(TOTAL, &Quantity::Recurs, arm)?.sum[Y] > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many customers are excluded, if nobody else was assigned in the period.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub fn everybody_excluded(during: &PeriodSums<'_>) -> Result<Option<i64>> {
    let mut excluded = 0;
    for arm in during.arms() {
        excluded += during.arm(TOTAL, &Quantity::Excluded, arm)?.n;
    }
    let counts = during.quantities().any(|quantity| matches!(quantity, Quantity::Outcome(_)));
    Ok((excluded > 0 && !counts).then_some(excluded))
}

/// The p-value of equal shares treated inside the baseline, if it fails.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub fn contaminated_p(strategy: &StrategySettings, during: &PeriodSums<'_>) -> Result<Option<f64>> {
    if strategy.cluster.is_some() {
        let treated: Vec<&str> = during.arms().into_iter().filter(|arm| *arm != strategy.control).collect();
        return unlike_shares(during, &strategy.control, &treated);
    }
    let mut groups = Vec::new();
    for arm in during.arms() {
        let sums = during.arm(TOTAL, &Quantity::TreatedInBaseline, arm)?;
        groups.push((i64::try_from(sums.sum[Y]).unwrap_or(i64::MAX), sums.n));
    }
    Ok(chi_square_homogeneity(&groups).filter(|p| *p < FAILED))
}
