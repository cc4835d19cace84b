//! Queries that cannot be, and sources that are not what they should be: the exit code, the sentence, nothing half-written.

use super::{has_program, job, source};
use crate::fixture::Bench;

const GOOD: &[u8] = b"customer,day,amount\nann,2024-01-05,5.00\nbob,2024-01-06,7.00\n";

fn bench(bytes: &[u8], query: &str) -> Bench {
    let bench = Bench::empty();
    bench.write("a.csv", GOOD);
    bench.write("job.toml", job(&source("a", "a.csv", ""), "SELECT customer, CAST(day AS DATE) AS day, amount FROM a"));
    bench.succeeds(&["run", "job.toml", "--quiet"]);
    bench.write("a.csv", bytes);
    bench.write("job.toml", job(&source("a", "a.csv", ""), query));
    bench
}

#[test]
fn sql_that_cannot_be() {
    if !has_program() {
        return;
    }
    for (sql, said) in [
        ("SELEC x FROM a", "orders.query is no SQL: Expected: an SQL statement, found: SELEC, at line 1, column 1"),
        ("DELETE FROM a", "orders.query is no SELECT; a query only reads, so begin it with SELECT or WITH"),
        (
            "SELECT * FROM b",
            "orders.query, line 1, column 15 of the SQL: there is no source \"b\"; name one of a, or add a [[source]]",
        ),
        (
            "SELECT * FROM read_csv('/etc/passwd')",
            "orders.query…: read_csv(…) is a table function; give the file a [[source]] and name that",
        ),
        ("SELECT * FROM '/etc/passwd'", "orders.query…: there is no source \"/etc/passwd\"; name one of a, or add a [[source]]"),
        (
            "SELECT customer, CURRENT_DATE AS day, amount FROM a",
            "orders.query, line 1, column 18 of the SQL: current_date() gives another value each time; write the date or number itself",
        ),
        (
            "SELECT * FROM a LIMIT 1",
            "orders.query…: LIMIT without a total order takes whichever rows come first; end its ORDER BY with _row, the number of the row in its source, so that no two rows are alike",
        ),
        (
            "SELECT customer, day, SUM(CAST(amount AS DOUBLE)) AS amount FROM a GROUP BY customer, day",
            "orders.query sums floats, whose last digits depend on the order of the rows; cast them to DECIMAL before SUM",
        ),
        (
            "SELECT customer, day, SUM(CAST(amount AS REAL)) AS amount FROM a GROUP BY customer, day",
            "orders.query sums floats, whose last digits depend on the order of the rows; cast them to DECIMAL before SUM",
        ),
        (
            "SELECT customer, day, CAST(amount AS DECIMAL(9, 2)) * CAST(amount AS DECIMAL(9, 2)) AS amount FROM a",
            "orders.query multiplies decimals, of which the engine keeps no more digits than the longer factor has; cast one of them to an integer, or give both as a list to orders.amount, which multiplies exactly",
        ),
        ("SELECT customer, day, foo(amount) AS amount FROM a", "orders.query cannot be run: unsupported function 'foo'"),
        (
            "SELECT customer, dya AS day, amount FROM a",
            "orders.query: unable to find column \"dya\"; valid columns: [\"customer\", \"day\", \"amount\"]; upper and lower case count",
        ),
    ] {
        bench(GOOD, sql).refuses(2, &format!("error: job.toml, line 8, column 9: {said}."));
    }
}

#[test]
fn results_without_the_jobs_columns() {
    if !has_program() {
        return;
    }
    bench(GOOD, "SELECT customer, day FROM a").refuses(3, "error: job.toml, line 8, column 9: orders.query gives no column \"amount\" (orders.amount); it gives customer, day. Name it in the SELECT, with AS where it has another name.");
    // A column that is there, of a type that does not serve.
    bench(GOOD, "SELECT customer, day, amount FROM a").refuses(3, "error: the result of orders.query: column \"day\"…");
}

#[test]
fn values_that_cannot_be_read() {
    if !has_program() {
        return;
    }
    let bad = b"customer,day,amount\nann,2024-01-05,5.00\nbob,2024-13-06,x\n";
    bench(bad, "SELECT customer, CAST(day AS DATE) AS day, 1 AS amount FROM a").refuses(3, "error: job.toml, line 8, column 9: orders.query: a.csv, row 2: column \"day\" holds \"2024-13-06\", which cannot be cast to date; correct the data, or use TRY_CAST, which gives null.");
    bench(bad, "SELECT customer, DATE(day, '%Y-%m-%d') AS day, 1 AS amount FROM a").refuses(3, "error: job.toml, line 8, column 9: orders.query: a.csv, row 2: column \"day\" holds \"2024-13-06\", which cannot be cast to date; correct the data, or use TRY_CAST, which gives null.");
    bench(bad, "SELECT customer, DATE('2024-01-01', '%Y-%m-%d') AS day, amount FROM a").refuses(3, "error: job.toml, line 8, column 9: orders.query: a.csv, row 2: column \"amount\" holds \"x\", which is no decimal number; cast or correct it in the query, or name it in the numbers of its source.");
    let long = b"customer,day,amount\nann,2024-01-05,5.00\nbob,2024-01-06,0.0000001\n";
    bench(long, "SELECT customer, CAST(day AS DATE) AS day, amount FROM a").refuses(3, "error: job.toml, line 8, column 9: orders.query: a.csv, row 2: column \"amount\" holds \"0.0000001\", which has more digits behind the point than money can; raise orders.amount_scale, or round in the query.");
    // What money holds and the job's scale does not is the job's to refuse.
    let longer = b"customer,day,amount\nann,2024-01-05,5.001\n";
    bench(longer, "SELECT customer, CAST(day AS DATE) AS day, amount FROM a").refuses(3, "error: the result of orders.query…");
    // TRY_CAST gives null, which the ledger counts.
    bench(bad, "SELECT customer, TRY_CAST(day AS DATE) AS day, TRY_CAST(amount AS DECIMAL(38, 6)) AS amount FROM a").refuses(3, "error: 1 of 2 rows (50.0000 %) are rejected, most of them rejected:null_date (1 in the result of orders.query, column \"day\"); orders.max_rejected allows 0 %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected.");
}

#[test]
fn files_that_break_their_form() {
    if !has_program() {
        return;
    }
    let sql = "SELECT customer, CAST(day AS DATE) AS day, amount FROM a";
    for (bytes, code, said) in [
        (
            &b"customer,day,amount\nann,2024-01-05,5.00\nbob,2024-01-06\n"[..],
            3,
            "a.csv, line 3: 2 fields, where the first line has 3; put fields with separators into double quotes, or correct the line",
        ),
        (
            b"customer,day,amount\nann,2024-01-05,5.00,\n",
            3,
            "a.csv, line 2: 4 fields, where the first line has 3; put fields with separators into double quotes, or correct the line",
        ),
        (
            b"customer,day,amount\n\"ann,2024-01-05,5.00\nbob,2024-01-06,1.00\n",
            3,
            "a.csv, line 2: a quote is not closed before the file ends; close it, or write the file again if its end is missing",
        ),
        (
            b"customer,day,amount\na\"n,2024-01-05,5.00\n",
            3,
            "a.csv, line 2: there is a quote in the middle of a field; put the field into quotes, and write the quote within twice",
        ),
        (b"customer,day,amount,day\nann,2024-01-05,5.00,\n", 3, "a.csv, line 1: two columns are named \"day\"; rename one"),
        (b"customer,,amount\nann,2024-01-05,5.00\n", 3, "a.csv, line 1: column 2 has no name; name it, or set header = false"),
        (
            b"customer,day,amount\nann,2024-01-05,5.00\nZo\xeb,2024-01-06,1.00\n",
            4,
            "a.csv, line 3: byte 3 is 0xEB, which is not UTF-8; give the source the encoding it was written in, such as \"windows-1252\" or \"gb18030\"",
        ),
        (
            b"c\0u\0,\0d\0\n\0",
            4,
            "a.csv, line 1: there is a byte 0, which text has in UTF-16; give the source encoding = \"utf-16\"",
        ),
        (
            b"\x1f\x8b\x08\0\0\0\0\0",
            4,
            "a.csv is no CSV: it begins like a gzip file; unpack or export it as CSV, or give the source its format",
        ),
    ] {
        bench(bytes, sql).refuses(code, &format!("error: {said}."));
    }
    let wrong = bench(b"customer,day,amount\nann,2024-01-05,5.00\n\xff\xff,2024-01-06,1.00\n", sql);
    wrong.edit("path = \"a.csv\"", "path = \"a.csv\"\nencoding = \"gb18030\"");
    wrong.refuses(4, "error: a.csv, line 3: this is not GB18030; give the source the encoding it was written in.");
}

#[test]
fn numbers_that_are_none() {
    if !has_program() {
        return;
    }
    let bench = bench(
        b"customer,day,amount\nann,2024-01-05,\"1.234,50\"\nbob,2024-01-06,1.23\n",
        "SELECT customer, CAST(day AS DATE) AS day, amount FROM a",
    );
    bench.edit("path = \"a.csv\"", "path = \"a.csv\"\ndecimal_comma = true\nnumbers = [\"amount\"]");
    bench.refuses(3, "error: job.toml, line …, column 9: orders.query: a.csv, row 2: column \"amount\" holds \"1.23\", which is no number such as 1.234,50.");
    bench.edit("numbers = [\"amount\"]", "numbers = [\"money\"]");
    bench.refuses(2, "error: source \"a\" has no column \"money\", which its numbers name; it has customer, day, amount.");
}

/// The money of an order on each of its lines, which adds up: the whole order's, or one line's by chance.
#[test]
fn money_that_repeats_is_told() {
    if !has_program() {
        return;
    }
    let bench = Bench::empty();
    bench.write("orders.csv", "id,customer,day,total\n1,ann,2024-01-05,90.00\n2,bob,2024-01-06,90.00\n3,bob,2024-01-07,15.00\n");
    bench.write("lines.csv", "order_id,item\n1,a\n1,b\n2,a\n2,b\n2,c\n3,a\n");
    let sources = source("orders", "orders.csv", "") + &source("lines", "lines.csv", "");
    let sql = "SELECT o.customer, CAST(o.day AS DATE) AS day, o.total AS amount, l.order_id FROM lines l JOIN orders o ON l.order_id = o.id";
    bench.write("job.toml", job(&sources, sql));
    bench.edit("amount = \"amount\"\n", "amount = \"amount\"\norder_id = \"order_id\"\n");
    let ran = bench.runs();
    assert!(ran.err.contains("warning: orders.query joins tables, and 2 of the 2 orders of several rows carry the same \"amount\" on each of their 5 rows, which add up;"), "{}", ran.err);
    assert_eq!(super::customers(&bench), super::rows(&[("ann", 1, 18_000), ("bob", 2, 28_500)]));
    bench.edit(
        "FROM lines l JOIN orders o ON l.order_id = o.id",
        "FROM orders o JOIN (SELECT DISTINCT order_id FROM lines) l ON l.order_id = o.id",
    );
    let ran = bench.runs();
    assert!(!ran.err.contains("the same"), "{}", ran.err);
    assert_eq!(super::customers(&bench), super::rows(&[("ann", 1, 9_000), ("bob", 2, 10_500)]));
}

/// A limit that a query does not fit into is named: a sort holds all rows.
#[test]
fn too_little_memory() {
    if !has_program() {
        return;
    }
    let mut rows = String::from("customer,day,amount\n");
    (0..400_000i64).for_each(|row| rows.push_str(&format!("customer {},2024-05-06,{}.00\n", row * 7_919 % 400_000, row % 100)));
    let bench = bench(rows.as_bytes(), "SELECT customer, CAST(day AS DATE) AS day, amount FROM a ORDER BY customer, amount, day");
    bench.refuses_command(&["run", "job.toml", "--quiet", "--memory-limit", "32MiB"], 7, "error: …orders.query took … MiB of memory, above the … MiB that --memory-limit leaves it; give a higher limit or fewer --threads, or a query that holds less at once (GROUP BY holds its groups, a join the smaller of its tables, OVER and ORDER BY all rows).");
}

/// A signal ends the query with the run, and nothing of it is left.
#[test]
#[cfg(target_os = "linux")]
fn a_signal_ends_the_query() {
    use std::os::unix::process::ExitStatusExt;
    use std::time::{Duration, Instant};
    if !has_program() {
        return;
    }
    let rows: String = (0..3_000).map(|n| format!("c{n},2024-01-05,1\n")).collect();
    let bench = Bench::empty();
    bench.write("a.csv", format!("customer,day,amount\n{rows}"));
    let sources: String = ["a", "b", "c"].map(|name| source(name, "a.csv", "")).concat();
    let sql =
        "SELECT a.customer, CAST(a.day AS DATE) AS day, a.amount FROM a, b, c WHERE a.customer || b.customer || c.customer = 'x'";
    bench.write("job.toml", job(&sources, sql));
    let mut run =
        bench.command(&["run", "job.toml", "--quiet"]).stderr(std::process::Stdio::null()).spawn().expect("the program");
    let children = |parent: u32| -> Vec<u32> {
        let stat = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent_of = |pid: u32| stat(pid).rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok();
        let pids = std::fs::read_dir("/proc").expect("processes").flatten();
        pids.filter_map(|e| e.file_name().to_string_lossy().parse().ok()).filter(|pid| parent_of(*pid) == Some(parent)).collect()
    };
    // The first child plans the query and ends; the second one runs it.
    let began = Instant::now();
    let busy = || {
        children(run.id()).into_iter().find(|pid| {
            let time = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let ticks = time.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(11)?.parse::<u64>().ok());
            ticks.is_some_and(|ticks| ticks > 100)
        })
    };
    let child = loop {
        assert!(began.elapsed() < Duration::from_secs(120), "no query runs");
        if let Some(child) = busy() {
            break child;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let kill = std::process::Command::new("kill").args(["-TERM", &run.id().to_string()]).status().expect("kill");
    assert!(kill.success());
    assert_eq!(run.wait().expect("the end").signal(), Some(15));
    let began = Instant::now();
    while std::path::Path::new(&format!("/proc/{child}")).exists() {
        assert!(began.elapsed() < Duration::from_secs(10), "the query outlives the run");
        std::thread::sleep(Duration::from_millis(20));
    }
    let left: Vec<_> = std::fs::read_dir(bench.path("out/runs")).expect("runs").flatten().map(|e| e.file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}
