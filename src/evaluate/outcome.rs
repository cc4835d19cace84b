//! Outcomes as statistics see them.

use crate::domain::Outcome;
use crate::stats::{Scales, Shape};

impl Outcome {
    /// Whether a customer's value is a mean's or a ratio's.
    pub fn shape(&self) -> Shape {
        if *self == Outcome::AvgOrderValue { Shape::Ratio } else { Shape::Mean }
    }

    /// Digits behind the point of its numbers when money has `money` digits.
    pub fn scales(&self, money: u32) -> Scales {
        match self {
            Outcome::Revenue | Outcome::Margin | Outcome::AvgOrderValue => [money, money, 0, 0],
            Outcome::Winsorised(plain) => plain.scales(money),
            _ => [0; 4],
        }
    }

    /// Whether a description of before and after shows it: plain means that may lead.
    pub fn is_described(&self) -> bool {
        self.may_lead() && self.shape() == Shape::Mean && !matches!(self, Outcome::Winsorised(_))
    }

    /// What one printed unit of it adds to the margin: the margin rate for revenue, 1 for margin, else nothing is known.
    pub fn margin_rate(&self, of_revenue: Option<f64>) -> Option<f64> {
        match self {
            Outcome::Revenue => of_revenue,
            Outcome::Margin => Some(1.0),
            _ => None,
        }
    }
}
