//! Why a column has a role: what its values show, without any that could be of a person.

use super::draft::Draft;
use crate::error::Result;
use crate::init::columns::Column;
use crate::init::guess::{Amount, DateKind, RowsAre};

/// Values that a comment shows.
const SHOWN: usize = 3;

/// Longest value that a comment shows.
const LONGEST: usize = 30;

/// A share for people: whole percent, but never 0 or 100 for what is neither.
pub fn share(part: f64) -> String {
    let percent = part * 100.0;
    match percent {
        p if p > 0.0 && p < 1.0 => "under 1 %".into(),
        p if p < 100.0 && p > 99.0 => "over 99 %".into(),
        p => format!("{p:.0} %"),
    }
}

/// A count with its noun.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What the sample shows of any column: how many values, how many of them different.
pub fn filled(draft: &Draft<'_>, at: usize) -> Result<String> {
    let column = draft.seen.column(at)?;
    let empty = match column.nulls {
        0 => "always there".to_owned(),
        _ => format!("empty in {} of the rows", share(column.null_share())),
    };
    Ok(format!("{empty}, {}", count(column.values.len() as u64, "different value")))
}

/// The same with the most frequent values, for columns whose values are of no person.
pub fn with_values(draft: &Draft<'_>, at: usize) -> Result<String> {
    let column = draft.seen.column(at)?;
    let said = filled(draft, at)?;
    let is_public = column.values.len() <= 500 && !column.values.iter().any(|value| is_personal(value));
    let shown: Vec<String> = crate::init::guess::by_count(column)
        .into_iter()
        .take(SHOWN)
        .filter(|value| value.chars().count() <= LONGEST)
        .map(|value| format!("{value:?}"))
        .collect();
    Ok(match is_public && !shown.is_empty() {
        true => format!("{said}, such as {}", shown.join(", ")),
        false => said,
    })
}

/// Whether a value may name a person: an e-mail address, or many digits in a row.
fn is_personal(value: &str) -> bool {
    value.contains('@') || value.chars().filter(char::is_ascii_digit).count() >= 6
}

/// The range of the numbers of a column.
pub fn range(column: &Column) -> String {
    let (least, most) =
        column.numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), n| (least.min(*n), most.max(*n)));
    let negative = column.share_where(|n| n < 0.0);
    let said = format!("from {least} to {most}");
    if negative > 0.0 { format!("{said}, {} of the values below zero", share(negative)) } else { said }
}

/// What was seen of the money.
pub fn amount(draft: &Draft<'_>) -> Result<String> {
    let guess = draft.guess;
    Ok(match &guess.amount {
        Amount::Column([at]) => {
            let column = draft.seen.column(*at)?;
            let rows = match guess.rows {
                RowsAre::Orders => "",
                RowsAre::Lines => "; the lines of an order are added up",
                RowsAre::FirstLine => "; it stands on the first row of an order alone, and the other rows are left out",
                RowsAre::Repeated => "; it is that of the whole order and stands on each of its rows, so one of them counts",
            };
            format!("{:?}: {}{rows}", column.name, range(column))
        }
        Amount::Product([first, second]) => {
            let (first, second) = (draft.seen.column(*first)?, draft.seen.column(*second)?);
            format!("{:?} ({}) times {:?} ({})", first.name, range(first), second.name, range(second))
        }
    })
}

/// How dates are written.
pub fn date(draft: &Draft<'_>) -> Result<String> {
    let guess = draft.guess;
    let column = draft.seen.column(guess.date.column)?;
    let history = draft.history;
    let kind = match &guess.date.kind {
        DateKind::Stored(form) if form.has_time() => "timestamps".to_owned(),
        DateKind::Stored(_) => "dates".to_owned(),
        DateKind::Text(form) => format!("text of the form {}", form.pattern),
        DateKind::Epoch(1) => "seconds since 1970".to_owned(),
        DateKind::Epoch(1_000) => "milliseconds since 1970".to_owned(),
        DateKind::Epoch(1_000_000) => "microseconds since 1970".to_owned(),
        DateKind::Epoch(_) => "nanoseconds since 1970".to_owned(),
        DateKind::Serial => "days as spreadsheets count them from 1899-12-30".to_owned(),
    };
    let mut said = format!("{:?}: {kind}, from {} to {}", column.name, history.first, history.last);
    if history.without_date > 0 {
        said += &format!("; {} without one", history.counted(history.without_date));
    }
    Ok(said)
}
