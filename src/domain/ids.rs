//! Customer ids: integers or strings, stored the way the fold needs them.

/// The type of the `customer_id` column; the output keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdType {
    /// Signed integer of 8, 16, 32 or 64 bits.
    Signed(u8),
    /// Unsigned integer of 8, 16, 32 or 64 bits.
    Unsigned(u8),
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
}
