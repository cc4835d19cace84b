//! What became of a file that was to be created.

/// What became of a file that was to be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is there, whole and durable.
    New,
    /// There was one already, which stays as it is. After a lost answer of a store, this may be the one that was written.
    Existed,
}
