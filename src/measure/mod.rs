//! Measures per customer and as-of date, folded bucket by bucket.
//!
//! [`FoldSpec`] says what to measure and when; [`fold`] turns one bucket of orders into a [`BucketPanel`] for all
//! as-of dates together, customer by customer: orders are grouped and sorted once, running sums answer every window,
//! and the cost grows with orders plus customer-dates, never with orders × dates.

mod attributes;
mod bucket_cache;
mod category;
mod cells;
mod codes;
mod column;
mod customer;
mod customer_events;
mod customer_findings;
mod customerless;
mod day_counts;
mod events;
mod findings;
mod first_purchase;
mod fold;
mod formula;
mod group;
mod interner;
mod join_lines;
mod line_counts;
mod one_date;
mod order_reader;
mod panel;
mod spec;
mod table_matches;
mod windows;

pub use attributes::{CustomerAttributes, CustomerData, UNKNOWN, UNKNOWN_NAME};
pub use bucket_cache::BucketCache;
pub use category::{ALL_CATEGORIES, AffinityKey};
pub use codes::SourceCodes;
pub use column::{Column, NULL_INT, NULL_LONG, widened};
pub use customer_events::CustomerEvents;
pub use customerless::{CustomerlessOrders, CustomerlessRows, OrderKey, RowsOfKnownOrders};
pub use events::EventBuckets;
pub use findings::Findings;
pub use line_counts::LineCounts;
pub use panel::BucketPanel;
pub use spec::FoldSpec;
pub use table_matches::TableMatches;
