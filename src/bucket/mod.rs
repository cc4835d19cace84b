//! Orders between the scan and the fold: small packed records, partitioned into buckets by customer hash.
//!
//! Every scan thread fills one [`BucketWriter`]. A record has one integer per [`Field`] that the job needs and, for string
//! ids, the bytes of the id. Full blocks are packed column by column as offsets from the minimum in 0, 1, 2, 4 or 8 bytes,
//! so that a constant field costs nothing and an order of a TPC-H-like job takes about ten bytes. The fold unpacks one
//! bucket at a time, which fits into the cache, so that no global hash table is needed.

mod hash;
mod kept;
mod layout;
mod pack;
mod packed_bucket;
mod records;
mod store;
mod writer;

pub use hash::{hash_key, hash_text};
pub use kept::KeptBuckets;
pub use layout::{FIELDS, Field, RecordLayout, flag};
pub use pack::{Records, pack_numbers, unpack_numbers};
pub use packed_bucket::PackedBucket;
pub use records::BucketRecords;
pub use store::{BucketCollector, BucketStore, CodeNumbers};
pub use writer::BucketWriter;
