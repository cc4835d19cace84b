//! The fields of records, and the size of blocks and chunks.

use serde::{Deserialize, Serialize};

/// A field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Field {
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
    /// When on its day an event was, in microseconds of a clock that is the same for all events.
    Time = 11,
}

/// Number of fields that a record can have.
pub const FIELDS: usize = 12;

/// Bits of [`Field::Flags`].
pub mod flag {
    /// A line that the job's returns predicate matches.
    pub const RETURN: i64 = 1;
    /// A line with a discount above zero.
    pub const DISCOUNTED: i64 = 2;
    /// A line whose cost is null.
    pub const COST_MISSING: i64 = 4;
    /// A line that is money alone, and no purchase.
    pub const MONEY_ONLY: i64 = 8;
    /// An event that has a value, which is its amount.
    pub const VALUE: i64 = 16;
}

/// Records per block: large enough to pack well, small enough for the open blocks of all buckets to stay in the cache.
pub(super) const BLOCK: usize = 128;

/// By field: whether records have it.
type FieldFlags = [bool; FIELDS];

/// The fields of a job's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLayout {
    /// Whether ids are strings.
    pub text_ids: bool,
    pub(super) fields: FieldFlags,
}

impl RecordLayout {
    /// Records with customer, date and amount, and these further fields.
    pub fn new(text_ids: bool, more: &[Field]) -> RecordLayout {
        let mut fields = [false; FIELDS];
        for field in [Field::Customer, Field::Date, Field::Amount].iter().chain(more) {
            fields[*field as usize] = true;
        }
        RecordLayout { text_ids, fields }
    }

    /// Records of events: customer, date and kind, and with values also these and their times.
    pub fn of_events(text_ids: bool, with_values: bool) -> RecordLayout {
        let mut fields = [false; FIELDS];
        let of_values = [Field::Amount, Field::Flags, Field::Time];
        for field in [Field::Customer, Field::Date, Field::Kind].iter().chain(of_values.iter().filter(|_| with_values)) {
            fields[*field as usize] = true;
        }
        RecordLayout { text_ids, fields }
    }

    /// Number of fields.
    pub(super) fn count(&self) -> usize {
        self.fields.iter().filter(|used| **used).count()
    }

    /// Whether the records have this field.
    pub fn has(&self, field: Field) -> bool {
        self.fields[field as usize]
    }
}

/// Packed blocks one after the other, in a few allocations.
pub(super) type Chunks = Vec<Vec<u8>>;

/// Bytes of a chunk: many blocks, for few allocations and little unused memory at the end of each bucket.
pub(super) const CHUNK: usize = 1 << 16;

/// Bytes of a chunk under a memory limit: a few blocks, since buckets are spilled long before they fill a larger one.
pub(super) const SMALL_CHUNK: usize = 1 << 12;
