//! The effects of one strategy's period: every phase, arm, outcome, state and method.

use super::arm_sums::{ArmSumsIndex, Group, PeriodSums, Phase, Quantity};
use super::diagnostics::{PeriodDiagnostics, TOTAL};
use super::reason::NotEstimable;
use super::sentence::Rounded;
use crate::domain::{EffectMethod as Method, Outcome};
use crate::error::Result;
use crate::stats::{
    Adjustment, Cell, Estimate, EstimateError, Interval, MoneyInterval, Shape, Sums, TreatmentEconomics, Weighting, Y, estimate,
    mde, printed,
};
use crate::tables::EffectRow;

/// What the placebo of a matched comparison says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Placebo {
    /// Its interval covers 0.
    Passed,
    /// The arms differed when nobody was treated.
    Failed(NotEstimable),
    /// There are no orders before the baseline to look at, or the design needs none.
    Missing,
}

/// A row of `effects` in the making.
pub(super) struct Effect<'a> {
    pub diagnostics: &'a PeriodDiagnostics<'a>,
    pub phase: Phase,
    pub arm: &'a str,
    pub outcome: &'a Outcome,
    pub group: Group<'a>,
    pub method: Method,
    pub headline: bool,
    pub n_treated: i64,
    pub n_control: i64,
    pub excluded: i64,
    pub cost: Option<f64>,
    pub placebo: Placebo,
    /// The cells of the estimate's influences.
    pub cells: Vec<&'a str>,
    pub result: std::result::Result<Estimate, NotEstimable>,
    pub p_adjusted: Option<f64>,
    pub family_size: i64,
}

impl Effect<'_> {
    /// The estimate with its interval.
    pub fn estimated(&self) -> Option<(&Estimate, Interval)> {
        self.result.as_ref().ok().map(|e| (e, e.interval()))
    }

    /// Margin less cost per treated customer.
    pub fn net_margin(&self) -> Option<MoneyInterval> {
        let (estimate, interval) = self.estimated()?;
        Some(self.money()?.net_margin(estimate.difference, interval.low, interval.high))
    }

    fn money(&self) -> Option<TreatmentEconomics> {
        let margin_rate = self.outcome.margin_rate(self.diagnostics.strategy.margin_rate)?;
        Some(TreatmentEconomics { cost: self.cost?, margin_rate, n_treated: self.n_treated as f64 })
    }

    /// The row of the table.
    pub fn row(&self) -> EffectRow {
        let estimated = self.estimated();
        let number = |of: fn(&Estimate, &Interval) -> f64| estimated.as_ref().map(|(e, i)| of(e, i));
        let lift = estimated.as_ref().and_then(|(e, _)| e.lift.as_ref());
        let lift_interval = lift.map(|l| Interval::student(l.value, l.se, l.df));
        let money = self.money().zip(estimated.as_ref());
        let roi = money.as_ref().and_then(|(m, (e, i))| m.roi(e.difference, i.low, i.high));
        let net = self.net_margin();
        let PeriodDiagnostics { strategy, period, .. } = self.diagnostics;
        let period = period.period;
        EffectRow {
            strategy: strategy.name.clone(),
            period_start: Some(period.start),
            period_end: Some(period.last_day()),
            phase: Some(self.phase.to_string()),
            arm: self.arm.into(),
            outcome: self.outcome.to_string(),
            scheme: self.group.0.into(),
            state: self.group.1.into(),
            method: self.method.to_string(),
            design: Some(strategy.design.to_string()),
            headline: Some(self.headline),
            n_treated: Some(self.n_treated),
            n_control: Some(self.n_control),
            mean_treated: number(|e, _| e.mean_treated),
            mean_control: number(|e, _| e.mean_control),
            difference: number(|e, _| e.difference),
            ci_low: number(|_, i| i.low),
            ci_high: number(|_, i| i.high),
            p_value: number(|_, i| i.p),
            p_adjusted: self.p_adjusted,
            family_size: Some(self.family_size),
            lift: lift.map(|l| l.value),
            lift_low: lift_interval.map(|i| i.low),
            lift_high: lift_interval.map(|i| i.high),
            mde: number(|e, _| mde(e.se)),
            srm_p: if self.group == TOTAL { self.diagnostics.srm_p } else { None },
            incremental: number(|e, _| e.difference * e.n_treated),
            cost: estimated.as_ref().and(self.cost),
            roi: roi.map(|r| r.value),
            roi_low: roi.map(|r| r.low),
            roi_high: roi.map(|r| r.high),
            net_margin_per_customer: net.map(|r| r.value),
            net_margin_low: net.map(|r| r.low),
            net_margin_high: net.map(|r| r.high),
            excluded: Some(self.excluded),
            not_estimable: self.result.as_ref().err().map(ToString::to_string),
        }
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
        let comparison = Comparison {
            diagnostics,
            phase,
            slice,
            during: index.slice(&strategy.name, diagnostics.period.period, Phase::During),
            before: index.slice(&strategy.name, diagnostics.period.period, Phase::Placebo),
        };
        for &arm in &diagnostics.treated {
            // A move is told of the end of the period, so there is none after it.
            for outcome in strategy.outcomes.iter().filter(|o| phase == Phase::During || o.moved_in().is_none()) {
                let mut total = Placebo::Missing;
                for group in slice.groups(&strategy.by) {
                    for method in diagnostics.methods() {
                        let effect = comparison.effect(arm, outcome, group, method, &total)?;
                        if group == TOTAL && method == Method::Matched {
                            total = effect.placebo.clone();
                        }
                        out.push(effect);
                    }
                }
            }
        }
    }
    Ok(out)
}

/// The rows that a comparison of two arms reads.
struct Comparison<'a, 'i> {
    diagnostics: &'a PeriodDiagnostics<'a>,
    phase: Phase,
    slice: &'i PeriodSums<'a>,
    during: &'i PeriodSums<'a>,
    before: &'i PeriodSums<'a>,
}

/// Both arms of one cell.
struct Pair<'a> {
    cell: &'a str,
    treated: Sums,
    control: Sums,
}

impl<'a> Comparison<'a, '_> {
    fn effect(
        &self,
        arm: &'a str,
        outcome: &'a Outcome,
        group: Group<'a>,
        method: Method,
        total: &Placebo,
    ) -> Result<Effect<'a>> {
        let diagnostics = self.diagnostics;
        let strategy = diagnostics.strategy;
        let quantity = Quantity::Outcome(outcome.clone());
        let pairs = self.pairs(group, &quantity, arm);
        let n = |pairs: &[Pair<'_>]| -> (i64, i64) { pairs.iter().fold((0, 0), |(t, c), p| (t + p.treated.n, c + p.control.n)) };
        let all = n(&pairs);
        let strata: Vec<&str> = pairs.iter().map(|p| p.cell).collect();
        let obstacle = diagnostics.obstacle(outcome, self.phase, method).or_else(|| diagnostics.state_obstacle(group));
        let obstacle = obstacle.or_else(|| {
            let side = |n: i64, arm: &str| match n {
                0 => Some(NotEstimable::EmptyArm { arm: arm.into() }),
                1 => Some(NotEstimable::OneCustomer { arm: arm.into() }),
                _ => None,
            };
            let mixed = || (!method.has_cells() && diagnostics.unequal(&strata)).then_some(NotEstimable::UnequalShares);
            side(all.0, arm).or_else(|| side(all.1, &strategy.control)).or_else(mixed)
        });
        let pairs =
            if method.has_cells() { pairs.into_iter().filter(|p| p.treated.n > 1 && p.control.n > 1).collect() } else { pairs };
        // A row that says why there is no number counts everybody; one with a number counts whom it compares.
        let cells: Vec<&str> = pairs.iter().map(|p| p.cell).collect();
        let used = n(&pairs);
        let mut placebo = Placebo::Missing;
        let result = match obstacle {
            Some(reason) => Err(reason),
            None => self.compare(&pairs, outcome, method)?,
        };
        let result = if method == Method::Matched && result.is_ok() {
            placebo = self.placebo(&cells, group, &quantity, outcome, arm)?;
            match (&placebo, total) {
                // A state is not trusted where the whole is not.
                (Placebo::Failed(reason), _) | (_, Placebo::Failed(reason)) => Err(reason.clone()),
                _ => result,
            }
        } else {
            result
        };
        let (n_treated, n_control) = if result.is_ok() { used } else { all };
        Ok(Effect {
            diagnostics,
            phase: self.phase,
            arm,
            outcome,
            group,
            method,
            headline: self.phase == diagnostics.verdict_phase()
                && *outcome == strategy.primary.outcome
                && method == diagnostics.headline,
            n_treated,
            n_control,
            excluded: self.during.arm(TOTAL, &Quantity::Excluded, arm)?.n + all.0 - n_treated,
            cost: self.cost(group, arm, &cells, n_treated),
            placebo,
            cells,
            result,
            p_adjusted: None,
            family_size: 0,
        })
    }

    /// Both arms' sums per cell.
    fn pairs(&self, group: Group<'a>, quantity: &Quantity, arm: &str) -> Vec<Pair<'a>> {
        let cells = self.slice.table(group, quantity).into_iter().flatten();
        let sums = |arms: &std::collections::BTreeMap<&str, &Sums>, arm: &str| arms.get(arm).map_or(Sums::default(), |s| **s);
        let pair = |(cell, arms): (&&'a str, _)| Pair {
            cell,
            treated: sums(arms, arm),
            control: sums(arms, &self.diagnostics.strategy.control),
        };
        cells.map(pair).filter(|p| p.treated.n + p.control.n > 0).collect()
    }

    /// The estimate of a method over these cells.
    fn compare(
        &self,
        pairs: &[Pair<'_>],
        outcome: &Outcome,
        method: Method,
    ) -> Result<std::result::Result<Estimate, NotEstimable>> {
        let scales = outcome.scales(self.diagnostics.strategy.money_scale);
        let mut cells = Vec::new();
        let whole;
        let pairs = if method.has_cells() {
            pairs
        } else {
            let mut sum = Pair { cell: "", treated: Sums::default(), control: Sums::default() };
            for pair in pairs {
                sum.treated.add(&pair.treated)?;
                sum.control.add(&pair.control)?;
            }
            whole = [sum];
            &whole
        };
        for pair in pairs {
            let mut both = pair.treated;
            both.add(&pair.control)?;
            let moments = (pair.treated.moments(scales), pair.control.moments(scales), both.moments(scales));
            if let (Some(treated), Some(control), Some(both)) = moments {
                cells.push(Cell { treated, control, both });
            }
        }
        let adjustment = match method {
            Method::Cuped => Adjustment::Cuped,
            Method::Did => Adjustment::Change,
            _ => Adjustment::None,
        };
        let weighting = if method == Method::Matched { Weighting::Treated } else { Weighting::Pooled };
        let shape = outcome.shape();
        Ok(estimate(&cells, shape, adjustment, weighting).map_err(|why| match why {
            EstimateError::NoCells => NotEstimable::NoCells,
            EstimateError::ZeroVariance if shape == Shape::Ratio => NotEstimable::SameValue,
            EstimateError::ZeroVariance => NotEstimable::SameOutcome,
            EstimateError::Explained => NotEstimable::Explained,
            EstimateError::ZeroDenominator => NotEstimable::NoDenominator,
        }))
    }

    /// The matched comparison in the same cells on the period before the baseline.
    fn placebo(&self, cells: &[&str], group: Group<'a>, quantity: &Quantity, outcome: &Outcome, arm: &str) -> Result<Placebo> {
        let before = Comparison { slice: self.before, ..*self };
        let mut pairs = before.pairs(group, quantity, arm);
        pairs.retain(|p| cells.contains(&p.cell) && p.treated.n > 1 && p.control.n > 1);
        if pairs.len() != cells.len() {
            return Ok(Placebo::Missing);
        }
        // Without variance, or orders to divide by, it is not known, which is not passed.
        Ok(match self.compare(&pairs, outcome, Method::Matched)? {
            Err(_) => Placebo::Missing,
            Ok(estimate) => {
                let interval = estimate.interval();
                if interval.covers_zero() {
                    Placebo::Passed
                } else {
                    let [difference, low, high] = [estimate.difference, interval.low, interval.high].map(Rounded::short);
                    Placebo::Failed(NotEstimable::FailedPlacebo { difference, low, high })
                }
            }
        })
    }

    /// The cost of these customers: the costs in the assignment table, or the job's cost per customer, and their share of the
    /// fixed cost. The time after the treatment costs nothing.
    fn cost(&self, group: Group<'a>, arm: &str, cells: &[&str], n_treated: i64) -> Option<f64> {
        if self.phase == Phase::After {
            return None;
        }
        let strategy = self.diagnostics.strategy;
        let variable = match self.during.table(group, &Quantity::Cost) {
            Some(table) => {
                let rows = table.iter().filter(|(cell, _)| cells.contains(*cell)).filter_map(|(_, arms)| arms.get(arm));
                Some(rows.map(|sums| printed(sums.sum[Y], strategy.money_scale)).sum::<f64>())
            }
            None => strategy.cost_per_customer.map(|c| printed(c.digits.saturating_mul(i128::from(n_treated)), c.scale)),
        };
        let share = n_treated as f64 / self.diagnostics.all_treated.max(1) as f64;
        let fixed = strategy.fixed_cost.map(|c| printed(c.digits, c.scale) * share);
        match (variable, fixed) {
            (None, None) => None,
            (variable, fixed) => Some(variable.unwrap_or(0.0) + fixed.unwrap_or(0.0)),
        }
    }
}
