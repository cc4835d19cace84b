//! `rfmill verify`, `rfmill drop` and `rfmill forget`: what an output holds, and taking a date or customers out of it.

use serde_json::{Map, Value, json};

use super::console::{Console, count, printable};
use super::output_args::{DropArgs, ForgetArgs, VerifyArgs};
use crate::error::Result;
use crate::progress::Progress;
use crate::publish::{self, Forgotten, Output, People, Report, Verified};
use crate::storage::Place;

/// Findings that are printed.
const MOST: usize = 50;

pub(super) fn verify(args: &VerifyArgs, console: &Console) -> Result<()> {
    let output = Place::of_argument(&args.output);
    let report = if args.repair { publish::repair(&output)? } else { publish::verify(&output)? };
    tell(args, &report, console);
    for what in &report.repaired {
        console.line("repaired", &format!("{output}: put right: {}", printable(what)))?;
    }
    if let Some(error) = report.error() {
        if report.findings.len() > 1 {
            for finding in report.findings.iter().take(MOST) {
                console.finding(&printable(finding))?;
            }
            if let Some(more) = report.findings.len().checked_sub(MOST).filter(|more| *more > 0) {
                console.finding(&format!("and {more} more"))?;
            }
        }
        return Err(error);
    }
    console.line("verified", &format!("{output}: ok ({})", described(&report.verified)))
}

/// What `verify` tells in its document.
fn tell(args: &VerifyArgs, report: &Report, console: &Console) {
    let found = &report.verified;
    console.tell("output", args.output.display().to_string());
    console.tell("repaired", report.repaired.clone());
    console.tell("findings", report.findings.clone());
    console.tell("run_id", found.run_id.clone());
    console.tell("job_name", found.job_name.as_str());
    console.tell("as_of", found.as_of.clone());
    console.tell("dates", found.dates.clone());
    console.tell("files", found.files);
    console.tell("bytes", found.bytes);
    console.tell("tables", found.tables.iter().map(|(name, rows)| (name.clone(), Value::from(*rows))).collect::<Map<_, _>>());
    console.tell("unvouched", found.unvouched);
    console.tell("unfinished", found.unfinished.clone());
}

fn described(found: &Verified) -> String {
    let tables: Vec<String> = found.tables.iter().map(|(name, rows)| format!("{name} {}", count(rows))).collect();
    let run = match &found.run_id {
        Some(run_id) => format!("run {run_id} of job {:?}, as of {}", found.job_name, found.as_of.join(", ")),
        None => format!("job {:?}; no run is left whose last as-of date is in view, so `latest` names none", found.job_name),
    };
    let dates = match found.dates.as_slice() {
        [] => "no as-of date in tables/".to_owned(),
        [date] => format!("1 as-of date in tables/: {date}"),
        [first, .., last] => format!("{} as-of dates in tables/ from {first} to {last}", count(found.dates.len())),
    };
    let unvouched = match found.unvouched {
        0 => String::new(),
        n => format!("; written by 0.1.0: the files of {n} of these dates are vouched for from the next commit on"),
    };
    let left = match found.unfinished.as_slice() {
        [] => String::new(),
        names => format!("; {}: being written, or left by a run that was killed, and then removed by the next", names.join(", ")),
    };
    format!("{run}; {dates}; {} files, {} bytes; rows: {}{unvouched}{left}", found.files, count(found.bytes), tables.join(", "))
}

pub(super) fn drop_date(args: &DropArgs, console: &Console) -> Result<()> {
    let date = args.as_of.to_string();
    let dropped = Output::open_existing(&Place::of_argument(&args.output))?.drop_date(&date)?;
    dropped.notes.iter().for_each(|note| console.warn(note));
    console.event(json!({
        "level": "info",
        "event": "dropped",
        "as_of": date,
        "latest": dropped.latest.as_ref().map(|(run_id, _)| run_id),
    }));
    console.tell("output", args.output.display().to_string());
    console.tell("as_of", date.as_str());
    console.tell("latest", dropped.latest.as_ref().map(|(run_id, as_of)| json!({ "run_id": run_id, "as_of": as_of })));
    let latest = match &dropped.latest {
        Some((run_id, as_of)) => format!("latest is run {run_id} as of {as_of}"),
        None => "no run is left whose last as-of date is in view, so there is no latest: run the job again".to_owned(),
    };
    console.say(&format!(
        "as-of date {date} is taken out of {}; {latest}. `rfmill load` takes it out of the database; a run with --as-of {date} brings it back",
        args.output.display()
    ));
    Ok(())
}

pub(super) fn forget(args: &ForgetArgs, console: &Console) -> Result<()> {
    let people = People::read(&args.ids)?;
    let done = Output::open_existing(&Place::of_argument(&args.output))?.forget_customers(&people)?;
    done.notes.iter().for_each(|note| console.warn(note));
    let Forgotten { customers, unknown, rows, files, dates, reports, latest, .. } = &done;
    if *unknown > 0 {
        let ids = if *unknown == 1 { "1 id is".into() } else { format!("{} ids are", count(unknown)) };
        console.warn(&format!(
            "{ids} in no file of the output; ids are compared as customer_id shows them, with case, blanks and leading zeros of texts"
        ));
    }
    for report in reports {
        console
            .warn(&format!("{report} is left out, because a warning in it may name a customer; run the job again for a new one"));
    }
    let told = json!({
        "output": args.output.display().to_string(),
        "customers": customers,
        "unknown": unknown,
        "rows": rows,
        "files": files,
        "dates": dates,
        "reports": reports,
        "latest": latest.as_ref().map(|(run_id, as_of)| json!({ "run_id": run_id, "as_of": as_of })),
    });
    for (key, value) in told.as_object().into_iter().flatten() {
        console.tell(key, value.clone());
    }
    let mut event = told;
    event["level"] = "info".into();
    event["event"] = "forgotten".into();
    console.event(event);
    let output = args.output.display();
    if *customers == 0 {
        console.say(&format!(
            "already forgotten: no file of {output} holds any of these {} ids, and nothing was changed",
            count(unknown)
        ));
        return Ok(());
    }
    console.say(&format!(
        "{} customer{} forgotten: {} rows are taken out of {} files of {} as-of date{} of {output}, and older runs are gone; sums stay as they are. `rfmill load` takes them out of the database. Orders, customers and events that still hold them bring them back with the next run: take them out there, too, or leave them out with [[orders.keep]]",
        count(customers),
        if *customers == 1 { " is" } else { "s are" },
        count(rows),
        count(files),
        count(dates.len()),
        if dates.len() == 1 { "" } else { "s" },
    ));
    Ok(())
}
