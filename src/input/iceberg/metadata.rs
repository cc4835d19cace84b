//! The metadata of a table, as JSON has it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A file of metadata.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Metadata {
    /// The folder of the table when it was written.
    pub location: String,
    #[serde(default)]
    pub schemas: Vec<Schema>,
    /// The schema, where the first version of the format has no list of them.
    pub schema: Option<Schema>,
    pub current_schema_id: Option<i64>,
    #[serde(default)]
    pub partition_specs: Vec<PartitionSpec>,
    /// The partitions, where the first version of the format has no list of them.
    #[serde(default)]
    pub partition_spec: Vec<PartitionField>,
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    pub current_snapshot_id: Option<i64>,
    #[serde(default)]
    pub snapshots: Vec<Snapshot>,
}

/// The files of a table at a time.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Snapshot {
    pub snapshot_id: i64,
    pub schema_id: Option<i64>,
    /// The file that lists the manifests.
    pub manifest_list: Option<String>,
    /// The manifests, where the first version of the format lists them here.
    #[serde(default)]
    pub manifests: Vec<String>,
}

/// The columns of a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Schema {
    pub schema_id: Option<i64>,
    pub fields: Vec<Field>,
}

/// A column.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Field {
    pub id: i32,
    pub name: String,
    #[serde(rename = "type")]
    pub data_type: Value,
    /// The value of rows that were written before the column was added.
    pub initial_default: Option<Value>,
}

/// How rows are spread over files.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PartitionSpec {
    pub spec_id: i64,
    pub fields: Vec<PartitionField>,
}

/// A value that all rows of a file share.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PartitionField {
    /// The column it is computed from; none if there are several.
    pub source_id: Option<i32>,
    pub field_id: Option<i32>,
    pub transform: String,
}

/// The names that a column may have in files without ids.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct MappedField {
    pub field_id: Option<i32>,
    #[serde(default)]
    pub names: Vec<String>,
}

/// The id of the first field of partitions where none is written.
const FIRST_PARTITION_ID: i32 = 1000;

impl PartitionField {
    /// Whether its value is that of the column.
    pub fn is_identity(&self) -> bool {
        self.transform == "identity"
    }

    /// Whether it was dropped, and says nothing of files.
    pub fn is_void(&self) -> bool {
        self.transform == "void"
    }
}

impl Metadata {
    /// The current snapshot, if the table has one.
    pub fn current(&self) -> Option<&Snapshot> {
        let current = self.current_snapshot_id?;
        self.snapshots.iter().find(|snapshot| snapshot.snapshot_id == current)
    }

    /// The schema with an id, or the current one.
    pub fn schema(&self, id: Option<i64>) -> Option<&Schema> {
        let with_id = |id: Option<i64>| self.schemas.iter().find(|schema| id.is_some() && schema.schema_id == id);
        with_id(id).or_else(|| with_id(self.current_schema_id)).or(self.schema.as_ref())
    }

    /// The fields of partitions by the id of their spec, each with its own id.
    pub fn partitions(&self) -> BTreeMap<i64, Vec<(i32, PartitionField)>> {
        let numbered = |fields: &[PartitionField]| {
            let id =
                |(field, number): (&PartitionField, i32)| (field.field_id.unwrap_or(FIRST_PARTITION_ID + number), field.clone());
            fields.iter().zip(0..).map(id).collect()
        };
        match self.partition_specs.is_empty() {
            true => BTreeMap::from([(0, numbered(&self.partition_spec))]),
            false => self.partition_specs.iter().map(|spec| (spec.spec_id, numbered(&spec.fields))).collect(),
        }
    }
}
