//! One file of assignments, opened and identified.

use std::io::Read;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::input::files::InputPath;
use crate::input::hashes::{HashList, VerifiedHash};
use crate::input::regular_file::{FileState, HEAD, looks_like, open_regular};
use crate::input::source::Source;

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
        let is_csv = input.path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        if !is_csv {
            let source = Source::open(input, hashes)?.with_int96(has_naive_int96);
            return Ok(AssignmentFile {
                input: source.input.clone(),
                state: source.state,
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
        Ok(AssignmentFile {
            state: FileState::of(&stat),
            verified,
            hash: crate::hash::hex(&hash.finalize()),
            source: None,
            input,
        })
    }

    /// Whether all of its content was hashed, so that a file of equal size and time is told from it.
    pub fn has_known_content(&self) -> bool {
        self.verified.is_some() || self.source.is_none()
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
        let same = std::fs::metadata(&self.input.path).is_ok_and(|stat| FileState::of(&stat) == self.state);
        match same {
            true => Ok(()),
            false => {
                Err(Error::input(format!("{} changed while it was read; run again when its writer has finished", self.name())))
            }
        }
    }
}
