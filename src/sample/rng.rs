//! Counter-based randomness: every stream of random numbers is found from the seed, its purpose and
//! two counters alone, so that any part of a sample can be generated on its own, on any thread.

use std::convert::Infallible;

use rand::TryRng;

/// 2^64 divided by the golden ratio: the increment of SplitMix64.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a stream is for. Two purposes never share random numbers, so a change to one leaves the
/// others as they are. The numbers are part of the output: never reuse or renumber them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Day-to-day noise of demand.
    Calendar = 1,
    /// How many repeat purchases fall into each file and block.
    Allocation = 2,
    /// How often and how long a customer buys.
    Buying = 3,
    /// What a customer is like: region, tastes.
    Traits = 4,
    /// When repeat purchases happen, and whose they are.
    Timing = 5,
    /// What is in an order.
    Basket = 6,
    /// Which purchases come back.
    Returns = 7,
    /// Which rows get a broken copy.
    BadRows = 8,
}

/// The streams of one seed and purpose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams(u64);

impl Streams {
    pub(super) fn new(seed: u64, purpose: Purpose) -> Self {
        Self(mix(mix(seed) ^ mix(purpose as u64)))
    }

    /// The stream at two counters, for example a customer and a file.
    pub(super) fn at(self, first: u64, second: u64) -> Stream {
        let key = mix(self.0.wrapping_add(first.wrapping_mul(GOLDEN)));
        Stream(mix(key.wrapping_add(second.wrapping_mul(GOLDEN))))
    }
}

/// SplitMix64. A few instructions per number, and free to start, which matters more here than a
/// long period: most streams give fewer than a hundred numbers.
#[derive(Clone, Debug)]
pub(super) struct Stream(u64);

impl Stream {
    /// 64 random bits.
    pub(super) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A whole number in [0, bound), or 0 if `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// True with the given probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of the items, each as likely as the next; `default` if there are none.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T], default: T) -> T {
        let index = self.below(items.len() as u64) as usize;
        items.get(index).copied().unwrap_or(default)
    }
}

/// Lets `rand_distr` draw from a stream.
impl TryRng for Stream {
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
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
