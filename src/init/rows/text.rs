//! Text files in any encoding, as UTF-8.

use std::io::Read;
use std::ops::Range;

use encoding_rs::{Decoder, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use rfmill_query_request::Encoding;

use crate::error::{Error, Result};
use crate::input::input_path::InputPath;
use crate::storage::FileBytes;

/// Bytes that are looked at to tell an encoding.
const LOOKED_AT: u64 = 1 << 26;

/// Bytes that are decoded at a time.
const BLOCK: usize = 1 << 16;

/// The error of a file whose text cannot be read.
pub fn unreadable(file: &InputPath, error: &std::io::Error) -> Error {
    Error::input(format!("cannot read {}: {error}; check the file", file.shown()))
}

/// The text of a file, from its beginning.
pub fn open(file: &InputPath, encoding: Encoding) -> Result<Utf8Reader> {
    let opened = file.place.open().map_err(|e| e.of(&file.shown()))?;
    let mut head = [0u8; 2];
    let is_big = opened.state.size >= 2 && opened.read_exact_at(&mut head, 0).is_ok() && head == [0xfe, 0xff];
    Ok(Utf8Reader {
        from: opened.reader(0),
        decoder: named(encoding, is_big).new_decoder_with_bom_removal(),
        decoded: Vec::new(),
        used: 0,
        is_at_end: false,
    })
}

fn named(encoding: Encoding, is_big: bool) -> &'static encoding_rs::Encoding {
    match encoding {
        Encoding::Utf8 => UTF_8,
        Encoding::Utf16 if is_big => UTF_16BE,
        Encoding::Utf16 => UTF_16LE,
        Encoding::Gb18030 => GB18030,
        Encoding::Windows1252 => WINDOWS_1252,
    }
}

/// The text of some bytes of a file, which may begin and end within a character.
pub fn within(file: &InputPath, encoding: Encoding, range: &Range<u64>) -> Result<String> {
    let failed = |e: crate::storage::ReadError| e.of(&file.shown());
    let opened = file.place.open().map_err(failed)?;
    let mut head = [0u8; 2];
    // Units of UTF-16 have two bytes.
    let unit = if encoding == Encoding::Utf16 { 2 } else { 1 };
    if unit == 2 {
        opened.read_exact_at(&mut head, 0).map_err(failed)?;
    }
    let (begin, end) = (range.start / unit * unit, range.end.min(opened.state.size) / unit * unit);
    let mut bytes = vec![0; end.saturating_sub(begin) as usize];
    opened.read_exact_at(&mut bytes, begin).map_err(failed)?;
    Ok(named(encoding, head == [0xfe, 0xff]).decode_without_bom_handling(&bytes).0.into_owned())
}

/// The encoding of a file, by its bytes.
///
/// # Errors
/// Exit 4: it cannot be read.
pub fn encoding_of(file: &InputPath) -> Result<Encoding> {
    let opened = file.place.open().map_err(|e| e.of(&file.shown()))?;
    let mut bytes = Vec::new();
    opened.reader(0).take(LOOKED_AT).read_to_end(&mut bytes).map_err(|e| unreadable(file, &e))?;
    Ok(encoding_of_bytes(&bytes))
}

fn encoding_of_bytes(bytes: &[u8]) -> Encoding {
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Encoding::Utf16;
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Encoding::Utf8,
        // A character that the end cuts.
        Err(e) if e.error_len().is_none() => Encoding::Utf8,
        Err(_) if is_chinese(bytes) => Encoding::Gb18030,
        Err(_) => Encoding::Windows1252,
    }
}

/// Whether bytes beyond ASCII are pairs of GBK: of most of them both are, while a letter of Western Europe stands among those of ASCII.
fn is_chinese(bytes: &[u8]) -> bool {
    let (mut pairs, mut others, mut at) = (0u64, 0u64, 0);
    while let Some(byte) = bytes.get(at) {
        if *byte < 0x80 {
            at += 1;
            continue;
        }
        match bytes.get(at + 1) {
            Some(0xa1..=0xfe) if (0xa1..=0xfe).contains(byte) => pairs += 1,
            _ => others += 1,
        }
        at += 2;
    }
    pairs > 2 * others
}

/// The bytes of a file as UTF-8.
pub struct Utf8Reader {
    from: FileBytes,
    decoder: Decoder,
    decoded: Vec<u8>,
    used: usize,
    is_at_end: bool,
}

impl Read for Utf8Reader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.used == self.decoded.len() {
            if self.is_at_end {
                return Ok(0);
            }
            let mut block = vec![0; BLOCK];
            let read = self.from.read(&mut block)?;
            self.is_at_end = read == 0;
            let bytes = block.get(..read).unwrap_or_default();
            let mut text = String::with_capacity(self.decoder.max_utf8_buffer_length(read).unwrap_or(4 * BLOCK));
            // What means nothing becomes a replacement character; a run says where it stands.
            let _ = self.decoder.decode_to_string(bytes, &mut text, self.is_at_end);
            self.decoded = text.into_bytes();
            self.used = 0;
        }
        let mut rest = self.decoded.get(self.used..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.used += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_by_their_bytes() {
        let of = |text: &str, encoding: &'static encoding_rs::Encoding| encoding_of_bytes(&encoding.encode(text).0);
        for text in ["Auftrag;Währung;Straße\nKäufer;Größe;ÖÄÜ", "N° pièce;État;Coût\nété;dévis;reçu", "naïve café"]
        {
            assert_eq!(of(text, UTF_8), Encoding::Utf8, "{text}");
            assert_eq!(of(text, WINDOWS_1252), Encoding::Windows1252, "{text}");
        }
        for text in ["订单编号,买家会员名,总金额\n1001,茶叶,12.00", "会员"] {
            assert_eq!(of(text, UTF_8), Encoding::Utf8, "{text}");
            assert_eq!(of(text, GB18030), Encoding::Gb18030, "{text}");
        }
        assert_eq!(encoding_of_bytes(b"\xff\xfea\0"), Encoding::Utf16);
    }
}
