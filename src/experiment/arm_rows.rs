//! From numbered sums to the rows of `arms`, which evaluation reads.

use rayon::prelude::*;

use crate::engine::experiment::Experiments;
use crate::engine::experiment::layout::{GroupKey, KeyLayout};
use crate::engine::experiment::partial_sums::PartialSums;
use crate::engine::experiment::plan::{PeriodPlan, StrategyPlan, SummedQuantity, cell_name};
use crate::engine::experiment::strategy_sums::StrategySums;
use crate::engine::experiment::winsorise::{self, WinsorInput};
use crate::error::{Error, Result};
use crate::evaluate::{ALL, ArmKey, ArmSums, EVERYBODY, PairEnd, PairKey, Phase, Quantity};
use crate::plan::SchemeColumn;
use crate::stats::{PairSums, Sums};
use crate::sums::GroupedCrossMoments;

/// The sums of all strategies under their names.
///
/// # Errors
/// Exit 3 if a sum leaves its digits.
pub fn arms(evaluated: &Experiments<'_>, mut sums: PartialSums, schemes: &[SchemeColumn]) -> Result<ArmSums> {
    if let Some(list) = sums.first_too_large() {
        let PeriodPlan { study, period, .. } = &evaluated.lists[list];
        return Err(Error::contract(format!(
            "strategy {:?}, period {period}: the sums of squares of an outcome could leave 38 digits: the amounts are too large for orders.amount_scale; lower it, or look for a wrong amount",
            evaluated.studies[*study].strategy.name
        )));
    }
    let mut kept: Vec<Vec<WinsorInput>> = evaluated.studies.iter().map(|_| Vec::new()).collect();
    for own in std::mem::take(&mut sums.winsor_inputs) {
        kept[own.study()].push(own);
    }
    let of_study = |(number, kept): (usize, Vec<WinsorInput>)| {
        let study = &evaluated.studies[number];
        let (own, mut out) =
            (Names { study, schemes, lists: &evaluated.lists, keys: &evaluated.layouts[number].keys }, ArmSums::default());
        let cut = winsorise::sums(study, &evaluated.layouts[number], kept);
        for list in study.lists.clone() {
            own.list(list, evaluated, &sums, cut.as_ref(), &mut out)?;
        }
        own.pairs(&sums.strategies[number].pairs, cut.as_ref(), &mut out)?;
        Ok(out)
    };
    let studies: Vec<Result<ArmSums>> = kept.into_par_iter().enumerate().map(of_study).collect();
    let mut all = ArmSums::default();
    for own in studies {
        all.merge(own?)?;
    }
    Ok(all)
}

/// The names behind the numbers of a strategy.
struct Names<'a> {
    study: &'a StrategyPlan<'a>,
    schemes: &'a [SchemeColumn],
    lists: &'a [PeriodPlan],
    keys: &'a KeyLayout,
}

impl Names<'_> {
    /// Scheme and state of a group; none for the single group of a strategy without `by`.
    fn state(&self, mut group: usize) -> Option<(String, String)> {
        for (scheme, states) in &self.study.by {
            if group < *states {
                let column = self.schemes.get(*scheme)?;
                return Some((column.column.clone(), column.scheme.all_states().get(group)?.clone()));
            }
            group -= states;
        }
        None
    }

    /// Whether the groups with this one add up to everybody: those of the first scheme.
    fn is_of_all(&self, group: usize) -> bool {
        self.study.by.first().is_none_or(|(_, states)| group < *states)
    }

    fn key(&self, list: usize, place: GroupKey, slot: &SummedQuantity) -> ArmKey {
        ArmKey {
            strategy: self.study.strategy.name.clone(),
            period: self.lists[list].period,
            phase: slot.phase,
            scheme: ALL.into(),
            state: ALL.into(),
            cell: cell_name(self.study, self.schemes, place.cell),
            arm: self.study.arms.get(place.arm).cloned().unwrap_or_default(),
            quantity: slot.quantity.clone(),
        }
    }

    fn list(
        &self,
        list: usize,
        evaluated: &Experiments<'_>,
        all: &PartialSums,
        cut: Option<&StrategySums>,
        out: &mut ArmSums,
    ) -> Result<()> {
        let own_list = list - self.study.lists.start;
        let store = &all.strategies[self.lists[list].study].lists[own_list];
        for &number in store.keys() {
            let place = self.keys.decode(number);
            let state = self.state(place.group);
            let mut add = |key: ArmKey, sums: &Sums, by_state: bool| -> Result<()> {
                if sums.n == 0 {
                    return Ok(());
                }
                if self.is_of_all(place.group) {
                    out.add(key.clone(), sums)?;
                }
                match state.clone().filter(|_| by_state) {
                    Some((scheme, state)) => out.add(ArmKey { scheme, state, ..key }, sums),
                    None => Ok(()),
                }
            };
            for (at, slot) in self.study.slots.iter().enumerate() {
                let sums = store.sums(number, at);
                let key = self.key(list, place, slot);
                if let (Some(cut), Some(of_cut)) = (cut, self.study.winsorised.iter().position(|w| *w == at)) {
                    // Customers who spent nothing are not among those that were kept.
                    let own = Sums { n: sums.n, ..cut.lists[own_list].sums(number, of_cut) };
                    if let Some(quantity) = winsorise::quantity(&slot.quantity) {
                        add(ArmKey { quantity, ..key.clone() }, &own, slot.by_state)?;
                    }
                }
                add(key, &sums, slot.by_state)?;
            }
        }
        let total = |phase: Phase, arm: String, quantity: Quantity| ArmKey {
            strategy: self.study.strategy.name.clone(),
            period: self.lists[list].period,
            phase,
            scheme: ALL.into(),
            state: ALL.into(),
            cell: ALL.into(),
            arm,
            quantity,
        };
        let facts = &evaluated.assigned[self.lists[list].study].periods[own_list];
        let excluded_by_arm = &all.exclusions[list].excluded_by_arm;
        for ((arm, several), overlapping) in self.study.arms.iter().zip(&facts.in_several_arms).zip(excluded_by_arm) {
            let excluded = several + overlapping;
            if excluded > 0 {
                let sums = Sums { n: excluded as i64, ..Sums::default() };
                out.add(total(Phase::During, arm.clone(), Quantity::Excluded), &sums)?;
            }
        }
        for (at, own) in self.study.outcomes.iter().filter(|o| o.outcome.is_described()).enumerate() {
            let sums = all.reference[list].sums(0, at);
            if sums.n > 0 {
                out.add(total(Phase::Reference, EVERYBODY.into(), Quantity::Outcome(own.outcome.clone())), &sums)?;
            }
        }
        Ok(())
    }

    fn pairs(&self, store: &GroupedCrossMoments<i128>, cut: Option<&StrategySums>, out: &mut ArmSums) -> Result<()> {
        let end = |(list, place): (usize, GroupKey)| PairEnd {
            period: self.lists[self.study.lists.start + list].period,
            cell: cell_name(self.study, self.schemes, place.cell),
            arm: self.study.arms.get(place.arm).cloned().unwrap_or_default(),
        };
        for &key in store.keys() {
            let (first, second, group) = self.keys.decode_pair(key);
            let everybody = (String::from(ALL), String::from(ALL));
            let is_of_all = group.is_none_or(|group| self.is_of_all(group));
            let states: Vec<(String, String)> =
                Some(everybody).filter(|_| is_of_all).into_iter().chain(group.and_then(|group| self.state(group))).collect();
            let slots = self.study.slots.iter().take(self.study.outcome_slots.len()).enumerate();
            for (at, slot) in slots.filter(|(_, slot)| slot.phase != Phase::Placebo) {
                let mut add = |quantity: &Quantity, sums: &PairSums| match quantity {
                    Quantity::Outcome(outcome) => states.iter().try_for_each(|(scheme, state)| {
                        let key = PairKey {
                            strategy: self.study.strategy.name.clone(),
                            phase: slot.phase,
                            scheme: scheme.clone(),
                            state: state.clone(),
                            outcome: outcome.clone(),
                            first: end(first),
                            second: end(second),
                        };
                        out.add_pair(key, sums)
                    }),
                    _ => Ok(()),
                };
                let sums = store.sums(key, at);
                add(&slot.quantity, &sums)?;
                if let (Some(cut), Some(of_cut)) = (cut, self.study.winsorised.iter().position(|w| *w == at)) {
                    let own = PairSums { n: sums.n, ..cut.pairs.sums(key, of_cut) };
                    if let Some(quantity) = winsorise::quantity(&slot.quantity) {
                        add(&quantity, &own)?;
                    }
                }
            }
        }
        Ok(())
    }
}
