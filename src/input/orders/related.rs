//! What rows decide over other rows, which may be those of other customers.

use serde::{Deserialize, Serialize};

use super::columns::OrderColumns;
use super::dedup::{self, ExclusionBitmap, Exclusions};
use super::inherit::{self, InheritedValues};
use crate::error::Result;
use crate::input::source::Source;
use crate::job::Job;
use crate::job::raw::Dedupe;
use crate::memory::MemoryPool;
use crate::progress::Progress;
use crate::wire::Travels;

/// What rows decide over other rows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RelatedRows {
    /// Per file, the rows that other rows exclude.
    pub(super) excluded: Vec<ExclusionBitmap>,
    /// Keys of `orders.latest` whose rows are of two customers.
    pub shared_keys: u64,
    /// Per file, the values that rows take from others of their order.
    pub(super) inherited: Vec<InheritedValues>,
}

impl RelatedRows {
    /// Compares the rows of all files, as far as `orders.dedupe`, `orders.latest` and `orders.inherit` ask for it.
    ///
    /// # Errors
    /// Exit 3 if files or rows contradict each other; exit 4 if a file cannot be read; exit 7 if the memory is too small.
    pub fn find(
        job: &Job,
        sources: &[Source],
        columns: &OrderColumns,
        memory: &MemoryPool,
        progress: &dyn Progress,
    ) -> Result<RelatedRows> {
        let Exclusions { files: excluded, shared_keys } = dedup::find(job, sources, columns, memory, progress)?;
        let inherited = inherit::find(job, sources, columns, &excluded, memory, progress)?;
        Ok(RelatedRows { excluded, shared_keys, inherited })
    }

    /// Whether a job compares rows at all.
    pub fn are_asked_for(job: &Job) -> bool {
        let orders = &job.raw.orders;
        orders.dedupe != Dedupe::default() || orders.latest.is_some() || !orders.inherit.is_empty()
    }
}

impl Travels for RelatedRows {
    const NAME: &'static str = "exclusions";
    const VERSION: u16 = 1;
}
