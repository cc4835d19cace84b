//! Orders on their way from the scan to the fold: small records, in buckets by customer hash.
//!
//! Every scan thread fills its own [`Buckets`]. A record is a row of *lanes* (one integer per field that the job
//! needs) and, for string ids, the id's bytes. Full blocks are packed lane by lane as offsets from their minimum in
//! 0, 1, 2, 4 or 8 bytes, so that a field that never varies costs nothing and an order of a TPC-H-like job takes about
//! ten bytes. The fold unpacks one bucket at a time; it then fits into the cache, and no global hash table is needed.

mod pack;
mod store;

use std::sync::Arc;

use crate::error::Result;
use crate::memory::{Consumer, MemoryPool, SpillFile};
pub use pack::{Unpacked, pack_numbers, unpack_numbers};
pub use store::{Packed, Store};

/// A field of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Lane {
    /// Customer id as an ordered integer key; for string ids the length of the id.
    Customer = 0,
    /// Business date, days since 1970-01-01.
    Date = 1,
    /// Amount in minor units.
    Amount = 2,
    /// Flags of [`flag`].
    Flags = 3,
    /// Code of the slice.
    Slice = 4,
    /// Cost in minor units.
    Cost = 5,
    /// Low half of the order id, or of its hash.
    Order = 6,
    /// High half of the hash of a string order id.
    OrderHigh = 7,
    /// Number of the input file.
    File = 8,
    /// Code of the category; -1 without one.
    Category = 9,
    /// Number of an event's kind.
    Kind = 10,
}

/// How many lanes a record can have.
pub const LANES: usize = 11;

/// Bits of [`Lane::Flags`].
pub mod flag {
    /// A line that the job's returns predicate matches.
    pub const RETURN: i64 = 1;
    /// A line with a discount above zero.
    pub const DISCOUNTED: i64 = 2;
    /// A line whose cost is null.
    pub const COST_MISSING: i64 = 4;
}

/// Records per block: large enough to pack well, small enough that all open blocks stay in the cache.
const BLOCK: usize = 128;

/// Which lanes the records of a job have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Whether ids are strings.
    pub text_ids: bool,
    lanes: [bool; LANES],
}

impl Layout {
    /// Customer, date and amount, and whatever else is asked for.
    pub fn new(text_ids: bool, more: &[Lane]) -> Layout {
        let mut lanes = [false; LANES];
        for lane in [Lane::Customer, Lane::Date, Lane::Amount].iter().chain(more) {
            lanes[*lane as usize] = true;
        }
        Layout { text_ids, lanes }
    }

    /// Customer, date and kind of an event.
    pub fn of_events(text_ids: bool) -> Layout {
        let mut lanes = [false; LANES];
        for lane in [Lane::Customer, Lane::Date, Lane::Kind] {
            lanes[lane as usize] = true;
        }
        Layout { text_ids, lanes }
    }

    /// How many lanes the records have.
    fn count(&self) -> usize {
        self.lanes.iter().filter(|used| **used).count()
    }

    /// Whether the records have this lane.
    pub fn has(&self, lane: Lane) -> bool {
        self.lanes[lane as usize]
    }
}

/// Hash of an integer customer key: Fibonacci multiplication, whose high bits spread well.
pub fn hash_key(key: i64) -> u64 {
    let mixed = (key as u64) ^ ((key as u64) >> 32);
    mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Hash of a string customer id; fixed for all time, since files of a table hold hash ranges.
pub fn hash_text(id: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(id)
}

/// Packed blocks one after the other, in a few pieces of memory.
type Chunks = Vec<Vec<u8>>;

/// Bytes of a chunk: many blocks, so that there are few allocations, and little unused at the end of each bucket.
const CHUNK: usize = 1 << 16;

/// Bytes of a chunk under a limit: a few blocks, since every bucket is written away long before it fills a larger one.
const SMALL_CHUNK: usize = 1 << 12;

/// The buckets of one scan thread.
pub struct Buckets {
    layout: Layout,
    shift: u32,
    /// Open blocks of all buckets, lane by lane: lane `l` of bucket `b` begins at `(b · lanes + l) · BLOCK`.
    open: Vec<i64>,
    /// Records in each open block.
    len: Vec<u32>,
    /// Bytes of the string ids of each open block.
    text: Vec<Vec<u8>>,
    closed: Vec<Packed>,
    /// Where a block is packed before it is copied behind the others.
    packed: Vec<u8>,
    /// Bytes of a chunk.
    chunk: usize,
    /// Bytes of closed blocks in memory.
    held: u64,
    /// How many of them may be, and where they go then.
    spill: Option<(u64, Arc<SpillFile>)>,
}

impl Buckets {
    /// `2^bits` empty buckets (`bits` from 1 to 16).
    pub fn new(layout: Layout, bits: u32) -> Buckets {
        let count = 1usize << bits;
        Buckets {
            layout,
            shift: 64 - bits,
            open: vec![0; count * layout.count() * BLOCK],
            len: vec![0; count],
            text: vec![Vec::new(); if layout.text_ids { count } else { 0 }],
            closed: std::iter::repeat_with(Packed::default).take(count).collect(),
            packed: vec![0; pack::most_bytes(layout.count())],
            chunk: CHUNK,
            held: 0,
            spill: None,
        }
    }

    /// Keeps to this thread's part of a share of the memory, if [`Buckets::relieve`] is called now and then.
    pub fn within(mut self, memory: &MemoryPool, consumer: Consumer) -> Buckets {
        if let Some(spill) = memory.spill() {
            self.chunk = SMALL_CHUNK;
            self.spill = Some((memory.capacity_per_thread(consumer), Arc::clone(spill)));
        }
        self
    }

    /// Writes the closed blocks away if they are more than this thread may hold.
    ///
    /// # Errors
    /// Exit 7 if they cannot be written.
    pub fn relieve(&mut self) -> Result<()> {
        if let Some((_, spill)) = self.spill.as_ref().filter(|(most, _)| self.held > *most) {
            store::spill(&mut self.closed, spill)?;
            self.held = 0;
        }
        Ok(())
    }

    /// Bytes that open blocks of so many buckets take, about.
    pub fn open_bytes(layout: Layout, bits: u32) -> u64 {
        let text = if layout.text_ids { 32 } else { 0 };
        (((layout.count() * 8 + text) * BLOCK) as u64) << bits
    }

    /// Appends records with integer ids: `lanes` are the columns of the layout's lanes in order. Rows for which `keep` is
    /// false are passed over.
    pub fn append(&mut self, lanes: &[&[i64]], keep: Option<&[bool]>) {
        match *lanes {
            // The shape of nearly every job, and of events, without the inner loop.
            [customer, date, amount] if keep.is_none() => {
                for ((&customer, &date), &amount) in customer.iter().zip(date).zip(amount) {
                    let bucket = (hash_key(customer) >> self.shift) as usize;
                    let len = self.len[bucket] as usize;
                    let block = &mut self.open[bucket * 3 * BLOCK..(bucket + 1) * 3 * BLOCK];
                    block[len] = customer;
                    block[BLOCK + len] = date;
                    block[2 * BLOCK + len] = amount;
                    self.advance(bucket, len);
                }
            }
            [customers, ..] => {
                for (row, customer) in customers.iter().enumerate() {
                    if keep.is_none_or(|keep| keep[row]) {
                        let bucket = (hash_key(*customer) >> self.shift) as usize;
                        self.put(bucket, row, lanes);
                    }
                }
            }
            [] => {}
        }
    }

    /// Appends records with string ids; `id(row)` gives the bytes and the customer lane their lengths.
    pub fn append_text<'a>(&mut self, id: impl Fn(usize) -> &'a [u8], lanes: &[&[i64]], keep: Option<&[bool]>) {
        let rows = lanes.first().map_or(0, |lane| lane.len());
        for row in (0..rows).filter(|row| keep.is_none_or(|keep| keep[*row])) {
            let id = id(row);
            let bucket = (hash_text(id) >> self.shift) as usize;
            self.text[bucket].extend_from_slice(id);
            self.put(bucket, row, lanes);
        }
    }

    #[inline]
    fn put(&mut self, bucket: usize, row: usize, lanes: &[&[i64]]) {
        let len = self.len[bucket] as usize;
        let block = &mut self.open[bucket * lanes.len() * BLOCK..(bucket + 1) * lanes.len() * BLOCK];
        for (lane, values) in block.chunks_exact_mut(BLOCK).zip(lanes) {
            lane[len] = values[row];
        }
        self.advance(bucket, len);
    }

    #[inline]
    fn advance(&mut self, bucket: usize, len: usize) {
        self.len[bucket] = len as u32 + 1;
        if len + 1 == BLOCK {
            self.close(bucket);
        }
    }

    fn close(&mut self, bucket: usize) {
        let size = self.layout.count() * BLOCK;
        let block = &self.open[bucket * size..(bucket + 1) * size];
        let text = self.text.get(bucket).map_or(&[][..], Vec::as_slice);
        let closed = &mut self.closed[bucket];
        let size = pack::pack(block, self.len[bucket] as usize, text, &mut self.packed, self.chunk, &mut closed.chunks);
        closed.records += u64::from(self.len[bucket]);
        self.held += size as u64;
        self.len[bucket] = 0;
        if let Some(text) = self.text.get_mut(bucket) {
            text.clear();
        }
    }

    /// Closes what is open; after that the blocks of each bucket can be taken.
    pub fn finish(mut self) -> Vec<Packed> {
        for bucket in 0..self.len.len() {
            if self.len[bucket] > 0 {
                self.close(bucket);
            }
        }
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_from_their_bucket() -> Result<()> {
        let layout = Layout::new(false, &[Lane::Flags]);
        let mut buckets = Buckets::new(layout, 2);
        let customers: Vec<i64> = (0..5000).map(|i| (i * 7919) % 613 - 300).collect();
        let dates: Vec<i64> = (0..5000).map(|i| i % 4000 - 2000).collect();
        let amounts: Vec<i64> = (0..5000).map(|i| if i % 97 == 0 { i64::MIN + i } else { i * 1000 }).collect();
        let flags = vec![0i64; 5000];
        buckets.append(&[&customers, &dates, &amounts, &flags], None);
        let mut back = Vec::new();
        for (number, blocks) in buckets.finish().into_iter().enumerate() {
            let mut got = Unpacked::default();
            blocks.unpack(layout, None, &mut got)?;
            for row in 0..got.len() {
                let customer = got.lane(Lane::Customer)[row];
                assert_eq!((hash_key(customer) >> 62) as usize, number);
                back.push((customer, got.lane(Lane::Date)[row], got.lane(Lane::Amount)[row]));
            }
        }
        let mut want: Vec<_> = customers.iter().zip(&dates).zip(&amounts).map(|((c, d), a)| (*c, *d, *a)).collect();
        want.sort_unstable();
        back.sort_unstable();
        assert_eq!(back, want);
        Ok(())
    }

    #[test]
    fn string_ids_travel_with_their_records() -> Result<()> {
        let layout = Layout::new(true, &[]);
        let ids: Vec<String> = (0..1000).map(|i| "x".repeat(i % 17)).collect();
        let lengths: Vec<i64> = ids.iter().map(|id| id.len() as i64).collect();
        let zeros = vec![0i64; 1000];
        let mut buckets = Buckets::new(layout, 1);
        buckets.append_text(|row| ids[row].as_bytes(), &[&lengths, &zeros, &zeros], None);
        let mut total = 0;
        for blocks in buckets.finish() {
            let mut got = Unpacked::default();
            blocks.unpack(layout, None, &mut got)?;
            let mut at = 0;
            for &length in got.lane(Lane::Customer) {
                assert!(got.text()[at..at + length as usize].iter().all(|b| *b == b'x'));
                at += length as usize;
                total += 1;
            }
            assert_eq!(at, got.text().len());
        }
        assert_eq!(total, 1000);
        Ok(())
    }
}
