//! What is expected of the customers of a part after the last date, summed by state.

use super::context::{DateRows, PartContext};
use super::customers::PartCustomers;
use crate::forecast::{CustomerHistory, ForecastKey, ForecastSum, lot_of};
use crate::measure::BucketPanel;

/// By customer of the part, what was bought up to the last date; nothing without a forecast.
pub fn histories(panels: &[BucketPanel], customers: &PartCustomers) -> Vec<CustomerHistory> {
    let flat: Vec<CustomerHistory> = panels.iter().flat_map(|panel| panel.purchased.at_last_day()).collect();
    match flat.is_empty() {
        true => Vec::new(),
        false => customers.flat_offsets().iter().map(|offset| flat[*offset as usize]).collect(),
    }
}

/// Adds what is expected of the listed customers of the last date, once per scheme.
pub fn add(
    context: &PartContext<'_>,
    customers: &PartCustomers,
    histories: &[CustomerHistory],
    date: &DateRows,
    sums: &mut Vec<(ForecastKey, ForecastSum)>,
) {
    let Some(horizon) = context.job.forecast.as_ref().map(|forecast| forecast.next).filter(|_| !histories.is_empty()) else {
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
            let history = &histories[customer];
            if history.order_days == 0 {
                continue;
            }
            let one = ForecastSum::of(&model, history, &horizon, lot_of(&customers.ids, customer) <= bound);
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
