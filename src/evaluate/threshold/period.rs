//! A period of a strategy of design threshold.

use crate::domain::{Day, Outcome, Period};
use crate::evaluate::sentence::{Quoted, Rounded};

/// What tables call customers from the cut on, as an arm.
pub const BEYOND: &str = "beyond";

/// And those below it.
pub const BELOW: &str = "below";

/// A period of a strategy of design threshold, with its customers near the cut. Numbers are in printed units.
#[derive(Debug, Clone, PartialEq)]
pub struct CutPeriod {
    /// The strategy.
    pub strategy: String,
    /// Its period.
    pub period: Period,
    /// The measure by which customers were treated.
    pub running: String,
    /// The least value of those who were.
    pub cut: f64,
    /// How far from the cut customers are looked at.
    pub window: f64,
    /// How many there are; some of them may not have been kept.
    pub customers: i64,
    /// By kept customer, ascending: the measure.
    pub running_values: Vec<f64>,
    /// By kept customer: whether a table of who was treated says so; none without one.
    pub treated: Option<Vec<bool>>,
    /// The outcomes.
    pub outcomes: Vec<CutOutcome>,
    /// The one that decides.
    pub primary: Outcome,
    /// The days before the programme began on which the placebo counts.
    pub placebo: Period,
    /// Whether the data begin before these.
    pub knows_placebo: bool,
    /// The last day on which outcomes count.
    pub outcomes_until: Day,
    /// The last day of the data.
    pub known_until: Day,
    /// Cost of a treated customer.
    pub cost_per_customer: Option<f64>,
    /// The outcome of which net money is linear, and what a unit of it adds to the margin.
    pub net_base: Option<(Outcome, f64)>,
}

/// An outcome of the customers near a cut.
#[derive(Debug, Clone, PartialEq)]
pub struct CutOutcome {
    /// The outcome.
    pub outcome: Outcome,
    /// By kept customer: its value.
    pub values: Vec<f64>,
    /// By kept customer: its value in the days of the placebo.
    pub before: Vec<f64>,
}

impl CutPeriod {
    /// The cut as sentences have it, with all its digits.
    pub(super) fn cut_value(&self) -> Rounded {
        let is_whole = |digits: &usize| Rounded::new(self.cut, *digits).value() == self.cut;
        Rounded::new(self.cut, (0..MOST_DIGITS).find(is_whole).unwrap_or(MOST_DIGITS))
    }

    /// The measure as sentences have it.
    pub(super) fn running_name(&self) -> Quoted {
        self.running.as_str().into()
    }
}

/// Most digits behind the point of a measure.
const MOST_DIGITS: usize = 18;
