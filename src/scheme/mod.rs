//! Schemes: ordered rule tables over measures and scores that give each customer one state.
//!
//! [`load`] reads a scheme file, [`check()`] finds rules that can never match, gaps and overlaps, and [`Classifier`] turns
//! a scheme into a lookup table over cells, so that a scheme over scores alone costs one array access per customer.

mod builtin;
mod check;
mod classify;
mod colour;
mod compiled_test;
mod condition;
mod definition;
mod file;
mod grid;
mod parse;
mod units;

pub use builtin::{names as builtin_names, text as builtin_text};
pub use check::check;
pub use classify::Classifier;
pub use colour::{OUTSIDE, colour};
pub use compiled_test::CompiledTest;
pub use condition::{Conditions, End, Test};
pub use definition::{FIRST_SEEN, NONE, Rule, SPECIAL_LABELS, Scheme, State, UNSCORED};
pub use file::{load, with_override};
pub use grid::grid;
pub use parse::parse_conditions;
pub use units::unit_scale;
