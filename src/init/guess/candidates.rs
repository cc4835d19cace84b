//! Columns that can have a role, by their names, types and values, the best first.

use std::collections::{HashMap, HashSet};

use super::seen::Seen;
use crate::error::Result;
use crate::init::ask::{Choices, Question};
use crate::init::columns::Column;
use crate::init::rows::Stored;
use crate::init::vocabulary::Role;
use crate::init::words::Words;

/// A column that can have a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Its number in the sample.
    pub column: usize,
    /// How much speaks for it.
    pub score: i32,
}

/// Candidates whose scores differ by at most this are as good as each other.
pub const ALIKE: i32 = 3;

/// Rows from which shares of values say something.
const ENOUGH_ROWS: usize = 50;

/// Candidates for a role, without those columns that have another.
pub fn of(seen: &Seen<'_>, role: Role, taken: &[usize]) -> Vec<Candidate> {
    let columns = seen.sample.columns.iter().enumerate().filter(|(at, _)| !taken.contains(at));
    let scored = columns.filter_map(|(at, column)| {
        let score = seen.score(role, column)?;
        Some(Candidate { column: at, score: score + by_values(role, column)? })
    });
    sorted(scored.filter(|candidate| candidate.score >= LEAST).collect())
}

/// The least score of a candidate.
const LEAST: i32 = 40;

/// The best first; of equal ones the first in the table.
pub fn sorted(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by_key(|candidate| (-candidate.score, candidate.column));
    candidates
}

/// What the values of a column add to its score in a role; none if they cannot have it.
fn by_values(role: Role, column: &Column) -> Option<i32> {
    let different = column.values.len();
    if different == 0 {
        return None;
    }
    let is_number = column.number.is_some();
    let is_date = !column.dates.is_empty();
    match role {
        Role::Order => order(column),
        Role::Quantity => (is_number && column.share_where(|n| n.fract() == 0.0) > 0.8).then_some(0),
        Role::UnitPrice => (is_number && different > 1).then_some(0),
        Role::Discount | Role::Refund | Role::Cost => {
            let is_money = is_number && column.share_where(|n| n != 0.0) > 0.0;
            let is_flag = role == Role::Discount && column.stored == Stored::Boolean && different > 1;
            (is_money || is_flag).then_some(if role == Role::Cost && column.share_where(|n| n < 0.0) > 0.5 { -50 } else { 0 })
        }
        Role::Category => {
            let is_key = different * 2 > column.filled() && column.filled() >= ENOUGH_ROWS;
            let serves = matches!(column.stored, Stored::Text | Stored::Integer | Stored::Boolean | Stored::Path);
            (different > 1
                && different <= 5_000
                && !is_key
                && !is_date
                && serves
                && !column.values.iter().any(|v| v.contains('@')))
            .then_some(0)
        }
        Role::Currency => {
            let serves = matches!(column.stored, Stored::Text | Stored::Integer | Stored::Path);
            let is_code = column.values.iter().all(|value| value.chars().count() <= 4);
            (serves && different <= 30 && is_code && column.null_share() < 0.9).then_some(0)
        }
        Role::Shop => (different > 1 && different * 3 <= column.filled().max(6) && !is_date).then_some(0),
        Role::CancelledAt => (is_date && column.nulls > 0).then_some(0),
        Role::Status | Role::Kind => (!is_date
            && different <= 60
            && matches!(column.stored, Stored::Text | Stored::Boolean | Stored::Integer | Stored::Path))
        .then_some(0),
        Role::Amount => {
            let fits = is_number && !is_date;
            let mostly_zero = column.share_where(|n| n != 0.0) < 0.3;
            let is_small = column.is_whole() && column.share_where(|n| n.abs() <= 20.0) > 0.95;
            let is_negative = column.share_where(|n| n < 0.0) > 0.6;
            let same = different == 1 && column.filled() >= ENOUGH_ROWS;
            fits.then(|| -40 * (i32::from(mostly_zero) + i32::from(is_negative)) - 25 * (i32::from(same) + i32::from(is_small)))
        }
        Role::Customer | Role::Date => Some(0),
    }
}

fn order(column: &Column) -> Option<i32> {
    let serves = matches!(column.stored, Stored::Text | Stored::Integer | Stored::Decimal)
        && (column.numbers.is_empty() || column.is_whole());
    // Numbers may look like dates or times.
    let is_date = column.dates.iter().any(|form| !form.is_digits());
    if !serves || is_date || column.values.len() < 2 || column.null_share() > 0.5 {
        return None;
    }
    let are_numbers =
        column.values.iter().filter(|value| value.chars().any(|c| c.is_ascii_digit())).count() * 5 >= column.values.len() * 4;
    if column.words.has_word("name") && !are_numbers {
        return None;
    }
    let penalty = column.null_share() * 30.0;
    // Few numbers on many rows tell nothing apart.
    let is_coarse = column.values.len() * 20 < column.filled();
    Some(-(penalty as i32) - if is_coarse { 60 } else { 0 })
}

/// Candidates for the customer. `order` is the column of the order's number, if one is known.
pub fn customers(seen: &Seen<'_>, order: Option<usize>) -> Vec<Candidate> {
    let columns = seen.sample.columns.iter().enumerate().filter(|(at, _)| Some(*at) != order);
    let orders = order.and_then(|at| seen.sample.columns.get(at)).map(|column| column.values.len());
    sorted(
        columns
            .filter_map(|(at, column)| Some(Candidate { column: at, score: customer(seen, column, orders)? }))
            .filter(|c| c.score >= LEAST)
            .collect(),
    )
}

fn customer(seen: &Seen<'_>, column: &Column, orders: Option<usize>) -> Option<i32> {
    let different = column.values.len();
    let serves = matches!(column.stored, Stored::Text | Stored::Integer | Stored::Decimal | Stored::Float);
    let is_whole = column.numbers.is_empty() || column.is_whole();
    let is_date = column.dates.iter().any(|form| !form.is_digits());
    let rows = seen.sample.rows;
    if !serves || !is_whole || is_date || different < 2 || (different <= 3 && rows >= ENOUGH_ROWS) {
        return None;
    }
    let mails = column.values.iter().filter(|value| value.contains('@')).count();
    let are_mails = mails * 5 >= different * 4;
    let named = seen.score(Role::Customer, column);
    let mut score = match named {
        Some(score) => score,
        None if are_mails && !column.words.has_word("to") && !column.words.has_word("seller") => 60,
        None => return None,
    };
    let says_mail = column.words.has_word("email") || column.words.has_word("mail");
    if says_mail && !are_mails {
        score -= 40;
    }
    // A number of each order's own is none of a customer's.
    let own = orders.unwrap_or(column.filled());
    if different >= own && column.filled() >= ENOUGH_ROWS {
        score -= 45;
    }
    if column.null_share() > 0.95 {
        score -= 60;
    }
    Some(score)
}

/// The customer where no name says so: an id whose values repeat, as those of customers do and those of rows do not.
///
/// # Errors
/// The answer cannot be read.
pub fn repeating_id(seen: &Seen<'_>, choices: &mut Choices<'_>) -> Result<Option<usize>> {
    let is_id = |column: &Column| [Some(&column.words), column.core.as_ref()].contains(&Some(&Words::of("id")));
    let repeats = |column: &Column| column.values.len() > 3 && column.values.len() * 10 < column.filled() * 9;
    let serves = |column: &Column| {
        matches!(column.stored, Stored::Text | Stored::Integer) && (column.numbers.is_empty() || column.is_whole())
    };
    let mut columns = seen.sample.columns.iter().enumerate();
    let found = columns.find(|(_, column)| is_id(column) && repeats(column) && serves(column)).map(|(at, _)| at);
    let Some(at) = found else { return Ok(None) };
    let question = Question {
        key: "customer_id",
        text: format!(
            "No column is named after a customer, but {} repeats, as customers do. Is it the customer?",
            seen.quoted(at)
        ),
        options: vec!["it is".into(), "none is".into()],
    };
    Ok((choices.choose(question)? == 0).then_some(at))
}

/// Values of the customer that stand for nobody.
pub fn guests(seen: &Seen<'_>, customer: usize) -> Result<Vec<String>> {
    let column = seen.column(customer)?;
    let mut guests: Vec<String> = column.values.iter().filter(|value| seen.words.is_nobody(value)).cloned().collect();
    guests.sort_unstable();
    Ok(guests)
}

/// The best of some candidates; asks where the second is as good.
pub fn chosen(
    seen: &Seen<'_>,
    choices: &mut Choices<'_>,
    key: &'static str,
    what: &str,
    candidates: &[Candidate],
) -> Result<Option<usize>> {
    let Some(best) = candidates.first() else { return Ok(None) };
    let alike: Vec<usize> = candidates
        .iter()
        .filter(|other| other.score >= best.score - ALIKE)
        .map(|other| other.column)
        .filter(|other| *other == best.column || !are_one(seen, best.column, *other))
        .collect();
    if alike.len() < 2 {
        return Ok(Some(best.column));
    }
    let options = alike.iter().map(|column| seen.quoted(*column)).collect();
    let answer = choices.choose(Question { key, text: format!("Which column is {what}?"), options })?;
    Ok(alike.get(answer).copied())
}

/// Whether two columns tell the same apart: to each value of the one belongs one of the other, and the other way round.
pub fn are_one(seen: &Seen<'_>, a: usize, b: usize) -> bool {
    let (Ok(a), Ok(b)) = (seen.column(a), seen.column(b)) else { return false };
    let mut there = HashMap::new();
    let mut back = HashMap::new();
    a.codes.iter().zip(&b.codes).all(|(a, b)| *there.entry(a).or_insert(b) == b && *back.entry(b).or_insert(a) == a)
}

/// By value of a column, the rows that have it.
pub fn rows_of(seen: &Seen<'_>, columns: &[usize]) -> Result<HashMap<Vec<u32>, Vec<usize>>> {
    let columns: Vec<&Column> = columns.iter().map(|at| seen.column(*at)).collect::<Result<_>>()?;
    let mut rows: HashMap<Vec<u32>, Vec<usize>> = HashMap::new();
    for row in 0..seen.sample.rows {
        let key: Vec<u32> = columns.iter().map(|column| column.codes.get(row).copied().unwrap_or(0)).collect();
        if !key.contains(&0) {
            rows.entry(key).or_default().push(row);
        }
    }
    Ok(rows)
}

/// The share of orders whose rows have more than one customer; rows without a customer do not count.
pub fn shared_orders(seen: &Seen<'_>, order: &[usize], customer: usize) -> Result<f64> {
    let rows = rows_of(seen, order)?;
    let customer = seen.column(customer)?;
    let customers = |rows: &Vec<usize>| {
        let found: HashSet<u32> =
            rows.iter().filter_map(|row| customer.codes.get(*row).copied()).filter(|code| *code > 0).collect();
        found.len()
    };
    let shared = rows.values().filter(|rows| customers(rows) > 1).count();
    Ok(shared as f64 / rows.len().max(1) as f64)
}
