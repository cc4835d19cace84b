//! `latest.json` and `views.sql`: what the last commit shows, for programs that do not read its record. They follow the commit, and
//! the next command that opens the output puts them right.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::manifest::TableFile;
use super::super::placed::Placed;
use super::super::record::Record;
use super::records;
use crate::error::{Error, Result};
use crate::storage::Place;
use crate::tables::{identifier, literal, views};

/// The object that names every file of the view.
const LATEST: &str = "latest.json";
/// The object with views for DuckDB.
const VIEWS: &str = "views.sql";

/// Commits that may come while one is shown, before that is given up.
const TRIES: u32 = 20;

/// Whether both are those of this commit.
pub fn is_current(root: &Place, record: &Record) -> bool {
    let is = |name: &str, wanted: &[u8]| root.join(name).read().is_ok_and(|found| found == wanted);
    latest(root, record).is_ok_and(|wanted| is(LATEST, &wanted)) && is(VIEWS, sql(root, record).as_bytes())
}

/// Puts both. Where another commit came meanwhile, its writer may have put its own before, so that one is put again: of several
/// writers the last one finds the last commit.
///
/// # Errors
/// Exit 5 if a newer record cannot be used; exit 6.
pub fn put(root: &Place, record: &Record) -> Result<()> {
    put_both(root, record)?;
    let mut shown = record.number;
    for _ in 0..TRIES {
        let newest = records::newest(root)?;
        if newest <= shown {
            return Ok(());
        }
        put_both(root, &records::read(root, newest)?.record)?;
        shown = newest;
    }
    Err(Error::output(format!("{TRIES} other commits came to {root} meanwhile")))
}

fn put_both(root: &Place, record: &Record) -> Result<()> {
    let replace = |name: &str, bytes: Vec<u8>| {
        let place = root.join(name);
        place.replace(Bytes::from(bytes)).map_err(|e| e.of(&place.to_string()))
    };
    replace(VIEWS, sql(root, record).into_bytes())?;
    replace(LATEST, latest(root, record)?)
}

fn latest(root: &Place, record: &Record) -> Result<Vec<u8>> {
    let nothing = Placed::default();
    let placed = record.placed.as_ref().unwrap_or(&nothing);
    let names = |files: &[TableFile]| files.iter().map(|file| name(root, file)).collect::<Vec<_>>();
    let date = |(date, tables): (&String, &std::collections::BTreeMap<String, Vec<TableFile>>)| {
        let tables: serde_json::Map<String, Value> =
            tables.iter().map(|(table, files)| (table.clone(), json!(names(files)))).collect();
        let run_id = record.dates.get(date).map(|supply| &supply.run_id);
        (date.clone(), json!({ "run_id": run_id, "tables": tables }))
    };
    let run = record.latest.as_deref().and_then(|run_id| record.run(run_id));
    let run = run.map(|run| {
        let folder = record.folder_of(&run.manifest_sha256).map(|folder| root.join(folder).to_string());
        json!({ "run_id": run.run_id, "as_of": run.last_as_of, "folder": folder })
    });
    let dimensions = placed.dimensions.iter().map(|(table, file)| (table.clone(), json!([name(root, file)])));
    let document = json!({
        "commit": record.number,
        "job": record.owner.job,
        "latest": run,
        "dates": placed.dates.iter().map(date).collect::<serde_json::Map<_, _>>(),
        "dimensions": dimensions.collect::<serde_json::Map<_, _>>(),
    });
    let mut bytes =
        serde_json::to_vec_pretty(&document).map_err(|e| Error::bug(format!("{LATEST} cannot be written: {e}")).caused_by(e))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn name(root: &Place, file: &TableFile) -> String {
    root.join(&file.path).to_string()
}

/// Views for DuckDB: one per table over exactly the files of the commit, and those that read them.
pub fn sql(root: &Place, record: &Record) -> String {
    let nothing = Placed::default();
    let placed = record.placed.as_ref().unwrap_or(&nothing);
    let mut out = format!("-- Commit {} of {root}; the next commit writes this anew.\n", record.number);
    let mut tables: Vec<&str> = placed.dates.values().flat_map(|tables| tables.keys().map(String::as_str)).collect();
    tables.sort_unstable();
    tables.dedup();
    for table in &tables {
        let of_table = placed.dates.iter().filter_map(|(date, tables)| Some((date, tables.get(*table)?)));
        // The date is in the path of some files, in the view alone of others.
        let (dated, undated): (Vec<_>, Vec<_>) =
            of_table.partition(|(_, files)| files.iter().all(|file| file.path.contains("/as_of=")));
        let mut selects: Vec<String> = Vec::new();
        let dated: Vec<&TableFile> = dated.into_iter().flat_map(|(_, files)| files).collect();
        if !dated.is_empty() {
            selects.push(format!("SELECT * FROM {}", read(root, &dated, true)));
        }
        for (date, files) in undated {
            let files: Vec<&TableFile> = files.iter().collect();
            selects.push(format!("SELECT *, DATE {} AS as_of FROM {}", literal(date), read(root, &files, false)));
        }
        let _ = writeln!(out, "CREATE OR REPLACE VIEW {} AS\n{};", identifier(table), selects.join("\nUNION ALL BY NAME\n"));
    }
    for (name, file) in &placed.dimensions {
        let _ = writeln!(out, "CREATE OR REPLACE VIEW {} AS\nSELECT * FROM {};", identifier(name), read(root, &[file], false));
    }
    for view in views(|name| tables.contains(&name) || placed.dimensions.contains_key(name)) {
        let _ = write!(out, "\n{}", view.sql);
    }
    out
}

fn read(root: &Place, files: &[&TableFile], has_dates: bool) -> String {
    let names: Vec<String> = files.iter().map(|file| literal(&name(root, file))).collect();
    format!("read_parquet([{}], hive_partitioning = {has_dates}, union_by_name = true)", names.join(", "))
}
