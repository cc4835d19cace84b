//! The engines: the only place that knows the order of the steps.
//!
//! [`plan`] joins the job with what its files and schemes are, and [`native`] runs it: scan, [`survey`] everybody, find the
//! [`cuts`], do the rest [`part`] by part, put the sums together in [`batches`], write
//! [`reports`], commit.

mod batches;
mod beside;
mod cuts;
#[path = "../experiment/mod.rs"]
mod experiment;
mod frozen;
mod gates;
mod identity;
mod names;
pub mod native;
mod panels;
mod part;
pub mod plan;
mod reports;
mod strategy;
mod summary;
mod survey;

pub use experiment::exposure::load::check as check_assignments;
pub use identity::RULES;
pub use native::{Outcome, run};
pub use plan::Plan;
pub use summary::StateLine;
