//! How much memory a run may use, and how its steps share it.
//!
//! Without a limit everything stays in memory. Under one, a step that would outgrow its share writes to the [`Spill`]; what
//! cannot be spilled is watched, and refused with the least limit that would do.

mod spill;

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Kind, Result};
pub use spill::{Piece, Spill};

/// Bytes of a MiB, in which limits are said.
const MIB: u64 = 1 << 20;

/// What a process of this program takes before it reads anything, and for what it does not count.
const BASE: u64 = 64 * MIB;

/// The least that steps can share.
const LEAST: u64 = 64 * MIB;

/// What shares the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Packed orders while they are read, over all threads.
    Orders,
    /// Packed events while they are read, over all threads.
    Events,
    /// What stays in memory of each of them after it was read.
    Kept,
    /// Values of the axes while they are surveyed, over all threads; and those of one axis at one date while it is cut.
    Values,
    /// The orders of one bucket, unpacked.
    Bucket,
    /// All parts that are in work.
    Parts,
}

impl Share {
    /// Of what steps share. Parts are in work while orders, events and the survey keep something each.
    fn eighths(self) -> u64 {
        match self {
            Share::Parts => 5,
            Share::Orders => 4,
            Share::Events | Share::Values | Share::Bucket => 2,
            Share::Kept => 1,
        }
    }
}

/// The memory of a run.
#[derive(Debug, Clone, Default)]
pub struct Memory(Option<Limited>);

#[derive(Debug, Clone)]
struct Limited {
    limit: u64,
    /// What steps share: the limit without the base.
    free: u64,
    spill: Arc<Spill>,
}

impl Memory {
    /// Memory without a limit.
    pub fn unlimited() -> Memory {
        Memory(None)
    }

    /// At most `limit` bytes, of which reading takes `reading`; what does not fit is spilled into `folder`.
    ///
    /// # Errors
    /// Exit 7 if the limit is too small, or nothing can be spilled.
    pub fn limited(limit: u64, reading: u64, folder: &Path) -> Result<Memory> {
        let base = BASE + reading;
        if limit < base + LEAST {
            return Err(Error::new(
                Kind::Resource,
                format!(
                    "--memory-limit {} is too small: reading these files on so many threads takes {}, and every step needs room; \
                     give at least {}, or fewer --threads",
                    mib(limit),
                    mib(base),
                    mib(base + LEAST)
                ),
            ));
        }
        Ok(Memory(Some(Limited { limit, free: limit - base, spill: Arc::new(Spill::create(folder)?) })))
    }

    /// Where to spill, under a limit.
    pub fn spill(&self) -> Option<&Arc<Spill>> {
        self.0.as_ref().map(|own| &own.spill)
    }

    /// Bytes of a share; boundless without a limit.
    pub fn share(&self, share: Share) -> u64 {
        let Some(own) = &self.0 else { return u64::MAX };
        own.free / 8 * share.eighths()
    }

    /// Bytes of a share for each of the threads that this is called on.
    pub fn per_thread(&self, share: Share) -> u64 {
        self.share(share) / rayon::current_num_threads().max(1) as u64
    }

    /// Refuses what needs more than its share, before it takes it.
    ///
    /// # Errors
    /// Exit 7, with the least limit that would do.
    pub fn claim(&self, share: Share, bytes: u64, what: impl FnOnce() -> String) -> Result<()> {
        let Some(own) = self.0.as_ref().filter(|_| bytes > self.share(share)) else { return Ok(()) };
        let least = own.limit - own.free + bytes.div_ceil(share.eighths()).saturating_mul(8);
        Err(Error::new(
            Kind::Resource,
            format!(
                "{} need {} of memory at once, which --memory-limit {} does not leave them; give at least {}",
                what(),
                mib(bytes),
                mib(own.limit),
                mib(least)
            ),
        ))
    }

    /// Watches what is not spilled: refuses to go on once more is used than may be. `done` of `all` is what was done until now.
    ///
    /// # Errors
    /// Exit 7, with about the least limit that would do.
    pub fn watch(&self, what: &str, done: u64, all: u64) -> Result<()> {
        let Some((own, used)) = self.0.as_ref().zip(resident()).filter(|(own, used)| *used > own.limit) else { return Ok(()) };
        let whole = u128::from(used) * u128::from(all.max(done)) / u128::from(done.max(1));
        let least = u64::try_from(whole).unwrap_or(u64::MAX);
        Err(Error::new(
            Kind::Resource,
            format!(
                "{what} cannot be spilled and took the memory to {}, above --memory-limit {}; give at least about {}",
                mib(used),
                mib(own.limit),
                mib(least)
            ),
        ))
    }
}

/// Refuses what the machine has no memory for, where the system tells, rather than that the kernel ends the process.
///
/// # Errors
/// Exit 7.
pub fn must_fit(bytes: u64, what: impl FnOnce() -> String) -> Result<()> {
    let Some(free) = kib("/proc/meminfo", "MemAvailable:").filter(|free| bytes > *free) else { return Ok(()) };
    Err(Error::new(
        Kind::Resource,
        format!("{} need {} of memory at once, and this machine has {} left; use a larger one", what(), mib(bytes), mib(free)),
    ))
}

/// Bytes as a limit is written, rounded up.
fn mib(bytes: u64) -> String {
    format!("{}MiB", bytes.div_ceil(MIB))
}

/// Resident memory of this process in bytes, where the system tells.
pub fn resident() -> Option<u64> {
    kib("/proc/self/status", "VmRSS:")
}

/// Largest resident memory of this process in bytes, where the system tells.
pub fn peak() -> Option<u64> {
    kib("/proc/self/status", "VmHWM:")
}

/// Bytes of a line of one of the system's files.
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
    fn what_does_not_fit_is_refused_with_what_would_do() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        let small = Memory::limited(100 * MIB, 20 * MIB, folder.path()).expect_err("too small");
        assert_eq!(small.kind(), Kind::Resource);
        assert!(small.to_string().contains("at least 148MiB"), "{small}");
        let memory = Memory::limited(184 * MIB, 20 * MIB, folder.path())?;
        assert_eq!(memory.share(Share::Orders), 50 * MIB);
        memory.claim(Share::Values, 25 * MIB, || "values".into())?;
        let error = memory.claim(Share::Values, 26 * MIB, || "values".into()).expect_err("too much");
        assert!(error.to_string().contains("values need 26MiB of memory at once"), "{error}");
        assert!(error.to_string().contains("at least 188MiB"), "{error}");
        let enough = Memory::limited(188 * MIB, 20 * MIB, folder.path())?;
        enough.claim(Share::Values, 26 * MIB, || "values".into())?;
        assert_eq!(Memory::unlimited().share(Share::Kept), u64::MAX);
        Memory::unlimited().claim(Share::Kept, u64::MAX - 1, String::new)?;
        Ok(())
    }

    #[test]
    fn what_the_machine_cannot_hold_is_refused() -> Result<()> {
        must_fit(1, || "a byte".into())?;
        let error = must_fit(1 << 60, || "The rows of a customer".into()).expect_err("more than any machine has");
        assert_eq!(error.kind(), Kind::Resource);
        assert!(error.to_string().starts_with("The rows of a customer need 1099511627776MiB of memory at once"), "{error}");
        Ok(())
    }

    #[test]
    fn memory_is_watched() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        let roomy = Memory::limited(1 << 40, 0, folder.path())?;
        roomy.watch("rows", 1, 10)?;
        let used = resident().expect("a figure on Linux");
        assert!(peak().expect("a figure on Linux") >= used);
        let tight = Memory(Some(Limited { limit: used / 2, free: 1, spill: Arc::new(Spill::create(folder.path())?) }));
        let error = tight.watch("The rows of a table", 1, 10).expect_err("above the limit");
        assert!(error.to_string().starts_with("The rows of a table cannot be spilled"), "{error}");
        Ok(())
    }
}
