//! The tables of rows, in the order of [`definitions`](super::definitions).

mod customers;
mod forecast;
mod strategies;

pub use customers::*;
pub use forecast::*;
pub use strategies::*;
