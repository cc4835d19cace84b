//! Runs the queries of rfmill's job files: it reads a request of one line from its standard input, and answers with one line.
//!
//! [`sql`] checks the text of a query, [`sources`] makes tables of files, [`run`] plans and runs it, [`exact`] looks at the plan,
//! [`values`] reads numbers that are text. [`answer`] is the one place where anything is said, [`failure`] makes sentences of what the engine says.

mod answer;
mod exact;
mod failure;
mod memory;
mod run;
mod sources;
mod sql;
mod values;

use std::io::{BufRead, IsTerminal, Read};
use std::process::ExitCode;

use rfmill_query_request::{Reply, Request, VERSION};

use failure::{Result, usage};

/// Counts what is allocated, by which the engine knows when to send data to disk.
#[global_allocator]
static ALLOCATOR: polars_ooc::Allocator = polars_ooc::Allocator;

const HELP: &str = "\
rfmill-query runs the queries of rfmill's job files. rfmill starts it where a job has a query; there is nothing to do by hand.
It reads a request from its standard input, one line of JSON, and answers with one line.
  --version  print the version";

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("--version" | "-V") => {
            println!("rfmill-query {} (requests of version {VERSION})", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Some(argument) if argument != "--help" && argument != "-h" => {
            eprintln!("error[usage]: {argument:?} is no argument of rfmill-query.\n{HELP}");
            return ExitCode::from(2);
        }
        Some(_) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        None if std::io::stdin().is_terminal() => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
        None => {}
    }
    answer::say_panics();
    let reply = match request().and_then(|request| {
        end_with_the_caller();
        memory::watch(request.memory_limit, &request.key);
        run::run(&request)
    }) {
        Ok(done) => Reply::Done(done),
        Err(failure) => Reply::Failed(failure),
    };
    answer::answer(&reply);
    ExitCode::SUCCESS
}

/// Reads the request.
fn request() -> Result<Request> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|e| usage(format!("the request cannot be read: {e}")))?;
    let value: serde_json::Value = serde_json::from_str(&line)
        .map_err(|e| usage(format!("the request is no line of JSON ({e}); rfmill-query is started by rfmill")))?;
    let version = value.get("version").and_then(serde_json::Value::as_u64);
    if version != Some(VERSION.into()) {
        return Err(usage(format!(
            "rfmill-query {} reads requests of version {VERSION}, and rfmill sends another; build both from the same source with: cargo build --release --workspace",
            env!("CARGO_PKG_VERSION")
        )));
    }
    serde_json::from_value(value).map_err(|e| usage(format!("the request is not one of rfmill: {e}")))
}

/// Ends the program when the standard input closes, which it does when the caller is gone.
fn end_with_the_caller() {
    std::thread::spawn(|| {
        let mut rest = [0u8; 64];
        while std::io::stdin().lock().read(&mut rest).is_ok_and(|read| read > 0) {}
        std::process::exit(143);
    });
}
