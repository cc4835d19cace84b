//! What is expected of all customers of a state, and how sure that is.

use serde::{Deserialize, Serialize};

use super::history::CustomerHistory;
use super::model::{Model, PARAMETERS};
use crate::domain::Horizon;
use crate::stats::{normal_quantile, t_quantile};

/// Slice, scheme and state, as numbers.
pub type ForecastKey = [u32; 3];

/// From where to where; `None` where it is not known.
pub type Interval = Option<[f64; 2]>;

/// The share of forecasts of which an interval holds one end.
const ONE_SIDE: f64 = 0.95;

/// Units of fixed-point sums, which do not depend on the order of additions: a billionth of a day, a millionth of a minor unit.
const ORDER_DAY: f64 = 1e9;
const MONEY: f64 = 1e6;

/// Units of sums of squares.
const SQUARE: f64 = 1e6;

/// Sums over the customers of a state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastSum {
    /// Customers with a purchase.
    pub customers: i64,
    order_days: i128,
    order_days_variance: i128,
    money: i128,
    money_variance: i128,
    /// Customers whose money, or its variance, the model does not know.
    without_money: i64,
    without_variance: i64,
    /// Of the customers of the sample: the same sums and their slopes.
    sampled: [i128; 2],
    slopes: [[i128; PARAMETERS]; 2],
}

/// What is expected of a state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// The sum; `None` where the model does not know it.
    pub expected: Option<f64>,
    /// Where the model sees it with 90 % probability.
    pub model: Interval,
    /// Where the errors of past horizons leave it.
    pub record: Interval,
}

/// Minor units that a column of 18 digits does not hold any more.
const MOST_MONEY: f64 = 1e18;

/// Money as the tables hold it, rounded half to even; `None` if they do not.
pub fn minor_units(money: f64) -> Option<i64> {
    (money.abs() < MOST_MONEY).then(|| money.round_ties_even() as i64)
}

fn fixed(value: f64, unit: f64) -> i128 {
    (value * unit).round() as i128
}

impl ForecastSum {
    /// What is expected of one customer; `is_sampled` says whether what follows from the parameters is looked at, too.
    pub fn of(model: &Model, customer: &CustomerHistory, horizon: &Horizon, is_sampled: bool) -> ForecastSum {
        let expected = model.expect(customer, horizon.origin, horizon.days());
        let (has_money, has_variance) = (expected.money.is_finite(), expected.money_variance.is_finite());
        let mut sum = ForecastSum {
            customers: 1,
            order_days: fixed(expected.order_days, ORDER_DAY),
            order_days_variance: fixed(expected.order_days_variance, SQUARE),
            money: if has_money { fixed(expected.money, MONEY) } else { 0 },
            money_variance: if has_variance { fixed(expected.money_variance, SQUARE) } else { 0 },
            without_money: i64::from(!has_money),
            without_variance: i64::from(!has_variance),
            ..ForecastSum::default()
        };
        if is_sampled {
            sum.sampled = [sum.order_days, sum.money];
            let slopes = model.slopes(customer, horizon.origin, horizon.days());
            for (fixed_slopes, (of, unit)) in sum.slopes.iter_mut().zip(slopes.iter().zip([ORDER_DAY, MONEY])) {
                fixed_slopes.iter_mut().zip(of).for_each(|(fixed_slope, slope)| *fixed_slope = fixed(*slope, unit));
            }
        }
        sum
    }

    /// Adds the sums of other customers.
    pub fn merge(&mut self, other: &ForecastSum) {
        self.customers += other.customers;
        self.order_days += other.order_days;
        self.order_days_variance += other.order_days_variance;
        self.money += other.money;
        self.money_variance += other.money_variance;
        self.without_money += other.without_money;
        self.without_variance += other.without_variance;
        self.sampled.iter_mut().zip(other.sampled).for_each(|(sum, of)| *sum += of);
        self.slopes.iter_mut().flatten().zip(other.slopes.iter().flatten()).for_each(|(sum, of)| *sum += of);
    }

    /// What is expected of the days with a purchase and of the money of everybody; `errors` are those of past horizons, with their number.
    pub fn outlook_of_all(&self, model: &Model, errors: [Option<(f64, usize)>; 2]) -> [Outlook; 2] {
        self.outlook(model, |of, mean, _| record_interval(mean, None, errors[of]))
    }

    /// The same of a state. Errors are those of everybody, and a state varies by itself besides.
    pub fn outlook_of_state(&self, model: &Model, errors: [Option<(f64, usize)>; 2]) -> [Outlook; 2] {
        self.outlook(model, |of, mean, variance| record_interval(mean, Some(variance?), errors[of]))
    }

    /// What is expected of both, where `record` gives the interval of past errors around a mean with a variance, if that is known.
    fn outlook(&self, model: &Model, record: impl Fn(usize, f64, Option<f64>) -> Interval) -> [Outlook; 2] {
        let sums = [self.order_days as f64 / ORDER_DAY, self.money as f64 / MONEY];
        let variances = [self.order_days_variance, self.money_variance].map(|sum| sum as f64 / SQUARE);
        let sampled = [self.sampled[0] as f64 / ORDER_DAY, self.sampled[1] as f64 / MONEY];
        // What a parameter does to the sampled customers of the state, it does to all of them.
        let slopes: [[f64; PARAMETERS]; 2] = std::array::from_fn(|of| {
            let scale = if sampled[of] > 0.0 { sums[of] / sampled[of] } else { 0.0 };
            self.slopes[of].map(|slope| slope as f64 / [ORDER_DAY, MONEY][of] * scale)
        });
        let of_parameters = model.parameter_variances(&slopes);
        let is_known = [true, self.without_money == 0];
        let has_variance = [true, self.without_variance == 0];
        std::array::from_fn(|of| {
            let variance = of_parameters[of].filter(|_| has_variance[of] && sampled[of] > 0.0).map(|own| own + variances[of]);
            match is_known[of] {
                true => Outlook {
                    expected: Some(sums[of]),
                    model: variance.and_then(|variance| model_interval(sums[of], variance)),
                    record: record(of, sums[of], variance),
                },
                false => Outlook { expected: None, model: None, record: None },
            }
        })
    }
}

/// The middle 90 % of a sum with this mean and variance, as a log-normal one: it is positive, and the more askew the less it is sure.
pub(super) fn model_interval(mean: f64, variance: f64) -> Interval {
    if !(mean > 0.0 && variance.is_finite()) {
        return None;
    }
    let spread = (variance / (mean * mean)).ln_1p();
    let middle = mean.ln() - spread / 2.0;
    let reach = normal_quantile(ONE_SIDE) * spread.sqrt();
    Some([(middle - reach).exp(), (middle + reach).exp()])
}

/// The sum widened by errors of past horizons, given as their typical share and number; `variance` is that of a part of what the errors
/// are of, which varies by itself.
pub(super) fn record_interval(mean: f64, variance: Option<f64>, errors: Option<(f64, usize)>) -> Interval {
    let (typical, count) = errors.filter(|_| mean > 0.0)?;
    let of_errors = t_quantile(ONE_SIDE, count as f64) * typical;
    let own = variance.map_or(0.0, |variance| normal_quantile(ONE_SIDE) * variance.sqrt() / mean);
    let reach = of_errors.hypot(own);
    Some([(mean * (1.0 - reach)).max(0.0), mean * (1.0 + reach)])
}
