//! Inputs and outputs in object stores, served by a small store within the test.

/// Tables with a log.
mod lake;
/// Commits, and what readers see of them.
mod output;
/// Writers at the same time, refusals and damage.
mod races;
/// Orders and the tables beside them, read from a store as from a disk.
pub mod reading;
/// A store of objects as S3 speaks, with faults on request.
pub mod server;
/// Runs in stages that meet there.
mod stages;
/// What goes wrong on the way.
mod trouble;
/// Objects that are created once.
mod writing;
