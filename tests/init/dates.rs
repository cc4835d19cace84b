//! Dates and times as databases, shops, spreadsheets and programs write them: the job file that `init` writes puts each row on the day
//! that it means. Texts and days are literals; no code of the program makes them.

use std::collections::BTreeMap;

use serde_json::json;

use super::{customers, init, job, placed};
use crate::fixture::Bench;
use crate::query::has_program;

/// Three times of a clock without a zone, of which the last has a day that is no month: 2023-01-31 23:30, 2023-07-01 00:15:07 (some
/// without their seconds, some without their time) and 2023-05-13 12:00.
const WALL: [(&str, [&str; 3]); 55] = [
    ("date", ["2023-01-31", "2023-07-01", "2023-05-13"]),
    ("MySQL, DuckDB, pandas", ["2023-01-31 23:30:00", "2023-07-01 00:15:07", "2023-05-13 12:00:00"]),
    ("ISO 8601", ["2023-01-31T23:30:00", "2023-07-01T00:15:07", "2023-05-13T12:00:00"]),
    ("Stripe", ["2023-01-31 23:30", "2023-07-01 00:15", "2023-05-13 12:00"]),
    ("a form of HTML", ["2023-01-31T23:30", "2023-07-01T00:15", "2023-05-13T12:00"]),
    ("hours of one digit", ["2023-01-31 23:30", "2023-07-01 0:15", "2023-05-13 12:00"]),
    ("fractions of 1 digit", ["2023-01-31 23:30:00.0", "2023-07-01 00:15:07.1", "2023-05-13 12:00:00.0"]),
    ("fractions of 2 digits", ["2023-01-31 23:30:00.12", "2023-07-01 00:15:07.12", "2023-05-13 12:00:00.12"]),
    ("SQL Server", ["2023-01-31 23:30:00.123", "2023-07-01 00:15:07.997", "2023-05-13 12:00:00.000"]),
    ("fractions of 4 digits", ["2023-01-31 23:30:00.1234", "2023-07-01 00:15:07.1234", "2023-05-13 12:00:00.1234"]),
    ("fractions of 5 digits", ["2023-01-31 23:30:00.12345", "2023-07-01 00:15:07.12345", "2023-05-13 12:00:00.12345"]),
    ("MySQL DATETIME(6)", ["2023-01-31 23:30:00.123456", "2023-07-01 00:15:07.999999", "2023-05-13 12:00:00.000000"]),
    ("SQL Server datetime2", ["2023-01-31 23:30:00.1234567", "2023-07-01 00:15:07.1234567", "2023-05-13 12:00:00.0000000"]),
    ("fractions of 8 digits", ["2023-01-31 23:30:00.12345678", "2023-07-01 00:15:07.12345678", "2023-05-13 12:00:00.12345678"]),
    ("Spark, pandas", ["2023-01-31T23:30:00.123456789", "2023-07-01T00:15:07.999999999", "2023-05-13T12:00:00.000000001"]),
    ("PostgreSQL, whose fractions end early", ["2023-01-31 23:30:00.5", "2023-07-01 00:15:07", "2023-05-13 12:00:00.123456"]),
    ("spaces around", [" 2023-01-31 23:30:00", "2023-07-01 00:15:07 ", "2023-05-13 12:00:00"]),
    ("Excel, United States", ["1/31/2023 23:30", "7/1/2023 0:15", "5/13/2023 12:00"]),
    ("Excel, United States, dates", ["1/31/2023", "7/1/2023", "5/13/2023"]),
    ("Excel, years of two digits", ["1/31/23 23:30", "7/1/23 0:15", "5/13/23 12:00"]),
    ("Excel, AM and PM", ["1/31/2023 11:30:00 PM", "7/1/2023 12:15:07 AM", "5/13/2023 12:00:00 PM"]),
    ("am and pm", ["1/31/2023 11:30 pm", "7/1/2023 12:15 am", "5/13/2023 12:00 pm"]),
    ("PM without a space", ["1/31/2023 11:30PM", "7/1/2023 12:15AM", "5/13/2023 12:00PM"]),
    ("browsers", ["1/31/2023, 11:30:00\u{202f}PM", "7/1/2023, 12:15:07\u{202f}AM", "5/13/2023, 12:00:00\u{202f}PM"]),
    ("United Kingdom", ["31/01/2023 23:30", "01/07/2023 00:15", "13/05/2023 12:00"]),
    ("United Kingdom, dates", ["31/01/2023", "01/07/2023", "13/05/2023"]),
    ("dashes", ["31-01-2023 23:30:00", "01-07-2023 00:15:07", "13-05-2023 12:00:00"]),
    ("Excel, Germany", ["31.01.2023 23:30", "01.07.2023 00:15", "13.05.2023 12:00"]),
    ("Germany, short", ["31.1.2023 23:30", "1.7.2023 0:15", "13.5.2023 12:00"]),
    ("JTL, years of two digits", ["31.01.23", "01.07.23", "13.05.23"]),
    ("Germany, with a comma", ["31.01.2023, 23:30", "01.07.2023, 00:15", "13.05.2023, 12:00"]),
    ("Czechia", ["31. 1. 2023", "1. 7. 2023", "13. 5. 2023"]),
    ("SAP", ["20230131", "20230701", "20230513"]),
    ("SAP, time stamps", ["20230131233000", "20230701001507", "20230513120000"]),
    ("ISO 8601, basic", ["20230131T233000", "20230701T001507", "20230513T120000"]),
    ("Oracle", ["31-JAN-23", "01-JUL-23", "13-MAY-23"]),
    (
        "Oracle, timestamps",
        ["31-JAN-23 11.30.00.000000000 PM", "01-JUL-23 12.15.07.500000000 AM", "13-MAY-23 12.00.00.000000000 PM"],
    ),
    ("SAS", ["31JAN2023", "01JUL2023", "13MAY2023"]),
    ("SAS, datetimes", ["31JAN2023:23:30:00", "01JUL2023:00:15:07", "13MAY2023:12:00:00"]),
    ("Magento", ["Jan 31, 2023, 11:30:00 PM", "Jul 1, 2023, 12:15:07 AM", "May 13, 2023, 12:00:00 PM"]),
    ("Magento, older", ["Jan 31, 2023 11:30:00 PM", "Jul 1, 2023 12:15:07 AM", "May 13, 2023 12:00:00 PM"]),
    ("WooCommerce", ["January 31, 2023 11:30 pm", "July 1, 2023 12:15 am", "May 13, 2023 12:00 pm"]),
    ("WordPress", ["January 31, 2023 @ 11:30 PM", "July 1, 2023 @ 12:15 AM", "May 13, 2023 @ 12:00 PM"]),
    ("eBay", ["Jan-31-23", "Jul-01-23", "May-13-23"]),
    ("有赞, 淘宝", ["2023/1/31 23:30:00", "2023/7/1 0:15:07", "2023/5/13 12:00:00"]),
    ("年月日", ["2023年1月31日 23:30:00", "2023年7月1日 00:15:07", "2023年5月13日 12:00:00"]),
    ("年月日时分秒", ["2023年1月31日23时30分0秒", "2023年7月1日0时15分7秒", "2023年5月13日12时0分0秒"]),
    ("C", ["Tue Jan 31 23:30:00 2023", "Sat Jul  1 00:15:07 2023", "Sat May 13 12:00:00 2023"]),
    ("logs of Python", ["2023-01-31 23:30:00,123", "2023-07-01 00:15:07,999", "2023-05-13 12:00:00,000"]),
    ("Germany, months as words", ["31. Januar 2023", "1. Juli 2023", "13. Mai 2023"]),
    ("Germany, short months", ["31-Jan-2023 23:30", "01-JUL-2023 00:15", "13-Mai-2023 12:00"]),
    ("France, months as words", ["31 janvier 2023", "1 juillet 2023", "13 mai 2023"]),
    ("France, short months", ["31 janv. 2023 23:30", "1 juil. 2023 00:15", "13 mai 2023 12:00"]),
    // 45292 is 2024-01-01.
    ("days of a spreadsheet", ["44957", "45108", "45059"]),
    ("days of a spreadsheet with times", ["44957.979166667", "45108.010497685", "45059.5"]),
];

/// Three instants, as clocks of a zone wrote them that they name or have the offset of: 2023-01-31 23:30:00, 2023-07-01 03:15:07 and
/// 2023-05-13 12:00:00, all of UTC.
const INSTANTS: [(&str, &str, [&str; 3]); 33] = [
    ("DuckDB, TIMESTAMPTZ", "UTC", ["2023-01-31 23:30:00+00", "2023-07-01 03:15:07+00", "2023-05-13 12:00:00+00"]),
    ("PostgreSQL, fractions", "UTC", ["2023-01-31 23:30:00.5+00", "2023-07-01 03:15:07+00", "2023-05-13 12:00:00.123456+00"]),
    (
        "PostgreSQL in New York",
        "America/New_York",
        ["2023-01-31 18:30:00-05", "2023-06-30 23:15:07-04", "2023-05-13 08:00:00-04"],
    ),
    (
        "PostgreSQL in India",
        "Asia/Kolkata",
        ["2023-02-01 05:00:00+05:30", "2023-07-01 08:45:07+05:30", "2023-05-13 17:30:00+05:30"],
    ),
    ("ISO 8601, hours", "America/New_York", ["2023-01-31T18:30:00-05", "2023-06-30T23:15:07-04", "2023-05-13T08:00:00-04"]),
    ("hours behind minutes", "America/New_York", ["2023-01-31 18:30-05", "2023-06-30 23:15-04", "2023-05-13 08:00-04"]),
    ("pandas", "UTC", ["2023-01-31 23:30:00+00:00", "2023-07-01 03:15:07+00:00", "2023-05-13 12:00:00+00:00"]),
    ("pandas, fractions", "UTC", ["2023-01-31 23:30:00.123456+00:00", "2023-07-01 03:15:07+00:00", "2023-05-13 12:00:00+00:00"]),
    ("without a colon", "UTC", ["2023-01-31 23:30:00+0000", "2023-07-01 03:15:07+0000", "2023-05-13 12:00:00+0000"]),
    ("Jackson", "UTC", ["2023-01-31T23:30:00.000+0000", "2023-07-01T03:15:07.123+0000", "2023-05-13T12:00:00.000+0000"]),
    ("Shopify", "America/New_York", ["2023-01-31 18:30:00 -0500", "2023-06-30 23:15:07 -0400", "2023-05-13 08:00:00 -0400"]),
    (
        "Shopify in China",
        "Asia/Shanghai",
        ["2023-02-01 07:30:00 +0800", "2023-07-01 11:15:07 +0800", "2023-05-13 20:00:00 +0800"],
    ),
    (
        "Shopify's API",
        "America/New_York",
        ["2023-01-31T18:30:00-05:00", "2023-06-30T23:15:07-04:00", "2023-05-13T08:00:00-04:00"],
    ),
    ("Salesforce", "UTC", ["2023-01-31T23:30:00.000Z", "2023-07-01T03:15:07.000Z", "2023-05-13T12:00:00.000Z"]),
    ("Z", "UTC", ["2023-01-31T23:30:00Z", "2023-07-01T03:15:07Z", "2023-05-13T12:00:00Z"]),
    ("Z behind a space between", "UTC", ["2023-01-31 23:30:00Z", "2023-07-01 03:15:07Z", "2023-05-13 12:00:00Z"]),
    ("Z with fractions in some", "UTC", ["2023-01-31T23:30:00.123456789Z", "2023-07-01T03:15:07Z", "2023-05-13T12:00:00.5Z"]),
    ("Z beside offsets", "UTC", ["2023-01-31T23:30:00Z", "2023-07-01T08:45:07+05:30", "2023-05-13T08:00:00-04:00"]),
    ("ISO 8601, basic", "UTC", ["20230131T233000Z", "20230701T031507Z", "20230513T120000Z"]),
    ("Ruby", "UTC", ["2023-01-31 23:30:00 UTC", "2023-07-01 03:15:07 UTC", "2023-05-13 12:00:00 UTC"]),
    ("BigQuery", "UTC", ["2023-01-31 23:30:00.123456 UTC", "2023-07-01 03:15:07 UTC", "2023-05-13 12:00:00 UTC"]),
    ("Go", "UTC", ["2023-01-31 23:30:00 +0000 UTC", "2023-07-01 03:15:07 +0000 UTC", "2023-05-13 12:00:00 +0000 UTC"]),
    ("GMT", "UTC", ["2023-01-31 23:30:00 GMT", "2023-07-01 03:15:07 GMT", "2023-05-13 12:00:00 GMT"]),
    ("HTTP", "UTC", ["Tue, 31 Jan 2023 23:30:00 GMT", "Sat, 01 Jul 2023 03:15:07 GMT", "Sat, 13 May 2023 12:00:00 GMT"]),
    (
        "mail",
        "America/New_York",
        ["Tue, 31 Jan 2023 18:30:00 -0500", "Fri, 30 Jun 2023 23:15:07 -0400", "Sat, 13 May 2023 08:00:00 -0400"],
    ),
    ("logs of a web server", "UTC", ["31/Jan/2023:23:30:00 +0000", "01/Jul/2023:03:15:07 +0000", "13/May/2023:12:00:00 +0000"]),
    (
        "JavaScript",
        "America/New_York",
        [
            "Tue Jan 31 2023 18:30:00 GMT-0500 (Eastern Standard Time)",
            "Fri Jun 30 2023 23:15:07 GMT-0400 (Eastern Daylight Time)",
            "Sat May 13 2023 08:00:00 GMT-0400 (Nordamerikanische Ostküsten-Sommerzeit)",
        ],
    ),
    ("Twitter", "UTC", ["Tue Jan 31 23:30:00 +0000 2023", "Sat Jul 01 03:15:07 +0000 2023", "Sat May 13 12:00:00 +0000 2023"]),
    ("date", "UTC", ["Tue Jan 31 23:30:00 UTC 2023", "Sat Jul  1 03:15:07 UTC 2023", "Sat May 13 12:00:00 UTC 2023"]),
    ("seconds", "UTC", ["1675207800", "1688181307", "1683979200"]),
    ("milliseconds", "UTC", ["1675207800000", "1688181307123", "1683979200000"]),
    ("microseconds", "UTC", ["1675207800000000", "1688181307123456", "1683979200000000"]),
    ("nanoseconds", "UTC", ["1675207800000000000", "1688181307123456789", "1683979200000000000"]),
];

/// A clock whose zone an abbreviation names shows the days that count.
const NAMED: [(&str, &str, [&str; 3]); 4] = [
    ("PayPal", "America/Los_Angeles", ["2023-01-31 23:30:00 PST", "2023-07-01 00:15:07 PDT", "2023-05-13 12:00:00 PDT"]),
    (
        "Amazon",
        "America/Los_Angeles",
        ["Jan 31, 2023 11:30:00 PM PST", "Jul 1, 2023 12:15:07 AM PDT", "May 13, 2023 12:00:00 PM PDT"],
    ),
    (
        "PostgreSQL, German",
        "Europe/Berlin",
        ["31.01.2023 23:30:00.5 CET", "01.07.2023 00:15:07 CEST", "13.05.2023 12:00:00 CEST"],
    ),
    ("Java", "Europe/Berlin", ["Tue Jan 31 23:30:00 CET 2023", "Sat Jul 01 00:15:07 CEST 2023", "Sat May 13 12:00:00 CEST 2023"]),
];

/// The days of the wall clock.
const DAYS: [&str; 3] = ["2023-01-31", "2023-07-01", "2023-05-13"];

/// The days of the instants in a zone.
fn days_in(zone: &str) -> [&'static str; 3] {
    match zone {
        "UTC" => ["2023-01-31", "2023-07-01", "2023-05-13"],
        "America/New_York" => ["2023-01-31", "2023-06-30", "2023-05-13"],
        "Asia/Shanghai" | "Asia/Kolkata" => ["2023-02-01", "2023-07-01", "2023-05-13"],
        other => panic!("no days of {other}"),
    }
}

/// Writes a file of three orders with these dates.
fn write(bench: &Bench, file: &str, dates: &[&str]) {
    let rows = (1..).zip(dates);
    let text = match file.ends_with("csv") {
        true => rows.fold(String::from("order_id,customer_id,order_date,total\n"), |text, (row, date)| {
            text + &format!("{row},c{row},\"{date}\",{row}.50\n")
        }),
        // Numbers from 1970 are numbers in JSON.
        false => rows.fold(String::new(), |text, (row, date)| {
            let date = if date.len() > 8 { date.parse::<i64>().map_or(json!(date), |number| json!(number)) } else { json!(date) };
            text + &json!({ "order_id": row, "customer_id": format!("c{row}"), "order_date": date, "total": 1.5 }).to_string()
                + "\n"
        }),
    };
    bench.write(file, text);
}

/// The days of the orders by customer, of the output in a folder.
fn days(bench: &Bench, output: &str) -> BTreeMap<String, String> {
    let shown = |days: i64| jiff::civil::Date::constant(1970, 1, 1).saturating_add(jiff::ToSpan::days(days)).to_string();
    customers(bench, output).into_iter().map(|(id, (day, _))| (id, shown(day))).collect()
}

fn expected(days: [&str; 3]) -> BTreeMap<String, String> {
    (1..).zip(days).map(|(row, day)| (format!("c{row}"), day.to_owned())).collect()
}

/// A key of the orders of a job file.
fn key(bench: &Bench, name: &str) -> Option<String> {
    let job: toml::Table = toml::from_str(&job(bench)).expect("TOML");
    job["orders"].get(name).map(|value| value.as_str().expect("a text").to_owned())
}

/// Writes jobs for these dates in CSV and in NDJSON, runs the first as it is, and gives it; the days must be those of its zone. That of
/// NDJSON is run where it has numbers; texts are read by the same query.
#[track_caller]
fn runs(what: &str, dates: &[&str; 3], on: impl Fn(Option<&str>) -> [&'static str; 3]) -> Bench {
    let (csv, json) = (Bench::empty(), Bench::empty());
    write(&csv, "a.csv", dates);
    placed(&csv, what, "a.csv");
    let zone = key(&csv, "timezone");
    assert_eq!(days(&csv, "out"), expected(on(zone.as_deref())), "{what}:\n{}", job(&csv));
    write(&json, "a.ndjson", dates);
    match dates[0].len() > 8 && dates[0].parse::<i64>().is_ok() {
        true => {
            placed(&json, what, "a.ndjson");
            assert_eq!(days(&json, "out"), days(&csv, "out"), "{what}:\n{}", job(&json));
        }
        false => {
            init(&json, &["a.ndjson", "--yes", "--as-of", "2023-12-31"]);
            for name in ["query", "timezone", "naive_timezone", "ordered_at"] {
                assert_eq!(key(&json, name), key(&csv, name), "{what}: {name}");
            }
        }
    }
    csv
}

#[test]
fn times_of_a_clock_fall_on_the_days_that_they_show() {
    if !has_program() {
        return;
    }
    for (tool, dates) in &WALL {
        let bench = runs(tool, dates, |_| DAYS);
        assert_eq!(key(&bench, "timezone"), None, "{tool}");
    }
}

/// An instant falls on the day of the zone of the job file: the one that the offsets show, and any other that somebody names.
#[test]
fn instants_fall_on_the_days_of_the_zone() {
    if !has_program() {
        return;
    }
    for (tool, zone, dates) in &INSTANTS {
        let bench = runs(tool, dates, |found| {
            assert_eq!(found, Some(*zone), "{tool}");
            days_in(zone)
        });
        let other = if *zone == "Asia/Shanghai" { "America/New_York" } else { "Asia/Shanghai" };
        let set = format!("orders.timezone=\"{other}\"");
        bench.succeeds(&["run", "job.toml", "--quiet", "--set", &set, "--output", "other"]);
        assert_eq!(days(&bench, "other"), expected(days_in(other)), "{tool}, {other}");
    }
}

#[test]
fn abbreviations_name_the_zone() {
    if !has_program() {
        return;
    }
    for (tool, zone, dates) in &NAMED {
        runs(tool, dates, |found| {
            assert_eq!(found, Some(*zone), "{tool}");
            DAYS
        });
    }
}

/// CST is the time of Chicago in winter and that of China: the question says so, and summer or the currency tell.
#[test]
fn cst_may_be_the_time_of_china() {
    for (currency, dates, zone, said) in [
        (
            "USD",
            ["2023-01-31 23:30:00 CST", "2023-02-01 00:15:07 CST"],
            "America/Chicago",
            "it is that of China (Asia/Shanghai), too",
        ),
        (
            "CNY",
            ["2023-01-31 23:30:00 CST", "2023-02-01 00:15:07 CST"],
            "Asia/Shanghai",
            "as the names of the columns or the currency suggest",
        ),
        ("USD", ["2023-01-31 23:30:00 CST", "2023-07-01 00:15:07 CST"], "Asia/Shanghai", "because it stands in summer"),
    ] {
        let bench = Bench::empty();
        let row = |(row, date): (u32, &str)| format!("c{row},{date},{row}.50,{currency}\n");
        bench.write(
            "a.csv",
            "customer_id,order_date,total,currency\n".to_owned() + &(1..).zip(dates).map(row).collect::<String>(),
        );
        let told = init(&bench, &["a.csv", "--yes", "--as-of", "2023-12-31"]);
        assert_eq!(key(&bench, "timezone").as_deref(), Some(zone));
        assert!(job(&bench).replace("\n# ? ", " ").contains(said), "{said}: {}", job(&bench));
        assert!(told.questions.iter().any(|asked| asked.contains("carry CST")), "{:?}", told.questions);
    }
}

/// What MySQL writes where there is no date is none: the row is rejected, and the job file says how many are.
#[test]
fn null_dates_are_none() {
    if !has_program() {
        return;
    }
    for (none, dates) in [
        ("0000-00-00", ["2023-01-31", "0000-00-00", "2023-05-13"]),
        ("0000-00-00 00:00:00", ["2023-01-31 23:30:00", "0000-00-00 00:00:00", "2023-05-13 12:00:00"]),
    ] {
        let bench = Bench::empty();
        write(&bench, "a.csv", &dates);
        placed(&bench, none, "a.csv");
        let expected = [("c1", "2023-01-31"), ("c3", "2023-05-13")].map(|(id, day)| (id.to_owned(), day.to_owned()));
        assert_eq!(days(&bench, "out"), BTreeMap::from(expected), "{}", job(&bench));
        assert!(job(&bench).contains("1 row without one") && job(&bench).contains(&format!("'{none}'")), "{}", job(&bench));
    }
}

/// Seconds with fractions, as Python writes them: text in CSV, floats in JSON.
#[test]
fn seconds_may_have_fractions() {
    if !has_program() {
        return;
    }
    runs("fractions", &["1675207800.25", "1688181307.0", "1683979200.999999"], |_| days_in("UTC"));
    let line = |(row, second): (u32, f64)| {
        json!({ "order_id": row, "customer_id": format!("c{row}"), "order_date": second, "total": 1.5 }).to_string() + "\n"
    };
    let bench = Bench::empty();
    bench.write("a.ndjson", (1..).zip([1_675_207_800.25, 1_688_181_307.0, 1_683_979_200.5]).map(line).collect::<String>());
    init(&bench, &["a.ndjson", "--yes", "--as-of", "2023-12-31"]);
    bench.runs();
    assert_eq!(days(&bench, "out"), expected(days_in("UTC")));
}

/// Weeks, months, quarters and times of day are no dates, nor are words.
#[test]
fn what_is_no_date_is_not_taken_for_one() {
    for dates in [
        ["2023-W05", "2023-W26", "2023-W19"],
        ["2023-W05-2", "2023-W26-6", "2023-W19-6"],
        ["2023-031", "2023-182", "2023-133"],
        ["2023-01", "2023-07", "2023-05"],
        ["202301", "202307", "202305"],
        ["2023Q1", "2023Q3", "2023Q2"],
        ["2023", "2024", "2025"],
        ["23:30:00", "00:15:07", "12:00:00"],
        ["January 2023", "July 2023", "May 2023"],
        ["yesterday", "3 days ago", "May"],
        // Spreadsheets lose digits of long numbers.
        ["1.67521E+12", "1.68818E+12", "1.68398E+12"],
        ["2023-01-31 23:30:00", "soon", "2023-05-13 12:00:00"],
        ["31/01/2023", "07/13/2023", "01/02/2023"],
    ] {
        for file in ["a.csv", "a.ndjson"] {
            let bench = Bench::empty();
            write(&bench, file, &dates);
            let ran = bench.rfmill(&["init", file, "--yes"]);
            assert_eq!(ran.code, 3, "{dates:?} in {file}: {}", ran.err);
            assert!(ran.err.contains("no column looks like the date of an order"), "{dates:?} in {file}: {}", ran.err);
            assert!(
                ran.err.contains("Column \"order_date\" is named like one, but holds \""),
                "{dates:?} in {file}: {}",
                ran.err
            );
        }
    }
}

/// Where one row tells the order of day and month, it holds for all rows, also for a row behind those that are looked at closely.
#[test]
fn one_row_decides_over_day_and_month() {
    if !has_program() {
        return;
    }
    for (last, expected) in [("31/01/2024", ["2024-04-03", "2024-01-31"]), ("01/31/2024", ["2024-03-04", "2024-01-31"])] {
        let bench = Bench::empty();
        let mut text = String::from("customer_id,order_date,amount\n");
        (0..25_000).for_each(|row| text += &format!("many{},03/04/2024,5.00\n", row % 7));
        text += &format!("last,{last},5.00\n");
        bench.write("a.csv", text);
        init(&bench, &["a.csv", "--yes", "--as-of", "2024-12-31"]);
        bench.runs();
        let days = days(&bench, "out");
        assert_eq!([&days["many0"], &days["last"]], expected, "{}", job(&bench));
    }
}

/// Ten days in a row, from 2023-01-27 to 2023-02-05, in the orders that people use: read wrongly, they lie years apart.
const YEARS_OF_TWO_DIGITS: [(&str, [&str; 10]); 4] = [
    (
        "%y/%m/%d",
        ["23/01/27", "23/01/28", "23/01/29", "23/01/30", "23/01/31", "23/02/01", "23/02/02", "23/02/03", "23/02/04", "23/02/05"],
    ),
    (
        "%d.%m.%y",
        ["27.01.23", "28.01.23", "29.01.23", "30.01.23", "31.01.23", "01.02.23", "02.02.23", "03.02.23", "04.02.23", "05.02.23"],
    ),
    (
        "%m/%d/%y",
        ["01/27/23", "01/28/23", "01/29/23", "01/30/23", "01/31/23", "02/01/23", "02/02/23", "02/03/23", "02/04/23", "02/05/23"],
    ),
    (
        "%y-%m-%d %H:%M",
        [
            "23-01-27 9:00",
            "23-01-28 9:00",
            "23-01-29 9:00",
            "23-01-30 9:00",
            "23-01-31 9:00",
            "23-02-01 9:00",
            "23-02-02 9:00",
            "23-02-03 9:00",
            "23-02-04 9:00",
            "23-02-05 9:00",
        ],
    ),
];

#[test]
fn days_tell_the_order_of_day_month_and_year() {
    if !has_program() {
        return;
    }
    let last_days = [
        "2023-01-27",
        "2023-01-28",
        "2023-01-29",
        "2023-01-30",
        "2023-01-31",
        "2023-02-01",
        "2023-02-02",
        "2023-02-03",
        "2023-02-04",
        "2023-02-05",
    ];
    for (form, dates) in &YEARS_OF_TWO_DIGITS {
        let bench = Bench::empty();
        write(&bench, "a.csv", dates);
        init(&bench, &["a.csv", "--yes", "--as-of", "2023-12-31"]);
        assert!(job(&bench).contains(&format!("'{form}'")), "{}", job(&bench));
        bench.runs();
        let expected = (1..).zip(last_days).map(|(row, day)| (format!("c{row}"), day.to_owned())).collect();
        assert_eq!(days(&bench, "out"), expected, "{form}:\n{}", job(&bench));
    }
}

/// Few days do not tell it: somebody must say what stands first.
#[test]
fn few_days_leave_the_order_open() {
    let bench = Bench::empty();
    write(&bench, "a.csv", &["23/01/15", "23/01/16", "23/01/16"]);
    let ran = bench.rfmill(&["init", "a.csv", "--yes"]);
    let said = "23/01/15 is 2023-01-15 or 2015-01-23, and no row tells; say which with --year-first or --day-first.";
    assert!(ran.code == 3 && ran.err.contains(said), "{}", ran.err);
    for (flag, first_and_last) in
        [("--year-first", "from 2023-01-15 to 2023-01-16"), ("--day-first", "from 2015-01-23 to 2016-01-23")]
    {
        let output = format!("{flag}.toml");
        bench.succeeds(&["init", "a.csv", flag, "-o", &format!("./{output}")]);
        let job = String::from_utf8(bench.read(&output)).expect("UTF-8");
        assert!(job.contains(first_and_last), "{job}");
    }
    let ran = bench.rfmill(&["init", "a.csv", "--year-first", "--day-first"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}
