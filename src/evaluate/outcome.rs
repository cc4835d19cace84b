//! What is measured on a customer after assignment.

use std::fmt;

use crate::stats::{Scales, Shape};

/// An outcome: a number per assigned customer, 0 for who did nothing.
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
    /// 1 if the customer purchased in the baseline and after, else 0.
    Retained,
    /// Revenue over purchases: a ratio of sums.
    AvgOrderValue,
    /// 1 if the customer's state in this scheme, with cut points frozen at the baseline, is now higher on the ladder.
    MovedUp(String),
    /// 1 if it is now lower.
    MovedDown(String),
    /// A number outcome with its largest values cut off.
    Winsorised(Box<Outcome>),
}

impl Outcome {
    /// Reads the name that `Display` writes.
    pub fn parse(name: &str) -> Option<Outcome> {
        Some(match name {
            "converted" => Outcome::Converted,
            "orders" => Outcome::Orders,
            "revenue" => Outcome::Revenue,
            "margin" => Outcome::Margin,
            "retained" => Outcome::Retained,
            "avg_order_value" => Outcome::AvgOrderValue,
            _ => match (name.split_once(':'), name.strip_suffix("_winsorised")) {
                (Some(("moved_up", scheme)), _) => Outcome::MovedUp(scheme.into()),
                (Some(("moved_down", scheme)), _) => Outcome::MovedDown(scheme.into()),
                (None, Some(plain)) => match Outcome::parse(plain)? {
                    plain @ (Outcome::Orders | Outcome::Revenue | Outcome::Margin) => Outcome::Winsorised(Box::new(plain)),
                    _ => return None,
                },
                _ => return None,
            },
        })
    }

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

    /// Whether it may be a strategy's primary outcome: not if it restates behaviour after treatment.
    pub fn may_lead(&self) -> bool {
        !matches!(self, Outcome::AvgOrderValue | Outcome::MovedUp(_) | Outcome::MovedDown(_))
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

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Converted => f.write_str("converted"),
            Outcome::Orders => f.write_str("orders"),
            Outcome::Revenue => f.write_str("revenue"),
            Outcome::Margin => f.write_str("margin"),
            Outcome::Retained => f.write_str("retained"),
            Outcome::AvgOrderValue => f.write_str("avg_order_value"),
            Outcome::MovedUp(scheme) => write!(f, "moved_up:{scheme}"),
            Outcome::MovedDown(scheme) => write!(f, "moved_down:{scheme}"),
            Outcome::Winsorised(plain) => write!(f, "{plain}_winsorised"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        let names = ["converted", "retained", "avg_order_value", "moved_up:segment", "revenue_winsorised"];
        for name in names {
            assert_eq!(Outcome::parse(name).map(|o| o.to_string()).as_deref(), Some(name));
        }
        assert_eq!(Outcome::parse("converted_winsorised"), None);
        assert_eq!(Outcome::parse("moved_up"), None);
    }
}
