//! `rfmill load`: from an output folder into PostgreSQL.

use std::time::Instant;

use serde_json::json;

use super::console::{Console, columns, count, duration, printable};
use super::output_args::LoadArgs;
use crate::error::Result;
use crate::load::{LoadSpec, Loaded, load};
use crate::storage::Place;

pub(super) fn run(args: &LoadArgs, console: &Console) -> Result<()> {
    let began = Instant::now();
    let connections = usize::from(args.connections);
    let loaded = load(&LoadSpec { output: &Place::of_argument(&args.output), to: &args.to, connections }, console)?;
    let place = format!("schema {} of {}", printable(&loaded.schema), printable(&loaded.place));
    console.event(json!({
        "level": "info",
        "event": "loaded",
        "run_id": loaded.run_id,
        "schema": loaded.schema,
        "place": loaded.place,
        "dropped": loaded.gone,
        "already_loaded": loaded.is_repeat(),
        "kept": loaded.kept.iter().map(|view| json!({ "view": view.name, "why": view.why })).collect::<Vec<_>>(),
        "tables": loaded.tables.iter().map(|(name, dates, rows)| json!({ "name": name, "dates": dates, "rows": rows })).collect::<Vec<_>>(),
        "seconds": began.elapsed().as_secs_f64(),
    }));
    if loaded.is_repeat() {
        say_kept(&loaded, console);
        console.say(&format!("already loaded: run {} is in {place}, nothing was changed", loaded.run_id));
        return Ok(());
    }
    let mut rows = vec![vec!["table".to_owned(), "as-of dates".into(), "rows".into()]];
    rows.extend(loaded.tables.iter().map(|(name, dates, n)| vec![printable(name), count(dates), count(n)]));
    console.say(&format!("\n{}", columns(&rows)));
    if loaded.gone > 0 {
        let dates = if loaded.gone == 1 { "as-of date" } else { "as-of dates" };
        console.say(&format!("{} {dates} taken out", count(loaded.gone)));
    }
    say_kept(&loaded, console);
    console.say(&format!("\nrun {} is loaded, {}: {place}", loaded.run_id, duration(began.elapsed())));
    Ok(())
}

/// Names the views that are not as this version makes them.
fn say_kept(loaded: &Loaded, console: &Console) {
    for view in &loaded.kept {
        console.say(&format!("kept: {}", printable(&view.why)));
    }
}
