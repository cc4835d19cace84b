//! A strategy whose customers were treated from a cut on.

use super::Strategy;
use crate::domain::{Day, Decimal, Outcome, Period};

/// A strategy of design `threshold`.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// Its place among the strategies of the job file.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// The measure by which customers were treated, as the job names it.
    pub running: String,
    /// From where on they were.
    pub cut: Cut,
    /// How far from the cut customers are looked at, printed units; as far as the cut lies from 0 if the job does not say.
    pub window: Option<Decimal>,
    /// The periods, ascending and apart; never empty.
    pub periods: Vec<Period>,
    /// Days that outcomes count from the period's first; none is to the end of the period.
    pub outcome_days: Option<u32>,
    /// The outcomes in the job's order, without net money.
    pub outcomes: Vec<Outcome>,
    /// The outcome that decides.
    pub primary: Outcome,
    /// The first day of the programme.
    pub began: Day,
    /// The table of who was treated, as assignments; without it, everybody beyond the cut was.
    pub treated: Option<Strategy>,
    /// Cost of a treated customer, printed units.
    pub cost_per_customer: Option<Decimal>,
    /// Share of the revenue that is margin.
    pub margin_rate: Option<Decimal>,
    /// The slice value whose orders count.
    pub slice: Option<String>,
}

/// From where on customers were treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// From a value of the measure on, printed units.
    At(Decimal),
    /// From the lower bound of a state on.
    State {
        /// The scheme column.
        scheme: String,
        /// The state.
        state: String,
    },
}

impl Threshold {
    /// The days on which the outcomes of a period count.
    pub fn outcome_window(&self, period: Period) -> Period {
        let end = self.outcome_days.map_or(period.end, |days| Day(period.start.0.saturating_add(days as i32)));
        Period { start: period.start, end }
    }

    /// The days before the programme began on which the placebo of a period counts: as many.
    pub fn placebo_window(&self, period: Period) -> Period {
        let days = self.outcome_window(period).days();
        Period { start: Day(self.began.0.saturating_sub(days)), end: self.began }
    }

    /// The days whose measures it looks at: the one before every period.
    pub fn qualification_days(&self) -> impl Iterator<Item = Day> {
        self.periods.iter().map(|period| period.start.previous())
    }
}
