//! What tells orders apart, and what a row is: an order, a line, or a line with the money of its order.

use std::collections::HashMap;

use super::candidates::{self, rows_of, shared_orders};
use super::date;
use super::seen::Seen;
use crate::error::Result;
use crate::init::columns::Column;
use crate::init::vocabulary::Role;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsAre {
    /// An order.
    Orders,
    /// A line, with its own money.
    Lines,
    /// A line; the money of the order stands on its first row alone.
    FirstLine,
    /// A line; the money of the order stands on each.
    Repeated,
}

/// The share of orders with several customers from which a number does not tell orders apart.
const SHARED: f64 = 0.02;

/// Columns that tell orders apart: the number, and the store or the day where numbers are used again.
pub fn order(seen: &Seen<'_>, number: Option<usize>, customer: usize) -> Result<Vec<usize>> {
    let Some(number) = number else { return Ok(Vec::new()) };
    if shared_orders(seen, &[number], customer)? <= SHARED {
        return Ok(vec![number]);
    }
    let shops = candidates::of(seen, Role::Shop, &[number, customer]).into_iter().map(|candidate| candidate.column);
    let dates = date::candidates(seen).into_iter().map(|candidate| candidate.column);
    let others: Vec<usize> = shops.chain(dates).collect();
    for other in &others {
        if shared_orders(seen, &[number, *other], customer)? <= SHARED {
            return Ok(vec![number, *other]);
        }
    }
    for (at, a) in others.iter().enumerate() {
        for b in others.iter().skip(at + 1) {
            if shared_orders(seen, &[number, *a, *b], customer)? <= SHARED {
                return Ok(vec![number, *a, *b]);
            }
        }
    }
    // A number that strangers share is no number of an order.
    Ok(Vec::new())
}

/// What a row is to a column of money.
pub fn rows_are(seen: &Seen<'_>, order: &[usize], amount: &Column) -> Result<RowsAre> {
    if order.is_empty() {
        return Ok(RowsAre::Orders);
    }
    let rows: HashMap<Vec<u32>, Vec<usize>> = rows_of(seen, order)?;
    let several: Vec<&Vec<usize>> = rows.values().filter(|rows| rows.len() > 1).collect();
    if several.is_empty() {
        return Ok(RowsAre::Orders);
    }
    let codes = |rows: &[usize]| rows.iter().map(|row| amount.codes.get(*row).copied().unwrap_or(0)).collect::<Vec<u32>>();
    let is_once = |rows: &&&Vec<usize>| codes(rows).iter().filter(|code| **code > 0).count() == 1;
    let is_equal = |rows: &&&Vec<usize>| {
        let codes = codes(rows);
        codes.windows(2).all(|pair| pair[0] == pair[1]) && !codes.contains(&0)
    };
    let mostly = |count: usize| count * 20 >= several.len() * 19;
    Ok(match () {
        () if mostly(several.iter().filter(is_once).count()) => RowsAre::FirstLine,
        () if mostly(several.iter().filter(is_equal).count()) => RowsAre::Repeated,
        () => RowsAre::Lines,
    })
}
