//! Whether arms were alike before anything was done.

use super::arm_sums::{ArmSumsIndex, CellSums, Group, Phase, Quantity};
use super::diagnostics::PeriodDiagnostics;
use crate::domain::Design;
use crate::error::Result;
use crate::stats::{D, E, Shape, Sums, VALUES, X, Y, smd};
use crate::tables::BalanceRow;

/// The balance rows of a strategy's period: outcomes in the baseline, then measures on the day before.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub(super) fn balance<'a>(diagnostics: &PeriodDiagnostics<'a>, index: &ArmSumsIndex<'a>) -> Result<Vec<BalanceRow>> {
    let strategy = diagnostics.strategy;
    if strategy.design == Design::BeforeAfter {
        return Ok(Vec::new());
    }
    let during = index.slice(&strategy.name, diagnostics.period.period, Phase::During);
    let outcomes = strategy.outcomes.iter().filter(|o| o.shape() == Shape::Mean && diagnostics.has_before(o));
    let outcomes = outcomes.map(|o| (Quantity::Outcome(o.clone()), X, o.scales(&strategy.digits)[X]));
    let mut covariates: Vec<(Quantity, usize, u32)> = outcomes.collect();
    covariates.extend(during.covariates().into_iter().map(|quantity| match quantity {
        Quantity::Covariate { scale, .. } => (quantity.clone(), Y, *scale),
        other => (other.clone(), Y, 0),
    }));
    let mut rows = Vec::new();
    for arm in &diagnostics.treated {
        for group in during.groups(&strategy.by) {
            for (quantity, value, scale) in &covariates {
                if let Some(table) = during.table(group, quantity) {
                    rows.push(row(diagnostics, arm, group, quantity, table, *value, *scale)?);
                }
            }
        }
    }
    Ok(rows)
}

fn row(
    diagnostics: &PeriodDiagnostics<'_>,
    arm: &str,
    group: Group<'_>,
    quantity: &Quantity,
    table: &CellSums<'_>,
    value: usize,
    scale: u32,
) -> Result<BalanceRow> {
    let (strategy, period) = (diagnostics.strategy, diagnostics.period.period);
    let (mut treated, mut control) = (Sums::default(), Sums::default());
    let mut matched: Vec<(&Sums, &Sums)> = Vec::new();
    for arms in table.values() {
        let pair = (arms.get(arm), arms.get(strategy.control.as_str()));
        pair.0.map_or(Ok(()), |sums| treated.add(sums))?;
        pair.1.map_or(Ok(()), |sums| control.add(sums))?;
        if let (Some(t), Some(c)) = pair {
            matched.extend((t.n > 1 && c.n > 1).then_some((*t, *c)));
        }
    }
    // Of clusters, a row has sums over their customers, and how many these are.
    let customers = strategy.cluster.is_some().then_some(if value == X { E } else { D });
    let variance = |sums: &Sums| {
        let mut scales = [scale; VALUES];
        customers.into_iter().for_each(|customers| scales[customers] = 0);
        let moments = sums.moments(scales)?;
        let Some(customers) = customers else { return Some(moments.covariance[value][value]) };
        let mut slope = [0.0; VALUES];
        (slope[value], slope[customers]) = (1.0, -moments.mean[value] / moments.mean[customers]);
        Some(moments.variance(&slope) / moments.mean[customers].powi(2))
    };
    let mean = |sums: &Sums| match customers {
        Some(customers) => Some(sums.mean(value, scale)? / sums.mean(customers, 0)?),
        None => sums.mean(value, scale),
    };
    let count = |sums: &Sums| customers.map_or(sums.n, |customers| sums.sum[customers] as i64);
    let standardised = |t: Option<f64>, c: Option<f64>| smd(t?, c?, variance(&treated)?, variance(&control)?);
    let (mean_treated, mean_control) = (mean(&treated), mean(&control));
    let (after, unmatched) = if strategy.design == Design::Matched {
        let n: i64 = matched.iter().map(|(t, _)| t.n).sum();
        let weighted = |of: fn(&(&Sums, &Sums)) -> Sums| -> Option<f64> {
            let means: Option<Vec<f64>> =
                matched.iter().map(|m| Some(m.0.n as f64 / n as f64 * of(m).mean(value, scale)?)).collect();
            means.filter(|m| !m.is_empty()).map(|m| m.iter().sum())
        };
        let share = (treated.n > 0).then(|| (treated.n - n) as f64 / treated.n as f64);
        (standardised(weighted(|m| *m.0), weighted(|m| *m.1)), share)
    } else {
        (None, None)
    };
    let covariate = match quantity {
        Quantity::Outcome(outcome) => format!("{outcome} in the baseline"),
        other => other.to_string(),
    };
    Ok(BalanceRow {
        strategy: strategy.name.clone(),
        period_start: Some(period.start),
        period_end: Some(period.last_day()),
        arm: arm.into(),
        scheme: group.0.into(),
        state: group.1.into(),
        covariate,
        n_treated: Some(count(&treated)),
        n_control: Some(count(&control)),
        mean_treated,
        mean_control,
        smd_before: standardised(mean_treated, mean_control),
        smd_after: after,
        unmatched_share: unmatched,
    })
}
