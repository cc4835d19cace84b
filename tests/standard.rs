//! The scheme `standard`: the counts that `docs/SCHEMES.md` states on public data, and floors that hold on any data.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use rfmill::internals::sample::{self, SampleSpec};

use crate::support::cases::{Column, ColumnData, Rng};
use crate::support::files::write_file;
use crate::support::run::{Table, Workshop, read_file, read_folder, said};

/// A public data set, if this checkout has it beside itself.
pub fn public(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("RFMILL_SHARED").map_or_else(beside, PathBuf::from);
    let path = shared.join("data").join(name);
    let found = File::open(&path).is_ok();
    if !found {
        // Past the test harness, which shows nothing of tests that pass.
        use std::io::Write;
        let line = format!("SKIPPED: {} is not there; set RFMILL_SHARED to the folder whose data/ holds it\n", path.display());
        std::io::stderr().write_all(line.as_bytes()).expect("stderr");
    }
    found.then_some(path)
}

fn expected(job: &str) -> BTreeMap<String, i128> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/standard_expected.json");
    let mut all: BTreeMap<String, BTreeMap<String, i128>> =
        serde_json::from_reader(File::open(path).expect("the file")).expect("counts");
    all.remove(job).expect("a job of the file")
}

/// Runs a job that has one scheme column, `segment`.
fn run(shop: &Workshop, orders: &str, rest: &str) {
    let schemes = "[schemes]\nsegment = \"standard\"\n[output]\npath = \"out\"\nreport = []";
    let columns =
        r#"columns = ["recency_days", "frequency@365d", "tenure_days", "lifetime_orders", "r_score", "f_score", "segment"]"#;
    shop.write("job.toml", &format!("name = \"standard\"\n[orders]\n{orders}\n{rest}\n{schemes}\n{columns}\n"));
    let output = shop.run(&["--quiet"]);
    assert!(output.status.success(), "{}", said(&output));
}

fn counts(shop: &Workshop) -> BTreeMap<String, i128> {
    let segments = read_file(&shop.path("out/latest/segments.parquet"));
    let records = segments.records();
    records.iter().map(|row| (row["state"].text().to_string(), row["customers"].int())).collect()
}

/// States without customers have no row.
fn assert_counts(shop: &Workshop, job: &str) {
    let mut expected = expected(job);
    expected.retain(|_, n| *n > 0);
    assert_eq!(counts(shop), expected, "{job}");
    check_floors(&read_folder(&shop.path("out/latest/customers")));
}

#[test]
fn cdnow_has_the_documented_segments() {
    let Some(data) = public("cdnow_master.parquet") else { return };
    for (job, lookback) in [("cdnow_2q", "2 quarters"), ("cdnow_all", "all")] {
        let shop = Workshop::new();
        let columns = "customer_id = \"customer_id\"\nordered_at = \"date\"\namount = \"dollar_value\"";
        let rest = format!("[periods]\nas_of = [1998-06-30]\n[score]\nlookback = \"{lookback}\"");
        run(&shop, &format!("path = {data:?}\n{columns}"), &rest);
        assert_counts(&shop, job);
    }
}

/// The keys of `[orders]` for Online Retail: lines with a positive quantity and price, by invoice.
pub fn online_retail_orders(data: &Path) -> String {
    format!(
        r#"path = {data:?}
        customer_id = "CustomerID"
        ordered_at = "InvoiceDate"
        amount = ["Quantity", "UnitPrice"]
        amount_scale = 3
        order_id = "InvoiceNo"
        [[orders.keep]]
        column = "Quantity"
        above = 0
        [[orders.keep]]
        column = "UnitPrice"
        above = 0.0"#
    )
}

#[test]
fn online_retail_has_the_documented_segments() {
    let Some(data) = public("online_retail.parquet") else { return };
    let shop = Workshop::new();
    let orders = online_retail_orders(&data);
    run(&shop, &orders, "[periods]\nas_of = [2011-12-09]");
    assert_counts(&shop, "online_retail");
}

/// No name lies; returns how many customers carry each.
fn check_floors(customers: &Table) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    let at = ["recency_days", "frequency@365d", "tenure_days", "lifetime_orders", "segment"].map(|name| customers.column(name));
    for row in &customers.rows {
        let [recency, in_year, tenure, orders] = [at[0], at[1], at[2], at[3]].map(|i| row[i].int());
        let segment = row[at[4]].text();
        *seen.entry(segment.to_string()).or_default() += 1;
        let is_true = match segment {
            "Champions" => recency <= 30 && in_year >= 3 && orders >= 6,
            "Loyal" => recency <= 90 && in_year >= 3,
            "Potential Loyalist" => recency <= 90 && in_year == 2,
            "New" => recency <= 90 && orders == 1 && tenure <= 90,
            "Promising" => recency <= 90 && (2..=5).contains(&orders),
            "Need Attention" => recency <= 180 && orders >= 3,
            "About to Sleep" => (31..=180).contains(&recency) && orders <= 2,
            "Can't Lose" => (91..=365).contains(&recency) && orders >= 6,
            "At Risk" => (181..=365).contains(&recency) && (3..=5).contains(&orders),
            "Hibernating" => recency > 365 || recency > 180 && orders <= 2,
            other => panic!("no state {other}"),
        };
        assert!(is_true, "{segment}: recency {recency}, in a year {in_year}, tenure {tenure}, lifetime orders {orders}");
    }
    seen
}

const LOOKBACKS: [&str; 4] = ["all", "12 months", "2 quarters", "30d"];

#[test]
fn no_name_lies_on_sample_orders() {
    let shop = Workshop::new();
    let spec = SampleSpec::new(40_000, 7, Date::constant(2023, 1, 1), Date::constant(2024, 12, 31));
    sample::write(&spec, &shop.path("data"), &|_| ()).expect("a sample");
    let mut seen = BTreeMap::new();
    for lookback in LOOKBACKS {
        let orders = "path = \"data\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\namount = \"amount\"\norder_id = \"order_id\"";
        let dates = "as_of = [2023-03-31, 2023-12-31, 2024-12-31, 2025-06-30]";
        run(&shop, orders, &format!("[periods]\n{dates}\n[score]\nlookback = \"{lookback}\""));
        seen.extend(check_floors(&read_folder(&shop.path("out/latest/customers"))));
    }
    assert_eq!(seen.len(), 10, "every state is tried: {seen:?}");
}

#[test]
fn no_name_lies_on_random_orders() {
    let mut rng = Rng::new(2024);
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for round in 0..24 {
        // Few or many customers, orders and dates: from all alike to all different.
        let (customers, rows) = (rng.between(1, 400), rng.between(1, 3_000));
        let (span, last) = (*rng.pick(&[1, 40, 100, 250, 500, 1_000]), 20_000);
        let mut ids = Vec::new();
        let mut days = Vec::new();
        for _ in 0..rows {
            // The lower the number, the more orders.
            let customer = rng.between(1, customers).min(rng.between(1, customers));
            ids.push(Some(i128::from(customer)));
            days.push(Some((last - rng.between(0, span) * (1 + customer % 3) / 2) as i32));
        }
        let columns = [
            Column { name: "id".into(), data: ColumnData::Int { bits: 64, signed: true, values: ids } },
            Column { name: "day".into(), data: ColumnData::Date(days) },
            Column {
                name: "sum".into(),
                data: ColumnData::Decimal { precision: 9, scale: 2, values: vec![Some(1999); rows as usize] },
            },
        ];
        let shop = Workshop::new();
        write_file(&shop.path("orders.parquet"), &columns, &mut rng);
        let orders = "path = \"orders.parquet\"\ncustomer_id = \"id\"\nordered_at = \"day\"\namount = \"sum\"";
        // 20,000 days after 1970-01-01 are 2024-10-04.
        run(
            &shop,
            orders,
            &format!("[periods]\nas_of = [2024-10-04, 2024-12-01]\n[score]\nlookback = \"{}\"", LOOKBACKS[round % 4]),
        );
        for (state, n) in check_floors(&read_folder(&shop.path("out/latest/customers"))) {
            *seen.entry(state).or_default() += n;
        }
    }
    assert_eq!(seen.len(), 10, "every state is tried: {seen:?}");
}
