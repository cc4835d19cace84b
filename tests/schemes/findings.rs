//! Warnings about schemes and states, ladders that leave states out, and words for customers who may not be new.

use crate::fixture::{Bench, JOB, dates, decimals, ints, orders, texts};
use crate::support::run::{Cell, read_file, read_folder};

/// A job over one order each of these customers on these days, with these sections.
fn bench(orders: &[(i64, String)], sections: &str) -> Bench {
    let bench = Bench::empty();
    bench.write("job.toml", JOB);
    bench.append(sections);
    bench.parquet(
        "orders/a.parquet",
        &[
            ("customer_id", ints(orders.iter().map(|(customer, _)| *customer))),
            ("ordered_at", dates(orders.iter().map(|(_, day)| day.as_str()))),
            ("amount", decimals(2, orders.iter().zip(0i128..).map(|(_, at)| 1_000 + at * 10))),
        ],
    );
    bench
}

/// The warnings of a run that hold this.
fn warned(bench: &Bench, part: &str) -> Vec<String> {
    let said = bench.runs().err;
    let lines = said.lines().filter_map(|line| line.strip_prefix("warning: "));
    lines.filter(|line| line.contains(part)).map(str::to_owned).collect()
}

const NONE: [&str; 0] = [];

/// As many customers of one order each in December as told, and the others in July.
fn december(december: i64, july: i64) -> Vec<(i64, String)> {
    let in_december = (0..december).map(|n| (n, format!("2024-12-{:02}", n % 28 + 1)));
    in_december.chain((december..december + july).map(|n| (n, format!("2024-07-{:02}", n % 28 + 1)))).collect()
}

#[test]
fn a_state_with_nearly_everybody_is_warned_of() {
    let windows = "[schemes]\nlifecycle = \"recency_windows\"";
    // 61 and 60 of 100: over 60 % is a warning. All amounts differ, so that value_tier has tiers of 40, 40 and 20.
    assert_eq!(
        warned(&bench(&december(61, 39), windows), "in one state"),
        [
            "61 % of customers are in one state of \"lifecycle\", \"active\"; the built-in scheme \"value_tier\" would say more, with at most 40 % in one"
        ]
    );
    assert_eq!(warned(&bench(&december(60, 40), windows), "in one state"), NONE);
    // Of fewer than 100 customers nothing is said.
    assert_eq!(warned(&bench(&december(99, 0), windows), "in one state"), NONE);
    // A column of the job that says more is named before a scheme that the job lacks.
    let tiers = "[schemes]\nlifecycle = \"recency_windows\"\nvalue = \"value_tier\"\nbuyers = \"purchase_stage\"";
    assert_eq!(
        warned(&bench(&december(80, 40), tiers), "in one state"),
        [
            "67 % of customers are in one state of \"lifecycle\", \"active\"; the column \"value\" says more, with at most 40 % in one",
            "100 % of customers are in one state of \"buyers\", \"first\"; the column \"value\" says more, with at most 40 % in one",
        ]
    );
    // Where all are alike, nothing divides them.
    let alike = bench(&december(120, 0), windows);
    alike.parquet(
        "orders/a.parquet",
        &[("customer_id", ints(0..120)), ("ordered_at", dates(["2024-12-24"; 120])), ("amount", decimals(2, [500; 120]))],
    );
    assert_eq!(
        warned(&alike, "in one state"),
        [
            "100 % of customers are in one state of \"lifecycle\", \"active\"; neither recency_windows nor value_tier nor frequency_tier would divide them better"
        ]
    );
}

#[test]
fn ranges_of_the_job_and_schemes_of_two_states_are_their_own_affair() {
    let sections = "[schemes.level]\nuse = \"membership\"\n[schemes.level.rules]\ngold = { \"monetary@365d\" = { above = 1000 } }\n\
                    silver = { \"monetary@365d\" = { above = 500 } }\n\
                    [schemes.low]\nuse = \"low_value\"\n[schemes.low.rules]\nlow = { \"avg_order_value@365d\" = { below = 1000 } }";
    assert_eq!(warned(&bench(&december(120, 30), sections), "in one state"), NONE);
}

#[test]
fn nobody_is_loyal_before_a_year_of_data() {
    let loyalty = "[schemes]\nloyalty = \"loyalty\"\nstage = \"journey\"";
    let of = |first: &str| {
        let mut orders = december(5, 5);
        orders.push((99, first.into()));
        warned(&bench(&orders, loyalty), "yet: that takes")
    };
    assert_eq!(
        of("2024-01-02"),
        [
            "nobody can be \"loyal\" in \"loyalty\" yet: that takes 365 days since the first order, and the data begin on 2024-01-02, 364 days before 2024-12-31",
            "nobody can be \"mature\" in \"stage\" yet: that takes 365 days since the first order, and the data begin on 2024-01-02, 364 days before 2024-12-31",
        ]
    );
    assert_eq!(of("2024-01-01"), NONE);
}

#[test]
fn a_best_state_must_be_earned() {
    let scheme = |ladder: &str, rules: &str| {
        let bench = bench(&december(3, 3), "[schemes]\nmine = \"mine.toml\"");
        bench.write(
            "mine.toml",
            format!(
                "name = \"mine\"\nladder = {ladder}\n[[states]]\nname = \"good\"\n[[states]]\nname = \"poor\"\n[[states]]\nname = \"odd\"\n{rules}"
            ),
        );
        warned(&bench, "scheme \"mine\"")
    };
    let rule = |state: &str, when: &str| {
        let when = if when.is_empty() { String::new() } else { format!("when = {{ {when} }}\n") };
        format!("[[rules]]\nstate = \"{state}\"\n{when}")
    };
    let [earned, poor, odd] = [rule("good", "recency_days = [0, 30]"), rule("poor", "recency_days = [0, 90]"), rule("odd", "")];
    let all = "[\"good\", \"poor\", \"odd\"]";
    assert_eq!(scheme(all, &[&*earned, &poor, &odd].concat()), NONE);
    assert_eq!(
        scheme(all, &[&*poor, &rule("odd", "recency_days = [0, 180]"), &rule("good", "")].concat()),
        [
            "scheme \"mine\": its best state \"good\" takes customers whom no other rule matches; say in its rule what they must have done, and let another state take these"
        ]
    );
    assert_eq!(
        scheme(all, &[&*rule("good", "overdue_ratio = { is_null = true }"), &poor, &odd].concat()),
        [
            "scheme \"mine\": its best state \"good\" takes customers of whom a measure is not known; say in its rule what they must have done, and let another state take these"
        ]
    );
    // Without a ladder there is no best state; and off the ladder, a state may take the rest.
    let rest = [&*poor, &rule("odd", "recency_days = [0, 180]"), &rule("good", "")].concat();
    assert_eq!(scheme("[]", &rest), NONE);
    assert_eq!(scheme("[\"poor\", \"odd\"]", &rest), NONE);
}

#[test]
fn states_off_the_ladder_have_no_rank() {
    let bench = bench(&december(5, 5), "[schemes]\nwarning = \"churn_warning\"");
    bench.runs();
    let states = read_file(&bench.path("out/latest/dim_state.parquet"));
    let ranks: Vec<(String, Option<i128>)> = (states.records().iter())
        .map(|row| (row["state"].text().to_owned(), (*row["rank"] != Cell::Null).then(|| row["rank"].int())))
        .collect();
    let ladder = ["on_time", "due", "slowing", "late", "at_risk", "gone"].iter().zip(1..).map(|(name, rank)| (*name, Some(rank)));
    let others = ["unknown", "(unscored)", "(none)"].map(|name| (name, None));
    let expected: Vec<(String, Option<i128>)> = ladder.chain(others).map(|(name, rank)| (name.to_owned(), rank)).collect();
    assert_eq!(ranks, expected);
    // One order each: no gap to go by.
    let segments = read_file(&bench.path("out/latest/segments.parquet"));
    assert_eq!(segments.records().iter().map(|row| row["state"].text()).collect::<Vec<_>>(), ["unknown"]);
}

#[test]
fn a_last_rule_does_not_take_people_without_orders() {
    let bench = Bench::new();
    bench.parquet("crm/a.parquet", &[("id", ints([1, 77])), ("name", texts(["a", "b"]))]);
    let schemes = ["cadence", "journey", "churn_warning", "simple_lifecycle", "purchase_stage", "loyalty", "discount_only"];
    let lines: String = schemes.iter().filter(|s| **s != "discount_only").map(|s| format!("{s} = \"{s}\"\n")).collect();
    bench.append(&format!("[customers]\npath = \"crm\"\ncustomer_id = \"id\"\n[schemes]\n{lines}"));
    bench.runs();
    let table = read_folder(&bench.path("out/latest/customers"));
    let records = table.records();
    let never = records.iter().find(|row| row["customer_id"].int() == 77).expect("a person without orders");
    let states = schemes[..6].iter().map(|scheme| never[scheme].text());
    assert_eq!(states.collect::<Vec<_>>(), ["(none)", "(none)", "unknown", "prospect", "prospect", "(none)"]);
}

/// Quarters of 2024, with orders from the first of January on and customers who come in each quarter.
fn quarters(history_begins: &str, first: &str) -> Bench {
    let mut orders: Vec<(i64, String)> = Vec::new();
    for (at, day) in ["2024-02-01", "2024-05-01", "2024-08-01", "2024-11-20"].iter().enumerate() {
        orders.extend((0..5).map(|n| (10 * at as i64 + n, (*day).to_owned())));
    }
    orders.push((99, first.into()));
    let bench = bench(&orders, "[schemes]\nstage = \"journey\"\nmove = \"activity\"");
    bench.edit("as_of = [2024-12-31]", "every = \"quarter\"\nfrom = 2024-01-01\nto = 2024-12-31");
    bench.edit("path = \"out\"\n", "path = \"out\"\nreport = [\"html\", \"json\"]\n");
    if !history_begins.is_empty() {
        bench.in_orders(&format!("history_begins = {history_begins}"));
    }
    bench
}

/// Labels of states whose label speaks of first orders, and per date whether new customers are first seen.
fn words(bench: &Bench) -> (Vec<String>, Vec<Cell>) {
    let states = read_file(&bench.path("out/latest/dim_state.parquet"));
    let news = states
        .records()
        .iter()
        .filter(|row| row["state"].text() == "new")
        .map(|row| format!("{} {} {:?}", row["label_en"].text(), row["label_zh_hans"].text(), row["is_first_seen"]))
        .collect();
    let periods = read_file(&bench.path("out/latest/dim_period.parquet"));
    (news, periods.records().iter().map(|row| row["new_is_first_seen"].clone()).collect())
}

fn page(bench: &Bench) -> String {
    String::from_utf8(bench.read("out/latest/report/index.html")).unwrap()
}

#[test]
fn customers_of_young_data_are_first_seen() {
    // The data begin on 2024-01-01: whoever is new in 2024 may have ordered in 2023.
    let young = quarters("", "2024-01-01");
    young.runs();
    let first_seen = "First seen 首次出现 Bool(true)";
    assert_eq!(words(&young), (vec![first_seen.into(), first_seen.into()], vec![Cell::Bool(true); 4]));
    let text = page(&young);
    assert!(text.contains("<b>5</b> are first seen in the data") && !text.contains("bought for the first time"), "{text}");
    assert!(text.contains("First seen are customers whose first order in the data is less than 365 days after the data begin"));

    // They begin 366 days before the last quarter does, so its new customers are new, and those of its last 90 days, too.
    let old = quarters("", "2023-10-01");
    old.runs();
    let [new, is_new] = ["New 新客户 Bool(false)", "new 新增 Bool(false)"];
    assert_eq!(words(&old), (vec![new.into(), is_new.into()], [true, true, true, false].map(Cell::Bool).to_vec()));
    assert!(page(&old).contains("<b>5</b> bought for the first time"));

    // If they begin 364 days before it, its first customers are not known to be new.
    let almost = quarters("", "2023-10-03");
    almost.runs();
    assert_eq!(words(&almost).1, vec![Cell::Bool(true); 4]);
}

#[test]
fn the_job_can_say_that_nothing_was_before() {
    let bench = quarters("2024-01-01", "2024-01-01");
    bench.append("[score]\nlookback = \"4 quarters\"");
    let said = bench.runs().err;
    assert!(!said.contains("the data begin on") || said.contains("yet: that takes"), "{said}");
    let (labels, first_seen) = words(&bench);
    assert!(labels.iter().all(|label| label.ends_with("Bool(false)")), "{labels:?}");
    assert_eq!(first_seen, vec![Cell::Bool(false); 4]);
    let periods = read_file(&bench.path("out/latest/dim_period.parquet"));
    assert!(periods.records().iter().all(|row| *row["history_complete"] == Cell::Bool(true)));
    assert!(page(&bench).contains("bought for the first time") && !page(&bench).contains("irst seen"));

    // Orders before that day say otherwise.
    let wrong = quarters("2024-01-01", "2023-12-31");
    assert_eq!(
        warned(&wrong, "history_begins"),
        [
            "orders.history_begins says that there were no orders before 2024-01-01, but the first is of 2023-12-31, so it does not count; give the day on which orders began, or leave the key out"
        ]
    );
    assert_eq!(words(&wrong).1, vec![Cell::Bool(true); 4]);

    let no_date = Bench::new();
    no_date.parquet("orders/a.parquet", &orders());
    no_date.in_orders("history_begins = \"last year\"");
    no_date.refuses(2, "error: job.toml, line …: orders.history_begins is \"last year\"; expected a date such as 2024-12-31.");
}
