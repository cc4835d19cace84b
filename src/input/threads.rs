//! Running tasks on all threads; of several errors, the one of the first task is returned.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Result;
use crate::progress::Progress;

/// Runs tasks on all threads. Each thread makes a worker with `start`, runs tasks with `run`, which returns their rows, and turns
/// the worker into its result with `finish`.
///
/// # Errors
/// Of several errors the one of the first task.
pub(crate) fn on_all_threads<T: Sync, W, F: Send>(
    tasks: &[T],
    start: impl Fn() -> W + Sync,
    run: impl Fn(&mut W, &T) -> Result<u64> + Sync,
    finish: impl Fn(W) -> F + Sync,
    progress: &dyn Progress,
) -> Result<Vec<F>> {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    let workers = rayon::broadcast(|_| {
        let mut worker = start();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            match tasks.get(number) {
                // Tasks before a failed one still run, so that the first error is always the same one.
                Some(task) if number < failed.load(Ordering::Relaxed) => match run(&mut worker, task) {
                    Ok(rows) => progress.advance(rows),
                    Err(error) => {
                        failed.fetch_min(number, Ordering::Relaxed);
                        return Err((number, error));
                    }
                },
                _ => return Ok(finish(worker)),
            }
        }
    });
    let mut done = Vec::with_capacity(workers.len());
    let mut errors = Vec::new();
    for worker in workers {
        match worker {
            Ok(found) => done.push(found),
            Err(error) => errors.push(error),
        }
    }
    match errors.into_iter().min_by_key(|(number, _)| *number) {
        Some((_, error)) => Err(error),
        None => Ok(done),
    }
}
