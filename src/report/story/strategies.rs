//! Which strategy earned money, for whom, and how sure that is.

use super::answer::{Story, Tile};
use crate::domain::ALL;
use crate::evaluate::{NotEstimable, VerdictReason};
use crate::report::arm_effects::{ArmEffects, Known, arms};
use crate::report::data::EffectRow;
use crate::report::language::Sentence;
use crate::report::number::NOTHING;
use crate::report::view::View;

/// Which strategy earned money, for whom, and how sure that is.
pub(super) fn tell(story: &mut Story, view: &View) {
    let words = &view.words;
    let arms = arms(view.data);
    if arms.is_empty() {
        return;
    }
    let several = arms.len() > 1;
    let mut paragraphs = Vec::new();
    for arm in &arms {
        let mut said = vec![overall(view, arm, several)];
        said.extend(over_time(view, arm));
        paragraphs.push(said);
        if arm.refused().is_none() {
            paragraphs.extend(tiers(view, arm).into_iter().map(|s| vec![s]));
        }
    }
    let question = words.text("story.strategy.question").to_owned();
    if let Some((arm, row, value)) = best_net_margin(&arms) {
        let note = words.fill(
            "tile.strategy_note",
            &[("low", &money(view, row.net_margin_low_adjusted)), ("high", &money(view, row.net_margin_high_adjusted))],
        );
        let label = words.fill("tile.strategy", &[("strategy", arm.strategy)]);
        story.tiles.push(Tile { label, value: signed_money(view, value), note, section: "strategies" });
    }
    story.answer("strategies", "strategies", question, paragraphs);
}

/// The arm of which it is surest that it earned most per customer, over all customers in its last period.
fn best_net_margin<'a>(arms: &'a [ArmEffects<'a>]) -> Option<(&'a ArmEffects<'a>, &'a EffectRow, f64)> {
    // What an arm earned more than another treated one is not what it earned.
    let known = arms.iter().filter(|arm| arm.pair_with.is_none()).filter_map(|arm| {
        let row = arm.overall().filter(|r| arm.known(r) != Known::Nothing)?;
        Some((arm, row, row.net_margin_per_customer?))
    });
    let low = |row: &EffectRow| row.net_margin_low_adjusted.unwrap_or(f64::MIN);
    known.max_by(|a, b| low(a.1).total_cmp(&low(b.1)))
}

fn money(view: &View, x: Option<f64>) -> String {
    x.map_or(NOTHING.into(), |x| view.format.float_money(x, 2))
}

fn signed_money(view: &View, x: f64) -> String {
    view.format.change(x, |x| view.format.float_money(x, 2))
}

/// An estimate in words: net margin if it is known, else the difference of the outcome.
fn estimate(view: &View, row: &EffectRow) -> String {
    let (value, low, high) = match row.net_margin_per_customer {
        Some(net) => {
            let ends = [row.net_margin_low_adjusted, row.net_margin_high_adjusted].map(|end| money(view, end));
            let [low, high] = ends;
            (signed_money(view, net), low, high)
        }
        None => {
            let Some(difference) = row.difference else { return NOTHING.into() };
            let write = |x: f64| view.outcome(&row.outcome, x);
            let end = |x: Option<f64>| x.map_or(NOTHING.into(), write);
            (view.format.change(difference, write), end(row.ci_low_adjusted), end(row.ci_high_adjusted))
        }
    };
    view.words.fill("story.strategy.estimate", &[("value", &value), ("low", &low), ("high", &high)])
}

/// What came out over all customers.
fn overall(view: &View, arm: &ArmEffects, several: bool) -> Sentence {
    let (words, format) = (&view.words, &view.format);
    let name = if several {
        words.fill("story.strategy.arm", &[("strategy", arm.strategy), ("arm", &arm.name(words))])
    } else {
        arm.strategy.into()
    };
    let verdict = arm.overall_verdict().map_or(NOTHING.into(), |v| view.name("verdict", &v.verdict));
    let estimated = arm.overall().filter(|r| r.difference.is_some());
    let Some(row) = estimated.filter(|_| arm.refused().is_none()) else {
        let not_estimable = || arm.overall().and_then(|row| row.not_estimable.as_deref()).unwrap_or_default();
        let reason = match arm.refused() {
            Some(reason) => words.statement::<VerdictReason>(reason),
            None => words.statement::<NotEstimable>(not_estimable()),
        };
        let reason = if reason.is_empty() { words.text("strategy.no_estimate").to_owned() } else { reason };
        return words.say("story.strategy.unknown", &[("strategy", &name), ("verdict", &verdict), ("reason", &reason)]);
    };
    let values = [
        ("strategy", &*name),
        ("verdict", &*verdict),
        ("period", &*view.span(row.period_start, row.period_end)),
        ("estimate", &*estimate(view, row)),
        ("outcome", &*view.outcome_name(&row.outcome)),
        ("roi", &*row.roi.map_or(NOTHING.into(), |x| format.percent(x, 0))),
        ("design", &*view.name("design", row.design.as_deref().unwrap_or_default())),
        ("treated", &*format.maybe_count(row.n_treated)),
        ("control", &*format.maybe_count(row.n_control)),
        ("p", &*row.p_adjusted.or(row.p_value).map_or(NOTHING.into(), |p| format.p(p))),
    ];
    let key = match (row.net_margin_per_customer, row.roi) {
        (Some(_), Some(_)) => "story.strategy.overall_roi",
        (Some(_), None) => "story.strategy.overall",
        (None, _) => "story.strategy.overall_outcome",
    };
    words.say(key, &values)
}

/// What came out over all customers and all periods together.
fn over_time(view: &View, arm: &ArmEffects) -> Option<Sentence> {
    let verdict = arm.pooled_verdict()?;
    let row = arm.pooled.iter().find(|r| r.state == ALL)?;
    let write = |x: f64| view.outcome(&row.outcome, x);
    let ends = row.ci_low_adjusted.zip(row.ci_high_adjusted).map(|(low, high)| (write(low), write(high)));
    let (low, high) = ends.unwrap_or((NOTHING.into(), NOTHING.into()));
    let value = view.format.change(row.difference?, write);
    let values = [
        ("n", &*view.format.maybe_count(row.periods)),
        ("verdict", &*view.name("verdict", &verdict.verdict)),
        ("outcome", &*view.outcome_name(&row.outcome)),
        ("estimate", &*view.words.fill("story.strategy.estimate", &[("value", &value), ("low", &low), ("high", &high)])),
    ];
    Some(view.words.say("story.strategy.pooled", &values))
}

/// For which tiers it earned money, and for which nobody knows.
fn tiers(view: &View, arm: &ArmEffects) -> Vec<Sentence> {
    let kinds = [
        (Known::Earned, "story.strategy.earned"),
        (Known::Works, "story.strategy.works"),
        (Known::Lost, "story.strategy.lost"),
        (Known::Harms, "story.strategy.harms"),
        (Known::Open, "story.strategy.open"),
        (Known::Nothing, "story.strategy.cannot_say"),
    ];
    let mut out = Vec::new();
    for (kind, key) in kinds {
        let rows: Vec<&&EffectRow> = arm.tiers.iter().filter(|r| arm.known(r) == kind).collect();
        let names: Vec<String> = rows
            .iter()
            .map(|r| {
                let state = view.state_label(&r.scheme, &r.state);
                let p = r.p_adjusted.or(r.p_value).map_or(NOTHING.into(), |p| view.format.p(p));
                match kind {
                    Known::Open | Known::Nothing => state,
                    _ => {
                        view.words.fill("story.strategy.tier", &[("state", &state), ("estimate", &estimate(view, r)), ("p", &p)])
                    }
                }
            })
            .collect();
        if !names.is_empty() {
            let comparisons = rows.iter().filter_map(|r| r.family_size).max().map_or(NOTHING.into(), |n| view.format.count(n));
            let separator =
                view.words.text(if names.iter().any(|n| n.contains(", ")) { "format.list_long" } else { "format.list" });
            out.push(view.words.say(key, &[("list", &names.join(separator)), ("comparisons", &comparisons)]));
        }
    }
    let knows_money = arm.tiers.iter().any(|r| r.net_margin_per_customer.is_some());
    if knows_money && !arm.tiers.iter().any(|r| arm.known(r) == Known::Earned) {
        out.insert(0, view.words.say("story.strategy.earned_none", &[]));
    }
    out
}
