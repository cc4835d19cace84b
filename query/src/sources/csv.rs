//! CSV files as they can be read: UTF-8, no blank lines. Others are written anew into the scratch folder.

use std::fs::File;
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rfmill_query_request::{CsvFormat, Encoding, Failure, FailureKind, SourceFile};

use super::check::{self, Form};
use super::parts::Parts;
use super::text;
use crate::failure::{Result, contract, input, io};

/// Bytes from which the names of columns are read.
const HEAD: u64 = 1 << 20;

/// A file that can be read.
#[derive(Debug)]
pub struct CsvFile {
    /// Its columns.
    pub columns: Vec<String>,
    /// Its parts.
    pub parts: Arc<Parts>,
    /// Where it is, perhaps written anew.
    path: PathBuf,
    /// Whether its parts are known to begin with records.
    is_settled: bool,
}

/// A file of which only the columns are known: it has no parts.
///
/// # Errors
/// Those of [`open`].
pub fn plan(file: &SourceFile, format: &CsvFormat) -> Result<CsvFile> {
    let columns = head(file, format)?.1;
    let parts = Parts::cut_at(&file.path, format.separator, columns.len(), vec![0]);
    let parts = parts.map_err(|e| io(&format!("read {}", file.name), &e))?;
    Ok(CsvFile { columns, parts: parts.into(), path: file.path.clone(), is_settled: true })
}

/// Finds the columns of a file and cuts it into parts; `scratch` gives the path of a file that holds it as UTF-8.
///
/// # Errors
/// Exit 3: columns without names, or of one name. Exit 4: a file that cannot be read, is no CSV, or is of another encoding.
pub fn open(file: &SourceFile, format: &CsvFormat, scratch: impl Fn(&str) -> PathBuf) -> Result<CsvFile> {
    let (encoding, columns) = head(file, format)?;
    let mut path = file.path.clone();
    if encoding != Encoding::Utf8 {
        path = scratch("utf8.csv");
        text::transcode(file, encoding, &path)?;
    }
    let parts = Parts::cut(&path, format.separator, columns.len());
    let parts = parts.map_err(|e| io(&format!("read {}", file.name), &e))?;
    Ok(CsvFile { columns, parts: parts.into(), path, is_settled: false })
}

impl CsvFile {
    /// Looks at what was not read of the file, on `threads` threads. Gives whether what was read is void, because the file was cut
    /// within quotes, or had to be written anew; it is to be read again then.
    ///
    /// # Errors
    /// Exit 3: a row with other fields than the first line names, a quote that is not closed or out of place. Exit 4: text that is not
    /// UTF-8, a file that cannot be read.
    pub fn settle(
        &mut self,
        file: &SourceFile,
        format: &CsvFormat,
        threads: usize,
        scratch: impl Fn(&str) -> PathBuf,
    ) -> Result<bool> {
        let failed = |e: std::io::Error| io(&format!("read {}", file.name), &e);
        if self.parts.read_rest(threads).map_err(failed)?.is_some() {
            return Ok(false);
        }
        if self.is_settled {
            let sentence = format!("{} is another one at each reading; run again when its writer has finished", file.name);
            return Err(Failure { kind: FailureKind::Input, sentence });
        }
        let starts = loop {
            match check::check(&file.name, &self.path, format.separator, self.columns.len())? {
                Form::Plain { starts } => break starts,
                Form::Readable => {
                    let plain = scratch("plain.csv");
                    rewrite(file, format, &self.path, &plain)?;
                    self.path = plain;
                }
            }
        };
        self.parts = Parts::cut_at(&self.path, format.separator, self.columns.len(), starts).map_err(failed)?.into();
        self.is_settled = true;
        Ok(true)
    }

    /// Its rows, if all can be read.
    pub fn rows(&self, format: &CsvFormat, threads: usize) -> Option<u64> {
        let records = self.parts.read_rest(threads).ok().flatten();
        records.map(|records| records.saturating_sub(u64::from(format.header)))
    }
}

/// The encoding of a file, and its columns.
fn head(file: &SourceFile, format: &CsvFormat) -> Result<(Encoding, Vec<String>)> {
    let mut head = Vec::new();
    let read = File::open(&file.path).and_then(|opened| opened.take(HEAD).read_to_end(&mut head));
    read.map_err(|e| io(&format!("read {}", file.name), &e))?;
    refuse_other_formats(file, &head)?;
    let encoding = text::encoding_of(&head, format.encoding);
    let head = text::decode_head(&head, encoding);
    if head.contains('\0') {
        return Err(check::byte_zero(&file.name, 1));
    }
    Ok((encoding, columns(file, format, head.as_bytes())?))
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

/// Writes a file anew without blank lines.
fn rewrite(file: &SourceFile, format: &CsvFormat, from: &Path, to: &Path) -> Result<()> {
    let failed = |e: csv::Error| match e.into_kind() {
        csv::ErrorKind::Io(e) => io(&format!("write {} anew into the scratch folder", file.name), &e),
        other => contract(format!("{} cannot be read as CSV: {other:?}", file.name)),
    };
    let mut builder = csv::ReaderBuilder::new();
    let mut reader = builder.has_headers(false).flexible(true).delimiter(format.separator).from_path(from).map_err(failed)?;
    let output = File::create(to).map_err(|e| io("make a scratch file", &e))?;
    let mut writer = csv::WriterBuilder::new().delimiter(format.separator).from_writer(BufWriter::new(output));
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(failed)? {
        writer.write_byte_record(&record).map_err(failed)?;
    }
    writer.flush().map_err(|e| io("write a scratch file", &e))
}
