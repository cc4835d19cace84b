//! Words of the console and of the page: money of one currency, and names for who was not there before.

use crate::fixture::{Bench, dates, decimals, ints, texts};

#[test]
fn the_console_adds_no_money_of_two_slices() {
    let bench = Bench::new();
    bench.parquet(
        "orders/a.parquet",
        &[
            ("customer_id", ints([1, 2, 3, 3, 4])),
            ("ordered_at", dates(["2024-12-01"; 5])),
            ("amount", decimals(2, [1_000, 1_000, 1_050, 500, 700])),
            ("currency", texts(["EUR", "EUR", "EUR", "CHF", "CHF"])),
        ],
    );
    bench.in_orders("slice = \"currency\"");
    bench.append("[schemes]\nlifecycle = \"recency_windows\"");
    let said = bench.runs().err;
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    let table = lines.iter().position(|line| line.starts_with(&["lifecycle", "at", "2024-12-31", "in", "EUR"])).expect("a table");
    assert_eq!(lines[table + 1], ["active", "3", "100.0", "%", "30.50", "100.0", "%"]);
    assert!(said.contains("\n  EUR is the slice with most customers; the table segments has every slice\n"), "{said}");
    assert!(!said.contains("42.50"), "euros and francs are one sum: {said}");
}

#[test]
fn who_was_not_there_before_has_a_name_and_no_number() {
    let bench = Bench::new();
    bench.edit("as_of = [2024-12-31]", "as_of = [2024-06-30, 2024-12-31]");
    bench.edit("path = \"out\"", "path = \"out\"\nreport = [\"html\"]");
    // What people read: charts name their shapes by states, in attributes.
    let shown = || {
        bench.runs();
        let page = String::from_utf8(bench.read("out/latest/report/index.html")).unwrap();
        page.split('>').filter_map(|piece| piece.split('<').next()).collect::<Vec<_>>().join("|")
    };
    // The data begin in January 2024, so who comes in its second half may have ordered before.
    let young = shown();
    assert!(young.contains("|First seen|") && !young.contains("New customers"), "{young}");
    bench.in_orders("history_begins = 2024-01-01");
    let known = shown();
    assert!(known.contains("|New customers|") && !known.contains("First seen"), "{known}");
    assert!(![young, known].iter().any(|page| page.contains("(none)")));
}
