//! A cell of a table as one dynamic type, and the way between cells, Rust types and Arrow columns.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int32Builder, Int64Builder,
    StringBuilder, StringDictionaryBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, UInt16Type};
use serde::{Serialize, Serializer};

use super::definition::ColumnType;
use crate::domain::{Day, Decimal, format_money};

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: not known, not applicable, or suppressed.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A float; finite if it was read from a column.
    Double(f64),
    /// An exact decimal, such as money.
    Money(Decimal),
    /// A date.
    Date(Day),
    /// Yes or no.
    Bool(bool),
}

impl Value {
    /// The values of an Arrow column, or `None` if tables have no such type. A float that is not finite becomes null.
    pub fn of_column(array: &ArrayRef) -> Option<Vec<Value>> {
        let each = |of: &dyn Fn(usize) -> Value| {
            (0..array.len()).map(|i| if array.is_null(i) { Value::Null } else { of(i) }).collect::<Vec<_>>()
        };
        let again = |to: &DataType| Value::of_column(&cast(array, to).ok()?);
        Some(match array.data_type() {
            DataType::Utf8 => each(&|i| Value::Text(array.as_string::<i32>().value(i).to_owned())),
            DataType::Int64 => each(&|i| Value::Int(array.as_primitive::<Int64Type>().value(i))),
            DataType::Float64 => each(&|i| {
                let x = array.as_primitive::<Float64Type>().value(i);
                if x.is_finite() { Value::Double(x) } else { Value::Null }
            }),
            DataType::Decimal128(_, scale) => {
                let scale = u32::try_from(*scale).ok()?;
                each(&|i| Value::Money(Decimal { digits: array.as_primitive::<Decimal128Type>().value(i), scale }))
            }
            DataType::Date32 => each(&|i| Value::Date(Day(array.as_primitive::<Date32Type>().value(i)))),
            DataType::Boolean => each(&|i| Value::Bool(array.as_boolean().value(i))),
            DataType::Null => each(&|_| Value::Null),
            DataType::Dictionary(_, inner) => again(inner)?,
            DataType::LargeUtf8 | DataType::Utf8View => again(&DataType::Utf8)?,
            kind if kind.is_integer() => again(&DataType::Int64)?,
            DataType::Float32 => again(&DataType::Float64)?,
            _ => return None,
        })
    }
}

/// A column of a table while its values come.
pub(super) enum ColumnBuilder {
    Date(Date32Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Decimal(Decimal128Builder, u8, i8),
    State(StringDictionaryBuilder<UInt16Type>),
    Text(StringBuilder),
}

impl ColumnBuilder {
    /// A column without values; `None` for ids, which no row has.
    pub fn new(kind: ColumnType) -> Option<ColumnBuilder> {
        Some(match kind {
            ColumnType::Date => ColumnBuilder::Date(Date32Builder::new()),
            ColumnType::Int32 => ColumnBuilder::Int32(Int32Builder::new()),
            ColumnType::Int64 => ColumnBuilder::Int64(Int64Builder::new()),
            ColumnType::Double => ColumnBuilder::Double(Float64Builder::new()),
            ColumnType::Boolean => ColumnBuilder::Boolean(BooleanBuilder::new()),
            ColumnType::Decimal(digits, scale) => {
                ColumnBuilder::Decimal(Decimal128Builder::new().with_data_type(kind.arrow()), digits, scale)
            }
            ColumnType::State => ColumnBuilder::State(StringDictionaryBuilder::new()),
            ColumnType::Text => ColumnBuilder::Text(StringBuilder::new()),
            ColumnType::Id(_) => return None,
        })
    }

    /// Adds a value, or says why it cannot be.
    pub fn push(&mut self, value: Value) -> Result<(), Unfit> {
        fn cell<T: Cell>(value: Value) -> Result<Option<T>, Unfit> {
            Option::<T>::from_value(value).ok_or(Unfit::Kind)
        }
        match self {
            ColumnBuilder::Date(days) => days.append_option(cell::<Day>(value)?.map(|day| day.0)),
            ColumnBuilder::Int32(numbers) => {
                let narrow = cell::<i64>(value)?.map(i32::try_from).transpose().map_err(|_| Unfit::Kind)?;
                numbers.append_option(narrow);
            }
            ColumnBuilder::Int64(numbers) => numbers.append_option(cell(value)?),
            ColumnBuilder::Double(numbers) => numbers.append_option(cell(value)?),
            ColumnBuilder::Boolean(values) => values.append_option(cell(value)?),
            ColumnBuilder::Decimal(decimals, digits, scale) => {
                let decimal = cell::<Decimal>(value)?;
                if decimal.is_some_and(|decimal| i64::from(decimal.scale) != i64::from(*scale)) {
                    return Err(Unfit::Kind);
                }
                let most = 10u128.checked_pow(u32::from(*digits)).unwrap_or(u128::MAX);
                if decimal.is_some_and(|decimal| decimal.digits.unsigned_abs() >= most) {
                    return Err(Unfit::TooManyDigits(*digits));
                }
                decimals.append_option(decimal.map(|decimal| decimal.digits));
            }
            ColumnBuilder::State(names) => match cell::<String>(value)? {
                Some(name) => drop(names.append(name).map_err(|_| Unfit::TooManyNames)?),
                None => names.append_null(),
            },
            ColumnBuilder::Text(texts) => texts.append_option(cell::<String>(value)?),
        }
        Ok(())
    }

    /// The column of these values; `None` if one does not fit.
    pub fn of(mut values: impl Iterator<Item = Value>, kind: ColumnType) -> Option<ArrayRef> {
        let mut column = ColumnBuilder::new(kind)?;
        values.try_for_each(|value| column.push(value)).ok()?;
        Some(column.finish())
    }

    /// The column.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            ColumnBuilder::Date(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Int32(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Int64(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Double(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Boolean(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Decimal(builder, ..) => Arc::new(builder.finish()),
            ColumnBuilder::State(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Text(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Why a value cannot stand in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is of another kind.
    Kind,
    /// The column has as many different names as it can number.
    TooManyNames,
    /// It has more digits than the column, which has this many.
    TooManyDigits(u8),
}

/// Money is a JSON string with all its digits, a date `YYYY-MM-DD`.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_none(),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Int(n) => serializer.serialize_i64(*n),
            Value::Double(x) => serializer.serialize_f64(*x),
            Value::Money(money) => serializer.serialize_str(&format_money(money.digits, money.scale)),
            Value::Date(day) => serializer.collect_str(day),
            Value::Bool(b) => serializer.serialize_bool(*b),
        }
    }
}

/// The type of a column in a job whose money has this many digits after the point.
pub type TypeOfColumn = fn(i8) -> ColumnType;

/// The type of a field of a row. An `Option` may be null.
pub trait Cell: Sized {
    /// The type of its column, unless the table names another one.
    const TYPE: TypeOfColumn;
    /// Reads it; `None` if the value is of another kind, or null where that cannot be.
    fn from_value(value: Value) -> Option<Self>;
    /// The cell.
    fn to_value(&self) -> Value;
}

macro_rules! cells {
    ($($type:ty: $cell:ident, $column:expr $(, $other:pat => $read:expr)*;)*) => { $(
        impl Cell for $type {
            const TYPE: TypeOfColumn = $column;
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::$cell(value) => Some(value),
                    $($other => Some($read),)*
                    _ => None,
                }
            }
            fn to_value(&self) -> Value {
                Value::$cell(self.clone())
            }
        }
    )* };
}

cells! {
    String: Text, |_| ColumnType::State;
    i64: Int, |_| ColumnType::Int64;
    f64: Double, |_| ColumnType::Double, Value::Int(n) => n as f64, Value::Money(m) => m.to_f64();
    Decimal: Money, |scale| ColumnType::Decimal(38, scale), Value::Int(n) => Decimal { digits: n.into(), scale: 0 };
    Day: Date, |_| ColumnType::Date;
    bool: Bool, |_| ColumnType::Boolean;
}

/// Sums that are no money, without digits after the point.
impl Cell for i128 {
    const TYPE: TypeOfColumn = |_| ColumnType::Decimal(38, 0);
    fn from_value(value: Value) -> Option<Self> {
        Decimal::from_value(value).filter(|decimal| decimal.scale == 0).map(|decimal| decimal.digits)
    }
    fn to_value(&self) -> Value {
        Value::Money(Decimal { digits: *self, scale: 0 })
    }
}

impl<T: Cell> Cell for Option<T> {
    const TYPE: TypeOfColumn = T::TYPE;
    fn from_value(value: Value) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Cell::to_value)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, DictionaryArray, Float64Array, Int32Array};
    use arrow::datatypes::UInt16Type;

    use super::*;

    #[test]
    fn reads_what_tables_hold() {
        let states: DictionaryArray<UInt16Type> = vec![Some("New"), None].into_iter().collect();
        let of = |array: ArrayRef| Value::of_column(&array);
        assert_eq!(of(Arc::new(states)), Some(vec![Value::Text("New".into()), Value::Null]));
        assert_eq!(of(Arc::new(Int32Array::from(vec![7]))), Some(vec![Value::Int(7)]));
        assert_eq!(of(Arc::new(Float64Array::from(vec![f64::NAN]))), Some(vec![Value::Null]));
        let money = Decimal128Array::from(vec![-1205i128]).with_precision_and_scale(38, 2).map(|a| Arc::new(a) as ArrayRef);
        assert_eq!(money.ok().and_then(of), Some(vec![Value::Money(Decimal { digits: -1205, scale: 2 })]));
    }

    #[test]
    fn money_keeps_every_digit_in_json() {
        let json = |digits, scale| serde_json::to_string(&Value::Money(Decimal { digits, scale })).unwrap_or_default();
        assert_eq!(json(-5, 2), "\"-0.05\"");
        assert_eq!(json(123_456_789_012_345_678_901, 2), "\"1234567890123456789.01\"");
        assert_eq!(json(7, 0), "\"7\"");
    }
}
