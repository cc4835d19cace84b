//! A model of a slice's customers: how often they will buy, and for how much.

use serde::{Deserialize, Serialize};

use super::gamma_gamma::{self, Spend};
use super::history::CustomerHistory;
use super::next_purchase::times_to_purchase;
use super::pareto_nbd::{self, History};
use crate::domain::{Day, LONGEST_HORIZON, Lookback};

/// Days of the unit of time: the bounds of the models' parameters suit weeks.
const WEEK: f64 = 7.0;

/// The chances of a next purchase whose days are told.
const CHANCES: [f64; 3] = [0.05, 0.5, 0.95];

/// How far a parameter's logarithm is moved to see what follows from it.
const STEP: f64 = 1e-3;

/// Customers who bought on two days, at least: of fewer, four parameters say what chance has put there.
pub const LEAST_REPEATERS: usize = 30;

/// Parameters of both models.
pub(super) const PARAMETERS: usize = 7;

/// Parameters of how often customers buy.
pub(super) const OF_PURCHASES: usize = 4;

/// A fitted model. Times are weeks, money is in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Of purchases.
    pub purchases: pareto_nbd::Fit,
    /// Of their money, if anybody bought again for more than nothing.
    pub spend: Option<gamma_gamma::Fit>,
}

/// What a customer will do in a horizon, on average, with the variances around it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Expected {
    /// Days with a purchase.
    pub order_days: f64,
    /// Their variance.
    pub order_days_variance: f64,
    /// Money, minor units; infinite where the model knows no mean.
    pub money: f64,
    /// Its variance; infinite where the model knows none.
    pub money_variance: f64,
}

impl Model {
    /// Fits a model to histories up to a day; `None` if too few have bought twice by then. `near` is that of another day.
    pub fn fit(customers: impl Iterator<Item = CustomerHistory>, origin: Day, near: Option<&Model>) -> Option<Model> {
        let bought: Vec<CustomerHistory> = customers.filter(|customer| customer.order_days > 0).collect();
        // Many customers share a history: those who bought once on a day.
        let mut keys: Vec<[i32; 3]> =
            bought.iter().map(|of| [of.order_days as i32 - 1, of.last - of.first, origin.0 - of.first]).collect();
        keys.sort_unstable();
        let histories: Vec<History> = keys
            .chunk_by(|one, other| one == other)
            .map(|equal| {
                let [repeats, last, observed] = equal[0].map(f64::from);
                History { repeats, last: last / WEEK, observed: observed / WEEK, customers: equal.len() as f64 }
            })
            .collect();
        if bought.iter().filter(|customer| customer.order_days > 1).count() < LEAST_REPEATERS {
            return None;
        }
        let mut spends: Vec<Spend> = bought.iter().filter_map(spend).collect();
        spends.sort_by(|one, other| one.purchases.total_cmp(&other.purchases).then(one.mean.total_cmp(&other.mean)));
        let spend = (!spends.is_empty()).then(|| gamma_gamma::fit_near(&spends, near.and_then(|near| near.spend.as_ref())));
        let purchases = match near {
            Some(near) => pareto_nbd::fit_near(&histories, &near.purchases),
            None => pareto_nbd::fit(&histories),
        };
        Some(Model { purchases, spend })
    }

    /// What a customer will do in the `days` after `origin`.
    pub fn expect(&self, customer: &CustomerHistory, origin: Day, days: f64) -> Expected {
        let purchases = pareto_nbd::purchases_in(&self.purchases.parameters, &history(customer, origin), days / WEEK);
        let order_days_variance = (purchases.square - purchases.mean * purchases.mean).max(0.0);
        let Some(fit) = &self.spend else {
            return Expected { order_days: purchases.mean, order_days_variance, ..Expected::default() };
        };
        let spend = spend(customer).unwrap_or(Spend { purchases: 0.0, mean: 0.0 });
        let next = gamma_gamma::next_spend(&fit.parameters, &spend);
        let money = purchases.mean * next.mean;
        let square = purchases.mean * next.square + (purchases.square - purchases.mean) * next.product;
        Expected { order_days: purchases.mean, order_days_variance, money, money_variance: (square - money * money).max(0.0) }
    }

    /// The first days after `origin` by which a day with a purchase has come with chances of 5, 50 and 95 %; `None` where none comes
    /// with it within the longest horizon. A purchase on the n-th day is one after n − 1 whole days.
    pub fn next_purchase(&self, customer: &CustomerHistory, origin: Day) -> [Option<Day>; 3] {
        let bound = Lookback::Days(LONGEST_HORIZON).end(origin).0 - origin.0;
        let history = history(customer, origin);
        let times = times_to_purchase(&self.purchases.parameters, &history, CHANCES, f64::from(bound) / WEEK);
        times.map(|weeks| Some(Day(origin.0 + ((weeks? * WEEK).ceil() as i32).clamp(1, bound))))
    }

    /// By how much the days with a purchase, and the money, change with the logarithm of each parameter: r, α, s, β, p, q, γ.
    pub(super) fn slopes(&self, customer: &CustomerHistory, origin: Day, days: f64) -> [[f64; PARAMETERS]; 2] {
        let at = self.expect(customer, origin, days);
        let mut slopes = [[0.0; PARAMETERS]; 2];
        let [of_order_days, of_money] = &mut slopes;
        for (number, (order_days, money)) in of_order_days.iter_mut().zip(of_money).enumerate() {
            let moved = self.moved(number).expect(customer, origin, days);
            *order_days = (moved.order_days - at.order_days) / STEP;
            *money = (moved.money - at.money) / STEP;
        }
        slopes
    }

    /// The model with one parameter moved.
    fn moved(&self, number: usize) -> Model {
        let factor = STEP.exp();
        let mut moved = *self;
        let purchases = &mut moved.purchases.parameters;
        match (number, &mut moved.spend) {
            (0, _) => purchases.r *= factor,
            (1, _) => purchases.alpha *= factor,
            (2, _) => purchases.s *= factor,
            (3, _) => purchases.beta *= factor,
            (4, Some(spend)) => spend.parameters.p *= factor,
            (5, Some(spend)) => spend.parameters.q *= factor,
            (6, Some(spend)) => spend.parameters.gamma *= factor,
            _ => {}
        }
        moved
    }

    /// The variances of sums whose slopes these are, for what is not known of the parameters; `None` where that is not known either.
    pub(super) fn parameter_variances(&self, slopes: &[[f64; PARAMETERS]; 2]) -> [Option<f64>; 2] {
        let of_purchases = |slopes: &[f64; PARAMETERS]| {
            let covariance = self.purchases.covariance?;
            let own: [f64; OF_PURCHASES] = std::array::from_fn(|i| slopes[i]);
            Some(quadratic(&covariance, &own))
        };
        let of_spend = |slopes: &[f64; PARAMETERS]| match &self.spend {
            None => Some(0.0),
            Some(fit) => Some(quadratic(&fit.covariance?, &std::array::from_fn(|i| slopes[OF_PURCHASES + i]))),
        };
        [of_purchases(&slopes[0]), of_purchases(&slopes[1]).zip(of_spend(&slopes[1])).map(|(one, other)| one + other)]
    }
}

fn history(customer: &CustomerHistory, origin: Day) -> History {
    History {
        repeats: f64::from(customer.order_days.saturating_sub(1)),
        last: f64::from(customer.last - customer.first) / WEEK,
        observed: f64::from(origin.0 - customer.first) / WEEK,
        customers: 1.0,
    }
}

/// Money of the days after the first one, if there are any and it is more than nothing.
fn spend(customer: &CustomerHistory) -> Option<Spend> {
    let purchases = f64::from(customer.order_days.saturating_sub(1));
    (purchases > 0.0 && customer.repeat_money > 0).then(|| Spend { purchases, mean: customer.repeat_money as f64 / purchases })
}

fn quadratic<const N: usize>(matrix: &[[f64; N]; N], vector: &[f64; N]) -> f64 {
    let row = |row: &[f64; N]| row.iter().zip(vector).map(|(a, b)| a * b).sum::<f64>();
    matrix.iter().zip(vector).map(|(of, b)| row(of) * b).sum::<f64>().max(0.0)
}
