//! Assignment tables: Parquet or CSV files of who was put into which arm on which day.
//!
//! OrderColumns by name: `customer_id`, `arm`, `assigned_on`; if they are there, `strategy`, `stratum` (or else `state`),
//! `cost`, `contacts` and `ended_on`; others are not read. [`open`] takes the files' fingerprints for the run's hash,
//! [`read`] reads the rows of one strategy into [`Assignments`].

mod csv;
mod merge;
mod parquet;
mod rows;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::files::{self, InputPath};
use super::hashes::{HashList, VerifiedHash};
use super::orders::columns::OrderColumns;
use super::regular_file::{looks_like, mtime_ns, open_regular};
use super::source::Source;
use super::zone::Zone;
use crate::assign::Assignments;
use crate::domain::{IdType, format_money};
use crate::error::{Error, Result};
use crate::job::Strategy;

/// A file of assignments, with what identifies its content.
#[derive(Debug, Clone)]
pub struct AssignmentFile {
    /// Where it is and what the job calls it.
    pub input: InputPath,
    /// Bytes.
    pub size: u64,
    /// Modification time in nanoseconds since 1970.
    pub mtime_ns: i128,
    /// SHA-256 of the footer (Parquet) or of the whole file (CSV).
    pub hash: String,
    /// Its whole hash, if a list of hashes was given.
    pub verified: Option<VerifiedHash>,
    /// The opened Parquet file; none for CSV.
    source: Option<Source>,
}

/// What to read, and what it must fit.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// How errors call what is read: `strategy "mail"`, `--avoid`.
    pub whose: String,
    /// The strategy whose rows count in tables with a `strategy` column; none takes all rows.
    pub strategy: Option<&'a str>,
    /// The arms there can be; empty takes every arm that is found.
    pub arms: Vec<&'a str>,
    /// An arm that must be there.
    pub control: Option<&'a str>,
    /// The type of the orders' customer ids.
    pub id: IdType,
    /// Digits behind the point of the money.
    pub scale: u32,
    /// Whose calendar days count in timestamps.
    pub zone: &'a Zone,
    /// Zone of naive timestamps, if it is another.
    pub naive_zone: Option<&'a Zone>,
    /// By how many ranges of their customers' hashes the rows are laid out: a power of two.
    pub parts: usize,
}

impl<'a> Request<'a> {
    /// The request of a strategy of the job, whose orders have these columns and this money scale.
    pub fn of(strategy: &'a Strategy, orders: &'a OrderColumns, scale: u32, parts: usize) -> Request<'a> {
        Request {
            whose: format!("strategy {:?}", strategy.name),
            strategy: Some(&strategy.name),
            arms: strategy.arms.iter().map(|arm| arm.name.as_str()).collect(),
            control: strategy.control.as_deref(),
            id: orders.id,
            scale,
            zone: &orders.zone,
            naive_zone: orders.naive_zone.as_ref(),
            parts,
        }
    }

    /// The part of a customer with this hash.
    fn part_of(&self, hash: u64) -> usize {
        hash.checked_shr(u64::BITS - self.parts.trailing_zeros()).unwrap_or(0) as usize
    }
}

/// Finds and opens the files of assignments; `key` is the key of the job file, or the flag, that names them. With a list of
/// hashes they must be as it says.
///
/// # Errors
/// Exit 4: no such file, or one that cannot be read.
pub fn open(patterns: &[(String, PathBuf)], key: &'static str, hashes: Option<&Arc<HashList>>) -> Result<Vec<AssignmentFile>> {
    let inputs = files::find(patterns, key)?;
    // In the order of the paths, so that the first error is always the same one.
    let opened: Vec<Result<AssignmentFile>> = inputs.into_par_iter().map(|input| AssignmentFile::open(input, hashes)).collect();
    opened.into_iter().collect()
}

/// Checks that files have the columns that a request needs, of types that serve. No row is read.
///
/// # Errors
/// Exit 3: a column is missing, stands there twice or is of another type. Exit 4: a file that cannot be read.
pub fn check(files: &[AssignmentFile], request: &Request) -> Result<()> {
    files.iter().try_for_each(|file| match &file.source {
        Some(source) => parquet::check(source, request),
        None => csv::check(&file.name(), &file.input.path),
    })
}

/// Reads the assignments of a request, part by part of their customers. ChunkRows that are no assignments count with the first.
///
/// # Errors
/// Exit 3: a missing column, a value or an arm that cannot be, names that differ only in case or blanks, no row at
/// all. Exit 4: files that cannot be read or changed meanwhile.
pub fn read(files: &[AssignmentFile], request: &Request) -> Result<Vec<Assignments>> {
    let chunks: Vec<Result<Vec<rows::FileChunk>>> = files
        .par_iter()
        .map(|file| {
            let chunks = match &file.source {
                Some(source) => parquet::read(source, request)?,
                None => vec![csv::read(&file.name(), &file.input.path, request)?],
            };
            file.check_unchanged()?;
            Ok(chunks)
        })
        .collect();
    let mut all = Vec::new();
    for (file, chunks) in files.iter().zip(chunks) {
        all.extend(chunks?.into_iter().map(|chunk| (file.name(), chunk)));
    }
    merge::merge(all, request)
}

/// What to say of a cost below zero, minor units.
fn negative_cost(cost: i64, scale: u32) -> String {
    let cost = format_money(cost.into(), scale);
    format!("cost is {cost}; expected 0 or more: what a treatment brings is in the orders, not in its cost")
}

impl AssignmentFile {
    fn open(input: InputPath, hashes: Option<&Arc<HashList>>) -> Result<AssignmentFile> {
        let is_csv = input.path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        if !is_csv {
            let source = Source::open(input, hashes)?;
            return Ok(AssignmentFile {
                input: source.input.clone(),
                size: source.size,
                mtime_ns: source.mtime_ns,
                hash: source.footer_hash.clone(),
                verified: source.verified.clone(),
                source: Some(source),
            });
        }
        let name = input.path.display().to_string();
        let io =
            |e: std::io::Error| Error::input(format!("cannot read {name}: {e}; check the file and its permissions")).caused_by(e);
        let (mut file, stat) = open_regular(&input.path).map_err(io)?;
        let verified = hashes.map(|list| list.check(&input, &file, stat.len())).transpose()?;
        let (mut hash, mut buffer, mut head) = (Sha256::new(), vec![0; 1 << 16], Vec::new());
        loop {
            let length = file.read(&mut buffer).map_err(io)?;
            let Some(bytes) = buffer.get(..length).filter(|b| !b.is_empty()) else { break };
            if head.is_empty() {
                head.extend_from_slice(bytes.get(..4).unwrap_or(bytes));
            }
            hash.update(bytes);
        }
        if head.starts_with(b"PAR1") || head.starts_with(&[0x1f, 0x8b]) || head.starts_with(b"PK\x03\x04") {
            let found = if head.starts_with(b"PAR1") { "a Parquet file" } else { looks_like(&head) };
            return Err(Error::input(format!(
                "{name} is not CSV: it begins like {found}; give it the ending of what it is, or write it as CSV"
            )));
        }
        Ok(AssignmentFile {
            size: stat.len(),
            mtime_ns: mtime_ns(&stat),
            verified,
            hash: crate::hash::hex(&hash.finalize()),
            source: None,
            input,
        })
    }

    /// The path as errors show it.
    pub fn name(&self) -> String {
        self.input.path.display().to_string()
    }

    /// ChunkRows by the footer; none for CSV, whose rows are known when it is read.
    pub fn rows(&self) -> Option<u64> {
        self.source.as_ref().map(Source::rows)
    }

    /// Checks that the file is still the one that was opened.
    ///
    /// # Errors
    /// Exit 4 if it was replaced, changed or removed.
    pub fn check_unchanged(&self) -> Result<()> {
        if let Some(source) = &self.source {
            return source.check_unchanged();
        }
        let same =
            std::fs::metadata(&self.input.path).is_ok_and(|stat| stat.len() == self.size && mtime_ns(&stat) == self.mtime_ns);
        match same {
            true => Ok(()),
            false => {
                Err(Error::input(format!("{} changed while it was read; run again when its writer has finished", self.name())))
            }
        }
    }
}
