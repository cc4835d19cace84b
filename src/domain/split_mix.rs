//! Random numbers that are the same in every run and on every machine.

use std::convert::Infallible;

use rand::TryRng;

/// 2^64 divided by the golden ratio: the increment of SplitMix64.
pub(crate) const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64. A few instructions per number, and free to start, which matters more here than a long period. (Steele, Lea and
/// Flood 2014, Fast splittable pseudorandom number generators.)
#[derive(Clone, Debug)]
pub struct SplitMix(u64);

impl SplitMix {
    /// The stream that begins behind this state.
    pub fn new(state: u64) -> SplitMix {
        SplitMix(state)
    }

    /// 64 random bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A whole number in [0, bound), or 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// True with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of the items, each as likely as the next; `default` if there are none.
    pub fn pick<T: Copy>(&mut self, items: &[T], default: T) -> T {
        let index = self.below(items.len() as u64) as usize;
        items.get(index).copied().unwrap_or(default)
    }
}

/// Lets `rand_distr` draw from a stream.
impl TryRng for SplitMix {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.word() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.word())
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        for bytes in target.chunks_mut(8) {
            for (byte, random) in bytes.iter_mut().zip(self.word().to_le_bytes()) {
                *byte = random;
            }
        }
        Ok(())
    }
}

/// SplitMix64's finaliser: a bijection whose output bits each depend on all input bits.
pub(crate) fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
