//! Who is assigned to what: drawing arms, what a draw can detect, and assignments by period. Pure: no file is read or
//! written here.

mod detect;
mod draw;
mod periods;
mod table;

pub use detect::{Detectable, Spread, detectable, detectable_over};
pub use draw::{Bounds, Candidates, Earlier, Role, Rules, draw};
pub use periods::{PeriodRows, Periods, RowList, by_period};
pub use table::{Assignments, Customers, Rejected};
