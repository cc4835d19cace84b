//! The values of outcomes, from the activity of customers in the windows that count.

use crate::activity::{Activity, ActivitySlices, WindowActivity};
use crate::domain::{EventKind, divide_half_even, pow10};
use crate::error::Error;
use crate::evaluate::{NET_DIGITS, Phase};
use crate::experiment::plan::{OutcomeKind, StrategyPlan};
use crate::sums::{Arity, Column, Pair, Quadruple};

/// Something of every window of time that counts.
#[derive(Clone, Copy, Default)]
pub struct Windows<T> {
    /// From the assignment to the end of the outcome window.
    pub during: T,
    /// As long again after that.
    pub after: T,
    /// Before the assignments.
    pub baseline: T,
    /// Before the baseline.
    pub placebo: T,
    /// Before the placebo.
    pub pre_placebo: T,
    /// No activity, in place of windows that do not matter and are empty.
    pub zeros: T,
}

/// The activity of customers in each window.
pub type OutcomeWindows = Windows<WindowActivity>;

/// Why an outcome has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeError {
    /// An order has no cost.
    MissingCost,
    /// The value does not fit into 64 bits.
    Overflow,
    /// The values of the events of a kind add up to more than 18 digits.
    LargeEvents(EventKind),
}

impl OutcomeError {
    /// The error of a strategy.
    pub fn explain(self, name: &str) -> Error {
        match self {
            OutcomeError::MissingCost => Error::contract(format!(
                "strategy {name:?}: the outcome \"margin\" needs the cost of every order of its customers, and some have none (orders.cost is null); fill them in, filter these rows with orders.keep, or remove orders.cost and give margin_rate"
            )),
            OutcomeError::LargeEvents(kind) => Error::contract(format!(
                "strategy {name:?}: the values of the events of kind {} of a customer add up to more than 18 digits; lower events.kinds.{}.scale, or look for a wrong value",
                kind.name(),
                kind.name()
            )),
            OutcomeError::Overflow => Error::contract(format!(
                "strategy {name:?}: an outcome of a customer overflows 64 bits of minor units; lower orders.amount_scale or look for a wrong amount"
            )),
        }
    }
}

/// Units of net money in one of money.
const NET_UNIT: i128 = 10i128.pow(NET_DIGITS);

/// Takes the cost of the treatment off a margin in units of net money.
pub fn less_cost(margin: i64, cost: i64) -> Result<i64, OutcomeError> {
    i64::try_from(i128::from(margin) - i128::from(cost) * NET_UNIT).map_err(|_| OutcomeError::Overflow)
}

/// A value of an outcome: a number, or the two parts of a ratio.
#[derive(Clone, Copy)]
struct Value {
    numerator: i64,
    denominator: i64,
}

impl Value {
    fn of(numerator: i64) -> Value {
        Value { numerator, denominator: 0 }
    }

    fn plus(self, other: Value) -> Result<Value, OutcomeError> {
        let sum = |a: i64, b: i64| a.checked_add(b).ok_or(OutcomeError::Overflow);
        Ok(Value { numerator: sum(self.numerator, other.numerator)?, denominator: sum(self.denominator, other.denominator)? })
    }

    /// The value and that of the time before, as columns have them.
    fn with_baseline(self, before: Value) -> Quadruple {
        [self.numerator, before.numerator, self.denominator, before.denominator]
    }

    /// The values of three times, as columns of means in matched strategies have them.
    fn with_times_before(self, before: Value, earlier: Value) -> Quadruple {
        [self.numerator, before.numerator, earlier.numerator, 0]
    }
}

/// 1 with a purchase.
#[inline]
fn converted(purchases: u32) -> i64 {
    i64::from(purchases > 0)
}

/// The value of an outcome in a window; `before` is the window before, for outcomes that need a purchase in both.
#[inline]
fn value(kind: OutcomeKind, window: &Activity, before: &Activity) -> Result<Value, OutcomeError> {
    Ok(match kind {
        OutcomeKind::Converted => Value::of(converted(window.purchases)),
        OutcomeKind::Orders => Value::of(i64::from(window.purchases)),
        OutcomeKind::Revenue => Value::of(window.money),
        OutcomeKind::Margin if window.cost_missing > 0 => return Err(OutcomeError::MissingCost),
        OutcomeKind::Margin => Value::of(window.money.checked_sub(window.cost).ok_or(OutcomeError::Overflow)?),
        OutcomeKind::MarginRate(rate) => {
            let unit = pow10(rate.scale).ok_or(OutcomeError::Overflow)?;
            let product = i128::from(window.money).checked_mul(rate.digits).ok_or(OutcomeError::Overflow)?;
            Value::of(i64::try_from(divide_half_even(product, unit)).map_err(|_| OutcomeError::Overflow)?)
        }
        OutcomeKind::Net(Some(rate)) => {
            let unit = pow10(rate.scale).ok_or(OutcomeError::Overflow)?;
            let product = i128::from(window.money).checked_mul(rate.digits).and_then(|product| product.checked_mul(NET_UNIT));
            let margin = divide_half_even(product.ok_or(OutcomeError::Overflow)?, unit);
            Value::of(i64::try_from(margin).map_err(|_| OutcomeError::Overflow)?)
        }
        OutcomeKind::Net(None) if window.cost_missing > 0 => return Err(OutcomeError::MissingCost),
        OutcomeKind::Net(None) => {
            let margin = (i128::from(window.money) - i128::from(window.cost)) * NET_UNIT;
            Value::of(i64::try_from(margin).map_err(|_| OutcomeError::Overflow)?)
        }
        OutcomeKind::Retained => Value::of(i64::from(window.purchases > 0 && before.purchases > 0)),
        OutcomeKind::OrderValue => Value { numerator: window.money, denominator: i64::from(window.purchases) },
        // These follow from other data.
        OutcomeKind::Moved { .. } | OutcomeKind::Events(..) => Value::of(0),
    })
}

/// The value of an outcome that follows from the orders of one window, and is no ratio.
pub fn outcome_value(kind: OutcomeKind, window: &Activity) -> Result<i64, OutcomeError> {
    value(kind, window, &Activity::default()).map(|value| value.numerator)
}

impl OutcomeWindows {
    /// The windows of the first customers.
    fn slices(&self, customers: usize) -> Windows<ActivitySlices<'_>> {
        let slices = |window| if WindowActivity::is_empty(window) { &self.zeros } else { window }.done(customers);
        Windows {
            during: slices(&self.during),
            after: slices(&self.after),
            baseline: slices(&self.baseline),
            placebo: slices(&self.placebo),
            pre_placebo: slices(&self.pre_placebo),
            zeros: slices(&self.zeros),
        }
    }

    /// Appends the values of an outcome, which does not compare states, for the first customers.
    ///
    /// # Errors
    /// If a customer has no value.
    pub fn outcome(&self, phase: Phase, kind: OutcomeKind, customers: usize, column: &mut Column) -> Result<(), OutcomeError> {
        let windows = self.slices(customers);
        let (window, before) = match phase {
            Phase::During => (windows.during, windows.baseline),
            Phase::After => (windows.after, windows.baseline),
            Phase::Both | Phase::Reference => return windows.values(phase, kind, customers, column),
        };
        // Most outcomes need one integer per window, which these loops read in sequence.
        match kind {
            _ if column.arity() == Arity::Four => return windows.values(phase, kind, customers, column),
            OutcomeKind::Converted => pairs(column, window.purchases, before.purchases, converted),
            OutcomeKind::Orders => pairs(column, window.purchases, before.purchases, i64::from),
            OutcomeKind::Revenue => pairs(column, window.money, before.money, i64::from),
            _ => return windows.values(phase, kind, customers, column),
        }
        Ok(())
    }

    /// Appends the described outcomes for the first customers: in the time that stands at the place of the baseline, and in the
    /// time before.
    ///
    /// # Errors
    /// If a customer has no value.
    pub fn reference(
        &self,
        strategy: &StrategyPlan<'_>,
        customers: usize,
        columns: &mut [Vec<Pair>],
    ) -> Result<(), OutcomeError> {
        let Windows { baseline, placebo, pre_placebo, .. } = self.slices(customers);
        for (planned, column) in strategy.described_outcomes().zip(columns) {
            for at in 0..customers {
                let [baseline, placebo, pre_placebo] = [baseline, placebo, pre_placebo].map(|window| window.at(at));
                let now = value(planned.kind, &baseline, &placebo)?;
                let before = value(planned.kind, &placebo, &pre_placebo)?;
                column.push([now.numerator, before.numerator]);
            }
        }
        Ok(())
    }
}

/// Appends what one integer of each window says.
#[inline]
fn pairs<T: Copy>(column: &mut Column, window: &[T], before: &[T], number: impl Fn(T) -> i64) {
    column.extend(window.iter().zip(before).map(|(window, before)| [number(*window), number(*before), 0, 0]));
}

impl Windows<ActivitySlices<'_>> {
    /// Appends the values of any outcome.
    fn values(&self, phase: Phase, kind: OutcomeKind, customers: usize, column: &mut Column) -> Result<(), OutcomeError> {
        let has_earlier = column.arity() == Arity::Four && kind != OutcomeKind::OrderValue;
        let mut values = Vec::with_capacity(customers);
        for at in 0..customers {
            values.push(self.value((phase, kind), has_earlier, at)?);
        }
        column.extend(values.iter().copied());
        Ok(())
    }

    /// The value of a customer and that of the time before, and, if `has_earlier`, that of the time before that.
    #[inline]
    fn value(&self, (phase, kind): (Phase, OutcomeKind), has_earlier: bool, at: usize) -> Result<Quadruple, OutcomeError> {
        let in_window = |window: &ActivitySlices<'_>, before: &ActivitySlices<'_>| value(kind, &window.at(at), &before.at(at));
        let during = || in_window(&self.during, &self.baseline);
        let after = || in_window(&self.after, &self.baseline);
        let before = in_window(&self.baseline, &self.placebo)?;
        let earlier = if has_earlier { in_window(&self.placebo, &self.pre_placebo)? } else { Value::of(0) };
        let (now, before, earlier) = match phase {
            Phase::During => (during()?, before, earlier),
            Phase::After => (after()?, before, earlier),
            // Both windows together, held against twice the baseline.
            Phase::Both => (during()?.plus(after()?)?, before.plus(before)?, earlier.plus(earlier)?),
            Phase::Reference => return Ok([0; 4]),
        };
        Ok(if has_earlier { now.with_times_before(before, earlier) } else { now.with_baseline(before) })
    }
}
