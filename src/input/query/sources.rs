//! The files of sources, found and identified.

use std::path::PathBuf;

use rfmill_query_request::Format;

use crate::error::{Error, Result};
use crate::input::find;
use crate::input::input_path::InputPath;
use crate::input::source::Source;
use crate::job::Job;
use crate::job::query::DataSource;
use crate::storage::{FileState, ReadError};

/// Bytes at the end of a file without a footer that stand for it.
const TAIL: u64 = 1 << 16;

/// A table that queries may name, with its files.
#[derive(Debug, Clone)]
pub struct OpenSource {
    /// Its name.
    pub name: String,
    /// The format of its files.
    pub format: Format,
    /// Its files, in order.
    pub files: Vec<SourceFile>,
}

/// A file of a source.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its path and its name in the job.
    pub input: InputPath,
    /// What tells it from one that was changed or replaced.
    pub state: FileState,
    /// SHA-256 of the footer, or of the last 64 KiB where a format has none.
    pub tail_sha256: String,
    /// Rows, once they are counted.
    pub rows: Option<u64>,
    /// What its rows are copied from, if they must be.
    pub(super) to_copy: Option<Box<Source>>,
    /// The copy of its rows, if there is one.
    pub(super) copy: Option<PathBuf>,
}

/// Finds the files of all sources, and reads what identifies them.
///
/// # Errors
/// Exit 2: a format that cannot be told; exit 4: no such file, or one that cannot be read.
pub(super) fn open(job: &Job) -> Result<Vec<OpenSource>> {
    job.sources.iter().map(|source| open_source(job, source)).collect()
}

fn open_source(job: &Job, source: &DataSource) -> Result<OpenSource> {
    let inputs = find::find(&source.paths, "source.path")?.files;
    let mut format = source.format;
    for input in &inputs {
        let found = match input.table {
            Some(_) => Some(Format::Parquet),
            None => source.format.or_else(|| by_ending(&input.name)),
        };
        let name = &source.name;
        match (found, format) {
            (None, _) => {
                return Err(Error::usage(format!(
                    "{}: source {name:?}: the ending of {} does not tell its format; give format = \"csv\", \"ndjson\", \"parquet\" or \"ipc\"",
                    job.source.locate("source", name),
                    input.place
                )));
            }
            (Some(found), Some(before)) if found != before => {
                return Err(Error::usage(format!(
                    "{}: source {name:?}: {} is not of the format of the files before it; give each format a source of its own",
                    job.source.locate("source", name),
                    input.place
                )));
            }
            (found, _) => format = found,
        }
    }
    let format = format.ok_or_else(|| Error::bug("a source without a file"))?;
    if let Some(input) = inputs.iter().find(|input| input.place.local().is_none() && format != Format::Parquet) {
        return Err(Error::input(format!(
            "{}: source {:?} names {}, and in object stores queries read Parquet alone; copy or mount the files",
            job.source.locate("source", &source.name),
            source.name,
            input.place
        )));
    }
    let files = inputs.into_iter().map(|input| SourceFile::open(input, format)).collect::<Result<_>>()?;
    Ok(OpenSource { name: source.name.clone(), format, files })
}

fn by_ending(name: &str) -> Option<Format> {
    let (_, ending) = name.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "txt" => Some(Format::Csv),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        "parquet" => Some(Format::Parquet),
        "ipc" | "arrow" | "feather" => Some(Format::Ipc),
        _ => None,
    }
}

impl SourceFile {
    fn open(input: InputPath, format: Format) -> Result<SourceFile> {
        let name = input.place.to_string();
        let unread = |e: ReadError| e.of(&name);
        let file = input.place.open().map_err(unread)?;
        let state = file.state.clone();
        let size = state.size;
        if format == Format::Parquet {
            let source = Source::open(input, None)?;
            let (tail_sha256, rows) = (source.footer_hash.clone(), Some(source.rows()));
            let input = source.input.clone();
            let is_copied = input.table.is_some() || input.place.local().is_none();
            let to_copy = is_copied.then(|| Box::new(source));
            return Ok(SourceFile { input, state, tail_sha256, rows, to_copy, copy: None });
        }
        if size == 0 {
            return Err(Error::input(format!("{name} is empty (0 bytes); write it again or remove it")));
        }
        let mut tail = vec![0; size.min(TAIL) as usize];
        file.read_exact_at(&mut tail, size - size.min(TAIL)).map_err(unread)?;
        Ok(SourceFile { input, state, tail_sha256: crate::hash::sha256(&tail), rows: None, to_copy: None, copy: None })
    }

    /// The path as errors show it.
    pub fn name(&self) -> String {
        self.input.place.to_string()
    }

    /// Checks that the file is still the one that was opened.
    ///
    /// # Errors
    /// Exit 4 if it was replaced, changed or removed.
    pub fn check_unchanged(&self) -> Result<()> {
        self.input.check_unchanged(&self.state)
    }
}
