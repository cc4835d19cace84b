//! What is summed of customers: outcomes, and how they are computed, covariates, and what the assignments say.

use crate::domain::{Decimal, EventKind, Outcome};
use crate::evaluate::{Phase, Quantity};
use crate::stats::GridSecond;
use crate::sums::Arity;

/// An outcome and how it is computed.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedOutcome {
    /// The outcome.
    pub outcome: Outcome,
    /// How it is computed.
    pub kind: OutcomeKind,
}

/// How an outcome is computed from the activity of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutcomeKind {
    /// 1 with a purchase.
    Converted,
    /// Number of purchases.
    Orders,
    /// Money.
    Revenue,
    /// Money less cost.
    Margin,
    /// A share of the money.
    MarginRate(Decimal),
    /// 1 with a purchase in the window and one in the baseline.
    Retained,
    /// Money less cost, or this share of the money, less the cost of the assignment.
    Net(Option<Decimal>),
    /// Money per purchase.
    OrderValue,
    /// Something of the events of a kind.
    Events(EventKind, EventTally),
    /// 1 if the state in the scheme has moved on the ladder.
    Moved { scheme: usize, up: bool },
}

/// What is taken of the events of some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventTally {
    /// 1 with any.
    Any,
    /// How many there are.
    Count,
    /// The sum of their values.
    Sum,
}

impl OutcomeKind {
    /// How an outcome is computed that follows from the orders of one window; none for others. Without costs of the orders, margin is
    /// this share of the money.
    pub fn of_orders(outcome: &Outcome, margin_rate: Option<Decimal>, has_cost: bool) -> Option<OutcomeKind> {
        match outcome {
            Outcome::Converted => Some(OutcomeKind::Converted),
            Outcome::Orders => Some(OutcomeKind::Orders),
            Outcome::Revenue => Some(OutcomeKind::Revenue),
            Outcome::Margin => Some(margin_rate.filter(|_| !has_cost).map_or(OutcomeKind::Margin, OutcomeKind::MarginRate)),
            _ => None,
        }
    }
}

/// One thing that is summed.
#[derive(Debug, Clone, PartialEq)]
pub struct SummedQuantity {
    /// When it is observed.
    pub phase: Phase,
    /// Its name in the tables.
    pub quantity: Quantity,
    /// Where its values come from.
    pub source: QuantitySource,
    /// How many integers a value has.
    pub arity: Arity,
    /// Whether tables show it by state.
    pub by_state: bool,
}

/// Where the values of a quantity come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum QuantitySource {
    /// What the customer did.
    Outcome(OutcomeKind),
    /// The covariate with this index.
    Covariate(usize),
    /// Whether an earlier assignment treated the customer in the baseline.
    TreatedInBaseline,
    /// Whether the customer is in several periods.
    Recurs,
    /// The cost of the assignment.
    Cost,
    /// The contacts of the assignment.
    Contacts,
    /// Whether there is one.
    Contacted,
}

impl SummedQuantity {
    /// The outcome, if it is one.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.quantity {
            Quantity::Outcome(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// What the second numbers of its grid are; `None` if it has no grid, or one that follows from its sums.
    pub fn counted_grid(&self) -> Option<GridSecond> {
        self.quantity.grid_second(self.phase).filter(|_| !self.quantity.is_binary(self.phase))
    }

    /// Whether it is money.
    pub fn is_money(&self) -> bool {
        matches!(self.outcome(), Some(Outcome::Revenue | Outcome::Margin))
    }
}
