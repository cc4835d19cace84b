//! Row versions partitioned by hash, in memory and in the spill file: equal rows and versions of one row share a partition.

use std::sync::Arc;

use crate::error::Result;
use crate::memory::{Consumer, MemoryPool, SpillFile, SpilledRange};

/// Number of partitions: of a hundred million rows, each has a few tens of megabytes.
pub const PARTITIONS: usize = 256;

/// A row with its position and the values it is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowVersion<'a> {
    /// Hash of the key; 0 if it holds a null or there is no key.
    pub key: u128,
    /// Hash of the row.
    pub row_hash: u128,
    /// Hash of the customer; 0 without one.
    pub customer: u64,
    /// Whether the column that tells newer rows is null.
    pub by_is_null: bool,
    /// Bytes that compare greater the newer the row is.
    pub by: &'a [u8],
    /// Index of the file.
    pub file: u32,
    /// Index of the row within the file.
    pub row: u64,
}

/// Bytes of a written version before those of `by`.
const HEADER: usize = 57;

impl RowVersion<'_> {
    fn partition(&self) -> usize {
        // Rows that are equal have equal keys.
        let hash = if self.key == 0 { self.row_hash } else { self.key };
        (hash >> (128 - PARTITIONS.ilog2())) as usize
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.key.to_le_bytes());
        to.extend_from_slice(&self.row_hash.to_le_bytes());
        to.extend_from_slice(&self.customer.to_le_bytes());
        to.push(u8::from(self.by_is_null));
        to.extend_from_slice(&self.row.to_le_bytes());
        to.extend_from_slice(&self.file.to_le_bytes());
        to.extend_from_slice(&(self.by.len() as u32).to_le_bytes());
        to.extend_from_slice(self.by);
    }

    /// The first version of some bytes, and the bytes behind it.
    fn read(bytes: &[u8]) -> Option<(RowVersion<'_>, &[u8])> {
        let (header, rest) = bytes.split_at_checked(HEADER)?;
        let (key, header) = header.split_first_chunk()?;
        let (row_hash, header) = header.split_first_chunk()?;
        let (customer, header) = header.split_first_chunk()?;
        let (by_is_null, header) = header.split_first()?;
        let (row, header) = header.split_first_chunk()?;
        let (file, header) = header.split_first_chunk()?;
        let (length, _) = header.split_first_chunk()?;
        let (by, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let version = RowVersion {
            key: u128::from_le_bytes(*key),
            row_hash: u128::from_le_bytes(*row_hash),
            customer: u64::from_le_bytes(*customer),
            by_is_null: *by_is_null != 0,
            by,
            file: u32::from_le_bytes(*file),
            row: u64::from_le_bytes(*row),
        };
        Some((version, rest))
    }
}

/// A partition while rows are added.
#[derive(Debug, Clone, Default)]
struct GrowingPartition {
    in_memory: Vec<u8>,
    /// Its versions in the spill file.
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

/// The partitions of one thread, or of all threads.
pub struct Partitions {
    partitions: Vec<GrowingPartition>,
    bytes_in_memory: u64,
    budget: u64,
    memory: MemoryPool,
}

/// The versions of a partition in memory.
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

    /// Adds a row to its partition.
    pub fn push(&mut self, version: &RowVersion<'_>) {
        version.write(&mut self.partitions[version.partition()].in_memory);
        self.bytes_in_memory += (HEADER + version.by.len()) as u64;
    }

    /// Writes the partitions spilled if they are more than a thread may hold.
    ///
    /// # Errors
    /// Exit 7 if they cannot be written.
    pub fn spill_if_over_budget(&mut self) -> Result<()> {
        // A vector doubles as it grows.
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
            memory.spill().filter(|_| threads.iter().any(|thread| 2 * thread.bytes_in_memory > thread.budget / 4));
        for mut thread in threads {
            for (all, mut partition) in all.partitions.iter_mut().zip(thread.partitions.drain(..)) {
                if let Some(spill) = spill {
                    partition.spill(spill)?;
                }
                all.in_memory.extend_from_slice(&partition.in_memory);
                all.spilled.append(&mut partition.spilled);
            }
        }
        Ok(all)
    }

    /// Loads a partition.
    ///
    /// # Errors
    /// Exit 7 if it does not fit into memory, or cannot be read back.
    pub fn partition(&self, number: usize) -> Result<Partition> {
        let Some(partition) = self.partitions.get(number) else { return Ok(Partition(Vec::new())) };
        let bytes = partition.in_memory.len() as u64 + partition.spilled.iter().map(SpilledRange::bytes).sum::<u64>();
        // Sorting takes twice as much on top.
        self.memory.try_reserve(Consumer::Parts, 3 * bytes * rayon::current_num_threads() as u64, || {
            "Rows that are compared with each other (orders.dedupe, orders.latest, orders.inherit)".into()
        })?;
        let mut ranges = vec![partition.in_memory.clone()];
        if let Some(spill) = self.memory.spill() {
            for range in &partition.spilled {
                let mut bytes = Vec::new();
                spill.read(range, &mut bytes)?;
                ranges.push(bytes);
            }
        }
        Ok(Partition(ranges))
    }
}

impl Partition {
    /// The versions, in no particular order.
    pub fn versions(&self) -> impl Iterator<Item = RowVersion<'_>> {
        self.0.iter().flat_map(|range| {
            let mut rest = range.as_slice();
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
            let thread = &mut threads[(row % 2) as usize];
            let (row_hash, by, file) = (hash(row), &bytes[..row as usize * 300], row as u32 % 3);
            thread.push(&RowVersion { key, row_hash, customer: row + 1, by_is_null: row % 2 == 1, by, file, row });
            thread.spill_if_over_budget()?;
        }
        assert!(memory.spill().expect("a limit").bytes() > 10_000_000);
        let partitions = Partitions::join(threads.into(), &memory)?;
        let mut seen = vec![false; 1000];
        for number in 0..PARTITIONS {
            for version in partitions.partition(number)?.versions() {
                let row = version.row;
                assert_eq!((version.row_hash, version.by.len(), version.file), (hash(row), row as usize * 300, row as u32 % 3));
                assert_eq!((version.customer, version.by_is_null), (row + 1, row % 2 == 1));
                assert_eq!((version.row_hash >> 120) as usize, number);
                assert!(!std::mem::replace(&mut seen[row as usize], true));
            }
        }
        assert!(seen.into_iter().all(|seen| seen));
        Ok(())
    }
}
