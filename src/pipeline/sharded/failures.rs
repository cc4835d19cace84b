//! What failed tasks say where no process of this machine hears it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::stage_name::StageName;
use super::work::WorkPlace;
use crate::error::{Error, Kind, Result};

/// The error of a task.
#[derive(Serialize, Deserialize)]
struct Failure {
    exit_code: u8,
    message: String,
}

/// Where the failures of a stage lie.
fn folder(stage: StageName) -> String {
    format!("failed/{}", stage.name())
}

/// Leaves the error of a task in the work place; whether that succeeds changes nothing for the task.
pub fn leave(work: &WorkPlace, stage: StageName, task: usize, error: &Error) {
    let failure = Failure { exit_code: error.kind().exit_code(), message: error.to_string() };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    if let Ok(bytes) = serde_json::to_vec(&failure) {
        let _ = work.create(&format!("{}/{task:05}-{now:020}-{}.json", folder(stage), std::process::id()), bytes);
    }
}

/// The last error of the first task of a stage that has failed and has left no object since.
///
/// # Errors
/// Exit 4 if the work place cannot be read.
pub fn of_stage(work: &WorkPlace, stage: StageName) -> Result<Option<Error>> {
    let folder = folder(stage);
    let mut last: Option<(usize, Error)> = None;
    for name in work.list(&folder)? {
        let Some(task) = name.split('-').next().and_then(|task| task.parse::<usize>().ok()) else { continue };
        if last.as_ref().is_some_and(|(of, _)| *of != task) {
            break;
        }
        if work.has(&stage.object(task))? {
            continue;
        }
        let failure: Option<Failure> = serde_json::from_slice(&work.read(&format!("{folder}/{name}"))?).ok();
        if let Some((failure, kind)) =
            failure.and_then(|failure| Kind::of_exit_code(failure.exit_code).map(|kind| (failure, kind)))
        {
            last = Some((task, Error::new(kind, failure.message)));
        }
    }
    Ok(last.map(|(_, error)| error))
}
