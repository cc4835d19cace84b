//! Columns, types and descriptions of every table. What is written, what `schema --tables` prints and what the docs say
//! comes from here.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};

use crate::domain::IdType;
use crate::job::Job;

/// Type of a column in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// The customer id as it came.
    Id(IdType),
    /// DATE.
    Date,
    /// INT32.
    Int32,
    /// INT64.
    Int64,
    /// DOUBLE.
    Double,
    /// BOOLEAN.
    Boolean,
    /// DECIMAL(precision, scale).
    Decimal(u8, i8),
    /// A string with few values, dictionary-encoded.
    State,
    /// A string.
    Text,
}

impl ColumnType {
    /// The Arrow type.
    pub fn arrow(self) -> DataType {
        match self {
            ColumnType::Id(IdType::Signed(8)) => DataType::Int8,
            ColumnType::Id(IdType::Signed(16)) => DataType::Int16,
            ColumnType::Id(IdType::Signed(32)) | ColumnType::Int32 => DataType::Int32,
            ColumnType::Id(IdType::Signed(_)) | ColumnType::Int64 => DataType::Int64,
            ColumnType::Id(IdType::Unsigned(8)) => DataType::UInt8,
            ColumnType::Id(IdType::Unsigned(16)) => DataType::UInt16,
            ColumnType::Id(IdType::Unsigned(32)) => DataType::UInt32,
            ColumnType::Id(IdType::Unsigned(_)) => DataType::UInt64,
            ColumnType::Id(IdType::Text) | ColumnType::Text => DataType::Utf8,
            ColumnType::Date => DataType::Date32,
            ColumnType::Double => DataType::Float64,
            ColumnType::Boolean => DataType::Boolean,
            ColumnType::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            ColumnType::State => DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8)),
        }
    }

    /// The column type of an Arrow type that [`ColumnType::arrow`] gives.
    pub fn of(arrow: &DataType) -> Option<ColumnType> {
        Some(match arrow {
            DataType::Int8 => ColumnType::Id(IdType::Signed(8)),
            DataType::Int16 => ColumnType::Id(IdType::Signed(16)),
            DataType::Int32 => ColumnType::Int32,
            DataType::Int64 => ColumnType::Int64,
            DataType::UInt8 => ColumnType::Id(IdType::Unsigned(8)),
            DataType::UInt16 => ColumnType::Id(IdType::Unsigned(16)),
            DataType::UInt32 => ColumnType::Id(IdType::Unsigned(32)),
            DataType::UInt64 => ColumnType::Id(IdType::Unsigned(64)),
            DataType::Utf8 => ColumnType::Text,
            DataType::Date32 => ColumnType::Date,
            DataType::Float64 => ColumnType::Double,
            DataType::Boolean => ColumnType::Boolean,
            DataType::Decimal128(precision, scale) => ColumnType::Decimal(*precision, *scale),
            DataType::Dictionary(key, value) if **key == DataType::UInt16 && **value == DataType::Utf8 => ColumnType::State,
            _ => return None,
        })
    }

    /// The SQL type, as PostgreSQL and DuckDB understand it.
    pub fn sql(self) -> String {
        match self {
            ColumnType::Id(IdType::Signed(8 | 16)) => "SMALLINT".into(),
            ColumnType::Id(IdType::Unsigned(8)) => "SMALLINT".into(),
            ColumnType::Id(IdType::Signed(32) | IdType::Unsigned(16)) | ColumnType::Int32 => "INTEGER".into(),
            ColumnType::Id(IdType::Unsigned(64)) => "NUMERIC(20, 0)".into(),
            ColumnType::Id(IdType::Signed(_) | IdType::Unsigned(_)) | ColumnType::Int64 => "BIGINT".into(),
            ColumnType::Id(IdType::Text) | ColumnType::Text | ColumnType::State => "TEXT".into(),
            ColumnType::Date => "DATE".into(),
            ColumnType::Double => "DOUBLE PRECISION".into(),
            ColumnType::Boolean => "BOOLEAN".into(),
            ColumnType::Decimal(precision, scale) => format!("NUMERIC({precision}, {scale})"),
        }
    }
}

/// Key of a column's description in the metadata of its field in Parquet files.
pub const DESCRIPTION: &str = "description";

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnType,
    /// What it holds, in one sentence.
    pub doc: &'static str,
}

impl ColumnDefinition {
    /// A column of this name and type, and what it holds.
    pub fn new(name: impl Into<String>, kind: ColumnType, doc: &'static str) -> ColumnDefinition {
        ColumnDefinition { name: name.into(), kind, doc }
    }
}

/// A table: its columns and what a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// Its name.
    pub name: &'static str,
    /// What a row stands for.
    pub one_row_per: &'static str,
    /// Its columns in order; `as_of` first where the table has one.
    pub columns: Vec<ColumnDefinition>,
    /// Whether `as_of` stands in the path alone, also within a run.
    pub partitioned: bool,
}

impl TableDefinition {
    /// The Arrow schema; without `as_of` where that stands in the path. Every field carries its [`DESCRIPTION`].
    pub fn schema(&self, with_as_of: bool) -> SchemaRef {
        let fields = self.columns.iter().filter(|f| with_as_of || f.name != "as_of").map(|f| {
            let described = HashMap::from([(DESCRIPTION.to_owned(), f.doc.to_owned())]);
            arrow::datatypes::Field::new(&f.name, f.kind.arrow(), true).with_metadata(described)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

pub(super) const AS_OF: &str = "Last date counted, inclusive.";
pub(super) const CUSTOMER_ID: &str = "The customer, as the orders name them.";
pub(super) const DIMENSION: &str = "Customer attribute that the row is summed by; (all) in total rows.";
pub(super) const DIMENSION_VALUE: &str = "Value of that attribute; (all) in total rows, (unknown) for who has none.";
pub(super) const SCHEME: &str = "Scheme column of the job, such as segment.";
pub(super) const SLICE: &str = "Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.";

/// The tables of a job, whose `customers` has these columns after the id and the slice.
pub fn definitions(job: &Job, columns: &[ColumnDefinition], id: IdType) -> Vec<TableDefinition> {
    let scale = job.scale() as i8;
    let field = |name: &str, kind: ColumnType, doc: &'static str| ColumnDefinition::new(name, kind, doc);
    let mut customers = vec![field("as_of", ColumnType::Date, AS_OF), field("customer_id", ColumnType::Id(id), CUSTOMER_ID)];
    if job.raw.orders.slice.is_some() {
        customers.push(field("slice", ColumnType::State, SLICE));
    }
    customers.extend_from_slice(columns);
    let mut tables = vec![
        TableDefinition {
            name: "customers",
            one_row_per: "customer (and slice) at an as-of date",
            columns: customers,
            partitioned: true,
        },
        TableDefinition {
            name: "cutpoints",
            one_row_per: "bin of an axis (or of a level) at an as-of date in a slice, ascending in the measure",
            columns: vec![
                field("as_of", ColumnType::Date, AS_OF),
                field("slice", ColumnType::State, SLICE),
                field(
                    "axis",
                    ColumnType::State,
                    "The measure that is cut: recency_days, frequency or monetary; r_level, f_level or m_level for the bound of a level.",
                ),
                field(
                    "bin",
                    ColumnType::Int32,
                    "Number of the bin from 1, ascending in the measure; on recency, bin 1 has the best score.",
                ),
                field("lower", ColumnType::Double, "Lower end of the bin in printed units; null where it is open."),
                field("upper", ColumnType::Double, "Upper end of the bin in printed units; null where it is open."),
                field("lower_exact", ColumnType::Text, "Lower end as an exact fraction p/q of days, orders or minor units."),
                field("upper_exact", ColumnType::Text, "Upper end as an exact fraction p/q of days, orders or minor units."),
                field(
                    "closed",
                    ColumnType::State,
                    "right: a value on the cut belongs to the bin below it; left: to the bin above.",
                ),
                field("customers", ColumnType::Int64, "Scored customers in the bin."),
            ],
            partitioned: false,
        },
        TableDefinition {
            name: "segments",
            one_row_per: "state of a scheme at an as-of date in a slice, of everybody and by each dimension",
            columns: vec![
                field("as_of", ColumnType::Date, AS_OF),
                field("slice", ColumnType::State, SLICE),
                field("dimension", ColumnType::State, DIMENSION),
                field("dimension_value", ColumnType::State, DIMENSION_VALUE),
                field("scheme", ColumnType::State, SCHEME),
                field("state", ColumnType::State, "State of that scheme."),
                field("customers", ColumnType::Int64, "Customers in the state."),
                field(
                    "customer_share",
                    ColumnType::Double,
                    "Their share of the scheme's customers in the slice and the dimension value.",
                ),
                field(
                    "orders",
                    ColumnType::Int64,
                    "Their purchases in the lookback, or days with one under count = \"order_days\".",
                ),
                field("revenue", ColumnType::Decimal(38, scale), "Their money of the lookback."),
                field(
                    "revenue_share",
                    ColumnType::Double,
                    "Share of the revenue of slice and dimension value; null if that is 0.",
                ),
                field(
                    "avg_order_value",
                    ColumnType::Decimal(38, scale + 2),
                    "revenue / orders, half to even; null without orders.",
                ),
                field("repeat_customers", ColumnType::Int64, "Customers with a frequency of 2 or more."),
                field(
                    "revenue_at_risk",
                    ColumnType::Decimal(38, scale),
                    "Money of the 365 days that end with the last purchase of each, summed.",
                ),
                field("mean_recency_days", ColumnType::Double, "Mean of recency_days, over who has ordered."),
                field("mean_frequency", ColumnType::Double, "Mean of frequency, over who has ordered."),
                field(
                    "mean_monetary",
                    ColumnType::Decimal(38, scale + 2),
                    "Mean of monetary, half to even, over who has ordered.",
                ),
            ],
            partitioned: false,
        },
    ];
    tables.extend(super::movement::definitions(job, id));
    if !job.strategies.is_empty() {
        tables.extend(super::strategies::definitions());
    }
    tables.push(TableDefinition {
        name: "ledger",
        one_row_per: "input file and outcome",
        columns: vec![
            field("file", ColumnType::Text, "Input file, as the job names it."),
            field("outcome", ColumnType::State, "What became of the rows: kept, filtered:status, no_customer and others."),
            field("row_count", ColumnType::Int64, "Rows with this outcome."),
            field("amount", ColumnType::Decimal(38, scale), "Their money."),
        ],
        partitioned: false,
    });
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrow_types_lead_back_to_the_same_sql_type() {
        let ids = [8, 16, 32, 64].into_iter().flat_map(|bits| [IdType::Signed(bits), IdType::Unsigned(bits)]);
        let mut kinds: Vec<ColumnType> = ids.chain([IdType::Text]).map(ColumnType::Id).collect();
        kinds.extend([ColumnType::Date, ColumnType::Int32, ColumnType::Int64, ColumnType::Double, ColumnType::Boolean]);
        kinds.extend([ColumnType::Decimal(18, 2), ColumnType::Decimal(38, 0), ColumnType::State, ColumnType::Text]);
        for kind in kinds {
            let arrow = kind.arrow();
            let back = ColumnType::of(&arrow);
            assert_eq!(back.map(ColumnType::arrow), Some(arrow), "{kind:?}");
            assert_eq!(back.map(ColumnType::sql), Some(kind.sql()), "{kind:?}");
        }
        assert_eq!(ColumnType::of(&DataType::Float32), None);
    }
}
