//! The threads that wait for the network. Whoever reads or writes an object waits for them as for a disk.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

use super::fault::{Fault, ReadError};

/// Threads: they move bytes, and compute nothing.
const THREADS: usize = 2;

static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();

/// Waits for what the network threads do.
pub(super) fn wait_for<T, E: From<ReadError>>(task: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let start = || Builder::new_multi_thread().worker_threads(THREADS).thread_name("network").enable_all().build().ok();
    match RUNTIME.get_or_init(start) {
        Some(runtime) => runtime.block_on(task),
        None => {
            let what = "the threads for the network cannot be started";
            Err(ReadError::new(Fault::Failed, what, "raise the limit of processes (ulimit -u)").into())
        }
    }
}
