//! Exposure: which customers are assigned to which arm, and which of them are eligible.

pub mod cursor;
pub mod load;
pub mod overlap;
pub mod warnings;
