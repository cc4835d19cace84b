//! Second stage: all inputs are read, and their records lie in buckets.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::side_inputs::{InputWarnings, LoadedInputs};
use super::stage::Stage;
use crate::bucket::{BucketStore, KeptBuckets};
use crate::domain::IdType;
use crate::error::{Error, Result, suggestion};
use crate::input::orders::ScannedOrders;
use crate::input::orders::filler_dates::FillerCounts;
use crate::input::orders::findings::ScanFindings;
use crate::input::orders::ledger::{OutcomeNames, RowCounts};
use crate::input::orders::related::RelatedRows;
use crate::input::orders::row_groups::Share;
use crate::input::rounding::Rounding;
use crate::job::Job;
use crate::job::raw::TableName;
use crate::measure::{CustomerData, CustomerlessOrders, SourceCodes};
use crate::plan::Plan;
use crate::tables::{TableDefinition, definitions};

/// What the inputs hold, apart from their records.
pub struct Scanned {
    /// Type of the customer ids.
    pub id: IdType,
    /// The tables of the job, whose ids have that type.
    tables: Vec<TableDefinition>,
    /// Slice values in order; empty if the job has no slices.
    pub slices: Vec<String>,
    /// Categories in order.
    pub categories: Vec<String>,
    /// The values of every dimension in order.
    pub dimensions: Vec<Vec<String>>,
    /// Rows of orders by file and outcome, but for those that only the fold can tell.
    pub row_counts: RowCounts,
    /// Names of the outcomes.
    pub outcome_names: OutcomeNames,
    /// Rows of orders whose customer id is an empty string.
    pub empty_ids: u64,
    /// Keys of `orders.latest` whose rows are of two customers.
    pub shared_keys: u64,
    /// Kept returns whose money is above zero, and that money, where rows are orders.
    pub positive_returns: (u64, i128),
    /// Orders that have rows without a customer; the fold notes which have one on another row.
    pub customerless: Arc<CustomerlessOrders>,
    /// Rows of orders by date that often stands for a missing one.
    pub fillers: FillerCounts,
    /// What rounding did to the money of files, where it did something.
    pub rounding: BTreeMap<usize, Rounding>,
    /// What is odd about customers and events.
    pub side_warnings: InputWarnings,
}

/// The records of all inputs, by bucket.
pub struct Records {
    /// The orders.
    pub orders: BucketStore,
    /// What is known of customers besides their orders.
    pub customers: CustomerData,
    /// What the codes in the orders stand for.
    pub codes: SourceCodes,
}

/// Most categories that the table `affinity` pairs.
const MOST_CATEGORIES: usize = 200;

/// What the inputs hold, apart from their records, before it was checked and as it passes between stages.
#[derive(Serialize, Deserialize)]
pub struct ScanSummary {
    /// Slice values in order; empty if the job has no slices.
    pub slices: Vec<String>,
    /// Categories in order.
    pub categories: Vec<String>,
    /// The values of every dimension in order.
    pub dimensions: Vec<Vec<String>>,
    /// What was found in the rows of orders.
    pub findings: ScanFindings,
    /// Keys of `orders.latest` whose rows are of two customers.
    pub shared_keys: u64,
    /// What is odd about customers and events.
    pub side_warnings: InputWarnings,
}

impl ScanSummary {
    /// Checks that the data fit the job.
    ///
    /// # Errors
    /// Exit 2 or 3 if they do not.
    pub fn check(&self, stage: Stage<'_>) -> Result<()> {
        let Stage { job, prepared, .. } = stage;
        if job.writes(TableName::Affinity) && self.categories.len() > MOST_CATEGORIES {
            return Err(Error::contract(format!(
                "column {:?} (orders.category) has {} values, and the table affinity pairs at most {MOST_CATEGORIES}; name a column of broader categories, or leave the table out",
                job.raw.orders.category.as_deref().unwrap_or_default(),
                self.categories.len()
            )));
        }
        self.findings.currencies.check_single(job.raw.orders.currency.as_deref().unwrap_or_default())?;
        // A sample need not have every slice.
        match prepared.is_sampled() {
            true => Ok(()),
            false => check_overrides(job, &prepared.plan, &self.slices),
        }
    }
}

impl Scanned {
    /// Reads all inputs.
    ///
    /// # Errors
    /// Exit 2 or 3: data that do not fit the job; exit 4: files that cannot be read; exit 7: too little memory.
    pub fn read(stage: Stage<'_>) -> Result<(Scanned, Records)> {
        let Stage { job, prepared, memory, progress } = stage;
        let related = RelatedRows::find(job, &prepared.orders, &prepared.columns, memory, progress)?;
        let scan = prepared.orders_scan(job);
        let ScannedOrders { orders, slices, categories, findings } = scan.run(Share::ALL, &related, memory, progress)?;
        let shared_keys = related.shared_keys;
        drop(related);
        let (slices, slice_numbers) = ranked(slices);
        let (categories, category_numbers) = ranked(categories);
        let LoadedInputs { customers, dimensions, warnings } =
            prepared.side.read(job, &prepared.plan, &prepared.columns, &KeptBuckets::all(orders.len()), memory, progress)?;
        let summary = ScanSummary { slices, categories, dimensions, findings, shared_keys, side_warnings: warnings };
        let scanned = Scanned::new(stage, summary)?;
        let codes = SourceCodes {
            files: prepared.orders.len(),
            slice_count: scanned.slices.len(),
            slices: slice_numbers,
            categories: category_numbers,
            customerless: Arc::clone(&scanned.customerless),
        };
        Ok((scanned, Records { orders, customers, codes }))
    }

    /// What all inputs hold together.
    ///
    /// # Errors
    /// Exit 2 or 3: data that do not fit the job.
    pub fn new(stage: Stage<'_>, summary: ScanSummary) -> Result<Scanned> {
        summary.check(stage)?;
        let Stage { job, prepared, .. } = stage;
        let ScanSummary { slices, categories, dimensions, findings, shared_keys, side_warnings } = summary;
        let ScanFindings { row_counts, empty_ids, positive_returns, customerless, fillers, rounding, .. } = findings;
        let columns: Vec<_> = prepared.plan.columns.iter().map(|(column, _)| column.clone()).collect();
        Ok(Scanned {
            id: prepared.columns.id,
            tables: definitions(job, &columns, prepared.columns.id),
            slices,
            categories,
            dimensions,
            row_counts,
            outcome_names: OutcomeNames::new(job.raw.orders.keep.iter().map(|keep| keep.column.clone()).collect()),
            empty_ids,
            shared_keys,
            positive_returns,
            customerless: Arc::new(customerless.into_orders()),
            fillers,
            rounding,
            side_warnings,
        })
    }

    /// The definition of a table.
    ///
    /// # Errors
    /// Exit 1 if there is none.
    pub fn table(&self, name: TableName) -> Result<&TableDefinition> {
        let found = self.tables.iter().find(|table| table.name == name.name());
        found.ok_or_else(|| Error::bug(format!("no table {}", name.name())))
    }

    /// The name of a slice number; `(all)` in a job without slices.
    pub fn slice_name(&self, number: usize) -> &str {
        self.slices.get(number).map_or("(all)", String::as_str)
    }
}

/// Slice values or categories in order, and the number of each code in that order.
pub(super) fn ranked(values: Vec<String>) -> (Vec<String>, Vec<u32>) {
    let mut coded: Vec<(String, usize)> = values.into_iter().zip(0..).collect();
    coded.sort_unstable();
    let mut numbers = vec![0; coded.len()];
    for ((_, code), number) in coded.iter().zip(0..) {
        numbers[*code] = number;
    }
    (coded.into_iter().map(|(value, _)| value).collect(), numbers)
}

/// Overrides of schemes must be for slices that there are.
fn check_overrides(job: &Job, plan: &Plan, slices: &[String]) -> Result<()> {
    for column in &plan.schemes {
        if let Some(unknown) = column.overrides.keys().find(|s| !slices.contains(s)) {
            return Err(Error::usage(format!(
                "{}: schemes.{}.override names the slice {unknown:?}, which no order has{} (column {:?} holds {})",
                job.source.locate(&format!("schemes.{}.override", column.column), unknown),
                column.column,
                suggestion(unknown, slices.iter().map(String::as_str)),
                job.raw.orders.slice.as_deref().unwrap_or_default(),
                slices.iter().take(20).map(|s| format!("{s:?}")).collect::<Vec<_>>().join(", ")
            )));
        }
    }
    Ok(())
}
