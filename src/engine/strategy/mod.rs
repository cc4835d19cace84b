//! Record batches of the tables about strategies.

pub mod batches;
