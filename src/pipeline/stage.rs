//! What every stage uses.

use super::prepared::Prepared;
use crate::job::Job;
use crate::memory::MemoryPool;
use crate::progress::Progress;

/// The job, what was prepared for it, the memory it may use, and where progress is reported.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    pub job: &'a Job,
    pub prepared: &'a Prepared,
    pub memory: &'a MemoryPool,
    pub progress: &'a dyn Progress,
}
