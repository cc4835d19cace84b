//! Seeded sample orders of any size, as a shop might have them.
//!
//! The model: customers arrive over the sample's dates, faster as the shop grows. Each buys once on
//! arrival and then repeatedly at a rate of one's own (Gamma–Poisson) until dropping out
//! (Pareto/NBD with customers who never come back). Demand follows week and year. Orders have one to
//! three lines of different categories, customer-specific discounts, and some come back; some are
//! made as a guest.
//!
//! The same spec gives the same bytes on any number of threads: all randomness is found from the
//! seed and counters. (Another platform's logarithm may differ in its last digit, and then now and
//! then a cent does.) Files hold ranges of dates and are generated independently of one another, in
//! chunks, so memory grows with the number of threads and hardly with that of orders.

mod assignments;
mod basket;
mod buyer;
mod calendar;
mod category;
mod chunk;
mod columns;
mod error;
mod file;
mod plan;
mod purchases;
mod rng;
mod service;
mod spec;
mod status;
#[cfg(test)]
mod tests;
mod treatment;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use plan::Plan;
pub use spec::{SampleSpec, StrategySpec};

use crate::error::{Error, Result};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleSummary {
    /// The files, in the order of their dates.
    pub files: Vec<PathBuf>,
    /// Orders, purchases and returns together, bad rows not counted.
    pub orders: u64,
    /// Returns among the orders.
    pub returns: u64,
    /// Orders without a customer id.
    pub guest_orders: u64,
    /// Rows of all files, bad ones included.
    pub rows: u64,
    /// Customers with at least one purchase.
    pub customers: u64,
    /// Size of all files of orders.
    pub bytes: u64,
    /// Rows that break the data contract.
    pub bad_rows: u64,
    /// The assignments of the strategy.
    pub assignments: Option<PathBuf>,
    /// How many customers they assign.
    pub assigned: u64,
    /// The service tickets and answers to surveys.
    pub service: Option<PathBuf>,
    /// How many there are.
    pub events: u64,
}

/// Writes sample orders into `folder`, which is made if it is missing, on the threads of the current
/// rayon pool. `progress` is told the number of orders of each chunk that is done.
///
/// Files of an earlier sample with the same names are replaced; a folder with any other Parquet file
/// is refused. No file gets its name before all are written.
///
/// # Errors
/// Exit 2 for a spec that cannot be met or an occupied folder, exit 6 for output that cannot be written, exit 7 for a full
/// disk.
pub fn write(spec: &SampleSpec, folder: &Path, progress: &(dyn Fn(u64) + Sync)) -> Result<SampleSummary> {
    let plan = Plan::new(spec)?;
    prepare(folder, &plan)?;
    let assigned = plan.treatment.as_ref().map(|treatment| assignments::write(&plan, treatment, folder)).transpose()?;
    let service = spec.service.then(|| service::write(&plan, folder)).transpose()?;
    let files: Vec<(u64, &plan::FilePlan)> = (0..).zip(&plan.files).collect();
    let drafts: Vec<file::Draft> = files
        .into_par_iter()
        // One file at a time and thread: later files are larger.
        .with_max_len(1)
        .map(|file| file::write(&plan, file, folder, progress))
        .collect::<Result<_>>()?;

    let mut summary = SampleSummary {
        files: Vec::with_capacity(drafts.len()),
        orders: plan.orders,
        returns: plan.files.iter().map(|file| file.returns).sum(),
        guest_orders: drafts.iter().map(|draft| draft.guest_orders).sum(),
        rows: drafts.iter().map(|draft| draft.rows).sum(),
        customers: plan.customers,
        bytes: 0,
        bad_rows: spec.bad_rows,
        assignments: None,
        assigned: 0,
        service: None,
        events: 0,
    };
    for draft in drafts {
        let (path, bytes) = draft.publish()?;
        summary.files.push(path);
        summary.bytes += bytes;
    }
    if let Some((draft, customers)) = assigned {
        let (path, _) = draft.publish()?;
        (summary.assignments, summary.assigned) = (Some(path), customers);
    }
    if let Some(draft) = service {
        summary.events = draft.rows;
        summary.service = Some(draft.publish()?.0);
    }
    Ok(summary)
}

/// Makes the folder, and refuses one with Parquet files that would not be replaced.
fn prepare(folder: &Path, plan: &Plan) -> Result<()> {
    let failed = |e| error::folder(folder, e);
    fs::create_dir_all(folder).map_err(failed)?;
    check(folder, &plan.files.iter().map(|file| file::name(file).into()).collect())?;
    let assignments = folder.join(assignments::FOLDER);
    if assignments.is_dir() {
        check(&assignments, &plan.treatment.iter().map(|treatment| assignments::name(treatment).into()).collect())?;
    }
    let service = folder.join(service::FOLDER);
    if service.is_dir() { check(&service, &HashSet::from([service::NAME.into()])) } else { Ok(()) }
}

/// Refuses a folder with Parquet files other than these.
fn check(folder: &Path, ours: &HashSet<OsString>) -> Result<()> {
    let failed = |e| error::folder(folder, e);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let is_parquet = path.extension().is_some_and(|end| end == "parquet");
        if is_parquet && !(ours.contains(&entry.file_name()) && file::is_sample(&path)) {
            return Err(Error::usage(format!(
                "The folder {} already holds {}, which is not a file of the sample to be written, so the two would be read as one; choose another folder or move that file away.",
                folder.display(),
                path.display()
            )));
        }
    }
    Ok(())
}
