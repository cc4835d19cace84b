//! A CSV file in parts, each of which is read once, by whichever thread comes to it.
//!
//! A file is cut at line breaks, and each part is read as if it began outside of quotes. If no part has a fault, that was so, because
//! the first one does and each ends outside of quotes. Else the file is looked at from its beginning, which tells a fault from a cut
//! within quotes, and is then cut where records end.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use memchr::memchr;

use super::records::{Field, records};

/// Bytes of a part.
pub const PART: u64 = 4 << 20;

/// What [`Parts::counts`] hold before a part is read.
const UNREAD: u64 = u64::MAX;

/// A byte order mark.
pub const MARK: &[u8] = b"\xef\xbb\xbf";

/// A file in parts.
#[derive(Debug)]
pub struct Parts {
    file: File,
    separator: u8,
    fields: usize,
    /// Where parts begin, each behind a line break, and the end of the file.
    starts: Vec<u64>,
    /// Records of the parts that were read.
    counts: Vec<AtomicU64>,
    /// Memory of parts that were read, for those to come.
    spare: Mutex<Vec<Vec<u8>>>,
}

/// What the text of a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Records, as many.
    Records(u64),
    /// A fault, or a part that begins within quotes.
    Fault,
}

impl Parts {
    /// A file of records with `fields` fields, cut at line breaks.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn cut(path: &Path, separator: u8, fields: usize) -> std::io::Result<Parts> {
        let file = File::open(path)?;
        let starts = starts(&file)?;
        Ok(Parts::at(file, separator, fields, starts))
    }

    /// The same file with other parts.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn cut_at(path: &Path, separator: u8, fields: usize, starts: Vec<u64>) -> std::io::Result<Parts> {
        Ok(Parts::at(File::open(path)?, separator, fields, starts))
    }

    fn at(file: File, separator: u8, fields: usize, starts: Vec<u64>) -> Parts {
        let counts = (1..starts.len()).map(|_| AtomicU64::new(UNREAD)).collect();
        Parts { file, separator, fields, starts, counts, spare: Mutex::default() }
    }

    /// How many parts there are.
    pub fn count(&self) -> usize {
        self.counts.len()
    }

    /// Reads a part and shows its fields, with their numbers from 0.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self, part: usize, show: impl FnMut(usize, Field<'_>)) -> std::io::Result<Found> {
        let (Some(start), Some(end)) = (self.starts.get(part), self.starts.get(part + 1)) else { return Ok(Found::Fault) };
        let mut bytes = self.spare.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default();
        bytes.resize((end - start) as usize, 0);
        self.file.read_exact_at(&mut bytes, *start)?;
        let bare = if part == 0 { bytes.strip_prefix(MARK).unwrap_or(&bytes) } else { &bytes };
        let count = std::str::from_utf8(bare).ok().and_then(|text| records(text, self.separator, self.fields, show));
        if let Ok(mut spare) = self.spare.lock() {
            spare.push(bytes);
        }
        let Some(count) = count else { return Ok(Found::Fault) };
        if let Some(known) = self.counts.get(part) {
            known.store(count, Ordering::Relaxed);
        }
        Ok(Found::Records(count))
    }

    /// The records of all parts, if all were read.
    fn records(&self) -> Option<u64> {
        let mut counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        counts.try_fold(0, |all, count| (count != UNREAD).then(|| all + count))
    }

    /// Reads the parts that nobody has read, on `threads` threads; gives the records of all parts, or none if one has a fault.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_rest(&self, threads: usize) -> std::io::Result<Option<u64>> {
        let is_unread = |part: &usize| self.counts.get(*part).is_some_and(|count| count.load(Ordering::Relaxed) == UNREAD);
        let rest: Vec<usize> = (0..self.count()).filter(is_unread).collect();
        let next = AtomicUsize::new(0);
        let work = || -> std::io::Result<()> {
            while let Some(part) = rest.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.read(*part, |_, _| {})? == Found::Fault {
                    next.store(rest.len(), Ordering::Relaxed);
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads.min(rest.len())).map(|_| scope.spawn(work)).collect();
            let ended = threads.into_iter().map(|t| t.join().unwrap_or_else(|_| Err(std::io::Error::other("a thread panicked"))));
            ended.collect::<std::io::Result<()>>()
        })?;
        Ok(self.records())
    }
}

/// Where parts begin, each behind a line break, and the end of the file.
fn starts(file: &File) -> std::io::Result<Vec<u64>> {
    let size = file.metadata()?.len();
    let mut starts = vec![0];
    let mut block = vec![0; 1 << 12];
    let mut at = PART;
    while at < size {
        let length = block.len().min((size - at) as usize);
        file.read_exact_at(&mut block[..length], at)?;
        match memchr(b'\n', &block[..length]) {
            Some(end) => {
                starts.push(at + end as u64 + 1);
                at += PART;
            }
            None => at += length as u64,
        }
    }
    if starts.last() != Some(&size) {
        starts.push(size);
    }
    Ok(starts)
}
