//! The engines: the only place that knows the order of the steps.
//!
//! [`plan`] joins the job with what its files and schemes are, and [`native`] runs it: scan, fold, cut, classify, write,
//! commit.

mod cuts;
pub mod native;
mod parts;
pub mod plan;
mod summary;

pub use native::{Outcome, run};
pub use plan::Plan;
pub use summary::StateLine;
