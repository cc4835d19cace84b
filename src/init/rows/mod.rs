//! The rows of a table of any format, as texts: those that are looked at closely, and a few columns of all, or of pieces of a large one.

mod csv;
mod ndjson;
mod parquet;
mod parts;
mod place;
mod table;
mod text;

use crate::error::Result;

pub use parts::{Part, Reading, Size};
pub use place::find;
pub use table::{Content, Header, More, Stored, Table, Visit, Written};

impl Table {
    /// Files.
    pub fn file_count(&self) -> usize {
        match &self.content {
            Content::Parquet(sources) => sources.len(),
            Content::Csv { files, .. } | Content::Ndjson(files) => files.len(),
        }
    }

    /// What its format is called.
    pub fn format(&self) -> &'static str {
        match (&self.written, &self.content) {
            (Written::Lake { word: "delta", .. }, _) => "Delta",
            (Written::Lake { .. }, _) => "Iceberg",
            (_, Content::Parquet(_)) => "Parquet",
            (_, Content::Csv { .. }) => "CSV",
            (_, Content::Ndjson(_)) => "NDJSON",
        }
    }

    /// Calls `visit` with these columns of each row of these parts.
    ///
    /// # Errors
    /// Exit 3: rows that break the form of their file. Exit 4: a file that cannot be read. And those of `visit`.
    pub fn each(&self, columns: &[usize], parts: &[Part], visit: &mut Visit<'_>) -> Result<()> {
        let names: Vec<&str> = columns.iter().filter_map(|at| self.columns.get(*at)).map(|header| header.name.as_str()).collect();
        for Part { file, piece } in parts {
            match &self.content {
                Content::Parquet(sources) => {
                    sources.get(*file).map_or(Ok(()), |source| parquet::each(source, piece, &names, visit))?
                }
                Content::Csv { files, form } => {
                    files.get(*file).map_or(Ok(()), |file| csv::each(file, *form, piece, &names, visit))?
                }
                Content::Ndjson(files) => files.get(*file).map_or(Ok(()), |file| ndjson::each(file, piece, &names, visit))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::parts::Piece;
    use super::*;
    use crate::temp::tempdir;

    /// The rows of two columns of pieces of a file.
    fn rows(table: &Table, parts: &[Part]) -> Vec<String> {
        let columns: Vec<usize> =
            ["id", "name"].iter().filter_map(|name| table.columns.iter().position(|column| column.name == *name)).collect();
        let mut rows = Vec::new();
        table
            .each(&columns, parts, &mut |values| {
                rows.push(format!("{} {}", values[0].expect("an id"), values[1].expect("a name")));
                Ok(More::Wanted)
            })
            .expect("rows");
        rows
    }

    /// Wherever a file is cut, the rows of both pieces are rows of the file, and few are missing where it is cut.
    #[test]
    fn pieces_of_text_have_whole_rows() {
        let names = ["Käufer", "茶壶, 大", "ab"];
        let all: Vec<String> = (0..60).map(|row| format!("{row} {}", names[row % 3])).collect();
        let csv: String = (0..60).map(|row| format!("{row};{}\r\n", names[row % 3])).collect();
        let csv = format!("id;name\r\n{csv}");
        let utf_16 =
            |unit: fn(u16) -> [u8; 2]| -> Vec<u8> { [0xfeff].into_iter().chain(csv.encode_utf16()).flat_map(unit).collect() };
        let json: String =
            (0..60).map(|row| serde_json::json!({ "id": row, "name": names[row % 3] }).to_string() + "\n").collect();
        let files = [
            ("utf-8.csv", csv.clone().into_bytes()),
            ("little.csv", utf_16(u16::to_le_bytes)),
            ("big.csv", utf_16(u16::to_be_bytes)),
            ("gb.csv", encoding_rs::GB18030.encode(&csv.replace("Käufer", "买家")).0.into_owned()),
            ("a.ndjson", json.into_bytes()),
        ];
        for (name, bytes) in files {
            let folder = tempdir().expect("a folder");
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).expect("a file");
            let table = find(&[path], Path::new("")).expect("a table");
            let all: Vec<String> = match name {
                "gb.csv" => all.iter().map(|row| row.replace("Käufer", "买家")).collect(),
                _ => all.clone(),
            };
            assert_eq!(rows(&table, &table.all()), all, "{name}");
            let size = bytes.len() as u64;
            for cut in (1..size).step_by(11) {
                let part = |range| Part { file: 0, piece: Piece::Bytes(range) };
                let (before, behind) = (rows(&table, &[part(0..cut)]), rows(&table, &[part(cut..size)]));
                assert!(all.starts_with(&before) && all.ends_with(&behind), "{name} at {cut}: {before:?} {behind:?}");
                // Where a text is decoded, the bytes of a first piece are those of the decoded text.
                let is_utf_8 = matches!(name, "utf-8.csv" | "a.ndjson");
                assert!(!is_utf_8 || before.len() + behind.len() + 3 >= all.len(), "{name} at {cut}: {before:?} {behind:?}");
                assert!(!is_utf_8 || before.len() + behind.len() <= all.len(), "{name} at {cut}");
            }
        }
    }
}
