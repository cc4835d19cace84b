//! Deletion vectors: bitmaps of the rows of a file that do not count, in the log itself or in files of their own.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use roaring::RoaringTreemap;

use super::action::Vector;
use super::location::resolved;
use super::table::Table;
use crate::error::{Error, Result};
use crate::hash::sha256;
use crate::input::table_file::DeletedRows;

/// What a vector of this form begins with.
const MAGIC: [u8; 4] = 1_681_511_377_u32.to_le_bytes();

/// The version of files with vectors.
const FILE_VERSION: u8 = 1;

/// Characters of a UUID of 16 bytes in base 85.
const UUID_CHARACTERS: usize = 20;

/// Most bytes of a vector that is read.
const MOST_BYTES: i64 = 1 << 30;

/// The deleted rows of the file `name`.
///
/// # Errors
/// Exit 4 if they cannot be read, or are not as many as the log says.
pub(super) fn read(vector: &Vector, name: &str, table: &Table<'_>) -> Result<DeletedRows> {
    let wrong = |what: String| table.wrong(format_args!("has a deletion vector for {name} {what}; restore the table"));
    let expected = vector.size_in_bytes;
    if !(0..=MOST_BYTES).contains(&expected) {
        return Err(wrong(format!("of {expected} bytes, which rfmill does not read")));
    }
    let bytes = match vector.storage_type.as_str() {
        "i" => base85(&vector.path_or_inline_dv).ok_or_else(|| wrong("that is no text of base 85".into()))?,
        "u" => of_file(vector, &relative(vector, table).ok_or_else(|| wrong("whose name is no UUID".into()))?, name, table)?,
        "p" => of_file(vector, &resolved(&vector.path_or_inline_dv, table)?, name, table)?,
        other => return Err(wrong(format!("of the kind {other:?}, which rfmill does not know"))),
    };
    let bytes = bytes.get(..expected as usize).ok_or_else(|| wrong(format!("of {} bytes, not {expected}", bytes.len())))?;
    let bitmap = bytes.strip_prefix(&MAGIC).ok_or_else(|| wrong("of a form that rfmill does not know".into()))?;
    let rows = RoaringTreemap::deserialize_from(bitmap).map_err(|e| wrong(format!("that cannot be read ({e})")).caused_by(e))?;
    if i64::try_from(rows.len()) != Ok(vector.cardinality) {
        return Err(wrong(format!("of {} rows, not the {} of its log", rows.len(), vector.cardinality)));
    }
    Ok(DeletedRows { rows, sha256: sha256(bytes) })
}

/// The file of a vector that is named by a UUID: folders below the table, then the UUID in base 85.
fn relative(vector: &Vector, table: &Table<'_>) -> Option<PathBuf> {
    let text = &vector.path_or_inline_dv;
    let (folder, uuid) = text.split_at_checked(text.len().checked_sub(UUID_CHARACTERS)?)?;
    let bytes: [u8; 16] = base85(uuid)?.try_into().ok()?;
    let hex = crate::hash::hex(&bytes);
    let mut groups = Vec::with_capacity(5);
    let mut rest = hex.as_str();
    for length in [8, 4, 4, 4, 12] {
        let (group, further) = rest.split_at_checked(length)?;
        groups.push(group);
        rest = further;
    }
    Some(table.folder.join(folder).join(format!("deletion_vector_{}.bin", groups.join("-"))))
}

/// The bytes of a vector in a file: there are its length, itself, and its checksum, big endian numbers all.
fn of_file(vector: &Vector, path: &PathBuf, name: &str, table: &Table<'_>) -> Result<Vec<u8>> {
    let shown = path.display();
    let wrong = |what: String| -> Error {
        table.wrong(format_args!("has a deletion vector for {name} in {shown}, {what}; restore that file"))
    };
    let unreadable = |e: std::io::Error| wrong(format!("which cannot be read ({e})")).caused_by(e);
    let file = File::open(path).map_err(unreadable)?;
    let mut version = [0u8; 1];
    file.read_exact_at(&mut version, 0).map_err(unreadable)?;
    if version != [FILE_VERSION] {
        let [found] = version;
        return Err(wrong(format!("which is of version {found}, and rfmill knows version {FILE_VERSION}")));
    }
    let offset = u64::try_from(vector.offset.unwrap_or(1)).map_err(|_| wrong("at a place before its beginning".into()))?;
    let (mut length, mut checksum) = ([0u8; 4], [0u8; 4]);
    file.read_exact_at(&mut length, offset).map_err(unreadable)?;
    if i64::from(u32::from_be_bytes(length)) != vector.size_in_bytes {
        let found = u32::from_be_bytes(length);
        return Err(wrong(format!("of {found} bytes, not the {} of the log", vector.size_in_bytes)));
    }
    let mut bytes = vec![0u8; vector.size_in_bytes as usize];
    file.read_exact_at(&mut bytes, offset + 4).map_err(unreadable)?;
    file.read_exact_at(&mut checksum, offset + 4 + bytes.len() as u64).map_err(unreadable)?;
    if crc32fast::hash(&bytes) != u32::from_be_bytes(checksum) {
        return Err(wrong("which is damaged: its checksum is another".into()));
    }
    Ok(bytes)
}

/// Bytes in the alphabet of ZeroMQ's Z85: five characters are four bytes.
fn base85(text: &str) -> Option<Vec<u8>> {
    z85::decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const TABLE: fn() -> Table<'static> = || Table { folder: Path::new("shop"), written: "shop", key: "orders.path" };

    fn vector(storage_type: &str, text: &str, size_in_bytes: i64, cardinality: i64) -> Vector {
        Vector { storage_type: storage_type.into(), path_or_inline_dv: text.into(), offset: None, size_in_bytes, cardinality }
    }

    /// The rows 3, 4, 7, 11, 18 and 29, as `BitMap64.serialize` of pyroaring 1.2 writes them.
    #[test]
    fn bitmaps_of_another_library_are_read() {
        let text = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";
        let deleted = read(&vector("i", text, 44, 6), "a.parquet", &TABLE()).unwrap();
        assert_eq!(deleted.rows.iter().collect::<Vec<_>>(), [3, 4, 7, 11, 18, 29]);
        let counting = deleted.counting(30).unwrap();
        let counts: Vec<usize> = counting.set_indices().collect();
        assert_eq!(counts, (0..30).filter(|row| ![3, 4, 7, 11, 18, 29].contains(row)).collect::<Vec<_>>());
        assert!(deleted.counting(29).is_none(), "row 29 is the thirtieth");
        assert!(read(&vector("i", text, 44, 5), "a.parquet", &TABLE()).is_err());
        assert!(read(&vector("i", text, 48, 6), "a.parquet", &TABLE()).is_err());
        assert!(read(&vector("i", "wi5b", 4, 0), "a.parquet", &TABLE()).is_err());
        assert!(read(&vector("x", text, 44, 6), "a.parquet", &TABLE()).is_err());
    }

    /// The example of the protocol: the UUID d2c639aa-8816-431a-aaf6-d3fe2512ff61 below the folder ab.
    #[test]
    fn names_are_uuids_in_base_85() {
        let path = relative(&vector("u", "ab^-aqEH.-t@S}K{vb[*k^", 0, 0), &TABLE()).unwrap();
        assert_eq!(path, Path::new("shop/ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"));
        assert_eq!(relative(&vector("u", "short", 0, 0), &TABLE()), None);
    }
}
