//! The rows of `arms`: exact sums per arm, with which `evaluate` can be repeated.

use super::arm_sums::{ArmKey, ArmSums, PairKey, Quantity};
use crate::stats::{D, E, PairSums, Sums, X, Y};
use crate::tables::ArmRow;

impl ArmSums {
    /// The rows of one period, then those of customers who are in two. Money has `money_scale` digits after the point.
    pub fn to_rows(&self, money_scale: u32) -> Vec<ArmRow> {
        let single = self.rows().map(|(key, sums)| of_one_period(key, sums, money_scale));
        single.chain(self.pairs().map(|(key, sums)| of_two_periods(key, sums, money_scale))).collect()
    }
}

fn of_one_period(key: &ArmKey, sums: &Sums, money_scale: u32) -> ArmRow {
    ArmRow {
        strategy: key.strategy.clone(),
        period_start: key.period.start,
        period_end: key.period.last_day(),
        phase: key.phase.to_string(),
        scheme: key.scheme.clone(),
        state: key.state.clone(),
        cell: key.cell.clone(),
        arm: key.arm.clone(),
        outcome: key.quantity.to_string(),
        scale: scale(&key.quantity, money_scale).into(),
        other_period_start: None,
        other_period_end: None,
        other_cell: None,
        other_arm: None,
        n: sums.n,
        sum_y: sums.sum[Y],
        sum_x: sums.sum[X],
        sum_d: sums.sum[D],
        sum_e: sums.sum[E],
        sum_yy: Some(sums.product_of(Y, Y)),
        sum_yx: Some(sums.product_of(Y, X)),
        sum_yd: Some(sums.product_of(Y, D)),
        sum_ye: Some(sums.product_of(Y, E)),
        sum_xx: Some(sums.product_of(X, X)),
        sum_xd: Some(sums.product_of(X, D)),
        sum_xe: Some(sums.product_of(X, E)),
        sum_dd: Some(sums.product_of(D, D)),
        sum_de: Some(sums.product_of(D, E)),
        sum_ee: Some(sums.product_of(E, E)),
        other_sum_y: None,
        other_sum_x: None,
        other_sum_d: None,
        other_sum_e: None,
        sum_xy: None,
        sum_dy: None,
        sum_dx: None,
        sum_ey: None,
        sum_ex: None,
        sum_ed: None,
    }
}

fn of_two_periods(key: &PairKey, sums: &PairSums, money_scale: u32) -> ArmRow {
    ArmRow {
        strategy: key.strategy.clone(),
        period_start: key.first.period.start,
        period_end: key.first.period.last_day(),
        phase: key.phase.to_string(),
        scheme: key.scheme.clone(),
        state: key.state.clone(),
        cell: key.first.cell.clone(),
        arm: key.first.arm.clone(),
        outcome: key.outcome.to_string(),
        scale: key.outcome.scales(money_scale)[Y].into(),
        other_period_start: Some(key.second.period.start),
        other_period_end: Some(key.second.period.last_day()),
        other_cell: Some(key.second.cell.clone()),
        other_arm: Some(key.second.arm.clone()),
        n: sums.n,
        sum_y: sums.first[Y],
        sum_x: sums.first[X],
        sum_d: sums.first[D],
        sum_e: sums.first[E],
        sum_yy: Some(sums.product[Y][Y]),
        sum_yx: Some(sums.product[Y][X]),
        sum_yd: Some(sums.product[Y][D]),
        sum_ye: Some(sums.product[Y][E]),
        sum_xx: Some(sums.product[X][X]),
        sum_xd: Some(sums.product[X][D]),
        sum_xe: Some(sums.product[X][E]),
        sum_dd: Some(sums.product[D][D]),
        sum_de: Some(sums.product[D][E]),
        sum_ee: Some(sums.product[E][E]),
        other_sum_y: Some(sums.second[Y]),
        other_sum_x: Some(sums.second[X]),
        other_sum_d: Some(sums.second[D]),
        other_sum_e: Some(sums.second[E]),
        sum_xy: Some(sums.product[X][Y]),
        sum_dy: Some(sums.product[D][Y]),
        sum_dx: Some(sums.product[D][X]),
        sum_ey: Some(sums.product[E][Y]),
        sum_ex: Some(sums.product[E][X]),
        sum_ed: Some(sums.product[E][D]),
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
