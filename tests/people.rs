//! Categories, the customers table with its dimensions, and events, each held against a naive second way.

mod categories;
mod customers;
mod events;
