//! What a part contributes to the evaluation of all strategies: exact sums and counts, which merge in any order.

use serde::{Deserialize, Serialize};

use super::exposure::ExclusionCounts;
use super::plan::ExperimentPlan;
use super::strategy_sums::StrategySums;
use super::threshold::CutSample;
use super::winsorise::WinsorInput;
use crate::sums::GroupedSums;
use crate::wire::Travels;

/// The sums of all periods of all strategies over some parts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PartialSums {
    /// By strategy.
    pub strategies: Vec<StrategySums>,
    /// By period, for strategies without a control: the customers known before the baseline, and by group those not assigned.
    pub reference: Vec<GroupedSums>,
    /// By period: the sum of the squares of all numbers.
    pub squares: Vec<u128>,
    /// By period.
    pub exclusions: Vec<ExclusionCounts>,
    /// By part and strategy: the values to be winsorised once all parts are known.
    pub winsor_inputs: Vec<WinsorInput>,
    /// By period of all strategies of design threshold, strategy by strategy: the customers near the cut.
    pub cuts: Vec<CutSample>,
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
            exclusions: of_periods().map(|strategy| plan.no_exclusions(strategy)).collect(),
            winsor_inputs: Vec::new(),
            cuts: plan.thresholds.iter().flat_map(|threshold| &threshold.periods).map(|_| CutSample::default()).collect(),
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
        self.cuts.iter_mut().zip(other.cuts).for_each(|(all, own)| all.merge(own));
    }

    /// The first period whose sums may exceed DECIMAL(38).
    pub fn first_too_large(&self) -> Option<usize> {
        self.squares.iter().position(|squares| *squares >= 10u128.pow(38))
    }
}

impl Travels for PartialSums {
    const NAME: &'static str = "sums of strategies";
    const VERSION: u16 = 5;

    fn canonicalise(&mut self) {
        self.winsor_inputs.sort_by_cached_key(|input| (input.strategy(), postcard::to_allocvec(input).unwrap_or_default()));
        self.cuts.iter_mut().for_each(CutSample::canonicalise);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;
    use crate::experiment::outcomes::MemberBatch;
    use crate::experiment::threshold::NearCustomer;
    use crate::stats::GridSecond;
    use crate::sums::{Arity, Column, GroupPartition, sort_code, zero_pattern};
    use crate::wire::checks::{Sequence, merges_in_any_order};

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

    /// Sums of some parts: groups that all have and groups of one part, sums of more than 64 bits, rows that are null.
    fn some() -> Vec<PartialSums> {
        let arities = [Arity::Two, Arity::Four, Arity::One];
        let mut sequence = Sequence::new(5);
        let mut of_part = |part: u64| {
            let rows = 60 * part as usize;
            let mut number = |bits: u32| sequence.below(1 << bits) as i64 - (1 << (bits - 1));
            let columns: Vec<Column> = (0..2)
                .flat_map(|_| arities)
                .map(|arity| {
                    let mut column = Column::new(arity);
                    let values: Vec<_> = (0..rows).map(|_| [number(45), number(9), number(30), 0]).collect();
                    column.extend(values.into_iter());
                    column
                })
                .collect();
            let (first, second) = columns.split_at(3);
            let codes: Vec<u64> =
                (0..rows).map(|row| sort_code((row as u64 * 31 + part * part) % 40, zero_pattern::NONE)).collect();
            let mut members = GroupPartition::default();
            members.sort(0, 1 << 20, &codes, 0..rows as u32);
            let grids = vec![(0, GridSecond::Baseline), (1, GridSecond::Denominator)];
            let mut sums = GroupedSums::of_rows(arities, Some(2)).with_grids(grids);
            sums.add_rows(&members, first, false);
            sums.add_nulls((0..part).map(u128::from));
            let mut pairs = GroupedSums::of_joined_rows(arities);
            pairs.add_joined_rows(&members, [first, second], false);
            let mut input = WinsorInput::new(part as usize % 2);
            let nonzero = vec![true; rows];
            input.batches.push(vec![MemberBatch { columns: first.to_vec(), nonzero, ..MemberBatch::default() }]);
            let mut exclusions = ExclusionCounts::new(2, 3).with_dimensions(2);
            (exclusions.unmatched, exclusions.overlapping) = (part, 2 * part);
            exclusions.add_rows(&[1, 0, 1], &[part.is_multiple_of(2), true, false]);
            exclusions
                .add_values(&[0, 1, 1], &[4, 5, 6], |dimension, customer| (dimension == 0 || part < 4).then_some(customer * 2));
            exclusions.add_elsewhere(2, &[1], [[part.is_multiple_of(2), true]].into_iter(), &[]);
            let mut cut = CutSample::default();
            (0..part).for_each(|n| cut.add(near_customer(part * 10 + n)));
            PartialSums {
                strategies: vec![StrategySums { periods: vec![sums.clone(), sums.clone()], pairs }],
                reference: vec![sums],
                squares: vec![u128::from(part) << 90],
                exclusions: vec![exclusions],
                winsor_inputs: vec![input],
                cuts: vec![cut],
            }
        };
        (0..6).map(&mut of_part).collect()
    }

    fn near_customer(number: u64) -> NearCustomer {
        let draw = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        NearCustomer { draw, running: number as i64 - 30, is_treated: number.is_multiple_of(3), values: [[number as i64, 7]; 4] }
    }

    #[test]
    fn parts_merge_in_any_order() -> Result<()> {
        let digits = merges_in_any_order(some, |all, part| {
            all.merge(part);
            Ok(())
        })?;
        assert_eq!((digits.as_str(), PartialSums::VERSION), ("f94460e7a425527a", 5), "the form has changed: raise its version");
        Ok(())
    }

    #[test]
    fn read_sums_are_those_that_were_written() -> Result<()> {
        for part in some() {
            let back: PartialSums = crate::wire::read(&crate::wire::write(part.clone())?, "a test")?;
            let (sums, read) = (&part.strategies[0], &back.strategies[0]);
            for (key, column) in (0..40).flat_map(|key| (0..3).map(move |column| (key, column))) {
                assert_eq!(sums.periods[1].sums(key, column), read.periods[1].sums(key, column));
                assert_eq!(sums.periods[1].grids(), read.periods[1].grids());
                assert_eq!(sums.pairs.pair_sums(key, column), read.pairs.pair_sums(key, column));
            }
        }
        Ok(())
    }
}
