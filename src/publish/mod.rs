//! The output folder: staged files, one commit, and a layout that readers can glob.
//!
//! ```text
//! OUT/.rfmill                      marks the folder as ours; locked while a run writes
//! OUT/runs/<run_id>/               one run, whole and immutable: tables and manifest.json
//! OUT/commits/<n>.json             the commits; the one with the largest n is the truth
//! OUT/latest                       link to the run of the last commit
//! OUT/tables/<table>/as_of=D/      the last committed version of every as-of date over all runs
//! ```
//!
//! A run is staged next to the others, made durable, read back and renamed into `runs/`; creating the commit record is the
//! one atomic step that makes it visible. `latest` and `tables` follow from the commit; after a crash in between, the next run
//! repairs them.

mod commits;
mod customers;
mod files;
mod folder;
mod fsync;
mod interrupt;
mod layout;
mod manifest;
mod read;
mod scratch;
mod staging;
mod tables;
mod verify;

pub use customers::{customers, newest_customers};
pub use folder::OutputFolder;
pub use interrupt::{StopOutcome, is_stopped, stop};
pub use manifest::{
    AssignmentFileEntry, AssignmentsEntry, CutPointEntry, HashListEntry, InputEntry, Manifest, QueryEntry, SourceEntry,
    TableEntry, TableFile, Timing,
};
pub use read::table_batches;
pub use scratch::ScratchFolder;
pub use staging::Staging;
pub use verify::{CommittedRun, last_run, runs_by_date, verify};
