//! What is wrong with a CSV file, found by reading it from its beginning, byte by byte.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use memchr::memchr;

use rfmill_query_request::Failure;

use super::parts::{MARK, PART};
use crate::failure::{Result, contract, input, io};

/// The form of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// It can be read as it is.
    Plain {
        /// Where its parts begin, each with a record, and where the last one ends.
        starts: Vec<u64>,
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
    let mut reader = FormReader::new(name, separator, fields);
    let mut lines = BufReader::with_capacity(1 << 18, File::open(path).map_err(failed)?);
    if lines.fill_buf().map_err(failed)?.starts_with(MARK) {
        lines.consume(MARK.len());
        reader.offset = MARK.len() as u64;
    }
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        reader.line(&line)?;
        line.clear();
    }
    reader.end()
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
    /// Bytes before this one.
    offset: u64,
    /// Where parts begin.
    starts: Vec<u64>,
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
            offset: 0,
            starts: vec![0],
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
        for byte in line {
            self.offset += 1;
            self.byte(*byte)?;
        }
        // A record begins here, and perhaps a part.
        let is_start = matches!(self.place, Place::FieldStart) && self.before == 0;
        if is_start && self.starts.last().is_some_and(|start| start + PART <= self.offset) {
            self.starts.push(self.offset);
        }
        Ok(())
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
            Place::Return => self.is_uneven = true,
            Place::FieldStart if self.before == 0 => {}
            _ => self.end_record()?,
        }
        if self.is_uneven {
            return Ok(Form::Readable);
        }
        if self.starts.last() != Some(&self.offset) {
            self.starts.push(self.offset);
        }
        Ok(Form::Plain { starts: self.starts })
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
    fn plain_files_are_told() {
        for text in [
            "a,b\n1,2\n3,4\n",
            "a,b\n1,2",
            "a,b\r\n1,2\r\n",
            "a,b\n\"x,y\",2\n",
            "a,b\n\"x \"\"y\"\"\",\"\"\n\"\",\"1\"\r\n",
            "a,b\n\"two\nlines\",2\n1,2\n",
            "a,b\n,\n",
            "\u{feff}\"a\",b\n1,2\n",
        ] {
            let size = text.len() as u64;
            assert_eq!(checked(text.as_bytes(), 2).expect(text), Form::Plain { starts: vec![0, size] }, "{text:?}");
        }
    }

    #[test]
    fn uneven_files_are_told() {
        for text in ["a,b\n1,2\n\n3,4\n", "a,b\r1,2\r", "a,b\n1,2\r", "a,b\n1,2\n\n", "a,b\r\n\r\n1,2\r\n"] {
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

    /// Parts begin with records, also where quoted fields have line breaks.
    #[test]
    fn parts_begin_with_records() {
        let row = format!("1,\"{}\"\n", "two\nlines, \"\"and\"\" more ".repeat(50));
        let rows = 3 * PART as usize / row.len();
        let Form::Plain { starts } = checked(row.repeat(rows).as_bytes(), 2).expect("fine") else { panic!("uneven") };
        let length = row.len() as u64;
        assert_eq!(starts.len(), 4, "{starts:?}");
        assert!(starts.iter().all(|start| start % length == 0), "{starts:?}");
        assert_eq!(starts.last(), Some(&(rows as u64 * length)));
    }
}
