//! Where the committed `customers` of an as-of date lie.

use std::fs;
use std::path::{Path, PathBuf};

use super::commits::commit_numbers;
use super::layout::MARKER;
use crate::domain::Day;
use crate::error::{Error, Kind, Result};

/// The folder of the committed `customers` as of a date: of the run that `latest` names by default, with its last date; of any date
/// in view on request.
///
/// # Errors
/// Exit 2 if there is no such date, exit 4 if there is no such folder, exit 5 if nothing is committed there.
pub fn customers(root: &Path, as_of: Option<Day>) -> Result<(Day, PathBuf)> {
    let state = |what: String| Error::new(Kind::State, what);
    if !root.is_dir() {
        return Err(Error::input(format!("there is no output folder {}; check the path", root.display())));
    }
    if !root.join(MARKER).exists() {
        return Err(state(format!("{} is not an output folder of rfmill; name the folder given as --output", root.display())));
    }
    if commit_numbers(root)?.is_empty() {
        return Err(state(format!("{} holds no committed run; run the job first", root.display())));
    }
    let (link, wanted) = match as_of {
        Some(day) => ("tables", Some(day)),
        None => ("latest", None),
    };
    // What a link leads to stays whole while a run commits.
    let folder = root.join(fs::read_link(root.join(link)).unwrap_or_else(|_| link.into())).join("customers");
    let mut dates = dates(&folder);
    let found = match wanted {
        Some(day) => dates.iter().find(|(date, _)| *date == day).cloned(),
        None => dates.pop(),
    };
    found.ok_or_else(|| match wanted {
        Some(day) => {
            let last: Vec<String> = dates.iter().rev().take(5).rev().map(|(date, _)| date.to_string()).collect();
            Error::usage(format!(
                "{} has no customers as of {day} (last dates: {}); run the job with --as-of {day}, or name another date",
                root.display(),
                if last.is_empty() { "none".into() } else { last.join(", ") }
            ))
        }
        None => state(format!(
            "the run that `latest` names in {} wrote no customers; run the job with \"customers\" in output.tables, or name an earlier date with --as-of",
            root.display()
        )),
    })
}

/// The newest as-of date of the committed `customers`; `None` if there is none.
pub fn newest_customers(root: &Path) -> Option<Day> {
    dates(&root.join("tables").join("customers")).last().map(|(day, _)| *day)
}

/// The as-of dates of a table folder, ascending.
fn dates(folder: &Path) -> Vec<(Day, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut dates: Vec<(Day, PathBuf)> = entries
        .filter_map(|entry| Some((Day::parse(entry.file_name().to_str()?.strip_prefix("as_of=")?)?, entry.path())))
        .collect();
    dates.sort_unstable();
    dates
}
