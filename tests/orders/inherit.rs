//! Rows that take values from other rows of their order, and rows that could.

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::{assert_customers, warnings};
use crate::fixture::{Bench, dates, decimals, ints, texts};

const JOB: &str = r#"name = "lines"

[orders]
path = "orders"
customer_id = "email"
ordered_at = "created"
amount = ["quantity", "price"]
order_id = "order"

[periods]
as_of = [2024-05-31]

[output]
path = "out"
columns = ["frequency", "monetary"]
"#;

/// The shape of an export in which only the first line of an order says whose it is.
fn columns() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("order", texts(["#1", "#1", "#2", "#3", "#4"])),
        ("email", texts([Some("a@x"), None, Some("b@x"), None, Some("a@x")])),
        ("created", dates(["2024-04-05", "2024-04-05", "2024-04-06", "2024-04-07", "2024-05-07"])),
        ("quantity", ints([1, 2, 1, 1, 1])),
        ("price", decimals(2, [2_000, 2_000, 3_000, 1_200, 1_000])),
        ("status", texts([Some("paid"), None, Some("refunded"), Some("paid"), Some("paid")])),
    ]
}

fn bench(columns: &[(&str, ArrayRef)]) -> Bench {
    let bench = Bench::empty();
    bench.write("job.toml", JOB);
    bench.parquet("orders/a.parquet", columns);
    bench
}

fn of_known_orders(ran: &crate::fixture::Ran) -> Vec<String> {
    warnings(&ran.err).into_iter().filter(|w| w.contains("other rows of the same orders")).map(str::to_owned).collect()
}

#[test]
fn rows_without_a_customer_whose_order_has_one_are_no_guests() {
    let bench = bench(&columns());
    // Two rows have no customer; that of #3 is a guest order.
    assert_eq!(
        of_known_orders(&bench.runs()),
        [
            "1 row of 40.00 in all count as no_customer, although other rows of the same orders have a customer; with inherit = [\"email\"] in [orders] they take it from there"
        ]
    );
    assert_customers(&bench, "2024-05-31", &[("a@x", &["2", "30.00"]), ("b@x", &["1", "30.00"])]);

    bench.in_orders_of("inherit = [\"email\"]");
    assert_eq!(of_known_orders(&bench.runs()), [""; 0]);
    assert_customers(&bench, "2024-05-31", &[("a@x", &["2", "70.00"]), ("b@x", &["1", "30.00"])]);
    assert_eq!(
        bench.table("ledger.parquet"),
        [["orders/a.parquet", "kept", "4", "100.00"], ["orders/a.parquet", "no_customer", "1", "12.00"]]
    );

    // Filters see what rows have taken.
    bench.append("[[orders.keep]]\ncolumn = \"status\"\nin = [\"paid\"]");
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("a@x", &["2", "30.00"])]);
    bench.edit("inherit = [\"email\"]", "inherit = [\"email\", \"status\"]");
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("a@x", &["2", "70.00"])]);
}

trait InOrdersOf {
    fn in_orders_of(&self, keys: &str);
}

impl InOrdersOf for Bench {
    fn in_orders_of(&self, keys: &str) {
        self.edit("order_id = \"order\"\n", &format!("order_id = \"order\"\n{keys}\n"));
    }
}

/// Ids of guests are no customers to take, and are filled like nulls.
#[test]
fn guests_inherit_and_leave_nothing() {
    let bench = Bench::empty();
    bench.write("job.toml", JOB);
    bench.in_orders_of("guests = [0]");
    bench.parquet(
        "orders/a.parquet",
        &[
            ("order", ints([1, 1, 1, 2])),
            ("email", ints([Some(0), Some(7), None, Some(0)])),
            ("created", dates(["2024-04-05"; 4])),
            ("quantity", ints([1; 4])),
            ("price", decimals(2, [100, 200, 400, 800])),
        ],
    );
    assert_eq!(
        of_known_orders(&bench.runs()),
        [
            "2 rows of 5.00 in all count as no_customer, although other rows of the same orders have a customer; with inherit = [\"email\"] in [orders] they take it from there"
        ]
    );
    bench.in_orders_of("inherit = [\"email\"]");
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("7", &["1", "7.00"])]);
}

/// Values of any type pass between files, and not from rows that a newer version supersedes.
#[test]
fn values_pass_between_files_after_the_latest_version() {
    let file = |email, created, quantity, version| {
        vec![
            ("order", ints([5])),
            ("email", texts([email])),
            ("created", dates([created])),
            ("quantity", ints([quantity])),
            ("price", decimals(2, [1_000])),
            ("version", ints([version])),
            ("line", ints([if version == 3 { 2 } else { 1 }])),
        ]
    };
    let bench = bench(&file(Some("old@x"), Some("2024-01-01"), Some(1), 1));
    bench.parquet("orders/b.parquet", &file(Some("new@x"), Some("2024-02-02"), Some(3), 2));
    bench.parquet("orders/c.parquet", &file(None, None, None, 3));
    bench.in_orders_of("inherit = [\"email\", \"created\", \"quantity\"]");
    bench.append("[orders.latest]\nkey = [\"order\", \"line\"]\nby = \"version\"");
    bench.edit("columns = [", "columns = [\"last_order\", ");
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("new@x", &["2024-02-02", "1", "60.00"])]);
}

/// Files may differ in how wide their numbers are, and so may the rows that take a value and those that have it.
#[test]
fn values_pass_between_files_of_other_widths() {
    let narrow = |digits: Vec<Option<i128>>| {
        let array = cast(&decimals(2, digits), &DataType::Decimal128(10, 2)).unwrap();
        ("price", array)
    };
    let small = |numbers: Vec<Option<i64>>| ("quantity", cast(&ints(numbers), &DataType::Int32).unwrap());
    let rest = |emails: Vec<Option<&'static str>>| {
        vec![("order", ints([5, 6])), ("email", texts(emails)), ("created", dates(["2024-01-01"; 2]))]
    };
    let a = [rest(vec![Some("x"), None]), vec![("quantity", ints([Some(3), None])), ("price", decimals(2, [Some(1_000), None]))]];
    let b = [rest(vec![None, Some("y")]), vec![small(vec![None, Some(2)]), narrow(vec![None, Some(500)])]];
    let bench = bench(&a.concat());
    bench.parquet("orders/b.parquet", &b.concat());
    bench.in_orders_of("inherit = [\"email\", \"quantity\", \"price\"]");
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("x", &["1", "60.00"]), ("y", &["1", "20.00"])]);
    // What does not fit is said.
    let b = [rest(vec![None, Some("y")]), vec![small(vec![None, Some(2)]), narrow(vec![None, Some(500)])]];
    let a = [
        rest(vec![Some("x"), None]),
        vec![("quantity", ints([Some(1 << 40), None])), ("price", decimals(2, [Some(1_000), None]))],
    ];
    bench.parquet("orders/a.parquet", &a.concat());
    bench.parquet("orders/b.parquet", &b.concat());
    bench.refuses(
        3,
        "error: a value of \"quantity\" (orders.inherit) does not fit the type that it has in another file (…); write all files with one schema.",
    );
}

#[test]
fn rows_of_an_order_that_differ_leave_nothing() {
    let mut columns = columns();
    columns[0].1 = texts(["#1", "#1", "#2", "#1", "#1"]);
    columns[1].1 = texts([Some("a@x"), None, Some("b@x"), Some("c@x"), Some("a@x")]);
    let bench = bench(&columns);
    bench.succeeds(&["run", "job.toml", "--quiet"]);
    bench.in_orders_of("inherit = [\"email\"]");
    bench.refuses(3, "error: row 2 of orders/a.parquet has no \"email\", and other rows of its order have different ones (\"a@x\" in row 1 of orders/a.parquet, \"c@x\" in row 4 of orders/a.parquet); correct them, or take \"email\" out of orders.inherit.");
    // Where no row lacks one, they may differ.
    columns[1].1 = texts(["a@x", "b@x", "b@x", "c@x", "a@x"]);
    bench.parquet("orders/a.parquet", &columns);
    bench.runs();
}

#[test]
fn inherit_needs_orders_and_columns() {
    let refused = |from: &str, to: &str, code: i32, message: &str| {
        let bench = bench(&columns());
        bench.in_orders_of("inherit = [\"email\"]");
        bench.edit(from, to);
        bench.refuses(code, message);
    };
    refused(
        "order_id = \"order\"\n",
        "",
        2,
        "error: job.toml, line 8, column 1: orders.inherit takes values from the other rows of an order, but no column says which rows are one order; set orders.order_id.",
    );
    refused(
        "inherit = [\"email\"]",
        "inherit = [\"order\"]",
        2,
        "error: job.toml, line 9, column 1: orders.inherit names \"order\", which tells orders apart (orders.order_id); take it out of the list.",
    );
    refused(
        "inherit = [\"email\"]",
        "inherit = [\"mail\"]",
        3,
        "error: job.toml, line 9, column 12: orders.inherit names the column \"mail\", which orders/a.parquet does not have; did you mean \"email\"? (its columns are order, email, created, quantity, price, status); name one of them.",
    );
}
