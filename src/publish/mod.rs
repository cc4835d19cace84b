//! The output: staged files, one commit, and a layout that readers can use without rfmill.
//!
//! What a record of a commit says ([`record`], [`view`](mod@view), [`dimensions`]) is the same wherever an output lies. How it becomes
//! the last one is not: [`folder`] is the protocol of disks, which follows, [`store`] that of object stores, and
//! [`output`] is whichever a command opened.
//!
//! ```text
//! OUT/.rfmill                      marks the folder as ours and names its form; locked while a command writes
//! OUT/runs/<run_id>/               one run, whole and immutable: tables and manifest.json
//! OUT/commits/<n>.json             the records of the last two commits; that with the largest n is the truth
//! OUT/manifests/<sha256>.json      the manifests of all dates in view, which outlive their runs
//! OUT/made/<sha256>.parquet        files that commits made themselves: for dates in view, and the dimensions
//! OUT/latest                       link to the run of the newest as-of date
//! OUT/tables/<table>/as_of=D/      the last committed version of every as-of date over all runs
//! OUT/tables/<dimension>/          dim_state, dim_period and dim_date: one file each over all as-of dates
//! OUT/.tables/<n>/, <n>.json       the trees of the last two commits, to which `tables` points, and what they show
//! ```
//!
//! A run is staged next to the others, made durable, read back and renamed into `runs/`; its manifest is kept; creating the
//! commit record is the one atomic step that makes it the last commit. `latest`, the tree and `tables` follow from the record;
//! after a crash in between, the next command that opens the output completes them.
//!
//! What a reader sees when: before the record, the commit before. Then `latest` is swapped, then `tables`, each by one rename;
//! a reader who resolves such a link once sees one commit. A tree stays whole until the second commit after its own, and is
//! gone then: it becomes the next tree ([`tree`]).
//!
//! What a record says ([`record`]): for every as-of date the run that supplies it and the SHA-256 of that run's manifest,
//! which has the SHA-256 of every file. `verify` holds every file of the output against that, `--repair` copies what is
//! damaged from another place with the same bytes, and a date without one is named with the command that computes it again.
//! Nothing older ever takes its place.

mod commits;
mod committed;
mod contents;
mod customers;
mod dimensions;
mod expected;
mod facts;
mod files;
mod finding;
mod folder;
mod forget;
mod forgotten_rows;
mod fsync;
mod hashes;
mod interrupt;
mod layout;
mod legacy;
mod legacy_facts;
mod legacy_look;
mod look;
mod manifest;
mod marker;
mod output;
mod people;
mod placed;
mod queue;
mod read;
mod record;
mod repair;
mod scratch;
mod staging;
mod store;
mod told;
mod tree;
mod upload;
mod verify;
mod view;

pub use committed::{CommittedRun, DimensionFile, View};
pub use customers::{customers, newest_customers};
pub use facts::{DateFacts, Dimensions, PeriodFacts, StateFacts};
pub use finding::Verified;
pub use folder::Committed;
pub use forget::Forgotten;
pub use interrupt::{StopOutcome, is_stopped, stop};
pub use manifest::{
    AssignmentFileEntry, AssignmentsEntry, CutPointEntry, HashListEntry, InputEntry, LabelEntry, LakeTableEntry, Manifest,
    QueryEntry, SourceEntry, TableEntry, TableFile, Timing,
};
pub use output::{Output, duckdb_views, latest_run, repair, shown, verify, view};
pub use people::People;
pub use read::{parquet_metadata, table_batches};
pub use record::Owner;
pub use repair::Report;
pub use scratch::ScratchFolder;
pub use staging::{StagedFile, Staging};
