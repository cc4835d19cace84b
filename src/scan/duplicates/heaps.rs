//! Rows with what they are compared by, in heaps by hash: rows that are equal, or versions of each other, share a heap.

use std::sync::Arc;

use crate::error::Result;
use crate::memory::{Memory, Piece, Share, Spill};

/// How many heaps: of a hundred million rows each is a few tens of megabytes.
pub const HEAPS: usize = 256;

/// A row, where it stands, and what it is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version<'a> {
    /// Hash of the key; 0 if it holds a null, or if there is none.
    pub key: u128,
    /// Hash of the row.
    pub row_hash: u128,
    /// Bytes that are the greater the newer the row is.
    pub by: &'a [u8],
    /// Number of the file.
    pub file: u32,
    /// Row within it, from 0.
    pub row: u64,
}

/// Bytes of a version before those of `by`.
const FIXED: usize = 48;

impl Version<'_> {
    fn heap(&self) -> usize {
        // Rows that are equal have equal keys.
        let hash = if self.key == 0 { self.row_hash } else { self.key };
        (hash >> (128 - HEAPS.ilog2())) as usize
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.key.to_le_bytes());
        to.extend_from_slice(&self.row_hash.to_le_bytes());
        to.extend_from_slice(&self.row.to_le_bytes());
        to.extend_from_slice(&self.file.to_le_bytes());
        to.extend_from_slice(&(self.by.len() as u32).to_le_bytes());
        to.extend_from_slice(self.by);
    }

    /// The first version of some bytes, and the bytes behind it.
    fn read(bytes: &[u8]) -> Option<(Version<'_>, &[u8])> {
        let (fixed, rest) = bytes.split_at_checked(FIXED)?;
        let (key, fixed) = fixed.split_first_chunk()?;
        let (row_hash, fixed) = fixed.split_first_chunk()?;
        let (row, fixed) = fixed.split_first_chunk()?;
        let (file, fixed) = fixed.split_first_chunk()?;
        let (length, _) = fixed.split_first_chunk()?;
        let (by, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let version = Version {
            key: u128::from_le_bytes(*key),
            row_hash: u128::from_le_bytes(*row_hash),
            by,
            file: u32::from_le_bytes(*file),
            row: u64::from_le_bytes(*row),
        };
        Some((version, rest))
    }
}

/// A heap that is growing.
#[derive(Debug, Clone, Default)]
struct Growing {
    here: Vec<u8>,
    /// Versions on disk.
    away: Vec<Piece>,
}

impl Growing {
    fn spill(&mut self, spill: &Spill) -> Result<()> {
        if !self.here.is_empty() {
            self.away.push(spill.write(&std::mem::take(&mut self.here))?);
        }
        Ok(())
    }
}

/// The heaps of one thread, or of all.
pub struct Heaps {
    heaps: Vec<Growing>,
    held: u64,
    most: u64,
    memory: Memory,
}

/// All versions of a heap.
pub struct Heap(Vec<Vec<u8>>);

impl Heaps {
    /// Empty heaps of a thread.
    pub fn new(memory: &Memory) -> Heaps {
        Heaps { heaps: vec![Growing::default(); HEAPS], held: 0, most: memory.per_thread(Share::Orders), memory: memory.clone() }
    }

    /// Puts a row on its heap.
    pub fn push(&mut self, version: &Version<'_>) {
        version.write(&mut self.heaps[version.heap()].here);
        self.held += (FIXED + version.by.len()) as u64;
    }

    /// Writes the heaps away if they are more than a thread may hold.
    ///
    /// # Errors
    /// Exit 7 if they cannot be written.
    pub fn relieve(&mut self) -> Result<()> {
        // A heap's memory doubles as it grows.
        let Some(spill) = self.memory.spill().filter(|_| 2 * self.held > self.most) else { return Ok(()) };
        self.heaps.iter_mut().try_for_each(|heap| heap.spill(spill))?;
        self.held = 0;
        Ok(())
    }

    /// Joins the heaps of all threads.
    ///
    /// # Errors
    /// Exit 7 if they cannot be written.
    pub fn join(threads: Vec<Heaps>, memory: &Memory) -> Result<Heaps> {
        let mut all = Heaps::new(memory);
        let spill: Option<&Arc<Spill>> = memory.spill().filter(|_| threads.iter().any(|own| 2 * own.held > own.most / 4));
        for mut own in threads {
            for (all, mut own) in all.heaps.iter_mut().zip(own.heaps.drain(..)) {
                if let Some(spill) = spill {
                    own.spill(spill)?;
                }
                all.here.extend_from_slice(&own.here);
                all.away.append(&mut own.away);
            }
        }
        Ok(all)
    }

    /// A heap as a whole.
    ///
    /// # Errors
    /// Exit 7 if it does not fit into memory, or does not come back from disk.
    pub fn heap(&self, number: usize) -> Result<Heap> {
        let Some(own) = self.heaps.get(number) else { return Ok(Heap(Vec::new())) };
        let bytes = own.here.len() as u64 + own.away.iter().map(Piece::bytes).sum::<u64>();
        // Sorting takes twice as much again.
        self.memory.claim(Share::Parts, 3 * bytes * rayon::current_num_threads() as u64, || {
            "Rows that are compared with each other (orders.dedupe, orders.latest)".into()
        })?;
        let mut pieces = vec![own.here.clone()];
        if let Some(spill) = self.memory.spill() {
            for piece in &own.away {
                let mut bytes = Vec::new();
                spill.read(piece, &mut bytes)?;
                pieces.push(bytes);
            }
        }
        Ok(Heap(pieces))
    }
}

impl Heap {
    /// The versions, in no particular order.
    pub fn versions(&self) -> impl Iterator<Item = Version<'_>> {
        self.0.iter().flat_map(|piece| {
            let mut rest = piece.as_slice();
            std::iter::from_fn(move || {
                let (version, after) = Version::read(rest)?;
                rest = after;
                Some(version)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_back_from_their_heaps() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        let memory = Memory::limited(200 << 20, 0, folder.path())?;
        let mut threads = [Heaps::new(&memory), Heaps::new(&memory)];
        let bytes = vec![7; 300_000];
        let hash = |row: u64| xxhash_rust::xxh3::xxh3_128(&(row % 900).to_le_bytes());
        for row in 0..1000u64 {
            let key = if row % 10 == 0 { 0 } else { hash(row) };
            let own = &mut threads[(row % 2) as usize];
            own.push(&Version { key, row_hash: hash(row), by: &bytes[..row as usize * 300], file: row as u32 % 3, row });
            own.relieve()?;
        }
        assert!(memory.spill().expect("a limit").bytes() > 10_000_000);
        let heaps = Heaps::join(threads.into(), &memory)?;
        let mut seen = vec![false; 1000];
        for number in 0..HEAPS {
            for version in heaps.heap(number)?.versions() {
                let row = version.row;
                assert_eq!((version.row_hash, version.by.len(), version.file), (hash(row), row as usize * 300, row as u32 % 3));
                assert_eq!((version.row_hash >> 120) as usize, number);
                assert!(!std::mem::replace(&mut seen[row as usize], true));
            }
        }
        assert!(seen.into_iter().all(|seen| seen));
        Ok(())
    }
}
