//! What all threads of a scan share.

use std::collections::HashMap;
use std::sync::Mutex;

use super::columns::{OrderColumns, UsedColumns};
use super::dedup::ExclusionBitmap;
use crate::bucket::RecordLayout;
use crate::error::{Error, Result};
use crate::input::source::Source;
use crate::job::Job;

/// What all threads of a scan share.
pub struct Shared<'a> {
    pub job: &'a Job,
    pub sources: &'a [Source],
    pub columns: &'a OrderColumns,
    pub layout: RecordLayout,
    pub uses: UsedColumns,
    pub excluded: Vec<ExclusionBitmap>,
    pub slices: Codes,
    pub categories: Codes,
}

/// Values with their codes, in the order in which the threads meet them.
pub struct Codes {
    /// The key that names their column.
    pub key: &'static str,
    pub known: Mutex<HashMap<String, u32>>,
}

impl Codes {
    pub fn new(key: &'static str) -> Codes {
        Codes { key, known: Mutex::default() }
    }

    /// The values by code.
    pub fn into_values(self) -> Result<Vec<String>> {
        let known = self.known.into_inner().map_err(|_| Error::bug("a scan thread stopped while it held the codes"))?;
        let mut values = vec![String::new(); known.len()];
        for (value, code) in known {
            values[code as usize] = value;
        }
        Ok(values)
    }
}
