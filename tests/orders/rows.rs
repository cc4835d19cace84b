//! What a row counts as: filters that ask for null, guests, units of money, returns, money alone, ids.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};

use super::{assert_customers, customers, warnings};
use crate::fixture::{Bench, dates, decimals, floats, ints, orders_and, orders_but, texts, with_ids};

/// A job over four orders of 2024-05 with a further column or two.
fn bench(ids: ArrayRef, more: Vec<(&'static str, ArrayRef)>) -> Bench {
    let bench = Bench::empty();
    bench.write("job.toml", JOB);
    let mut columns = vec![
        ("customer_id", ids),
        ("ordered_at", dates(["2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04"])),
        ("amount", decimals(2, [1_000, 2_000, 3_000, 4_000])),
    ];
    columns.extend(more);
    bench.parquet("orders/a.parquet", &columns);
    bench
}

const JOB: &str = r#"name = "rows"

[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"

[periods]
as_of = [2024-05-31]

[output]
path = "out"
columns = ["frequency", "monetary"]
"#;

fn ledger(bench: &Bench) -> Vec<(String, String, String)> {
    let rows = bench.table("ledger.parquet").into_iter();
    rows.map(|row| (row[1].clone(), row[2].clone(), row[3].clone())).collect()
}

fn owned(rows: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    rows.iter().map(|(outcome, rows, money)| ((*outcome).into(), (*rows).into(), (*money).into())).collect()
}

#[test]
fn rows_are_kept_where_a_column_is_null() {
    let is_test: ArrayRef = Arc::new(BooleanArray::from(vec![None, Some(false), Some(true), Some(false)]));
    let cancelled = dates([None, Some("2024-05-02"), None, None]);
    let bench = bench(ints([1, 1, 2, 3]), vec![("cancelled_at", cancelled), ("is_test", is_test)]);
    bench.append("[[orders.keep]]\ncolumn = \"cancelled_at\"\nis_null = true");
    bench.append("[[orders.keep]]\ncolumn = \"is_test\"\nnot_in = [true]\nis_null = true");
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("1", &["1", "10.00"]), ("3", &["1", "40.00"])]);
    let want = [("kept", "2", "50.00"), ("filtered:cancelled_at", "1", "20.00"), ("filtered:is_test", "1", "30.00")];
    assert_eq!(ledger(&bench), owned(&want));
    // Alone, null fails the other test.
    bench.edit("not_in = [true]\nis_null = true", "not_in = [true]");
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("3", &["1", "40.00"])]);
}

#[test]
fn is_null_is_a_test_or_stands_beside_one() {
    let refused = |test: &str, message: &str| {
        let bench = Bench::with_run();
        bench.append(&format!("[[orders.keep]]\ncolumn = \"amount\"\n{test}"));
        bench.refuses(2, &format!("error: job.toml, line 16, column 10: orders.keep on column \"amount\"{message}"));
    };
    refused("is_null = false", ": is_null is false; set it to true or remove it.");
    refused("not_null = true\nis_null = true", " has several tests; give each a [[orders.keep]] of its own.");
    refused("", " tests nothing; give one of in, not_in, min, max, above, below, matches, not_null, is_null.");
}

#[test]
fn guests_are_no_customers() {
    let more = || vec![("kind", texts(["a", "a", "b", "b"]))];
    let by_number = bench(ints([Some(0), Some(1), None, Some(7)]), more());
    by_number.in_orders("guests = [0, \"guest\", \"7\"]");
    by_number.runs();
    assert_customers(&by_number, "2024-05-31", &[("1", &["1", "20.00"])]);
    assert_eq!(ledger(&by_number), owned(&[("kept", "1", "20.00"), ("no_customer", "3", "80.00")]));

    let by_text = bench(texts(["0", "guest", "Guest", "00"]), more());
    by_text.in_orders("guests = [0, \"guest\"]\nmax_no_customer = 0.5");
    by_text.runs();
    assert_customers(&by_text, "2024-05-31", &[("00", &["1", "40.00"]), ("Guest", &["1", "30.00"])]);
    // The gate counts them, and a filter comes first.
    by_text.edit("max_no_customer = 0.5", "max_no_customer = 0.25");
    by_text.refuses(3, "error: 2 of 4 rows (50.0000 %) have no customer (column \"customer_id\" is null or one of orders.guests); orders.max_no_customer allows 25 %. Correct the data or raise the limit.");
    by_text.append("[[orders.keep]]\ncolumn = \"customer_id\"\nnot_in = [\"guest\"]");
    by_text.runs();
    let want = [("kept", "2", "70.00"), ("no_customer", "1", "10.00"), ("filtered:customer_id", "1", "20.00")];
    assert_eq!(ledger(&by_text), owned(&want));

    let never = Bench::with_run();
    never.in_orders("guests = [\"guest\"]");
    never.refuses(3, "error: job.toml, line 8, column 1: orders.guests has no value that column \"customer_id\" (orders.customer_id) could hold, which is an integer; name such values, or remove the key.");
}

#[test]
fn integers_can_be_minor_units_already() {
    let cents = |amounts: ArrayRef| {
        let bench = bench(ints([1, 1, 2, 3]), vec![("cents", amounts), ("pieces", ints([1, 2, 3, 1]))]);
        bench.edit("amount = \"amount\"", "amount = \"cents\"\namount_unit = \"minor\"");
        bench
    };
    let bench = cents(ints([1_999, 2_500, 500, -100]));
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("1", &["2", "44.99"]), ("2", &["1", "5.00"])]);
    bench.edit("amount = \"cents\"", "amount = [\"pieces\", \"cents\"]");
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("1", &["2", "69.99"]), ("2", &["1", "15.00"])]);
    let whole = cents(decimals(0, [1_999, 2_500, 500, -100]));
    whole.runs();
    assert_customers(&whole, "2024-05-31", &[("1", &["2", "44.99"]), ("2", &["1", "5.00"])]);
    // Yen have no minor unit, and thousandths three digits.
    whole.in_minor_of(3);
    whole.runs();
    assert_customers(&whole, "2024-05-31", &[("1", &["2", "4.499"]), ("2", &["1", "0.500"])]);

    let fractions = cents(floats([19.99, 25.0, 5.0, -1.0]));
    fractions.refuses(3, "error: orders/a.parquet: column \"cents\" (orders.amount) is of type float64, and orders.amount_unit = \"minor\" says that its numbers are whole minor units; write it as an integer, or remove orders.amount_unit.");
}

trait MinorOf {
    fn in_minor_of(&self, digits: u32);
}

impl MinorOf for Bench {
    fn in_minor_of(&self, digits: u32) {
        self.edit("amount_unit = \"minor\"", &format!("amount_unit = \"minor\"\namount_scale = {digits}"));
    }
}

#[test]
fn returns_of_positive_amounts_are_warned_of_or_turned() {
    let kinds = texts(["sale", "sale", "refund", "refund"]);
    let costs = decimals(2, [600, 1_200, 900, 100]);
    let bench = bench(ints([1, 2, 1, 2]), vec![("kind", kinds), ("cost", costs), ("order", ints([1, 2, 3, 4]))]);
    bench.append("[orders.returns]\ncolumn = \"kind\"\nin = [\"refund\"]");
    bench.edit("columns = [", "columns = [\"margin\", ").in_orders("cost = \"cost\"");
    let added = |ran: &crate::fixture::Ran| -> Vec<String> {
        warnings(&ran.err).into_iter().filter(|w| w.contains("add to the money")).map(str::to_owned).collect()
    };
    let says = "2 returns of 70.00 in all add to the money; if they should lower it, set negate = true in [orders.returns]";
    assert_eq!(added(&bench.runs()), [says]);
    assert_customers(&bench, "2024-05-31", &[("1", &["25.00", "1", "40.00"]), ("2", &["47.00", "1", "60.00"])]);
    // By lines it is the same; the third order is one of several lines.
    bench.in_orders("order_id = \"order\"");
    assert_eq!(added(&bench.runs()), [says]);
    // Left out, they add nothing.
    bench.in_orders("monetary = \"gross\"");
    assert_eq!(added(&bench.runs()), [""; 0]);
    bench.edit("monetary = \"gross\"\n", "").append("negate = true");
    let job = String::from_utf8(bench.read("job.toml")).unwrap();
    let job = job.replace("\nnegate = true\n", "").replace("in = [\"refund\"]", "in = [\"refund\"]\nnegate = true");
    bench.write("job.toml", job);
    assert_eq!(added(&bench.runs()), [""; 0]);
    assert_customers(&bench, "2024-05-31", &[("1", &["-17.00", "1", "-20.00"]), ("2", &["-31.00", "1", "-20.00"])]);
    assert_eq!(ledger(&bench), owned(&[("kept", "4", "-40.00")]));
    // Returns that are negative already would be turned, too.
    bench.edit("amount = \"amount\"", "amount = \"cost\"").edit("in = [\"refund\"]", "in = [\"sale\"]");
    let mut columns = orders_and("kind", texts(["sale", "a", "b", "c", "d", "e", "f", "g"]));
    columns.push(("cost", decimals(2, [-100, 1, 1, 1, 1, 1, 1, 1])));
    columns.push(("order", ints(1..=8)));
    bench.parquet("orders/a.parquet", &columns);
    bench.edit("2024-05-31", "2024-12-31");
    assert_eq!(
        added(&bench.runs()),
        [
            "1 return of 1.00 in all add to the money; negate = true in [orders.returns] turns the signs of all returns, so remove it if they are negative in the data"
        ]
    );
}

#[test]
fn money_alone_is_no_purchase() {
    let via = texts(["checkout", "renewal", "renewal", "renewal"]);
    let amounts = decimals(2, [1_000, 1_000, -300, 700]);
    let bench = bench(ints([1, 1, 1, 2]), vec![("via", via), ("money", amounts), ("order", ints([5, 5, 5, 6]))]);
    bench.edit("amount = \"amount\"", "amount = \"money\"").edit("columns = [", "columns = [\"last_order\", \"return_share\", ");
    bench.append("[orders.money_only]\ncolumn = \"via\"\nin = [\"renewal\"]");
    // Who has money alone is no customer of any list.
    let want: [(&str, &[&str]); 1] = [("1", &["2024-05-01", "0.5", "1", "17.00"])];
    for order_id in ["", "order_id = \"order\"\n"] {
        let job = String::from_utf8(bench.read("job.toml")).unwrap();
        bench.write("job.toml", job.replace("\n[periods]", &format!("{order_id}\n[periods]")));
        bench.runs();
        assert_customers(&bench, "2024-05-31", &want);
        assert_eq!(ledger(&bench), owned(&[("kept", "4", "24.00")]));
    }
    bench.edit("order_id = \"order\"\n", "order_id = \"order\"\nmonetary = \"gross\"\n");
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("1", &["2024-05-01", "0.5", "1", "20.00"])]);
}

/// A line that is money alone stays out of the order of its number, on the order's date and before it.
#[test]
fn money_alone_makes_no_order_older() {
    let via = texts(["gift", "checkout", "checkout", "gift"]);
    let bench = bench(ints([1, 1, 1, 1]), vec![("via", via), ("order", ints([5, 5, 6, 6]))]);
    bench.edit("columns = [", "columns = [\"first_order\", \"last_order\", ").in_orders("order_id = \"order\"");
    bench.append("[orders.money_only]\ncolumn = \"via\"\nin = [\"gift\"]");
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("1", &["2024-05-02", "2024-05-03", "2", "100.00"])]);
}

#[test]
fn several_columns_tell_orders_apart() {
    let shops = texts(["a", "b", "a", "a"]);
    let bench = bench(ints([1, 1, 1, 2]), vec![("shop", shops), ("order", ints([9, 9, 9, 9]))]);
    bench.in_orders("order_id = [\"order\", \"shop\"]");
    let mut columns = vec![
        ("customer_id", ints([1, 1, 1, 2])),
        ("ordered_at", dates(["2024-05-01"; 4])),
        ("amount", decimals(2, [1_000, 2_000, 3_000, 4_000])),
        ("shop", texts(["a", "b", "a", "a"])),
        ("order", ints([9, 9, 9, 9])),
    ];
    bench.parquet("orders/a.parquet", &columns);
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("1", &["2", "60.00"]), ("2", &["1", "40.00"])]);
    // What two columns hold is not run together.
    columns[3].1 = texts(["1", "12", "1", "1"]);
    columns[4].1 = texts(["21", "1", "21", "1"]);
    bench.parquet("orders/a.parquet", &columns);
    bench.runs();
    assert_customers(&bench, "2024-05-31", &[("1", &["2", "60.00"]), ("2", &["1", "40.00"])]);
    columns[3].1 = texts([Some("a"), None, Some("a"), Some("a")]);
    bench.parquet("orders/a.parquet", &columns);
    bench.refuses(3, "error: 1 of 4 rows (25.0000 %) are rejected, most of them rejected:null_order_id (1 in orders/a.parquet, column \"order, shop\"); orders.max_rejected allows 0 %. Correct the data, filter the rows with orders.keep, or raise orders.max_rejected.");
    let empty = Bench::with_run();
    empty.in_orders("order_id = []");
    empty.refuses(2, "error: job.toml, line 8, column 1: orders.order_id is an empty list; name the columns that tell orders apart, or leave the key out.");
}

#[test]
fn decimals_without_digits_behind_the_point_are_ids() {
    let ids = || decimals(0, [5, 17, -3, 9_223_372_036_854_775_807]);
    let bench = bench(ids(), vec![("order", decimals(0, [1, 1, 2, 3]))]);
    bench.in_orders("order_id = \"order\"");
    bench.parquet("crm.parquet", &[("id", ints([17, -3, 4])), ("limit", ints([1, 2, 3]))]);
    bench.append("[customers]\npath = \"crm.parquet\"\ncustomer_id = \"id\"");
    bench.edit("columns = [", "columns = [\"limit\", ");
    bench.runs();
    let found = customers(&bench, "2024-05-31");
    let row = |id: &str| found.get(id).map(|row| row.join(" "));
    assert_eq!(row("-3").as_deref(), Some("2 1 30.00"), "{found:?}");
    assert_eq!(row("17").as_deref(), Some("1 1 20.00"));
    assert_eq!(row("4").as_deref(), Some("3 null null"));
    assert_eq!(row("9223372036854775807").as_deref(), Some("null 1 40.00"));
    let file = std::fs::File::open(bench.path("out/latest/customers/as_of=2024-05-31/part-000.parquet")).unwrap();
    let schema = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap().schema().clone();
    assert_eq!(schema.field(0).data_type(), &arrow::datatypes::DataType::Decimal128(38, 0));

    let wide = Bench::with_run();
    wide.parquet("orders/a.parquet", &with_ids(decimals(0, [1, 2, 9_223_372_036_854_775_808, 4, 5, 6, 7, 8])));
    wide.refuses(3, "error: orders/a.parquet, row 3: column \"customer_id\" (orders.customer_id) is 9223372036854775808; expected an integer of at most 64 bits. Write such ids as strings, in every table that has them.");
    let tables = [
        ("[customers]\npath = \"crm.parquet\"\ncustomer_id = \"id\"", "column \"id\" (customers.customer_id) is"),
        (
            "[events]\npath = \"crm.parquet\"\ncustomer_id = \"id\"\nevent = \"event\"\nat = \"at\"\n[events.kinds]\nopens = [\"open\"]",
            "column \"id\" (events.customer_id) is",
        ),
        (
            "[[strategy]]\nname = \"mail\"\ndesign = \"before_after\"\nassignments = \"crm.parquet\"\nperiods = [{ from = 2024-04-01, to = 2024-04-30 }]",
            "customer_id is",
        ),
    ];
    for (table, column) in tables {
        let wide = Bench::with_run();
        let rows = [
            (if column.contains("\"id\"") { "id" } else { "customer_id" }, decimals(0, [1, 9_223_372_036_854_775_808])),
            ("event", texts(["open", "open"])),
            ("at", dates(["2024-04-02", "2024-04-02"])),
            ("arm", texts(["mail", "mail"])),
            ("assigned_on", dates(["2024-04-02", "2024-04-02"])),
        ];
        wide.parquet("crm.parquet", &rows);
        wide.append(table);
        if table.starts_with("[events]") {
            wide.edit("path = \"out\"", "path = \"out\"\ncolumns = [\"opens\"]");
        }
        wide.refuses(3, &format!("error: crm.parquet, row 2: {column} 9223372036854775808; expected an integer of at most 64 bits. Write such ids as strings, in every table that has them."));
    }
    let order = Bench::with_run();
    order.parquet("orders/a.parquet", &orders_and("order", decimals(0, [1, 2, 3, 9_223_372_036_854_775_808, 5, 6, 7, 8])));
    order.in_orders("order_id = \"order\"");
    order.refuses(3, "error: orders/a.parquet, row 4: column \"order\" (orders.order_id) is 9223372036854775808; expected an integer of at most 64 bits. Write such ids as strings, in every table that has them.");
    let finer = Bench::with_run();
    finer.parquet("orders/a.parquet", &orders_but("customer_id", decimals(2, [1, 2, 3, 4, 5, 6, 7, 8])));
    finer.refuses(3, "error: orders/a.parquet: column \"customer_id\" (orders.customer_id) is of type decimal(38, 2); expected an integer or a string. Convert it where the file is written, or name another column.");
}
