//! Hashes of customer ids, whose upper bits are the bucket.

/// Hash of an integer customer key: Fibonacci multiplication, whose high bits spread well.
#[inline]
pub fn hash_key(key: i64) -> u64 {
    let mixed = (key as u64) ^ ((key as u64) >> 32);
    mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Hash of a string customer id; fixed for all time, since files of a table hold hash ranges.
#[inline]
pub fn hash_text(id: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(id)
}
