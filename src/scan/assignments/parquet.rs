//! Assignments from Parquet, row group by row group.

use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use rayon::prelude::*;

use super::Request;
use super::piece::{Assigned, Has, Id, Name, Piece, Row};
use crate::domain::{CustomerIds, Day, IdType};
use crate::error::{Error, Result, suggestion};
use crate::scan::decode::{self, Integers, Problem};
use crate::scan::reader::FileReader;
use crate::scan::schema::{read_schema, type_name};
use crate::scan::source::{self, Source};

/// Room is made for no more rows of a row group than this before they are there.
const MOST_ROOM: usize = 1 << 20;

/// The columns that are read, in the order of [`Places`].
struct Table {
    names: Vec<String>,
    /// Number of `stratum`, or else of `state`, among the names; and so on.
    strategy: Option<usize>,
    stratum: Option<usize>,
    cost: Option<usize>,
    contacts: Option<usize>,
    ended_on: Option<usize>,
    /// Type of the customer id.
    id: DataType,
}

/// Reads a Parquet file.
pub(super) fn read(source: &Source, request: &Request) -> Result<Vec<Piece>> {
    let table = Table::find(source, request)?;
    let reader = FileReader::new(source, &table.names, "assigned_on")?;
    let groups = source.metadata.metadata().num_row_groups();
    let pieces: Vec<Result<Piece>> = (0..groups)
        .into_par_iter()
        .map(|group| {
            let file = source::open(source)?;
            // A broken footer may promise any number of rows.
            let rows = usize::try_from(source.metadata.metadata().row_group(group).num_rows()).unwrap_or(0).min(MOST_ROOM);
            let mut piece = Piece::new(request, table.has(), rows);
            reader.read(&file, group, &mut Vec::new(), |first, columns| {
                Batch { source, table: &table, request, first, columns }.push(&mut piece)
            })?;
            Ok(piece)
        })
        .collect();
    pieces.into_iter().collect()
}

impl Table {
    fn find(source: &Source, request: &Request) -> Result<Table> {
        let schema = read_schema(source);
        let name = source.name();
        let mut names: Vec<String> = Vec::new();
        let mut place = |column: &str, serves: &dyn Fn(&DataType) -> bool, expected: &str| -> Result<Option<(usize, DataType)>> {
            let mut found = schema.fields().iter().filter(|f| f.name() == column);
            let in_path = source.input.partitions.iter().any(|(key, _)| key == column);
            let data_type = match (found.next(), found.next()) {
                (Some(_), Some(_)) => {
                    return Err(Error::contract(format!("{name} has several columns named {column:?}; rename all but one")));
                }
                (Some(field), None) => field.data_type().clone(),
                (None, _) if in_path && column == "assigned_on" => DataType::Date32,
                (None, _) if in_path => DataType::Utf8View,
                (None, _) => return Ok(None),
            };
            if !serves(&data_type) {
                return Err(Error::contract(format!(
                    "{name}: column {column:?} is of type {}; expected {expected}. Convert it where the file is written",
                    type_name(&data_type)
                )));
            }
            names.push(column.to_owned());
            Ok(Some((names.len() - 1, data_type)))
        };
        let text = |t: &DataType| *t == DataType::Utf8View;
        let date = |t: &DataType| matches!(t, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..));
        let money = |t: &DataType| {
            t.is_integer()
                || matches!(t, DataType::Float32 | DataType::Float64)
                || matches!(t, DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) if *scale >= 0)
        };
        let whole = |t: &DataType| t.is_integer();
        let is_text = request.id == IdType::Text;
        let serves_id = |t: &DataType| if is_text { text(t) } else { t.is_integer() };
        let as_orders = if is_text { "a string, as the orders' ids are" } else { "an integer, as the orders' ids are" };
        let customer_id = place("customer_id", &serves_id, as_orders)?;
        let arm = place("arm", &text, "a string")?;
        let assigned_on = place("assigned_on", &date, "a date or a timestamp")?;
        let required = [("customer_id", customer_id.is_some()), ("arm", arm.is_some()), ("assigned_on", assigned_on.is_some())];
        if let Some((column, _)) = required.iter().find(|(_, found)| !found) {
            let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            return Err(Error::contract(format!(
                "{name} has no column {column:?}{} (its columns are {}); expected customer_id, arm and assigned_on at least",
                suggestion(column, columns.iter().copied()),
                columns.join(", ")
            )));
        }
        let strategy = place("strategy", &text, "a string")?;
        let stratum = match place("stratum", &text, "a string")? {
            Some(place) => Some(place),
            None => place("state", &text, "a string")?,
        };
        let cost = place("cost", &money, "an integer, a decimal or a float")?;
        let contacts = place("contacts", &whole, "an integer")?;
        let ended_on = place("ended_on", &date, "a date or a timestamp")?;
        let number = |place: Option<(usize, DataType)>| place.map(|(at, _)| at);
        Ok(Table {
            id: customer_id.map_or(DataType::Null, |(_, data_type)| data_type),
            strategy: number(strategy),
            stratum: number(stratum),
            cost: number(cost),
            contacts: number(contacts),
            ended_on: number(ended_on),
            names,
        })
    }

    fn has(&self) -> Has {
        Has {
            strategy: self.strategy.is_some(),
            stratum: self.stratum.is_some(),
            cost: self.cost.is_some(),
            contacts: self.contacts.is_some(),
            ended_on: self.ended_on.is_some(),
        }
    }
}

/// The columns of a batch.
struct Batch<'a> {
    source: &'a Source,
    table: &'a Table,
    request: &'a Request<'a>,
    /// Number of its first row in the file, from 0.
    first: u64,
    columns: &'a [ArrayRef],
}

impl<'a> Batch<'a> {
    fn push(&self, piece: &mut Piece) -> Result<()> {
        let table = self.table;
        let ids = self.ids()?;
        let (assigned, date_problems) = self.dates(Some(2))?;
        let (ended, _) = self.dates(table.ended_on)?;
        let costs = self.costs()?;
        let contacts = self.contacts()?;
        let arms = self.texts(Some(1))?;
        let strategies = self.texts(table.strategy)?;
        let strata = self.texts(table.stratum)?;
        let mut date_problems = date_problems.into_iter().peekable();
        for (row, assigned) in assigned.into_iter().enumerate() {
            let problem = date_problems.next_if(|(at, _)| *at == row).map(|(_, problem)| problem);
            let assigned_on = match (assigned, problem) {
                (Some(day), _) => Assigned::On(day),
                (None, Some(Problem::OutOfRange)) => Assigned::OutOfRange,
                (None, _) => Assigned::Null,
            };
            let at = |values: &Option<Vec<Option<i64>>>| values.as_ref().and_then(|v| v.get(row).copied().flatten());
            let ended_on = ended.get(row).copied().flatten();
            if let (Assigned::On(assigned), Some(ended)) = (assigned_on, ended_on)
                && ended < assigned
            {
                return Err(self.wrong(row, format!("ended_on ({ended}) lies before assigned_on ({assigned}); correct the row")));
            }
            piece.push(
                self.request,
                &Row {
                    place: self.first + row as u64 + 1,
                    strategy: strategies.get(row),
                    id: ids.get(row),
                    arm: arms.get(row),
                    assigned_on,
                    stratum: strata.get(row),
                    cost: at(&costs),
                    contacts: at(&contacts).map(|n| n as u32),
                    ended_on,
                },
            )?;
        }
        Ok(())
    }

    fn wrong(&self, row: usize, what: String) -> Error {
        Error::contract(format!("{}, row {}: {what}", self.source.name(), self.first + row as u64 + 1))
    }

    fn column(&self, at: usize) -> Result<&'a ArrayRef> {
        self.columns.get(at).ok_or_else(|| Error::bug("a column of the assignments is missing from its batch"))
    }

    fn texts(&self, at: Option<usize>) -> Result<Texts<'a>> {
        at.map(|at| decode::texts(self.column(at)?)).transpose().map(Texts)
    }

    /// The customers in the keys of the orders' ids.
    fn ids(&self) -> Result<Ids<'a>> {
        let column = self.column(0)?;
        if self.request.id == IdType::Text {
            return Ok(Ids::Texts(decode::texts(column)?));
        }
        let mut keys = Vec::new();
        decode::keys(column, &mut keys)?;
        let (from, to) = (self.table.id == DataType::UInt64, self.request.id == IdType::Unsigned(64));
        if from != to {
            for (row, key) in keys.iter_mut().enumerate().filter(|(row, _)| column.is_valid(*row)) {
                let (found, other) = if from {
                    let id = CustomerIds::unsigned_of_key(*key);
                    (id.to_string(), i64::try_from(id).ok())
                } else {
                    (key.to_string(), u64::try_from(*key).ok().map(CustomerIds::key_of_unsigned))
                };
                *key = other.ok_or_else(|| {
                    self.wrong(row, format!("customer_id is {found}, which no order's customer_id can be; correct it"))
                })?;
            }
        }
        Ok(Ids::Keys(keys, column.nulls()))
    }

    /// Days, none where there is a problem, and the problems by row.
    fn dates(&self, at: Option<usize>) -> Result<Days> {
        let Some(at) = at else { return Ok((Vec::new(), Vec::new())) };
        let mut out = Integers::default();
        decode::dates(self.column(at)?, self.request.zone, self.request.naive_zone, &mut out)?;
        let mut days: Vec<Option<Day>> = out.values.iter().map(|day| Some(Day(*day as i32))).collect();
        for (row, _) in &out.problems {
            if let Some(day) = days.get_mut(*row) {
                *day = None;
            }
        }
        Ok((days, out.problems))
    }

    fn costs(&self) -> Result<Option<Vec<Option<i64>>>> {
        let Some(at) = self.table.cost else { return Ok(None) };
        let mut out = Integers::default();
        decode::money(&[self.column(at)?], self.request.scale, &mut out)?;
        let mut costs: Vec<Option<i64>> = out.values.into_iter().map(Some).collect();
        for (row, problem) in out.problems {
            let scale = self.request.scale;
            match (problem, costs.get_mut(row)) {
                (Problem::Null, Some(cost)) => *cost = None,
                (Problem::Finer, _) => {
                    return Err(self.wrong(
                        row,
                        format!("cost has more than {scale} digits behind the point; round it, or set orders.amount_scale"),
                    ));
                }
                _ => return Err(self.wrong(row, "cost is no finite amount, or too large; correct it".into())),
            }
        }
        Ok(Some(costs))
    }

    fn contacts(&self) -> Result<Option<Vec<Option<i64>>>> {
        let Some(at) = self.table.contacts else { return Ok(None) };
        let column = self.column(at)?;
        let mut keys = Vec::new();
        decode::keys(column, &mut keys)?;
        let unsigned = *column.data_type() == DataType::UInt64;
        let number = |row: usize, key: i64| {
            if column.is_null(row) {
                return Ok(None);
            }
            let number = if unsigned { i128::from(CustomerIds::unsigned_of_key(key)) } else { i128::from(key) };
            u32::try_from(number)
                .map(|n| Some(i64::from(n)))
                .map_err(|_| self.wrong(row, format!("contacts is {number}; expected a whole number from 0")))
        };
        keys.into_iter().enumerate().map(|(row, key)| number(row, key)).collect::<Result<_>>().map(Some)
    }
}

#[inline]
fn is_null(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_some_and(|nulls| nulls.is_null(row))
}

/// Days by row, none where there is a problem; and the problems.
type Days = (Vec<Option<Day>>, Vec<(usize, Problem)>);

/// A string column, if there is one.
struct Texts<'a>(Option<&'a arrow::array::StringViewArray>);

impl<'a> Texts<'a> {
    #[inline]
    fn get(&self, row: usize) -> Option<Name<'a>> {
        /// Views of no more bytes hold them all.
        const INLINE: u32 = 12;
        let texts = self.0?;
        if is_null(texts.nulls(), row) {
            return None;
        }
        let view = texts.views().get(row).filter(|view| **view as u32 <= INLINE);
        Some(Name { text: texts.value(row), short: view.copied() })
    }
}

/// The customer ids of a batch.
enum Ids<'a> {
    Keys(Vec<i64>, Option<&'a NullBuffer>),
    Texts(&'a arrow::array::StringViewArray),
}

impl<'a> Ids<'a> {
    fn get(&self, row: usize) -> Option<Id<'a>> {
        match self {
            Ids::Keys(keys, nulls) => keys.get(row).filter(|_| !is_null(*nulls, row)).map(|key| Id::Key(*key)),
            Ids::Texts(texts) => Some(*texts).filter(|t| !is_null(t.nulls(), row)).map(|t| Id::Text(t.value(row).as_bytes())),
        }
    }
}
