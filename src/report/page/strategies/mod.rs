//! Strategies as a decision: the verdict and its reason, tier by tier from best to worst, then pictures of the money, then the
//! tables behind them. Those that treated everybody beyond a cut come last, in a form of their own.

mod at_cut;
mod pictures;
mod shown;
mod so_far;
mod tables;

use super::grid::{CellWriter, Grid, GridCell};
use super::missing::missing;
use super::verdict::badge;
use crate::domain::ALL;
use crate::evaluate::VerdictReason;
use crate::report::arm_effects::{ArmEffects, arms};
use crate::report::at_cut::cuts;
use crate::report::data::VerdictRow;
use crate::report::markup::Markup;
use crate::report::view::View;

/// The section.
pub(super) fn write(view: &View) -> Markup {
    if view.data.effects.is_none() && view.data.verdicts.is_none() {
        return missing(view, "effects");
    }
    let (arms, cuts) = (arms(view.data), cuts(view.data));
    let mut out = Markup::new();
    if arms.is_empty() && cuts.is_empty() {
        out.raw("<p class=\"soft\">").text(view.words.text("strategy.none")).raw("</p>\n");
    }
    for (number, arm) in arms.iter().enumerate() {
        let values = [("strategy", arm.strategy), ("arm", &*arm.name(&view.words))];
        out.element("h3", &view.words.fill("strategy.heading", &values)).raw("\n");
        out.append(&overall(view, arm)).append(&tiers(view, arm)).append(&tables::bracket(view, arm));
        out.append(&pictures::write(view, arm, number));
        out.append(&tables::by_period(view, arm)).append(&tables::by_tier(view, arm)).append(&tables::pooled(view, arm));
        out.append(&tables::others(view, arm)).append(&tables::before_after(view, arm));
    }
    for (number, strategy) in cuts.iter().enumerate() {
        out.append(&at_cut::write(view, strategy, number));
    }
    out
}

/// The verdicts over all customers: over all periods, if there are several, and of the last one.
fn overall(view: &View, arm: &ArmEffects) -> Markup {
    let mut out = Markup::new();
    for verdict in arm.current().into_iter().filter(|verdict| verdict.state == ALL) {
        out.raw("<p class=\"verdict\">").append(&badge(view, &verdict.verdict)).text(" ");
        out.text(&view.span(verdict.period_start, verdict.period_end)).text(": ").text(&reason(view, verdict)).raw("</p>\n");
    }
    out
}

/// The verdicts to act on, tier by tier.
fn tiers(view: &View, arm: &ArmEffects) -> Markup {
    let decided = view.in_ladder_order(arm.decided_tiers());
    if decided.is_empty() {
        return Markup::new();
    }
    let knows_money = decided.iter().any(|verdict| verdict.net_margin_per_customer.is_some());
    let is_ranked = decided.iter().any(|verdict| verdict.rank.is_some_and(|rank| rank > 1));
    let mut keys = vec!["column.tier", "column.verdict"];
    keys.extend(knows_money.then_some("column.net_margin"));
    keys.push("column.difference");
    keys.extend(is_ranked.then_some("column.rank"));
    keys.extend(["column.period", "column.reason"]);
    let mut grid = Grid::new(view, &keys);
    for verdict in decided {
        let cells = CellWriter::of(view, verdict.suppressed);
        let colour = view.scheme(&verdict.scheme).and_then(|s| s.state(&verdict.state)).map(|s| &s.colour);
        let outcome = verdict.outcome.as_deref().unwrap_or_default();
        let net = [verdict.net_margin_per_customer, verdict.net_margin_low_adjusted, verdict.net_margin_high_adjusted];
        let difference = [verdict.difference, verdict.ci_low_adjusted, verdict.ci_high_adjusted];
        let mut line = vec![
            GridCell::state(view.state_label(&verdict.scheme, &verdict.state), colour),
            GridCell::verdict(&verdict.verdict, view.name("verdict", &verdict.verdict)),
        ];
        line.extend(knows_money.then(|| cells.interval(net, |x| view.format.float_money(x, 2))));
        line.push(cells.interval(difference, |x| view.outcome(outcome, x)));
        line.extend(is_ranked.then(|| cells.count(verdict.rank)));
        line.push(GridCell::text(view.span(verdict.period_start, verdict.period_end)));
        line.push(GridCell::text(reason(view, verdict)));
        grid.row(line);
    }
    grid.write(&view.words.fill("strategy.tiers", &[("strategy", arm.strategy)]))
}

/// The reason of a verdict in the language of the report.
fn reason(view: &View, verdict: &VerdictRow) -> String {
    verdict
        .reason
        .as_deref()
        .map_or_else(|| view.words.text("suppressed").to_owned(), |r| view.words.statement::<VerdictReason>(r))
}
