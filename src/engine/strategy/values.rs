//! A customer's numbers from what they did on the days that count.

use super::store::{Mean, Ratio};
use super::study::{Kind, Study};
use crate::domain::divide_half_even;
use crate::evaluate::Phase;
use crate::measure::Deeds;

/// What a customer did on the days that count; nothing on days that do not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Windows {
    /// While the treatment counts.
    pub during: Deeds,
    /// As long again after that.
    pub after: Deeds,
    /// As long before the first assignment.
    pub baseline: Deeds,
    /// Before the baseline.
    pub placebo: Deeds,
    /// Before the placebo.
    pub earlier: Deeds,
}

/// Why a customer has no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// An order has no cost.
    Cost,
    /// The number does not fit.
    Digits,
}

type Outcome = std::result::Result<(i64, i64), Lack>;

/// An outcome and its denominator; `before` is the time before, for outcomes that need a purchase then.
#[inline]
fn value(kind: Kind, now: &Deeds, before: &Deeds) -> Outcome {
    Ok(match kind {
        Kind::Converted => (i64::from(now.purchases > 0), 0),
        Kind::Orders => (i64::from(now.purchases), 0),
        Kind::Revenue => (now.money, 0),
        Kind::Margin if now.cost_missing > 0 => return Err(Lack::Cost),
        Kind::Margin => (now.money.checked_sub(now.cost).ok_or(Lack::Digits)?, 0),
        Kind::MarginRate(rate) => {
            let unit = crate::domain::pow10(rate.scale).ok_or(Lack::Digits)?;
            let product = i128::from(now.money).checked_mul(rate.digits).ok_or(Lack::Digits)?;
            (i64::try_from(divide_half_even(product, unit)).map_err(|_| Lack::Digits)?, 0)
        }
        Kind::Retained => (i64::from(now.purchases > 0 && before.purchases > 0), 0),
        Kind::OrderValue => (now.money, i64::from(now.purchases)),
        Kind::Moved { .. } => (0, 0),
    })
}

/// The numbers of an outcome; a move between states is not told here.
#[inline]
pub fn outcome(phase: Phase, kind: Kind, windows: &Windows) -> std::result::Result<Ratio, Lack> {
    let baseline = || value(kind, &windows.baseline, &windows.placebo);
    let during = || value(kind, &windows.during, &windows.baseline);
    let after = || value(kind, &windows.after, &windows.baseline);
    Ok(match phase {
        Phase::During => pair(during()?, baseline()?),
        Phase::After => pair(after()?, baseline()?),
        // The sum of both phases, also of their baselines.
        Phase::Both => pair(plus(during()?, after()?)?, plus(baseline()?, baseline()?)?),
        Phase::Placebo => pair(value(kind, &windows.placebo, &windows.earlier)?, (0, 0)),
        Phase::Reference => [0; 4],
    })
}

/// Outcomes of everybody, which are means: in the baseline and, beside it, in the time before. `deeds` are those of the
/// baseline, the placebo before it and the time before that.
pub fn reference(
    study: &Study<'_>,
    [baseline, placebo, earlier]: [Deeds; 3],
    mut add: impl FnMut(Mean),
) -> std::result::Result<(), Lack> {
    for own in study.outcomes.iter().filter(|o| o.outcome.is_described()) {
        add([value(own.kind, &baseline, &placebo)?.0, value(own.kind, &placebo, &earlier)?.0]);
    }
    Ok(())
}

fn pair((y, d): (i64, i64), (x, e): (i64, i64)) -> Ratio {
    [y, x, d, e]
}

fn plus(a: (i64, i64), b: (i64, i64)) -> Outcome {
    let sum = |a: i64, b: i64| a.checked_add(b).ok_or(Lack::Digits);
    Ok((sum(a.0, b.0)?, sum(a.1, b.1)?))
}
