//! `[acquisition]`: the cost of winning the customers of a period, from a small CSV or Parquet file.

use std::collections::BTreeMap;

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::csv_record;
use super::damage::contained;
use crate::domain::{ALL, Day, Decimal, FirstPurchase};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::storage::Place;

/// A row as text, and its place in the file.
struct Line {
    place: String,
    start: Option<String>,
    /// The value of the dimension, where the file has one.
    value: Option<String>,
    spend: Option<String>,
}

/// By what `cohorts` has rows, and so by what a file may have costs, or may not.
#[derive(Default)]
struct CostsBy<'a> {
    /// Dimensions of the customers table.
    dimensions: Vec<&'a str>,
    /// Properties of the first purchase, which nobody knows when money is spent.
    first_purchase: &'a [FirstPurchase],
}

/// The name of the customers who have no value of a dimension.
const UNKNOWN: &str = "(unknown)";

/// What winning customers cost, in minor units.
#[derive(Debug, Default)]
pub struct AcquisitionCosts {
    /// Of all customers, by the first day of the period.
    all: BTreeMap<Day, i128>,
    /// The dimension by whose values the file has costs, if there is one.
    dimension: Option<String>,
    /// Those by the first day of the period and the value.
    by_value: BTreeMap<(Day, String), i128>,
}

impl AcquisitionCosts {
    /// The costs of the period that begins on a day, of all customers or of those with a value of a dimension.
    pub fn of(&self, start: Day, dimension: &str, value: &str) -> Option<i128> {
        match &self.dimension {
            _ if dimension == ALL => self.all.get(&start).copied(),
            Some(own) if own == dimension => self.by_value.get(&(start, value.to_owned())).copied(),
            _ => None,
        }
    }
}

/// Costs by the first day of the period, and by the values of a dimension of `output.cohorts_by` that is a column of the file.
///
/// # Errors
/// Exit 4 if the file cannot be read, exit 3 if a row is invalid.
pub fn read(job: &Job) -> Result<AcquisitionCosts> {
    let Some((written, place)) = &job.acquisition else { return Ok(AcquisitionCosts::default()) };
    let dimension = |at: &usize| job.dimensions().get(*at).map(String::as_str);
    let by = CostsBy {
        dimensions: job.cohorts_by.dimensions.iter().filter_map(dimension).collect(),
        first_purchase: &job.cohorts_by.first_purchase,
    };
    let bytes = || place.read().map_err(|e| e.of(&format!("{written} (acquisition.path)")));
    let (dimension, lines) = match place.has_ending("parquet") {
        true => contained(written, || parquet_lines(written, Bytes::from(bytes()?), &by))?,
        false => csv_lines(written, place, &by)?,
    };
    let starts: Vec<Day> = job.shown().filter_map(|(_, d)| d.period_start).collect();
    let mut costs = AcquisitionCosts { dimension, ..AcquisitionCosts::default() };
    for line in lines {
        let Line { place, start, value, spend } = line;
        let start = start.as_deref().and_then(Day::parse).ok_or_else(|| {
            Error::contract(format!(
                "{place}: period_start is {}; expected the first day of a period, such as 2024-01-01",
                shown(start.as_deref())
            ))
        })?;
        let minor = spend.as_deref().and_then(Decimal::parse).and_then(|d| d.shifted(job.scale()));
        let minor = minor.filter(|m| m.ceil() == m.floor() && m.floor() >= 0).ok_or_else(|| {
            Error::contract(format!(
                "{place}: spend is {}; expected an amount of at least 0 with at most {} digits behind the point",
                shown(spend.as_deref()),
                job.scale()
            ))
        })?;
        let before = costs.all.insert(start, costs.all.get(&start).copied().unwrap_or(0) + minor.floor());
        let (is_twice, of) = match costs.dimension {
            None => (before.is_some(), ""),
            Some(_) => {
                let value = value.unwrap_or_else(|| UNKNOWN.to_owned());
                (costs.by_value.insert((start, value), minor.floor()).is_some(), " with this value")
            }
        };
        if is_twice {
            return Err(Error::contract(format!("{place}: the period from {start}{of} stands twice; give each one row")));
        }
    }
    // Rows of other periods are fine, but a file without any period of the job is the wrong one.
    if !costs.all.is_empty() && !starts.is_empty() && !costs.all.keys().any(|start| starts.contains(start)) {
        return Err(Error::contract(format!(
            "{written} (acquisition.path) has {} periods, none of which is a period of the job (the first begins on {}); period_start must be the first day of a period",
            costs.all.len(),
            starts.first().copied().unwrap_or(Day::MIN)
        )));
    }
    Ok(costs)
}

fn shown(text: Option<&str>) -> String {
    text.map_or_else(|| "empty".into(), |t| format!("{t:?}"))
}

fn unreadable(name: &str, error: &dyn std::fmt::Display) -> Error {
    Error::input(format!("cannot read {name} (acquisition.path): {error}; it needs the columns period_start and spend"))
}

/// The dimension that is among the columns of a file.
fn dimension_of<'a>(name: &str, by: &CostsBy<'a>, columns: &[String]) -> Result<Option<&'a str>> {
    let has = |wanted: &str| columns.iter().any(|column| column == wanted);
    if let Some(property) = by.first_purchase.iter().find(|property| has(property.name())) {
        return Err(Error::contract(format!(
            "{name} (acquisition.path) has the column {:?}, but what customers buy first is not known when money is spent on winning them; costs are by a dimension of [customers] in output.cohorts_by, or without one: take the column out of the file",
            property.name()
        )));
    }
    let found: Vec<&str> = by.dimensions.iter().copied().filter(|dimension| has(dimension)).collect();
    match found.as_slice() {
        [one, other, ..] => Err(Error::contract(format!(
            "{name} (acquisition.path) has the columns {one:?} and {other:?}, and both are in output.cohorts_by; costs are by the values of one"
        ))),
        found => Ok(found.first().copied()),
    }
}

fn csv_lines(name: &str, place: &Place, by: &CostsBy<'_>) -> Result<(Option<String>, Vec<Line>)> {
    // The reader passes over a byte order mark.
    let file = place.open().map_err(|e| e.of(&format!("{name} (acquisition.path)")))?.reader(0);
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(file);
    let headers = reader.headers().map_err(|e| unreadable(name, &e).caused_by(e))?.clone();
    let column = |wanted: &str| {
        let found = headers.iter().position(|h| h == wanted);
        found.ok_or_else(|| unreadable(name, &format!("it has the columns {}", headers.iter().collect::<Vec<_>>().join(", "))))
    };
    let (start, spend) = (column("period_start")?, column("spend")?);
    let columns: Vec<String> = headers.iter().map(str::to_owned).collect();
    let dimension = dimension_of(name, by, &columns)?;
    let value = dimension.map(column).transpose()?;
    csv_record::check_record(name, &headers, None)?;
    let (mut lines, mut last) = (Vec::new(), None);
    for record in reader.records() {
        let record = record.map_err(|e| unreadable(name, &e).caused_by(e))?;
        csv_record::check_record(name, &record, Some(&headers))?;
        last = record.position().cloned();
        let cell = |at: usize| record.get(at).filter(|c| !c.is_empty()).map(str::to_owned);
        let line = record.position().map_or(0, csv::Position::line);
        lines.push(Line {
            place: format!("{name}, line {line}"),
            start: cell(start),
            value: value.and_then(cell),
            spend: cell(spend),
        });
    }
    if let Some(last) = last {
        csv_record::check_end(name, place, &last)?;
    }
    Ok((dimension.map(str::to_owned), lines))
}

fn parquet_lines(name: &str, bytes: Bytes, by: &CostsBy<'_>) -> Result<(Option<String>, Vec<Line>)> {
    let reader = SerializedFileReader::new(bytes).map_err(|e| unreadable(name, &e).caused_by(e))?;
    let fields = reader.metadata().file_metadata().schema().get_fields();
    let columns: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
    let dimension = dimension_of(name, by, &columns)?;
    let mut lines = Vec::new();
    for (number, row) in reader.get_row_iter(None).map_err(|e| unreadable(name, &e).caused_by(e))?.enumerate() {
        let row = row.map_err(|e| unreadable(name, &e).caused_by(e))?;
        let cell = |wanted: &str| {
            let field = row.get_column_iter().find(|(column, _)| *column == wanted).map(|(_, field)| field);
            field.ok_or_else(|| unreadable(name, &format!("it has no column {wanted:?}")))
        };
        let start = match cell("period_start")? {
            Field::Date(days) => Some(Day(*days).to_string()),
            Field::Str(text) => Some(text.clone()),
            _ => None,
        };
        let spend = match cell("spend")? {
            Field::Null => None,
            other => Some(other.to_string()),
        };
        let value = match dimension.map(&cell).transpose()? {
            None | Some(Field::Null) => None,
            Some(Field::Str(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        lines.push(Line { place: format!("{name}, row {}", number + 1), start, value, spend });
    }
    Ok((dimension.map(str::to_owned), lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quotes that are not closed and fields too many are refused with their line, whether a byte order mark stands first or not.
    #[test]
    fn broken_lines_are_refused() {
        let folder = crate::temp::tempdir().expect("a folder");
        let path = folder.path().join("costs.csv");
        let read = |text: &str| {
            std::fs::write(&path, format!("\u{feff}period_start,spend\n{text}")).expect("a file");
            csv_lines("costs.csv", &Place::Local(path.clone()), &CostsBy::default())
                .map(|(_, lines)| lines.len())
                .map_err(|e| e.to_string())
        };
        assert_eq!(read("2024-01-01,5\n\"2024-02-01\",\"7\"\n"), Ok(2));
        for (text, said) in [
            ("2024-01-01,5\n\"2024-02-01,7\n2024-03-01,\"8\"\n", "costs.csv, line 3: period_start holds a line break"),
            ("2024-01-01,5\n2024-02-01,\"7", "costs.csv, line 3: a quote is not closed before the file ends"),
            ("2024-01-01,1,500\n", "costs.csv, line 2: 3 fields, where the first line names 2"),
        ] {
            assert!(read(text).is_err_and(|error| error.starts_with(said)), "{text:?}: {:?}", read(text));
        }
    }
}
