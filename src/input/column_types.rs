//! The types that suit a column in its role, and their names.

use arrow::datatypes::DataType;

use crate::domain::IdType;
use crate::error::{Error, Result};

/// The role of a column, which decides about its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnRole {
    Customer,
    Date,
    Money,
    OrderId,
    Discount,
    Text,
    Any,
}

impl ColumnRole {
    pub fn serves(self, data_type: &DataType) -> bool {
        let integer = data_type.is_integer();
        let text = matches!(data_type, DataType::Utf8View);
        let decimal = matches!(data_type, DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) if *scale >= 0);
        match self {
            ColumnRole::Customer | ColumnRole::OrderId => is_whole(data_type) || text,
            ColumnRole::Date => matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)),
            ColumnRole::Money => integer || decimal || matches!(data_type, DataType::Float32 | DataType::Float64),
            ColumnRole::Discount => {
                integer || decimal || matches!(data_type, DataType::Float32 | DataType::Float64 | DataType::Boolean)
            }
            ColumnRole::Text => integer || text || *data_type == DataType::Boolean,
            ColumnRole::Any => true,
        }
    }

    pub fn expected(self) -> &'static str {
        match self {
            ColumnRole::Customer | ColumnRole::OrderId => "an integer or a string",
            ColumnRole::Date => "a date or a timestamp",
            ColumnRole::Money => "an integer, a decimal or a float",
            ColumnRole::Discount => "a number or a boolean",
            ColumnRole::Text => "a string, an integer or a boolean",
            ColumnRole::Any => "any type",
        }
    }
}

/// Whether values are integers: those of an integer type, and decimals without digits behind the point.
pub(crate) fn is_whole(data_type: &DataType) -> bool {
    data_type.is_integer() || matches!(data_type, DataType::Decimal64(_, 0) | DataType::Decimal128(_, 0))
}

/// The class of a type: types of one class differ only in width, unit or scale; kinds of numbers do not matter in money.
pub(crate) fn class(role: ColumnRole, data_type: &DataType) -> String {
    match data_type {
        // The keys of ids above 2^63 are of another kind.
        DataType::UInt64 if role == ColumnRole::Customer => type_name(data_type),
        t if role == ColumnRole::Money && role.serves(t) => "a number".into(),
        DataType::Decimal64(..) | DataType::Decimal128(..) => "decimal".into(),
        DataType::Float32 | DataType::Float64 => "float".into(),
        DataType::Timestamp(_, None) => "naive timestamp".into(),
        DataType::Timestamp(_, Some(_)) => "zoned timestamp".into(),
        DataType::Date32 | DataType::Date64 => "date".into(),
        t if t.is_integer() => "integer".into(),
        t => type_name(t),
    }
}

/// The name of a type in messages.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8View => "string".into(),
        DataType::BinaryView | DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => "binary".into(),
        DataType::Date32 | DataType::Date64 => "date".into(),
        DataType::Timestamp(_, None) => "timestamp without a zone".into(),
        DataType::Timestamp(_, Some(_)) => "timestamp with a zone".into(),
        DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            format!("decimal({precision}, {scale})")
        }
        other => other.to_string().to_lowercase(),
    }
}

/// The narrowest type that holds the ids of two, which are of one class.
pub(crate) fn wider(a: IdType, b: IdType) -> IdType {
    match (a, b) {
        (IdType::Signed(a), IdType::Signed(b)) => IdType::Signed(a.max(b)),
        (IdType::Unsigned(a), IdType::Unsigned(b)) => IdType::Unsigned(a.max(b)),
        (IdType::Signed(signed), IdType::Unsigned(unsigned)) | (IdType::Unsigned(unsigned), IdType::Signed(signed)) => {
            IdType::Signed(signed.max(unsigned.saturating_mul(2).min(64)))
        }
        (IdType::Decimal(a), IdType::Decimal(b)) => IdType::Decimal(a.max(b)),
        // Of other classes, which have been refused.
        (a @ (IdType::Text | IdType::Decimal(_)), _) | (_, a @ (IdType::Text | IdType::Decimal(_))) => a,
    }
}

/// The type of a customer id.
pub(crate) fn id_type(data_type: &DataType) -> Result<IdType> {
    Ok(match data_type {
        DataType::Int8 => IdType::Signed(8),
        DataType::Int16 => IdType::Signed(16),
        DataType::Int32 => IdType::Signed(32),
        DataType::Int64 => IdType::Signed(64),
        DataType::UInt8 => IdType::Unsigned(8),
        DataType::UInt16 => IdType::Unsigned(16),
        DataType::UInt32 => IdType::Unsigned(32),
        DataType::UInt64 => IdType::Unsigned(64),
        DataType::Utf8View => IdType::Text,
        DataType::Decimal64(precision, 0) | DataType::Decimal128(precision, 0) => IdType::Decimal(*precision),
        other => return Err(Error::bug(format!("customer id of type {other} passed the check"))),
    })
}
