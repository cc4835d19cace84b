//! Places of files as metadata write them: absolute, and below the folder that the table had when they were written.

use crate::error::Result;
use crate::input::lake_table::Table;
use crate::storage::Place;

/// Where files are: what lay below the table's location lies below its folder now.
#[derive(Debug)]
pub(super) struct Locations<'a> {
    table: Table<'a>,
    /// The location in the metadata, in its plain form; none if files stay where they were.
    location: Option<String>,
}

impl<'a> Locations<'a> {
    pub fn new(table: Table<'a>, location: Option<&str>) -> Locations<'a> {
        Locations { table, location: location.map(plain) }
    }

    /// The place of a file.
    ///
    /// # Errors
    /// Exit 4 if it is in a place that is not read.
    pub fn of(&self, written: &str) -> Result<Place> {
        let plain = plain(written);
        let below = self.location.as_ref().and_then(|location| plain.strip_prefix(location.as_str())?.strip_prefix('/'));
        if let Some(below) = below {
            // A path that begins with a slash would be taken for one from the root.
            return Ok(self.table.place.join(self.inside(below, written)?.trim_start_matches('/')));
        }
        match self.table.absolute(written, str::to_owned)? {
            Some(place) => Ok(place),
            None => Ok(self.table.place.join(self.inside(written, written)?)),
        }
    }

    /// Refuses a path that leads out of the folder of the table.
    fn inside<'b>(&self, below: &'b str, written: &str) -> Result<&'b str> {
        match below.split('/').any(|part| part == "..") {
            false => Ok(below),
            true => {
                Err(self.table.wrong(format_args!("names {written} in its log, which leads out of its folder; restore its log")))
            }
        }
    }
}

/// A place in the one way to write it, where there are several: `file:/x`, `file:///x` and `/x`; `s3`, `s3a` and `s3n`.
fn plain(written: &str) -> String {
    let (scheme, rest) = match written.split_once(':') {
        Some((scheme, rest)) if rest.starts_with('/') => (scheme.to_ascii_lowercase(), rest),
        _ => (String::new(), written),
    };
    let rest = rest.trim_end_matches('/');
    match scheme.as_str() {
        "" => rest.to_owned(),
        "file" => format!("/{}", rest.trim_start_matches('/')),
        "s3a" | "s3n" => format!("s3:{rest}"),
        _ => format!("{scheme}:{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn files_move_with_their_table() {
        for (folder, location, written, place) in [
            ("lake/t", "file:///old/t", "file:///old/t/data/a b%20.parquet", "/jobs/lake/t/data/a b%20.parquet"),
            ("lake/t", "file:/old/t/", "/old/t/data/a.parquet", "/jobs/lake/t/data/a.parquet"),
            ("lake/t", "s3://shop/t", "s3a://shop/t/data/a.parquet", "/jobs/lake/t/data/a.parquet"),
            ("lake/t", "abfss://box@shop.dfs.core.windows.net/t", "abfss://box@shop.dfs.core.windows.net/t/a", "/jobs/lake/t/a"),
            ("lake/t", "file:///old/t", "file:///old/t//data//a.parquet", "/jobs/lake/t/data//a.parquet"),
            // What lies elsewhere, or only begins like the table, stays where it is.
            ("lake/t", "file:///old/t", "file:///old/t2/a.parquet", "/old/t2/a.parquet"),
            ("lake/t", "file:///old/t", "s3://shop/t/a.parquet", "s3://shop/t/a.parquet"),
            ("s3://shop/new", "s3://shop/t", "s3://shop/t/data/a.parquet", "s3://shop/new/data/a.parquet"),
            ("s3://shop/new", "s3://shop/t", "s3://shop/more/a.parquet", "s3://shop/more/a.parquet"),
        ] {
            let at = Place::of(folder, Path::new("/jobs"));
            let table = Table { format: "Iceberg", place: &at, written: folder, key: "orders.path" };
            let found = Locations::new(table, Some(location)).of(written).map(|place| place.to_string());
            assert_eq!(found.unwrap_or_default(), place, "{written}");
        }
        let at = Place::of("lake/t", Path::new("/jobs"));
        let table = Table { format: "Iceberg", place: &at, written: "lake/t", key: "orders.path" };
        let locations = Locations::new(table, Some("file:///old/t"));
        for outside in ["file:///old/t/../../etc/passwd", "/old/t/data/..", "../a.parquet"] {
            let refused = locations.of(outside).unwrap_err().to_string();
            assert!(refused.contains("which leads out of its folder"), "{refused}");
        }
        let at = Place::of("s3://shop/t", Path::new(""));
        let table = Table { format: "Iceberg", place: &at, written: "s3://shop/t", key: "orders.path" };
        let locations = Locations::new(table, Some("s3://shop/t"));
        for elsewhere in ["file:///etc/passwd", "/etc/passwd", "hdfs://node/a.parquet"] {
            assert!(locations.of(elsewhere).is_err(), "{elsewhere}");
        }
    }
}
