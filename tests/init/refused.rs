//! Files that `init` cannot make a job of: the exit code, the sentence that says what would be needed, and nothing half-written.

use std::fs;
use std::path::Path;

use crate::fixture::{Bench, assert_message, dates, decimals, ints, parquet_bytes, texts};

/// Everything below a folder, with the bytes.
fn all(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push((path.display().to_string(), fs::read(&path).unwrap())) }
        }
    }
    found.sort();
    found
}

#[track_caller]
fn refuses(bench: &Bench, args: &[&str], code: i32, message: &str) {
    let before = all(&bench.path(""));
    let ran = bench.rfmill(&[&["init"], args].concat());
    assert_message(&ran, code, message);
    assert_eq!(ran.out, "");
    assert_eq!(all(&bench.path("")), before, "a refused command changed files");
}

const ORDERS: &str = "customer_id,order_date,amount\n1,2024-01-05,5.00\n2,2024-02-05,7.50\n1,2024-03-31,1.00\n";

fn with(name: &str, content: impl AsRef<[u8]>) -> Bench {
    let bench = Bench::empty();
    bench.write(name, content);
    bench
}

#[test]
fn what_is_no_table_is_said() {
    refuses(&Bench::empty(), &["nowhere.csv"], 4, "error: there is no file or folder nowhere.csv; check FILE.");
    refuses(&Bench::empty(), &["*.csv"], 4, "error: no file matches *.csv; check FILE.");
    let cases: [(&str, &[u8], i32, &str); 12] = [
        ("a.csv", b"", 4, "error: a.csv is empty (0 bytes); write it again or leave it out."),
        (
            "a.xlsx",
            b"PK\x03\x04...xl/workbook",
            4,
            "error: a.xlsx begins like an Excel workbook; expected orders in Parquet, CSV or NDJSON, …read_xlsx('a.xlsx')…",
        ),
        ("a.csv.gz", b"\x1f\x8b\x08\x00", 4, "error: a.csv.gz begins like a gzip file; expected orders …"),
        ("a.json", b"[{\"a\": 1}]", 4, "error: a.json begins like JSON; expected orders …read_json('a.json')…"),
        (
            "a.json",
            b"{\"a\": 1}\n{\"a\": 2}\n",
            4,
            "error: a.json holds a JSON object a line, which a job reads from files that end in .ndjson; rename it.",
        ),
        ("a.csv", b"<html><table></table></html>", 4, "error: a.csv begins like HTML or XML; expected orders …"),
        ("a.csv", b"\x00\x01\x02\x03", 4, "error: a.csv begins like something else; expected orders …"),
        ("a.csv", b"customer\n1\n2\n", 3, "error: a.csv has one column alone, \"customer\"; expected fields between commas, …"),
        (
            "a.csv",
            b"1,2024-01-05,5.00\n2,2024-01-06,7.00\n",
            3,
            "error: a.csv, line 1: there are values where the names of the columns are expected; put a line of names before them.",
        ),
        (
            "a.csv",
            b"id,total,id\n1,2,3\n",
            3,
            "error: a.csv, line 1: two columns are named \"id\"; rename one, because a job names columns.",
        ),
        ("a.csv", b"id,,total\n1,2,3\n", 3, "error: a.csv, line 1: column 2 has no name; name it, because a job names columns."),
        (
            "a.ndjson",
            b"{\"a\": 1}\n[1]\n",
            3,
            "error: a.ndjson, line 2: expected a JSON object on a line of its own (it is another value); …",
        ),
    ];
    for (name, content, code, message) in cases {
        refuses(&with(name, content), &[name], code, message);
    }
}

#[test]
fn rows_that_break_the_form_of_a_file_have_their_line() {
    let bench = with("a.csv", ORDERS.replace("2,2024-02-05,7.50", "2,2024-02-05,7.50,9"));
    refuses(
        &bench,
        &["a.csv"],
        3,
        "error: a.csv, line 3: 4 fields, where the first line has 3; put fields with separators into double quotes, or correct the line.",
    );
    let bench = with("a.csv", "customer_id,order_date,amount\n");
    refuses(&bench, &["a.csv"], 3, "error: a.csv has no row; name files with orders.");
    let cut = parquet_bytes(&[("customer_id", ints([1, 2]))]);
    refuses(&with("a.parquet", &cut[..cut.len() - 9]), &["a.parquet"], 4, "error: a.parquet is …");
}

#[test]
fn a_table_without_a_role_says_which_and_what_is_needed() {
    for (header, what) in [
        (
            "customer_id,note,amount",
            "no column looks like the date of an order (its columns are customer_id, note, amount); a job needs one with dates, …",
        ),
        (
            "shoe_size,order_date,amount",
            "no column looks like a customer (its columns are shoe_size, order_date, amount); a job needs one with a value per customer, …",
        ),
        (
            "customer_id,order_date,height",
            "no column looks like an amount (its columns are customer_id, order_date, height); a job needs one with the money of each order or line, …",
        ),
    ] {
        let text = ORDERS.replace("customer_id,order_date,amount", header);
        let text = if header.contains("note") { text.replace("2024-", "n") } else { text };
        refuses(&with("a.csv", text), &["a.csv"], 3, &format!("error: a.csv: {what}"));
    }
    let columns = [("customer_id", ints([1, 2])), ("amount", decimals(2, [100, 200]))];
    refuses(
        &with("a.parquet", parquet_bytes(&columns)),
        &["a.parquet"],
        3,
        "error: a.parquet: no column looks like the date of an order …",
    );
}

/// 03/04/2024 is the third of April or the fourth of March, and a guess would move every order.
#[test]
fn dates_of_which_the_order_cannot_be_told_are_asked_about() {
    let text = "customer_id,order_date,amount\n1,03/04/2024,5.00\n2,05/06/2024,7.50\n1,07/08/2024,1.00\n";
    let bench = with("a.csv", text);
    refuses(
        &bench,
        &["a.csv", "--yes"],
        3,
        "error: the dates of column \"order_date\" may have their day, month and year in several orders: 03/04/2024 is 2024-04-03 or 2024-03-04, and no row tells; say which with --day-first or --month-first.",
    );
    for (flag, form, last) in [("--day-first", "%d/%m/%Y", "2024-07-31"), ("--month-first", "%m/%d/%Y", "2024-06-30")] {
        let output = format!("{}.toml", &flag[2..]);
        bench.succeeds(&["init", "a.csv", flag, "-o", &output]);
        let job = String::from_utf8(bench.read(&output)).unwrap();
        assert!(job.contains(&format!("DATE(\"order_date\", '{form}')")), "{job}");
        assert!(job.contains(&format!("as_of = [{last}]")), "{job}");
    }
    // One row that tells is enough, wherever it stands.
    let mut long = String::from("customer_id,order_date,amount\n");
    (0..30_000).for_each(|row| long += &format!("{},0{}/0{}/2024,5.00\n", row % 700, row % 9 + 1, row % 7 + 1));
    bench.write("b.csv", long + "1,07/31/2024,1.00\n");
    bench.succeeds(&["init", "b.csv"]);
    assert!(String::from_utf8(bench.read("job.toml")).unwrap().contains("'%m/%d/%Y'"));
}

#[test]
fn a_job_file_that_is_there_stays() {
    let bench = with("a.csv", ORDERS);
    bench.write("job.toml", "mine");
    refuses(
        &bench,
        &["a.csv"],
        6,
        "error: job.toml is there already, and stays as it is; name another file with --output, or move it away.",
    );
    refuses(&bench, &["a.csv", "--yes"], 6, "error: job.toml is there already, …");
    bench.succeeds(&["init", "a.csv", "--output", "jobs/new.toml"]);
    assert_eq!(bench.read("job.toml"), b"mine");
    assert!(String::from_utf8(bench.read("jobs/new.toml")).unwrap().contains("a.csv"));
}

#[test]
fn files_that_are_unlike_are_refused() {
    let bench = with("data/orders.csv", ORDERS);
    bench.write("data/people.csv", "id,first,last,born\n1,Ann,A,1990-01-01\n");
    refuses(
        &bench,
        &["data"],
        3,
        "error: data/orders.csv and data/people.csv are unlike: the one has columns such as amount, customer_id, order_date, the other born, first, id, last; name the files that hold the orders.",
    );
    bench.succeeds(&["init", "data/orders.csv"]);
    let bench = with("data/orders.csv", ORDERS);
    bench.write("data/old.csv", ORDERS.replace(',', ";"));
    refuses(
        &bench,
        &["data"],
        3,
        "error: data/orders.csv is written in another way than data/old.csv (separator or encoding); …",
    );
    let columns =
        [("customer_id", ints([1, 2])), ("order_date", dates(["2024-01-05", "2024-01-06"])), ("amount", decimals(2, [100, 200]))];
    bench.write("data/a.parquet", parquet_bytes(&columns));
    refuses(
        &bench,
        &["data"],
        3,
        "error: the folder data holds files of several formats (1 Parquet, 2 CSV); name those that hold the orders, such as data/*.csv.",
    );
    refuses(
        &bench,
        &["data/a.parquet", "data/orders.csv"],
        3,
        "error: data/orders.csv is CSV, and data/a.parquet is Parquet; a job reads orders of one format: name the files of one.",
    );
    let bench = with("data/a.parquet", parquet_bytes(&columns));
    bench.write("data/b.parquet", parquet_bytes(&[("sku", texts(["a"])), ("name", texts(["b"])), ("price", ints([1]))]));
    refuses(&bench, &["data"], 3, "error: data/a.parquet and data/b.parquet are unlike: …");
    let bench = with("data/readme.md", "# nothing");
    refuses(&bench, &["data"], 4, "error: the folder data holds no file of orders; expected files that end in .parquet, …");
}

#[test]
fn tables_whose_log_is_not_read_are_refused() {
    let columns =
        [("customer_id", ints([1, 2])), ("order_date", dates(["2024-01-05", "2024-01-06"])), ("amount", decimals(2, [100, 200]))];
    let bench = with("lake/a.parquet", parquet_bytes(&columns));
    bench.write("lake/.hoodie/hoodie.properties", "");
    refuses(&bench, &["lake"], 4, "error: …lies in the Hudi table …");
    let bench = with("lake/a.parquet", parquet_bytes(&columns));
    bench.write("lake/_delta_log/00000000000000000000.json", "");
    refuses(&bench, &["lake/a.parquet"], 4, "error: lake/a.parquet lies in the Delta table …; name the folder of the table.");
    refuses(&bench, &["lake", "lake"], 2, "error: lake is a table of its own, and a job reads one; name it alone.");
}
