//! Events as outcomes of strategies: how many customers have one, and how many they have, held against a plain loop.

use std::fmt::Write;

use crate::fixture::{dates, decimals, ints, parquet_bytes, texts};
use crate::support::run::{Cell, Table, Workshop, read_file};

/// Customers from here on are assigned and never order.
const WITHOUT_ORDERS: i64 = 500;
const CUSTOMERS: i64 = 600;

/// A number that looks drawn by chance.
fn drawn(n: i64) -> i64 {
    let x = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33) as i64
}

fn is_mailed(id: i64) -> bool {
    drawn(id) % 2 == 0
}

/// The events from `first` on: customer, day, value. The mail brings visits, and costs clicks on what was there before.
fn events(first: &str) -> Vec<(i64, String, &'static str)> {
    let mut events = Vec::new();
    for id in 0..CUSTOMERS {
        for (month, number) in [("02", 1), ("03", 2), ("04", 3)] {
            let (of_mail, is_april) = (is_mailed(id), month == "04");
            let visits = drawn(id * 8 + number) % 10 + if of_mail && is_april { 4 } else { 0 };
            let clicks = drawn(id * 64 + number) % 10 - if of_mail && is_april { 3 } else { 0 };
            events.extend((visits > 6).then(|| (id, format!("2024-{month}-04"), "visit")));
            events.extend((visits > 8).then(|| (id, format!("2024-{month}-05"), "Visit")));
            events.extend((clicks > 4).then(|| (id, format!("2024-{month}-06"), "click")));
            // After the days that count.
            events.push((id, format!("2024-{month}-25"), "click"));
        }
    }
    events.into_iter().filter(|event| event.1.as_str() >= first).collect()
}

/// A shop with events from a day on, and its job with these keys.
fn shop(first: &str, keys: &str, has_events: bool) -> Workshop {
    let shop = Workshop::new();
    let ids = || 0..WITHOUT_ORDERS;
    let orders: Vec<(i64, &str)> = ids().flat_map(|id| ["2024-01-10", "2024-03-10", "2024-04-10"].map(|day| (id, day))).collect();
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", dates(orders.iter().map(|order| order.1))),
        ("amount", decimals(2, orders.iter().map(|order| i128::from(1_000 + drawn(order.0 + 7) % 900)))),
    ];
    std::fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
    let events = events(first);
    let columns = [
        ("customer_id", ints(events.iter().map(|event| event.0))),
        ("at", dates(events.iter().map(|event| event.1.as_str()))),
        ("event", texts(events.iter().map(|event| event.2))),
    ];
    std::fs::write(shop.path("events.parquet"), parquet_bytes(&columns)).expect("events");
    let mut csv = String::from("customer_id,arm,assigned_on\n");
    for id in 0..CUSTOMERS {
        writeln!(csv, "{id},{},2024-04-01", if is_mailed(id) { "mail" } else { "control" }).expect("text");
    }
    shop.write("mail.csv", &csv);
    let section = "[events]\npath = \"events.parquet\"\ncustomer_id = \"customer_id\"\nevent = \"event\"\nat = \"at\"\nkinds = { responses = [\"visit\"] }\n";
    let job = format!(
        "name = \"events\"\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\n\
         amount = \"amount\"\n{}[periods]\nevery = \"month\"\nfrom = 2024-04-01\nto = 2024-04-30\n[schemes]\nsegment = \"recency_windows\"\n\
         [output]\npath = \"out\"\nreport = [\"html\"]\n[[strategy]]\nname = \"s\"\nassignments = \"mail.csv\"\n\
         periods = [{{ from = 2024-04-01, to = 2024-04-30 }}]\noutcome_days = 20\n{keys}",
        if has_events { section } else { "" }
    );
    shop.write("job.toml", &job);
    shop
}

const RANDOMISED: &str = "design = \"randomised\"\ncontrol = \"control\"\nsplit = { control = 0.5, mail = 0.5 }\n";

fn table(shop: &Workshop, name: &str) -> Table {
    read_file(&shop.path(&format!("out/latest/{name}.parquet")))
}

/// The mean of a number per customer of an arm.
fn mean(arm: &str, number: impl Fn(i64) -> i64) -> f64 {
    let ids: Vec<i64> = (0..CUSTOMERS).filter(|id| is_mailed(*id) == (arm == "mail")).collect();
    ids.iter().map(|id| number(*id)).sum::<i64>() as f64 / ids.len() as f64
}

/// How many events of these values a customer has in the 20 days from the first of April.
fn in_april(id: i64, values: &[&str]) -> i64 {
    let all = events("2024");
    let own = all.iter().filter(|event| event.0 == id && values.contains(&event.2));
    own.filter(|event| ("2024-04-01".."2024-04-21").contains(&event.1.as_str())).count() as i64
}

/// Rates and counts by a plain loop over all events; the primary outcome gains, the guardrail falls.
#[test]
fn events_are_counted_in_the_days_of_outcomes() {
    let outcomes = "outcomes = [\"event:responses\", \"events:responses\", \"events:events\", \"orders\"]\n";
    let primary = "primary = { outcome = \"event:responses\", method = \"permutation\" }\n";
    let shop_of = |guardrails: &str| {
        let shop = shop("2024", &format!("{RANDOMISED}{outcomes}{primary}{guardrails}"), true);
        shop.run_here(None).unwrap_or_else(|error| panic!("{error}"));
        shop
    };
    let plain = shop_of("");
    let effects = table(&plain, "effects");
    let rows = effects.records();
    for (outcome, values, any) in [
        ("event:responses", &["visit", "Visit"][..], true),
        ("events:responses", &["visit", "Visit"], false),
        ("events:events", &["visit", "Visit", "click"], false),
    ] {
        for method in ["permutation", "welch"] {
            let row = rows.iter().find(|row| row["outcome"].text() == outcome && row["method"].text() == method).expect("a row");
            let number = |id: i64| in_april(id, values).min(if any { 1 } else { i64::MAX });
            for (arm, column) in [("mail", "mean_treated"), ("control", "mean_control")] {
                assert!((row[column].double() - mean(arm, number)).abs() < 1e-12, "{outcome} {method} {arm}");
            }
            assert_eq!(row["n_treated"].int() + row["n_control"].int(), i128::from(CUSTOMERS));
        }
    }
    let verdict = |shop: &Workshop| {
        let verdicts = table(shop, "verdicts");
        let row = verdicts.records().into_iter().find(|row| *row["period_start"] != Cell::Null).expect("a verdict");
        (row["verdict"].text().to_owned(), row["reason"].text().to_owned())
    };
    let (kept, reason) = verdict(&plain);
    assert!(kept == "keep" && reason.starts_with("event:responses rises by 0."), "{kept}: {reason}");
    let (longer, reason) = verdict(&shop_of("guardrails = [\"event:clicks\"]\n"));
    assert!(longer == "test_longer" && reason.contains("guardrail event:clicks falls by 0."), "{longer}: {reason}");
    let page = std::fs::read_to_string(plain.path("out/latest/report/index.html")).expect("a page");
    assert!(page.contains("share with responses") && page.contains("number of events"), "the page names them");
}

/// Kinds of the job's own are counted as the usual ones are.
#[test]
fn events_of_own_kinds_are_counted() {
    let outcomes = "outcomes = [\"event:visit\", \"events:visit\", \"orders\"]\n";
    let shop = shop("2024", &format!("{RANDOMISED}{outcomes}"), true);
    let job = std::fs::read_to_string(shop.path("job.toml")).expect("a job");
    shop.write("job.toml", &job.replace("kinds = { responses = [\"visit\"] }", "kinds = { visit = {} }"));
    shop.run_here(None).unwrap_or_else(|error| panic!("{error}"));
    let effects = table(&shop, "effects");
    let rows = effects.records();
    for (outcome, most) in [("event:visit", 1), ("events:visit", i64::MAX)] {
        let row = rows.iter().find(|row| row["outcome"].text() == outcome && row["method"].text() == "welch").expect("a row");
        for (arm, column) in [("mail", "mean_treated"), ("control", "mean_control")] {
            let wanted = mean(arm, |id| in_april(id, &["visit", "Visit"]).min(most));
            assert!((row[column].double() - wanted).abs() < 1e-12, "{outcome} {arm}");
        }
    }
    let page = std::fs::read_to_string(shop.path("out/latest/report/index.html")).expect("a page");
    assert!(page.contains("share with visit") && page.contains("number of visit"), "the page names them");
}

/// Events that begin with the treatment say nothing of the baseline, so no change of theirs is told.
#[test]
fn an_unknown_baseline_of_events_is_no_baseline() {
    let change = |first: &str| {
        let keys = "design = \"before_after\"\noutcomes = [\"events:responses\", \"orders\"]\n";
        let shop = shop(first, keys, true);
        let csv = std::fs::read_to_string(shop.path("mail.csv")).expect("assignments");
        let mailed: Vec<&str> = csv.lines().filter(|line| !line.contains("control")).collect();
        shop.write("mail.csv", &mailed.join("\n"));
        shop.run_here(None).unwrap_or_else(|error| panic!("{error}"));
        let rows = table(&shop, "before_after");
        let of = |outcome: &str| {
            let row = rows.records().into_iter().find(|row| row["outcome"].text() == outcome).expect("a row");
            (row["mean_before"].clone(), row["mean_after"].clone(), row["change"].clone())
        };
        [of("events:responses"), of("orders")]
    };
    let [known, orders] = change("2024");
    let now = mean("mail", |id| in_april(id, &["visit", "Visit"]));
    // The twenty days before April.
    assert!((known.1.double() - now).abs() < 1e-12 && known.0 == Cell::Double(0.0) && orders.2 != Cell::Null, "{known:?}");
    let [unknown, orders] = change("2024-04");
    assert!(unknown.0 == Cell::Null && unknown.2 == Cell::Null && unknown.1 == known.1 && orders.2 != Cell::Null, "{unknown:?}");
}

#[test]
fn events_need_a_section_and_a_kind() {
    let refused = |outcome: &str, has_events: bool| {
        let keys = format!("{RANDOMISED}outcomes = [\"revenue\", {outcome:?}]\n");
        let error = shop("2024", &keys, has_events).run_here(None).expect_err("a job that cannot run");
        format!("exit {}: {error}", error.kind().exit_code())
    };
    let error = refused("event:clicks", false);
    let wanted =
        "the outcome \"event:clicks\" counts events, and the job has no [events]; add that section, or remove the outcome";
    assert!(error.starts_with("exit 2") && error.contains(wanted), "{error}");
    let error = refused("events:click", true);
    let wanted = "the outcome \"events:click\" names no kind of events; did you mean \"clicks\"? (kinds: sends, opens, clicks, conversions, responses, events; events are of all kinds)";
    assert!(error.starts_with("exit 2") && error.contains(wanted), "{error}");
    let error = refused("event", true);
    assert!(error.starts_with("exit 2") && error.contains("there is no outcome \"event\""), "{error}");
}
