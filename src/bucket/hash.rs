//! Hashes of customer ids, whose upper bits are the bucket.

use xxhash_rust::xxh3::xxh3_64;

use crate::domain::plain_spelling;

/// Hash of an integer customer key: Fibonacci multiplication, whose high bits spread well.
#[inline]
pub fn hash_key(key: i64) -> u64 {
    let mixed = (key as u64) ^ ((key as u64) >> 32);
    mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Hash of a string customer id, by its plain spelling, so that ids which differ only in case or outer blanks share a bucket; fixed
/// for all time, since files of a table hold hash ranges.
#[inline]
pub fn hash_text(id: &[u8]) -> u64 {
    let mut lower = [0; 64];
    if id.is_ascii() {
        let id = id.trim_ascii();
        if let Some(lower) = lower.get_mut(..id.len()) {
            lower.copy_from_slice(id);
            lower.make_ascii_lowercase();
            return xxh3_64(lower);
        }
    }
    xxh3_64(&plain_spelling(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_an_id_share_a_hash() {
        let long = "Long ".repeat(20);
        for (one, other) in [("ana@x", " Ana@X "), ("zoë", "ZOË"), ("", "  "), (long.as_str(), long.trim())] {
            assert_eq!(hash_text(one.as_bytes()), hash_text(other.as_bytes()), "{one:?}");
            assert_eq!(hash_text(one.as_bytes()), xxh3_64(&plain_spelling(one.as_bytes())));
        }
        assert_ne!(hash_text(b"ana"), hash_text(b"a na"));
    }
}
