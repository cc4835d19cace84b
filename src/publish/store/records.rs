//! The commit records of an output in an object store; the one with the largest number is the truth.

use bytes::Bytes;

use super::super::layout::number_of;
use super::super::record::{Record, Written, unusable};
use crate::error::{Error, Kind, Result};
use crate::storage::{Created, Place, ReadError};

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
    if last == 0 { Ok(None) } else { read(root, last).map(Some) }
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
/// record itself tells whose it is: it holds the nonce of its writer.
///
/// # Errors
/// Exit 6 if it surely did not happen; exit 9 if that cannot be told.
pub fn add(root: &Place, written: &Written) -> Result<Added> {
    let number = written.record.number;
    let place = place_of(root, number);
    let unanswered = match place.create(Bytes::from(written.bytes.clone())) {
        Ok(Created::New) => return Ok(Added::Ours),
        Ok(Created::Existed) => None,
        Err(e) if e.is_unknown => Some(e),
        Err(e) => return Err(e.of(&place.to_string())),
    };
    match place.read() {
        Ok(found) if found == written.bytes => Ok(Added::Ours),
        Ok(found) => parsed(&place, found, number).map(|theirs| Added::Theirs(Box::new(theirs.record))),
        Err(unread) => {
            let cause = unanswered.map_or_else(|| unread.to_string(), |e| e.to_string());
            let what = format!(
                "it cannot be told whether the commit {place} happened: {cause}; nothing was removed, so run `rfmill verify` on the output, and then the job again"
            );
            Err(Error::new(Kind::Unknown, what).caused_by(unread))
        }
    }
}
