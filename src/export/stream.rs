//! The rows of a table as an Arrow IPC stream, the form that every Arrow library reads: a schema, then batches.
//!
//! Columns are those of the newest files. Text that files hold by a dictionary is plain in the stream: a dictionary would change
//! from file to file, which few readers follow. Nothing is compressed, for the same reason and because streams go through pipes.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::source::{AS_OF, DataFile, SourceTable, unreadable};
use crate::domain::Day;
use crate::error::{Error, Result};
use crate::tables::{ColumnType, DESCRIPTION};

/// Rows of a batch, at most.
const BATCH: usize = 1 << 16;

/// Writes all rows of a table, date after date, and gives their number. Every file must be the one that was committed.
///
/// # Errors
/// Exit 4 if a file cannot be read or is another one; exit 6 if the stream cannot be written.
pub fn write_stream(table: &SourceTable, out: impl Write) -> Result<u64> {
    let schema = schema_of(table);
    let mut writer = StreamWriter::try_new(out, &schema).map_err(unwritten)?;
    let mut rows = 0;
    for (day, part) in &table.parts {
        for file in &part.files {
            rows += write_file(file, file.as_of.unwrap_or(*day), &schema, &mut writer)?;
        }
    }
    writer.finish().map_err(unwritten)?;
    Ok(rows)
}

/// The schema of the stream: `as_of` first where rows have a date, then the columns with what they hold.
fn schema_of(table: &SourceTable) -> SchemaRef {
    let as_of = table.is_dated().then(|| Field::new(AS_OF, DataType::Date32, false));
    let column = |column: &super::Column| {
        let described = HashMap::from([(DESCRIPTION.to_owned(), column.doc.clone())]);
        Field::new(&column.name, plain(column.kind), true).with_metadata(described)
    };
    let fields: Vec<Field> = as_of.into_iter().chain(table.columns.iter().map(column)).collect();
    Arc::new(Schema::new(fields))
}

/// The type of a column in the stream.
fn plain(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::State => DataType::Utf8,
        kind => kind.arrow(),
    }
}

fn write_file(file: &DataFile, as_of: Day, schema: &SchemaRef, writer: &mut StreamWriter<impl Write>) -> Result<u64> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file.read()?).and_then(|b| b.with_batch_size(BATCH).build());
    let mut rows = 0;
    for batch in reader.map_err(|e| unreadable(&file.place, e))? {
        let batch = batch.map_err(|e| unreadable(&file.place, e))?;
        rows += batch.num_rows() as u64;
        let batch = as_in(schema, &batch, as_of).map_err(|e| unreadable(&file.place, e))?;
        writer.write(&batch).map_err(unwritten)?;
    }
    match rows == file.rows {
        true => Ok(rows),
        false => Err(Error::bug(format!("{} holds {rows} rows, and {} by its run", file.place, file.rows))),
    }
}

/// The rows with the columns of the stream: one that the file lacks is null, its date is that of the folder unless rows say it.
fn as_in(schema: &SchemaRef, batch: &RecordBatch, as_of: Day) -> std::result::Result<RecordBatch, ArrowError> {
    let rows = batch.num_rows();
    let column = |field: &Arc<Field>| -> std::result::Result<ArrayRef, ArrowError> {
        match batch.column_by_name(field.name()) {
            Some(array) if array.data_type() == field.data_type() => Ok(Arc::clone(array)),
            Some(array) => cast(array, field.data_type()),
            None if field.name() == AS_OF => Ok(Arc::new(Date32Array::from_value(as_of.0, rows))),
            None => Ok(new_null_array(field.data_type(), rows)),
        }
    };
    let columns = schema.fields().iter().map(column).collect::<std::result::Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
}

/// The error of a stream that cannot be written. Its cause says whether its reader went away.
fn unwritten(error: ArrowError) -> Error {
    Error::output(format!("the rows cannot be written to standard output: {error}; check where it goes")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, DictionaryArray, Int32Array, StringArray};
    use arrow::datatypes::{Date32Type, Int64Type, UInt16Type};

    use super::*;

    fn schema(fields: &[(&str, DataType)]) -> SchemaRef {
        let field = |(name, kind): &(&str, DataType)| Field::new(*name, kind.clone(), true);
        Arc::new(Schema::new(fields.iter().map(field).collect::<Vec<_>>()))
    }

    #[test]
    fn rows_get_the_columns_of_the_stream() {
        let states: DictionaryArray<UInt16Type> = ["Loyal", "New", "Loyal"].into_iter().collect();
        let columns: [(&str, ArrayRef); 2] =
            [("n", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]))), ("s", Arc::new(states))];
        let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap();
        let of =
            schema(&[("as_of", DataType::Date32), ("s", DataType::Utf8), ("n", DataType::Int64), ("new", DataType::Boolean)]);
        let made = as_in(&of, &batch, Day(7)).unwrap();
        assert_eq!(made.schema(), of);
        assert_eq!(made.column(0).as_primitive::<Date32Type>().values(), &[7, 7, 7]);
        assert_eq!(made.column(1).as_ref(), &StringArray::from(vec!["Loyal", "New", "Loyal"]) as &dyn arrow::array::Array);
        assert_eq!(made.column(2).as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(1), None, Some(3)]);
        assert_eq!(made.column(3).null_count(), 3);
    }

    /// A file that says its dates itself, as 0.1.0 wrote some, keeps them.
    #[test]
    fn dates_of_rows_count_before_those_of_folders() {
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![1, 2]));
        let batch = RecordBatch::try_from_iter([("as_of", dates)]).unwrap();
        let made = as_in(&schema(&[("as_of", DataType::Date32)]), &batch, Day(7)).unwrap();
        assert_eq!(made.column(0).as_primitive::<Date32Type>().values(), &[1, 2]);
    }
}
