//! Sorted values outside memory, and exact answers about all of several such runs.
//!
//! A run lies in blocks of [`BLOCK_VALUES`] values. The first value of every block stays in memory: between which values an order
//! statistic lies follows from these alone, and only the blocks between them are read. So memory grows with a thousandth of the
//! values, and with the number of runs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::bucket::{pack_numbers, unpack_numbers};
use crate::error::{Error, Result};

/// Values of a block.
const BLOCK_VALUES: usize = 1 << 10;

/// Blocks that are read at once where all values are asked for.
const BLOCKS_AT_ONCE: usize = 1 << 4;

/// What stays in memory of sorted values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortedRun {
    len: u64,
    sum: i128,
    /// The first value of each block.
    firsts: Vec<i64>,
    /// Where the bytes of each block end within the run, and their checksum (xxh3).
    blocks: Vec<(u64, u64)>,
}

impl SortedRun {
    /// Appends the blocks of ascending values to `bytes`.
    pub fn append(values: &[i64], bytes: &mut Vec<u8>) -> SortedRun {
        let begin = bytes.len();
        let sum = values.iter().map(|value| i128::from(*value)).sum();
        let mut run = SortedRun { len: values.len() as u64, sum, ..SortedRun::default() };
        for block in values.chunks(BLOCK_VALUES) {
            let packed = pack_numbers(block);
            run.firsts.extend(block.first());
            bytes.extend(&packed);
            run.blocks.push(((bytes.len() - begin) as u64, xxh3_64(&packed)));
        }
        run
    }

    /// Number of values.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of all blocks.
    pub fn bytes(&self) -> u64 {
        self.blocks.last().map_or(0, |(end, _)| *end)
    }

    fn bytes_of(&self, block: usize) -> Range<u64> {
        let end = |block: usize| self.blocks.get(block).map_or(0, |(end, _)| *end);
        block.checked_sub(1).map_or(0, end)..end(block)
    }

    /// How many blocks begin below a value, or at it if `with` says so.
    fn begun(&self, value: i64, with: bool) -> usize {
        self.firsts.partition_point(|first| *first < value || with && *first == value)
    }
}

/// Where the bytes of runs lie.
pub trait RunBytes: Debug + Send + Sync {
    /// Reads a range, in place of what `into` holds.
    ///
    /// # Errors
    /// Exits 4 to 7 if it cannot be read.
    fn read(&self, range: Range<u64>, into: &mut Vec<u8>) -> Result<()>;

    /// The error for bytes that are not those that were written.
    fn damaged(&self) -> Error;
}

/// Bytes in memory.
impl RunBytes for Vec<u8> {
    fn read(&self, range: Range<u64>, into: &mut Vec<u8>) -> Result<()> {
        into.clear();
        into.extend(self.get(range.start as usize..range.end as usize).unwrap_or_default());
        Ok(())
    }

    fn damaged(&self) -> Error {
        Error::bug("values in memory are not those that were put there")
    }
}

/// A run, and where its bytes begin.
#[derive(Debug, Clone)]
pub struct StoredRun {
    /// What stays in memory.
    pub run: SortedRun,
    /// The byte at which it begins.
    pub at: u64,
    /// Where it lies.
    pub bytes: Arc<dyn RunBytes>,
}

impl StoredRun {
    /// The values of a block.
    fn block(&self, block: usize) -> Result<Vec<i64>> {
        self.blocks(block..block + 1)
    }

    /// The values of neighbouring blocks, which are read at once.
    fn blocks(&self, blocks: Range<usize>) -> Result<Vec<i64>> {
        let Some(last) = blocks.end.checked_sub(1).filter(|last| *last >= blocks.start) else { return Ok(Vec::new()) };
        let (begin, end) = (self.run.bytes_of(blocks.start).start, self.run.bytes_of(last).end);
        let mut bytes = Vec::new();
        self.bytes.read(self.at + begin..self.at + end, &mut bytes)?;
        let mut values = Vec::with_capacity(blocks.len() * BLOCK_VALUES);
        for block in blocks {
            let range = self.run.bytes_of(block);
            let packed = bytes.get((range.start - begin) as usize..(range.end - begin) as usize).unwrap_or_default();
            if self.run.blocks.get(block).is_none_or(|(_, checksum)| *checksum != xxh3_64(packed)) {
                return Err(self.bytes.damaged());
            }
            unpack_numbers(packed, &mut values);
        }
        Ok(values)
    }

    /// All bytes of the run.
    ///
    /// # Errors
    /// Exits 4 to 7 if they cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.bytes.read(self.at..self.at + self.run.bytes(), &mut bytes)?;
        Ok(bytes)
    }

    /// How many values are below a value, or at it if `with` says so.
    fn count_below(&self, value: i64, with: bool) -> Result<u64> {
        let Some(last) = self.run.begun(value, with).checked_sub(1) else { return Ok(0) };
        let below = self.block(last)?.partition_point(|of_block| *of_block < value || with && *of_block == value);
        Ok((last * BLOCK_VALUES + below) as u64)
    }

    /// The values between two, without these.
    fn between(&self, low: i64, high: i64) -> Result<Vec<i64>> {
        let mut found = Vec::new();
        let blocks = self.run.begun(low, true).saturating_sub(1)..self.run.begun(high, false);
        found.extend(self.blocks(blocks)?.into_iter().filter(|value| (low..high).contains(value) && *value != low));
        Ok(found)
    }
}

/// All values of several runs.
#[derive(Debug)]
pub struct Runs {
    runs: Vec<StoredRun>,
    /// The first values of all blocks, ascending, each once.
    firsts: Vec<i64>,
}

impl Runs {
    /// The values of these runs.
    pub fn new(runs: Vec<StoredRun>) -> Runs {
        let mut firsts: Vec<i64> = runs.iter().flat_map(|stored| &stored.run.firsts).copied().collect();
        firsts.sort_unstable();
        firsts.dedup();
        Runs { runs, firsts }
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.runs.iter().map(|stored| stored.run.len).sum()
    }

    /// Their sum.
    pub fn sum(&self) -> i128 {
        self.runs.iter().map(|stored| stored.run.sum).sum()
    }

    /// How many values are at least as large as each bound.
    ///
    /// # Errors
    /// Exits 4 to 7 if values cannot be read.
    pub fn reaching(&self, bounds: &[i64]) -> Result<Vec<u64>> {
        bounds.iter().map(|bound| Ok(self.len() - self.count_below(*bound, false)?)).collect()
    }

    fn count_below(&self, value: i64, with: bool) -> Result<u64> {
        self.runs.iter().map(|stored| stored.count_below(value, with)).sum()
    }

    /// The order statistics at indices from 0.
    ///
    /// # Errors
    /// Exits 4 to 7 if values cannot be read.
    pub fn statistics(&self, wanted: &[u64]) -> Result<Vec<i64>> {
        wanted.iter().map(|index| self.statistic(*index)).collect()
    }

    fn statistic(&self, index: u64) -> Result<i64> {
        // Each block that begins below a value has at least its first value there, and at most all of them.
        let most_below = |value: i64| -> u64 {
            let most = |run: &SortedRun| ((run.begun(value, false) * BLOCK_VALUES) as u64).min(run.len);
            self.runs.iter().map(|stored| most(&stored.run)).sum()
        };
        let fewest_up_to = |value: i64| -> u64 {
            let fewest = |run: &SortedRun| run.begun(value, true).checked_sub(1).map_or(0, |full| full * BLOCK_VALUES + 1) as u64;
            self.runs.iter().map(|stored| fewest(&stored.run)).sum()
        };
        let least = self.firsts.partition_point(|first| most_below(*first) <= index).saturating_sub(1);
        let greatest = self.firsts.partition_point(|first| fewest_up_to(*first) <= index);
        let low = self.firsts.get(least).copied().unwrap_or(i64::MIN);
        // Values that repeat are counted and not gathered, whatever their number.
        let below = self.count_below(low, true)?;
        if below > index {
            return Ok(low);
        }
        let high = self.firsts.get(greatest).copied();
        if let Some(high) = high
            && self.count_below(high, false)? <= index
        {
            return Ok(high);
        }
        let mut members = Vec::new();
        for stored in &self.runs {
            members.extend(stored.between(low, high.unwrap_or(i64::MAX))?);
        }
        let at = (index - below) as usize;
        if at >= members.len() {
            // Only the greatest value there is has no value above it to lie below.
            return Ok(i64::MAX);
        }
        Ok(*members.select_nth_unstable(at).1)
    }

    /// The values ascending, each with how often it occurs.
    pub fn groups(&self) -> Groups<'_> {
        let mut groups =
            Groups { runs: &self.runs, heads: BinaryHeap::new(), open: vec![(0, Vec::new()); self.runs.len()], failed: None };
        (0..self.runs.len()).for_each(|run| groups.refill(run));
        groups
    }
}

/// The values of runs, ascending.
pub struct Groups<'a> {
    runs: &'a [StoredRun],
    /// The next value of each run that has one.
    heads: BinaryHeap<Reverse<(i64, usize)>>,
    /// By run, its next block, and the values of the block before that are left, the next one last.
    open: Vec<(usize, Vec<i64>)>,
    failed: Option<Error>,
}

impl Groups<'_> {
    /// Puts the next value of a run among the heads.
    fn refill(&mut self, run: usize) {
        let Some(((next, values), stored)) = self.open.get_mut(run).zip(self.runs.get(run)) else { return };
        if values.is_empty() && *next < stored.run.blocks.len() {
            let end = (*next + BLOCKS_AT_ONCE).min(stored.run.blocks.len());
            match stored.blocks(*next..end) {
                Ok(mut blocks) => {
                    blocks.reverse();
                    *values = blocks;
                    *next = end;
                }
                Err(error) => self.failed = Some(error),
            }
        }
        self.heads.extend(values.pop().map(|value| Reverse((value, run))));
    }
}

impl Iterator for Groups<'_> {
    type Item = Result<(i64, u64)>;

    fn next(&mut self) -> Option<Result<(i64, u64)>> {
        let value = self.heads.peek().map(|Reverse((value, _))| *value);
        let mut count = 0;
        while let Some(Reverse((_, run))) = self.heads.peek().filter(|Reverse((head, _))| Some(*head) == value).copied() {
            self.heads.pop();
            count += 1;
            self.refill(run);
        }
        match self.failed.take() {
            Some(error) => {
                self.heads.clear();
                Some(Err(error))
            }
            None => value.map(|value| Ok((value, count))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(lists: &[Vec<i64>]) -> Runs {
        let stored = |list: &Vec<i64>| {
            let mut sorted = list.clone();
            sorted.sort_unstable();
            // Bytes of something else stand before.
            let mut bytes = vec![7; 13];
            let run = SortedRun::append(&sorted, &mut bytes);
            StoredRun { run, at: 13, bytes: Arc::new(bytes) }
        };
        Runs::new(lists.iter().map(stored).collect())
    }

    #[test]
    fn answers_equal_those_of_the_sorted_values() -> Result<()> {
        let mut state = 1u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 20) % below
        };
        for case in 0..60usize {
            let spread = [1, 2, 40, 1 << 20, 1 << 43][case % 5];
            let lists: Vec<Vec<i64>> = (0..1 + case % 7)
                .map(|list| {
                    let n = [0, 1, BLOCK_VALUES, BLOCK_VALUES + 1, 9000, 300][(case + list) % 6];
                    let value = |random: &mut dyn FnMut(u64) -> u64| random(spread) as i64 - spread as i64 / 2;
                    // Some lists hold one value over and over.
                    let same = value(&mut random);
                    (0..n).map(|_| if (case + list) % 3 == 0 { same } else { value(&mut random) }).collect()
                })
                .collect();
            let mut all: Vec<i64> = lists.concat();
            if case % 4 == 0 {
                all.extend([i64::MIN, i64::MAX, i64::MAX]);
            }
            let rest = all[lists.iter().map(Vec::len).sum()..].to_vec();
            let runs = runs(&[lists, vec![rest]].concat());
            all.sort_unstable();
            assert_eq!((runs.len(), runs.sum()), (all.len() as u64, all.iter().map(|v| i128::from(*v)).sum()));
            let wanted: Vec<u64> =
                (0..all.len() as u64).step_by(1 + all.len() / 90).chain((all.len() as u64).checked_sub(1)).collect();
            let want: Vec<i64> = wanted.iter().map(|index| all[*index as usize]).collect();
            assert_eq!(runs.statistics(&wanted)?, want, "case {case}");
            for bound in [i64::MIN, -3, 0, 1, 700, i64::MAX].into_iter().chain(want) {
                let reaching = all.iter().filter(|value| **value >= bound).count() as u64;
                assert_eq!(runs.reaching(&[bound])?, [reaching], "case {case}, {bound}");
            }
            let groups: Vec<(i64, u64)> = runs.groups().collect::<Result<_>>()?;
            let naive: Vec<(i64, u64)> = all.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u64)).collect();
            assert_eq!(groups, naive, "case {case}");
        }
        Ok(())
    }

    /// Of a million values a few blocks of each run are read.
    #[test]
    fn a_statistic_reads_few_blocks() -> Result<()> {
        #[derive(Debug, Default)]
        struct Counted(Vec<u8>, std::sync::atomic::AtomicU64);
        impl RunBytes for Counted {
            fn read(&self, range: Range<u64>, into: &mut Vec<u8>) -> Result<()> {
                self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                self.0.read(range, into)
            }
            fn damaged(&self) -> Error {
                Error::bug("damaged")
            }
        }
        let mut counted = Vec::new();
        let stored = (0..10i64).map(|list| {
            let values: Vec<i64> = (0..100_000).map(|at| at * 10 + list).collect();
            let mut bytes = Vec::new();
            let run = SortedRun::append(&values, &mut bytes);
            let bytes = Arc::new(Counted(bytes, Default::default()));
            counted.push(Arc::clone(&bytes));
            StoredRun { run, at: 0, bytes }
        });
        let runs = Runs::new(stored.collect());
        assert_eq!(runs.statistics(&[765_432])?, [765_432]);
        let reads: u64 = counted.iter().map(|bytes| bytes.1.load(std::sync::atomic::Ordering::Relaxed)).sum();
        assert!(reads <= 10 * 6, "{reads} blocks");
        Ok(())
    }

    #[test]
    fn damage_is_found() {
        let mut bytes = Vec::new();
        let run = SortedRun::append(&[1, 2, 3], &mut bytes);
        bytes[5] ^= 1;
        let runs = Runs::new(vec![StoredRun { run, at: 0, bytes: Arc::new(bytes) }]);
        assert!(runs.statistics(&[1]).is_err() && runs.reaching(&[2]).is_err());
        assert!(runs.groups().any(|group| group.is_err()));
    }
}
