//! What to do now: the states to act on, with their customers and money, and what is known of acting on them.

use std::cmp::Reverse;

use serde::Serialize;

use crate::domain::Decimal;
use crate::report::arm_effects::{Known, arms};
use crate::report::data::{SegmentRow, VerdictRow};
use crate::report::view::View;
use crate::tables::Value;

/// A state to act on.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Task {
    /// Scheme column of the job.
    pub scheme: String,
    /// State of it.
    pub state: String,
    /// Customers in it; `None` if they are too few to be shown.
    pub customers: Option<i64>,
    /// What they spent in the year up to their last order.
    pub annual_value: Value,
    /// Whether the scheme marks it as at risk.
    pub at_risk: bool,
    /// What the playbook says to do; empty without one.
    pub action: String,
    /// What is known of a strategy for this state.
    pub evidence: Option<Evidence>,
    /// Whether its numbers are hidden.
    #[serde(skip)]
    pub suppressed: bool,
}

/// What is known of a strategy for a state.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Evidence {
    /// The strategy.
    pub strategy: String,
    /// Its arm.
    pub arm: String,
    /// Its verdict for the state: over all periods, if several have an estimate, else of the last one.
    pub verdict: String,
    /// What the verdict rests on, in words.
    pub estimate: String,
    /// Lower end of the adjusted interval of the net margin per customer, if money is known.
    pub net_margin_low: Option<f64>,
    /// Whether it was held against alike customers, which shows no cause.
    #[serde(skip)]
    pub is_matched: bool,
}

/// The states to act on, the most worthwhile first: what is shown to work, by the lower end of its net margin times customers;
/// then what is open or not tested, by annual value; last what should stop.
pub(super) fn list(view: &View) -> Vec<Task> {
    let Some(now) = view.last() else { return Vec::new() };
    let arms = arms(view.data);
    let risk_scheme = view.risk_scheme().map(|scheme| scheme.name.clone());
    let mut tasks = Vec::new();
    for scheme in &view.schemes {
        for state in &scheme.states {
            let Some(row) = view.segment(now, &scheme.name, &state.name) else { continue };
            let verdicts = arms.iter().filter(|arm| arm.pair_with.is_none()).flat_map(|arm| {
                let of_state = |verdict: &&VerdictRow| verdict.scheme == scheme.name && verdict.state == state.name;
                arm.decided_tiers().into_iter().find(of_state).map(|verdict| Evidence {
                    strategy: arm.strategy.to_owned(),
                    arm: arm.arm.to_owned(),
                    verdict: verdict.verdict.clone(),
                    estimate: if Known::of(verdict) == Known::Nothing { String::new() } else { view.estimate(verdict) },
                    net_margin_low: verdict.net_margin_low_adjusted,
                    is_matched: arm.is_matched(),
                })
            });
            let evidence =
                verdicts.min_by(|a, b| (standing(Some(a)), Reverse(least(a))).cmp(&(standing(Some(b)), Reverse(least(b)))));
            let at_risk = state.at_risk && risk_scheme.as_ref() == Some(&scheme.name);
            if row.customers != Some(0) && (at_risk || !state.action.is_empty() || evidence.is_some()) {
                tasks.push(task(row, at_risk, state.action.clone(), evidence));
            }
        }
    }
    tasks.sort_by_key(order);
    tasks
}

fn task(row: &SegmentRow, at_risk: bool, action: String, evidence: Option<Evidence>) -> Task {
    Task {
        scheme: row.scheme.clone(),
        state: row.state.clone(),
        customers: row.customers,
        annual_value: row.annual_value.map_or(Value::Null, Value::Money),
        at_risk,
        action,
        evidence,
        suppressed: row.suppressed,
    }
}

/// What is shown to work stands first, what is open next, what should stop last.
fn standing(evidence: Option<&Evidence>) -> u8 {
    let shows_effect = evidence.is_some_and(|evidence| !evidence.is_matched);
    match evidence.map(|evidence| evidence.verdict.as_str()) {
        Some("scale") if shows_effect => 0,
        Some("keep") if shows_effect => 1,
        Some("stop") => 3,
        _ => 2,
    }
}

/// The least that it brings per customer, in millionths.
fn least(evidence: &Evidence) -> i64 {
    (evidence.net_margin_low.unwrap_or(0.0) * 1e6) as i64
}

/// The order of tasks.
fn order(task: &Task) -> (u8, Reverse<i128>, Reverse<i128>) {
    let value = match task.annual_value {
        Value::Money(Decimal { digits, .. }) => digits,
        _ => 0,
    };
    let place = standing(task.evidence.as_ref());
    let gain = task.evidence.as_ref().filter(|_| place < 2).map_or(0, least);
    (place, Reverse(i128::from(gain) * i128::from(task.customers.unwrap_or(0))), Reverse(value))
}
