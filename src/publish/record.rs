//! The record of a commit: which run supplies every as-of date, which runs stay, and whose output it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::{Deserialize, Serialize, Serializer};

use super::facts::{DateFacts, StateFacts};
use super::layout::MADE;
use super::manifest::{Manifest, TableFile};
use super::placed::Placed;
use crate::error::{Error, Kind, Result};

/// The form of the records that this version writes. Outputs of 0.1.0 have form 1.
pub(super) const FORMAT: u32 = 2;

/// `commits/<n>.json`. The one with the largest number says all there is to say; those before are what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The form of the record.
    pub format: u32,
    /// Its number, that of the file.
    pub number: u64,
    /// Whose output it is.
    pub owner: Owner,
    /// What the commit did.
    pub act: Act,
    /// The run that `latest` names; none if no run is left whose last date is in view.
    pub latest: Option<String>,
    /// The committed runs that stay in `runs/`, the last committed first.
    pub runs: Vec<KeptRun>,
    /// The dates in view with what supplies them.
    pub dates: BTreeMap<String, Supply>,
    /// Dates that were taken out and not committed since.
    pub dropped: BTreeSet<String>,
    /// The files of the dimensions, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, MadeFile>,
    /// The states that dates in view have, by hash.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub states: BTreeMap<String, Vec<StateFacts>>,
    /// Where all files lie, in an object store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<Placed>,
    /// SHA-256 of the record with this field empty.
    pub check: String,
}

/// Whose output it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Name of the job.
    pub job: String,
    /// Its time zone; unknown for some outputs of 0.1.0.
    pub timezone: Option<String>,
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Committed this run.
    Run(String),
    /// Took these dates out.
    Drop(BTreeSet<String>),
    /// Went on without these runs, which were damaged.
    Forget(BTreeSet<String>),
    /// Took this number of customers out of every file. The trees before still hold them, and go.
    ForgetCustomers(u64),
}

/// A committed run that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRun {
    /// The run.
    pub run_id: String,
    /// SHA-256 of its manifest.
    pub manifest_sha256: String,
    /// Its last as-of date.
    pub last_as_of: String,
    /// Its last commit.
    pub commit: u64,
}

/// What supplies an as-of date. It is written as a list of its fields in this order: a record has one per date.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Supply {
    /// The run.
    pub run_id: String,
    /// SHA-256 of its manifest.
    pub manifest_sha256: String,
    /// The commit.
    pub commit: u64,
    /// Files that the commit made itself, beside those of the run.
    pub made: Vec<MadeFile>,
    /// What dimensions say of it.
    pub facts: DateFacts,
    /// Whether its files are gone. Nothing else is shown in their place.
    pub lost: bool,
}

impl Serialize for Supply {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        (&self.run_id, &self.manifest_sha256, self.commit, &self.made, &self.facts, self.lost).serialize(serializer)
    }
}

/// A file in `made/`, written as a list of its fields in this order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MadeFile {
    /// SHA-256 of the file, by which it is named.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Serialize for MadeFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        (&self.sha256, self.rows, self.bytes).serialize(serializer)
    }
}

impl MadeFile {
    /// The file as a manifest lists one. Its path leads from the folder of a run to it.
    pub(super) fn of_run(&self) -> TableFile {
        let MadeFile { sha256, rows, bytes } = self.clone();
        TableFile { path: format!("../../{MADE}/{sha256}.parquet"), rows, bytes, sha256 }
    }
}

impl Supply {
    /// Whether both are the same files.
    pub fn is_same(&self, other: &Supply) -> bool {
        self.run_id == other.run_id && self.manifest_sha256 == other.manifest_sha256 && self.hashes_made().eq(other.hashes_made())
    }

    fn hashes_made(&self) -> impl Iterator<Item = &str> {
        self.made.iter().map(|file| file.sha256.as_str())
    }
}

/// The record of an output that shows a date.
///
/// # Errors
/// Exit 2 if it does not show it; exit 5 if nothing is committed.
pub(super) fn droppable<'a>(output: &dyn Display, last: Option<&'a Record>, date: &str) -> Result<&'a Record> {
    let nothing = || format!("{output} holds no committed run, so there is no date to drop; check the path");
    let last = last.ok_or_else(|| Error::new(Kind::State, nothing()))?;
    if last.dates.contains_key(date) {
        return Ok(last);
    }
    let newest: Vec<&str> = last.dates.keys().rev().take(5).rev().map(String::as_str).collect();
    let newest = if newest.is_empty() { "none".into() } else { newest.join(", ") };
    Err(Error::usage(format!("{output} shows no as-of date {date}; its last dates are: {newest}")))
}

impl Owner {
    /// Checks that an output which belongs to this job is also that of `other`.
    ///
    /// # Errors
    /// Exit 5 if it belongs to another job or time zone.
    pub fn check(&self, output: &dyn Display, other: &Owner) -> Result<()> {
        let is_zone = self.timezone.is_none() || self.timezone == other.timezone;
        if self.job == other.job && is_zone {
            return Ok(());
        }
        let (whose, mine) = match self.job == other.job {
            false => (format!("the job {:?}", self.job), format!("{:?}", other.job)),
            true => {
                let zone = |owner: &Owner| owner.timezone.clone().unwrap_or_default();
                (format!("orders in the time zone {}", zone(self)), zone(other))
            }
        };
        Err(Error::new(
            Kind::State,
            format!(
                "{output} is the output of {whose}, not of {mine}; give every job a folder of its own with output.path or --output, or run once with --adopt to make the folder that of this job"
            ),
        ))
    }
}

/// A record, and its bytes as they lie in its file: it grows with the history, so it is written down once.
#[derive(Debug)]
pub(super) struct Written {
    /// The record.
    pub record: Record,
    /// Its bytes; none if they are those of several records of 0.1.0.
    pub bytes: Vec<u8>,
}

/// What records of every form say.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// The error of a record that cannot be used.
pub(super) fn unusable(name: &dyn Display, found: impl Display) -> Error {
    Error::new(
        Kind::State,
        format!("{name} {found}; see what `rfmill verify` says of the output, which can restore some records"),
    )
}

impl Record {
    /// The record of the first commit of an output, before anything is in view.
    pub fn empty(owner: Owner) -> Record {
        Record {
            format: FORMAT,
            number: 0,
            owner,
            act: Act::Drop(BTreeSet::new()),
            latest: None,
            runs: Vec::new(),
            dates: BTreeMap::new(),
            dropped: BTreeSet::new(),
            dimensions: BTreeMap::new(),
            states: BTreeMap::new(),
            placed: None,
            check: String::new(),
        }
    }

    /// Whether the record is one of 0.1.0, read as one of ours.
    pub fn is_legacy(&self) -> bool {
        self.format < FORMAT && self.number > 0
    }

    /// The kept run with this id.
    pub fn run(&self, run_id: &str) -> Option<&KeptRun> {
        self.runs.iter().find(|run| run.run_id == run_id)
    }

    /// The folder of a run in an object store, by the SHA-256 of its manifest.
    pub fn folder_of(&self, sha256: &str) -> Option<&str> {
        self.placed.as_ref()?.folders.get(sha256).map(String::as_str)
    }

    /// The files that the commit of a run made, as long as the run supplies its last date.
    pub fn made_by(&self, manifest: &Manifest) -> Vec<MadeFile> {
        let supply = manifest.as_of.last().and_then(|date| self.dates.get(date));
        let supply = supply.filter(|supply| supply.run_id == manifest.run_id && !supply.lost);
        supply.map(|supply| supply.made.clone()).unwrap_or_default()
    }

    /// Dates whose files are gone.
    pub fn lost(&self) -> impl Iterator<Item = &str> {
        self.dates.iter().filter(|(_, supply)| supply.lost).map(|(date, _)| date.as_str())
    }

    /// The record as it is written.
    ///
    /// # Errors
    /// Exit 1 if it cannot be written down.
    pub fn written(mut self) -> Result<Written> {
        self.check.clear();
        let mut bytes =
            serde_json::to_vec(&self).map_err(|e| Error::bug(format!("the commit cannot be written: {e}")).caused_by(e))?;
        let check = crate::hash::sha256(&bytes);
        bytes.truncate(bytes.len() - END.len());
        bytes.extend_from_slice(check.as_bytes());
        bytes.extend_from_slice(END);
        bytes.push(b'\n');
        self.check = check;
        Ok(Written { record: self, bytes })
    }

    /// Whether the content of a file is that of a record which a newer version wrote.
    pub fn is_newer(bytes: &[u8]) -> bool {
        serde_json::from_slice::<Head>(bytes).is_ok_and(|head| head.format > FORMAT)
    }

    /// Reads the record of this number from the content of a file.
    ///
    /// # Errors
    /// Exit 5 if it is damaged, of another number, or of a form that a newer version wrote.
    pub fn parse(name: &dyn Display, bytes: &[u8], number: u64) -> Result<Record> {
        let record: std::result::Result<Record, serde_json::Error> = serde_json::from_slice(bytes);
        let newer = match &record {
            Ok(record) => Some(record.format),
            Err(_) => serde_json::from_slice(bytes).ok().map(|head: Head| head.format),
        };
        if let Some(format) = newer.filter(|format| *format > FORMAT) {
            return Err(Error::new(
                Kind::State,
                format!(
                    "{name} is of form {format}, which a newer rfmill writes; expected at most {FORMAT}. Use that version for this output"
                ),
            ));
        }
        let record = record.map_err(|e| unusable(name, format!("cannot be read: {e}")).caused_by(e))?;
        if !is_as_written(bytes, &record.check) {
            return Err(unusable(name, "was changed or damaged after it was written"));
        }
        if record.number != number {
            return Err(unusable(name, format!("is the record of commit {}, not of {number}", record.number)));
        }
        Ok(record)
    }
}

/// What a record ends with, behind its check.
const END: &[u8] = b"\"}";

/// Whether the bytes of a record are those that its check was made of. A night reads several records that grow with the history,
/// so they are hashed as they lie there, and not written once more to be compared.
fn is_as_written(bytes: &[u8], check: &str) -> bool {
    let end = [check.as_bytes(), END, b"\n"].concat();
    let Some(begin) = bytes.strip_suffix(end.as_slice()) else { return false };
    begin.ends_with(b"\"check\":\"") && crate::hash::sha256(&[begin, END].concat()) == check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_byte_of_a_record_is_found() {
        let made = MadeFile { sha256: "ee".into(), rows: 1, bytes: 2 };
        let supply = Supply {
            run_id: "a1".into(),
            manifest_sha256: "ff".into(),
            commit: 3,
            made: vec![made],
            facts: DateFacts::default(),
            lost: false,
        };
        let owner = Owner { job: "nightly".into(), timezone: Some("UTC".into()) };
        let kept = KeptRun { run_id: "a1".into(), manifest_sha256: "ff".into(), last_as_of: "2024-12-31".into(), commit: 3 };
        let record = Record {
            number: 3,
            act: Act::Run("a1".into()),
            latest: Some("a1".into()),
            runs: vec![kept],
            dates: [("2024-12-31".to_owned(), supply)].into(),
            ..Record::empty(owner)
        };
        let (path, Written { record, bytes }) = (&"commits/00000003.json", record.written().unwrap());
        let read = Record::parse(path, &bytes, 3).unwrap();
        assert_eq!(read, record);
        for at in 0..bytes.len() {
            for mask in [1, 0x20, 0x80] {
                let mut flipped = bytes.clone();
                flipped[at] ^= mask;
                assert!(Record::parse(path, &flipped, 3).is_err(), "byte {at} of {}", String::from_utf8_lossy(&bytes));
            }
            assert!(Record::parse(path, &bytes[..at], 3).is_err());
        }
        let moved = Record::parse(path, &bytes, 4).unwrap_err().to_string();
        assert!(moved.contains("is the record of commit 3, not of 4; "), "{moved}");
    }
}
