//! The records of a text in CSV, field by field: the one place that tells where fields begin and end.

use memchr::{memchr, memchr3};

/// A field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its text, without the quotes around it.
    pub text: &'a str,
    /// Whether there are quotes within, each written twice.
    pub has_quotes: bool,
}

/// Shows the fields of all records, with their numbers from 0, and counts the records; none if there is a fault: another number of
/// fields, a quote out of place or not closed, a blank line, a carriage return that ends a line alone, or a byte 0. A text that begins
/// within quotes, because it was cut there, has a fault or ends within them.
pub fn records<'a>(text: &'a str, separator: u8, fields: usize, mut show: impl FnMut(usize, Field<'a>)) -> Option<u64> {
    let bytes = text.as_bytes();
    if memchr(0, bytes).is_some() {
        return None;
    }
    let has_returns = memchr(b'\r', bytes).is_some();
    let (mut count, mut at) = (0, 0);
    while at < bytes.len() {
        if is_blank(&bytes[at..]) {
            return None;
        }
        let mut number = 0;
        loop {
            let field;
            (field, at) = match bytes.get(at) {
                Some(b'"') => quoted(text, at + 1)?,
                _ => plain(text, at, separator, has_returns)?,
            };
            show(number, field);
            number += 1;
            match bytes.get(at) {
                Some(byte) if *byte == separator => at += 1,
                None | Some(b'\n') => break,
                Some(_) => return None,
            }
        }
        if number != fields {
            return None;
        }
        count += 1;
        at += 1;
    }
    Some(count)
}

fn is_blank(rest: &[u8]) -> bool {
    matches!(rest, [b'\n', ..] | [b'\r', b'\n', ..] | [b'\r'])
}

/// The field without quotes that begins at `at`, and where what ends it stands.
#[inline]
fn plain(text: &str, at: usize, separator: u8, has_returns: bool) -> Option<(Field<'_>, usize)> {
    let bytes = &text.as_bytes()[at..];
    let mut length = end_of_plain(bytes, separator);
    let end = at + length;
    if has_returns && let Some(place) = memchr(b'\r', &bytes[..length]) {
        if place + 1 != length || bytes.get(length) != Some(&b'\n') {
            return None;
        }
        length = place;
    }
    Some((Field { text: &text[at..at + length], has_quotes: false }, end))
}

/// Where the first separator, line feed or quote stands, or the end. Most fields are short: their first bytes are looked at here, eight
/// at a time, which is faster than a call of `memchr3`.
#[inline]
fn end_of_plain(bytes: &[u8], separator: u8) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The lowest bit set is that of the first byte that is equal; there may be others above it.
    let is_equal = |word: u64, byte: u8| {
        let zero = word ^ (ONES * u64::from(byte));
        zero.wrapping_sub(ONES) & !zero & HIGH
    };
    let mut at = 0;
    while at < 2 * 8
        && let Some(word) = bytes[at..].first_chunk::<8>()
    {
        let word = u64::from_le_bytes(*word);
        let ends = is_equal(word, separator) | is_equal(word, b'\n') | is_equal(word, b'"');
        if ends != 0 {
            return at + (ends.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    memchr3(separator, b'\n', b'"', &bytes[at..]).map_or(bytes.len(), |length| at + length)
}

/// The field within quotes whose text begins at `at`, and where what ends it stands; none if the quotes are not closed.
#[inline]
fn quoted(text: &str, at: usize) -> Option<(Field<'_>, usize)> {
    let bytes = text.as_bytes();
    let (mut end, mut has_quotes) = (at, false);
    loop {
        end += memchr(b'"', &bytes[end..])?;
        if bytes.get(end + 1) != Some(&b'"') {
            break;
        }
        has_quotes = true;
        end += 2;
    }
    let field = Field { text: &text[at..end], has_quotes };
    match (bytes.get(end + 1), bytes.get(end + 2)) {
        (Some(b'\r'), Some(b'\n')) => Some((field, end + 2)),
        _ => Some((field, end + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a text of two columns, fields with `|` between them.
    fn read(text: &str) -> Option<Vec<String>> {
        let mut out = Vec::new();
        let show = |number: usize, field: Field<'_>| {
            let text = if field.has_quotes { format!("{}*", field.text) } else { field.text.to_owned() };
            match number {
                0 => out.push(text),
                _ => out.iter_mut().last().expect("a field before").push_str(&format!("|{text}")),
            }
        };
        let count = records(text, b',', 2, show)?;
        assert_eq!(count, out.len() as u64);
        Some(out)
    }

    #[test]
    fn fields_are_found() {
        for (text, wanted) in [
            ("", &[][..]),
            ("1,2\n3,4\n", &["1|2", "3|4"]),
            ("1,2\n3,4", &["1|2", "3|4"]),
            ("1,\n,2\n,", &["1|", "|2", "|"]),
            ("1,2\r\n3,\"4\"\r\n", &["1|2", "3|4"]),
            ("\"a,b\",\"two\nlines\"\n", &["a,b|two\nlines"]),
            ("\"a\rb\",2\r\n", &["a\rb|2"]),
            ("\"\",\"x \"\"y\"\"\"\n", &["|x \"\"y\"\"*"]),
            ("\"\"\"\",1\n", &["\"\"*|1"]),
            ("ü,é\n", &["ü|é"]),
            (
                "seventeen letters,and twenty-four letters\n1234567,12345678\n",
                &["seventeen letters|and twenty-four letters", "1234567|12345678"],
            ),
            ("-\u{ac}.\u{2c2}\u{a2}\u{8a}\u{8b}\u{8c}x,-\u{ac}\n", &["-\u{ac}.\u{2c2}\u{a2}\u{8a}\u{8b}\u{8c}x|-\u{ac}"]),
        ] {
            let wanted: Vec<String> = wanted.iter().map(|&record| record.to_owned()).collect();
            assert_eq!(read(text), Some(wanted), "{text:?}");
        }
    }

    #[test]
    fn faults_are_found() {
        for text in [
            "1\n",
            "1,2,3\n",
            "1,2\n\n3,4\n",
            "\n",
            "\r\n",
            "1,2\r3,4\r",
            "1,2\r",
            "1,2\n\r\n",
            "1,5\" pipe\n",
            "\"5\" pipe,1\n",
            "\"1,2\n",
            "\"1\"\r,2\n",
            "1,\"2\"\r",
            "1,\0\n",
            "1,\"\"\"\n",
            "1\r,2\n",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
