//! Diagnostics of a strategy's period that hold for all of its rows: its arms, its design checks, and the method of its
//! headline.

use std::collections::{BTreeMap, BTreeSet};

use super::arm_sums::{ALL, ArmSumsIndex, Group, PeriodSums, Phase, Quantity};
use super::reason::NotEstimable;
use super::sentence::{PValue, Rounded};
use super::settings::{AssignedOn, StrategyPeriod, StrategySettings};
use crate::domain::{Design, EffectMethod as Method, Outcome};
use crate::error::Result;
use crate::stats::{SplitCell, chi_square_homogeneity, split_check};

/// Below this p-value a check of the design has failed.
pub const FAILED: f64 = 0.001;

/// Two time spans have equal length if they differ by at most one part in this many. Months differ by a tenth.
const LENGTH_TOLERANCE: u64 = 8;

/// The total row.
pub(super) const TOTAL: Group<'static> = (ALL, ALL);

/// A strategy's period and what is known of it before any effect is computed.
pub(super) struct PeriodDiagnostics<'a> {
    pub strategy: &'a StrategySettings,
    pub period: &'a StrategyPeriod,
    /// The treated arms: those planned and those found, sorted.
    pub treated: Vec<&'a str>,
    /// The split check.
    pub srm_p: Option<f64>,
    /// The p-value of equal shares treated inside the baseline, if it fails.
    pub contaminated_p: Option<f64>,
    /// Whether customers have strata.
    pub strata: bool,
    /// The method of the headline.
    pub headline: Method,
    /// Why that is not the primary method.
    pub fallback: Option<NotEstimable>,
    /// Treated customers of all arms, over whom the fixed cost is shared out.
    pub all_treated: i64,
}

impl<'a> PeriodDiagnostics<'a> {
    pub fn new(
        strategy: &'a StrategySettings,
        period: &'a StrategyPeriod,
        index: &ArmSumsIndex<'a>,
    ) -> Result<PeriodDiagnostics<'a>> {
        let during = index.slice(&strategy.name, period.period, Phase::During);
        let controlled = strategy.design != Design::BeforeAfter;
        let planned = strategy.split.strata.values().chain([&strategy.split.shares]).flat_map(|s| s.keys().map(String::as_str));
        let planned = planned.filter(|_| controlled);
        let arms: BTreeSet<&str> = planned.chain(during.arms()).collect();
        let treated: Vec<&str> = arms.into_iter().filter(|a| !controlled || *a != strategy.control).collect();
        let quantity = Quantity::Outcome(strategy.primary.outcome.clone());
        let cells: Vec<&str> = during.table(TOTAL, &quantity).into_iter().flat_map(|t| t.keys().copied()).collect();
        let mut all_treated = 0;
        for arm in &treated {
            all_treated += during.arm(TOTAL, &quantity, arm)?.n;
        }
        let mut diagnostics = PeriodDiagnostics {
            strategy,
            period,
            srm_p: if strategy.design == Design::Randomised { split_of(strategy, period, during, &quantity) } else { None },
            contaminated_p: contaminated_p(during)?,
            strata: strategy.design == Design::Randomised && cells.iter().any(|cell| *cell != ALL),
            headline: strategy.primary.method,
            fallback: None,
            treated,
            all_treated,
        };
        diagnostics.choose_headline(&cells);
        Ok(diagnostics)
    }

    /// Whether the strata of these cells were planned with different shares, so that pooling them confounds.
    pub fn unequal(&self, cells: &[&str]) -> bool {
        let shares: Vec<_> = cells.iter().map(|cell| self.strategy.split.of(self.period.assigned_on.stratum(cell))).collect();
        shares.windows(2).any(|pair| pair[0] != pair[1])
    }

    /// The primary method; post-stratification where strata have different shares or arms were assigned on different days; without a
    /// fair baseline, Welch.
    fn choose_headline(&mut self, cells: &[&str]) {
        if self.strategy.design != Design::Randomised {
            return;
        }
        if self.headline.adjusts() {
            self.fallback = match (self.contaminated_p, self.period.baseline) {
                (_, None) => Some(NotEstimable::NoBaseline),
                (Some(p), _) => Some(NotEstimable::ContaminatedBaseline { p: PValue(p) }),
                (None, Some(_)) => None,
            };
            if self.fallback.is_some() {
                self.headline = Method::Welch;
            }
        }
        let pools_strata = self.unequal(cells).then_some(NotEstimable::UnequalShares);
        if let Some(reason) = self.unlike_days(self.headline).or(pools_strata.filter(|_| !self.headline.has_cells())) {
            self.fallback = Some(reason);
            self.headline = Method::PostStratified;
        } else if self.headline == Method::PostStratified && !self.strata {
            // One stratum: post-stratification is Welch's test.
            self.headline = Method::Welch;
        }
    }

    /// What assigning the arms on different days does to a method.
    fn unlike_days(&self, method: Method) -> Option<NotEstimable> {
        let percent = |share: f64| Rounded::new(share * 100.0, 1);
        match &self.period.assigned_on {
            AssignedOn::Strata { difference, .. } if matches!(method, Method::Welch | Method::Cuped) => {
                Some(NotEstimable::UnlikeDays {
                    p: PValue(difference.p),
                    share: percent(difference.share),
                    from: difference.days.start,
                    to: difference.days.last_day(),
                    arm: difference.arm.as_str().into(),
                    usual: percent(difference.usual),
                })
            }
            AssignedOn::Alike | AssignedOn::Strata { .. } | AssignedOn::Apart { .. } => None,
        }
    }

    /// The phase a verdict uses.
    pub fn verdict_phase(&self) -> Phase {
        if self.period.after_until.is_some() { Phase::Both } else { Phase::During }
    }

    /// The phases that have effects.
    pub fn phases(&self) -> &'static [Phase] {
        if self.period.after_until.is_some() { &[Phase::During, Phase::After, Phase::Both] } else { &[Phase::During] }
    }

    /// The methods that have rows.
    pub fn methods(&self) -> impl Iterator<Item = Method> + use<'_> {
        let all = self.strategy.design.methods().iter().copied();
        all.filter(|m| match m {
            // A method that leads in one period has rows in all.
            Method::PostStratified => {
                self.strata || self.strategy.periods.iter().any(|p| matches!(p.assigned_on, AssignedOn::Strata { .. }))
            }
            // Without a baseline there is a row only where one was asked for, to say so.
            Method::Cuped => self.period.baseline.is_some() || self.strategy.primary.method == Method::Cuped,
            _ => true,
        })
    }

    /// Whether customers have the number in the baseline, too: a move is made after it, and `retained` needs the time before.
    pub fn has_before(&self, outcome: &Outcome) -> bool {
        self.period.baseline.is_some()
            && outcome.moved_in().is_none()
            && (*outcome != Outcome::Retained || self.period.knows_before_baseline)
    }

    /// The days of the baseline and of the outcomes, if their lengths differ too much for a comparison.
    pub fn unequal_days(&self) -> Option<(i32, i32)> {
        let (baseline, outcomes) = self.period.days;
        let apart = i64::from(baseline).abs_diff(outcomes.into());
        (apart * LENGTH_TOLERANCE > outcomes.unsigned_abs().into()).then_some((baseline, outcomes))
    }

    /// What makes all numbers of an outcome, phase and method null.
    pub fn obstacle(&self, outcome: &Outcome, phase: Phase, method: Method) -> Option<NotEstimable> {
        let period = self.period;
        let until = match (phase, outcome.moved_in()) {
            // A move is told of the state at the end of the period.
            (_, Some(_)) => period.outcomes_until.max(period.period.last_day()),
            (Phase::During, None) => period.outcomes_until,
            _ => period.after_until.unwrap_or(period.outcomes_until),
        };
        if !period.equally_long {
            return Some(NotEstimable::NoCommonStart);
        }
        if until > period.known_until {
            return Some(NotEstimable::Unfinished { until, known: period.known_until });
        }
        if let Some(p) = self.srm_p.filter(|p| *p < FAILED) {
            return Some(NotEstimable::FailedSplit { p: PValue(p) });
        }
        if let AssignedOn::Apart { difference, arm, share } = &period.assigned_on {
            let share = Rounded::new(share * 100.0, 1);
            return Some(NotEstimable::DaysApart { p: PValue(difference.p), share, arm: arm.as_str().into() });
        }
        if let Some(reason) = self.unlike_days(method) {
            return Some(reason);
        }
        match (method.adjusts(), period.baseline, self.contaminated_p) {
            // Retention compares with the baseline, so it needs one.
            (false, None, _) if *outcome == Outcome::Retained => Some(NotEstimable::NoBaseline),
            (true, None, _) => Some(NotEstimable::NoBaseline),
            (true, Some(_), Some(p)) => Some(NotEstimable::ContaminatedBaseline { p: PValue(p) }),
            _ if method != Method::Did => None,
            _ if !self.has_before(outcome) => Some(NotEstimable::NoBaselineValue),
            _ => self.unequal_days().map(|(baseline, outcomes)| NotEstimable::UnequalDays { baseline, outcomes }),
        }
    }
}

/// The split check over all arms, stratum by stratum of the job.
fn split_of(strategy: &StrategySettings, period: &StrategyPeriod, during: &PeriodSums<'_>, quantity: &Quantity) -> Option<f64> {
    let mut strata: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    for (cell, arms) in during.table(TOTAL, quantity)? {
        let counts = strata.entry(period.assigned_on.stratum(cell)).or_default();
        arms.iter().for_each(|(arm, sums)| *counts.entry(arm).or_default() += sums.n);
    }
    let arms: BTreeSet<&String> = strata.keys().flat_map(|stratum| strategy.split.of(stratum).keys()).collect();
    let cell = |(stratum, counts): (&&str, &BTreeMap<&str, i64>)| {
        let shares = strategy.split.of(stratum);
        SplitCell {
            observed: arms.iter().map(|arm| counts.get(arm.as_str()).copied().unwrap_or(0)).collect(),
            planned: arms.iter().map(|arm| shares.get(*arm).copied().unwrap_or(0.0)).collect(),
        }
    };
    split_check(&strata.iter().map(cell).collect::<Vec<_>>())
}

/// Whether the arms differ in who was treated inside the baseline.
fn contaminated_p(during: &PeriodSums<'_>) -> Result<Option<f64>> {
    let mut groups = Vec::new();
    for arm in during.arms() {
        let sums = during.arm(TOTAL, &Quantity::TreatedInBaseline, arm)?;
        groups.push((i64::try_from(sums.sum[crate::stats::Y]).unwrap_or(i64::MAX), sums.n));
    }
    Ok(chi_square_homogeneity(&groups).filter(|p| *p < FAILED))
}
