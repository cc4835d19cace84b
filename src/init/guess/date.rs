//! The date of an order: the column, and how it is written.

use std::collections::BTreeSet;

use super::candidates::{ALIKE, Candidate, are_one, chosen, sorted};
use super::seen::Seen;
use crate::domain::Day;
use crate::error::{Error, Result};
use crate::init::ask::{Choices, FirstPart, Question};
use crate::init::columns::{Column, forms_of};
use crate::init::date_form::{DateForm, DatePart, is_null_date};
use crate::init::date_order::{self, Reading};
use crate::init::date_reader::Moment;
use crate::init::rows::{More, Stored};
use crate::init::vocabulary::Role;

/// The date of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenDate {
    /// The column.
    pub column: usize,
    /// How its values are written.
    pub kind: DateKind,
}

/// How dates are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateKind {
    /// As dates or timestamps of the file, which are shown in this form.
    Stored(DateForm),
    /// As text, or as a number that reads like one.
    Text(DateForm),
    /// As numbers that count from 1970: how many of them make a second.
    Epoch(i64),
    /// As numbers of days, as spreadsheets count them from 1899-12-30.
    Serial,
}

/// 1970-01-01 as spreadsheets count days.
pub const SERIAL_1970: i32 = 25_569;

impl DateKind {
    /// Reads a value.
    pub fn read(&self, text: &str) -> Option<Moment> {
        match self {
            DateKind::Stored(form) | DateKind::Text(form) => form.read(text),
            DateKind::Epoch(per_second) => {
                let whole = text.parse::<i64>().ok();
                let second = match whole {
                    Some(number) => number.div_euclid(*per_second),
                    None => (text.parse::<f64>().ok()? / *per_second as f64).floor() as i64,
                };
                let day = i32::try_from(second.div_euclid(86_400)).ok()?;
                Some(Moment { day: Day(day), second: i32::try_from(second.rem_euclid(86_400)).ok()?, offset: None })
            }
            DateKind::Serial => {
                let second = ((text.trim().parse::<f64>().ok()? - f64::from(SERIAL_1970)) * 86_400.0).floor() as i64;
                let day = i32::try_from(second.div_euclid(86_400)).ok()?;
                Some(Moment { day: Day(day), second: i32::try_from(second.rem_euclid(86_400)).ok()?, offset: None })
            }
        }
    }
}

/// Seconds since 1970 that orders may have: from 2000 to 2100.
const SECONDS: std::ops::Range<f64> = 946_684_800.0..4_102_444_800.0;

/// How many make a second, if these are numbers of seconds since 1970, of thousandths of them, and so on.
fn epoch(column: &Column) -> Option<i64> {
    let is_plain = column.number.as_ref().is_some_and(|form| !form.is_for_sql() && !form.is_rewritten && !form.decimal_comma);
    [1i64, 1_000, 1_000_000, 1_000_000_000].into_iter().find(|per_second| {
        let is_second = |number: &f64| SECONDS.contains(&(number / *per_second as f64));
        !column.numbers.is_empty() && is_plain && column.numbers.iter().all(is_second)
    })
}

/// Days as spreadsheets count them that orders may have: from 2000 to 2049.
const SERIALS: std::ops::Range<f64> = 36_526.0..54_789.0;

/// Whether these may be days as spreadsheets count them; a word must name them as dates, too.
fn are_serial(column: &Column) -> bool {
    let is_plain = column.number.as_ref().is_some_and(|form| !form.is_for_sql() && !form.is_rewritten && !form.decimal_comma);
    is_plain && !column.numbers.is_empty() && column.numbers.iter().all(|number| SERIALS.contains(number))
}

/// What a column of dates scores that no word names.
const UNNAMED: i32 = 45;

/// Candidates for the date.
pub fn candidates(seen: &Seen<'_>) -> Vec<Candidate> {
    let columns = seen.sample.columns.iter().enumerate();
    let scored = columns.filter_map(|(at, column)| {
        let named = seen.score(Role::Date, column);
        let is_compact = column.dates.first().is_some_and(DateForm::is_digits);
        let is_date = !column.dates.is_empty() && (!is_compact || named.is_some());
        let is_time = named.is_some() && (epoch(column).is_some() || are_serial(column));
        if !is_date && !is_time {
            return None;
        }
        let is_stored = matches!(column.stored, Stored::Date | Stored::Timestamp { .. });
        let unnamed = UNNAMED + if is_stored { 2 } else { 0 };
        let score = named.or_else(|| (!is_named_otherwise(seen, column)).then_some(unnamed))?;
        // What most rows lack is another date than that of the order.
        let lacking = column.null_share() + column.null_date_share();
        Some(Candidate { column: at, score: score - (lacking * 40.0) as i32 })
    });
    sorted(scored.collect())
}

/// Whether words say that a date is another than that of the order.
fn is_named_otherwise(seen: &Seen<'_>, column: &Column) -> bool {
    let others = [Role::CancelledAt, Role::Amount, Role::Order, Role::Customer];
    others.iter().any(|role| seen.score(*role, column).is_some())
        || [
            "due",
            "ship",
            "shipped",
            "delivery",
            "delivered",
            "refund",
            "refunded",
            "birth",
            "updated",
            "upd",
            "modified",
            "fulfilled",
            "end",
            "gmt",
            "approved",
            "created",
        ]
        .iter()
        .any(|word| column.words.has_word(word))
}

/// The date of the order.
///
/// # Errors
/// Exit 3: no date, or one whose day and month cannot be told apart.
pub fn find(seen: &Seen<'_>, choices: &mut Choices<'_>) -> Result<WrittenDate> {
    let candidates = candidates(seen);
    // Equal dates of equal names differ in the zone alone.
    let best = candidates.first().map_or(0, |best| best.score);
    let near: Vec<Candidate> = candidates.iter().copied().filter(|candidate| candidate.score + ALIKE >= best).collect();
    let mut different: Vec<Candidate> = Vec::new();
    for candidate in near {
        if !different.iter().any(|before| are_one(seen, before.column, candidate.column)) {
            different.push(candidate);
        }
    }
    let column = chosen(seen, choices, "ordered_at", "the date of the order", &different)?.ok_or_else(|| {
        let has_form = |texts: &[&str]| !forms_of(texts).is_empty();
        seen.lacks(
            "the date of an order",
            "one with dates, or with text such as 2024-12-31 in one form",
            seen.without_form(Role::Date, has_form),
        )
    })?;
    let found = seen.column(column)?;
    if matches!(found.stored, Stored::Date | Stored::Timestamp { .. }) {
        let form = found.dates.first().cloned().ok_or_else(|| Error::bug("a column of dates without a form"))?;
        return Ok(WrittenDate { column, kind: DateKind::Stored(form) });
    }
    if found.dates.is_empty() {
        let kind = epoch(found).map_or(DateKind::Serial, DateKind::Epoch);
        return Ok(WrittenDate { column, kind });
    }
    Ok(WrittenDate { column, kind: DateKind::Text(one_form(seen, choices, column)?) })
}

/// The one form that counts. Where several orders of day, month and year fit all values, the days that they make tell which is
/// right: those of the rows that are looked at closely, then those of all rows; where these do not tell, it asks.
fn one_form(seen: &Seen<'_>, choices: &mut Choices<'_>, column: usize) -> Result<DateForm> {
    let found = seen.column(column)?;
    let first = found.dates.first().cloned().ok_or_else(|| Error::bug("a date without a form"))?;
    let mut readings = date_order::readings(&found.dates);
    for value in found.values.iter().filter(|value| !is_null_date(value)) {
        readings.retain_mut(|reading| reading.add(value));
    }
    if readings.len() < 2 {
        return Ok(readings.pop().map_or(first, |reading| reading.form));
    }
    if let Some(asked) = choices.first_part()
        && let Some(reading) = readings.iter().find(|reading| flag(&reading.form) == Some(asked))
    {
        return Ok(reading.form.clone());
    }
    let (mut readings, mut is_sure) = date_order::ranked(readings);
    if !is_sure && !seen.sample.is_whole {
        (readings, is_sure) = date_order::ranked(of_all_rows(seen, found, readings)?);
    }
    match readings.first() {
        Some(best) if is_sure => Ok(best.form.clone()),
        _ => ask(seen, choices, column, readings),
    }
}

/// The readings that fit all rows, with the days of all of them.
fn of_all_rows(seen: &Seen<'_>, column: &Column, mut readings: Vec<Reading>) -> Result<Vec<Reading>> {
    let mut look = |values: &[Option<&str>]| {
        if let Some(Some(value)) = values.first() {
            let fits: Vec<bool> = readings.iter_mut().map(|reading| reading.add(value)).collect();
            // A date that none has is none of the others' kind.
            if fits.contains(&true) {
                let mut fits = fits.into_iter();
                readings.retain(|_| fits.next().unwrap_or(false));
            }
        }
        Ok(if readings.len() > 1 { More::Wanted } else { More::NextPart })
    };
    seen.table.each(&[column.at], &seen.reading.parts, &mut look)?;
    if !seen.reading.is_all {
        seen.table.each(&[column.at], &seen.table.all(), &mut look)?;
    }
    Ok(readings)
}

/// The flag that says that a form is meant.
fn flag(form: &DateForm) -> Option<FirstPart> {
    match form.order()? {
        [DatePart::Day, DatePart::Month, DatePart::Year] => Some(FirstPart::Day),
        [DatePart::Month, DatePart::Day, DatePart::Year] => Some(FirstPart::Month),
        [DatePart::Year, DatePart::Month, DatePart::Day] => Some(FirstPart::Year),
        _ => None,
    }
}

/// Asks which of some readings is meant.
///
/// # Errors
/// Exit 3: nobody answers.
fn ask(seen: &Seen<'_>, choices: &mut Choices<'_>, column: usize, readings: Vec<Reading>) -> Result<DateForm> {
    let shown = |value: &String| -> Vec<String> {
        readings
            .iter()
            .map(|reading| reading.form.read(value).map_or_else(String::new, |moment| moment.day.to_string()))
            .collect()
    };
    let different = |value: &&String| shown(value).into_iter().collect::<BTreeSet<_>>().len();
    let values = &seen.column(column)?.values;
    // Of equal ones the first.
    let example = values.iter().rev().max_by_key(different).cloned().unwrap_or_default();
    let question = Question {
        key: "ordered_at",
        text: format!("In {} day, month and year may stand in several orders. What is {example}?", seen.quoted(column)),
        options: shown(&example),
    };
    if let Some(answer) = choices.ask(&question)? {
        return readings.into_iter().nth(answer).map(|reading| reading.form).ok_or_else(|| Error::bug("an answer to no option"));
    }
    let flags: Vec<&str> = readings.iter().filter_map(|reading| flag(&reading.form)).map(FirstPart::flag).collect();
    let instead = if flags.len() < readings.len() { ", or write the dates as 2024-12-31" } else { "" };
    Err(Error::contract(format!(
        "the dates of column {} may have their day, month and year in several orders: {example} is {}, and no row tells; say which with {}{instead}",
        seen.quoted(column),
        question.options.join(" or "),
        flags.join(" or "),
    )))
}
