//! The command line: arguments, what is printed where, and exit codes.
//!
//! Data goes to stdout, everything else to stderr. Exit codes are those of [`crate::error::Kind`].

mod args;
mod commands;
mod console;
mod explain;
mod load;
mod quickstart;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use console::Console;

/// Parses the command line, runs the command and reports its error; the exit code says who must act.
pub fn main() -> ExitCode {
    quiet_contained_panics();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; clap knows the stream and the code of each.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let console = Console::new(arguments.command.log());
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| dispatch(&arguments.command, &console)));
    let error = match outcome {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => error,
        Err(_) => crate::error::Error::bug("the program stopped on a broken assumption (see the message above)"),
    };
    console.error(&error);
    ExitCode::from(error.kind().exit_code())
}

fn dispatch(command: &Command, console: &Console) -> crate::error::Result<()> {
    match command {
        Command::Quickstart(args) => quickstart::run(args, console),
        Command::Run(args) => commands::run(args, console),
        Command::Check(args) => commands::check(args, console),
        Command::Explain(args) => explain::run(args, console),
        Command::Sample(args) => commands::sample(args, console),
        Command::Verify(args) => commands::verify(args),
        Command::Load(args) => load::run(args, console),
        Command::Schema(args) => commands::schema(args),
        Command::Completions(args) => commands::completions(args),
        Command::Man => commands::man(),
    }
}

/// A panic inside the Parquet library on a damaged file becomes an error of ours; its own message would only confuse.
fn quiet_contained_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !crate::scan::source::panics_are_contained() {
            usual(info);
        }
    }));
}
