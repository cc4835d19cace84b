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
    let mut folded = [0; MAX_FOLDED];
    match fold_ascii(trimmed(id), &mut folded) {
        Some(folded) => xxh3_64(folded),
        None => xxh3_64(&plain_spelling(id)),
    }
}

/// Bytes of an id that are folded without an allocation.
const MAX_FOLDED: usize = 64;

/// An id without outer blanks of ASCII.
#[inline]
fn trimmed(id: &[u8]) -> &[u8] {
    match (id.first(), id.last()) {
        (Some(first), Some(last)) if *first > b' ' && *last > b' ' => id,
        _ => id.trim_ascii(),
    }
}

/// A short id of ASCII in lower case, in `folded`; `None` for any other.
///
/// Eight bytes at a time: byte by byte this takes a sixth of a run over text ids (`benches/versions.py`, W1).
#[inline]
fn fold_ascii<'a>(id: &[u8], folded: &'a mut [u8; MAX_FOLDED]) -> Option<&'a [u8]> {
    let mut all = 0;
    let words = id.chunks_exact(8);
    let rest = words.remainder();
    let mut last = [0; 8];
    last.get_mut(..rest.len())?.copy_from_slice(rest);
    let mut places = folded.chunks_exact_mut(8);
    for word in words.map(|word| word.try_into().unwrap_or_default()).chain((!rest.is_empty()).then_some(last)) {
        let word = u64::from_le_bytes(word);
        all |= word;
        places.next()?.copy_from_slice(&lower_case(word).to_le_bytes());
    }
    if all & HIGH_BITS != 0 {
        return None;
    }
    folded.get(..id.len())
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const EACH_BYTE: u64 = 0x0101_0101_0101_0101;

/// Eight bytes of ASCII in lower case: the high bit of `byte + 128 - c` says whether the byte is at least c.
#[inline]
fn lower_case(word: u64) -> u64 {
    let from_a = (word & !HIGH_BITS) + EACH_BYTE * u64::from(128 - b'A');
    let above_z = (word & !HIGH_BITS) + EACH_BYTE * u64::from(127 - b'Z');
    let is_upper = (from_a ^ above_z) & HIGH_BITS;
    word | is_upper >> 2
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

    #[test]
    fn ids_of_any_length_and_byte_fold_as_their_plain_spelling() {
        for byte in 0..=u8::MAX {
            for length in 0..=MAX_FOLDED + 9 {
                let mut id: Vec<u8> = (0..length).map(|at| b"Customer#0042@Z[`{az"[at % 20]).collect();
                let at = usize::from(byte) % length.max(1);
                id.splice(at..length.min(at + 1), [byte]);
                assert_eq!(hash_text(&id), xxh3_64(&plain_spelling(&id)), "{:?}", String::from_utf8_lossy(&id));
            }
        }
    }
}
