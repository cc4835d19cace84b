//! The files of sources, found and identified.

use std::os::unix::fs::FileExt;

use rfmill_query_request::Format;

use crate::error::{Error, Result};
use crate::input::files::{self, InputPath};
use crate::input::regular_file::{FileState, open_regular};
use crate::input::source::Source;
use crate::job::Job;
use crate::job::query::DataSource;

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
    /// Its size, times and inode.
    pub state: FileState,
    /// SHA-256 of the footer, or of the last 64 KiB where a format has none.
    pub tail_sha256: String,
    /// Rows, once they are counted.
    pub rows: Option<u64>,
}

/// Finds the files of all sources, and reads what identifies them.
///
/// # Errors
/// Exit 2: a format that cannot be told; exit 4: no such file, or one that cannot be read.
pub(super) fn open(job: &Job) -> Result<Vec<OpenSource>> {
    job.sources.iter().map(|source| open_source(job, source)).collect()
}

fn open_source(job: &Job, source: &DataSource) -> Result<OpenSource> {
    let inputs = files::find(&source.paths, "source.path")?.files;
    let mut format = source.format;
    for input in &inputs {
        let found = source.format.or_else(|| by_ending(&input.name));
        let name = &source.name;
        match (found, format) {
            (None, _) => {
                return Err(Error::usage(format!(
                    "{}: source {name:?}: the ending of {} does not tell its format; give format = \"csv\", \"ndjson\", \"parquet\" or \"ipc\"",
                    job.source.locate("source", name),
                    input.path.display()
                )));
            }
            (Some(found), Some(before)) if found != before => {
                return Err(Error::usage(format!(
                    "{}: source {name:?}: {} is not of the format of the files before it; give each format a source of its own",
                    job.source.locate("source", name),
                    input.path.display()
                )));
            }
            (found, _) => format = found,
        }
    }
    let format = format.ok_or_else(|| Error::bug("a source without a file"))?;
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
        let name = input.path.display().to_string();
        let io =
            |e: std::io::Error| Error::input(format!("cannot read {name}: {e}; check the file and its permissions")).caused_by(e);
        let (file, stat) = open_regular(&input.path).map_err(io)?;
        let state = FileState::of(&stat);
        let size = state.size;
        if format == Format::Parquet {
            let source = Source::open(input, None)?;
            let (tail_sha256, rows) = (source.footer_hash.clone(), Some(source.rows()));
            return Ok(SourceFile { input: source.input, state, tail_sha256, rows });
        }
        if size == 0 {
            return Err(Error::input(format!("{name} is empty (0 bytes); write it again or remove it")));
        }
        let mut tail = vec![0; size.min(TAIL) as usize];
        file.read_exact_at(&mut tail, size - size.min(TAIL)).map_err(io)?;
        Ok(SourceFile { input, state, tail_sha256: crate::hash::sha256(&tail), rows: None })
    }

    /// The path as errors show it.
    pub fn name(&self) -> String {
        self.input.path.display().to_string()
    }

    /// Checks that the file is still the one that was opened.
    ///
    /// # Errors
    /// Exit 4 if it was replaced, changed or removed.
    pub fn check_unchanged(&self) -> Result<()> {
        match std::fs::metadata(&self.input.path).is_ok_and(|stat| FileState::of(&stat) == self.state) {
            true => Ok(()),
            false => {
                Err(Error::input(format!("{} changed while it was read; run again when its writer has finished", self.name())))
            }
        }
    }
}
