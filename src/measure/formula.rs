//! The formulas of the measures, over sums that either way of folding provides.

use crate::domain::MeasureKind;
use crate::domain::divide_half_even;
use crate::error::{Error, Result};

use super::column::{Column, NULL_INT, NULL_LONG};

/// Largest money of a customer that DECIMAL(18) holds.
pub(super) const MONEY_LIMIT: i128 = 1_000_000_000_000_000_000;

/// Sums over the orders of a stretch of time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub purchases: i64,
    pub order_days: i64,
    pub returns: i64,
    pub discounted: i64,
    pub cost_missing: i64,
    pub money: i128,
    pub cost: i128,
}

impl Sums {
    /// The sums of what came after `earlier`.
    pub fn since(&self, earlier: &Sums) -> Sums {
        Sums {
            purchases: self.purchases - earlier.purchases,
            order_days: self.order_days - earlier.order_days,
            returns: self.returns - earlier.returns,
            discounted: self.discounted - earlier.discounted,
            cost_missing: self.cost_missing - earlier.cost_missing,
            money: self.money - earlier.money,
            cost: self.cost - earlier.cost,
        }
    }
}

/// What is known of a customer at an as-of date.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub as_of: i32,
    /// First and last purchase.
    pub first: i32,
    pub last: i32,
    /// Everything up to the as-of date.
    pub life: Sums,
    /// The measure's own window: its lookback, or its period.
    pub window: Sums,
    /// Money of the 365 days that end with the last purchase, less the returns since.
    pub annual_value: i128,
}

/// A value of a measure.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    Null,
    Int(i128),
    /// A zero denominator is null.
    Ratio(i64, i64),
}

impl Value {
    /// A ratio of money with a positive denominator; null where it is over zero or does not fit.
    pub fn money_ratio(numerator: i128, denominator: i128) -> Value {
        let sign = denominator.signum();
        match (i64::try_from(numerator * sign), i64::try_from(denominator * sign)) {
            (Ok(n), Ok(d)) if d > 0 => Value::Ratio(n, d),
            _ => Value::Null,
        }
    }
}

/// How the job counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counting {
    /// Frequency counts days with a purchase.
    pub days: bool,
    /// Monetary is the mean per purchase.
    pub average: bool,
}

fn average(money: i128, purchases: i64) -> Value {
    Value::Int(divide_half_even(money.saturating_mul(100), i128::from(purchases)))
}

/// The value of a measure. Trends, what belongs to other periods than the window, and what is not taken from orders alone
/// are not here: only the panel over sorted orders knows them, or what comes after it.
#[inline(always)]
pub(super) fn value(kind: MeasureKind, facts: &Facts, counting: Counting) -> Value {
    let (window, life) = (&facts.window, &facts.life);
    let recency = i64::from(facts.as_of - facts.last);
    let span = i64::from(facts.last - facts.first);
    let gaps = life.order_days - 1;
    let int = |x: i64| Value::Int(i128::from(x));
    match kind {
        MeasureKind::FirstOrder => int(i64::from(facts.first)),
        MeasureKind::LastOrder => int(i64::from(facts.last)),
        MeasureKind::RecencyDays => int(recency),
        MeasureKind::TenureDays => int(i64::from(facts.as_of - facts.first)),
        MeasureKind::Frequency if counting.days => int(window.order_days),
        MeasureKind::Frequency | MeasureKind::PeriodOrders => int(window.purchases),
        MeasureKind::Monetary if counting.average && window.purchases == 0 => Value::Int(0),
        MeasureKind::Monetary if counting.average => average(window.money, window.purchases),
        MeasureKind::Monetary | MeasureKind::Revenue | MeasureKind::PeriodMonetary => Value::Int(window.money),
        MeasureKind::AvgOrderValue if window.purchases == 0 => Value::Null,
        MeasureKind::AvgOrderValue if counting.days => average(window.money, window.order_days),
        MeasureKind::AvgOrderValue => average(window.money, window.purchases),
        MeasureKind::LifetimeOrders => int(life.purchases),
        MeasureKind::LifetimeMonetary => Value::Int(life.money),
        MeasureKind::MeanGapDays if gaps > 0 => Value::Ratio(span, gaps),
        MeasureKind::OverdueRatio if gaps > 0 => Value::Ratio(recency * gaps, span),
        MeasureKind::NextDue if gaps > 0 => {
            Value::Int(i128::from(facts.last) + divide_half_even(i128::from(span), i128::from(gaps)))
        }
        MeasureKind::AnnualValue => Value::Int(facts.annual_value),
        MeasureKind::DiscountShare => Value::Ratio(window.discounted, window.purchases),
        MeasureKind::ReturnShare => Value::Ratio(window.returns, window.returns + window.purchases),
        MeasureKind::Margin if window.cost_missing == 0 => Value::Int(window.money - window.cost),
        MeasureKind::Margin
        | MeasureKind::ExpectedOrders
        | MeasureKind::ExpectedValue
        | MeasureKind::NextOrderLow
        | MeasureKind::NextOrderMedian
        | MeasureKind::NextOrderHigh
        | MeasureKind::MeanGapDays
        | MeasureKind::OverdueRatio
        | MeasureKind::NextDue
        | MeasureKind::FrequencyTrend
        | MeasureKind::MonetaryTrend
        | MeasureKind::PreviousPeriodOrders
        | MeasureKind::OrdersBeforePeriod
        | MeasureKind::TopCategory
        | MeasureKind::TopCategoryShare
        | MeasureKind::Categories
        | MeasureKind::Events
        | MeasureKind::Sends
        | MeasureKind::Opens
        | MeasureKind::Clicks
        | MeasureKind::Conversions
        | MeasureKind::Responses
        | MeasureKind::OpenRate
        | MeasureKind::ClickRate
        | MeasureKind::ConversionRate
        | MeasureKind::CostToServe
        | MeasureKind::Attribute(_)
        | MeasureKind::OfKind(_) => Value::Null,
    }
}

/// Writes a value into a cell of its column.
///
/// # Errors
/// Exit 3 if money exceeds what DECIMAL(18) holds.
#[inline(always)]
pub(super) fn set(column: &mut Column, cell: usize, value: Value, kind: MeasureKind, as_of: i32) -> Result<()> {
    match (column, value) {
        (Column::Int(values), Value::Int(v)) => values[cell] = v as i32,
        (Column::Int(values), _) => values[cell] = NULL_INT,
        (Column::Long(values), Value::Int(v)) => values[cell] = within(v, kind, as_of)?,
        (Column::Long(values), _) => values[cell] = NULL_LONG,
        (Column::Ratio(values), Value::Ratio(n, d)) => values[cell] = (n, d),
        (Column::Ratio(values), Value::Int(v)) => values[cell] = (v as i64, 1),
        (Column::Ratio(values), Value::Null) => values[cell] = (0, 0),
        (Column::Double(values), _) => values[cell] = f64::NAN,
    }
    Ok(())
}

/// Money or a count that fits into DECIMAL(18).
///
/// # Errors
/// Exit 3 if it does not.
#[inline]
pub(super) fn within(value: i128, kind: MeasureKind, as_of: i32) -> Result<i64> {
    if value.abs() >= MONEY_LIMIT {
        return Err(too_large(kind, as_of));
    }
    Ok(value as i64)
}

#[cold]
fn too_large(kind: MeasureKind, as_of: i32) -> Error {
    Error::contract(format!(
        "{} of a customer at {} overflows the 18 digits that the tables hold; lower orders.amount_scale or look for a wrong amount",
        kind.name(),
        crate::domain::Day(as_of)
    ))
}
