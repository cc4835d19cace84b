//! A distribution under a memory limit: listed values go to disk until they are needed.

use std::borrow::Cow;

use super::distribution::Distribution;
use crate::bucket::{pack_numbers, unpack_numbers};
use crate::error::Result;
use crate::measure::Column;
use crate::memory::{Consumer, MemoryPool, SpillFile, SpilledRange};

/// A distribution whose listed values may lie on disk.
#[derive(Debug, Clone)]
pub struct SpillableDistribution {
    in_memory: Distribution,
    on_disk: Vec<SpilledRange>,
    /// Number of values on disk.
    on_disk_len: u64,
}

impl SpillableDistribution {
    /// A distribution without values; `empty` says what it counts.
    pub fn new(empty: Distribution) -> SpillableDistribution {
        SpillableDistribution { in_memory: empty, on_disk: Vec::new(), on_disk_len: 0 }
    }

    /// Adds a value.
    #[inline]
    pub fn push(&mut self, value: i64) {
        self.in_memory.push(value);
    }

    /// Adds the values of the listed cells of a column.
    pub fn extend(&mut self, column: &Column, cells: std::ops::Range<usize>, listed: &[bool]) {
        self.in_memory.extend(column, cells, listed);
    }

    /// Adds the values of another.
    pub fn merge(&mut self, other: SpillableDistribution) {
        self.in_memory.merge(other.in_memory);
        self.on_disk.extend(other.on_disk);
        self.on_disk_len += other.on_disk_len;
    }

    /// Bytes of listed values in memory.
    pub fn memory_bytes(&self) -> u64 {
        self.in_memory.memory_bytes()
    }

    /// Moves the listed values to disk.
    ///
    /// # Errors
    /// Exit 7 if they cannot be written.
    pub fn spill(&mut self, spill: &SpillFile) -> Result<()> {
        for values in self.in_memory.take_list().into_chunks() {
            self.on_disk.push(spill.write(&pack_numbers(&values))?);
            self.on_disk_len += values.len() as u64;
        }
        Ok(())
    }

    /// Number of values.
    pub fn len(&self) -> u64 {
        self.in_memory.len() + self.on_disk_len
    }

    /// How often the most frequent counted value occurs.
    pub fn most_common(&self) -> u64 {
        self.in_memory.most_common()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All values in memory; `what` names them in an error.
    ///
    /// # Errors
    /// Exit 7 if they do not fit into memory, or do not come back from disk.
    pub fn whole(&self, memory: &MemoryPool, what: impl Fn() -> String) -> Result<Cow<'_, Distribution>> {
        let Some(spill) = memory.spill().filter(|_| !self.on_disk.is_empty()) else { return Ok(Cow::Borrowed(&self.in_memory)) };
        let threads = rayon::current_num_threads() as u64;
        memory.try_reserve(Consumer::AxisValues, self.len() * 8 * threads, || format!("{} values of {}", self.len(), what()))?;
        let (mut packed, mut values) = (Vec::new(), Vec::with_capacity(self.on_disk_len as usize));
        for range in &self.on_disk {
            spill.read(range, &mut packed)?;
            unpack_numbers(&packed, &mut values);
        }
        let mut all = self.in_memory.clone();
        all.append_list(values.into());
        Ok(Cow::Owned(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spilled_values_count_like_values_in_memory() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        let memory = MemoryPool::limited(1 << 30, 0, folder.path())?;
        let spill = memory.spill().expect("a limit");
        for empty in [Distribution::of_money(), Distribution::of_counts()] {
            let mut all = empty.clone();
            let mut parts = [SpillableDistribution::new(empty.clone()), SpillableDistribution::new(empty)];
            for i in 0..300_000i64 {
                let value = (i * 7_919) % 1_000_003 * if i % 1000 == 0 { 1 << 40 } else { 1 };
                all.push(value);
                parts[(i % 2) as usize].push(value);
                if i % 70_001 == 0 {
                    parts[0].spill(spill)?;
                }
            }
            let [mut one, other] = parts;
            one.merge(other);
            assert_eq!(one.len(), 300_000);
            let wanted = [0, 1000, 150_000, 299_999];
            for _ in 0..2 {
                let whole = one.whole(&memory, || "a test".into())?;
                assert_eq!(whole.statistics(&wanted), all.statistics(&wanted));
                assert_eq!((whole.sum(), whole.len()), (all.sum(), all.len()));
                one.spill(spill)?;
                assert_eq!(one.memory_bytes(), 0);
            }
        }
        Ok(())
    }
}
