//! A strategy, resolved: a treatment given to customers from a date. [`resolve()`] makes it of what the job file says and
//! checks it against the rest of the job.

mod resolve;
#[cfg(test)]
mod tests;
mod threshold;

use super::paths::InputPaths;
pub use super::raw::Overlap;
use crate::domain::{Day, Decimal, Period, Ratio};
pub use crate::domain::{Design, EffectMethod, Outcome};

pub(super) use resolve::{Context, resolve};
pub use threshold::{Cut, Threshold};

/// A strategy that can be evaluated by its assignments.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategy {
    /// Its place among the strategies of the job file.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// How customers came to their arms.
    pub design: Design,
    /// Where the assignments are; no pattern if a query makes them.
    pub assignments: InputPaths,
    /// List of their hashes, as the job names it.
    pub manifest: Option<String>,
    /// The arms by name with their planned shares; empty if the job does not name them.
    pub arms: Vec<Arm>,
    /// Strata with shares of their own, by name: the same arms in the same order.
    pub strata: Vec<(String, Vec<Arm>)>,
    /// The control arm; none for before_after.
    pub control: Option<String>,
    /// Pairs of treated arms that are compared too: the first less the second.
    pub pairs: Vec<[String; 2]>,
    /// The column of the assignments whose values were drawn; none if every customer was.
    pub cluster: Option<String>,
    /// The periods, ascending and apart; never empty.
    pub periods: Vec<Period>,
    /// The baseline, if the job gives one.
    pub baseline: Option<Period>,
    /// Days that outcomes count from assigned_on; none is to the end of the period.
    pub outcome_days: Option<u32>,
    /// Whether the time after is shown too.
    pub after: bool,
    /// The outcomes in the job's order.
    pub outcomes: Vec<Outcome>,
    /// What decides; none for before_after.
    pub primary: Option<Primary>,
    /// Outcomes that must not suffer.
    pub guardrails: Vec<Guardrail>,
    /// How often verdicts over all periods are read.
    pub looks: u32,
    /// What effects are shown by besides all customers: states first, strata last.
    pub by: Vec<GroupBy>,
    /// What makes the cells of design matched: scheme columns, or [`STRATUM`](crate::domain::STRATUM); empty for other designs.
    pub match_on: Vec<String>,
    /// Cost of a treated customer, printed units.
    pub cost_per_customer: Option<Decimal>,
    /// Cost besides, per period, printed units.
    pub fixed_cost: Option<Decimal>,
    /// Names of the strategies whose costs it has too.
    pub costs_of: Vec<String>,
    /// Share of the revenue that is margin.
    pub margin_rate: Option<Decimal>,
    /// Percentile at which money outcomes are cut off.
    pub winsorise: Option<Decimal>,
    /// What becomes of customers who are in two strategies at once.
    pub overlap: Overlap,
    /// The slice value whose orders count.
    pub slice: Option<String>,
}

impl Strategy {
    /// The days whose states it looks at: the day before every period, the period's last for outcomes that compare the two,
    /// and the day before the baseline for the placebo of a matched strategy.
    pub fn state_dates(&self) -> Vec<Day> {
        let moves = self.outcomes.iter().any(|outcome| outcome.moved_in().is_some());
        let ends = self.periods.iter().filter(|_| moves).map(|period| period.last_day());
        let earlier = self.periods.iter().filter_map(|period| self.before_baseline(*period));
        self.periods.iter().map(|period| period.start.previous()).chain(ends).chain(earlier).collect()
    }

    /// The day before the baseline of a period whose states a matched strategy needs: as long before the baseline as the day before
    /// the period is before the first assignment.
    pub fn before_baseline(&self, period: Period) -> Option<Day> {
        let start = match (self.baseline, self.outcome_days) {
            (Some(baseline), _) => baseline.start,
            (None, Some(days)) => Day(period.start.0.saturating_sub(days as i32)),
            (None, None) => period.preceding().start,
        };
        (self.design == Design::Matched).then(|| start.previous())
    }
}

/// A name in `by`, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupBy {
    /// The states of a scheme column.
    Scheme(String),
    /// The values of a dimension of the customers table, by its index there.
    Dimension(usize),
    /// The values of a further column of the assignments.
    Column(String),
    /// The strata of the assignments.
    Stratum,
}

impl GroupBy {
    /// The scheme column whose states they are.
    pub fn scheme(&self) -> Option<&str> {
        if let GroupBy::Scheme(column) = self { Some(column) } else { None }
    }

    /// The column of the assignments whose values they are.
    pub fn column(&self) -> Option<&str> {
        if let GroupBy::Column(column) = self { Some(column) } else { None }
    }
}

/// An arm with its planned share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// Its name.
    pub name: String,
    /// Its share, above 0; all shares add to 1.
    pub share: Ratio,
}

/// The outcome and method that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Primary {
    /// The outcome.
    pub outcome: Outcome,
    /// The method.
    pub method: EffectMethod,
}

/// An outcome that must not suffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardrail {
    /// The outcome.
    pub outcome: Outcome,
    /// The change per customer that is borne, 0 or below; without it a loss must not be shown.
    pub at_worst: Option<Decimal>,
}
