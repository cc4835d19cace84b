//! Winsorises money outcomes. The threshold is a percentile over all parts, so the values are retained until every part is done.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::outcomes::MemberBatch;
use super::plan::StrategyPlan;
use super::strategy_sums::{StrategySums, SumScratch};
use crate::domain::{Decimal, pow10};
use crate::evaluate::Quantity;
use crate::stats::{GridSecond, Y};
use crate::sums::{Arity, Column, Quadruple, mark_nonzero};

/// The customers of a part and a strategy who have a money outcome that is not zero in any of its periods.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WinsorInput {
    strategy: usize,
    /// By batch and period of the strategy: its members, with the columns that are winsorised.
    pub(super) batches: Vec<Vec<MemberBatch>>,
}

impl WinsorInput {
    pub fn new(strategy: usize) -> WinsorInput {
        WinsorInput { strategy, batches: Vec::new() }
    }

    /// The number of the strategy.
    pub fn strategy(&self) -> usize {
        self.strategy
    }

    /// Retains the outcomes of a batch of `count` customers, except of customers whose outcomes are all zero: they add nothing
    /// to sums.
    pub fn add(&mut self, strategy: &StrategyPlan<'_>, batches: &[MemberBatch], count: usize) {
        let mut spent = vec![false; count];
        for batch in batches {
            for column in money(strategy, batch) {
                for (customer, _) in batch.customers.iter().zip(column.quadruples()).filter(|(_, numbers)| *numbers != [0; 4]) {
                    spent[*customer as usize] = true;
                }
            }
        }
        self.batches.push(batches.iter().map(|batch| spenders(strategy, batch, &spent)).collect());
    }
}

/// The columns of money.
fn money<'a>(strategy: &'a StrategyPlan<'_>, batch: &'a MemberBatch) -> impl Iterator<Item = &'a Column> {
    strategy.winsorised.iter().filter_map(|index| batch.columns.get(*index))
}

/// A column like another with these values.
fn like(column: &Column, values: impl Iterator<Item = Quadruple>) -> Column {
    let mut out = Column::new(column.arity());
    let values: Vec<Quadruple> = values.collect();
    out.extend(values.into_iter());
    out
}

/// The members who have spent, with their columns of money.
fn spenders(strategy: &StrategyPlan<'_>, batch: &MemberBatch, spent: &[bool]) -> MemberBatch {
    let members: Vec<usize> = (0..batch.customers.len()).filter(|member| spent[batch.customers[*member] as usize]).collect();
    fn of<T: Copy>(values: &[T], members: &[usize]) -> Vec<T> {
        members.iter().map(|member| values[*member]).collect()
    }
    let of_members = |column: &Column| like(column, members.iter().map(|member| column.quadruple(*member)));
    let columns: Vec<Column> = money(strategy, batch).map(of_members).collect();
    let mut nonzero = Vec::new();
    mark_nonzero(&columns, members.len(), &mut nonzero);
    MemberBatch {
        customers: of(&batch.customers, &members),
        cell_arms: of(&batch.cell_arms, &members),
        groups: batch.groups.iter().map(|groups| of(groups, &members)).collect(),
        columns,
        nonzero,
        unknown: Vec::new(),
    }
}

/// Winsorises the retained outcomes of a strategy over the customers of all parts.
pub fn sums(strategy: &StrategyPlan<'_>, inputs: Vec<WinsorInput>) -> Option<StrategySums> {
    let percentile = strategy.strategy.winsorise?;
    let mut batches: Vec<Vec<MemberBatch>> = inputs.into_iter().flat_map(|input| input.batches).collect();
    let count = strategy.winsorised.len();
    let threshold = |period: usize, column: usize| {
        let columns = batches.iter().filter_map(|periods| periods.get(period)?.columns.get(column));
        cut(columns.flat_map(Column::quadruples).map(|numbers| numbers[Y]).filter(|y| *y != 0).collect(), percentile)
    };
    let of_period = |period: usize| (0..count).map(|column| threshold(period, column)).collect();
    let cuts: Vec<Vec<i64>> = (0..strategy.periods.len()).into_par_iter().map(of_period).collect();
    let keys = &strategy.layout.keys;
    // Clusters are counted when they are whole.
    let counted = if keys.clusters.is_some() { 0 } else { count };
    let grids: Vec<(usize, GridSecond)> = (0..counted).map(|column| (column, GridSecond::Baseline)).collect();
    let arities: Vec<Arity> = strategy.winsorised.iter().map(|index| strategy.quantities[*index].arity).collect();
    let mut sums = StrategySums::new(keys, &arities, count, &grids);
    let mut scratch = SumScratch::default();
    for periods in &mut batches {
        for (batch, cuts) in periods.iter_mut().zip(&cuts) {
            for (column, cut) in batch.columns.iter_mut().zip(cuts) {
                // The times before are compared with the period, so all have the same threshold.
                *column = like(column, column.quadruples().map(|numbers| numbers.map(|number| number.min(*cut))));
            }
        }
        sums.add(keys, periods, &mut scratch, &mut vec![0; periods.len()]);
    }
    Some(sums)
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
