//! A distribution whose listed values may lie outside memory, sorted: on disk under a memory limit, or where another stage left them.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::axis_values::AxisValues;
use super::distribution::Distribution;
use super::sorted_run::{RunBytes, Runs, SortedRun, StoredRun};
use crate::error::{Error, Result};
use crate::measure::Column;
use crate::memory::SpillFile;

/// A distribution whose listed values may lie outside memory.
#[derive(Debug, Clone)]
pub struct SpillableDistribution {
    in_memory: Distribution,
    runs: Vec<StoredRun>,
}

/// What passes between stages of a distribution whose listed values lie in an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredDistribution {
    /// Values that are counted, or few.
    in_memory: Distribution,
    /// The others: runs with the byte at which they begin.
    runs: Vec<(SortedRun, u64)>,
}

impl RunBytes for SpillFile {
    fn read(&self, range: Range<u64>, into: &mut Vec<u8>) -> Result<()> {
        self.read_unchecked(range, into)
    }

    fn damaged(&self) -> Error {
        self.came_back_changed()
    }
}

impl SpillableDistribution {
    /// A distribution without values; `empty` says what it counts.
    pub fn new(empty: Distribution) -> SpillableDistribution {
        SpillableDistribution { in_memory: empty, runs: Vec::new() }
    }

    /// Adds a value.
    #[inline]
    pub fn push(&mut self, value: i64) {
        self.in_memory.push(value);
    }

    /// Adds the values of some cells of a column: of those that are listed.
    pub fn extend(&mut self, column: &Column, cells: Range<usize>, listed: &[bool]) {
        self.in_memory.extend(column, cells, listed);
    }

    /// Adds the values of another.
    pub fn merge(&mut self, other: SpillableDistribution) {
        self.in_memory.merge(other.in_memory);
        self.runs.extend(other.runs);
    }

    /// Bytes of listed values in memory.
    pub fn memory_bytes(&self) -> u64 {
        self.in_memory.memory_bytes()
    }

    /// Moves the listed values to disk.
    ///
    /// # Errors
    /// Exit 7 if they cannot be written.
    pub fn spill(&mut self, spill: &Arc<SpillFile>) -> Result<()> {
        let values = self.in_memory.take_sorted();
        if !values.is_empty() {
            let mut bytes = Vec::new();
            let run = SortedRun::append(&values, &mut bytes);
            let at = spill.write(&bytes)?.begin();
            self.runs.push(StoredRun { run, at, bytes: Arc::clone(spill) as Arc<dyn RunBytes> });
        }
        Ok(())
    }

    /// Moves the listed values behind `bytes`, for another stage.
    ///
    /// # Errors
    /// Exit 7 if spilled values do not come back.
    pub fn store(mut self, bytes: &mut Vec<u8>) -> Result<StoredDistribution> {
        let mut runs = Vec::new();
        let values = self.in_memory.take_sorted();
        if !values.is_empty() {
            let at = bytes.len() as u64;
            runs.push((SortedRun::append(&values, bytes), at));
        }
        for stored in self.runs {
            let at = bytes.len() as u64;
            bytes.extend(stored.read()?);
            runs.push((stored.run, at));
        }
        Ok(StoredDistribution { in_memory: self.in_memory, runs })
    }

    /// The distribution whose listed values another stage left in `bytes`.
    pub fn from_stored(stored: StoredDistribution, bytes: &Arc<dyn RunBytes>) -> SpillableDistribution {
        let run = |(run, at)| StoredRun { run, at, bytes: Arc::clone(bytes) };
        SpillableDistribution { in_memory: stored.in_memory, runs: stored.runs.into_iter().map(run).collect() }
    }

    /// Number of values.
    pub fn len(&self) -> u64 {
        self.in_memory.len() + self.runs.iter().map(|stored| stored.run.len()).sum::<u64>()
    }

    /// How often the most frequent counted value occurs.
    pub fn most_common(&self) -> u64 {
        self.in_memory.most_common()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All values, to be asked about.
    pub fn values(&self) -> AxisValues<'_> {
        if self.runs.is_empty() {
            return AxisValues::InMemory(&self.in_memory);
        }
        let mut counted = self.in_memory.clone();
        let (mut runs, mut bytes) = (self.runs.clone(), Vec::new());
        let run = SortedRun::append(&counted.take_all_listed(), &mut bytes);
        runs.push(StoredRun { run, at: 0, bytes: Arc::new(bytes) });
        AxisValues::Stored { counted, runs: Runs::new(runs) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryPool;

    #[test]
    fn values_outside_memory_count_like_values_in_memory() -> Result<()> {
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
            let agree = |some: &SpillableDistribution| -> Result<()> {
                let values = some.values();
                assert_eq!(values.statistics(&wanted)?, all.statistics(&wanted));
                assert_eq!(values.bins(&[-4, 70, 70_000, 1 << 45])?, all.bins(&[-4, 70, 70_000, 1 << 45]));
                assert_eq!((values.sum(), values.len(), some.most_common()), (all.sum(), all.len(), all.most_common()));
                Ok(())
            };
            agree(&one)?;
            one.spill(spill)?;
            assert_eq!(one.memory_bytes(), 0);
            agree(&one)?;
            let mut bytes = vec![1, 2, 3];
            let stored = one.store(&mut bytes)?;
            let bytes: Arc<dyn RunBytes> = Arc::new(bytes);
            agree(&SpillableDistribution::from_stored(stored, &bytes))?;
        }
        Ok(())
    }
}
