//! From the rows of evaluation to those of the tables: numbers as they are, everything else as text.

use super::rows::{BalanceRow, BeforeAfterRow, EffectRow, OverTimeRow, VerdictRow};
use crate::tables;

impl From<&EffectRow> for tables::EffectRow {
    fn from(row: &EffectRow) -> tables::EffectRow {
        tables::EffectRow {
            strategy: row.strategy.clone(),
            period_start: Some(row.period.start),
            period_end: Some(row.period.last_day()),
            phase: Some(row.phase.to_string()),
            arm: row.arm.clone(),
            outcome: row.outcome.to_string(),
            scheme: row.scheme.clone(),
            state: row.state.clone(),
            method: row.method.to_string(),
            design: Some(row.design.to_string()),
            headline: Some(row.headline),
            n_treated: Some(row.n_treated),
            n_control: Some(row.n_control),
            mean_treated: row.mean_treated,
            mean_control: row.mean_control,
            difference: row.difference,
            ci_low: row.ci_low,
            ci_high: row.ci_high,
            p_value: row.p_value,
            p_adjusted: row.p_adjusted,
            family_size: Some(row.family_size),
            lift: row.lift,
            lift_low: row.lift_low,
            lift_high: row.lift_high,
            mde: row.mde,
            srm_p: row.srm_p,
            incremental: row.incremental,
            cost: row.cost,
            roi: row.roi,
            roi_low: row.roi_low,
            roi_high: row.roi_high,
            net_margin_per_customer: row.net_margin_per_customer,
            net_margin_low: row.net_margin_low,
            net_margin_high: row.net_margin_high,
            excluded: Some(row.excluded),
            not_estimable: row.not_estimable.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&OverTimeRow> for tables::PooledEffectRow {
    fn from(row: &OverTimeRow) -> tables::PooledEffectRow {
        tables::PooledEffectRow {
            strategy: row.strategy.clone(),
            phase: Some(row.phase.to_string()),
            arm: row.arm.clone(),
            outcome: row.outcome.to_string(),
            scheme: row.scheme.clone(),
            state: row.state.clone(),
            method: row.method.to_string(),
            periods: Some(row.periods),
            n_treated: Some(row.n_treated),
            n_control: Some(row.n_control),
            mean_control: row.mean_control,
            difference: row.difference,
            ci_low: row.ci_low,
            ci_high: row.ci_high,
            p_value: row.p_value,
            lift: row.lift,
            lift_low: row.lift_low,
            lift_high: row.lift_high,
            q_difference: row.q_difference,
            q_difference_p: row.q_difference_p,
            q_lift: row.q_lift,
            q_lift_p: row.q_lift_p,
            recurring_share: row.recurring_share,
            clustered: Some(row.clustered),
            not_estimable: row.not_estimable.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&VerdictRow> for tables::VerdictRow {
    fn from(row: &VerdictRow) -> tables::VerdictRow {
        tables::VerdictRow {
            strategy: row.strategy.clone(),
            arm: row.arm.clone(),
            period_start: row.period.map(|period| period.start),
            period_end: row.period.map(|period| period.last_day()),
            scheme: row.scheme.clone(),
            state: row.state.clone(),
            verdict: row.verdict.to_string(),
            reason: Some(row.reason.to_string()),
            outcome: Some(row.outcome.to_string()),
            method: row.method.as_ref().map(ToString::to_string),
            difference: row.difference,
            shrunk_difference: row.shrunk_difference,
            shrunk_low: row.shrunk_low,
            rank: row.rank,
        }
    }
}

impl From<&BalanceRow> for tables::BalanceRow {
    fn from(row: &BalanceRow) -> tables::BalanceRow {
        tables::BalanceRow {
            strategy: row.strategy.clone(),
            period_start: Some(row.period.start),
            period_end: Some(row.period.last_day()),
            arm: row.arm.clone(),
            scheme: row.scheme.clone(),
            state: row.state.clone(),
            covariate: row.covariate.clone(),
            n_treated: Some(row.n_treated),
            n_control: Some(row.n_control),
            mean_treated: row.mean_treated,
            mean_control: row.mean_control,
            smd_before: row.smd_before,
            smd_after: row.smd_after,
            unmatched_share: row.unmatched_share,
        }
    }
}

impl From<&BeforeAfterRow> for tables::BeforeAfterRow {
    fn from(row: &BeforeAfterRow) -> tables::BeforeAfterRow {
        tables::BeforeAfterRow {
            strategy: row.strategy.clone(),
            period_start: Some(row.period.start),
            period_end: Some(row.period.last_day()),
            arm: row.arm.clone(),
            outcome: row.outcome.to_string(),
            scheme: row.scheme.clone(),
            state: row.state.clone(),
            customers: Some(row.customers),
            mean_before: row.mean_before,
            mean_after: row.mean_after,
            change: row.change,
            expected_change: row.expected_change,
            note: Some(row.note.to_string()),
        }
    }
}
