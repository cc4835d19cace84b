//! rfmill reads orders in Parquet and writes what they say of customers: exact RFM scores, tiers and lifecycle states as
//! tables that a warehouse and a BI tool can read.
//!
//! Data goes one way:
//!
//! ```text
//! orders.parquet ─ input ─ bucket ─ measure ─ score ─ scheme ─ movement ─ tables ─ publish
//! ```
//!
//! ARCHITECTURE.md walks through the modules and has the table of layers; `tests/architecture.rs` holds the code to it.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod activity;
pub mod assign;
pub mod bucket;
pub mod cli;
pub mod domain;
pub mod error;
pub mod evaluate;
pub mod experiment;
pub mod hash;
pub mod input;
pub mod job;
pub mod load;
pub mod measure;
pub mod memory;
pub mod movement;
pub mod part;
pub mod pipeline;
pub mod plan;
pub mod progress;
pub mod publish;
pub mod report;
pub mod sample;
pub mod scheme;
pub mod score;
pub mod stats;
pub mod sums;
pub mod tables;
pub mod wire;

#[cfg(test)]
#[path = "../tests/support/temp.rs"]
mod temp;
