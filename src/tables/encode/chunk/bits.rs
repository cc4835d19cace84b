//! Numbers of few bits: variable-length integers, runs, and bit-packing, as the encodings of Parquet have them.

/// Appends a number in groups of seven bits, the lowest first.
pub(super) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7F) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number in the same way; small ones of either sign are short.
pub(super) fn zigzag(out: &mut Vec<u8>, value: i64) {
    varint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// How many bits a number takes.
pub(super) fn width(value: u64) -> u8 {
    (u64::BITS - value.leading_zeros()) as u8
}

/// One run of equal values in the hybrid of runs and bit-packing.
pub(super) fn run(out: &mut Vec<u8>, length: usize, value: u8) {
    varint(out, (length as u64) << 1);
    out.push(value);
}

/// One bit-packed run in the same hybrid, filled up with zeros to a multiple of eight values: the keys of some values, of
/// `width` bits each (1 to 16).
pub(super) fn packed_run<T: Copy>(out: &mut Vec<u8>, values: &[T], width: u8, key: impl Fn(T) -> u16) {
    let groups = values.len().div_ceil(8);
    varint(out, (groups as u64) << 1 | 1);
    out.reserve(groups * usize::from(width) + 16);
    /// The width is known to the compiler, so that eight values become a few shifts.
    macro_rules! by_width {
        ($($width:literal)*) => {
            match width {
                $($width => groups_of_eight::<T, $width>(out, values, key),)*
                _ => groups_of_eight::<T, 16>(out, values, key),
            }
        };
    }
    by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
}

#[inline]
fn groups_of_eight<T: Copy, const WIDTH: usize>(out: &mut Vec<u8>, values: &[T], key: impl Fn(T) -> u16) {
    let mut pack = |group: &[T]| {
        let bits = group.iter().enumerate().fold(0u128, |bits, (at, value)| bits | u128::from(key(*value)) << (at * WIDTH));
        out.extend_from_slice(&bits.to_le_bytes()[..WIDTH]);
    };
    let (groups, rest) = values.as_chunks::<8>();
    groups.iter().for_each(|group| pack(group));
    if !rest.is_empty() {
        pack(rest);
    }
}

/// Appends 32 values of `width` bits each (0 to 64), one after the other.
pub(super) fn pack_32(out: &mut Vec<u8>, values: &[u64; 32], width: u8) {
    let mut words = [0u64; 32];
    let (mut word, mut bits, mut held) = (0, 0u64, 0u32);
    let width = u32::from(width);
    for value in values {
        bits |= value.wrapping_shl(held);
        let free = 64 - held;
        if width < free {
            held += width;
        } else {
            words[word] = bits;
            word += 1;
            // What of the value did not go in.
            bits = value.checked_shr(free).unwrap_or(0);
            held = width - free;
        }
    }
    if word < words.len() {
        words[word] = bits;
    }
    // 32 values fill whole bytes, but not always eight of them.
    let mut rest = 4 * width as usize;
    for word in &words {
        let count = rest.min(8);
        out.extend_from_slice(&word.to_le_bytes()[..count]);
        rest -= count;
        if rest == 0 {
            break;
        }
    }
}
