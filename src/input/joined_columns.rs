//! How the columns of a file are read beside those of other files.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

/// The columns of a file whose reading other files, or the log of its table, decide about.
#[derive(Debug, Clone, Default)]
pub(super) struct JoinedColumns {
    /// Columns without a value in this file, which it may lack, with the type of others.
    pub nulls: Vec<(String, DataType)>,
    /// Columns that the file lacks and that have one value in it by the log of its table, as an array of one row.
    pub constants: Vec<(String, ArrayRef)>,
    /// Whether INT96 holds wall-clock time.
    pub has_naive_int96: bool,
}

impl JoinedColumns {
    /// Has a column read as nulls of a type.
    pub fn set_null(&mut self, column: &str, data_type: DataType) {
        self.nulls.retain(|(name, _)| name != column);
        self.nulls.push((column.to_owned(), data_type));
    }

    /// The value of a column that has one value in the file.
    pub fn constant(&self, column: &str) -> Option<&ArrayRef> {
        self.constants.iter().find(|(name, _)| name == column).map(|(_, value)| value)
    }

    /// The type of a column that is read as nulls.
    pub fn null_type(&self, column: &str) -> Option<&DataType> {
        self.nulls.iter().find(|(name, _)| name == column).map(|(_, data_type)| data_type)
    }
}
