//! The actions of a log, as JSON has them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A line of a commit or of a checkpoint: one of its fields is there. Others say nothing about rows.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Action {
    pub add: Option<Add>,
    pub remove: Option<Remove>,
    pub meta_data: Option<Metadata>,
    pub protocol: Option<Protocol>,
    pub sidecar: Option<Sidecar>,
}

/// A file that counts from then on.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Add {
    pub path: String,
    #[serde(default)]
    pub partition_values: BTreeMap<String, Option<String>>,
    pub size: i64,
    pub deletion_vector: Option<Vector>,
}

/// A file that counts no more, or not with these deleted rows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Remove {
    pub path: String,
    pub deletion_vector: Option<Vector>,
}

/// Where a deletion vector is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Vector {
    pub storage_type: String,
    pub path_or_inline_dv: String,
    pub offset: Option<i64>,
    pub size_in_bytes: i64,
    pub cardinality: i64,
}

/// Schema and settings of the table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub schema_string: String,
    #[serde(default)]
    pub partition_columns: Vec<String>,
    #[serde(default)]
    pub configuration: BTreeMap<String, Option<String>>,
}

/// What a reader must know.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protocol {
    pub min_reader_version: i64,
    pub reader_features: Option<Vec<String>>,
    pub writer_features: Option<Vec<String>>,
}

/// A file with a part of a checkpoint.
#[derive(Debug, Deserialize)]
pub(super) struct Sidecar {
    pub path: String,
}

impl Vector {
    /// What tells it from others of the same file.
    pub fn id(&self) -> String {
        let offset = self.offset.map_or(String::new(), |offset| format!("@{offset}"));
        format!("{}{}{offset}", self.storage_type, self.path_or_inline_dv)
    }
}

impl Metadata {
    /// A setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.configuration.get(name)?.as_deref()
    }

    /// Whether the table itself writes the log of another format, for readers of that.
    pub fn writes_for(&self, format: &str) -> bool {
        let formats = self.setting("delta.universalFormat.enabledFormats").unwrap_or_default();
        formats.split(',').any(|one| one.trim().eq_ignore_ascii_case(format))
    }
}
