//! Which strategy earned money, for whom, and how sure that is.

use super::answer::{Story, Tile};
use crate::domain::ALL;
use crate::evaluate::{NotEstimable, VerdictReason};
use crate::report::arm_effects::{ArmEffects, Known, arms};
use crate::report::at_cut::{CutPeriod, CutStrategy, cuts};
use crate::report::data::VerdictRow;
use crate::report::language::Sentence;
use crate::report::number::NOTHING;
use crate::report::view::View;

/// Which strategy earned money, for whom, and how sure that is.
pub(super) fn tell(story: &mut Story, view: &View) {
    let words = &view.words;
    let (arms, cuts) = (arms(view.data), cuts(view.data));
    if arms.is_empty() && cuts.is_empty() {
        return;
    }
    let several = arms.len() > 1;
    let mut paragraphs = Vec::new();
    for arm in &arms {
        let mut said = vec![overall(view, arm, several)];
        if let Some(verdict) = arm.decided_overall().filter(|verdict| Known::of(verdict) != Known::Nothing) {
            said.extend(last_period(view, arm, verdict));
            said.extend(tiers(view, arm));
        }
        paragraphs.push(said);
    }
    paragraphs.extend(cuts.iter().map(|strategy| at_cut(view, strategy)));
    let question = words.text("story.strategy.question").to_owned();
    if let Some((arm, verdict, value)) = best_net_margin(&arms) {
        let ends = [verdict.net_margin_low_adjusted, verdict.net_margin_high_adjusted].map(|end| money(view, end));
        let note = words.fill("tile.strategy_note", &[("low", &ends[0]), ("high", &ends[1])]);
        let label = words.fill("tile.strategy", &[("strategy", arm.strategy)]);
        story.tiles.push(Tile { label, value: signed_money(view, value), note, section: "strategies" });
    }
    story.answer("strategies", "strategies", question, paragraphs);
}

/// What is known of customers at a cut, in the last period of its strategy.
fn at_cut(view: &View, strategy: &CutStrategy<'_>) -> Vec<Sentence> {
    let Some(CutPeriod { verdict, .. }) = strategy.periods.last() else { return Vec::new() };
    let suppressed = || view.words.text("suppressed").to_owned();
    let reason = verdict.reason.as_deref().map_or_else(suppressed, |reason| view.words.statement::<VerdictReason>(reason));
    let values = [
        ("strategy", strategy.name),
        ("verdict", &*view.name("verdict", &verdict.verdict)),
        ("period", &*view.span(verdict.period_start, verdict.period_end)),
        ("reason", &*reason),
    ];
    vec![view.words.say("story.strategy.at_cut", &values)]
}

/// The arm of which it is surest that it earned most per customer, over all customers.
fn best_net_margin<'a>(arms: &'a [ArmEffects<'a>]) -> Option<(&'a ArmEffects<'a>, &'a VerdictRow, f64)> {
    // What an arm earned more than another treated one is not what it earned, nor is a difference to alike customers.
    let known = arms.iter().filter(|arm| arm.pair_with.is_none() && !arm.is_matched()).filter_map(|arm| {
        let verdict = arm.decided_overall().filter(|verdict| Known::of(verdict) != Known::Nothing)?;
        Some((arm, verdict, verdict.net_margin_per_customer?))
    });
    let low = |verdict: &VerdictRow| verdict.net_margin_low_adjusted.unwrap_or(f64::MIN);
    known.max_by(|a, b| low(a.1).total_cmp(&low(b.1)))
}

fn money(view: &View, x: Option<f64>) -> String {
    x.map_or(NOTHING.into(), |x| view.format.float_money(x, 2))
}

fn signed_money(view: &View, x: f64) -> String {
    view.format.change(x, |x| view.format.float_money(x, 2))
}

impl View<'_> {
    /// What a verdict rests on, with its interval: net margin if it is known, else the difference of the outcome.
    pub fn estimate(&self, verdict: &VerdictRow) -> String {
        let (value, low, high) = match verdict.net_margin_per_customer {
            Some(net) => {
                let [low, high] = [verdict.net_margin_low_adjusted, verdict.net_margin_high_adjusted].map(|end| money(self, end));
                (signed_money(self, net), low, high)
            }
            None => {
                let Some(difference) = verdict.difference else { return NOTHING.into() };
                let outcome = verdict.outcome.as_deref().unwrap_or_default();
                let write = |x: f64| self.outcome(outcome, x);
                let end = |x: Option<f64>| x.map_or(NOTHING.into(), write);
                (self.format.change(difference, write), end(verdict.ci_low_adjusted), end(verdict.ci_high_adjusted))
            }
        };
        self.words.fill("story.strategy.estimate", &[("value", &value), ("low", &low), ("high", &high)])
    }
}

/// What came out over all customers.
fn overall(view: &View, arm: &ArmEffects, several: bool) -> Sentence {
    let words = &view.words;
    let name = if several {
        words.fill("story.strategy.arm", &[("strategy", arm.strategy), ("arm", &arm.name(words))])
    } else {
        arm.strategy.into()
    };
    let decided = arm.decided_overall();
    let word = decided.map_or(NOTHING.into(), |v| view.name("verdict", &v.verdict));
    let Some(verdict) = decided.filter(|v| Known::of(v) != Known::Nothing && v.difference.is_some()) else {
        let not_estimable = || arm.overall().and_then(|row| row.not_estimable.as_deref()).unwrap_or_default();
        let reason = match decided.and_then(|v| v.reason.as_deref()) {
            Some(reason) => words.statement::<VerdictReason>(reason),
            None => words.statement::<NotEstimable>(not_estimable()),
        };
        let reason = if reason.is_empty() { words.text("strategy.no_estimate").to_owned() } else { reason };
        let key = if several { "story.strategy.unknown_among" } else { "story.strategy.unknown" };
        return words.say(key, &[("strategy", &name), ("verdict", &word), ("reason", &reason)]);
    };
    let has_money = verdict.net_margin_per_customer.is_some();
    // Beside alike customers, money is one more difference and not what was earned.
    let outcome = if arm.is_matched() && has_money { "net" } else { verdict.outcome.as_deref().unwrap_or_default() };
    let outcome = view.outcome_name(outcome);
    let period = match verdict.period_start {
        Some(_) => view.span(verdict.period_start, verdict.period_end),
        None => words.fill("story.strategy.periods", &[("n", &view.format.maybe_count(arm.period_count()))]),
    };
    let design = arm.overall().and_then(|row| row.design.as_deref()).unwrap_or_default();
    let values = [
        ("strategy", &*name),
        ("verdict", &*word),
        ("period", &*period),
        ("estimate", &*view.estimate(verdict)),
        ("outcome", &*outcome),
        ("design", &*view.name("design", design)),
    ];
    let key = match (arm.is_matched(), has_money) {
        (true, _) => "story.strategy.overall_alike",
        (false, true) => "story.strategy.overall",
        (false, false) => "story.strategy.overall_outcome",
    };
    words.say(key, &values)
}

/// The verdict of the last period alone, where the one above is over all periods.
fn last_period(view: &View, arm: &ArmEffects, decided: &VerdictRow) -> Option<Sentence> {
    let last = arm.overall_verdict().filter(|last| last.period_start.is_some() && decided.period_start.is_none())?;
    let values =
        [("period", &*view.span(last.period_start, last.period_end)), ("verdict", &*view.name("verdict", &last.verdict))];
    Some(view.words.say("story.strategy.last_period", &values))
}

/// For which tiers it earned money, and for which nobody knows.
fn tiers(view: &View, arm: &ArmEffects) -> Vec<Sentence> {
    // Beside alike customers, nothing is said of a cause.
    let (more, less) = ("story.strategy.more", "story.strategy.less");
    let [earned, unpaid, works, lost, harms] = match arm.is_matched() {
        true => [more, more, more, less, less],
        false => [
            "story.strategy.earned",
            "story.strategy.unpaid",
            "story.strategy.works",
            "story.strategy.lost",
            "story.strategy.harms",
        ],
    };
    let kinds = [
        (Known::Earned, earned),
        (Known::Works, works),
        (Known::Lost, lost),
        (Known::Harms, harms),
        (Known::Unpaid, unpaid),
        (Known::Open, "story.strategy.open"),
        (Known::Nothing, "story.strategy.cannot_say"),
    ];
    let decided = view.in_ladder_order(arm.decided_tiers());
    let (mut out, mut comparisons) = (Vec::new(), None);
    for (kind, key) in kinds {
        let verdicts: Vec<&&VerdictRow> = decided.iter().filter(|verdict| Known::of(verdict) == kind).collect();
        let names: Vec<String> = verdicts
            .iter()
            .map(|verdict| {
                let state = view.state_label(&verdict.scheme, &verdict.state);
                match kind {
                    Known::Open | Known::Unpaid | Known::Nothing => state,
                    _ => view.words.fill("story.strategy.tier", &[("state", &state), ("estimate", &view.estimate(verdict))]),
                }
            })
            .collect();
        if names.is_empty() {
            continue;
        }
        if !matches!(kind, Known::Open | Known::Unpaid | Known::Nothing) {
            comparisons = comparisons.max(verdicts.iter().filter_map(|verdict| arm.family_of(verdict)).max());
        } else if let Some(n) = comparisons.take() {
            out.push(view.words.say("story.strategy.sure", &[("comparisons", &view.format.count(n))]));
        }
        let separator = view.words.text(if names.iter().any(|n| n.contains(", ")) { "format.list_long" } else { "format.list" });
        out.push(view.words.say(key, &[("list", &names.join(separator))]));
    }
    if let Some(n) = comparisons {
        out.push(view.words.say("story.strategy.sure", &[("comparisons", &view.format.count(n))]));
    }
    let knows_money = !arm.is_matched() && decided.iter().any(|verdict| verdict.net_margin_per_customer.is_some());
    if knows_money && !decided.iter().any(|verdict| Known::of(verdict) == Known::Earned) {
        out.insert(0, view.words.say("story.strategy.earned_none", &[]));
    }
    out
}

impl View<'_> {
    /// Verdicts by scheme in the order of the job, and by state from best to worst; all customers come first.
    pub fn in_ladder_order<'b>(&self, mut verdicts: Vec<&'b VerdictRow>) -> Vec<&'b VerdictRow> {
        verdicts.sort_by_key(|verdict| (verdict.state != ALL, self.place_on_ladder(&verdict.scheme, &verdict.state)));
        verdicts
    }
}
