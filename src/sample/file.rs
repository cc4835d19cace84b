//! One Parquet file of a sample. It is written under a hidden name first, so that a sample that fails
//! half-way leaves no files that look complete.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::schema::types::ColumnPath;

use super::calendar::DAY_SECONDS;
use super::chunk::{Chunk, Place};
use super::columns::{Columns, schema};
use super::error;
use super::plan::{FilePlan, Parts, Plan};
use super::purchases::generate;
use super::rng::{Purpose, Streams};
use crate::error::Result;

/// The key in a file's metadata that says it is a sample, and which.
pub(super) const SAMPLE_KEY: &str = "rfmill.sample";

/// Level 1 writes fast; higher ones make these columns hardly smaller.
const ZSTD_LEVEL: i32 = 1;

/// A written file that does not have its final name yet. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Draft {
    draft: PathBuf,
    path: PathBuf,
    pub(super) rows: u64,
    pub(super) guest_orders: u64,
}

impl Draft {
    /// A new draft of the file with this name, open for writing.
    pub(super) fn create(folder: &Path, name: &str) -> Result<(Self, File)> {
        let draft = Self { draft: folder.join(format!(".{name}.part")), path: folder.join(name), rows: 0, guest_orders: 0 };
        let output = File::create(&draft.draft).map_err(|e| error::file(&draft.draft, e))?;
        Ok((draft, output))
    }

    /// The name that the file will have.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name, replacing an older one; returns its path and size in bytes.
    pub(super) fn publish(self) -> Result<(PathBuf, u64)> {
        let failed = |e| error::file(&self.path, e);
        fs::rename(&self.draft, &self.path).map_err(failed)?;
        let bytes = fs::metadata(&self.path).map_err(failed)?.len();
        Ok((self.path.clone(), bytes))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After publishing there is nothing to remove, and otherwise a first error is on its way
        // already: a second one would only hide it.
        let _ = fs::remove_file(&self.draft);
    }
}

/// The name of a file of a sample.
pub(super) fn name(file: &FilePlan) -> String {
    format!("orders-{}.parquet", file.range.first)
}

/// Whether the file is one that `write` made.
pub(super) fn is_sample(path: &Path) -> bool {
    let Ok(reader) = File::open(path).map_err(ParquetError::from).and_then(SerializedFileReader::new) else {
        return false;
    };
    let metadata = reader.metadata().file_metadata().key_value_metadata();
    metadata.is_some_and(|pairs| pairs.iter().any(|pair| pair.key == SAMPLE_KEY))
}

/// Generates and writes a file of the sample. `progress` is told the orders of each chunk.
pub(super) fn write(
    plan: &Plan,
    (index, file): (u64, &FilePlan),
    folder: &Path,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Draft> {
    let (mut draft, output) = Draft::create(folder, &name(file))?;
    let path = draft.path.clone();
    let failed = |e| error::parquet(&path, e);
    let ids = plan.ids;
    let options = ArrowWriterOptions::new()
        .with_properties(properties(plan).map_err(failed)?)
        // Without it, files look as those of any other program: no types that only Arrow knows.
        .with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(output, schema(ids), options).map_err(failed)?;

    let parts = Parts { purchases: file.purchases, returns: file.returns, bad_rows: file.bad_rows.end - file.bad_rows.start };
    let returning = Streams::new(plan.seed, Purpose::Returns);
    let spoiling = Streams::new(plan.seed, Purpose::BadRows);
    let days = &file.range.days;
    let file_seconds = ((days.end - days.start) as u64 * DAY_SECONDS) as u32;
    let file_start = plan.calendar.epoch_seconds(days.start as u64 * DAY_SECONDS);
    let mut bought = 0;
    let mut write_chunk = |chunk: &mut Chunk| {
        let purchases = chunk.orders.len() as u64;
        let (returns, bad_rows) = parts.between(bought, bought + purchases);
        chunk.add_returns(returns.end - returns.start, file_seconds, &mut returning.at(index, bought))?;
        let place = Place {
            file_start,
            first_order_id: file.first_order_id + bought + returns.start,
            bad_rows: file.bad_rows.start + bad_rows.start..file.bad_rows.start + bad_rows.end,
            first_bad_id: plan.orders + 1,
        };
        let mut columns = Columns::new(ids, chunk.lines.len() + (bad_rows.end - bad_rows.start) as usize);
        chunk.rows(&place, &mut spoiling.at(index, bought), &mut columns);
        let orders = chunk.orders.len() as u64;
        draft.rows += columns.len() as u64;
        draft.guest_orders += chunk.orders.iter().filter(|order| order.customer.is_none()).count() as u64;
        chunk.clear();
        let batch = columns.into_batch().map_err(|e| failed(e.into()))?;
        writer.write(&batch).and_then(|()| writer.flush()).map_err(failed)?;
        bought += purchases;
        progress(orders);
        Ok(())
    };
    generate(plan, (index, file), &mut write_chunk)?;
    writer.close().map_err(failed)?;
    match bought == file.purchases {
        true => Ok(draft),
        false => {
            Err(error::bug(format!("{bought} purchases were made for {} where {} were planned", path.display(), file.purchases)))
        }
    }
}

fn properties(plan: &Plan) -> parquet::errors::Result<WriterProperties> {
    let sample = format!("orders {}, customers {}, seed {}", plan.orders, plan.customers, plan.seed);
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        // Row groups are chunks, and have statistics; pages need none.
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(vec![KeyValue::new(SAMPLE_KEY.to_owned(), sample)]));
    // Hardly a value comes twice, so a dictionary would only take time.
    for column in ["order_id", "ordered_at", "amount", "cost"] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    // Ids and times ascend within a row group.
    for column in ["order_id", "ordered_at"] {
        properties = properties.set_column_encoding(ColumnPath::from(column), Encoding::DELTA_BINARY_PACKED);
    }
    Ok(properties.build())
}
