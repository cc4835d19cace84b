//! Sixth stage: strategies are evaluated, and the tables that are one file per run are written.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::facts::{Facts, Target};
use super::orders_warnings::side_table;
use super::restatements;
use super::second_pass::SecondPassOutput;
use super::stage::Stage;
use super::state_lines::{self, StateLine};
use super::summary_rows::KeyNames;
use super::summary_tables::{self, Summary, WrittenTables};
use super::warnings::{self, OutcomeLine};
use crate::domain::{SideTable, Warning};
use crate::error::Result;
use crate::experiment::ExperimentPlan;
use crate::job::raw::TableName;
use crate::part::{CrmRows, MoverKey, PartContext, PartOutput, ScorePair};
use crate::publish::{TableEntry, TableFile};
use crate::report::ShownGroups;
use crate::tables::RestatementRow;

/// The tables of a run, all written, and what its reports need besides.
pub struct Evaluated {
    /// All tables with their files.
    pub tables: Vec<TableEntry>,
    /// The rows of the tables that are one file per run, as far as reports show them.
    pub reported: Vec<(TableName, RecordBatch)>,
    /// The groups that reports show.
    pub groups: ShownGroups,
    /// Customers who changed a state.
    pub movers: BTreeMap<MoverKey, i64>,
    /// Customers by their scores at the last date.
    pub score_pairs: BTreeMap<ScorePair, i64>,
    /// Rows of the CRM file by part.
    pub crm: Vec<(usize, CrmRows)>,
    /// What earlier commits told of the dates of the run.
    pub restatements: Vec<RestatementRow>,
    /// States at the last as-of date, of `slice` if the job has slices.
    pub states: Vec<StateLine>,
    /// The slice with most customers.
    pub slice: Option<String>,
    /// Rows of orders that do not count, by outcome.
    pub outcomes: Vec<OutcomeLine>,
    /// How the tables beside the orders meet them.
    pub side_tables: Vec<SideTable>,
    /// What is odd about the job, its data and its strategies.
    pub warnings: Vec<String>,
}

impl Evaluated {
    /// Evaluates strategies, writes the summed tables and reports warnings.
    ///
    /// # Errors
    /// Exit 3 if a sum exceeds what the tables hold; exit 6 if a file cannot be written.
    pub fn new(
        stage: Stage<'_>,
        facts: Facts<'_>,
        target: Target<'_>,
        context: &PartContext<'_>,
        experiments: Option<&ExperimentPlan<'_>>,
        output: SecondPassOutput,
    ) -> Result<Evaluated> {
        let Stage { job, prepared, memory, progress } = stage;
        let Facts { scanned, ledger, scored } = facts;
        let SecondPassOutput { part, sums } = output;
        let (arms, evaluation, strategy_warnings) = match experiments {
            Some(experiments) => experiments.evaluate(job, &prepared.plan.schemes, sums.into_iter(), memory)?,
            None => Default::default(),
        };
        let summary = Summary { stage, facts, part: &part, arms: &arms, evaluation: &evaluation };
        let WrittenTables { entries, reported, groups } = summary_tables::write(&summary, target.staging)?;
        let names = KeyNames { job, slices: &scanned.slices, schemes: &prepared.plan.schemes, dimensions: &[], states: &[] };
        let restatements = restatements::rows(job, prepared, target.output, &restatements::totals(&part.segments, &names));
        let (schemes, last_date) = (&prepared.plan.schemes, job.dates.len() - 1);
        let over_all = state_lines::states(&part.segments, schemes, last_date, None);
        let (states, slice) = state_lines::of_largest_slice(&part.segments, schemes, last_date, &scanned.slices);

        let mut warnings = prepared.plan.warnings.clone();
        warnings.extend(prepared.queries.warnings());
        warnings.extend(prepared.input_warnings().cloned());
        warnings.extend(warnings::data_warnings(stage, scanned, ledger, scored, &over_all));
        let of_tables = [("customers", &scored.findings.customer_matches), ("events", &part.event_matches)];
        let side_tables: Vec<SideTable> =
            of_tables.into_iter().filter_map(|(name, matches)| side_table(name, matches, scanned.id)).collect();
        warnings.extend(side_tables.iter().filter(|table| table.is_poor()).cloned().map(Warning::SideTable));
        warnings.extend(strategy_warnings);
        warnings.extend(scanned.side_warnings.list(job, &prepared.plan, part.unmatched_events));
        let texts: Vec<String> = warnings.iter().map(Warning::to_string).collect();
        texts.iter().for_each(|warning| progress.warn(warning));
        let tables = part_entries(context, &part).chain(entries).collect();
        let outcomes = warnings::outcomes(job, scanned, ledger);
        Ok(Evaluated {
            tables,
            reported,
            groups,
            movers: part.movers,
            score_pairs: part.score_pairs,
            crm: part.crm,
            restatements,
            states,
            slice,
            outcomes,
            side_tables,
            warnings: texts,
        })
    }
}

/// The tables with a row per customer, with their files.
fn part_entries(context: &PartContext<'_>, part: &PartOutput) -> impl Iterator<Item = TableEntry> {
    context.tables.iter().map(|table| {
        let of_table = part.files.iter().filter(|(name, _)| *name == table.name);
        let files: Vec<TableFile> = of_table.map(|(_, file)| file.clone()).collect();
        TableEntry { name: table.name.name().into(), rows: files.iter().map(|file| file.rows).sum(), files }
    })
}
