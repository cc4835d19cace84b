//! From an effect to money.

use super::distribution::normal_quantile;

/// What a treatment cost, and what an outcome is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreatmentEconomics {
    /// Cost of all treated customers, printed units.
    pub cost: f64,
    /// Margin per unit of the outcome: the margin rate for revenue, 1 for margin itself.
    pub margin_rate: f64,
    /// Treated customers.
    pub n_treated: f64,
}

/// A number with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MoneyInterval {
    /// The number.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl TreatmentEconomics {
    /// Return on investment of a difference (or an end of its interval) per customer: (incremental margin − cost)/cost;
    /// `None` without cost.
    pub fn roi(&self, difference: f64, low: f64, high: f64) -> Option<MoneyInterval> {
        let of = |d: f64| (d * self.n_treated * self.margin_rate - self.cost) / self.cost;
        (self.cost > 0.0).then(|| MoneyInterval { value: of(difference), low: of(low), high: of(high) })
    }

    /// Margin less cost per treated customer.
    pub fn net_margin(&self, difference: f64, low: f64, high: f64) -> MoneyInterval {
        let of = |d: f64| d * self.margin_rate - self.cost / self.n_treated;
        MoneyInterval { value: of(difference), low: of(low), high: of(high) }
    }
}

/// The smallest effect that a test at 5 % finds four times in five: (z₀.₉₇₅ + z₀.₈)·SE.
pub fn mde(se: f64) -> f64 {
    (normal_quantile(0.975) + normal_quantile(0.8)) * se
}
