//! The records of a bucket as they pass between stages.

use serde::{Deserialize, Serialize};

use super::layout::RecordLayout;
use super::pack::{self, Records};
use super::packed_bucket::PackedBucket;
use crate::error::{Error, Result};
use crate::memory::SpillFile;
use crate::wire::Travels;

/// The packed records of a bucket, all in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenRecords", into = "WrittenRecords")]
pub struct BucketRecords {
    layout: RecordLayout,
    /// Number of records.
    records: u64,
    /// Packed blocks, one after the other.
    blocks: Vec<u8>,
}

impl BucketRecords {
    /// The records of a bucket of a store, spilled or not.
    ///
    /// # Errors
    /// Exit 7 if spilled ones do not come back.
    pub(super) fn new(layout: RecordLayout, bucket: &PackedBucket, spill: Option<&SpillFile>) -> Result<BucketRecords> {
        let mut blocks = Vec::new();
        bucket.each_run_of_blocks(spill, |run| blocks.extend_from_slice(run))?;
        Ok(BucketRecords { layout, records: bucket.records, blocks })
    }

    /// Number of records.
    pub fn len(&self) -> u64 {
        self.records
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Adds the records that another scan has put into the same bucket.
    ///
    /// # Errors
    /// Exit 1 if they have other fields.
    pub fn merge(&mut self, other: BucketRecords) -> Result<()> {
        if self.layout != other.layout {
            return Err(Error::bug(format!("records with {:?} meet records with {:?}", self.layout, other.layout)));
        }
        self.records += other.records;
        self.blocks.extend(other.blocks);
        Ok(())
    }

    /// Replaces the contents of `into` with the unpacked records, in any order.
    pub fn unpack(&self, into: &mut Records) {
        into.clear();
        let mut rest = self.blocks.as_slice();
        while !rest.is_empty() {
            rest = pack::unpack(rest, self.layout, into);
        }
    }

    /// The bucket for a store.
    pub(super) fn into_packed(self) -> PackedBucket {
        PackedBucket::of_blocks(self.blocks, self.records)
    }
}

impl Travels for BucketRecords {
    const NAME: &'static str = "records of a bucket";
    const VERSION: u16 = 2;

    fn canonicalise(&mut self) {
        let mut blocks = Vec::new();
        let mut rest = self.blocks.as_slice();
        while let Some((bytes, _)) = pack::first_block(rest, self.layout) {
            let (block, after) = rest.split_at(bytes);
            blocks.push(block);
            rest = after;
        }
        blocks.sort_unstable();
        self.blocks = blocks.concat();
    }
}

/// The written form of a bucket, before its blocks have been looked at.
#[derive(Serialize, Deserialize)]
struct WrittenRecords {
    layout: RecordLayout,
    #[serde(with = "serde_bytes")]
    blocks: Vec<u8>,
}

impl From<BucketRecords> for WrittenRecords {
    fn from(records: BucketRecords) -> WrittenRecords {
        WrittenRecords { layout: records.layout, blocks: records.blocks }
    }
}

impl TryFrom<WrittenRecords> for BucketRecords {
    type Error = &'static str;

    fn try_from(written: WrittenRecords) -> std::result::Result<BucketRecords, &'static str> {
        let WrittenRecords { layout, blocks } = written;
        let (mut records, mut rest) = (0, blocks.as_slice());
        while !rest.is_empty() {
            let (bytes, in_block) = pack::first_block(rest, layout).ok_or("bytes that are no packed block")?;
            records += in_block;
            rest = rest.get(bytes..).unwrap_or_default();
        }
        Ok(BucketRecords { layout, records, blocks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::packed_bucket;
    use crate::bucket::{BucketStore, BucketWriter, Field};
    use crate::memory::MemoryPool;
    use crate::wire::checks::{Sequence, merges_in_any_order};

    const ROWS: usize = 700;

    /// The records of both buckets that some scans have made, the rows of all, and the bytes of string ids.
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
            let columns = [customers.as_slice(), &numbers, &numbers, &numbers];
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

    /// The records in order.
    fn sorted(records: &Records) -> Vec<(i64, i64, i64)> {
        let columns = [Field::Customer, Field::Date, Field::Flags].map(|field| records.column(field));
        let mut rows: Vec<_> = (0..records.len()).map(|row| (columns[0][row], columns[1][row], columns[2][row])).collect();
        rows.sort_unstable();
        rows
    }

    #[test]
    fn buckets_merge_in_any_order_to_all_records() -> Result<()> {
        let folder = crate::temp::tempdir().expect("a folder");
        for memory in [MemoryPool::unlimited(), MemoryPool::limited(1 << 30, 0, folder.path())?] {
            for (text_ids, want) in [(false, "7699cad3fb8f7f9c"), (true, "7bff0e7c3ef99a24")] {
                let layout = RecordLayout::new(text_ids, &[Field::Flags]);
                let stores = scans(layout, &memory)?;
                let of_scans = || -> Vec<BucketRecords> {
                    stores.iter().map(|store| store.records(1).expect("the records of a bucket")).collect()
                };
                let digits = merges_in_any_order(of_scans, BucketRecords::merge)?;
                assert_eq!((digits.as_str(), BucketRecords::VERSION), (want, 2), "the form has changed: raise its version");

                let (mut all, mut of_scan) = (Vec::new(), Records::default());
                for store in &stores {
                    store.unpack(1, &mut of_scan)?;
                    all.extend(sorted(&of_scan));
                }
                all.sort_unstable();
                let mut merged = of_scans();
                let mut first = merged.remove(0);
                merged.into_iter().try_for_each(|more| first.merge(more))?;
                assert_eq!(first.len(), all.len() as u64);
                let store = BucketStore::of_records(layout, vec![first], &memory)?;
                store.unpack(0, &mut of_scan)?;
                assert_eq!(sorted(&of_scan), all);
            }
        }
        Ok(())
    }

    #[test]
    fn bytes_that_are_no_blocks_are_refused() {
        let read = |layout, blocks: &[u8]| BucketRecords::try_from(WrittenRecords { layout, blocks: blocks.to_vec() });
        let layout = RecordLayout::new(false, &[]);
        let constant = |width: u8, min: i64| [&[width][..], &min.to_le_bytes()].concat();
        let block = |len: u32, fields: [Vec<u8>; 3]| [&len.to_le_bytes()[..], &fields.concat()].concat();
        let good = block(3, [constant(0, 7), constant(0, 1), constant(0, -1)]);
        assert_eq!(read(layout, &good).map(|records| records.len()), Ok(3));
        for cut in 1..good.len() {
            assert!(read(layout, &good[..cut]).is_err(), "cut after {cut}");
        }
        let wrong = [
            block(0, [constant(0, 7), constant(0, 1), constant(0, -1)]),
            block(129, [constant(0, 7), constant(0, 1), constant(0, -1)]),
            block(3, [constant(3, 7), constant(0, 1), constant(0, -1)]),
            [good.as_slice(), &[0]].concat(),
        ];
        assert!(wrong.iter().all(|blocks| read(layout, blocks).is_err()));
        // Ids of a string are as long as the block says, and not of a negative length.
        let texts = RecordLayout::new(true, &[]);
        for length in [-1, 2, i64::MAX] {
            let blocks = [block(3, [constant(0, length), constant(0, 1), constant(0, 1)]), b"abcde".to_vec()].concat();
            assert!(read(texts, &blocks).is_err(), "length {length}");
        }
    }
}
