//! Exact arithmetic, and an order of cells.

use std::cmp::Ordering;

use super::input::Value;

/// 10 to the power of `n`.
pub fn ten_to(n: u32) -> i128 {
    10_i128.pow(n)
}

/// `num / den` rounded to the nearest whole number, a half to the even one; `den` is positive.
pub fn divide_half_even(num: i128, den: i128) -> i128 {
    let (floor, rest) = (num.div_euclid(den), num.rem_euclid(den));
    match (2 * rest).cmp(&den) {
        Ordering::Less => floor,
        Ordering::Greater => floor + 1,
        Ordering::Equal => floor + floor.rem_euclid(2),
    }
}

/// `x · 10^digits` rounded half to even in double precision.
pub fn scale_float(x: f64, digits: u32) -> i128 {
    let power: f64 = format!("1e{digits}").parse().expect("a power of ten");
    (x * power).round_ties_even() as i128
}

/// `num / den` rounded up; `den` is positive.
pub(super) fn divide_up(num: i128, den: i128) -> i128 {
    -(-num).div_euclid(den)
}

/// A total order of cells of one column, only used to find equal rows and the newest one.
pub(super) fn compare_values(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Int(x), Value::Int(y)) => x.cmp(y),
        (Value::Text(x), Value::Text(y)) => x.as_bytes().cmp(y.as_bytes()),
        (Value::Decimal(x), Value::Decimal(y)) => x.cmp(y),
        (Value::Float(x), Value::Float(y)) => x.total_cmp(y),
        (Value::Date(x), Value::Date(y)) => x.cmp(y),
        (Value::Timestamp(x), Value::Timestamp(y)) => x.cmp(y),
        _ => panic!("{a:?} and {b:?} cannot be of one column"),
    }
}

/// The same for whole rows, or parts of them.
pub(super) fn compare_rows(a: &[Value], b: &[Value]) -> Ordering {
    a.iter().zip(b).map(|(x, y)| compare_values(x, y)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}
