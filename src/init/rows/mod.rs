//! The rows of a table of any format, as texts: those that are looked at first, and all of a few columns afterwards.

mod csv;
mod ndjson;
mod parquet;
mod place;
mod table;
mod text;

use crate::error::Result;
use crate::input::source::Source;

pub use place::find;
pub use table::{Content, More, Stored, Table, Visit, Written};

impl Table {
    /// Files.
    pub fn file_count(&self) -> usize {
        match &self.content {
            Content::Parquet(sources) => sources.len(),
            Content::Csv { files, .. } | Content::Ndjson(files) => files.len(),
        }
    }

    /// What its format is called.
    pub fn format(&self) -> &'static str {
        match (&self.written, &self.content) {
            (Written::Lake { word: "delta", .. }, _) => "Delta",
            (Written::Lake { .. }, _) => "Iceberg",
            (_, Content::Parquet(_)) => "Parquet",
            (_, Content::Csv { .. }) => "CSV",
            (_, Content::Ndjson(_)) => "NDJSON",
        }
    }

    /// Rows, where the files say how many they are.
    pub fn known_rows(&self) -> Option<u64> {
        match &self.content {
            Content::Parquet(sources) => Some(sources.iter().map(Source::rows).sum()),
            _ => None,
        }
    }

    /// Calls `visit` with these columns of each row, file by file, of those files that `is_wanted` by their number.
    ///
    /// # Errors
    /// Exit 3: rows that break the form of their file. Exit 4: a file that cannot be read. And those of `visit`.
    pub fn each(&self, columns: &[usize], is_wanted: impl Fn(usize) -> bool, visit: &mut Visit<'_>) -> Result<()> {
        let names: Vec<&str> = columns.iter().filter_map(|at| self.columns.get(*at)).map(|header| header.name.as_str()).collect();
        for file in (0..self.file_count()).filter(|file| is_wanted(*file)) {
            match &self.content {
                Content::Parquet(sources) => sources.get(file).map_or(Ok(()), |source| parquet::each(source, &names, visit))?,
                Content::Csv { files, form } => files.get(file).map_or(Ok(()), |file| csv::each(file, *form, &names, visit))?,
                Content::Ndjson(files) => files.get(file).map_or(Ok(()), |file| ndjson::each(file, &names, visit))?,
            }
        }
        Ok(())
    }
}
