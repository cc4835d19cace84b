//! Whether programmes without effect in stores that were drawn claim anything: orders of shops whose stores have good and bad months.

use std::fmt::Write;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use super::say;
use crate::fixture::{dates, decimals, ints, parquet_bytes};
use crate::support::run::{Workshop, read_file};

const STORES: usize = 12;
const CUSTOMERS: usize = 250;

/// A job on twelve stores of 250 customers, six of which are drawn; every month a store sells ±25 % (one standard deviation).
fn shop(seed: u64, keys: &str) -> Workshop {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut stores: Vec<usize> = (0..STORES).collect();
    stores.shuffle(&mut rng);
    let treated = &stores[..STORES / 2];
    let level = Normal::new(1.0, 0.25).expect("a normal");
    let (mut orders, mut csv) = (Vec::new(), String::from("customer_id,store,arm,assigned_on\n"));
    for store in 0..STORES {
        let arm = if treated.contains(&store) { "treatment" } else { "control" };
        for day in ["2024-02-10", "2024-03-10", "2024-04-10", "2024-04-20"] {
            let share: f64 = 0.45 * level.sample(&mut rng);
            let share = share.clamp(0.0, 1.0);
            for id in store * CUSTOMERS..(store + 1) * CUSTOMERS {
                if rng.random_bool(share) {
                    orders.push((id as i64, day, 100 * rng.random_range(10..60)));
                }
            }
        }
        for id in store * CUSTOMERS..(store + 1) * CUSTOMERS {
            writeln!(csv, "{id},store {store:02},{arm},2024-04-01").expect("text");
        }
    }
    let shop = Workshop::new();
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", dates(orders.iter().map(|order| order.1))),
        ("amount", decimals(2, orders.iter().map(|order| i128::from(order.2)))),
    ];
    std::fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
    shop.write("stores.csv", &csv);
    shop.write(
        "job.toml",
        &format!(
            "name = \"stores\"\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\n\
             amount = \"amount\"\n[periods]\nevery = \"month\"\nfrom = 2024-04-01\nto = 2024-05-31\n[output]\npath = \"out\"\n\
             [[strategy]]\nname = \"s\"\ndesign = \"randomised\"\nassignments = \"stores.csv\"\ncontrol = \"control\"\n\
             split = {{ control = 0.5, treatment = 0.5 }}\noutcome_days = 30\n\
             periods = [{{ from = 2024-04-01, to = 2024-04-30 }}]\n{keys}\n"
        ),
    );
    shop.run_here(None).expect("a run");
    shop
}

/// Whether a job claims anything, and whether a remark warns of its stores.
fn claims(shop: &Workshop) -> (bool, bool) {
    let table = read_file(&shop.path("out/latest/verdicts.parquet"));
    let rows = table.records();
    let claims = rows.iter().any(|row| ["scale", "keep", "stop"].contains(&row["verdict"].text()));
    (claims, rows.iter().any(|row| row["reason"].text().contains("each value of \"store\" lies wholly in one arm")))
}

#[test]
#[ignore = "minutes: see the head of simulation.rs"]
fn simulation_stores_without_effect_claim_nothing() {
    const JOBS: u64 = 200;
    let run = |keys: &str| -> Vec<(bool, bool)> { (0..JOBS).map(|seed| claims(&shop(seed, keys))).collect() };
    let percent = |jobs: &[(bool, bool)]| 100.0 * jobs.iter().filter(|job| job.0).count() as f64 / JOBS as f64;
    let (by_stores, by_customers) = (run("cluster = \"store\""), run(""));
    say("12 stores without effect, 6 drawn, jobs with a claim by stores", &format!("{:.1} %", percent(&by_stores)));
    say("the same by customers", &format!("{:.1} %", percent(&by_customers)));
    // 5 % and two standard errors of 200 jobs.
    assert!(percent(&by_stores) <= 8.1, "{}", percent(&by_stores));
    assert!(by_customers.iter().all(|(claims, is_warned)| !claims || *is_warned), "a claim without a word on stores");
}
