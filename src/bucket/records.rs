//! The records of a bucket as they pass between stages.

use super::layout::{Field, RecordLayout};
use super::pack;
use super::packed_bucket::PackedBucket;

/// The packed records of a bucket, all in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRecords {
    layout: RecordLayout,
    /// Number of records.
    records: u64,
    /// Packed blocks, one after the other.
    blocks: Vec<u8>,
}

impl BucketRecords {
    /// The records of packed blocks; `None` if the bytes are none.
    pub fn of_blocks(layout: RecordLayout, blocks: Vec<u8>) -> Option<BucketRecords> {
        let (mut records, mut rest) = (0, blocks.as_slice());
        while !rest.is_empty() {
            let (bytes, in_block) = pack::first_block(rest, layout)?;
            records += in_block;
            rest = rest.get(bytes..).unwrap_or_default();
        }
        Some(BucketRecords { layout, records, blocks })
    }

    /// Their fields.
    pub fn layout(&self) -> RecordLayout {
        self.layout
    }

    /// Adds to the codes of slices and of categories, as far as the records have them.
    pub fn shift_codes(&mut self, slices: i64, categories: i64) {
        for (field, by) in [(Field::Slice, slices), (Field::Category, categories)] {
            if self.layout.has(field) {
                pack::shift(&mut self.blocks, self.layout, field, by);
            }
        }
    }

    /// The bucket for a store.
    pub(super) fn into_packed(self) -> PackedBucket {
        PackedBucket::of_blocks(self.blocks, self.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::{BucketCollector, BucketStore, BucketWriter, CodeNumbers, Records, packed_bucket};
    use crate::error::Result;
    use crate::memory::MemoryPool;
    use crate::wire::checks::Sequence;

    const ROWS: usize = 700;

    /// The records of both buckets that some scans have made.
    fn scans(layout: RecordLayout, memory: &MemoryPool) -> Result<Vec<BucketStore>> {
        let mut sequence = Sequence::new(11);
        let scan = |number: u64| {
            let mut writer = BucketWriter::new(layout, 1);
            let ids: Vec<String> = (0..ROWS).map(|_| "x".repeat(sequence.below(9 * number + 1) as usize)).collect();
            let customers: Vec<i64> = match layout.text_ids {
                true => ids.iter().map(|id| id.len() as i64).collect(),
                false => (0..ROWS).map(|_| sequence.below(1 << 40) as i64 - (1 << 39)).collect(),
            };
            let numbers: Vec<i64> = (0..ROWS).map(|_| (sequence.below(500) as i64 - 200) << (8 * number)).collect();
            let codes: Vec<i64> = (0..ROWS).map(|_| sequence.below(4) as i64 - 1).collect();
            let columns = [customers.as_slice(), &numbers, &numbers, &codes];
            match layout.text_ids {
                true => writer.append_text(|row| ids[row].as_bytes(), &columns, None),
                false => writer.append(&columns, None),
            }
            let mut buckets = writer.finish();
            if let Some(spill) = memory.spill().filter(|_| number.is_multiple_of(2)) {
                packed_bucket::spill(&mut buckets, spill)?;
            }
            BucketStore::join(layout, vec![buckets], memory)
        };
        (0..5).map(scan).collect()
    }

    /// The records in order; the code of a slice as `number` has it.
    fn sorted(records: &Records, number: impl Fn(i64) -> i64) -> Vec<(i64, i64, i64)> {
        let columns = [Field::Customer, Field::Date, Field::Slice].map(|field| records.column(field));
        let mut rows: Vec<_> =
            (0..records.len()).map(|row| (columns[0][row], columns[1][row], number(columns[2][row]))).collect();
        rows.sort_unstable();
        rows
    }

    /// Each scan has codes of its own; the numbers behind them are what a store unpacks.
    #[test]
    fn buckets_of_scans_hold_all_records_with_the_numbers_of_their_codes() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        for memory in [MemoryPool::unlimited(), MemoryPool::limited(1 << 30, 0, folder.path())?] {
            for text_ids in [false, true] {
                let layout = RecordLayout::new(text_ids, &[Field::Slice]);
                let scans = scans(layout, &memory)?;
                let number_of = |scan: usize, code: i64| if code < 0 { -1 } else { 100 * (scan as i64 + 1) + code };
                let slices: Vec<i64> = (0..scans.len()).flat_map(|scan| (-1..3).map(move |code| number_of(scan, code))).collect();
                let numbers = CodeNumbers { slices, categories: Vec::new() };
                let mut collected = BucketCollector::new(layout, 2, numbers, &memory);
                let (mut wanted, mut unpacked) = (Vec::new(), Records::default());
                for (number, scan) in scans.iter().enumerate() {
                    let mut blocks = Vec::new();
                    scan.append_blocks(1, &mut blocks)?;
                    let mut records = BucketRecords::of_blocks(layout, blocks).expect("packed blocks");
                    records.shift_codes(4 * number as i64 + 1, 7);
                    collected.add(1, records)?;
                    scan.unpack(1, &mut unpacked)?;
                    wanted.extend(sorted(&unpacked, |code| number_of(number, code)));
                }
                wanted.sort_unstable();
                let store = collected.finish();
                store.unpack(1, &mut unpacked)?;
                assert_eq!(sorted(&unpacked, |number| number), wanted);
                assert_eq!(store.record_count(1), wanted.len() as u64);
            }
        }
        Ok(())
    }

    #[test]
    fn bytes_that_are_no_blocks_are_refused() {
        let read = |layout, blocks: &[u8]| BucketRecords::of_blocks(layout, blocks.to_vec()).map(|records| records.records);
        let layout = RecordLayout::new(false, &[]);
        let constant = |width: u8, min: i64| [&[width][..], &min.to_le_bytes()].concat();
        let block = |len: u32, fields: [Vec<u8>; 3]| [&len.to_le_bytes()[..], &fields.concat()].concat();
        let good = block(3, [constant(0, 7), constant(0, 1), constant(0, -1)]);
        assert_eq!(read(layout, &good), Some(3));
        for cut in 1..good.len() {
            assert_eq!(read(layout, &good[..cut]), None, "cut after {cut}");
        }
        let wrong = [
            block(0, [constant(0, 7), constant(0, 1), constant(0, -1)]),
            block(129, [constant(0, 7), constant(0, 1), constant(0, -1)]),
            block(3, [constant(3, 7), constant(0, 1), constant(0, -1)]),
            [good.as_slice(), &[0]].concat(),
        ];
        assert!(wrong.iter().all(|blocks| read(layout, blocks).is_none()));
        // Ids of a string are as long as the block says, and not of a negative length.
        let texts = RecordLayout::new(true, &[]);
        for length in [-1, 2, i64::MAX] {
            let blocks = [block(3, [constant(0, length), constant(0, 1), constant(0, 1)]), b"abcde".to_vec()].concat();
            assert_eq!(read(texts, &blocks), None, "length {length}");
        }
    }
}
