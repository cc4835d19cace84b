//! The forecast as it would have been made before, held against what came: the record of a slice.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::history::CustomerHistory;
use super::model::{Model, PARAMETERS};
use super::sample::{SampledCustomer, SettledSample};
use super::sums::{Interval, record_interval};
use crate::domain::{Day, Horizon, Horizons};

/// Past horizons without which nothing is said of how far forecasts miss.
const LEAST_ERRORS: usize = 4;

/// Customers from whom it is taken what the parameters do to all.
const SLOPED: usize = 1 << 12;

/// How a past horizon was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// By the model.
    Model,
    /// Everybody does what they did in the horizon before, but for their first purchase.
    LastHorizon,
    /// Everybody does what they did in the same horizon a year earlier, but for their first purchase.
    YearAgo,
}

/// What was told of a horizon, and what came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The sum that was told.
    pub expected: f64,
    /// The sum that came.
    pub actual: f64,
    /// Mean over customers of how far it was off.
    pub absolute_error: f64,
    /// The root of the mean square of that.
    pub squared_error: f64,
    /// Where the model saw the sum with 90 % probability.
    pub model: Interval,
    /// Where the errors of horizons before that one left it.
    pub record: Interval,
}

impl Comparison {
    /// The error as a share of what was told; `None` if nothing was.
    pub fn error_share(&self) -> Option<f64> {
        (self.expected > 0.0).then(|| self.actual / self.expected - 1.0)
    }
}

/// A past horizon as a method told it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// How.
    pub method: Method,
    /// Days with a purchase.
    pub order_days: Comparison,
    /// Money, minor units.
    pub money: Comparison,
}

/// A past horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// When.
    pub horizon: Horizon,
    /// How many horizons ago it began.
    pub ago: u32,
    /// Customers of the sample who had bought by then.
    pub customers: u64,
    /// By method, those that there were data for.
    pub records: Vec<Record>,
    /// The model of that time.
    pub model: Model,
}

/// The model of a slice today, and its record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    /// The model; `None` if too few customers have bought twice.
    pub model: Option<Model>,
    /// Customers of the sample it was fitted to.
    pub sampled: u64,
    /// Whoever has a lot up to this is one of them.
    pub bound: u64,
    /// Past horizons, the newest first.
    pub origins: Vec<Origin>,
}

/// By slice the model of a day; `None` where too few had bought twice by then.
pub fn models(sample: SettledSample<'_>, horizons: &Horizons, day: Day) -> Vec<Option<Model>> {
    let place = horizons.place(day);
    let fit = |customers: &[SampledCustomer]| Model::fit(customers.iter().map(|customer| customer.history(place)), day, None);
    let slices: Vec<_> = sample.slices().collect();
    slices.into_par_iter().map(|(customers, _)| fit(customers)).collect()
}

impl Backtest {
    /// By slice the model with its record; `begin` is the day from which purchases are known.
    pub fn of_slices(sample: SettledSample<'_>, horizons: &Horizons, begin: Day) -> Vec<Backtest> {
        let slices: Vec<_> = sample.slices().collect();
        slices.into_par_iter().map(|(customers, bound)| Backtest::new(customers, bound, horizons, begin)).collect()
    }

    /// Fits the model to a sample, and makes the forecast again as of past days; `begin` is the day from which purchases are known.
    pub fn new(customers: &[SampledCustomer], bound: u64, horizons: &Horizons, begin: Day) -> Backtest {
        let at = |day: Day| customers.iter().map(move |customer| customer.history(horizons.place(day)));
        let Some(model) = Model::fit(at(horizons.next.origin), horizons.next.origin, None) else { return Backtest::default() };
        // Every forecast knows at least the horizon before it.
        let known = horizons.past.iter().zip(&horizons.earlier).take_while(|(_, earlier)| earlier[0].origin.next() >= begin);
        let mut origins: Vec<Origin> = Vec::new();
        for ((horizon, [last, year_ago]), ago) in known.zip(1..) {
            let near = origins.last().map_or(&model, |newer| &newer.model);
            let Some(model) = Model::fit(at(horizon.origin), horizon.origin, Some(near)) else { break };
            let known: Vec<&SampledCustomer> =
                customers.iter().filter(|customer| customer.history(horizons.place(horizon.origin)).order_days > 0).collect();
            let naive = [(Method::LastHorizon, last), (Method::YearAgo, year_ago)];
            let naive = naive.into_iter().filter(|(_, earlier)| earlier.origin.next() >= begin);
            let mut records = vec![model_record(&model, &known, horizons, horizon)];
            records.extend(naive.map(|(method, earlier)| naive_record(method, &known, horizons, horizon, earlier)));
            origins.push(Origin { horizon: *horizon, ago, customers: known.len() as u64, records, model });
        }
        let mut all = Backtest {
            model: Some(model),
            sampled: at(horizons.next.origin).filter(|of| of.order_days > 0).count() as u64,
            bound,
            origins,
        };
        for place in 0..all.origins.len() {
            let [order_days, money] = all.typical_errors(place + 1);
            if let Some(record) = all.origins[place].records.first_mut() {
                record.order_days.record = record_interval(record.order_days.expected, None, order_days);
                record.money.record = record_interval(record.money.expected, None, money);
            }
        }
        all
    }

    /// The root mean square of the model's errors, as shares of what it told, over the origins from a place on, with their number;
    /// `None` if there are too few. Of days with a purchase and of money.
    pub fn typical_errors(&self, from: usize) -> [Option<(f64, usize)>; 2] {
        let of = |value: fn(&Record) -> &Comparison| {
            let errors = self.of(Method::Model).skip(from).map(|(_, record)| value(record).error_share());
            let errors: Vec<f64> = errors.collect::<Option<_>>()?;
            let squares: f64 = errors.iter().map(|error| error * error).sum();
            (errors.len() >= LEAST_ERRORS).then(|| ((squares / errors.len() as f64).sqrt(), errors.len()))
        };
        [of(|record| &record.order_days), of(|record| &record.money)]
    }

    /// The records of a method, with their origins.
    pub fn of(&self, method: Method) -> impl Iterator<Item = (&Origin, &Record)> {
        let of_origin = move |origin: &'_ Origin| origin.records.iter().position(|record| record.method == method);
        self.origins.iter().filter_map(move |origin| Some((origin, &origin.records[of_origin(origin)?])))
    }

    /// Whether a simple rule told purchases as well as the model or better, over the horizons that both told.
    pub fn is_unproven(&self) -> bool {
        [Method::LastHorizon, Method::YearAgo].into_iter().any(|rule| self.beats(rule) == Some(false))
    }

    /// Whether the model told days with a purchase better than another method, over the horizons that both told: both the sums, by the
    /// mean of their errors without sign, and what each customer did, by the mean square. `None` if there was no such horizon.
    pub fn beats(&self, other: Method) -> Option<bool> {
        let mut sums = [[0.0f64; 2]; 2];
        let mut count = 0.0;
        for origin in &self.origins {
            let of = |method| origin.records.iter().find(|record| record.method == method).map(|record| record.order_days);
            let (Some(model), Some(other)) = (of(Method::Model), of(other)) else { continue };
            for (sum, told) in sums.iter_mut().zip([model, other]) {
                sum[0] += (told.expected - told.actual).abs();
                sum[1] += told.squared_error * told.squared_error * origin.customers as f64;
            }
            count += 1.0;
        }
        let [model, other] = sums;
        (count > 0.0).then(|| model[0] < other[0] && model[1] < other[1])
    }
}

/// Sums of how far a method is off over customers.
#[derive(Default)]
struct Errors {
    customers: f64,
    expected: f64,
    actual: f64,
    absolute: f64,
    squares: f64,
}

impl Errors {
    fn add(&mut self, expected: f64, actual: f64) {
        let error = expected - actual;
        self.customers += 1.0;
        self.expected += expected;
        self.actual += actual;
        self.absolute += error.abs();
        self.squares += error * error;
    }

    fn comparison(&self, model: Interval) -> Comparison {
        let customers = self.customers.max(1.0);
        Comparison {
            expected: self.expected,
            actual: self.actual,
            absolute_error: self.absolute / customers,
            squared_error: (self.squares / customers).sqrt(),
            model,
            record: None,
        }
    }
}

fn model_record(model: &Model, customers: &[&SampledCustomer], horizons: &Horizons, horizon: &Horizon) -> Record {
    let (from, to) = (horizons.place(horizon.origin), horizons.place(horizon.end));
    let mut errors = [Errors::default(), Errors::default()];
    let mut variances = [0.0; 2];
    let mut slopes = [[0.0; PARAMETERS]; 2];
    let mut sloped = 0.0;
    for (number, customer) in customers.iter().enumerate() {
        let history: CustomerHistory = customer.history(from);
        let expected = model.expect(&history, horizon.origin, horizon.days());
        let (order_days, money) = customer.between(from, to);
        errors[0].add(expected.order_days, order_days as f64);
        errors[1].add(expected.money, money as f64);
        variances[0] += expected.order_days_variance;
        variances[1] += expected.money_variance;
        if number < SLOPED {
            let own = model.slopes(&history, horizon.origin, horizon.days());
            slopes.iter_mut().flatten().zip(own.iter().flatten()).for_each(|(sum, slope)| *sum += slope);
            sloped += expected.order_days;
        }
    }
    let scale = if sloped > 0.0 { errors[0].expected / sloped } else { 0.0 };
    slopes.iter_mut().flatten().for_each(|slope| *slope *= scale);
    let [order_days, money] = model.parameter_variances(&slopes);
    let interval = |errors: &Errors, variance: f64, of_parameters: Option<f64>| {
        super::sums::model_interval(errors.expected, variance + of_parameters?)
    };
    Record {
        method: Method::Model,
        order_days: errors[0].comparison(interval(&errors[0], variances[0], order_days)),
        money: errors[1].comparison(interval(&errors[1], variances[1], money)),
    }
}

fn naive_record(
    method: Method,
    customers: &[&SampledCustomer],
    horizons: &Horizons,
    horizon: &Horizon,
    earlier: &Horizon,
) -> Record {
    let places = |horizon: &Horizon| (horizons.place(horizon.origin), horizons.place(horizon.end));
    let ((from, to), (earlier_from, earlier_to)) = (places(horizon), places(earlier));
    let mut errors = [Errors::default(), Errors::default()];
    for customer in customers {
        let (told, came) = (customer.repeated_between(earlier_from, earlier_to), customer.between(from, to));
        errors[0].add(told.0 as f64, came.0 as f64);
        errors[1].add(told.1 as f64, came.1 as f64);
    }
    let [order_days, money] = errors.map(|errors| errors.comparison(None));
    Record { method, order_days, money }
}
