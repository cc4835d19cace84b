//! `[customers]`: a table with one row per customer. Its numeric columns and dates are measures, its named columns
//! dimensions.
//!
//! [`open()`] finds its columns, [`read`] reads those in use into the buckets of the orders.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use rayon::prelude::*;

use super::column_types::{ColumnRole, type_name};
use super::decode::{self, Integers, Problem};
use super::joined::SchemaWanted;
use super::keys::{self, CustomerKeys};
use super::open::{self, Opened};
use super::orders::columns::OrderColumns;
use super::reader::FileReader;
use super::schema::{self, read_schema};
use super::source::Source;
use crate::bucket::KeptBuckets;
use crate::domain::{AttributeColumn, CustomerIds, IdType, StringIds, Unit, Warning};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::measure::{Column, CustomerAttributes, UNKNOWN, UNKNOWN_NAME};
use crate::memory::MemoryPool;
use crate::progress::Progress;

/// Most values of all dimensions together.
const MOST_VALUES: usize = 60_000;
/// Largest number that DECIMAL(18) holds, plus one.
const NUMBER_LIMIT: u64 = 1_000_000_000_000_000_000;

/// The customers table of a job, opened.
#[derive(Debug, Clone, Default)]
pub struct CustomersTable {
    /// Its files; none if the job has no such table.
    pub sources: Vec<Source>,
    /// What to say of them.
    pub warnings: Vec<Warning>,
    /// Whether its ids are strings.
    pub text_ids: bool,
    /// Its numeric columns and dates, in the order of the first file.
    pub given: Vec<AttributeColumn>,
}

/// The rows of the table; empty without one.
#[derive(Debug, Default)]
pub struct CustomersData {
    /// One roll per bucket; none without a table.
    pub rolls: Vec<CustomerAttributes>,
    /// The values of each dimension, ascending.
    pub values: Vec<Vec<String>>,
    /// Rows without an id.
    pub null_ids: u64,
}

/// Opens the customers table; an empty one if the job has none.
///
/// # Errors
/// Exit 4: files that cannot be read; exit 3: columns that are missing, of a type that does not serve, or that differ
/// between files.
pub fn open(job: &Job) -> Result<CustomersTable> {
    let Some(customers) = &job.raw.customers else { return Ok(CustomersTable::default()) };
    let wanted = SchemaWanted {
        required: vec![&customers.customer_id],
        optional: customers.dimensions.iter().map(String::as_str).collect(),
        has_naive_int96: job.raw.orders.naive_timezone.is_some(),
        ..SchemaWanted::default()
    };
    let (patterns, manifest) = (&job.customer_paths, customers.manifest.as_deref());
    let Opened { sources, warnings } = open::open_all(job, patterns, "customers.path", manifest, "customers.manifest", &wanted)?;
    let place = |key: &str, name: &str| job.source.locate(key, name);
    let id = &customers.customer_id;
    let id_type =
        schema::column(&sources, id, ColumnRole::Customer, "customers.customer_id", &place("customers.customer_id", id))?;
    for dimension in &customers.dimensions {
        schema::column(&sources, dimension, ColumnRole::Text, "customers.dimensions", &place("customers.dimensions", dimension))?;
    }
    let mut given = Vec::new();
    if let Some(first) = sources.first() {
        let schema = read_schema(first);
        for field in schema.fields().iter().filter(|f| f.name() != id && !customers.dimensions.contains(f.name())) {
            if unit_of(field.data_type()).is_some() {
                let widest = schema::column(&sources, field.name(), ColumnRole::Any, "customers.path", &first.name())?;
                given.extend(unit_of(&widest).map(|unit| AttributeColumn::new(field.name(), unit)));
            }
        }
    }
    Ok(CustomersTable { sources, warnings, text_ids: id_type == DataType::Utf8View, given })
}

/// The unit of a column, if it is a measure.
fn unit_of(data_type: &DataType) -> Option<Unit> {
    match data_type {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Some(Unit::Date),
        DataType::Float32 | DataType::Float64 => Some(Unit::Double),
        DataType::Decimal64(precision, scale) | DataType::Decimal128(precision, scale) => {
            Some(Unit::Decimal(*precision, u8::try_from(*scale).ok()?))
        }
        other => other.is_integer().then_some(Unit::Count),
    }
}

impl CustomersTable {
    /// Checks that the ids are of a type that can be compared with those of the orders.
    ///
    /// # Errors
    /// Exit 3 if one is text and the other is not.
    pub fn check_ids(&self, job: &Job, id: IdType) -> Result<()> {
        let Some(customers) = &job.raw.customers else { return Ok(()) };
        keys::comparable(self.text_ids, &customers.customer_id, "customers.customer_id", id)
    }

    /// Rows by the footers.
    pub fn rows(&self) -> u64 {
        self.sources.iter().map(Source::rows).sum()
    }
}

/// A roll in the making: customers of a bucket in the order of the files, with the file and index of each row.
struct BucketDraft {
    roll: CustomerAttributes,
    rows: Vec<(u32, u64)>,
}

/// Two rows of one customer, the later one first.
type DuplicateCustomer = ((u32, u64), (u32, u64), String);

/// Reads the customers with the measures in use into the buckets of the orders, as far as these are kept. A customer of a bucket that is
/// not kept is not compared with others.
///
/// # Errors
/// Exit 3: a customer with two rows, an id or a number that does not fit; exit 4: files that cannot be read.
pub fn read(
    job: &Job,
    table: &CustomersTable,
    columns: &OrderColumns,
    used: &[AttributeColumn],
    buckets: &KeptBuckets,
    memory: &MemoryPool,
    progress: &dyn Progress,
) -> Result<CustomersData> {
    let Some(customers) = &job.raw.customers else { return Ok(CustomersData::default()) };
    progress.begin("reading customers", table.rows());
    let ids = if columns.id == IdType::Text { CustomerIds::Text(StringIds::default()) } else { CustomerIds::Int(Vec::new()) };
    let dimensions = customers.dimensions.len();
    let empty = CustomerAttributes {
        ids,
        columns: used.iter().map(|g| Column::new(g.unit(), 0)).collect(),
        dimensions: vec![Vec::new(); dimensions],
    };
    let mut drafts: Vec<BucketDraft> = (0..buckets.all).map(|_| BucketDraft { roll: empty.clone(), rows: Vec::new() }).collect();
    let mut batch_reader = BatchReader { job, columns, used, buckets, codes: vec![HashMap::new(); dimensions], null_ids: 0 };
    let mut names = vec![customers.customer_id.clone()];
    names.extend(used.iter().map(|g| g.name().to_owned()));
    names.extend(customers.dimensions.iter().cloned());
    let mut buffers = Vec::new();
    let (mut read, growth) = (0, memory.growth());
    for (number, source) in table.sources.iter().enumerate() {
        let file = source.reopen()?;
        let reader = FileReader::new(source, &names, "")?;
        for group in 0..source.metadata.metadata().num_row_groups() {
            reader.read(&file, group, &mut buffers, |first, batch| {
                progress.advance(batch.first().map_or(0, |c| c.len() as u64));
                batch_reader.batch(source, number as u32, first, batch, &mut drafts)
            })?;
            read += source.group_rows(group);
            // Sorting takes the same again.
            growth.check("The customers table", read, 2 * table.rows())?;
        }
    }
    let null_ids = batch_reader.null_ids;
    let (values, ranks): (Vec<Vec<String>>, Vec<Vec<u32>>) = batch_reader.codes.into_iter().map(ranked).unzip();
    let sorted: Vec<(CustomerAttributes, Option<DuplicateCustomer>)> =
        drafts.into_par_iter().map(|draft| sorted(draft, &ranks, columns.id)).collect();
    if let Some((later, earlier, id)) = sorted.iter().filter_map(|(_, twice)| twice.as_ref()).min() {
        let place = |(file, row): &(u32, u64)| {
            let source = table.sources.get(*file as usize);
            source.map_or_else(String::new, |source| format!("row {} of {}", source.row_number(*row), source.name()))
        };
        return Err(Error::contract(format!(
            "the customer {id} stands twice in the customers table, in {} and in {} (column {:?}, customers.customer_id); a customer has one row, so remove the other",
            place(earlier),
            place(later),
            customers.customer_id
        )));
    }
    let rolls: Vec<CustomerAttributes> = sorted.into_iter().map(|(roll, _)| roll).collect();
    progress.end(&format!("{} customers", rolls.iter().map(|r| r.ids.len()).sum::<usize>()));
    Ok(CustomersData { rolls, values, null_ids })
}

/// Sorts the values; returns them with the rank of each code.
fn ranked(codes: HashMap<String, u32>) -> (Vec<String>, Vec<u32>) {
    let mut ranks = vec![UNKNOWN; codes.len()];
    let mut values: Vec<(String, u32)> = codes.into_iter().collect();
    values.sort_unstable();
    for (rank, (_, code)) in values.iter().enumerate() {
        ranks[*code as usize] = rank as u32;
    }
    (values.into_iter().map(|(value, _)| value).collect(), ranks)
}

/// The roll of a draft, ascending by id, and the first customer with two rows.
fn sorted(draft: BucketDraft, ranks: &[Vec<u32>], id: IdType) -> (CustomerAttributes, Option<DuplicateCustomer>) {
    let BucketDraft { roll, rows } = draft;
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| roll.ids.compare(*a, *b));
    let mut twice: Option<DuplicateCustomer> = None;
    for pair in order.windows(2) {
        if let [a, b] = *pair
            && roll.ids.compare(a, b).is_eq()
            && twice.as_ref().is_none_or(|(later, ..)| rows[b] < *later)
        {
            twice = Some((rows[b], rows[a], shown(&roll.ids, a, id)));
        }
    }
    let mut ids = roll.ids.none();
    order.iter().for_each(|at| ids.push_from(&roll.ids, *at));
    let columns = roll.columns.iter().map(|c| c.gather(order.iter().map(|at| Some(*at)))).collect();
    let rank = |codes: &Vec<u32>, ranks: &Vec<u32>| {
        order.iter().map(|at| ranks.get(codes[*at] as usize).copied().unwrap_or(UNKNOWN)).collect()
    };
    let dimensions = roll.dimensions.iter().zip(ranks).map(|(codes, ranks)| rank(codes, ranks)).collect();
    (CustomerAttributes { ids, columns, dimensions }, twice)
}

/// An id as errors show it.
fn shown(ids: &CustomerIds, at: usize, id: IdType) -> String {
    let mut text = Vec::new();
    ids.write_text(id, at, &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    if id == IdType::Text { format!("{text:?}") } else { text }
}

/// Reads batches of the customers table.
struct BatchReader<'a> {
    job: &'a Job,
    columns: &'a OrderColumns,
    used: &'a [AttributeColumn],
    /// The buckets whose customers are kept.
    buckets: &'a KeptBuckets,
    /// The codes of the values of each dimension.
    codes: Vec<HashMap<String, u32>>,
    null_ids: u64,
}

impl BatchReader<'_> {
    fn batch(&mut self, source: &Source, file: u32, first: u64, batch: &[ArrayRef], drafts: &mut [BucketDraft]) -> Result<()> {
        let Some((ids, rest)) = batch.split_first() else { return Ok(()) };
        let (given, dimensions) = rest.split_at(self.used.len().min(rest.len()));
        let keys = CustomerKeys::of(ids, self.columns.id, |row, id| {
            let column = self.job.raw.customers.as_ref().map_or("", |c| c.customer_id.as_str());
            source.id_too_wide(first + row as u64, column, "customers.customer_id", id)
        })?;
        let mut values = Vec::with_capacity(given.len());
        for (given, column) in self.used.iter().zip(given) {
            values.push(self.values(source, first, *given, column)?);
        }
        let mut codes = Vec::with_capacity(dimensions.len());
        for (number, column) in dimensions.iter().enumerate() {
            codes.push(self.dimension(number, column)?);
        }
        for row in 0..ids.len() {
            if ids.is_null(row) {
                self.null_ids += 1;
                continue;
            }
            let hash = keys.hash(row).ok_or_else(|| self.no_id(source, first + row as u64, ids))?;
            let Some(draft) = self.buckets.of_hash(hash).and_then(|bucket| drafts.get_mut(bucket)) else { continue };
            keys.push(row, &mut draft.roll.ids);
            draft.rows.push((file, first + row as u64));
            for (to, from) in draft.roll.columns.iter_mut().zip(&values) {
                to.push_from(from, row);
            }
            for (to, from) in draft.roll.dimensions.iter_mut().zip(&codes) {
                to.push(from[row]);
            }
        }
        Ok(())
    }

    #[cold]
    fn no_id(&self, source: &Source, row: u64, ids: &ArrayRef) -> Error {
        Error::contract(format!(
            "{}, row {}: column {:?} (customers.customer_id) of type {} holds an id that the type of orders.customer_id cannot hold; write both with one type",
            source.name(),
            source.row_number(row),
            self.job.raw.customers.as_ref().map_or("", |c| c.customer_id.as_str()),
            type_name(ids.data_type())
        ))
    }

    /// The values of a measure.
    fn values(&self, source: &Source, first: u64, given: AttributeColumn, column: &ArrayRef) -> Result<Column> {
        let mut integers = Integers::default();
        let wrong = |row: usize, what: &str| {
            Error::contract(format!(
                "{}, row {}: column {:?} (a measure of the customers table) holds {what}; correct it where the file is written",
                source.name(),
                source.row_number(first + row as u64),
                given.name()
            ))
        };
        match given.unit() {
            Unit::Double => return doubles(column, wrong),
            Unit::Date => decode::dates(column, &self.columns.zone, self.columns.naive_zone.as_ref(), &mut integers)?,
            Unit::Decimal(_, scale) => decode::money(&[column], u32::from(scale), &mut integers)?,
            _ => decode::money(&[column], 0, &mut integers)?,
        }
        let mut nulls = Vec::new();
        for (row, problem) in &integers.problems {
            match problem {
                Problem::Null => nulls.push(*row),
                Problem::OutOfRange => return Err(wrong(*row, "a date outside the years 1 to 9999")),
                _ => return Err(wrong(*row, "a number of more than 18 digits")),
            }
        }
        if let Some(row) = integers.values.iter().position(|v| v.unsigned_abs() >= NUMBER_LIMIT) {
            return Err(wrong(row, "a number of more than 18 digits"));
        }
        let mut values = match given.unit() {
            Unit::Date => Column::Int(integers.values.iter().map(|v| *v as i32).collect()),
            _ => Column::Long(integers.values),
        };
        nulls.into_iter().for_each(|row| values.set_null(row));
        Ok(values)
    }

    /// The codes of the values of a dimension; [`UNKNOWN`] for null.
    fn dimension(&mut self, number: usize, column: &ArrayRef) -> Result<Vec<u32>> {
        let texts = column.as_any().downcast_ref::<StringViewArray>();
        let total: usize = self.codes.iter().map(HashMap::len).sum();
        let Some(codes) = self.codes.get_mut(number) else { return Ok(Vec::new()) };
        let others = total - codes.len();
        let mut out = Vec::with_capacity(column.len());
        for row in 0..column.len() {
            if column.is_null(row) {
                out.push(UNKNOWN);
                continue;
            }
            if let Some(code) = texts.and_then(|t| codes.get(t.value(row))) {
                out.push(*code);
                continue;
            }
            let value = decode::text_of(column, row)?.unwrap_or_default();
            // The name for no value is not a value.
            if value == UNKNOWN_NAME {
                out.push(UNKNOWN);
                continue;
            }
            let next = codes.len() as u32;
            out.push(*codes.entry(value).or_insert(next));
            if others + codes.len() > MOST_VALUES {
                let names = self.job.raw.customers.as_ref().map_or(&[][..], |c| c.dimensions.as_slice());
                return Err(Error::contract(format!(
                    "column {:?} (customers.dimensions) brings the dimensions above {MOST_VALUES} values; a dimension is a region or an industry, not an id",
                    names.get(number).map_or("", String::as_str)
                )));
            }
        }
        Ok(out)
    }
}

/// Floating-point numbers; NaN is null, as in files that know no other null.
fn doubles(column: &ArrayRef, wrong: impl Fn(usize, &str) -> Error) -> Result<Column> {
    let mut values: Vec<f64> = match column.data_type() {
        DataType::Float32 => column.as_primitive::<Float32Type>().values().iter().map(|x| f64::from(*x)).collect(),
        _ => column.as_primitive::<Float64Type>().values().to_vec(),
    };
    for (row, value) in values.iter_mut().enumerate() {
        if column.is_null(row) {
            *value = f64::NAN;
        } else if value.is_infinite() {
            return Err(wrong(row, "an infinite number"));
        }
    }
    Ok(Column::Double(values))
}
