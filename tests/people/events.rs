//! `[events]`: counts and rates per lookback, and the scheme `engagement`.

use std::collections::BTreeMap;

use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMicrosecondArray};

use crate::fixture::{Bench, dates, decimals, ints, orders_and, texts, with_ids};
use crate::support::cases::Rng;
use crate::support::run::{Cell, read_folder};

const SECTION: &str = "[events]\npath = \"events\"\ncustomer_id = \"customer\"\nevent = \"event\"\nat = \"at\"";
const ENGAGEMENT: &str = "[schemes]\nengagement = \"engagement\"";

/// Events of the good customers: of 1 every kind, of 2 an opening, of 3 one long ago, of 9 a click.
fn events() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("customer", ints([1, 1, 1, 1, 1, 2, 3, 9, 1])),
        ("event", texts(["sent", "Open", "CLICK", "converted", "redeemed", "opened", "bounce", "click", "click"])),
        (
            "at",
            dates([
                "2024-12-01",
                "2024-12-02",
                "2024-12-02",
                "2024-12-03",
                "2024-12-31",
                "2024-10-03",
                "2020-01-01",
                "2024-12-01",
                "2025-01-01",
            ]),
        ),
    ]
}

fn with_events() -> Bench {
    let bench = Bench::new();
    bench.parquet("events/a.parquet", &events());
    bench.append(&format!("{SECTION}\n{ENGAGEMENT}"));
    bench
}

/// Rows of `customers` by id: the named columns as text.
fn shown(bench: &Bench, columns: &[&str]) -> BTreeMap<i128, Vec<String>> {
    let table = read_folder(&bench.path("out/latest/customers"));
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::Int(n) => n.to_string(),
        Cell::Double(x) => x.to_string(),
        _ => "-".into(),
    };
    let row = |row: &Vec<Cell>| (row[0].int(), columns.iter().map(|c| text(&row[table.column(c)])).collect());
    table.rows.iter().map(row).collect()
}

#[test]
fn engagement_and_all_measures() {
    let bench = with_events();
    bench.edit(
        "path = \"out\"",
        "path = \"out\"\ncolumns = [\"engagement\", \"events\", \"sends\", \"opens\", \"clicks\", \"conversions\", \"responses\", \"open_rate\", \"click_rate\", \"conversion_rate\", \"events@30d\"]",
    );
    let ran = bench.runs();
    assert!(ran.err.contains("1 events do not count, because their customers have no order up to 2024-12-31"), "{}", ran.err);
    let rows = shown(
        &bench,
        &[
            "engagement",
            "events",
            "sends",
            "opens",
            "clicks",
            "conversions",
            "responses",
            "open_rate",
            "click_rate",
            "conversion_rate",
            "events@30d",
        ],
    );
    let want = [
        (1, "high 5 1 1 1 1 1 1 1 1 4"),
        (2, "medium 1 0 1 0 0 0 - - - 0"),
        (3, "low 1 0 0 0 0 0 - - - 0"),
        (4, "none 0 0 0 0 0 0 - - - 0"),
        (5, "none 0 0 0 0 0 0 - - - 0"),
    ];
    assert_eq!(
        rows.into_iter().map(|(id, row)| (id, row.join(" "))).collect::<Vec<_>>(),
        want.map(|(id, row)| (id, row.to_owned()))
    );
}

#[test]
fn people_without_orders_have_events() {
    let bench = with_events();
    bench.parquet("crm/a.parquet", &[("id", ints([1, 3, 8, 9]))]);
    bench.append("[customers]\npath = \"crm\"\ncustomer_id = \"id\"");
    let ran = bench.runs();
    assert!(!ran.err.contains("do not count"), "{}", ran.err);
    let rows = shown(&bench, &["engagement", "frequency", "clicks@90d"]);
    assert_eq!(rows[&9], ["high", "-", "1"]);
    assert_eq!(rows[&8], ["none", "-", "0"]);
    assert_eq!(rows[&5], ["none", "1", "0"]);
    // Who is left out of the population is known all the same.
    bench.edit("name = \"test\"", "name = \"test\"\npopulation = \"lookback\"");
    assert!(!bench.runs().err.contains("do not count"));
    assert_eq!(shown(&bench, &["engagement"]).len(), 5);
}

#[test]
fn instants_become_dates_of_the_orders_zone_or_their_own() {
    let bench = with_events();
    // 2024-10-03 06:00 UTC is 2024-10-02 in Los Angeles, a day too early for the last 90 days.
    let second = 1_727_935_200_000_000;
    let at = TimestampMicrosecondArray::from(vec![second]).with_timezone("UTC");
    let event = |at: ArrayRef| [("customer", ints([2])), ("event", texts(["open"])), ("at", at)];
    bench.parquet("events/a.parquet", &event(Arc::new(at.clone())));
    bench.runs();
    assert_eq!(shown(&bench, &["engagement"])[&2], ["medium"]);
    bench.in_orders("timezone = \"America/Los_Angeles\"");
    bench.succeeds(&["run", "job.toml", "--adopt"]);
    assert_eq!(shown(&bench, &["engagement"])[&2], ["low"]);
    bench.edit("at = \"at\"", "at = \"at\"\ntimezone = \"UTC\"");
    bench.runs();
    assert_eq!(shown(&bench, &["engagement"])[&2], ["medium"]);
    // A naive timestamp in UTC, looked at from Los Angeles.
    bench.edit("timezone = \"UTC\"", "naive_timezone = \"UTC\"");
    bench.parquet("events/a.parquet", &event(Arc::new(at.with_timezone_opt(None::<&str>))));
    bench.runs();
    assert_eq!(shown(&bench, &["engagement"])[&2], ["low"]);
}

/// An event as written.
#[derive(Clone)]
pub struct Event {
    customer: Option<i64>,
    kind: &'static str,
    date: String,
}

/// Random orders and events of 50 customers, and a table of customers 40 to 59; ids are numbers or text.
pub fn random(seed: u64, sliced: bool, text_ids: bool) -> (Bench, Vec<Event>) {
    let mut rng = Rng::new(seed);
    let bench = Bench::empty();
    let day = |rng: &mut Rng| format!("2024-{:02}-{:02}", rng.between(1, 12), rng.between(1, 28));
    let ids = |ids: Vec<Option<i64>>| -> ArrayRef {
        let names: Vec<Option<String>> = ids.iter().map(|id| id.map(|id| format!("c{id}"))).collect();
        if text_ids { texts(names.iter().map(Option::as_deref)) } else { ints(ids) }
    };
    let orders: Vec<i64> = (0..200).map(|_| rng.between(0, 49)).collect();
    let days: Vec<String> = orders.iter().map(|_| day(&mut rng)).collect();
    bench.parquet(
        "orders/a.parquet",
        &[
            ("customer_id", ids(orders.iter().map(|id| Some(*id)).collect())),
            ("ordered_at", dates(days.iter().map(String::as_str))),
            ("amount", decimals(2, orders.iter().map(|_| 100))),
            ("shop", texts(orders.iter().map(|id| if id % 3 == 0 { "a" } else { "b" }))),
        ],
    );
    bench.parquet("crm/a.parquet", &[("id", ids((40..60).map(Some).collect())), ("points", ints(40..60))]);
    let kinds = ["send", "open", "click", "convert", "redeem", "bounce"];
    let events: Vec<Event> = (0..600)
        .map(|_| Event {
            customer: if rng.chance(2) { None } else { Some(rng.between(0, 69)) },
            kind: rng.pick::<&str>(&kinds),
            date: day(&mut rng),
        })
        .collect();
    for (number, part) in events.chunks(250).enumerate() {
        bench.parquet(
            &format!("events/{number}.parquet"),
            &[
                ("customer", ids(part.iter().map(|e| e.customer).collect())),
                ("event", texts(part.iter().map(|e| e.kind))),
                ("at", dates(part.iter().map(|e| e.date.as_str()))),
            ],
        );
    }
    bench.write(
        "job.toml",
        format!(
            "name = \"test\"\n\n[orders]\npath = \"orders\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\namount = \"amount\"\n\n\
             [customers]\npath = \"crm\"\ncustomer_id = \"id\"\n\n{SECTION}\n\n\
             [periods]\nas_of = [2024-02-29, 2024-05-31, 2024-06-30, 2024-09-30, 2024-12-31]\n\n\
             [score]\nlookback = \"2 quarters\"\n[score.only]\n\"events@all\" = {{ min = 1 }}\n\n\
             {ENGAGEMENT}\nvalue = \"value_tier\"\n\n\
             [output]\npath = \"out\"\ncolumns = [\"events\", \"opens@90d\", \"clicks@all\", \"sends\", \"open_rate\", \"conversion_rate@all\", \"responses@30d\", \"r_score\", \"engagement\", \"points\"]\n"
        ),
    );
    if sliced {
        bench.in_orders("slice = \"shop\"");
    }
    (bench, events)
}

/// As-of dates, with the first days of two quarters, of 90 and of 30 days.
const DATES: [[&str; 4]; 5] = [
    ["2024-02-29", "2023-09-01", "2023-12-02", "2024-01-31"],
    ["2024-05-31", "2023-12-01", "2024-03-03", "2024-05-02"],
    ["2024-06-30", "2024-01-01", "2024-04-02", "2024-06-01"],
    ["2024-09-30", "2024-04-01", "2024-07-03", "2024-09-01"],
    ["2024-12-31", "2024-07-01", "2024-10-03", "2024-12-02"],
];

#[test]
fn counts_and_rates_equal_a_naive_count() {
    for (seed, sliced, text_ids) in [(1, false, false), (2, true, false), (3, false, true), (4, true, true)] {
        let (bench, events) = random(seed, sliced, text_ids);
        let ran = bench.runs();
        let mut listed: Vec<i64> = Vec::new();
        for [as_of, lookback, ninety, thirty] in DATES {
            let table = read_folder(&bench.path(&format!("out/latest/customers/as_of={as_of}")));
            let mut rates = 0;
            for row in &table.rows {
                let id: i64 = if text_ids { row[0].text()[1..].parse().expect("a number") } else { row[0].int() as i64 };
                listed.push(id);
                let row = &row[1 + usize::from(sliced)..];
                let count = |kind: &str, from: &str| {
                    let own = events.iter().filter(|e| e.customer == Some(id) && (kind.is_empty() || e.kind == kind));
                    own.filter(|e| e.date.as_str() >= from && e.date.as_str() <= as_of).count() as i128
                };
                let rate = |kind: &str, from: &str| match count("send", from) {
                    0 => Cell::Null,
                    sends => Cell::Double(count(kind, from) as f64 / sends as f64),
                };
                let state = match (count("click", ninety), count("open", ninety), count("", "")) {
                    (1.., _, _) => "high",
                    (_, 1.., _) => "medium",
                    (_, _, 1..) => "low",
                    _ => "none",
                };
                let want = [
                    Cell::Int(count("", lookback)),
                    Cell::Int(count("open", ninety)),
                    Cell::Int(count("click", "")),
                    Cell::Int(count("send", lookback)),
                    rate("open", lookback),
                    rate("convert", ""),
                    Cell::Int(count("redeem", thirty)),
                ];
                assert_eq!(row[..7], want, "seed {seed}: customer {id} at {as_of}");
                assert_eq!(row[8], Cell::Text(state.into()), "seed {seed}: customer {id} at {as_of}");
                // Only who has an event is scored, and of those who has ordered.
                assert!(count("", "") > 0 || row[7] == Cell::Null);
                rates += usize::from(matches!(row[4], Cell::Double(_)));
            }
            assert!(rates > 3 && table.rows.len() > 20);
        }
        // Everybody who orders is listed at the last date, and so is the table; nobody else is known.
        let unknown = events.iter().filter(|e| e.customer.is_some_and(|id| !listed.contains(&id))).count();
        let message = format!(
            "{unknown} events do not count, because their customers have no order up to 2024-12-31 and do not stand in the customers table"
        );
        assert!(unknown > 50 && ran.err.contains(&message), "{}", ran.err);
        let nobody = events.iter().filter(|e| e.customer.is_none()).count();
        assert!(
            ran.err.contains(&format!(
                "{nobody} rows of the events do not count, because they have no customer (column \"customer\")"
            ))
        );
    }
}

#[test]
fn many_dates_equal_one_date_each() {
    for (seed, sliced) in [(5, false), (6, true)] {
        let (bench, _) = random(seed, sliced, false);
        bench.runs();
        for [as_of, ..] in DATES {
            bench.succeeds(&["run", "job.toml", "--quiet", "--as-of", as_of, "--output", "one"]);
            let of = |output: &str| read_folder(&bench.path(&format!("{output}/latest/customers/as_of={as_of}")));
            assert_eq!(of("out").rows, of("one").rows, "at {as_of}");
        }
    }
}

#[test]
fn threads_and_the_order_of_events_make_no_difference() {
    let (bench, events) = random(7, true, true);
    bench.succeeds(&["run", "job.toml", "--threads", "1"]);
    let before = bench.table_hashes("out");
    let mut events = events;
    Rng::new(1).shuffle(&mut events);
    let ids: Vec<Option<String>> = events.iter().map(|e| e.customer.map(|id| format!("c{id}"))).collect();
    for number in 0..3 {
        std::fs::remove_file(bench.path(&format!("events/{number}.parquet"))).expect("a file");
    }
    bench.parquet(
        "events/z.parquet",
        &[
            ("customer", texts(ids.iter().map(Option::as_deref))),
            ("event", texts(events.iter().map(|e| e.kind))),
            ("at", dates(events.iter().map(|e| e.date.as_str()))),
        ],
    );
    bench.succeeds(&["run", "job.toml", "--threads", "3"]);
    assert_eq!(bench.table_hashes("out"), before);
}

#[test]
fn a_job_says_what_counts_as_what() {
    let bench = with_events();
    bench.append("[events.kinds]\nopens = [\"Bounce\", \"opened\"]\nclicks = [\"converted\"]");
    let ran = bench.runs();
    assert!(!ran.err.contains("counts as"), "{}", ran.err);
    let rows = shown(&bench, &["engagement", "opens@90d", "clicks@90d"]);
    assert_eq!(rows[&1], ["high", "0", "1"]);
    assert_eq!(rows[&2], ["medium", "1", "0"]);
    assert_eq!(rows[&3], ["low", "0", "0"]);
}

#[test]
fn kinds_that_nothing_counts_as_are_told() {
    let bench = with_events();
    bench.parquet(
        "events/a.parquet",
        &[
            ("customer", ints([1, 1, 2, 3])),
            ("event", texts(["klick", "bounce", "sent", "delivered"])),
            ("at", dates(["2024-12-01"; 4])),
        ],
    );
    let ran = bench.runs();
    for message in [
        "no event counts as opens (values of column \"event\" without a kind: \"bounce\", \"klick\"); say in [events.kinds] which do",
        "no event counts as clicks (values of column \"event\" without a kind: \"bounce\", \"klick\"); say in [events.kinds] which do",
        "\"delivered\", \"sent\" all count as sends; if one message has several of them, say in [events.kinds] which one counts",
    ] {
        assert!(ran.err.contains(message), "{}", ran.err);
    }
    assert!(!ran.err.contains("counts as responses"));
}

#[test]
fn rows_that_say_too_little_are_counted() {
    let bench = with_events();
    bench.parquet(
        "events/a.parquet",
        &[
            ("customer", ints([None, Some(1), Some(1), Some(2), None])),
            ("event", texts([Some("open"), None, Some("open"), Some("click"), None])),
            ("at", dates([Some("2024-12-01"), Some("2024-12-01"), None, Some("2024-12-01"), None])),
        ],
    );
    let err = bench.runs().err;
    for message in [
        "2 rows of the events do not count, because they have no customer (column \"customer\")",
        "1 rows of the events do not count, because they have no date (column \"at\")",
        "1 rows of the events do not count, because they have no event (column \"event\")",
    ] {
        assert!(err.contains(message), "{err}");
    }
    assert_eq!(shown(&bench, &["engagement"])[&1], ["none"]);
    assert_eq!(shown(&bench, &["engagement"])[&2], ["high"]);
}

#[test]
fn events_that_nothing_looks_at_are_not_read() {
    let bench = Bench::new();
    bench.parquet("events/a.parquet", &events());
    bench.append(SECTION);
    let ran = bench.runs();
    assert!(
        ran.err.contains(
            "the events are not read, because no scheme, column or score.only of the job looks at them; see the scheme engagement"
        ),
        "{}",
        ran.err
    );
    bench.parquet("events/a.parquet", &[("customer", ints([5])), ("event", texts(["x"])), ("at", dates(["2024-01-01"]))]);
    assert!(bench.succeeds(&["run", "job.toml"]).err.contains("already computed"));
    bench.append(ENGAGEMENT);
    bench.runs();
    assert!(bench.succeeds(&["run", "job.toml"]).err.contains("already computed"));
    bench.parquet("events/a.parquet", &events());
    assert!(!bench.succeeds(&["run", "job.toml"]).err.contains("already computed"));
}

#[test]
fn a_measure_of_events_needs_the_section() {
    let bench = Bench::with_run();
    bench.append(ENGAGEMENT);
    bench.refuses(2, "error: job.toml: events@all is asked for, but the job has no events; add a section [events] with path, customer_id, event and at.");
}

#[test]
fn columns_of_events_are_checked() {
    let bench = with_events();
    bench.edit("event = \"event\"", "event = \"evnt\"");
    bench.refuses(3, "error: job.toml, line 18, column 9: events.event names the column \"evnt\", which events/a.parquet does not have; did you mean \"event\"? (its columns are customer, event, at); name one of them.");
    let bench = with_events();
    bench.edit("at = \"at\"", "at = \"event\"");
    bench.refuses(3, "error: events/a.parquet: column \"event\" (events.at) is of type string; expected a date or a timestamp. Convert it where the file is written (duckdb -c \"COPY (SELECT * REPLACE (CAST(event AS TIMESTAMP) AS event) FROM 'events/a.parquet') TO 'converted.parquet'\"), or name another column.");
    let bench = with_events();
    bench.parquet("orders/a.parquet", &with_ids(texts(["a"; 8])));
    bench.refuses(3, "error: column \"customer\" (events.customer_id) is an integer, but the column of orders.customer_id is a string; write both with one type.");
    bench.refuses_command(&["check", "job.toml"], 3, "error: column \"customer\" (events.customer_id) is an integer, but the column of orders.customer_id is a string; write both with one type.");
    let bench = with_events();
    bench.edit("path = \"events\"", "path = \"events/*.csv\"");
    bench.refuses(4, "error: no file matches events/*.csv; check events.path (it is relative to the job file).");
    let bench = with_events();
    bench.edit("at = \"at\"", "at = \"at\"\ntimezone = \"Europe/Lodnon\"");
    bench.refuses(2, "error: job.toml, line 20, column 12: events.timezone is \"Europe/Lodnon\", which is no IANA time zone; did you mean \"Europe/London\"?; expected a name such as \"Europe/London\" or \"UTC\".");
    let bench = with_events();
    bench.edit("at = \"at\"", "");
    bench.refuses(2, "error: job.toml, line 15, column 1: the key \"at\" is missing; add it.");
}

#[test]
fn kinds_are_checked() {
    let bench = with_events();
    bench.append("[events.kinds]\nopnes = [\"open\"]");
    bench.refuses(2, "error: job.toml, line 24, column 1: events.kinds.opnes is a list, and no kind that every job has; did you mean \"opens\"? (those are sends, opens, clicks, conversions, responses); a kind of your own is a table, [events.kinds.opnes] with the list as in.");
    let bench = with_events();
    bench.append("[events.kinds]\nopens = [\"open\"]\nclicks = [\"click\", \"OPEN\"]");
    bench.refuses(2, "error: job.toml, line 25, column 1: events.kinds.clicks names \"OPEN\", which already counts as opens (upper and lower case are the same); an event is of one kind.");
    let bench = with_events();
    bench.append("[events.kinds]\nopens = []");
    bench.refuses(2, "error: job.toml, line 24, column 1: events.kinds.opens is an empty list; name at least one value of column \"event\", or leave the key out.");
}

#[test]
fn slices_share_the_events_of_a_customer() {
    let bench = with_events();
    bench.parquet("orders/a.parquet", &orders_and("shop", texts(["x", "y", "x", "y", "x", "y", "x", "y"])));
    bench.in_orders("slice = \"shop\"");
    bench.runs();
    let table = read_folder(&bench.path("out/latest/customers"));
    let (slice, state) = (table.column("slice"), table.column("engagement"));
    let of_first: Vec<(&str, &str)> =
        table.rows.iter().filter(|r| r[0].int() == 1).map(|r| (r[slice].text(), r[state].text())).collect();
    assert_eq!(of_first, [("x", "high"), ("y", "high")]);
}
