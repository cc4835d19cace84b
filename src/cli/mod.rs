//! The command line: arguments, what is printed where, and exit codes.
//!
//! Data goes to stdout, everything else to stderr. Exit codes are those of [`crate::error::Kind`].

mod args;
mod assign;
mod commands;
mod common_args;
mod console;
mod dry_run;
mod examples;
mod explain;
mod init;
mod init_args;
mod load;
mod man;
mod open;
mod output;
mod output_args;
mod quickstart;
mod signals;
mod stages;
mod tables;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use serde_json::json;

use crate::error::{Error, Kind, Limit, library_text_reports_memory, nearest};
use args::{Arguments, Command, Format, LogArgs, LogFormat, StageCommand, command_names};
use console::Console;

/// Whether a library gave up because the system had no thread or no memory for it. Some can only panic then.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Whether lines of the log are JSON. A panic is told where nothing else is known.
static LOGS_JSON: AtomicBool = AtomicBool::new(false);

/// Parses the command line, runs the command and reports its error; the exit code says who must act.
pub fn main() -> ExitCode {
    quiet_contained_panics();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            return misused(error);
        }
    };
    LOGS_JSON.store(arguments.log.log_format == LogFormat::Json, Ordering::SeqCst);
    let command = &arguments.command;
    let console = Arc::new(Console::new(arguments.log, command.format(), Some(command.name())));
    let publishes =
        matches!(arguments.command, Command::Run(_) | Command::Quickstart(_) | Command::Stage(StageCommand::Finish(_)));
    signals::watch(Arc::clone(&console), publishes);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        dispatch(&arguments.command, &console).and_then(|()| console.finish())
    }));
    signals::give_way();
    let error = match outcome {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => of_limits(error),
        Err(_) if REFUSED.load(Ordering::SeqCst) => Error::new(
            Kind::Resource,
            "the system refused a thread or the memory for it; use fewer with --threads, or raise the limit (ulimit -u, -v)",
        ),
        Err(_) => Error::bug("the program stopped on a broken assumption (see the message above)"),
    };
    console.error(&error);
    ExitCode::from(error.kind().exit_code())
}

/// Prints what the parser says of a command line that names no command to run.
fn misused(mut error: clap::Error) -> ExitCode {
    suggest_command(&mut error);
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    // Help and version are no errors; clap knows the stream of each.
    if code == 0 {
        let _ = error.print();
        return ExitCode::from(code);
    }
    let text = error.to_string();
    let text = without_passwords(&text).unwrap_or(text);
    let text = text.trim_start_matches("error: ").trim_end();
    let kind = Kind::Usage.name();
    let (log, format) = (asks_for_json("--log-format"), asks_for_json("--format"));
    if !(log || format) {
        // Without a command, the text is the help.
        let is_error = error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        console::print(&format!("{}{text}", if is_error { console::head(kind) } else { String::new() }));
        return ExitCode::from(code);
    }
    let log = LogArgs { log_format: if log { LogFormat::Json } else { LogFormat::Text }, quiet: false };
    let format = if format { Format::Json } else { Format::Text };
    Console::new(log, format, None).failure(code, kind, text);
    ExitCode::from(code)
}

/// Names the command that a misspelt one is near to, where the parser names none, or all commands if it is near to none.
fn suggest_command(error: &mut clap::Error) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return };
    if error.get(ContextKind::SuggestedSubcommand).is_some() {
        return;
    }
    let root = Arguments::command();
    let names = command_names(&root);
    match nearest(word, names.iter().copied()) {
        Some(near) => error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![near.to_owned()])),
        None => {
            let listed = format!("the commands are {}", names.join(", "));
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![listed.into()]))
        }
    };
}

/// Whether the command line has `flag json` or `flag=json`, looked at where it cannot be parsed.
fn asks_for_json(flag: &str) -> bool {
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let joined = format!("{flag}=json");
    arguments.contains(&joined) || arguments.windows(2).any(|pair| pair[0] == flag && pair[1] == "json")
}

/// The same error as one of a resource, where the system had no more to give. Any step that opens a file can meet that, and
/// says which file; the file is not to blame.
fn of_limits(error: Error) -> Error {
    let limit = match Limit::behind(&error).filter(|_| error.kind() != Kind::Resource) {
        Some(Limit::OpenFiles) => "open files (ulimit -n)",
        Some(Limit::Memory) => "memory (ulimit -v)",
        None => return error,
    };
    let sentence = format!("{error}; a limit was reached, so raise that of {limit} or use fewer --threads");
    Error::new(Kind::Resource, sentence).caused_by(error)
}

/// The text without the password of a database URL in it; `None` if there is no such URL.
fn without_passwords(text: &str) -> Option<String> {
    let mut hidden = false;
    let lines = text.split_inclusive('\n').map(|line| {
        let user = line.find("://").map(|at| at + 3);
        let colon = user.and_then(|user| line.get(user..)?.find(':').map(|at| user + at));
        match (colon, line.rfind('@')) {
            (Some(colon), Some(at)) if colon < at => {
                hidden = true;
                format!("{}:…{}", line.get(..colon).unwrap_or_default(), line.get(at..).unwrap_or_default())
            }
            _ => line.to_owned(),
        }
    });
    let text: String = lines.collect();
    hidden.then_some(text)
}

fn dispatch(command: &Command, console: &Console) -> crate::error::Result<()> {
    match command {
        Command::Quickstart(args) => quickstart::run(args, console),
        Command::Init(args) => init::run(args, console),
        Command::Run(args) => match args.shards.zip(args.work.as_deref()) {
            Some((shards, work)) => stages::run(args, shards.into(), work, console),
            None if args.dry_run => dry_run::run(args, console),
            None => commands::run(&args.job, console),
        },
        Command::Stage(stage) => stages::run_task(stage, console),
        Command::Open(args) => open::run(args, console),
        Command::Check(args) => commands::check(args, console),
        Command::Explain(args) => explain::run(args, console),
        Command::Sample(args) => commands::sample(args, console),
        Command::Assign(args) => assign::run(args, console),
        Command::Verify(args) => output::verify(args, console),
        Command::Drop(args) => output::drop_date(args, console),
        Command::Forget(args) => output::forget(args, console),
        Command::Tables(args) => tables::run(args, console),
        Command::Load(args) => load::run(args, console),
        Command::Schema(args) => commands::schema(args),
        Command::Completions(args) => commands::completions(args),
        Command::Man(args) => man::run(args, console),
    }
}

/// A panic inside the Parquet library on a damaged file, or of a library without threads or memory, becomes an error of
/// ours; its own message would only confuse.
fn quiet_contained_panics() {
    let usual = std::panic::take_hook();
    let no_panic = signals::when_memory_runs_out();
    std::panic::set_hook(Box::new(move |info| {
        // A panic is text. These are of libraries, which know no paths.
        let message = info.payload_as_str();
        if message.is_some_and(|m| m.contains("ThreadPoolBuildError") || library_text_reports_memory(m)) {
            REFUSED.store(true, Ordering::SeqCst);
        }
        if !crate::input::damage::panics_are_contained() && !REFUSED.load(Ordering::SeqCst) {
            no_panic.store(false, Ordering::SeqCst);
            match LOGS_JSON.load(Ordering::SeqCst) {
                true => console::print(&json!({ "level": "error", "event": "panic", "message": info.to_string() }).to_string()),
                false => usual(info),
            }
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::{Error, Kind, of_limits, without_passwords};

    #[test]
    fn a_limit_is_no_fault_of_a_file() {
        let read = |path: &str, code: i32| {
            let cause = std::io::Error::from_raw_os_error(code);
            Error::input(format!("cannot read {path}: {cause}; check the path")).caused_by(cause)
        };
        let error = of_limits(read("a.parquet", libc::EMFILE));
        assert_eq!(error.kind(), Kind::Resource);
        assert!(error.to_string().ends_with("raise that of open files (ulimit -n) or use fewer --threads"));
        assert_eq!(of_limits(read("out of memory/a (os error 24)", libc::ENOENT)).kind(), Kind::Input);
    }

    #[test]
    fn a_misplaced_url_does_not_show_its_password() {
        let text = "error: unexpected argument 'postgres://ann:se@cr:et@db/shop' found\nUsage: rfmill\n";
        let hidden = "error: unexpected argument 'postgres://ann:…@db/shop' found\nUsage: rfmill\n";
        assert_eq!(without_passwords(text).as_deref(), Some(hidden));
        assert_eq!(without_passwords("error: unexpected argument 'postgres://ann@db:5432/shop' found"), None);
    }
}
