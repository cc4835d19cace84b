//! Arrow batches as PostgreSQL's binary COPY format.
//!
//! The format is that of the manual's page on COPY, "Binary Format": a header, per row the number of fields and every field
//! with its length, a trailer; numbers in network byte order. NUMERIC goes as the server keeps it, in groups of four
//! decimal digits, so money stays exact and costs no text.

use arrow::array::{
    Array, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    RecordBatch, StringArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};

use crate::domain::Day;
use crate::export::AS_OF;

/// What every COPY begins with: the signature, no flags, no header extension.
pub const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What every COPY ends with.
pub const TRAILER: &[u8] = &[0xff, 0xff];

/// Days from 1970-01-01, where Arrow counts from, to 2000-01-01, where PostgreSQL does.
const EPOCH: i32 = 10_957;

/// Decimal digits of a group of NUMERIC.
const GROUP: u32 = 4;

/// A column of a batch, ready to be written.
enum Values<'a> {
    /// The same date in every row.
    Constant(Day),
    /// A column that the file does not have.
    Missing,
    Int8(&'a Int8Array),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    UInt8(&'a UInt8Array),
    UInt16(&'a UInt16Array),
    UInt32(&'a UInt32Array),
    UInt64(&'a UInt64Array),
    Double(&'a Float64Array),
    Boolean(&'a BooleanArray),
    Date(&'a Date32Array),
    Decimal(&'a Decimal128Array, u32),
    Text(&'a StringArray),
    State(&'a UInt16Array, &'a StringArray),
}

impl<'a> Values<'a> {
    fn of(array: &'a dyn Array) -> Option<Values<'a>> {
        Some(match array.data_type() {
            DataType::Int8 => Values::Int8(array.as_primitive::<Int8Type>()),
            DataType::Int16 => Values::Int16(array.as_primitive::<Int16Type>()),
            DataType::Int32 => Values::Int32(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Values::Int64(array.as_primitive::<Int64Type>()),
            DataType::UInt8 => Values::UInt8(array.as_primitive::<UInt8Type>()),
            DataType::UInt16 => Values::UInt16(array.as_primitive::<UInt16Type>()),
            DataType::UInt32 => Values::UInt32(array.as_primitive::<UInt32Type>()),
            DataType::UInt64 => Values::UInt64(array.as_primitive::<UInt64Type>()),
            DataType::Float64 => Values::Double(array.as_primitive::<Float64Type>()),
            DataType::Boolean => Values::Boolean(array.as_boolean()),
            DataType::Date32 => Values::Date(array.as_primitive::<Date32Type>()),
            DataType::Decimal128(_, scale) => {
                Values::Decimal(array.as_primitive::<Decimal128Type>(), u32::try_from(*scale).ok()?)
            }
            DataType::Utf8 => Values::Text(array.as_string()),
            DataType::Dictionary(..) => {
                let dictionary = array.as_dictionary_opt::<UInt16Type>()?;
                Values::State(dictionary.keys(), dictionary.values().as_string_opt()?)
            }
            _ => return None,
        })
    }

    /// Appends the field of a row. False if it is text that PostgreSQL cannot store.
    fn put(&self, row: usize, out: &mut Vec<u8>) -> bool {
        /// Appends a number with its length, or null.
        macro_rules! number {
            ($array:expr, $convert:expr) => {{ if $array.is_null(row) { null(out) } else { sized(out, &$convert($array.value(row)).to_be_bytes()) } }};
        }
        match self {
            Values::Constant(day) => sized(out, &(day.0 - EPOCH).to_be_bytes()),
            Values::Missing => null(out),
            Values::Int8(a) => number!(a, i16::from),
            Values::Int16(a) => number!(a, i16::from),
            Values::Int32(a) => number!(a, i32::from),
            Values::Int64(a) => number!(a, i64::from),
            Values::UInt8(a) => number!(a, i16::from),
            Values::UInt16(a) => number!(a, i32::from),
            Values::UInt32(a) => number!(a, i64::from),
            Values::Double(a) => number!(a, f64::from),
            Values::Date(a) => number!(a, |days: i32| days.saturating_sub(EPOCH)),
            Values::Boolean(a) if a.is_valid(row) => sized(out, &[u8::from(a.value(row))]),
            Values::UInt64(a) if a.is_valid(row) => numeric(i128::from(a.value(row)), 0, out),
            Values::Decimal(a, scale) if a.is_valid(row) => numeric(a.value(row), *scale, out),
            Values::Text(a) if a.is_valid(row) => return text(a.value(row), out),
            Values::State(keys, values) if keys.is_valid(row) => return text(values.value(usize::from(keys.value(row))), out),
            Values::Boolean(_) | Values::UInt64(_) | Values::Decimal(..) | Values::Text(_) | Values::State(..) => null(out),
        }
        true
    }
}

fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(&(-1i32).to_be_bytes());
}

/// A field of a few bytes.
fn sized<const N: usize>(out: &mut Vec<u8>, bytes: &[u8; N]) {
    out.extend_from_slice(&(N as i32).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// A field of text; false if it holds the one character that PostgreSQL refuses.
fn text(value: &str, out: &mut Vec<u8>) -> bool {
    let Ok(length) = i32::try_from(value.len()) else { return false };
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value.as_bytes());
    !value.as_bytes().contains(&0)
}

/// `unscaled / 10^scale` as NUMERIC: groups of four digits around the point, without zero groups at either end.
fn numeric(unscaled: i128, scale: u32, out: &mut Vec<u8>) {
    // 128 bits have up to 39 digits: ten groups before the point or behind it, and one shared by both.
    let mut groups = [0u16; 24];
    let mut digits = unscaled.unsigned_abs();
    let behind = scale.div_ceil(GROUP);
    let mut at = groups.len();
    // From the last group: its digits first, so that the groups before it end at the point.
    let ragged = scale % GROUP;
    if ragged > 0 {
        let unit = 10u128.pow(ragged);
        at -= 1;
        groups[at] = ((digits % unit) * 10u128.pow(GROUP - ragged)) as u16;
        digits /= unit;
    }
    while digits > 0 {
        at -= 1;
        groups[at] = (digits % 10_000) as u16;
        digits /= 10_000;
    }
    let used = groups.get(at..).unwrap_or_default();
    let end = used.iter().rposition(|g| *g != 0).map_or(0, |last| last + 1);
    let start = used.iter().position(|g| *g != 0).unwrap_or(0).min(end);
    let kept = used.get(start..end).unwrap_or_default();
    // The power of 10,000 of the first group that is kept.
    let weight = if kept.is_empty() { 0 } else { (used.len() - start) as i32 - behind as i32 - 1 };
    out.extend_from_slice(&((8 + 2 * kept.len()) as i32).to_be_bytes());
    out.extend_from_slice(&(kept.len() as i16).to_be_bytes());
    out.extend_from_slice(&(weight as i16).to_be_bytes());
    out.extend_from_slice(&(if unscaled < 0 { 0x4000u16 } else { 0 }).to_be_bytes());
    out.extend_from_slice(&(scale as u16).to_be_bytes());
    for group in kept {
        out.extend_from_slice(&group.to_be_bytes());
    }
}

/// Why a batch cannot be written: the column, and the row if one value is to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The column.
    pub column: String,
    /// The row within the batch; `None` if the column's type is none of ours.
    pub row: Option<usize>,
}

/// Appends the rows of a batch: the as-of date first, which is that of the row if the batch says it, then these columns, null
/// where the batch lacks one.
///
/// # Errors
/// A column of a type that tables do not have, or text with a NUL character, which PostgreSQL cannot store.
pub fn rows(batch: &RecordBatch, as_of: Day, columns: &[String], out: &mut Vec<u8>) -> Result<(), Refused> {
    let mut values = Vec::with_capacity(columns.len() + 1);
    let own = batch.column_by_name(AS_OF).and_then(|array| Values::of(array.as_ref()));
    values.push(own.unwrap_or(Values::Constant(as_of)));
    for name in columns {
        values.push(match batch.column_by_name(name) {
            Some(array) => Values::of(array.as_ref()).ok_or_else(|| Refused { column: name.clone(), row: None })?,
            None => Values::Missing,
        });
    }
    let fields = (values.len() as i16).to_be_bytes();
    for row in 0..batch.num_rows() {
        out.extend_from_slice(&fields);
        for (at, column) in values.iter().enumerate() {
            if !column.put(row, out) {
                let column = at.checked_sub(1).and_then(|at| columns.get(at)).cloned().unwrap_or_default();
                return Err(Refused { column, row: Some(row) });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::ArrayRef;

    use super::*;

    /// The groups, weight, sign and scale that a NUMERIC field holds.
    fn decoded(unscaled: i128, scale: u32) -> (Vec<i16>, i16, i16, i16) {
        let mut out = Vec::new();
        numeric(unscaled, scale, &mut out);
        let length = i32::from_be_bytes(out[..4].try_into().unwrap());
        assert_eq!(length as usize, out.len() - 4);
        let words: Vec<i16> = out[4..].chunks(2).map(|w| i16::from_be_bytes(w.try_into().unwrap())).collect();
        assert_eq!(words[0] as usize, words.len() - 4);
        (words[4..].to_vec(), words[1], words[2], words[3])
    }

    #[test]
    fn numerics_are_what_the_server_sends() {
        // As `COPY (SELECT x::numeric) TO STDOUT (FORMAT binary)` of PostgreSQL 15 gives them.
        assert_eq!(decoded(0, 2), (vec![], 0, 0, 2));
        assert_eq!(decoded(1, 2), (vec![100], -1, 0, 2));
        assert_eq!(decoded(-12_345, 2), (vec![123, 4500], 0, 0x4000, 2));
        assert_eq!(decoded(100_000_000, 2), (vec![100], 1, 0, 2));
        assert_eq!(decoded(10_000, 0), (vec![1], 1, 0, 0));
        assert_eq!(decoded(123_456_789, 4), (vec![1, 2345, 6789], 1, 0, 4));
        assert_eq!(decoded(1, 10), (vec![100], -3, 0, 10));
        assert_eq!(decoded(i128::from(u64::MAX), 0), (vec![1844, 6744, 737, 955, 1615], 4, 0, 0));
    }

    #[test]
    fn numerics_keep_their_value() {
        for scale in 0..=38 {
            for unscaled in [1, 9_999, 10_000, 1_234_567_890_123, i128::from(u64::MAX), 10i128.pow(38) - 1, i128::MAX, i128::MIN]
            {
                let (groups, weight, sign, dscale) = decoded(unscaled, scale);
                assert_eq!((dscale as u32, sign != 0), (scale, unscaled < 0));
                // Written out, group by group: digits before the point up to weight, then those behind it.
                let digit_groups: String = groups.iter().map(|g| format!("{g:04}")).collect();
                let behind = (groups.len() as i32 - 1 - i32::from(weight)) * 4;
                let shift = behind - scale as i32;
                let text = if shift >= 0 {
                    let (kept, cut) = digit_groups.split_at(digit_groups.len() - shift as usize);
                    assert!(cut.bytes().all(|b| b == b'0'), "{unscaled} at {scale}");
                    kept.to_owned()
                } else {
                    digit_groups + &"0".repeat(-shift as usize)
                };
                assert_eq!(text.parse::<u128>().unwrap(), unscaled.unsigned_abs(), "{unscaled} at {scale}");
            }
        }
    }

    #[test]
    fn rows_have_every_column_and_nulls_where_the_file_lacks_one() {
        let ids: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
        let batch = RecordBatch::try_from_iter_with_nullable([("id", ids, true)]).unwrap();
        let mut out = Vec::new();
        rows(&batch, Day(EPOCH + 1), &["id".into(), "new".into()], &mut out).unwrap();
        let first = [&[0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, b'a'][..], &[0xff; 4]].concat();
        let second = [&[0, 3, 0, 0, 0, 4, 0, 0, 0, 1][..], &[0xff; 8]].concat();
        assert_eq!(out, [first, second].concat());
    }

    #[test]
    fn what_the_server_cannot_store_is_refused() {
        let ids: ArrayRef = Arc::new(StringArray::from(vec!["a", "b\0"]));
        let odd: ArrayRef = Arc::new(arrow::array::Float32Array::from(vec![1.0, 2.0]));
        let batch = RecordBatch::try_from_iter([("id", ids), ("odd", odd)]).unwrap();
        let of = |column: &str| rows(&batch, Day(0), &[column.to_owned()], &mut Vec::new()).unwrap_err();
        assert_eq!(of("id"), Refused { column: "id".into(), row: Some(1) });
        assert_eq!(of("odd"), Refused { column: "odd".into(), row: None });
    }
}
