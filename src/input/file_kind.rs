//! What a file is that is not Parquet, by its first bytes.

use std::path::Path;

/// How many bytes [`looks_like`] wants of a file's beginning, if it has as many.
pub(crate) const HEAD: usize = 4096;

/// What a file that is not Parquet is, by its first bytes.
pub(crate) fn looks_like(head: &[u8]) -> &'static str {
    let holds = |part: &[u8]| head.windows(part.len()).any(|window| window == part);
    match head {
        [0x1f, 0x8b, ..] => "a gzip file",
        [b'P', b'K', 3, 4, ..] if holds(b"xl/") || holds(b"[Content_Types].xml") => "an Excel workbook",
        [b'P', b'K', 3, 4, ..] => "a zip file",
        [0xd0, 0xcf, 0x11, 0xe0, ..] => "an Excel workbook of the old kind (.xls)",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "a Zstandard file",
        [b'B', b'Z', b'h', ..] => "a bzip2 file",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "an xz file",
        [0x89, b'H', b'D', b'F', ..] => "an HDF5 file",
        _ if head.starts_with(b"SQLite format 3") => "an SQLite database",
        _ if head.get(8..12) == Some(b"DUCK") => "a DuckDB database",
        _ if head.starts_with(b"ARROW1") => "an Arrow IPC (Feather) file",
        _ if head.starts_with(b"FEA1") => "a Feather file of the old kind",
        _ if head.starts_with(&[0xff, 0xff, 0xff, 0xff]) => "an Arrow IPC stream",
        _ if head.starts_with(b"version https://git-lfs") => "a Git LFS pointer",
        _ if head.starts_with(b"PARE") => "an encrypted Parquet file",
        _ if head.starts_with(b"ORC") => "an ORC file",
        _ if head.starts_with(b"Obj\x01") => "an Avro file",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "text in UTF-16, perhaps CSV",
        [0xef, 0xbb, 0xbf, ..] => "text with a byte order mark, perhaps CSV",
        _ => match first_sign(head) {
            Some(b'<') => "HTML or XML",
            Some(b'{' | b'[') => "JSON",
            Some(_) => "text, perhaps CSV",
            None => "something else",
        },
    }
}

/// A command that writes such a file as Parquet, if there is a common one.
pub(crate) fn conversion(head: &[u8], path: Option<&Path>) -> Option<String> {
    let path = path?;
    let from = path.to_str().filter(|path| path.chars().all(|c| !c.is_control() && !"'\"$`\\".contains(c)))?;
    let to = path.with_extension("converted.parquet");
    let to = to.display();
    let by_duckdb = |from: &str| Some(format!("duckdb -c \"COPY (FROM {from}) TO '{to}'\""));
    let by_pyarrow = |module: &str, read: &str| {
        Some(format!(
            "python -c \"import pyarrow.{module} as f, pyarrow.parquet as p; p.write_table(f.{read}('{from}'), '{to}')\""
        ))
    };
    match looks_like(head) {
        "an Arrow IPC (Feather) file" | "a Feather file of the old kind" => by_pyarrow("feather", "read_table"),
        "an ORC file" => by_pyarrow("orc", "read_table"),
        "an Excel workbook" => by_duckdb(&format!("read_xlsx('{from}')")),
        "JSON" => by_duckdb(&format!("read_json('{from}')")),
        "text in UTF-16, perhaps CSV" => by_duckdb(&format!("read_csv('{from}', encoding = 'utf-16')")),
        text if text.starts_with("text") => by_duckdb(&format!("read_csv('{from}')")),
        _ => None,
    }
}

/// The first character of text that is no blank; `None` if this is no text.
fn first_sign(head: &[u8]) -> Option<u8> {
    // Text in other encodings than UTF-8 has bytes of any value but control characters.
    let is_text = head.iter().all(|b| *b >= b' ' || b.is_ascii_whitespace());
    head.iter().copied().find(|b| is_text && !b.is_ascii_whitespace())
}
