//! Names that must not meet: those of measures, scheme columns, dimensions and what every job has.

use crate::domain::{EventMeasure, FORMER_NAME, MeasureKind};
use crate::error::{Error, Result};
use crate::input::customers::CustomersTable;
use crate::job::{Job, SchemeUse};
use crate::score::Axis;

/// Names that columns of `customers`, measures and conditions have in every job.
fn own_names() -> Vec<String> {
    let mut names: Vec<String> =
        ["as_of", "customer_id", "slice", "history_complete", "action", FORMER_NAME].map(String::from).to_vec();
    names.extend(MeasureKind::ALL.iter().map(|k| k.name().to_owned()));
    names.extend(Axis::ALL.iter().flat_map(|a| [a.score_name().to_owned(), a.level_name().to_owned()]));
    names
}

/// The measures of kinds of events that a job names.
fn names_of_kinds(job: &Job) -> impl Iterator<Item = String> {
    let measures = job.event_kinds.named().flat_map(|(kind, scale)| EventMeasure::of(kind, scale));
    measures.map(|measure| measure.name().to_owned())
}

/// The columns of `customers` that a scheme makes.
fn columns_of(used: &SchemeUse) -> [String; 3] {
    [used.column.clone(), format!("{}_previous", used.column), format!("{}_since", used.column)]
}

/// Columns of the customers table must not take a name that means something else.
///
/// # Errors
/// Exit 2, with the file or the place in the job.
pub fn of_table(job: &Job, customers: &CustomersTable) -> Result<()> {
    let Some(table) = &job.raw.customers else { return Ok(()) };
    let mut taken: Vec<(String, &str)> = own_names().into_iter().map(|name| (name, "every job has itself")).collect();
    taken.extend(["cells", "f_plus_m"].map(|name| (name.to_owned(), "conditions have")));
    taken.extend(names_of_kinds(job).map(|name| (name, "a kind of events has")));
    for used in &job.schemes {
        taken.extend(columns_of(used).map(|name| (name, "a scheme column has")));
    }
    let clash = |name: &str, taken: &[(String, &'static str)]| {
        taken.iter().find(|(t, _)| t.eq_ignore_ascii_case(name)).map(|(_, whose)| *whose)
    };
    for given in &customers.given {
        if let Some(whose) = clash(given.name(), &taken) {
            let file = customers.sources.first().map_or_else(String::new, |s| s.name());
            return Err(Error::usage(format!(
                "{file}: the column {:?} would be a measure of the customers table, but {whose} one of that name; rename it where the file is written, or leave it out of the file",
                given.name()
            )));
        }
    }
    taken.extend(customers.given.iter().map(|g| (g.name().to_owned(), "the customers table has")));
    for name in &table.dimensions {
        let place = job.source.locate("customers.dimensions", name);
        if *name == table.customer_id {
            return Err(Error::usage(format!(
                "{place}: customers.dimensions names {name:?}, the id of the customer; name columns with few values"
            )));
        }
        if let Some(whose) = clash(name, &taken) {
            return Err(Error::usage(format!(
                "{place}: customers.dimensions names {name:?}, but {whose} something of that name; rename the column where the file is written"
            )));
        }
        taken.push((name.clone(), "customers.dimensions already has"));
    }
    Ok(())
}

/// Scheme columns must not take the name of another column of `customers`.
///
/// # Errors
/// Exit 2, with the place in the job.
pub fn of_schemes(job: &Job) -> Result<()> {
    let mut taken: Vec<String> = own_names().into_iter().chain(names_of_kinds(job)).collect();
    for used in &job.schemes {
        let names = columns_of(used);
        if let Some(name) = names.iter().find(|name| taken.iter().any(|t| t.eq_ignore_ascii_case(name))) {
            return Err(Error::usage(format!(
                "{}: the scheme column {:?} would make a second column {name:?} in customers; give it another name",
                job.source.locate("schemes", &used.column),
                used.column
            )));
        }
        taken.extend(names);
    }
    Ok(())
}
