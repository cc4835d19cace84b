//! How the effects of periods become one.

use super::super::arm_sums::{ArmSumsIndex, Group, Phase, Quantity};
use super::super::compare::{Compared, what_leans};
use super::super::effect::Effect;
use super::super::placebo::Placebo;
use super::super::reason::{NotEstimable, Remark};
use super::super::settings::StrategySettings;
use super::effect::{PeriodEffect, PooledDifference, PooledEffect};
use super::key::EffectKey;
use super::pairs::Pairs;
use crate::error::Result;
use crate::stats::{
    Arms, DifferenceTest, Influence, Interval, PeriodEstimate, PermutationTest, Pooled, Statistic, StudentEstimate, Y, pool,
};

/// From this share of recurring customers on, variances are clustered by customer.
const RECURRING: f64 = 0.01;

/// Beyond this ratio of variances, the same customers are held out again and again: then each period's own test must not claim
/// too often, as the periods together are no larger draw.
const KEPT_ARMS: f64 = 1.5;

/// The periods that a pooled effect is asked of.
pub struct Asked<'a, 'e> {
    /// Those that have ended, up to the last look; if none has, all of them.
    pub effects: Vec<&'e Effect<'a>>,
    /// How many of these have ended.
    pub ended: usize,
    /// By how much the level is divided.
    looks: u32,
    /// Whether a period has ended after the last look.
    is_after_last_look: bool,
}

impl<'a, 'e> Asked<'a, 'e> {
    /// The periods of an effect. Those in which nobody is assigned are no part of the question, nor are those that have not ended
    /// or come after the last look.
    pub fn of(effects: &[&'e Effect<'a>]) -> Asked<'a, 'e> {
        let assigned = || effects.iter().copied().filter(|e| e.diagnostics.all_treated > 0);
        let has_ended = |e: &&Effect<'a>| e.diagnostics.period.outcomes_until <= e.diagnostics.period.known_until;
        let mut asked: Vec<&Effect<'a>> = assigned().filter(has_ended).collect();
        let looks = asked.first().filter(|_| asked.len() > 1).map_or(1, |first| first.diagnostics.strategy.looks.max(1));
        let is_after_last_look = looks > 1 && asked.len() > looks as usize + 1;
        if is_after_last_look {
            asked.truncate(looks as usize + 1);
        }
        let ended = asked.len();
        if asked.is_empty() {
            asked = assigned().collect();
        }
        Asked { effects: asked, ended, looks, is_after_last_look }
    }

    /// The first periods of these, at the level of all.
    pub fn first(&self, periods: usize) -> Asked<'a, 'e> {
        Asked {
            effects: self.effects.iter().take(periods).copied().collect(),
            ended: self.ended.min(periods),
            looks: self.looks,
            is_after_last_look: false,
        }
    }
}

/// The pooling of one effect.
pub struct Pooling<'a, 'i> {
    pub key: EffectKey<'a>,
    pub strategy: &'a StrategySettings,
    pub pairs: &'i Pairs<'a>,
    pub index: &'i ArmSumsIndex<'a>,
}

/// A period's effect with its comparison.
type Member<'a, 'e> = (&'e Effect<'a>, &'e Compared);

impl<'a> Pooling<'a, '_> {
    /// The effect over these periods.
    pub fn pool(&self, of: &Asked<'a, '_>) -> Result<PooledEffect<'a>> {
        let (strategy, asked) = (self.strategy, &of.effects);
        let members: Vec<Member<'a, '_>> = asked.iter().filter_map(|e| Some((*e, e.found.poolable()?))).collect();
        let recurring_share = self.recurring_share(&members, strategy)?;
        let clustered = recurring_share.is_some_and(|share| share > RECURRING);
        let difference = self.difference(&members, clustered);
        let n_treated: i64 = members.iter().map(|(_, c)| treated(c)).sum();
        let all: i64 = asked.iter().map(|e| e.found.poolable().map_or(e.n_treated, treated)).sum();
        let costs: Option<Vec<f64>> = members.iter().map(|(effect, _)| effect.cost).collect();
        let missing = asked.iter().find(|e| e.found.poolable().is_none());
        let missing = missing.and_then(|e| Some((e.diagnostics.period.period, e.found.reason.clone()?)));
        let reason = match (&difference, &missing) {
            (Some((_, reason)), _) => reason.clone(),
            (None, Some((period, reason))) => {
                Some(NotEstimable::NoEstimate { start: period.start, reason: Box::new(reason.clone()) })
            }
            (None, None) => Some(NotEstimable::NoPeriods),
        };
        let period = |(effect, compared): &Member<'a, '_>| PeriodEffect {
            period: effect.diagnostics.period.period,
            difference: compared.test.value,
            se: compared.test.se,
            n_treated: compared.estimate.n_treated,
            interval: effect.adjusted.map(|adjusted| adjusted.interval),
        };
        Ok(PooledEffect {
            key: self.key,
            strategy,
            difference: difference.map(|(difference, _)| difference),
            reason,
            periods: members.iter().map(period).collect(),
            looks: of.looks,
            is_after_last_look: of.is_after_last_look,
            n_treated,
            n_control: members.iter().map(|(_, c)| c.estimate.n_control as i64).sum(),
            excluded: members.iter().map(|(effect, _)| effect.excluded).sum(),
            clusters: strategy.cluster.is_some().then(|| [0, 1].map(|arm| members.iter().map(|m| m.1.units[arm] as i64).sum())),
            covered: (all > 0).then(|| n_treated as f64 / all as f64),
            cost: costs.filter(|c| !c.is_empty()).map(|c| c.iter().sum()),
            recurring_share,
            clustered,
            missing,
            remarks: remarks(asked, self.key.group),
            placebo: placebo(&members, clustered).filter(|_| members.len() == asked.len()),
            adjusted: None,
            above_adjusted: None,
            net: None,
        })
    }

    /// The pooled difference, and why it is not told.
    fn difference(&self, members: &[Member<'a, '_>], clustered: bool) -> Option<(PooledDifference, Option<NotEstimable>)> {
        let covariance = |i: usize, j: usize, of: &dyn Fn(&Compared) -> Option<Vec<[Influence; 2]>>| -> f64 {
            if !clustered {
                return 0.0;
            }
            let ((first, a), (second, b)) = (members[i], members[j]);
            match (of(a), of(b)) {
                (Some(a), Some(b)) => self.pairs.covariance(self.key, (first, &a), (second, &b)),
                _ => 0.0,
            }
        };
        let estimate = |value: f64, se: f64, df: f64, n_treated: f64| PeriodEstimate { value, se, df, n_treated };
        let differences: Vec<PeriodEstimate> =
            members.iter().map(|(_, c)| estimate(c.test.value, c.test.se, c.estimate.df, c.estimate.n_treated)).collect();
        let pooled = pool(&differences, |i, j| covariance(i, j, &|c| Some(c.estimate.influence.clone())))?;
        let mean_control: f64 = pooled.weights.iter().zip(members).map(|(w, (_, c))| w * c.estimate.base).sum();
        // Σ incremental over Σ treated × control mean: the mean of the lifts, weighted by what the treated would have done.
        let lifts: Option<Vec<PeriodEstimate>> = members
            .iter()
            .map(|(_, c)| {
                let lift = c.estimate.lift.as_ref()?;
                Some(estimate(lift.value, lift.se, lift.df, c.estimate.n_treated * c.estimate.base))
            })
            .collect();
        let lift =
            lifts.and_then(|lifts| pool(&lifts, |i, j| covariance(i, j, &|c| Some(c.estimate.lift.as_ref()?.influence.clone()))));
        let (test, reason) = match self.key.method.permutes() {
            true => pooled_permutation(members, &pooled)?,
            false => (DifferenceTest::student(pooled.value, pooled.se, pooled.df), None),
        };
        let interval = test.interval(0.05);
        let lift_ends = lift.as_ref().map(|lift| match test.lift_interval(0.05) {
            Some((low, high)) => (lift.value, low, high),
            None => {
                let own = Interval::student(lift.value, lift.se, lift.df);
                (lift.value, Some(own.low), Some(own.high))
            }
        });
        let q_lift = lift.as_ref().and_then(|lift| lift.q.zip(lift.q_p));
        let p = test.p();
        Some((PooledDifference { pooled, test, interval, p, lift: lift_ends, q_lift, mean_control }, reason))
    }

    /// The share of the pooled assignments whose customer is assigned in another period too.
    fn recurring_share(&self, members: &[Member<'a, '_>], strategy: &'a StrategySettings) -> Result<Option<f64>> {
        let (mut recur, mut all) = (0, 0);
        for (effect, _) in members {
            let slice = self.index.slice(&strategy.name, effect.diagnostics.period.period, Phase::During);
            for arm in [self.key.arm, self.key.against] {
                let sums = slice.arm(self.key.group, &Quantity::Recurs, arm)?;
                recur += sums.sum[Y];
                all += i128::from(sums.n);
            }
        }
        Ok((all > 0).then(|| recur as f64 / all as f64))
    }
}

/// The mean placebo over the treated of all periods. Where customers recur, the standard errors are those of periods that move as
/// one, which no covariance exceeds.
fn placebo(members: &[Member<'_, '_>], clustered: bool) -> Option<Placebo> {
    let all: Vec<&Placebo> = members.iter().map(|(_, c)| c.placebo.as_ref()).collect::<Option<_>>()?;
    let mean = |of: fn(&Placebo) -> StudentEstimate| {
        let estimates = all.iter().zip(members).map(|(placebo, (_, compared))| {
            let StudentEstimate { value, se, df } = of(placebo);
            PeriodEstimate { value, se, df, n_treated: compared.estimate.n_treated }
        });
        let estimates: Vec<PeriodEstimate> = estimates.collect();
        let pooled = pool(&estimates, |i, j| if clustered { estimates[i].se * estimates[j].se } else { 0.0 })?;
        Some(StudentEstimate { value: pooled.value, se: pooled.se, df: pooled.df })
    };
    Some(Placebo { cells: all.first()?.cells, before: mean(|p| p.before)?, above: mean(|p| p.above)? })
}

/// What is to be said of periods, each sentence once.
fn remarks(effects: &[&Effect<'_>], group: Group<'_>) -> Vec<Remark> {
    let mut all: Vec<Remark> = Vec::new();
    let states = effects.iter().find_map(|effect| effect.diagnostics.states_since(group));
    let states = states.map(|since| Remark::StatesSince { since });
    for remark in effects.iter().flat_map(|effect| &effect.checks().remarks).chain(&states) {
        if !all.contains(remark) {
            all.push(remark.clone());
        }
    }
    all
}

/// The treated whom a comparison has.
fn treated(compared: &Compared) -> i64 {
    compared.estimate.n_treated as i64
}

/// The permutation test over the periods' strata, and whether it would claim too often.
///
/// Draws of different periods are independent, so their strata are strata of one draw; where the same customers are held out
/// again, the variance grows by the pooled dispersion.
fn pooled_permutation(members: &[Member<'_, '_>], pooled: &Pooled) -> Option<(DifferenceTest, Option<NotEstimable>)> {
    let (mut strata, mut within, mut total): (Vec<Arms>, f64, f64) = (Vec::new(), 0.0, 0.0);
    let mut statistic = Statistic::Mean;
    let cluster = members.first()?.0.diagnostics.strategy.cluster.as_deref();
    let levels = members.iter().zip(&pooled.weights).filter_map(|((_, c), w)| Some(w * c.test.permutation_test()?.level().0));
    let level: f64 = levels.sum();
    for ((_, compared), weight) in members.iter().zip(&pooled.weights) {
        let test = compared.test.permutation_test()?;
        statistic = test.statistic();
        match cluster {
            Some(_) => strata.extend(test.at_level(level, *weight)),
            None => strata.extend(test.strata().map(|arms| Arms { weight: arms.weight * weight, ..arms.clone() })),
        }
        let variance = (weight * compared.estimate.se).powi(2);
        within += variance * test.dispersion();
        total += variance;
    }
    let (scale, _) = members.first()?.1.test.mapping();
    let shift: f64 = members.iter().zip(&pooled.weights).map(|((_, c), weight)| weight * c.test.mapping().1).sum();
    let is_kept = pooled.dispersion > KEPT_ARMS;
    let test = PermutationTest::new(strata, statistic, pooled.dispersion * within / total)?;
    let test = if cluster.is_some() { test.of_few_units() } else { test };
    let reason = if is_kept {
        members.iter().find_map(|(effect, _)| effect.found.reason.clone())
    } else {
        let units = members.iter().map(|(_, c)| c.units[0].min(c.units[1])).sum();
        match members {
            [(only, _)] => only.found.reason.clone(),
            _ => what_leans(&test, units, cluster, pooled.dispersion),
        }
    };
    let draws = test.draws().powf(1.0 / pooled.dispersion.max(1.0));
    Some((DifferenceTest::permutation(test, pooled.se / scale).of_draws(draws).mapped(scale, shift), reason))
}
