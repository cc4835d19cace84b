//! Who is assigned to what: drawing arms, what a draw can detect, and assignments by period. Pure; files are read by
//! [`crate::scan`] and written by the command.

mod detect;
mod draw;
mod periods;
mod split;
mod table;

pub use detect::{Detectable, Spread, detectable, detectable_over};
pub use draw::{Bounds, Candidates, Earlier, Role, Rules, draw};
pub use periods::{PeriodRows, Periods, by_period};
pub use table::{Assignments, Rejected};
