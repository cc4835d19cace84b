//! A pooled effect, and the row of `effects_over_time` that it becomes.

use super::super::effect::Adjusted;
use super::super::placebo::Placebo;
use super::super::reason::{NotEstimable, Remark};
use super::super::settings::StrategySettings;
use super::key::EffectKey;
use crate::domain::{Outcome, Period};
use crate::stats::{DifferenceTest, MoneyInterval, Pooled};
use crate::tables::PooledEffectRow;

/// The difference over all periods.
pub struct PooledDifference {
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
pub struct PeriodEffect {
    pub period: Period,
    pub difference: f64,
    pub se: f64,
    pub n_treated: f64,
    /// The adjusted interval, if the period is told alone.
    pub interval: Option<(f64, f64)>,
}

/// A row of `effects_over_time` in the making.
pub struct PooledEffect<'a> {
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

    /// Whether it is one of net money, or of the outcome that this is measured by.
    pub fn is_money(&self) -> bool {
        *self.key.outcome == Outcome::Net || self.strategy.net_base().is_some_and(|(base, _)| base == self.key.outcome)
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
