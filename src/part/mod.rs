//! The second pass: a part holds a range of customer hashes, and everything that is left to do for its customers is done date
//! after date: scores, states, movement, sums, and the files of the tables that have a row per customer.
//!
//! [`Part`] is one part in work, [`PartContext`] what all of them share, [`PartOutput`] what they give. The sums of all parts
//! add up to the other tables.

mod arrays;
mod concurrency;
mod context;
mod crm;
mod customers;
mod customers_table;
mod forecast;
mod labels;
mod movers;
mod output;
mod part_table;
mod processing;
mod rows;
mod score_and_classify;
mod score_pairs;
mod segments;
mod state_history;

pub use concurrency::{Concurrency, PartSize, bytes_of_sums, part_count};
pub use context::{DateRows, PartContext, movement_plan};
pub use crm::{CrmRows, crm_header};
pub use customers::{BucketRow, PartCustomers, panel_of};
pub use labels::Labels;
pub use movers::{MoveReason, MoverKey};
pub use output::PartOutput;
pub use part_table::{PartTable, TableSink};
pub use processing::Part;
pub use rows::CustomerRows;
pub use score_and_classify::ScoringRules;
pub use score_pairs::ScorePair;
