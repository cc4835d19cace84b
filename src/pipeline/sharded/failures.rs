//! What failed tasks say where no process of this machine hears it.

use std::collections::BTreeMap;
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

/// Kinds of errors that another try does not mend, so that they are why a scheduler gave a stage up.
const FINAL: [Kind; 2] = [Kind::Usage, Kind::Contract];

/// Why a stage failed: of the last errors of the tasks that have left no object since, one that another try does not mend, else that
/// of the first task.
///
/// # Errors
/// Exit 4 if the work place cannot be read.
pub fn of_stage(work: &WorkPlace, stage: StageName) -> Result<Option<Error>> {
    let folder = folder(stage);
    let mut last: BTreeMap<usize, Error> = BTreeMap::new();
    for name in work.list(&folder)? {
        let Some(task) = name.split('-').next().and_then(|task| task.parse::<usize>().ok()) else { continue };
        let failure: Option<Failure> = serde_json::from_slice(&work.read(&format!("{folder}/{name}"))?).ok();
        let told = failure.and_then(|failure| Some(Error::new(Kind::of_exit_code(failure.exit_code)?, failure.message)));
        // Names are in the order of the tries.
        last.extend(told.map(|error| (task, error)));
    }
    let mut failed = Vec::new();
    for (task, error) in last {
        if !work.has(&stage.object(task))? {
            failed.push(error);
        }
    }
    let is_final = |error: &Error| FINAL.contains(&error.kind());
    let at = failed.iter().position(is_final).unwrap_or(0);
    Ok(failed.into_iter().nth(at))
}
