//! The reports of a run, made of its summed tables and of the counted movers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::evaluated::Evaluated;
use super::stage::Stage;
use crate::domain::ALL;
use crate::error::Result;
use crate::job::Job;
use crate::job::raw::{ReportName, TableName};
use crate::part::{CrmRows, MoverKey, PartContext, ScorePair, crm_header};
use crate::publish::{Manifest, StagedFile, Staging, TableFile};
use crate::report::{self, ReportData, ReportFormat, Shown};
use crate::tables::{EncodedFile, MoveRow, ScorePairRow};

/// The reports a job asks for, besides CRM files.
pub fn formats(job: &Job) -> Vec<ReportFormat> {
    let format = |name: &ReportName| match name {
        ReportName::Html => Some(ReportFormat::Html),
        ReportName::Json => Some(ReportFormat::Json),
        ReportName::Xlsx => Some(ReportFormat::Xlsx),
        ReportName::Crm => None,
    };
    job.raw.output.report.iter().filter_map(format).collect()
}

/// Writes the reports; `manifest` is that of the run, with the CRM files as its list of reports.
///
/// # Errors
/// Exit 6 if a file cannot be written.
pub fn write(context: &PartContext<'_>, staging: &Staging, manifest: &Manifest, evaluated: &Evaluated) -> Result<Vec<TableFile>> {
    let Evaluated { reported, groups, movers, score_pairs, restatements, .. } = evaluated;
    let job = context.job;
    let formats = formats(job);
    if formats.is_empty() {
        return Ok(Vec::new());
    }
    let mut data = ReportData::new(manifest.clone(), context.plan.reports.clone(), groups.clone());
    for (name, batch) in reported {
        data.take(name.name(), batch)?;
    }
    if job.writes(TableName::Movers) {
        let moves = moves(context, movers).into_iter().filter(|row| groups.has_slice(&row.slice));
        data.moves = Some(moves.map(Shown::from).collect());
    }
    let pairs = score_pair_rows(context, score_pairs).into_iter().filter(|row| groups.has_slice(&row.slice));
    data.score_pairs = Some(pairs.map(Shown::from).collect());
    if job.writes(TableName::Restatements) {
        data.restatements = Some(restatements.iter().cloned().map(Shown::from).collect());
    }
    write_files(staging, data, &formats)
}

fn write_files(staging: &Staging, data: ReportData, formats: &[ReportFormat]) -> Result<Vec<TableFile>> {
    let files = report::write(data, formats)?;
    let put = |file: report::ReportFile| {
        let encoded = EncodedFile { sha256: crate::hash::sha256(&file.bytes), rows: 0, bytes: file.bytes };
        staging.put(format!("report/{}", file.name), encoded)
    };
    files.into_iter().map(put).collect()
}

fn moves(context: &PartContext<'_>, movers: &BTreeMap<MoverKey, i64>) -> Vec<MoveRow> {
    let (job, plan) = (context.job, context.plan);
    let date = |at: u32| job.dates.get(at as usize).map(|d| d.date);
    let row = |(key, &customers): (&MoverKey, &i64)| {
        let column = plan.schemes.get(key.scheme as usize)?;
        let states = column.scheme.all_states();
        let state = |state: u16| states.get(usize::from(state)).cloned();
        Some(MoveRow {
            as_of: date(key.date)?,
            slice: context.labels.slice(key.slice).unwrap_or(ALL).to_owned(),
            scheme: column.column.clone(),
            from_as_of: date(key.from_date)?,
            from_state: state(key.from)?,
            to_state: state(key.to)?,
            reason: key.reason.map(|reason| reason.name().to_owned()),
            customers: Some(customers),
        })
    };
    movers.iter().filter_map(row).collect()
}

fn score_pair_rows(context: &PartContext<'_>, pairs: &BTreeMap<ScorePair, i64>) -> Vec<ScorePairRow> {
    let Some(last) = context.job.dates.last() else { return Vec::new() };
    let row = |(pair, &customers): (&ScorePair, &i64)| ScorePairRow {
        as_of: last.date,
        slice: context.labels.slice(pair.slice).unwrap_or(ALL).to_owned(),
        r_score: pair.r_score.into(),
        f_score: pair.f_score.into(),
        customers: Some(customers),
    };
    pairs.iter().map(row).collect()
}

/// Writes the CRM files: at most `output.crm_rows` rows each.
///
/// # Errors
/// Exit 6 if a file cannot be written; exit 7 if rows do not come back from disk.
pub fn write_crm(
    stage: Stage<'_>,
    context: &PartContext<'_>,
    staging: &Staging,
    parts: Vec<(usize, CrmRows)>,
) -> Result<Vec<TableFile>> {
    let output = &stage.job.raw.output;
    let header = crm_header(context)?;
    let most = output.crm_rows.map_or(usize::MAX, |n| n as usize);
    let begin = |number: usize| -> Result<StagedFile<'_>> {
        let name = if output.crm_rows.is_some() { format!("crm-{:03}.csv", number + 1) } else { "crm.csv".into() };
        let mut file = staging.begin(format!("report/{name}"))?;
        let mark: &[u8] = if output.crm_bom { b"\xEF\xBB\xBF" } else { b"" };
        file.append(mark, 0)?;
        file.append(&header, 0)?;
        Ok(file)
    };
    let (mut files, mut file) = (Vec::new(), begin(0)?);
    for (_, mut part) in parts {
        part.load(stage.memory.spill().map(Arc::as_ref))?;
        let mut first = 0;
        while first < part.row_count() {
            if file.rows() >= most as u64 {
                files.push(std::mem::replace(&mut file, begin(files.len() + 1)?).end()?);
            }
            let (bytes, rows) = part.rows(first, most - file.rows() as usize);
            file.append(bytes, rows as u64)?;
            first += rows;
        }
    }
    files.push(file.end()?);
    Ok(files)
}
