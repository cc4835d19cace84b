//! `rfmill tables`: which tables an output shows, and the rows of one as an Arrow stream.

use std::error::Error as _;
use std::io::{self, BufWriter, IsTerminal, Write};

use serde_json::{Value, json};

use super::console::{Console, columns, count, data};
use super::output_args::TablesArgs;
use crate::error::{Error, Result, suggestion};
use crate::export::{self, Column, Source, SourceTable};
use crate::progress::Progress;
use crate::storage::Place;

/// Bytes that are written at once.
const CHUNK: usize = 1 << 20;

pub(super) fn run(args: &TablesArgs, console: &Console) -> Result<()> {
    let output = Place::of_argument(&args.output);
    let source = export::view(&output, args.commit)?;
    if let Some(warning) = source.warning(&output) {
        console.warn(&warning);
    }
    match &args.table {
        Some(name) => write(&output, &source, name),
        None => list(args, &source, console),
    }
}

/// Writes the rows of a table to stdout.
fn write(output: &Place, source: &Source, name: &str) -> Result<()> {
    let names = || source.tables.iter().map(|table| table.name.as_str());
    let table = source.tables.iter().find(|table| table.name == name).ok_or_else(|| {
        let (hint, names) = (suggestion(name, names()), names().collect::<Vec<_>>().join(", "));
        Error::usage(format!("{output} has no table {name:?}{hint} (its tables are {names}); name one of them"))
    })?;
    let stdout = io::stdout().lock();
    if stdout.is_terminal() {
        return Err(Error::usage(format!(
            "the rows of {name} are bytes of an Arrow stream, which a terminal cannot show; send them to a file, as in: rfmill tables {output} {name} > {name}.arrows"
        )));
    }
    let mut out = BufWriter::with_capacity(CHUNK, stdout);
    let written = export::write_stream(table, &mut out).map(drop);
    let flushed = written.and_then(|()| {
        out.flush().map_err(|e| Error::output(format!("cannot write to standard output: {e}; check where it goes")).caused_by(e))
    });
    match flushed {
        // A reader that has enough goes away.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        flushed => flushed,
    }
}

/// Whether the reader of a pipe has gone.
fn is_broken_pipe(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Says which tables there are.
fn list(args: &TablesArgs, source: &Source, console: &Console) -> Result<()> {
    console.tell("output", args.output.display().to_string());
    console.tell("commit", source.commit);
    console.tell("run_id", source.run_id.as_str());
    console.tell("job_name", source.job.as_str());
    console.tell("as_of", source.dates.iter().map(ToString::to_string).collect::<Vec<_>>());
    console.tell("tables", source.tables.iter().map(table_value).collect::<Vec<_>>());
    if console.is_document() {
        return Ok(());
    }
    let heading = ["table", "rows", "as-of dates"].map(str::to_owned).to_vec();
    let row = |table: &SourceTable| {
        let dates = if table.is_dated() { count(table.parts.len()) } else { "all".into() };
        vec![table.name.clone(), count(rows(table)), dates]
    };
    data(&columns(&std::iter::once(heading).chain(source.tables.iter().map(row)).collect::<Vec<_>>()))
}

fn rows(table: &SourceTable) -> u64 {
    table.parts.values().map(export::Part::rows).sum()
}

fn table_value(table: &SourceTable) -> Value {
    let column = |column: &Column| json!({ "name": column.name, "type": column.kind.sql(), "description": column.doc });
    let as_of = json!({ "name": export::AS_OF, "type": "DATE", "description": "As-of date." });
    let columns = table.is_dated().then_some(as_of).into_iter().chain(table.columns.iter().map(column));
    json!({
        "name": table.name,
        "one_row_per": table.one_row_per,
        "rows": rows(table),
        "columns": columns.collect::<Vec<_>>(),
    })
}
