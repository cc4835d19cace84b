//! The rows of `arms`: exact sums per arm, with which `evaluate` can be repeated.

use std::array::from_fn;

use super::arm_sums::{ArmKey, ArmSums, PairEnd, PairKey, Quantity};
use crate::stats::VALUES;
use crate::tables::ArmRow;

impl ArmSums {
    /// The rows of one period, then those of customers who are in two. Money has `money_scale` digits after the point.
    pub fn to_rows(&self, money_scale: u32) -> Vec<ArmRow> {
        let of_one_period = self.rows().map(|(key, sums)| {
            // Within a period, x times y is y times x.
            let products = from_fn(|i| from_fn(|j| (i <= j).then(|| sums.product_of(i, j))));
            row(key.clone(), sums.n, sums.sum, products, None, money_scale)
        });
        let of_two_periods = self.pairs().map(|(key, sums)| {
            let PairKey { strategy, phase, scheme, state, outcome, first: PairEnd { period, cell, arm }, second } = key.clone();
            let first = ArmKey { strategy, period, phase, scheme, state, cell, arm, quantity: Quantity::Outcome(outcome) };
            let products = sums.product.map(|of_first| of_first.map(Some));
            row(first, sums.n, sums.first, products, Some((second, sums.second)), money_scale)
        });
        of_one_period.chain(of_two_periods).collect()
    }
}

/// A row; `second` is what a row of two periods has of the later one.
fn row(
    key: ArmKey,
    n: i64,
    [sum_y, sum_x, sum_d, sum_e]: [i128; VALUES],
    products: [[Option<i128>; VALUES]; VALUES],
    second: Option<(PairEnd, [i128; VALUES])>,
    money_scale: u32,
) -> ArmRow {
    let (other, other_sums) = second.unzip();
    let [other_sum_y, other_sum_x, other_sum_d, other_sum_e] = other_sums.map_or([None; VALUES], |sums| sums.map(Some));
    let [
        [sum_yy, sum_yx, sum_yd, sum_ye],
        [sum_xy, sum_xx, sum_xd, sum_xe],
        [sum_dy, sum_dx, sum_dd, sum_de],
        [sum_ey, sum_ex, sum_ed, sum_ee],
    ] = products;
    ArmRow {
        strategy: key.strategy,
        period_start: key.period.start,
        period_end: key.period.last_day(),
        phase: key.phase.to_string(),
        scheme: key.scheme,
        state: key.state,
        cell: key.cell,
        arm: key.arm,
        outcome: key.quantity.to_string(),
        scale: scale(&key.quantity, money_scale).into(),
        other_period_start: other.as_ref().map(|end| end.period.start),
        other_period_end: other.as_ref().map(|end| end.period.last_day()),
        other_cell: other.as_ref().map(|end| end.cell.clone()),
        other_arm: other.map(|end| end.arm),
        n,
        sum_y,
        sum_x,
        sum_d,
        sum_e,
        sum_yy,
        sum_yx,
        sum_yd,
        sum_ye,
        sum_xx,
        sum_xd,
        sum_xe,
        sum_dd,
        sum_de,
        sum_ee,
        other_sum_y,
        other_sum_x,
        other_sum_d,
        other_sum_e,
        sum_xy,
        sum_dy,
        sum_dx,
        sum_ey,
        sum_ex,
        sum_ed,
    }
}

/// Digits after the point of y and x.
fn scale(quantity: &Quantity, money_scale: u32) -> u32 {
    match quantity {
        Quantity::Outcome(outcome) => outcome.scales(money_scale)[0],
        Quantity::Cost => money_scale,
        Quantity::Covariate { scale, .. } => *scale,
        Quantity::Contacts | Quantity::TreatedInBaseline | Quantity::Recurs | Quantity::Excluded => 0,
    }
}
