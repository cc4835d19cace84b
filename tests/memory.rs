//! `--memory-limit`: the same bytes with as little memory as will do, and a sentence that says how much that is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};
use jiff::civil::Date;
use rfmill::internals::sample::{self, SampleSpec};
use serde_json::Value;

use crate::fixture::parquet_bytes;
use crate::support::run::{Workshop, said, table_hashes};

/// Order lines, months, measures over windows, and every table that remembers customers.
const JOB: &str = r#"
name = "memory"
[orders]
path = "data"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
order_id = "order_id"
category = "category"
[[orders.keep]]
column = "status"
in = ["paid", "shipped", "returned"]
[periods]
every = "month"
from = 2023-01-01
to = 2024-12-31
[score]
lookback = "12 months"
levels = "median"
[schemes]
lifecycle = "recency_windows"
value = "eight_value"
[output]
path = "out"
report = []
cohorts_by = ["first_category"]
tables = ["customers", "cutpoints", "segments", "transitions", "movers", "growth", "cohorts", "concentration", "state_history", "ledger"]
columns = ["recency_days", "frequency", "monetary", "frequency@90d", "top_category", "lifecycle", "lifecycle_previous", "lifecycle_since", "value"]
"#;

fn shop(orders: u64, customers: u64, string_ids: bool) -> Workshop {
    let shop = Workshop::new();
    let mut spec = SampleSpec::new(orders, 3, Date::constant(2023, 1, 1), Date::constant(2024, 12, 31));
    spec.customers = Some(customers);
    spec.string_ids = string_ids;
    sample::write(&spec, &shop.path("data"), &|_| ()).expect("a sample");
    shop.write("job.toml", JOB);
    shop
}

/// Every table file of the last run with its hash, and its manifest.
fn outcome(shop: &Workshop) -> (BTreeMap<String, String>, Value) {
    let folder = shop.path("out/latest");
    let hashes = table_hashes(&folder);
    let manifest = fs::read(folder.join("manifest.json")).expect("a manifest");
    let manifest = serde_json::from_slice(&manifest).expect("JSON");
    fs::remove_dir_all(shop.path("out")).expect("the output");
    (hashes, manifest)
}

/// Runs with the least limit that the program says would do; returns it in MiB.
pub(crate) fn with_least(shop: &Workshop, threads: &str) -> u64 {
    let mut limit = 1;
    for _ in 0..5 {
        let output = shop.run(&["--quiet", "--threads", threads, "--memory-limit", &format!("{limit}MiB")]);
        if output.status.success() {
            return limit;
        }
        let text = said(&output);
        assert_eq!(output.status.code(), Some(7), "{text}");
        // Who finds out while it grows has not grown by much more.
        if let Some((_, took)) = text.split_once("took the memory to ") {
            let took: u64 = took.split_once("MiB").expect("MiB").0.parse().expect("a number");
            assert!(took <= limit + limit / 10, "{text}");
        }
        let (_, least) = text.split_once("at least ").expect("what would do");
        let least: String = least.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        let least = least.parse().expect("a number");
        assert!(least > limit, "{text}");
        limit = least;
    }
    panic!("the limit {limit} MiB, which the program asked for, did not do");
}

#[test]
fn spilling_changes_no_byte() {
    for string_ids in [false, true] {
        let shop = shop(1_100_000, 40_000, string_ids);
        let output = shop.run(&["--quiet", "--threads", "2"]);
        assert!(output.status.success(), "{}", said(&output));
        let (want, manifest) = outcome(&shop);
        assert_eq!(manifest["spilled_bytes"], 0);
        for threads in ["2", "1"] {
            let limit = with_least(&shop, threads);
            let (got, manifest) = outcome(&shop);
            assert_eq!(got, want, "{threads} threads under {limit} MiB");
            assert!(manifest["spilled_bytes"].as_u64().expect("bytes") > 10_000_000, "{}", manifest["spilled_bytes"]);
            let peak = manifest["peak_memory_bytes"].as_u64().expect("bytes") >> 20;
            assert!(peak <= limit + limit / 10, "{peak} MiB at a limit of {limit} MiB");
        }
    }
}

#[test]
fn comparing_rows_on_disk_changes_no_byte() {
    for rule in ["dedupe = \"rows\"\n", "[orders.latest]\nkey = [\"order_id\", \"amount\", \"category\"]\nby = \"ordered_at\"\n"]
    {
        let shop = shop(300_000, 20_000, true);
        // A tenth of the rows stands twice.
        fs::copy(shop.path("data/orders-2023-01-01.parquet"), shop.path("data/orders-again.parquet")).expect("a copy");
        let anchor = "[[orders.keep]]";
        shop.write("job.toml", &JOB.replace(anchor, &format!("{rule}{anchor}")));
        let output = shop.run(&["--quiet", "--threads", "2"]);
        assert!(output.status.success(), "{}", said(&output));
        let (want, _) = outcome(&shop);
        let limit = with_least(&shop, "2");
        let (got, manifest) = outcome(&shop);
        assert_eq!(got, want, "{rule} under {limit} MiB");
        assert!(manifest["spilled_bytes"].as_u64().expect("bytes") > 5_000_000, "{}", manifest["spilled_bytes"]);
    }
}

/// Orders of integer ids in one file, with a column `shop`; and a table of customers with a column `city`.
fn write_groups(shop: &Workshop, customers: &[i64], shops: i64, cities: i64) {
    let rows = 0..customers.len() as i64;
    let texts = |prefix: &str, numbers: &mut dyn Iterator<Item = i64>| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(numbers.map(|number| format!("{prefix} {number}"))))
    };
    let days = rows.clone().map(|row| 19_358 + (row * 7_919 % 731) as i32);
    let columns = [
        ("customer_id", Arc::new(Int64Array::from(customers.to_vec())) as ArrayRef),
        ("ordered_at", Arc::new(Date32Array::from_iter_values(days))),
        ("amount", Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| 1 + row * 31 % 997)))),
        ("order_id", Arc::new(Int64Array::from_iter_values(rows.clone()))),
        ("shop", texts("shop", &mut rows.map(|row| row * 104_729 % shops))),
    ];
    fs::create_dir_all(shop.path("data")).expect("a folder");
    fs::write(shop.path("data/orders.parquet"), parquet_bytes(&columns)).expect("orders");
    let ids: Vec<i64> = customers.iter().copied().collect::<BTreeSet<i64>>().into_iter().collect();
    let city = texts("city", &mut ids.iter().map(|id| id * 15_485_863 % cities));
    let columns = [("customer_id", Arc::new(Int64Array::from(ids.clone())) as ArrayRef), ("city", city)];
    fs::write(shop.path("customers.parquet"), parquet_bytes(&columns)).expect("customers");
}

const GROUPS: &str = r#"
name = "groups"
[orders]
path = "data"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
order_id = "order_id"
[periods]
every = "quarter"
from = 2024-01-01
to = 2024-12-31
[output]
path = "out"
report = ["html", "json", "crm"]
"#;

/// Under the least limit that the program asks for, a run gives the same bytes and takes no more than a tenth more.
fn holds_its_limit(shop: &Workshop) {
    let output = shop.run(&["--quiet", "--threads", "2"]);
    assert!(output.status.success(), "{}", said(&output));
    let (want, manifest) = outcome(shop);
    let free = manifest["peak_memory_bytes"].as_u64().expect("bytes") >> 20;
    let limit = with_least(shop, "2");
    let (got, manifest) = outcome(shop);
    assert_eq!(got, want, "under {limit} MiB");
    let peak = manifest["peak_memory_bytes"].as_u64().expect("bytes") >> 20;
    assert!(peak <= limit + limit / 10, "{peak} MiB at a limit of {limit} MiB, {free} MiB without");
    // What fits is not refused.
    assert!(limit <= 2 * free + 128, "{limit} MiB are asked for, {free} MiB are used without a limit");
}

#[test]
fn a_customer_with_a_third_of_the_orders_fits() {
    let shop = Workshop::new();
    let customers: Vec<i64> = (0..900_000).map(|row| if row % 3 == 0 { 0 } else { 1 + row * 7 % 60_000 }).collect();
    write_groups(&shop, &customers, 3, 3);
    shop.write("job.toml", GROUPS);
    holds_its_limit(&shop);
}

#[test]
fn sums_by_many_values_hold_the_limit() {
    let shop = Workshop::new();
    let customers: Vec<i64> = (0..200_000).map(|row| row * 7 % 60_000).collect();
    write_groups(&shop, &customers, 3, 15_000);
    let dimension = "[customers]\npath = \"customers.parquet\"\ncustomer_id = \"customer_id\"\ndimensions = [\"city\"]\n";
    shop.write("job.toml", &GROUPS.replace("[periods]", &format!("{dimension}[periods]")));
    holds_its_limit(&shop);
    // The report shows the largest, and the tables have all.
    let output = shop.run(&["--quiet", "--threads", "2"]);
    assert!(output.status.success(), "{}", said(&output));
    let report = fs::read_to_string(shop.path("out/latest/report/report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let cities: BTreeSet<&str> =
        report["segments"].as_array().expect("rows").iter().filter_map(|row| row["dimension_value"].as_str()).collect();
    assert_eq!(cities.len(), 200 + 1, "200 cities and the total");
}

#[test]
fn many_slices_hold_the_limit() {
    let shop = Workshop::new();
    let customers: Vec<i64> = (0..200_000).map(|row| row * 7 % 60_000).collect();
    write_groups(&shop, &customers, 15_000, 3);
    shop.write("job.toml", &GROUPS.replace("order_id = ", "slice = \"shop\"\norder_id = "));
    holds_its_limit(&shop);
}

/// Customers who are in many strategies at once: sums by arm and by other strategy, which grow with the square of the strategies.
#[test]
fn many_strategies_hold_the_limit() {
    let shop = Workshop::new();
    let customers: Vec<i64> = (0..40_000).map(|row| row * 7 % 4_000).collect();
    write_groups(&shop, &customers, 3, 3);
    let starts = ["2024-01-01", "2024-04-01", "2024-07-01", "2024-10-01"];
    let mut job = GROUPS.to_owned();
    for strategy in 0..150 {
        let mut rows = "customer_id,arm,assigned_on\n".to_owned();
        for row in 0..240 {
            let (id, arm) = ((strategy * 31 + row * 17) % 4_000, if row / 4 % 5 == 0 { "treatment" } else { "control" });
            rows.push_str(&format!("{id},{arm},{}\n", starts[row % 4]));
        }
        shop.write(&format!("{strategy}.csv"), &rows);
        job.push_str(&format!(
            "[[strategy]]\nname = \"s{strategy}\"\ndesign = \"randomised\"\nassignments = \"{strategy}.csv\"\ncontrol = \"control\"\n\
             split = {{ control = 0.8, treatment = 0.2 }}\n"
        ));
    }
    shop.write("job.toml", &job);
    holds_its_limit(&shop);
}

/// Customers near the cuts of strategies, in several periods.
#[test]
fn cuts_hold_the_limit() {
    let shop = Workshop::new();
    let customers: Vec<i64> = (0..300_000).map(|row| row * 7 % 90_000).collect();
    write_groups(&shop, &customers, 3, 3);
    let mut job = GROUPS.to_owned();
    for (name, running, cut) in
        [("gold", "lifetime_monetary", 1_200), ("club", "monetary@365d", 700), ("silent", "recency_days", 90)]
    {
        job.push_str(&format!("[[strategy]]\nname = \"{name}\"\ndesign = \"threshold\"\nrunning = \"{running}\"\ncut = {cut}\n"));
    }
    shop.write("job.toml", &job);
    holds_its_limit(&shop);
}

#[test]
fn a_roomy_limit_spills_nothing() {
    let shop = shop(20_000, 2_000, false);
    let output = shop.run(&["--quiet"]);
    assert!(output.status.success(), "{}", said(&output));
    let (want, _) = outcome(&shop);
    let output = shop.run(&["--quiet", "--memory-limit", "4GiB"]);
    assert!(output.status.success(), "{}", said(&output));
    let (got, manifest) = outcome(&shop);
    assert_eq!((got, &manifest["spilled_bytes"]), (want, &Value::from(0)));
}

#[test]
fn sizes_are_read_and_refused() {
    let shop = shop(1_000, 100, false);
    for (size, sentence) in [
        ("12", "expected a size such as 512MiB or 4GiB"),
        ("1GB", "expected a size such as 512MiB or 4GiB"),
        ("99999999999TiB", "expected a size such as 512MiB or 4GiB"),
    ] {
        let output = shop.run(&["--memory-limit", size]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(sentence), "{}", said(&output));
    }
    let output = shop.run(&["--memory-limit", "2MiB"]);
    assert_eq!(output.status.code(), Some(7), "{}", said(&output));
    assert!(said(&output).contains("--memory-limit 2MiB is too small"), "{}", said(&output));
    assert!(!shop.path("out/latest").exists());
}
