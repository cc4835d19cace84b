//! What a part contributes to the evaluation of all strategies: exact sums and counts, which merge in any order.

use super::exposure::ExclusionCounts;
use super::plan::ExperimentPlan;
use super::strategy_sums::StrategySums;
use super::winsorise::WinsorInput;
use crate::sums::GroupedSums;

/// The sums of all periods of all strategies over some parts.
#[derive(Default)]
pub struct PartialSums {
    /// By strategy.
    pub strategies: Vec<StrategySums>,
    /// By period: the customers known before the baseline, for strategies without a control.
    pub reference: Vec<GroupedSums>,
    /// By period: the sum of the squares of all numbers.
    pub squares: Vec<u128>,
    /// By period.
    pub exclusions: Vec<ExclusionCounts>,
    /// By part and strategy: the values to be winsorised once all parts are known.
    pub winsor_inputs: Vec<WinsorInput>,
}

impl PartialSums {
    /// Empty sums.
    pub fn new(plan: &ExperimentPlan<'_>) -> PartialSums {
        let strategies = plan.strategies.iter().map(|strategy| &strategy.layout);
        let of_periods = || (0..plan.periods.len()).map(|period| plan.strategy_of(period));
        PartialSums {
            strategies: strategies.map(StrategySums::of).collect(),
            reference: of_periods().map(|strategy| strategy.layout.reference()).collect(),
            squares: vec![0; plan.periods.len()],
            exclusions: of_periods().map(|strategy| ExclusionCounts::new(strategy.arms.len())).collect(),
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
        self.exclusions.iter_mut().zip(&other.exclusions).for_each(|(all, own)| all.merge(own));
        self.winsor_inputs.extend(other.winsor_inputs);
    }

    /// The first period whose sums may exceed DECIMAL(38).
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
            PartialSums { squares: vec![0, squares], ..PartialSums::default() }
        };
        // The square of the largest amount has 38 digits, that of two has 39, and that of five no 128 bits.
        assert_eq!(sums(&[i64::MIN]).first_too_large(), None);
        assert_eq!(sums(&[1 << 62, -(1 << 40)]).first_too_large(), None);
        assert_eq!(sums(&[i64::MIN, i64::MIN]).first_too_large(), Some(1));
        assert_eq!(sums(&[i64::MIN; 5]).first_too_large(), Some(1));
    }
}
