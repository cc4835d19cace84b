//! How customers move: between states ([`transition_matrix`]), in and out of activity ([`growth`]), by the period of their
//! first order ([`cohort`]), over time ([`state_history`]); and how unequal they are ([`concentration`]).
//!
//! [`MovementTracker`] takes the states of a part's customers date after date and gives sums that add up over parts. A
//! customer is an index into the part's customers, the same at all dates.

mod cohort;
mod concentration;
mod groups;
mod growth;
mod keys;
mod part_activity;
mod purchases;
mod state_history;
mod states;
mod tracker;
mod transition_matrix;

pub use cohort::{CohortSum, Cohorts};
pub use concentration::Concentration;
pub use groups::CustomerGroups;
pub use growth::{GrowthStatus, GrowthSum};
pub use keys::{CohortKey, GrowthKey, MovementSums, TransitionKey, append, sum_equal_keys};
pub use part_activity::PartActivity;
pub use state_history::StateSpell;
pub use states::{ABSENT, sort_by_customer, states_by_customer};
pub use tracker::{MovementPlan, MovementTracker};
pub use transition_matrix::TransitionSum;
