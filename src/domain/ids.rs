//! Customer ids: integers or strings, stored the way the fold needs them.

use std::cmp::Ordering;
use std::io::Write;

use serde::{Deserialize, Serialize};

/// The type of the `customer_id` column; the output keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdType {
    /// Signed integer of 8, 16, 32 or 64 bits.
    Signed(u8),
    /// Unsigned integer of 8, 16, 32 or 64 bits.
    Unsigned(u8),
    /// DECIMAL of this precision without digits behind the point; the values fit 64 bits.
    Decimal(u8),
    /// Text; also when the file encodes it as a dictionary, a view or a large string.
    Text,
}

/// Many strings in one allocation.
#[derive(Debug, Clone, Default)]
pub struct StringIds {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl StringIds {
    /// Appends one string.
    pub fn push(&mut self, id: &[u8]) {
        self.bytes.extend_from_slice(id);
        self.ends.push(self.bytes.len());
    }

    /// The string at `index`; empty beyond the end.
    pub fn get(&self, index: usize) -> &[u8] {
        let end = self.ends.get(index).copied().unwrap_or(0);
        let start = index.checked_sub(1).and_then(|i| self.ends.get(i)).copied().unwrap_or(0);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// How many strings.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Customer ids of one bucket.
///
/// Integers are kept as `i64` whose order is the order of the ids; unsigned 64-bit ids have their top bit turned for
/// that (see [`CustomerIds::key_of_unsigned`]).
#[derive(Debug, Clone)]
pub enum CustomerIds {
    /// Integer ids.
    Int(Vec<i64>),
    /// String ids, compared bytewise.
    Text(StringIds),
}

impl CustomerIds {
    /// The ordered key of an unsigned 64-bit id.
    pub fn key_of_unsigned(id: u64) -> i64 {
        (id ^ (1 << 63)) as i64
    }

    /// The unsigned 64-bit id of an ordered key.
    pub fn unsigned_of_key(key: i64) -> u64 {
        (key as u64) ^ (1 << 63)
    }

    /// The indices of ordered keys, ascending by key and index. Sorted runs are merged.
    pub fn ascending(keys: &[i64]) -> Vec<u32> {
        let least = keys.iter().copied().min().unwrap_or(0);
        let span = keys.iter().copied().max().unwrap_or(0).wrapping_sub(least) as u64;
        if span <= u64::from(u32::MAX) {
            // Key and index in one integer: half the bytes to move, one comparison.
            let packed = keys.iter().zip(0u64..).map(|(key, place)| (key.wrapping_sub(least) as u64) << 32 | place);
            let mut packed: Vec<u64> = packed.collect();
            packed.sort();
            return packed.into_iter().map(|p| p as u32).collect();
        }
        let mut places: Vec<u32> = (0..keys.len() as u32).collect();
        places.sort_by_key(|place| keys[*place as usize]);
        places
    }

    /// The id at `index` as text, written over `out`: a string as it is, an integer in decimal digits.
    pub fn write_text(&self, kind: IdType, index: usize, out: &mut Vec<u8>) {
        out.clear();
        match self {
            CustomerIds::Text(ids) => out.extend_from_slice(ids.get(index)),
            CustomerIds::Int(keys) => {
                let key = keys.get(index).copied().unwrap_or_default();
                // Writing into memory cannot fail.
                let _ = match kind {
                    IdType::Unsigned(64) => write!(out, "{}", CustomerIds::unsigned_of_key(key)),
                    _ => write!(out, "{key}"),
                };
            }
        }
    }

    /// How the ids at two indices compare: numbers by value, strings bytewise.
    pub fn compare(&self, left: usize, right: usize) -> Ordering {
        match self {
            CustomerIds::Int(keys) => keys.get(left).cmp(&keys.get(right)),
            CustomerIds::Text(ids) => ids.get(left).cmp(ids.get(right)),
        }
    }

    /// How the id at one index compares with the id at an index of other ids of the same type.
    pub fn compare_with(&self, index: usize, other: &CustomerIds, at: usize) -> Ordering {
        match (self, other) {
            (CustomerIds::Int(own), CustomerIds::Int(other)) => own.get(index).cmp(&other.get(at)),
            (CustomerIds::Text(own), CustomerIds::Text(other)) => own.get(index).cmp(other.get(at)),
            (CustomerIds::Int(_), CustomerIds::Text(_)) => Ordering::Less,
            (CustomerIds::Text(_), CustomerIds::Int(_)) => Ordering::Greater,
        }
    }

    /// No ids of the same type.
    pub fn none(&self) -> CustomerIds {
        match self {
            CustomerIds::Int(_) => CustomerIds::Int(Vec::new()),
            CustomerIds::Text(_) => CustomerIds::Text(StringIds::default()),
        }
    }

    /// Appends an id of other ids of the same type.
    pub fn push_from(&mut self, other: &CustomerIds, at: usize) {
        match (self, other) {
            (CustomerIds::Int(own), CustomerIds::Int(other)) => own.extend(other.get(at)),
            (CustomerIds::Text(own), CustomerIds::Text(other)) => own.push(other.get(at)),
            (CustomerIds::Int(_), CustomerIds::Text(_)) | (CustomerIds::Text(_), CustomerIds::Int(_)) => {}
        }
    }

    /// How many customers.
    pub fn len(&self) -> usize {
        match self {
            CustomerIds::Int(ids) => ids.len(),
            CustomerIds::Text(ids) => ids.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A customer id that owns its bytes; ids of one job ascend as their customers do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CustomerId {
    /// The ordered key of an integer id.
    Int(i64),
    /// A string id.
    Text(Box<[u8]>),
}

impl CustomerId {
    /// The id of a row; 0 if there is no such row.
    pub fn of(ids: &CustomerIds, row: usize) -> CustomerId {
        match ids {
            CustomerIds::Int(ids) => CustomerId::Int(ids.get(row).copied().unwrap_or(0)),
            CustomerIds::Text(ids) => CustomerId::Text(ids.get(row).into()),
        }
    }
}

/// One customer id, which can be kept and compared with those of other tables: as [`CustomerIds::compare_with`] compares, though
/// mostly by one integer.
#[derive(Debug, Clone, Copy)]
pub struct CustomerIdRef<'a> {
    /// Sorts integers; of a string, the first eight bytes.
    key: u64,
    text: &'a [u8],
}

impl<'a> CustomerIdRef<'a> {
    /// The id of a row, which must be there.
    #[inline]
    pub fn of(ids: &'a CustomerIds, row: usize) -> CustomerIdRef<'a> {
        match ids {
            CustomerIds::Int(keys) => CustomerIdRef::of_key(keys[row]),
            CustomerIds::Text(texts) => CustomerIdRef::of_text(texts.get(row)),
        }
    }

    /// The id that an ordered key stands for.
    #[inline]
    pub fn of_key(key: i64) -> CustomerIdRef<'a> {
        CustomerIdRef { key: (key as u64) ^ (1 << 63), text: &[] }
    }

    /// The id that a string is.
    #[inline]
    pub fn of_text(text: &'a [u8]) -> CustomerIdRef<'a> {
        let mut head = [0; 8];
        text.iter().zip(&mut head).for_each(|(byte, to)| *to = *byte);
        CustomerIdRef { key: u64::from_be_bytes(head), text }
    }
}

impl Ord for CustomerIdRef<'_> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match self.key.cmp(&other.key) {
            Ordering::Equal if self.text.is_empty() && other.text.is_empty() => Ordering::Equal,
            Ordering::Equal => self.text.cmp(other.text),
            unequal => unequal,
        }
    }
}

impl PartialEq for CustomerIdRef<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for CustomerIdRef<'_> {}

impl PartialOrd for CustomerIdRef<'_> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_keys_keep_the_order() {
        let ids = [0u64, 1, 1 << 63, u64::MAX];
        let keys: Vec<i64> = ids.iter().map(|&id| CustomerIds::key_of_unsigned(id)).collect();
        assert!(keys.is_sorted());
        assert_eq!(keys.iter().map(|&k| CustomerIds::unsigned_of_key(k)).collect::<Vec<_>>(), ids);
    }

    #[test]
    fn places_ascend_by_key_and_place() {
        for far in [0, i64::MAX - 100] {
            let keys: Vec<i64> = (0..3000i64).map(|i| i * i % 83 - 40 + if i % 5 == 0 { far } else { 0 }).collect();
            let mut want: Vec<u32> = (0..3000).collect();
            want.sort_by_key(|&place| (keys[place as usize], place));
            assert_eq!(CustomerIds::ascending(&keys), want);
        }
        assert_eq!(CustomerIds::ascending(&[i64::MAX, i64::MIN]), [1, 0]);
        assert!(CustomerIds::ascending(&[]).is_empty());
    }

    #[test]
    fn one_id_compares_as_all_do() {
        let mut texts = StringIds::default();
        for text in ["", "\0", "a", "a\0", "b", "customer", "customer 1", "customer 10", "customer 2", "é"] {
            texts.push(text.as_bytes());
        }
        let numbers = vec![i64::MIN, -5, -1, 0, 1, 5, i64::MAX];
        for (ids, count) in [(CustomerIds::Text(texts), 10), (CustomerIds::Int(numbers), 7)] {
            for (a, b) in (0..count).flat_map(|a| (0..count).map(move |b| (a, b))) {
                let (one, other) = (CustomerIdRef::of(&ids, a), CustomerIdRef::of(&ids, b));
                assert_eq!((one.cmp(&other), one == other), (ids.compare_with(a, &ids, b), a == b));
            }
        }
    }

    #[test]
    fn ids_are_written_as_people_write_them() {
        let text = |ids: &CustomerIds, kind, index| {
            let mut out = b"before".to_vec();
            ids.write_text(kind, index, &mut out);
            String::from_utf8(out).unwrap_or_default()
        };
        assert_eq!(text(&CustomerIds::Int(vec![7, -12]), IdType::Signed(32), 1), "-12");
        let largest = CustomerIds::Int(vec![CustomerIds::key_of_unsigned(u64::MAX)]);
        assert_eq!(text(&largest, IdType::Unsigned(64), 0), u64::MAX.to_string());
        let mut texts = StringIds::default();
        texts.push(b"0017");
        texts.push(b"");
        let ids = CustomerIds::Text(texts);
        assert_eq!((text(&ids, IdType::Text, 0), text(&ids, IdType::Text, 1)), ("0017".into(), String::new()));
        assert_eq!(ids.compare(0, 1), Ordering::Greater);
    }
}
