//! The customers of a bucket, numbered.

use xxhash_rust::xxh3::xxh3_64;

use crate::bucket::{Field, RecordLayout, Records, hash_key};
use crate::domain::{CustomerIds, StringIds};

use super::codes::SourceCodes;

/// The customers of a bucket, numbered as their records were met.
pub(super) struct CustomerInterner {
    ids: CustomerIds,
    /// Slice number per customer; empty without slices.
    slices: Vec<u32>,
    /// The number of each record's customer.
    pub of_record: Vec<u32>,
}

impl CustomerInterner {
    pub fn new(layout: RecordLayout, orders: &Records, source: &SourceCodes) -> CustomerInterner {
        let codes = layout.has(Field::Slice).then(|| orders.column(Field::Slice));
        let (ids, codes, of_record) = if layout.text_ids {
            let (ids, codes, of_record) = intern_text(orders, codes);
            (CustomerIds::Text(ids), codes, of_record)
        } else {
            let (ids, codes, of_record) = intern_int(orders.column(Field::Customer), codes);
            (CustomerIds::Int(ids), codes, of_record)
        };
        // A code is of the order in which threads met the values; a number is of the order of the values.
        let number = |code: u32| source.slices.get(code as usize).copied().unwrap_or(code);
        CustomerInterner { ids, slices: codes.into_iter().map(number).collect(), of_record }
    }

    /// How many customers.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The customers ascending by slice and id.
    pub fn order(&self) -> Vec<u32> {
        let slice = |c: u32| self.slices.get(c as usize).copied().unwrap_or(0);
        match &self.ids {
            CustomerIds::Int(ids) if self.slices.is_empty() => CustomerIds::ascending(ids),
            CustomerIds::Int(ids) => {
                let mut keyed: Vec<(u32, i64, u32)> = ids.iter().zip(0..).map(|(&id, c)| (slice(c), id, c)).collect();
                keyed.sort_unstable();
                keyed.into_iter().map(|k| k.2).collect()
            }
            CustomerIds::Text(ids) => {
                let id = |c: u32| ids.get(c as usize);
                let mut keyed: Vec<(u32, u64, u32)> = (0..ids.len() as u32).map(|c| (slice(c), beginning(id(c)), c)).collect();
                keyed.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| id(a.2).cmp(id(b.2))));
                keyed.into_iter().map(|k| k.2).collect()
            }
        }
    }

    /// Ids and slices in this order.
    pub fn in_order(self, order: &[u32]) -> (CustomerIds, Vec<u32>) {
        let ids = match self.ids {
            CustomerIds::Int(ids) => CustomerIds::Int(order.iter().map(|&c| ids[c as usize]).collect()),
            CustomerIds::Text(ids) => {
                let mut sorted = StringIds::default();
                order.iter().for_each(|&c| sorted.push(ids.get(c as usize)));
                CustomerIds::Text(sorted)
            }
        };
        let slices = if self.slices.is_empty() { Vec::new() } else { order.iter().map(|&c| self.slices[c as usize]).collect() };
        (ids, slices)
    }

    /// The customer of every record, as an index in this order.
    pub fn renumber(&mut self, order: &[u32]) -> Vec<u32> {
        let mut index = vec![0u32; order.len()];
        for (new, &old) in order.iter().enumerate() {
            index[old as usize] = new as u32;
        }
        let mut of_record = std::mem::take(&mut self.of_record);
        for number in &mut of_record {
            *number = index[*number as usize];
        }
        of_record
    }
}

/// The first eight bytes of an id as a number, so that ids with unlike ones are in the order of these numbers.
fn beginning(id: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let some = id.len().min(8);
    bytes[..some].copy_from_slice(&id[..some]);
    u64::from_be_bytes(bytes)
}

/// Whether two ids are the same. Most are short, and two words of each are compared faster than memory is by a call: with the sort by
/// [`beginning`] this takes 5 % off the CPU time of W1 with text ids (`benches/all.py`).
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    match a.len() {
        length if length != b.len() => false,
        4..8 => a.first_chunk::<4>() == b.first_chunk() && a.last_chunk::<4>() == b.last_chunk(),
        8..=16 => a.first_chunk::<8>() == b.first_chunk() && a.last_chunk::<8>() == b.last_chunk(),
        _ => a == b,
    }
}

/// An open-addressing table from key to the number of its first appearance. The keys live outside; the table holds
/// numbers only.
struct Interner {
    slots: Vec<u32>,
    len: usize,
}

const EMPTY: u32 = u32::MAX;

impl Interner {
    fn new() -> Interner {
        Interner { slots: vec![EMPTY; 1 << 12], len: 0 }
    }

    /// The number of the key with this hash, which is `self.len` before the call if the key is new.
    fn number(&mut self, hash: u64, same: impl Fn(u32) -> bool, hash_of: impl Fn(u32) -> u64) -> u32 {
        if (self.len + 1) * 2 > self.slots.len() {
            self.grow(hash_of);
        }
        let mask = self.slots.len() - 1;
        let mut slot = position(hash) & mask;
        loop {
            match self.slots[slot] {
                EMPTY => {
                    let number = self.len as u32;
                    self.slots[slot] = number;
                    self.len += 1;
                    return number;
                }
                number if same(number) => return number,
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    #[cold]
    fn grow(&mut self, hash_of: impl Fn(u32) -> u64) {
        let mut slots = vec![EMPTY; self.slots.len() * 2];
        let mask = slots.len() - 1;
        for number in 0..self.len as u32 {
            let mut slot = position(hash_of(number)) & mask;
            while slots[slot] != EMPTY {
                slot = (slot + 1) & mask;
            }
            slots[slot] = number;
        }
        self.slots = slots;
    }
}

/// Where a hash starts in the table: not its top bits, which all keys of a bucket share, nor its weak lowest.
fn position(hash: u64) -> usize {
    (hash >> 20) as usize
}

fn with_slice(hash: u64, slice: i64) -> u64 {
    hash ^ (slice as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
}

fn intern_int(keys: &[i64], slices: Option<&[i64]>) -> (Vec<i64>, Vec<u32>, Vec<u32>) {
    let mut table = Interner::new();
    let mut ids: Vec<i64> = Vec::new();
    let mut of_record = Vec::with_capacity(keys.len());
    match slices {
        None => {
            for &key in keys {
                let number = table.number(hash_key(key), |n| ids[n as usize] == key, |n| hash_key(ids[n as usize]));
                if number as usize == ids.len() {
                    ids.push(key);
                }
                of_record.push(number);
            }
            (ids, Vec::new(), of_record)
        }
        Some(slices) => {
            let mut slice_of: Vec<u32> = Vec::new();
            for (&key, &slice) in keys.iter().zip(slices) {
                let number = table.number(
                    with_slice(hash_key(key), slice),
                    |n| ids[n as usize] == key && i64::from(slice_of[n as usize]) == slice,
                    |n| with_slice(hash_key(ids[n as usize]), i64::from(slice_of[n as usize])),
                );
                if number as usize == ids.len() {
                    ids.push(key);
                    slice_of.push(slice as u32);
                }
                of_record.push(number);
            }
            (ids, slice_of, of_record)
        }
    }
}

fn intern_text(orders: &Records, slices: Option<&[i64]>) -> (StringIds, Vec<u32>, Vec<u32>) {
    let mut table = Interner::new();
    let mut ids = StringIds::default();
    let mut hashes: Vec<u64> = Vec::new();
    let mut slice_of: Vec<u32> = Vec::new();
    let mut of_record = Vec::with_capacity(orders.len());
    let mut rest = orders.text();
    for (record, &length) in orders.column(Field::Customer).iter().enumerate() {
        let (id, after) = rest.split_at(length as usize);
        rest = after;
        let slice = slices.map_or(0, |s| s[record]);
        let hash = with_slice(xxh3_64(id), slice);
        let number = table.number(
            hash,
            |n| {
                hashes[n as usize] == hash
                    && is_same(ids.get(n as usize), id)
                    && slice_of.get(n as usize).is_none_or(|s| i64::from(*s) == slice)
            },
            |n| hashes[n as usize],
        );
        if number as usize == ids.len() {
            ids.push(id);
            hashes.push(hash);
            if slices.is_some() {
                slice_of.push(slice as u32);
            }
        }
        of_record.push(number);
    }
    (ids, slice_of, of_record)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of ids say what their bytes say, whatever their lengths, and where bytes of zero follow.
    #[test]
    fn ids_are_compared_as_their_bytes() {
        let letters = [0, 1, b'a', 0xFF];
        let mut ids: Vec<Vec<u8>> = vec![Vec::new()];
        for length in 1..=20 {
            for (number, letter) in letters.iter().enumerate() {
                let mut id = vec![b'a'; length];
                id[(number * 7) % length] = *letter;
                ids.push(id.clone());
                id[length - 1] = *letter;
                ids.push(id);
            }
        }
        for a in &ids {
            for b in &ids {
                assert_eq!(is_same(a, b), a == b, "{a:?} {b:?}");
                let by_beginning = beginning(a).cmp(&beginning(b)).then_with(|| a.cmp(b));
                assert_eq!(by_beginning, a.cmp(b), "{a:?} {b:?}");
            }
        }
    }
}
