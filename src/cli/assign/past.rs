//! What customers who were in the same states before spent in the windows after that: the orders are read again, by the job's own
//! rules, as of dates that lie an outcome apart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::args::AssignArgs;
use super::flags::Flags;
use super::population::{self, Population, PopulationRequest};
use super::{selection, strata};
use crate::domain::{CustomerIdRef, Day, Lookback, Period};
use crate::error::{Error, Kind, Result};
use crate::job::raw::{Population as Listed, RawChecks, RawDate, RawJob, RawOutput, RawPeriods, TableName};
use crate::job::{Overrides, parse, resolve};
use crate::progress::Silent;
use crate::stats::Grid;
use crate::storage::Place;
use crate::{pipeline, publish};

/// Past windows that are looked at, at most.
const WINDOWS: usize = 4;

/// The measure whose difference between two dates is what a customer spent in between.
const MONEY: &str = "lifetime_monetary";

/// What customers spent in past windows.
#[derive(Debug, Default)]
pub(super) struct PastSpend {
    /// By stratum at the start of a window, over all windows.
    pub by_stratum: BTreeMap<String, Grid>,
    /// The windows in which anybody was in the states, the latest first.
    pub windows: Vec<Period>,
    /// Digits behind the point of the money.
    pub scale: u32,
    /// Customers in the states at the as-of date itself.
    pub candidates: usize,
}

impl PastSpend {
    /// Over all strata.
    pub fn all(&self) -> Grid {
        let mut all = Grid::default();
        self.by_stratum.values().for_each(|spend| all.merge(spend));
        all
    }
}

/// Reads it by the job file `path`, for strata of the columns at `places`.
///
/// # Errors
/// Exit 2 if the job is not that of the output folder; every error of a run.
pub(super) fn read(path: &Path, args: &AssignArgs, flags: &Flags, as_of: Day, places: &[usize]) -> Result<PastSpend> {
    let outcome = length(&args.outcome)?;
    let (mut raw, source) = parse::load(path, &[])?;
    let owner = publish::latest_run(&Place::of_argument(&args.folder))?.manifest.job_name;
    if raw.name != owner {
        return Err(Error::usage(format!(
            "--job {} is the job {:?}, but {} was written by the job {owner:?}; name its job file",
            path.display(),
            raw.name,
            args.folder.display()
        )));
    }
    let dates = dates(outcome, as_of);
    let leaves = raw.population == Listed::Lookback;
    reduce(&mut raw, flags, &dates);
    let scratch = Scratch::create()?;
    let job = resolve(raw, source, &Overrides { output: Some(scratch.0.clone()), ..Overrides::default() })?;
    if leaves && job.score.lookback.start(as_of) > outcome.start(as_of) {
        return Err(Error::usage(format!(
            "--outcome {:?} is longer than the lookback of {}, whose population is \"lookback\", so customers leave it within an outcome; choose a shorter --outcome",
            args.outcome,
            path.display()
        )));
    }
    pipeline::run(&job, &Silent)?;
    let output = &job.output;
    let columns: Vec<(&str, &'static str)> = flags.columns.iter().map(|(column, flag)| (column.as_str(), *flag)).collect();
    let wanted = PopulationRequest { columns: &columns, slice: args.slice.as_deref(), money: Some(MONEY) };
    let at = |date: Day| match publish::customers(output, Some(date)).and_then(|(_, folder)| population::read(&folder, &wanted)) {
        // Before the data begin there are no customers, and no slices.
        Err(e) if e.kind() == Kind::Usage && date < as_of => Ok(None),
        read => read.map(Some),
    };
    let mut past = PastSpend { scale: job.scale(), ..PastSpend::default() };
    let mut later: Option<(Day, Population)> = None;
    for date in dates {
        let Some(customers) = at(date)? else { break };
        let rows = selection::rows_in(flags, &customers);
        match &later {
            None => past.candidates = rows.len(),
            Some(_) if rows.is_empty() => {}
            Some((end, then)) => {
                let strata = strata::strata(flags, places, &customers, &rows)?;
                for (spent, code) in spent(&customers, &rows, then).into_iter().zip(&strata.codes) {
                    if let Some(name) = strata.names.get(*code as usize) {
                        past.by_stratum.entry(name.clone()).or_default().push(spent);
                    }
                }
                past.windows.extend(Period::inclusive(date.next(), *end));
            }
        }
        later = Some((date, customers));
    }
    Ok(past)
}

/// The length of `--outcome`.
fn length(text: &str) -> Result<Lookback> {
    match Lookback::parse(text) {
        Ok(Lookback::All) | Err(_) => Err(Error::usage(format!(
            "--outcome is {text:?}; expected days such as \"91d\", or calendar units such as \"1 quarter\" or \"2 months\""
        ))),
        length => length,
    }
}

/// The as-of date, and those before it that lie an outcome apart.
fn dates(outcome: Lookback, as_of: Day) -> Vec<Day> {
    let before = |date: &Day| outcome.start(*date).map(Day::previous).filter(|before| before < date);
    std::iter::successors(Some(as_of), before).take(WINDOWS + 1).collect()
}

/// Reduces the job to the states and the money of these dates, which descend.
fn reduce(raw: &mut RawJob, flags: &Flags, dates: &[Day]) {
    let as_of = dates.iter().rev().map(|date| RawDate::Text(date.to_string())).collect();
    raw.periods = RawPeriods { as_of: Some(as_of), ..RawPeriods::default() };
    let columns = flags.columns.iter().map(|(column, _)| column.clone()).chain([MONEY.to_owned()]).collect();
    let tables = Some(vec![TableName::Customers]);
    raw.output = RawOutput { columns: Some(columns), tables, report: Vec::new(), ..RawOutput::default() };
    raw.strategy.clear();
    if !raw.has_query() {
        // Only assignments were made of them.
        raw.source.clear();
    }
    raw.checks = RawChecks::default();
    raw.acquisition = None;
}

/// What the customers of these rows spent until `then`, in minor units; who is not listed then bought nothing.
fn spent(customers: &Population, rows: &[usize], then: &Population) -> Vec<i64> {
    let mut order: Vec<usize> = (0..then.ids.len()).collect();
    order.sort_unstable_by(|a, b| then.ids.compare(*a, *b));
    let money = |of: &Population, row: usize| of.money.get(row).copied().unwrap_or_default();
    let one = |row: &usize| {
        let id = CustomerIdRef::of(&customers.ids, *row);
        let found = order.binary_search_by(|at| CustomerIdRef::of(&then.ids, *at).cmp(&id)).ok();
        let found = found.and_then(|at| order.get(at));
        found.map_or(0, |at| money(then, *at).saturating_sub(money(customers, *row)))
    };
    rows.iter().map(one).collect()
}

/// A folder for the tables of the past, which goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn create() -> Result<Scratch> {
        let folder = std::env::temp_dir().join(format!("rfmill-assign-{}", std::process::id()));
        let cannot = |e: std::io::Error| {
            Error::output(format!("cannot make {}: {e}; remove it, or set TMPDIR", folder.display())).caused_by(e)
        };
        std::fs::create_dir(&folder).map_err(cannot)?;
        Ok(Scratch(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_lie_an_outcome_apart() {
        let day = |text| Day::parse(text).expect("a day");
        let as_text = |length: &str| -> Vec<String> {
            dates(super::length(length).expect("a length"), day("2024-12-31")).iter().map(Day::to_string).collect()
        };
        assert_eq!(as_text("1 quarter"), ["2024-12-31", "2024-09-30", "2024-06-30", "2024-03-31", "2023-12-31"]);
        assert_eq!(as_text("91d"), ["2024-12-31", "2024-10-01", "2024-07-02", "2024-04-02", "2024-01-02"]);
        assert!(length("all").is_err() && length("soon").is_err() && length("0d").is_err());
    }
}
