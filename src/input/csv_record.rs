//! Records of CSV files that people have edited. A quote that is not closed makes one field of all that follows, and a reader
//! drops these lines without a word. Readers are to be flexible: whether a quote is the cause is looked at before the number of
//! fields is.

use std::io::Read;

use csv::StringRecord;

use crate::error::{Error, Result};
use crate::storage::Place;

/// Checks that no field of a record holds a line break, and that it has as many fields as the first line names columns; that
/// line itself is checked without `columns`.
///
/// # Errors
/// Exit 3, with the line on which the record begins.
pub fn check_record(name: &str, record: &StringRecord, columns: Option<&StringRecord>) -> Result<()> {
    let line = || record.position().map_or(1, csv::Position::line);
    if record.as_slice().bytes().any(|byte| matches!(byte, b'\n' | b'\r')) {
        let at = record.iter().position(|field| field.contains(['\n', '\r'])).unwrap_or_default();
        let field = match columns.and_then(|columns| columns.get(at)) {
            Some(column) => format!("{column} holds"),
            None => format!("the name of column {} holds", at + 1),
        };
        return Err(Error::contract(format!(
            "{name}, line {}: {field} a line break, as behind a quote that is not closed; close the quote, or take the line break out",
            line()
        )));
    }
    match columns.map(StringRecord::len) {
        Some(columns) if columns != record.len() => Err(Error::contract(format!(
            "{name}, line {}: {} fields, where the first line names {columns}; put fields with commas into double quotes",
            line(),
            record.len()
        ))),
        _ => Ok(()),
    }
}

/// Checks that the last record, which begins at this byte, does not end within quotes.
///
/// # Errors
/// Exit 3 if it does; exit 4 if the file cannot be read.
pub fn check_end(name: &str, place: &Place, last: &csv::Position) -> Result<()> {
    let mut text = Vec::new();
    let file = place.open().map_err(|e| e.of(name))?;
    let read = file.reader(last.byte()).read_to_end(&mut text);
    read.map_err(|e| Error::input(format!("cannot read {name}: {e}")).caused_by(e))?;
    if !ends_within_quotes(&text) {
        return Ok(());
    }
    let line = last.line();
    Err(Error::contract(format!(
        "{name}, line {line}: a quote is not closed before the file ends; close it, or write the file again if its end is missing"
    )))
}

/// Whether a record has a quote that is not closed. A quote opens a field at its beginning only, and is written twice within
/// quotes (RFC 4180).
fn ends_within_quotes(record: &[u8]) -> bool {
    let (mut is_quoted, mut begins_field) = (false, true);
    for byte in record {
        match byte {
            // Of two quotes within quotes the first closes the field, and the second opens it again.
            b'"' if is_quoted => (is_quoted, begins_field) = (false, true),
            b'"' if begins_field => is_quoted = true,
            b',' | b'\r' | b'\n' if !is_quoted => begins_field = true,
            _ => begins_field = false,
        }
    }
    is_quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a file as those who call do: the error of a record, or that of the end.
    fn read(text: &str) -> Result<usize> {
        let folder = crate::temp::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).expect("a file");
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(&path).expect("a reader");
        let columns = reader.headers().expect("a header").clone();
        check_record("a.csv", &columns, None)?;
        let (mut count, mut last) = (0, None);
        for record in reader.records() {
            let record = record.expect("a record");
            check_record("a.csv", &record, Some(&columns))?;
            last = record.position().cloned();
            count += 1;
        }
        last.map_or(Ok(()), |last| check_end("a.csv", &Place::Local(path.clone()), &last))?;
        Ok(count)
    }

    #[test]
    fn closed_quotes_are_left_alone() {
        for text in [
            "a,b\n1,2\n3,4\n",
            "\u{feff}\"a\",\"b\"\r\n\"1\",\"2\"\r\n\"3\",\"4\"\r\n",
            "\u{feff}\"a\",\"b\"\n\"1\",\"2\"\n\"3\",\"4\"",
            "\"a\",b\n\"x \"\"y\"\", z\",2\n\n\"\",\"\"\n",
            "a,b\n1,2\n5\" pipe,\"a \"\"b\"\"\"",
        ] {
            assert_eq!(read(text).expect("good quotes"), 2, "{text:?}");
        }
        assert_eq!(read("a,b\n").expect("no rows"), 0);
    }

    #[test]
    fn open_quotes_are_found_wherever_they_begin() {
        let whole = "\u{feff}\"a\",\"b\"\r\n\"1\",\"2\"\r\n\"3\",\"4\"\r\n\"5\",\"6\"";
        for (number, (at, _)) in whole.match_indices('"').enumerate() {
            let mut open = whole.to_owned();
            open.remove(at);
            let outcome = read(&open);
            // Without its first quote, a field is text with a quote behind it, and no quote is open.
            let is_right = match number.is_multiple_of(2) {
                true => matches!(outcome, Ok(3)),
                false => outcome.is_err_and(|e| e.to_string().contains("line")),
            };
            assert!(is_right, "without the quote at {at}: {open:?}");
        }
    }
}
