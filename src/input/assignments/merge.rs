//! Merging the chunks of all files: their names get common codes and are checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::batch::OptionalColumns;
use super::further::{FurtherColumns, common_code};
use super::names::{CodedName, NO_STRATUM, NameCodes, alike};
use super::request::Request;
use super::rows::{ChunkRows, FileChunk};
use crate::assign::{AssignedIds, Assignments, Rejected, ValueColumn, WholeColumn};
use crate::domain::{ALL, CompactInts, MOST_GROUPS, StringIds, look_alike};
use crate::error::{Error, Kind, Result, suggestion};

/// Most arms of a table.
const MAX_ARMS: usize = 1_000;

/// Most strata of a table.
const MAX_STRATA: usize = 60_000;

/// Most clusters of a table.
const MAX_CLUSTERS: usize = 100_000;

/// Merges the chunks, each with the name of its file and in the order of the files, into the assignments of every part.
pub(super) fn merge(chunks: Vec<(String, FileChunk)>, request: &Request) -> Result<Vec<Assignments>> {
    let rows: usize = chunks.iter().map(|(_, chunk)| chunk.len()).sum();
    if u32::try_from(rows).is_err() {
        return Err(Error::new(
            Kind::Resource,
            format!("{} has {rows} assignments; at most {} fit, so split it into several strategies", request.whose, u32::MAX),
        ));
    }
    let totals = ChunkTotals::new(&chunks);
    check_strategies(&totals, request)?;
    let arms = arms(&totals.arms, request)?;
    let strata: Arc<[String]> = strata(&totals.strata, request)?.into();
    let clusters: Arc<[String]> = clusters(&totals, request)?.into();
    let by = by_names(&totals, request)?;
    if rows == 0 {
        return Err(nothing(&totals, &chunks, request));
    }
    let whole = whole(&chunks, &arms, request);
    let mut by_part: Vec<Vec<(ChunkRows, CodeMap)>> = (0..request.parts.max(1)).map(|_| Vec::new()).collect();
    for (_, chunk) in chunks {
        let codes = CodeMap::new(&chunk, &arms, [&strata, &clusters], &by);
        by_part.iter_mut().zip(chunk.parts).for_each(|(part, rows)| part.push((rows, codes.clone())));
    }
    let mut parts = by_part
        .into_par_iter()
        .map(|chunks| {
            let mut out = empty((totals.has, request.cluster.is_some()), &chunks, &arms, [&strata, &clusters], &by);
            chunks.into_iter().try_for_each(|(rows, codes)| append(&mut out, rows, &codes)).map(|()| out)
        })
        .collect::<Result<Vec<Assignments>>>()?;
    if let Some(first) = parts.first_mut() {
        first.rows_read = totals.rows_read;
        first.other_strategies = totals.other_strategies;
        first.null_costs = totals.null_costs;
        first.rejected = totals.rejected;
        first.whole_columns = whole;
    }
    Ok(parts)
}

/// Empty assignments with capacity for the chunks of a part.
fn empty(
    (has, has_clusters): (OptionalColumns, bool),
    chunks: &[(ChunkRows, CodeMap)],
    arms: &[String],
    [strata, clusters]: [&Arc<[String]>; 2],
    by: &[Arc<[String]>],
) -> Assignments {
    let rows: usize = chunks.iter().map(|(rows, _)| rows.arm.len()).sum();
    Assignments {
        ids: match chunks.first().map(|(rows, _)| &rows.ids) {
            Some(AssignedIds::Text(_)) => AssignedIds::Text(StringIds::default()),
            _ => AssignedIds::Int(CompactInts::with_capacity(rows)),
        },
        arm: CompactInts::with_capacity(rows),
        assigned_on: CompactInts::with_capacity(rows),
        stratum: has.stratum.then(|| Vec::with_capacity(rows)),
        cluster: has_clusters.then(|| Vec::with_capacity(rows)),
        by: by.iter().map(|names| ValueColumn { codes: Vec::with_capacity(rows), names: names.clone() }).collect(),
        cost: has.cost.then(|| Vec::with_capacity(rows)),
        contacts: has.contacts.then(|| Vec::with_capacity(rows)),
        ended_on: has.ended_on.then(|| Vec::with_capacity(rows)),
        arms: arms.to_vec(),
        strata: strata.clone(),
        clusters: clusters.clone(),
        whole_columns: Vec::new(),
        rows_read: 0,
        other_strategies: 0,
        null_costs: 0,
        rejected: Rejected::default(),
    }
}

/// Maps the codes of a chunk's names to the common codes.
#[derive(Clone)]
struct CodeMap {
    arms: Arc<[u32]>,
    /// If the chunk has no strata, the code of the stratum that all its rows are in.
    strata: std::result::Result<Arc<[u32]>, u32>,
    clusters: Arc<[u32]>,
    by: Vec<Arc<[u32]>>,
}

impl CodeMap {
    fn new(chunk: &FileChunk, arms: &[String], [strata, clusters]: [&[String]; 2], by: &[Arc<[String]>]) -> CodeMap {
        let arm = |found: &CodedName| arms.iter().position(|name| *name == found.name).unwrap_or_default() as u32;
        let find =
            |names: &[String], name: &str| names.binary_search_by(|known| known.as_str().cmp(name)).unwrap_or_default() as u32;
        let stratum = |name: &str| find(strata, name);
        CodeMap {
            arms: chunk.arms.names.iter().map(arm).collect(),
            strata: match chunk.has.stratum {
                true => Ok(chunk.strata.names.iter().map(|found| stratum(&found.name)).collect()),
                false => Err(stratum(NO_STRATUM)),
            },
            clusters: chunk.clusters.names.iter().map(|found| find(clusters, &found.name)).collect(),
            by: by
                .iter()
                .zip(&chunk.by)
                .map(|(all, own)| own.names.iter().map(|found| find(all, &found.name)).collect())
                .collect(),
        }
    }
}

/// Totals over all chunks: optional columns, counts, and names with their rows and first place.
struct ChunkTotals {
    has: OptionalColumns,
    rejected: Rejected,
    rows_read: u64,
    other_strategies: u64,
    null_costs: u64,
    arms: BTreeMap<String, (u64, String)>,
    strata: BTreeMap<String, (u64, String)>,
    clusters: BTreeMap<String, (u64, String)>,
    /// By column of `by`.
    by: Vec<BTreeMap<String, (u64, String)>>,
    /// The first row that has no cluster.
    without_cluster: Option<String>,
    strategies: BTreeMap<String, (u64, String)>,
}

impl ChunkTotals {
    fn new(chunks: &[(String, FileChunk)]) -> ChunkTotals {
        let mut totals = ChunkTotals {
            has: OptionalColumns::default(),
            rejected: Rejected::default(),
            rows_read: 0,
            other_strategies: 0,
            null_costs: 0,
            arms: BTreeMap::new(),
            strata: BTreeMap::new(),
            clusters: BTreeMap::new(),
            by: vec![BTreeMap::new(); chunks.first().map_or(0, |(_, chunk)| chunk.by.len())],
            without_cluster: None,
            strategies: BTreeMap::new(),
        };
        for (_, chunk) in chunks {
            totals.has.strategy |= chunk.has.strategy;
            totals.has.stratum |= chunk.has.stratum;
            totals.has.cost |= chunk.has.cost;
            totals.has.contacts |= chunk.has.contacts;
            totals.has.ended_on |= chunk.has.ended_on;
        }
        for (file, chunk) in chunks {
            totals.rejected.add(&chunk.rejected);
            totals.rows_read += chunk.rows_read;
            totals.other_strategies += chunk.other_strategies;
            if totals.has.cost {
                totals.null_costs += if chunk.has.cost { chunk.null_costs } else { chunk.len() as u64 };
            }
            collect(&mut totals.arms, &chunk.arms, file);
            collect(&mut totals.strata, &chunk.strata, file);
            collect(&mut totals.clusters, &chunk.clusters, file);
            totals.by.iter_mut().zip(&chunk.by).for_each(|(all, names)| collect(all, names, file));
            totals.without_cluster =
                totals.without_cluster.take().or_else(|| Some(format!("{file}, {} {}", unit(file), chunk.without_cluster?)));
            collect(&mut totals.strategies, &chunk.strategies, file);
            if totals.has.stratum && !chunk.has.stratum && chunk.len() > 0 {
                totals.strata.entry(NO_STRATUM.into()).or_insert((0, file.clone()));
            }
        }
        totals
    }
}

/// What a file's records are called.
fn unit(file: &str) -> &'static str {
    if file.to_lowercase().ends_with(".csv") { "line" } else { "row" }
}

/// Adds a chunk's names with their rows; the place of a name is its first row in the order of the files.
fn collect(all: &mut BTreeMap<String, (u64, String)>, names: &NameCodes, file: &str) {
    for CodedName { name, rows, first } in &names.names {
        all.entry(name.clone()).or_insert_with(|| (0, format!("{file}, {} {first}", unit(file)))).0 += rows;
    }
}

fn check_strategies(totals: &ChunkTotals, request: &Request) -> Result<()> {
    let Some(wanted) = request.strategy else { return Ok(()) };
    match alike(wanted, totals.strategies.keys().map(String::as_str)) {
        Some(other) => Err(Error::contract(format!(
            "{}: the column \"strategy\" says {other:?}, which differs from {wanted:?} only in case or blanks; write one name in the job and in the table",
            totals.strategies.get(other).map_or("", |(_, place)| place.as_str())
        ))),
        None => Ok(()),
    }
}

/// The names of the arms by their common code.
fn arms(found: &BTreeMap<String, (u64, String)>, request: &Request) -> Result<Vec<String>> {
    let counted = || found.iter().map(|(arm, (rows, _))| format!("{arm} in {rows} rows")).take(10).collect::<Vec<_>>().join(", ");
    let known = &request.arms;
    let whose = &request.whose;
    if let Some((arm, (_, place))) = found.iter().find(|(arm, _)| !known.is_empty() && !known.contains(&arm.as_str())) {
        let hint = match alike(arm, known.iter().copied()) {
            Some(other) => format!(", though {other:?} differs from it only in case or blanks"),
            None => suggestion(arm, known.iter().copied()),
        };
        return Err(Error::contract(format!(
            "{place}: {arm:?} is no arm of {whose}{hint} (arms: {}; found: {}); correct the table or the split",
            known.join(", "),
            counted()
        )));
    }
    if let Some((arm, (_, place))) = found.iter().find(|(arm, _)| arm.starts_with('(')) {
        return Err(Error::contract(format!(
            "{place}: the arm {arm:?} of {whose} begins with a parenthesis, as tables write what is no arm, such as (all); give it another name"
        )));
    }
    if let Some((one, other)) = look_alike(found.keys().map(String::as_str)) {
        return Err(Error::contract(format!(
            "{}: the arms {one:?} and {other:?} of {whose} differ only in case or blanks; write one name",
            found.get(other).map_or("", |(_, place)| place.as_str())
        )));
    }
    if found.len() > MAX_ARMS {
        return Err(Error::contract(format!(
            "{whose} has more than {MAX_ARMS} arms (found: {} …); an arm is a treatment, not a customer",
            counted()
        )));
    }
    let control = request.control.filter(|control| known.is_empty() && !found.is_empty() && !found.contains_key(*control));
    if let Some(control) = control {
        return Err(Error::contract(format!(
            "{whose}: the control arm {control:?} is not among the assignments{} (found: {}); correct the table or the name",
            suggestion(control, found.keys().map(String::as_str)),
            counted()
        )));
    }
    Ok(if known.is_empty() { found.keys().cloned().collect() } else { known.iter().map(|arm| (*arm).to_owned()).collect() })
}

fn strata(found: &BTreeMap<String, (u64, String)>, request: &Request) -> Result<Vec<String>> {
    if let Some((_, place)) = found.get(ALL) {
        return Err(Error::contract(format!(
            "{place}: a stratum of {} is called {ALL:?}, which tables call all strata together; give it another name",
            request.whose
        )));
    }
    if let Some((one, other)) = look_alike(found.keys().map(String::as_str)) {
        return Err(Error::contract(format!(
            "{}: the strata {one:?} and {other:?} of {} differ only in case or blanks; write one name",
            found.get(other).map_or("", |(_, place)| place.as_str()),
            request.whose
        )));
    }
    if found.len() > MAX_STRATA {
        return Err(Error::contract(format!(
            "{} has more than {MAX_STRATA} strata; a stratum is a state or a region, not a customer",
            request.whose
        )));
    }
    Ok(found.keys().cloned().collect())
}

/// The further columns that all chunks have, where each value lies in one arm of a period.
fn whole(chunks: &[(String, FileChunk)], arms: &[String], request: &Request) -> Vec<WholeColumn> {
    let names = chunks.first().map(|(_, chunk)| chunk.further.names.clone()).unwrap_or_default();
    let mut all = FurtherColumns::new(names, request.periods);
    for (_, chunk) in chunks.iter().filter(|(_, chunk)| chunk.len() > 0) {
        all.merge(&chunk.further, common_code(&chunk.arms.names, arms));
    }
    all.whole()
}

/// The names of the clusters by their common code.
fn clusters(totals: &ChunkTotals, request: &Request) -> Result<Vec<String>> {
    let Some(column) = request.cluster else { return Ok(Vec::new()) };
    let (whose, found) = (&request.whose, &totals.clusters);
    if let Some(place) = &totals.without_cluster {
        return Err(Error::contract(format!(
            "{place}: the column {column:?}, which cluster of {whose} names, is empty; expected what this customer was drawn with, so fill it in, or leave the assignment out"
        )));
    }
    if let Some((one, other)) = look_alike(found.keys().map(String::as_str)) {
        return Err(Error::contract(format!(
            "{}: {one:?} and {other:?} in the column {column:?} of {whose} differ only in case or blanks; write one name",
            found.get(other).map_or("", |(_, place)| place.as_str())
        )));
    }
    if found.len() > MAX_CLUSTERS {
        return Err(Error::contract(format!(
            "the column {column:?} of {whose} has {} values; as clusters at most {MAX_CLUSTERS} fit: name the column whose values were drawn, or remove cluster if every customer was",
            found.len()
        )));
    }
    Ok(found.keys().cloned().collect())
}

/// The values of the columns of `by` by their common code.
fn by_names(totals: &ChunkTotals, request: &Request) -> Result<Vec<Arc<[String]>>> {
    let of = |(column, found): (&&str, &BTreeMap<String, (u64, String)>)| {
        let of_column = || format!("the column {column:?}, which by of {} names,", request.whose);
        if let Some((_, place)) = found.get(ALL) {
            return Err(Error::contract(format!(
                "{place}: {} holds {ALL:?}, which tables call all customers together; write another value",
                of_column()
            )));
        }
        if let Some((one, other)) = look_alike(found.keys().map(String::as_str)) {
            return Err(Error::contract(format!(
                "{}: {one:?} and {other:?} in {} differ only in case or blanks; write one name",
                found.get(other).map_or("", |(_, place)| place.as_str()),
                of_column()
            )));
        }
        if found.len() > MOST_GROUPS {
            return Err(Error::contract(format!(
                "{} has {} values; effects are shown by at most {MOST_GROUPS}: name a column such as a region, not one of single customers",
                of_column(),
                found.len()
            )));
        }
        Ok(found.keys().cloned().collect())
    };
    request.by.iter().zip(&totals.by).map(of).collect()
}

/// The error for a table without assignments.
fn nothing(totals: &ChunkTotals, chunks: &[(String, FileChunk)], request: &Request) -> Error {
    let whose = &request.whose;
    let rejected: Vec<String> = totals.rejected.reasons().iter().filter(|r| r.1 > 0).map(|(r, n)| format!("{n} {r}")).collect();
    let names: Vec<&str> = totals.strategies.keys().map(String::as_str).collect();
    Error::contract(match (chunks.first(), names.as_slice(), rejected.as_slice()) {
        (_, [_, ..], _) => {
            let wanted = request.strategy.unwrap_or_default();
            let others = if rejected.is_empty() { "" } else { " that is not rejected" };
            let rejected = if rejected.is_empty() { String::new() } else { format!("; rejected rows: {}", rejected.join(", ")) };
            format!(
                "{whose} has no assignments: no row of its table{others} has {wanted:?} in the column \"strategy\"{} (strategies found: {}{rejected}); correct the table or the name",
                suggestion(wanted, names.iter().copied()),
                names.join(", ")
            )
        }
        (_, [], [_, ..]) => {
            format!("{whose} has no assignments: all rows of its table are rejected ({}); correct the table", rejected.join(", "))
        }
        (Some((file, _)), ..) => format!("{whose} has no assignments: {file} has no rows; check the path"),
        (None, ..) => format!("{whose} has no assignments: its files have no rows; check the path"),
    })
}

fn append(out: &mut Assignments, rows: ChunkRows, codes: &CodeMap) -> Result<()> {
    let count = rows.arm.len();
    match (&mut out.ids, rows.ids) {
        (AssignedIds::Int(all), AssignedIds::Int(ids)) => all.append(&ids),
        (AssignedIds::Text(all), AssignedIds::Text(ids)) => (0..ids.len()).for_each(|at| all.push(ids.get(at))),
        _ => return Err(Error::bug("assignments with ids of two types")),
    }
    let arm = |code: u32| codes.arms.get(code as usize).copied().unwrap_or_default();
    out.arm.extend(rows.arm.iter().map(arm));
    out.assigned_on.append(&rows.assigned_on);
    match (&mut out.stratum, &codes.strata) {
        (Some(all), Ok(strata)) => {
            all.extend(rows.stratum.iter().map(|s| strata.get(*s as usize).copied().unwrap_or_default()));
        }
        (Some(all), Err(none)) => all.extend(std::iter::repeat_n(*none, count)),
        (None, _) => {}
    }
    if let Some(all) = &mut out.cluster {
        all.extend(rows.cluster.iter().map(|cluster| codes.clusters.get(*cluster as usize).copied().unwrap_or_default()));
    }
    for ((all, own), codes) in out.by.iter_mut().zip(rows.by).zip(&codes.by) {
        all.codes.extend(own.iter().map(|value| codes.get(*value as usize).copied().unwrap_or_default()));
    }
    if let Some(all) = &mut out.cost {
        all.extend(rows.cost);
        all.resize(out.arm.len(), 0);
    }
    if let Some(all) = &mut out.contacts {
        all.extend(rows.contacts);
        all.resize(out.arm.len(), 0);
    }
    if let Some(all) = &mut out.ended_on {
        all.extend(rows.ended_on);
        all.resize(out.arm.len(), None);
    }
    Ok(())
}
