//! Assignments from CSV: comma-separated UTF-8 with a header, with or without a byte order mark; an empty field is null.

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use super::batch::{AssignedOn, OptionalColumns, RowBatch, RowId};
use super::further::FurtherColumns;
use super::names::Name;
use super::request::{Request, negative_cost};
use super::rows::{FileChunk, Scratch};
use crate::domain::{CustomerIds, Day, Decimal, IdType};
use crate::error::{Error, Result, suggestion};
use crate::input::csv_record;
use crate::storage::{FileBytes, Place};

/// Indices of the columns.
struct ColumnIndices {
    customer_id: usize,
    arm: usize,
    assigned_on: usize,
    strategy: Option<usize>,
    stratum: Option<usize>,
    cluster: Option<usize>,
    /// Of the columns of `by`.
    by: Vec<Option<usize>>,
    cost: Option<usize>,
    contacts: Option<usize>,
    ended_on: Option<usize>,
    /// Names and indices of further columns.
    further: Vec<(String, usize)>,
}

/// Opens a CSV file and finds its columns.
fn open(name: &str, place: &Place, request: &Request) -> Result<(Reader<FileBytes>, ColumnIndices)> {
    let file = place.open().map_err(|e| e.of(name))?.reader(0);
    let mut reader = ReaderBuilder::new().flexible(true).buffer_capacity(1 << 16).from_reader(file);
    let header = reader.headers().map_err(|e| unreadable(name, &e).caused_by(std::io::Error::from(e)))?;
    csv_record::check_record(name, header, None)?;
    let places = ColumnIndices::find(name, header, request)?;
    Ok((reader, places))
}

/// The names of a file's columns.
pub(super) fn names(name: &str, place: &Place, request: &Request) -> Result<Vec<String>> {
    let (mut reader, _) = open(name, place, request)?;
    let header = reader.headers().map_err(|e| unreadable(name, &e).caused_by(std::io::Error::from(e)))?;
    Ok(header.iter().map(str::to_owned).collect())
}

/// Checks the columns of a CSV file.
pub(super) fn check(name: &str, place: &Place, request: &Request) -> Result<()> {
    open(name, place, request).map(drop)
}

/// Reads a CSV file.
pub(super) fn read(name: &str, place: &Place, request: &Request) -> Result<FileChunk> {
    let (mut reader, places) = open(name, place, request)?;
    let has = OptionalColumns {
        strategy: places.strategy.is_some(),
        stratum: places.stratum.is_some(),
        cost: places.cost.is_some(),
        contacts: places.contacts.is_some(),
        ended_on: places.ended_on.is_some(),
    };
    let (mut chunk, mut scratch) = (FileChunk::new(request, has, 0), Scratch::default());
    chunk.further = FurtherColumns::new(places.further.iter().map(|(name, _)| name.clone()).collect(), request.periods);
    let columns = reader.headers().map_err(|e| unreadable(name, &e).caused_by(std::io::Error::from(e)))?.clone();
    let (mut record, mut last) = (StringRecord::new(), None);
    while reader.read_record(&mut record).map_err(|e| unreadable(name, &e).caused_by(std::io::Error::from(e)))? {
        csv_record::check_record(name, &record, Some(&columns))?;
        last = record.position().cloned();
        let line = last.as_ref().map_or(0, csv::Position::line);
        let fields = CsvLine { name, line, record: &record, request };
        chunk.add(request, &fields.row(&places)?, &mut scratch);
    }
    if let Some(last) = last {
        csv_record::check_end(name, place, &last)?;
    }
    Ok(chunk)
}

impl ColumnIndices {
    fn find(name: &str, header: &StringRecord, request: &Request) -> Result<ColumnIndices> {
        let names: Vec<&str> = header.iter().collect();
        let optional = |column: &str| -> Result<Option<usize>> {
            let mut found = names.iter().enumerate().filter(|(_, n)| **n == column).map(|(at, _)| at);
            match (found.next(), found.next()) {
                (_, Some(_)) => Err(Error::contract(format!("{name} has several columns named {column:?}; rename all but one"))),
                (first, None) => Ok(first),
            }
        };
        let required = |column: &str| -> Result<usize> {
            optional(column)?.ok_or_else(|| {
                if names.is_empty() {
                    return Error::contract(format!(
                        "{name} is empty; expected a first line that names the columns, customer_id, arm and assigned_on at least"
                    ));
                }
                let (near, separator) = match names.as_slice() {
                    [one] if one.contains([';', '\t']) => (String::new(), ". Fields are separated by commas"),
                    _ => (suggestion(column, names.iter().copied()), ""),
                };
                Error::contract(format!(
                    "{name} has no column {column:?}{near} (its first line names {}); name the columns in the first line, customer_id, arm and assigned_on at least{separator}",
                    names.join(", ")
                ))
            })
        };
        let cluster = |column: &str| -> Result<usize> {
            optional(column)?.ok_or_else(|| {
                let near = suggestion(column, names.iter().copied());
                let columns = names.join(", ");
                Error::contract(format!(
                    "{name} has no column {column:?}{near} (its first line names {columns}); {}",
                    request.without_cluster()
                ))
            })
        };
        let strata = request.strata().map(optional).collect::<Result<Vec<_>>>()?;
        let further = request.further(names.iter().copied()).into_iter();
        let further = further.filter_map(|name| Some((names.iter().position(|n| **n == name)?, name)));
        Ok(ColumnIndices {
            further: further.map(|(at, name)| (name, at)).collect(),
            customer_id: required("customer_id")?,
            arm: required("arm")?,
            assigned_on: required("assigned_on")?,
            strategy: optional("strategy")?,
            stratum: strata.into_iter().flatten().next(),
            cluster: request.cluster.map(cluster).transpose()?,
            by: request.by.iter().map(|column| optional(column)).collect::<Result<_>>()?,
            cost: optional("cost")?,
            contacts: optional("contacts")?,
            ended_on: optional("ended_on")?,
        })
    }
}

/// A line, as a batch of one row.
struct CsvRow<'a> {
    line: u64,
    strategy: Option<Name<'a>>,
    id: Option<RowId<'a>>,
    arm: Option<Name<'a>>,
    assigned_on: AssignedOn,
    stratum: Option<Name<'a>>,
    cluster: Option<Name<'a>>,
    cost: Option<i64>,
    contacts: Option<u32>,
    ended_on: Option<Day>,
    record: &'a StringRecord,
    places: &'a ColumnIndices,
}

impl<'a> RowBatch<'a> for CsvRow<'a> {
    fn len(&self) -> usize {
        1
    }

    fn number(&self, _: usize) -> u64 {
        self.line
    }

    fn strategy(&self, _: usize) -> Option<Name<'a>> {
        self.strategy
    }

    fn id(&self, _: usize) -> Option<RowId<'a>> {
        self.id
    }

    fn arm(&self, _: usize) -> Option<Name<'a>> {
        self.arm
    }

    fn assigned_on(&self, _: usize) -> AssignedOn {
        self.assigned_on
    }

    fn stratum(&self, _: usize) -> Option<Name<'a>> {
        self.stratum
    }

    fn cluster(&self, _: usize) -> Option<Name<'a>> {
        self.cluster
    }

    fn by(&self, column: usize, _: usize) -> Option<Name<'a>> {
        text(self.record, *self.places.by.get(column)?).map(Name::of)
    }

    fn further(&self, column: usize, _: usize) -> Option<&'a str> {
        self.record.get(self.places.further.get(column)?.1)
    }

    fn cost(&self, _: usize) -> Option<i64> {
        self.cost
    }

    fn contacts(&self, _: usize) -> Option<u32> {
        self.contacts
    }

    fn ended_on(&self, _: usize) -> Option<Day> {
        self.ended_on
    }
}

/// The fields of a line.
struct CsvLine<'a> {
    name: &'a str,
    line: u64,
    record: &'a StringRecord,
    request: &'a Request<'a>,
}

impl<'a> CsvLine<'a> {
    fn row(&self, places: &'a ColumnIndices) -> Result<CsvRow<'a>> {
        let assigned_on = self.field(Some(places.assigned_on)).map(|text| self.day("assigned_on", text)).transpose()?;
        let row = CsvRow {
            record: self.record,
            places,
            line: self.line,
            strategy: self.text(places.strategy).map(Name::of),
            id: self.id(places.customer_id)?,
            arm: self.text(Some(places.arm)).map(Name::of),
            assigned_on: assigned_on.map_or(AssignedOn::Null, AssignedOn::On),
            stratum: self.text(places.stratum).map(Name::of),
            cluster: self.text(places.cluster).map(Name::of),
            cost: self.field(places.cost).map(|text| self.money(text)).transpose()?,
            contacts: self.field(places.contacts).map(|text| self.contacts(text)).transpose()?,
            ended_on: self.field(places.ended_on).map(|text| self.day("ended_on", text)).transpose()?,
        };
        match (row.assigned_on, row.ended_on) {
            (AssignedOn::On(assigned), Some(ended)) if ended < assigned => {
                Err(self.wrong(format!("ended_on ({ended}) lies before assigned_on ({assigned}); correct the line")))
            }
            _ => Ok(row),
        }
    }

    fn wrong(&self, what: String) -> Error {
        Error::contract(format!("{}, line {}: {what}", self.name, self.line))
    }

    fn field(&self, at: Option<usize>) -> Option<&'a str> {
        field(self.record, at)
    }

    fn text(&self, at: Option<usize>) -> Option<&'a str> {
        text(self.record, at)
    }

    fn id(&self, at: usize) -> Result<Option<RowId<'a>>> {
        let Some(text) = self.field(Some(at)) else { return Ok(None) };
        if self.request.id == IdType::Text {
            return Ok(Some(RowId::Text(unguarded(text).as_bytes())));
        }
        let key = match self.request.id {
            IdType::Unsigned(64) => text.trim().parse::<u64>().ok().map(CustomerIds::key_of_unsigned),
            _ => text.trim().parse::<i64>().ok(),
        };
        key.map(|key| Some(RowId::Key(key))).ok_or_else(|| {
            self.wrong(format!("customer_id is {text:?}, but the orders' ids are integers; expected a number such as 1017"))
        })
    }

    fn day(&self, column: &str, text: &str) -> Result<Day> {
        Day::parse(text.trim()).ok_or_else(|| self.wrong(format!("{column} is {text:?}; expected a date such as 2024-12-31")))
    }

    fn money(&self, text: &str) -> Result<i64> {
        let scale = self.request.scale;
        let decimal =
            Decimal::parse(text).ok_or_else(|| self.wrong(format!("cost is {text:?}; expected an amount such as 0.35")))?;
        let (numerator, denominator) = decimal.shifted(scale).map_or((0, 0), |ratio| ratio.parts());
        match (i64::try_from(numerator), denominator) {
            (Ok(minor), 1) if minor < 0 => Err(self.wrong(negative_cost(minor, scale))),
            (Ok(minor), 1) => Ok(minor),
            (_, 2..) => Err(self.wrong(format!(
                "cost is {text:?}, which has more than {scale} digits behind the point; round it, or set orders.amount_scale"
            ))),
            _ => Err(self.wrong(format!("cost is {text:?}, which is too large; correct it"))),
        }
    }

    fn contacts(&self, text: &str) -> Result<u32> {
        text.trim().parse().map_err(|_| self.wrong(format!("contacts is {text:?}; expected a whole number from 0")))
    }
}

/// A field that is not empty.
fn field(record: &StringRecord, at: Option<usize>) -> Option<&str> {
    record.get(at?).filter(|text| !text.is_empty())
}

/// A field without the apostrophe that keeps spreadsheets from taking it as a formula.
fn text(record: &StringRecord, at: Option<usize>) -> Option<&str> {
    field(record, at).map(unguarded)
}

/// The text behind an apostrophe that guards it; see `docs/ASSIGN.md`.
fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(crate::tables::starts_formula) => rest,
        _ => text,
    }
}

fn unreadable(name: &str, error: &csv::Error) -> Error {
    let line = error.position().map_or(0, |p| p.line());
    match error.kind() {
        ErrorKind::Io(e) => Error::input(format!("cannot read {name}: {e}; check the disk and run again")),
        ErrorKind::Utf8 { .. } => Error::input(format!("{name}, line {line}: this is not UTF-8 text; save the file as UTF-8")),
        _ => Error::input(format!("{name}, line {line}: this is not CSV ({error}); write the file again")),
    }
}
