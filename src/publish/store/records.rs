//! The commit records of an output in an object store; the one with the largest number is the truth.

use bytes::Bytes;

use super::super::layout::number_of;
use super::super::record::{Act, Record, Written, unusable};
use crate::error::{Error, Kind, Result};
use crate::storage::{Created, Fault, Place, ReadError};

/// The folder of the records.
pub const COMMITS: &str = "commits";

/// The record of this number.
pub fn place_of(root: &Place, number: u64) -> Place {
    root.join(&format!("{COMMITS}/{number:08}.json"))
}

/// The record of the last commit, if there is one.
///
/// # Errors
/// Exit 5 if it cannot be used, or a name among the records is that of none.
pub fn last(root: &Place) -> Result<Option<Written>> {
    match newest(root)? {
        0 => Ok(None),
        number => read(root, number).map(Some),
    }
}

/// The number of the last commit; 0 if there is none.
///
/// # Errors
/// Exit 5 if the records cannot be listed, or a name among them is that of none.
pub fn newest(root: &Place) -> Result<u64> {
    let folder = root.join(COMMITS);
    let unlisted = |e: ReadError| Error::new(Kind::State, format!("cannot list {folder}: {e}")).caused_by(e);
    let mut last = 0;
    for listed in folder.list().map_err(unlisted)? {
        last = last.max(number_of(&listed.key, ".json").ok_or_else(|| {
            let place = folder.join(&listed.key);
            let what = format!("{place} is no record of a commit; expected names such as 00000012.json. Move it away");
            Error::new(Kind::State, what)
        })?);
    }
    Ok(last)
}

/// What was committed since a record was read: the act of every commit, and the record of the last one.
#[derive(Debug, Default)]
pub struct Since {
    /// The acts, in their order.
    pub acts: Vec<Act>,
    /// The last record; none if nothing was committed.
    pub last: Option<Record>,
}

impl Since {
    /// Adds the next commit.
    pub fn push(&mut self, record: Record) {
        self.acts.push(record.act.clone());
        self.last = Some(record);
    }
}

/// What was committed since the commit of a number.
///
/// # Errors
/// Exit 5 if one of the records is gone or damaged: the number of one that is gone could be given to another commit.
pub fn since(root: &Place, number: u64) -> Result<Since> {
    let newest = newest(root)?;
    let mut since = Since::default();
    for next in number + 1..=newest {
        since.push(read(root, next)?.record);
    }
    match newest < number {
        true => Err(unusable(&place_of(root, number), "was removed while it was in use")),
        false => Ok(since),
    }
}

/// The record of a commit, if it is there.
///
/// # Errors
/// Exit 5 if it is damaged or cannot be read.
pub fn find(root: &Place, number: u64) -> Result<Option<Record>> {
    match place_of(root, number).state() {
        Err(e) if e.fault == Fault::Missing => Ok(None),
        _ => read(root, number).map(|written| Some(written.record)),
    }
}

/// The record of a commit, as it was written.
///
/// # Errors
/// Exit 5 if it is missing or damaged.
pub fn read(root: &Place, number: u64) -> Result<Written> {
    let place = place_of(root, number);
    let bytes = place.read().map_err(|e| unusable(&place, format!("cannot be read: {e}")).caused_by(e))?;
    parsed(&place, bytes, number)
}

fn parsed(place: &Place, bytes: Vec<u8>, number: u64) -> Result<Written> {
    let record = Record::parse(place, &bytes, number)?;
    match record.placed {
        Some(_) => Ok(Written { record, bytes }),
        None => Err(unusable(place, "is the record of an output on a disk, which a copy in an object store is not")),
    }
}

/// Whose commit has a number.
#[derive(Debug)]
pub enum Added {
    /// Ours.
    Ours,
    /// That of another writer.
    Theirs(Box<Record>),
}

/// Adds a record to those of the output. This is the one step that makes a commit the last one. Where its answer is lost, the
/// record itself tells whose it is: it holds the nonce of its writer. A refusal is read back, too, since a request before it that
/// was repeated may have been done.
///
/// # Errors
/// Exit 5 if a newer version wrote the record that is there; exit 6 if it surely did not happen; exit 9 if that cannot be told.
pub fn add(root: &Place, written: &Written) -> Result<Added> {
    let number = written.record.number;
    let place = place_of(root, number);
    let failed = match place.create(Bytes::from(written.bytes.clone())) {
        Ok(Created::New) => return Ok(Added::Ours),
        Ok(Created::Existed) => None,
        Err(e) => Some(e),
    };
    let unknown = |cause: &dyn std::fmt::Display| {
        let what = format!("it cannot be told whether the commit {place} happened: {cause}");
        let advice = "nothing was removed, so run `rfmill verify` on the output, and then the job again";
        Error::new(Kind::Unknown, format!("{what}; {advice}"))
    };
    match (place.read(), failed) {
        (Ok(found), _) if found == written.bytes => Ok(Added::Ours),
        (Ok(found), _) => {
            let is_newer = Record::is_newer(&found);
            match parsed(&place, found, number) {
                Ok(theirs) => Ok(Added::Theirs(Box::new(theirs.record))),
                Err(e) if is_newer => Err(e),
                // It may be ours, damaged.
                Err(e) => Err(unknown(&e).caused_by(e)),
            }
        }
        (Err(unread), Some(e)) if unread.fault == Fault::Missing && !e.is_unknown => Err(e.of(&place.to_string())),
        (Err(unread), Some(e)) => Err(unknown(&e).caused_by(unread)),
        (Err(unread), None) => Err(unknown(&unread).caused_by(unread)),
    }
}
