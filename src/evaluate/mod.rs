//! Strategy evaluation: from exact sums per arm to effects, their course over periods, and verdicts.
//!
//! Pure: [`evaluate()`] sees no customer, no order and no file. An engine fills [`Arms`], a job file gives [`Strategy`]s, and
//! the rows of [`Evaluation`] follow from these alone, so that two engines with equal sums print equal digits.
//! `docs/STRATEGIES.md` has formulas, designs, reasons and the rules of verdicts in words.

mod arms;
mod balance;
mod before_after;
mod effect;
mod family;
mod outcome;
mod over_time;
mod reason;
mod rows;
mod standing;
mod strategy;
mod verdict;

pub use arms::{ALL, ArmKey, Arms, EVERYBODY, PairEnd, PairKey, Period, Phase, Quantity};
pub use reason::NotEstimable;
pub use rows::{BalanceRow, BeforeAfterRow, EffectRow, Evaluation, OverTimeRow, Verdict, VerdictRow};
pub use strategy::{Primary, Split, Strategy, StrategyPeriod};

pub use crate::domain::{Design, EffectMethod as Method, Outcome};

use rayon::prelude::*;

use crate::error::Result;

/// Evaluates all strategies of a job together: their headline rows are one family.
///
/// # Errors
/// Exit 2 if a strategy's settings contradict each other, exit 3 if sums of cells leave 128 bits.
pub fn evaluate(strategies: &[Strategy], arms: &Arms) -> Result<Evaluation> {
    strategies.iter().try_for_each(Strategy::check)?;
    let index = arms::Index::new(arms);
    let mut standings = Vec::new();
    for (number, strategy) in strategies.iter().enumerate() {
        for period in &strategy.periods {
            standings.push((number, standing::Standing::new(strategy, period, &index)?));
        }
    }
    let mut out = Evaluation::default();
    let mut effects = Vec::new();
    let estimates: Vec<Result<Vec<_>>> = standings.par_iter().map(|(_, standing)| effect::effects(standing, &index)).collect();
    for (at, ((_, standing), estimates)) in standings.iter().zip(estimates).enumerate() {
        effects.extend(estimates?.into_iter().map(|effect| (at, effect)));
        out.balance.extend(balance::balance(standing, &index)?);
        out.before_after.extend(before_after::before_after(standing, &index)?);
    }
    family::adjust(&mut effects);
    let by_strategy: Vec<_> = effects.iter().map(|(at, effect)| (standings[*at].0, effect)).collect();
    let over_time = over_time::over_time(&by_strategy, arms, &index)?;
    out.effects = effects.par_iter().map(|(_, effect)| effect.row()).collect();
    out.verdicts = verdict::verdicts(&standings, &by_strategy, &over_time);
    out.over_time = over_time.par_iter().map(over_time::OverTime::row).collect();
    Ok(out)
}
