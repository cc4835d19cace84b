//! Dense indices for group keys, in order of first occurrence.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::key::Key;

/// Up to this many keys are looked up in an array.
pub const DENSE: u128 = 1 << 16;

/// Partial sums of up to this many keys keep the sums of all keys when they are cleared.
pub const FEW: u128 = 1 << 12;

/// The entry of a key without an index.
pub const EMPTY: u32 = u32::MAX;

/// The dense index of every key, in order of first occurrence.
#[derive(Default)]
pub struct GroupIndex {
    /// Every key below the bound is its own index.
    is_whole: bool,
    dense: Vec<u32>,
    sparse: HashMap<u128, u32, BuildHasherDefault<Spread>>,
    keys: Vec<u128>,
}

impl GroupIndex {
    /// An index of keys below `bound`.
    pub fn new(bound: u128) -> GroupIndex {
        let dense = if bound <= DENSE { vec![EMPTY; bound as usize] } else { Vec::new() };
        GroupIndex { dense, ..GroupIndex::default() }
    }

    /// An index in which every key below `bound` is its own index.
    pub fn whole(bound: u128) -> GroupIndex {
        let numbers = 0..bound as u32;
        GroupIndex {
            is_whole: true,
            dense: numbers.clone().collect(),
            keys: numbers.map(u128::from).collect(),
            ..GroupIndex::default()
        }
    }

    /// The index of a key; a new key gets the next one.
    #[inline]
    pub fn index_of<K: Key>(&mut self, key: K) -> u32 {
        if self.is_whole {
            return key.at() as u32;
        }
        let next = self.keys.len() as u32;
        let found = match self.dense.get_mut(key.at()) {
            Some(own) => own,
            None => self.sparse.entry(key.into()).or_insert(EMPTY),
        };
        if *found == EMPTY {
            *found = next;
            self.keys.push(key.into());
        }
        *found
    }

    /// The index of a known key.
    pub fn find(&self, key: u128) -> Option<usize> {
        let found = if self.dense.is_empty() { self.sparse.get(&key) } else { self.dense.get(key as usize) };
        found.filter(|n| **n != EMPTY).map(|n| *n as usize)
    }

    /// Removes all keys.
    pub fn clear(&mut self) {
        if self.is_whole {
            return;
        }
        for key in self.keys.drain(..) {
            if let Some(own) = self.dense.get_mut(key as usize) {
                *own = EMPTY;
            }
        }
        self.sparse.clear();
    }

    /// All keys by index.
    pub fn keys(&self) -> &[u128] {
        &self.keys
    }
}

/// A multiplicative hash of integers.
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }
}
