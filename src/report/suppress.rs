//! Suppression of small groups, at one place and before anything is written.
//!
//! A count from 1 to `min_group` − 1, or of a value of a dimension to `min_dimension_group` − 1, is hidden, with every number that tells of the same customers. So that nobody gets it
//! back by subtraction, the counts are seen as cells of sums (states add up to all customers, transitions to the states on
//! both sides, reasons to transitions …): while a sum has one hidden member, or hidden parts that are together below
//! `min_group`, its next smallest part is hidden too.

mod cells;
mod clear;
mod keys;
mod row_cells;

use std::collections::BTreeMap;

use super::data::ReportData;
use crate::domain::{ALL, Day, Decimal};
use cells::CellTable;
use keys::total_key;
use row_cells::RowCells;

/// All customers of a slice at an as-of date.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SliceTotal {
    pub as_of: Day,
    pub slice: String,
    /// `None` if suppressed.
    pub customers: Option<i64>,
    pub revenue: Option<Decimal>,
}

/// The data without what would tell of small groups, and the totals that remain known.
pub(super) fn apply(mut data: ReportData) -> (ReportData, Vec<SliceTotal>) {
    let mut totals = totals(&data);
    let (min, in_dimension) = (data.settings.min_group, data.settings.min_dimension_group);
    if min > 1 {
        // A change may be that of one customer, and so may a pair of scores.
        (data.restatements, data.score_pairs) = (None, None);
    }
    if data.settings.hides() {
        let mut cells = CellTable::new(min, in_dimension);
        let row_cells = RowCells::of(&data, &mut cells);
        cells.close();
        for total in &mut totals {
            if cells.is_hidden(cells.find(&total_key(total.as_of, &total.slice, ALL, ALL))) {
                (total.customers, total.revenue) = (None, None);
            }
        }
        row_cells.clear(&mut data, &cells);
    }
    (data, totals)
}

fn totals(data: &ReportData) -> Vec<SliceTotal> {
    let mut out: Vec<SliceTotal> = Vec::new();
    let rows = data.segments.iter().flatten().filter(|r| r.dimension == ALL);
    let mut first: BTreeMap<(Day, &str), &str> = BTreeMap::new();
    for row in rows {
        // Every scheme has the same customers: the first one counts.
        if *first.entry((row.as_of, &row.slice)).or_insert(&row.scheme) != row.scheme {
            continue;
        }
        match out.last_mut().filter(|t| t.as_of == row.as_of && t.slice == row.slice) {
            Some(total) => {
                total.customers = add(total.customers, row.customers);
                total.revenue = add_money(total.revenue, row.revenue);
            }
            None => out.push(SliceTotal {
                as_of: row.as_of,
                slice: row.slice.clone(),
                customers: row.customers,
                revenue: row.revenue,
            }),
        }
    }
    out
}

fn add(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a?.checked_add(b?)
}

/// The sum of two amounts of one scale.
pub(super) fn add_money(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    let (a, b) = (a?, b?);
    (a.scale == b.scale).then(|| a.digits.checked_add(b.digits)).flatten().map(|digits| Decimal { digits, scale: a.scale })
}
