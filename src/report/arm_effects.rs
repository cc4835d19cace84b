//! The tables of effects as a reader asks for them: per strategy and two arms, what came out overall, by period and by tier.

use jiff::ToSpan;

use super::at_cut::THRESHOLD;
use super::data::{EffectRow, EffectToDateRow, PooledEffectRow, ReportData, VerdictRow};
use super::language::Words;
use crate::domain::{ALL, Day};

/// The verdict where design or data allow none.
const CANNOT_SAY: &str = "cannot_say";

/// An arm of a strategy against its control, or against another treated arm.
#[derive(Debug)]
pub(super) struct ArmEffects<'a> {
    pub strategy: &'a str,
    pub arm: &'a str,
    /// The other arm, if that is a treated one.
    pub pair_with: Option<&'a str>,
    /// Whether its strategy has other treated arms.
    is_one_of_several: bool,
    /// Headline rows over all customers, by period and phase.
    pub periods: Vec<&'a EffectRow>,
    /// Headline rows of states in the last period that has any.
    pub tiers: Vec<&'a EffectRow>,
    /// The headline estimate over all periods: for all customers, then by state.
    pub pooled: Vec<&'a PooledEffectRow>,
    /// What all customers did more so far, period after period, by outcome.
    pub to_date: Vec<&'a EffectToDateRow>,
    /// Rows of other outcomes and methods over all customers in the last period.
    pub others: Vec<&'a EffectRow>,
    /// Verdicts; those over all periods first, then the last period first.
    pub verdicts: Vec<&'a VerdictRow>,
}

/// What is known of an estimate: by its net margin where cost and margin are known, else by the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It earned money: the adjusted interval of the net margin lies above 0.
    Earned,
    /// It lost money: that interval lies below 0.
    Lost,
    /// It works: the adjusted interval of the difference lies above 0, and money is not known.
    Works,
    /// It works, but the interval of the net margin holds 0.
    Unpaid,
    /// It harms: that interval lies below 0, and money is not known.
    Harms,
    /// The interval holds 0.
    Open,
    /// There is no estimate.
    Nothing,
}

/// A strategy, its arm and the other arm.
type Names<'a> = (&'a str, &'a str, Option<&'a str>);

/// The arms of all strategies but those of design threshold, in the order of the tables.
pub(super) fn arms(data: &ReportData) -> Vec<ArmEffects<'_>> {
    let mut names: Vec<Names<'_>> = Vec::new();
    let effects = data.effects.iter().flatten().filter(|r| r.method != THRESHOLD);
    let effects = effects.map(|r| (r.strategy.as_str(), r.arm.as_str(), r.against.as_deref()));
    let verdicts = data.verdicts.iter().flatten().filter(|r| r.method.as_deref() != Some(THRESHOLD));
    let verdicts = verdicts.map(|r| (r.strategy.as_str(), r.arm.as_str(), r.against.as_deref()));
    for name in effects.chain(verdicts) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    // Every treated arm is compared with the control, so what others are compared with is a treated arm if it is one itself.
    let is_treated = |strategy: &str, arm: &str| names.iter().any(|name| (name.0, name.1) == (strategy, arm));
    let pair_with = |name: &Names<'_>| name.2.is_some_and(|against| is_treated(name.0, against));
    let is_one_of_several = |name: &Names<'_>| names.iter().any(|other| other.0 == name.0 && other.1 != name.1);
    names.iter().map(|name| ArmEffects::of(data, *name, pair_with(name), is_one_of_several(name))).collect()
}

impl<'a> ArmEffects<'a> {
    fn of(data: &'a ReportData, names: Names<'a>, is_pair: bool, is_one_of_several: bool) -> ArmEffects<'a> {
        let (strategy, arm, against) = names;
        let of_arm = || data.effects.iter().flatten().filter(move |r| (&*r.strategy, &*r.arm, r.against.as_deref()) == names);
        let headline = || of_arm().filter(|r| r.headline == Some(true));
        let mut periods: Vec<&EffectRow> = headline().filter(|r| r.state == ALL).collect();
        periods.sort_by_key(|r| (r.period_start, r.phase.clone()));
        let last = headline().filter(|r| r.state != ALL).filter_map(|r| r.period_start).max();
        let tiers = headline().filter(|r| r.state != ALL && r.period_start == last).collect();
        let last = of_arm().filter_map(|r| r.period_start).max();
        let others = of_arm().filter(|r| r.state == ALL && r.period_start == last && r.headline != Some(true)).collect();
        let primary =
            periods.first().or(headline().next().as_ref()).map(|r| (r.outcome.as_str(), r.method.as_str(), r.phase.as_deref()));
        let pooled = data.effects_over_time.iter().flatten().filter(|r| (&*r.strategy, &*r.arm, r.against.as_deref()) == names);
        let pooled = pooled.filter(|r| Some((r.outcome.as_str(), r.method.as_str(), r.phase.as_deref())) == primary);
        let to_date = data.effects_to_date.iter().flatten();
        let to_date = to_date.filter(|r| (&*r.strategy, &*r.arm, r.against.as_deref()) == names).collect();
        let mut verdicts: Vec<&VerdictRow> =
            data.verdicts.iter().flatten().filter(|r| (&*r.strategy, &*r.arm, r.against.as_deref()) == names).collect();
        verdicts.sort_by_key(|r| (r.period_start.is_some(), std::cmp::Reverse(r.period_start)));
        let pair_with = against.filter(|_| is_pair);
        ArmEffects {
            strategy,
            arm,
            pair_with,
            is_one_of_several,
            periods,
            tiers,
            pooled: pooled.collect(),
            to_date,
            others,
            verdicts,
        }
    }

    /// The arm, and the other one of a pair.
    pub fn name(&self, words: &Words) -> String {
        match self.pair_with {
            Some(against) => words.fill("strategy.pair", &[("arm", self.arm), ("against", against)]),
            None => self.arm.to_owned(),
        }
    }

    /// The strategy, and its arm if it has several.
    pub fn called(&self, words: &Words) -> String {
        match self.is_one_of_several {
            true => words.fill("story.strategy.arm", &[("strategy", self.strategy), ("arm", &self.name(words))]),
            false => self.strategy.to_owned(),
        }
    }

    /// The estimate over all customers in the last period.
    pub fn overall(&self) -> Option<&'a EffectRow> {
        self.periods.last().copied()
    }

    /// The verdict over all customers, in the last period.
    pub fn overall_verdict(&self) -> Option<&'a VerdictRow> {
        let of_all = || self.verdicts.iter().filter(|v| v.state == ALL);
        of_all().find(|v| v.period_start.is_some()).or_else(|| of_all().next()).copied()
    }

    /// The effect of the same period last year, if the strategy had one.
    pub fn last_year(&self, row: &EffectRow) -> Option<&'a EffectRow> {
        let start = Day::from_date(row.period_start?.to_date().checked_sub(1.year()).ok()?);
        self.periods.iter().find(|other| other.period_start == Some(start) && other.phase == row.phase).copied()
    }

    /// The verdict over all customers and all periods, if there are several.
    pub fn pooled_verdict(&self) -> Option<&'a VerdictRow> {
        self.verdicts.iter().find(|v| v.state == ALL && v.period_start.is_none()).filter(|_| self.has_several()).copied()
    }

    /// Whether more than one period has an estimate.
    fn has_several(&self) -> bool {
        self.periods.iter().filter(|row| row.difference.is_some()).nth(1).is_some()
    }

    /// The verdicts to show: over all periods, if there are several, and of the last period; all customers first.
    pub fn current(&self) -> Vec<&'a VerdictRow> {
        let last = self.verdicts.iter().filter_map(|v| v.period_start).max();
        let pooled = self.has_several() || last.is_none();
        let current = self.verdicts.iter().filter(|v| if v.period_start.is_none() { pooled } else { v.period_start == last });
        let mut out: Vec<&VerdictRow> = current.copied().collect();
        out.sort_by_key(|v| v.state != ALL);
        out
    }

    /// The verdict to act on over all customers: over all periods, if several have an estimate, else that of the last period.
    pub fn decided_overall(&self) -> Option<&'a VerdictRow> {
        self.pooled_verdict().or_else(|| self.overall_verdict())
    }

    /// The verdicts to act on, tier by tier, likewise.
    pub fn decided_tiers(&self) -> Vec<&'a VerdictRow> {
        let mut out: Vec<&VerdictRow> = Vec::new();
        // Those over all periods come first, and only where several have an estimate.
        for verdict in self.current().into_iter().filter(|v| v.state != ALL) {
            if !out.iter().any(|v| (&v.scheme, &v.state) == (&verdict.scheme, &verdict.state)) {
                out.push(verdict);
            }
        }
        out
    }

    /// Whether it is held against alike customers, who were not drawn.
    pub fn is_matched(&self) -> bool {
        self.periods.iter().any(|row| row.design.as_deref() == Some("matched"))
    }

    /// How many periods the estimate over all periods rests on.
    pub fn period_count(&self) -> Option<i64> {
        self.pooled.iter().find(|row| row.state == ALL).and_then(|row| row.periods)
    }

    /// How many comparisons a verdict allows for.
    pub fn family_of(&self, verdict: &VerdictRow) -> Option<i64> {
        let is_of = |scheme: &str, state: &str| scheme == verdict.scheme && state == verdict.state;
        match verdict.period_start {
            None => self.pooled.iter().find(|r| is_of(&r.scheme, &r.state)).and_then(|r| r.family_size),
            start => {
                let mut rows = self.tiers.iter().chain(&self.periods);
                rows.find(|r| r.period_start == start && is_of(&r.scheme, &r.state)).and_then(|r| r.family_size)
            }
        }
    }

    /// The phases there are.
    pub fn phases(&self) -> usize {
        let mut phases: Vec<&Option<String>> = self.periods.iter().map(|r| &r.phase).collect();
        phases.sort();
        phases.dedup();
        phases.len()
    }
}

impl Known {
    /// What a verdict rests on says.
    pub fn of(verdict: &VerdictRow) -> Known {
        let money = verdict.net_margin_low_adjusted.zip(verdict.net_margin_high_adjusted);
        let outcome = verdict.ci_low_adjusted.zip(verdict.ci_high_adjusted);
        match (money, outcome) {
            _ if verdict.verdict == CANNOT_SAY => Known::Nothing,
            (Some((low, _)), _) if low > 0.0 => Known::Earned,
            (Some((_, high)), _) if high < 0.0 => Known::Lost,
            (Some(_), Some((low, _))) if low > 0.0 => Known::Unpaid,
            (Some(_), _) => Known::Open,
            (None, Some((low, _))) if low > 0.0 => Known::Works,
            (None, Some((_, high))) if high < 0.0 => Known::Harms,
            (None, Some(_)) => Known::Open,
            (None, None) => Known::Nothing,
        }
    }
}
