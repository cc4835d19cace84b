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

    /// The error for a table without a column that a job needs. `found` says what is wrong with one that is named like it.
    pub fn lacks(&self, what: &str, needed: &str, found: Option<String>) -> Error {
        let names: Vec<&str> = self.sample.columns.iter().map(|column| column.name.as_str()).take(40).collect();
        let place = match &self.table.written {
            Written::Files(paths) => paths.join(", "),
            Written::Lake { path, .. } => path.clone(),
        };
        let instead = found.unwrap_or_else(|| "Name the files that have it, or join them in a query (docs/QUERY.md)".into());
        Error::contract(format!(
            "{place}: no column looks like {what} (its columns are {}); a job needs {needed}. {instead}",
            names.join(", ")
        ))
    }

    /// What is wrong with the column that is named most like a role, if it has texts that have no form in common: one that has none,
    /// or two of unlike forms.
    pub fn without_form(&self, role: Role, has_form: impl Fn(&[&str]) -> bool) -> Option<String> {
        let texts = self.sample.columns.iter().filter(|column| column.is_text() && !column.values.is_empty());
        let named = texts.filter_map(|column| Some((self.score(role, column)?, column)));
        let (_, column) = named.max_by_key(|(score, column)| (*score, std::cmp::Reverse(column.at)))?;
        let values: Vec<&str> = column.values.iter().map(String::as_str).collect();
        let first = *values.first()?;
        let alone = values.iter().copied().find(|value| !has_form(&[value]));
        let unlike = || values.iter().copied().find(|value| !has_form(&[first, value]));
        let shown = |value: &str| format!("{:?}", value.chars().take(LONGEST).collect::<String>());
        let what = match alone {
            Some(value) => format!("holds {}, which has no form that is known", shown(value)),
            None => format!("holds {} beside {}, which no one form reads", shown(first), shown(unlike()?)),
        };
        Some(format!(
            "Column {:?} is named like one, but {what}; write its values in one form, or read them in a query (docs/QUERY.md)",
            column.name
        ))
    }
}

/// Characters of a value that an error shows.
const LONGEST: usize = 40;
