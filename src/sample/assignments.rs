//! The assignment file of a sample's strategy, written customer by customer.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::columns::names;
use super::error;
use super::file::{Draft, SAMPLE_KEY};
use super::plan::Plan;
use super::treatment::{ARMS, Treatment};
use crate::error::Result;

/// Customers per batch.
const BATCH: u64 = 1 << 16;

/// Beside the orders; readers of a folder of orders pass over names that begin with an underscore.
pub(super) const FOLDER: &str = "_assignments";

/// The name of the file.
pub(super) fn name(treatment: &Treatment) -> String {
    format!("{}.parquet", treatment.name)
}

/// Writes the file into a folder beside the orders; returns it with the number of assigned customers.
pub(super) fn write(plan: &Plan, treatment: &Treatment, folder: &Path) -> Result<(Draft, u64)> {
    let folder = folder.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|e| error::folder(&folder, e))?;
    let (draft, output) = Draft::create(&folder, &name(treatment))?;
    let path = draft.path().to_owned();
    let failed = |e| error::parquet(&path, e);
    let names_type = || DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let fields = [("customer_id", plan.ids.data_type()), ("arm", names_type()), ("assigned_on", DataType::Date32)];
    let schema = Arc::new(Schema::new(fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec()));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(failed)?))
        .set_key_value_metadata(Some(vec![KeyValue::new(SAMPLE_KEY.to_owned(), format!("strategy {}", treatment.name))]))
        .build();
    let mut writer = ArrowWriter::try_new(output, Arc::clone(&schema), Some(properties)).map_err(failed)?;
    let assigned = plan.calendar.arrived_before(treatment.days.start);
    let day = (treatment.from.duration_since(jiff::civil::Date::constant(1970, 1, 1)).as_hours() / 24) as i32;
    for first in (0..assigned).step_by(BATCH as usize) {
        let customers = first..(first + BATCH).min(assigned);
        let arms = customers.clone().map(|customer| treatment.arm(customer) as i8).collect();
        let days = Date32Array::from_value(day, (customers.end - customers.start) as usize);
        let batch = names(&ARMS, arms).and_then(|arms| {
            RecordBatch::try_new(Arc::clone(&schema), vec![plan.ids.array(customers)?, arms, Arc::new(days) as ArrayRef])
        });
        batch.map_err(ParquetError::from).and_then(|batch| writer.write(&batch)).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok((draft, assigned))
}
