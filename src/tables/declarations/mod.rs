//! The tables of rows, in the order of [`definitions`](super::definitions).

mod customers;
mod strategies;

pub use customers::*;
pub use strategies::*;
