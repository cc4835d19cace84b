//! The limit of memory: the engine sends to disk what it can from half of it on, and beyond all of it the program ends.

use std::time::Duration;

use rfmill_query_request::{Failure, FailureKind, Reply};

use crate::answer::answer_and_end;

const MIB: u64 = 1 << 20;

/// How often the memory is looked at.
const EVERY: Duration = Duration::from_millis(10);

/// Ends the program with the answer that the limit was reached, when it is.
pub fn watch(limit: Option<u64>, key: &str) {
    let Some(limit) = limit else { return };
    let key = key.to_owned();
    std::thread::spawn(move || {
        loop {
            if let Some(used) = status("RssAnon:").filter(|used| *used > limit) {
                answer_and_end(&Reply::Failed(too_much(&key, used, limit)));
            }
            std::thread::sleep(EVERY);
        }
    });
}

fn too_much(key: &str, used: u64, limit: u64) -> Failure {
    let sentence = format!(
        "{key} took {} MiB of memory, above the {} MiB that --memory-limit leaves it; give a higher limit or fewer --threads, or a query that holds less at once (GROUP BY holds its groups, a join the smaller of its tables, OVER and ORDER BY all rows)",
        used.div_ceil(MIB),
        limit / MIB
    );
    Failure { kind: FailureKind::Resource, sentence }
}

/// Largest resident memory of this process in bytes, if the system says.
pub fn peak() -> Option<u64> {
    status("VmHWM:")
}

/// The bytes that a line of `/proc/self/status` gives in KiB.
fn status(key: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib: u64 = text.lines().find_map(|line| line.strip_prefix(key))?.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
