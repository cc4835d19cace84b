//! CSV files of every form. Rows are made by rules whose sums and texts are known without reading them.

use polars::prelude::*;
use rfmill_query_request::*;

use super::program::{Folder, done, failed, request, source};

/// Bytes of more than two parts.
const LONG: usize = 9 << 20;

fn csv(folder: &Folder, text: &str) -> Source {
    source("a", Format::Csv, &[folder.write("a.csv", text)])
}

fn texts(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    let column = frame.column(column).expect("a column").str().expect("text").clone();
    column.iter().map(|text| text.map(str::to_owned)).collect()
}

fn number(frame: &DataFrame, column: &str) -> i64 {
    frame.column(column).expect("a column").get(0).expect("a row").extract().expect("a number")
}

/// Text whose fields hold what looks like rows, so that most cuts at line breaks are within quotes: `n` counts from 1.
fn folded(rows: usize) -> String {
    let row = |n: usize| format!("{n},\"{}\",x\n", format!("{n},none,y\nz,\"\"w\"\",v\n").repeat(40));
    "n,text,end\n".to_owned() + &(1..=rows).map(row).collect::<String>()
}

/// Every row is read once, whatever the cuts.
#[test]
fn files_are_cut_where_records_end() {
    let folder = Folder::new("folded");
    let rows = 14_000;
    let text = folded(rows);
    assert!(text.len() > LONG, "{} bytes", text.len());
    let sql = "SELECT COUNT(*) AS rows, SUM(CAST(n AS BIGINT)) AS sum, SUM(CAST(_row AS BIGINT)) AS numbers, MIN(\"end\") AS low, MAX(\"end\") AS high, SUM(CAST(LENGTH(text) AS BIGINT)) AS length FROM a";
    let request = request(&folder, sql, vec![csv(&folder, &text)]);
    let (done, result) = done(&request);
    let sum = (rows * (rows + 1) / 2) as i64;
    // 40 times its row's number and 8 more letters, and a line of 8.
    let length: usize = (1..=rows).map(|n| 40 * (n.to_string().len() + 16)).sum();
    assert_eq!(done.source_rows, [[Some(rows as u64)]]);
    for (column, wanted) in [("rows", rows as i64), ("sum", sum), ("numbers", sum), ("length", length as i64)] {
        assert_eq!(number(&result, column), wanted, "{column}");
    }
    assert_eq!(texts(&result, "low"), [Some("x".into())]);
    assert_eq!(texts(&result, "high"), [Some("x".into())]);
}

/// A value that cannot be cast is named with its row, also where a cut within quotes would have shown others.
#[test]
fn values_are_those_of_rows() {
    let folder = Folder::new("bad-value");
    let text = folded(14_000) + "1x,t,x\n";
    let failure = failed(&request(&folder, "SELECT CAST(n AS BIGINT) AS n FROM a", vec![csv(&folder, &text)]));
    assert_eq!(failure.kind, FailureKind::Contract);
    assert!(failure.sentence.contains("a.csv, row 14001: column \"n\" holds \"1x\""), "{}", failure.sentence);
}

/// A fault is found in rows that the query leaves out, too.
#[test]
fn all_rows_are_looked_at() {
    let folder = Folder::new("rest");
    let text = "n,text\n".to_owned() + &"1,some text that makes the file long\n".repeat(LONG / 30);
    let line = text.lines().count() + 1;
    for (end, said) in [
        ("2\n", "1 field, where the first line has 2"),
        ("2,\"x\n", "a quote is not closed before the file ends"),
        ("2,5\" pipe\n", "there is a quote in the middle of a field"),
    ] {
        for sql in ["SELECT n FROM a ORDER BY _row LIMIT 1", "SELECT COUNT(*) AS n FROM a", "SELECT n FROM a WHERE n = '3'"] {
            let failure = failed(&request(&folder, sql, vec![csv(&folder, &format!("{text}{end}"))]));
            assert!(failure.sentence.contains(&format!("a.csv, line {line}: {said}")), "{sql}: {}", failure.sentence);
        }
    }
}

/// Byte order marks, lines that end in any way, blank ones, quotes around everything: the same rows.
#[test]
fn forms_of_a_file() {
    let folder = Folder::new("forms");
    for text in [
        "n,t\n1,x\n2,\"say \"\"y\"\"\"\n3,\n",
        "n,t\n1,x\n2,\"say \"\"y\"\"\"\n3,",
        "\u{feff}n,t\n1,x\n2,\"say \"\"y\"\"\"\n3,\n",
        "\u{feff}\"n\",\"t\"\n\"1\",\"x\"\n\"2\",\"say \"\"y\"\"\"\n\"3\",\"\"\n",
        "n,t\r\n1,x\r\n2,\"say \"\"y\"\"\"\r\n3,\r\n",
        "n,t\r1,x\r2,\"say \"\"y\"\"\"\r3,\r",
        "n,t\n\n1,x\n\n\n2,\"say \"\"y\"\"\"\n3,\n\n",
        "n,t\n1,x\n2,\"say \"\"y\"\"\"\n3,\r",
    ] {
        let (done, result) = done(&request(&folder, "SELECT t, n, _row FROM a ORDER BY _row", vec![csv(&folder, text)]));
        assert_eq!(texts(&result, "n"), ["1", "2", "3"].map(|n| Some(n.to_owned())), "{text:?}");
        assert_eq!(texts(&result, "t"), [Some("x".to_owned()), Some("say \"y\"".to_owned()), None], "{text:?}");
        assert_eq!(done.source_rows, [[Some(3)]], "{text:?}");
    }
}

/// Rows of several files are numbered one after the other; a source that is joined with itself is read for each.
#[test]
fn files_and_copies_of_a_source() {
    let folder = Folder::new("copies");
    let paths = [folder.write("a.csv", "n,t\n1,x\n2,y\n"), folder.write("b.csv", "n,t\n"), folder.write("c.csv", "t,n\nz,3\n")];
    let sql = "SELECT l.n, r.t, l._row FROM a AS l JOIN a AS r ON l.n = r.n ORDER BY l._row";
    let (done, result) = done(&request(&folder, sql, vec![source("a", Format::Csv, &paths)]));
    assert_eq!(texts(&result, "n"), ["1", "2", "3"].map(|n| Some(n.to_owned())));
    assert_eq!(texts(&result, "t"), ["x", "y", "z"].map(|n| Some(n.to_owned())));
    let rows: Vec<u32> = result.column("_row").expect("numbers").u32().expect("numbers").iter().flatten().collect();
    assert_eq!(rows, [1, 2, 3]);
    assert_eq!(done.source_rows, [[Some(2), Some(0), Some(1)]]);
}
