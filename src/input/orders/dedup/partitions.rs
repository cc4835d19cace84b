//! Rows with what they are compared by, in partitions by hash: rows that are equal, or versions of each other, share a partition.

use std::sync::Arc;

use crate::error::Result;
use crate::memory::{Consumer, MemoryPool, SpillFile, SpilledRange};

/// How many partitions: of a hundred million rows each is a few tens of megabytes.
pub const PARTITIONS: usize = 256;

/// A row, where it stands, and what it is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowVersion<'a> {
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

impl RowVersion<'_> {
    fn partition(&self) -> usize {
        // Rows that are equal have equal keys.
        let hash = if self.key == 0 { self.row_hash } else { self.key };
        (hash >> (128 - PARTITIONS.ilog2())) as usize
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
    fn read(bytes: &[u8]) -> Option<(RowVersion<'_>, &[u8])> {
        let (fixed, rest) = bytes.split_at_checked(FIXED)?;
        let (key, fixed) = fixed.split_first_chunk()?;
        let (row_hash, fixed) = fixed.split_first_chunk()?;
        let (row, fixed) = fixed.split_first_chunk()?;
        let (file, fixed) = fixed.split_first_chunk()?;
        let (length, _) = fixed.split_first_chunk()?;
        let (by, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let version = RowVersion {
            key: u128::from_le_bytes(*key),
            row_hash: u128::from_le_bytes(*row_hash),
            by,
            file: u32::from_le_bytes(*file),
            row: u64::from_le_bytes(*row),
        };
        Some((version, rest))
    }
}

/// A partition that is growing.
#[derive(Debug, Clone, Default)]
struct GrowingPartition {
    in_memory: Vec<u8>,
    /// Versions on disk.
    spilled: Vec<SpilledRange>,
}

impl GrowingPartition {
    fn spill(&mut self, spill: &SpillFile) -> Result<()> {
        if !self.in_memory.is_empty() {
            self.spilled.push(spill.write(&std::mem::take(&mut self.in_memory))?);
        }
        Ok(())
    }
}

/// The partitions of one thread, or of all.
pub struct Partitions {
    partitions: Vec<GrowingPartition>,
    bytes_in_memory: u64,
    budget: u64,
    memory: MemoryPool,
}

/// All versions of a partition.
pub struct Partition(Vec<Vec<u8>>);

impl Partitions {
    /// Empty partitions of a thread.
    pub fn new(memory: &MemoryPool) -> Partitions {
        Partitions {
            partitions: vec![GrowingPartition::default(); PARTITIONS],
            bytes_in_memory: 0,
            budget: memory.capacity_per_thread(Consumer::Orders),
            memory: memory.clone(),
        }
    }

    /// Puts a row on its partition.
    pub fn push(&mut self, version: &RowVersion<'_>) {
        version.write(&mut self.partitions[version.partition()].in_memory);
        self.bytes_in_memory += (FIXED + version.by.len()) as u64;
    }

    /// Writes the partitions spilled if they are more than a thread may hold.
    ///
    /// # Errors
    /// Exit 7 if they cannot be written.
    pub fn spill_if_over_budget(&mut self) -> Result<()> {
        // A partition's memory doubles as it grows.
        let Some(spill) = self.memory.spill().filter(|_| 2 * self.bytes_in_memory > self.budget) else { return Ok(()) };
        self.partitions.iter_mut().try_for_each(|partition| partition.spill(spill))?;
        self.bytes_in_memory = 0;
        Ok(())
    }

    /// Joins the partitions of all threads.
    ///
    /// # Errors
    /// Exit 7 if they cannot be written.
    pub fn join(threads: Vec<Partitions>, memory: &MemoryPool) -> Result<Partitions> {
        let mut all = Partitions::new(memory);
        let spill: Option<&Arc<SpillFile>> =
            memory.spill().filter(|_| threads.iter().any(|own| 2 * own.bytes_in_memory > own.budget / 4));
        for mut own in threads {
            for (all, mut own) in all.partitions.iter_mut().zip(own.partitions.drain(..)) {
                if let Some(spill) = spill {
                    own.spill(spill)?;
                }
                all.in_memory.extend_from_slice(&own.in_memory);
                all.spilled.append(&mut own.spilled);
            }
        }
        Ok(all)
    }

    /// A partition as a whole.
    ///
    /// # Errors
    /// Exit 7 if it does not fit into memory, or does not come back from disk.
    pub fn partition(&self, number: usize) -> Result<Partition> {
        let Some(own) = self.partitions.get(number) else { return Ok(Partition(Vec::new())) };
        let bytes = own.in_memory.len() as u64 + own.spilled.iter().map(SpilledRange::bytes).sum::<u64>();
        // Sorting takes twice as much again.
        self.memory.try_reserve(Consumer::Parts, 3 * bytes * rayon::current_num_threads() as u64, || {
            "Rows that are compared with each other (orders.dedupe, orders.latest)".into()
        })?;
        let mut pieces = vec![own.in_memory.clone()];
        if let Some(spill) = self.memory.spill() {
            for piece in &own.spilled {
                let mut bytes = Vec::new();
                spill.read(piece, &mut bytes)?;
                pieces.push(bytes);
            }
        }
        Ok(Partition(pieces))
    }
}

impl Partition {
    /// The versions, in no particular order.
    pub fn versions(&self) -> impl Iterator<Item = RowVersion<'_>> {
        self.0.iter().flat_map(|piece| {
            let mut rest = piece.as_slice();
            std::iter::from_fn(move || {
                let (version, after) = RowVersion::read(rest)?;
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
        let memory = MemoryPool::limited(200 << 20, 0, folder.path())?;
        let mut threads = [Partitions::new(&memory), Partitions::new(&memory)];
        let bytes = vec![7; 300_000];
        let hash = |row: u64| xxhash_rust::xxh3::xxh3_128(&(row % 900).to_le_bytes());
        for row in 0..1000u64 {
            let key = if row % 10 == 0 { 0 } else { hash(row) };
            let own = &mut threads[(row % 2) as usize];
            own.push(&RowVersion { key, row_hash: hash(row), by: &bytes[..row as usize * 300], file: row as u32 % 3, row });
            own.spill_if_over_budget()?;
        }
        assert!(memory.spill().expect("a limit").bytes() > 10_000_000);
        let partitions = Partitions::join(threads.into(), &memory)?;
        let mut seen = vec![false; 1000];
        for number in 0..PARTITIONS {
            for version in partitions.partition(number)?.versions() {
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
