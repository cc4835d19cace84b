//! Paths of files as logs write them: URLs, relative to the table or absolute.

use crate::error::Result;
use crate::input::input_path::percent_decode;
use crate::input::lake_table::Table;
use crate::storage::Place;

/// The place of a file of the table; two ways to write one path give the same.
///
/// # Errors
/// Exit 4 if it is in a place that is not read.
pub(super) fn resolved(written: &str, table: &Table<'_>) -> Result<Place> {
    resolved_below(written, table, "")
}

/// The place of a file, relative to a folder of the table.
///
/// # Errors
/// Exit 4 if it is in a place that is not read.
pub(super) fn resolved_below(written: &str, table: &Table<'_>, folder: &str) -> Result<Place> {
    match table.absolute(written, percent_decode)? {
        Some(place) => Ok(place),
        None => Ok(table.place.join(folder).join(&percent_decode(written))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn of(folder: &str, written: &str) -> Result<String> {
        let place = Place::of(folder, Path::new("/shop"));
        let table = Table { format: "Delta", place: &place, written: folder, key: "orders.path" };
        resolved(written, &table).map(|place| place.to_string())
    }

    /// RFC 3986: `%` and two hexadecimal digits are a byte; `file:/x`, `file:///x` and `file://localhost/x` are one file.
    #[test]
    fn urls_become_paths() {
        let of = |written: &str| of("orders", written).unwrap_or_default();
        assert_eq!(of("a.parquet"), "/shop/orders/a.parquet");
        assert_eq!(of("region=EU%2520West/a%3Ab.parquet"), "/shop/orders/region=EU%20West/a:b.parquet");
        assert_eq!(of("caf%C3%A9/a b.parquet"), "/shop/orders/café/a b.parquet");
        for written in ["/other/a%20b", "file:/other/a%20b", "file:///other/a%20b", "FILE://localhost/other/a b"] {
            assert_eq!(of(written), "/other/a b", "{written}");
        }
        assert_eq!(of("s3://bucket/a%20b"), "s3://bucket/a b");
    }

    #[test]
    fn places_of_stores_stay_in_stores() {
        assert_eq!(of("s3://bucket/orders", "day=1/a%20b.parquet").unwrap_or_default(), "s3://bucket/orders/day=1/a b.parquet");
        for (folder, written) in [
            ("orders", "hdfs://node/a.parquet"),
            ("s3://bucket/orders", "file:///etc/passwd"),
            ("s3://bucket/orders", "/etc/passwd"),
        ] {
            let refused = of(folder, written).map_err(|e| e.to_string());
            assert!(refused.is_err_and(|e| e.contains(written)), "{written}");
        }
    }
}
