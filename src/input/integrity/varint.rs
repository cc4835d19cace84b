//! Integers of variable length, seven bits per byte (LEB128), as Thrift and Parquet write them.

/// Reads an integer at `*at` and moves `*at` behind it; `None` if the bytes end within it or it has more than 64 bits.
pub fn read(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
