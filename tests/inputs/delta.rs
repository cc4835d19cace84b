//! Delta tables: the log says which files and rows count. Runs on a table are held against runs on plain files that have exactly
//! the rows that the protocol leaves; `tests/delta.py` holds them against other readers.

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;
use parquet::arrow::{ArrowWriter, PARQUET_FIELD_ID_META_KEY};
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

use crate::fixture::{Bench, dates, decimals, floats, ints, parquet_bytes, texts};

/// Columns of a file.
pub type Columns = Vec<(&'static str, ArrayRef)>;

/// Deleted rows in the form that `BitMap64.serialize` of pyroaring 1.2 gives, behind the magic number of the protocol, with zeros
/// up to a multiple of four, in the base 85 of ZeroMQ: bytes, and text.
pub const ROW_1: (i64, &str) = (34, "^Bg9^0rr910000000000iXQKl0rr91000005c8Xg0rr91");
pub const ROWS_0_2: (i64, &str) = (36, "^Bg9^0rr910000000000iXQKl0rr91000315c8Xg00062");
const ROWS_1_4: (i64, &str) = (36, "^Bg9^0rr910000000000iXQKl0rr91000315c8Xg0rrl5");
const ROWS_0_TO_3: (i64, &str) = (31, "^Bg9^0rr910000000000j1{Tm0rr940096100ri3");
const ROW_8: (i64, &str) = (34, "^Bg9^0rr910000000000iXQKl0rr91000005c8Xg2MK&8");

/// Eight orders of five customers.
pub fn orders() -> Columns {
    vec![
        ("customer_id", ints([1, 1, 2, 2, 3, 4, 4, 5])),
        ("ordered_at", days()),
        ("amount", floats([10.5, 20.25, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0])),
    ]
}

fn days() -> ArrayRef {
    dates(["2024-01-05", "2024-03-01", "2024-02-10", "2024-11-30", "2024-05-05", "2024-06-01", "2024-12-24", "2024-12-31"])
}

/// Some rows of columns.
pub fn rows(columns: &Columns, rows: &[u64]) -> Columns {
    let rows = arrow::array::UInt64Array::from(rows.to_vec());
    columns.iter().map(|(name, column)| (*name, take(column, &rows, None).unwrap())).collect()
}

/// A table that is written commit by commit.
pub struct Lake {
    pub bench: Bench,
    version: u64,
}

pub const SCHEMA: [(&str, &str); 3] = [("customer_id", "long"), ("ordered_at", "date"), ("amount", "double")];

impl Lake {
    /// A workbench whose job reads the table `shop`, which is still empty.
    pub fn new(schema: &[(&str, &str)], partitions: &[&str]) -> Lake {
        let fields = schema.iter().map(|(name, data_type)| field(name, data_type, json!({}))).collect();
        Lake::of(fields, partitions, json!({}), json!({"minReaderVersion": 1, "minWriterVersion": 2}))
    }

    fn of(fields: Vec<Value>, partitions: &[&str], configuration: Value, protocol: Value) -> Lake {
        let bench = Bench::new();
        bench.edit("path = \"orders\"", "path = { delta = \"shop\" }");
        let mut lake = Lake { bench, version: 0 };
        lake.commit(&[json!({ "protocol": protocol }), metadata(fields, partitions, configuration)]);
        lake
    }

    /// Writes the next commit.
    pub fn commit(&mut self, actions: &[Value]) -> &mut Lake {
        let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
        self.bench.write(&log(self.version), lines.join("\n") + "\n");
        self.version += 1;
        self
    }

    /// Writes a data file; returns the action that adds it.
    pub fn file(&self, name: &str, columns: &Columns) -> Value {
        self.bytes(name, &parquet_bytes(columns))
    }

    fn bytes(&self, name: &str, bytes: &[u8]) -> Value {
        self.bench.write(&format!("shop/{name}"), bytes);
        let path = name.replace('%', "%25").replace(' ', "%20");
        json!({ "add": { "path": path, "partitionValues": {}, "size": bytes.len(), "modificationTime": 0, "dataChange": true } })
    }

    /// Runs the job; the rows of customers are those of a run on a plain file of these columns.
    #[track_caller]
    fn counts(&self, columns: &Columns) {
        self.counts_with("", columns);
    }

    #[track_caller]
    fn counts_with(&self, keys: &str, columns: &Columns) {
        let plain = Bench::new();
        plain.parquet("orders/a.parquet", columns);
        for bench in [&plain, &self.bench] {
            if !keys.is_empty() {
                bench.in_orders(keys);
            }
            bench.succeeds(&["run", "job.toml", "--quiet"]);
        }
        for table in ["customers/as_of=2024-12-31/part-000.parquet", "segments.parquet"] {
            assert_eq!(self.bench.table(table), plain.table(table), "{table}");
        }
        // Rows and money by outcome, whatever the files.
        let ledger = |bench: &Bench| {
            let mut sums: BTreeMap<String, (u64, f64)> = BTreeMap::new();
            for row in bench.table("ledger.parquet").iter().filter(|row| row[2] != "0") {
                let (count, money) = sums.entry(row[1].clone()).or_default();
                *count += row[2].parse::<u64>().unwrap();
                *money += row[3].parse::<f64>().unwrap_or(0.0);
            }
            sums
        };
        assert_eq!(ledger(&self.bench), ledger(&plain), "rows by outcome");
    }

    fn manifest(&self) -> Value {
        serde_json::from_slice(&self.bench.read("out/latest/manifest.json")).unwrap()
    }
}

fn log(version: u64) -> String {
    format!("shop/_delta_log/{version:020}.json")
}

fn field(name: &str, data_type: &str, metadata: Value) -> Value {
    json!({ "name": name, "type": data_type, "nullable": true, "metadata": metadata })
}

fn metadata(fields: Vec<Value>, partitions: &[&str], configuration: Value) -> Value {
    let schema = json!({ "type": "struct", "fields": fields }).to_string();
    json!({ "metaData": {
        "id": "6b1f0a0c-7d0e-4f5c-9a53-0d6c0f8f7a11", "format": { "provider": "parquet", "options": {} },
        "schemaString": schema, "partitionColumns": partitions, "configuration": configuration,
    } })
}

pub fn remove(path: &str) -> Value {
    json!({ "remove": { "path": path, "deletionTimestamp": 1, "dataChange": true } })
}

/// The action with an inline deletion vector.
pub fn without(mut add: Value, (size, text): (i64, &str), cardinality: u64) -> Value {
    add["add"]["deletionVector"] =
        json!({ "storageType": "i", "pathOrInlineDv": text, "sizeInBytes": size, "cardinality": cardinality });
    add
}

fn with_partitions(mut add: Value, values: Value) -> Value {
    add["add"]["partitionValues"] = values;
    add
}

/// A file with several row groups.
fn in_groups(columns: &Columns, rows: usize) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(n, a)| (*n, a.clone(), true))).unwrap();
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows)).build();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn files_count_as_the_log_says() {
    let mut lake = Lake::new(&SCHEMA, &[]);
    let all = orders();
    let (a, b) = (lake.file("a.parquet", &rows(&all, &[0, 1, 2, 3])), lake.file("b.parquet", &rows(&all, &[4, 5, 6, 7])));
    lake.commit(&[a]).commit(&[b]);
    lake.counts(&all);
    // A delete writes a file again without rows; a compaction writes all rows into one.
    let c = lake.file("c d.parquet", &rows(&all, &[1, 2]));
    lake.commit(&[remove("a.parquet"), c]);
    lake.counts(&rows(&all, &[1, 2, 4, 5, 6, 7]));
    let whole = lake.file("e.parquet", &rows(&all, &[1, 2, 4, 5, 6, 7]));
    lake.commit(&[remove("file:///nowhere/a.parquet"), remove("c%20d.parquet"), remove("b.parquet"), whole]);
    lake.counts(&rows(&all, &[1, 2, 4, 5, 6, 7]));
    let files: Vec<Value> = lake.manifest()["inputs"].as_array().unwrap().iter().map(|input| input["file"].clone()).collect();
    assert_eq!(files, ["shop/e.parquet"]);
}

#[test]
fn a_version_is_read_as_it_was() {
    let mut lake = Lake::new(&SCHEMA, &[]);
    let all = orders();
    let first = lake.file("a.parquet", &rows(&all, &[0, 1, 2, 3]));
    let second = lake.file("b.parquet", &all);
    lake.commit(&[first]).commit(&[remove("a.parquet"), second]);
    lake.counts(&all);
    let newest = lake.manifest();
    let table = newest["inputs"][0]["lake_table"].clone();
    let hash = &table["columns_sha256"];
    assert_eq!(table, json!({ "format": "Delta", "folder": "shop", "version": 2, "columns_sha256": hash }));
    lake.bench.edit("{ delta = \"shop\" }", "{ delta = \"shop\", version = 1 }");
    lake.counts(&rows(&all, &[0, 1, 2, 3]));
    let older = lake.manifest();
    assert_eq!(older["inputs"][0]["lake_table"]["version"], 1);
    assert_eq!(older["job"]["orders"]["path"], json!({ "delta": "shop", "version": 1 }));
    assert_ne!(older["run_id"], newest["run_id"]);
    let explained = lake.bench.succeeds(&["explain", "job.toml"]).out;
    assert!(explained.contains("\ntables\n  orders.path: Delta table shop, version 1\n"), "{explained}");
    // A commit that leaves files as they are makes another version, and so another run.
    lake.bench.edit(", version = 1 }", " }");
    lake.commit(&[json!({ "commitInfo": { "operation": "SET TBLPROPERTIES" } })]);
    lake.counts(&all);
    assert_ne!(lake.manifest()["run_id"], newest["run_id"]);
    for (version, known) in [(4, "the versions 0 to 3"), (99, "the versions 0 to 3")] {
        let at = format!("{{ delta = \"shop\", version = {version} }}");
        lake.bench.edit("{ delta = \"shop\" }", &at);
        let message = format!("error: the Delta table shop (orders.path) has no version {version}; its log has {known}.");
        lake.bench.refuses(4, &message);
        lake.bench.edit(&at, "{ delta = \"shop\" }");
    }
    lake.bench.edit("{ delta = \"shop\" }", "{ delta = \"shop\", version = 0 }");
    lake.bench.refuses(4, "error: the Delta table shop (orders.path) has no rows in version 0; name another version.");
}

/// Deleted rows are no rows of the input: they stand in no line of the ledger.
#[test]
fn deleted_rows_do_not_count() {
    let all = orders();
    for (vector, deleted) in [(ROW_1, vec![1]), (ROWS_0_2, vec![0, 2]), (ROWS_1_4, vec![1, 4]), (ROWS_0_TO_3, vec![0, 1, 2, 3])] {
        for group in [2, 3, 8] {
            let mut lake = Lake::new(&SCHEMA, &[]);
            let whole = lake.bytes("a.parquet", &in_groups(&all, group));
            let kept: Vec<u64> = (0..8).filter(|row| !deleted.contains(row)).collect();
            lake.commit(std::slice::from_ref(&whole));
            lake.counts(&all);
            let before = lake.manifest()["run_id"].clone();
            lake.commit(&[remove("a.parquet"), without(whole, vector, deleted.len() as u64)]);
            lake.counts(&rows(&all, &kept));
            let manifest = lake.manifest();
            assert_ne!(manifest["run_id"], before);
            assert_eq!(manifest["inputs"][0]["rows"], kept.len());
            assert_eq!(manifest["inputs"][0]["lake_table"]["deleted_rows"], deleted.len());
        }
    }
}

/// Duplicates, versions and statistics are those of the rows that are left.
#[test]
fn what_joins_rows_sees_those_that_are_left() {
    let (t, u) = ("2024-01-05", "2024-03-01");
    // Row 1 would make row 2 a duplicate, and row 4 would supersede row 3 and give it its shop; they are deleted.
    let twice: Columns = vec![
        ("customer_id", ints([1, 1, 1, 2, 2, 3, 3, 3])),
        ("ordered_at", dates([t, t, t, u, u, t, u, u])),
        ("amount", floats([10.0, 11.0, 11.0, 5.0, 7.0, 1.0, 2.0, 2.0])),
        ("order_id", ints([1, 1, 1, 2, 2, 3, 4, 4])),
        ("at", ints([1, 3, 3, 1, 2, 1, 1, 1])),
        ("shop", texts([Some("a"), None, None, None, Some("b"), None, Some("c"), Some("c")])),
    ];
    let schema = [&SCHEMA[..], &[("order_id", "long"), ("at", "long"), ("shop", "string")]].concat();
    for keys in [
        "dedupe = \"rows\"",
        "dedupe = [\"order_id\"]",
        "latest = { key = [\"order_id\"], by = \"at\" }",
        "order_id = \"order_id\"\ninherit = [\"shop\"]\nslice = \"shop\"\nmax_rejected = 1.0",
    ] {
        for group in [3, 8] {
            let mut lake = Lake::new(&schema, &[]);
            let add = lake.bytes("a.parquet", &in_groups(&twice, group));
            lake.commit(&[without(add, ROWS_1_4, 2)]);
            lake.counts_with(keys, &rows(&twice, &[0, 2, 3, 5, 6, 7]));
        }
    }
    // A row group whose statistics place it after the last date.
    let mut late = orders();
    late[1].1 =
        dates(["2025-02-01", "2025-02-02", "2025-02-03", "2025-02-04", "2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]);
    let mut lake = Lake::new(&SCHEMA, &[]);
    let add = lake.bytes("a.parquet", &in_groups(&late, 4));
    lake.commit(&[without(add, ROWS_1_4, 2)]);
    lake.counts(&rows(&late, &[0, 2, 3, 5, 6, 7]));
}

/// Errors count rows as a reader of the file does.
#[test]
fn rows_are_called_by_their_number_in_the_file() {
    let mut orders = orders();
    orders[2].1 = floats([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1e300, 1.0]);
    let mut lake = Lake::new(&SCHEMA, &[]);
    let add = lake.file("a.parquet", &orders);
    lake.commit(&[without(add, ROWS_1_4, 2)]);
    lake.bench.refuses(3, "error: shop/a.parquet, row 7: column \"amount\" (orders.amount) overflows 64 bits…");
    // Ids beyond 64 bits, of orders and of customers.
    let mut wide = self::orders();
    wide[0].1 = decimals(0, [1, 2, 3, 4, 5, 6, 1 << 64, 8]);
    let mut lake = Lake::new(&[("customer_id", "decimal(38,0)"), SCHEMA[1], SCHEMA[2]], &[]);
    let add = lake.file("a.parquet", &wide);
    lake.commit(&[without(add, ROWS_1_4, 2)]);
    let message = |key: &str| format!("error: shop/a.parquet, row 7: column \"customer_id\" ({key}) is 18446744073709551616; …");
    lake.bench.refuses(3, &message("orders.customer_id"));
    let people = vec![wide.swap_remove(0), ("region", texts(["EU"; 8]))];
    let mut lake = Lake::new(&[("customer_id", "decimal(38,0)"), ("region", "string")], &[]);
    let add = lake.file("a.parquet", &people);
    lake.commit(&[without(add, ROWS_1_4, 2)]);
    lake.bench.edit("path = { delta = \"shop\" }", "path = \"orders\"");
    lake.bench.append("[customers]\npath = { delta = \"shop\" }\ncustomer_id = \"customer_id\"\ndimensions = [\"region\"]");
    lake.bench.refuses(3, &message("customers.customer_id"));
}

#[test]
fn columns_are_found_by_their_names_in_files() {
    let mapped = |name: &str, data_type: &str, physical: &str, id: i64| {
        field(name, data_type, json!({ "delta.columnMapping.physicalName": physical, "delta.columnMapping.id": id }))
    };
    // The file has a dropped column that is called as a later one is, and one that is called as another one was.
    let fields = || {
        vec![
            mapped("customer_id", "long", "amount", 1),
            mapped("ordered_at", "date", "col-2", 2),
            mapped("amount", "double", "col-3", 3),
            mapped("later", "string", "col-9", 9),
        ]
    };
    let all = orders();
    let columns = |[c, o, a]: [&'static str; 3]| -> Columns {
        vec![
            (c, all[0].1.clone()),
            ("customer_id", ints([9; 8])),
            (o, all[1].1.clone()),
            (a, all[2].1.clone()),
            ("later", texts(["x"; 8])),
        ]
    };
    let protocols = [
        json!({ "minReaderVersion": 2, "minWriterVersion": 5 }),
        json!({ "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["columnMapping"], "writerFeatures": ["columnMapping"] }),
    ];
    for protocol in protocols {
        let mut lake = Lake::of(fields(), &[], json!({ "delta.columnMapping.mode": "name" }), protocol.clone());
        let add = lake.file("a.parquet", &columns(["amount", "col-2", "col-3"]));
        lake.commit(&[add]);
        lake.counts_with("keep = [{ column = \"later\", is_null = true }]", &{
            let mut plain = orders();
            plain.push(("later", texts([None::<&str>; 8])));
            plain
        });
        // By ids, names in files mean nothing.
        let mut lake = Lake::of(fields(), &[], json!({ "delta.columnMapping.mode": "id" }), protocol);
        let names = columns(["x", "y", "z"]);
        let ids = [1, 77, 2, 3, 78];
        let of = |((name, column), id): (&(&'static str, ArrayRef), i32)| {
            let field = arrow::datatypes::Field::new(*name, column.data_type().clone(), true);
            field.with_metadata([(PARQUET_FIELD_ID_META_KEY.to_owned(), id.to_string())])
        };
        let schema = arrow::datatypes::Schema::new(names.iter().zip(ids).map(of).collect::<Vec<_>>());
        let batch = RecordBatch::try_new(schema.into(), names.iter().map(|(_, column)| column.clone()).collect()).unwrap();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let add = lake.bytes("a.parquet", &bytes);
        lake.commit(&[add]);
        lake.counts(&orders());
    }
}

#[test]
fn partitions_have_the_types_of_their_columns() {
    let all = orders();
    let only = |rows_of: &[u64]| -> Columns { vec![("amount", rows(&all, rows_of)[2].1.clone())] };
    let mut lake =
        Lake::new(&[("customer_id", "long"), ("ordered_at", "date"), ("amount", "double")], &["customer_id", "ordered_at"]);
    let mut actions = Vec::new();
    for (row, (customer, day)) in [(1, "2024-01-05"), (1, "2024-03-01"), (20, "2024-02-10")].iter().enumerate() {
        let name = format!("customer_id={customer}/ordered_at={day}/a.parquet");
        let values = json!({ "customer_id": customer.to_string(), "ordered_at": day });
        actions.push(with_partitions(lake.file(&name, &only(&[row as u64])), values));
    }
    let unknown = lake.file("customer_id=__HIVE_DEFAULT_PARTITION__/b.parquet", &only(&[3, 4]));
    actions.push(with_partitions(unknown, json!({ "customer_id": null, "ordered_at": "2024-05-05" })));
    lake.commit(&actions);
    lake.counts(&vec![
        ("customer_id", ints([Some(1), Some(1), Some(20), None, None])),
        ("ordered_at", dates(["2024-01-05", "2024-03-01", "2024-02-10", "2024-05-05", "2024-05-05"])),
        ("amount", floats([10.5, 20.25, 30.0, 40.0, 50.0])),
    ]);
    // Names of folders mean nothing, and values may hold any character.
    let schema = [&SCHEMA[..], &[("region", "string")]].concat();
    let mut lake = Lake::new(&schema, &["region"]);
    let [eu, us] = [("region=EU%2FWest/a.parquet", "EU/West \"ä\""), ("region=x/b.parquet", "US")];
    let a = with_partitions(lake.file(eu.0, &rows(&all, &[0, 1, 2, 3])), json!({ "region": eu.1 }));
    let b = with_partitions(lake.file(us.0, &rows(&all, &[4, 5, 6, 7])), json!({ "region": us.1 }));
    lake.commit(&[a, b]);
    let mut plain = orders();
    plain.push(("region", texts([eu.1, eu.1, eu.1, eu.1, us.1, us.1, us.1, us.1])));
    lake.counts_with("slice = \"region\"", &plain);
}

#[test]
fn columns_that_a_file_lacks_are_null_in_it() {
    let all = orders();
    let schema = [&SCHEMA[..], &[("cost", "double"), ("channel", "string")]].concat();
    let mut lake = Lake::new(&schema, &[]);
    let old = lake.file("a.parquet", &rows(&all, &[0, 1, 2, 3]));
    let mut new = rows(&all, &[4, 5, 6, 7]);
    new.push(("cost", floats([1.0, 2.0, 3.0, 4.0])));
    new.push(("channel", texts(["web"; 4])));
    let new = lake.file("b.parquet", &new);
    lake.commit(&[old, new]);
    let mut plain = orders();
    plain.push(("cost", floats([None, None, None, None, Some(1.0), Some(2.0), Some(3.0), Some(4.0)])));
    plain.push(("channel", texts([None, None, None, None, Some("web"), Some("web"), Some("web"), Some("web")])));
    lake.counts_with("cost = \"cost\"\nkeep = [{ column = \"channel\", in = [\"web\"] }]", &plain);
    // A column that no file has yet.
    let mut lake = Lake::new(&[&SCHEMA[..], &[("voucher", "string")]].concat(), &[]);
    let add = lake.file("a.parquet", &all);
    lake.commit(&[add]);
    let mut plain = orders();
    plain.push(("voucher", texts([None::<&str>; 8])));
    lake.counts_with("keep = [{ column = \"voucher\", is_null = true }]", &plain);
}

#[test]
fn what_cannot_be_read_is_said() {
    let table = "error: the Delta table shop (orders.path)";
    let lake = || {
        let mut lake = Lake::new(&SCHEMA, &[]);
        let add = lake.file("a.parquet", &orders());
        lake.commit(&[add]);
        lake
    };
    let refuses = |change: &dyn Fn(&mut Lake), message: &str| {
        let mut lake = lake();
        change(&mut lake);
        lake.bench.refuses(4, message);
    };
    let delete = |lake: &Lake, name: &str| std::fs::remove_file(lake.bench.path(name)).unwrap();
    refuses(
        &|lake| delete(lake, "shop/a.parquet"),
        &format!(
            "{table} has the file shop/a.parquet in version 1, which is gone; restore it, or name a version whose files are still there."
        ),
    );
    refuses(
        &|lake| lake.bench.write("shop/a.parquet", [&lake.bench.read("shop/a.parquet")[..], b" "].concat()),
        "error: shop/a.parquet has … bytes, and the log of the Delta table shop says …; restore the file.",
    );
    refuses(
        &|lake| {
            lake.commit(&[json!({ "txn": {} })]).commit(&[json!({ "txn": {} })]);
            delete(lake, &log(2));
        },
        &format!("{table} lacks version 2 in its log, which version 3 needs; restore 00000000000000000002.json."),
    );
    refuses(
        &|lake| delete(lake, &log(0)),
        &format!("{table} has a log that begins with version 1, and no checkpoint of what was before; restore its log."),
    );
    refuses(
        &|lake| {
            delete(lake, &log(0));
            delete(lake, &log(1));
        },
        &format!("{table} has an empty log; expected commits such as 00000000000000000000.json."),
    );
    refuses(
        &|lake| lake.bench.write(&log(1), "{\"add\": 1}\n"),
        "error: shop/_delta_log/00000000000000000001.json cannot be read: line 1 is no action (…); restore the file, or name a version that does without it.",
    );
    let protocol = |features: Value| json!({ "protocol": { "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": [] } });
    refuses(
        &|lake| _ = lake.commit(&[protocol(json!(["variantType", "deletionVectors", "mindReading"]))]),
        &format!(
            "{table} needs features that rfmill does not know: mindReading, variantType; write its current rows to Parquet files, or to a table without these features."
        ),
    );
    refuses(
        &|lake| _ = lake.commit(&[json!({ "protocol": { "minReaderVersion": 4, "minWriterVersion": 7 } })]),
        &format!(
            "{table} asks for readers of version 4, and rfmill knows the versions 1 to 3; write its current rows to Parquet files."
        ),
    );
    refuses(
        &|lake| _ = lake.commit(&[json!({ "add": { "path": "hdfs://node/b.parquet", "partitionValues": {}, "size": 1 } })]),
        &format!(
            "{table} names hdfs://node/b.parquet in its log, and rfmill does not read hdfs://; expected files on a disk of this machine, or in a store by s3://, gs:// or az://."
        ),
    );
    refuses(
        &|lake| lake.bench.write("shop/metadata/00000-1.metadata.json", "{}"),
        &format!(
            "{table} lies in a folder with the log of a table of Iceberg as well, so which of the two is current cannot be told; write the current rows to a table of their own."
        ),
    );
    refuses(
        &|lake| {
            let add = lake.file("b.parquet", &orders());
            lake.commit(&[without(add, ROW_8, 1)]);
        },
        "error: shop/b.parquet is damaged: rows are deleted that it does not have; write the file again or restore it from its source.",
    );
    refuses(
        &|lake| {
            let add = lake.file("b.parquet", &orders());
            lake.commit(&[without(add, ROW_1, 2)]);
        },
        &format!("{table} has a deletion vector for shop/b.parquet of 1 rows, not the 2 of its log; restore the table."),
    );
    refuses(
        &|lake| _ = lake.bench.edit("{ delta = \"shop\" }", "{ delta = \"orders\" }"),
        "error: the folder orders is no Delta table: it has no folder _delta_log; check orders.path, or name Parquet files without delta.",
    );
    refuses(
        &|lake| _ = lake.bench.edit("{ delta = \"shop\" }", "{ delta = \"none\" }"),
        "error: there is no folder none; check orders.path (it is relative to the job file).",
    );
    refuses(
        &|lake| {
            let add = lake.file("a.parquet", &orders());
            lake.commit(&[without(add, ROW_1, 1)]);
        },
        &format!("{table} has the file shop/a.parquet twice in version 2; restore its log."),
    );
    // A writer that changes nothing may put the same vector in its own place; whichever line comes first, the file is not lost.
    for is_reversed in [false, true] {
        refuses(
            &|lake| {
                let add = without(lake.file("a.parquet", &orders()), ROW_1, 1);
                let mut actions = vec![json!({ "remove": add["add"].clone() }), add];
                if is_reversed {
                    actions.reverse();
                }
                lake.commit(&actions);
            },
            &format!(
                "{table} both adds and removes the file shop/a.parquet in one commit of its log, so whether it counts cannot be told; restore its log."
            ),
        );
    }
    let unknown = lake();
    unknown.bench.edit("{ delta = \"shop\" }", "{ delta = \"shop\", at = 3 }");
    unknown
        .bench
        .refuses(2, "error: job.toml, line 4, column …: expected a path, a list of paths, { delta = \"PATH\", version = N }, or { iceberg = \"PATH\", snapshot = ID }…");
    // A table that writes the other log itself is one table.
    let mut universal = lake();
    let fields = SCHEMA.iter().map(|(name, data_type)| field(name, data_type, json!({}))).collect();
    universal.commit(&[metadata(fields, &[], json!({ "delta.universalFormat.enabledFormats": "iceberg" }))]);
    universal.bench.write("shop/metadata/00000-1.metadata.json", "{}");
    universal.counts(&orders());
}

/// The other tables of a job, too.
#[test]
fn customers_events_and_assignments_come_from_tables() {
    let people: Columns = vec![
        ("customer_id", ints([1, 2, 3, 4, 5])),
        ("age", ints([31, 32, 33, 34, 35])),
        ("country", texts(["DE", "DE", "FR", "FR", "IT"])),
    ];
    let events: Columns =
        vec![("customer_id", ints([1, 1, 2, 3, 5])), ("event", texts(["open"; 5])), ("at", dates(["2024-05-01"; 5]))];
    let assigned: Columns = vec![
        ("customer_id", ints([1, 2, 3, 4, 5])),
        ("arm", texts(["a", "b", "a", "b", "a"])),
        ("assigned_on", dates(["2024-06-01"; 5])),
    ];
    let sections = |of: &dyn Fn(&str) -> String| {
        format!(
            "[customers]\npath = {}\ncustomer_id = \"customer_id\"\ndimensions = [\"country\"]\n\n[events]\npath = {}\ncustomer_id = \"customer_id\"\nevent = \"event\"\nat = \"at\"\n\n[[strategy]]\nname = \"mail\"\ndesign = \"randomised\"\nassignments = {}\ncontrol = \"a\"\nsplit = {{ a = 0.5, b = 0.5 }}\noutcomes = [\"converted\", \"event:opens\"]\nperiods = [{{ from = 2024-06-01, to = 2024-07-31 }}]\n",
            of("people"),
            of("events"),
            of("assigned")
        )
    };
    let plain = Bench::new();
    let lake = Bench::new();
    let schemas: [(&str, &Columns, &[(&str, &str)]); 3] = [
        ("people", &people, &[("customer_id", "long"), ("age", "long"), ("country", "string")]),
        ("events", &events, &[("customer_id", "long"), ("event", "string"), ("at", "date")]),
        ("assigned", &assigned, &[("customer_id", "long"), ("arm", "string"), ("assigned_on", "date")]),
    ];
    for (name, columns, schema) in schemas {
        // Row 1 of the table's file is deleted.
        plain.parquet(&format!("{name}.parquet"), &rows(columns, &[0, 2, 3, 4]));
        let bytes = parquet_bytes(columns);
        lake.write(&format!("{name}/a.parquet"), &bytes);
        let fields = schema.iter().map(|(name, data_type)| field(name, data_type, json!({}))).collect();
        let add = json!({ "add": { "path": "a.parquet", "partitionValues": {}, "size": bytes.len(), "dataChange": true } });
        let protocol = json!({ "protocol": { "minReaderVersion": 1, "minWriterVersion": 2 } });
        let actions = [protocol, metadata(fields, &[], json!({})), without(add, ROW_1, 1)];
        let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
        lake.write(&format!("{name}/_delta_log/00000000000000000000.json"), lines.join("\n"));
    }
    plain.append(&sections(&|name| format!("\"{name}.parquet\"")));
    lake.append(&sections(&|name| format!("{{ delta = \"{name}\" }}")));
    for bench in [&plain, &lake] {
        bench.runs();
    }
    for table in ["customers/as_of=2024-12-31/part-000.parquet", "arms.parquet"] {
        assert_eq!(lake.table(table), plain.table(table), "{table}");
    }
    let manifest: Value = serde_json::from_slice(&lake.read("out/latest/manifest.json")).unwrap();
    assert_eq!(manifest["assignments"][0]["files"][0]["lake_table"]["deleted_rows"], 1);
}

/// Integers that became doubles or decimals, and decimals with more digits behind the point, as the protocol lists them.
#[test]
fn columns_that_became_wider_have_their_values() {
    for (data_type, of_table) in [("double", DataType::Float64), ("decimal(12,2)", DataType::Decimal128(12, 2))] {
        for (narrow, wide) in [(DataType::Int32, of_table.clone()), (DataType::Int16, DataType::Int32)] {
            let with = |first: &DataType, second: &DataType| {
                let of = |ids: [i64; 2], numbers: [i64; 2], to: &DataType| -> Columns {
                    let amount = cast(&cast(&ints(numbers), &DataType::Int32).unwrap(), to).unwrap();
                    vec![("customer_id", ints(ids)), ("ordered_at", dates(["2024-03-01", "2024-04-01"])), ("amount", amount)]
                };
                [of([1, 2], [10, 20], first), of([1, 3], [30, 40], second)]
            };
            let mut lake = Lake::new(&[SCHEMA[0], SCHEMA[1], ("amount", data_type)], &[]);
            let [old, new] = with(&narrow, &wide);
            let files = [lake.file("a.parquet", &old), lake.file("b.parquet", &new)];
            lake.commit(&files);
            let expected: Columns = vec![
                ("customer_id", ints([1, 2, 1, 3])),
                ("ordered_at", dates(["2024-03-01", "2024-04-01", "2024-03-01", "2024-04-01"])),
                ("amount", cast(&ints([10, 20, 30, 40]), &of_table).unwrap()),
            ];
            lake.counts(&expected);
        }
    }
}
