//! Opening all files of one kind of table.

use rayon::prelude::*;

use super::find;
use super::hashes::HashList;
use super::input_path::{ARGUMENT, Found, InputPath};
use super::joined::{self, SchemaWanted};
use super::source::Source;
use crate::domain::Warning;
use crate::error::Result;
use crate::job::Job;
use crate::job::paths::InputPaths;

/// Files that were opened, and what to say of them.
#[derive(Debug, Default)]
pub struct Opened {
    /// The files, by name.
    pub sources: Vec<Source>,
    /// What was passed over, and columns that some files lack.
    pub warnings: Vec<Warning>,
}

/// Opens the files that `key` names, checks them against the list of hashes that `manifest_key` names, if any, and
/// joins their schemas.
pub(crate) fn open_all(
    job: &Job,
    paths: &InputPaths,
    key: &'static str,
    manifest: Option<&str>,
    manifest_key: &'static str,
    schema: &SchemaWanted,
) -> Result<Opened> {
    let Found { files, mut warnings } = find::find(paths, key)?;
    let hashes = HashList::named(manifest, job.source.folder(), manifest_key)?;
    // In the order of the paths, so that the first error is always the same one.
    let opened: Vec<Result<Source>> = files.into_par_iter().map(|input| Source::open(input, hashes.as_ref())).collect();
    let mut sources = opened.into_iter().collect::<Result<Vec<Source>>>()?;
    warnings.extend(joined::join(&mut sources, schema));
    Ok(Opened { sources, warnings })
}

/// The files that arguments of a command name.
///
/// # Errors
/// Exit 4: none, or one that cannot be read.
pub(crate) fn find_files(paths: &InputPaths) -> Result<Vec<InputPath>> {
    Ok(find::find(paths, ARGUMENT)?.files)
}

/// The Parquet files that arguments of a command name, opened, with their schemas joined.
///
/// # Errors
/// Exit 4: none, or one that cannot be read.
pub(crate) fn open_files(paths: &InputPaths) -> Result<Vec<Source>> {
    let files = find_files(paths)?;
    let opened: Vec<Result<Source>> = files.into_par_iter().map(|input| Source::open(input, None)).collect();
    let mut sources = opened.into_iter().collect::<Result<Vec<Source>>>()?;
    joined::join(&mut sources, &SchemaWanted::default());
    Ok(sources)
}
