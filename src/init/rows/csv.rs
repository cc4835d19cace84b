//! CSV files: how they are written, and their rows.

use csv::{Reader, ReaderBuilder, StringRecord};

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
    let text = text::open(file, form.encoding)?;
    Ok(ReaderBuilder::new().has_headers(false).flexible(true).delimiter(form.separator).from_reader(text))
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
    let headers = names.into_iter().map(|name| Header { name, stored: Stored::Text }).collect();
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
    let forms = DateForm::all();
    let is_value = |name: &&String| name.parse::<f64>().is_ok() || forms.iter().any(|form| form.read(name).is_some());
    if names.iter().filter(is_value).count() * 3 >= names.len() {
        return Err(Error::contract(format!(
            "{file}, line 1: there are values where the names of the columns are expected; put a line of names before them"
        )));
    }
    Ok(())
}

/// Calls `visit` with these columns of every row.
pub fn each(file: &InputPath, form: CsvForm, names: &[&str], visit: &mut Visit<'_>) -> Result<()> {
    let mut reader = reader(file, form)?;
    let mut record = StringRecord::new();
    if !reader.read_record(&mut record).map_err(|e| failed(file, &e))? {
        return Ok(());
    }
    let header: Vec<String> = record.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
    let places: Vec<Option<usize>> = names.iter().map(|name| header.iter().position(|own| own == name)).collect();
    while reader.read_record(&mut record).map_err(|e| failed(file, &e))? {
        if record.len() != header.len() {
            let line = record.position().map_or(0, csv::Position::line);
            return Err(Error::contract(format!(
                "{}, line {line}: {} field{}, where the first line has {}; put fields with separators into double quotes, or correct the line",
                file.shown(),
                record.len(),
                if record.len() == 1 { "" } else { "s" },
                header.len()
            )));
        }
        let values: Vec<Option<&str>> =
            places.iter().map(|place| place.and_then(|place| record.get(place)).filter(|value| !value.is_empty())).collect();
        if visit(&values)? == More::NextFile {
            return Ok(());
        }
    }
    Ok(())
}
