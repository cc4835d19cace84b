//! Winsorises money outcomes. The threshold is a percentile over all parts, so the values are retained until every part is done.

use rayon::prelude::*;

use super::accumulator::StrategyAccumulator;
use super::outcomes::MemberBatch;
use super::plan::StrategyPlan;
use super::strategy_sums::StrategySums;
use crate::domain::{Decimal, pow10};
use crate::evaluate::{Phase, Quantity};
use crate::stats::{X, Y};
use crate::sums::{Arity, Column, Tuples, mark_nonzero};

/// The customers of a part and a strategy who have a money outcome that is not zero in any of its lists.
pub struct WinsorInput {
    study: usize,
    /// By batch and list of the strategy: its members, with the columns that are winsorised.
    batches: Vec<Vec<MemberBatch>>,
}

impl WinsorInput {
    pub fn new(study: usize) -> WinsorInput {
        WinsorInput { study, batches: Vec::new() }
    }

    /// The number of the strategy.
    pub fn strategy(&self) -> usize {
        self.study
    }

    /// Retains the outcomes of a batch of `count` customers, except of customers whose outcomes are all zero: they add nothing
    /// to sums.
    pub fn add(&mut self, study: &StrategyPlan<'_>, crowds: &[MemberBatch], count: usize) {
        fn money<'a>(study: &'a StrategyPlan<'_>, crowd: &'a MemberBatch) -> impl Iterator<Item = &'a Tuples<2>> {
            study.winsorised.iter().filter_map(|slot| match crowd.columns.get(*slot) {
                Some(Column::Two(means)) => Some(means),
                _ => None,
            })
        }
        let mut spent = vec![false; count];
        for crowd in crowds {
            for column in money(study, crowd) {
                for (customer, _) in crowd.customers.iter().zip(column.iter()).filter(|(_, numbers)| *numbers != [0; 2]) {
                    spent[*customer as usize] = true;
                }
            }
        }
        let keep = |crowd: &MemberBatch| {
            fn only<T: Copy>(values: &[T], spent: &[bool]) -> Vec<T> {
                values.iter().zip(spent).filter(|(_, spent)| **spent).map(|(value, _)| *value).collect()
            }
            let spent: Vec<bool> = crowd.customers.iter().map(|customer| spent[*customer as usize]).collect();
            let column = |means: &Tuples<2>| {
                let mut out = Tuples::with_capacity(0);
                out.extend(means.iter().zip(&spent).filter(|(_, spent)| **spent).map(|(numbers, _)| numbers));
                Column::Two(out)
            };
            let columns: Vec<Column> = money(study, crowd).map(column).collect();
            let customers = only(&crowd.customers, &spent);
            let mut nonzero = Vec::new();
            mark_nonzero(&columns, customers.len(), &mut nonzero);
            MemberBatch {
                nonzero,
                customers,
                columns,
                cell_arms: only(&crowd.cell_arms, &spent),
                groups: crowd.groups.iter().map(|groups| only(groups, &spent)).collect(),
                unknown: Vec::new(),
            }
        };
        self.batches.push(crowds.iter().map(keep).collect());
    }
}

/// Winsorises the retained outcomes of a strategy over the customers of all parts.
pub fn sums(study: &StrategyPlan<'_>, kept: Vec<WinsorInput>) -> Option<StrategySums> {
    let percentile = study.strategy.winsorise?;
    let mut batches: Vec<Vec<MemberBatch>> = kept.into_iter().flat_map(|own| own.batches).collect();
    let count = study.winsorised.len();
    let values = |list: usize, at: usize| -> Vec<i64> {
        let columns = batches.iter().filter_map(|crowds| match crowds.get(list)?.columns.get(at)? {
            Column::Two(means) => Some(means),
            _ => None,
        });
        columns.flat_map(Tuples::iter).map(|numbers| numbers[Y]).filter(|y| *y != 0).collect()
    };
    let of_list = |list: usize| (0..count).map(|at| cut(values(list, at), percentile)).collect();
    let mut cuts: Vec<Vec<i64>> = (0..study.periods.len()).into_par_iter().map(of_list).collect();
    // The placebo is compared with the period, so both have the same threshold.
    let slot = |at: usize| &study.quantities[study.winsorised[at]];
    for at in (0..count).filter(|at| slot(*at).phase == Phase::Placebo) {
        let of_period = |other: &usize| slot(*other).phase == Phase::During && slot(*other).quantity == slot(at).quantity;
        if let Some(during) = (0..count).find(of_period) {
            cuts.iter_mut().for_each(|of_list| of_list[at] = of_list[during]);
        }
    }
    let mut accumulator = StrategyAccumulator::of_columns(&study.layout, &vec![Arity::Two; count], count);
    for crowds in &mut batches {
        for (crowd, cuts) in crowds.iter_mut().zip(&cuts) {
            for (column, cut) in crowd.columns.iter_mut().zip(cuts) {
                if let Column::Two(means) = column {
                    let mut out = Tuples::with_capacity(means.len());
                    out.extend(means.iter().map(|numbers| [numbers[Y].min(*cut), numbers[X].min(*cut)]));
                    *means = out;
                }
            }
        }
        accumulator.add(crowds, &mut vec![0; crowds.len()]);
    }
    Some(accumulator.finish())
}

/// The percentile of values: the smallest value that at least this share of them does not exceed; `i64::MAX` without values.
/// It is never below 0, so that zeros, which are not among the values, stay 0.
fn cut(mut values: Vec<i64>, percentile: Decimal) -> i64 {
    let unit = pow10(percentile.scale).unwrap_or(1);
    let rank = (values.len() as i128 * percentile.digits + unit - 1) / unit;
    match usize::try_from(rank - 1).ok().filter(|at| *at < values.len()) {
        Some(at) => (*values.select_nth_unstable(at).1).max(0),
        None => i64::MAX,
    }
}

/// The quantity of a winsorised outcome.
pub fn quantity(plain: &Quantity) -> Option<Quantity> {
    match plain {
        Quantity::Outcome(outcome) => Some(Quantity::Outcome(crate::domain::Outcome::Winsorised(Box::new(outcome.clone())))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_is_a_value_that_is_there() {
        let percentile = |text: &str| Decimal::parse(text).unwrap_or(Decimal { digits: 1, scale: 0 });
        let values: Vec<i64> = (1..=1000).rev().collect();
        assert_eq!(cut(values.clone(), percentile("0.99")), 990);
        assert_eq!(cut(values.clone(), percentile("0.9991")), 1000);
        assert_eq!(cut(values, percentile("0.5")), 500);
        assert_eq!(cut(vec![-9, -3, -8], percentile("0.5")), 0);
        assert_eq!(cut(vec![7], percentile("0.999")), 7);
        assert_eq!(cut(Vec::new(), percentile("0.999")), i64::MAX);
    }
}
