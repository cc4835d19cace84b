//! Text of other encodings as UTF-8.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use encoding_rs::{DecoderResult, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use rfmill_query_request::{Encoding, SourceFile};

use crate::failure::{Result, input, io};

/// Bytes that are decoded at a time.
const BLOCK: usize = 1 << 18;

/// The encoding of a file: that of the job, unless a byte order mark of UTF-16 says otherwise.
pub fn encoding_of(head: &[u8], given: Encoding) -> Encoding {
    match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Encoding::Utf16,
        [0xef, 0xbb, 0xbf, ..] => Encoding::Utf8,
        _ => given,
    }
}

fn decoder(head: &[u8], encoding: Encoding) -> &'static encoding_rs::Encoding {
    match (encoding, head) {
        (Encoding::Utf16, [0xfe, 0xff, ..]) => UTF_16BE,
        (Encoding::Utf16, _) => UTF_16LE,
        (Encoding::Utf8, _) => UTF_8,
        (Encoding::Gb18030, _) => GB18030,
        (Encoding::Windows1252, _) => WINDOWS_1252,
    }
}

/// The beginning of a file as text; what cannot be decoded is found when all of it is.
pub fn decode_head(head: &[u8], encoding: Encoding) -> String {
    decoder(head, encoding).decode_with_bom_removal(head).0.into_owned()
}

/// Writes a file as UTF-8, without a byte order mark.
///
/// # Errors
/// Exit 4 if bytes mean nothing in that encoding, with the line.
pub fn transcode(file: &SourceFile, encoding: Encoding, to: &Path) -> Result<()> {
    let read_failed = |e: std::io::Error| io(&format!("read {}", file.name), &e);
    let write_failed = |e: std::io::Error| io("write a scratch file", &e);
    let mut from = File::open(&file.path).map_err(read_failed)?;
    let mut out = BufWriter::with_capacity(BLOCK, File::create(to).map_err(write_failed)?);
    let mut block = vec![0; BLOCK];
    let mut text = String::with_capacity(4 * BLOCK);
    let mut decoder: Option<encoding_rs::Decoder> = None;
    let mut lines = 1;
    loop {
        let length = from.read(&mut block).map_err(read_failed)?;
        let bytes = &block[..length];
        let decoder = decoder.get_or_insert_with(|| self::decoder(bytes, encoding).new_decoder_with_bom_removal());
        let mut at = 0;
        loop {
            text.clear();
            let (result, read) = decoder.decode_to_string_without_replacement(&bytes[at..], &mut text, length == 0);
            at += read;
            out.write_all(text.as_bytes()).map_err(write_failed)?;
            lines += memchr::memchr_iter(b'\n', text.as_bytes()).count();
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    return Err(input(format!(
                        "{}, line {lines}: this is not {}; give the source the encoding it was written in",
                        file.name,
                        name(encoding)
                    )));
                }
            }
        }
        if length == 0 {
            break;
        }
    }
    out.flush().map_err(write_failed)
}

fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "UTF-8",
        Encoding::Utf16 => "UTF-16",
        Encoding::Gb18030 => "GB18030",
        Encoding::Windows1252 => "Windows-1252",
    }
}
