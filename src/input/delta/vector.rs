//! Deletion vectors: bitmaps of the rows of a file that do not count, in the log itself or in files of their own.

use super::action::Vector;
use super::location::resolved;
use crate::error::{Error, Result};
use crate::input::deletion_vector::{self, MOST_BYTES};
use crate::input::lake_table::Table;
use crate::input::table_file::DeletedRows;
use crate::storage::{Place, ReadError};

/// The version of files with vectors.
const FILE_VERSION: u8 = 1;

/// Characters of a UUID of 16 bytes in base 85.
const UUID_CHARACTERS: usize = 20;

/// The deleted rows of the file `name`.
///
/// # Errors
/// Exit 4 if they cannot be read, or are not as many as the log says.
pub(super) fn read(vector: &Vector, name: &str, table: &Table<'_>) -> Result<DeletedRows> {
    let wrong = |what: String| table.wrong(format_args!("has a deletion vector for {name} {what}; restore the table"));
    let size = u64::try_from(vector.size_in_bytes).ok().filter(|size| *size <= MOST_BYTES);
    let size = size.ok_or_else(|| wrong(format!("of {} bytes, which rfmill does not read", vector.size_in_bytes)))?;
    let bytes = match vector.storage_type.as_str() {
        "i" => z85::decode(&vector.path_or_inline_dv).map_err(|e| wrong("that is no text of base 85".into()).caused_by(e))?,
        "u" => {
            let place = relative(vector, table).ok_or_else(|| wrong("whose name is no UUID".into()))?;
            of_file(vector, size, &place, name, table)?
        }
        "p" => of_file(vector, size, &resolved(&vector.path_or_inline_dv, table)?, name, table)?,
        other => return Err(wrong(format!("of the kind {other:?}, which rfmill does not know"))),
    };
    let whole = bytes.get(..size as usize).ok_or_else(|| wrong(format!("of {} bytes, not {size}", bytes.len())))?;
    deletion_vector::decoded(whole, vector.cardinality, wrong)
}

/// The file of a vector that is named by a UUID: folders below the table, then the UUID in base 85.
fn relative(vector: &Vector, table: &Table<'_>) -> Option<Place> {
    let text = &vector.path_or_inline_dv;
    let (folder, uuid) = text.split_at_checked(text.len().checked_sub(UUID_CHARACTERS)?)?;
    let bytes: [u8; 16] = z85::decode(uuid).ok()?.try_into().ok()?;
    let hex = crate::hash::hex(&bytes);
    let mut groups = Vec::with_capacity(5);
    let mut rest = hex.as_str();
    for length in [8, 4, 4, 4, 12] {
        let (group, further) = rest.split_at_checked(length)?;
        groups.push(group);
        rest = further;
    }
    Some(table.place.join(folder).join(&format!("deletion_vector_{}.bin", groups.join("-"))))
}

/// The bytes of a vector in a file of vectors, which begins with its version.
fn of_file(vector: &Vector, size: u64, place: &Place, name: &str, table: &Table<'_>) -> Result<Vec<u8>> {
    let wrong = |what: String| -> Error {
        table.wrong(format_args!("has a deletion vector for {name} in {place}, {what}; restore that file"))
    };
    let unreadable = |e: ReadError| wrong(format!("which cannot be read ({e})")).caused_by(e);
    let file = place.open().map_err(unreadable)?;
    let mut version = [0u8; 1];
    file.read_exact_at(&mut version, 0).map_err(unreadable)?;
    if version != [FILE_VERSION] {
        let [found] = version;
        return Err(wrong(format!("which is of version {found}, and rfmill knows version {FILE_VERSION}")));
    }
    let offset = u64::try_from(vector.offset.unwrap_or(1)).map_err(|_| wrong("at a place before its beginning".into()))?;
    deletion_vector::of_file(&file, offset, size, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn read(vector: &Vector) -> Result<DeletedRows> {
        let place = Place::of("shop", Path::new(""));
        super::read(vector, "a.parquet", &Table { format: "Delta", place: &place, written: "shop", key: "orders.path" })
    }

    fn vector(storage_type: &str, text: &str, size_in_bytes: i64, cardinality: i64) -> Vector {
        Vector { storage_type: storage_type.into(), path_or_inline_dv: text.into(), offset: None, size_in_bytes, cardinality }
    }

    /// The rows 3, 4, 7, 11, 18 and 29, as `BitMap64.serialize` of pyroaring 1.2 writes them.
    #[test]
    fn bitmaps_of_another_library_are_read() {
        let text = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";
        let deleted = read(&vector("i", text, 44, 6)).unwrap();
        assert_eq!(deleted.rows.iter().collect::<Vec<_>>(), [3, 4, 7, 11, 18, 29]);
        let counting = deleted.counting(30).unwrap();
        let counts: Vec<usize> = counting.set_indices().collect();
        assert_eq!(counts, (0..30).filter(|row| ![3, 4, 7, 11, 18, 29].contains(row)).collect::<Vec<_>>());
        assert!(deleted.counting(29).is_none(), "row 29 is the thirtieth");
        assert!(read(&vector("i", text, 44, 5)).is_err());
        assert!(read(&vector("i", text, 48, 6)).is_err());
        assert!(read(&vector("i", "wi5b", 4, 0)).is_err());
        assert!(read(&vector("x", text, 44, 6)).is_err());
    }

    /// The example of the protocol: the UUID d2c639aa-8816-431a-aaf6-d3fe2512ff61 below the folder ab.
    #[test]
    fn names_are_uuids_in_base_85() {
        let place = Place::of("shop", Path::new(""));
        let table = Table { format: "Delta", place: &place, written: "shop", key: "orders.path" };
        let file = relative(&vector("u", "ab^-aqEH.-t@S}K{vb[*k^", 0, 0), &table).unwrap();
        assert_eq!(file.to_string(), "shop/ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin");
        assert_eq!(relative(&vector("u", "short", 0, 0), &table), None);
    }
}
