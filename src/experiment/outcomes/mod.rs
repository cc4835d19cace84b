//! Outcomes: what assigned customers did on the days that count, a column of values per summed quantity.

mod dimension_values;
mod member_batch;
mod members;
mod reference;
mod slice;
mod snapshots;
mod values;

pub use dimension_values::DimensionValues;
pub use member_batch::MemberBatch;
pub use members::{ActivityScratch, MemberRows, PeriodOutcomes, state_or_none};
pub use reference::{PartHistories, ReferenceColumns, everybody, unassigned};
pub use slice::SliceCustomers;
pub use snapshots::{Snapshots, States};
