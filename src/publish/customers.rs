//! Where the committed `customers` of an as-of date lie.

use std::fs;
use std::path::{Path, PathBuf};

use super::commits::commit_numbers;
use super::layout::MARKER;
use super::store;
use crate::domain::Day;
use crate::error::{Error, Kind, Result};
use crate::storage::Place;

/// The folder of the committed `customers` as of a date: of the run that `latest` names by default, with its last date; of any date
/// in view on request.
///
/// # Errors
/// Exit 2 if there is no such date, exit 4 if there is no such folder or the store cannot be read, exit 5 if nothing is committed
/// there.
pub fn customers(output: &Place, as_of: Option<Day>) -> Result<(Day, Place)> {
    let (mut dates, latest) = match output {
        Place::Local(root) => on_disk(root, as_of)?,
        Place::Object(_) => in_store(output)?,
    };
    let wanted = as_of.or(latest);
    let found = match wanted {
        Some(day) => dates.iter().find(|(date, _)| *date == day).cloned(),
        None => dates.pop(),
    };
    found.ok_or_else(|| match as_of {
        Some(day) => {
            let last: Vec<String> = dates.iter().rev().take(5).rev().map(|(date, _)| date.to_string()).collect();
            Error::usage(format!(
                "{output} has no customers as of {day} (last dates: {}); run the job with --as-of {day}, or name another date",
                if last.is_empty() { "none".into() } else { last.join(", ") }
            ))
        }
        None => Error::new(
            Kind::State,
            format!(
                "the run that `latest` names in {output} wrote no customers; run the job with \"customers\" in output.tables, or name an earlier date with --as-of"
            ),
        ),
    })
}

/// The newest as-of date of the committed `customers`; `None` if there is none.
pub fn newest_customers(output: &Place) -> Option<Day> {
    match output {
        Place::Local(root) => dates(&root.join("tables").join("customers")).last().map(|(day, _)| *day),
        Place::Object(_) => in_store(output).ok()?.0.last().map(|(day, _)| *day),
    }
}

/// Dates with the folders of their `customers`, ascending.
type Dates = Vec<(Day, Place)>;

/// The dates of the run of `latest`, or, if one is asked for, all; the last of them is that of `latest`.
fn on_disk(root: &Path, as_of: Option<Day>) -> Result<(Dates, Option<Day>)> {
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
    let link = if as_of.is_some() { "tables" } else { "latest" };
    // What a link leads to stays whole while a run commits.
    let folder = root.join(fs::read_link(root.join(link)).unwrap_or_else(|_| link.into())).join("customers");
    Ok((dates(&folder).into_iter().map(|(day, path)| (day, Place::Local(path))).collect(), None))
}

/// All dates, and that of the run of `latest`.
fn in_store(output: &Place) -> Result<(Dates, Option<Day>)> {
    let (dates, latest) = store::customers(output)?;
    let dates = dates.into_iter().filter_map(|(date, folder)| Some((Day::parse(&date)?, folder)));
    Ok((dates.collect(), latest.and_then(|date| Day::parse(&date))))
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
