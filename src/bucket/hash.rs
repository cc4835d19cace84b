//! Hashes of customer ids, whose upper bits are the bucket.

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
    let id = trimmed(id);
    hash_ascii(id).unwrap_or_else(|| hash_words(&plain_spelling(id), |word| word).0)
}

/// An id without outer blanks of ASCII.
#[inline]
fn trimmed(id: &[u8]) -> &[u8] {
    match (id.first(), id.last()) {
        (Some(first), Some(last)) if *first > b' ' && *last > b' ' => id,
        _ => id.trim_ascii(),
    }
}

/// Hash of an id of ASCII; `None` for any other.
///
/// Folding into a buffer, which a hash then reads, takes a tenth of a run over text ids (`benches/versions.py`, W1).
#[inline]
fn hash_ascii(id: &[u8]) -> Option<u64> {
    let (hash, all) = hash_words(id, lower_case);
    (all & HIGH_BITS == 0).then_some(hash)
}

/// Hash of text eight bytes at a time, each of them first changed by `fold`, and all its words or-ed: folded multiplication, as in
/// wyhash, whose high bits spread well.
#[inline]
fn hash_words(text: &[u8], fold: impl Fn(u64) -> u64) -> (u64, u64) {
    let (words, rest) = text.as_chunks::<8>();
    let (mut hash, mut all) = (0x9E37_79B9_7F4A_7C15, 0);
    let last = match text.last_chunk::<8>() {
        // Bytes that the words before have are shifted out; the shift is below 64 where something is left.
        Some(last) if !rest.is_empty() => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
        _ => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    for word in words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]) {
        all |= word;
        hash = multiply(hash ^ fold(word), 0xA076_1D64_78BD_642F);
    }
    (multiply(hash ^ text.len() as u64, 0xE703_7ED1_A0B4_28DB), all)
}

/// The halves of a product, folded into one.
#[inline]
fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
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
    use std::collections::HashSet;

    use super::*;

    /// The hash of an id byte by byte.
    fn naive(id: &[u8]) -> u64 {
        let text = plain_spelling(id);
        let mut hash: u64 = 0x9E37_79B9_7F4A_7C15;
        for word in 0..=text.len() / 8 {
            let byte = |at: usize| u64::from(text.get(word * 8 + at).copied().unwrap_or(0)) << (8 * at);
            hash = multiply(hash ^ (0..8).map(byte).sum::<u64>(), 0xA076_1D64_78BD_642F);
        }
        multiply(hash ^ text.len() as u64, 0xE703_7ED1_A0B4_28DB)
    }

    #[test]
    fn spellings_of_an_id_share_a_hash() {
        let long = "Long ".repeat(20);
        for (one, other) in [("ana@x", " Ana@X "), ("zoë", "ZOË"), ("", "  "), (long.as_str(), long.trim()), ("\u{212a}", "k")]
        {
            assert_eq!(hash_text(one.as_bytes()), hash_text(other.as_bytes()), "{one:?}");
            assert_eq!(hash_text(one.as_bytes()), naive(one.as_bytes()));
        }
        assert_ne!(hash_text(b"ana"), hash_text(b"a na"));
    }

    #[test]
    fn ids_of_any_length_and_byte_hash_as_their_plain_spelling() {
        for byte in 0..=u8::MAX {
            for length in 0..=73 {
                let mut id: Vec<u8> = (0..length).map(|at| b"Customer#0042@Z[`{az"[at % 20]).collect();
                let at = usize::from(byte) % length.max(1);
                id.splice(at..length.min(at + 1), [byte]);
                assert_eq!(hash_text(&id), naive(&id), "{:?}", String::from_utf8_lossy(&id));
            }
        }
    }

    /// Ids that shops count up, of several lengths, fill 256 buckets as chance would.
    #[test]
    fn buckets_of_usual_ids_are_alike() {
        type Id = fn(u32) -> String;
        let kinds: [Id; 5] = [
            |n| format!("{n}"),
            |n| format!("Customer#{n:09}"),
            |n| format!("c{}", n * 8),
            |n| format!("{n:08x}-0000-4000-8000-000000000000"),
            |n| format!("user{n}@example.com"),
        ];
        for id in kinds {
            let mut buckets = [0u32; 256];
            let hashes: HashSet<u64> = (0..51_200).map(|n| hash_text(id(n).as_bytes())).collect();
            assert_eq!(hashes.len(), 51_200, "{}", id(7));
            hashes.iter().for_each(|hash| buckets[(hash >> 56) as usize] += 1);
            // Chi-square with 255 degrees of freedom: 99.99 % of draws by chance lie below 347.
            let chi_square: f64 = buckets.iter().map(|n| (f64::from(*n) - 200.0).powi(2) / 200.0).sum();
            assert!(chi_square < 347.0, "{}: {chi_square}", id(7));
        }
    }
}
