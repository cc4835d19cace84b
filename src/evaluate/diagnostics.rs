//! Diagnostics of a strategy's period that hold for all of its rows: its arms, its design checks, and the method of its
//! headline.

use std::collections::BTreeSet;

pub(super) use super::arm_sums::TOTAL;
use super::arm_sums::{ALL, ArmSumsIndex, Group, PeriodSums, Phase, Quantity};
use super::checks;
use super::reason::{NotEstimable, Remark};
use super::sentence::{PValue, Rounded};
use super::settings::{AssignedOn, Clusters, ListedUnlike, StrategyPeriod, StrategySettings};
use crate::domain::{Day, Design, EffectMethod as Method, Outcome};
use crate::error::Result;
use crate::stats::{Shape, printed};

/// Two time spans have equal length if they differ by at most one part in this many. Months differ by a tenth.
const LENGTH_TOLERANCE: u64 = 8;

/// What is checked of arms that are compared.
#[derive(Default)]
pub(super) struct ArmChecks {
    /// The split check.
    pub srm_p: Option<f64>,
    /// What is wrong with the design, so that there is no number.
    failed: Option<NotEstimable>,
    /// What a reader of a verdict must know besides.
    pub remarks: Vec<Remark>,
}

/// Arms that are compared with one of them: all treated arms with the control, or the first arm of a pair with the second.
struct CheckedArms<'t, 'a> {
    treated: &'t [&'a str],
    control: &'a str,
    is_pair: bool,
}

/// A strategy's period and what is known of it before any effect is computed.
pub(super) struct PeriodDiagnostics<'a> {
    pub strategy: &'a StrategySettings,
    pub period: &'a StrategyPeriod,
    /// The treated arms: those planned and those found, sorted.
    pub treated: Vec<&'a str>,
    /// The checks of all arms together, for contrasts with the control.
    with_control: ArmChecks,
    /// The pairs with the checks of their two arms.
    pairs: Vec<([&'a str; 2], ArmChecks)>,
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
    /// What other strategies cost that its cost is made of, over whom it is shared out as well.
    pub costs_of_others: Option<f64>,
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
            all_treated += during.customers(TOTAL, &quantity, arm, None);
        }
        let mut diagnostics = PeriodDiagnostics {
            strategy,
            period,
            contaminated_p: checks::contaminated_p(strategy, during)?,
            strata: strategy.design == Design::Randomised && cells.iter().any(|cell| *cell != ALL),
            headline: strategy.primary.method,
            fallback: None,
            with_control: ArmChecks::default(),
            pairs: Vec::new(),
            treated,
            all_treated,
            costs_of_others: None,
        };
        if controlled {
            let all = CheckedArms { treated: &diagnostics.treated, control: &strategy.control, is_pair: false };
            diagnostics.with_control = diagnostics.arm_checks(all, during, &quantity)?;
            for [first, second] in &strategy.pairs {
                let of = CheckedArms { treated: &[first], control: second, is_pair: true };
                diagnostics.pairs.push(([first, second], diagnostics.arm_checks(of, during, &quantity)?));
            }
        }
        diagnostics.choose_headline(&cells);
        Ok(diagnostics)
    }

    /// What is paid in the period besides the cost of customers: the fixed cost, and the costs of other strategies.
    pub fn period_cost(&self) -> Option<f64> {
        let fixed = self.strategy.fixed_cost.map(|cost| printed(cost.digits, cost.scale));
        fixed.map(|fixed| fixed + self.costs_of_others.unwrap_or(0.0)).or(self.costs_of_others)
    }

    /// The arms that are compared: every treated arm with the control, then the pairs.
    pub fn contrasts(&self) -> impl Iterator<Item = [&'a str; 2]> {
        let control: &'a str = &self.strategy.control;
        self.treated.iter().map(move |arm| [*arm, control]).chain(self.pairs.iter().map(|(pair, _)| *pair))
    }

    /// Whether an arm that others are compared with is a treated one.
    pub fn is_pair(&self, against: &str) -> bool {
        against != self.strategy.control
    }

    /// The checks of two arms.
    pub fn checks(&self, arm: &str, against: &str) -> &ArmChecks {
        self.pairs.iter().find(|(pair, _)| *pair == [arm, against]).map_or(&self.with_control, |(_, checks)| checks)
    }

    fn arm_checks(&self, of: CheckedArms<'_, 'a>, during: &PeriodSums<'a>, quantity: &Quantity) -> Result<ArmChecks> {
        let pair = of.treated.first().filter(|_| of.is_pair).map(|first| [*first, of.control]);
        let is_drawn = self.strategy.design == Design::Randomised;
        let srm_p = if is_drawn { checks::split_p(self.strategy, self.period, during, quantity, pair) } else { None };
        Ok(ArmChecks {
            srm_p,
            failed: self.failed_check(&of, srm_p, during, quantity)?,
            remarks: self.remarks(&of, during, quantity)?,
        })
    }

    /// What a reader of a verdict must know.
    fn remarks(&self, of: &CheckedArms<'_, 'a>, during: &PeriodSums<'a>, quantity: &Quantity) -> Result<Vec<Remark>> {
        let CheckedArms { treated, control, is_pair } = *of;
        let mut remarks: Vec<Remark> = checks::treated_after(during, control, treated)?.into_iter().collect();
        // Both arms of a pair are to be contacted.
        remarks.extend(match is_pair {
            true => checks::stray_contacts(during, None, &[treated, &[control]].concat())?,
            false => checks::stray_contacts(during, Some(control), treated)?,
        });
        if self.strategy.design == Design::Randomised {
            remarks.extend(self.period.whole_columns.iter().map(|column| Remark::WholeColumn { column: column.as_str().into() }));
            // A dimension or a column has been named already.
            let is_named = |scheme: &&str| self.period.whole_columns.iter().any(|column| column == scheme);
            let scheme = checks::whole_states(self.strategy, during, quantity)?.filter(|scheme| !is_named(scheme));
            remarks.extend(scheme.map(|scheme| Remark::WholeStates { scheme: scheme.into() }));
        }
        Ok(remarks)
    }

    /// What makes the rows of a state null: arms kept from an earlier period have made their states, unless these are from before
    /// the first assignment.
    pub fn state_obstacle(&self, group: Group<'_>) -> Option<NotEstimable> {
        let is_shaped = group != TOTAL && self.states_since(group).is_none();
        self.contaminated_p.filter(|_| is_shaped).map(|p| NotEstimable::ShapedStates { p: PValue(p) })
    }

    /// The day before the first assignments, if the customers of a group are in its state since before their first one.
    pub fn states_since(&self, group: Group<'_>) -> Option<Day> {
        let kept = self.period.kept.as_ref().filter(|_| group != TOTAL && self.strategy.has_states(group.0))?;
        Some(kept.since)
    }

    /// The first check of the design that fails.
    fn failed_check(
        &self,
        of: &CheckedArms<'_, 'a>,
        srm_p: Option<f64>,
        during: &PeriodSums<'_>,
        quantity: &Quantity,
    ) -> Result<Option<NotEstimable>> {
        let PeriodDiagnostics { strategy, period, .. } = self;
        if let Some(excluded) = checks::everybody_excluded(during)? {
            return Ok(Some(NotEstimable::EverybodyExcluded { customers: excluded }));
        }
        let Clusters { all, mixed } = period.clusters;
        if let Some(column) = strategy.cluster.as_deref().filter(|_| mixed > 0) {
            return Ok(Some(NotEstimable::MixedClusters { mixed, clusters: all, column: column.into() }));
        }
        if strategy.design == Design::Randomised && checks::are_strata_whole(period, during, quantity) {
            return Ok(Some(NotEstimable::WholeStrata));
        }
        if let Some(ListedUnlike { p, arm, share, of_control }) =
            period.kept.as_ref().and_then(|kept| kept.listed_unlike.as_ref())
        {
            let [share, of_control] = [share, of_control].map(|share| Rounded::new(share * 100.0, 1));
            let (arm, control) = (arm.as_str().into(), strategy.control.as_str().into());
            return Ok(Some(NotEstimable::ListedUnlike { share, arm, of_control, control, p: PValue(*p) }));
        }
        if let Some(p) = srm_p.filter(|p| *p < checks::FAILED) {
            return Ok(Some(NotEstimable::FailedSplit { p: PValue(p) }));
        }
        if let AssignedOn::Apart { difference, arm, share } = &period.assigned_on {
            let share = Rounded::new(share * 100.0, 1);
            return Ok(Some(NotEstimable::DaysApart { p: PValue(difference.p), share, arm: arm.as_str().into() }));
        }
        if let Some(reason) = checks::treated_before(during, of.control, of.treated)? {
            return Ok(Some(reason));
        }
        // Arms that an earlier period has treated differ by that, as they should.
        let is_fresh = strategy.design == Design::Randomised && period.baseline.is_some() && self.contaminated_p.is_none();
        if !is_fresh {
            return Ok(None);
        }
        let is_first = strategy.periods.first() == Some(period) || !checks::some_recur(during)?;
        checks::unlike_before(strategy, during, (of.control, of.treated), is_first)
    }

    /// Whether the strata of these cells were planned with different shares, so that pooling them confounds.
    pub fn unequal(&self, cells: &[&str]) -> bool {
        let shares: Vec<_> = cells.iter().map(|cell| self.strategy.split.of(self.period.assigned_on.stratum(cell))).collect();
        shares.windows(2).any(|pair| pair[0] != pair[1])
    }

    /// The primary method; post-stratification where strata have different shares or arms were assigned on different days; without a
    /// fair baseline, the same without one.
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
                self.headline = if self.headline.permutes() { Method::Permutation } else { Method::Welch };
            }
            // The usual method is the other one where there is no baseline, which is nothing to tell.
            self.fallback.take_if(|why| *why == NotEstimable::NoBaseline && self.headline.permutes());
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
        let all = self.strategy.methods().iter().copied();
        all.filter(|m| match m {
            // A method that leads in one period has rows in all.
            Method::PostStratified => {
                self.strata || self.strategy.periods.iter().any(|p| matches!(p.assigned_on, AssignedOn::Strata { .. }))
            }
            // Without a baseline there is a row only where one was asked for, to say so.
            Method::Cuped => self.period.baseline.is_some() || self.strategy.primary.method == Method::Cuped,
            Method::PermutationBaseline => self.period.baseline.is_some(),
            _ => true,
        })
    }

    /// Whether customers have the number in the baseline, too: a move is made after it, and `retained` needs the time before.
    pub fn has_before(&self, outcome: &Outcome) -> bool {
        self.period.baseline.is_some()
            && outcome.moved_in().is_none()
            && (*outcome != Outcome::Retained || self.period.knows_before_baseline)
            && (outcome.event_kind().is_none() || self.period.knows_events[0])
    }

    /// Whether the comparison with alike customers can be made of the time before anybody was treated, too.
    pub fn has_placebo(&self, outcome: &Outcome) -> bool {
        self.strategy.design == Design::Matched
            && outcome.shape() == Shape::Mean
            && self.has_before(outcome)
            && self.period.knows_before_baseline
            && (*outcome != Outcome::Retained || self.period.knows_before_placebo)
            && (outcome.event_kind().is_none() || self.period.knows_events[1])
            && self.period.has_earlier_cells
            && self.unequal_days().is_none()
            && self.contaminated_p.is_none()
    }

    /// The days of the baseline and of the outcomes, if their lengths differ too much for a comparison.
    pub fn unequal_days(&self) -> Option<(i32, i32)> {
        let (baseline, outcomes) = self.period.days;
        let apart = i64::from(baseline).abs_diff(outcomes.into());
        (apart * LENGTH_TOLERANCE > outcomes.unsigned_abs().into()).then_some((baseline, outcomes))
    }

    /// What makes all numbers of two arms' contrast null for an outcome, phase and method.
    pub fn obstacle(&self, checks: &ArmChecks, outcome: &Outcome, phase: Phase, method: Method) -> Option<NotEstimable> {
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
        if let Some(reason) = &checks.failed {
            return Some(reason.clone());
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
