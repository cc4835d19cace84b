//! The covariances of periods that share customers.

use std::collections::BTreeMap;

use super::super::arm_sums::{ArmSums, Group, PairEnd, PairKey, Phase, TOTAL};
use super::super::effect::Effect;
use super::key::EffectKey;
use crate::domain::{Outcome, Period, STRATUM};
use crate::stats::{Influence, PairSums, pair_covariance};

/// Pair rows by what they are of, then by their two periods.
pub struct Pairs<'a> {
    #[allow(clippy::type_complexity, reason = "one index, used here alone")]
    rows: BTreeMap<
        (&'a str, Phase, Group<'a>, &'a Outcome),
        BTreeMap<(Period, Period), Vec<(&'a PairEnd, &'a PairEnd, &'a PairSums)>>,
    >,
}

impl<'a> Pairs<'a> {
    pub fn new(arms: &'a ArmSums) -> Pairs<'a> {
        let mut rows: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for (key, sums) in arms.pairs() {
            let PairKey { strategy, phase, scheme, state, outcome, first, second } = key;
            let of = (strategy.as_str(), *phase, (scheme.as_str(), state.as_str()), outcome);
            rows.entry(of).or_default().entry((first.period, second.period)).or_default().push((first, second, sums));
        }
        Pairs { rows }
    }

    /// The covariance of two periods' estimates that comes from customers who are in both.
    pub fn covariance(
        &self,
        key: EffectKey<'a>,
        (first, first_influence): (&Effect<'a>, &[[Influence; 2]]),
        (second, second_influence): (&Effect<'a>, &[[Influence; 2]]),
    ) -> f64 {
        let strategy = first.diagnostics.strategy;
        let scales = strategy.scales(first.measured);
        let periods = (first.diagnostics.period.period, second.diagnostics.period.period);
        let of_group = |group: Group<'a>| self.rows.get(&(strategy.name.as_str(), key.phase, group, first.measured));
        // Strata are cells of the total row.
        let rows = of_group(key.group).or_else(|| of_group(TOTAL).filter(|_| key.group.0 == STRATUM));
        let rows = rows.and_then(|p| p.get(&periods));
        let influence = |effect: &Effect<'a>, all: &[[Influence; 2]], end: &PairEnd| -> Option<Influence> {
            let side = if end.arm == key.arm {
                0
            } else if end.arm == key.against {
                1
            } else {
                return None;
            };
            let cell = effect.cells.iter().position(|c| *c == end.cell)?;
            // Methods without cells have one influence for all of them.
            Some(all.get(if key.method.has_cells() { cell } else { 0 })?[side])
        };
        let product = |(a, b, sums): &(&PairEnd, &PairEnd, &PairSums)| {
            let ends = (influence(first, first_influence, a), influence(second, second_influence, b));
            if let (Some(a), Some(b)) = ends { pair_covariance(sums, scales, &a, &b) } else { 0.0 }
        };
        rows.into_iter().flatten().map(product).sum()
    }
}
