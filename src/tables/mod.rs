//! The tables: their columns in one place, and the way from typed rows to Arrow batches and Parquet bytes.

mod assignments;
mod definition;
mod encode;
mod formula;
mod movement;
mod segments;
mod sql;
mod strategies;
mod views;

pub use assignments::{AssignedRows, CodedNames, assigned, assigned_csv, assigned_parquet};
pub use definition::{ColumnDefinition, ColumnType, DESCRIPTION, TableDefinition, definitions};
pub use encode::{EncodedFile, ONE_ROW_PER, encode};
pub use formula::{escape_formula, starts_formula};
pub use segments::{SegmentRow, SegmentSum, summarise};
pub use sql::{dbt, ddl, identifier, literal, markdown};
pub use views::{View, views};
