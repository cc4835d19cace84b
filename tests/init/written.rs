//! What stands in the job files that `init` writes, and that they run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::shapes::shapes;
use super::{init, job};
use crate::fixture::{Bench, PROGRAM, dates, decimals, floats, ints, parquet_bytes, texts};
use crate::support::run::{Cell, read_folder};

/// Whether queries can be run here.
fn has_query() -> bool {
    let is_there = Path::new(PROGRAM).with_file_name("rfmill-query").exists();
    if !is_there {
        eprintln!("skipped: there is no rfmill-query beside {PROGRAM}; cargo build -p rfmill-query builds it");
    }
    is_there
}

/// A file or folder beside this checkout, if it is there.
fn shared(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let path = std::env::var_os("RFMILL_SHARED").map_or_else(beside, PathBuf::from).join(name);
    if !path.exists() {
        // Past the test harness, which shows nothing of tests that pass.
        use std::io::Write;
        let line = format!("SKIPPED: {} is not there; set RFMILL_SHARED to the folder that holds it\n", path.display());
        std::io::stderr().write_all(line.as_bytes()).expect("stderr");
    }
    path.exists().then_some(path)
}

/// Customers of the last run with their orders and money in minor units.
fn customers(bench: &Bench) -> BTreeMap<String, (i128, i128)> {
    let table = read_folder(&bench.path("out/latest/customers"));
    let at = |name: &str| table.column(name);
    let (id, frequency, monetary) = (at("customer_id"), at("frequency"), at("monetary"));
    table.rows.iter().map(|row: &Vec<Cell>| (row[id].key(), (row[frequency].int(), row[monetary].minor()))).collect()
}

/// Whether a file is refused; the count of roles has that.
fn is_refused(bench: &Bench, file: &str) -> bool {
    bench.rfmill(&["init", file, "--output", "tried.toml"]).code != 0
}

/// The files that `init` writes for all shapes run as they are: those of Parquet here, the others where queries can be run.
#[test]
fn job_files_of_all_shapes_run() {
    let has_query = has_query();
    for shape in shapes() {
        let bench = Bench::empty();
        let file = shape.write(&bench);
        if is_refused(&bench, file) && shape.holdout {
            continue;
        }
        let told = init(&bench, &[file]);
        let is_queried = told.document["query"] == true;
        assert!(is_queried || shape.format == "parquet", "{}", shape.name);
        if is_queried && !has_query {
            continue;
        }
        let ran = bench.rfmill(&["run", "job.toml", "--quiet"]);
        assert_eq!(ran.code, 0, "{}: {}\n{}", shape.name, ran.err, job(&bench));
        bench.verifies();
    }
}

#[test]
fn the_orders_of_the_quickstart_get_the_job_of_the_quickstart() {
    let bench = Bench::empty();
    bench.succeeds(&["sample", "orders", "--orders", "20000"]);
    let told = init(&bench, &["orders"]);
    let roles: Vec<(&str, &str)> = told.roles.iter().map(|(role, column)| (role.as_str(), column.as_str())).collect();
    for role in [
        ("customer", "customer_id"),
        ("date", "ordered_at"),
        ("amount", "amount"),
        ("order", "order_id"),
        ("status", "status"),
        ("currency", "currency"),
    ] {
        assert!(roles.contains(&role), "{role:?} is not among {roles:?}");
    }
    assert_eq!(told.document["query"], false);
    assert_eq!(told.document["as_of"], "2024-12-31");
    let job = job(&bench);
    assert!(job.contains("not_in = [\"cancelled\"]"), "{job}");
    bench.runs();
}

/// Numbers in comments are those that a plain count gives.
#[test]
fn comments_count_right() {
    let bench = Bench::empty();
    // Ten customers who come every 20 days, five times; every fifth row has no customer, and the currency is one.
    let mut rows: Vec<(Option<i64>, String, i128)> = Vec::new();
    for customer in 0..40i64 {
        for visit in 0..5 {
            let day = jiff::civil::Date::constant(2024, 1, 1).saturating_add(jiff::ToSpan::days(customer % 10 + visit * 20));
            rows.push(((visit < 4).then_some(customer + 1), day.to_string(), 1_000 + i128::from(visit)));
        }
    }
    bench.parquet(
        "orders.parquet",
        &[
            ("customer_id", ints(rows.iter().map(|row| row.0))),
            ("order_date", dates(rows.iter().map(|row| row.1.as_str()))),
            ("amount", decimals(2, rows.iter().map(|row| row.2))),
            ("currency", texts(rows.iter().map(|_| "EUR"))),
        ],
    );
    init(&bench, &["orders.parquet"]);
    let job = job(&bench);
    let flat = job.replace("\n# ", " ");
    for said in [
        "Seen: 200 rows of 1 Parquet file, 40 customers, orders from 2024-01-01 to 2024-03-30.",
        "\"customer_id\": empty in 20 % of the rows, 40 different values.",
        "Without a customer: 40 rows, which the ledger has as no_customer",
        "\"amount\": from 10 to 10.04.",
        "\"currency\": always there, 1 different value, such as \"EUR\".",
        "100 % of the customers bought on two days or more, 100 % on three or more; half of the gaps between purchases last up to 20 days, and 80 % up to 20 days.",
        "the orders go to 2024-03-30, which may not be over yet; this is the day before",
        "lifecycle = \"cadence\"",
        "currency_label = \"EUR\"",
    ] {
        assert!(flat.contains(said), "{said:?} is not in {job}");
    }
    bench.runs();
}

/// No value of a column of people stands in the job file.
#[test]
fn nobody_stands_in_the_comments() {
    for shape in shapes() {
        let bench = Bench::empty();
        let file = shape.write(&bench);
        if is_refused(&bench, file) && shape.holdout {
            continue;
        }
        init(&bench, &[file]);
        let job = job(&bench);
        for part in ["@example.org", "Person Number", "1390000", "192.0.2.", "Street "] {
            assert!(!job.contains(part), "{}: {part:?} stands in {job}", shape.name);
        }
    }
}

#[test]
fn two_columns_that_would_do_are_a_question_beside_the_key() {
    let bench = Bench::empty();
    bench
        .write("a.csv", "client_id,member_id,order_date,amount\n1,7,2024-01-05,5.00\n2,8,2024-02-05,7.50\n1,9,2024-03-31,1.00\n");
    let told = init(&bench, &["a.csv"]);
    assert!(told.questions.iter().any(|question| question.contains("Which column is the customer?")), "{:?}", told.questions);
    let job = job(&bench);
    assert!(
        job.contains("# ? Which column is the customer? Guess: \"client_id\"; or: \"member_id\".\ncustomer_id = \"client_id\""),
        "{job}"
    );
}

#[test]
fn the_as_of_date_is_said_and_can_be_given() {
    let bench = Bench::new();
    init(&bench, &["orders/a.parquet", "--output", "a.toml", "--as-of", "2024-11-30"]);
    let job = String::from_utf8(bench.read("a.toml")).unwrap();
    assert!(job.contains("as --as-of asks") && job.contains("as_of = [2024-11-30]"), "{job}");
    let ran = bench.rfmill(&["init", "orders/a.parquet", "--as-of", "2024-11-31"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}

/// Numbers that pandas stored as floats, because some were missing, are ids again.
#[test]
fn ids_that_are_floats_are_integers_again() {
    let bench = Bench::empty();
    let columns = [
        ("CustomerID", floats([Some(12346.0), None, Some(12346.0), Some(17850.0)])),
        ("InvoiceDate", dates(["2024-01-05", "2024-01-06", "2024-02-07", "2024-02-29"])),
        ("Amount", floats([1.5, 2.5, 3.5, 4.0])),
    ];
    bench.write("orders.parquet", parquet_bytes(&columns));
    let told = init(&bench, &["orders.parquet"]);
    assert_eq!(told.document["query"], true);
    assert!(job(&bench).contains("CAST(\"CustomerID\" AS BIGINT) AS \"CustomerID\""), "{}", job(&bench));
    if has_query() {
        bench.runs();
        let expected = [("12346".to_owned(), (2, 500)), ("17850".to_owned(), (1, 400))];
        assert_eq!(customers(&bench), BTreeMap::from(expected));
    }
}

/// Money with more digits than cents is not rounded row by row; numbers that were computed are.
#[test]
fn money_keeps_its_digits() {
    let bench = Bench::empty();
    let days = || dates(["2024-01-05", "2024-01-06", "2024-02-07", "2024-02-29"]);
    let ids = || ints([1, 2, 1, 2]);
    let scale = |amounts: [f64; 4]| {
        bench.write(
            "orders.parquet",
            parquet_bytes(&[("household_id", ids()), ("sold_at", days()), ("sales_value", floats(amounts))]),
        );
        let _ = std::fs::remove_file(bench.path("job.toml"));
        let told = init(&bench, &["orders.parquet"]);
        assert_eq!(told.roles["amount"], "sales_value");
        bench.runs();
        job(&bench).lines().find_map(|line| line.strip_prefix("amount_scale = ")).map(str::to_owned)
    };
    assert_eq!(scale([1.5, 2.25, 3.0, 4.0]), None);
    assert_eq!(scale([1.5, 15.552, 3.0, 41.9136]), Some("4".into()));
    assert_eq!(scale([0.1 + 0.2, 2.25, 3.0, 4.0]), None);

    bench.write("orders.csv", "customer_id,order_date,total\n1,2024-01-05,15.552\n2,2024-01-06,3.00\n1,2024-02-07,41.9136\n");
    let _ = std::fs::remove_file(bench.path("job.toml"));
    init(&bench, &["orders.csv"]);
    assert!(job(&bench).contains("\namount_scale = 4\n"), "{}", job(&bench));
    if has_query() {
        bench.runs();
    }
}

#[test]
fn a_number_that_shops_share_needs_the_shop() {
    let bench = Bench::empty();
    let mut text = String::from("receipt_no,store_id,sale_date,loyalty_card,line_amount\n");
    for receipt in 0..60 {
        for store in ["A", "B"] {
            for line in 0..2 {
                text += &format!(
                    "R{receipt:03},{store},2024-0{}-1{line},L{store}{},{}.00\n",
                    receipt % 3 + 1,
                    receipt % 20,
                    line + 1
                );
            }
        }
    }
    bench.write("a.csv", text.replace("-11,", "-10,"));
    let told = init(&bench, &["a.csv"]);
    assert_eq!(told.roles["order"], "receipt_no + store_id");
    assert!(job(&bench).contains("order_id = [\"receipt_no\", \"store_id\"]"), "{}", job(&bench));
}

/// Offsets in texts tell the zone: Berlin's clock changes on the last Sunday of March.
#[test]
fn offsets_tell_the_zone() {
    let bench = Bench::empty();
    bench.write(
        "a.csv",
        "customer_id,created_at,total\n1,2024-03-30 10:00:00 +0100,5.00\n2,2024-03-31 10:00:00 +0200,5.00\n1,2024-07-31 23:30:00 +0200,5.00\n",
    );
    init(&bench, &["a.csv"]);
    let job = job(&bench);
    assert!(job.contains("timezone = \"Europe/Berlin\"") && job.contains("'%Y-%m-%d %H:%M:%S %z'"), "{job}");
    assert!(job.contains("as_of = [2024-07-31]"), "{job}");
}

/// Guests, returns by a column, cents, and several currencies.
#[test]
fn what_needs_a_key_of_its_own_gets_one() {
    let bench = Bench::empty();
    let mut text = String::from("customer_id,order_id,order_date,amount_cents,currency,type\n");
    for order in 0..200 {
        let customer = if order % 10 == 0 { 0 } else { order % 37 + 1 };
        let kind = if order % 20 == 5 { "credit memo" } else { "invoice" };
        let currency = if order % 50 == 3 { "USD" } else { "EUR" };
        text += &format!("{customer},{order},2024-0{}-15,{},{currency},{kind}\n", order % 6 + 1, 1_999 + order);
    }
    bench.write("a.csv", text);
    init(&bench, &["a.csv"]);
    let job = job(&bench);
    for part in [
        "guests = [\"0\"]",
        "amount_unit = \"minor\"",
        "[orders.returns]",
        "in = [\"credit memo\"]\nnegate = true",
        "column = \"currency\"\nin = [\"EUR\"]",
    ] {
        assert!(job.contains(part), "{part:?} is not in {job}");
    }
    if has_query() {
        bench.runs();
    }
}

/// A Shopify export through a query: the header row of each order counts, refunded and voided orders do not.
#[test]
fn a_shopify_export_gives_the_right_customers() {
    let Some(folder) = shared("cases/02-shopify-export") else { return };
    let bench = Bench::empty();
    fs::copy(folder.join("orders_export.csv"), bench.path("orders_export.csv")).unwrap();
    let told = init(&bench, &["orders_export.csv"]);
    assert_eq!(told.roles["rows"], "first");
    assert!(job(&bench).contains("timezone = \"Europe/Berlin\""), "{}", job(&bench));
    if has_query() {
        bench.runs();
        assert_eq!(customers(&bench), BTreeMap::from([("a@example.org".to_owned(), (2, 7_500))]));
    }
    // The same as pandas wrote it to Parquet, with text and with instants.
    for name in ["orders_raw.parquet", "orders_dates.parquet"] {
        let bench = Bench::empty();
        fs::copy(folder.join(name), bench.path(name)).unwrap();
        let told = init(&bench, &[name]);
        if told.document["query"] == false || has_query() {
            bench.runs();
            assert_eq!(customers(&bench), BTreeMap::from([("a@example.org".to_owned(), (2, 7_500))]), "{name}: {}", job(&bench));
        }
    }
}

/// Data that others published: the columns that their descriptions name, and totals of the customers.
#[test]
fn published_orders_are_understood() {
    let Some(folder) = shared("data") else { return };
    for (name, customer, date, amount) in [
        ("cdnow_master.parquet", "customer_id", "date", "dollar_value"),
        ("online_retail.parquet", "CustomerID", "InvoiceDate", "Quantity * UnitPrice"),
    ] {
        let bench = Bench::empty();
        fs::copy(folder.join(name), bench.path(name)).unwrap();
        let told = init(&bench, &[name]);
        assert_eq!((told.roles["customer"].as_str(), told.roles["date"].as_str()), (customer, date), "{:?}", told.roles);
        assert_eq!(told.roles["amount"], amount);
        if told.document["query"] == false || has_query() {
            bench.runs();
            assert!(customers(&bench).len() > 1_000);
        }
        eprintln!("{name}: {:?}, as of {}, questions: {:?}", told.roles, told.document["as_of"], told.questions);
    }
}

#[test]
fn without_a_terminal_nothing_is_asked_and_stderr_says_what_is_next() {
    let bench = Bench::new();
    let ran = bench.rfmill(&["init", "orders", "--output", "first.toml"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "first.toml\n"), "{}", ran.err);
    assert!(ran.err.contains("customer  customer_id") || ran.err.contains("customer_id"), "{}", ran.err);
    assert!(ran.err.contains("Next: rfmill run first.toml"), "{}", ran.err);
    let words: BTreeSet<&str> = ran.err.split_whitespace().collect();
    assert!(!words.contains("answer"), "{}", ran.err);
    bench.succeeds(&["run", "first.toml"]);
}

/// A Delta table is named as one, and its log says which rows count: those that a plain reading of its files would count are gone.
#[test]
fn a_delta_table_is_read_by_its_log() {
    let Some(folder) = shared("cases/05-delta-table/orders") else { return };
    let bench = Bench::empty();
    copy(&folder, &bench.path("orders"));
    let told = init(&bench, &["orders"]);
    assert_eq!(told.document["rows"], 90);
    assert!(job(&bench).contains("path = { delta = \"orders\" }"), "{}", job(&bench));
    bench.runs();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// On a terminal it asks, until the answer is one of those that it names; what was answered is no question any more.
#[test]
fn on_a_terminal_it_asks() {
    let bench = Bench::empty();
    bench
        .write("a.csv", "client_id,member_id,order_date,amount\n1,7,03/04/2024,5.00\n2,8,05/06/2024,7.50\n1,9,07/08/2024,1.00\n");
    let Some(asked) = on_terminal(&bench, "init a.csv", "2\nperhaps\n1\n") else { return };
    for said in ["Which column is the customer?", "1  \"client_id\"", "2  \"member_id\"", "What is 03/04/2024?"] {
        assert!(asked.contains(said), "{said:?} is not in {asked}");
    }
    assert_eq!(asked.matches("What is 03/04/2024?").count(), 2, "a word is no answer: {asked}");
    let written = job(&bench);
    assert!(written.contains("customer_id = \"member_id\"") && written.contains("'%d/%m/%Y'"), "{written}");
    assert!(!written.contains("# ?"), "{written}");
    // A file that is there is replaced only if somebody says so.
    on_terminal(&bench, "init a.csv --month-first", "1\n");
    assert_eq!(job(&bench), written);
    on_terminal(&bench, "init a.csv --month-first", "2\n\n");
    assert!(job(&bench).contains("customer_id = \"client_id\"") && job(&bench).contains("'%m/%d/%Y'"), "{}", job(&bench));
}

/// Runs the program on a terminal where somebody types; none if there is nothing that makes terminals.
fn on_terminal(bench: &Bench, args: &str, typed: &str) -> Option<String> {
    let command = format!("{PROGRAM} {args}");
    let spawned = std::process::Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(bench.path(""))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn();
    let Ok(mut child) = spawned else {
        eprintln!("skipped: there is no `script`, which makes terminals");
        return None;
    };
    std::io::Write::write_all(&mut child.stdin.take()?, typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Records whose columns lie in one struct, as Django and Elasticsearch write them: the struct says nothing of them.
#[test]
fn a_struct_around_all_columns_says_nothing() {
    let bench = Bench::empty();
    let record = |row: u32| {
        let fields = serde_json::json!({ "Customer No": row % 4 + 1, "invoicedate": format!("2024-0{}-05T00:00:00Z", row % 6 + 1), "total": f64::from(row) + 0.5 });
        serde_json::json!({ "pk": row, "model": "shop.invoice", "fields": fields }).to_string() + "\n"
    };
    bench.write("a.ndjson", (0..12).map(record).collect::<String>());
    let told = init(&bench, &["a.ndjson", "--as-of", "2024-06-30"]);
    let roles = ["customer", "date", "amount"].map(|role| told.roles[role].as_str());
    assert_eq!(roles, ["fields.Customer No", "fields.invoicedate", "fields.total"]);
    if has_query() {
        bench.runs();
        // Rows 0, 4 and 8 with 0.50, 4.50 and 8.50, and so on.
        let expected = (0..4i128).map(|customer| ((customer + 1).to_string(), (3, 1_350 + customer * 300)));
        assert_eq!(customers(&bench), expected.collect());
    }
}

/// An id that repeats is taken for the customer where nothing else is, and that is a question.
#[test]
fn an_id_that_repeats_may_be_the_customer() {
    let bench = Bench::empty();
    bench.write(
        "a.csv",
        (0..12)
            .fold(String::from("id,date,spent\n"), |text, row| text + &format!("{},202401{:02},{row}.50\n", row % 5, row + 10)),
    );
    let told = init(&bench, &["a.csv"]);
    assert_eq!((told.roles["customer"].as_str(), told.roles.get("order")), ("id", None));
    assert!(
        told.questions.iter().any(|question| question.contains("is named after a customer, but \"id\" repeats")),
        "{:?}",
        told.questions
    );
    if has_query() {
        bench.runs();
    }
    // One that does not is a number of rows.
    bench.write(
        "b.csv",
        (0..12).fold(String::from("id,date,spent\n"), |text, row| text + &format!("{row},202401{:02},{row}.50\n", row + 10)),
    );
    let ran = bench.rfmill(&["init", "b.csv", "--output", "b.toml"]);
    assert!(ran.code == 3 && ran.err.contains("no column looks like a customer"), "{}", ran.err);
}
