//! The memory of a run under a limit, and how its steps share it.
//!
//! Without a limit everything stays in memory. Under one, a step that would exceed its capacity writes to the [`SpillFile`].
//! Memory that cannot be spilled is checked against the limit, and the error names the smallest limit that would do.

mod spill;

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Kind, Result};
pub use spill::{SpillFile, SpilledRange};

const MIB: u64 = 1 << 20;

/// Bytes of the process before it reads anything, and of allocations that nothing else counts.
const BASE: u64 = 64 * MIB;

/// The fewest bytes that the consumers can share.
const MIN_SHARED: u64 = 64 * MIB;

/// A consumer of the pool's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumer {
    /// Packed orders while they are read, over all threads.
    Orders,
    /// Packed events while they are read, over all threads.
    Events,
    /// The part of the orders, of the events and of the axis values that stays in memory after it was read, each.
    Retained,
    /// Values of the axes in the first pass, over all threads; later those of one axis at one date while its cut points are found.
    AxisValues,
    /// The records of one bucket, unpacked, on every thread.
    UnpackedBucket,
    /// The records of the one bucket that is unpacked, where it has too many to unpack others beside it.
    LargeBucket,
    /// All parts that are processed at the same time.
    Parts,
}

impl Consumer {
    /// The consumer's fraction of the shared bytes, in eighths. Parts are processed while orders, events and the first pass
    /// retain an eighth each.
    fn eighths(self) -> u64 {
        match self {
            Consumer::Parts => 5,
            Consumer::Orders | Consumer::LargeBucket => 4,
            Consumer::Events | Consumer::AxisValues | Consumer::UnpackedBucket => 2,
            Consumer::Retained => 1,
        }
    }
}

/// The memory of a run; clones share one spill file.
#[derive(Debug, Clone, Default)]
pub struct MemoryPool(Option<Limited>);

#[derive(Debug, Clone)]
struct Limited {
    limit: u64,
    /// The limit without the bytes that no consumer shares.
    shared: u64,
    spill: Arc<SpillFile>,
}

impl MemoryPool {
    /// A pool without a limit.
    pub fn unlimited() -> MemoryPool {
        MemoryPool(None)
    }

    /// A pool of `limit` bytes, of which reading takes `reading`; the spill file lies in `folder`.
    ///
    /// # Errors
    /// Exit 7 if the limit is too small, or the spill file cannot be made.
    pub fn limited(limit: u64, reading: u64, folder: &Path) -> Result<MemoryPool> {
        let base = BASE + reading;
        if limit < base + MIN_SHARED {
            return Err(Error::new(
                Kind::Resource,
                format!(
                    "--memory-limit {} is too small: reading these files on so many threads takes {}, and every step needs room; \
                     give at least {}, or fewer --threads",
                    mib(limit),
                    mib(base),
                    mib(base + MIN_SHARED)
                ),
            ));
        }
        Ok(MemoryPool(Some(Limited { limit, shared: limit - base, spill: Arc::new(SpillFile::create(folder)?) })))
    }

    /// The spill file, under a limit.
    pub fn spill(&self) -> Option<&Arc<SpillFile>> {
        self.0.as_ref().map(|limited| &limited.spill)
    }

    /// Bytes that a consumer may use; `u64::MAX` without a limit.
    pub fn capacity(&self, consumer: Consumer) -> u64 {
        self.capacity_beside(0, consumer)
    }

    /// Bytes that a consumer may use on each thread of the current thread pool.
    pub fn capacity_per_thread(&self, consumer: Consumer) -> u64 {
        self.capacity(consumer) / rayon::current_num_threads().max(1) as u64
    }

    /// Checks that `bytes` are within a consumer's capacity, before they are allocated.
    ///
    /// # Errors
    /// Exit 7, with the smallest limit that would do.
    pub fn try_reserve(&self, consumer: Consumer, bytes: u64, what: impl FnOnce() -> String) -> Result<()> {
        self.try_reserve_beside(0, consumer, bytes, what)
    }

    /// [`Self::capacity`] where `unshared` more bytes are no consumer's.
    pub fn capacity_beside(&self, unshared: u64, consumer: Consumer) -> u64 {
        self.0.as_ref().map_or(u64::MAX, |limited| limited.shared.saturating_sub(unshared) / 8 * consumer.eighths())
    }

    /// [`Self::try_reserve`] where `unshared` more bytes are no consumer's.
    ///
    /// # Errors
    /// As [`Self::try_reserve`].
    pub fn try_reserve_beside(&self, unshared: u64, consumer: Consumer, bytes: u64, what: impl FnOnce() -> String) -> Result<()> {
        let Some(pool) = self.0.as_ref().filter(|_| bytes > self.capacity_beside(unshared, consumer)) else { return Ok(()) };
        let least = (pool.limit - pool.shared + unshared).saturating_add(bytes.div_ceil(consumer.eighths()).saturating_mul(8));
        let bytes = bytes.saturating_add(unshared);
        Err(Error::new(
            Kind::Resource,
            format!(
                "{} need {} of memory at once, which --memory-limit {} does not leave them; give at least {}",
                what(),
                mib(bytes),
                mib(pool.limit),
                mib(least)
            ),
        ))
    }

    /// Begins to watch the memory of a step that cannot be spilled.
    pub fn growth(&self) -> Growth<'_> {
        Growth { memory: self, before: self.0.as_ref().and_then(|_| resident()).unwrap_or(0) }
    }

    /// Checks that `bytes` fit beside what the process holds, before they are allocated. They cannot be spilled.
    ///
    /// # Errors
    /// Exit 7, with about the smallest limit that would do.
    pub fn check_room(&self, bytes: u64, what: impl FnOnce() -> String) -> Result<()> {
        let Some((pool, used)) = self.0.as_ref().zip(resident()) else { return Ok(()) };
        let least = used.saturating_add(bytes);
        if least <= pool.limit {
            return Ok(());
        }
        Err(Error::new(
            Kind::Resource,
            format!(
                "{} cannot be spilled and takes {} beside the {} in use, above --memory-limit {}; give at least about {}",
                what(),
                mib(bytes),
                mib(used),
                mib(pool.limit),
                mib(least + least / 20)
            ),
        ))
    }
}

/// How the memory of the process grows in a step that cannot be spilled.
#[derive(Debug)]
pub struct Growth<'a> {
    memory: &'a MemoryPool,
    /// Resident bytes before the step.
    before: u64,
}

impl Growth<'_> {
    /// Checks that the resident memory of the process is within the limit. `done` of `all` is how far the step is, from which
    /// the error estimates its need.
    ///
    /// # Errors
    /// Exit 7, with about the smallest limit that would do.
    pub fn check(&self, what: &str, done: u64, all: u64) -> Result<()> {
        let found = self.memory.0.as_ref().zip(resident()).filter(|(pool, used)| *used > pool.limit);
        let Some((pool, used)) = found else { return Ok(()) };
        let grown = u128::from(used.saturating_sub(self.before)) * u128::from(all.max(done)) / u128::from(done.max(1));
        let least = u64::try_from(grown).unwrap_or(u64::MAX).saturating_add(self.before).max(used);
        Err(Error::new(
            Kind::Resource,
            format!(
                "{what} cannot be spilled and took the memory to {}, above --memory-limit {}; give at least about {}",
                mib(used),
                mib(pool.limit),
                mib(least.saturating_add(least / 20))
            ),
        ))
    }
}

/// Checks that the machine has `bytes` of memory left, if it says how much: an error is better than the kernel killing the process.
///
/// # Errors
/// Exit 7.
pub fn check_available(bytes: u64, what: impl FnOnce() -> String) -> Result<()> {
    let Some(free) = kib("/proc/meminfo", "MemAvailable:").filter(|free| bytes > *free) else { return Ok(()) };
    Err(Error::new(
        Kind::Resource,
        format!("{} need {} of memory at once, and this machine has {} left; use a larger one", what(), mib(bytes), mib(free)),
    ))
}

/// Bytes in the form of a limit, rounded up.
fn mib(bytes: u64) -> String {
    format!("{}MiB", bytes.div_ceil(MIB))
}

/// Resident memory of this process in bytes, if the system says.
pub fn resident() -> Option<u64> {
    kib("/proc/self/status", "VmRSS:")
}

/// Largest resident memory of this process in bytes, if the system says.
pub fn peak() -> Option<u64> {
    kib("/proc/self/status", "VmHWM:")
}

/// The bytes that a line of a file of `/proc` gives in KiB.
fn kib(path: &str, key: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix(key))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_small_a_limit_is_refused_with_one_that_would_do() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        let small = MemoryPool::limited(100 * MIB, 20 * MIB, folder.path()).expect_err("too small");
        assert_eq!(small.kind(), Kind::Resource);
        assert!(small.to_string().contains("at least 148MiB"), "{small}");
        let memory = MemoryPool::limited(184 * MIB, 20 * MIB, folder.path())?;
        assert_eq!(memory.capacity(Consumer::Orders), 50 * MIB);
        memory.try_reserve(Consumer::AxisValues, 25 * MIB, || "values".into())?;
        let error = memory.try_reserve(Consumer::AxisValues, 26 * MIB, || "values".into()).expect_err("too much");
        assert!(error.to_string().contains("values need 26MiB of memory at once"), "{error}");
        assert!(error.to_string().contains("at least 188MiB"), "{error}");
        let enough = MemoryPool::limited(188 * MIB, 20 * MIB, folder.path())?;
        enough.try_reserve(Consumer::AxisValues, 26 * MIB, || "values".into())?;
        assert_eq!(MemoryPool::unlimited().capacity(Consumer::Retained), u64::MAX);
        MemoryPool::unlimited().try_reserve(Consumer::Retained, u64::MAX - 1, String::new)?;
        Ok(())
    }

    #[test]
    fn what_the_machine_cannot_hold_is_refused() -> Result<()> {
        check_available(1, || "a byte".into())?;
        let error = check_available(1 << 60, || "The rows of a customer".into()).expect_err("more than any machine has");
        assert_eq!(error.kind(), Kind::Resource);
        assert!(error.to_string().starts_with("The rows of a customer need 1099511627776MiB of memory at once"), "{error}");
        Ok(())
    }

    #[test]
    fn resident_memory_is_checked() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        let roomy = MemoryPool::limited(1 << 40, 0, folder.path())?;
        roomy.growth().check("rows", 1, 10)?;
        roomy.check_room(1 << 30, || "rows".into())?;
        let used = resident().expect("a figure on Linux");
        assert!(peak().expect("a figure on Linux") >= used);
        let tight = MemoryPool(Some(Limited { limit: used / 2, shared: 1, spill: Arc::new(SpillFile::create(folder.path())?) }));
        let error = tight.growth().check("The rows of a table", 1, 10).expect_err("above the limit");
        assert!(error.to_string().starts_with("The rows of a table cannot be spilled"), "{error}");
        let least = |growth: Growth<'_>| {
            let error = growth.check("The rows of a table", 1, 10).expect_err("above the limit").to_string();
            let (_, least) = error.split_once("at least about ").expect("a limit");
            least.trim_end_matches("MiB").parse::<u64>().expect("a size") * MIB
        };
        // What was there before the step does not grow with it; what a tenth of the step took, all of it takes ten times.
        assert!((used..2 * used).contains(&least(tight.growth())), "nothing grew");
        let half = least(Growth { memory: &tight, before: used / 2 });
        assert!((5 * used..7 * used).contains(&half), "half of {used} and ten times as much again, not {half}");
        let error = tight.check_room(MIB, || "The rows of a table".into()).expect_err("above the limit");
        assert!(error.to_string().contains("takes 1MiB beside the"), "{error}");
        Ok(())
    }
}
