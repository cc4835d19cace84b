//! CSV files as the engine can read them: UTF-8, a row per line, no stray quotes. Others are written anew into the scratch folder.

use std::fs::File;
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};

use rfmill_query_request::{CsvFormat, Encoding, SourceFile};

use super::check::{self, Form};
use super::text;
use crate::failure::{Result, contract, input, io};

/// Bytes from which the names of columns are read.
const HEAD: u64 = 1 << 20;

/// A file that the engine can read.
#[derive(Debug)]
pub struct CsvFile {
    /// Where it is, perhaps written anew.
    pub path: PathBuf,
    /// Its columns.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: u64,
}

/// The columns of a file, without its rows.
///
/// # Errors
/// Those of [`open`], as far as the first line shows them.
pub fn plan(file: &SourceFile, format: &CsvFormat) -> Result<CsvFile> {
    let mut head = Vec::new();
    let read = File::open(&file.path).and_then(|opened| opened.take(HEAD).read_to_end(&mut head));
    read.map_err(|e| io(&format!("read {}", file.name), &e))?;
    refuse_other_formats(file, &head)?;
    let encoding = text::encoding_of(&head, format.encoding);
    let head = text::decode_head(&head, encoding);
    if head.contains('\0') {
        return Err(check::byte_zero(&file.name, 1));
    }
    let columns = columns(file, format, head.as_bytes())?;
    Ok(CsvFile { path: file.path.clone(), columns, rows: 0 })
}

/// Checks a file, and writes it anew if the engine could not read it; `scratch` gives the path for that.
///
/// # Errors
/// Exit 3: a row with other fields than the first line names, a quote that is not closed, columns of one name. Exit 4: a file that
/// cannot be read, is no CSV, or is of another encoding.
pub fn open(file: &SourceFile, format: &CsvFormat, scratch: impl Fn(&str) -> PathBuf) -> Result<CsvFile> {
    let planned = plan(file, format)?;
    let mut path = file.path.clone();
    let mut head = Vec::new();
    let read = File::open(&path).and_then(|opened| opened.take(4).read_to_end(&mut head));
    read.map_err(|e| io(&format!("read {}", file.name), &e))?;
    let encoding = text::encoding_of(&head, format.encoding);
    if encoding != Encoding::Utf8 {
        let decoded = scratch("utf8.csv");
        text::transcode(file, encoding, &decoded)?;
        path = decoded;
    }
    let records = match check::check(&file.name, &path, format.separator, planned.columns.len())? {
        Form::Plain { records } => records,
        Form::Readable => {
            let plain = scratch("plain.csv");
            let records = rewrite(file, format, &path, &plain)?;
            path = plain;
            records
        }
    };
    Ok(CsvFile { path, columns: planned.columns, rows: records.saturating_sub(u64::from(format.header)) })
}

fn refuse_other_formats(file: &SourceFile, head: &[u8]) -> Result<()> {
    let found = match head {
        [0x1f, 0x8b, ..] => "a gzip file",
        [b'P', b'K', 3, 4, ..] => "a zip file, as those of spreadsheets are",
        [b'P', b'A', b'R', b'1', ..] => "a Parquet file",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "a Zstandard file",
        _ => return Ok(()),
    };
    Err(input(format!(
        "{} is no CSV: it begins like {found}; unpack or export it as CSV, or give the source its format",
        file.name
    )))
}

/// The columns that the first line names; `column_1`, `column_2` … where it names none.
fn columns(file: &SourceFile, format: &CsvFormat, head: &[u8]) -> Result<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(format.separator).from_reader(head);
    let mut record = csv::StringRecord::new();
    let found = reader.read_record(&mut record).map_err(|e| {
        input(format!("{}, line 1: the names of the columns cannot be read ({e}); check the encoding of the source", file.name))
    })?;
    if !found {
        return Err(contract(format!("{} has no line; expected the names of its columns", file.name)));
    }
    if !format.header {
        return Ok((1..=record.len()).map(|number| format!("column_{number}")).collect());
    }
    let names: Vec<String> = record.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
    for (number, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(contract(format!(
                "{}, line 1: column {} has no name; name it, or set header = false",
                file.name,
                number + 1
            )));
        }
        if names[..number].contains(name) {
            return Err(contract(format!("{}, line 1: two columns are named {name:?}; rename one", file.name)));
        }
    }
    Ok(names)
}

/// Writes a file anew in the form that the engine reads, without blank lines; gives its records.
fn rewrite(file: &SourceFile, format: &CsvFormat, from: &Path, to: &Path) -> Result<u64> {
    let failed = |e: csv::Error| match e.into_kind() {
        csv::ErrorKind::Io(e) => io(&format!("write {} anew into the scratch folder", file.name), &e),
        other => contract(format!("{} cannot be read as CSV: {other:?}", file.name)),
    };
    let mut builder = csv::ReaderBuilder::new();
    let mut reader = builder.has_headers(false).flexible(true).delimiter(format.separator).from_path(from).map_err(failed)?;
    let output = File::create(to).map_err(|e| io("make a scratch file", &e))?;
    let mut writer = csv::WriterBuilder::new().delimiter(format.separator).from_writer(BufWriter::new(output));
    let (mut record, mut records) = (csv::ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record).map_err(failed)? {
        writer.write_byte_record(&record).map_err(failed)?;
        records += 1;
    }
    writer.flush().map_err(|e| io("write a scratch file", &e))?;
    Ok(records)
}
