//! `assign`: from the states of a run to an assignment file, and what it can detect.

mod earlier;
mod export;
mod population;
mod shares;
mod show;

use std::collections::HashMap;

use serde_json::json;

use super::args::AssignArgs;
use super::console::Console;
use crate::assign::{Allocation, Candidates, DrawRules, PriorAssignment, ShareBounds, draw};
use crate::domain::Day;
use crate::error::{Error, Result, suggestion};
use crate::hash::HashDraw;
use crate::progress::Progress;
use crate::publish;
use crate::tables::{self, AssignedRows, CodedNames};
use export::Exported;
use population::{DictionaryColumn, Population, PopulationRequest};
use shares::Shares;

/// Most strata of a draw.
const MOST_STRATA: usize = 60_000;

pub(super) fn run(args: &AssignArgs, console: &Console) -> Result<()> {
    let flags = Flags::check(args)?;
    let (as_of, folder) = publish::customers(&args.folder, args.as_of)?;
    let assigned_on = args.assigned_on.unwrap_or(as_of.next());
    if assigned_on <= as_of {
        return Err(Error::usage(format!(
            "--assigned-on is {assigned_on}, but the states are those of {as_of}, which must be before it; name a later date, or an earlier --as-of"
        )));
    }
    let columns: Vec<(&str, &'static str)> = flags.columns.iter().map(|(column, flag)| (column.as_str(), *flag)).collect();
    let wanted = PopulationRequest { columns: &columns, slice: args.slice.as_deref() };
    let customers = population::read(&folder, &wanted)?;
    let chosen = choose(&flags, &customers, as_of)?;
    let drawn = draw_arms(args, &flags, &customers, &chosen, console)?;
    let strata = strata(&flags, &customers, &drawn.rows, &chosen)?;
    let states = customers.columns.first().ok_or_else(|| Error::bug("a draw without a column of states"))?;
    let state_codes: Vec<u32> = drawn.rows.iter().filter_map(|row| states.codes.get(*row).copied()).collect();
    let file = AssignedRows {
        strategy: &args.name,
        ids: &customers.ids,
        kind: customers.kind,
        rows: &drawn.rows,
        assigned_on,
        arms: CodedNames { codes: &drawn.arms, names: &flags.shares.arms },
        states: CodedNames { codes: &state_codes, names: &states.names },
        strata: CodedNames { codes: &strata.codes, names: &strata.names },
    };
    let bytes = match flags.csv {
        true => tables::assigned_csv(&file)?,
        false => tables::assigned_parquet(&file)?.bytes,
    };
    let exported = export::write(&args.output, &bytes)?;
    console.event(json!({
        "level": "info",
        "event": "assigned",
        "path": args.output.display().to_string(),
        "customers": drawn.rows.len(),
        "already_written": exported == Exported::Unchanged,
    }));
    let shown = show::Shown {
        args,
        shares: &flags.shares,
        as_of,
        assigned_on,
        candidates: chosen.rows.len(),
        drawn: &drawn,
        strata: &strata,
        states: &state_codes,
        customers: &customers,
        unchanged: exported == Exported::Unchanged,
    };
    show::draw(&shown)?;
    console.say(&show::job_section(&shown));
    Ok(())
}

/// The flags, checked as far as they can be without customers.
struct Flags {
    shares: Shares,
    /// Columns of `--from`, each with its states; none is all of them.
    from: Vec<(String, Option<Vec<String>>)>,
    /// Columns to read, those of `--from` first, each with the flag that names it.
    columns: Vec<(String, &'static str)>,
    /// Columns of `--strata`, as places in `columns`; empty for the state alone.
    strata: Vec<usize>,
    global: Option<(HashDraw, ShareBounds)>,
    csv: bool,
}

impl Flags {
    fn check(args: &AssignArgs) -> Result<Flags> {
        if args.name.trim().is_empty() || args.name.starts_with('(') {
            return Err(Error::usage(format!(
                "--name is {:?}, which is empty or begins with a parenthesis; name the strategy as the job file does",
                args.name
            )));
        }
        let ending = args.output.extension().map(|e| e.to_string_lossy().to_lowercase());
        let csv = match ending.as_deref() {
            Some("csv") => true,
            Some("parquet") => false,
            _ => {
                return Err(Error::usage(format!(
                    "--output is {}; expected a file that ends in .parquet or .csv",
                    args.output.display()
                )));
            }
        };
        let mut from: Vec<(String, Option<Vec<String>>)> = Vec::new();
        for text in &args.from {
            let (column, state) = match text.split_once('=') {
                Some((column, state)) => (column.trim(), Some(state.to_owned())),
                None => (text.trim(), None),
            };
            let place = match from.iter().position(|(name, _)| name == column) {
                Some(place) => place,
                None => {
                    from.push((column.to_owned(), Some(Vec::new())));
                    from.len() - 1
                }
            };
            if let Some((_, states)) = from.get_mut(place) {
                *states = states.take().zip(state).map(|(mut all, state)| {
                    all.push(state);
                    all
                });
            }
        }
        let mut columns: Vec<(String, &'static str)> = from.iter().map(|(column, _)| (column.clone(), "--from")).collect();
        let mut strata = Vec::with_capacity(args.strata.len());
        for column in &args.strata {
            let place = columns.iter().position(|(name, _)| name == column).unwrap_or(columns.len());
            if place == columns.len() {
                columns.push((column.clone(), "--strata"));
            }
            if !strata.contains(&place) {
                strata.push(place);
            }
        }
        if args.salt.is_empty() {
            return Err(Error::usage(
                "--salt is empty; give a text that names this draw, such as its strategy and quarter (an unset variable in a script?)",
            ));
        }
        let global = match (&args.global_holdout, &args.global_salt) {
            (Some(share), Some(salt)) => {
                if *salt == args.salt {
                    return Err(Error::usage(
                        "--global-salt and --salt are the same, so that the global hold-out would be taken from one arm alone; use two salts",
                    ));
                }
                let share = shares::holdout("--global-holdout", share)?;
                Some((HashDraw::new(salt), ShareBounds::new(&shares::with_rest(share))?))
            }
            _ => None,
        };
        Ok(Flags { shares: Shares::parse(args)?, from, columns, strata, global, csv })
    }
}

/// The customers in the states to draw from.
struct Chosen {
    /// Their places, ascending by customer id.
    rows: Vec<usize>,
    /// The different states they are in, ascending.
    states: Vec<u32>,
}

impl Chosen {
    /// The names of their states.
    fn states_of<'a>(&self, labels: &'a DictionaryColumn) -> Vec<&'a str> {
        self.states.iter().filter_map(|code| labels.names.get(*code as usize)).map(String::as_str).collect()
    }
}

fn choose(flags: &Flags, customers: &Population, as_of: Day) -> Result<Chosen> {
    let mut chosen = vec![true; customers.ids.len()];
    for ((column, states), labels) in flags.from.iter().zip(&customers.columns) {
        let Some(states) = states else { continue };
        let mut wanted = vec![false; labels.names.len()];
        for state in states {
            let place = labels.names.binary_search(state).map_err(|_| {
                Error::usage(format!(
                    "--from {column}={state:?}: no customer is in that state as of {as_of}{} (states: {}); name one of them",
                    suggestion(state, labels.names.iter().map(String::as_str)),
                    labels.names.join(", ")
                ))
            })?;
            if let Some(own) = wanted.get_mut(place) {
                *own = true;
            }
        }
        for (own, code) in chosen.iter_mut().zip(&labels.codes) {
            *own &= wanted.get(*code as usize) == Some(&true);
        }
    }
    let mut rows: Vec<usize> = chosen.iter().enumerate().filter(|(_, own)| **own).map(|(row, _)| row).collect();
    if rows.is_empty() {
        return Err(Error::usage(format!("--from {}: no customer is in all these states as of {as_of}", flags.states_text())));
    }
    rows.sort_unstable_by(|a, b| customers.ids.compare(*a, *b));
    let mut states: Vec<u32> = match customers.columns.first() {
        Some(labels) => rows.iter().filter_map(|row| labels.codes.get(*row).copied()).collect(),
        None => Vec::new(),
    };
    states.sort_unstable();
    states.dedup();
    Ok(Chosen { rows, states })
}

impl Flags {
    fn states_text(&self) -> String {
        let one = |(column, states): &(String, Option<Vec<String>>)| match states {
            Some(states) => format!("{column}={}", states.join("|")),
            None => column.clone(),
        };
        self.from.iter().map(one).collect::<Vec<_>>().join(" and ")
    }
}

/// Who was drawn into what.
struct Drawn {
    /// Places of the assigned customers, ascending by id.
    rows: Vec<usize>,
    /// Their arms.
    arms: Vec<u32>,
    /// Customers in the global hold-out.
    global: u64,
    /// Customers left out for an earlier assignment.
    left_out: u64,
    /// Customers who keep the arm of an earlier assignment.
    kept: u64,
}

fn draw_arms(args: &AssignArgs, flags: &Flags, customers: &Population, chosen: &Chosen, console: &Console) -> Result<Drawn> {
    let states = customers.columns.first().ok_or_else(|| Error::bug("a draw without a column of states"))?;
    let bounds = flags.shares.bounds(&states.names, &chosen.states_of(states))?;
    let earlier = earlier::read(args, &flags.shares, customers, &chosen.rows)?;
    let rules = DrawRules { lots: HashDraw::new(&args.salt), bounds, global: flags.global.clone() };
    let (kind, rows) = (customers.kind, chosen.rows.as_slice());
    let roles = draw(&rules, &Candidates { ids: &customers.ids, kind, state: &states.codes, rows, earlier: &earlier });
    let mut drawn = Drawn { rows: Vec::with_capacity(rows.len()), arms: Vec::new(), global: 0, left_out: 0, kept: 0 };
    for (at, (&row, role)) in rows.iter().zip(&roles).enumerate() {
        match role {
            Allocation::Arm(arm) => {
                drawn.rows.push(row);
                drawn.arms.push(u32::from(*arm));
                drawn.kept += u64::from(matches!(earlier.get(at), Some(PriorAssignment::Arm(_))));
            }
            Allocation::Excluded => drawn.left_out += 1,
            Allocation::GlobalHoldout => drawn.global += 1,
        }
    }
    if drawn.rows.is_empty() {
        return Err(Error::contract(format!(
            "no customer is left to assign: of {} in the states of --from, {} are in the global hold-out and {} are left out for an earlier assignment; draw from more states",
            rows.len(),
            drawn.global,
            drawn.left_out
        )));
    }
    for (number, arm) in (0u32..).zip(&flags.shares.arms) {
        if !drawn.arms.contains(&number) {
            console.warn(&format!("the arm {arm} is empty; draw from more customers or give it a larger share"));
        }
    }
    let share = |at: usize| {
        let code = rows.get(at).and_then(|row| states.codes.get(*row)).copied().unwrap_or_default();
        let shares = states.names.get(code as usize).map_or(Vec::new(), |state| flags.shares.of(state));
        shares.first().map_or(0.0, |share| share.printed(0))
    };
    if let Some(warning) = earlier::uneven(&earlier, share) {
        console.warn(&warning);
    }
    Ok(drawn)
}

/// The strata of the assigned customers.
struct Strata {
    codes: Vec<u32>,
    names: Vec<String>,
}

fn strata(flags: &Flags, customers: &Population, rows: &[usize], chosen: &Chosen) -> Result<Strata> {
    let mut places = flags.strata.clone();
    // Strata never join states, which may have shares of their own.
    if places.is_empty() || (chosen.states.len() > 1 && !places.contains(&0)) {
        places.insert(0, 0);
    }
    let columns: Vec<_> = places.iter().filter_map(|place| customers.columns.get(*place)).collect();
    let mut numbers: HashMap<Vec<u32>, u32> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    let mut codes: Vec<u32> = Vec::with_capacity(rows.len());
    let mut key: Vec<u32> = Vec::new();
    for row in rows {
        key.clear();
        key.extend(columns.iter().map(|labels| labels.codes.get(*row).copied().unwrap_or_default()));
        let code = match numbers.get(&key) {
            Some(code) => *code,
            None => {
                let parts: Vec<&str> = columns
                    .iter()
                    .zip(&key)
                    .map(|(labels, code)| labels.names.get(*code as usize).map_or("", String::as_str))
                    .collect();
                let code = names.len() as u32;
                names.push(parts.join(" / "));
                numbers.insert(key.clone(), code);
                code
            }
        };
        codes.push(code);
    }
    if names.len() > MOST_STRATA {
        return Err(Error::usage(format!(
            "--strata {} makes {} strata; at most {MOST_STRATA} are compared, so name fewer columns",
            flags.strata.iter().filter_map(|p| flags.columns.get(*p)).map(|(c, _)| c.as_str()).collect::<Vec<_>>().join(","),
            names.len()
        )));
    }
    // By name, so that no order of the customers shows.
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_unstable_by_key(|at| names.get(*at));
    let mut place = vec![0u32; names.len()];
    for (number, at) in (0..).zip(&order) {
        if let Some(own) = place.get_mut(*at) {
            *own = number;
        }
    }
    let sorted = order.iter().filter_map(|at| names.get(*at).cloned()).collect();
    let codes = codes.iter().filter_map(|code| place.get(*code as usize).copied()).collect();
    Ok(Strata { codes, names: sorted })
}
