//! Strategy evaluation: from exact sums per arm to effects, their course over periods, and verdicts.
//!
//! Pure: [`evaluate()`] sees no customer, no order and no file. An engine fills [`ArmSums`], a job file gives [`StrategySettings`], and
//! the rows of [`Evaluation`] follow from these alone, so that two engines with equal sums print equal digits.
//! `docs/STRATEGIES.md` has formulas, designs, reasons and the rules of verdicts in words.

mod arm_sums;
mod arm_table;
mod balance;
mod before_after;
mod checks;
mod compare;
mod costs_of;
mod diagnostics;
mod draft;
mod effect;
mod family;
mod lead;
mod outcome;
mod placebo;
mod pooled;
mod rank;
mod reason;
pub mod sentence;
mod settings;
mod threshold;
mod to_date;
mod verdict;

pub use arm_sums::{ALL, ArmKey, ArmSums, EVERYBODY, PairEnd, PairKey, Phase, Quantity, Since, UNASSIGNED};
pub use checks::{FAILED, lie_whole};
pub use outcome::{Digits, NET_DIGITS};
pub use reason::{
    BeforeAfterNote, Caveat, Change, Disagreement, Expectation, Finding, NetMargin, NotEstimable, Remark, VerdictReason,
};
pub use settings::{
    AssignedOn, Clusters, Guardrail, KeptArms, ListedUnlike, Primary, Split, StrategyPeriod, StrategySettings, UnlikeDays,
};

pub use threshold::{BELOW, BEYOND, CutOutcome, CutPeriod};

pub use crate::domain::{Design, EffectMethod as Method, Outcome, Period};

use rayon::prelude::*;

use crate::error::Result;
use crate::tables::{
    BalanceRow, BeforeAfterRow, EffectRow, EffectToDateRow, PooledEffectRow, ThresholdBinRow, ThresholdRow, VerdictRow,
};

/// The rows of the tables of strategies. A number that is not there is `None`, never NaN.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// One row per strategy, period, phase, arm, outcome, state and method.
    pub effects: Vec<EffectRow>,
    /// The same over all periods.
    pub over_time: Vec<PooledEffectRow>,
    /// The same so far, through each period in turn, for all customers of randomised strategies.
    pub to_date: Vec<EffectToDateRow>,
    /// One row per strategy, arm, state and period, and over all periods.
    pub verdicts: Vec<VerdictRow>,
    /// One row per strategy, period, arm, state and covariate.
    pub balance: Vec<BalanceRow>,
    /// One row per strategy, period, arm, outcome and state.
    pub before_after: Vec<BeforeAfterRow>,
    /// One row per strategy of design threshold, period and outcome.
    pub thresholds: Vec<ThresholdRow>,
    /// One row per strategy of design threshold, period, outcome and bin.
    pub threshold_bins: Vec<ThresholdBinRow>,
}

/// Evaluates all strategies of a job together: their headline rows are one family.
///
/// # Errors
/// Exit 2 if a strategy's settings contradict each other, exit 3 if sums of cells leave 128 bits.
pub fn evaluate(strategies: &[StrategySettings], arms: &ArmSums) -> Result<Evaluation> {
    evaluate_checked(strategies, arms, &[], &|_| Ok(()))
}

/// Steps of an evaluation by period: its sums are indexed, which is two of them, and its effects are estimated.
pub const STEPS_OF_PERIOD: usize = 3;

/// [`evaluate`], and of strategies of design threshold, that calls a check with the number of steps that are done since the last time.
///
/// # Errors
/// As [`evaluate`], and those of the check.
pub fn evaluate_checked(
    strategies: &[StrategySettings],
    arms: &ArmSums,
    cuts: &[CutPeriod],
    check: &(dyn Fn(usize) -> Result<()> + Sync),
) -> Result<Evaluation> {
    strategies.iter().try_for_each(StrategySettings::check)?;
    let index = arm_sums::ArmSumsIndex::new(strategies, arms, check)?;
    let mut all_diagnostics = Vec::new();
    for (number, strategy) in strategies.iter().enumerate() {
        for period in &strategy.periods {
            all_diagnostics.push((number, diagnostics::PeriodDiagnostics::new(strategy, period, &index)?));
            check(0)?;
        }
    }
    costs_of::add(&mut all_diagnostics, &index)?;
    let mut out = Evaluation::default();
    let mut effects = Vec::new();
    let periods = all_diagnostics.par_iter();
    let estimates: Vec<Result<Vec<_>>> = periods
        .map(|(_, diagnostics)| effect::effects(diagnostics, &index).and_then(|effects| check(1).map(|()| effects)))
        .collect();
    for (at, ((_, diagnostics), estimates)) in all_diagnostics.iter().zip(estimates).enumerate() {
        effects.extend(estimates?.into_iter().map(|effect| (at, effect)));
        out.balance.extend(balance::balance(diagnostics, &index)?);
        out.before_after.extend(before_after::before_after(diagnostics, &index)?);
    }
    let mut at_cuts = threshold::CutEffects::new(cuts);
    family::adjust(&mut effects, at_cuts.tests().collect());
    effect::fill_net(&mut effects);
    let by_strategy: Vec<_> = effects.iter().map(|(at, effect)| (all_diagnostics[*at].0, effect)).collect();
    let series = pooled::EffectSeries::new(&by_strategy, arms, &index);
    let mut over_time = series.over_time()?;
    let leads = lead::leads(&all_diagnostics);
    lead::adjust(&mut over_time, &leads);
    out.to_date = to_date::to_date(&over_time, &series, &leads)?;
    check(0)?;
    out.effects = effects.par_iter().map(|(_, effect)| effect.row()).collect();
    out.verdicts = verdict::verdicts(&all_diagnostics, &by_strategy, &over_time, &leads);
    out.over_time = over_time.par_iter().map(pooled::PooledEffect::row).collect();
    let at_cuts = at_cuts.rows();
    out.effects.extend(at_cuts.effects);
    out.verdicts.extend(at_cuts.verdicts);
    (out.thresholds, out.threshold_bins) = (at_cuts.thresholds, at_cuts.bins);
    Ok(out)
}
