//! What happens on a signal, and when memory runs out.
//!
//! The first SIGTERM, SIGINT or SIGHUP stops what is about to be published, says what became of it, and ends the process by
//! that signal, which shells show as 143, 130 or 129. A commit that is under way is waited for, and a run that is committed
//! may end as it would. A second signal ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGABRT, SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use super::console::Console;
use crate::error::Kind;
use crate::publish::{self, StopOutcome};

/// How long a stop may wait for a commit or for files to go.
const PATIENCE: Duration = Duration::from_secs(3);

/// Watches for signals from now on; `publishes` is whether the command commits a run.
pub(super) fn watch(console: Arc<Console>, publishes: bool) {
    let ignored = ignored();
    let watched: Vec<i32> = [SIGTERM, SIGINT, SIGHUP].into_iter().filter(|s| ignored & (1 << (s - 1)) == 0).collect();
    let again = Arc::new(AtomicBool::new(false));
    for &signal in &watched {
        // In this order: the first signal sets what the second one finds.
        let _ = flag::register_conditional_default(signal, Arc::clone(&again));
        let _ = flag::register(signal, Arc::clone(&again));
    }
    let watching = Signals::new(&watched).and_then(|mut signals| {
        let name = "signals".to_owned();
        std::thread::Builder::new().name(name).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                end(signal, &console, publishes);
            }
        })
    });
    if watching.is_err() {
        // Nobody would hear a first signal.
        again.store(true, Ordering::SeqCst);
    }
    // Without this, a limit of file sizes (ulimit -f) ends the process; with it, the write fails and can be told.
    let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Makes an allocation that the system refuses end with the exit code of a resource: the standard library says how many
/// bytes it was, and aborts. After a panic an abort is a bug.
pub(super) fn when_memory_runs_out() -> Arc<AtomicBool> {
    let no_panic = Arc::new(AtomicBool::new(true));
    let _ = flag::register_conditional_shutdown(SIGABRT, Kind::Resource.exit_code().into(), Arc::clone(&no_panic));
    no_panic
}

/// Waits for the end if a signal has stopped the process: its sentence is the last one.
pub(super) fn give_way() {
    while publish::is_stopped() {
        std::thread::park();
    }
}

fn end(signal: i32, console: &Console, publishes: bool) {
    let name = low_level::signal_name(signal).unwrap_or("a signal");
    let message = match publish::stop(PATIENCE) {
        StopOutcome::BeforeCommit if publishes => {
            format!("{name} stopped the run, and nothing was committed; run the job again. The last committed run is untouched")
        }
        StopOutcome::BeforeCommit => format!("{name} stopped the command before its end; run it again"),
        StopOutcome::DuringCommit => {
            format!(
                "{name} stopped the run during its commit, and it cannot be told whether that happened; run `rfmill verify` on the output, and then the job again"
            )
        }
        StopOutcome::Committed(done) => {
            // It only has to put away older runs.
            std::thread::sleep(PATIENCE);
            format!("{name} stopped the command after {done} was committed; the next run removes what it left")
        }
    };
    let code = u8::try_from(128 + signal).unwrap_or(u8::MAX);
    console.failure(code, "signal", &message);
    let _ = low_level::emulate_default_handler(signal);
    std::process::exit(code.into());
}

/// Ends the process as SIGTERM would, and says nothing: whoever would hear it is gone.
pub(super) fn end_quietly() -> ! {
    publish::stop(PATIENCE);
    std::process::exit(128 + SIGTERM);
}

/// The signals that the process was told to ignore, as nohup does, one bit each; none where the system does not say.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
