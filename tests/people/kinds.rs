//! `[events.kinds.<kind>]`: kinds of events with values, held against a plain loop over all events.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMillisecondArray};

use crate::fixture::{Bench, dates, decimals, floats, ints, orders_and, orders_but, texts};
use crate::support::cases::Rng;
use crate::support::run::{Cell, read_folder};

const SECTION: &str = "[events]\npath = \"events\"\ncustomer_id = \"customer\"\nevent = \"event\"\nat = \"at\"";

const KINDS: &str = "
[events.kinds.ticket]
in = [\"Ticket\", \"complaint\"]
value = \"cost\"

[events.kinds.survey]
value = \"score\"
scale = 0

[events.kinds.redemption]
value = \"points\"
scale = 3

[events.kinds.visit]

[events.kinds.responses]
value = \"cost\"
scale = 1
";

/// Two classes by values of events.
const CARE: &str = "
name = \"care\"
summary = \"Who costs, and who is content.\"
source = \"a test\"

[[states]]
name = \"costly\"
definition = \"Tickets of the last 90 days cost more than 20.\"

[[states]]
name = \"content\"
definition = \"The last answer is 8 or more.\"

[[states]]
name = \"silent\"
definition = \"Has never answered.\"

[[states]]
name = \"other\"
definition = \"Everybody else.\"

[[rules]]
state = \"costly\"
when = { \"ticket_sum@90d\" = { above = 20 } }

[[rules]]
state = \"content\"
when = { \"survey_last@all\" = { min = 8 } }

[[rules]]
state = \"silent\"
when = { \"survey_mean@all\" = { is_null = true } }

[[rules]]
state = \"other\"
";

const COLUMNS: [&str; 13] = [
    "ticket_count",
    "ticket_sum@90d",
    "ticket_last@all",
    "ticket_mean",
    "survey_count@all",
    "survey_last",
    "survey_mean@all",
    "redemption_sum",
    "redemption_last@30d",
    "visit_count@30d",
    "responses_mean@all",
    "responses",
    "events",
];

/// As-of dates, with the first days of two quarters, of 90 and of 30 days.
const DATES: [[&str; 4]; 4] = [
    ["2024-02-29", "2023-09-01", "2023-12-02", "2024-01-31"],
    ["2024-06-30", "2024-01-01", "2024-04-02", "2024-06-01"],
    ["2024-09-30", "2024-04-01", "2024-07-03", "2024-09-01"],
    ["2024-11-30", "2024-06-01", "2024-09-02", "2024-11-01"],
];

/// An event as written. Values are in thousandths, `None` is null.
#[derive(Clone)]
struct Event {
    customer: Option<i64>,
    name: &'static str,
    date: String,
    /// Milliseconds of the day.
    time: i64,
    /// Whether the cost is written as a float.
    is_float: bool,
    cost: Option<i64>,
    score: Option<i64>,
    points: Option<i64>,
}

/// How the events are written.
#[derive(Clone, Copy)]
struct Form {
    sliced: bool,
    text_ids: bool,
    with_times: bool,
}

/// A number rounded half to even from thousandths to some digits behind the point.
fn rounded(thousandths: i64, digits: u32) -> i64 {
    let unit = 10_i64.pow(3 - digits);
    let (down, rest) = (thousandths.div_euclid(unit), thousandths.rem_euclid(unit));
    match (2 * rest).cmp(&unit) {
        std::cmp::Ordering::Less => down,
        std::cmp::Ordering::Equal => down + down.rem_euclid(2),
        std::cmp::Ordering::Greater => down + 1,
    }
}

/// The cost of an event with some digits behind the point: a decimal exactly, a float as its product with a power of ten.
fn cost(event: &Event, digits: u32) -> Option<i64> {
    let cost = event.cost?;
    match event.is_float {
        true => Some((cost as f64 / 1000.0 * f64::from(10_u32.pow(digits))).round_ties_even() as i64),
        false => Some(rounded(cost, digits)),
    }
}

/// A quotient rounded half to even.
fn divided(sum: i128, count: i128) -> i128 {
    let (down, rest) = (sum.div_euclid(count), sum.rem_euclid(count));
    match (2 * rest).cmp(&count) {
        std::cmp::Ordering::Less => down,
        std::cmp::Ordering::Equal => down + down.rem_euclid(2),
        std::cmp::Ordering::Greater => down + 1,
    }
}

fn day_of(date: &str) -> i64 {
    let date: jiff::civil::Date = date.parse().expect("a date");
    i64::from((date - jiff::civil::Date::constant(1970, 1, 1)).get_days())
}

fn ids(ids: impl Iterator<Item = Option<i64>>, text_ids: bool) -> ArrayRef {
    let names: Vec<Option<String>> = ids.map(|id| id.map(|id| format!("c{id}"))).collect();
    match text_ids {
        true => texts(names.iter().map(Option::as_deref)),
        false => ints(names.iter().map(|name| name.as_ref().map(|name| name[1..].parse().expect("a number")))),
    }
}

/// Writes events into a file; costs are decimals, or floats with NaN for null.
fn write_events(bench: &Bench, name: &str, events: &[Event], form: Form, as_floats: bool) {
    let at: ArrayRef = match form.with_times {
        true => Arc::new(TimestampMillisecondArray::from_iter_values(
            events.iter().map(|event| day_of(&event.date) * 86_400_000 + event.time),
        )),
        false => dates(events.iter().map(|event| event.date.as_str())),
    };
    let cost = match as_floats {
        true => floats(events.iter().map(|event| event.cost.map_or(f64::NAN, |cost| cost as f64 / 1000.0))),
        false => decimals(3, events.iter().map(|event| event.cost.map(i128::from))),
    };
    bench.parquet(
        name,
        &[
            ("customer", ids(events.iter().map(|event| event.customer), form.text_ids)),
            ("cost", cost),
            ("event", texts(events.iter().map(|event| event.name))),
            ("score", ints(events.iter().map(|event| event.score))),
            ("at", at),
            ("points", decimals(3, events.iter().map(|event| event.points.map(i128::from)))),
        ],
    );
}

/// Random orders of 50 customers, a table of customers 40 to 59, and events of 70 in two files: several kinds, values with more digits
/// than others may have, negative ones, nulls, and events after the last date.
fn random(seed: u64, form: Form) -> (Bench, Vec<Event>) {
    let mut rng = Rng::new(seed);
    let bench = Bench::empty();
    let day = |rng: &mut Rng| format!("2024-{:02}-{:02}", rng.between(1, 12), rng.between(1, 28));
    let orders: Vec<i64> = (0..200).map(|_| rng.between(0, 49)).collect();
    let days: Vec<String> = orders.iter().map(|_| day(&mut rng)).collect();
    bench.parquet(
        "orders/a.parquet",
        &[
            ("customer_id", ids(orders.iter().map(|id| Some(*id)), form.text_ids)),
            ("ordered_at", dates(days.iter().map(String::as_str))),
            ("amount", decimals(2, orders.iter().map(|_| 100))),
            ("shop", texts(orders.iter().map(|id| if id % 3 == 0 { "a" } else { "b" }))),
        ],
    );
    bench.parquet("crm/a.parquet", &[("id", ids((40..60).map(Some), form.text_ids)), ("branch", ints(40..60))]);
    let names = ["ticket", "TICKET", "Complaint", "survey", "redemption", "redeem", "visit", "open", "bounce"];
    let events = (0..900).map(|number| {
        let (name, date) = (*rng.pick::<&str>(&names), day(&mut rng));
        // The first file has decimals, whose digits beyond the scale are refused where they count; floats are rounded.
        let as_floats = number >= 500;
        let is_ticket = ["ticket", "complaint"].contains(&name.to_lowercase().as_str());
        let counts = |is_kind: bool| is_kind && date.as_str() <= "2024-11-30";
        let unit = match (as_floats, counts(is_ticket), counts(name == "redeem")) {
            (false, true, _) => 10,
            (false, _, true) => 100,
            _ => 1,
        };
        Event {
            customer: if rng.chance(2) { None } else { Some(rng.between(0, 69)) },
            time: if rng.chance(30) { 0 } else { rng.between(0, 86_399_999) },
            is_float: as_floats,
            cost: if rng.chance(20) { None } else { Some(rng.between(-2_000, 20_000) / unit * unit) },
            score: if rng.chance(20) { None } else { Some(rng.between(0, 10)) },
            points: if rng.chance(20) { None } else { Some(rng.between(-5_000_000, 5_000_000)) },
            name,
            date,
        }
    });
    let events: Vec<Event> = events.collect();
    write_events(&bench, "events/a.parquet", &events[..500], form, false);
    write_events(&bench, "events/b.parquet", &events[500..], form, true);
    bench.write("care.toml", CARE);
    let columns = COLUMNS.iter().map(|name| format!("{name:?}, ")).collect::<String>();
    bench.write(
        "job.toml",
        format!(
            "name = \"test\"\n\n[orders]\npath = \"orders\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\namount = \"amount\"\n\n\
             [customers]\npath = \"crm\"\ncustomer_id = \"id\"\n\n{SECTION}\n{KINDS}\n\
             [periods]\nas_of = [2024-02-29, 2024-06-30, 2024-09-30, 2024-11-30]\n\n\
             [score]\nlookback = \"2 quarters\"\n[score.only]\n\"ticket_mean@all\" = {{ min = 9.5 }}\n\n\
             [schemes]\ncare = \"care.toml\"\nvalue = \"value_tier\"\n\n\
             [output]\npath = \"out\"\ncolumns = [{columns}\"care\", \"r_score\", \"frequency\"]\n"
        ),
    );
    if form.sliced {
        bench.in_orders("slice = \"shop\"");
    }
    (bench, events)
}

/// What a plain loop finds of the events of a customer at a date.
struct Plain<'a> {
    events: Vec<&'a Event>,
    as_of: &'a str,
    with_times: bool,
}

impl Plain<'_> {
    fn of(&self, names: &[&str], from: &str) -> Vec<&Event> {
        let is_kind = |event: &&&Event| names.is_empty() || names.iter().any(|name| event.name.eq_ignore_ascii_case(name));
        let in_days = |event: &&&Event| event.date.as_str() >= from && event.date.as_str() <= self.as_of;
        self.events.iter().filter(is_kind).filter(in_days).copied().collect()
    }

    fn count(&self, names: &[&str], from: &str) -> i128 {
        self.of(names, from).len() as i128
    }

    /// Times and values.
    fn values(&self, names: &[&str], from: &str, value: impl Fn(&Event) -> Option<i64>) -> Vec<(&str, i64, i64)> {
        let time = |event: &Event| if self.with_times { event.time } else { 0 };
        let all = self.of(names, from).into_iter();
        all.filter_map(|event| Some((event.date.as_str(), time(event), value(event)?))).collect()
    }
}

fn sum(values: &[(&str, i64, i64)], scale: i8) -> Cell {
    Cell::Decimal(values.iter().map(|value| i128::from(value.2)).sum(), scale)
}

fn last(values: &[(&str, i64, i64)], scale: i8) -> Cell {
    values.iter().max().map_or(Cell::Null, |value| Cell::Decimal(i128::from(value.2), scale))
}

fn mean(values: &[(&str, i64, i64)], scale: i8) -> Cell {
    match values.len() as i128 {
        0 => Cell::Null,
        count => Cell::Decimal(divided(values.iter().map(|value| 100 * i128::from(value.2)).sum(), count), scale + 2),
    }
}

const TICKETS: [&str; 2] = ["ticket", "complaint"];

/// The measures of [`COLUMNS`] and the state.
fn wanted(plain: &Plain<'_>, [lookback, ninety, thirty]: [&str; 3]) -> (Vec<Cell>, &'static str, Option<i128>) {
    let tickets = |from: &str| plain.values(&TICKETS, from, |event| cost(event, 2));
    let surveys = |from: &str| plain.values(&["survey"], from, |event| event.score);
    let redemptions = |from: &str| plain.values(&["redemption"], from, |event| event.points);
    let cells = vec![
        Cell::Int(plain.count(&TICKETS, lookback)),
        sum(&tickets(ninety), 2),
        last(&tickets(""), 2),
        mean(&tickets(lookback), 2),
        Cell::Int(plain.count(&["survey"], "")),
        last(&surveys(lookback), 0),
        mean(&surveys(""), 0),
        sum(&redemptions(lookback), 3),
        last(&redemptions(thirty), 3),
        Cell::Int(plain.count(&["visit"], thirty)),
        mean(&plain.values(&["redeem"], "", |event| cost(event, 1)), 1),
        Cell::Int(plain.count(&["redeem"], lookback)),
        Cell::Int(plain.count(&[], lookback)),
    ];
    let state = match (cells[1].minor(), last(&surveys(""), 0)) {
        (2001.., _) => "costly",
        (_, Cell::Decimal(8.., _)) => "content",
        (_, Cell::Null) => "silent",
        _ => "other",
    };
    let mean_cost = match mean(&tickets(""), 2) {
        Cell::Decimal(cost, _) => Some(cost),
        _ => None,
    };
    (cells, state, mean_cost)
}

#[test]
fn measures_of_values_equal_a_naive_loop() {
    for seed in 0..8_u64 {
        let form = Form { sliced: seed % 2 == 1, text_ids: seed % 4 > 1, with_times: seed > 3 };
        let (bench, events) = random(seed, form);
        let ran = bench.runs();
        assert!(!ran.err.contains("no event counts as"), "{}", ran.err);
        let (mut states, mut nulls, mut scored) = (std::collections::BTreeSet::new(), 0, 0);
        for [as_of, windows @ ..] in DATES {
            let table = read_folder(&bench.path(&format!("out/latest/customers/as_of={as_of}")));
            assert!(table.rows.len() > 20, "seed {seed}");
            for row in &table.rows {
                let id: i64 = if form.text_ids { row[0].text()[1..].parse().expect("a number") } else { row[0].int() as i64 };
                let events = events.iter().filter(|event| event.customer == Some(id)).collect();
                let plain = Plain { events, as_of, with_times: form.with_times };
                let (want, state, mean_cost) = wanted(&plain, windows);
                let row = &row[1 + usize::from(form.sliced)..];
                for (column, (found, want)) in COLUMNS.iter().zip(row.iter().zip(&want)) {
                    assert_eq!(found, want, "seed {seed}: {column} of customer {id} at {as_of}");
                }
                assert_eq!(row[COLUMNS.len()], Cell::Text(state.into()), "seed {seed}: customer {id} at {as_of}");
                // Who has not ordered is never scored.
                let is_scored = mean_cost.is_some_and(|cost| cost >= 95_000) && row[COLUMNS.len() + 2] != Cell::Null;
                assert_eq!(row[COLUMNS.len() + 1] != Cell::Null, is_scored, "seed {seed}: customer {id} at {as_of}");
                states.insert(state);
                nulls += want.iter().filter(|cell| **cell == Cell::Null).count();
                scored += usize::from(is_scored);
            }
        }
        assert!(states.len() == 4 && nulls > 100 && scored > 10, "seed {seed}: {states:?}, {nulls} nulls, {scored} scored");
    }
}

/// Threads, the order of rows, and files make no difference, nor do stages under a limit of memory.
#[test]
fn values_are_the_same_however_events_lie() {
    for seed in 20..26 {
        let form = Form { sliced: seed % 2 == 0, text_ids: seed % 3 == 0, with_times: seed % 4 < 2 };
        let (bench, events) = random(seed, form);
        bench.succeeds(&["run", "job.toml", "--threads", "1"]);
        let before = bench.table_hashes("out");
        let stages = ["run", "job.toml", "--part-rows", "9", "--memory-limit", "400MiB", "-o", "alone"];
        bench.succeeds(&stages);
        bench.succeeds(&[&stages[..7], &["staged", "--shards", "3", "--work", "work"]].concat());
        assert_eq!(bench.table_hashes("staged"), bench.table_hashes("alone"), "seed {seed}");
        let (mut decimals, mut floats) = (events[..500].to_vec(), events[500..].to_vec());
        Rng::new(seed).shuffle(&mut decimals);
        Rng::new(seed).shuffle(&mut floats);
        std::fs::remove_file(bench.path("events/a.parquet")).expect("a file");
        write_events(&bench, "events/b.parquet", &floats, form, true);
        write_events(&bench, "events/c.parquet", &decimals[..200], form, false);
        write_events(&bench, "events/d.parquet", &decimals[200..], form, false);
        bench.succeeds(&["run", "job.toml", "--threads", "3"]);
        assert_eq!(bench.table_hashes("out"), before, "seed {seed}");
    }
}

/// The last value is that of the latest time; of equal times, as dates have, it is the largest.
#[test]
fn the_last_value_is_that_of_the_latest_time() {
    let bench = Bench::new();
    bench.append(&format!("{SECTION}\n[events.kinds.survey]\nvalue = \"score\"\nscale = 0"));
    bench.edit("path = \"out\"", "path = \"out\"\ncolumns = [\"survey_last\"]");
    let event = |at: ArrayRef| {
        [("customer", ints([1, 1, 1])), ("event", texts(["survey"; 3])), ("at", at), ("score", ints([Some(7), Some(3), None]))]
    };
    let last = || read_folder(&bench.path("out/latest/customers")).rows[0][1].clone();
    let noon = day_of("2024-12-01") * 86_400_000 + 43_200_000;
    bench.parquet("events/a.parquet", &event(Arc::new(TimestampMillisecondArray::from(vec![noon, noon + 1, noon + 2]))));
    bench.runs();
    assert_eq!(last(), Cell::Decimal(3, 0));
    bench.parquet("events/a.parquet", &event(Arc::new(TimestampMillisecondArray::from(vec![noon, noon, noon]))));
    bench.runs();
    assert_eq!(last(), Cell::Decimal(7, 0));
    bench.parquet("events/a.parquet", &event(dates(["2024-12-01", "2024-12-02", "2024-12-03"])));
    bench.runs();
    assert_eq!(last(), Cell::Decimal(3, 0));
}

/// What the rows of `segments` of a scheme show of service: margin, cost to serve, contribution, answers and their mean.
fn service_of(bench: &Bench, as_of: &str, scheme: &str) -> BTreeMap<(String, String), [Cell; 5]> {
    let table = read_folder(&bench.path(&format!("out/latest/partitions/segments/as_of={as_of}")));
    let rows = table.records();
    let own = rows.iter().filter(|row| row["scheme"].text() == scheme && row["dimension"].text() == "(all)");
    let columns = ["margin", "cost_to_serve", "contribution", "answers", "satisfaction"];
    own.map(|row| {
        let key = (row["slice"].text().to_owned(), row["state"].text().to_owned());
        (key, columns.map(|column| row[column].clone()))
    })
    .collect()
}

/// Cost to serve, the margin before and after it, and satisfaction by state, held against sums over events and orders of the
/// customers whom the table of customers places there.
#[test]
fn segments_show_what_serving_customers_cost() {
    let mut contents = 0;
    for seed in 40..46_u64 {
        let form = Form { sliced: seed % 2 == 1, text_ids: seed % 3 == 1, with_times: seed % 4 > 1 };
        let (bench, events) = random(seed, form);
        bench.edit("in = [\"Ticket\", \"complaint\"]\n", "in = [\"Ticket\", \"complaint\"]\ncost_to_serve = true\n");
        bench.edit("value = \"score\"\n", "value = \"score\"\nsatisfaction = true\n");
        bench.edit("columns = [", "columns = [\"cost_to_serve\", \"margin\", ");
        // Every third job knows no costs of orders.
        let has_costs = seed % 3 != 0;
        match has_costs {
            true => bench.in_orders("cost = \"amount\""),
            false => bench.edit("\"margin\", ", ""),
        };
        bench.runs();
        for [as_of, lookback, ..] in DATES {
            let table = read_folder(&bench.path(&format!("out/latest/customers/as_of={as_of}")));
            let mut wanted: BTreeMap<(String, String), (i128, i128, i128)> = BTreeMap::new();
            for row in table.records() {
                let id = row["customer_id"];
                let id: i64 = if form.text_ids { id.text()[1..].parse().expect("a number") } else { id.int() as i64 };
                let plain = Plain {
                    events: events.iter().filter(|event| event.customer == Some(id)).collect(),
                    as_of,
                    with_times: form.with_times,
                };
                let costs = plain.values(&TICKETS, lookback, |event| cost(event, 2));
                let served: i128 = costs.iter().map(|value| i128::from(value.2)).sum();
                assert_eq!(*row["cost_to_serve"], Cell::Decimal(served, 2), "seed {seed}: customer {id} at {as_of}");
                let answer = last(&plain.values(&["survey"], lookback, |event| event.score), 0);
                let slice = match row.get("slice").copied() {
                    None => "(all)",
                    Some(Cell::Text(slice)) => slice.as_str(),
                    Some(_) => "(none)",
                };
                let sums = wanted.entry((slice.to_owned(), row["care"].text().to_owned())).or_default();
                sums.0 += served;
                if let Cell::Decimal(answer, _) = answer {
                    sums.1 += 1;
                    sums.2 += answer;
                }
            }
            let found = service_of(&bench, as_of, "care");
            assert_eq!(found.len(), wanted.len(), "seed {seed} at {as_of}");
            for (state, (cost, answers, sum)) in wanted {
                // The goods of these orders cost what they bring.
                let margin = if has_costs { Cell::Decimal(0, 2) } else { Cell::Null };
                let contribution = if has_costs { Cell::Decimal(-cost, 2) } else { Cell::Null };
                let mean = if answers == 0 { Cell::Null } else { Cell::Double(sum as f64 / answers as f64) };
                contents += usize::from(answers > 1);
                let want = [margin, Cell::Decimal(cost, 2), contribution, Cell::Int(answers), mean];
                assert_eq!(found[&state], want, "seed {seed}: {state:?} at {as_of}");
            }
        }
    }
    assert!(contents > 20, "{contents} states with answers");
}

/// An order without a cost leaves the margin of its state unknown, and only that; without costs to serve all are null.
#[test]
fn unknown_margins_are_null() {
    let bench = with_kinds(&format!("{TICKET}\ncost_to_serve = true"), "\"cost_to_serve\"");
    let costs = [Some(500), Some(550), Some(499), Some(1000), None, Some(999), Some(5), Some(10_000)];
    bench.parquet("orders/a.parquet", &orders_and("cost", decimals(2, costs.map(|cost| cost.map(i128::from)))));
    bench.in_orders("cost = \"cost\"");
    bench.append("[schemes]\ntier = \"recency_windows\"");
    bench.runs();
    let found = service_of(&bench, "2024-12-31", "tier");
    // Customer 3, whose order has no cost, bought in May.
    let unknown: Vec<_> = found.values().filter(|row| row[0] == Cell::Null).collect();
    assert!(unknown.len() == 1 && unknown[0][1] == Cell::Decimal(0, 2) && unknown[0][2] == Cell::Null, "{found:?}");
    let known: i128 = found.values().filter(|row| row[0] != Cell::Null).map(|row| row[0].minor()).sum();
    let [margin, served] = [1000 + 2550 + 499 + 12000 + 1999 + 305 + 60000 - (500 + 550 + 499 + 1000 + 999 + 5 + 10_000), 350];
    let contribution: i128 = found.values().filter(|row| row[2] != Cell::Null).map(|row| row[2].minor()).sum();
    assert_eq!((known, contribution), (margin, margin - served));
    assert!(found.values().all(|row| row[3..] == [Cell::Null, Cell::Null]));
    let page = String::from_utf8(bench.read("out/latest/report/index.html")).expect("a page");
    assert!(page.contains("Cost to serve") && page.contains("Contribution") && !page.contains("Satisfaction"));
    bench.edit("\ncost_to_serve = true", "");
    bench.edit("\"cost_to_serve\"", "\"ticket_sum\"");
    bench.runs();
    assert!(service_of(&bench, "2024-12-31", "tier").values().flatten().all(|cell| *cell == Cell::Null));
}

/// A mean of few answers is not shown.
#[test]
fn reports_hide_the_satisfaction_of_few() {
    let bench = with_kinds("[events.kinds.ticket]\nvalue = \"cost\"\nsatisfaction = true", "\"ticket_last\"");
    bench.append("[schemes]\ntier = \"recency_windows\"");
    // Five active customers, of whom two have answered.
    bench.parquet("orders/a.parquet", &orders_but("ordered_at", dates(["2024-12-02"; 8])));
    let rows = |min_group: u32| {
        bench.edit("path = \"out\"\n", &format!("path = \"out\"\nmin_group = {min_group}\nreport = [\"json\"]\n"));
        bench.runs();
        bench.edit(&format!("min_group = {min_group}\nreport = [\"json\"]\n"), "");
        let json: serde_json::Value = serde_json::from_slice(&bench.read("out/latest/report/report.json")).expect("JSON");
        let rows = json["segments"].as_array().expect("rows").clone();
        rows.into_iter().map(|row| row["satisfaction"].clone()).filter(|cell| !cell.is_null()).collect::<Vec<_>>()
    };
    let mut events = values(decimals(2, [Some(100), Some(250), None, Some(7)]));
    events[0].1 = ints([1, 2, 3, 4]);
    bench.parquet("events/a.parquet", &events);
    assert_eq!(rows(2), [serde_json::json!(1.75)]);
    assert_eq!(rows(3), Vec::<serde_json::Value>::new());
}

/// A job over four events with these kinds and columns.
fn with_kinds(kinds: &str, columns: &str) -> Bench {
    let bench = Bench::new();
    bench.parquet("events/a.parquet", &values(decimals(2, [Some(100), Some(250), None, Some(7)])));
    bench.append(&format!("{SECTION}\n{kinds}"));
    bench.edit("path = \"out\"", &format!("path = \"out\"\ncolumns = [{columns}]"));
    bench
}

fn values(cost: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("customer", ints([1, 1, 2, 3])),
        ("event", texts(["ticket", "ticket", "ticket", "call"])),
        ("at", dates(["2024-12-01", "2024-12-02", "2024-12-03", "2024-12-04"])),
        ("cost", cost),
    ]
}

const TICKET: &str = "[events.kinds.ticket]\nvalue = \"cost\"";

#[test]
fn keys_of_kinds_are_checked() {
    let refused = |kinds: &str, message: &str| with_kinds(kinds, "\"events\"").refuses(2, message);
    refused(
        "[events.kinds.\"service ticket\"]\nvalue = \"cost\"",
        "error: job.toml, line 21, column 1: events.kinds.service ticket cannot begin the name of a measure; expected lower-case letters, digits and underscores, a letter first, and the values of the column in the key in.",
    );
    refused("[events.kinds.Ticket]", "error: job.toml, line 21, column 1: events.kinds.Ticket cannot begin …");
    refused("[events.kinds.2nd]", "error: job.toml, line 21, column 1: events.kinds.2nd cannot begin …");
    refused(
        "[events.kinds.events]",
        "error: job.toml, line 21, column 1: events.kinds.events is no kind: events are of all kinds; give the kind another name.",
    );
    refused(
        "[events.kinds.ticket]\nvalu = \"cost\"",
        "error: job.toml, line 22, column 1: there is no key \"valu\" here; did you mean \"value\"? (possible keys: \"in\", \"value\", \"scale\", \"cost_to_serve\", \"satisfaction\").",
    );
    refused(
        "[events.kinds]\nticket = 3",
        "error: job.toml, line 22, column 10: integer 3 is not possible here; expected a list of values, or a table with in, value and scale.",
    );
    refused(
        "[events.kinds.ticket]\nscale = 2",
        "error: job.toml, line 21, column 1: events.kinds.ticket has a scale and no value; name the column of values, or remove scale.",
    );
    refused(
        "[events.kinds.ticket]\nvalue = \"cost\"\nscale = 7",
        "error: job.toml, line 21, column 1: events.kinds.ticket has scale 7; expected 0 to 6 digits behind the point.",
    );
    refused(
        "[events.kinds.ticket]\nin = []",
        "error: job.toml, line 21, column 1: events.kinds.ticket is an empty list; name at least one value of column \"event\", or leave the key out.",
    );
    refused(
        "[events.kinds.call]\n[events.kinds.ticket]\nin = [\"ticket\", \"CALL\"]",
        "error: job.toml, line 22, column 1: events.kinds.ticket names \"CALL\", which already counts as call (upper and lower case are the same); an event is of one kind.",
    );
    refused(
        "[events.kinds.ticket]\ncost_to_serve = true",
        "error: job.toml, line 21, column 1: events.kinds.ticket has cost_to_serve and no value; name the column of costs, or remove cost_to_serve.",
    );
    refused(
        "[events.kinds.ticket]\nvalue = \"cost\"\nscale = 3\ncost_to_serve = true",
        "error: job.toml, line 21, column 1: events.kinds.ticket has cost_to_serve and scale 3, and money has 2 digits behind the point (orders.amount_scale); remove scale.",
    );
    refused(
        "[events.kinds.ticket]\nsatisfaction = true",
        "error: job.toml, line 21, column 1: events.kinds.ticket has satisfaction and no value; name the column of scores, or remove satisfaction.",
    );
    refused(
        "[events.kinds.call]\nvalue = \"cost\"\nsatisfaction = true\n[events.kinds.ticket]\nvalue = \"cost\"\nsatisfaction = true",
        "error: job.toml, line 24, column 1: events.kinds.ticket has satisfaction, and so has call; one kind says how content customers are.",
    );
    let many: String = (0..201).map(|number| format!("[events.kinds.k{number}]\n")).collect();
    refused(&many, "error: job.toml, line …, column …: events.kinds has 201 kinds; expected at most 200.");
}

#[test]
fn columns_of_values_are_checked() {
    let refused = |cost: ArrayRef, message: &str| {
        let bench = with_kinds(TICKET, "\"ticket_sum\"");
        bench.parquet("events/a.parquet", &values(cost));
        bench.refuses(3, message);
    };
    refused(
        decimals(3, [1000, 1005, 1000, 1]),
        "error: events/a.parquet, row 2: column \"cost\" (events.kinds.ticket.value) holds a number with more than 2 digits behind the point; raise events.kinds.ticket.scale, or round it where the file is written.",
    );
    refused(
        floats([1.0, 2.0, f64::NEG_INFINITY, 1.0]),
        "error: events/a.parquet, row 3: column \"cost\" (events.kinds.ticket.value) holds an infinite number; correct it where the file is written, or leave it empty.",
    );
    for wide in
        [decimals(0, [1, 10_i128.pow(16), 1, 1]), decimals(0, [1, -(10_i128.pow(30)), 1, 1]), floats([1.0, 1e17, 1.0, 1.0])]
    {
        refused(
            wide,
            "error: events/a.parquet, row 2: column \"cost\" (events.kinds.ticket.value) holds a number of more than 18 digits; lower events.kinds.ticket.scale, or correct it where the file is written.",
        );
    }
    refused(
        decimals(2, [10_i128.pow(18) - 1, 1, 1, 1]),
        "error: ticket_sum of a customer at 2024-12-31 overflows the 18 digits that the tables hold; lower events.kinds.ticket.scale, or look for a wrong value.",
    );
    refused(
        texts(["1", "2", "3", "4"]),
        "error: events/a.parquet: column \"cost\" (events.kinds.ticket.value) is of type string; expected an integer, a decimal or a float. Convert it …",
    );
    let bench = with_kinds("[events.kinds.ticket]\nvalue = \"costs\"", "\"events\"");
    bench.refuses(
        3,
        "error: job.toml, line 22, column 9: events.kinds.ticket.value names the column \"costs\", which events/a.parquet does not have; did you mean \"cost\"? (its columns are customer, event, at, cost); name one of them.",
    );
    // A file that lacks the column has no values.
    let bench = with_kinds(TICKET, "\"ticket_sum\", \"ticket_count\"");
    let call = values(decimals(2, [1, 1, 1, 1]));
    bench.parquet("events/b.parquet", &call[..3]);
    let err = bench.runs().err;
    assert!(err.contains("cost"), "{err}");
    assert_eq!(read_folder(&bench.path("out/latest/customers")).rows[0][1..], [Cell::Decimal(350, 2), Cell::Int(4)]);
    // What no ticket has is not looked at.
    let bench = with_kinds(TICKET, "\"ticket_sum\", \"ticket_mean\", \"ticket_count\", \"events\"");
    bench.parquet("events/a.parquet", &values(decimals(4, [Some(10_000), Some(25_000), None, Some(1)])));
    bench.runs();
    let table = read_folder(&bench.path("out/latest/customers"));
    let row = |values: [Cell; 4]| values.to_vec();
    assert_eq!(table.rows[0][1..], row([Cell::Decimal(350, 2), Cell::Decimal(17_500, 4), Cell::Int(2), Cell::Int(2)]));
    assert_eq!(table.rows[1][1..], row([Cell::Decimal(0, 2), Cell::Null, Cell::Int(1), Cell::Int(1)]));
    assert_eq!(table.rows[2][1..], row([Cell::Decimal(0, 2), Cell::Null, Cell::Int(0), Cell::Int(1)]));
}

#[test]
fn measures_of_kinds_are_checked() {
    let bench = with_kinds("[events.kinds.ticket]", "\"ticket_sum@90d\"");
    bench.refuses(
        2,
        "error: job.toml, line 14, column 12: output.columns: measure \"ticket_sum@90d\" is of the values of ticket events, and the job does not say which column holds them; set events.kinds.ticket.value.",
    );
    let bench = with_kinds(TICKET, "\"ticket_total\"");
    bench.refuses(2, "error: job.toml, line 14, column 12: output.columns names \"ticket_total\", which is no measure, score or scheme column… (possible: …ticket_count, ticket_sum, ticket_last, ticket_mean, …).");
    let bench = with_kinds(TICKET, "\"ticket_sum\"");
    bench.append("[schemes]\nticket_sum = \"standard\"");
    bench.refuses(2, "error: job.toml, line 25, column 1: the scheme column \"ticket_sum\" would make a second column \"ticket_sum\" in customers; give it another name.");
    let bench = with_kinds(TICKET, "\"ticket_sum\"");
    bench.parquet("crm/a.parquet", &[("id", ints([1])), ("ticket_last", ints([3]))]);
    bench.append("[customers]\npath = \"crm\"\ncustomer_id = \"id\"");
    bench.refuses(2, "error: crm/a.parquet: the column \"ticket_last\" would be a measure of the customers table, but a kind of events has one of that name; rename it where the file is written, or leave it out of the file.");
    let bench = with_kinds(TICKET, "\"cost_to_serve\"");
    bench.refuses(2, "error: job.toml: cost_to_serve is asked for, but no kind of events is such a cost; set value and cost_to_serve = true in [events.kinds.<kind>].");
    // A kind that no event is of is said.
    let bench = with_kinds("[events.kinds.visit]", "\"visit_count\"");
    let err = bench.runs().err;
    assert!(err.contains("no event counts as visit (values of column \"event\" without a kind: \"call\", \"ticket\")"), "{err}");
}

/// A value that a kind of the job's own names is no usual value of another; a usual kind keeps its usual values beside a value.
#[test]
fn values_of_the_job_come_before_the_usual_ones() {
    let bench = with_kinds(
        "[events.kinds.redeem]\nvalue = \"cost\"\n[events.kinds.clicks]\nvalue = \"cost\"",
        "\"redeem_sum\", \"responses\", \"clicks\", \"clicks_sum\"",
    );
    let mut events = values(decimals(2, [100, 250, 300, 7]));
    events[1].1 = texts(["redeem", "redeemed", "Click", "clicks"]);
    bench.parquet("events/a.parquet", &events);
    bench.runs();
    let table = read_folder(&bench.path("out/latest/customers"));
    let row = |[redeemed, responses, clicks, sum]: [i128; 4]| {
        vec![Cell::Decimal(redeemed, 2), Cell::Int(responses), Cell::Int(clicks), Cell::Decimal(sum, 2)]
    };
    assert_eq!(table.rows[0][1..], row([100, 1, 0, 0]));
    assert_eq!(table.rows[1][1..], row([0, 0, 1, 300]));
    assert_eq!(table.rows[2][1..], row([0, 0, 1, 7]));
}
