//! What is expected of the customers of a part after the last date, summed by state.

use super::context::{DateRows, PartContext};
use super::customers::{PartCustomers, panel_of};
use super::rows::CustomerRows;
use crate::domain::{Day, Horizon};
use crate::forecast::{CustomerHistory, ForecastKey, ForecastSum, lot_of, minor_units};
use crate::measure::{BucketPanel, Column, NULL_INT, NULL_LONG};

/// What the customers of a part had bought up to a day.
pub struct Histories<'a> {
    panels: &'a [BucketPanel],
    customers: &'a PartCustomers,
    place: Option<usize>,
}

impl<'a> Histories<'a> {
    /// Those up to a day; of nobody without a forecast of that day.
    pub fn new(panels: &'a [BucketPanel], customers: &'a PartCustomers, day: Day) -> Histories<'a> {
        Histories { panels, customers, place: panels.first().and_then(|panel| panel.purchased.place(day)) }
    }

    /// That of a customer of the part; `None` of who has not bought.
    fn of(&self, customer: usize) -> Option<CustomerHistory> {
        let (panel, row) = panel_of(self.panels, self.customers.bucket_rows[customer]);
        Some(panel.purchased.at(row, self.place?)).filter(|history| history.order_days > 0)
    }
}

/// Fills the measures that look ahead from a date into the rows of its customers; null where there is no model, or no purchase.
pub fn fill(context: &PartContext<'_>, date: usize, histories: &Histories<'_>, rows: &mut CustomerRows) {
    let (Some(horizons), Some(models)) = (&context.plan.horizons, context.models.get(date)) else { return };
    let origin = context.job.dates[date].date;
    for (column, measure) in context.plan.forecast_measures().filter(|(_, measure)| measure.kind.basis().has_horizon()) {
        let horizon = Horizon { origin, end: measure.lookback.unwrap_or(horizons.length).end(origin) };
        for (slice, range) in &rows.slices {
            let model = models.get(*slice as usize).and_then(Option::as_ref);
            for row in range.clone() {
                let history = histories.of(rows.customers[row] as usize);
                let expected = model.zip(history).map(|(model, history)| model.expect(&history, origin, horizon.days()));
                match &mut rows.columns[column] {
                    Column::Double(values) => values[row] = expected.map_or(f64::NAN, |expected| expected.order_days),
                    Column::Long(values) => {
                        values[row] = expected.and_then(|expected| minor_units(expected.money)).unwrap_or(NULL_LONG)
                    }
                    Column::Int(_) | Column::Ratio(_) => {}
                }
            }
        }
    }
    let next_purchase = context.plan.next_purchase_measures();
    if next_purchase.iter().all(Option::is_none) {
        return;
    }
    for (slice, range) in &rows.slices {
        let model = models.get(*slice as usize).and_then(Option::as_ref);
        for row in range.clone() {
            let history = histories.of(rows.customers[row] as usize);
            let days = model.zip(history).map_or([None; 3], |(model, history)| model.next_purchase(&history, origin));
            for (column, day) in next_purchase.iter().zip(days) {
                if let Some(Column::Int(values)) = column.map(|column| &mut rows.columns[column]) {
                    values[row] = day.map_or(NULL_INT, |day| day.0);
                }
            }
        }
    }
}

/// The days by which a customer of the part buys next after the last date, by the model of a slice.
pub fn next_purchase(context: &PartContext<'_>, histories: &Histories<'_>, slice: u32, customer: usize) -> [Option<Day>; 3] {
    let model = context.forecasts.get(slice as usize).and_then(|of| of.model.as_ref());
    let known = model.zip(histories.of(customer));
    known.map_or([None; 3], |(model, history)| model.next_purchase(&history, context.job.last_date()))
}

/// Adds what is expected of the listed customers of the last date, once per scheme.
pub fn add(
    context: &PartContext<'_>,
    customers: &PartCustomers,
    histories: &Histories<'_>,
    date: &DateRows,
    sums: &mut Vec<(ForecastKey, ForecastSum)>,
) {
    let Some(horizon) = context.job.forecast.as_ref().map(|forecast| forecast.next).filter(|_| histories.place.is_some()) else {
        return;
    };
    for (slice, rows) in &date.rows.slices {
        let Some((model, bound)) = context.forecasts.get(*slice as usize).and_then(|of| Some((of.model?, of.bound))) else {
            continue;
        };
        let mut by_scheme: Vec<Vec<ForecastSum>> =
            context.movement.state_counts.iter().map(|count| vec![ForecastSum::default(); *count]).collect();
        for row in rows.clone() {
            let customer = date.rows.customers[row] as usize;
            let Some(history) = histories.of(customer) else { continue };
            let one = ForecastSum::of(&model, &history, &horizon, lot_of(&customers.ids, customer) <= bound);
            for (by_state, states) in by_scheme.iter_mut().zip(&date.states) {
                by_state[usize::from(states[row])].merge(&one);
            }
        }
        for (scheme, by_state) in (0..).zip(by_scheme) {
            let known = (0..).zip(by_state).filter(|(_, sum)| sum.customers > 0);
            sums.extend(known.map(|(state, sum)| ([*slice, scheme, state], sum)));
        }
    }
}
