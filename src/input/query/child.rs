//! Runs `rfmill-query`: a line of JSON to it, a line of JSON back. Its standard input stays open while it works; when this
//! process ends, however it ends, that closes, and the program ends with it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rfmill_query_request::{Done, FailureKind, PROGRAM, Reply, Request};

use crate::error::{Error, Kind, Result};
use crate::job::parse::Source;

/// What builds the program.
const BUILD: &str = "cargo build --release -p rfmill-query";

/// Share of a memory limit, in percent, from which the program sends to disk what it can.
const SPILL_PERCENT: u64 = 50;

/// Groups of a GROUP BY that all threads together add rows to as they come. Each row of any other group takes memory until all rows were read.
const OPEN_GROUPS: u64 = 1 << 22;

/// Bytes of a memory limit for each of them.
const GROUP_BYTES: u64 = 128;

/// Runs a query and gives its account; `job` is the job file.
///
/// # Errors
/// Exit 2 if the program is missing or of another version; those that the program reports.
pub(super) fn run(request: &Request, job: &Source) -> Result<Done> {
    let program = program()?;
    let mut child = start(&program, request)?;
    let line = ask(&mut child, request);
    // Closing its input lets the program end.
    drop(child.stdin.take());
    let status = child.wait().map_err(|e| broken(&program, &e).caused_by(e))?;
    match line.as_deref().map(serde_json::from_str::<Reply>) {
        Some(Ok(Reply::Done(done))) => Ok(done),
        Some(Ok(Reply::Failed(failure))) => Err(Error::new(kind(failure.kind), placed(&failure.sentence, request, job))),
        Some(Err(e)) => Err(Error::usage(format!(
            "{} is of another version than this rfmill; build it from the same source with: {BUILD}",
            program.display()
        ))
        .caused_by(e)),
        None => Err(without_answer(&program, request, status)),
    }
}

/// The program, beside the one that runs.
fn program() -> Result<PathBuf> {
    let own = std::env::current_exe()
        .map_err(|e| Error::usage(format!("cannot tell where rfmill is, to find {PROGRAM} beside it: {e}")).caused_by(e))?;
    let path = own.with_file_name(PROGRAM);
    match path.is_file() {
        true => Ok(path),
        false => Err(Error::usage(format!(
            "the job has a query, and the program that runs it is missing: there is no {}. Build it with: {BUILD}, or take it from the archive that rfmill came in",
            path.display()
        ))),
    }
}

fn start(program: &Path, request: &Request) -> Result<Child> {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        // Results are those of the job, not of settings of the engine that happen to be there.
        if name.as_encoded_bytes().starts_with(b"POLARS_") {
            command.env_remove(name);
        }
    }
    let threads = rayon::current_num_threads();
    command.env("POLARS_MAX_THREADS", threads.to_string());
    command.env("POLARS_HOT_TABLE_SIZE", open_groups(request.memory_limit, threads as u64).to_string());
    command.env("POLARS_OOC_SPILL_DIR", &request.scratch);
    command.env("POLARS_TEMP_DIR", &request.scratch);
    if let Some(limit) = request.memory_limit {
        let budget = (limit * SPILL_PERCENT / 100) >> 20;
        command.env("POLARS_OOC_MEMORY_BUDGET_MB", budget.max(1).to_string());
    }
    // In a group of its own, an interrupt from the keyboard reaches this process alone, which ends the program.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    command
        .spawn()
        .map_err(|e| Error::usage(format!("cannot start {}: {e}; build it again with: {BUILD}", program.display())).caused_by(e))
}

/// Groups that each thread adds rows to as they come, a power of two as the engine wants it.
fn open_groups(memory_limit: Option<u64>, threads: u64) -> u64 {
    let groups = memory_limit.map_or(OPEN_GROUPS, |limit| OPEN_GROUPS.min(limit / GROUP_BYTES)) / threads.max(1);
    1 << groups.max(1 << 12).ilog2()
}

/// Sends the request and waits for the line that answers it; none if the program ends before.
fn ask(child: &mut Child, request: &Request) -> Option<String> {
    let mut text = serde_json::to_string(request).ok()?;
    text.push('\n');
    let input = child.stdin.as_mut()?;
    // One that ends without reading the request may have answered nevertheless.
    let _ = input.write_all(text.as_bytes()).and_then(|()| input.flush());
    let mut line = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
    line.ends_with('\n').then_some(line)
}

fn kind(kind: FailureKind) -> Kind {
    match kind {
        FailureKind::Bug => Kind::Bug,
        FailureKind::Usage => Kind::Usage,
        FailureKind::Contract => Kind::Contract,
        FailureKind::Input => Kind::Input,
        FailureKind::Resource => Kind::Resource,
    }
}

/// A sentence about SQL with the place of the query in the job file.
fn placed(sentence: &str, request: &Request, job: &Source) -> String {
    match sentence.strip_prefix(&request.key) {
        Some(rest) => {
            format!("{}: {}{rest}", job.locate(&request.key, &request.sql), request.key)
        }
        None => sentence.to_owned(),
    }
}

fn broken(program: &Path, what: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::Bug, format!("{} did not answer: {what}; please report it with the job file", program.display()))
}

/// Why a program may end without an answer.
fn without_answer(program: &Path, request: &Request, status: ExitStatus) -> Error {
    match status.signal() {
        Some(libc::SIGKILL) => Error::new(
            Kind::Resource,
            format!(
                "{} was killed while it ran {}, as systems do when memory runs out; give --memory-limit, so that it sends to disk what it can",
                program.display(),
                request.key
            ),
        ),
        Some(libc::SIGABRT) => Error::new(
            Kind::Resource,
            format!(
                "{} was refused memory while it ran {}; give a lower --memory-limit, so that it sends to disk what it can, or a larger machine",
                program.display(),
                request.key
            ),
        ),
        _ => broken(program, &status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_groups_share_memory_and_threads() {
        for (limit, threads, wanted) in [
            (None, 1, 1 << 22),
            (None, 2, 1 << 21),
            (None, 3, 1 << 20),
            (Some(512 << 20), 2, 1 << 21),
            (Some(64 << 20), 1, 1 << 19),
        ] {
            assert_eq!(open_groups(limit, threads), wanted, "{limit:?} {threads}");
        }
        assert_eq!(open_groups(Some(0), 64), 1 << 12);
    }
}
