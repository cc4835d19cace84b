//! The rows of `arms`: exact sums and grids per arm, with which `evaluate` can be repeated.

use std::array::from_fn;

use arrow::array::RecordBatch;

use super::arm_sums::{ArmKey, ArmSums, PairEnd, PairKey, Quantity};
use super::outcome::Digits;
use crate::error::Result;
use crate::stats::{GridCell, GridSecond, VALUES};
use crate::tables::{ArmRow, Cell, TableDefinition, Value, to_repeated_batch};

/// The customers of a row of a bin.
struct BinRow {
    bins: (i64, i64),
    customers: GridCell,
    second: GridSecond,
}

impl BinRow {
    /// Something of the second number, if that is the one.
    fn of(&self, second: GridSecond, value: impl Cell) -> Value {
        (self.second == second).then_some(value).to_value()
    }
}

impl ArmSums {
    /// The rows of one period, then those of customers who are in two. Numbers have these digits after the point.
    pub fn table_rows(&self, digits: &Digits) -> impl Iterator<Item = ArmRow> {
        let of_one_period = self.rows().map(move |(key, sums)| {
            // Within a period, x times y is y times x.
            let products = from_fn(|i| from_fn(|j| (i <= j).then(|| sums.product_of(i, j))));
            row(key.clone(), sums.n, sums.sum, products, None, digits)
        });
        let of_two_periods = self.pairs().map(move |(key, sums)| {
            let PairKey { strategy, phase, scheme, state, outcome, first: PairEnd { period, cell, arm }, second } = key.clone();
            let first = ArmKey { strategy, period, phase, scheme, state, cell, arm, quantity: Quantity::Outcome(outcome) };
            let products = sums.product.map(|of_first| of_first.map(Some));
            row(first, sums.n, sums.first, products, Some((second, sums.second)), digits)
        });
        of_one_period.chain(of_two_periods)
    }

    /// The rows of bins, with the columns of `table`: many, and alike but for bins and sums.
    ///
    /// # Errors
    /// Exit 1 if the table has other columns, which is a bug.
    pub fn bin_rows(&self, digits: &Digits, table: &TableDefinition) -> Result<RecordBatch> {
        let head = |key: &ArmKey| {
            let row = row(key.clone(), 0, [0; VALUES], [[None; VALUES]; VALUES], None, digits);
            ArmRow { sum_e: None, ..row }
        };
        let heads: Vec<ArmRow> = self.grids().map(|(key, _)| head(key)).collect();
        let counts: Vec<usize> = self.grids().map(|(_, grid)| grid.cells().count()).collect();
        let clustered = &self.clustered();
        let rows = || {
            self.grids().flat_map(|(key, grid)| {
                let is_clustered = clustered.contains(key.strategy.as_str());
                let second = key.quantity.grid_second(key.phase);
                let second = second.map(|second| if is_clustered { GridSecond::Denominator } else { second });
                // Numbers of clusters themselves are larger than a bin may be.
                let bins_of = move |at: i64, bins: (i64, i64)| if is_clustered { (at, at) } else { bins };
                let row = move |(at, (bins, customers))| Some(BinRow { bins: bins_of(at, bins), customers, second: second? });
                (0..).zip(grid.binned()).filter_map(row)
            })
        };
        to_repeated_batch(
            (&heads, &counts),
            &[
                ("y_bin", |row: &BinRow| row.bins.0.to_value()),
                ("x_bin", |row| row.of(GridSecond::Baseline, row.bins.1)),
                ("d_bin", |row| row.of(GridSecond::Denominator, row.bins.1)),
                ("n", |row| row.customers.count.to_value()),
                ("sum_y", |row| row.customers.first.to_value()),
                ("sum_x", |row| row.of(GridSecond::Baseline, row.customers.second)),
                ("sum_d", |row| row.of(GridSecond::Denominator, row.customers.second)),
            ],
            rows,
            table,
        )
    }
}

/// A row; `second` is what a row of two periods has of the later one.
fn row(
    key: ArmKey,
    n: i64,
    [sum_y, sum_x, sum_d, sum_e]: [i128; VALUES],
    products: [[Option<i128>; VALUES]; VALUES],
    second: Option<(PairEnd, [i128; VALUES])>,
    digits: &Digits,
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
        scale: scale(&key.quantity, digits).into(),
        other_period_start: other.as_ref().map(|end| end.period.start),
        other_period_end: other.as_ref().map(|end| end.period.last_day()),
        other_cell: other.as_ref().map(|end| end.cell.clone()),
        other_arm: other.map(|end| end.arm),
        y_bin: None,
        x_bin: None,
        d_bin: None,
        n,
        sum_y,
        sum_x: Some(sum_x),
        sum_d: Some(sum_d),
        sum_e: Some(sum_e),
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
fn scale(quantity: &Quantity, digits: &Digits) -> u32 {
    match quantity {
        Quantity::Outcome(outcome) => outcome.scales(digits)[0],
        Quantity::Cost => digits.money,
        Quantity::Covariate { scale, .. } => *scale,
        Quantity::Contacts
        | Quantity::Contacted
        | Quantity::TreatedInBaseline
        | Quantity::Recurs
        | Quantity::Excluded
        | Quantity::Customers
        | Quantity::TreatedElsewhere { .. } => 0,
    }
}
