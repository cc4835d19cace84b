//! `assign`: from the states of a run to an assignment file, and what it can detect.

mod draw;
mod earlier;
mod export;
mod flags;
mod population;
mod selection;
mod shares;
mod show;
mod strata;

use serde_json::json;

use super::args::AssignArgs;
use super::console::Console;
use crate::error::{Error, Result};
use crate::publish;
use crate::tables::{self, AssignedRows, CodedNames};
use export::Exported;
use flags::Flags;
use population::PopulationRequest;

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
    let selection = selection::select(&flags, &customers, as_of)?;
    let drawn = draw::draw_arms(args, &flags, &customers, &selection, console)?;
    let strata = strata::strata(&flags, &customers, &drawn.rows, &selection)?;
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
        candidates: selection.rows.len(),
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
