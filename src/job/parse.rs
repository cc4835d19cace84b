//! From text to [`RawJob`]: TOML, `--set`, and errors that name line, column and the nearest key.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::place;
use super::raw::RawJob;
use crate::error::{Error, Kind, Result, suggestion};

/// A text file with its path, to point into.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Where it was read from.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl Source {
    /// Reads the file.
    ///
    /// # Errors
    /// Exit 2 if there is no readable UTF-8 file; `what` says what it was to be.
    pub fn read(path: &Path, what: &str) -> Result<Source> {
        let bytes = std::fs::read(path)
            .map_err(|e| Error::usage(format!("cannot read the {what} {}: {e}; check the path", path.display())).caused_by(e))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::usage(format!("the {what} {} is not UTF-8 text; save it as UTF-8", path.display())))?;
        // A byte order mark is what some editors put first; TOML has none.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Ok(Source { path: path.to_owned(), text })
    }

    /// The folder that the file's relative paths start from.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// `job.toml, line 3, column 9` for the place of `value` at a dotted key such as `orders.path`; that of the key, or of its section,
    /// where the value is not there or empty; the path alone if nowhere.
    pub fn locate(&self, key: &str, value: &str) -> String {
        match place::span_of(&self.text, key, value) {
            Some(span) => self.place(&span),
            None => self.path.display().to_string(),
        }
    }

    /// Where the `number`-th (from 0) `[[section]]` says `key`: at the beginning of a line, or anywhere in it, or its head.
    pub fn locate_key(&self, section: &str, number: usize, key: &str) -> String {
        let head = format!("[[{section}]]");
        let Some((start, _)) = self.text.match_indices(&head).nth(number) else { return self.locate(key, "") };
        let body = self.text.get(start..).unwrap_or_default();
        // It ends with the next section that is not a part of it.
        let part = format!("{section}.");
        let mut sections = body.match_indices("\n[").map(|(at, _)| at);
        let end = sections.find(|at| !body.get(at + 1..).unwrap_or_default().trim_start_matches('[').starts_with(&part));
        let body = body.get(..end.unwrap_or(body.len())).unwrap_or_default();
        let begins_line = |at: usize| body.get(..at).and_then(|b| b.rsplit('\n').next()).is_some_and(|l| l.trim().is_empty());
        let line = body.match_indices(key).find(|(at, _)| begins_line(*at));
        let at = start + line.map(|(at, _)| at).or_else(|| body.find(key)).unwrap_or(0);
        self.place(&(at..at))
    }

    fn place(&self, span: &Range<usize>) -> String {
        let before = self.text.get(..span.start.min(self.text.len())).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        format!("{}, line {line}, column {column}", self.path.display())
    }

    /// Parses the file into a typed value.
    ///
    /// # Errors
    /// Exit 2 with line, column and, for a misspelt key, the nearest one.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        toml::from_str(&self.text).map_err(|error| {
            let place = match error.span() {
                Some(span) => self.place(&span),
                None => self.path.display().to_string(),
            };
            Error::new(Kind::Usage, format!("{place}: {}", explain(error.message())))
        })
    }
}

/// A serde message as a sentence, with the nearest key where one is unknown.
fn explain(message: &str) -> String {
    let message = message.trim().replace('\n', "; ");
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let quoted = |names: &[&str]| names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ");
    match names.split_first() {
        Some((unknown, keys)) if message.starts_with("unknown field") => {
            let later = ["spark", "manifest"];
            if later.contains(unknown) {
                return format!("the key {unknown:?} is known, but this version of rfmill does not act on it yet; remove it");
            }
            let near = suggestion(unknown, keys.iter().copied());
            format!("there is no key {unknown:?} here{near} (possible keys: {})", quoted(keys))
        }
        Some((unknown, values)) if message.starts_with("unknown variant") => {
            let near = suggestion(unknown, values.iter().copied());
            format!("{unknown:?} is not possible here{near} (possible values: {})", quoted(values))
        }
        Some((missing, [])) if message.starts_with("missing field") => format!("the key {missing:?} is missing; add it"),
        _ if message.starts_with("invalid ") => {
            match message.split_once(": ").and_then(|(_, rest)| rest.split_once(", expected ")) {
                Some((found, expected)) => {
                    format!("{} is not possible here; expected {}", found.replace('`', ""), in_words(expected))
                }
                None => message,
            }
        }
        _ => message,
    }
}

/// What serde calls a type, as people call it.
fn in_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        other => other,
    }
}

/// Reads a job file and applies `--set key=value` pairs to it.
///
/// # Errors
/// Exit 2: no such file, not TOML, unknown key, wrong type.
pub fn load(path: &Path, sets: &[String]) -> Result<(RawJob, Source)> {
    let source = Source::read(path, "job file")?;
    Ok((with_sets(&source, sets)?, source))
}

/// The job of a file to which `--set key=value` pairs are applied.
///
/// # Errors
/// Exit 2: not TOML, unknown key, wrong type.
pub fn with_sets(source: &Source, sets: &[String]) -> Result<RawJob> {
    if sets.is_empty() {
        return source.parse();
    }
    let mut table: toml::Table = source.parse()?;
    for set in sets {
        apply(&mut table, set)?;
    }
    match RawJob::deserialize(toml::Value::Table(table)) {
        Ok(job) => Ok(job),
        Err(error) => {
            // The file's own mistakes are shown with their place.
            source.parse::<RawJob>()?;
            Err(Error::usage(format!("--set {}: {}", sets.join(" --set "), explain(error.message()))))
        }
    }
}

fn apply(table: &mut toml::Table, set: &str) -> Result<()> {
    let (key, value) = set
        .split_once('=')
        .ok_or_else(|| Error::usage(format!("--set {set:?} has no \"=\"; expected key=value such as score.bins=4")))?;
    let value = format!("value = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut t| t.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let mut path: Vec<&str> = key.trim().split('.').collect();
    let last = path.pop().unwrap_or_default();
    let mut at = table;
    for part in path {
        let next = at.entry(part.to_owned()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        at =
            next.as_table_mut().ok_or_else(|| Error::usage(format!("--set {key}: {part:?} is not a section of the job file")))?;
    }
    at.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_located_and_corrected() {
        let source =
            Source { path: "job.toml".into(), text: "name = \"x\"\n[orders]\npath = \"a\"\ncustmer_id = \"b\"\n".into() };
        let error = source.parse::<RawJob>().err().map(|e| e.to_string()).unwrap_or_default();
        assert!(
            error.starts_with("job.toml, line 4, column 1: there is no key \"custmer_id\" here; did you mean \"customer_id\"?"),
            "{error}"
        );
    }

    #[test]
    fn keys_are_found_in_their_own_section() {
        let text = "control = 1\n[[strategy]]\nsplit = { control = 1 }\n control = 2\n[[strategy.periods]]\nfrom = 1\n[[strategy]]\nsplit = { control = 1 }\n[output]\nfrom = 1\n";
        let source = Source { path: "job.toml".into(), text: text.into() };
        assert_eq!(source.locate_key("strategy", 0, "control"), "job.toml, line 4, column 2");
        assert_eq!(source.locate_key("strategy", 0, "from"), "job.toml, line 6, column 1");
        assert_eq!(source.locate_key("strategy", 1, "control"), "job.toml, line 8, column 11");
        assert_eq!(source.locate_key("strategy", 1, "from"), "job.toml, line 7, column 1");
        assert_eq!(source.locate_key("strategy", 2, "control"), "job.toml, line 1, column 1");
    }

    #[test]
    fn set_takes_toml_values_or_strings() -> Result<()> {
        let mut table = toml::Table::new();
        apply(&mut table, "score.bins=4")?;
        apply(&mut table, "orders.path=data/*.parquet")?;
        apply(&mut table, "periods.as_of=[2024-01-31]")?;
        assert_eq!(table["score"]["bins"].as_integer(), Some(4));
        assert_eq!(table["orders"]["path"].as_str(), Some("data/*.parquet"));
        assert!(table["periods"]["as_of"].is_array());
        assert!(apply(&mut table, "novalue").is_err());
        Ok(())
    }
}
