//! What the pictures of a strategy show: net margin or an outcome.

use crate::report::arm_effects::ArmEffects;
use crate::report::data::{EffectRow, VerdictRow};
use crate::report::view::View;

/// What a picture shows per customer.
pub enum Shown<'a> {
    /// Net margin.
    Net,
    /// An outcome.
    Outcome(&'a str),
}

impl<'a> Shown<'a> {
    /// Of an arm: net margin, if its verdicts rest on that.
    pub fn of(arm: &ArmEffects<'a>) -> Shown<'a> {
        let knows_money = !arm.is_matched() && arm.periods.iter().any(|row| row.net_margin_low_adjusted.is_some());
        let outcome = arm.periods.first().or(arm.tiers.first()).map(|row| row.outcome.as_str()).unwrap_or_default();
        if knows_money { Shown::Net } else { Shown::Outcome(outcome) }
    }

    /// Its name in the tables.
    pub fn outcome(&self) -> &'a str {
        match self {
            Shown::Net => "net",
            Shown::Outcome(outcome) => outcome,
        }
    }

    pub fn write(&self, view: &View, x: f64) -> String {
        match self {
            Shown::Net => view.format.float_money(x, 2),
            Shown::Outcome(outcome) => view.outcome(outcome, x),
        }
    }

    pub fn tick(&self, view: &View, x: f64) -> String {
        let digits = if x.abs() >= 10.0 || x == 0.0 { 0 } else { 1 };
        let Shown::Outcome(outcome) = self else { return view.format.float_money(x, digits) };
        match outcome.trim_end_matches("_winsorised") {
            _ if self.is_money() => view.format.float_money(x, digits),
            "converted" | "retained" => view.format.percent(x, 1),
            o if o.starts_with("moved_") || o.starts_with("event:") => view.format.percent(x, 1),
            _ => view.format.float(x, 2),
        }
    }

    /// A number of all customers together.
    pub fn total(&self, view: &View, x: f64) -> String {
        if self.is_money() { view.format.float_money(x, 0) } else { view.format.float(x, 0) }
    }

    fn is_money(&self) -> bool {
        matches!(self.outcome().trim_end_matches("_winsorised"), "revenue" | "margin" | "net" | "avg_order_value")
    }

    pub fn axis(&self, view: &View) -> String {
        match self {
            Shown::Net => view.words.text("strategy.axis_net").to_owned(),
            Shown::Outcome(outcome) => view.words.fill("strategy.axis", &[("outcome", &view.outcome_name(outcome))]),
        }
    }

    pub fn of_effect(&self, row: &EffectRow) -> Option<[f64; 3]> {
        let (value, low, high) = match self {
            Shown::Net => (row.net_margin_per_customer, row.net_margin_low_adjusted, row.net_margin_high_adjusted),
            Shown::Outcome(_) => (row.difference, row.ci_low_adjusted, row.ci_high_adjusted),
        };
        Some([value?, low?, high?])
    }

    pub fn of_verdict(&self, verdict: &VerdictRow) -> Option<[f64; 3]> {
        let (value, low, high) = match self {
            Shown::Net => (verdict.net_margin_per_customer, verdict.net_margin_low_adjusted, verdict.net_margin_high_adjusted),
            Shown::Outcome(_) => (verdict.difference, verdict.ci_low_adjusted, verdict.ci_high_adjusted),
        };
        Some([value?, low?, high?])
    }

    /// An estimate with its interval, as text.
    pub fn text(&self, view: &View, [value, low, high]: [f64; 3]) -> String {
        let ends = [("low", &*self.write(view, low)), ("high", &*self.write(view, high))];
        format!("{} {}", view.format.change(value, |x| self.write(view, x)), view.words.fill("interval", &ends))
    }
}
