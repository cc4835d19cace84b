//! Who was assigned, read once before the orders and laid out by the parts that will meet the customers again.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::assign::{Assignments, AssignmentsByPeriod, Rejected, RowSet, by_period};
use crate::domain::{Day, Period};
use crate::error::Result;
use crate::input::assignments::{self, AssignmentFile, Request};
use crate::input::hashes::HashList;
use crate::input::orders::columns::OrderColumns;
use crate::job::{Job, Strategy};
use crate::publish::{AssignmentFileEntry, AssignmentsEntry};

/// The assignments of a strategy.
pub struct StrategyAssignments {
    /// Names of the arms.
    pub arms: Vec<String>,
    /// Names of the strata; none if the table has no strata.
    pub strata: Option<Vec<String>>,
    /// Whether the table has costs.
    pub has_cost: bool,
    /// Whether it has contacts.
    pub has_contacts: bool,
    /// By part.
    pub parts: Vec<PartAssignments>,
    /// By period.
    pub periods: Vec<PeriodCounts>,
    /// RowCounts of the table by what became of them.
    pub rows: RowCounts,
}

/// A part's assignments of a strategy.
pub struct PartAssignments {
    /// Its rows.
    pub table: Assignments,
    /// Which of them count, by period.
    pub periods: AssignmentsByPeriod,
}

/// What is known of a period's assignments before an order is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeriodCounts {
    /// First and last day on which a customer was assigned.
    pub span: Option<(Day, Day)>,
    /// Customers who are in one arm.
    pub customers: u64,
    /// Customers who are in several arms, by arm.
    pub in_several_arms: Vec<u64>,
    /// How many customers these are.
    pub excluded: u64,
}

/// RowCounts of an assignment table by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// All that were read.
    pub read: u64,
    /// Those of other strategies.
    pub other_strategies: u64,
    /// Those that cannot be assignments.
    pub rejected: Rejected,
    /// Those whose day lies in no period.
    pub outside: u64,
    /// Further ones of a customer in the same arm and period.
    pub repeated: u64,
    /// Those of customers who are in several arms of a period.
    pub in_several_arms: u64,
    /// Those that count.
    pub counted: u64,
    /// Those whose cost is null though the table has costs.
    pub null_costs: u64,
}

/// The files of every strategy.
///
/// # Errors
/// Exit 4: no such file, or one that cannot be read.
pub fn open(job: &Job) -> Result<Vec<Vec<AssignmentFile>>> {
    let open = |strategy: &Strategy| {
        let hashes = HashList::named(strategy.manifest.as_deref(), job.source.folder(), "strategy.manifest")?;
        assignments::open(&strategy.assignments, "strategy.assignments", hashes.as_ref())
    };
    job.strategies.iter().map(open).collect()
}

/// The files as the manifest shows them; what became of their rows is not known yet.
pub fn entries(job: &Job, files: &[Vec<AssignmentFile>]) -> Vec<AssignmentsEntry> {
    let entry = |file: &AssignmentFile| AssignmentFileEntry {
        file: file.input.name.clone(),
        bytes: file.size,
        modified_ns: file.mtime_ns.to_string(),
        sha256: file.hash.clone(),
        file_sha256: file.verified.as_ref().map(|v| v.sha256.clone()),
    };
    let of_strategy = |(strategy, files): (&Strategy, &Vec<AssignmentFile>)| AssignmentsEntry {
        strategy: strategy.name.clone(),
        files: files.iter().map(entry).collect(),
        rows: BTreeMap::new(),
    };
    job.strategies.iter().zip(files).map(of_strategy).collect()
}

/// Checks that the files of every strategy are there, with the columns that are read.
///
/// # Errors
/// Those of [`open`] and [`assignments::check`].
pub fn check(job: &Job, columns: &OrderColumns) -> Result<()> {
    let mut strategies = job.strategies.iter().zip(open(job)?);
    strategies.try_for_each(|(strategy, files)| assignments::check(&files, &Request::of(strategy, columns, job.scale(), 1)))
}

/// Reads the assignments of all strategies; `parts` is a power of two.
///
/// # Errors
/// Those of [`assignments::read`].
pub fn read(job: &Job, files: &[Vec<AssignmentFile>], columns: &OrderColumns, parts: usize) -> Result<Vec<StrategyAssignments>> {
    let strategies = job.strategies.iter().zip(files);
    strategies
        .map(|(strategy, files)| {
            let tables = assignments::read(files, &Request::of(strategy, columns, job.scale(), parts))?;
            Ok(StrategyAssignments::new(tables, &strategy.periods))
        })
        .collect()
}

impl RowCounts {
    /// All outcomes that rows had, with their names.
    pub fn outcomes(&self) -> Vec<(String, u64)> {
        let named = [
            ("read", self.read),
            ("other_strategies", self.other_strategies),
            ("outside_periods", self.outside),
            ("repeated", self.repeated),
            ("in_several_arms", self.in_several_arms),
            ("counted", self.counted),
        ];
        let rejected = self.rejected.reasons().into_iter().filter(|(_, rows)| *rows > 0);
        let rejected = rejected.map(|(reason, rows)| (format!("rejected:{reason}"), rows));
        named.into_iter().map(|(name, rows)| (name.to_owned(), rows)).chain(rejected).collect()
    }
}

impl StrategyAssignments {
    fn new(tables: Vec<Assignments>, periods: &[Period]) -> StrategyAssignments {
        let mut rows = RowCounts::default();
        for table in &tables {
            rows.read += table.rows_read;
            rows.other_strategies += table.other_strategies;
            rows.null_costs += table.null_costs;
            rows.rejected.add(&table.rejected);
        }
        let first = tables.first();
        let arms = first.map(|table| table.arms.clone()).unwrap_or_default();
        let strata = first.filter(|table| table.stratum.is_some()).map(|table| table.strata.to_vec());
        let has_cost = first.is_some_and(|table| table.cost.is_some());
        let has_contacts = first.is_some_and(|table| table.contacts.is_some());
        let part = |table: Assignments| {
            let periods = by_period(&table, periods);
            let spans: Vec<_> = periods.periods.iter().map(|own| span(&table, &own.rows)).collect();
            (PartAssignments { periods, table }, spans)
        };
        let (parts, spans): (Vec<PartAssignments>, Vec<_>) = tables.into_par_iter().map(part).unzip();
        let mut facts = vec![PeriodCounts { in_several_arms: vec![0; arms.len()], ..PeriodCounts::default() }; periods.len()];
        for (part, spans) in parts.iter().zip(spans) {
            rows.outside += part.periods.outside.len() as u64;
            for ((facts, own), span) in facts.iter_mut().zip(&part.periods.periods).zip(spans) {
                rows.repeated += own.repeated;
                rows.in_several_arms += own.in_several_arms.len() as u64;
                rows.counted += own.rows.len() as u64;
                facts.customers += own.rows.len() as u64;
                facts.excluded += own.excluded_customers;
                for (all, own) in facts.in_several_arms.iter_mut().zip(&own.excluded_by_arm) {
                    *all += own;
                }
                facts.span = match (facts.span, span) {
                    (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
                    (one, other) => one.or(other),
                };
            }
        }
        StrategyAssignments { arms, strata, has_cost, has_contacts, parts, periods: facts, rows }
    }
}

/// The first and the last day on which one of these rows was assigned.
fn span(table: &Assignments, rows: &RowSet) -> Option<(Day, Day)> {
    let mut days = rows.iter().map(|row| table.day(row as usize));
    let first = days.next()?;
    Some(days.fold((first, first), |(first, last), day| (first.min(day), last.max(day))))
}
