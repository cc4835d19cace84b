//! Dictionaries of text columns: slices and categories have one code per value, shared by all threads of a scan.

use std::collections::HashMap;
use std::sync::Mutex;

use arrow::array::{Array, ArrayRef, StringViewArray};

use super::ledger::{AFTER_AS_OF, KEPT, RowOutcome};
use crate::error::{Error, Result};
use crate::input::decode;

/// Most values of a dictionary.
const MAX_VALUES: usize = 60_000;

/// The key of the column of slices.
pub const SLICE_KEY: &str = "orders.slice";
/// The key of the column of categories.
pub const CATEGORY_KEY: &str = "orders.category";

/// Checks that the column of a key has no more values than a dictionary holds.
///
/// # Errors
/// Exit 3 if there are too many.
pub fn check_size(key: &str, values: usize) -> Result<()> {
    if values <= MAX_VALUES {
        return Ok(());
    }
    Err(Error::contract(format!(
        "column {key} has more than {MAX_VALUES} values; name one that is a category or a region, not an id"
    )))
}

/// The values of a column with their codes, in the order in which the threads find them.
pub struct SharedDictionary {
    /// The key of the job file that names the column.
    key: &'static str,
    codes: Mutex<HashMap<String, u32>>,
}

impl SharedDictionary {
    /// An empty dictionary of the column that `key` names.
    pub fn new(key: &'static str) -> SharedDictionary {
        SharedDictionary { key, codes: Mutex::default() }
    }

    /// The code of a value, which is added if it is new.
    ///
    /// # Errors
    /// Exit 3 if there are too many values.
    fn code(&self, value: &str) -> Result<u32> {
        let mut codes = self.codes.lock().map_err(|_| Error::bug("a scan thread stopped while it held the codes"))?;
        let next = codes.len();
        if !codes.contains_key(value) {
            check_size(self.key, next + 1)?;
        }
        Ok(*codes.entry(value.to_owned()).or_insert(next as u32))
    }

    /// The values by code.
    pub fn into_values(self) -> Result<Vec<String>> {
        let codes = self.codes.into_inner().map_err(|_| Error::bug("a scan thread stopped while it held the codes"))?;
        let mut values = vec![String::new(); codes.len()];
        for (value, code) in codes {
            values[code as usize] = value;
        }
        Ok(values)
    }
}

/// A thread's copy of the codes it has used, which needs no lock.
#[derive(Default)]
pub struct DictionaryCache(HashMap<String, u32>);

impl DictionaryCache {
    /// Writes the codes of a column's values to `out`; -1 for null and for rows that are neither kept nor later than all as-of dates.
    /// So what values there are does not depend on the dates of a job.
    ///
    /// # Errors
    /// Exit 3 if there are too many values.
    pub fn encode(
        &mut self,
        column: &ArrayRef,
        outcomes: &[RowOutcome],
        shared: &SharedDictionary,
        out: &mut Vec<i64>,
    ) -> Result<()> {
        out.clear();
        let texts = column.as_any().downcast_ref::<StringViewArray>();
        for (row, outcome) in outcomes.iter().enumerate() {
            if !matches!(*outcome, KEPT | AFTER_AS_OF) || column.is_null(row) {
                out.push(-1);
                continue;
            }
            let code = match texts.and_then(|texts| self.0.get(texts.value(row))) {
                Some(code) => *code,
                None => self.look_up(decode::text_of(column, row)?.unwrap_or_default(), shared)?,
            };
            out.push(i64::from(code));
        }
        Ok(())
    }

    fn look_up(&mut self, value: String, shared: &SharedDictionary) -> Result<u32> {
        if let Some(code) = self.0.get(&value) {
            return Ok(*code);
        }
        let code = shared.code(&value)?;
        self.0.insert(value, code);
        Ok(code)
    }
}
