//! rfmill reads orders in Parquet and writes what they say of customers: exact RFM scores, tiers and lifecycle states as
//! tables that a warehouse and a BI tool can read.
//!
//! Data goes one way:
//!
//! ```text
//! orders.parquet ─ input ─ bucket ─ measure ─ score ─ scheme ─ movement ─ tables ─ publish
//! ```
//!
//! Modules use only what stands below them, or before them in their own row; `tests/architecture.rs` holds them to it.
//!
//! | layer | modules |
//! |---|---|
//! | process | [`cli`], `main` |
//! | wiring | [`pipeline`]: the order of the steps |
//! | passes over customers | [`plan`], [`part`], [`experiment`] |
//! | edges | [`input`], [`publish`], [`load`], [`report`] |
//! | pure steps | [`bucket`], [`activity`], [`measure`], [`score`], [`scheme`], [`movement`], [`assign`], [`evaluate`] |
//! | tools | [`stats`], [`sums`], [`hash`], [`memory`], [`progress`], [`sample`], [`job`], [`tables`] |
//! | values | [`error`], [`domain`] |

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

#[cfg(test)]
#[path = "../tests/support/temp.rs"]
mod temp;
