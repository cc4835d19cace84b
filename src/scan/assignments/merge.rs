//! The pieces of all files put together: names numbered anew, and checked.

use std::collections::BTreeMap;

use super::Request;
use super::part::{Found, Has, NO_STRATUM, Names, Part, alike};
use crate::assign::{Assignments, Rejected};
use crate::domain::{CustomerIds, StringIds, look_alike};
use crate::error::{Error, Kind, Result, suggestion};

/// Most arms of a table.
const MOST_ARMS: usize = 1_000;

/// Most strata of a table.
const MOST_STRATA: usize = 60_000;

/// Puts together the parts, each with the name of its file, in the order of the files.
pub(super) fn merge(parts: Vec<(String, Part)>, request: &Request) -> Result<Assignments> {
    let kept: usize = parts.iter().map(|(_, part)| part.arm.len()).sum();
    if u32::try_from(kept).is_err() {
        return Err(Error::new(
            Kind::Resource,
            format!("{} has {kept} assignments; at most {} fit, so split it into several strategies", request.whose, u32::MAX),
        ));
    }
    let whole = Whole::of(&parts);
    check_strategies(&whole, request)?;
    let arms = arms(&whole.arms, request)?;
    let strata = strata(&whole.strata, request)?;
    if kept == 0 {
        return Err(nothing(&whole, &parts, request));
    }
    let has = whole.has;
    let mut out = Assignments {
        ids: match parts.first().map(|(_, part)| &part.ids) {
            Some(CustomerIds::Text(_)) => CustomerIds::Text(StringIds::default()),
            _ => CustomerIds::Int(Vec::with_capacity(kept)),
        },
        arm: Vec::with_capacity(kept),
        assigned_on: Vec::with_capacity(kept),
        stratum: has.stratum.then(|| Vec::with_capacity(kept)),
        cost: has.cost.then(|| Vec::with_capacity(kept)),
        contacts: has.contacts.then(|| Vec::with_capacity(kept)),
        ended_on: has.ended_on.then(|| Vec::with_capacity(kept)),
        arms,
        strata: strata.into(),
        rows_read: 0,
        other_strategies: 0,
        null_costs: 0,
        rejected: Rejected::default(),
    };
    for (_, part) in parts {
        append(&mut out, part)?;
    }
    Ok(out)
}

/// What all parts have together.
struct Whole {
    has: Has,
    rejected: Rejected,
    arms: BTreeMap<String, (u64, String)>,
    strata: BTreeMap<String, (u64, String)>,
    strategies: BTreeMap<String, (u64, String)>,
}

impl Whole {
    fn of(parts: &[(String, Part)]) -> Whole {
        let mut whole = Whole {
            has: Has::default(),
            rejected: Rejected::default(),
            arms: BTreeMap::new(),
            strata: BTreeMap::new(),
            strategies: BTreeMap::new(),
        };
        for (_, part) in parts {
            whole.has.strategy |= part.has.strategy;
            whole.has.stratum |= part.has.stratum;
            whole.has.cost |= part.has.cost;
            whole.has.contacts |= part.has.contacts;
            whole.has.ended_on |= part.has.ended_on;
        }
        for (file, part) in parts {
            whole.rejected.add(&part.rejected);
            collect(&mut whole.arms, &part.arms, file);
            collect(&mut whole.strata, &part.strata, file);
            collect(&mut whole.strategies, &part.strategies, file);
            if whole.has.stratum && !part.has.stratum && !part.arm.is_empty() {
                whole.strata.entry(NO_STRATUM.into()).or_insert((0, file.clone()));
            }
        }
        whole
    }
}

/// Adds a part's names with their rows; the place is that of the first row of all.
fn collect(all: &mut BTreeMap<String, (u64, String)>, names: &Names, file: &str) {
    for Found { name, rows, first } in &names.found {
        let unit = if file.to_lowercase().ends_with(".csv") { "line" } else { "row" };
        all.entry(name.clone()).or_insert_with(|| (0, format!("{file}, {unit} {first}"))).0 += rows;
    }
}

fn check_strategies(whole: &Whole, request: &Request) -> Result<()> {
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
fn nothing(whole: &Whole, parts: &[(String, Part)], request: &Request) -> Error {
    let whose = &request.whose;
    let rejected: Vec<String> = whole.rejected.reasons().iter().filter(|r| r.1 > 0).map(|(r, n)| format!("{n} {r}")).collect();
    let names: Vec<&str> = whole.strategies.keys().map(String::as_str).collect();
    Error::contract(match (parts.first(), names.as_slice(), rejected.as_slice()) {
        (_, [_, ..], _) => {
            let wanted = request.strategy.unwrap_or_default();
            format!(
                "{whose} has no assignments: no row of its table has {wanted:?} in the column \"strategy\"{} (strategies found: {}); correct the table or the name",
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

fn append(out: &mut Assignments, part: Part) -> Result<()> {
    let rows = part.arm.len();
    match (&mut out.ids, part.ids) {
        (CustomerIds::Int(all), CustomerIds::Int(own)) => all.extend(own),
        (CustomerIds::Text(all), CustomerIds::Text(own)) => (0..own.len()).for_each(|at| all.push(own.get(at))),
        _ => return Err(Error::bug("assignments with ids of two types")),
    }
    let numbers = |names: &Names, all: &[String]| -> Vec<u32> {
        names.found.iter().map(|f| all.iter().position(|name| *name == f.name).unwrap_or_default() as u32).collect()
    };
    let look_up = |numbers: &[u32], number: u32| numbers.get(number as usize).copied().unwrap_or_default();
    let arms = numbers(&part.arms, &out.arms);
    out.arm.extend(part.arm.iter().map(|arm| look_up(&arms, *arm) as u16));
    out.assigned_on.extend(part.assigned_on);
    if let Some(all) = &mut out.stratum {
        match part.has.stratum {
            true => {
                let place = |f: &Found| out.strata.binary_search(&f.name).unwrap_or_default() as u32;
                let strata: Vec<u32> = part.strata.found.iter().map(place).collect();
                all.extend(part.stratum.iter().map(|s| look_up(&strata, *s)));
            }
            false => {
                let none = out.strata.binary_search_by(|s| s.as_str().cmp(NO_STRATUM)).unwrap_or_default() as u32;
                all.extend(std::iter::repeat_n(none, rows));
            }
        }
    }
    if let Some(all) = &mut out.cost {
        all.extend(part.cost);
        all.resize(out.arm.len(), 0);
        out.null_costs += if part.has.cost { part.null_costs } else { rows as u64 };
    }
    if let Some(all) = &mut out.contacts {
        all.extend(part.contacts);
        all.resize(out.arm.len(), 0);
    }
    if let Some(all) = &mut out.ended_on {
        all.extend(part.ended_on);
        all.resize(out.arm.len(), None);
    }
    out.rows_read += part.rows_read;
    out.other_strategies += part.other_strategies;
    out.rejected.add(&part.rejected);
    Ok(())
}
