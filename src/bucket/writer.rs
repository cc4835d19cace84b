//! Packs records into buckets.

use std::sync::Arc;

use super::hash::{hash_key, hash_text};
use super::layout::{BLOCK, CHUNK, RecordLayout, SMALL_CHUNK};
use super::pack;
use super::packed_bucket::{self, PackedBucket};
use crate::error::Result;
use crate::memory::{Consumer, MemoryPool, SpillFile};

/// Packs the records of one scan thread into buckets.
pub struct BucketWriter {
    layout: RecordLayout,
    shift: u32,
    /// Open blocks of all buckets, column by column: field `f` of bucket `b` begins at `(b · fields + f) · BLOCK`.
    open: Vec<i64>,
    /// Records in each open block.
    len: Vec<u32>,
    /// Bytes of the string ids of each open block.
    text: Vec<Vec<u8>>,
    sealed: Vec<PackedBucket>,
    /// Scratch memory in which a block is packed before it is appended to a chunk.
    packed: Vec<u8>,
    /// Bytes of a chunk.
    chunk: usize,
    /// Bytes of sealed blocks in memory.
    sealed_bytes: u64,
    /// The limit on `sealed_bytes`, and the spill that takes the blocks beyond it.
    spill: Option<(u64, Arc<SpillFile>)>,
}

impl BucketWriter {
    /// Begins `2^bits` empty buckets (`bits` from 1 to 16).
    pub fn new(layout: RecordLayout, bits: u32) -> BucketWriter {
        let count = 1usize << bits;
        BucketWriter {
            layout,
            shift: 64 - bits,
            open: vec![0; count * layout.count() * BLOCK],
            len: vec![0; count],
            text: vec![Vec::new(); if layout.text_ids { count } else { 0 }],
            sealed: std::iter::repeat_with(PackedBucket::default).take(count).collect(),
            packed: vec![0; pack::most_bytes(layout.count())],
            chunk: CHUNK,
            sealed_bytes: 0,
            spill: None,
        }
    }

    /// Limits the writer to this thread's part of a share of the memory; [`BucketWriter::spill_if_over_budget`] enforces it.
    pub fn with_budget(mut self, memory: &MemoryPool, consumer: Consumer) -> BucketWriter {
        if let Some(spill) = memory.spill() {
            self.chunk = SMALL_CHUNK;
            self.spill = Some((memory.capacity_per_thread(consumer), Arc::clone(spill)));
        }
        self
    }

    /// Spills the sealed blocks if they exceed the budget.
    ///
    /// # Errors
    /// Exit 7 if they cannot be written.
    pub fn spill_if_over_budget(&mut self) -> Result<()> {
        if let Some((_, spill)) = self.spill.as_ref().filter(|(budget, _)| self.sealed_bytes > *budget) {
            packed_bucket::spill(&mut self.sealed, spill)?;
            self.sealed_bytes = 0;
        }
        Ok(())
    }

    /// Approximate bytes of the open blocks of `2^bits` buckets.
    pub fn open_bytes(layout: RecordLayout, bits: u32) -> u64 {
        let text = if layout.text_ids { 32 } else { 0 };
        (((layout.count() * 8 + text) * BLOCK) as u64) << bits
    }

    /// Appends records with integer ids; `columns` has one column per field of the layout, in order. Rows for which
    /// `selected` is false are skipped.
    pub fn append(&mut self, columns: &[&[i64]], selected: Option<&[bool]>) {
        match *columns {
            // The layout of nearly every job, and of events, without the loop over fields.
            [customer, date, amount] if selected.is_none() => {
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
                    if selected.is_none_or(|selected| selected[row]) {
                        let bucket = (hash_key(*customer) >> self.shift) as usize;
                        self.put(bucket, row, columns);
                    }
                }
            }
            [] => {}
        }
    }

    /// Appends records with string ids; `id(row)` gives the bytes of an id, and the customer column holds their lengths.
    pub fn append_text<'a>(&mut self, id: impl Fn(usize) -> &'a [u8], columns: &[&[i64]], selected: Option<&[bool]>) {
        let rows = columns.first().map_or(0, |column| column.len());
        for row in (0..rows).filter(|row| selected.is_none_or(|selected| selected[*row])) {
            let id = id(row);
            let bucket = (hash_text(id) >> self.shift) as usize;
            self.text[bucket].extend_from_slice(id);
            self.put(bucket, row, columns);
        }
    }

    #[inline]
    fn put(&mut self, bucket: usize, row: usize, columns: &[&[i64]]) {
        let len = self.len[bucket] as usize;
        let block = &mut self.open[bucket * columns.len() * BLOCK..(bucket + 1) * columns.len() * BLOCK];
        for (to, column) in block.chunks_exact_mut(BLOCK).zip(columns) {
            to[len] = column[row];
        }
        self.advance(bucket, len);
    }

    #[inline]
    fn advance(&mut self, bucket: usize, len: usize) {
        self.len[bucket] = len as u32 + 1;
        if len + 1 == BLOCK {
            self.seal(bucket);
        }
    }

    fn seal(&mut self, bucket: usize) {
        let size = self.layout.count() * BLOCK;
        let block = &self.open[bucket * size..(bucket + 1) * size];
        let text = self.text.get(bucket).map_or(&[][..], Vec::as_slice);
        let sealed = &mut self.sealed[bucket];
        let size = pack::pack(block, self.len[bucket] as usize, text, &mut self.packed, self.chunk, &mut sealed.chunks);
        sealed.records += u64::from(self.len[bucket]);
        self.sealed_bytes += size as u64;
        self.len[bucket] = 0;
        if let Some(text) = self.text.get_mut(bucket) {
            text.clear();
        }
    }

    /// Seals the open blocks and returns the packed buckets.
    pub fn finish(mut self) -> Vec<PackedBucket> {
        for bucket in 0..self.len.len() {
            if self.len[bucket] > 0 {
                self.seal(bucket);
            }
        }
        self.sealed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::{Field, Records};

    #[test]
    fn records_come_back_from_their_bucket() -> Result<()> {
        let layout = RecordLayout::new(false, &[Field::Flags]);
        let mut buckets = BucketWriter::new(layout, 2);
        let customers: Vec<i64> = (0..5000).map(|i| (i * 7919) % 613 - 300).collect();
        let dates: Vec<i64> = (0..5000).map(|i| i % 4000 - 2000).collect();
        let amounts: Vec<i64> = (0..5000).map(|i| if i % 97 == 0 { i64::MIN + i } else { i * 1000 }).collect();
        let flags = vec![0i64; 5000];
        buckets.append(&[&customers, &dates, &amounts, &flags], None);
        let mut back = Vec::new();
        for (number, blocks) in buckets.finish().into_iter().enumerate() {
            let mut got = Records::default();
            blocks.unpack(layout, None, &mut got)?;
            for row in 0..got.len() {
                let customer = got.column(Field::Customer)[row];
                assert_eq!((hash_key(customer) >> 62) as usize, number);
                back.push((customer, got.column(Field::Date)[row], got.column(Field::Amount)[row]));
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
        let layout = RecordLayout::new(true, &[]);
        let ids: Vec<String> = (0..1000).map(|i| "x".repeat(i % 17)).collect();
        let lengths: Vec<i64> = ids.iter().map(|id| id.len() as i64).collect();
        let zeros = vec![0i64; 1000];
        let mut buckets = BucketWriter::new(layout, 1);
        buckets.append_text(|row| ids[row].as_bytes(), &[&lengths, &zeros, &zeros], None);
        let mut total = 0;
        for blocks in buckets.finish() {
            let mut got = Records::default();
            blocks.unpack(layout, None, &mut got)?;
            let mut at = 0;
            for &length in got.column(Field::Customer) {
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
