//! From the files of a snapshot to files to read.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::ArrayRef;

use super::location::Locations;
use super::manifest::DataFile;
use super::metadata::PartitionField;
use super::partition;
use super::schema::Defaults;
use crate::error::Result;
use crate::input::input_path::InputPath;
use crate::input::lake_table::Table;
use crate::input::table_file::{TableFile, TableVersion};

/// A snapshot whose files can be read.
pub(super) struct Planned<'a> {
    pub table: &'a Table<'a>,
    pub locations: &'a Locations<'a>,
    /// The snapshot.
    pub of: Arc<TableVersion>,
    /// The fields of partitions with their ids, by the id of their spec.
    pub partitions: BTreeMap<i64, Vec<(i32, PartitionField)>>,
    /// The values of columns that a file may lack.
    pub defaults: Defaults,
}

impl Planned<'_> {
    /// Refuses an encrypted file.
    pub fn check_plain(&self, file: &DataFile) -> Result<()> {
        match file.is_encrypted {
            false => Ok(()),
            true => Err(self.table.wrong(format_args!(
                "has the encrypted file {}, which rfmill does not read; write its current rows to Parquet files",
                file.path
            ))),
        }
    }

    /// A file in Parquet, all of whose rows count.
    ///
    /// # Errors
    /// Exit 4 if it is of another format, encrypted, in a place that is not read, or its manifest contradicts the metadata.
    pub fn input(&self, file: &DataFile) -> Result<InputPath> {
        self.check_plain(file)?;
        if file.format != "PARQUET" {
            return Err(self.table.wrong(format_args!(
                "has the file {} in {}, and rfmill reads Parquet; rewrite its files with write.format.default and write.delete.format.default = parquet",
                file.path, file.format
            )));
        }
        let place = self.locations.of(&file.path)?;
        let name = self.table.name_of(&place);
        let size = u64::try_from(file.size)
            .map_err(|_| self.table.wrong(format_args!("gives {name} {} bytes in its manifests", file.size)))?;
        let spec = file.partition.spec;
        let fields = self.partitions.get(&spec).ok_or_else(|| {
            self.table.wrong(format_args!("gives {name} the partitions {spec}, which its metadata do not have; restore them"))
        })?;
        let mut constants = partition::constants(file, fields, &self.of.columns, self.table)?;
        let further = self.defaults.values.iter().filter(|(name, _)| !constants.iter().any(|(known, _)| known == name));
        let further: Vec<(String, ArrayRef)> = further.cloned().collect();
        constants.extend(further);
        let unread = self.defaults.unread.clone();
        let table = TableFile { table: Arc::clone(&self.of), size, constants, unread, deleted: None };
        Ok(InputPath { table: Some(Arc::new(table)), ..InputPath::plain(name, place, self.table.key) })
    }
}
