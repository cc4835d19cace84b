//! Reports that people read, from a run's summed tables: `index.html`, `report.json`, `workbook.xlsx`.
//!
//! ```text
//! tables ─ read ─ suppress ─ view ─ story ─ page, json, workbook
//! ```
//!
//! The report knows nothing of the engine: it takes Arrow batches ([`ReportData::take`]) or a committed run
//! ([`read_run`]), and [`write()`] turns that into files in memory. Small groups are suppressed before anything else sees the
//! data; text from outside is escaped at one place (`escape`). The bytes depend on the data and the settings alone: there is
//! no clock, no random number and no customer id in a report.

mod arm_effects;
mod at_cut;
mod chart;
mod colour;
mod data;
pub mod escape;
mod groups;
mod heading;
mod json;
mod language;
mod markup;
mod number;
mod page;
mod period;
mod read;
mod story;
mod suppress;
mod view;
mod workbook;

pub use data::{ReportData, Settings, Shown};
pub use groups::{GroupSizes, ShownGroups};
pub use language::Language;
pub use read::read_run;

use crate::error::{Error, Result, suggestion};

/// A kind of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportFormat {
    /// `index.html`: one page for people.
    Html,
    /// `report.json`: the same for programs.
    Json,
    /// `workbook.xlsx`: the same for Excel.
    Xlsx,
}

impl ReportFormat {
    /// All kinds.
    pub const ALL: [ReportFormat; 3] = [ReportFormat::Html, ReportFormat::Json, ReportFormat::Xlsx];

    /// The kind that `output.report` calls so.
    ///
    /// # Errors
    /// Exit 2 with the kinds there are.
    pub fn parse(name: &str) -> Result<ReportFormat> {
        ReportFormat::ALL.into_iter().find(|f| f.name() == name).ok_or_else(|| {
            let near = suggestion(name, ReportFormat::ALL.map(ReportFormat::name));
            Error::usage(format!("output.report: there is no report {name:?}{near} (reports: html, json, xlsx)"))
        })
    }

    /// What `output.report` calls it.
    pub fn name(self) -> &'static str {
        match self {
            ReportFormat::Html => "html",
            ReportFormat::Json => "json",
            ReportFormat::Xlsx => "xlsx",
        }
    }

    /// Its file in the folder `report/`.
    pub fn file_name(self) -> &'static str {
        match self {
            ReportFormat::Html => "index.html",
            ReportFormat::Json => "report.json",
            ReportFormat::Xlsx => "workbook.xlsx",
        }
    }
}

/// A file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Its name in the folder `report/`.
    pub name: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Writes reports, in the order of `formats`.
///
/// # Errors
/// Exit 1 if the words of the language or a file cannot be put together, which is a bug.
pub fn write(data: ReportData, formats: &[ReportFormat]) -> Result<Vec<ReportFile>> {
    let words = language::Words::load(data.settings.language)?;
    let (data, totals) = suppress::apply(data);
    let view = view::View::new(&data, &totals, words);
    let story = story::tell(&view);
    let file = |format: &ReportFormat| {
        let bytes = match format {
            ReportFormat::Html => page::write(&view, &story),
            ReportFormat::Json => json::write(&view, &story),
            ReportFormat::Xlsx => workbook::write(&view, &story),
        };
        Ok(ReportFile { name: format.file_name(), bytes: bytes? })
    };
    formats.iter().map(file).collect()
}
