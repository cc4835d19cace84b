//! Events as outcomes of strategies: how many customers have one, and how many they have, held against a plain loop.

use std::fmt::Write;

use rfmill::internals::job::Overrides;

use crate::fixture::{dates, decimals, ints, parquet_bytes, texts};
use crate::sharded::{in_stages, tables, whole};
use crate::support::cases::Rng;
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

/// What a visit was worth, in thousandths; some are not known, and some are corrections.
fn worth(event: &(i64, String, &str)) -> Option<i128> {
    let number = drawn(event.0 * 31 + event.1.bytes().map(i64::from).sum::<i64>());
    (number % 7 != 0).then(|| i128::from(number % 9_000) - 1_000)
}

/// The shop whose visits have values with three digits behind the point, under these keys of the kind.
fn shop_with_values(keys: &str, of_kind: &str) -> Workshop {
    let shop = shop("2024", keys, true);
    let events = events("2024");
    let columns = [
        ("customer_id", ints(events.iter().map(|event| event.0))),
        ("at", dates(events.iter().map(|event| event.1.as_str()))),
        ("event", texts(events.iter().map(|event| event.2))),
        ("worth", decimals(3, events.iter().map(worth))),
    ];
    std::fs::write(shop.path("events.parquet"), parquet_bytes(&columns)).expect("events");
    let job = std::fs::read_to_string(shop.path("job.toml")).expect("a job");
    let kinds = format!("kinds = {{ visit = {{ {of_kind} }}, click = {{}} }}");
    shop.write("job.toml", &job.replace("kinds = { responses = [\"visit\"] }", &kinds));
    shop
}

/// What the visits of a customer in some days are worth, in thousandths.
fn worth_in(id: i64, days: std::ops::Range<&str>) -> i128 {
    let all = events("2024");
    let own = all.iter().filter(|event| event.0 == id && event.2.eq_ignore_ascii_case("visit"));
    own.filter(|event| days.contains(&event.1.as_str())).filter_map(worth).sum()
}

/// Sums of values by a plain loop over all events, now and in the baseline, as the table of sums and the effects have them.
#[test]
fn values_of_events_are_added_up() {
    let keys = "outcomes = [\"event_sum:visit\", \"orders\"]\nbaseline = { from = 2024-03-01, to = 2024-03-31 }\nprimary = { outcome = \"event_sum:visit\", method = \"welch\" }\n";
    let shop = shop_with_values(&format!("{RANDOMISED}{keys}"), "value = \"worth\", scale = 3");
    shop.run_here(None).unwrap_or_else(|error| panic!("{error}"));
    let arms = table(&shop, "arms");
    for arm in ["mail", "control"] {
        let records = arms.records();
        let of_arm = |row: &&std::collections::BTreeMap<&str, &Cell>| {
            let text = |name: &str| row[name].key();
            text("outcome") == "event_sum:visit" && text("arm") == arm && text("phase") == "during" && text("scheme") == "(all)"
        };
        let rows: Vec<_> = records.iter().filter(of_arm).filter(|row| row["y_bin"] == &Cell::Null).collect();
        let [row] = rows.as_slice() else { panic!("{} rows of {arm}", rows.len()) };
        let ids = || (0..CUSTOMERS).filter(|id| is_mailed(*id) == (arm == "mail"));
        let both = ids().map(|id| (worth_in(id, "2024-04-01".."2024-04-21"), worth_in(id, "2024-03-01".."2024-04-01")));
        let both: Vec<(i128, i128)> = both.collect();
        let sum = |of: fn(&(i128, i128)) -> i128| both.iter().map(of).sum::<i128>();
        assert_eq!(row["scale"].int(), 3);
        for (column, wanted) in [
            ("sum_y", sum(|(y, _)| *y)),
            ("sum_x", sum(|(_, x)| *x)),
            ("sum_yy", sum(|(y, _)| y * y)),
            ("sum_yx", sum(|(y, x)| y * x)),
            ("sum_xx", sum(|(_, x)| x * x)),
        ] {
            assert_eq!(row[column].minor(), wanted, "{arm}, {column}");
        }
    }
    let effects = table(&shop, "effects");
    let rows = effects.records();
    let row =
        rows.iter().find(|row| row["outcome"].text() == "event_sum:visit" && row["method"].text() == "welch").expect("a row");
    for (arm, column) in [("mail", "mean_treated"), ("control", "mean_control")] {
        let wanted = mean(arm, |id| worth_in(id, "2024-04-01".."2024-04-21") as i64) / 1_000.0;
        assert!((row[column].double() - wanted).abs() < 1e-9, "{arm}: {:?}, not {wanted}", row[column]);
    }
    let verdicts = table(&shop, "verdicts");
    let verdict = verdicts.records().into_iter().find(|row| *row["period_start"] != Cell::Null).expect("a verdict");
    let reason = verdict["reason"].text();
    assert!(verdict["verdict"].text() == "keep" && reason.starts_with("event_sum:visit rises by "), "{reason}");
    let page = std::fs::read_to_string(shop.path("out/latest/report/index.html")).expect("a page");
    assert!(page.contains("sum of visit"), "the page names it");
}

/// The same bytes in stages, and under a limit of memory.
#[test]
fn sums_of_values_are_the_same_however_they_are_run() {
    let keys = "outcomes = [\"event_sum:visit\", \"orders\"]\nafter = true\n";
    let shop = shop_with_values(&format!("{RANDOMISED}{keys}"), "value = \"worth\", scale = 3");
    let overrides = |output: &str, memory_limit| Overrides {
        output: Some(shop.path(output)),
        part_rows: Some(64),
        memory_limit,
        ..Overrides::default()
    };
    whole(&shop, overrides("whole", None)).unwrap_or_else(|error| panic!("{error}"));
    whole(&shop, overrides("tight", Some(256 << 20))).unwrap_or_else(|error| panic!("{error}"));
    in_stages(&shop, overrides("stages", None), 3, &mut Rng::new(1)).unwrap_or_else(|error| panic!("{error}"));
    for output in ["tight", "stages"] {
        assert_eq!(tables(&shop, output), tables(&shop, "whole"), "{output}");
    }
}

/// A shop whose events are its orders, returns included, with these keys of its strategy.
fn shop_of_orders_as_events(keys: &str) -> Workshop {
    let shop = shop("2024", keys, true);
    let mut orders: Vec<(i64, String, i128)> = Vec::new();
    for id in 0..CUSTOMERS {
        for (month, number) in [("01", 1), ("02", 2), ("03", 3), ("04", 4), ("05", 5)] {
            let amount = drawn(id * 16 + number);
            let day = format!("2024-{month}-{:02}", 1 + amount % 28);
            let cents = i128::from(amount % 9_000) + if is_mailed(id) && month == "04" { 900 } else { 0 };
            let is_return = amount % 11 == 0;
            orders.extend((amount % 3 != 0).then_some((id, day, if is_return { -cents } else { cents })));
        }
    }
    let of = |names: [&str; 3]| {
        parquet_bytes(&[
            (names[0], ints(orders.iter().map(|order| order.0))),
            (names[1], dates(orders.iter().map(|order| order.1.as_str()))),
            (names[2], decimals(2, orders.iter().map(|order| order.2))),
            ("event", texts(orders.iter().map(|_| "buy"))),
        ])
    };
    std::fs::write(shop.path("orders.parquet"), of(["customer_id", "ordered_at", "amount"])).expect("orders");
    std::fs::write(shop.path("events.parquet"), of(["customer_id", "at", "money"])).expect("events");
    let job = std::fs::read_to_string(shop.path("job.toml")).expect("a job");
    let job = job.replace("kinds = { responses = [\"visit\"] }", "kinds = { buy = { value = \"money\" } }");
    shop.write("job.toml", &job.replace("to = 2024-04-30\n[schemes]", "to = 2024-05-31\n[schemes]"));
    shop
}

/// Every row of a table as text, with the two outcomes exchanged if asked for.
fn rows_of(shop: &Workshop, name: &str, exchanged: bool) -> Vec<Vec<String>> {
    let table = table(shop, name);
    let exchange = |text: String| match exchanged {
        true => text.replace("event_sum:buy", "REVENUE").replace("revenue", "event_sum:buy").replace("REVENUE", "revenue"),
        false => text,
    };
    let mut rows: Vec<Vec<String>> =
        table.rows.iter().map(|row| row.iter().map(|cell| exchange(format!("{cell:?}"))).collect()).collect();
    rows.sort();
    rows
}

/// Where the events are the orders and their values the amounts, everything said of the sum is what is said of revenue: every
/// sum, method, phase, interval, verdict and reason, of every design.
#[test]
fn sums_of_values_are_treated_as_revenue() {
    let designs = [
        format!("{RANDOMISED}after = true\nby = [\"segment\"]\nguardrails = [\"orders\"]\n"),
        "design = \"matched\"\ncontrol = \"control\"\nsplit = { control = 0.5, mail = 0.5 }\n".to_owned(),
        "design = \"before_after\"\n".to_owned(),
    ];
    for design in designs {
        let run = |primary: &str| {
            let leads =
                if design.contains("before_after") { String::new() } else { format!("primary = {{ outcome = {primary:?} }}\n") };
            // Without a primary the first one stands in the table of verdicts.
            let other = if primary == "revenue" { "event_sum:buy" } else { "revenue" };
            let keys = format!("{design}outcomes = [{primary:?}, {other:?}, \"orders\"]\n{leads}");
            let shop = shop_of_orders_as_events(&keys);
            if design.contains("before_after") {
                let csv = std::fs::read_to_string(shop.path("mail.csv")).expect("assignments");
                let mailed: Vec<&str> = csv.lines().filter(|line| !line.contains("control")).collect();
                shop.write("mail.csv", &mailed.join("\n"));
            }
            shop.run_here(None).unwrap_or_else(|error| panic!("{design}: {error}"));
            shop
        };
        let (of_revenue, of_events) = (run("revenue"), run("event_sum:buy"));
        for name in ["arms", "effects", "effects_over_time", "verdicts", "balance", "before_after"] {
            let (wanted, found) = (rows_of(&of_revenue, name, true), rows_of(&of_events, name, false));
            assert_eq!(wanted.len(), found.len(), "{design}: {name}");
            for (wanted, found) in wanted.iter().zip(&found) {
                assert_eq!(wanted, found, "{design}: {name}");
            }
        }
        let effects = table(&of_events, if design.contains("before_after") { "before_after" } else { "effects" });
        assert!(effects.records().iter().any(|row| row["outcome"].text() == "event_sum:buy"), "{design}");
    }
}

#[test]
fn sums_need_values_that_may_rise() {
    let refused = |keys: &str, of_kind: &str| {
        let error = shop_with_values(&format!("{RANDOMISED}{keys}"), of_kind).run_here(None).expect_err("a job that cannot run");
        format!("exit {}: {error}", error.kind().exit_code())
    };
    let worth = "value = \"worth\", scale = 3";
    let error = refused("outcomes = [\"revenue\", \"event_sum:click\"]\n", worth);
    let wanted = "the outcome \"event_sum:click\" adds up the values of events, and those of kind click have none; name their column as value in [events.kinds.click], or take \"events:click\", which counts them";
    assert!(error.starts_with("exit 2") && error.contains(wanted), "{error}");
    let error = refused("outcomes = [\"revenue\", \"event_sum:events\"]\n", worth);
    let wanted = "the outcome \"event_sum:events\" adds up values, which one kind of events has, and events are of all kinds; name a kind with a value";
    assert!(error.starts_with("exit 2") && error.contains(wanted), "{error}");
    // A cost is shown, and neither leads nor guards.
    let cost = "value = \"worth\", scale = 3, cost_to_serve = true";
    let keys = "outcomes = [\"revenue\", \"event_sum:visit\"]\n";
    let error = refused(
        &format!("{keys}primary = {{ outcome = \"event_sum:visit\" }}\n"),
        "value = \"worth\", scale = 2, cost_to_serve = true",
    );
    let wanted = "the primary outcome is \"event_sum:visit\", a cost to serve, of which more is worse, and a verdict reads more as better; take another, and read the effect on the cost beside it";
    assert!(error.starts_with("exit 2") && error.contains(wanted), "{error}");
    let error = refused("outcomes = [\"revenue\"]\nguardrails = [\"event_sum:visit\"]\n", cost.replace("3", "2").as_str());
    let wanted = "guardrails names event_sum:visit, a cost to serve, of which more is worse, and a guardrail suffers when it falls; list it in outcomes, and take it out of guardrails";
    assert!(error.starts_with("exit 2") && error.contains(wanted), "{error}");
    let error = refused("outcomes = [\"event_sum:visit\"]\n", cost.replace("3", "2").as_str());
    let wanted = "no outcome can decide: of a cost to serve more is worse, and a verdict reads more as better; add one such as \"revenue\"";
    assert!(error.starts_with("exit 2") && error.contains(wanted), "{error}");
    // Values whose sum leaves 18 digits.
    let shop = shop_with_values(&format!("{RANDOMISED}{keys}"), worth);
    let columns = [
        ("customer_id", ints([1, 1])),
        ("at", dates(["2024-04-02", "2024-04-03"])),
        ("event", texts(["visit", "visit"])),
        ("worth", decimals(3, [900_000_000_000_000_000; 2])),
    ];
    std::fs::write(shop.path("events.parquet"), parquet_bytes(&columns)).expect("events");
    let error = shop.run_here(None).expect_err("a job that cannot run");
    let wanted = "strategy \"s\": the values of the events of kind visit of a customer add up to more than 18 digits; lower events.kinds.visit.scale, or look for a wrong value";
    assert!(error.kind().exit_code() == 3 && error.to_string().contains(wanted), "{error}");
}
