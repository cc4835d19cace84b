//! Conditions of a rule: ranges over measures and scores, cells, levels.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;
use toml::Value;

use crate::domain::{Catalogue, Day, Decimal, Measure, Ratio, Unit};
use crate::error::{Error, Result, suggestion};

/// All conditions of a rule; every one must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Conditions {
    /// Closed ranges of the r, f and m score.
    pub scores: [Option<(u8, u8)>; 3],
    /// Closed range of f score + m score.
    pub f_plus_m: Option<(u8, u8)>,
    /// Exact (r, f, m) cells.
    pub cells: Option<Vec<[u8; 3]>>,
    /// Whether the r, f and m level must be high (or low).
    pub levels: [Option<bool>; 3],
    /// Tests of measures.
    pub measures: Vec<(Measure, Test)>,
}

/// A test of a measure, in printed units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Test {
    /// Null.
    IsNull,
    /// In a range.
    Range {
        /// Lower end.
        low: End,
        /// Upper end.
        high: End,
    },
}

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum End {
    /// No bound.
    Open,
    /// The bound belongs to the range.
    Closed(Decimal),
    /// The bound does not belong to the range.
    Strict(Decimal),
}

impl Test {
    /// Whether a value in printed units passes; `None` is null.
    pub fn passes(&self, value: Option<Ratio>) -> bool {
        match value {
            None => *self == Test::IsNull,
            Some(value) => self.admits(|bound| Some(value.cmp(&bound.shifted(0)?))),
        }
    }

    /// Whether a value lies in the range; `compare` says how it compares with a bound, `None` if that cannot be told.
    #[inline]
    pub fn admits(&self, compare: impl Fn(Decimal) -> Option<Ordering>) -> bool {
        let Test::Range { low, high } = self else { return false };
        low.admits(Ordering::Less, &compare) && high.admits(Ordering::Greater, &compare)
    }

    /// The test as a closed range of integers with `scale` digits behind the point; `None` for null tests.
    pub fn integers(&self, scale: u32) -> Option<(i64, i64)> {
        let Test::Range { low, high } = self else { return None };
        let clamp = |x: i128| x.clamp(i128::from(i64::MIN + 1), i128::from(i64::MAX)) as i64;
        let low = match low {
            End::Open => i64::MIN + 1,
            End::Closed(d) => clamp(d.shifted(scale)?.ceil()),
            End::Strict(d) => clamp(d.shifted(scale)?.floor().saturating_add(1)),
        };
        let high = match high {
            End::Open => i64::MAX,
            End::Closed(d) => clamp(d.shifted(scale)?.floor()),
            End::Strict(d) => clamp(d.shifted(scale)?.ceil().saturating_sub(1)),
        };
        Some((low, high))
    }

    /// The test as a closed range of floating-point numbers; `None` for null tests.
    pub fn doubles(&self) -> Option<(f64, f64)> {
        let Test::Range { low, high } = self else { return None };
        let low = match low {
            End::Open => f64::NEG_INFINITY,
            End::Closed(d) => d.to_f64(),
            End::Strict(d) => d.to_f64().next_up(),
        };
        let high = match high {
            End::Open => f64::INFINITY,
            End::Closed(d) => d.to_f64(),
            End::Strict(d) => d.to_f64().next_down(),
        };
        Some((low, high))
    }

    /// The finite ends, in printed units.
    pub fn ends(&self) -> impl Iterator<Item = Ratio> {
        let ends = match self {
            Test::IsNull => [End::Open, End::Open],
            Test::Range { low, high } => [*low, *high],
        };
        ends.into_iter().filter_map(|end| match end {
            End::Open => None,
            End::Closed(d) | End::Strict(d) => d.shifted(0),
        })
    }
}

impl End {
    /// Whether a value is on the right side of this end; `outside` is how values on the wrong side compare with it.
    #[inline]
    fn admits(self, outside: Ordering, compare: impl Fn(Decimal) -> Option<Ordering>) -> bool {
        match self {
            End::Open => true,
            End::Closed(bound) => compare(bound).is_some_and(|order| order != outside),
            End::Strict(bound) => compare(bound) == Some(outside.reverse()),
        }
    }
}

impl Conditions {
    /// Whether there is no condition at all.
    pub fn is_empty(&self) -> bool {
        *self == Conditions::default()
    }

    /// Whether any condition looks at a score, cell or level.
    pub fn uses_scores(&self) -> bool {
        self.scores.iter().any(Option::is_some)
            || self.f_plus_m.is_some()
            || self.cells.is_some()
            || self.levels.iter().any(Option::is_some)
    }

    /// Whether the conditions on scores and levels hold in a cell.
    pub fn holds_in(&self, cell: [u8; 3], high: [bool; 3]) -> bool {
        let in_range = |range: Option<(u8, u8)>, x: u8| range.is_none_or(|(low, high)| low <= x && x <= high);
        self.scores.iter().zip(cell).all(|(range, score)| in_range(*range, score))
            && in_range(self.f_plus_m, cell[1].saturating_add(cell[2]))
            && self.cells.as_ref().is_none_or(|cells| cells.contains(&cell))
            && self.levels.iter().zip(high).all(|(want, is)| want.is_none_or(|want| want == is))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Open => f.write_str("any"),
            End::Closed(d) | End::Strict(d) => f.write_str(&crate::domain::format_money(d.digits, d.scale)),
        }
    }
}

impl fmt::Display for Conditions {
    /// The conditions as one line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("everybody else");
        }
        let mut parts: Vec<String> = Vec::new();
        let range =
            |name: &str, low: u8, high: u8| if low == high { format!("{name} {low}") } else { format!("{name} {low} to {high}") };
        for (name, score) in ["r_score", "f_score", "m_score"].iter().zip(self.scores) {
            parts.extend(score.map(|(low, high)| range(name, low, high)));
        }
        parts.extend(self.f_plus_m.map(|(low, high)| range("f_score + m_score", low, high)));
        if let Some(cells) = &self.cells {
            let cells: Vec<String> = cells.iter().map(|[r, f, m]| format!("{r}-{f}-{m}")).collect();
            parts.push(format!("cell {}", cells.join(" ")));
        }
        for (name, level) in ["r_level", "f_level", "m_level"].iter().zip(self.levels) {
            parts.extend(level.map(|high| format!("{name} {}", if high { "high" } else { "low" })));
        }
        for (measure, test) in &self.measures {
            parts.push(match test {
                Test::IsNull => format!("{measure} is null"),
                Test::Range { low: End::Open, high } => {
                    format!("{measure} {} {high}", if matches!(high, End::Strict(_)) { "below" } else { "up to" })
                }
                Test::Range { low, high: End::Open } => {
                    format!("{measure} {} {low}", if matches!(low, End::Strict(_)) { "above" } else { "from" })
                }
                Test::Range { low, high } if low == high => format!("{measure} {low}"),
                Test::Range { low, high } => format!("{measure} {low} to {high}"),
            });
        }
        f.write_str(&parts.join(", "))
    }
}

/// Reads the conditions of a rule over the measures of `known`. `place` says where they stand.
///
/// # Errors
/// Exit 2: unknown key (with the nearest), a value of another form, a range whose ends are exchanged.
pub fn parse(table: &toml::Table, bins: Option<u32>, known: &Catalogue, place: &str) -> Result<Conditions> {
    let mut conditions = Conditions::default();
    for (key, value) in table {
        let wrong = |what: &str| Error::usage(format!("{place}: {key} = {value} {what}"));
        let score = |value: &Value, most: u32| -> Result<(u8, u8)> {
            let (low, high) = match value {
                Value::Integer(n) => (*n, *n),
                Value::Array(ends) => {
                    let end = |end: &Value, open: f64, last: i64| match end {
                        Value::Integer(n) => Some(*n),
                        Value::Float(x) if *x == open => Some(last),
                        _ => None,
                    };
                    let ends = match ends.as_slice() {
                        [low, high] => end(low, f64::NEG_INFINITY, 1).zip(end(high, f64::INFINITY, i64::from(most))),
                        _ => None,
                    };
                    ends.ok_or_else(|| wrong("is not a range of scores such as [4, 5]"))?
                }
                Value::Table(tests) => {
                    let (mut low, mut high) = (1, i64::from(most));
                    for (test, value) in tests {
                        let bound = value.as_integer().ok_or_else(|| wrong(&format!("has a {test:?} that is not a score")))?;
                        match test.as_str() {
                            "min" => low = bound,
                            "max" => high = bound,
                            "above" => low = bound.saturating_add(1),
                            "below" => high = bound.saturating_sub(1),
                            _ => return Err(wrong("has an unknown test (tests of scores: min, max, above, below)")),
                        }
                    }
                    (low, high)
                }
                _ => return Err(wrong("is not a score such as 5, nor a range of scores such as [4, 5]")),
            };
            if low > high {
                return Err(wrong("can never match: its lower end is above its upper end"));
            }
            if low < 1 || high > i64::from(most) {
                return Err(wrong(&format!("reaches outside the scores 1 to {most}")));
            }
            Ok((low as u8, high as u8))
        };
        let bins_or = || bins.ok_or_else(|| wrong("uses scores, but the scheme does not say how many there are; add bins = 5"));
        match key.as_str() {
            "r_score" => conditions.scores[0] = Some(score(value, bins_or()?)?),
            "f_score" => conditions.scores[1] = Some(score(value, bins_or()?)?),
            "m_score" => conditions.scores[2] = Some(score(value, bins_or()?)?),
            "f_plus_m" => conditions.f_plus_m = Some(score(value, 2 * bins_or()?)?),
            "cells" => {
                let bins = bins_or()?;
                let cells = value.as_array().ok_or_else(|| wrong("is not a list of cells such as [\"5-4-3\"]"))?;
                let cell = |value: &Value| {
                    let parts: Vec<u8> = value.as_str()?.split('-').map(|s| s.parse().ok()).collect::<Option<_>>()?;
                    let cell: [u8; 3] = parts.try_into().ok()?;
                    cell.iter().all(|s| (1..=bins).contains(&u32::from(*s))).then_some(cell)
                };
                let cells: Option<Vec<[u8; 3]>> = cells.iter().map(cell).collect();
                let cells = cells
                    .ok_or_else(|| wrong(&format!("has a cell that is not three scores from 1 to {bins} such as \"5-4-3\"")))?;
                conditions.cells = Some(cells);
            }
            "r_level" | "f_level" | "m_level" => {
                let high = match value.as_str() {
                    Some("high") => true,
                    Some("low") => false,
                    _ => return Err(wrong("is not a level; expected \"high\" or \"low\"")),
                };
                let axis = ["r_level", "f_level", "m_level"].iter().position(|n| n == key).unwrap_or(0);
                conditions.levels[axis] = Some(high);
            }
            name => {
                let scores = ["r_score", "f_score", "m_score", "f_plus_m", "cells", "r_level", "f_level", "m_level"];
                let measure = known.parse(name).map_err(|error| {
                    if known.knows(name) {
                        return Error::usage(format!("{place}: {error}"));
                    }
                    let names = known.names().chain(scores);
                    Error::usage(format!(
                        "{place}: there is no measure or score {name:?}{} (rules look at {})",
                        suggestion(name, names.clone()),
                        names.collect::<Vec<_>>().join(", ")
                    ))
                })?;
                let test = parse_test(value, &format!("{place}: {key}"))?;
                if measure.kind.unit() == Unit::Text && test != Test::IsNull {
                    return Err(wrong("tests a text, and rules compare numbers; the only test of it is { is_null = true }"));
                }
                conditions.measures.push((measure, test));
            }
        }
    }
    Ok(conditions)
}

/// Reads a test: a number, `[low, high]`, or a table of `min`, `max`, `above`, `below`, `is_null`.
///
/// # Errors
/// Exit 2, with `place`.
pub fn parse_test(value: &Value, place: &str) -> Result<Test> {
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
            parse(&text.parse::<toml::Table>().map_err(|e| Error::usage(e.to_string()))?, Some(5), &Catalogue::default(), "test")
        };
        assert_eq!(read("r_score = { above = 3 }")?.scores[0], Some((4, 5)));
        assert_eq!(read("r_score = { min = 2, below = 4 }")?.scores[0], Some((2, 3)));
        assert_eq!(read("f_score = [-inf, 3]")?.scores[1], Some((1, 3)));
        assert!(read("r_score = { above = 5 }").is_err());
        assert!(read("r_score = { near = 5 }").is_err());
        Ok(())
    }
}
