//! What a strategy is judged by: outcomes, the primary one, and guardrails.

use super::super::{Design, Guardrail, Outcome, Primary};
use super::{One, read};
use crate::domain::{EventKind, Ratio};
use crate::error::{Result, suggestion};
use crate::job::raw::{Method, RawBound, RawGuardrail};

impl One<'_> {
    pub(super) fn outcomes(&self) -> Result<Vec<Outcome>> {
        if self.raw.outcomes.is_empty() {
            return Err(self.wrong("outcomes", "outcomes is an empty list; name at least one, such as \"revenue\"".into()));
        }
        let mut out: Vec<Outcome> = Vec::with_capacity(self.raw.outcomes.len());
        for text in &self.raw.outcomes {
            let outcome = self.outcome("outcomes", text)?;
            if out.contains(&outcome) {
                return Err(self.wrong("outcomes", format!("outcomes lists {text:?} twice; list it once")));
            }
            out.push(outcome);
        }
        for guardrail in &self.raw.guardrails {
            let outcome = self.outcome("guardrails", guardrail.outcome())?;
            // Net money is there wherever it can be.
            if outcome != Outcome::Net && !out.contains(&outcome) {
                out.push(outcome);
            }
        }
        Ok(out)
    }

    pub(super) fn guardrails(&self) -> Result<Vec<Guardrail>> {
        let one = |raw: &RawGuardrail| -> Result<Guardrail> {
            let outcome = self.outcome("guardrails", raw.outcome())?;
            if self.is_cost(&outcome) {
                return Err(self.wrong(
                    "guardrails",
                    format!("guardrails names {outcome}, a cost to serve, of which more is worse, and a guardrail suffers when it falls; list it in outcomes, and take it out of guardrails"),
                ));
            }
            let RawGuardrail::Bound(RawBound { at_worst: Some(at_worst), .. }) = raw else {
                return Ok(Guardrail { outcome, at_worst: None });
            };
            let (text, decimal) = read(at_worst);
            match decimal.filter(|d| d.shifted(0).is_some_and(|least| least <= Ratio::new(0, 1))) {
                Some(decimal) => Ok(Guardrail { outcome, at_worst: Some(decimal) }),
                None => Err(self.wrong(
                    "guardrails",
                    format!("at_worst of {outcome} is {text}; expected the change per customer that is borne, 0 or below, such as -0.01"),
                )),
            }
        };
        if self.raw.design != Design::Randomised && !self.raw.guardrails.is_empty() {
            let what = format!("guardrails go with design randomised, not with {}; remove them", self.raw.design);
            return Err(self.wrong("guardrails", what));
        }
        self.raw.guardrails.iter().map(one).collect()
    }

    fn outcome(&self, key: &str, text: &str) -> Result<Outcome> {
        const PLAIN: [(&str, Outcome); 7] = [
            ("converted", Outcome::Converted),
            ("orders", Outcome::Orders),
            ("revenue", Outcome::Revenue),
            ("margin", Outcome::Margin),
            ("net", Outcome::Net),
            ("retained", Outcome::Retained),
            ("avg_order_value", Outcome::AvgOrderValue),
        ];
        let (kind, column) = match text.split_once(':') {
            Some((kind, column)) => (kind, Some(column)),
            None => (text, None),
        };
        let outcome = match (kind, column) {
            ("moved_up" | "moved_down", None) => {
                let example = self.job.schemes.first().map_or("segment", |s| s.column.as_str());
                return Err(self.wrong(
                    key,
                    format!("the outcome {text:?} needs a scheme column behind a colon, such as \"{text}:{example}\""),
                ));
            }
            ("moved_up", Some(column)) => Outcome::MovedUp(self.moved(key, text, column)?),
            ("moved_down", Some(column)) => Outcome::MovedDown(self.moved(key, text, column)?),
            ("event", Some(kind)) => Outcome::AnyEvent(self.event_kind(key, text, kind)?),
            ("events", Some(kind)) => Outcome::Events(self.event_kind(key, text, kind)?),
            ("event_sum", Some(kind)) => Outcome::EventSum(self.kind_with_values(key, text, kind)?),
            _ => {
                let names = || {
                    PLAIN.iter().map(|(name, _)| *name).chain([
                        "moved_up:COLUMN",
                        "moved_down:COLUMN",
                        "event:KIND",
                        "events:KIND",
                        "event_sum:KIND",
                    ])
                };
                PLAIN.iter().find(|(name, _)| *name == text).map(|(_, outcome)| outcome.clone()).ok_or_else(|| {
                    self.wrong(
                        key,
                        format!(
                            "there is no outcome {text:?}{} (outcomes: {})",
                            suggestion(text, names()),
                            names().collect::<Vec<_>>().join(", ")
                        ),
                    )
                })?
            }
        };
        if outcome == Outcome::Margin && self.raw.margin_rate.is_none() && !self.job.has_cost {
            return Err(self.wrong(
                key,
                "the outcome \"margin\" needs margin_rate, or orders.cost; give one of them, or take revenue".into(),
            ));
        }
        if outcome == Outcome::Net && !self.knows_net() {
            return Err(self.wrong(
                key,
                "the outcome \"net\" is margin less cost, so it needs margin_rate with revenue, or margin, among the outcomes; give one of them"
                    .into(),
            ));
        }
        Ok(outcome)
    }

    /// Whether there is a margin to take costs off.
    fn knows_net(&self) -> bool {
        let lists = |wanted: &str| self.raw.outcomes.iter().any(|outcome| outcome == wanted);
        lists("margin") || (lists("revenue") && self.raw.margin_rate.is_some())
    }

    fn moved(&self, key: &str, text: &str, column: &str) -> Result<String> {
        self.known_column(key, column, false)?;
        if self.job.axes.iter().any(|a| a.method == Method::Ntile) {
            return Err(self.wrong(
                key,
                format!("the outcome {text:?} needs cut points frozen at the baseline, and ntile has none; score by quantile or rank, or remove it"),
            ));
        }
        Ok(column.to_owned())
    }

    fn event_kind(&self, key: &str, text: &str, kind: &str) -> Result<EventKind> {
        let Some(kinds) = self.job.event_kinds else {
            return Err(self.wrong(
                key,
                format!(
                    "the outcome {text:?} counts events, and the job has no [events]; add that section, or remove the outcome"
                ),
            ));
        };
        let names = || kinds.all.iter().map(EventKind::name);
        kinds.all.named(kind).ok_or_else(|| {
            self.wrong(
                key,
                format!(
                    "the outcome {text:?} names no kind of events{} (kinds: {}; events are of all kinds); name one, and give the values of your data a kind in [events.kinds], such as responses = [\"visit\"]",
                    suggestion(kind, names()),
                    names().collect::<Vec<_>>().join(", ")
                ),
            )
        })
    }

    fn kind_with_values(&self, key: &str, text: &str, name: &str) -> Result<EventKind> {
        let kind = self.event_kind(key, text, name)?;
        let has_values = self.job.event_kinds.is_some_and(|kinds| kinds.values_of(kind).is_some());
        match kind {
            _ if has_values => Ok(kind),
            EventKind::Other => Err(self.wrong(
                key,
                format!("the outcome {text:?} adds up values, which one kind of events has, and events are of all kinds; name a kind with a value"),
            )),
            _ => Err(self.wrong(
                key,
                format!("the outcome {text:?} adds up the values of events, and those of kind {name} have none; name their column as value in [events.kinds.{name}], or take \"events:{name}\", which counts them"),
            )),
        }
    }

    /// Whether more of an outcome is worse: the values of a kind that are costs to serve.
    fn is_cost(&self, outcome: &Outcome) -> bool {
        let is_cost = |kind| self.job.event_kinds.is_some_and(|kinds| kinds.is_cost(kind));
        matches!(outcome, Outcome::EventSum(kind) if is_cost(*kind))
    }

    pub(super) fn primary(&self, outcomes: &[Outcome]) -> Result<Option<Primary>> {
        let at = |what: String| self.wrong("primary", what);
        let methods = self.methods();
        let Some(usual) = self.usual_method() else {
            return match &self.raw.primary {
                Some(_) => Err(at("design before_after estimates no effect, so it has no primary; remove it".into())),
                None => Ok(None),
            };
        };
        let Some(raw) = &self.raw.primary else {
            // The money decides, if the job asks for it.
            let money = outcomes.iter().find(|o| **o == Outcome::Revenue);
            return match money.or_else(|| outcomes.iter().find(|o| o.may_lead() && !self.is_cost(o))) {
                Some(outcome) => Ok(Some(Primary { outcome: outcome.clone(), method: usual })),
                None if outcomes.iter().any(|outcome| self.is_cost(outcome)) => Err(self.wrong(
                    "outcomes",
                    "no outcome can decide: of a cost to serve more is worse, and a verdict reads more as better; add one such as \"revenue\""
                        .into(),
                )),
                None => Err(self.wrong(
                    "outcomes",
                    "no outcome can decide: ratios and moves restate behaviour after treatment; add one such as \"revenue\""
                        .into(),
                )),
            };
        };
        let outcome = self.outcome("primary", &raw.outcome)?;
        if !outcome.may_lead() {
            return Err(at(format!(
                "the primary outcome is {:?}, which restates behaviour after treatment and cannot decide; take one such as \"revenue\"",
                raw.outcome
            )));
        }
        if self.is_cost(&outcome) {
            return Err(at(format!(
                "the primary outcome is {:?}, a cost to serve, of which more is worse, and a verdict reads more as better; take another, and read the effect on the cost beside it",
                raw.outcome
            )));
        }
        if !outcomes.contains(&outcome) {
            return Err(at(format!("the primary outcome {:?} is not among the outcomes; add it to outcomes", raw.outcome)));
        }
        let method = raw.method.unwrap_or(usual);
        if !methods.contains(&method) {
            let whose = if self.raw.cluster.is_some() { " with cluster" } else { "" };
            return Err(at(format!(
                "the primary method is {}, which design {}{whose} does not have (methods: {})",
                method,
                self.raw.design,
                methods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            )));
        }
        Ok(Some(Primary { outcome, method }))
    }
}
