//! A run that is cut at its barriers into stages, whose tasks any scheduler starts, watches and starts again.
//!
//! | stage | tasks | reads | writes |
//! |---|---|---|---|
//! | plan | 1 | listing, footers | the [`RunPlan`] |
//! | prepare | 1 per query | sources | the rows of the query, and an account of them |
//! | exclude | 1 | orders, if rows decide over other rows | which rows do not count, what rows inherit |
//! | scan | M | a share of the row groups | packed records by bucket, findings, dictionaries |
//! | names | 1 | findings of all scans, customers, events | numbers of slices and categories, what all rows hold |
//! | distributions | P | a range of buckets of every scan | values of all axes, findings |
//! | cuts | 1 | indices of the values of all shards, and some of the values | cut points; the gates |
//! | parts | P | the range again | files of the tables with a row per customer, sums |
//! | finish | 1 | sums of all shards, files of parts | the other tables, reports, manifest, commit |
//!
//! Each task but the last makes one object of the [`WorkPlace`], in one step and once, those of parts their files before it: a task that
//! runs twice, at once or later, finds them there. A
//! task opens the inputs of the run anew and refuses them if they are not those of the plan. The parts of a run, and so its files, are
//! the same for any number of tasks, shards and machines.

mod failures;
mod indexed_object;
mod launch;
mod run_plan;
mod scan_object;
mod stage_name;
mod tasks;
mod values;
mod work;

pub use launch::{Launcher, run};
pub use run_plan::{PlannedJob, RunPlan};
pub use stage_name::StageName;
pub use tasks::{Planned, PlannedRun, TaskOutcome, plan, run_task};
pub use work::WorkPlace;
