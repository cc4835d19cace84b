//! From models, their records and sums to the rows of the tables about forecasts.

use super::summary_rows::KeyNames;
use crate::domain::{ALL, Day, Decimal, Horizon};
use crate::forecast::{Backtest, Comparison, ForecastKey, ForecastSum, Interval, Method, Origin, Record, minor_units};
use crate::tables::{BacktestRow, ForecastRow};

/// The rows of `forecast`: by slice that of everybody, then the states of each scheme. `sums` are sorted by key, each key once.
pub(super) fn forecast(sums: &[(ForecastKey, ForecastSum)], forecasts: &[Backtest], names: &KeyNames<'_>) -> Vec<ForecastRow> {
    let Some(horizon) = names.job.forecast.as_ref().map(|forecast| forecast.next) else { return Vec::new() };
    let mut rows = Vec::new();
    for of_slice in sums.chunk_by(|(one, _), (other, _)| one[0] == other[0]) {
        let number = of_slice.first().map_or(0, |([slice, ..], _)| *slice);
        let Some(of) = forecasts.get(number as usize) else { continue };
        // Every scheme has all customers.
        let mut all = ForecastSum::default();
        of_slice.iter().filter(|([_, scheme, _], _)| *scheme == 0).for_each(|(_, sum)| all.merge(sum));
        rows.extend(row(number, None, &all, of, horizon, names));
        let mut states: Vec<&(ForecastKey, ForecastSum)> = of_slice.iter().collect();
        states.sort_by_key(|([_, scheme, state], _)| (*scheme, names.rank(*scheme, *state)));
        rows.extend(
            states.iter().filter_map(|([_, scheme, state], sum)| row(number, Some((*scheme, *state)), sum, of, horizon, names)),
        );
    }
    rows
}

fn row(
    slice: u32,
    state: Option<(u32, u32)>,
    sum: &ForecastSum,
    of: &Backtest,
    horizon: Horizon,
    names: &KeyNames<'_>,
) -> Option<ForecastRow> {
    let model = of.model?;
    let is_all = state.is_none();
    let errors = of.typical_errors(0);
    let [order_days, revenue] = match is_all {
        true => sum.outlook_of_all(&model, errors),
        false => sum.outlook_of_state(&model, errors),
    };
    let money = |value: Option<f64>| money(value?, names);
    let [low, high] = ends(order_days.model);
    let [record_low, record_high] = ends(order_days.record);
    let spend = model.spend.map(|fit| fit.parameters);
    let units = 10f64.powi(names.job.scale() as i32);
    let of_all = |value: f64| is_all.then_some(value);
    Some(ForecastRow {
        as_of: horizon.origin,
        slice: names.slice(slice as usize),
        scheme: state.map_or_else(|| ALL.into(), |(scheme, _)| names.scheme(scheme)),
        state: state.map_or_else(|| ALL.into(), |(scheme, state)| names.state(scheme, state)),
        horizon_end: horizon.end,
        customers: Some(sum.customers),
        expected_order_days: order_days.expected,
        order_days_model_low: low,
        order_days_model_high: high,
        order_days_record_low: record_low,
        order_days_record_high: record_high,
        expected_revenue: money(revenue.expected),
        revenue_model_low: money(ends(revenue.model)[0]),
        revenue_model_high: money(ends(revenue.model)[1]),
        revenue_record_low: money(ends(revenue.record)[0]),
        revenue_record_high: money(ends(revenue.record)[1]),
        past_horizons: Some(of.origins.len() as i64),
        beats_last_horizon: of.beats(Method::LastHorizon),
        beats_year_ago: of.beats(Method::YearAgo),
        sampled: is_all.then_some(of.sampled as i64),
        r: of_all(model.purchases.parameters.r),
        alpha: of_all(model.purchases.parameters.alpha),
        s: of_all(model.purchases.parameters.s),
        beta: of_all(model.purchases.parameters.beta),
        p: spend.and_then(|spend| of_all(spend.p)),
        q: spend.and_then(|spend| of_all(spend.q)),
        v: spend.and_then(|spend| of_all(spend.gamma / units)),
        is_inner: is_all.then_some(model.purchases.is_inner && model.spend.is_none_or(|fit| fit.is_inner)),
    })
}

/// The rows of `backtest`: by slice and past horizon, the newest first.
pub(super) fn backtest(forecasts: &[Backtest], as_of: Day, names: &KeyNames<'_>) -> Vec<BacktestRow> {
    let mut rows = Vec::new();
    for (slice, of) in forecasts.iter().enumerate() {
        for origin in &of.origins {
            rows.extend(origin.records.iter().map(|record| told(slice, origin, record, as_of, names)));
        }
    }
    rows
}

fn told(slice: usize, origin: &Origin, record: &Record, as_of: Day, names: &KeyNames<'_>) -> BacktestRow {
    let Record { method, order_days, money: revenue } = record;
    let money = |value: Option<f64>| money(value?, names);
    let units = 10f64.powi(names.job.scale() as i32);
    let finite = |value: f64| value.is_finite().then_some(value);
    BacktestRow {
        as_of,
        slice: names.slice(slice),
        horizons_ago: Some(origin.ago.into()),
        origin: origin.horizon.origin,
        horizon_end: origin.horizon.end,
        method: Some(method_name(*method).into()),
        customers: Some(origin.customers as i64),
        expected_order_days: Some(order_days.expected),
        actual_order_days: Some(order_days.actual as i64),
        order_days_error: error(order_days),
        order_days_mae: Some(order_days.absolute_error),
        order_days_rmse: Some(order_days.squared_error),
        order_days_model_low: ends(order_days.model)[0],
        order_days_model_high: ends(order_days.model)[1],
        is_in_order_days_model: is_in(order_days.model, order_days),
        order_days_record_low: ends(order_days.record)[0],
        order_days_record_high: ends(order_days.record)[1],
        is_in_order_days_record: is_in(order_days.record, order_days),
        expected_revenue: money(finite(revenue.expected)),
        actual_revenue: money(Some(revenue.actual)),
        revenue_error: error(revenue).filter(|error| error.is_finite()),
        revenue_mae: finite(revenue.absolute_error / units),
        revenue_rmse: finite(revenue.squared_error / units),
        revenue_model_low: money(ends(revenue.model)[0]),
        revenue_model_high: money(ends(revenue.model)[1]),
        is_in_revenue_model: is_in(revenue.model, revenue),
        revenue_record_low: money(ends(revenue.record)[0]),
        revenue_record_high: money(ends(revenue.record)[1]),
        is_in_revenue_record: is_in(revenue.record, revenue),
    }
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Model => "model",
        Method::LastHorizon => "last_horizon",
        Method::YearAgo => "year_ago",
    }
}

/// What was told less what came, as a share of what came.
fn error(of: &Comparison) -> Option<f64> {
    (of.actual > 0.0).then(|| of.expected / of.actual - 1.0)
}

fn is_in(interval: Interval, of: &Comparison) -> Option<bool> {
    interval.map(|[low, high]| (low..=high).contains(&of.actual))
}

fn ends(interval: Interval) -> [Option<f64>; 2] {
    [interval.map(|[low, _]| low), interval.map(|[_, high]| high)]
}

/// Money of a sum in minor units; `None` beyond what the tables hold.
fn money(sum: f64, names: &KeyNames<'_>) -> Option<Decimal> {
    minor_units(sum).map(|units| names.money(units.into()))
}
