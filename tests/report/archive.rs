//! ZIP archives, read without a crate: tests look into the parts of a workbook.

use std::collections::BTreeMap;

/// The files in a ZIP archive whose entries are stored or deflated.
pub fn unzip(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let two = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let four = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
    let end = bytes.windows(4).rposition(|w| w == b"PK\x05\x06").expect("the end of a ZIP archive");
    let (count, mut at) = (two(end + 10), four(end + 16));
    let mut out = BTreeMap::new();
    for _ in 0..count {
        let (method, packed, local) = (two(at + 10), four(at + 20), four(at + 42));
        let name = String::from_utf8(bytes[at + 46..at + 46 + two(at + 28)].to_vec()).expect("a name");
        let begin = local + 30 + two(local + 26) + two(local + 28);
        let data = &bytes[begin..begin + packed];
        assert!(method == 0 || method == 8, "{name} is packed by method {method}");
        out.insert(name, if method == 0 { data.to_vec() } else { inflate(data) });
        at += 46 + two(at + 28) + two(at + 30) + two(at + 32);
    }
    out
}

/// RFC 1951, plain and slow.
fn inflate(data: &[u8]) -> Vec<u8> {
    struct Bits<'a>(&'a [u8], usize);
    impl Bits<'_> {
        fn take(&mut self, n: usize) -> usize {
            (0..n).fold(0, |value, place| {
                let bit = (self.0[self.1 / 8] >> (self.1 % 8)) & 1;
                self.1 += 1;
                value | usize::from(bit) << place
            })
        }
    }
    /// Symbols by length and code.
    fn codes(lengths: &[usize]) -> BTreeMap<(usize, usize), usize> {
        let mut out = BTreeMap::new();
        let mut code = 0;
        for length in 1..=15 {
            code <<= 1;
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, l)| **l == length) {
                out.insert((length, code), symbol);
                code += 1;
            }
        }
        out
    }
    fn symbol(bits: &mut Bits, codes: &BTreeMap<(usize, usize), usize>) -> usize {
        let mut code = 0;
        for length in 1..=15 {
            code = code << 1 | bits.take(1);
            if let Some(symbol) = codes.get(&(length, code)) {
                return *symbol;
            }
        }
        panic!("no code")
    }
    const LENGTHS: [usize; 29] =
        [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
    const DISTANCES: [usize; 30] = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193,
        12289, 16385, 24577,
    ];
    let mut bits = Bits(data, 0);
    let mut out: Vec<u8> = Vec::new();
    loop {
        let last = bits.take(1) == 1;
        let (literals, distances) = match bits.take(2) {
            0 => {
                bits.1 = bits.1.div_ceil(8) * 8;
                let length = bits.take(16);
                bits.take(16);
                out.extend((0..length).map(|_| bits.take(8) as u8));
                if last {
                    return out;
                }
                continue;
            }
            1 => {
                let fixed: Vec<usize> = (0..288)
                    .map(|s| {
                        if s < 144 {
                            8
                        } else if s < 256 {
                            9
                        } else if s < 280 {
                            7
                        } else {
                            8
                        }
                    })
                    .collect();
                (codes(&fixed), codes(&[5; 30]))
            }
            _ => {
                let (many, far, few) = (bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4);
                let mut own = [0; 19];
                for place in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15].into_iter().take(few) {
                    own[place] = bits.take(3);
                }
                let own = codes(&own);
                let mut lengths: Vec<usize> = Vec::new();
                while lengths.len() < many + far {
                    match symbol(&mut bits, &own) {
                        16 => {
                            let before = *lengths.last().expect("a length");
                            let n = 3 + bits.take(2);
                            lengths.extend(std::iter::repeat_n(before, n));
                        }
                        17 => {
                            let n = 3 + bits.take(3);
                            lengths.extend(std::iter::repeat_n(0, n));
                        }
                        18 => {
                            let n = 11 + bits.take(7);
                            lengths.extend(std::iter::repeat_n(0, n));
                        }
                        length => lengths.push(length),
                    }
                }
                (codes(&lengths[..many]), codes(&lengths[many..]))
            }
        };
        loop {
            match symbol(&mut bits, &literals) {
                256 => break,
                byte @ 0..256 => out.push(byte as u8),
                code => {
                    let place = code - 257;
                    let extra = if !(8..28).contains(&place) { 0 } else { place / 4 - 1 };
                    let length = LENGTHS[place] + bits.take(extra);
                    let place = symbol(&mut bits, &distances);
                    let extra = if place < 4 { 0 } else { place / 2 - 1 };
                    let back = DISTANCES[place] + bits.take(extra);
                    for _ in 0..length {
                        out.push(out[out.len() - back]);
                    }
                }
            }
        }
        if last {
            return out;
        }
    }
}
