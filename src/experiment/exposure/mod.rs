//! Exposure: which customers are in which arm of which period, and which of them count.

mod by_columns;
mod carry_over;
mod clusters;
mod cursor;
mod day_count;
mod exclusions;
pub mod load;
mod overlap;
mod run;
pub mod warnings;

pub use carry_over::CarryOver;
pub use clusters::{ClusterDraw, cluster_days};
pub use cursor::{BATCH_ROWS, BatchRows, CustomerBatch};
pub use day_count::DayCount;
pub use exclusions::ExclusionCounts;
pub use overlap::{OverlapScratch, Overlaps};
pub use run::{AssignmentRun, eligible_runs, part_runs};
