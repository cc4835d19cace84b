//! Making and reading samples.

use std::fs::{self, File};
use std::path::Path;

use crate::temp::{TempDir, tempdir};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Decimal64Type, Int64Type, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use jiff::civil::{Date, date};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::sample::{SampleSpec, SampleSummary, write};

pub(super) const DAY_MICROS: i64 = 86_400_000_000;

/// A row as read back, money in cents, times in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Read {
    pub(super) customer: Option<String>,
    pub(super) order: i64,
    pub(super) at: Option<i64>,
    pub(super) amount: Option<i64>,
    pub(super) discount: i64,
    pub(super) cost: i64,
    pub(super) category: String,
    pub(super) region: String,
    pub(super) status: String,
}

pub(super) fn spec(orders: u64) -> SampleSpec {
    SampleSpec::new(orders, 7, date(2023, 1, 1), date(2024, 12, 31))
}

pub(super) fn sample(spec: &SampleSpec) -> (TempDir, SampleSummary) {
    let folder = tempdir().unwrap();
    let summary = write(spec, folder.path(), &|_| {}).unwrap();
    (folder, summary)
}

pub(super) fn bytes(summary: &SampleSummary) -> Vec<Vec<u8>> {
    let read = |path| fs::read(path).unwrap();
    summary.files.iter().map(read).collect()
}

pub(super) fn read(path: &Path) -> Vec<Read> {
    let file = File::open(path).unwrap();
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let mut rows = Vec::new();
    for batch in batches.build().unwrap() {
        let batch = batch.unwrap();
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let cents = |name: &str| {
            let column = arrow::compute::cast(column(name), &arrow::datatypes::DataType::Decimal64(12, 2));
            column.unwrap().as_primitive::<Decimal64Type>().clone()
        };
        let text = |name: &str, row: usize| {
            let column = column(name);
            (!column.is_null(row)).then(|| array_value_to_string(column, row).unwrap())
        };
        let orders = column("order_id").as_primitive::<Int64Type>();
        let times = column("ordered_at").as_primitive::<TimestampMicrosecondType>();
        let (amounts, discounts, costs) = (cents("amount"), cents("discount"), cents("cost"));
        for row in 0..batch.num_rows() {
            assert_eq!(text("currency", row).unwrap(), "EUR");
            rows.push(Read {
                customer: text("customer_id", row),
                order: orders.value(row),
                at: times.is_valid(row).then(|| times.value(row)),
                amount: amounts.is_valid(row).then(|| amounts.value(row)),
                discount: discounts.value(row),
                cost: costs.value(row),
                category: text("category", row).unwrap(),
                region: text("region", row).unwrap(),
                status: text("status", row).unwrap(),
            });
        }
    }
    rows
}

pub(super) fn read_all(summary: &SampleSummary) -> Vec<Read> {
    summary.files.iter().flat_map(|path| read(path)).collect()
}

pub(super) fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

pub(super) fn date_of_epoch() -> Date {
    date(1970, 1, 1)
}
