//! Outcomes as statistics see them.

use std::collections::BTreeMap;

use crate::domain::{EventKind, Outcome};
use crate::stats::{Scales, Shape};

/// Digits that net money has beside those of money, for margin rates and costs of a fraction of a cent.
pub const NET_DIGITS: u32 = 4;

/// Digits behind the point of numbers that are no counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digits {
    /// Those of money.
    pub money: u32,
    /// By kind of events: those of their values.
    pub of_events: BTreeMap<EventKind, u32>,
}

impl Outcome {
    /// Whether a customer's value is a mean's or a ratio's.
    pub fn shape(&self) -> Shape {
        if *self == Outcome::AvgOrderValue { Shape::Ratio } else { Shape::Mean }
    }

    /// Digits behind the point of its numbers.
    pub fn scales(&self, digits: &Digits) -> Scales {
        let money = digits.money;
        match self {
            Outcome::Revenue | Outcome::Margin => [money, money, money, 0],
            Outcome::AvgOrderValue => [money, money, 0, 0],
            Outcome::Net => [money + NET_DIGITS, money + NET_DIGITS, money + NET_DIGITS, 0],
            Outcome::EventSum(kind) => {
                let values = digits.of_events.get(kind).copied().unwrap_or(0);
                [values, values, values, 0]
            }
            Outcome::Winsorised(plain) => plain.scales(digits),
            _ => [0; 4],
        }
    }

    /// Whether a description of before and after shows it: plain means that may lead.
    pub fn is_described(&self) -> bool {
        self.may_lead() && self.shape() == Shape::Mean && !matches!(self, Outcome::Winsorised(_) | Outcome::Net)
    }
}
