//! Customer ids of other tables, as keys of the orders' id type.

use arrow::array::{Array, ArrayRef, StringViewArray};
use arrow::datatypes::DataType;

use super::decode;
use crate::bucket::{hash_key, hash_text};
use crate::domain::{CustomerIds, IdType};
use crate::error::{Error, Result};

/// Checks that ids can be compared with those of the orders; `text` says whether they are strings.
///
/// # Errors
/// Exit 3 if one is text and the other is not.
pub(crate) fn comparable(text: bool, column: &str, key: &str, id: IdType) -> Result<()> {
    if text == (id == IdType::Text) {
        return Ok(());
    }
    let kind = |text: bool| if text { "a string" } else { "an integer" };
    Err(Error::contract(format!(
        "column {column:?} ({key}) is {}, but the column of orders.customer_id is {}; write both with one type",
        kind(text),
        kind(!text)
    )))
}

/// The ids of a batch as keys of the orders' id type; nulls and ids that do not fit have no key.
pub(crate) enum CustomerKeys<'a> {
    Int(Vec<Option<i64>>),
    Text(&'a StringViewArray),
}

impl<'a> CustomerKeys<'a> {
    /// The keys of a column of ids that can be compared with ids of this type.
    ///
    /// # Errors
    /// As [`decode::keys`].
    pub fn of(column: &'a ArrayRef, id: IdType, too_wide: impl FnOnce(usize, i128) -> Error) -> Result<CustomerKeys<'a>> {
        if id == IdType::Text {
            return Ok(CustomerKeys::Text(decode::texts(column)?));
        }
        let mut own = Vec::new();
        let keys = decode::lent_keys(column, &mut own, too_wide)?;
        let unsigned = *column.data_type() == DataType::UInt64;
        let key = |key: i64| {
            let value = if unsigned { i128::from(CustomerIds::unsigned_of_key(key)) } else { i128::from(key) };
            let fits = match id {
                IdType::Signed(bits) => value >= -(1i128 << (bits - 1)) && value < 1i128 << (bits - 1),
                IdType::Unsigned(bits) => value >= 0 && value < 1i128 << bits,
                IdType::Decimal(_) => i64::try_from(value).is_ok(),
                IdType::Text => false,
            };
            let key = if id == IdType::Unsigned(64) { CustomerIds::key_of_unsigned(value as u64) } else { value as i64 };
            fits.then_some(key)
        };
        let keys = keys.iter().enumerate().map(|(row, value)| key(*value).filter(|_| column.is_valid(row)));
        Ok(CustomerKeys::Int(keys.collect()))
    }

    /// Whether a row has a key.
    pub fn is_known(&self, row: usize) -> bool {
        match self {
            CustomerKeys::Int(keys) => keys[row].is_some(),
            CustomerKeys::Text(texts) => texts.is_valid(row),
        }
    }

    /// The hash of an id.
    pub fn hash(&self, row: usize) -> Option<u64> {
        match self {
            CustomerKeys::Int(keys) => keys[row].map(hash_key),
            CustomerKeys::Text(texts) => texts.is_valid(row).then(|| hash_text(texts.value(row).as_bytes())),
        }
    }

    /// The values of the field [`crate::bucket::Field::Customer`]: keys, or lengths of strings; 0 for rows without a key.
    pub fn lane(&self) -> Vec<i64> {
        match self {
            CustomerKeys::Int(keys) => keys.iter().map(|key| key.unwrap_or(0)).collect(),
            CustomerKeys::Text(texts) => (0..texts.len()).map(|row| texts.value(row).len() as i64).collect(),
        }
    }

    /// Appends the id of a row that has a key.
    pub fn push(&self, row: usize, ids: &mut CustomerIds) {
        match (self, ids) {
            (CustomerKeys::Int(keys), CustomerIds::Int(ids)) => ids.extend(keys[row]),
            (CustomerKeys::Text(texts), CustomerIds::Text(ids)) => ids.push(texts.value(row).as_bytes()),
            (CustomerKeys::Int(_), CustomerIds::Text(_)) | (CustomerKeys::Text(_), CustomerIds::Int(_)) => {}
        }
    }
}
