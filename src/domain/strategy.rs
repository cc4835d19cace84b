//! What a strategy is judged by: its design, the method of an effect, the outcome it is of.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::EventKind;

/// The name by which `by` and `match_on` mean the assignments' stratum.
pub const STRATUM: &str = "stratum";

/// Most values of a dimension, or of a column of the assignments, by which effects are shown.
pub const MOST_GROUPS: usize = 1_000;

/// How customers came into their arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// By chance, in planned shares.
    Randomised,
    /// By somebody's choice; compared within cells of equal state before the period.
    Matched,
    /// All were treated: a description, never an effect.
    BeforeAfter,
    /// All beyond a cut were: an effect on customers at the cut.
    Threshold,
}

impl Design {
    /// The methods that estimate effects of this design, in the order of the tables.
    pub fn methods(self) -> &'static [EffectMethod] {
        match self {
            Design::Randomised => &[
                EffectMethod::Permutation,
                EffectMethod::PermutationBaseline,
                EffectMethod::Welch,
                EffectMethod::Cuped,
                EffectMethod::PostStratified,
            ],
            Design::Matched => &[EffectMethod::Matched, EffectMethod::Did],
            Design::BeforeAfter => &[],
            Design::Threshold => &[EffectMethod::Threshold],
        }
    }

    /// The method that decides where a job names none: without a baseline, one that needs none stands in.
    pub fn usual_method(self) -> Option<EffectMethod> {
        match self {
            Design::Randomised => Some(EffectMethod::PermutationBaseline),
            Design::Matched => Some(EffectMethod::Did),
            Design::BeforeAfter => None,
            Design::Threshold => Some(EffectMethod::Threshold),
        }
    }
}

impl fmt::Display for Design {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Design::Randomised => "randomised",
            Design::Matched => "matched",
            Design::BeforeAfter => "before_after",
            Design::Threshold => "threshold",
        })
    }
}

/// How an effect is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectMethod {
    /// Difference of means within strata, held against all draws that there could have been.
    Permutation,
    /// The same after adjustment for the baseline.
    PermutationBaseline,
    /// Difference of means, unequal variances.
    Welch,
    /// The same after adjustment for the baseline.
    Cuped,
    /// Differences within strata, weighted by their share of both arms.
    PostStratified,
    /// Differences within matching cells, weighted by their share of the treated.
    Matched,
    /// Difference of the changes since the baseline.
    Did,
    /// The jump at a cut, by local linear fits on both sides.
    Threshold,
}

impl EffectMethod {
    /// All methods.
    pub const ALL: [EffectMethod; 8] = [
        EffectMethod::Permutation,
        EffectMethod::PermutationBaseline,
        EffectMethod::Welch,
        EffectMethod::Cuped,
        EffectMethod::PostStratified,
        EffectMethod::Matched,
        EffectMethod::Did,
        EffectMethod::Threshold,
    ];

    /// Reads the name that `Display` writes.
    pub fn parse(name: &str) -> Option<EffectMethod> {
        EffectMethod::ALL.into_iter().find(|method| method.to_string() == name)
    }

    /// Whether it uses the baseline outcome.
    pub fn adjusts(self) -> bool {
        matches!(self, EffectMethod::PermutationBaseline | EffectMethod::Cuped | EffectMethod::Did)
    }

    /// Whether it compares within cells, which all do but Welch's test and fits at a cut.
    pub fn has_cells(self) -> bool {
        !matches!(self, EffectMethod::Welch | EffectMethod::Threshold)
    }

    /// Whether it holds the difference against all draws.
    pub fn permutes(self) -> bool {
        matches!(self, EffectMethod::Permutation | EffectMethod::PermutationBaseline)
    }
}

impl fmt::Display for EffectMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EffectMethod::Permutation => "permutation",
            EffectMethod::PermutationBaseline => "permutation_baseline",
            EffectMethod::Welch => "welch",
            EffectMethod::Cuped => "cuped",
            EffectMethod::PostStratified => "post_stratified",
            EffectMethod::Matched => "matched",
            EffectMethod::Did => "did",
            EffectMethod::Threshold => "threshold",
        })
    }
}

/// A number per assigned customer after assignment, 0 for who did nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// 1 if the customer purchased, else 0.
    Converted,
    /// Purchases.
    Orders,
    /// Net money.
    Revenue,
    /// Net money less cost.
    Margin,
    /// Margin less what the customer's treatment cost.
    Net,
    /// 1 if the customer purchased in the baseline and after, else 0.
    Retained,
    /// Revenue over purchases: a ratio of sums.
    AvgOrderValue,
    /// 1 if the customer's state in this scheme, with cut points frozen at the baseline, is now higher on the ladder.
    MovedUp(String),
    /// 1 if it is now lower.
    MovedDown(String),
    /// 1 if the customer has an event of the kind, else 0; of [`EventKind::Other`] one of any kind.
    AnyEvent(EventKind),
    /// Events of the kind; of [`EventKind::Other`] all.
    Events(EventKind),
    /// The sum of the values of the events of the kind.
    EventSum(EventKind),
    /// A number outcome with its largest values cut off.
    Winsorised(Box<Outcome>),
}

/// The kind of events that the name of an outcome ends with.
fn kind_of(name: &str) -> Option<EventKind> {
    EventKind::is_name(name).then(|| EventKind::named(name))
}

impl Outcome {
    /// Reads the name that `Display` writes.
    pub fn parse(name: &str) -> Option<Outcome> {
        Some(match name {
            "converted" => Outcome::Converted,
            "orders" => Outcome::Orders,
            "revenue" => Outcome::Revenue,
            "margin" => Outcome::Margin,
            "net" => Outcome::Net,
            "retained" => Outcome::Retained,
            "avg_order_value" => Outcome::AvgOrderValue,
            _ => match (name.split_once(':'), name.strip_suffix("_winsorised")) {
                (Some(("moved_up", scheme)), _) => Outcome::MovedUp(scheme.into()),
                (Some(("moved_down", scheme)), _) => Outcome::MovedDown(scheme.into()),
                (Some(("event", kind)), _) => Outcome::AnyEvent(kind_of(kind)?),
                (Some(("events", kind)), _) => Outcome::Events(kind_of(kind)?),
                (Some(("event_sum", kind)), _) => Outcome::EventSum(kind_of(kind)?),
                (None, Some(plain)) => match Outcome::parse(plain)? {
                    plain @ (Outcome::Orders | Outcome::Revenue | Outcome::Margin) => Outcome::Winsorised(Box::new(plain)),
                    _ => return None,
                },
                _ => return None,
            },
        })
    }

    /// Whether it may be a strategy's primary outcome: ratios and moves restate behaviour after treatment, so they may not.
    pub fn may_lead(&self) -> bool {
        !matches!(self, Outcome::AvgOrderValue | Outcome::MovedUp(_) | Outcome::MovedDown(_))
    }

    /// The kind of the events that it counts, or whose values it adds up.
    pub fn event_kind(&self) -> Option<EventKind> {
        match self {
            Outcome::AnyEvent(kind) | Outcome::Events(kind) | Outcome::EventSum(kind) => Some(*kind),
            _ => None,
        }
    }

    /// The scheme column whose states it compares.
    pub fn moved_in(&self) -> Option<&str> {
        match self {
            Outcome::MovedUp(scheme) | Outcome::MovedDown(scheme) => Some(scheme),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Converted => f.write_str("converted"),
            Outcome::Orders => f.write_str("orders"),
            Outcome::Revenue => f.write_str("revenue"),
            Outcome::Margin => f.write_str("margin"),
            Outcome::Net => f.write_str("net"),
            Outcome::Retained => f.write_str("retained"),
            Outcome::AvgOrderValue => f.write_str("avg_order_value"),
            Outcome::MovedUp(scheme) => write!(f, "moved_up:{scheme}"),
            Outcome::MovedDown(scheme) => write!(f, "moved_down:{scheme}"),
            Outcome::AnyEvent(kind) => write!(f, "event:{}", kind.name()),
            Outcome::Events(kind) => write!(f, "events:{}", kind.name()),
            Outcome::EventSum(kind) => write!(f, "event_sum:{}", kind.name()),
            Outcome::Winsorised(plain) => write!(f, "{plain}_winsorised"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        let names = [
            "converted",
            "retained",
            "avg_order_value",
            "moved_up:segment",
            "event:clicks",
            "events:events",
            "events:ticket",
            "event_sum:ticket",
            "revenue_winsorised",
        ];
        for name in names {
            assert_eq!(Outcome::parse(name).map(|o| o.to_string()).as_deref(), Some(name));
        }
        assert_eq!(Outcome::parse("converted_winsorised"), None);
        assert_eq!(Outcome::parse("moved_up"), None);
        assert_eq!(Outcome::parse("event:Visits, or so"), None);
    }
}
