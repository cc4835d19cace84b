//! The keys of orders, by which lines are joined.

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use xxhash_rust::xxh3::xxh3_128;

use crate::error::{Error, Result};
use crate::input::decode;

/// Order ids as two integers: the id and 0 for integers, the halves of a 128-bit hash for strings and for ids of several columns.
/// What stands at nulls is arbitrary.
///
/// # Errors
/// What `too_wide` makes of the number of a column, a row and its id that is beyond 64 bits.
pub fn of(
    columns: &[&ArrayRef],
    low: &mut Vec<i64>,
    high: &mut Vec<i64>,
    too_wide: impl Fn(usize, usize, i128) -> Error,
) -> Result<()> {
    low.clear();
    high.clear();
    let mut push = |hash: u128| {
        low.push(hash as i64);
        high.push((hash >> 64) as i64);
    };
    match columns {
        [column] => match column.as_string_view_opt() {
            Some(texts) => (0..texts.len()).for_each(|row| push(xxh3_128(bytes(texts, row)))),
            None => {
                decode::keys(column, low, |row, id| too_wide(0, row, id))?;
                high.resize(low.len(), 0);
            }
        },
        columns => hashes(columns, push, too_wide)?,
    }
    Ok(())
}

/// Hashes of the values of several columns, row by row.
fn hashes(columns: &[&ArrayRef], mut push: impl FnMut(u128), too_wide: impl Fn(usize, usize, i128) -> Error) -> Result<()> {
    let mut parts = Vec::with_capacity(columns.len());
    for (number, column) in columns.iter().enumerate() {
        parts.push(match column.as_string_view_opt() {
            Some(texts) => (Some(texts), Vec::new()),
            None => {
                let mut keys = Vec::new();
                decode::keys(column, &mut keys, |row, id| too_wide(number, row, id))?;
                (None, keys)
            }
        });
    }
    let mut id = Vec::new();
    for row in 0..columns.first().map_or(0, |column| column.len()) {
        id.clear();
        for (texts, keys) in &parts {
            match texts {
                // The length keeps apart what two columns hold.
                Some(texts) => {
                    let text = bytes(texts, row);
                    id.extend_from_slice(&(text.len() as u64).to_le_bytes());
                    id.extend_from_slice(text);
                }
                None => id.extend_from_slice(&keys[row].to_le_bytes()),
            }
        }
        push(xxh3_128(&id));
    }
    Ok(())
}

fn bytes(texts: &StringViewArray, row: usize) -> &[u8] {
    if texts.is_null(row) { &[] } else { texts.value(row).as_bytes() }
}
