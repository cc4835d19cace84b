//! What tells a file from one that was changed or replaced.

/// What tells a file from one that was changed or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// Bytes.
    pub size: u64,
    /// Time of modification in nanoseconds since 1970.
    pub modified_ns: i128,
    /// What its store says besides.
    pub version: Version,
}

/// What tells a file from one of equal size and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// Of a file on a disk. Who writes it can set its time of modification back, but not that of the last change.
    Local {
        /// Time of the last change of content, name or rights (ctime) in nanoseconds since 1970.
        changed_ns: i128,
        /// Its inode, which tells it from a file that replaced it.
        inode: u64,
    },
    /// The tag that a store gives to the content of an object; none if it gives none.
    Object {
        /// The tag, with its quotes.
        tag: Option<String>,
    },
}

impl Version {
    /// Time of the last change, of a file on a disk.
    pub fn changed_ns(&self) -> Option<i128> {
        match self {
            Version::Local { changed_ns, .. } => Some(*changed_ns),
            Version::Object { .. } => None,
        }
    }

    /// The inode of a file on a disk.
    pub fn inode(&self) -> Option<u64> {
        match self {
            Version::Local { inode, .. } => Some(*inode),
            Version::Object { .. } => None,
        }
    }

    /// The tag of an object.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Version::Local { .. } => None,
            Version::Object { tag } => tag.as_deref(),
        }
    }
}
