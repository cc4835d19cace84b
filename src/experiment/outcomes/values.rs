//! Customers' numbers from what they did on the days that count.

use std::cell::Cell;

use crate::activity::{Activity, ActivitySlices, WindowActivity};
use crate::domain::divide_half_even;
use crate::engine::experiment::plan::{OutcomeKind, StrategyPlan};
use crate::evaluate::Phase;
use crate::sums::{Column, Pair, Quadruple};

/// What customers did on the days that count; stretches that do not matter are not looked up.
#[derive(Default)]
pub struct OutcomeWindows {
    /// While the treatment counts.
    pub during: WindowActivity,
    /// As long again after that.
    pub after: WindowActivity,
    /// As long before the first assignment.
    pub baseline: WindowActivity,
    /// Before the baseline.
    pub placebo: WindowActivity,
    /// Before the placebo.
    pub earlier: WindowActivity,
    /// Stands for what was not looked up.
    pub idle: WindowActivity,
}

impl OutcomeWindows {
    /// What so many customers did in a stretch.
    fn done<'w>(&'w self, stretch: &'w WindowActivity, customers: usize) -> ActivitySlices<'w> {
        if stretch.is_empty() { &self.idle } else { stretch }.done(customers)
    }
}

/// Why a customer has no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeError {
    /// An order has no cost.
    MissingCost,
    /// The number does not fit.
    Overflow,
}

type Outcome = Result<(i64, i64), OutcomeError>;

/// Whether who has so many purchases has bought.
#[inline]
fn converted(purchases: u32) -> i64 {
    i64::from(purchases > 0)
}

/// An outcome and its denominator; `before` is the time before, for outcomes that need a purchase then.
#[inline]
fn value(kind: OutcomeKind, now: &Activity, before: &Activity) -> Outcome {
    Ok(match kind {
        OutcomeKind::Converted => (converted(now.purchases), 0),
        OutcomeKind::Orders => (i64::from(now.purchases), 0),
        OutcomeKind::Revenue => (now.money, 0),
        OutcomeKind::Margin if now.cost_missing > 0 => return Err(OutcomeError::MissingCost),
        OutcomeKind::Margin => (now.money.checked_sub(now.cost).ok_or(OutcomeError::Overflow)?, 0),
        OutcomeKind::MarginRate(rate) => {
            let unit = crate::domain::pow10(rate.scale).ok_or(OutcomeError::Overflow)?;
            let product = i128::from(now.money).checked_mul(rate.digits).ok_or(OutcomeError::Overflow)?;
            (i64::try_from(divide_half_even(product, unit)).map_err(|_| OutcomeError::Overflow)?, 0)
        }
        OutcomeKind::Retained => (i64::from(now.purchases > 0 && before.purchases > 0), 0),
        OutcomeKind::OrderValue => (now.money, i64::from(now.purchases)),
        OutcomeKind::Moved { .. } => (0, 0),
    })
}

/// Adds the numbers of an outcome for so many customers; a move between states is not told here.
///
/// # Errors
/// What a customer lacks.
pub fn outcome(
    phase: Phase,
    kind: OutcomeKind,
    windows: &OutcomeWindows,
    customers: usize,
    column: &mut Column,
) -> Result<(), OutcomeError> {
    let done = |stretch| windows.done(stretch, customers);
    let (now, before) = match phase {
        Phase::During => (done(&windows.during), done(&windows.baseline)),
        Phase::After => (done(&windows.after), done(&windows.baseline)),
        Phase::Placebo => (done(&windows.placebo), windows.idle.done(customers)),
        Phase::Both | Phase::Reference => return each(phase, kind, windows, customers, column),
    };
    // What one number says has a loop of its own.
    match kind {
        OutcomeKind::Converted => means(column, now.purchases, before.purchases, converted),
        OutcomeKind::Orders => means(column, now.purchases, before.purchases, i64::from),
        OutcomeKind::Revenue => means(column, now.money, before.money, |money| money),
        _ => return each(phase, kind, windows, customers, column),
    }
    Ok(())
}

/// Adds numbers that one number each says, and those of the time before.
#[inline]
fn means<T: Copy>(column: &mut Column, now: &[T], before: &[T], number: impl Fn(T) -> i64) {
    column.extend(now.iter().zip(before).map(|(now, before)| [number(*now), number(*before), 0, 0]));
}

/// Adds numbers of any kind.
fn each(
    phase: Phase,
    kind: OutcomeKind,
    windows: &OutcomeWindows,
    customers: usize,
    column: &mut Column,
) -> Result<(), OutcomeError> {
    let OutcomeWindows { during, after, baseline, placebo, earlier, .. } = windows;
    let [during, after, baseline, placebo, earlier] =
        [during, after, baseline, placebo, earlier].map(|stretch| windows.done(stretch, customers));
    let of = |now: ActivitySlices<'_>, before: ActivitySlices<'_>, at: usize| value(kind, &now.at(at), &before.at(at));
    match phase {
        Phase::During => fill(column, customers, |at| Ok(pair(of(during, baseline, at)?, of(baseline, placebo, at)?))),
        Phase::After => fill(column, customers, |at| Ok(pair(of(after, baseline, at)?, of(baseline, placebo, at)?))),
        // The sum of both phases, also of their baselines.
        Phase::Both => fill(column, customers, |at| {
            let (now, before) = (plus(of(during, baseline, at)?, of(after, baseline, at)?)?, of(baseline, placebo, at)?);
            Ok(pair(now, plus(before, before)?))
        }),
        Phase::Placebo => fill(column, customers, |at| Ok(pair(of(placebo, earlier, at)?, (0, 0)))),
        Phase::Reference => fill(column, customers, |_| Ok([0; 4])),
    }
}

#[inline]
fn fill(
    column: &mut Column,
    customers: usize,
    numbers: impl Fn(usize) -> Result<Quadruple, OutcomeError>,
) -> Result<(), OutcomeError> {
    let lack = Cell::new(None);
    column.extend((0..customers).map(|at| {
        numbers(at).unwrap_or_else(|found| {
            lack.set(Some(found));
            [0; 4]
        })
    }));
    lack.get().map_or(Ok(()), Err)
}

/// Adds the outcomes of everybody, which are means, for so many customers: in the baseline and, beside it, in the time before.
///
/// # Errors
/// What a customer lacks.
pub fn reference(
    study: &StrategyPlan<'_>,
    windows: &OutcomeWindows,
    customers: usize,
    columns: &mut [Vec<Pair>],
) -> Result<(), OutcomeError> {
    let OutcomeWindows { baseline, placebo, earlier, .. } = windows;
    let stretches = [baseline, placebo, earlier].map(|stretch| windows.done(stretch, customers));
    for (own, column) in study.outcomes.iter().filter(|o| o.outcome.is_described()).zip(columns) {
        for at in 0..customers {
            let [now, before, earlier] = stretches.map(|done| done.at(at));
            column.push([value(own.kind, &now, &before)?.0, value(own.kind, &before, &earlier)?.0]);
        }
    }
    Ok(())
}

fn pair((y, d): (i64, i64), (x, e): (i64, i64)) -> Quadruple {
    [y, x, d, e]
}

fn plus(a: (i64, i64), b: (i64, i64)) -> Outcome {
    let sum = |a: i64, b: i64| a.checked_add(b).ok_or(OutcomeError::Overflow);
    Ok((sum(a.0, b.0)?, sum(a.1, b.1)?))
}
