//! Who the customers are stays in the tables that are about customers.

use crate::fixture::{Bench, decimals, texts, with_ids};
use crate::support::run::files_below;

/// Ids that nothing else looks like.
const CANARY: &str = "canary-7f3a";

fn bench() -> Bench {
    let bench = Bench::new();
    let ids: Vec<String> = [1, 1, 2, 2, 3, 4, 4, 5].map(|n| format!("{CANARY}-{n}@example.org")).into();
    let mut columns = with_ids(texts(ids.iter().map(String::as_str)));
    columns.push(("paid", decimals(2, [1; 8])));
    bench.parquet("orders/a.parquet", &columns);
    bench.append("report = [\"html\", \"json\", \"xlsx\"]");
    bench
}

fn has_canary(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes())
}

#[test]
fn ids_stay_in_the_tables_of_customers() {
    let bench = bench();
    for arguments in [&["run", "job.toml"][..], &["run", "job.toml", "--log-format", "json", "--as-of", "2024-11-30"]] {
        let ran = bench.succeeds(arguments);
        assert!(!has_canary(ran.err.as_bytes()) && !has_canary(ran.out.as_bytes()), "{}", ran.err);
    }
    let mut seen = 0;
    for path in files_below(&bench.path("out/latest")) {
        let name = path.strip_prefix(bench.path("out/latest")).unwrap().display().to_string();
        if ["customers/", "movers/", "state_history/"].iter().any(|table| name.starts_with(table)) {
            continue;
        }
        assert!(!has_canary(&std::fs::read(&path).unwrap()), "{name}");
        seen += 1;
    }
    assert!(seen > 8, "{seen} files");
    for command in [&["verify", "out"][..], &["explain", "job.toml"], &["check", "job.toml"]] {
        let ran = bench.succeeds(command);
        assert!(!has_canary(ran.err.as_bytes()) && !has_canary(ran.out.as_bytes()), "{command:?}");
    }
}

/// What is wrong with a row is said with its number.
#[test]
fn refusals_name_rows_and_not_customers() {
    let refused = |bench: &Bench| {
        let ran = bench.rfmill(&["run", "job.toml"]);
        assert_ne!(ran.code, 0);
        assert!(!has_canary(ran.err.as_bytes()), "{}", ran.err);
    };
    let other = bench();
    other.in_orders("amount_scale = 1");
    refused(&other);
    let other = bench();
    other.edit(
        "\"customer_id\"\nordered_at = \"ordered_at\"\namount = \"amount\"",
        "\"paid\"\nordered_at = \"customer_id\"\namount = \"amount\"",
    );
    refused(&other);
    let other = bench();
    other.in_orders("[orders.latest]\nkey = [\"customer_id\"]\nby = \"paid\"");
    refused(&other);
}
