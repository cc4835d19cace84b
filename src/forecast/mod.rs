//! What customers will do if their habits stay, and how well that was told before.
//!
//! ```text
//! orders ─ history ─ sample ─ model (pareto_nbd, gamma_gamma) ─ backtest
//!             └────────────────── model ─ sums by state
//!                                   └── next_purchase
//! ```
//!
//! The models are fitted by maximum likelihood ([`maximise`]) to a sample of customers whose histories merge in any order. Nothing
//! here knows of jobs or tables.

mod backtest;
mod decay;
pub mod gamma_gamma;
mod history;
pub mod maximise;
mod model;
pub mod next_purchase;
pub mod pareto_nbd;
mod quadrature;
mod sample;
mod sums;

pub use backtest::{Backtest, Comparison, Method, Origin, Record, models};
pub use history::{CustomerHistory, HistoryColumns, Purchased};
pub use model::{Expected, LEAST_REPEATERS, Model};
pub use sample::{CustomerSample, SampledCustomer, SettledSample, lot_of};
pub use sums::{ForecastKey, ForecastSum, Interval, minor_units};
