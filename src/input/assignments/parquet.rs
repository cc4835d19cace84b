//! Assignments from Parquet, row group by row group.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use rayon::prelude::*;

use super::batch::{AssignedOn, RowBatch, RowId};
use super::columns::AssignmentColumns;
use super::further::FurtherColumns;
use super::names::Name;
use super::request::{Request, negative_cost};
use super::rows::{FileChunk, Scratch};
use crate::domain::{CustomerIds, Day, IdType};
use crate::error::{Error, Result};
use crate::input::decode::{self, Integers, Problem};
use crate::input::reader::FileReader;
use crate::input::source::Source;

/// Most rows of a row group for which capacity is reserved in advance.
const MAX_RESERVED_ROWS: usize = 1 << 20;

/// Checks the columns of a Parquet file.
pub(super) fn check(source: &Source, request: &Request) -> Result<()> {
    AssignmentColumns::find(source, request).map(drop)
}

/// Reads a Parquet file. Further columns are read on as long as no value of theirs is mixed.
pub(super) fn read(source: &Source, request: &Request) -> Result<Vec<FileChunk>> {
    let table = AssignmentColumns::find(source, request)?;
    let groups = source.metadata.metadata().num_row_groups();
    let read = |table: &AssignmentColumns, groups: std::ops::Range<usize>| -> Result<Vec<FileChunk>> {
        let reader = FileReader::new(source, &table.names, "assigned_on")?;
        let chunks: Vec<Result<FileChunk>> =
            groups.into_par_iter().map(|group| read_group(source, request, table, &reader, group)).collect();
        chunks.into_iter().collect()
    };
    if table.further.is_empty() || groups < 2 {
        return read(&table, 0..groups);
    }
    let mut chunks = read(&table, 0..1)?;
    let table = table.with_further(|name| chunks.first().is_some_and(|chunk| !chunk.further.is_mixed(name)));
    chunks.extend(read(&table, 1..groups)?);
    Ok(chunks)
}

fn read_group(
    source: &Source,
    request: &Request,
    table: &AssignmentColumns,
    reader: &FileReader,
    group: usize,
) -> Result<FileChunk> {
    let file = source.reopen()?;
    // A damaged footer may claim any number of rows.
    let rows = usize::try_from(source.metadata.metadata().row_group(group).num_rows()).unwrap_or(0).min(MAX_RESERVED_ROWS);
    let (mut chunk, mut scratch) = (FileChunk::new(request, table.has(), rows), Scratch::default());
    chunk.further = FurtherColumns::new(table.further.iter().map(|(name, _)| name.clone()).collect(), request.periods);
    reader.read(&file, group, &mut Vec::new(), |first, columns| {
        let (clusters, by, further) = (table.clusters(columns)?, table.by(columns)?, table.further(columns)?);
        let batch = RawBatch { source, table, request, first, columns, clusters: clusters.as_ref(), by: &by, further: &further };
        chunk.add(request, &batch.decoded()?, &mut scratch);
        Ok(())
    })?;
    Ok(chunk)
}

/// The columns of a batch before they are decoded.
struct RawBatch<'a> {
    source: &'a Source,
    table: &'a AssignmentColumns,
    request: &'a Request<'a>,
    /// Index of its first row in the file.
    first: u64,
    columns: &'a [ArrayRef],
    /// The clusters as strings.
    clusters: Option<&'a ArrayRef>,
    /// The columns of `by` as strings.
    by: &'a [Option<ArrayRef>],
    /// Further columns as strings.
    further: &'a [ArrayRef],
}

/// The columns of a batch; those that the table lacks are empty.
struct DecodedBatch<'a> {
    first: u64,
    /// The numbers of its rows in the file, if rows of that do not count.
    numbers: Option<Vec<u64>>,
    ids: IdColumn<'a>,
    /// In days since 1970.
    days: Cow<'a, [i32]>,
    /// The values of assigned_on, if some row has no day.
    assigned: Vec<AssignedOn>,
    arms: TextColumn<'a>,
    strategies: TextColumn<'a>,
    strata: TextColumn<'a>,
    clusters: TextColumn<'a>,
    by: Vec<TextColumn<'a>>,
    further: Vec<TextColumn<'a>>,
    costs: Vec<Option<i64>>,
    contacts: Vec<Option<u32>>,
    ended: Vec<Option<Day>>,
}

impl<'a> RowBatch<'a> for DecodedBatch<'a> {
    #[inline]
    fn len(&self) -> usize {
        self.days.len()
    }

    #[inline]
    fn number(&self, row: usize) -> u64 {
        self.numbers.as_ref().and_then(|numbers| numbers.get(row)).copied().unwrap_or(self.first + row as u64 + 1)
    }

    #[inline]
    fn strategy(&self, row: usize) -> Option<Name<'a>> {
        self.strategies.get(row)
    }

    #[inline]
    fn id(&self, row: usize) -> Option<RowId<'a>> {
        self.ids.get(row)
    }

    #[inline]
    fn arm(&self, row: usize) -> Option<Name<'a>> {
        self.arms.get(row)
    }

    #[inline]
    fn assigned_on(&self, row: usize) -> AssignedOn {
        let day = |row| self.days.get(row).map_or(AssignedOn::Null, |day| AssignedOn::On(Day(*day)));
        self.assigned.get(row).copied().unwrap_or_else(|| day(row))
    }

    #[inline]
    fn stratum(&self, row: usize) -> Option<Name<'a>> {
        self.strata.get(row)
    }

    #[inline]
    fn cluster(&self, row: usize) -> Option<Name<'a>> {
        self.clusters.get(row)
    }

    #[inline]
    fn by(&self, column: usize, row: usize) -> Option<Name<'a>> {
        self.by.get(column)?.get(row).filter(|name| !name.text.is_empty())
    }

    #[inline]
    fn further(&self, column: usize, row: usize) -> Option<&'a str> {
        self.further.get(column)?.get(row).map(|name| name.text)
    }

    #[inline]
    fn cost(&self, row: usize) -> Option<i64> {
        self.costs.get(row).copied().flatten()
    }

    #[inline]
    fn contacts(&self, row: usize) -> Option<u32> {
        self.contacts.get(row).copied().flatten()
    }

    #[inline]
    fn ended_on(&self, row: usize) -> Option<Day> {
        self.ended.get(row).copied().flatten()
    }

    fn arm_views(&self) -> Option<&[u128]> {
        self.arms.views()
    }

    fn stratum_views(&self) -> Option<&[u128]> {
        self.strata.views()
    }

    fn cluster_views(&self) -> Option<&[u128]> {
        self.clusters.views()
    }

    fn by_views(&self, column: usize) -> Option<&[u128]> {
        self.by.get(column)?.views()
    }

    fn keys(&self) -> Option<&[i64]> {
        match &self.ids {
            IdColumn::Keys(keys, None) => Some(keys),
            _ => None,
        }
    }

    fn days(&self) -> Option<&[i32]> {
        Some(&*self.days).filter(|_| self.assigned.is_empty())
    }
}

impl<'a> RawBatch<'a> {
    fn decoded(&self) -> Result<DecodedBatch<'a>> {
        let (days, assigned) = match decode::days_in(self.column(2)?) {
            Some(days) => (Cow::Borrowed(days), Vec::new()),
            None => self.days()?,
        };
        let Integers { values, problems, .. } = self.dates(self.table.ended_on)?;
        let mut ended: Vec<Option<Day>> = values.iter().map(|day| Some(Day(*day as i32))).collect();
        for (row, _) in problems {
            if let Some(ended) = ended.get_mut(row) {
                *ended = None;
            }
        }
        let columns = DecodedBatch {
            first: self.first,
            numbers: self.source.row_numbers(self.first, days.len()),
            ids: self.ids()?,
            days,
            assigned,
            arms: self.texts(Some(1))?,
            strategies: self.texts(self.table.strategy)?,
            strata: self.texts(self.table.stratum)?,
            clusters: TextColumn(self.clusters.map(|column| decode::texts(column)).transpose()?),
            by: self.by.iter().map(TextColumn::of).collect::<Result<_>>()?,
            further: self.further.iter().map(|column| Ok(TextColumn(Some(decode::texts(column)?)))).collect::<Result<_>>()?,
            costs: self.costs()?,
            contacts: self.contacts()?,
            ended,
        };
        for (row, ended) in columns.ended.iter().enumerate() {
            if let (AssignedOn::On(assigned), Some(ended)) = (columns.assigned_on(row), ended)
                && *ended < assigned
            {
                return Err(self.wrong(row, format!("ended_on ({ended}) lies before assigned_on ({assigned}); correct the row")));
            }
        }
        Ok(columns)
    }

    /// The days of assigned_on, and its values if some row has no day.
    fn days(&self) -> Result<(Cow<'a, [i32]>, Vec<AssignedOn>)> {
        let Integers { values, problems, .. } = self.dates(Some(2))?;
        let days: Vec<i32> = values.into_iter().map(|day| day as i32).collect();
        let mut assigned: Vec<AssignedOn> = Vec::new();
        if !problems.is_empty() {
            assigned.extend(days.iter().map(|day| AssignedOn::On(Day(*day))));
        }
        for (row, problem) in problems {
            if let Some(assigned) = assigned.get_mut(row) {
                *assigned = if problem == Problem::OutOfRange { AssignedOn::OutOfRange } else { AssignedOn::Null };
            }
        }
        Ok((Cow::Owned(days), assigned))
    }

    fn wrong(&self, row: usize, what: String) -> Error {
        Error::contract(format!("{}, row {}: {what}", self.source.name(), self.source.row_number(self.first + row as u64)))
    }

    fn column(&self, at: usize) -> Result<&'a ArrayRef> {
        self.columns.get(at).ok_or_else(|| Error::bug("a column of the assignments is missing from its batch"))
    }

    fn texts(&self, at: Option<usize>) -> Result<TextColumn<'a>> {
        at.map(|at| decode::texts(self.column(at)?)).transpose().map(TextColumn)
    }

    /// The customer ids as keys of the orders' id type.
    fn ids(&self) -> Result<IdColumn<'a>> {
        let column = self.column(0)?;
        if self.request.id == IdType::Text {
            return Ok(IdColumn::Texts(decode::texts(column)?));
        }
        let mut keys = match decode::keys_in(column) {
            Some(keys) => Cow::Borrowed(keys),
            None => {
                let mut keys = Vec::new();
                decode::keys(column, &mut keys, |row, id| {
                    self.wrong(row, format!("customer_id is {id}; {}", decode::EXPECTED_ID))
                })?;
                Cow::Owned(keys)
            }
        };
        let (from, to) = (self.table.id == DataType::UInt64, self.request.id == IdType::Unsigned(64));
        if from != to {
            for (row, key) in keys.to_mut().iter_mut().enumerate().filter(|(row, _)| column.is_valid(*row)) {
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
        Ok(IdColumn::Keys(keys, column.nulls().filter(|nulls| nulls.null_count() > 0)))
    }

    /// Days, and the problems with them by row.
    fn dates(&self, at: Option<usize>) -> Result<Integers> {
        let mut out = Integers::default();
        if let Some(at) = at {
            decode::dates(self.column(at)?, self.request.zone, self.request.naive_zone, &mut out)?;
        }
        Ok(out)
    }

    fn costs(&self) -> Result<Vec<Option<i64>>> {
        let Some(at) = self.table.cost else { return Ok(Vec::new()) };
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
        match costs.iter().enumerate().find_map(|(row, cost)| Some((row, cost.filter(|cost| *cost < 0)?))) {
            Some((row, cost)) => Err(self.wrong(row, negative_cost(cost, self.request.scale))),
            None => Ok(costs),
        }
    }

    fn contacts(&self) -> Result<Vec<Option<u32>>> {
        let Some(at) = self.table.contacts else { return Ok(Vec::new()) };
        let column = self.column(at)?;
        let expected = "expected a whole number from 0";
        // Writers without missing integers write floats instead.
        if column.data_type().is_floating() {
            let floats =
                cast(column, &DataType::Float64).map_err(|e| Error::bug(format!("contacts cannot be read: {e}")).caused_by(e))?;
            let whole = |(row, number): (usize, Option<f64>)| match number {
                Some(number) if number.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&number) => {
                    Err(self.wrong(row, format!("contacts is {number}; {expected}")))
                }
                number => Ok(number.map(|number| number as u32)),
            };
            return floats.as_primitive::<Float64Type>().iter().enumerate().map(whole).collect();
        }
        let mut keys = Vec::new();
        decode::keys(column, &mut keys, |row, number| self.wrong(row, format!("contacts is {number}; {expected}")))?;
        let unsigned = *column.data_type() == DataType::UInt64;
        let number = |row: usize, key: i64| {
            if column.is_null(row) {
                return Ok(None);
            }
            let number = if unsigned { i128::from(CustomerIds::unsigned_of_key(key)) } else { i128::from(key) };
            u32::try_from(number).map(Some).map_err(|_| self.wrong(row, format!("contacts is {number}; {expected}")))
        };
        keys.into_iter().enumerate().map(|(row, key)| number(row, key)).collect()
    }
}

#[inline]
fn is_null(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_some_and(|nulls| nulls.is_null(row))
}

/// A string column, if there is one.
struct TextColumn<'a>(Option<&'a arrow::array::StringViewArray>);

impl<'a> TextColumn<'a> {
    fn of(column: &'a Option<ArrayRef>) -> Result<TextColumn<'a>> {
        column.as_ref().map(|column| decode::texts(column)).transpose().map(TextColumn)
    }

    #[inline]
    fn get(&self, row: usize) -> Option<Name<'a>> {
        let texts = self.0.filter(|texts| !is_null(texts.nulls(), row))?;
        Some(Name { text: texts.value(row), view: self.short_view(row) })
    }

    /// The views of all texts, if there is a column without nulls.
    fn views(&self) -> Option<&[u128]> {
        self.0.filter(|texts| texts.null_count() == 0).map(|texts| &**texts.views())
    }

    /// The view of a short text, which contains all of it.
    #[inline]
    fn short_view(&self, row: usize) -> Option<u128> {
        const INLINE: u32 = 12;
        let texts = self.0?;
        let view = texts.views().get(row).filter(|view| **view as u32 <= INLINE)?;
        (!is_null(texts.nulls(), row)).then_some(*view)
    }
}

/// The customer ids of a batch.
enum IdColumn<'a> {
    /// Keys, and the nulls if there are any.
    Keys(Cow<'a, [i64]>, Option<&'a NullBuffer>),
    Texts(&'a arrow::array::StringViewArray),
}

impl<'a> IdColumn<'a> {
    #[inline]
    fn get(&self, row: usize) -> Option<RowId<'a>> {
        match self {
            IdColumn::Keys(keys, nulls) => keys.get(row).filter(|_| !is_null(*nulls, row)).map(|key| RowId::Key(*key)),
            IdColumn::Texts(texts) => {
                Some(*texts).filter(|t| !is_null(t.nulls(), row)).map(|t| RowId::Text(t.value(row).as_bytes()))
            }
        }
    }
}
