//! The money of an order: one column, or pieces times the price of one.

use super::candidates::{self, Candidate, chosen};
use super::grain::{self, RowsAre};
use super::seen::Seen;
use crate::error::Result;
use crate::init::ask::{Choices, Question};
use crate::init::number_form::NumberForm;
use crate::init::rows::Stored;
use crate::init::vocabulary::Role;

/// The money of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// A column.
    Column([usize; 1]),
    /// Pieces and the price of one, in the order of the table.
    Product([usize; 2]),
}

/// The unit of the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Whole units.
    Major,
    /// Cents and their like.
    Minor,
}

impl Amount {
    /// Its columns.
    pub fn columns(&self) -> &[usize] {
        match self {
            Amount::Column(column) => column,
            Amount::Product(columns) => columns,
        }
    }
}

/// The score of a column from which it is the money even where there are pieces and prices.
const SURE: i32 = 60;

/// The money and what a row is to it.
///
/// # Errors
/// Exit 3: no column of money.
pub fn find(seen: &Seen<'_>, choices: &mut Choices<'_>, order: &[usize], taken: &[usize]) -> Result<(Amount, RowsAre)> {
    let amounts = candidates::of(seen, Role::Amount, taken);
    let is_sure = amounts.first().is_some_and(|best| best.score >= SURE);
    let best = |role: Role| candidates::of(seen, role, taken).first().map(|candidate: &Candidate| candidate.column);
    if let (false, Some(quantity), Some(price)) = (is_sure, best(Role::Quantity), best(Role::UnitPrice))
        && quantity != price
    {
        let rows = grain::rows_are(seen, order, seen.column(price)?)?;
        // Equal prices of several lines are no total.
        let rows = if rows == RowsAre::Repeated { RowsAre::Lines } else { rows };
        // In the order of the table, as people read it.
        return Ok((Amount::Product([quantity.min(price), quantity.max(price)]), rows));
    }
    let column = chosen(seen, choices, "amount", "the money of the order", &amounts)?.ok_or_else(|| {
        let has_form = |texts: &[&str]| NumberForm::of(texts.iter().copied()).is_some();
        seen.lacks(
            "an amount",
            "one with the money of each order or line, or pieces and the price of one",
            seen.without_form(Role::Amount, has_form),
        )
    })?;
    let mut rows = grain::rows_are(seen, order, seen.column(column)?)?;
    if rows == RowsAre::Repeated && candidates::rows_of(seen, order)?.values().filter(|rows| rows.len() > 1).count() < FEW {
        let question = Question {
            key: "amount",
            text: format!(
                "{} is the same on all rows of an order, and few orders have several. Is it the money of the whole order?",
                seen.quoted(column)
            ),
            options: vec!["of the whole order, to be counted once".into(), "of each row, to be added up".into()],
        };
        if choices.choose(question)? == 1 {
            rows = RowsAre::Lines;
        }
    }
    Ok((Amount::Column([column]), rows))
}

/// Orders of several rows below which equal money on all of them may be chance.
const FEW: usize = 3;

/// Currencies without minor units.
const WITHOUT_MINOR: [&str; 6] = ["JPY", "KRW", "VND", "IDR", "CLP", "HUF"];

/// The unit of the money.
pub fn unit(seen: &Seen<'_>, choices: &mut Choices<'_>, amount: &Amount, currency: Option<usize>) -> Result<Unit> {
    let Amount::Column([at]) = amount else { return Ok(Unit::Major) };
    let column = seen.column(*at)?;
    let says_so = ["cents", "cent", "minor", "pence", "centimes", "分"].iter().any(|word| column.words.has_word(word));
    let is_whole = column.is_whole() && (column.stored == Stored::Integer || column.is_text());
    if !is_whole {
        return Ok(Unit::Major);
    }
    if says_so {
        return Ok(Unit::Minor);
    }
    let currency = currency.map(|at| seen.column(at)).transpose()?;
    let has_none = currency.is_some_and(|column| {
        column.values.iter().any(|code| WITHOUT_MINOR.iter().any(|known| code.eq_ignore_ascii_case(known)))
    });
    let is_uneven = column.share_where(|n| n % 100.0 != 0.0) > 0.5;
    let is_large = column.share_where(|n| n.abs() >= 500.0) > 0.5;
    // Nobody marks thousands of cents.
    let is_marked = column.number.as_ref().is_some_and(|form| form.is_rewritten);
    if has_none || is_marked || !is_uneven || !is_large {
        return Ok(Unit::Major);
    }
    let question = Question {
        key: "amount_unit",
        text: format!("{} holds whole numbers that do not look rounded. Are they cents (1999 is 19.99)?", seen.quoted(*at)),
        options: vec!["minor: 1999 is 19.99".into(), "major: 1999 is 1999.00".into()],
    };
    Ok(if choices.choose(question)? == 0 { Unit::Minor } else { Unit::Major })
}

/// Digits behind the point that a job carries at most.
const MOST_DIGITS: usize = 6;

/// Digits behind the point of money that is read exactly: as many as the sample has. Numbers that were computed have any number of
/// them, and are rounded as money is.
pub fn digits(seen: &Seen<'_>, amount: &Amount, cost: Option<usize>) -> Result<usize> {
    let Amount::Column([column]) = amount else { return Ok(USUAL_DIGITS) };
    let mut most = USUAL_DIGITS;
    for at in [Some(*column), cost].into_iter().flatten() {
        let of_column = seen.column(at)?.numbers.iter().map(|number| behind_point(*number)).max().unwrap_or(0);
        if of_column <= MOST_DIGITS {
            most = most.max(of_column);
        }
    }
    Ok(most)
}

/// Digits behind the point of most money.
pub const USUAL_DIGITS: usize = 2;

/// Digits behind the point of the shortest text that means this number.
fn behind_point(number: f64) -> usize {
    number.to_string().split_once('.').map_or(0, |(_, fraction)| fraction.len())
}
