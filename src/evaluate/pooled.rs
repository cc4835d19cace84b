//! Effects of a strategy's periods as one: the mean over all treated customers of all periods.

mod key;
mod pairs;

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::arm_sums::{ArmSums, ArmSumsIndex, Group, Phase, Quantity};
use super::compare::{Compared, what_leans};
use super::effect::{Adjusted, Effect};
use super::placebo::Placebo;
use super::reason::{NotEstimable, Remark};
use super::settings::StrategySettings;
use crate::domain::{Outcome, Period};
use crate::error::Result;
use crate::stats::{
    Arms, DifferenceTest, Influence, Interval, MoneyInterval, PeriodEstimate, PermutationTest, Pooled, Statistic,
    StudentEstimate, Y, pool,
};
use crate::tables::PooledEffectRow;
pub(super) use key::EffectKey;
use pairs::Pairs;

/// From this share of recurring customers on, variances are clustered by customer.
const RECURRING: f64 = 0.01;

/// Beyond this ratio of variances, the same customers are held out again and again: then each period's own test must not claim
/// too often, as the periods together are no larger draw.
const KEPT_ARMS: f64 = 1.5;

/// The difference over all periods.
pub(super) struct PooledDifference {
    pub pooled: Pooled,
    pub test: DifferenceTest,
    pub interval: (f64, f64),
    pub p: f64,
    /// The lift over the control's mean with its ends.
    pub lift: Option<(f64, Option<f64>, Option<f64>)>,
    pub q_lift: Option<(f64, f64)>,
    /// The mean over the treated of the control's means.
    pub mean_control: f64,
}

/// A period's difference and money, for what is said of all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct PeriodEffect {
    pub period: Period,
    pub difference: f64,
    pub se: f64,
    pub n_treated: f64,
    /// The adjusted interval, if the period is told alone.
    pub interval: Option<(f64, f64)>,
}

/// A row of `effects_over_time` in the making.
pub(super) struct PooledEffect<'a> {
    pub key: EffectKey<'a>,
    pub strategy: &'a StrategySettings,
    pub difference: Option<PooledDifference>,
    /// Why it is not told.
    pub reason: Option<NotEstimable>,
    /// The periods it covers.
    pub periods: Vec<PeriodEffect>,
    /// By how much its level is divided: the times it may be looked at.
    pub looks: u32,
    /// Whether a period has ended after the last of these.
    pub is_after_last_look: bool,
    pub n_treated: i64,
    pub n_control: i64,
    /// The treated who are left out, as in cells too small to compare.
    pub excluded: i64,
    /// The clusters that these are in, once per period, if clusters were drawn.
    pub clusters: Option<[i64; 2]>,
    /// The share of the treated whom it covers.
    pub covered: Option<f64>,
    pub cost: Option<f64>,
    pub recurring_share: Option<f64>,
    pub clustered: bool,
    /// The first period that it leaves out.
    pub missing: Option<(Period, NotEstimable)>,
    /// What is to be said of its periods.
    pub remarks: Vec<Remark>,
    /// The mean placebo over the treated, if every period has one.
    pub placebo: Option<Placebo>,
    pub adjusted: Option<Adjusted>,
    /// What the family makes of its being above its placebo.
    pub above_adjusted: Option<Adjusted>,
    /// Margin less cost per treated customer, at 95 %; of money alone.
    pub net: Option<MoneyInterval>,
}

impl PooledEffect<'_> {
    /// The pooled difference, if it is told.
    pub fn told(&self) -> Option<&PooledDifference> {
        self.difference.as_ref().filter(|_| self.reason.is_none())
    }

    /// The period without which the standard error is less than this part of it.
    pub fn widened_by(&self, part: f64) -> Option<Period> {
        let se = |left_out: usize| {
            let others = || self.periods.iter().enumerate().filter(move |(at, _)| *at != left_out).map(|(_, p)| p);
            let treated: f64 = others().map(|p| p.n_treated).sum();
            others().map(|p| (p.n_treated / treated * p.se).powi(2)).sum::<f64>().sqrt()
        };
        let all = se(self.periods.len());
        let found = (0..self.periods.len()).find(|at| self.periods.len() > 1 && se(*at) < part * all);
        found.map(|at| self.periods[at].period)
    }

    /// The periods with the least and the greatest difference, if there are several.
    fn extremes(&self) -> Option<(PeriodEffect, PeriodEffect)> {
        let by_difference = |a: &&PeriodEffect, b: &&PeriodEffect| a.difference.total_cmp(&b.difference);
        let (worst, best) = (self.periods.iter().min_by(by_difference)?, self.periods.iter().max_by(by_difference)?);
        (self.periods.len() > 1).then_some((*worst, *best))
    }

    /// The row of the table.
    pub fn row(&self) -> PooledEffectRow {
        let told = self.told();
        let (worst, best) = told.and_then(|_| self.extremes()).unzip();
        let net = self.net.filter(|_| told.is_some());
        let placebo = self.placebo.as_ref().filter(|_| told.is_some());
        let before = placebo.map(|p| DifferenceTest::of(&p.before).interval(0.05));
        let above = placebo.and(self.above_adjusted);
        PooledEffectRow {
            strategy: self.strategy.name.clone(),
            phase: Some(self.key.phase.to_string()),
            arm: self.key.arm.into(),
            against: Some(self.key.against.into()),
            outcome: self.key.outcome.to_string(),
            scheme: self.key.group.0.into(),
            state: self.key.group.1.into(),
            method: self.key.method.to_string(),
            periods: Some(self.periods.len() as i64),
            n_treated: Some(self.n_treated),
            n_control: Some(self.n_control),
            covered_share: self.covered,
            mean_control: told.map(|d| d.mean_control),
            difference: told.map(|d| d.pooled.value),
            ci_low: told.map(|d| d.interval.0),
            ci_high: told.map(|d| d.interval.1),
            ci_low_adjusted: self.adjusted.map(|a| a.interval.0),
            ci_high_adjusted: self.adjusted.map(|a| a.interval.1),
            p_value: told.map(|d| d.p),
            p_adjusted: self.adjusted.map(|a| a.p),
            family_size: Some(self.adjusted.map_or(0, |a| a.family_size)),
            looks: Some(self.looks.into()),
            lift: told.and_then(|d| d.lift).map(|l| l.0),
            lift_low: told.and_then(|d| d.lift?.1),
            lift_high: told.and_then(|d| d.lift?.2),
            q_difference: told.and_then(|d| d.pooled.q),
            q_difference_p: told.and_then(|d| d.pooled.q_p),
            q_lift: told.and_then(|d| d.q_lift).map(|q| q.0),
            q_lift_p: told.and_then(|d| d.q_lift).map(|q| q.1),
            best_period: best.map(|p| p.period.start),
            best_difference: best.map(|p| p.difference),
            worst_period: worst.map(|p| p.period.start),
            worst_difference: worst.map(|p| p.difference),
            incremental: told.map(|d| d.pooled.value * self.n_treated as f64),
            cost: self.cost.filter(|_| told.is_some()),
            net_margin_per_customer: net.map(|n| n.value),
            net_margin_low: net.map(|n| n.low),
            net_margin_high: net.map(|n| n.high),
            clusters_treated: self.clusters.map(|clusters| clusters[0]),
            clusters_control: self.clusters.map(|clusters| clusters[1]),
            recurring_share: self.recurring_share,
            clustered: Some(self.clustered),
            not_estimable: self.reason.as_ref().map(ToString::to_string),
            placebo: placebo.map(|p| p.before.value),
            placebo_low: before.map(|b| b.0),
            placebo_high: before.map(|b| b.1),
            above_placebo: placebo.map(|p| p.above.value),
            above_placebo_p: placebo.map(|p| DifferenceTest::of(&p.above).p()),
            above_placebo_p_adjusted: above.map(|a| a.p),
            above_placebo_low_adjusted: above.map(|a| a.interval.0),
            above_placebo_high_adjusted: above.map(|a| a.interval.1),
        }
    }
}

/// Pooled effects, in the order in which their first periods' effects come.
///
/// `effects` holds, with the number of its strategy, every effect of the job.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub(super) fn over_time<'a>(
    effects: &[(usize, &Effect<'a>)],
    arms: &'a ArmSums,
    index: &ArmSumsIndex<'a>,
) -> Result<Vec<PooledEffect<'a>>> {
    let mut order: Vec<EffectKey<'a>> = Vec::new();
    let mut members: BTreeMap<EffectKey<'a>, Vec<&Effect<'a>>> = BTreeMap::new();
    for &(strategy, effect) in effects {
        let Effect { phase, arm, against, outcome, group, method, .. } = *effect;
        let key = EffectKey { strategy, phase, arm, against, outcome, group, method };
        members
            .entry(key)
            .or_insert_with(|| {
                order.push(key);
                Vec::new()
            })
            .push(effect);
    }
    let pairs = Pairs::new(arms);
    let pooled: Result<Vec<PooledEffect<'a>>> =
        order.into_par_iter().map(|key| Pooling { key, pairs: &pairs, index }.pool(&members[&key])).collect();
    let mut pooled = pooled?;
    fill_net(&mut pooled);
    Ok(pooled)
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
        let is_money =
            *row.key.outcome == Outcome::Net || row.strategy.net_base().is_some_and(|(base, _)| base == row.key.outcome);
        row.net = net.get(&EffectKey { outcome: &Outcome::Net, ..row.key }).copied().filter(|_| is_money);
    }
}

/// The pooling of one effect.
struct Pooling<'a, 'i> {
    key: EffectKey<'a>,
    pairs: &'i Pairs<'a>,
    index: &'i ArmSumsIndex<'a>,
}

/// A period's effect with its comparison.
type Member<'a, 'e> = (&'e Effect<'a>, &'e Compared);

impl<'a> Pooling<'a, '_> {
    fn pool(&self, effects: &[&Effect<'a>]) -> Result<PooledEffect<'a>> {
        let strategy = effects[0].diagnostics.strategy;
        // Periods in which nobody is assigned are no part of the question, nor are those that have not ended or come after the
        // last look.
        let assigned = || effects.iter().copied().filter(|e| e.diagnostics.all_treated > 0);
        let ended = |e: &&Effect<'a>| e.diagnostics.period.outcomes_until <= e.diagnostics.period.known_until;
        let mut asked: Vec<&Effect<'a>> = assigned().filter(ended).collect();
        let looks = if asked.len() > 1 { strategy.looks.max(1) } else { 1 };
        let is_after_last_look = looks > 1 && asked.len() > looks as usize + 1;
        if is_after_last_look {
            asked.truncate(looks as usize + 1);
        } else if asked.is_empty() {
            asked = assigned().collect();
        }
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
            looks,
            is_after_last_look,
            n_treated,
            n_control: members.iter().map(|(_, c)| c.estimate.n_control as i64).sum(),
            excluded: members.iter().map(|(effect, _)| effect.excluded).sum(),
            clusters: strategy.cluster.is_some().then(|| [0, 1].map(|arm| members.iter().map(|m| m.1.units[arm] as i64).sum())),
            covered: (all > 0).then(|| n_treated as f64 / all as f64),
            cost: costs.filter(|c| !c.is_empty()).map(|c| c.iter().sum()),
            recurring_share,
            clustered,
            missing,
            remarks: remarks(&asked, self.key.group),
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
