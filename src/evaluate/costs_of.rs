//! Strategies that cost what other strategies of the job cost, such as everything that a permanent hold-out is kept from.

use super::arm_sums::{ArmSumsIndex, Phase, Quantity};
use super::diagnostics::{PeriodDiagnostics, TOTAL};
use crate::error::{Error, Result};
use crate::stats::{Y, printed};

/// Gives every period the costs of the periods of the strategies it names that begin in it.
///
/// # Errors
/// Exit 2 if one of these costs is not known.
pub(super) fn add(all: &mut [(usize, PeriodDiagnostics<'_>)], index: &ArmSumsIndex<'_>) -> Result<()> {
    let costs = all.iter().map(|(_, own)| costs_of_others(own, all, index)).collect::<Result<Vec<_>>>()?;
    all.iter_mut().zip(costs).for_each(|((_, own), cost)| own.costs_of_others = cost);
    Ok(())
}

fn costs_of_others(
    own: &PeriodDiagnostics<'_>,
    all: &[(usize, PeriodDiagnostics<'_>)],
    index: &ArmSumsIndex<'_>,
) -> Result<Option<f64>> {
    let names = &own.strategy.costs_of;
    let is_named = |other: &&PeriodDiagnostics<'_>| {
        names.contains(&other.strategy.name) && own.period.period.contains(other.period.period.start)
    };
    let mut sum = 0.0;
    for other in all.iter().map(|(_, other)| other).filter(is_named) {
        sum += cost(other, index).ok_or_else(|| {
            Error::usage(format!(
                "Strategy {:?}: costs_of names {:?}, whose cost in the period from {} is not known; give that strategy cost_per_customer or \
                 fixed_cost, or its assignments a column cost, or take it out of costs_of",
                own.strategy.name, other.strategy.name, other.period.period.start
            ))
        })?;
    }
    Ok((!names.is_empty()).then_some(sum))
}

/// What a strategy's period costs: its treated customers by their assignments, or by the cost of each, and the fixed cost.
fn cost(of: &PeriodDiagnostics<'_>, index: &ArmSumsIndex<'_>) -> Option<f64> {
    if of.all_treated == 0 {
        return Some(0.0);
    }
    let strategy = of.strategy;
    let during = index.slice(&strategy.name, of.period.period, Phase::During);
    let of_customers = match during.table(TOTAL, &Quantity::Cost) {
        Some(table) => {
            let sums = table.values().flat_map(|arms| of.treated.iter().filter_map(|arm| arms.get(arm)));
            Some(sums.map(|sums| printed(sums.sum[Y], strategy.digits.money)).sum::<f64>())
        }
        None => {
            strategy.cost_per_customer.map(|cost| printed(cost.digits.saturating_mul(i128::from(of.all_treated)), cost.scale))
        }
    };
    let fixed = strategy.fixed_cost.map(|cost| printed(cost.digits, cost.scale));
    of_customers.map(|cost| cost + fixed.unwrap_or(0.0)).or(fixed)
}
