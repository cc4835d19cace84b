//! The tables: their columns in one place, and the way from typed rows to Arrow batches and Parquet bytes.

mod assigned;
mod chunk;
mod definition;
mod guard;
mod movement;
mod parquet;
mod print;
mod segments;
mod strategies;
mod views;

pub use assigned::{Assigned, Names, assigned, assigned_csv, assigned_parquet};
pub use definition::{ColumnType, DESCRIPTION, Field, TableDefinition, definitions};
pub use guard::{guarded, is_guarded};
pub use parquet::{Encoded, ONE_ROW_PER, encode};
pub use print::{dbt, ddl, identifier, literal, markdown};
pub use segments::{SegmentRow, SegmentSum, summarise};
pub use views::{View, views};
