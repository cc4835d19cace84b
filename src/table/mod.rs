//! The tables: their columns in one place, and the way from typed rows to Arrow batches and Parquet bytes.

mod chunk;
mod definition;
mod guard;
mod movement;
mod parquet;
mod segments;

pub use definition::{ColumnType, Field, TableDefinition, ddl, definitions};
pub use guard::guarded;
pub use parquet::{Encoded, encode};
pub use segments::{SegmentRow, SegmentSum, summarise};
