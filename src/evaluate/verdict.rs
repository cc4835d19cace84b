//! Verdicts by stated rules.
//!
//! A verdict rests on the headline row of a strategy, arm, state and period, and over all periods on the pooled row: on the
//! adjusted interval of its difference, and, where cost and margin are known, on that of net money per treated customer. An
//! effect, or a loss, is shown where the interval leaves 0 out. The first rule that holds decides:
//!
//! | verdict | rule |
//! |---|---|
//! | `cannot_say` | no control arm; no estimate (the reason is the row's); over all periods, less than 80 % of the treated covered; a matched strategy without placebos, without both ends of the bracket, with an end that is not shown, alone and less its placebo, on the same side of 0, or with at most half of the treated in matched cells |
//! | `stop` | net money is shown to be lost; or the outcome is shown to fall, and net money is not shown to be gained |
//! | `scale` | net money is shown to be gained, and the outcome is not shown to fall |
//! | `keep` | the outcome is shown to rise |
//! | `test_longer` | everything else |
//!
//! Over all periods, `scale` and `stop` are withheld where periods disagree: the intervals of two lie on opposite sides of 0, or
//! the sign changes without one of them. A guardrail that falls turns `scale` and `keep` into `test_longer`. A matched
//! strategy is `keep` at best, and never `stop`.

mod in_period;
mod matched;
mod over_periods;
mod rules;
mod subject;

use std::collections::BTreeMap;

use super::diagnostics::PeriodDiagnostics;
use super::draft::DraftVerdict;
use super::effect::Effect;
use super::lead::Lead;
use super::pooled::PooledEffect;
use super::rank::rank;
use crate::tables::VerdictRow;

/// Verdicts of every period, then over all periods, each with its rank.
///
/// `all_diagnostics` and `effects` come with the number of their strategy.
pub(super) fn verdicts(
    all_diagnostics: &[(usize, PeriodDiagnostics<'_>)],
    effects: &[(usize, &Effect<'_>)],
    pooled: &[PooledEffect<'_>],
    leads: &BTreeMap<usize, Lead>,
) -> Vec<VerdictRow> {
    let mut drafts: Vec<DraftVerdict> = in_period::verdicts(all_diagnostics, effects);
    drafts.extend(over_periods::verdicts(pooled, leads));
    rank(&mut drafts);
    drafts.into_iter().map(|draft| draft.row).collect()
}
