//! Effects of a strategy's periods pooled into one.

use std::collections::BTreeMap;

use super::arm_sums::{ArmSums, ArmSumsIndex, Group, PairEnd, PairKey, Phase, Quantity};
use super::diagnostics::PeriodDiagnostics;
use super::effect::{Effect, Placebo};
use super::reason::NotEstimable;
use super::settings::StrategySettings;
use crate::domain::{EffectMethod as Method, Outcome, Period};
use crate::error::Result;
use crate::stats::{
    Estimate, Influence, Interval, MoneyInterval, PairSums, PeriodEstimate, Pooled, Scales, TreatmentEconomics, Y,
    pair_covariance, pool,
};
use crate::tables::PooledEffectRow;

/// From this share of recurring customers on, variances are clustered by customer.
const RECURRING: f64 = 0.01;

/// What a pooled effect is an effect of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EffectKey<'a> {
    pub strategy: usize,
    pub phase: Phase,
    pub arm: &'a str,
    pub outcome: &'a Outcome,
    pub group: Group<'a>,
    pub method: Method,
}

/// A row of `effects_over_time` in the making.
pub(super) struct PooledEffect<'a> {
    pub key: EffectKey<'a>,
    pub strategy: &'a StrategySettings,
    pub pooled: Option<Pooled>,
    pub lift: Option<Pooled>,
    pub periods: i64,
    pub n_treated: i64,
    pub n_control: i64,
    pub mean_control: Option<f64>,
    pub cost: Option<f64>,
    pub recurring_share: Option<f64>,
    pub clustered: bool,
    /// The first period without an estimate.
    pub missing: Option<(Period, NotEstimable)>,
    /// Whether the placebo passed in every period.
    pub placebo: bool,
}

impl PooledEffect<'_> {
    /// The pooled difference with its interval.
    pub fn estimated(&self) -> Option<(&Pooled, Interval)> {
        self.pooled.as_ref().map(|p| (p, Interval::student(p.value, p.se, p.df)))
    }

    /// Margin less cost per treated customer.
    pub fn net_margin(&self) -> Option<MoneyInterval> {
        let (pooled, interval) = self.estimated()?;
        let margin_rate = self.key.outcome.margin_rate(self.strategy.margin_rate)?;
        let money = TreatmentEconomics { cost: self.cost?, margin_rate, n_treated: self.n_treated as f64 };
        Some(money.net_margin(pooled.value, interval.low, interval.high))
    }

    /// The reason for null numbers.
    pub fn reason(&self) -> NotEstimable {
        match &self.missing {
            Some((period, reason)) => NotEstimable::NoEstimate { start: period.start, reason: Box::new(reason.clone()) },
            None => NotEstimable::NoPeriods,
        }
    }

    /// The row of the table.
    pub fn row(&self) -> PooledEffectRow {
        let estimated = self.estimated();
        let lift = self.lift.as_ref().map(|p| (p, Interval::student(p.value, p.se, p.df)));
        PooledEffectRow {
            strategy: self.strategy.name.clone(),
            phase: Some(self.key.phase.to_string()),
            arm: self.key.arm.into(),
            outcome: self.key.outcome.to_string(),
            scheme: self.key.group.0.into(),
            state: self.key.group.1.into(),
            method: self.key.method.to_string(),
            periods: Some(self.periods),
            n_treated: Some(self.n_treated),
            n_control: Some(self.n_control),
            mean_control: self.mean_control,
            difference: estimated.as_ref().map(|(p, _)| p.value),
            ci_low: estimated.as_ref().map(|(_, i)| i.low),
            ci_high: estimated.as_ref().map(|(_, i)| i.high),
            p_value: estimated.as_ref().map(|(_, i)| i.p),
            lift: lift.as_ref().map(|(p, _)| p.value),
            lift_low: lift.as_ref().map(|(_, i)| i.low),
            lift_high: lift.as_ref().map(|(_, i)| i.high),
            q_difference: estimated.as_ref().filter(|(p, _)| p.q_p.is_some()).map(|(p, _)| p.q),
            q_difference_p: estimated.as_ref().and_then(|(p, _)| p.q_p),
            q_lift: lift.as_ref().filter(|(p, _)| p.q_p.is_some()).map(|(p, _)| p.q),
            q_lift_p: lift.as_ref().and_then(|(p, _)| p.q_p),
            recurring_share: self.recurring_share,
            clustered: Some(self.clustered),
            not_estimable: estimated.is_none().then(|| self.reason().to_string()),
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
        let Effect { phase, arm, outcome, group, method, .. } = *effect;
        let key = EffectKey { strategy, phase, arm, outcome, group, method };
        members
            .entry(key)
            .or_insert_with(|| {
                order.push(key);
                Vec::new()
            })
            .push(effect);
    }
    let pairs = Pairs::new(arms);
    order.into_iter().map(|key| pooled(key, &members[&key], &pairs, index)).collect()
}

/// One pooled effect.
fn pooled<'a>(
    key: EffectKey<'a>,
    effects: &[&Effect<'a>],
    pairs: &Pairs<'a>,
    index: &ArmSumsIndex<'a>,
) -> Result<PooledEffect<'a>> {
    let diagnostics: &PeriodDiagnostics<'a> = effects[0].diagnostics;
    let strategy = diagnostics.strategy;
    let usable: Vec<(&Effect<'a>, &Estimate)> = effects.iter().filter_map(|e| Some((*e, e.result.as_ref().ok()?))).collect();
    let recurring_share = recurring_share(key, &usable, strategy, index)?;
    let clustered = recurring_share.is_some_and(|share| share > RECURRING);
    let scales = key.outcome.scales(strategy.money_scale);
    let covariance = |first: &Effect<'a>, second: &Effect<'a>, of: fn(&Estimate) -> Option<&Vec<[Influence; 2]>>| -> f64 {
        let (Ok(a), Ok(b)) = (&first.result, &second.result) else { return 0.0 };
        match (of(a), of(b)) {
            (Some(a), Some(b)) if clustered => pairs.covariance(key, (first, a), (second, b), scales),
            _ => 0.0,
        }
    };
    let differences: Vec<PeriodEstimate> =
        usable.iter().map(|(_, e)| PeriodEstimate { value: e.difference, se: e.se, df: e.df }).collect();
    let pooled = pool(&differences, |i, j| covariance(usable[i].0, usable[j].0, |e| Some(&e.influence)));
    let lifts: Vec<(&Effect<'a>, PeriodEstimate)> = usable
        .iter()
        .filter_map(|(effect, e)| e.lift.as_ref().map(|l| (*effect, PeriodEstimate { value: l.value, se: l.se, df: l.df })))
        .collect();
    // A pooled lift is of the same periods as the pooled difference, or is none.
    let lift = if lifts.len() == usable.len() {
        let members: Vec<PeriodEstimate> = lifts.iter().map(|l| l.1).collect();
        pool(&members, |i, j| covariance(lifts[i].0, lifts[j].0, |e| e.lift.as_ref().map(|l| &l.influence)))
    } else {
        None
    };
    let mean_control = pooled.as_ref().map(|p| p.weights.iter().zip(&usable).map(|(w, (_, e))| w * e.base).sum());
    let costs: Option<Vec<f64>> = usable.iter().map(|(effect, _)| effect.cost).collect();
    let missing = effects.iter().find_map(|e| Some((e.diagnostics.period.period, e.result.as_ref().err()?.clone())));
    Ok(PooledEffect {
        key,
        strategy,
        pooled,
        lift,
        periods: usable.len() as i64,
        n_treated: usable.iter().map(|(e, _)| e.n_treated).sum(),
        n_control: usable.iter().map(|(e, _)| e.n_control).sum(),
        mean_control,
        cost: costs.filter(|c| !c.is_empty()).map(|c| c.iter().sum()),
        recurring_share,
        clustered,
        missing,
        placebo: effects.iter().all(|e| e.placebo == Placebo::Passed),
    })
}

/// The share of the pooled assignments whose customer is assigned in another period too.
fn recurring_share<'a>(
    key: EffectKey<'a>,
    usable: &[(&Effect<'a>, &Estimate)],
    strategy: &'a StrategySettings,
    index: &ArmSumsIndex<'a>,
) -> Result<Option<f64>> {
    let (mut recur, mut all) = (0, 0);
    for (effect, _) in usable {
        let slice = index.slice(&strategy.name, effect.diagnostics.period.period, Phase::During);
        for arm in [key.arm, strategy.control.as_str()] {
            let sums = slice.arm(key.group, &Quantity::Recurs, arm)?;
            recur += sums.sum[Y];
            all += i128::from(sums.n);
        }
    }
    Ok((all > 0).then(|| recur as f64 / all as f64))
}

/// Pair rows by what they are of, then by their two periods.
struct Pairs<'a> {
    #[allow(clippy::type_complexity, reason = "one index, used here alone")]
    rows: BTreeMap<
        (&'a str, Phase, Group<'a>, &'a Outcome),
        BTreeMap<(Period, Period), Vec<(&'a PairEnd, &'a PairEnd, &'a PairSums)>>,
    >,
}

impl<'a> Pairs<'a> {
    fn new(arms: &'a ArmSums) -> Pairs<'a> {
        let mut rows: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for (key, sums) in arms.pairs() {
            let PairKey { strategy, phase, scheme, state, outcome, first, second } = key;
            let of = (strategy.as_str(), *phase, (scheme.as_str(), state.as_str()), outcome);
            rows.entry(of).or_default().entry((first.period, second.period)).or_default().push((first, second, sums));
        }
        Pairs { rows }
    }

    /// The covariance of two periods' estimates that comes from customers who are in both.
    fn covariance(
        &self,
        key: EffectKey<'a>,
        (first, first_influence): (&Effect<'a>, &[[Influence; 2]]),
        (second, second_influence): (&Effect<'a>, &[[Influence; 2]]),
        scales: Scales,
    ) -> f64 {
        let strategy = first.diagnostics.strategy;
        let periods = (first.diagnostics.period.period, second.diagnostics.period.period);
        let rows = self.rows.get(&(strategy.name.as_str(), key.phase, key.group, key.outcome)).and_then(|p| p.get(&periods));
        let influence = |effect: &Effect<'a>, all: &[[Influence; 2]], end: &PairEnd| -> Option<Influence> {
            let side = if end.arm == key.arm {
                0
            } else if end.arm == strategy.control {
                1
            } else {
                return None;
            };
            // Methods without cells have one influence for all of them.
            let cell = if key.method.has_cells() { effect.cells.iter().position(|c| *c == end.cell)? } else { 0 };
            Some(all.get(cell)?[side])
        };
        let product = |(a, b, sums): &(&PairEnd, &PairEnd, &PairSums)| {
            let ends = (influence(first, first_influence, a), influence(second, second_influence, b));
            if let (Some(a), Some(b)) = ends { pair_covariance(sums, scales, &a, &b) } else { 0.0 }
        };
        rows.into_iter().flatten().map(product).sum()
    }
}
