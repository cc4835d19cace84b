//! Numbers that are text: as people write them, and as money of the result. Both are read here, so that no digit is lost and a
//! value that is none can be named.

use std::sync::{Arc, Mutex};

use polars::prelude::*;

/// Digits of the largest decimal number.
const MOST_DIGITS: u32 = 38;

/// The first value that could not be read, told by whichever thread met it.
#[derive(Debug, Clone, Default)]
pub struct BadValue(Arc<Mutex<Option<Bad>>>);

/// A value that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// The column.
    pub column: String,
    /// The value.
    pub value: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl BadValue {
    /// The value, if there was one.
    pub fn take(&self) -> Option<Bad> {
        self.0.lock().ok()?.take()
    }

    fn tell(&self, column: &str, value: &str, why: &'static str) -> PolarsError {
        if let Ok(mut slot) = self.0.lock() {
            slot.get_or_insert_with(|| Bad { column: column.into(), value: value.into(), why });
        }
        polars_err!(ComputeError: "column {column:?} holds {value:?}, which {why}")
    }
}

/// A column of numbers as people write them, as text that SQL reads as numbers.
pub fn rewrite_number(column: &str, decimal_comma: bool, bad: &BadValue) -> Expr {
    let (name, bad) = (column.to_owned(), bad.clone());
    let rewrite = move |numbers: Column| -> PolarsResult<Column> {
        let numbers = numbers.as_materialized_series().str()?;
        let mut out = StringChunkedBuilder::new(numbers.name().clone(), numbers.len());
        for number in numbers.iter() {
            match number {
                None => out.append_null(),
                Some(text) => match plain_number(text, decimal_comma) {
                    Some(plain) => out.append_value(plain),
                    None => {
                        let why = if decimal_comma { "is no number such as 1.234,50" } else { "is no number such as 1,234.50" };
                        return Err(bad.tell(&name, text, why));
                    }
                },
            }
        }
        Ok(out.finish().into_column())
    };
    col(column).map(rewrite, |_, field| Ok(field.clone()))
}

/// A number without marks between thousands, with a point before its fraction. Marks stand between groups of three digits.
fn plain_number(text: &str, decimal_comma: bool) -> Option<String> {
    let text = text.trim();
    let (point, mark) = if decimal_comma { (',', '.') } else { ('.', ',') };
    let (sign, rest) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = match rest.split_once(point) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (rest, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if fraction.is_some_and(|fraction| !is_digits(fraction)) {
        return None;
    }
    let is_mark = |c: char| c == mark || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}');
    let mut groups = whole.split(is_mark);
    let first = groups.next().filter(|first| is_digits(first))?;
    let mut out = format!("{sign}{first}");
    let mut is_grouped = false;
    for group in groups {
        if group.len() != 3 || !is_digits(group) {
            return None;
        }
        out.push_str(group);
        is_grouped = true;
    }
    if is_grouped && first.len() > 3 {
        return None;
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    Some(out)
}

/// A column of text as decimal numbers of `scale` digits behind the point, with every digit of it.
pub fn money(column: &str, scale: u32, bad: &BadValue) -> Expr {
    let (name, bad) = (column.to_owned(), bad.clone());
    let read = move |texts: Column| -> PolarsResult<Column> {
        let texts = texts.as_materialized_series().str()?;
        let mut digits = PrimitiveChunkedBuilder::<Int128Type>::new(texts.name().clone(), texts.len());
        for text in texts.iter() {
            match text {
                None => digits.append_null(),
                Some(text) => digits.append_value(decimal(text, scale).map_err(|why| bad.tell(&name, text, why))?),
            }
        }
        Ok(digits.finish().into_decimal_unchecked(MOST_DIGITS as usize, scale as usize).into_column())
    };
    let output = move |_: &Schema, field: &Field| {
        Ok(Field::new(field.name.clone(), DataType::Decimal(MOST_DIGITS as usize, scale as usize)))
    };
    col(column).map(read, output)
}

/// The digits of a decimal number at a scale.
fn decimal(text: &str, scale: u32) -> std::result::Result<i128, &'static str> {
    short_decimal(text.as_bytes(), scale).map_or_else(|| long_decimal(text, scale), |value| Ok(value.into()))
}

/// [`decimal`] of a number that is written plainly, in less than 19 digits at its scale; none for others.
fn short_decimal(text: &[u8], scale: u32) -> Option<i64> {
    let (is_negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (whole, fraction) = (&text[..point], text.get(point + 1..).unwrap_or_default());
    let missing = (scale as usize).checked_sub(fraction.len())?;
    if whole.is_empty() || whole.len() + scale as usize > 18 {
        return None;
    }
    let mut value = 0i64;
    for byte in whole.iter().chain(fraction) {
        value = value * 10 + i64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    let value = value * 10i64.pow(missing as u32);
    Some(if is_negative { -value } else { value })
}

/// [`decimal`] of any number.
fn long_decimal(text: &str, scale: u32) -> std::result::Result<i128, &'static str> {
    const NO_NUMBER: &str = "is no decimal number; cast or correct it in the query, or name it in the numbers of its source";
    let text = text.trim();
    let (is_negative, rest) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(NO_NUMBER);
    }
    let mut value = 0i128;
    for byte in whole.bytes().chain(fraction.bytes().take(scale as usize)) {
        let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0')).ok_or(NO_NUMBER)?;
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(digit))
            .ok_or("has more digits than a decimal number holds")?;
    }
    for byte in fraction.bytes().skip(scale as usize) {
        match byte {
            b'0' => {}
            b'1'..=b'9' => {
                return Err("has more digits behind the point than money can; raise orders.amount_scale, or round in the query");
            }
            _ => return Err(NO_NUMBER),
        }
    }
    let missing = scale.saturating_sub(fraction.len() as u32);
    let value =
        10i128.checked_pow(missing).and_then(|unit| value.checked_mul(unit)).ok_or("is larger than a decimal number can be")?;
    match value < 10i128.pow(MOST_DIGITS) {
        true => Ok(if is_negative { -value } else { value }),
        false => Err("is larger than a decimal number can be"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_people_are_plain_afterwards() {
        for (text, comma, want) in [
            ("1.234,50", true, "1234.50"),
            ("1234,5", true, "1234.5"),
            ("-12", true, "-12"),
            ("1.234.567", true, "1234567"),
            ("1 234,50", true, "1234.50"),
            ("1\u{a0}234,50", true, "1234.50"),
            ("1,234.50", false, "1234.50"),
            ("1'234.50", false, "1234.50"),
            ("\u{2212}7", false, "-7"),
            (" +0.5 ", false, "0.5"),
        ] {
            assert_eq!(plain_number(text, comma).as_deref(), Some(want), "{text}");
        }
        for (text, comma) in [
            ("1.23", true),
            ("1,2,3", true),
            ("12.34.567", true),
            ("1234.567", true),
            ("", true),
            ("abc", false),
            ("1,23", false),
            ("5.", false),
            ("1.5e3", false),
            ("12 EUR", true),
        ] {
            assert_eq!(plain_number(text, comma), None, "{text}");
        }
    }

    #[test]
    fn money_keeps_every_digit() {
        for (text, want) in [
            ("65.00", 65_000_000),
            ("-0.000001", -1),
            (" 7 ", 7_000_000),
            (".5", 500_000),
            ("1.2345670000", 1_234_567),
            ("3.", 3_000_000),
        ] {
            assert_eq!(decimal(text, 6), Ok(want), "{text}");
        }
        for text in ["", "-", ".", "1,5", "abc", "1e5", "0.0000001", "1.2.3", "99999999999999999999999999999999999999"] {
            assert!(decimal(text, 6).is_err(), "{text}");
        }
    }
}
