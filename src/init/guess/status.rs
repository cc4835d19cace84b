//! Which orders count, and which rows are returns.

use super::amounts::Amount;
use super::candidates;
use super::seen::Seen;
use crate::error::Result;
use crate::init::columns::Column;
use crate::init::rows::Stored;
use crate::init::vocabulary::{Meaning, Role};

/// A status, and the values of orders that do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRule {
    /// The column.
    pub column: usize,
    /// Values of orders that do not count, with the most frequent first.
    pub dropped: Vec<String>,
    /// Values of orders that count.
    pub kept: Vec<String>,
    /// Values of which nothing is known; their orders count.
    pub unknown: Vec<String>,
}

/// Rows that are returns with money that is to be negated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returns {
    /// The column that says so.
    pub column: usize,
    /// Its values.
    pub values: Vec<String>,
}

/// The values of a column by how often they are there.
pub fn by_count(column: &Column) -> Vec<&String> {
    let mut values: Vec<(&u32, &String)> = column.counts.iter().zip(&column.values).collect();
    values.sort_by(|a, b| b.0.cmp(a.0).then(a.1.cmp(b.1)));
    values.into_iter().map(|(_, value)| value).collect()
}

/// The column that says which orders count.
pub fn find(seen: &Seen<'_>, taken: &[usize]) -> Result<Option<StatusRule>> {
    let mut best: Option<(i32, StatusRule)> = None;
    for candidate in candidates::of(seen, Role::Status, taken) {
        let column = seen.column(candidate.column)?;
        let Some(rule) = rule(seen, candidate.column, column) else { continue };
        let score = candidate.score + if rule.dropped.is_empty() { -40 } else { 0 };
        if best.as_ref().is_none_or(|(before, _)| score > *before) {
            best = Some((score, rule));
        }
    }
    Ok(best.map(|(_, rule)| rule))
}

/// What the values of a status say; none if none of them is known.
fn rule(seen: &Seen<'_>, at: usize, column: &Column) -> Option<StatusRule> {
    let mut rule = StatusRule { column: at, dropped: Vec::new(), kept: Vec::new(), unknown: Vec::new() };
    let flags: Option<Vec<bool>> = column.values.iter().map(|value| seen.words.flag(value)).collect();
    let is_flag = flags.is_some() && column.values.len() <= 2;
    for value in by_count(column) {
        let meaning = match is_flag {
            // A flag is set for orders that were cancelled.
            true if says_cancelled(column) => {
                Some(if seen.words.flag(value) == Some(true) { Meaning::Dropped } else { Meaning::Kept })
            }
            true => None,
            false => seen.words.meaning(value),
        };
        match meaning {
            Some(Meaning::Dropped) => rule.dropped.push(value.clone()),
            Some(Meaning::Kept) => rule.kept.push(value.clone()),
            Some(Meaning::Returned) if is_money_negative(seen, column, value) => rule.kept.push(value.clone()),
            Some(Meaning::Returned) => rule.dropped.push(value.clone()),
            None => rule.unknown.push(value.clone()),
        }
    }
    // A word that would leave hardly any order means another thing here.
    let rows = |values: &[String]| -> u64 {
        let counted = column.values.iter().zip(&column.counts);
        counted.filter(|(value, _)| values.contains(value)).map(|(_, count)| u64::from(*count)).sum()
    };
    let says_something = says_something(&rule);
    if rows(&rule.dropped) * 10 > column.filled() as u64 * MOST_DROPPED {
        rule.unknown.append(&mut rule.dropped);
    }
    says_something.then_some(rule)
}

/// The share of rows, in tenths, of orders that may not have come about.
const MOST_DROPPED: u64 = 6;

/// Whether the values are known well enough to be those of a status.
fn says_something(rule: &StatusRule) -> bool {
    let known = rule.dropped.len() + rule.kept.len();
    known > 0 && (known * 2 >= rule.unknown.len() || !rule.dropped.is_empty())
}

fn says_cancelled(column: &Column) -> bool {
    let words =
        ["canceled", "cancelled", "storniert", "storno", "annule", "annulee", "void", "voided", "取消", "已取消", "是否取消"];
    words.iter().any(|word| column.words.has_word(word))
}

/// Whether most money of the rows with a value is negative: they are returns as they stand.
fn is_money_negative(seen: &Seen<'_>, column: &Column, value: &str) -> bool {
    let Some(code) = column.values.iter().position(|own| own == value).and_then(|at| u32::try_from(at + 1).ok()) else {
        return false;
    };
    let rows: Vec<usize> = (0..seen.sample.rows).filter(|row| column.codes.get(*row) == Some(&code)).collect();
    let amounts = candidates::of(seen, Role::Amount, &[]);
    let amounts = amounts.iter().filter_map(|candidate| seen.column(candidate.column).ok());
    let share = |amount: &Column| {
        let negative = rows.iter().filter(|row| amount.number_at(**row).is_some_and(|number| number < 0.0)).count();
        negative * 2 > rows.len()
    };
    amounts.into_iter().any(share)
}

/// Rows that are returns by another column than the status, and have positive money.
pub fn returns(seen: &Seen<'_>, amount: &Amount, status: Option<&StatusRule>) -> Result<Option<Returns>> {
    let taken: Vec<usize> = status.iter().map(|rule| rule.column).chain(amount.columns().iter().copied()).collect();
    for candidate in candidates::of(seen, Role::Kind, &taken) {
        let column = seen.column(candidate.column)?;
        let values: Vec<String> =
            by_count(column).into_iter().filter(|value| seen.words.meaning(value) == Some(Meaning::Returned)).cloned().collect();
        if values.is_empty()
            || values.len() == column.values.len()
            || values.iter().any(|value| is_money_negative(seen, column, value))
        {
            continue;
        }
        return Ok(Some(Returns { column: candidate.column, values }));
    }
    Ok(None)
}

/// A date that only cancelled orders have.
pub fn cancelled_at(seen: &Seen<'_>, taken: &[usize]) -> Result<Option<usize>> {
    for candidate in candidates::of(seen, Role::CancelledAt, taken) {
        let column = seen.column(candidate.column)?;
        if column.null_share() > 0.5 && column.stored != Stored::Boolean {
            return Ok(Some(candidate.column));
        }
    }
    Ok(None)
}
