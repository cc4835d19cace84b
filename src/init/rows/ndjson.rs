//! NDJSON files: their columns, of which some are fields of structs, and their rows.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use rfmill_query_request::Encoding;
use serde_json::{Map, Value};

use super::parts::Piece;
use super::table::{Header, More, Stored, Visit};
use super::text;
use crate::error::{Error, Result};
use crate::input::input_path::InputPath;

/// Lines whose keys are looked at.
const LOOKED_AT: usize = 2_000;

/// Objects within objects that are looked into.
const DEPTH: usize = 3;

/// Calls `with` for each line of a file that is not blank, up to those that begin at byte `end`; it says whether to go on.
fn lines(file: &InputPath, end: u64, mut with: impl FnMut(Map<String, Value>) -> Result<More>) -> Result<()> {
    let mut reader = BufReader::new(text::open(file, Encoding::Utf8)?);
    let (mut line, mut number, mut begin) = (String::new(), 0u64, 0u64);
    loop {
        line.clear();
        let read = reader.read_line(&mut line).map_err(|e| text::unreadable(file, &e))?;
        if read == 0 || begin >= end {
            return Ok(());
        }
        number += 1;
        begin += read as u64;
        let object = object(&line).map_err(|what| no_object(&format!("{}, line {number}", file.shown()), &what))?;
        if let Some(object) = object
            && with(object)? == More::NextPart
        {
            return Ok(());
        }
    }
}

/// The object of a line; none if it is blank.
fn object(line: &str) -> std::result::Result<Option<Map<String, Value>>, String> {
    let text = line.trim().trim_start_matches('\u{feff}');
    if text.is_empty() {
        return Ok(None);
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(Some(object)),
        Ok(_) => Err("it is another value".into()),
        Err(e) => Err(e.to_string()),
    }
}

fn no_object(place: &str, what: &str) -> Error {
    Error::contract(format!(
        "{place}: expected a JSON object on a line of its own ({what}); write one per line, without a list around them"
    ))
}

/// The columns of a file.
///
/// # Errors
/// Exit 3: lines that are no objects. Exit 4: it cannot be read.
pub fn look(file: &InputPath) -> Result<Vec<Header>> {
    let mut found: BTreeMap<String, (Option<Stored>, bool)> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    let mut count = 0;
    lines(file, u64::MAX, |object| {
        fields(&object, "", DEPTH, &mut |path, is_field, value| {
            let stored = stored(value);
            let entry = found.entry(path.to_owned()).or_insert_with(|| {
                order.push(path.to_owned());
                (None, is_field)
            });
            entry.0 = match (entry.0.take(), stored) {
                (None, stored) => stored,
                (before, None) => before,
                (Some(before), Some(stored)) => Some(joined(before, stored)),
            };
        });
        count += 1;
        Ok(if count < LOOKED_AT { More::Wanted } else { More::NextPart })
    })?;
    if order.is_empty() {
        return Err(Error::contract(format!("{} has no line with fields; expected a JSON object per order", file.shown())));
    }
    let header = |name: String| {
        let (stored, is_field) = found.get(&name).cloned().unwrap_or_default();
        Header { name, stored: stored.unwrap_or(Stored::Other), is_field }
    };
    Ok(order.into_iter().map(header).collect())
}

fn joined(before: Stored, stored: Stored) -> Stored {
    match (before, stored) {
        (a, b) if a == b => a,
        (Stored::Integer | Stored::Float, Stored::Integer | Stored::Float) => Stored::Float,
        _ => Stored::Other,
    }
}

fn stored(value: &Value) -> Option<Stored> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(Stored::Boolean),
        Value::Number(number) if number.is_f64() => Some(Stored::Float),
        Value::Number(_) => Some(Stored::Integer),
        Value::String(_) => Some(Stored::Text),
        Value::Array(_) | Value::Object(_) => Some(Stored::Other),
    }
}

/// Shows the fields of an object, and those of objects within, and whether they are such.
fn fields(object: &Map<String, Value>, above: &str, depth: usize, show: &mut dyn FnMut(&str, bool, &Value)) {
    for (key, value) in object {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        match value {
            Value::Object(within) if depth > 0 => fields(within, &path, depth - 1, show),
            value => show(&path, !above.is_empty(), value),
        }
    }
}

/// Calls `visit` with these columns of every row of a piece.
pub fn each(file: &InputPath, piece: &Piece, names: &[&str], visit: &mut Visit<'_>) -> Result<()> {
    let mut with = |object: Map<String, Value>| {
        let texts: Vec<Option<String>> = names.iter().map(|name| value_at(&object, name).and_then(text_of)).collect();
        let values: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        visit(&values)
    };
    match piece {
        Piece::Bytes(range) if range.start > 0 => {
            let text = text::within(file, Encoding::Utf8, range)?;
            // The first line and the last are parts of lines.
            let whole = text.split_once('\n').and_then(|(_, lines)| lines.rsplit_once('\n')).map_or("", |(lines, _)| lines);
            for line in whole.split('\n') {
                let place = || format!("{}, behind byte {}", file.shown(), range.start);
                let Some(object) = object(line).map_err(|what| no_object(&place(), &what))? else { continue };
                if with(object)? == More::NextPart {
                    break;
                }
            }
            Ok(())
        }
        Piece::Bytes(range) => lines(file, range.end, with),
        _ => lines(file, u64::MAX, with),
    }
}

/// The value at a path; a key that has points itself is found first.
fn value_at<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(at, _)| {
        let within = object.get(path.get(..at)?)?.as_object()?;
        value_at(within, path.get(at + 1..)?)
    })
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
    }
}
