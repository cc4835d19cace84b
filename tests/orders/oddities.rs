//! What a run says of rows that look wrong and stop nothing.

use arrow::array::ArrayRef;

use super::warnings;
use crate::fixture::{Bench, dates, decimals, floats, ints, texts};

const JOB: &str = r#"name = "oddities"

[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"

[periods]
as_of = [2024-12-31]

[output]
path = "out"
columns = ["frequency", "monetary"]
"#;

fn bench(columns: &[(&str, ArrayRef)]) -> Bench {
    let bench = Bench::empty();
    bench.write("job.toml", JOB);
    bench.parquet("orders/a.parquet", columns);
    bench
}

/// The warnings of a run that hold a passage.
fn warned(bench: &Bench, passage: &str) -> Vec<String> {
    let ran = bench.runs();
    warnings(&ran.err).into_iter().filter(|w| w.contains(passage)).map(str::to_owned).collect()
}

const NONE: [&str; 0] = [];

/// Orders of one day each, of these customers and amounts.
fn plain(ids: ArrayRef, amounts: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let rows = ids.len();
    vec![("customer_id", ids), ("ordered_at", dates(vec!["2024-05-05"; rows])), ("amount", amounts)]
}

#[test]
fn totals_on_every_line_are_warned_of() {
    let mut columns = plain(ints([1, 1, 2, 2, 2, 3]), decimals(2, [6_000, 6_000, 9_000, 9_000, 9_000, 1_500]));
    columns.push(("order", ints([1, 1, 2, 2, 2, 3])));
    let lines = |columns: &[(&str, ArrayRef)]| {
        let bench = bench(columns);
        bench.in_orders("order_id = \"order\"");
        warned(&bench, "of several lines")
    };
    assert_eq!(
        lines(&columns),
        [
            "in all 2 orders of several lines each line has the same amount, and all of them count; if \"amount\" is the total of the order, name the amount of the line as orders.amount, or keep one line of each order with [orders.latest]"
        ]
    );
    // One order whose lines differ says that they are lines.
    columns[2].1 = decimals(2, [6_000, 5_000, 9_000, 9_000, 9_000, 1_500]);
    assert_eq!(lines(&columns), NONE);
    // A shop with one price has equal lines in all orders.
    columns[2].1 = decimals(2, [900; 6]);
    assert_eq!(lines(&columns), NONE);
}

#[test]
fn a_customer_with_a_large_part_of_all_orders_is_warned_of() {
    let of = |guests: i64, others: i64| {
        bench(&plain(ints((0..guests).map(|_| 0).chain(1..=others)), decimals(2, vec![100; (guests + others) as usize])))
    };
    let says = |bench: &Bench| warned(bench, "% of all;");
    assert_eq!(
        says(&of(40, 60)),
        [
            "customer 0 has 40 orders, 40.0 % of all; if that is no person but guests, set guests = [0] in [orders], and if it is an account of the shop, leave it out with [[orders.keep]]"
        ]
    );
    // Five of a hundred are not more than 5 %, six are.
    assert_eq!(says(&of(5, 95)), NONE);
    assert_eq!(says(&of(6, 94)).len(), 1);
    // Of a few customers each has a large share.
    assert_eq!(says(&of(4, 3)), NONE);
    let named =
        bench(&plain(texts((0..9).map(|_| "walk-in").chain(["a", "b", "c", "d", "e", "f", "g"])), decimals(2, vec![100; 16])));
    assert_eq!(
        says(&named),
        [
            "customer \"walk-in\" has 9 orders, 56.2 % of all; if that is no person but guests, set guests = [\"walk-in\"] in [orders], and if it is an account of the shop, leave it out with [[orders.keep]]"
        ]
    );
}

#[test]
fn spellings_of_an_id_are_warned_of() {
    // Enough ids for many buckets, and two spellings of some.
    let mut ids: Vec<String> = (0..500).map(|n| format!("Person-{n}@example.org")).collect();
    let plain_ids = bench(&plain(texts(ids.iter().map(String::as_str)), decimals(2, vec![100; ids.len()])));
    assert_eq!(warned(&plain_ids, "differ from others"), NONE);
    ids.extend([
        "person-17@example.org".into(),
        " person-17@EXAMPLE.org".into(),
        "Person-400@example.org ".into(),
        "Zoë".into(),
        "ZOË".into(),
    ]);
    let bench = bench(&plain(texts(ids.iter().map(String::as_str)), decimals(2, vec![100; ids.len()])));
    assert_eq!(
        warned(&bench, "differ from others"),
        [
            "7 customer ids differ from others only in case or blanks around them, such as \" person-17@EXAMPLE.org\" and \"Person-17@example.org\", and count as customers of their own; write column \"customer_id\" alike where it comes from"
        ]
    );
}

#[test]
fn rounding_that_moves_a_total_is_warned_of() {
    let moved = |amounts: ArrayRef, keys: &str| {
        let bench = bench(&plain(ints(0..amounts.len() as i64), amounts));
        bench.in_orders(keys);
        warned(&bench, "rounding rows")
    };
    // Six amounts of a third of a cent too many: 0.018 are lost in all.
    assert_eq!(
        moved(floats([1.003; 6]), ""),
        [
            "rounding rows to amount_scale = 2 makes the total of orders/a.parquet 6.00 instead of 6.018000; amount_scale = 3 would keep it"
        ]
    );
    // Three lose 0.009, which is less than a minor unit.
    assert_eq!(moved(floats([1.003; 3]), ""), NONE);
    assert_eq!(moved(floats([1.003; 6]), "amount_scale = 3"), NONE);
    // What a double cannot hold is no digit.
    assert_eq!(moved(floats([0.1, 0.7, 1.15, 123_456_789.01, 4.35]), ""), NONE);
    assert_eq!(moved(floats([Some(1.003), None, Some(1.003)]), "max_rejected = 1.0"), NONE);
    // Thirds need more digits than there are.
    let thirds = moved(floats([1.0 / 3.0; 600]), "");
    assert_eq!(
        thirds,
        [
            "rounding rows to amount_scale = 2 makes the total of orders/a.parquet 198.00 instead of 199.999800; amount_scale = 5 would keep it"
        ]
    );
    // Products are rounded once, and by the digits of both factors.
    let bench = bench(&[
        ("customer_id", ints([1, 2, 3, 4])),
        ("ordered_at", dates(["2024-05-05"; 4])),
        ("pieces", ints([3, 3, 3, 1])),
        ("price", decimals(3, [1_338, 1_338, 1_338, 2_000])),
    ]);
    bench.edit("amount = \"amount\"", "amount = [\"pieces\", \"price\"]");
    // 4.014 rounds to 4.01 three times.
    assert_eq!(
        warned(&bench, "rounding rows"),
        [
            "rounding rows to amount_scale = 2 makes the total of orders/a.parquet 14.03 instead of 14.042000; amount_scale = 3 would keep it"
        ]
    );
}

#[test]
fn dates_that_stand_for_missing_ones_are_counted() {
    let at = |days: &[&'static str]| {
        let columns = [
            ("customer_id", ints(0..days.len() as i64)),
            ("ordered_at", dates(days.iter().copied())),
            ("amount", decimals(2, vec![100; days.len()])),
        ];
        bench(&columns)
    };
    let days = ["2024-05-05", "1970-01-01", "9999-12-31", "1970-01-01", "2023-01-01", "2024-01-01"];
    assert_eq!(
        warned(&at(&days), "not known"),
        [
            "2 rows of 1970-01-01 and 1 row of 9999-12-31 count as orders of that day, which often stands for a date that is not known; write null there, or leave such rows out with [[orders.keep]]"
        ]
    );
    assert_eq!(warned(&at(&["0001-01-01", "1900-01-01", "2024-01-01"]), "not known").len(), 1);
    assert_eq!(warned(&at(&["1970-01-02", "2000-01-01"]), "not known"), NONE);
    // A row that something else excludes has no date to tell of.
    let filtered = at(&days);
    filtered.append("[[orders.keep]]\ncolumn = \"customer_id\"\nnot_in = [1, 2, 3]");
    assert_eq!(warned(&filtered, "not known"), NONE);

    let far = |day| warned(&at(&[day, "2024-05-05", "2024-05-06"]), "40 years");
    assert_eq!(far("1984-05-06"), NONE);
    assert_eq!(
        far("1984-05-04"),
        [
            "1 customer ordered first more than 40 years apart from the median customer (2024-05-05), such as on 1984-05-04; look for wrong dates"
        ]
    );
    // Those that fill gaps are told of once.
    assert_eq!(far("1900-01-01"), NONE);
}

#[test]
fn tables_beside_the_orders_say_how_many_ids_have_one() {
    let bench = bench(&plain(ints([11, 12, 13, 14]), decimals(2, [100; 4])));
    let crm =
        |ids: &[i64]| bench.parquet("crm.parquet", &[("id", ints(ids.iter().copied())), ("limit", ints(ids.iter().copied()))]);
    bench.append("[customers]\npath = \"crm.parquet\"\ncustomer_id = \"id\"");
    crm(&[11, 12, 999]);
    let ran = bench.runs();
    assert!(ran.err.contains("\n  customers: 2 of 3 ids have an order (66.7 %)\n"), "{}", ran.err);
    assert!(!ran.err.contains("warning: customers"), "{}", ran.err);
    crm(&[1_001, 1_002, 1_003, 1_004, 11]);
    assert_eq!(
        warned(&bench, "customers: "),
        [
            "customers: 1 of 5 ids have an order (20.0 %); without one are 1001, 1002, 1003, and customers of orders whom the table lacks are 12, 13, 14: if they should be the same, write the ids of both alike"
        ]
    );
    let events = |ids: &[i64]| {
        let rows = ids.len();
        let columns =
            [("who", ints(ids.iter().copied())), ("what", texts(vec!["open"; rows])), ("at", dates(vec!["2024-06-01"; rows]))];
        bench.parquet("events.parquet", &columns);
    };
    bench.append("[events]\npath = \"events.parquet\"\ncustomer_id = \"who\"\nevent = \"what\"\nat = \"at\"");
    bench.edit("columns = [", "columns = [\"opens\", ");
    events(&[11, 11, 12, 1_001]);
    let ran = bench.runs();
    assert!(ran.err.contains("\n  events: 2 of 3 ids have an order (66.7 %)\n"), "{}", ran.err);
    events(&[1_001, 1_002, 14]);
    assert_eq!(
        warned(&bench, "events: "),
        [
            "events: 1 of 3 ids have an order (33.3 %); without one are 1001, 1002, and customers of orders whom the table lacks are 11, 12, 13: if they should be the same, write the ids of both alike"
        ]
    );
}

#[test]
fn the_console_names_what_became_of_rows() {
    let mut columns = plain(ints([Some(1), Some(2), None, Some(4), Some(5)]), decimals(2, [100_000, 200, 300, 400, 0]));
    columns[1].1 = dates(["2024-05-05", "2025-05-05", "2024-05-05", "2024-05-05", "2024-05-05"]);
    columns.push(("status", texts(["paid", "paid", "paid", "void", "paid"])));
    let bench = bench(&columns);
    bench.in_orders("zero_amount = \"drop\"");
    bench.append("[[orders.keep]]\ncolumn = \"status\"\nin = [\"paid\"]");
    let ran = bench.runs();
    let table = "
  rows that do not count  rows   share  money
  after_as_of                1  20.0 %   2.00
  no_customer                1  20.0 %   3.00
  zero                       1  20.0 %   0.00
  filtered:status            1  20.0 %   4.00
";
    assert!(ran.err.contains(table), "{}", ran.err);
    // Where all rows count, there is nothing to name.
    let all = self::bench(&plain(ints([1, 2]), decimals(2, [100, 200])));
    assert!(!all.runs().err.contains("rows that do not count"));
}
