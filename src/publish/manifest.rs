//! What a run says of itself, and what a commit says of a run.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::facts::Dimensions;
use crate::error::{Error, Kind, Result};
use crate::input::input_path::InputPath;
use crate::input::table_file::LakeVersion;

/// `manifest.json` of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the program.
    pub rfmill: String,
    /// Hash of the resolved job, its inputs and the version.
    pub run_id: String,
    /// Name of the job.
    pub job_name: String,
    /// The engine.
    pub engine: String,
    /// As-of dates.
    pub as_of: Vec<String>,
    /// The job with every default filled in.
    pub job: serde_json::Value,
    /// SHA-256 of the job and scheme files as used.
    pub job_sha256: String,
    /// Input files.
    pub inputs: Vec<InputEntry>,
    /// Files that queries read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceEntry>,
    /// What came of the queries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<QueryEntry>,
    /// Input rows.
    pub input_rows: u64,
    /// Assignments of strategies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignments: Vec<AssignmentsEntry>,
    /// Whether the content of all inputs was checked against hashes given from outside.
    pub inputs_verified: bool,
    /// The lists of these hashes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input_manifests: Vec<HashListEntry>,
    /// Tables with their files.
    pub tables: Vec<TableEntry>,
    /// Files for people and other programs, below `report/`.
    #[serde(default)]
    pub reports: Vec<TableFile>,
    /// Cut points by as-of date, slice and axis.
    pub cut_points: Vec<CutPointEntry>,
    /// What it says of its dates to the dimensions.
    #[serde(default)]
    pub dimensions: Dimensions,
    /// Warnings, as sentences.
    pub warnings: Vec<String>,
    /// Labels of states in the languages for which `dim_state` has no column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelEntry>,
    /// Seconds per step.
    pub timings: Vec<Timing>,
    /// Largest resident memory of the process in bytes, if known.
    pub peak_memory_bytes: Option<u64>,
    /// Bytes that a limit of memory sent to disk.
    #[serde(default)]
    pub spilled_bytes: u64,
}

/// An input file as it was when it was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InputEntry {
    /// As the job names it.
    pub file: String,
    /// Bytes.
    pub bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub modified_ns: String,
    /// Time of the last change (ctime), nanoseconds since 1970, unless all of the content was hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_ns: Option<String>,
    /// Inode, unless all of the content was hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    /// The tag that an object store gives to the content (ETag), unless all of it was hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// SHA-256 of the Parquet footer.
    pub footer_sha256: String,
    /// Rows.
    pub rows: u64,
    /// Row groups.
    pub row_groups: usize,
    /// SHA-256 of the whole file, if it was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_sha256: Option<String>,
    /// The table whose log names it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lake_table: Option<LakeTableEntry>,
}

/// What the log of a table says of one of its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LakeTableEntry {
    /// The format of the table.
    pub format: String,
    /// Its folder, as the job names it.
    pub folder: String,
    /// The version that was read, of a Delta table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The id of the snapshot that was read, of an Iceberg table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<u64>,
    /// SHA-256 of what the log says of the columns, by which files are read: names, types, ids and defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns_sha256: Option<String>,
    /// Rows of the file that do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_rows: Option<u64>,
    /// SHA-256 of the deletion vector that names them, or of a bitmap of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_vector_sha256: Option<String>,
}

impl LakeTableEntry {
    /// What the log says of an input file, if it is one of a table.
    pub fn of(input: &InputPath) -> Option<LakeTableEntry> {
        let file = input.table.as_ref()?;
        let (version, snapshot) = match file.table.version {
            LakeVersion::Version(version) => (Some(version), None),
            LakeVersion::Snapshot(snapshot) => (None, Some(snapshot)),
        };
        Some(LakeTableEntry {
            format: file.table.format.to_owned(),
            folder: file.table.folder.clone(),
            version,
            snapshot,
            columns_sha256: Some(file.table.columns_sha256.clone()),
            deleted_rows: file.deleted.as_ref().map(|deleted| deleted.rows.len()),
            deletion_vector_sha256: file.deleted.as_ref().map(|deleted| deleted.sha256.clone()),
        })
    }
}

/// A file that queries read, as it was then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceEntry {
    /// The source that it belongs to.
    pub source: String,
    /// As the job names it.
    pub file: String,
    /// Bytes.
    pub bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub modified_ns: String,
    /// Time of the last change (ctime), nanoseconds since 1970.
    pub changed_ns: String,
    /// Inode.
    pub inode: u64,
    /// The tag that an object store gives to the content (ETag).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// SHA-256 of the Parquet footer, or of the last 64 KiB of other files.
    pub tail_sha256: String,
    /// Rows, if they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The table whose log names it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lake_table: Option<LakeTableEntry>,
}

/// What came of a query.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueryEntry {
    /// Its key in the job.
    pub key: String,
    /// Rows of its result.
    pub rows: u64,
    /// Largest resident memory of the program that ran it in bytes, if known.
    pub peak_memory_bytes: Option<u64>,
}

/// A list of hashes that inputs were checked against.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HashListEntry {
    /// The key of the job that names it.
    pub key: String,
    /// As the job names it.
    pub file: String,
    /// SHA-256 of the list.
    pub sha256: String,
}

/// The assignments of a strategy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssignmentsEntry {
    /// The strategy.
    pub strategy: String,
    /// Its files.
    pub files: Vec<AssignmentFileEntry>,
    /// Rows by what became of them: all that were read, and those that count, repeat another, lie in no period ….
    pub rows: BTreeMap<String, u64>,
}

/// A file of assignments as it was when it was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssignmentFileEntry {
    /// As the job names it.
    pub file: String,
    /// Bytes.
    pub bytes: u64,
    /// Modification time, nanoseconds since 1970.
    pub modified_ns: String,
    /// Time of the last change (ctime), nanoseconds since 1970, unless all of the content was hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_ns: Option<String>,
    /// Inode, unless all of the content was hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    /// The tag that an object store gives to the content (ETag), unless all of it was hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// SHA-256 of the Parquet footer, or of a whole CSV file.
    pub sha256: String,
    /// SHA-256 of the whole file, if it was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_sha256: Option<String>,
    /// The table whose log names it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lake_table: Option<LakeTableEntry>,
}

/// A table of the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TableEntry {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its files.
    pub files: Vec<TableFile>,
}

/// A file of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFile {
    /// Relative to the run.
    pub path: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// Cut points of an axis.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CutPointEntry {
    /// As-of date.
    pub as_of: String,
    /// Slice value, or `(all)`.
    pub slice: String,
    /// Axis.
    pub axis: String,
    /// Boundaries between the bins, "p/q" in minor units, days or orders; null where a bin is empty.
    pub cuts: Vec<Option<String>>,
}

/// What reports call a state in a language.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabelEntry {
    /// The scheme column.
    pub scheme: String,
    /// The state.
    pub state: String,
    /// BCP 47 tag of the language.
    pub language: String,
    /// The label.
    pub label: String,
}

/// Time of a step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Timing {
    /// The step.
    pub step: String,
    /// Wall seconds.
    pub seconds: f64,
}

fn unusable(name: &dyn Display, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Kind::State, format!("{name} cannot be read: {error}; restore it or write to a new --output")).caused_by(error)
}

impl Manifest {
    /// What a state is called in a language for which `dim_state` has no column.
    pub fn label(&self, scheme: &str, state: &str, language: &str) -> Option<&str> {
        let mut entries = self.labels.iter();
        let found = entries.find(|entry| entry.scheme == scheme && entry.state == state && entry.language == language);
        found.map(|entry| entry.label.as_str())
    }

    /// Reads the manifest of a run.
    ///
    /// # Errors
    /// Exit 5 if it is missing or damaged.
    pub fn read(run: &Path) -> Result<Manifest> {
        let path = run.join("manifest.json");
        let bytes = std::fs::read(&path).map_err(|e| unusable(&path.display(), e))?;
        Manifest::parse(&path.display(), &bytes)
    }

    /// Reads a manifest from the content of the file of this name.
    ///
    /// # Errors
    /// Exit 5 if it is damaged.
    pub(super) fn parse(name: &dyn Display, bytes: &[u8]) -> Result<Manifest> {
        serde_json::from_slice(bytes).map_err(|e| unusable(name, e))
    }

    /// The manifest as it is written.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::bug(format!("the manifest cannot be written: {e}")).caused_by(e))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
