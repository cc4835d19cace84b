//! The chunks of all files put together: names numbered anew, and checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::batch::OptionalColumns;
use super::names::{CodedName, NO_STRATUM, NameCodes, alike};
use super::request::Request;
use super::rows::{ChunkRows, FileChunk};
use crate::assign::{AssignedIds, Assignments, Rejected};
use crate::domain::{CompactInts, StringIds, look_alike};
use crate::error::{Error, Kind, Result, suggestion};
use crate::evaluate::ALL;

/// Most arms of a table.
const MOST_ARMS: usize = 1_000;

/// Most strata of a table.
const MOST_STRATA: usize = 60_000;

/// Puts together the chunks, each with the name of its file, in the order of the files: the rows of every part.
pub(super) fn merge(chunks: Vec<(String, FileChunk)>, request: &Request) -> Result<Vec<Assignments>> {
    let kept: usize = chunks.iter().map(|(_, chunk)| chunk.len()).sum();
    if u32::try_from(kept).is_err() {
        return Err(Error::new(
            Kind::Resource,
            format!("{} has {kept} assignments; at most {} fit, so split it into several strategies", request.whose, u32::MAX),
        ));
    }
    let whole = ChunkTotals::of(&chunks);
    check_strategies(&whole, request)?;
    let arms = arms(&whole.arms, request)?;
    let strata: Arc<[String]> = strata(&whole.strata, request)?.into();
    if kept == 0 {
        return Err(nothing(&whole, &chunks, request));
    }
    let mut rows: Vec<Vec<(ChunkRows, CodeMap)>> = (0..request.parts.max(1)).map(|_| Vec::new()).collect();
    for (_, chunk) in chunks {
        let numbers = CodeMap::of(&chunk, &arms, &strata);
        rows.iter_mut().zip(chunk.parts).for_each(|(all, own)| all.push((own, numbers.clone())));
    }
    let mut parts = rows
        .into_par_iter()
        .map(|chunks| {
            let mut out = empty(whole.has, &chunks, &arms, &strata);
            chunks.into_iter().try_for_each(|(rows, numbers)| append(&mut out, rows, &numbers)).map(|()| out)
        })
        .collect::<Result<Vec<Assignments>>>()?;
    if let Some(first) = parts.first_mut() {
        first.rows_read = whole.rows_read;
        first.other_strategies = whole.other_strategies;
        first.null_costs = whole.null_costs;
        first.rejected = whole.rejected;
    }
    Ok(parts)
}

/// A part's assignments before there are any, with room for these.
fn empty(has: OptionalColumns, chunks: &[(ChunkRows, CodeMap)], arms: &[String], strata: &Arc<[String]>) -> Assignments {
    let rows: usize = chunks.iter().map(|(rows, _)| rows.arm.len()).sum();
    Assignments {
        ids: match chunks.first().map(|(rows, _)| &rows.ids) {
            Some(AssignedIds::Text(_)) => AssignedIds::Text(StringIds::default()),
            _ => AssignedIds::Int(CompactInts::with_capacity(rows)),
        },
        arm: CompactInts::with_capacity(rows),
        assigned_on: CompactInts::with_capacity(rows),
        stratum: has.stratum.then(|| Vec::with_capacity(rows)),
        cost: has.cost.then(|| Vec::with_capacity(rows)),
        contacts: has.contacts.then(|| Vec::with_capacity(rows)),
        ended_on: has.ended_on.then(|| Vec::with_capacity(rows)),
        arms: arms.to_vec(),
        strata: strata.clone(),
        rows_read: 0,
        other_strategies: 0,
        null_costs: 0,
        rejected: Rejected::default(),
    }
}

/// The final numbers of a chunk's names.
#[derive(Clone)]
struct CodeMap {
    arms: Arc<[u32]>,
    /// None if the chunk has no strata: then all its rows are in the stratum of this number.
    strata: std::result::Result<Arc<[u32]>, u32>,
}

impl CodeMap {
    fn of(chunk: &FileChunk, arms: &[String], strata: &[String]) -> CodeMap {
        let arm = |found: &CodedName| arms.iter().position(|name| *name == found.name).unwrap_or_default() as u32;
        let stratum = |name: &str| strata.binary_search_by(|own| own.as_str().cmp(name)).unwrap_or_default() as u32;
        CodeMap {
            arms: chunk.arms.names.iter().map(arm).collect(),
            strata: match chunk.has.stratum {
                true => Ok(chunk.strata.names.iter().map(|found| stratum(&found.name)).collect()),
                false => Err(stratum(NO_STRATUM)),
            },
        }
    }
}

/// What all chunks have together.
struct ChunkTotals {
    has: OptionalColumns,
    rejected: Rejected,
    rows_read: u64,
    other_strategies: u64,
    null_costs: u64,
    arms: BTreeMap<String, (u64, String)>,
    strata: BTreeMap<String, (u64, String)>,
    strategies: BTreeMap<String, (u64, String)>,
}

impl ChunkTotals {
    fn of(chunks: &[(String, FileChunk)]) -> ChunkTotals {
        let mut whole = ChunkTotals {
            has: OptionalColumns::default(),
            rejected: Rejected::default(),
            rows_read: 0,
            other_strategies: 0,
            null_costs: 0,
            arms: BTreeMap::new(),
            strata: BTreeMap::new(),
            strategies: BTreeMap::new(),
        };
        for (_, chunk) in chunks {
            whole.has.strategy |= chunk.has.strategy;
            whole.has.stratum |= chunk.has.stratum;
            whole.has.cost |= chunk.has.cost;
            whole.has.contacts |= chunk.has.contacts;
            whole.has.ended_on |= chunk.has.ended_on;
        }
        for (file, chunk) in chunks {
            whole.rejected.add(&chunk.rejected);
            whole.rows_read += chunk.rows_read;
            whole.other_strategies += chunk.other_strategies;
            if whole.has.cost {
                whole.null_costs += if chunk.has.cost { chunk.null_costs } else { chunk.len() as u64 };
            }
            collect(&mut whole.arms, &chunk.arms, file);
            collect(&mut whole.strata, &chunk.strata, file);
            collect(&mut whole.strategies, &chunk.strategies, file);
            if whole.has.stratum && !chunk.has.stratum && chunk.len() > 0 {
                whole.strata.entry(NO_STRATUM.into()).or_insert((0, file.clone()));
            }
        }
        whole
    }
}

/// Adds a chunk's names with their rows; the place is that of the first row of all.
fn collect(all: &mut BTreeMap<String, (u64, String)>, names: &NameCodes, file: &str) {
    for CodedName { name, rows, first } in &names.names {
        let unit = if file.to_lowercase().ends_with(".csv") { "line" } else { "row" };
        all.entry(name.clone()).or_insert_with(|| (0, format!("{file}, {unit} {first}"))).0 += rows;
    }
}

fn check_strategies(whole: &ChunkTotals, request: &Request) -> Result<()> {
    let Some(wanted) = request.strategy else { return Ok(()) };
    match alike(wanted, whole.strategies.keys().map(String::as_str)) {
        Some(other) => Err(Error::contract(format!(
            "{}: the column \"strategy\" says {other:?}, which differs from {wanted:?} only in case or blanks; write one name in the job and in the table",
            whole.strategies.get(other).map_or("", |(_, place)| place.as_str())
        ))),
        None => Ok(()),
    }
}

/// The names of the arms by their final number.
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
    if found.len() > MOST_ARMS {
        return Err(Error::contract(format!(
            "{whose} has more than {MOST_ARMS} arms (found: {} …); an arm is a treatment, not a customer",
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
    if found.len() > MOST_STRATA {
        return Err(Error::contract(format!(
            "{} has more than {MOST_STRATA} strata; a stratum is a state or a region, not a customer",
            request.whose
        )));
    }
    Ok(found.keys().cloned().collect())
}

/// The error of a table without assignments.
fn nothing(whole: &ChunkTotals, chunks: &[(String, FileChunk)], request: &Request) -> Error {
    let whose = &request.whose;
    let rejected: Vec<String> = whole.rejected.reasons().iter().filter(|r| r.1 > 0).map(|(r, n)| format!("{n} {r}")).collect();
    let names: Vec<&str> = whole.strategies.keys().map(String::as_str).collect();
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

fn append(out: &mut Assignments, rows: ChunkRows, numbers: &CodeMap) -> Result<()> {
    let count = rows.arm.len();
    match (&mut out.ids, rows.ids) {
        (AssignedIds::Int(all), AssignedIds::Int(own)) => all.append(&own),
        (AssignedIds::Text(all), AssignedIds::Text(own)) => (0..own.len()).for_each(|at| all.push(own.get(at))),
        _ => return Err(Error::bug("assignments with ids of two types")),
    }
    let arm = |own: u32| numbers.arms.get(own as usize).copied().unwrap_or_default();
    out.arm.extend(rows.arm.iter().map(arm));
    out.assigned_on.append(&rows.assigned_on);
    match (&mut out.stratum, &numbers.strata) {
        (Some(all), Ok(strata)) => {
            all.extend(rows.stratum.iter().map(|s| strata.get(*s as usize).copied().unwrap_or_default()));
        }
        (Some(all), Err(none)) => all.extend(std::iter::repeat_n(*none, count)),
        (None, _) => {}
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
