//! Reads the conditions of rules.

use toml::Value;

use super::condition::{Conditions, End, Test};
use crate::domain::{Catalogue, Day, Decimal, Measure, Unit};
use crate::error::{Error, Result, suggestion};

/// Keys of conditions that are not measures: three scores, what is made of them, and three levels.
const SCORE_KEYS: [&str; 8] = ["r_score", "f_score", "m_score", "f_plus_m", "cells", "r_level", "f_level", "m_level"];

/// A condition as it is written, for error messages.
#[derive(Clone, Copy)]
struct Written<'a> {
    place: &'a str,
    key: &'a str,
    value: &'a Value,
}

impl Written<'_> {
    fn wrong(self, what: &str) -> Error {
        let Written { place, key, value } = self;
        Error::usage(format!("{place}: {key} = {value} {what}"))
    }

    /// The number of scores of the scheme.
    fn bins(self, bins: Option<u32>) -> Result<u32> {
        bins.ok_or_else(|| self.wrong("uses scores, but the scheme does not say how many there are; add bins = 5"))
    }
}

/// Reads the conditions of a rule over the measures of `known`. `place` says where they stand.
///
/// # Errors
/// Exit 2: unknown key (with the nearest), a value of another form, a range whose ends are exchanged.
pub fn parse_conditions(table: &toml::Table, bins: Option<u32>, known: &Catalogue, place: &str) -> Result<Conditions> {
    let mut conditions = Conditions::default();
    for (key, value) in table {
        let written = Written { place, key, value };
        match key.as_str() {
            "r_score" => conditions.scores[0] = Some(score_range(written, written.bins(bins)?)?),
            "f_score" => conditions.scores[1] = Some(score_range(written, written.bins(bins)?)?),
            "m_score" => conditions.scores[2] = Some(score_range(written, written.bins(bins)?)?),
            "f_plus_m" => conditions.f_plus_m = Some(score_range(written, 2 * written.bins(bins)?)?),
            "cells" => conditions.cells = Some(cells(written, written.bins(bins)?)?),
            "r_level" => conditions.levels[0] = Some(is_high(written)?),
            "f_level" => conditions.levels[1] = Some(is_high(written)?),
            "m_level" => conditions.levels[2] = Some(is_high(written)?),
            _ => conditions.measures.push(measure_test(written, known)?),
        }
    }
    Ok(conditions)
}

/// A range of scores from 1 to `most`: a score, a list of two ends, or a table of bounds.
fn score_range(written: Written<'_>, most: u32) -> Result<(u8, u8)> {
    let (low, high) = match written.value {
        Value::Integer(score) => (*score, *score),
        Value::Array(ends) => {
            let ends = match ends.as_slice() {
                [low, high] => score_end(low, f64::NEG_INFINITY, 1).zip(score_end(high, f64::INFINITY, i64::from(most))),
                _ => None,
            };
            ends.ok_or_else(|| written.wrong("is not a range of scores such as [4, 5]"))?
        }
        Value::Table(bounds) => {
            let (mut low, mut high) = (1, i64::from(most));
            for (test, value) in bounds {
                let bound = value.as_integer().ok_or_else(|| written.wrong(&format!("has a {test:?} that is not a score")))?;
                match test.as_str() {
                    "min" => low = bound,
                    "max" => high = bound,
                    "above" => low = bound.saturating_add(1),
                    "below" => high = bound.saturating_sub(1),
                    _ => return Err(written.wrong("has an unknown test (tests of scores: min, max, above, below)")),
                }
            }
            (low, high)
        }
        _ => return Err(written.wrong("is not a score such as 5, nor a range of scores such as [4, 5]")),
    };
    if low > high {
        return Err(written.wrong("can never match: its lower end is above its upper end"));
    }
    if low < 1 || high > i64::from(most) {
        return Err(written.wrong(&format!("reaches outside the scores 1 to {most}")));
    }
    Ok((low as u8, high as u8))
}

/// An end of a list of two scores; `open` stands for the last score on that side.
fn score_end(end: &Value, open: f64, last: i64) -> Option<i64> {
    match end {
        Value::Integer(score) => Some(*score),
        Value::Float(x) if *x == open => Some(last),
        _ => None,
    }
}

/// A list of cells such as `["5-4-3"]`.
fn cells(written: Written<'_>, bins: u32) -> Result<Vec<[u8; 3]>> {
    let cells = written.value.as_array().ok_or_else(|| written.wrong("is not a list of cells such as [\"5-4-3\"]"))?;
    let cell = |value: &Value| {
        let parts: Vec<u8> = value.as_str()?.split('-').map(|s| s.parse().ok()).collect::<Option<_>>()?;
        let cell: [u8; 3] = parts.try_into().ok()?;
        cell.iter().all(|score| (1..=bins).contains(&u32::from(*score))).then_some(cell)
    };
    let cells: Option<Vec<[u8; 3]>> = cells.iter().map(cell).collect();
    cells.ok_or_else(|| written.wrong(&format!("has a cell that is not three scores from 1 to {bins} such as \"5-4-3\"")))
}

/// Whether a level must be high.
fn is_high(written: Written<'_>) -> Result<bool> {
    match written.value.as_str() {
        Some("high") => Ok(true),
        Some("low") => Ok(false),
        _ => Err(written.wrong("is not a level; expected \"high\" or \"low\"")),
    }
}

/// A test of a measure.
fn measure_test(written: Written<'_>, known: &Catalogue) -> Result<(Measure, Test)> {
    let Written { place, key, value } = written;
    let measure = known.parse(key).map_err(|error| {
        if known.knows(key) {
            return Error::usage(format!("{place}: {error}"));
        }
        let names = known.names().chain(SCORE_KEYS);
        Error::usage(format!(
            "{place}: there is no measure or score {key:?}{} (rules look at {})",
            suggestion(key, names.clone()),
            names.collect::<Vec<_>>().join(", ")
        ))
    })?;
    let test = parse_test(value, &format!("{place}: {key}"))?;
    if measure.kind.unit() == Unit::Text && test != Test::IsNull {
        return Err(written.wrong("tests a text, and rules compare numbers; the only test of it is { is_null = true }"));
    }
    Ok((measure, test))
}

/// Reads a test: a number, `[low, high]`, or a table of `min`, `max`, `above`, `below`, `is_null`.
///
/// # Errors
/// Exit 2, with `place`.
fn parse_test(value: &Value, place: &str) -> Result<Test> {
    let wrong = |what: &str| Error::usage(format!("{place} = {value} {what}"));
    let test = match value {
        Value::Integer(_) | Value::Float(_) | Value::String(_) | Value::Datetime(_) => {
            let end = end(value, false).ok_or_else(|| wrong("is not a number"))?;
            Test::Range { low: end, high: end }
        }
        Value::Array(ends) => match ends.as_slice() {
            [low, high] => {
                let low = end(low, false).ok_or_else(|| wrong("has a lower end that is not a number"))?;
                let high = end(high, false).ok_or_else(|| wrong("has an upper end that is not a number"))?;
                Test::Range { low, high }
            }
            _ => return Err(wrong("is not a range such as [0, 90] or [366, inf]")),
        },
        Value::Table(table) => {
            let (mut low, mut high, mut null) = (End::Open, End::Open, false);
            for (key, value) in table {
                let bound =
                    |strict: bool| end(value, strict).ok_or_else(|| wrong(&format!("has a {key:?} that is not a number")));
                match key.as_str() {
                    "min" => low = bound(false)?,
                    "max" => high = bound(false)?,
                    "above" => low = bound(true)?,
                    "below" => high = bound(true)?,
                    "is_null" if value.as_bool() == Some(true) => null = true,
                    "is_null" => return Err(wrong("has an is_null that is not true; leave it out instead")),
                    other => {
                        let near = suggestion(other, ["min", "max", "above", "below", "is_null"]);
                        return Err(wrong(&format!(
                            "has the unknown test {other:?}{near} (tests: min, max, above, below, is_null)"
                        )));
                    }
                }
            }
            match (null, low, high) {
                (true, End::Open, End::Open) => Test::IsNull,
                (true, ..) => return Err(wrong("can never match: null lies in no range")),
                (false, End::Open, End::Open) => return Err(wrong("tests nothing; give min, max, above, below or is_null")),
                (false, low, high) => Test::Range { low, high },
            }
        }
        Value::Boolean(_) => {
            return Err(wrong("is not a test; expected a number, a range such as [0, 90] or a table such as { above = 3 }"));
        }
    };
    if let Test::Range { low: End::Closed(a) | End::Strict(a), high: End::Closed(b) | End::Strict(b) } = test {
        let strict = matches!(test, Test::Range { low: End::Strict(_), .. } | Test::Range { high: End::Strict(_), .. });
        match (a.shifted(0), b.shifted(0)) {
            (Some(a), Some(b)) if a > b || (a == b && strict) => {
                return Err(wrong("can never match: its lower end is above its upper end"));
            }
            _ => {}
        }
    }
    Ok(test)
}

fn end(value: &Value, strict: bool) -> Option<End> {
    let decimal = match value {
        Value::Integer(n) => Decimal { digits: i128::from(*n), scale: 0 },
        Value::Float(x) if x.is_infinite() => return Some(End::Open),
        Value::Float(x) => Decimal::from_float(*x)?,
        Value::Datetime(date) => Decimal { digits: i128::from(Day::parse(&date.to_string())?.0), scale: 0 },
        Value::String(text) => match Day::parse(text) {
            Some(day) => Decimal { digits: i128::from(day.0), scale: 0 },
            None => Decimal::parse(text)?,
        },
        _ => return None,
    };
    Some(if strict { End::Strict(decimal) } else { End::Closed(decimal) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_take_ranges_and_bounds() -> Result<()> {
        let read = |text: &str| -> Result<Conditions> {
            parse_conditions(
                &text.parse::<toml::Table>().map_err(|e| Error::usage(e.to_string()))?,
                Some(5),
                &Catalogue::default(),
                "test",
            )
        };
        assert_eq!(read("r_score = { above = 3 }")?.scores[0], Some((4, 5)));
        assert_eq!(read("r_score = { min = 2, below = 4 }")?.scores[0], Some((2, 3)));
        assert_eq!(read("f_score = [-inf, 3]")?.scores[1], Some((1, 3)));
        assert!(read("r_score = { above = 5 }").is_err());
        assert!(read("r_score = { near = 5 }").is_err());
        Ok(())
    }
}
