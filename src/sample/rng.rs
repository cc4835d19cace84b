//! Counter-based randomness: every stream of random numbers is found from the seed, its purpose and
//! two counters alone, so that any part of a sample can be generated on its own, on any thread.

use crate::domain::SplitMix;
use crate::domain::split_mix::{GOLDEN, mix};

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
    /// Service tickets and answers to surveys.
    Service = 9,
}

/// The streams of one seed and purpose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams(u64);

impl Streams {
    pub(super) fn new(seed: u64, purpose: Purpose) -> Self {
        Self(mix(mix(seed) ^ mix(purpose as u64)))
    }

    /// The stream at two counters, for example a customer and a file.
    pub(super) fn at(self, first: u64, second: u64) -> SplitMix {
        let key = mix(self.0.wrapping_add(first.wrapping_mul(GOLDEN)));
        SplitMix::new(mix(key.wrapping_add(second.wrapping_mul(GOLDEN))))
    }
}
