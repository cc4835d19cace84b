//! A table with a row per customer, whose files parts write.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DECIMAL64_MAX_PRECISION, DataType, FieldRef, Schema, SchemaRef};

use crate::domain::Day;
use crate::error::Result;
use crate::job::raw::TableName;
use crate::publish::{Staging, TableFile};
use crate::tables::{EncodedFile, TableDefinition, encode};

/// Where the files of tables with a row per customer go.
pub trait TableSink: Sync {
    /// Writes a file and says what the manifest has to know of it; `path` is that below the run.
    ///
    /// # Errors
    /// Exit 6 if it cannot be written.
    fn put(&self, path: String, encoded: EncodedFile) -> Result<TableFile>;
}

impl TableSink for Staging {
    fn put(&self, path: String, encoded: EncodedFile) -> Result<TableFile> {
        Staging::put(self, path, encoded)
    }
}

/// A table with a row per customer. Its files lack `as_of`, which stands in the path.
pub struct PartTable {
    /// Which table.
    pub name: TableName,
    definition: TableDefinition,
    /// Of its files.
    file_schema: SchemaRef,
    /// Of its batches in memory.
    batch_schema: SchemaRef,
}

impl PartTable {
    /// A table of this definition.
    pub fn new(name: TableName, definition: TableDefinition) -> PartTable {
        let file_schema = definition.schema(false);
        let in_memory = |field: &FieldRef| field.as_ref().clone().with_data_type(type_in_memory(field.data_type()));
        let batch_schema = Arc::new(Schema::new(file_schema.fields().iter().map(in_memory).collect::<Vec<_>>()));
        PartTable { name, definition, file_schema, batch_schema }
    }

    /// A batch of columns, which are found by name.
    ///
    /// # Errors
    /// Exit 1 if a column is missing, or has another type than the table.
    pub(super) fn batch(&self, columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
        self.definition.batch(&self.batch_schema, columns)
    }

    /// Writes the batch of a part to its file, below the as-of date if there is one.
    ///
    /// # Errors
    /// Exit 6 if the file cannot be written.
    pub(super) fn write(
        &self,
        sink: &dyn TableSink,
        part: usize,
        as_of: Option<Day>,
        batch: &RecordBatch,
        job_name: &str,
    ) -> Result<TableFile> {
        let encoded = encode(&self.definition, &self.file_schema, &[batch], job_name)?;
        let folder = as_of.map_or_else(String::new, |day| format!("as_of={day}/"));
        sink.put(format!("{}/{folder}part-{part:03}.parquet", self.definition.name), encoded)
    }
}

/// The type that a column has in a batch: money is 64 bits wide, and is written as wide as the table says.
pub(super) fn type_in_memory(kind: &DataType) -> DataType {
    match kind {
        DataType::Decimal128(precision @ ..=DECIMAL64_MAX_PRECISION, scale) => DataType::Decimal64(*precision, *scale),
        other => other.clone(),
    }
}
