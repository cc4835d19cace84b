//! From arguments of the command line to a table: which files they mean, of which format, and how the job file will name them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::table::{Content, CsvForm, Header, Table, Written};
use super::{csv, ndjson, parquet};
use crate::error::{Error, Result};
use crate::input::input_path::InputPath;
use crate::input::open::{find_files, open_files};
use crate::input::source::Source;
use crate::input::{FILE_HEAD, conversion, lake_word, looks_like};
use crate::job::paths::{InputPaths, LakePath};
use crate::storage::{ObjectUrl, Place};

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Parquet,
    Csv,
    Ndjson,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Parquet => "Parquet",
            Kind::Csv => "CSV",
            Kind::Ndjson => "NDJSON",
        }
    }

    fn of_ending(name: &str) -> Option<Kind> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "parquet" => Some(Kind::Parquet),
            "csv" | "tsv" | "txt" => Some(Kind::Csv),
            "ndjson" | "jsonl" => Some(Kind::Ndjson),
            _ => None,
        }
    }
}

/// The table that arguments mean; a job file in `job_folder` will name it.
///
/// # Errors
/// Exit 3: files that are no table, or unlike. Exit 4: no such file, or one of a format that is not read.
pub fn find(arguments: &[PathBuf], job_folder: &Path) -> Result<Table> {
    let mut patterns = Vec::new();
    for argument in arguments {
        let text = argument
            .to_str()
            .ok_or_else(|| Error::usage(format!("the path {} is not UTF-8, and a job file is; rename it", argument.display())))?;
        let is_local = ObjectUrl::parse(text).is_none();
        if let Some(word) = lake_word(&Place::of_argument(argument)).map_err(|e| e.of(text))? {
            return lake(text, word, arguments, job_folder);
        }
        match is_local && argument.is_dir() {
            true => patterns.extend(within(argument, text)?),
            false => patterns.push(text.to_owned()),
        }
    }
    let paths = InputPaths::Patterns(patterns.iter().map(|text| (text.clone(), PathBuf::from(text))).collect());
    let files = find_files(&paths)?;
    let kinds: Vec<Kind> = files.iter().map(kind_of).collect::<Result<_>>()?;
    let kind = kinds.first().copied().ok_or_else(|| Error::bug("a table without a file"))?;
    if let Some((other, file)) = kinds.iter().zip(&files).find(|(other, _)| **other != kind) {
        let first = files.first().map_or_else(String::new, InputPath::shown);
        return Err(Error::contract(format!(
            "{} is {}, and {first} is {}; a job reads orders of one format: name the files of one",
            file.shown(),
            other.name(),
            kind.name()
        )));
    }
    if let Some(file) = files.iter().find(|file| kind != Kind::Parquet && file.place.local().is_none()) {
        return Err(Error::input(format!(
            "{} is {}, which goes through a query, and in object stores queries read Parquet alone; copy or mount the files",
            file.shown(),
            kind.name()
        )));
    }
    let written = Written::Files(patterns.iter().map(|text| relative(text, job_folder)).collect());
    match kind {
        Kind::Parquet => of_parquet(written, open_files(&paths)?),
        Kind::Csv => of_csv(written, files),
        Kind::Ndjson => of_ndjson(written, files),
    }
}

fn lake(text: &str, word: &'static str, arguments: &[PathBuf], job_folder: &Path) -> Result<Table> {
    if arguments.len() > 1 {
        return Err(Error::usage(format!("{text} is a table of its own, and a job reads one; name it alone")));
    }
    let path = LakePath { written: text.to_owned(), place: Place::of_argument(Path::new(text)), version: None };
    let paths = if word == "delta" { InputPaths::Delta(path) } else { InputPaths::Iceberg(path) };
    of_parquet(Written::Lake { word, path: relative(text, job_folder) }, open_files(&paths)?)
}

fn of_parquet(written: Written, sources: Vec<Source>) -> Result<Table> {
    let first = sources.first().ok_or_else(|| Error::bug("a table without a file"))?;
    let names = |source: &Source| source.metadata.schema().fields().iter().map(|field| field.name().clone()).collect();
    if first.input.table.is_none() {
        check_alike(sources.iter().map(|source| (source.name(), names(source))))?;
    }
    let columns = parquet::look(first);
    Ok(Table { written, columns, content: Content::Parquet(sources) })
}

fn of_csv(written: Written, files: Vec<InputPath>) -> Result<Table> {
    let looks: Vec<(CsvForm, Vec<Header>)> = files.iter().map(csv::look).collect::<Result<_>>()?;
    check_alike(files.iter().zip(&looks).map(|(file, (_, columns))| (file.shown(), names_of(columns))))?;
    let Some((form, _)) = looks.first() else { return Err(Error::bug("a table without a file")) };
    if let Some((file, _)) =
        files.iter().zip(&looks).find(|(_, (other, _))| other.separator != form.separator || other.encoding != form.encoding)
    {
        let first = files.first().map_or_else(String::new, InputPath::shown);
        return Err(Error::contract(format!(
            "{} is written in another way than {first} (separator or encoding); write all files in one, or name those that are alike",
            file.shown()
        )));
    }
    let form = *form;
    let columns = of_all(looks.into_iter().map(|(_, columns)| columns));
    Ok(Table { written, columns, content: Content::Csv { files, form } })
}

fn of_ndjson(written: Written, files: Vec<InputPath>) -> Result<Table> {
    let looks: Vec<Vec<Header>> = files.iter().map(ndjson::look).collect::<Result<_>>()?;
    check_alike(files.iter().zip(&looks).map(|(file, columns)| (file.shown(), names_of(columns))))?;
    let columns = looks.into_iter().next().unwrap_or_default();
    Ok(Table { written, columns, content: Content::Ndjson(files) })
}

fn names_of(columns: &[Header]) -> BTreeSet<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

/// The columns that all files have, in the order of the first.
fn of_all(mut files: impl Iterator<Item = Vec<Header>>) -> Vec<Header> {
    let mut columns = files.next().unwrap_or_default();
    for other in files {
        columns.retain(|column| other.iter().any(|own| own.name == column.name));
    }
    columns
}

/// Refuses files of which one shares less than half of its columns with the first.
fn check_alike(mut files: impl Iterator<Item = (String, BTreeSet<String>)>) -> Result<()> {
    let Some((first, columns)) = files.next() else { return Ok(()) };
    for (file, own) in files {
        let shared = own.intersection(&columns).count();
        if shared * 2 < own.union(&columns).count() {
            let some = |of: &BTreeSet<String>| of.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            return Err(Error::contract(format!(
                "{first} and {file} are unlike: the one has columns such as {}, the other {}; name the files that hold the orders",
                some(&columns),
                some(&own)
            )));
        }
    }
    Ok(())
}

/// The format of a file, by its first bytes and its ending.
fn kind_of(file: &InputPath) -> Result<Kind> {
    let name = file.shown();
    let opened = file.place.open().map_err(|e| e.of(&name))?;
    if opened.state.size == 0 {
        return Err(Error::input(format!("{name} is empty (0 bytes); write it again or leave it out")));
    }
    let mut head = vec![0; opened.state.size.min(FILE_HEAD as u64) as usize];
    opened.read_exact_at(&mut head, 0).map_err(|e| e.of(&name))?;
    if head.starts_with(b"PAR1") {
        return Ok(Kind::Parquet);
    }
    let is_text = matches!(head.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || !head.contains(&0);
    let begins = head.iter().copied().find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf));
    match (looks_like(&head), Kind::of_ending(&name)) {
        (_, Some(Kind::Ndjson)) if is_text && begins == Some(b'{') => Ok(Kind::Ndjson),
        ("JSON", _) if begins == Some(b'{') && has_object_a_line(&head) => Err(Error::input(format!(
            "{name} holds a JSON object a line, which a job reads from files that end in .ndjson; rename it"
        ))),
        (what, _) if is_text && what.starts_with("text") => Ok(Kind::Csv),
        (what, Some(Kind::Csv)) if is_text && !matches!(what, "HTML or XML" | "JSON") => Ok(Kind::Csv),
        (what, _) => {
            let convert = conversion(&head, file.place.local()).map_or(String::new(), |command| format!(" ({command})"));
            Err(Error::input(format!(
                "{name} begins like {what}; expected orders in Parquet, CSV or NDJSON, or the folder of a Delta or Iceberg table. Export or convert it{convert}"
            )))
        }
    }
}

fn has_object_a_line(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.len() < head.len() && serde_json::from_slice::<serde_json::Value>(line).is_ok_and(|value| value.is_object())
}

/// The patterns for what a folder holds.
fn within(folder: &Path, text: &str) -> Result<Vec<String>> {
    let base = text.trim_end_matches('/');
    let mut found: BTreeMap<Kind, BTreeSet<(String, usize)>> = BTreeMap::new();
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    let listed = Place::Local(folder.to_owned()).list().map_err(|e| e.of(text))?;
    for file in &listed {
        let is_hidden = file.key.split('/').any(|part| part.starts_with(['.', '_']));
        let Some(kind) = Kind::of_ending(&file.key).filter(|_| !is_hidden) else { continue };
        let ending = file.key.rsplit('.').next().unwrap_or_default().to_owned();
        found.entry(kind).or_default().insert((ending, file.key.matches('/').count()));
        *counts.entry(kind).or_default() += 1;
    }
    if counts.len() > 1 {
        let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
        return Err(Error::contract(format!(
            "the folder {text} holds files of several formats ({}); name those that hold the orders, such as {base}/*.csv",
            counts.join(", ")
        )));
    }
    match found.into_iter().next() {
        Some((Kind::Parquet, _)) => Ok(vec![base.to_owned()]),
        Some((_, endings)) => {
            Ok(endings.into_iter().map(|(ending, depth)| format!("{base}/{}*.{ending}", "*/".repeat(depth))).collect())
        }
        None => Err(Error::input(format!(
            "the folder {text} holds no file of orders; expected files that end in .parquet, .csv, .tsv, .txt, .ndjson or .jsonl, or the log of a Delta or Iceberg table"
        ))),
    }
}

/// A path of an argument as the job file has it: relative to its folder if it lies below, as it is if both begin where the program
/// runs, else in full.
fn relative(text: &str, job_folder: &Path) -> String {
    let path = Path::new(text);
    if ObjectUrl::parse(text).is_some() || (job_folder.as_os_str().is_empty() && path.is_relative()) {
        return text.to_owned();
    }
    let full = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = if job_folder.as_os_str().is_empty() { full(Path::new(".")) } else { full(job_folder) };
    let place = full(path);
    let below = place.strip_prefix(&folder).map(Path::to_path_buf).unwrap_or(place);
    match below.to_str() {
        Some("") | None => ".".to_owned(),
        Some(below) => below.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_job_file() {
        assert_eq!(relative("orders/*.csv", Path::new("")), "orders/*.csv");
        assert_eq!(relative("jobs/orders.csv", Path::new("jobs")), "orders.csv");
        assert_eq!(relative("/data/orders", Path::new("/data")), "orders");
        assert_eq!(relative("/data/orders", Path::new("/jobs")), "/data/orders");
        assert_eq!(relative("s3://shop/orders", Path::new("jobs")), "s3://shop/orders");
    }
}
