//! The form of a CSV file, looked at before the engine reads it, which takes short rows and open quotes without a word.
//!
//! A file is cut at line breaks, and its parts are looked at in parallel, each as if it began outside of quotes. If no part has
//! a fault, that was so, because the first one does and each ends outside of quotes. Else the file is read from its beginning,
//! which tells a fault from a cut within quotes.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::{memchr, memchr_iter, memchr3};

use rfmill_query_request::Failure;

use crate::failure::{Result, contract, input, io};

/// Bytes of a part.
const PART: u64 = 8 << 20;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The engine reads it as it is.
    Plain {
        /// Its records, that of the names among them.
        records: u64,
    },
    /// It is CSV, but has blank lines, or lines that end in a carriage return alone.
    Readable,
}

/// Checks that every record has `fields` fields, quotes are closed, and the text is UTF-8.
///
/// # Errors
/// Exit 3: a record with another number of fields, a quote that is not closed, or one in the middle of a field; exit 4: it cannot
/// be read, or is not UTF-8. Each with its line.
pub fn check(name: &str, path: &Path, separator: u8, fields: usize) -> Result<Form> {
    let failed = |e: std::io::Error| io(&format!("read {name}"), &e);
    let file = File::open(path).map_err(failed)?;
    if let Some(records) = in_parts(&file, separator, fields).map_err(failed)? {
        return Ok(Form::Plain { records });
    }
    let mut reader = FormReader::new(name, separator, fields);
    let mut lines = BufReader::with_capacity(1 << 18, file);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        reader.line(&line)?;
        line.clear();
    }
    reader.end()
}

/// The records of a file whose parts are all without fault; none otherwise.
fn in_parts(file: &File, separator: u8, fields: usize) -> std::io::Result<Option<u64>> {
    let starts = part_starts(file)?;
    let parts = starts.len() - 1;
    let next = AtomicUsize::new(0);
    let work = || -> std::io::Result<Option<u64>> {
        let (mut bytes, mut records) = (Vec::new(), 0);
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            let (Some(start), Some(end)) = (starts.get(part), starts.get(part + 1)) else { return Ok(Some(records)) };
            bytes.resize((end - start) as usize, 0);
            file.read_exact_at(&mut bytes, *start)?;
            match records_of(&bytes, separator, fields) {
                Some(count) => records += count,
                None => {
                    next.store(parts, Ordering::Relaxed);
                    return Ok(None);
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(parts.max(1));
    let found: Vec<std::io::Result<Option<u64>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|t| t.join().unwrap_or_else(|_| Err(std::io::Error::other("a thread panicked")))).collect()
    });
    found.into_iter().try_fold(Some(0), |all, records| Ok(all.zip(records?).map(|(all, records)| all + records)))
}

/// Where parts begin, each behind a line break, and the end of the file.
fn part_starts(file: &File) -> std::io::Result<Vec<u64>> {
    let size = file.metadata()?.len();
    let mut starts = vec![0];
    let mut block = vec![0; 1 << 16];
    let mut at = PART;
    while at < size {
        let length = block.len().min((size - at) as usize);
        file.read_exact_at(&mut block[..length], at)?;
        match memchr(b'\n', &block[..length]) {
            Some(end) => {
                starts.push(at + end as u64 + 1);
                at += PART;
            }
            None => at += length as u64,
        }
    }
    if starts.last() != Some(&size) {
        starts.push(size);
    }
    Ok(starts)
}

/// The records of a part that begins outside of quotes; none if it has a fault, or would have to be written anew.
fn records_of(bytes: &[u8], separator: u8, fields: usize) -> Option<u64> {
    let is_text = memchr(0, bytes).is_none() && std::str::from_utf8(bytes).is_ok();
    let bare_return = || memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n'));
    if !is_text || bare_return() {
        return None;
    }
    if memchr(b'"', bytes).is_some() {
        return quoted_records(bytes, separator, fields);
    }
    let (mut records, mut start) = (0, 0);
    while start < bytes.len() {
        let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length);
        let line = &bytes[start..end];
        if memchr_iter(separator, line).count() + 1 != fields || is_blank(line) {
            return None;
        }
        records += 1;
        start = end + 1;
    }
    Some(records)
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, [] | [b'\r'])
}

/// [`records_of`] where there are quotes.
fn quoted_records(bytes: &[u8], separator: u8, fields: usize) -> Option<u64> {
    let (mut records, mut at) = (0, 0);
    while at < bytes.len() {
        let (mut count, start) = (1, at);
        loop {
            if bytes.get(at) == Some(&b'"') {
                at = behind_quotes(bytes, at + 1)?;
                if bytes.get(at) == Some(&b'\r') {
                    at += 1;
                }
            } else {
                at = memchr3(separator, b'\n', b'"', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            }
            match bytes.get(at) {
                Some(byte) if *byte == separator => (count, at) = (count + 1, at + 1),
                None | Some(b'\n') => break,
                Some(_) => return None,
            }
        }
        if count != fields || is_blank(&bytes[start..at]) {
            return None;
        }
        records += 1;
        at += 1;
    }
    Some(records)
}

/// The place behind the quote that closes a field whose text begins at `at`; two quotes are one of the text.
fn behind_quotes(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr(b'"', &bytes[at..])? + 1;
        match bytes.get(at) {
            Some(b'"') => at += 1,
            _ => return Some(at),
        }
    }
}

/// The failure that a line of text has a byte 0.
pub fn byte_zero(name: &str, line: u64) -> Failure {
    input(format!("{name}, line {line}: there is a byte 0, which text has in UTF-16; give the source encoding = \"utf-16\""))
}

/// Where in a record a byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    FieldStart,
    Field,
    Quotes,
    /// Behind a quote within quotes: it closes them, or is the first of two.
    Quote,
    /// Behind a carriage return, which ends the record with or without a line feed.
    Return,
}

/// Reads a file byte by byte, and says what is wrong with it.
struct FormReader<'a> {
    name: &'a str,
    separator: u8,
    fields: usize,
    place: Place,
    /// The number of the line, from 1, and of those on which the record and its open quotes begin.
    line: u64,
    record_line: u64,
    quote_line: u64,
    /// Fields of the record before this one.
    before: usize,
    records: u64,
    /// Whether it must be written anew.
    is_uneven: bool,
}

impl<'a> FormReader<'a> {
    fn new(name: &'a str, separator: u8, fields: usize) -> FormReader<'a> {
        FormReader {
            name,
            separator,
            fields,
            place: Place::FieldStart,
            line: 1,
            record_line: 1,
            quote_line: 1,
            before: 0,
            records: 0,
            is_uneven: false,
        }
    }

    /// Takes a line with its end.
    fn line(&mut self, line: &[u8]) -> Result<()> {
        let (name, number) = (self.name, self.line);
        if memchr(0, line).is_some() {
            return Err(byte_zero(name, number));
        }
        if let Err(error) = std::str::from_utf8(line) {
            let byte = line.get(error.valid_up_to()).copied().unwrap_or_default();
            return Err(input(format!(
                "{name}, line {number}: byte {} is 0x{byte:02X}, which is not UTF-8; give the source the encoding it was written in, such as \"windows-1252\" or \"gb18030\"",
                error.valid_up_to() + 1
            )));
        }
        line.iter().try_for_each(|byte| self.byte(*byte))
    }

    fn byte(&mut self, byte: u8) -> Result<()> {
        if self.place == Place::Return {
            self.place = Place::FieldStart;
            if byte == b'\n' {
                return Ok(());
            }
            self.is_uneven = true;
        }
        self.place = match (self.place, byte) {
            (Place::Quotes, b'"') => Place::Quote,
            (Place::Quotes, _) => {
                self.line += u64::from(byte == b'\n');
                Place::Quotes
            }
            (Place::Quote, b'"') => Place::Quotes,
            (_, b'\r' | b'\n') => {
                self.end_record()?;
                if byte == b'\r' { Place::Return } else { Place::FieldStart }
            }
            (_, byte) if byte == self.separator => {
                self.before += 1;
                Place::FieldStart
            }
            (Place::FieldStart, b'"') => {
                self.quote_line = self.line;
                Place::Quotes
            }
            (Place::Quote, _) => {
                return Err(self.fault("there is text behind a quote that closes a field; write a quote within quotes twice"));
            }
            (_, b'"') => {
                return Err(self.fault(
                    "there is a quote in the middle of a field; put the field into quotes, and write the quote within twice",
                ));
            }
            _ => Place::Field,
        };
        Ok(())
    }

    fn fault(&self, what: &str) -> Failure {
        contract(format!("{}, line {}: {what}", self.name, self.line))
    }

    /// A record ends; a blank line is none.
    fn end_record(&mut self) -> Result<()> {
        let found = self.before + 1;
        if self.place == Place::FieldStart && self.before == 0 {
            self.is_uneven = true;
        } else if found != self.fields {
            return Err(contract(format!(
                "{}, line {}: {found} field{}, where the first line has {}; put fields with separators into double quotes, or correct the line",
                self.name,
                self.record_line,
                if found == 1 { "" } else { "s" },
                self.fields
            )));
        } else {
            self.records += 1;
        }
        self.before = 0;
        self.line += 1;
        self.record_line = self.line;
        Ok(())
    }

    fn end(mut self) -> Result<Form> {
        match self.place {
            Place::Quotes => {
                return Err(contract(format!(
                    "{}, line {}: a quote is not closed before the file ends; close it, or write the file again if its end is missing",
                    self.name, self.quote_line
                )));
            }
            Place::Return => {}
            Place::FieldStart if self.before == 0 => {}
            _ => self.end_record()?,
        }
        match self.is_uneven {
            true => Ok(Form::Readable),
            false => Ok(Form::Plain { records: self.records }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &[u8], fields: usize) -> Result<Form> {
        let path =
            std::env::temp_dir().join(format!("rfmill-check-{}-{:?}.csv", std::process::id(), std::thread::current().id()));
        std::fs::write(&path, text).expect("a file");
        let found = check("a.csv", &path, b',', fields);
        std::fs::remove_file(&path).expect("the file");
        found
    }

    #[test]
    fn plain_files_are_counted() {
        for (text, records) in [
            ("a,b\n1,2\n3,4\n", 3),
            ("a,b\n1,2", 2),
            ("a,b\r\n1,2\r\n", 2),
            ("a,b\n\"x,y\",2\n", 2),
            ("a,b\n\"x \"\"y\"\"\",\"\"\n\"\",\"1\"\r\n", 3),
            ("a,b\n\"two\nlines\",2\n1,2\n", 3),
            ("a,b\n,\n", 2),
        ] {
            assert_eq!(checked(text.as_bytes(), 2).expect(text), Form::Plain { records }, "{text:?}");
        }
    }

    #[test]
    fn uneven_files_are_written_anew() {
        for text in ["a,b\n1,2\n\n3,4\n", "a,b\r1,2\r", "a,b\n1,2\n\n", "a,b\r\n\r\n1,2\r\n"] {
            assert_eq!(checked(text.as_bytes(), 2).expect(text), Form::Readable, "{text:?}");
        }
    }

    #[test]
    fn faults_have_their_line() {
        for (text, said) in [
            (&b"a,b\n1,2\n3\n"[..], "a.csv, line 3: 1 field, where the first line has 2"),
            (b"a,b\n\"x\ny\",2\n1,2,3\n", "a.csv, line 4: 3 fields, where the first line has 2"),
            (b"a,b\n\"x,2\n3,4\n", "a.csv, line 2: a quote is not closed"),
            (b"a,b\n1,2\n5\" pipe,3\n", "a.csv, line 3: there is a quote in the middle"),
            (b"a,b\n\"5\" pipe,3\n", "a.csv, line 2: there is text behind a quote"),
            (b"a,b\n1,2\nM\xfcller,3\n", "a.csv, line 3: byte 2 is 0xFC, which is not UTF-8"),
            (b"a,b\n1\x00,2\n", "a.csv, line 2: there is a byte 0"),
        ] {
            let failure = checked(text, 2).expect_err(said);
            assert!(failure.sentence.starts_with(said), "{}", failure.sentence);
        }
    }

    /// Cuts within quotes are no faults: a file of many parts whose quoted fields have line breaks.
    #[test]
    fn parts_do_not_change_what_is_found() {
        let row = format!("1,\"{}\"\n", "two\nlines, \"\"and\"\" more ".repeat(50));
        let text = row.repeat((3 * PART as usize) / row.len());
        let records = text.len() as u64 / row.len() as u64;
        assert_eq!(checked(text.as_bytes(), 2).expect("fine"), Form::Plain { records });
        let failure = checked(format!("{text}1\n").as_bytes(), 2).expect_err("a short row");
        assert!(failure.sentence.contains("1 field, where"), "{}", failure.sentence);
    }
}
