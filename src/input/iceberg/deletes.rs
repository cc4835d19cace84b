//! Which rows of a file were deleted: by position, by a vector, or by value. Deletes apply to rows that were there before them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use rayon::prelude::*;
use roaring::RoaringTreemap;

use super::manifest::{Content, DataFile, Partition};
use super::planned::Planned;
use crate::error::{Error, Result};
use crate::input::damage::corrupt;
use crate::input::deletion_vector::{self, FRAME, MOST_BYTES};
use crate::input::input_path::InputPath;
use crate::input::reader::FileReader;
use crate::input::source::Source;
use crate::input::table_file::DeletedRows;
use crate::input::widening::widened;
use crate::storage::ReadError;

/// The columns of files of positions.
const POSITIONS: [&str; 2] = ["file_path", "pos"];

/// The deletes of a snapshot.
#[derive(Debug)]
pub(super) struct Deletes {
    /// By the path of a file, what deletes rows of it by position.
    positions: HashMap<String, Vec<Positions>>,
    /// By the names of columns, what deletes rows by their values in these.
    values: BTreeMap<Vec<String>, Vec<Values>>,
}

/// Positions in one file.
#[derive(Debug)]
struct Positions {
    sequence: i64,
    partition: Partition,
    is_vector: bool,
    rows: DeletedRows,
}

/// Values that delete the rows that have them.
#[derive(Debug)]
struct Values {
    sequence: i64,
    /// The partition whose rows they delete; none if it is all.
    partition: Option<Partition>,
    types: Vec<DataType>,
    /// In the form in which Arrow compares rows.
    rows: HashSet<Box<[u8]>>,
}

impl Deletes {
    /// Reads the deletes among the files of a snapshot.
    ///
    /// # Errors
    /// Exit 4 if they cannot be read, or are of a kind that is not known.
    pub fn read(files: &[DataFile], planned: &Planned<'_>) -> Result<Deletes> {
        let of = |content: Content| files.iter().filter(|file| file.content == content).collect::<Vec<_>>();
        // In the order of the manifests, so that the first error is always the same one.
        let read: Vec<Result<Vec<_>>> =
            of(Content::PositionDeletes).into_par_iter().map(|file| positions(file, planned)).collect();
        let mut positions: HashMap<String, Vec<Positions>> = HashMap::new();
        for (path, rows) in read.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten() {
            positions.entry(path).or_default().push(rows);
        }
        let read: Vec<Result<_>> = of(Content::EqualityDeletes).into_par_iter().map(|file| values(file, planned)).collect();
        let mut values: BTreeMap<Vec<String>, Vec<Values>> = BTreeMap::new();
        for (columns, rows) in read.into_iter().collect::<Result<Vec<_>>>()? {
            values.entry(columns).or_default().push(rows);
        }
        Ok(Deletes { positions, values })
    }

    /// The deleted rows of a file with rows; none if all of them count.
    ///
    /// # Errors
    /// Exit 4 if its values are needed and cannot be read.
    pub fn of(&self, file: &DataFile, input: &InputPath) -> Result<Option<DeletedRows>> {
        let applies = |by: &&Positions| by.sequence >= file.sequence && by.partition == file.partition;
        let by_position: Vec<&Positions> = self.positions.get(&file.path).into_iter().flatten().filter(applies).collect();
        // A vector holds what was deleted before it as well.
        let has_vector = by_position.iter().any(|by| by.is_vector);
        let by_position: Vec<&DeletedRows> =
            by_position.into_iter().filter(|by| by.is_vector == has_vector).map(|by| &by.rows).collect();
        let mut by_value = RoaringTreemap::new();
        for (columns, values) in &self.values {
            let is_in = |by: &Values| by.partition.as_ref().is_none_or(|partition| *partition == file.partition);
            let later: Vec<&Values> = values.iter().filter(|by| by.sequence > file.sequence && is_in(by)).collect();
            if !later.is_empty() {
                add_matching(&mut by_value, columns, &later, input)?;
            }
        }
        Ok(match by_position.as_slice() {
            [] if by_value.is_empty() => None,
            [one] if by_value.is_empty() => Some((*one).clone()),
            several => Some(DeletedRows::of(several.iter().fold(by_value, |all, rows| all | &rows.rows))),
        })
    }
}

/// The positions that a file deletes, by the path of the file that has them.
fn positions(file: &DataFile, planned: &Planned<'_>) -> Result<Vec<(String, Positions)>> {
    let is_vector = file.format == "PUFFIN";
    let rows = if is_vector { vec![vector(file, planned)?] } else { listed(file, planned)? };
    let positions = |rows| Positions { sequence: file.sequence, partition: file.partition.clone(), is_vector, rows };
    Ok(rows.into_iter().map(|(path, rows)| (path, positions(rows))).collect())
}

/// A deletion vector, which lies in a Puffin file.
fn vector(file: &DataFile, planned: &Planned<'_>) -> Result<(String, DeletedRows)> {
    planned.check_plain(file)?;
    let (table, place) = (planned.table, planned.locations.of(&file.path)?);
    let wrong =
        |what: String| -> Error { table.wrong(format_args!("has a deletion vector in {place}, {what}; restore that file")) };
    let unsigned = |number: i64| u64::try_from(number).ok();
    let blob = file.blob.and_then(|(offset, size)| unsigned(offset).zip(unsigned(size)?.checked_sub(2 * FRAME)));
    let (path, (offset, size)) = file
        .referenced
        .clone()
        .zip(blob.filter(|(_, size)| *size <= MOST_BYTES))
        .ok_or_else(|| wrong("and does not say where it lies, and for which file".into()))?;
    let opened = place.open().map_err(|e: ReadError| wrong(format!("which cannot be read ({e})")).caused_by(e))?;
    let bytes = deletion_vector::of_file(&opened, offset, size, wrong)?;
    let wrong =
        |what: String| -> Error { table.wrong(format_args!("has a deletion vector for {path} {what}; restore the table")) };
    Ok((path.clone(), deletion_vector::decoded(&bytes, file.rows, wrong)?))
}

/// The rows in a file of positions, by the path of the file that has them.
fn listed(file: &DataFile, planned: &Planned<'_>) -> Result<Vec<(String, DeletedRows)>> {
    let source = Source::open(InputPath { table: None, ..planned.input(file)? }, None)?;
    let other_form = || corrupt(&source.name(), "it is no file of positions of deleted rows");
    let names = POSITIONS.map(str::to_owned);
    if names.iter().any(|name| source.metadata.schema().index_of(name).is_err()) {
        return Err(other_form());
    }
    let mut rows: BTreeMap<String, RoaringTreemap> = BTreeMap::new();
    each_batch(&source, &names, |_, columns| {
        let [paths, positions] = columns else { return Err(other_form()) };
        let paths = paths.as_string_view_opt().filter(|paths| paths.null_count() == 0).ok_or_else(other_form)?;
        let positions = positions.as_primitive_opt::<Int64Type>().filter(|p| p.null_count() == 0).ok_or_else(other_form)?;
        for (path, position) in paths.iter().flatten().zip(positions.values()) {
            let position = u64::try_from(*position).map_err(|_| other_form())?;
            match rows.get_mut(path) {
                Some(rows) => drop(rows.insert(position)),
                None => drop(rows.insert(path.to_owned(), RoaringTreemap::from_iter([position]))),
            }
        }
        Ok(())
    })?;
    Ok(rows.into_iter().map(|(path, rows)| (path, DeletedRows::of(rows))).collect())
}

/// The values in a file that deletes by value, and the columns that have them.
fn values(file: &DataFile, planned: &Planned<'_>) -> Result<(Vec<String>, Values)> {
    let column = |id: &i32| {
        let column = planned.of.columns.iter().find(|column| column.id == Some(*id) && column.data_type.is_some());
        column.map(|column| column.name.clone()).ok_or_else(|| {
            planned.table.wrong(format_args!(
                "deletes rows by a column that its schema does not have as a plain one (its id is {id}); rewrite its data files, so that these deletes are applied"
            ))
        })
    };
    let names: Vec<String> = file.equality_ids.iter().map(column).collect::<Result<_>>()?;
    let source = Source::open(planned.input(file)?, None)?;
    if names.is_empty() {
        return Err(corrupt(&source.name(), "its manifest does not say by which columns it deletes rows"));
    }
    let (mut rows, mut types) = (HashSet::new(), Vec::new());
    each_batch(&source, &names, |_, columns| {
        let (of_batch, compared) = comparable(columns, &source)?;
        rows.extend(compared.iter().map(|row| row.as_ref().into()));
        types = of_batch;
        Ok(())
    })?;
    // Deletes of a spec without partitions delete in all.
    let fields = planned.partitions.get(&file.partition.spec).into_iter().flatten();
    let partition = fields.into_iter().any(|(_, field)| !field.is_void()).then(|| file.partition.clone());
    Ok((names, Values { sequence: file.sequence, partition, types, rows }))
}

/// Adds the rows of a file that have one of the values.
fn add_matching(found: &mut RoaringTreemap, names: &[String], by: &[&Values], input: &InputPath) -> Result<()> {
    let source = Source::open(input.clone(), None)?;
    each_batch(&source, names, |first, columns| {
        let (types, rows) = comparable(columns, &source)?;
        if by.iter().any(|by| by.types != types && !by.rows.is_empty()) {
            let what = format!("the columns {names:?} have other types than in the files that delete by them");
            return Err(corrupt(&source.name(), what));
        }
        let matching = (first..).zip(rows.iter()).filter(|(_, row)| by.iter().any(|by| by.rows.contains(row.as_ref())));
        found.extend(matching.map(|(row, _)| row));
        Ok(())
    })
}

/// Rows in a form in which equal ones have equal bytes, and the types of their columns.
fn comparable(columns: &[ArrayRef], source: &Source) -> Result<(Vec<DataType>, Rows)> {
    // Writers differ in how they store decimals.
    let wide = |column: &ArrayRef| match column.data_type() {
        DataType::Decimal64(digits, scale) => widened(column, &DataType::Decimal128(*digits, *scale)),
        _ => Ok(Arc::clone(column)),
    };
    let compared = || -> std::result::Result<(Vec<DataType>, Rows), ArrowError> {
        let columns: Vec<ArrayRef> = columns.iter().map(wide).collect::<std::result::Result<_, _>>()?;
        let types: Vec<DataType> = columns.iter().map(|column| column.data_type().clone()).collect();
        let converter = RowConverter::new(types.iter().cloned().map(SortField::new).collect())?;
        Ok((types, converter.convert_columns(&columns)?))
    };
    compared().map_err(|e| corrupt(&source.name(), &e).caused_by(e))
}

/// Calls `each` with the index of the first row and the named columns of every batch of a file.
fn each_batch(source: &Source, names: &[String], mut each: impl FnMut(u64, &[ArrayRef]) -> Result<()>) -> Result<()> {
    let reader = FileReader::new(source, names, "")?;
    let (file, mut buffers) = (source.reopen()?, Vec::new());
    let groups = 0..source.metadata.metadata().num_row_groups();
    groups.into_iter().try_for_each(|group| reader.read(&file, group, &mut buffers, &mut each))
}
