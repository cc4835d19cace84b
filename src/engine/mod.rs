//! Passes over customers, and the tables that are one file per run.

pub(crate) mod batches;
pub(crate) mod strategy;
