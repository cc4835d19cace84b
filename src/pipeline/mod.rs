//! The order of the steps: open the inputs, read the orders, compute cut points in a first pass over all buckets, process
//! customers part by part in a second pass, evaluate strategies, write the summed tables and reports, commit.

mod first_pass;
mod frozen_cuts;
mod gates;
mod identity;
mod reports;
mod run;
mod scoring;
mod second_pass;
mod side_inputs;
mod warnings;

pub use crate::engine::experiment::exposure::load::check as check_assignments;
pub use identity::RULES;
pub use run::{Outcome, run};
pub use warnings::StateLine;
