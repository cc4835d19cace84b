//! `report.json`: everything of the report for programs, a row per line. `docs/REPORT.md` has its schema.

use serde::Serialize;
use serde_json::json;

use super::data::{Shown, TableVisitor, checks};
use super::escape;
use super::page;
use super::story::Story;
use super::view::View;
use crate::error::{Error, Result};
use crate::tables::{Row, Value};

/// Version of the layout; it changes when a member changes its meaning or goes.
const SCHEMA_VERSION: u32 = 2;

/// The file.
pub(super) fn write(view: &View, story: &Story) -> Result<Vec<u8>> {
    let data = view.data;
    let run = &data.run;
    let answers: Vec<_> = (story.answers.iter())
        .map(|a| {
            let space = view.words.text("format.sentence_space");
            let text = a.paragraphs.iter().map(|p| p.iter().map(|s| s.text()).collect::<Vec<_>>().join(space));
            json!({ "key": a.key, "question": a.question, "answer": text.collect::<Vec<_>>() })
        })
        .collect();
    let mut file = JsonObject::default();
    file.member("schema_version", &SCHEMA_VERSION)?;
    file.member("rfmill", &run.rfmill)?;
    file.member("job", &run.job_name)?;
    file.member("run_id", &run.run_id)?;
    file.member("language", &data.settings.language.tag())?;
    file.member("currency_label", &data.settings.currency_label)?;
    file.member("min_group", &data.settings.min_group)?;
    file.member("as_of", &run.as_of)?;
    file.member("slice", &view.slice)?;
    file.rows("answers", &answers)?;
    file.rows("facts", &story.facts)?;
    file.rows("tasks", &story.tasks)?;
    file.member("input_files", &run.inputs.len())?;
    file.member("input_rows", &run.input_rows)?;
    file.member("inputs_verified", &run.inputs_verified)?;
    file.rows("checks", &checks(&run.job))?;
    let warnings: Vec<String> = run.warnings.iter().map(|warning| view.words.warning(warning)).collect();
    file.rows("warnings", &warnings)?;
    file.rows("method", &page::method_sentences(view))?;
    let totals = view.totals.iter().map(|t| {
        let money = t.revenue.map_or(Value::Null, Value::Money);
        json!({ "as_of": t.as_of.to_string(), "slice": t.slice, "customers": t.customers, "revenue": money })
    });
    file.rows("totals", &totals.collect::<Vec<_>>())?;
    let mut tables = JsonTables { file, error: None };
    data.visit(&mut tables);
    match tables.error {
        Some(error) => Err(error),
        None => Ok(tables.file.finish()),
    }
}

/// The object, member by member.
#[derive(Default)]
struct JsonObject(String);

impl JsonObject {
    fn key(&mut self, name: &str) {
        self.0.push_str(if self.0.is_empty() { "{\n" } else { ",\n" });
        self.0.push_str(&format!("\"{name}\": "));
    }

    fn member(&mut self, name: &str, value: &impl Serialize) -> Result<()> {
        self.key(name);
        self.0.push_str(&text(value)?);
        Ok(())
    }

    /// A member that is an array, with a line per element.
    fn rows(&mut self, name: &str, rows: &[impl Serialize]) -> Result<()> {
        self.key(name);
        self.0.push('[');
        for (number, row) in rows.iter().enumerate() {
            self.0.push_str(if number == 0 { "\n" } else { ",\n" });
            self.0.push_str(&text(row)?);
        }
        self.0.push(']');
        Ok(())
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.push_str("\n}\n");
        self.0.into_bytes()
    }
}

/// JSON that can also stand inside HTML.
fn text(value: &impl Serialize) -> Result<String> {
    let text =
        serde_json::to_string(value).map_err(|e| Error::bug(format!("report.json cannot be written: {e}")).caused_by(e))?;
    Ok(escape::json(&text))
}

/// Writes the tables as members.
struct JsonTables {
    file: JsonObject,
    error: Option<Error>,
}

impl TableVisitor for JsonTables {
    fn table<R: Row>(&mut self, name: &'static str, rows: Option<&[Shown<R>]>) {
        let written = match rows {
            Some(rows) => self.file.rows(name, rows),
            None => self.file.member(name, &()),
        };
        self.error = self.error.take().or(written.err());
    }
}
