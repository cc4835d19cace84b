//! `assign`: from the states of a run to an assignment file, and what it can find.

mod draw;
mod earlier;
mod export;
mod findings;
mod flags;
mod past;
mod population;
mod proposal;
mod selection;
mod shares;
mod show;
mod strata;

use serde_json::json;

use super::args::AssignArgs;
use super::console::{Console, data};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::publish;
use crate::storage::Place;
use crate::tables::{self, AssignedRows, CodedNames};
use export::Exported;
use flags::Flags;
use past::PastSpend;
use population::PopulationRequest;
use show::Shown;
use strata::Strata;

pub(super) fn run(args: &AssignArgs, console: &Console) -> Result<()> {
    let find = args.find.as_deref().map(proposal::gain).transpose()?;
    let halves = find.map(|_| proposal::as_halves(args));
    let args = halves.as_ref().unwrap_or(args);
    let flags = Flags::check(args)?;
    let output = Place::of_argument(&args.folder);
    let (as_of, folder) = publish::customers(&output, args.as_of)?;
    if let Some(newer) = publish::newest_customers(&output).filter(|newer| *newer > as_of) {
        console.warn(&format!(
            "the states are those of {as_of}, but {newer} is committed, too; draw from it with --as-of {newer}, unless the older states are meant"
        ));
    }
    let assigned_on = args.assigned_on.unwrap_or(as_of.next());
    if assigned_on <= as_of {
        return Err(Error::usage(format!(
            "--assigned-on is {assigned_on}, but the states are those of {as_of}, which must be before it; name a later date, or an earlier --as-of"
        )));
    }
    let columns: Vec<(&str, &'static str)> = flags.columns.iter().map(|(column, flag)| (column.as_str(), *flag)).collect();
    let wanted = PopulationRequest { columns: &columns, slice: args.slice.as_deref(), money: None };
    let customers = population::read(&folder, &wanted)?;
    let selection = selection::select(&flags, &customers, as_of)?;
    let drawn = draw::draw_arms(args, &flags, &customers, &selection, console)?;
    let places = strata::columns(&flags, selection.states.len());
    let strata = strata::strata(&flags, &places, &customers, &drawn.rows)?;
    let past = args.job.as_deref().map(|job| past::read(job, args, &flags, as_of, &places)).transpose()?;
    let candidates = selection.rows.len();
    if let Some(past) = past.as_ref().filter(|past| past.candidates != candidates) {
        console.warn(&format!(
            "by the job file and its orders, {} customers are in the states to draw from as of {as_of}, and by the output {candidates}; run the job again",
            past.candidates
        ));
    }
    if let (Some(find), Some(past)) = (find, &past) {
        return propose(&flags, &strata, past, find);
    }
    let states = customers.columns.first().ok_or_else(|| Error::bug("a draw without a column of states"))?;
    let state_codes: Vec<u32> = drawn.rows.iter().filter_map(|row| states.codes.get(*row).copied()).collect();
    let shown = Shown {
        args,
        shares: &flags.shares,
        as_of,
        assigned_on,
        candidates,
        drawn: &drawn,
        strata: &strata,
        states: &state_codes,
        customers: &customers,
        past: past.as_ref(),
        unchanged: false,
    };
    write(shown, flags.csv, console)
}

/// Prints the hold-outs that would find a gain.
fn propose(flags: &Flags, strata: &Strata, past: &PastSpend, find: f64) -> Result<()> {
    let mut customers = vec![0u64; strata.names.len()];
    for code in &strata.codes {
        customers.get_mut(*code as usize).into_iter().for_each(|customers| *customers += 1);
    }
    let states: Vec<(String, u64)> = strata.names.iter().cloned().zip(customers).collect();
    let column = flags.from.first().map_or("", |(column, _)| column.as_str());
    data(&proposal::text(column, &states, past, find))
}

/// Writes the assignment file, and says what was drawn.
fn write(mut shown: Shown<'_>, csv: bool, console: &Console) -> Result<()> {
    let Shown { args, customers, drawn, strata, .. } = shown;
    let states = customers.columns.first().ok_or_else(|| Error::bug("a draw without a column of states"))?;
    let file = AssignedRows {
        strategy: &args.name,
        ids: &customers.ids,
        kind: customers.kind,
        rows: &drawn.rows,
        assigned_on: shown.assigned_on,
        arms: CodedNames { codes: &drawn.arms, names: &shown.shares.arms },
        states: CodedNames { codes: shown.states, names: &states.names },
        strata: CodedNames { codes: &strata.codes, names: &strata.names },
    };
    let bytes = match csv {
        true => tables::assigned_csv(&file)?,
        false => tables::assigned_parquet(&file)?.bytes,
    };
    shown.unchanged = export::write(&args.output, &bytes)? == Exported::Unchanged;
    console.event(json!({
        "level": "info",
        "event": "assigned",
        "path": args.output.display().to_string(),
        "customers": drawn.rows.len(),
        "already_written": shown.unchanged,
    }));
    show::draw(&shown)?;
    console.say(&show::job_section(&shown));
    Ok(())
}
