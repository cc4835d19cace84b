//! Whether the names in `by` are columns of the assignments, and nothing else besides.

use crate::error::{Error, Result, suggestion};
use crate::input::assignments::{self, AssignmentFile, Request};
use crate::job::strategy::GroupBy;
use crate::job::{Job, Strategy};

/// Columns that the assignments may have beside a dimension, a scheme column or strata of another meaning.
const MOST_SHOWN: usize = 20;

/// Checks the names in `by` of a strategy against the columns of its files.
///
/// # Errors
/// Exit 2: a scheme column or a dimension is also a column of the assignments. Exit 3: no file has a column.
pub fn check_by(job: &Job, strategy: &Strategy, files: &[AssignmentFile], request: &Request) -> Result<()> {
    if strategy.by.is_empty() {
        return Ok(());
    }
    let columns = assignments::column_names(files, request)?;
    let dimensions = job.dimensions();
    let place = || {
        let number = job.strategies.iter().position(|s| s.name == strategy.name).unwrap_or_default();
        format!("{}: strategy {:?}", job.source.locate_key("strategy", number, "by"), strategy.name)
    };
    for by in &strategy.by {
        let (name, what) = match by {
            GroupBy::Scheme(column) => (column, "a scheme column"),
            GroupBy::Dimension(dimension) => (&dimensions[*dimension], "a dimension of the customers table"),
            GroupBy::Column(column) if columns.contains(column) => continue,
            GroupBy::Column(column) => return Err(Error::contract(format!("{}: {}", place(), unknown(job, column, &columns)))),
            GroupBy::Stratum => continue,
        };
        if columns.contains(name) {
            return Err(Error::usage(format!(
                "{}: by names {name:?}, which is {what} and a column of the assignments; give one of them another name",
                place()
            )));
        }
    }
    Ok(())
}

/// What is said of a name that nothing has.
fn unknown(job: &Job, name: &str, columns: &[String]) -> String {
    let schemes = || job.schemes.iter().map(|scheme| scheme.column.as_str());
    let dimensions = || job.dimensions().iter().map(String::as_str);
    let known = schemes().chain(dimensions()).chain(columns.iter().map(String::as_str));
    let list = |names: Vec<&str>| match names.len() {
        0 => "none".to_owned(),
        n if n > MOST_SHOWN => format!("{} …", names[..MOST_SHOWN].join(", ")),
        _ => names.join(", "),
    };
    format!(
        "by names {name:?}, which is no scheme column, no dimension of the customers table and no column of the assignments{} (scheme columns: {}; dimensions: {}; columns: {}); correct the name, or add the column",
        suggestion(name, known),
        list(schemes().collect()),
        list(dimensions().collect()),
        list(columns.iter().map(String::as_str).collect())
    )
}
