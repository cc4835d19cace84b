//! Outcomes: what assigned customers did on the days that count, a column of values per summed quantity.

mod member_batch;
mod members;
mod reference;
mod side_values;
mod slice;
mod snapshots;
mod values;

pub use member_batch::MemberBatch;
pub use members::{ActivityScratch, MemberRows, PeriodOutcomes, state_or_none};
pub use reference::{PartHistories, ReferenceColumns, everybody, unassigned};
pub use side_values::{SideTables, SideValues};
pub use slice::{SliceCustomers, history};
pub use snapshots::{Snapshots, States};
pub use values::{OutcomeError, outcome_value};
