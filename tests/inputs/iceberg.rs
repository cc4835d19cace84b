//! Iceberg tables: the metadata say which files and rows count. Runs on a recorded table (`tests/data/iceberg/README.md`) are held
//! against runs on plain files of the rows that its snapshots have by hand; `tests/iceberg.py` holds others against other readers.

use std::path::Path;

use apache_avro::types::Value as Avro;
use apache_avro::{Reader, Writer};
use serde_json::{Value, json};

use super::delta::{Columns, orders, rows};
use crate::fixture::Bench;
use crate::support::run::files_below;

/// The orders of each snapshot.
const SNAPSHOTS: [&[u64]; 5] =
    [&[0, 1, 2, 3], &[0, 1, 2, 3, 4, 5, 6, 7], &[0, 2, 3, 4, 5, 6, 7], &[0, 2, 3, 4, 7], &[0, 2, 3, 4]];

/// The newest file of metadata.
const CURRENT: &str = "shop/metadata/00107-by-hand.metadata.json";

/// A workbench whose job reads a copy of the table.
pub fn lake() -> Bench {
    let bench = Bench::new();
    let from = Path::new("tests/data/iceberg");
    for file in files_below(&from.join("shop")) {
        bench.write(file.strip_prefix(from).unwrap().to_str().unwrap(), std::fs::read(&file).unwrap());
    }
    bench.edit("path = \"orders\"", "path = { iceberg = \"shop\" }");
    bench
}

/// The ids of the snapshots, the oldest first.
fn ids(bench: &Bench) -> Vec<u64> {
    metadata(bench)["snapshots"].as_array().unwrap().iter().map(|snapshot| snapshot["snapshot-id"].as_u64().unwrap()).collect()
}

fn metadata(bench: &Bench) -> Value {
    serde_json::from_slice(&bench.read(CURRENT)).unwrap()
}

/// Changes the newest metadata.
fn change(bench: &Bench, change: impl FnOnce(&mut Value)) {
    let mut all = metadata(bench);
    change(&mut all);
    bench.write(CURRENT, all.to_string());
}

/// Changes the entries of the manifests that hold a file whose path ends so.
fn change_entries(bench: &Bench, ending: &str, change: impl Fn(&mut Vec<(String, Avro)>)) {
    let mut changed = 0;
    for file in files_below(&bench.path("shop/metadata")).iter().filter(|file| file.extension().is_some_and(|e| e == "avro")) {
        let bytes = std::fs::read(file).unwrap();
        let reader = Reader::new(bytes.as_slice()).unwrap();
        let schema = reader.writer_schema().clone();
        let mut writer = Writer::new(&schema, Vec::new()).unwrap();
        let mut is_changed = false;
        for entry in reader {
            let Avro::Record(mut fields) = entry.unwrap() else { panic!("no record") };
            if let Some((_, Avro::Record(file))) = fields.iter_mut().find(|(name, _)| name == "data_file")
                && file
                    .iter()
                    .any(|(name, value)| name == "file_path" && matches!(value, Avro::String(path) if path.ends_with(ending)))
            {
                change(file);
                (is_changed, changed) = (true, changed + 1);
            }
            writer.append_value(Avro::Record(fields)).unwrap();
        }
        if is_changed {
            std::fs::write(file, writer.into_inner().unwrap()).unwrap();
        }
    }
    assert!(changed > 0, "no entry has a file {ending}");
}

fn set(file: &mut [(String, Avro)], name: &str, to: Avro) {
    let (_, value) = file.iter_mut().find(|(own, _)| own == name).unwrap();
    *value = match value {
        Avro::Union(..) => Avro::Union(1, Box::new(to)),
        _ => to,
    };
}

/// Runs the job; the rows of customers are those of a run on a plain file of these columns.
#[track_caller]
fn counts(bench: &Bench, columns: &Columns) {
    let plain = Bench::new();
    plain.parquet("orders/a.parquet", columns);
    plain.runs();
    bench.runs();
    for table in ["customers/as_of=2024-12-31/part-000.parquet", "segments.parquet"] {
        assert_eq!(bench.table(table), plain.table(table), "{table}");
    }
}

fn manifest(bench: &Bench) -> Value {
    serde_json::from_slice(&bench.read("out/latest/manifest.json")).unwrap()
}

#[test]
fn snapshots_have_the_rows_of_their_time() {
    let bench = lake();
    counts(&bench, &rows(&orders(), SNAPSHOTS[4]));
    let entries = manifest(&bench)["inputs"].as_array().unwrap().clone();
    let ids = ids(&bench);
    assert_eq!(entries.len(), 2);
    for entry in &entries {
        assert_eq!(entry["lake_table"]["format"], "Iceberg");
        assert_eq!(entry["lake_table"]["folder"], "shop");
        assert_eq!(entry["lake_table"]["snapshot"], ids[4]);
    }
    let deleted: u64 = entries.iter().map(|entry| entry["lake_table"]["deleted_rows"].as_u64().unwrap()).sum();
    assert_eq!(deleted, 4);
    let explained = bench.succeeds(&["explain", "job.toml"]).out;
    assert!(explained.contains(&format!("\ntables\n  orders.path: Iceberg table shop, snapshot {}\n", ids[4])), "{explained}");
    let mut runs = vec![manifest(&bench)["run_id"].clone()];
    let mut named = "{ iceberg = \"shop\" }".to_owned();
    for (id, expected) in ids.iter().zip(SNAPSHOTS) {
        let at = format!("{{ iceberg = \"shop\", snapshot = {id} }}");
        bench.edit(&named, &at);
        named = at;
        // Before the second snapshot the column had another name.
        let is_first = expected == SNAPSHOTS[0];
        if is_first {
            bench.edit("amount = \"amount\"", "amount = \"total\"");
        }
        counts(&bench, &rows(&orders(), expected));
        if is_first {
            bench.edit("amount = \"total\"", "amount = \"amount\"");
        }
        runs.push(manifest(&bench)["run_id"].clone());
    }
    // The current snapshot by its id is another job; all others are other rows.
    runs.sort_by_key(Value::to_string);
    runs.dedup();
    assert_eq!(runs.len(), 6);
}

/// A column that became wider is as wide in all files, and one that was added is null in those before.
#[test]
fn columns_are_those_of_the_table() {
    let bench = lake();
    // Customers of the old file alone.
    change(&bench, |metadata| metadata["current-snapshot-id"] = metadata["snapshots"][0]["snapshot-id"].clone());
    bench.in_orders("keep = [{ column = \"total\", is_null = true }]");
    bench.runs();
    assert_eq!(bench.table("ledger.parquet")[0][2], "4");
    let file = std::fs::File::open(bench.path("out/latest/customers/as_of=2024-12-31/part-000.parquet")).unwrap();
    let schema = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap().schema().clone();
    assert_eq!(*schema.field_with_name("customer_id").unwrap().data_type(), arrow::datatypes::DataType::Int64);
}

#[test]
fn the_current_metadata_are_found_by_their_names() {
    let bench = lake();
    let at = |path: &str| {
        bench.edit("path = { iceberg = \"shop\" }", &format!("path = {{ iceberg = \"{path}\" }}"));
        counts(&bench, &rows(&orders(), if path.contains("00105") { SNAPSHOTS[3] } else { SNAPSHOTS[4] }));
        bench.edit(&format!("path = {{ iceberg = \"{path}\" }}"), "path = { iceberg = \"shop\" }");
    };
    at("shop/metadata/00105-by-hand.metadata.json");
    at(CURRENT);
    at("shop/");
    // Metadata may be compressed.
    let mut packed = flate2::read::GzEncoder::new(std::fs::File::open(bench.path(CURRENT)).unwrap(), flate2::Compression::fast());
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut packed, &mut bytes).unwrap();
    bench.write("shop/metadata/00108-packed.gz.metadata.json", bytes);
    at("shop");
    std::fs::remove_file(bench.path("shop/metadata/00108-packed.gz.metadata.json")).unwrap();
    // A catalog in files names versions otherwise, and has a hint that may lag behind.
    let rename = |from: &str, to: &str| std::fs::rename(bench.path(from), bench.path(to)).unwrap();
    rename("shop/metadata/00105-by-hand.metadata.json", "shop/metadata/v6.metadata.json");
    rename(CURRENT, "shop/metadata/v7.metadata.json");
    bench.write("shop/metadata/version-hint.text", "6\n");
    counts(&bench, &rows(&orders(), SNAPSHOTS[4]));
    // A file that a catalog never took is not current, as the hint does not lead to it.
    bench.write("shop/metadata/v9.metadata.json", "{}");
    counts(&bench, &rows(&orders(), SNAPSHOTS[4]));
}

#[test]
fn what_cannot_be_read_is_said() {
    let table = "error: the Iceberg table shop (orders.path)";
    let refuses = |change: &dyn Fn(&Bench), message: &str| {
        let bench = lake();
        change(&bench);
        bench.refuses(4, message);
    };
    let path = |bench: &Bench, to: &str| _ = bench.edit("{ iceberg = \"shop\" }", to);
    let files = |bench: &Bench| files_below(&bench.path("shop/data"));
    refuses(
        &|bench| path(bench, "{ iceberg = \"orders\" }"),
        "error: the folder orders is no Iceberg table: it has no folder metadata; check orders.path, or name Parquet files without iceberg.",
    );
    refuses(
        &|bench| path(bench, "{ iceberg = \"none\" }"),
        "error: there is no folder none; check orders.path (it is relative to the job file).",
    );
    let newest = |bench: &Bench| ids(bench).iter().rev().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let known = newest(&lake());
    refuses(
        &|bench| path(bench, "{ iceberg = \"shop\", snapshot = 7 }"),
        &format!("{table} has no snapshot 7; its metadata have {known}."),
    );
    refuses(
        &|bench| change(bench, |metadata| metadata["current-snapshot-id"] = json!(-1)),
        &format!("{table} has no current snapshot, and so no rows; name another table."),
    );
    refuses(
        &|bench| change(bench, |metadata| metadata["format-version"] = json!(4)),
        &format!(
            "{table} is of format version 4, and rfmill knows the versions 1 to 3; write its current rows to Parquet files."
        ),
    );
    refuses(
        &|bench| bench.write(CURRENT, "{}"),
        "error: shop/metadata/00107-by-hand.metadata.json cannot be read: it is no metadata of a table (…); restore it, or name another file of metadata of the table.",
    );
    refuses(
        &|bench| bench.write("shop/metadata/00107-other.metadata.json", bench.read(CURRENT)),
        &format!(
            "{table} has several files of metadata of version 107 (00107-by-hand.metadata.json, 00107-other.metadata.json), and only its catalog knows which counts; name that file: orders.path = {{ iceberg = \"shop/metadata/00107-by-hand.metadata.json\" }}."
        ),
    );
    refuses(
        &|bench| bench.write("shop/metadata/version-hint.text", "soon"),
        "error: shop/metadata/version-hint.text cannot be read: it holds \"soon\", and no number; restore it, or name another file of metadata of the table.",
    );
    refuses(
        &|bench| bench.write("shop/metadata/version-hint.text", "50"),
        &format!("{table} has no metadata of version 50, which its version-hint.text names; restore it."),
    );
    refuses(
        &|bench| bench.write("shop/_delta_log/00000000000000000000.json", "{}"),
        &format!(
            "{table} lies in a folder with the log of a table of Delta as well, so which of the two is current cannot be told; write the current rows to a table of their own."
        ),
    );
    let of_rows = |bench: &Bench| {
        let is_of_rows = |name: &String| name.starts_with("00000-0-");
        let names = files(bench).into_iter().map(|file| file.file_name().unwrap().to_str().unwrap().to_owned());
        names.filter(is_of_rows).min().unwrap()
    };
    let first = of_rows(&lake());
    refuses(
        &|bench| std::fs::remove_file(bench.path(&format!("shop/data/{first}"))).unwrap(),
        &format!(
            "{table} has the file shop/data/{first} in snapshot …, which is gone; restore it, or name a snapshot whose files are still there."
        ),
    );
    refuses(
        &|bench| change_entries(bench, &first, |file| set(file, "file_size_in_bytes", Avro::Long(7))),
        &format!("error: shop/data/{first} has … bytes, and the log of the Iceberg table shop says 7; restore the file."),
    );
    refuses(
        &|bench| change_entries(bench, &first, |file| set(file, "file_format", Avro::String("orc".into()))),
        &format!(
            "{table} has the file file:///…/{first} in ORC, and rfmill reads Parquet; rewrite its files with write.format.default and write.delete.format.default = parquet."
        ),
    );
    refuses(
        &|bench| change_entries(bench, &first, |file| set(file, "key_metadata", Avro::Bytes(vec![1]))),
        &format!(
            "{table} has the encrypted file file:///…/{first}, which rfmill does not read; write its current rows to Parquet files."
        ),
    );
    refuses(
        &|bench| change_entries(bench, &first, |file| set(file, "file_path", Avro::String("hdfs://node/a.parquet".into()))),
        &format!(
            "{table} names hdfs://node/a.parquet in its log, and rfmill does not read hdfs://; expected files on a disk of this machine, or in a store by s3://, gs:// or az://."
        ),
    );
    refuses(
        &|bench| change_entries(bench, "104.parquet", |file| set(file, "equality_ids", Avro::Array(vec![Avro::Long(99)]))),
        &format!(
            "{table} deletes rows by a column that its schema does not have as a plain one (its id is 99); rewrite its data files, so that these deletes are applied."
        ),
    );
    refuses(
        &|bench| change_entries(bench, ".puffin", |file| set(file, "record_count", Avro::Long(5))),
        &format!("{table} has a deletion vector for file:///… of 3 rows, not the 5 of its log; restore the table."),
    );
    refuses(
        &|bench| {
            let file = bench.path("shop/data/by-hand-106.puffin");
            let mut bytes = std::fs::read(&file).unwrap();
            bytes[20] ^= 1;
            std::fs::write(file, bytes).unwrap();
        },
        &format!(
            "{table} has a deletion vector in shop/data/by-hand-106.puffin, which is damaged: its checksum is another; restore that file."
        ),
    );
}

/// Files that were written without ids, and joined to the table later, have columns by the names that the table says.
#[test]
fn files_without_ids_need_a_name_mapping() {
    let bench = lake();
    let all = orders();
    let plain: Columns = vec![("who", all[0].1.clone()), ("ordered_at", all[1].1.clone()), ("total", all[2].1.clone())];
    let bytes = crate::fixture::parquet_bytes(&rows(&plain, &[0, 1, 2, 3]));
    let first =
        files_below(&bench.path("shop/data")).into_iter().map(|file| file.file_name().unwrap().to_str().unwrap().to_owned());
    let first = first.filter(|name| name.starts_with("00000-0-")).min().unwrap();
    bench.write(&format!("shop/data/{first}"), &bytes);
    change_entries(&bench, &first, |file| set(file, "file_size_in_bytes", Avro::Long(bytes.len() as i64)));
    bench.refuses(
        4,
        &format!(
            "error: the columns of shop/data/{first} have no ids, and the Iceberg table shop has no name mapping that says which is which; give the table one (schema.name-mapping.default)."
        ),
    );
    let mapping = json!([
        { "field-id": 1, "names": ["amount", "total"] },
        { "field-id": 2, "names": ["customer_id", "who"] },
        { "field-id": 3, "names": ["ordered_at"] },
        { "names": ["unknown"] },
    ]);
    change(&bench, |metadata| metadata["properties"]["schema.name-mapping.default"] = json!(mapping.to_string()));
    counts(&bench, &rows(&all, SNAPSHOTS[4]));
    change(&bench, |metadata| metadata["properties"]["schema.name-mapping.default"] = json!("{"));
    bench.refuses(
        4,
        "error: the Iceberg table shop (orders.path) has a setting schema.name-mapping.default that cannot be read: …; write it again.",
    );
}

/// Rows of files from before a column was added have its default, which is null unless the table says otherwise.
#[test]
fn columns_may_have_a_value_before_they_were_added() {
    let bench = lake();
    change(&bench, |metadata| {
        let field =
            metadata["schemas"][2]["fields"].as_array_mut().unwrap().iter_mut().find(|field| field["name"] == "total").unwrap();
        field["initial-default"] = json!("old");
    });
    bench.in_orders("keep = [{ column = \"total\", in = [\"old\"] }]");
    counts(&bench, &rows(&orders(), &[0, 2, 3]));
}

/// A change of the schema makes no snapshot, and changes what a run reads.
#[test]
fn the_columns_are_part_of_the_run() {
    let bench = lake();
    let mut runs = Vec::new();
    let mut run = |bench: &Bench| {
        bench.runs();
        let manifest = manifest(bench);
        runs.push(manifest["run_id"].as_str().unwrap().to_owned());
        manifest["inputs"][0]["lake_table"]["columns_sha256"].as_str().unwrap().to_owned()
    };
    let field = |metadata: &mut Value, name: &str, key: &str, to: &str| {
        let fields = metadata["schemas"][2]["fields"].as_array_mut().unwrap();
        fields.iter_mut().find(|field| field["name"] == name).unwrap()[key] = json!(to);
    };
    let mut hashes = vec![run(&bench)];
    let before = metadata(&bench);
    change(&bench, |metadata| field(metadata, "total", "name", "note"));
    hashes.push(run(&bench));
    change(&bench, |metadata| field(metadata, "note", "initial-default", "old"));
    hashes.push(run(&bench));
    change(&bench, |metadata| field(metadata, "note", "initial-default", "new"));
    hashes.push(run(&bench));
    let mapping = json!([{ "field-id": 1, "names": ["amount"] }]).to_string();
    change(&bench, |metadata| metadata["properties"]["schema.name-mapping.default"] = json!(mapping));
    hashes.push(run(&bench));
    change(&bench, |metadata| *metadata = before);
    assert_eq!(run(&bench), hashes[0]);
    assert_eq!(runs.remove(5), runs[0]);
    for all in [&mut runs, &mut hashes] {
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 5);
    }
}

/// A default that is not read concerns those who read its column.
#[test]
fn a_default_that_is_not_read_concerns_its_column_alone() {
    let bench = lake();
    change(&bench, |metadata| {
        let fields = metadata["schemas"][2]["fields"].as_array_mut().unwrap();
        let field = fields.iter_mut().find(|field| field["name"] == "total").unwrap();
        field["initial-default"] = json!({ "a": 1 });
    });
    counts(&bench, &rows(&orders(), SNAPSHOTS[4]));
    bench.in_orders("keep = [{ column = \"total\", is_null = true }]");
    bench.refuses(
        4,
        "error: shop/data/… lacks the column \"total\", and the Iceberg table shop gives it a default that rfmill does not read: {\"a\":1}; rewrite the file, or do without that column.",
    );
}

/// Metadata in several compressed parts are one file, and there is an end to how much they may decompress to.
#[test]
fn compressed_metadata_are_read_to_their_end() {
    let packed = |parts: &[&[u8]]| {
        let mut all = Vec::new();
        for part in parts {
            let mut encoder = flate2::write::GzEncoder::new(&mut all, flate2::Compression::best());
            std::io::Write::write_all(&mut encoder, part).unwrap();
            encoder.finish().unwrap();
        }
        all
    };
    let bench = lake();
    let bytes = bench.read(CURRENT);
    let (one, other) = bytes.split_at(bytes.len() / 2);
    bench.write("shop/metadata/00108-packed.gz.metadata.json", packed(&[one, other]));
    counts(&bench, &rows(&orders(), SNAPSHOTS[4]));
    let spaces = vec![b' '; 1 << 24];
    let parts: Vec<&[u8]> = std::iter::repeat_n(spaces.as_slice(), 17).chain([bytes.as_slice()]).collect();
    bench.write("shop/metadata/00108-packed.gz.metadata.json", packed(&parts));
    bench.refuses(
        4,
        "error: shop/metadata/00108-packed.gz.metadata.json cannot be read: it decompresses to over 268435456 bytes; restore it, or name another file of metadata of the table.",
    );
}
