//! A strategy's settings, as evaluation needs them.

use std::collections::BTreeMap;

use super::outcome::Digits;
use super::reason::Finding;
use super::sentence::Rounded;
use crate::domain::{Day, Decimal, Design, EffectMethod as Method, Outcome, Period, STRATUM};
use crate::error::{Error, Result, suggestion};
use crate::stats::{MoneyInterval, Scales, Shape};

/// The share of customers each arm was to have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Split {
    /// Arm and share, for strata that [`Split::strata`] does not name.
    pub shares: BTreeMap<String, f64>,
    /// Stratum and its shares.
    pub strata: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Split {
    /// The shares planned in a stratum.
    pub fn of(&self, stratum: &str) -> &BTreeMap<String, f64> {
        self.strata.get(stratum).unwrap_or(&self.shares)
    }
}

/// The outcome and method that a verdict rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Primary {
    /// The outcome.
    pub outcome: Outcome,
    /// The method.
    pub method: Method,
}

/// Where the arms of a period differ in the days on which their customers were assigned.
#[derive(Debug, Clone, PartialEq)]
pub struct UnlikeDays {
    /// The p-value of equal days.
    pub p: f64,
    /// The arm that stands out most.
    pub arm: String,
    /// The days on which it does.
    pub days: Period,
    /// Its share of the customers assigned on these days.
    pub share: f64,
    /// Its share of all customers.
    pub usual: f64,
}

/// On which days the customers of a period's arms were assigned.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum AssignedOn {
    /// On the same days, as far as chance goes.
    #[default]
    Alike,
    /// On different days; cells are those of strata and dates.
    Strata {
        /// Where the arms differ most.
        difference: UnlikeDays,
        /// The stratum of every cell.
        strata: BTreeMap<String, String>,
    },
    /// On different days, and too few customers of an arm on days of the other.
    Apart {
        /// Where the arms differ most.
        difference: UnlikeDays,
        /// The arm.
        arm: String,
        /// Its share that can be compared.
        share: f64,
    },
}

impl AssignedOn {
    /// The stratum that a cell of a randomised strategy belongs to.
    pub fn stratum<'a>(&'a self, cell: &'a str) -> &'a str {
        match self {
            AssignedOn::Strata { strata, .. } => strata.get(cell).map_or(cell, String::as_str),
            AssignedOn::Alike | AssignedOn::Apart { .. } => cell,
        }
    }
}

/// The arms of a period that were kept from earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptArms {
    /// The day before the strategy's first period with assignments: states are those before each customer's first assignment.
    pub since: Day,
    /// Whether the customers of earlier periods are assigned again according to their arm.
    pub listed_unlike: Option<ListedUnlike>,
}

/// An arm whose customers are assigned again more or less often than those of the control.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedUnlike {
    /// The p-value of equal shares.
    pub p: f64,
    /// The arm of the first assignment.
    pub arm: String,
    /// The share of its customers who are assigned again.
    pub share: f64,
    /// The same of the control.
    pub of_control: f64,
}

/// An outcome that must not suffer for a strategy to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Guardrail {
    /// The outcome.
    pub outcome: Outcome,
    /// The least difference that is borne; without one, a loss must not be shown.
    pub at_worst: Option<f64>,
}

impl Guardrail {
    /// What is said if it has fallen, by the plain interval of the outcome's difference.
    pub fn fallen(&self, difference: MoneyInterval) -> Option<Finding> {
        let outcome = self.outcome.clone();
        let MoneyInterval { value, low, high } = difference;
        match self.at_worst {
            None if high < 0.0 => {
                let [by, low, high] = [-value, low, high].map(Rounded::short);
                Some(Finding::GuardrailFalls { outcome, by, low, high })
            }
            Some(at_worst) if low <= at_worst => {
                let [low, at_worst] = [low, at_worst].map(Rounded::short);
                Some(Finding::GuardrailMayFall { outcome, low, at_worst })
            }
            _ => None,
        }
    }
}

/// A period of a strategy, with what is known of its dates.
#[derive(Debug, Clone, PartialEq)]
pub struct StrategyPeriod {
    /// The period.
    pub period: Period,
    /// The baseline's dates, if there is one.
    pub baseline: Option<Period>,
    /// The last day that phase `during` needs.
    pub outcomes_until: Day,
    /// The last day that phase `after` needs, if the job asks for it.
    pub after_until: Option<Day>,
    /// The last day of the data.
    pub known_until: Day,
    /// Whether all customers are watched equally long: assigned on one date, or for `outcome_days` each.
    pub equally_long: bool,
    /// Days of the baseline that the data reach back to, and days of the outcomes.
    pub days: (i32, i32),
    /// Whether the data begin before the time before the baseline, in which `retained` of the baseline looks for purchases.
    pub knows_before_baseline: bool,
    /// Whether they begin before as long again.
    pub knows_before_placebo: bool,
    /// Whether the states of the day before the baseline are known, which make the cells of a placebo.
    pub has_earlier_cells: bool,
    /// Whether the arms were assigned on the same days.
    pub assigned_on: AssignedOn,
    /// The clusters that have customers in it, and those of them that have some in several arms.
    pub clusters: Clusters,
    /// Whether its arms were kept from earlier periods.
    pub kept: Option<KeptArms>,
    /// Whether events are known in the baseline, and in the time before it.
    pub knows_events: [bool; 2],
    /// Columns of the assignments, or dimensions, whose values lie wholly in one arm each.
    pub whole_columns: Vec<String>,
}

/// Clusters of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clusters {
    /// How many have customers.
    pub all: i64,
    /// How many have customers in several arms.
    pub mixed: i64,
}

/// A strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct StrategySettings {
    /// Its name.
    pub name: String,
    /// Its design.
    pub design: Design,
    /// The control arm; not looked at in [`Design::BeforeAfter`].
    pub control: String,
    /// Pairs of treated arms that are compared too: the first less the second.
    pub pairs: Vec<[String; 2]>,
    /// The planned split; without shares there is no split check.
    pub split: Split,
    /// Its periods in order.
    pub periods: Vec<StrategyPeriod>,
    /// Its outcomes in the order of the tables, the primary among them.
    pub outcomes: Vec<Outcome>,
    /// What a verdict rests on.
    pub primary: Primary,
    /// The column of clusters, if these were drawn and not customers: then n counts clusters, and customers are the denominators.
    pub cluster: Option<String>,
    /// The schemes by whose states effects are shown, dimensions and columns by whose values they are, and [`STRATUM`](crate::domain::STRATUM), whose states are the strata of
    /// [`Design::Randomised`].
    pub by: Vec<String>,
    /// Those of `by` whose states are values that customers have, at no particular time: dimensions, and columns of the assignments.
    pub by_values: Vec<String>,
    /// Cost of a treated customer where the assignments give no costs.
    pub cost_per_customer: Option<Decimal>,
    /// Cost of each period in addition to that of customers, shared out over its treated customers.
    pub fixed_cost: Option<Decimal>,
    /// Strategies whose costs it has too, of their periods that begin in one of its own.
    pub costs_of: Vec<String>,
    /// Margin per unit of revenue.
    pub margin_rate: Option<f64>,
    /// Digits behind the point of money, and of the values of events.
    pub digits: Digits,
    /// How often verdicts over all periods may be read: each time spends its share of the level.
    pub looks: u32,
    /// Outcomes that must not suffer.
    pub guardrails: Vec<Guardrail>,
}

impl StrategySettings {
    /// What an arm's outcome is: of clusters always a ratio.
    pub fn shape(&self, outcome: &Outcome) -> Shape {
        if self.cluster.is_some() { Shape::Ratio } else { outcome.shape() }
    }

    /// Whether a scheme's states are those of a day before the period.
    pub fn has_states(&self, scheme: &str) -> bool {
        scheme != STRATUM && !self.by_values.iter().any(|by| by == scheme)
    }

    /// Digits behind the point of an outcome's numbers. The denominators of clusters are customers.
    pub fn scales(&self, outcome: &Outcome) -> Scales {
        let [y, x, d, e] = outcome.scales(&self.digits);
        if self.cluster.is_some() { [y, x, 0, 0] } else { [y, x, d, e] }
    }

    /// The methods that estimate effects.
    pub fn methods(&self) -> &'static [Method] {
        if self.cluster.is_some() { &[Method::Permutation] } else { self.design.methods() }
    }

    /// The outcome that margin is linear in, and what a unit of it adds: margin itself, or revenue with a margin rate.
    pub fn net_base(&self) -> Option<(&Outcome, f64)> {
        let find = |wanted: Outcome| self.outcomes.iter().find(|outcome| **outcome == wanted);
        match (find(Outcome::Margin), find(Outcome::Revenue), self.margin_rate) {
            (Some(margin), ..) => Some((margin, 1.0)),
            (None, Some(revenue), Some(rate)) => Some((revenue, rate)),
            _ => None,
        }
    }

    /// Checks what can be checked without data.
    ///
    /// # Errors
    /// Exit 2 with the strategy's name, what was found and what is expected.
    pub fn check(&self) -> Result<()> {
        let name = &self.name;
        let wrong = |what: String| Err(Error::usage(format!("Strategy {name:?}: {what}")));
        let Primary { outcome, method } = &self.primary;
        if !outcome.may_lead() {
            return wrong(format!(
                "primary outcome {outcome} restates behaviour after treatment and cannot lead; choose converted, orders, revenue, margin or retained"
            ));
        }
        if self.design == Design::BeforeAfter {
            return Ok(());
        }
        if !self.outcomes.contains(outcome) {
            let known: Vec<String> = self.outcomes.iter().map(Outcome::to_string).collect();
            let hint = suggestion(&outcome.to_string(), known.iter().map(String::as_str));
            return wrong(format!("primary outcome {outcome} is not among its outcomes ({}){hint}", known.join(", ")));
        }
        if !self.methods().contains(method) {
            let methods: Vec<String> = self.methods().iter().map(Method::to_string).collect();
            return wrong(format!(
                "primary method {method} does not belong to design {}; choose {}",
                self.design,
                methods.join(" or ")
            ));
        }
        let splits =
            std::iter::once((None, &self.split.shares)).chain(self.split.strata.iter().map(|(s, shares)| (Some(s), shares)));
        for (stratum, shares) in splits.filter(|(_, shares)| !shares.is_empty()) {
            let place = stratum.map(|s| format!(" of stratum {s:?}")).unwrap_or_default();
            let total: f64 = shares.values().sum();
            if shares.values().any(|s| !(0.0..=1.0).contains(s)) || (total - 1.0).abs() > 1e-9 {
                return wrong(format!("the split{place} adds up to {total}; shares lie between 0 and 1 and add up to 1"));
            }
            if !shares.contains_key(&self.control) {
                let hint = suggestion(&self.control, shares.keys().map(String::as_str));
                return wrong(format!("the split{place} has no share for the control arm {:?}{hint}", self.control));
            }
        }
        Ok(())
    }
}
