//! A folder of assignment files, and what is read from them.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use arrow::array::{ArrayRef, Date32Array, RecordBatch, StringArray};

use super::super::{Request, open, read};
use crate::assign::{AssignedIds, Assignments};
use crate::domain::{Day, IdType};
use crate::error::{Kind, Result};
use crate::input::Zone;
use crate::job::paths::InputPaths;
use crate::temp::{TempDir, tempdir};

pub const CSV: &str = "\
customer_id,arm,assigned_on,stratum,cost,contacts,ended_on,note
C1,control,2024-04-01,At Risk,0,0,,x
\"C,2\",mail,2024-04-02,\"New\",0.35,3,2024-04-09,
C3,mail,2024-04-03,,,,,
";

pub struct Folder(pub TempDir);

impl Folder {
    pub fn new() -> Folder {
        Folder(tempdir().unwrap())
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.path().join(name), content).unwrap();
    }

    /// Writes a Parquet file with row groups of two rows.
    pub fn parquet(&self, name: &str, columns: &[(&str, ArrayRef)]) {
        self.parquet_in_groups(name, columns, 2);
    }

    /// Writes a Parquet file with row groups of `rows` rows.
    pub fn parquet_in_groups(&self, name: &str, columns: &[(&str, ArrayRef)], rows: usize) {
        let batch = RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(n, a)| (*n, a.clone(), true))).unwrap();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows)).build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        self.write(name, bytes);
    }

    pub fn read_as(&self, pattern: &str, change: impl Fn(&mut Request)) -> Result<Assignments> {
        let zone = Zone::named("Europe/Berlin", "orders.timezone").unwrap();
        let mut request = Request {
            whose: "strategy \"mail\"".into(),
            strategy: Some("mail"),
            arms: vec!["control", "mail"],
            control: Some("control"),
            cluster: None,
            by: Vec::new(),
            periods: &[],
            id: IdType::Text,
            scale: 2,
            zone: &zone,
            naive_zone: None,
            parts: 1,
        };
        change(&mut request);
        let files = open(&InputPaths::one(pattern, self.0.path().join(pattern)), "strategy.assignments", None, false)?;
        Ok(read(&files, &request)?.remove(0))
    }

    /// The rows of every part.
    pub fn read_parts(&self, pattern: &str, parts: usize, id: IdType) -> Vec<Assignments> {
        let zone = Zone::named("UTC", "orders.timezone").unwrap();
        let request = Request {
            whose: "strategy \"mail\"".into(),
            strategy: None,
            arms: Vec::new(),
            control: None,
            cluster: None,
            by: Vec::new(),
            periods: &[],
            id,
            scale: 2,
            zone: &zone,
            naive_zone: None,
            parts,
        };
        let files = open(&InputPaths::one(pattern, self.0.path().join(pattern)), "strategy.assignments", None, false).unwrap();
        read(&files, &request).unwrap()
    }

    pub fn read(&self, pattern: &str) -> Result<Assignments> {
        self.read_as(pattern, |_| {})
    }

    #[track_caller]
    pub fn refuses(&self, pattern: &str, kind: Kind, message: &str) {
        self.refuses_as(pattern, |_| {}, kind, message);
    }

    #[track_caller]
    pub fn refuses_as(&self, pattern: &str, change: impl Fn(&mut Request), kind: Kind, message: &str) {
        let error = self.read_as(pattern, change).unwrap_err();
        let folder = format!("{}/", self.0.path().display());
        assert_eq!((error.kind(), error.to_string().replace(&folder, "").as_str()), (kind, message));
    }
}

/// A table as rows of text.
pub fn rows(table: &Assignments) -> Vec<String> {
    let row = |at: usize| {
        let id = match &table.ids {
            AssignedIds::Int(keys) => keys.at(at).to_string(),
            AssignedIds::Text(texts) => String::from_utf8(texts.get(at).to_vec()).unwrap(),
        };
        let mut out = vec![id, table.arms[usize::from(table.arm(at))].clone()];
        out.push(table.day(at).to_string());
        out.extend(table.stratum.as_ref().map(|s| table.strata[s[at] as usize].clone()));
        out.extend(table.cluster.as_ref().map(|c| table.clusters[c[at] as usize].clone()));
        out.extend(table.cost.as_ref().map(|c| c[at].to_string()));
        out.extend(table.contacts.as_ref().map(|c| c[at].to_string()));
        out.extend(table.ended_on.as_ref().map(|e| e[at].map_or("-".into(), |d| d.to_string())));
        out.join(" ")
    };
    (0..table.len()).map(row).collect()
}

pub fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from_iter(values.iter().copied()))
}

pub fn dates(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(Date32Array::from_iter(values.iter().map(|v| v.map(|d| Day::parse(d).unwrap().0))))
}
