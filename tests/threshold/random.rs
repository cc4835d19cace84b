//! Cuts over random shops: the same files in stages, on any number of threads and under the least memory.
//!
//! `RFMILL_CUTS=200` tries as many shops, each with 1, 2 and 8 shards.

use std::fmt::Write as _;
use std::fs;

use rfmill::internals::job::Overrides;

use super::{day, epoch};
use crate::fixture::{dates, decimals, ints, parquet_bytes, texts};
use crate::memory::with_least;
use crate::sharded::{in_stages, tables, whole};
use crate::support::cases::Rng;
use crate::support::run::{Cell, Workshop, read_file, said, table_hashes};

/// Shops of a usual run of the tests.
const SHOPS: u64 = 12;

/// Measures that a cut can be of, with where it may lie, in units that are printed.
const MEASURES: [(&str, i64, i64); 5] = [
    ("monetary@365d", 200, 900),
    ("lifetime_monetary", 200, 900),
    ("recency_days", 40, 200),
    ("lifetime_orders", 2, 5),
    ("tenure_days", 100, 300),
];

/// A shop whose customers buy more from some value of a measure on, or not, and a job that asks.
fn lay_out(seed: u64) -> Workshop {
    let mut rng = Rng::new(seed ^ 0x0c07);
    let shop = Workshop::new();
    let customers = rng.between(300, 1_800);
    let (start, end) = (day("2024-04-01"), day("2024-10-01"));
    let gain = *rng.pick(&[0, 3_000, 8_000]);
    let mut orders = Vec::new();
    for customer in 0..customers {
        let home = if rng.chance(60) { "a" } else { "b" };
        let level = rng.between(500, 20_000);
        let mut spent = 0;
        for _ in 0..rng.between(1, 6) {
            let cents = rng.between(1, 2 * level);
            spent += cents;
            orders.push((customer, rng.between(0, start - 1), cents, home));
        }
        let more = if spent > 50_000 { gain } else { 0 };
        for _ in 0..rng.between(0, 3) {
            orders.push((customer, rng.between(start, end), rng.between(1, 2 * level) + more, home));
        }
    }
    let days: Vec<String> = orders.iter().map(|order| (epoch() + jiff::Span::new().days(order.1)).to_string()).collect();
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", dates(days.iter().map(String::as_str))),
        ("amount", decimals(2, orders.iter().map(|order| i128::from(order.2)))),
        ("shop", texts(orders.iter().map(|order| order.3))),
    ];
    fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
    shop.write("job.toml", &job(&shop, customers, &mut rng));
    shop
}

fn job(shop: &Workshop, customers: i64, rng: &mut Rng) -> String {
    let is_sliced = rng.chance(30);
    let every = *rng.pick(&["quarter", "month"]);
    let mut job = format!(
        "name = \"cuts\"\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\namount = \"amount\"\n{}\
         [periods]\nevery = \"{every}\"\nfrom = 2024-04-01\nto = 2024-09-30\n[output]\npath = \"out\"\nreport = []\n",
        if is_sliced { "slice = \"shop\"\n" } else { "" },
    );
    for number in 0..rng.between(1, 3) {
        let (running, low, high) = *rng.pick(&MEASURES);
        let cut = rng.between(low, high);
        writeln!(job, "[[strategy]]\nname = \"cut {number}\"\ndesign = \"threshold\"\nrunning = \"{running}\"\ncut = {cut}")
            .expect("text");
        job += if is_sliced { "slice = \"a\"\n" } else { "" };
        if rng.chance(30) {
            writeln!(job, "window = {}", rng.between(cut / 2, 2 * cut).max(1)).expect("text");
        }
        if rng.chance(40) {
            job +=
                "periods = [{ from = 2024-04-01, to = 2024-06-30 }, { from = 2024-07-01, to = 2024-08-31 }]\noutcome_days = 60\n";
        }
        job += *rng.pick(&["", "began = 2024-02-01\n", "outcomes = [\"revenue\"]\n", "outcomes = [\"converted\", \"orders\"]\n"]);
        job += *rng.pick(&["", "margin_rate = 0.4\ncost_per_customer = \"1.25\"\n"]);
        if rng.chance(30) {
            // Some were treated below the cut, and some above it were not.
            let rows = (0..customers).filter(|_| rng.chance(40)).map(|id| format!("{id},gold,2024-04-01\n"));
            let rows: String = rows.collect();
            shop.write(&format!("treated-{number}.csv"), &format!("customer_id,arm,assigned_on\n{rows}"));
            writeln!(job, "treated = \"treated-{number}.csv\"").expect("text");
        }
    }
    job
}

#[test]
fn random_cuts_give_the_same_files_however_they_are_computed() {
    let asked = std::env::var("RFMILL_CUTS").ok().map(|count| count.parse().expect("RFMILL_CUTS is a number"));
    let (mut estimates, mut refusals) = (0, 0);
    for seed in 0..asked.unwrap_or(SHOPS) {
        let shop = lay_out(seed);
        let into = |output: &str| Overrides { output: Some(shop.path(output)), ..Overrides::default() };
        whole(&shop, into("whole")).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let wanted = tables(&shop, "whole");
        let effects = read_file(&shop.path("whole/latest/effects.parquet"));
        for row in effects.records() {
            *(if *row["difference"] == Cell::Null { &mut refusals } else { &mut estimates }) += 1;
        }
        let all = [1, 2, 8];
        let shards = if asked.is_some() { all.to_vec() } else { vec![all[seed as usize % 3]] };
        for shards in shards {
            let output = format!("shards-{shards}");
            let parts = Overrides { part_rows: Some(100), ..into(&output) };
            in_stages(&shop, parts.clone(), shards, &mut Rng::new(seed)).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            whole(&shop, Overrides { output: Some(shop.path("parts")), ..parts }).expect("a run in as many parts");
            assert_eq!(tables(&shop, &output), tables(&shop, "parts"), "seed {seed}, {shards} shards");
            fs::remove_dir_all(shop.path("parts")).expect("the output");
            // Parts are files of tables by customer, and nothing else.
            let summed = |output: &str| {
                let mut hashes = tables(&shop, output);
                hashes.retain(|name, _| !name.contains("/part-"));
                hashes
            };
            assert_eq!(summed(&output), summed("whole"), "seed {seed}, {shards} shards");
        }
        for threads in ["1", "3"] {
            let output = shop.run(&["--quiet", "--threads", threads]);
            assert!(output.status.success(), "seed {seed}: {}", said(&output));
            assert_eq!(table_hashes(&shop.path("out/latest")), wanted, "seed {seed}, {threads} threads");
            fs::remove_dir_all(shop.path("out")).expect("the output");
        }
        if seed % 3 == 0 {
            let limit = with_least(&shop, "2");
            assert_eq!(table_hashes(&shop.path("out/latest")), wanted, "seed {seed}, {limit} MiB");
        }
    }
    assert!(estimates > 30 && refusals > 10, "{estimates} estimates, {refusals} refusals");
}
