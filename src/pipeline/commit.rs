//! Last stage: the manifest, the reports, and the commit that makes the run visible.

use super::dimensions;
use super::evaluated::Evaluated;
use super::facts::{Facts, Target};
use super::prepared::{Prepared, owner};
use super::reports;
use super::restatements;
use super::scanned::Scanned;
use super::scored::Scored;
use super::stage::Stage;
use super::state_lines::StateLine;
use super::warnings::OutcomeLine;
use crate::domain::SideTable;
use crate::error::Result;
use crate::experiment::exposure::load::StrategyAssignments;
use crate::job::Job;
use crate::memory;
use crate::part::PartContext;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::publish::{Committed, CutPointEntry, LabelEntry, Manifest, Output, Staging, Timing};
use crate::score::Axis;
use crate::storage::Place;

/// What a run did.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The manifest of the committed run.
    pub manifest: Manifest,
    /// Its folder.
    pub folder: Place,
    /// Whether it had been computed before and was only committed again.
    pub repeated: bool,
    /// States at the last as-of date, of `slice` if the job has slices; empty if repeated or without `segments`.
    pub states: Vec<StateLine>,
    /// The slice with most customers; `None` if repeated, or in a job without slices.
    pub slice: Option<String>,
    /// Rows of orders that do not count, by outcome; empty if repeated.
    pub outcomes: Vec<OutcomeLine>,
    /// How the tables beside the orders meet them; empty if repeated.
    pub side_tables: Vec<SideTable>,
    /// The run that `latest` names, with its last as-of date.
    pub latest: Option<(String, String)>,
}

impl Outcome {
    fn new(committed: Committed, manifest: Manifest, repeated: bool, progress: &dyn Progress) -> Outcome {
        let Committed { folder, latest, notes } = committed;
        notes.iter().for_each(|note| progress.warn(note));
        let (states, outcomes, side_tables) = (Vec::new(), Vec::new(), Vec::new());
        Outcome { manifest, folder, repeated, states, slice: None, outcomes, side_tables, latest }
    }
}

/// Commits a run again that was computed before; `None` if there is none with this identity.
///
/// # Errors
/// Exit 6 if the output cannot be written.
pub fn repeat(job: &Job, prepared: &Prepared, output: &Output, progress: &dyn Progress) -> Result<Option<Outcome>> {
    let Some(manifest) = output.finished(&prepared.identity.run_id) else { return Ok(None) };
    let restated = restatements::encoded(job, &restatements::rows_again(job, prepared, output, &manifest))?;
    let committed = output.recommit(&manifest, restated.as_ref(), owner(job), job.keep_runs)?;
    Ok(Some(Outcome::new(committed, manifest, true, progress)))
}

/// Writes the reports and gives the manifest of the run.
///
/// # Errors
/// Exit 6 if a report cannot be written.
pub fn manifest(
    stage: Stage<'_>,
    facts: Facts<'_>,
    target: Target<'_>,
    context: &PartContext<'_>,
    assignments: &[StrategyAssignments],
    evaluated: &mut Evaluated,
    timings: Vec<Timing>,
) -> Result<Manifest> {
    let Stage { job, prepared, memory, .. } = stage;
    let Facts { scanned, scored, .. } = facts;
    let identity = &prepared.identity;
    let mut manifest = Manifest {
        rfmill: env!("CARGO_PKG_VERSION").into(),
        run_id: identity.run_id.clone(),
        job_name: job.raw.name.clone(),
        engine: "native".into(),
        as_of: job.published().map(|(_, d)| d.date.to_string()).collect(),
        job: identity.job.clone(),
        job_sha256: identity.job_sha256.clone(),
        inputs: identity.inputs.clone(),
        sources: identity.sources.clone(),
        queries: prepared.queries.query_entries(),
        input_rows: prepared.input_rows(),
        assignments: prepared.assignment_entries(assignments),
        inputs_verified: identity.verified,
        input_manifests: identity.hash_lists.clone(),
        tables: evaluated.tables.clone(),
        reports: Vec::new(),
        cut_points: cut_point_entries(job, scanned, scored),
        dimensions: dimensions::dimensions(job, prepared, scored)?,
        warnings: evaluated.warnings.clone(),
        labels: labels(&prepared.plan),
        timings,
        peak_memory_bytes: memory::peak(),
        spilled_bytes: memory.spill().map_or(0, |spill| spill.bytes()),
    };
    // The page names the CRM files, so they come first.
    if prepared.plan.crm.is_some() {
        manifest.reports = reports::write_crm(stage, context, target.staging, std::mem::take(&mut evaluated.crm))?;
    }
    let pages = reports::write(context, target.staging, &manifest, evaluated)?;
    manifest.reports.splice(0..0, pages);
    Ok(manifest)
}

/// Languages for whose labels `dim_state` has a column.
const IN_DIM_STATE: [&str; 2] = ["en", "zh-Hans"];

/// The labels of states in other languages.
fn labels(plan: &Plan) -> Vec<LabelEntry> {
    let states = plan.schemes.iter().flat_map(|column| column.scheme.states.iter().map(move |state| (&column.column, state)));
    let labels = states.flat_map(|(scheme, state)| {
        let others = state.labels.iter().filter(|(language, _)| !IN_DIM_STATE.contains(&language.as_str()));
        others.map(move |(language, label)| LabelEntry {
            scheme: scheme.clone(),
            state: state.name.clone(),
            language: language.clone(),
            label: label.clone(),
        })
    });
    labels.collect()
}

/// Commits the run.
///
/// # Errors
/// Exit 6 if the output cannot be written; exit 5 behind the commit if files of other as-of dates are gone.
pub fn commit(stage: Stage<'_>, output: &Output, staging: Staging, manifest: Manifest, evaluated: Evaluated) -> Result<Outcome> {
    let Stage { job, progress, .. } = stage;
    let restated = restatements::encoded(job, &evaluated.restatements)?;
    let committed = output.commit(staging, &manifest, restated.as_ref(), owner(job), job.keep_runs)?;
    let Evaluated { states, slice, outcomes, side_tables, .. } = evaluated;
    Ok(Outcome { states, slice, outcomes, side_tables, ..Outcome::new(committed, manifest, false, progress) })
}

fn cut_point_entries(job: &Job, scanned: &Scanned, scored: &Scored) -> Vec<CutPointEntry> {
    let mut entries = Vec::new();
    for (at, date) in job.published() {
        for (number, slice) in scored.scoring[at].iter().enumerate() {
            for axis in Axis::ALL {
                let Some(points) = &slice.cuts[axis as usize] else { continue };
                entries.push(CutPointEntry {
                    as_of: date.date.to_string(),
                    slice: scanned.slice_name(number).to_owned(),
                    axis: axis.name().into(),
                    cuts: points.cuts.iter().map(|cut| cut.ratio().map(|ratio| ratio.to_string())).collect(),
                });
            }
        }
    }
    entries
}
