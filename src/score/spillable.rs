//! Values on their way into a distribution: under a limit of memory, what is listed goes to disk until it is asked for.

use std::borrow::Cow;

use super::Distribution;
use crate::bucket::{pack_numbers, unpack_numbers};
use crate::error::Result;
use crate::measure::Column;
use crate::memory::{Consumer, MemoryPool, SpillFile, SpilledRange};

/// A distribution that is being gathered.
#[derive(Debug, Clone)]
pub struct SpillableDistribution {
    here: Distribution,
    /// Values on disk.
    away: Vec<SpilledRange>,
    away_len: u64,
}

impl SpillableDistribution {
    /// An empty one.
    pub fn new(empty: Distribution) -> SpillableDistribution {
        SpillableDistribution { here: empty, away: Vec::new(), away_len: 0 }
    }

    /// Adds a value.
    #[inline]
    pub fn push(&mut self, value: i64) {
        self.here.push(value);
    }

    /// Adds the values of the listed cells of a column.
    pub fn extend(&mut self, column: &Column, cells: std::ops::Range<usize>, listed: &[bool]) {
        self.here.extend(column, cells, listed);
    }

    /// Adds the values of another.
    pub fn merge(&mut self, other: SpillableDistribution) {
        self.here.merge(other.here);
        self.away.extend(other.away);
        self.away_len += other.away_len;
    }

    /// Bytes of listed values in memory.
    pub fn held(&self) -> u64 {
        self.here.held()
    }

    /// Writes the listed values away.
    ///
    /// # Errors
    /// Exit 7 if they cannot be written.
    pub fn spill(&mut self, spill: &SpillFile) -> Result<()> {
        for values in self.here.take_listed().into_pieces() {
            self.away.push(spill.write(&pack_numbers(&values))?);
            self.away_len += values.len() as u64;
        }
        Ok(())
    }

    /// How many values.
    pub fn len(&self) -> u64 {
        self.here.len() + self.away_len
    }

    /// How often the most frequent counted value occurs.
    pub fn most_common(&self) -> u64 {
        self.here.most_common()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All values; `what` they are of, for the error.
    ///
    /// # Errors
    /// Exit 7 if they do not fit into memory, or do not come back from disk.
    pub fn whole(&self, memory: &MemoryPool, what: impl Fn() -> String) -> Result<Cow<'_, Distribution>> {
        let Some(spill) = memory.spill().filter(|_| !self.away.is_empty()) else { return Ok(Cow::Borrowed(&self.here)) };
        let threads = rayon::current_num_threads() as u64;
        memory.try_reserve(Consumer::AxisValues, self.len() * 8 * threads, || format!("{} values of {}", self.len(), what()))?;
        let (mut packed, mut values) = (Vec::new(), Vec::with_capacity(self.away_len as usize));
        for piece in &self.away {
            spill.read(piece, &mut packed)?;
            unpack_numbers(&packed, &mut values);
        }
        let mut all = self.here.clone();
        all.list_more(values.into());
        Ok(Cow::Owned(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_spilled_counts_as_what_was_not() -> Result<()> {
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
                assert_eq!(one.held(), 0);
            }
        }
        Ok(())
    }
}
