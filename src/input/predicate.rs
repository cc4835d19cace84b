//! Predicates on one column: `keep` filters, and those that tell returns, money and guests.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use regex::Regex;

use super::zone::Zone;
use crate::domain::{Day, Decimal, Ratio};
use crate::error::{Error, Result};
use crate::job::parse::Source;
use crate::job::raw::{RawPredicate, RawScalar};

/// A predicate, ready to test columns.
#[derive(Debug, Clone)]
pub struct Predicate {
    /// The column.
    pub column: String,
    test: Test,
    /// Whether null passes.
    nulls_pass: bool,
    /// How errors call it.
    place: String,
}

#[derive(Debug, Clone)]
enum Test {
    In {
        values: Vec<RawScalar>,
        negated: bool,
    },
    Range {
        low: Option<(RawScalar, bool)>,
        high: Option<(RawScalar, bool)>,
    },
    Matches(Regex),
    /// Every value that is not null.
    NotNull,
    /// No value but null.
    IsNull,
}

impl Predicate {
    /// Checks a predicate as written. `key` names it, as in `orders.keep`.
    ///
    /// # Errors
    /// Exit 2: no test or several, a wrong regular expression.
    pub fn new(raw: &RawPredicate, key: &str, job: &Source) -> Result<Predicate> {
        let quoted = format!("{:?}", raw.column);
        let at = job.locate(key, &raw.column);
        let place = format!("{at}: {key} on column {quoted}");
        let mut tests = Vec::new();
        if let Some(values) = &raw.is_in {
            tests.push(Test::In { values: values.clone(), negated: false });
        }
        if let Some(values) = &raw.not_in {
            tests.push(Test::In { values: values.clone(), negated: true });
        }
        let bound = |closed: &Option<RawScalar>, strict: &Option<RawScalar>| {
            closed.clone().map(|v| (v, false)).or(strict.clone().map(|v| (v, true)))
        };
        let (low, high) = (bound(&raw.min, &raw.above), bound(&raw.max, &raw.below));
        if (raw.min.is_some() && raw.above.is_some()) || (raw.max.is_some() && raw.below.is_some()) {
            return Err(Error::usage(format!("{place} has two bounds on one side; keep one of them")));
        }
        if low.is_some() || high.is_some() {
            tests.push(Test::Range { low, high });
        }
        if let Some(pattern) = &raw.matches {
            let regex = Regex::new(pattern).map_err(|e| {
                Error::usage(format!(
                    "{place}: {pattern:?} is no regular expression: {}",
                    e.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
                ))
            })?;
            tests.push(Test::Matches(regex));
        }
        match raw.not_null {
            Some(true) => tests.push(Test::NotNull),
            Some(false) => return Err(Error::usage(format!("{place}: not_null is false; set it to true or remove it"))),
            None => {}
        }
        let nulls_pass = raw.is_null.unwrap_or(false);
        match raw.is_null {
            Some(true) if tests.is_empty() || raw.not_null.is_some() => tests.push(Test::IsNull),
            Some(false) => return Err(Error::usage(format!("{place}: is_null is false; set it to true or remove it"))),
            _ => {}
        }
        let test = tests.pop();
        match (test, tests.is_empty()) {
            (Some(test), true) => Ok(Predicate { column: raw.column.clone(), test, nulls_pass, place }),
            (None, _) => Err(Error::usage(format!(
                "{place} tests nothing; give one of in, not_in, min, max, above, below, matches, not_null, is_null"
            ))),
            (Some(_), false) => Err(Error::usage(format!("{place} has several tests; give each a [[{key}]] of its own"))),
        }
    }

    /// A predicate that the values of a list pass.
    pub fn one_of(column: &str, values: Vec<RawScalar>, place: String) -> Predicate {
        Predicate { column: column.to_owned(), test: Test::In { values, negated: false }, nulls_pass: false, place }
    }

    /// Which rows of the column pass.
    ///
    /// # Errors
    /// Exit 3 if the test does not fit the column's type.
    pub fn test(&self, column: &ArrayRef, zone: &Zone) -> Result<Vec<bool>> {
        let mut passes = self.test_values(column, zone)?;
        if let Some(nulls) = column.logical_nulls() {
            for (pass, valid) in passes.iter_mut().zip(nulls.iter()) {
                *pass = if valid { *pass } else { self.nulls_pass };
            }
        }
        Ok(passes)
    }

    /// Checks that the test fits a column of this type.
    ///
    /// # Errors
    /// As [`Predicate::test`].
    pub fn check(&self, data_type: &DataType, zone: &Zone) -> Result<()> {
        self.test(&arrow::array::new_empty_array(data_type), zone).map(|_| ())
    }

    fn test_values(&self, column: &ArrayRef, zone: &Zone) -> Result<Vec<bool>> {
        if let Test::NotNull | Test::IsNull = self.test {
            return Ok(vec![matches!(self.test, Test::NotNull); column.len()]);
        }
        // A column without any value.
        if *column.data_type() == DataType::Null {
            return Ok(vec![false; column.len()]);
        }
        if let Some(texts) = column.as_any().downcast_ref::<StringViewArray>() {
            return self.test_texts(texts);
        }
        if let Test::Matches(_) = self.test {
            return Err(self.misfit("\"matches\"", column.data_type()));
        }
        match column.data_type() {
            DataType::Boolean => self.test_booleans(column),
            DataType::Float32 => {
                let values: Vec<f64> = column.as_primitive::<Float32Type>().values().iter().map(|v| f64::from(*v)).collect();
                self.test_floats(&values)
            }
            DataType::Float64 => self.test_floats(column.as_primitive::<Float64Type>().values()),
            _ => self.test_integers(column, zone),
        }
    }

    fn misfit(&self, test: &str, data_type: &DataType) -> Error {
        Error::contract(format!(
            "{}: the test {test} does not fit a column of type {}; use a value of the column's own kind or another test",
            self.place,
            super::column_types::type_name(data_type)
        ))
    }

    fn test_texts(&self, texts: &StringViewArray) -> Result<Vec<bool>> {
        let text = |value: &RawScalar| match value {
            RawScalar::Text(text) => Ok(text.clone()),
            other => Err(self.misfit(&with(other), texts.data_type())),
        };
        let strings = (0..texts.len()).map(|row| if texts.is_null(row) { "" } else { texts.value(row) });
        Ok(match &self.test {
            Test::In { values, negated } => {
                let set: HashSet<String> = values.iter().map(text).collect::<Result<_>>()?;
                strings.map(|s| set.contains(s) != *negated).collect()
            }
            Test::Range { low, high } => {
                let low = low.as_ref().map(|(v, strict)| text(v).map(|v| (v, *strict))).transpose()?;
                let high = high.as_ref().map(|(v, strict)| text(v).map(|v| (v, *strict))).transpose()?;
                strings
                    .map(|s| {
                        low.as_ref().is_none_or(|(b, strict)| if *strict { s > b.as_str() } else { s >= b.as_str() })
                            && high.as_ref().is_none_or(|(b, strict)| if *strict { s < b.as_str() } else { s <= b.as_str() })
                    })
                    .collect()
            }
            Test::Matches(regex) => strings.map(|s| regex.is_match(s)).collect(),
            Test::NotNull | Test::IsNull => vec![true; texts.len()],
        })
    }

    fn test_booleans(&self, column: &ArrayRef) -> Result<Vec<bool>> {
        let Test::In { values, negated } = &self.test else {
            return Err(self.misfit("min, max, above or below", column.data_type()));
        };
        let flags: Vec<bool> = values
            .iter()
            .map(|v| match v {
                RawScalar::Bool(flag) => Ok(*flag),
                other => Err(self.misfit(&with(other), column.data_type())),
            })
            .collect::<Result<_>>()?;
        Ok(column.as_boolean().values().iter().map(|v| flags.contains(&v) != *negated).collect())
    }

    fn test_floats(&self, values: &[f64]) -> Result<Vec<bool>> {
        let number = |value: &RawScalar| match value {
            RawScalar::Int(n) => Ok(*n as f64),
            RawScalar::Float(x) => Ok(*x),
            RawScalar::Text(text) => text.parse().map_err(|_| self.misfit(&format!("with {text:?}"), &DataType::Float64)),
            other => Err(self.misfit(&with(other), &DataType::Float64)),
        };
        Ok(match &self.test {
            Test::In { values: list, negated } => {
                let list: Vec<f64> = list.iter().map(number).collect::<Result<_>>()?;
                values.iter().map(|v| list.contains(v) != *negated).collect()
            }
            Test::Range { low, high } => {
                let low = low.as_ref().map(|(v, strict)| number(v).map(|v| (v, *strict))).transpose()?;
                let high = high.as_ref().map(|(v, strict)| number(v).map(|v| (v, *strict))).transpose()?;
                values
                    .iter()
                    .map(|v| {
                        low.is_none_or(|(b, strict)| if strict { *v > b } else { *v >= b })
                            && high.is_none_or(|(b, strict)| if strict { *v < b } else { *v <= b })
                            && !v.is_nan()
                    })
                    .collect()
            }
            Test::Matches(_) | Test::NotNull | Test::IsNull => vec![true; values.len()],
        })
    }

    /// Integers, decimals, dates and timestamps: everything becomes an integer with a scale.
    fn test_integers(&self, column: &ArrayRef, zone: &Zone) -> Result<Vec<bool>> {
        let (values, kind) = integers(column).ok_or_else(|| self.misfit("on values", column.data_type()))?;
        let bound = |value: &RawScalar| kind.bound(value, zone).ok_or_else(|| self.misfit(&with(value), column.data_type()));
        Ok(match &self.test {
            Test::In { values: list, negated } => {
                let list: Vec<Ratio> = list.iter().map(bound).collect::<Result<_>>()?;
                let set: HashSet<i128> = list.iter().filter(|r| r.floor() == r.ceil()).map(|r| r.floor()).collect();
                values.iter().map(|v| set.contains(v) != *negated).collect()
            }
            Test::Range { low, high } => {
                let low = match low {
                    Some((v, true)) => bound(v)?.floor() + 1,
                    Some((v, false)) => bound(v)?.ceil(),
                    None => i128::MIN,
                };
                let high = match high {
                    Some((v, true)) => bound(v)?.ceil() - 1,
                    Some((v, false)) => bound(v)?.floor(),
                    None => i128::MAX,
                };
                values.iter().map(|v| low <= *v && *v <= high).collect()
            }
            Test::Matches(_) | Test::NotNull | Test::IsNull => vec![true; values.len()],
        })
    }
}

/// A value as the job file has it.
fn with(value: &RawScalar) -> String {
    match value {
        RawScalar::Bool(flag) => format!("with {flag}"),
        RawScalar::Int(n) => format!("with {n}"),
        RawScalar::Float(x) => format!("with {x}"),
        RawScalar::Text(text) => format!("with {text:?}"),
        RawScalar::Date(date) => format!("with {date}"),
    }
}

/// The meaning of a column's integers.
enum ValueKind {
    Number {
        scale: u32,
    },
    Days,
    /// Timestamps in ticks of this many per second; zoned ones are instants.
    Ticks {
        per_second: i64,
        zoned: bool,
    },
}

impl ValueKind {
    fn bound(&self, value: &RawScalar, zone: &Zone) -> Option<Ratio> {
        let text = match value {
            RawScalar::Date(date) => Some(date.to_string()),
            RawScalar::Text(text) => Some(text.clone()),
            _ => None,
        };
        match self {
            ValueKind::Number { scale } => {
                let decimal = match value {
                    RawScalar::Int(n) => Decimal { digits: i128::from(*n), scale: 0 },
                    RawScalar::Float(x) => Decimal::from_float(*x)?,
                    RawScalar::Text(text) => Decimal::parse(text)?,
                    RawScalar::Bool(_) | RawScalar::Date(_) => return None,
                };
                decimal.shifted(*scale)
            }
            ValueKind::Days => Some(Ratio::new(i128::from(Day::parse(&text?)?.0), 1)),
            ValueKind::Ticks { per_second, zoned } => {
                let text = text?;
                let per_second = i128::from(*per_second);
                if let Ok(instant) = text.parse::<jiff::Timestamp>() {
                    return Some(Ratio::new(instant.as_nanosecond() * per_second, 1_000_000_000));
                }
                let wall: jiff::civil::DateTime = match Day::parse(&text) {
                    Some(day) => day.to_date().to_datetime(jiff::civil::Time::midnight()),
                    None => text.parse().ok()?,
                };
                let wall = jiff::tz::Offset::UTC.to_timestamp(wall).ok()?;
                let second = if *zoned { zone.instant(wall.as_second()) } else { wall.as_second() };
                Some(Ratio::new(
                    i128::from(second) * per_second + i128::from(wall.subsec_nanosecond()) * per_second / 1_000_000_000,
                    1,
                ))
            }
        }
    }
}

fn integers(column: &ArrayRef) -> Option<(Vec<i128>, ValueKind)> {
    macro_rules! wide {
        ($type:ty) => {
            column.as_primitive::<$type>().values().iter().map(|v| i128::from(*v)).collect()
        };
    }
    let whole = ValueKind::Number { scale: 0 };
    Some(match column.data_type() {
        DataType::Int8 => (wide!(Int8Type), whole),
        DataType::Int16 => (wide!(Int16Type), whole),
        DataType::Int32 => (wide!(Int32Type), whole),
        DataType::Int64 => (wide!(Int64Type), whole),
        DataType::UInt8 => (wide!(UInt8Type), whole),
        DataType::UInt16 => (wide!(UInt16Type), whole),
        DataType::UInt32 => (wide!(UInt32Type), whole),
        DataType::UInt64 => (wide!(UInt64Type), whole),
        DataType::Decimal64(_, scale) => (wide!(Decimal64Type), ValueKind::Number { scale: u32::try_from(*scale).ok()? }),
        DataType::Decimal128(_, scale) => (wide!(Decimal128Type), ValueKind::Number { scale: u32::try_from(*scale).ok()? }),
        DataType::Date32 => (wide!(Date32Type), ValueKind::Days),
        DataType::Date64 => {
            let days = column.as_primitive::<Date64Type>().values().iter().map(|v| i128::from(v.div_euclid(86_400_000)));
            (days.collect(), ValueKind::Days)
        }
        DataType::Timestamp(unit, zone) => {
            let zoned = zone.is_some();
            match unit {
                TimeUnit::Second => (wide!(TimestampSecondType), ValueKind::Ticks { per_second: 1, zoned }),
                TimeUnit::Millisecond => (wide!(TimestampMillisecondType), ValueKind::Ticks { per_second: 1_000, zoned }),
                TimeUnit::Microsecond => (wide!(TimestampMicrosecondType), ValueKind::Ticks { per_second: 1_000_000, zoned }),
                TimeUnit::Nanosecond => (wide!(TimestampNanosecondType), ValueKind::Ticks { per_second: 1_000_000_000, zoned }),
            }
        }
        _ => return None,
    })
}
