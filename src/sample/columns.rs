//! Rows of orders as Parquet columns.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal64Array, DictionaryArray, Int8Array, Int64Array, NullBufferBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::{DataType, Field, Int8Type, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::buyer::REGIONS;
use super::category::CATEGORIES;
use super::status::STATUSES;

/// The one currency of all orders.
const CURRENCY: [&str; 1] = ["EUR"];

/// Digits of money columns, and how many of them are decimal places.
pub(super) const MONEY: (u8, i8) = (12, 2);

pub(super) const MICROS: i64 = 1_000_000;

/// A row: one order line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The customer's number; none for a guest.
    pub(super) customer: Option<u64>,
    pub(super) order_id: u64,
    /// Seconds since 1970-01-01 UTC.
    pub(super) seconds: Option<i64>,
    /// Money in cents.
    pub(super) amount: Option<i64>,
    pub(super) discount: i64,
    pub(super) cost: i64,
    /// Numbers of names.
    pub(super) category: u8,
    pub(super) region: u8,
    pub(super) status: u8,
}

/// How customer ids are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ids {
    /// 64-bit integers from 1.
    Integers,
    /// `C` and this many digits, from `C0000001`.
    Strings { digits: usize },
}

impl Ids {
    /// Ids for this many customers; strings are all of one length, at least seven digits.
    pub(super) fn new(strings: bool, customers: u64) -> Self {
        match strings {
            true => Self::Strings { digits: customers.to_string().len().max(7) },
            false => Self::Integers,
        }
    }

    /// The id of a customer as text. Customers are numbered from 0, ids from 1.
    pub(super) fn text(self, customer: u64) -> String {
        match self {
            Self::Integers => (customer + 1).to_string(),
            Self::Strings { digits } => format!("C{:0digits$}", customer + 1),
        }
    }

    /// The ids of customers that follow one another.
    pub(super) fn array(self, customers: Range<u64>) -> Result<ArrayRef, ArrowError> {
        let ids: Vec<i64> = customers.map(|customer| customer as i64 + 1).collect();
        id_array(self, &ids)
    }

    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Integers => DataType::Int64,
            Self::Strings { .. } => DataType::Utf8,
        }
    }
}

/// Columns that are filled row by row.
#[derive(Debug)]
pub(super) struct Columns {
    ids: Ids,
    customers: Vec<i64>,
    known_customers: NullBufferBuilder,
    order_ids: Vec<i64>,
    times: Vec<i64>,
    known_times: NullBufferBuilder,
    amounts: Vec<i64>,
    known_amounts: NullBufferBuilder,
    discounts: Vec<i64>,
    costs: Vec<i64>,
    categories: Vec<i8>,
    regions: Vec<i8>,
    statuses: Vec<i8>,
}

impl Columns {
    /// Empty columns with room for `rows` rows.
    pub(super) fn new(ids: Ids, rows: usize) -> Self {
        Self {
            ids,
            customers: Vec::with_capacity(rows),
            known_customers: NullBufferBuilder::new(rows),
            order_ids: Vec::with_capacity(rows),
            times: Vec::with_capacity(rows),
            known_times: NullBufferBuilder::new(rows),
            amounts: Vec::with_capacity(rows),
            known_amounts: NullBufferBuilder::new(rows),
            discounts: Vec::with_capacity(rows),
            costs: Vec::with_capacity(rows),
            categories: Vec::with_capacity(rows),
            regions: Vec::with_capacity(rows),
            statuses: Vec::with_capacity(rows),
        }
    }

    pub(super) fn push(&mut self, row: &Row) {
        // Customers are numbered from 0, ids from 1.
        self.customers.push(row.customer.map_or(0, |customer| customer as i64 + 1));
        self.known_customers.append(row.customer.is_some());
        self.order_ids.push(row.order_id as i64);
        self.times.push(row.seconds.unwrap_or_default() * MICROS);
        self.known_times.append(row.seconds.is_some());
        self.amounts.push(row.amount.unwrap_or_default());
        self.known_amounts.append(row.amount.is_some());
        self.discounts.push(row.discount);
        self.costs.push(row.cost);
        self.categories.push(row.category as i8);
        self.regions.push(row.region as i8);
        self.statuses.push(row.status as i8);
    }

    pub(super) fn len(&self) -> usize {
        self.order_ids.len()
    }

    /// The rows as a batch with the columns of `schema`.
    pub(super) fn into_batch(mut self) -> Result<RecordBatch, ArrowError> {
        let rows = self.len();
        let customers = self.known_customers.finish();
        let customers: ArrayRef = match self.ids {
            Ids::Integers => Arc::new(Int64Array::new(self.customers.into(), customers)),
            Ids::Strings { digits } => Arc::new(string_ids(&self.customers, digits)?),
        };
        let times = TimestampMicrosecondArray::new(self.times.into(), self.known_times.finish()).with_timezone("UTC");
        let amounts = Decimal64Array::new(self.amounts.into(), self.known_amounts.finish());
        RecordBatch::try_new(
            schema(self.ids),
            vec![
                customers,
                Arc::new(Int64Array::from(self.order_ids)),
                Arc::new(times),
                money(amounts)?,
                money(Decimal64Array::from(self.discounts))?,
                money(Decimal64Array::from(self.costs))?,
                names(&CATEGORIES, self.categories)?,
                names(&REGIONS, self.regions)?,
                names(&STATUSES, self.statuses)?,
                names(&CURRENCY, vec![0; rows])?,
            ],
        )
    }
}

/// The columns of a sample. All may be null, as in the tables of most warehouses.
pub(super) fn schema(ids: Ids) -> SchemaRef {
    let money = || DataType::Decimal64(MONEY.0, MONEY.1);
    let names = || DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let columns = [
        ("customer_id", ids.data_type()),
        ("order_id", DataType::Int64),
        ("ordered_at", time),
        ("amount", money()),
        ("discount", money()),
        ("cost", money()),
        ("category", names()),
        ("region", names()),
        ("status", names()),
        ("currency", names()),
    ];
    let fields: Vec<Field> = columns.into_iter().map(|(name, kind)| Field::new(name, kind, true)).collect();
    Arc::new(Schema::new(fields))
}

pub(super) fn money(cents: Decimal64Array) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(cents.with_precision_and_scale(MONEY.0, MONEY.1)?))
}

/// A column of names by number.
pub(super) fn names(names: &[&str], numbers: Vec<i8>) -> Result<ArrayRef, ArrowError> {
    let numbers = Int8Array::new(ScalarBuffer::from(numbers), None);
    let names = StringArray::from_iter_values(names);
    let column = DictionaryArray::<Int8Type>::try_new(numbers, Arc::new(names))?;
    Ok(Arc::new(column))
}

/// Ids from 1 on as they are written.
pub(super) fn id_array(ids: Ids, numbers: &[i64]) -> Result<ArrayRef, ArrowError> {
    match ids {
        Ids::Integers => Ok(Arc::new(Int64Array::from(numbers.to_vec()))),
        Ids::Strings { digits } => Ok(Arc::new(string_ids(numbers, digits)?)),
    }
}

/// Ids like `C0001234`; 0 stands for a guest and becomes null.
fn string_ids(customers: &[i64], digits: usize) -> Result<StringArray, ArrowError> {
    let mut ids = StringBuilder::with_capacity(customers.len(), customers.len() * (digits + 1));
    let mut text = vec![b'C'; digits + 1];
    for customer in customers {
        if *customer == 0 {
            ids.append_null();
            continue;
        }
        let mut rest = *customer;
        for digit in text.iter_mut().skip(1).rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        ids.append_value(
            std::str::from_utf8(&text)
                .map_err(|error| ArrowError::ComputeError(format!("a customer id is not text: {error}")))?,
        );
    }
    Ok(ids.finish())
}
