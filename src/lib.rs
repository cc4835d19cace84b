//! rfmill reads orders in Parquet and writes what they say of customers: exact RFM scores, tiers and lifecycle states as
//! tables that a warehouse and a BI tool can read.
//!
//! Data goes one way:
//!
//! ```text
//! orders.parquet ─ input ─ bucket ─ measure ─ score ─ scheme ─ movement ─ tables ─ publish
//! ```
//!
//! Other programs run it like this:
//!
//! ```no_run
//! use rfmill::rows::SegmentRow;
//!
//! let job = rfmill::Job::read("jobs/nightly.toml")?;
//! let run = rfmill::run(&job)?;
//! for segment in run.rows::<SegmentRow>()? {
//!     println!("{}: {:?} customers", segment.state, segment.customers);
//! }
//! # Ok::<(), rfmill::Error>(())
//! ```
//!
//! ARCHITECTURE.md walks through the modules and has the table of layers; `tests/architecture.rs` holds the code to it.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod api;
mod assign;
mod experiment;
mod export;
mod init;
mod load;
mod measure;
mod memory;
mod movement;
mod publish;
mod sums;
mod tables;

/// What the program itself and its integration tests use, and the values that travel between stages with their written form
/// (`wire`, `bucket`, `score`, `part`). It changes without notice.
#[doc(hidden)]
#[path = ""]
pub mod internals {
    pub mod activity;
    pub mod bucket;
    pub mod cli;
    pub mod domain;
    pub mod error;
    pub mod evaluate;
    pub mod forecast;
    pub mod hash;
    pub mod input;
    pub mod job;
    pub mod part;
    pub mod pipeline;
    pub mod plan;
    pub mod progress;
    pub mod report;
    pub mod sample;
    pub mod scheme;
    pub mod score;
    pub mod stats;
    pub mod storage;
    pub mod wire;
}

use internals::{
    activity, bucket, domain, error, evaluate, forecast, hash, input, job, part, pipeline, plan, progress, report, sample,
    scheme, score, stats, storage, wire,
};

pub use api::{Job, JobOptions, Run, run, run_with};
pub use error::{Error, Kind, Result};
pub use progress::Progress;
pub use publish::Manifest;

/// The rows of the tables that are one file per run, for [`Run::rows`].
pub mod rows {
    pub use crate::domain::{Day, Decimal};
    pub use crate::tables::{
        AffinityRow, ArmRow, BalanceRow, BeforeAfterRow, CohortRow, ConcentrationRow, CutPointRow, EffectRow, EffectToDateRow,
        GrowthRow, LedgerRow, PeriodRow, PooledEffectRow, Row, SegmentRow, StateRow, ThresholdBinRow, ThresholdRow,
        TransitionRow, VerdictRow,
    };
}

#[cfg(test)]
#[path = "../tests/support/temp.rs"]
mod temp;
