//! Sums over a customer's orders, and the measures made of them.

use std::collections::BTreeSet;

use super::*;

/// Purchases and money between two dates.
pub(super) struct Sums {
    pub(super) purchases: i128,
    pub(super) order_days: i128,
    /// In minor units, with or without returns as the job says.
    pub(super) money: i128,
}

/// Sums one customer's orders on or after `start` (all without one) and on or before `as_of`.
pub(super) fn sums(job: &Job, orders: &[&Order], start: Option<i64>, as_of: i64) -> Sums {
    let mut days = BTreeSet::new();
    let mut result = Sums { purchases: 0, order_days: 0, money: 0 };
    for order in orders {
        if order.date > as_of || start.is_some_and(|s| order.date < s) {
            continue;
        }
        if order.is_purchase {
            result.purchases += 1;
            days.insert(order.date);
        }
        if !order.is_return || job.monetary == Money::Net {
            result.money += order.money;
        }
    }
    result.order_days = days.len() as i128;
    result
}

/// `frequency` of such sums.
fn frequency_of(job: &Job, sums: &Sums) -> i128 {
    match job.count {
        Count::Orders => sums.purchases,
        Count::OrderDays => sums.order_days,
    }
}

/// `monetary` of such sums, with [`Job::monetary_digits`] digits.
fn monetary_of(job: &Job, sums: &Sums) -> i128 {
    match job.monetary_as {
        MonetaryAs::Sum => sums.money,
        MonetaryAs::Average if sums.purchases == 0 => 0,
        MonetaryAs::Average => divide_half_even(sums.money * 100, sums.purchases),
    }
}

/// The measures of one customer, still without scores; none if the customer is not of the population.
pub(super) fn measure(
    job: &Job,
    id: &Id,
    orders: &[&Order],
    moment: &Moment,
    seen: &mut BTreeSet<&'static str>,
) -> Option<CustomerRow> {
    let as_of = moment.as_of;
    let purchases: Vec<i64> = orders.iter().filter(|o| o.is_purchase && o.date <= as_of).map(|o| o.date).collect();
    let first_order = *purchases.iter().min()?;
    let last_order = *purchases.iter().max()?;
    let inside = sums(job, orders, job.lookback.start(as_of), as_of);
    if job.population == Population::Lookback && inside.purchases == 0 {
        return None;
    }
    let lifetime = sums(job, orders, None, as_of);
    let frequency = frequency_of(job, &inside);
    if inside.purchases != inside.order_days && job.count == Count::OrderDays {
        seen.insert(notes::AVERAGE_BY_DAYS);
        if job.monetary_as == MonetaryAs::Average {
            seen.insert(notes::MEAN_BY_ORDERS);
        }
    }
    if lifetime.purchases != lifetime.order_days && job.count == Count::OrderDays {
        seen.insert(notes::LIFETIME_ORDERS);
    }
    if job.monetary_as == MonetaryAs::Average {
        seen.insert(notes::LIFETIME_SUM);
        seen.insert(notes::AVERAGE_OF_SUM);
    }
    let at = |lookback: &Lookback| {
        let part = sums(job, orders, lookback.start(as_of), as_of);
        AtLookback { lookback: *lookback, frequency: frequency_of(job, &part), monetary: monetary_of(job, &part) }
    };
    let period = moment.period.map(|(start, end)| {
        let own = sums(job, orders, Some(start), end);
        InPeriod { orders: own.purchases, monetary: own.money, orders_before: sums(job, orders, None, start - 1).purchases }
    });
    let previous_period_orders = moment.previous.map(|(start, end)| sums(job, orders, Some(start), end).purchases);
    Some(CustomerRow {
        id: id.clone(),
        first_order,
        last_order,
        recency_days: i128::from(as_of - last_order),
        frequency,
        monetary: monetary_of(job, &inside),
        avg_order_value: (frequency > 0).then(|| divide_half_even(inside.money * 100, frequency)),
        tenure_days: i128::from(as_of - first_order),
        lifetime_orders: lifetime.purchases,
        lifetime_monetary: lifetime.money,
        period,
        previous_period_orders,
        revenue: inside.money,
        at: job.extra_lookbacks.iter().map(at).collect(),
        scores: [None; 3],
        levels: [None; 3],
        states: Vec::new(),
    })
}

/// A measure's value and its digits after the point; none for null.
pub(super) fn measure_value(job: &Job, row: &CustomerRow, measure: Measure) -> Option<(i128, u32)> {
    let at = |lookback: Lookback| row.at.iter().find(|a| a.lookback == lookback).expect("a lookback of the job");
    match measure {
        Measure::RecencyDays => Some((row.recency_days, 0)),
        Measure::Frequency(None) => Some((row.frequency, 0)),
        Measure::Frequency(Some(l)) => Some((at(l).frequency, 0)),
        Measure::Monetary(None) => Some((row.monetary, job.monetary_digits())),
        Measure::Monetary(Some(l)) => Some((at(l).monetary, job.monetary_digits())),
        Measure::AvgOrderValue => row.avg_order_value.map(|v| (v, job.amount_scale + 2)),
        Measure::TenureDays => Some((row.tenure_days, 0)),
        Measure::LifetimeOrders => Some((row.lifetime_orders, 0)),
        Measure::LifetimeMonetary => Some((row.lifetime_monetary, job.amount_scale)),
        Measure::PeriodOrders => row.period.map(|p| (p.orders, 0)),
        Measure::PeriodMonetary => row.period.map(|p| (p.monetary, job.amount_scale)),
        Measure::PreviousPeriodOrders => row.previous_period_orders.map(|n| (n, 0)),
        Measure::OrdersBeforePeriod => row.period.map(|p| (p.orders_before, 0)),
    }
}

/// True if a number (none for null) passes a test.
pub(super) fn holds(test: Test, number: Option<(i128, u32)>) -> bool {
    let Some((value, digits)) = number else {
        return test == Test::IsNull;
    };
    match test {
        Test::Between(low, high) => {
            low.is_none_or(|d| d.compare(value, digits).is_ge()) && high.is_none_or(|d| d.compare(value, digits).is_le())
        }
        Test::Above(d) => d.compare(value, digits).is_gt(),
        Test::Below(d) => d.compare(value, digits).is_lt(),
        Test::IsNull => false,
    }
}
