//! Formats, encodings, folders, and what comes of a run besides its tables.

use super::{customers, has_program, job, rows, source};
use crate::fixture::{Bench, floats, parquet_bytes, texts};

const PLAIN: &str = "SELECT customer, CAST(day AS DATE) AS day, amount FROM a";

/// A job over one CSV file, whose bytes these are.
fn over(bytes: &[u8], keys: &str) -> Bench {
    let bench = Bench::empty();
    bench.write("a.csv", bytes);
    bench.write("job.toml", job(&source("a", "a.csv", keys), PLAIN));
    bench
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

/// The same orders, however their text is written.
#[test]
fn text_is_understood_in_every_encoding() {
    if !has_program() {
        return;
    }
    let text = "customer,day,amount\nZoë,2024-01-05,5.00\nZoë,2024-01-06,2.50\n";
    let windows: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).expect("a letter of Latin-1")).collect();
    for (bytes, keys) in [
        (text.as_bytes().to_vec(), ""),
        ([b"\xef\xbb\xbf", text.as_bytes()].concat(), ""),
        (utf16(&format!("\u{feff}{text}"), false), ""),
        (utf16(&format!("\u{feff}{text}"), true), ""),
        (utf16(text, false), "encoding = \"utf-16\""),
        (windows, "encoding = \"windows-1252\""),
        (text.replace('\n', "\r\n").into_bytes(), ""),
        (text.replace('\n', "\r").into_bytes(), ""),
        (text.replace('\n', "\n\n").into_bytes(), ""),
        (text.trim_end().as_bytes().to_vec(), ""),
        (text.replace(',', "\t").into_bytes(), "separator = \"\\t\""),
    ] {
        let bench = over(&bytes, keys);
        bench.runs();
        assert_eq!(customers(&bench), rows(&[("Zoë", 2, 750)]), "{keys:?} {bytes:?}");
    }
}

#[test]
fn fields_in_quotes_hold_separators_quotes_and_line_breaks() {
    if !has_program() {
        return;
    }
    let bench = over(b"customer,day,amount\n\"a, \"\"b\"\"\",2024-01-05,5.00\n\"two\nlines\",2024-01-06,\"2.50\"\n", "");
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("a, \"b\"", 1, 500), ("two\nlines", 1, 250)]));
}

#[test]
fn null_values_are_those_of_the_source() {
    if !has_program() {
        return;
    }
    let text = b"customer,day,amount\nann,2024-01-05,5.00\nNA,2024-01-06,2.50\n,2024-01-07,1.00\n";
    let bench = over(text, "null_values = [\"NA\", \"\"]");
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("ann", 1, 500)]));
    let bench = over(text, "null_values = [\"NA\"]");
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("", 1, 100), ("ann", 1, 500)]));
}

#[test]
fn columns_without_names_have_numbers() {
    if !has_program() {
        return;
    }
    let bench = over(b"ann,2024-01-05,5.00\nann,2024-02-05,1.00\n", "header = false");
    bench.edit(PLAIN, "SELECT column_1 AS customer, CAST(column_2 AS DATE) AS day, column_3 AS amount FROM a");
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("ann", 2, 600)]));
}

#[test]
fn json_lines_and_paths_into_structs() {
    if !has_program() {
        return;
    }
    let bench = Bench::empty();
    bench.write(
        "a.ndjson",
        "{\"buyer\":{\"mail\":\"ann\"},\"at\":\"2024-01-05T23:30:00\",\"total\":12.35}\n{\"buyer\":{\"mail\":\"bob\"},\"at\":\"2024-01-06T00:00:00\",\"total\":1,\"note\":\"x\"}\n",
    );
    let sql = "SELECT buyer.mail AS customer, CAST(at AS TIMESTAMP) AS day, total AS amount FROM a";
    bench.write("job.toml", job(&source("a", "a.ndjson", ""), sql));
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("ann", 1, 1_235), ("bob", 1, 100)]));
}

#[test]
fn dates_come_from_folders() {
    if !has_program() {
        return;
    }
    let bench = Bench::empty();
    for (day, amount) in [("2024-01-05", 5.0), ("2024-02-05", 7.0)] {
        let columns = [("customer", texts([Some("ann")])), ("amount", floats([amount]))];
        bench.write(&format!("parquet/day={day}/a.parquet"), parquet_bytes(&columns));
        bench.write(&format!("csv/day={day}/a.csv"), format!("customer,amount\nann,{amount}\n"));
    }
    for path in ["parquet", "parquet/*/*.parquet", "csv/*/*.csv"] {
        bench.write("job.toml", job(&source("a", path, ""), PLAIN));
        bench.runs();
        assert_eq!(customers(&bench), rows(&[("ann", 2, 1_200)]), "{path}");
    }
}

/// Files whose columns stand in another order, or lack one, are read by name; rows are numbered over all of them.
#[test]
fn files_of_a_source_are_joined_by_name() {
    if !has_program() {
        return;
    }
    let bench = Bench::empty();
    bench.write("a1.csv", "customer,day,amount\nann,2024-01-05,5.00\n");
    bench.write("a2.csv", "amount,customer,day,shop\n7.00,ann,2024-02-05,x\n8.00,bob,2024-02-06,\n");
    let sql = "SELECT customer, CAST(day AS DATE) AS day, amount, _row FROM a WHERE _row <> 2";
    bench.write("job.toml", job(&source("a", "a*.csv", ""), sql));
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("ann", 1, 500), ("bob", 1, 800)]));
}

/// Customers and events come from queries as well.
#[test]
fn customers_and_events_have_queries() {
    if !has_program() {
        return;
    }
    let bench = over(b"customer,day,amount\n900,2024-01-05,6000.00\n1,2024-01-05,5.00\n", "");
    bench.write("crm.csv", "id,is_test,kind\n900,yes,staff\n1,no,shop\n");
    let sources = source("a", "a.csv", "") + &source("crm", "crm.csv", "");
    let sql = "SELECT CAST(customer AS BIGINT) AS customer, CAST(day AS DATE) AS day, amount FROM a WHERE customer NOT IN (SELECT id FROM crm WHERE is_test = 'yes')";
    bench.write("job.toml", job(&sources, sql));
    bench.append("[customers]\nquery = \"SELECT CAST(id AS BIGINT) AS id, kind FROM crm WHERE is_test = 'no'\"\ncustomer_id = \"id\"\ndimensions = [\"kind\"]");
    bench.runs();
    assert_eq!(customers(&bench), rows(&[("1", 1, 500)]));
    let manifest: serde_json::Value = serde_json::from_slice(&bench.read("out/latest/manifest.json")).expect("JSON");
    assert_eq!(manifest["queries"][0]["key"], "orders.query");
    assert_eq!(manifest["queries"][1]["key"], "customers.query");
    assert_eq!(manifest["queries"][0]["rows"], 1);
    let sources: Vec<(String, u64)> = manifest["sources"]
        .as_array()
        .expect("sources")
        .iter()
        .map(|s| (s["file"].as_str().expect("a file").into(), s["rows"].as_u64().expect("rows")))
        .collect();
    assert_eq!(sources, [("a.csv".into(), 2), ("crm.csv".into(), 2)]);
}

/// A run is known by its sources and its SQL: it is not computed twice, and a change of either makes another.
#[test]
fn sources_and_sql_are_part_of_the_run() {
    if !has_program() {
        return;
    }
    let bench = over(b"customer,day,amount\nann,2024-01-05,5.00\n", "");
    bench.runs();
    let first = std::fs::read_link(bench.path("out/latest")).expect("a link");
    let again = bench.runs();
    assert!(again.err.starts_with("already computed"), "{}", again.err);
    bench.edit("AS day, amount FROM", "AS day,  amount FROM");
    bench.runs();
    let second = std::fs::read_link(bench.path("out/latest")).expect("a link");
    assert_ne!(first, second);
    bench.write("a.csv", "customer,day,amount\nann,2024-01-05,6.00\n");
    bench.runs();
    assert_ne!(second, std::fs::read_link(bench.path("out/latest")).expect("a link"));
    assert_eq!(customers(&bench), rows(&[("ann", 1, 600)]));
    let left: Vec<_> = std::fs::read_dir(bench.path("out/runs")).expect("runs").flatten().map(|e| e.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

/// Tables do not depend on threads, nor on a limit of memory.
#[test]
fn the_same_bytes_on_any_number_of_threads() {
    if !has_program() {
        return;
    }
    let mut text = String::from("customer,day,amount\n");
    for n in 0..200_000u32 {
        let key = n.wrapping_mul(2_654_435_761);
        text +=
            &format!("c{},2024-{:02}-{:02},{}.{:02}\n", key % 5_000, key / 7 % 12 + 1, key / 91 % 28 + 1, key % 90, key % 100);
    }
    let bench = over(text.as_bytes(), "");
    bench.edit(
        PLAIN,
        "SELECT customer, CAST(day AS DATE) AS day, SUM(CAST(amount AS DECIMAL(38, 2))) AS amount FROM a GROUP BY customer, day",
    );
    let mut hashes = Vec::new();
    for (output, more) in [("one", ["--threads", "1"]), ("three", ["--threads", "3"]), ("limited", ["--memory-limit", "600MiB"])]
    {
        let mut arguments = vec!["run", "job.toml", "--quiet", "--output", output];
        arguments.extend(more);
        bench.succeeds(&arguments);
        hashes.push(bench.table_hashes(output));
    }
    assert_eq!(hashes[0], hashes[1]);
    assert_eq!(hashes[0], hashes[2]);
}

/// Check and explain look at the result's columns without reading rows.
#[test]
fn check_and_explain_plan_the_query() {
    if !has_program() {
        return;
    }
    let bench = over(b"customer,day,amount\nann,2024-01-05,5.00\n", "");
    let checked = bench.succeeds(&["check", "job.toml"]);
    assert_eq!(checked.out, "job.toml: ok (a query over 1 file, 1 as-of date, last 2024-12-31)\n");
    let explained = bench.succeeds(&["explain", "job.toml"]).out;
    for part in ["source a\n  a.csv: 40 bytes", "orders.query\n", "CSV SCAN of \"a\"", "the result of orders.query"] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
    assert!(!bench.path("out").exists(), "nothing is written");
}

/// Assignments come from a query as well: the same tables as from the file that it reads.
#[test]
fn assignments_have_queries() {
    if !has_program() {
        return;
    }
    let bench = Bench::empty();
    bench.write("a.csv", "customer,day,amount\nann,2024-02-05,5.00\nbob,2024-02-06,7.00\ncem,2024-02-07,9.00\n");
    bench.write(
        "arms.csv",
        "customer_id,arm,assigned_on\nann,treatment,2024-02-01\nbob,control,2024-02-01\ncem,treatment,2024-02-01\n",
    );
    bench.write("crm.csv", "who;group;day\nann;mail;01.02.2024\nbob;none;01.02.2024\ncem;mail;01.02.2024\n");
    let sources = source("a", "a.csv", "") + &source("crm", "crm.csv", "separator = \";\"");
    bench.write("job.toml", job(&sources, PLAIN));
    let strategy = "[[strategy]]\nname = \"mail\"\ndesign = \"randomised\"\nassignments = \"arms.csv\"\ncontrol = \"control\"\nsplit = { control = 0.5, treatment = 0.5 }\nperiods = [{ from = 2024-02-01, to = 2024-02-29 }]";
    bench.append(strategy);
    bench.runs();
    let from_file = bench.table("arms.parquet");
    let sql = "SELECT who AS customer_id, CASE WHEN \\\"group\\\" = 'mail' THEN 'treatment' ELSE 'control' END AS arm, DATE(day, '%d.%m.%Y') AS assigned_on FROM crm";
    bench.edit("assignments = \"arms.csv\"", &format!("assignments = {{ query = \"{sql}\" }}"));
    bench.succeeds(&["check", "job.toml"]);
    bench.runs();
    assert_eq!(bench.table("arms.parquet"), from_file);
    assert!(!from_file.is_empty());
    let again = bench.runs();
    assert!(again.err.starts_with("already computed"), "{}", again.err);
}
