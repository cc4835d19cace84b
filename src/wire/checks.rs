//! What every value that travels must hold, for the tests of the modules that make them.

use super::{Travels, read, write};
use crate::error::Result;
use crate::hash::sha256;

/// Numbers that look random and are the same in every run.
pub struct Sequence(u64);

impl Sequence {
    pub fn new(seed: u64) -> Sequence {
        Sequence(seed)
    }

    /// The next number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 20) % end.max(1)
    }
}

/// Checks that values merge in any order, written on the way or not, to the same bytes; gives their first 16 hexadecimal digits
/// of SHA-256, which change with the form.
pub fn merges_in_any_order<T: Travels>(make: impl Fn() -> Vec<T>, merge: impl Fn(&mut T, T) -> Result<()>) -> Result<String> {
    let merged = |mut values: Vec<T>, seed: u64, travels: bool| -> Result<Vec<u8>> {
        let mut sequence = Sequence::new(seed);
        while values.len() > 1 {
            let from = values.swap_remove(sequence.below(values.len() as u64) as usize);
            let from = if travels { read(&write(from)?, "a test")? } else { from };
            let to = sequence.below(values.len() as u64) as usize;
            merge(&mut values[to], from)?;
        }
        values.pop().map_or(Ok(Vec::new()), write)
    };
    let want = merged(make(), 1, false)?;
    for seed in 2..12 {
        assert!(merged(make(), seed, seed % 2 == 0)? == want, "the bytes depend on the order of merging, seed {seed}");
    }
    assert!(write(read::<T>(&want, "a test")?)? == want, "a value that was read is written otherwise");
    Ok(sha256(&want)[..16].to_owned())
}
