//! A cell of a table, and how it comes out of an Arrow column.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type};
use serde::{Serialize, Serializer};

use crate::domain::{Day, Decimal};

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: not known, not applicable, or suppressed.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A float; always finite.
    Double(f64),
    /// Money, exact.
    Money(Decimal),
    /// A date.
    Date(Day),
    /// Yes or no.
    Bool(bool),
}

impl Value {
    /// The values of an Arrow column, or `None` if the report knows no such type. A float that is not finite becomes null.
    pub(super) fn of_column(array: &ArrayRef) -> Option<Vec<Value>> {
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

/// Money is a JSON string with all its digits, a date `YYYY-MM-DD`.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_none(),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Int(n) => serializer.serialize_i64(*n),
            Value::Double(x) => serializer.serialize_f64(*x),
            Value::Money(money) => serializer.collect_str(&Plain(*money)),
            Value::Date(day) => serializer.collect_str(day),
            Value::Bool(b) => serializer.serialize_bool(*b),
        }
    }
}

/// A decimal with all its digits: `-12.50`.
struct Plain(Decimal);

impl std::fmt::Display for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = format!("{:0width$}", self.0.digits.unsigned_abs(), width = self.0.scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.0.scale as usize);
        let sign = if self.0.digits < 0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

/// A decimal as the nearest float, in printed units.
pub(super) fn float(money: Decimal) -> f64 {
    money.digits as f64 / 10f64.powi(money.scale.min(300) as i32)
}

/// What a field of a row can be.
pub trait Column: Sized {
    /// Reads it; `None` if the value is of another kind, or null where that cannot be.
    fn from_value(value: Value) -> Option<Self>;
    /// The cell.
    fn to_value(&self) -> Value;
}

macro_rules! columns {
    ($($kind:ty: $($pattern:pat => $read:expr),+; $own:ident => $write:expr;)*) => { $(
        impl Column for $kind {
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    $($pattern => Some($read),)+
                    _ => None,
                }
            }
            fn to_value(&self) -> Value {
                let $own = self.clone();
                $write
            }
        }
        impl Column for Option<$kind> {
            fn from_value(value: Value) -> Option<Self> {
                if value == Value::Null { Some(None) } else { <$kind>::from_value(value).map(Some) }
            }
            fn to_value(&self) -> Value {
                self.as_ref().map_or(Value::Null, Column::to_value)
            }
        }
    )* };
}

columns! {
    String: Value::Text(text) => text; text => Value::Text(text);
    i64: Value::Int(n) => n; n => Value::Int(n);
    f64: Value::Double(x) => x, Value::Int(n) => n as f64, Value::Money(m) => float(m); x => Value::Double(x);
    Decimal: Value::Money(money) => money, Value::Int(n) => Decimal { digits: n.into(), scale: 0 }; money => Value::Money(money);
    Day: Value::Date(day) => day; day => Value::Date(day);
    bool: Value::Bool(b) => b; b => Value::Bool(b);
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
