//! CSV files: how they are written, and their rows.

use std::io::Read;

use csv::{Reader, ReaderBuilder, StringRecord};

use super::parts::Piece;
use super::table::{CsvForm, Header, More, Stored, Visit};
use super::text::{self, Utf8Reader};
use crate::error::{Error, Result};
use crate::init::date_form::DateForm;
use crate::input::input_path::InputPath;

/// What may stand between fields.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Records that tell the separator.
const LOOKED_AT: usize = 50;

fn reader(file: &InputPath, form: CsvForm) -> Result<Reader<Utf8Reader>> {
    Ok(records(text::open(file, form.encoding)?, form))
}

fn records<R: Read>(text: R, form: CsvForm) -> Reader<R> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(form.separator).from_reader(text)
}

fn failed(file: &InputPath, error: &csv::Error) -> Error {
    Error::input(format!("cannot read {}: {error}; check the file", file.shown()))
}

/// How a file is written, and its columns.
///
/// # Errors
/// Exit 3: no line of names, names that are missing or twice, one column alone. Exit 4: it cannot be read.
pub fn look(file: &InputPath) -> Result<(CsvForm, Vec<Header>)> {
    let encoding = text::encoding_of(file)?;
    let mut best: Option<(bool, usize, u8, Vec<String>)> = None;
    for separator in SEPARATORS {
        let mut records = Vec::new();
        for record in reader(file, CsvForm { separator, encoding })?.records().take(LOOKED_AT) {
            records.push(record.map_err(|e| failed(file, &e))?);
        }
        let Some(first) = records.first() else { break };
        let is_even = records.iter().all(|record| record.len() == first.len());
        let names: Vec<String> = first.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        let found = (is_even && names.len() > 1, names.len());
        if best.as_ref().is_none_or(|(even, columns, ..)| found > (*even, *columns)) {
            best = Some((found.0, found.1, separator, names));
        }
    }
    let name = file.shown();
    let Some((_, _, separator, names)) = best else {
        return Err(Error::contract(format!(
            "{name} has no line; expected a line with the names of its columns, and a row per order below"
        )));
    };
    check_names(&name, &names)?;
    let headers = names.into_iter().map(|name| Header { name, stored: Stored::Text, is_field: false }).collect();
    Ok((CsvForm { separator, encoding }, headers))
}

fn check_names(file: &str, names: &[String]) -> Result<()> {
    if let [name] = names {
        return Err(Error::contract(format!(
            "{file} has one column alone, {name:?}; expected fields between commas, semicolons, tabs or bars, with a customer, a date and an amount among them"
        )));
    }
    for (number, name) in (1..).zip(names) {
        if name.trim().is_empty() {
            return Err(Error::contract(format!(
                "{file}, line 1: column {number} has no name; name it, because a job names columns"
            )));
        }
        if names.iter().filter(|other| *other == name).count() > 1 {
            return Err(Error::contract(format!(
                "{file}, line 1: two columns are named {name:?}; rename one, because a job names columns"
            )));
        }
    }
    let is_value = |name: &&String| name.parse::<f64>().is_ok() || !DateForm::of(name).is_empty();
    if names.iter().filter(is_value).count() * 3 >= names.len() {
        return Err(Error::contract(format!(
            "{file}, line 1: there are values where the names of the columns are expected; put a line of names before them"
        )));
    }
    Ok(())
}

/// Calls `visit` with these columns of every row of a piece.
///
/// # Errors
/// Exit 3: a line that does not have the fields of the first; in a piece that begins within the file, such lines are passed over.
pub fn each(file: &InputPath, form: CsvForm, piece: &Piece, names: &[&str], visit: &mut Visit<'_>) -> Result<()> {
    let mut reader = reader(file, form)?;
    let mut record = StringRecord::new();
    if !reader.read_record(&mut record).map_err(|e| failed(file, &e))? {
        return Ok(());
    }
    let end = match piece {
        Piece::Bytes(range) if range.start > 0 => {
            let places = Places::new(&record, names);
            return within(&text::within(file, form.encoding, range)?, form, &places, visit);
        }
        Piece::Bytes(range) => range.end,
        _ => u64::MAX,
    };
    let places = Places::new(&record, names);
    while reader.read_record(&mut record).map_err(|e| failed(file, &e))? {
        let position = record.position();
        if record.len() != places.fields {
            let line = position.map_or(0, csv::Position::line);
            return Err(Error::contract(format!(
                "{}, line {line}: {} field{}, where the first line has {}; put fields with separators into double quotes, or correct the line",
                file.shown(),
                record.len(),
                if record.len() == 1 { "" } else { "s" },
                places.fields
            )));
        }
        let is_behind = position.is_some_and(|position| position.byte() >= end);
        if is_behind || visit(&places.values(&record))? == More::NextPart {
            return Ok(());
        }
    }
    Ok(())
}

/// Where the wanted columns stand in the lines of a file.
struct Places {
    columns: Vec<Option<usize>>,
    fields: usize,
}

impl Places {
    fn new(header: &StringRecord, names: &[&str]) -> Places {
        let position = |name: &&str| header.iter().position(|own| own.trim_start_matches('\u{feff}') == *name);
        Places { columns: names.iter().map(position).collect(), fields: header.len() }
    }

    fn values<'a>(&self, record: &'a StringRecord) -> Vec<Option<&'a str>> {
        let value = |at: &Option<usize>| at.and_then(|at| record.get(at)).filter(|value| !value.is_empty());
        self.columns.iter().map(value).collect()
    }
}

/// Calls `visit` with the rows of a text that begins and ends anywhere.
///
/// The first line is a part of one, and a line may be one of several of a field in quotes. So reading goes on behind the next line
/// break where a row does not have the fields of the header, and the first row behind such a break is left out.
fn within(text: &str, form: CsvForm, places: &Places, visit: &mut Visit<'_>) -> Result<()> {
    let mut rest = text;
    let mut record = StringRecord::new();
    while let Some((_, lines)) = rest.split_once('\n') {
        rest = lines;
        let mut reader = records(rest.as_bytes(), form);
        let mut is_first = true;
        loop {
            let begin = reader.position().byte();
            let is_there = reader.read_record(&mut record).is_ok_and(|is_there| is_there);
            let is_cut = reader.position().byte() >= rest.len() as u64 && !rest.ends_with('\n');
            if !is_there || (is_cut && record.len() == places.fields) {
                return Ok(());
            }
            if record.len() != places.fields {
                rest = rest.get(begin as usize..).unwrap_or_default().trim_start_matches(['\r', '\n']);
                break;
            }
            if !is_first && visit(&places.values(&record))? == More::NextPart {
                return Ok(());
            }
            is_first = false;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rfmill_query_request::Encoding;

    use super::*;

    /// The rows that are found in a text.
    fn rows(text: &str) -> Vec<String> {
        let form = CsvForm { separator: b',', encoding: Encoding::Utf8 };
        let places = Places::new(&StringRecord::from(vec!["id", "note", "money"]), &["money", "id"]);
        let mut rows = Vec::new();
        within(text, form, &places, &mut |values| {
            rows.push(values.iter().map(|value| value.unwrap_or("-")).collect::<Vec<_>>().join("/"));
            Ok(More::Wanted)
        })
        .expect("rows");
        rows
    }

    #[test]
    fn rows_of_a_piece_are_whole() {
        assert_eq!(rows("te,1\n7,a,1\n8,b,2\n9,,3\n10,d"), ["2/8", "3/9"]);
        assert_eq!(rows("te,1\n7,a,1\n8,b,2\n9,c,3"), ["2/8"]);
        assert_eq!(rows("no break"), [""; 0]);
    }

    #[test]
    fn lines_within_quotes_are_no_rows() {
        let row = |row: usize| format!("{row},\"one, two\nthree {row}, \"\"four\"\"\n\",{row}.5\n");
        let begins: Vec<usize> = (0..200).map(|rows| (0..rows).map(|at| row(at).len()).sum()).collect();
        let whole: String = (0..200).map(row).collect();
        for begin in (0..whole.len()).step_by(7) {
            let found = rows(&whole[begin..]);
            let last = (0..200).rev().zip(found.iter().rev());
            assert!(last.clone().all(|(row, found)| *found == format!("{row}.5/{row}")), "from byte {begin}: {found:?}");
            let there = begins.iter().filter(|own| **own >= begin).count();
            assert!(found.len() + 2 >= there, "from byte {begin}: {} of {there}", found.len());
        }
    }

    #[test]
    fn a_broken_line_costs_few_rows() {
        let whole: String = (0..100).map(|row| format!("{row},a,{row}.5\n")).collect();
        let broken = whole.replace("50,a,50.5", "50,a,\"b\",c,50.5");
        let found = rows(&broken);
        assert!(found.len() >= 95 && found.contains(&"99.5/99".to_owned()), "{found:?}");
        assert!(!found.iter().any(|row| row.contains("50.5")), "{found:?}");
    }
}
