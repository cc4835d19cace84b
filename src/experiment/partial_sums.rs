//! What a part contributes to the evaluation of all strategies: exact sums and counts, which merge in any order.

use crate::engine::experiment::layout::SumLayout;
use crate::engine::experiment::plan::{PeriodPlan, StrategyPlan};
use crate::engine::experiment::strategy_sums::StrategySums;
use crate::engine::experiment::winsorise::WinsorInput;
use crate::sums::GroupedMoments;

/// Customers of a list who do not count, or of whom nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExclusionCounts {
    /// Customers without orders.
    pub unmatched: u64,
    /// Customers who are in another strategy at the same time.
    pub overlapping: u64,
    /// Overlapping customers who are excluded, by arm.
    pub excluded_by_arm: Vec<u64>,
}

impl ExclusionCounts {
    /// Zero counts for a list of the strategy.
    pub fn new(study: &StrategyPlan<'_>) -> ExclusionCounts {
        ExclusionCounts { excluded_by_arm: vec![0; study.arms.len()], ..ExclusionCounts::default() }
    }
}

/// The sums of all lists of all strategies over some parts.
pub struct PartialSums {
    /// By strategy.
    pub strategies: Vec<StrategySums>,
    /// By list: the customers known before the baseline, for strategies without a control.
    pub reference: Vec<GroupedMoments<i128>>,
    /// By list: the sum of the squares of all numbers.
    pub squares: Vec<u128>,
    /// By list.
    pub exclusions: Vec<ExclusionCounts>,
    /// By part and strategy: the values to be winsorised once all parts are known.
    pub winsor_inputs: Vec<WinsorInput>,
}

impl PartialSums {
    pub fn new(studies: &[StrategyPlan<'_>], lists: &[PeriodPlan], layouts: &[SumLayout]) -> PartialSums {
        let account = |list: &PeriodPlan| ExclusionCounts::new(&studies[list.study]);
        PartialSums {
            strategies: layouts.iter().map(|layout| StrategySums::new(&layout.keys, &layout.arities, layout.outcomes)).collect(),
            reference: lists.iter().map(|list| layouts[list.study].reference()).collect(),
            squares: vec![0; lists.len()],
            exclusions: lists.iter().map(account).collect(),
            winsor_inputs: Vec::new(),
        }
    }

    /// Adds the sums of other parts.
    pub fn merge(&mut self, other: PartialSums) {
        self.strategies.iter_mut().zip(&other.strategies).for_each(|(all, own)| all.merge(own));
        self.reference.iter_mut().zip(&other.reference).for_each(|(all, own)| all.merge(own));
        for (all, own) in self.squares.iter_mut().zip(other.squares) {
            *all = all.saturating_add(own);
        }
        for (all, own) in self.exclusions.iter_mut().zip(other.exclusions) {
            all.unmatched += own.unmatched;
            all.overlapping += own.overlapping;
            all.excluded_by_arm.iter_mut().zip(own.excluded_by_arm).for_each(|(all, own)| *all += own);
        }
        self.winsor_inputs.extend(other.winsor_inputs);
    }

    /// The first list whose sums may exceed DECIMAL(38).
    pub fn first_too_large(&self) -> Option<usize> {
        self.squares.iter().position(|squares| *squares >= 10u128.pow(38))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sums::{Arity, Column};

    #[test]
    fn sums_that_could_leave_their_digits_are_found() {
        let sums = |amounts: &[i64]| {
            let mut column = Column::new(Arity::Two);
            column.extend(amounts.iter().map(|amount| [*amount, 0, 0, 0]));
            let squares = column.squares();
            let mut sums = PartialSums::new(&[], &[], &[]);
            sums.squares = vec![0, squares];
            sums
        };
        // The square of the largest amount has 38 digits, that of two has 39, and that of five no 128 bits.
        assert_eq!(sums(&[i64::MIN]).first_too_large(), None);
        assert_eq!(sums(&[1 << 62, -(1 << 40)]).first_too_large(), None);
        assert_eq!(sums(&[i64::MIN, i64::MIN]).first_too_large(), Some(1));
        assert_eq!(sums(&[i64::MIN; 5]).first_too_large(), Some(1));
    }
}
