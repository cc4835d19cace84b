//! The tables: each declared once, and the way from typed rows to Arrow batches and Parquet bytes.
//!
//! ```text
//! table! declarations ─ rows ─ batch ─ encode ─ Parquet
//!          └─ definitions ─ DDL, dbt sources, data dictionary
//! ```

mod assignments;
mod calendar;
mod catalog;
mod cell;
mod declarations;
mod definition;
mod encode;
mod formula;
mod repeated;
mod row;
mod segments;
mod sql;
mod views;

pub use assignments::{AssignedRows, CodedNames, assigned_csv, assigned_parquet};
pub use calendar::{calendar, whole_years};
pub use catalog::{definition_of, definitions, key_of, read_by_views};
pub use cell::{Cell, Value};
pub use declarations::{
    AffinityRow, ArmRow, BacktestRow, BalanceRow, BeforeAfterRow, CohortRow, ConcentrationRow, CutPointRow, DateRow, EffectRow,
    EffectToDateRow, ForecastRow, GrowthRow, LedgerRow, MoveRow, PeriodRow, PooledEffectRow, RestatementRow, ScorePairRow,
    SegmentRow, StateRow, ThresholdBinRow, ThresholdRow, TransitionRow, VerdictRow,
};
pub use definition::{ColumnDefinition, ColumnType, DESCRIPTION, TableDefinition};
pub use encode::{EncodedFile, ONE_ROW_PER, encode, filtered};
pub use formula::{escape_formula, starts_formula};
pub use repeated::to_repeated_batch;
pub use row::{BatchBuilder, Column, Row, to_batch};
pub use segments::{Segment, SegmentKey, SegmentSum, by_scheme};
pub use sql::{dbt, ddl, identifier, literal, markdown};
pub use views::{View, doc_of, views};
