//! Assignments of customers to arms: drawing them, the effect that a draw can detect, and assignments by period. Reads and
//! writes no files.

mod draw;
mod periods;
mod power;
mod recurrence;
mod table;

pub use draw::{Allocation, Candidates, DrawRules, PriorAssignment, ShareBounds, draw};
pub use periods::{AssignmentsByPeriod, RowSet, by_period};
pub use power::{Finding, Power, StratumDesign, Unknown};
pub use recurrence::{Recurrence, recurrence};
pub use table::{AssignedIds, Assignments, Rejected, ValueColumn, WholeColumn};
