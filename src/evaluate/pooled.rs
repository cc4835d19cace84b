//! Effects of a strategy's periods as one: the mean over all treated customers of all periods.

mod effect;
mod key;
mod pairs;
mod pooling;

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::arm_sums::{ArmSums, ArmSumsIndex};
use super::effect::Effect;
use super::settings::StrategySettings;
use crate::domain::{Outcome, Period};
use crate::error::Result;
use crate::stats::MoneyInterval;
pub(super) use effect::{PeriodEffect, PooledEffect};
pub(super) use key::EffectKey;
use pairs::Pairs;
use pooling::{Asked, Pooling};

/// The effects of a job by what they are effects of, period after period.
pub(super) struct EffectSeries<'a, 'e> {
    /// In the order in which their first periods' effects come.
    order: Vec<(EffectKey<'a>, &'a StrategySettings)>,
    effects: BTreeMap<EffectKey<'a>, Vec<&'e Effect<'a>>>,
    pairs: Pairs<'a>,
    index: &'e ArmSumsIndex<'a>,
}

/// The effect over a strategy's periods so far.
pub(super) struct EffectToDate<'a> {
    /// The last of these periods.
    pub through: Period,
    pub effect: PooledEffect<'a>,
}

impl<'a, 'e> EffectSeries<'a, 'e> {
    /// Of every effect of the job, which come with the number of their strategy.
    pub fn new(effects: &[(usize, &'e Effect<'a>)], arms: &'a ArmSums, index: &'e ArmSumsIndex<'a>) -> EffectSeries<'a, 'e> {
        let mut series = EffectSeries { order: Vec::new(), effects: BTreeMap::new(), pairs: Pairs::new(arms), index };
        for &(strategy, effect) in effects {
            let Effect { phase, arm, against, outcome, group, method, .. } = *effect;
            let key = EffectKey { strategy, phase, arm, against, outcome, group, method };
            let of_key = series.effects.entry(key).or_default();
            if of_key.is_empty() {
                series.order.push((key, effect.diagnostics.strategy));
            }
            of_key.push(effect);
        }
        series
    }

    /// The effects over all periods.
    ///
    /// # Errors
    /// Exit 3 if sums of cells leave 128 bits.
    pub fn over_time(&self) -> Result<Vec<PooledEffect<'a>>> {
        let pooled = self.order.par_iter().map(|(key, of)| self.pooling(*key, of).pool(&Asked::of(self.of(*key))));
        let mut pooled = pooled.collect::<Result<Vec<_>>>()?;
        fill_net(&mut pooled);
        Ok(pooled)
    }

    /// Of an effect over all periods, those over the first period that has ended, over the first two, and so on up to that one.
    ///
    /// # Errors
    /// Exit 3 if sums of cells leave 128 bits.
    pub fn to_date(&self, of: &PooledEffect<'a>) -> Result<Vec<EffectToDate<'a>>> {
        let all = Asked::of(self.of(of.key));
        let through = all.effects.iter().map(|effect| effect.diagnostics.period.period);
        let points = through.take(all.ended).enumerate().map(|(at, through)| {
            let effect = self.pooling(of.key, of.strategy).pool(&all.first(at + 1))?;
            Ok(EffectToDate { through, effect })
        });
        points.collect()
    }

    fn of(&self, key: EffectKey<'a>) -> &[&'e Effect<'a>] {
        self.effects.get(&key).map_or(&[], Vec::as_slice)
    }

    fn pooling(&self, key: EffectKey<'a>, strategy: &'a StrategySettings) -> Pooling<'a, '_> {
        Pooling { key, strategy, pairs: &self.pairs, index: self.index }
    }
}

/// Fills the money of the rows of margin or revenue, and of net money itself, from the rows of net money.
fn fill_net(pooled: &mut [PooledEffect<'_>]) {
    let net = pooled.iter().filter(|row| *row.key.outcome == Outcome::Net).filter_map(|row| {
        let told = row.told()?;
        let (low, high) = told.interval;
        Some((row.key, MoneyInterval { value: told.pooled.value, low, high }))
    });
    let net: BTreeMap<EffectKey<'_>, MoneyInterval> = net.collect();
    for row in pooled {
        row.net = net.get(&EffectKey { outcome: &Outcome::Net, ..row.key }).copied().filter(|_| row.is_money());
    }
}
