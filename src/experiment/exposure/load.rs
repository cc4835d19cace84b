//! Loads the assignments of all strategies, divided into the parts that will have their customers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rayon::prelude::*;

use super::by_columns::check_by;
use super::clusters::{ClusterDraws, cluster_draws};
use super::day_count::DayCount;
use crate::assign::{Assignments, AssignmentsByPeriod, Recurrence, Rejected, RowSet, WholeColumn, by_period, recurrence};
use crate::domain::{Day, Design, Period};
use crate::error::{Error, Result};
use crate::evaluate::lie_whole;
use crate::input::assignments::{self, AssignmentFile, Request};
use crate::input::hashes::HashList;
use crate::input::orders::columns::OrderColumns;
use crate::job::{Job, Strategy};
use crate::publish::{AssignmentFileEntry, AssignmentsEntry, LakeTableEntry};
use crate::storage::Version;

/// The assignments of a strategy.
pub struct StrategyAssignments {
    /// Names of the arms.
    pub arms: Vec<String>,
    /// Names of the strata; none if the table has no strata.
    pub strata: Option<Vec<String>>,
    /// Names of the clusters; none if customers were drawn one by one.
    pub clusters: Option<Vec<String>>,
    /// The values of the columns of `by`.
    pub by: Vec<Arc<[String]>>,
    /// Further columns whose values lie in one arm of a period each.
    pub whole_columns: Vec<WholeColumn>,
    /// Whether the table has costs.
    pub has_cost: bool,
    /// Whether the table has contacts.
    pub has_contacts: bool,
    /// By part.
    pub parts: Vec<PartAssignments>,
    /// By period.
    pub periods: Vec<PeriodCounts>,
    /// Rows of the table.
    pub rows: RowCounts,
}

/// The assignments of a strategy in one part.
pub struct PartAssignments {
    /// Its rows.
    pub table: Assignments,
    /// Which of them count, by period.
    pub periods: AssignmentsByPeriod,
}

/// The assignments of a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeriodCounts {
    /// From the first to the last day on which a customer is assigned; none without customers.
    pub assigned: Option<Period>,
    /// Customers in several arms, by arm.
    pub in_several_arms: Vec<u64>,
    /// The same over all arms, each customer once.
    pub excluded: u64,
    /// Customers who count by stratum, day and arm, if a randomised strategy assigned them on several days.
    pub by_day: Vec<DayCount>,
    /// Where the clusters were drawn to.
    pub clusters: ClusterDraws,
    /// What its customers were in earlier periods, if an arm is the control.
    pub recurrence: Recurrence,
}

/// Rows of an assignment table by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// All rows.
    pub read: u64,
    /// Rows of other strategies.
    pub other_strategies: u64,
    /// Rows that cannot be assignments.
    pub rejected: Rejected,
    /// Rows whose day lies in no period.
    pub outside: u64,
    /// Further rows of a customer in the same arm and period.
    pub repeated: u64,
    /// Rows of customers who are in several arms of a period.
    pub in_several_arms: u64,
    /// Rows that count.
    pub counted: u64,
    /// Rows whose cost is null though the table has costs.
    pub null_costs: u64,
}

/// The files of every strategy.
///
/// # Errors
/// Exit 4: no such file, or one that cannot be read.
pub fn open(job: &Job) -> Result<Vec<Vec<AssignmentFile>>> {
    let open = |strategy: &Strategy| {
        let hashes = HashList::named(strategy.manifest.as_deref(), job.source.folder(), "strategy.manifest")?;
        let has_naive_int96 = job.raw.orders.naive_timezone.is_some();
        let key = if strategy.design == Design::Threshold { "strategy.treated" } else { "strategy.assignments" };
        assignments::open(&strategy.assignments, key, hashes.as_ref(), has_naive_int96)
    };
    job.assigned().map(open).collect()
}

/// The files as the manifest shows them; what became of their rows is not known yet.
pub fn entries(job: &Job, files: &[Vec<AssignmentFile>]) -> Vec<AssignmentsEntry> {
    let entry = |file: &AssignmentFile| AssignmentFileEntry {
        file: file.input.name.clone(),
        bytes: file.state.size,
        modified_ns: file.state.modified_ns.to_string(),
        changed_ns: file.version_that_tells().and_then(Version::changed_ns).map(|ns| ns.to_string()),
        inode: file.version_that_tells().and_then(Version::inode),
        tag: file.version_that_tells().and_then(Version::tag).map(str::to_owned),
        sha256: file.hash.clone(),
        file_sha256: file.verified.as_ref().map(|v| v.sha256.clone()),
        lake_table: LakeTableEntry::of(&file.input),
    };
    let of_strategy = |(strategy, files): (&Strategy, &Vec<AssignmentFile>)| AssignmentsEntry {
        strategy: strategy.name.clone(),
        // What a query made is identified by its sources.
        files: files.iter().filter(|file| !file.input.is_query_result).map(entry).collect(),
        rows: BTreeMap::new(),
    };
    job.assigned().zip(files).map(of_strategy).collect()
}

/// Checks that the files of every strategy are there, with the columns that are read.
///
/// # Errors
/// Those of [`open`], [`assignments::check`] and [`check_by`].
pub fn check(job: &Job, columns: &OrderColumns) -> Result<()> {
    let mut strategies = job.assigned().zip(open(job)?);
    strategies.try_for_each(|(strategy, files)| {
        let request = Request::of(strategy, columns, job.scale(), 1);
        assignments::check(&files, &request)?;
        check_by(job, strategy, &files, &request)
    })
}

/// Reads the assignments of all strategies; `parts` is a power of two.
///
/// # Errors
/// Those of [`assignments::read`] and [`check_by`].
pub fn read(job: &Job, files: &[Vec<AssignmentFile>], columns: &OrderColumns, parts: usize) -> Result<Vec<StrategyAssignments>> {
    let strategies = job.assigned().zip(files);
    strategies
        .map(|(strategy, files)| {
            let request = Request::of(strategy, columns, job.scale(), parts);
            check_by(job, strategy, files, &request)?;
            let tables = assignments::read(files, &request)?;
            let mut all = StrategyAssignments::new(tables, &strategy.periods);
            if strategy.design == Design::Randomised {
                all.count_days();
            }
            all.find_clusters(strategy)?;
            if strategy.control.is_some() {
                all.follow_customers(all.control(strategy));
            }
            Ok(all)
        })
        .collect()
}

impl RowCounts {
    /// All outcomes of rows, with their names.
    pub fn outcomes(&self) -> Vec<(String, u64)> {
        let mut outcomes = vec![
            ("read".to_owned(), self.read),
            ("other_strategies".to_owned(), self.other_strategies),
            ("outside_periods".to_owned(), self.outside),
            ("repeated".to_owned(), self.repeated),
            ("in_several_arms".to_owned(), self.in_several_arms),
            ("counted".to_owned(), self.counted),
        ];
        for (reason, rows) in self.rejected.reasons().into_iter().filter(|(_, rows)| *rows > 0) {
            outcomes.push((format!("rejected:{reason}"), rows));
        }
        outcomes
    }
}

impl StrategyAssignments {
    /// The assignments of all parts, which have at least one table.
    fn new(tables: Vec<Assignments>, periods: &[Period]) -> StrategyAssignments {
        let first = tables.first();
        let arms = first.map(|table| table.arms.clone()).unwrap_or_default();
        let strata = first.filter(|table| table.stratum.is_some()).map(|table| table.strata.to_vec());
        let clusters = first.filter(|table| table.cluster.is_some()).map(|table| table.clusters.to_vec());
        let by = first.map(|table| table.by.iter().map(|column| column.names.clone()).collect()).unwrap_or_default();
        let whole_columns = first.map(|table| table.whole_columns.clone()).unwrap_or_default();
        let has_cost = first.is_some_and(|table| table.cost.is_some());
        let has_contacts = first.is_some_and(|table| table.contacts.is_some());

        let part = |table: Assignments| {
            let periods = by_period(&table, periods);
            let assigned: Vec<_> = periods.periods.iter().map(|period| assigned_span(&table, &period.rows)).collect();
            (PartAssignments { table, periods }, assigned)
        };
        let (parts, assigned): (Vec<PartAssignments>, Vec<_>) = tables.into_par_iter().map(part).unzip();

        let mut rows = RowCounts::default();
        let mut counts = vec![PeriodCounts { in_several_arms: vec![0; arms.len()], ..PeriodCounts::default() }; periods.len()];
        for (part, assigned) in parts.iter().zip(assigned) {
            rows.read += part.table.rows_read;
            rows.other_strategies += part.table.other_strategies;
            rows.null_costs += part.table.null_costs;
            rows.rejected.add(&part.table.rejected);
            rows.outside += part.periods.outside.len() as u64;
            for ((counts, period), assigned) in counts.iter_mut().zip(&part.periods.periods).zip(assigned) {
                rows.repeated += period.repeated;
                rows.in_several_arms += period.in_several_arms.len() as u64;
                rows.counted += period.rows.len() as u64;
                counts.excluded += period.excluded_customers;
                for (all, excluded) in counts.in_several_arms.iter_mut().zip(&period.excluded_by_arm) {
                    *all += excluded;
                }
                counts.assigned = match (counts.assigned, assigned) {
                    (Some(known), Some(more)) => Some(known.hull(more)),
                    (known, more) => known.or(more),
                };
            }
        }
        StrategyAssignments { arms, strata, clusters, by, whole_columns, has_cost, has_contacts, parts, periods: counts, rows }
    }
}

impl StrategyAssignments {
    /// The further columns of which every value lies in one arm of the period with this number, as if values had been drawn.
    pub fn whole_in(&self, period: usize) -> impl Iterator<Item = &str> {
        let columns = self.whole_columns.iter().filter(move |column| column.period == period && lie_whole(&column.values));
        columns.map(|column| column.column.as_str())
    }

    /// Finds where clusters were drawn to.
    ///
    /// # Errors
    /// Exit 3 if a cluster lies in several strata of a period, in which it cannot have been drawn.
    fn find_clusters(&mut self, strategy: &Strategy) -> Result<()> {
        let (Some(names), Some(column)) = (&self.clusters, &strategy.cluster) else { return Ok(()) };
        for (number, counts) in self.periods.iter_mut().enumerate() {
            let rows = self.parts.iter().map(|part| (&part.table, &part.periods.periods[number].rows));
            counts.clusters = cluster_draws(rows, names.len());
            let mut draws = names.iter().zip(&counts.clusters).filter_map(|(name, draw)| Some((name, draw.as_ref()?)));
            if let Some((name, draw)) = draws.find(|(_, draw)| draw.stratum != draw.last_stratum) {
                let stratum = |number: u32| self.strata.iter().flatten().nth(number as usize).map_or("", String::as_str);
                return Err(Error::contract(format!(
                    "strategy {:?}: the cluster {name:?} (column {column:?}) lies in the strata {:?} and {:?} of one period, but is drawn as a whole; give every cluster one stratum, or the column \"stratum\" another name",
                    strategy.name,
                    stratum(draw.stratum),
                    stratum(draw.last_stratum)
                )));
            }
        }
        Ok(())
    }

    /// Counts by day the customers of periods that have several.
    fn count_days(&mut self) {
        for (number, counts) in self.periods.iter_mut().enumerate() {
            if counts.assigned.is_none_or(|assigned| assigned.days() < 2) {
                continue;
            }
            let parts = self.parts.par_iter().map(|part| days_of_part(&part.table, &part.periods.periods[number].rows));
            let merge = |mut all: DayCounts, part: DayCounts| {
                part.into_iter().for_each(|(key, customers)| *all.entry(key).or_default() += customers);
                all
            };
            let by_day = parts.reduce(DayCounts::default, merge).into_iter();
            counts.by_day = by_day.map(|((stratum, day, arm), customers)| DayCount { stratum, day, arm, customers }).collect();
            counts.by_day.sort_unstable();
        }
    }
}

impl StrategyAssignments {
    /// The number of the strategy's control arm; none if it has no control, or nobody is assigned to it.
    pub fn control(&self, strategy: &Strategy) -> Option<u16> {
        let control = strategy.control.as_ref()?;
        self.arms.iter().position(|arm| arm == control).map(|arm| arm as u16)
    }

    /// Follows customers through several periods.
    fn follow_customers(&mut self, control: Option<u16>) {
        if self.periods.len() < 2 {
            return;
        }
        let parts: Vec<Vec<Recurrence>> =
            self.parts.par_iter().map(|part| recurrence(&part.table, &part.periods, control)).collect();
        for part in parts {
            self.periods.iter_mut().zip(&part).for_each(|(counts, own)| counts.recurrence.add(own));
        }
    }
}

/// Customers by stratum, day and arm.
type DayCounts = HashMap<(u32, Day, u16), u64, ahash::RandomState>;

fn days_of_part(table: &Assignments, rows: &RowSet) -> DayCounts {
    let mut counts = DayCounts::default();
    for row in rows.iter().map(|row| row as usize) {
        let stratum = table.stratum.as_ref().map_or(0, |strata| strata[row]);
        *counts.entry((stratum, table.day(row), table.arm(row))).or_default() += 1;
    }
    counts
}

/// From the first to the last day on which one of these rows is assigned.
fn assigned_span(table: &Assignments, rows: &RowSet) -> Option<Period> {
    rows.iter().map(|row| Period::from(table.day(row as usize))).reduce(Period::hull)
}
