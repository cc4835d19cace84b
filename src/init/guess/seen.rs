//! What is known while roles are found: the table, its rows and the words.

use crate::error::{Error, Result};
use crate::init::columns::{Column, Sample};
use crate::init::rows::{Reading, Table, Written};
use crate::init::vocabulary::{Role, Vocabulary};

/// What is known while roles are found.
pub struct Seen<'a> {
    /// The table.
    pub table: &'a Table,
    /// Which of its rows are looked at.
    pub reading: &'a Reading,
    /// Those that are looked at closely.
    pub sample: &'a Sample,
    /// The words.
    pub words: &'a Vocabulary,
}

impl Seen<'_> {
    /// A column by its number.
    pub fn column(&self, at: usize) -> Result<&Column> {
        self.sample.columns.get(at).ok_or_else(|| Error::bug(format!("a sample without column {at}")))
    }

    /// How much the name of a column says that it has a role; where a part of the name is what counts, it
    /// counts a little less than the whole would.
    pub fn score(&self, role: Role, column: &Column) -> Option<i32> {
        let core = column.core.as_ref().and_then(|words| self.words.score(role, words)).map(|score| score - 1);
        self.words.score(role, &column.words).max(core)
    }

    /// How a column is named in questions.
    pub fn quoted(&self, at: usize) -> String {
        format!("{:?}", self.sample.columns.get(at).map_or("", |column| &column.name))
    }

    /// The error for a table without a column that a job needs.
    pub fn lacks(&self, what: &str, needed: &str) -> Error {
        let names: Vec<&str> = self.sample.columns.iter().map(|column| column.name.as_str()).take(40).collect();
        let place = match &self.table.written {
            Written::Files(paths) => paths.join(", "),
            Written::Lake { path, .. } => path.clone(),
        };
        Error::contract(format!(
            "{place}: no column looks like {what} (its columns are {}); a job needs {needed}. Name the files that have it, or join them in a query (docs/QUERY.md)",
            names.join(", ")
        ))
    }
}
