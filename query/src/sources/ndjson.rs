//! NDJSON files that the engine could not read: it does not say which line is to blame.

use std::fs::File;
use std::io::{BufRead, BufReader};

use rfmill_query_request::{Failure, Format, Source};
use serde::de::IgnoredAny;

use crate::failure::contract;

/// The first line of the sources' NDJSON files that is no JSON object, as a failure; none if all are.
pub fn first_fault(sources: &[Source]) -> Option<Failure> {
    let files = sources.iter().filter(|source| source.format == Format::Ndjson).flat_map(|source| &source.files);
    files.into_iter().find_map(|file| {
        let mut lines = BufReader::new(File::open(&file.path).ok()?);
        let (mut line, mut number) = (Vec::new(), 0);
        while lines.read_until(b'\n', &mut line).ok()? > 0 {
            number += 1;
            let text = line.trim_ascii();
            let what = match serde_json::from_slice::<IgnoredAny>(text) {
                _ if text.is_empty() => None,
                Ok(_) if text.starts_with(b"{") => None,
                Ok(_) => Some("it is another value".to_owned()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(what) = what {
                let name = &file.name;
                return Some(contract(format!(
                    "{name}, line {number}: expected a JSON object on a line of its own ({what}); write one per line, without a list around them"
                )));
            }
            line.clear();
        }
        None
    })
}
