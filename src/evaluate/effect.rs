//! The effects of one strategy's period: every phase, arm, outcome, state and method.

use std::collections::BTreeMap;

use super::arm_sums::{ArmSumsIndex, Group, PeriodSums, Phase, Quantity};
use super::compare::{Compared, Comparison, Contrast, Found, Pair};
use super::diagnostics::{ArmChecks, PeriodDiagnostics, TOTAL};
use super::reason::NotEstimable;
use crate::domain::{EffectMethod as Method, Outcome};
use crate::error::Result;
use crate::stats::{DifferenceTest, Interval, MoneyInterval, Y, printed};
use crate::tables::EffectRow;

/// What is left of the margin when the treatment is paid.
const NET: &Outcome = &Outcome::Net;

/// What a row's family makes of its test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Adjusted {
    /// The p-value that is held against 5 %.
    pub p: f64,
    /// Rows of the family.
    pub family_size: i64,
    /// The interval that leaves 0 out exactly where that p-value is below 5 %.
    pub interval: (f64, f64),
    /// How often that interval may miss.
    pub level: f64,
}

/// A row of `effects` in the making.
pub(super) struct Effect<'a> {
    pub diagnostics: &'a PeriodDiagnostics<'a>,
    pub phase: Phase,
    pub arm: &'a str,
    pub against: &'a str,
    pub outcome: &'a Outcome,
    /// The outcome whose sums it is computed from.
    pub measured: &'a Outcome,
    pub group: Group<'a>,
    pub method: Method,
    pub n_treated: i64,
    pub n_control: i64,
    /// The clusters that these are in, if clusters were drawn.
    pub clusters: Option<[i64; 2]>,
    pub excluded: i64,
    /// What the treatment of the customers of `arm` cost, whatever the arm is compared with.
    pub cost: Option<f64>,
    /// Margin less cost per treated customer, at 95 %, and in a pair less that of the other arm's customers; of money alone.
    pub net: Option<MoneyInterval>,
    /// The adjusted interval of that.
    pub net_adjusted: Option<(f64, f64)>,
    /// The cells of the estimate's influences.
    pub cells: Vec<&'a str>,
    pub found: Found,
    pub adjusted: Option<Adjusted>,
    /// What the family makes of its being above its placebo, if a verdict rests on that.
    pub above_adjusted: Option<Adjusted>,
}

impl<'a> Effect<'a> {
    /// The checks of its arms.
    pub fn checks(&self) -> &'a ArmChecks {
        self.diagnostics.checks(self.arm, self.against)
    }

    /// Whether a verdict rests on it.
    pub fn is_headline(&self) -> bool {
        self.leads() && *self.outcome == self.diagnostics.strategy.primary.outcome
    }

    /// Whether words about money rest on it.
    pub fn is_money(&self) -> bool {
        self.leads() && *self.outcome == *NET
    }

    fn leads(&self) -> bool {
        self.phase == self.diagnostics.verdict_phase() && self.method == self.diagnostics.headline
    }

    /// The row of the table.
    pub fn row(&self) -> EffectRow {
        let told = self.found.told();
        let number = |of: fn(&Compared) -> f64| told.map(of);
        let lift = told.and_then(|c| c.lift());
        let detectable = told.map(|c| c.test.detectable(self.adjusted.map_or(c.interval, |a| a.interval)));
        let net = self.net.filter(|_| told.is_some());
        let placebo = told.and_then(|c| c.placebo.as_ref());
        let before = placebo.map(|p| DifferenceTest::of(&p.before).interval(0.05));
        let above = placebo.and(self.above_adjusted);
        let cost = self.cost.filter(|_| told.is_some());
        // Both arms of a pair cost something: their net money is over no one cost.
        let roi = net.zip(cost.filter(|cost| *cost > 0.0 && !self.diagnostics.is_pair(self.against)));
        let roi = roi.map(|(net, cost)| [net.value, net.low, net.high].map(|each| each * self.n_treated as f64 / cost));
        let PeriodDiagnostics { strategy, period, .. } = self.diagnostics;
        let period = period.period;
        EffectRow {
            strategy: strategy.name.clone(),
            period_start: Some(period.start),
            period_end: Some(period.last_day()),
            phase: Some(self.phase.to_string()),
            arm: self.arm.into(),
            against: Some(self.against.into()),
            outcome: self.outcome.to_string(),
            scheme: self.group.0.into(),
            state: self.group.1.into(),
            method: self.method.to_string(),
            design: Some(strategy.design.to_string()),
            headline: Some(self.is_headline()),
            n_treated: Some(self.n_treated),
            n_control: Some(self.n_control),
            mean_treated: number(|c| c.estimate.mean_treated),
            mean_control: number(|c| c.estimate.mean_control),
            difference: number(|c| c.estimate.difference),
            ci_low: number(|c| c.interval.0),
            ci_high: number(|c| c.interval.1),
            ci_low_adjusted: self.adjusted.map(|a| a.interval.0),
            ci_high_adjusted: self.adjusted.map(|a| a.interval.1),
            p_value: number(|c| c.p),
            p_adjusted: self.adjusted.map(|a| a.p),
            family_size: Some(self.adjusted.map_or(0, |a| a.family_size)),
            lift: lift.map(|l| l.0),
            lift_low: lift.and_then(|l| l.1),
            lift_high: lift.and_then(|l| l.2),
            mde: detectable.map(|d| d.gain),
            mde_loss: detectable.map(|d| d.loss),
            srm_p: if self.group == TOTAL { self.checks().srm_p } else { None },
            incremental: number(|c| c.estimate.difference * c.estimate.n_treated),
            cost,
            roi: roi.map(|r| r[0]),
            roi_low: roi.map(|r| r[1]),
            roi_high: roi.map(|r| r[2]),
            net_margin_per_customer: net.map(|r| r.value),
            net_margin_low: net.map(|r| r.low),
            net_margin_high: net.map(|r| r.high),
            net_margin_low_adjusted: net.and(self.net_adjusted).map(|n| n.0),
            net_margin_high_adjusted: net.and(self.net_adjusted).map(|n| n.1),
            clusters_treated: self.clusters.map(|clusters| clusters[0]),
            clusters_control: self.clusters.map(|clusters| clusters[1]),
            excluded: Some(self.excluded),
            not_estimable: self.found.reason.as_ref().map(ToString::to_string),
            placebo: placebo.map(|p| p.before.value),
            placebo_low: before.map(|b| b.0),
            placebo_high: before.map(|b| b.1),
            placebo_cells: placebo.map(|p| p.cells.name().into()),
            above_placebo: placebo.map(|p| p.above.value),
            above_placebo_p: placebo.map(|p| DifferenceTest::of(&p.above).p()),
            above_placebo_p_adjusted: above.map(|a| a.p),
            above_placebo_low_adjusted: above.map(|a| a.interval.0),
            above_placebo_high_adjusted: above.map(|a| a.interval.1),
        }
    }
}

impl Compared {
    /// The lift over the control's mean and the ends of its 95 % interval; nothing where that mean is not above 0.
    pub fn lift(&self) -> Option<(f64, Option<f64>, Option<f64>)> {
        let lift = self.estimate.lift.as_ref()?;
        Some(match self.test.lift_interval(0.05) {
            Some((low, high)) => (lift.value, low, high),
            None => {
                let interval = Interval::student(lift.value, lift.se, lift.df);
                (lift.value, Some(interval.low), Some(interval.high))
            }
        })
    }
}

/// All effects of a strategy's period, in the order of the table.
///
/// # Errors
/// Exit 3 if sums of cells leave 128 bits.
pub(super) fn effects<'a>(diagnostics: &'a PeriodDiagnostics<'a>, index: &ArmSumsIndex<'a>) -> Result<Vec<Effect<'a>>> {
    let strategy = diagnostics.strategy;
    let mut out = Vec::new();
    for &phase in diagnostics.phases() {
        let slice = index.slice(&strategy.name, diagnostics.period.period, phase);
        let during = index.slice(&strategy.name, diagnostics.period.period, Phase::During);
        let of_phase = PhaseEffects { diagnostics, comparison: Comparison { diagnostics, slice, during }, phase, during };
        let knows_net = of_phase.net_base().is_some();
        let listed = strategy.outcomes.iter().filter(|outcome| **outcome != *NET);
        // A move is told of the end of the period, so there is none after it.
        let outcomes = listed.filter(|o| phase == Phase::During || o.moved_in().is_none()).chain(knows_net.then_some(NET));
        let outcomes: Vec<&'a Outcome> = outcomes.collect();
        for [arm, against] in diagnostics.contrasts() {
            let mut bases = Bases::new();
            for &outcome in &outcomes {
                for group in slice.groups(&strategy.by) {
                    for method in diagnostics.methods() {
                        let contrast = Contrast { group, outcome, method, arm, against };
                        out.push(of_phase.effect(contrast, outcome, &mut bases)?);
                    }
                }
            }
        }
    }
    Ok(out)
}

/// The comparisons of the outcome that net money is measured by, by group and method.
type Bases<'a> = BTreeMap<(Group<'a>, Method), Found>;

/// The rows that the effects of a phase are made from.
struct PhaseEffects<'a, 'i> {
    diagnostics: &'a PeriodDiagnostics<'a>,
    comparison: Comparison<'a, 'i>,
    phase: Phase,
    during: &'i PeriodSums<'a>,
}

impl<'a> PhaseEffects<'a, '_> {
    /// The effect of an outcome.
    fn effect(&self, of: Contrast<'a, 'a>, outcome: &'a Outcome, bases: &mut Bases<'a>) -> Result<Effect<'a>> {
        let measured = self.measured(of);
        let pairs = self.comparison.pairs(measured);
        let n = |pairs: &[Pair<'_>]| -> (i64, i64) {
            pairs.iter().fold((0, 0), |(t, c), p| (t + p.customers[0], c + p.customers[1]))
        };
        let units = |pairs: &[Pair<'_>]| pairs.iter().fold([0, 0], |[t, c], p| [t + p.treated.n, c + p.control.n]);
        let (all, all_units) = (n(&pairs), units(&pairs));
        let strata: Vec<&str> = pairs.iter().map(|p| p.cell).collect();
        let obstacle = self.obstacle(measured, &strata, all_units);
        let pairs = match of.method.has_cells() {
            true => pairs.into_iter().filter(|p| p.treated.n > 1 && p.control.n > 1).collect(),
            false => pairs,
        };
        let cells: Vec<&str> = pairs.iter().map(|p| p.cell).collect();
        let (used, used_units) = (n(&pairs), units(&pairs));
        let mut found = match obstacle {
            Some(reason) => reason.into(),
            None => self.compare(&pairs, measured, bases)?,
        };
        // A row that says why there is no number counts everybody; one with a number counts whom it compares.
        let ((n_treated, n_control), clusters) = if found.told().is_some() { (used, used_units) } else { (all, all_units) };
        let cost = self.cost(of.group, of.arm, &cells, n_treated);
        if let Some(compared) = found.compared.as_mut().filter(|_| *outcome == *NET) {
            let base = self.net_base().filter(|_| *measured.outcome != *NET);
            let per_customer = |arm: &str, n: i64| match base {
                Some(_) => self.cost(of.group, arm, &cells, n).map_or(0.0, |cost| cost / n.max(1) as f64),
                // The customers' own costs are in the outcome already.
                None => self.fixed_cost(1).unwrap_or(0.0),
            };
            let of_control = if self.diagnostics.is_pair(of.against) { per_customer(of.against, used.1) } else { 0.0 };
            *compared = compared.as_net(base.map_or(1.0, |(_, rate)| rate), [per_customer(of.arm, used.0), of_control]);
        }
        Ok(Effect {
            diagnostics: self.diagnostics,
            phase: self.phase,
            arm: of.arm,
            against: of.against,
            outcome,
            measured: measured.outcome,
            group: of.group,
            method: of.method,
            n_treated,
            n_control,
            clusters: self.diagnostics.strategy.cluster.is_some().then_some(clusters),
            excluded: self.during.arm(TOTAL, &Quantity::Excluded, of.arm)?.n + all.0 - n_treated,
            cost,
            net: None,
            net_adjusted: None,
            cells,
            found,
            adjusted: None,
            above_adjusted: None,
        })
    }

    /// The comparison of a contrast. The outcome that net money is measured by is compared once for both.
    fn compare(&self, pairs: &[Pair<'_>], of: Contrast<'a, 'a>, bases: &mut Bases<'a>) -> Result<Found> {
        if self.net_base().is_none_or(|(base, _)| base != of.outcome) {
            return self.comparison.compare(pairs, of);
        }
        if let Some(found) = bases.remove(&(of.group, of.method)) {
            return Ok(found);
        }
        let found = self.comparison.compare(pairs, of)?;
        bases.insert((of.group, of.method), found.clone());
        Ok(found)
    }

    /// What a contrast of an outcome is measured by: net money without sums of its own by the margin it is linear in.
    fn measured(&self, of: Contrast<'a, 'a>) -> Contrast<'a, 'a> {
        let is_summed = || self.comparison.slice.table(of.group, &Quantity::Outcome(Outcome::Net)).is_some();
        match (self.net_base(), *of.outcome == *NET && !is_summed()) {
            (Some((base, _)), true) => Contrast { outcome: base, ..of },
            _ => of,
        }
    }

    /// The outcome of which net money is linear, and what a unit of it adds to the margin; `None` if margin or cost are unknown.
    fn net_base(&self) -> Option<(&'a Outcome, f64)> {
        let strategy = self.diagnostics.strategy;
        let has_costs = self.during.table(TOTAL, &Quantity::Cost).is_some();
        let is_paid = has_costs || strategy.cost_per_customer.is_some() || self.diagnostics.period_cost().is_some();
        strategy.net_base().filter(|_| is_paid && self.phase != Phase::After)
    }

    /// What makes all numbers of a contrast null, whose arms have these customers, or clusters, in these cells.
    fn obstacle(&self, of: Contrast<'a, '_>, strata: &[&str], [treated, control]: [i64; 2]) -> Option<NotEstimable> {
        let diagnostics = self.diagnostics;
        let side = |n: i64, arm: &str| match n {
            0 => Some(NotEstimable::EmptyArm { arm: arm.into() }),
            1 => Some(match diagnostics.strategy.cluster.as_deref() {
                Some(column) => NotEstimable::OneCluster { arm: arm.into(), column: column.into() },
                None => NotEstimable::OneCustomer { arm: arm.into() },
            }),
            _ => None,
        };
        let mixed = || (!of.method.has_cells() && diagnostics.unequal(strata)).then_some(NotEstimable::UnequalShares);
        diagnostics.obstacle(diagnostics.checks(of.arm, of.against), of.outcome, self.phase, of.method).or_else(|| {
            diagnostics
                .state_obstacle(of.group)
                .or_else(|| side(treated, of.arm))
                .or_else(|| side(control, of.against))
                .or_else(mixed)
        })
    }

    /// The cost of an arm's customers in these cells: the costs in the assignment table, or the job's cost per customer, and their
    /// share of the fixed cost. The time after the treatment costs nothing.
    fn cost(&self, group: Group<'a>, arm: &str, cells: &[&str], n: i64) -> Option<f64> {
        if self.phase == Phase::After {
            return None;
        }
        let strategy = self.diagnostics.strategy;
        let variable = match self.during.table(group, &Quantity::Cost) {
            Some(table) => {
                let rows = table.iter().filter(|(cell, _)| cells.contains(*cell)).filter_map(|(_, arms)| arms.get(arm));
                Some(rows.map(|sums| printed(sums.sum[Y], strategy.digits.money)).sum::<f64>())
            }
            None => strategy.cost_per_customer.map(|c| printed(c.digits.saturating_mul(i128::from(n)), c.scale)),
        };
        match (variable, self.fixed_cost(n)) {
            (None, None) => None,
            (variable, fixed) => Some(variable.unwrap_or(0.0) + fixed.unwrap_or(0.0)),
        }
    }

    /// The share of the period's cost that these treated customers bear.
    fn fixed_cost(&self, n_treated: i64) -> Option<f64> {
        let share = n_treated as f64 / self.diagnostics.all_treated.max(1) as f64;
        self.diagnostics.period_cost().map(|cost| cost * share)
    }
}

/// Fills the money of the rows that verdicts may rest on and of margin or revenue, from the rows of net money.
pub(super) fn fill_net(effects: &mut [(usize, Effect<'_>)]) {
    type Key<'k> = (usize, Phase, &'k str, &'k str, Group<'k>, Method);
    fn key<'a>((period, effect): &(usize, Effect<'a>)) -> Key<'a> {
        (*period, effect.phase, effect.arm, effect.against, effect.group, effect.method)
    }
    let net = effects.iter().filter(|(_, effect)| *effect.outcome == *NET).filter_map(|of| {
        let Compared { test, interval, .. } = of.1.found.told()?;
        let money = MoneyInterval { value: test.value, low: interval.0, high: interval.1 };
        Some((key(of), (money, of.1.adjusted.filter(|_| of.1.is_money() || of.1.is_headline()).map(|a| a.interval))))
    });
    let net: BTreeMap<Key<'_>, _> = net.collect();
    for of in effects {
        let own = key(of);
        let effect = &mut of.1;
        let is_base = effect.diagnostics.strategy.net_base().is_some_and(|(base, _)| base == effect.outcome);
        if let Some((money, adjusted)) = net.get(&own).filter(|_| is_base || *effect.outcome == *NET || effect.is_headline()) {
            (effect.net, effect.net_adjusted) = (Some(*money), *adjusted);
        }
    }
}
