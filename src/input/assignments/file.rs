//! One file of assignments, opened and identified.

use std::io::Read;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::input::file_kind::{HEAD, looks_like};
use crate::input::hashes::{HashList, VerifiedHash};
use crate::input::input_path::InputPath;
use crate::input::source::Source;
use crate::storage::{FileState, Version};

/// A file of assignments with the identity of its content.
#[derive(Debug, Clone)]
pub struct AssignmentFile {
    /// Where it is and what the job calls it.
    pub input: InputPath,
    /// Its size, times and inode.
    pub state: FileState,
    /// SHA-256 of the footer (Parquet) or of the whole file (CSV).
    pub hash: String,
    /// Its whole hash, if a list of hashes was given.
    pub verified: Option<VerifiedHash>,
    /// The opened Parquet file; none for CSV.
    pub(super) source: Option<Source>,
}

impl AssignmentFile {
    pub(super) fn open(input: InputPath, hashes: Option<&Arc<HashList>>, has_naive_int96: bool) -> Result<AssignmentFile> {
        let is_csv = input.place.has_ending("csv");
        if !is_csv {
            let source = Source::open(input, hashes)?.with_int96(has_naive_int96);
            return Ok(AssignmentFile {
                input: source.input.clone(),
                state: source.state.clone(),
                hash: source.footer_hash.clone(),
                verified: source.verified.clone(),
                source: Some(source),
            });
        }
        let name = input.place.to_string();
        let file = input.place.open().map_err(|e| e.of(&name))?;
        let state = file.state.clone();
        let verified = hashes.map(|list| list.check(&input, &file)).transpose()?;
        let mut file = file.reader(0);
        let (mut hash, mut buffer, mut head) = (Sha256::new(), vec![0; 1 << 16], Vec::new());
        loop {
            let length = file.read(&mut buffer).map_err(|e| Error::input(format!("cannot read {name}: {e}")).caused_by(e))?;
            let Some(bytes) = buffer.get(..length).filter(|b| !b.is_empty()) else { break };
            if head.is_empty() {
                head.extend_from_slice(bytes.get(..HEAD).unwrap_or(bytes));
            }
            hash.update(bytes);
        }
        if head.starts_with(b"PAR1") || head.starts_with(&[0x1f, 0x8b]) || head.starts_with(b"PK\x03\x04") {
            let found = if head.starts_with(b"PAR1") { "a Parquet file" } else { looks_like(&head) };
            return Err(Error::input(format!(
                "{name} is not CSV: it begins like {found}; give it the ending of what it is, or write it as CSV"
            )));
        }
        Ok(AssignmentFile { state, verified, hash: crate::hash::hex(&hash.finalize()), source: None, input })
    }

    /// What tells it from a file of equal size and time; none if all of its content was hashed.
    pub fn version_that_tells(&self) -> Option<&Version> {
        let is_hashed = self.verified.is_some() || self.source.is_none();
        (!is_hashed).then_some(&self.state.version)
    }

    /// The path as errors show it.
    pub fn name(&self) -> String {
        self.input.shown()
    }

    /// Rows by the footer; `None` for CSV, whose rows are known once it is read.
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
        self.input.check_unchanged(&self.state)
    }
}
