//! Paths of files as logs write them: URLs, relative to the table or absolute.

use std::path::PathBuf;

use super::table::Table;
use crate::domain::scheme_of;
use crate::error::Result;
use crate::input::input_path::percent_decode;

/// The path of a file of the table; two ways to write one path give the same.
///
/// # Errors
/// Exit 4 if it is in a place that is not read.
pub(super) fn resolved(written: &str, table: &Table<'_>) -> Result<PathBuf> {
    resolved_below(written, table, "")
}

/// The path of a file, relative to a folder of the table.
///
/// # Errors
/// Exit 4 if it is in a place that is not read.
pub(super) fn resolved_below(written: &str, table: &Table<'_>, folder: &str) -> Result<PathBuf> {
    if let Some(scheme) = scheme_of(written).filter(|scheme| !scheme.eq_ignore_ascii_case("file")) {
        return Err(table.wrong(format_args!(
            "names {written} in its log, and rfmill does not read {scheme}:// there; expected files on a disk of this machine"
        )));
    }
    let local = match written.get(..5).filter(|start| start.eq_ignore_ascii_case("file:")) {
        Some(_) => {
            let path = written.get(5..).unwrap_or_default();
            // The host may be left out, and is empty or this machine.
            let path = path.strip_prefix("//").map_or(path, |rest| rest.strip_prefix("localhost").unwrap_or(rest));
            format!("/{}", path.trim_start_matches('/'))
        }
        None => written.to_owned(),
    };
    let local = percent_decode(&local);
    // Joined to a folder, an absolute path stays what it is.
    Ok(if folder.is_empty() { table.folder.join(local) } else { table.folder.join(folder).join(local) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// RFC 3986: `%` and two hexadecimal digits are a byte; `file:/x`, `file:///x` and `file://localhost/x` are one file.
    #[test]
    fn urls_become_paths() {
        let table = Table { folder: Path::new("/shop/orders"), written: "orders", key: "orders.path" };
        let of = |written: &str| resolved(written, &table).map(|path| path.display().to_string()).unwrap_or_default();
        assert_eq!(of("a.parquet"), "/shop/orders/a.parquet");
        assert_eq!(of("region=EU%2520West/a%3Ab.parquet"), "/shop/orders/region=EU%20West/a:b.parquet");
        assert_eq!(of("caf%C3%A9/a b.parquet"), "/shop/orders/café/a b.parquet");
        for written in ["/other/a%20b", "file:/other/a%20b", "file:///other/a%20b", "FILE://localhost/other/a b"] {
            assert_eq!(of(written), "/other/a b", "{written}");
        }
        let refused = resolved("s3://bucket/a.parquet", &table).map_err(|e| e.to_string());
        assert!(refused.is_err_and(|e| e.contains("s3://bucket/a.parquet")));
    }
}
