//! Categories, the customers table with its dimensions, and events, each held against a naive second way.

pub mod categories;
pub mod customers;
pub mod events;
pub mod kinds;
