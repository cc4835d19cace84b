//! Passes over customers, and the tables that are one file per run.

pub(crate) mod batches;
#[path = "../experiment/mod.rs"]
pub(crate) mod experiment;
pub(crate) mod strategy;
