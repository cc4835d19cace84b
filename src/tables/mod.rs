//! The tables: each declared once, and the way from typed rows to Arrow batches and Parquet bytes.
//!
//! ```text
//! table! declarations ─ rows ─ batch ─ encode ─ Parquet
//!          └─ definitions ─ DDL, dbt sources, data dictionary
//! ```

mod assignments;
mod catalog;
mod cell;
mod definition;
mod dimensions;
mod encode;
mod formula;
mod movement;
mod row;
mod segments;
mod sql;
mod strategies;
mod summaries;
mod views;

pub use assignments::{AssignedRows, CodedNames, assigned_csv, assigned_parquet};
pub use catalog::definitions;
pub use cell::{Cell, Value};
pub use definition::{ColumnDefinition, ColumnType, DESCRIPTION, TableDefinition};
pub use dimensions::{PeriodRow, StateRow};
pub use encode::{EncodedFile, ONE_ROW_PER, encode};
pub use formula::{escape_formula, starts_formula};
pub use movement::{CohortRow, ConcentrationRow, GrowthRow, MoveRow, TransitionRow};
pub use row::{Column, DeclaredType, Row, to_batch};
pub use segments::{Segment, SegmentKey, SegmentSum, with_totals};
pub use sql::{dbt, ddl, identifier, literal, markdown};
pub use strategies::{ArmRow, BalanceRow, BeforeAfterRow, EffectRow, PooledEffectRow, VerdictRow};
pub use summaries::{CutPointRow, LedgerRow, SegmentRow};
pub use views::{View, views};
