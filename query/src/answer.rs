//! The one answer of the program, whoever comes first: the query, the watch over memory, or a panic.

use std::io::Write;
use std::sync::Mutex;

use rfmill_query_request::{Failure, FailureKind, Reply};

/// Whether the answer was given.
static ANSWERED: Mutex<bool> = Mutex::new(false);

/// Gives the answer, unless one was given.
pub fn answer(reply: &Reply) {
    let Ok(mut answered) = ANSWERED.lock() else { return };
    if std::mem::replace(&mut *answered, true) {
        return;
    }
    let line = serde_json::to_string(reply).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    // A caller who is gone hears nothing.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Gives the answer and ends the program.
pub fn answer_and_end(reply: &Reply) -> ! {
    answer(reply);
    std::process::exit(0)
}

/// Makes a panic the answer.
pub fn say_panics() {
    std::panic::set_hook(Box::new(|info| {
        let file = |file: &str| file.find("polars").map_or(file.to_owned(), |at| file[at..].to_owned());
        let place = info.location().map(|l| format!(" at {}:{}", file(l.file()), l.line())).unwrap_or_default();
        let what = info.payload_as_str().unwrap_or("a panic without words");
        let sentence =
            format!("the query engine stopped on a broken assumption{place}: {what}. Please report it with the job file");
        answer_and_end(&Reply::Failed(Failure { kind: FailureKind::Bug, sentence }));
    }));
}
