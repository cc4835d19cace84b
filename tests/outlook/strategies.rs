//! States that look ahead tell the customers of a strategy apart as they were on the day before its period.

use std::collections::BTreeMap;

use super::{Order, random_orders, shop, table};
use crate::support::calendar::days_from_civil;
use crate::support::run::{Workshop, said, table_hashes};

const HORIZON: &str =
    "[forecast]\nhorizon = \"1 quarter\"\n[schemes]\nahead = \"ahead.toml\"\n[output]\npath = \"out\"\nreport = []\n";

/// By what is expected, and by whether anything is.
const SCHEME: &str = "name = \"ahead\"\nladder = [\"busy\", \"some\", \"quiet\"]\n[[states]]\nname = \"busy\"\n[[states]]\nname = \"some\"\n\
    [[states]]\nname = \"quiet\"\n[[rules]]\nstate = \"quiet\"\nwhen = { next_order_median = { is_null = true } }\n[[rules]]\nstate = \"busy\"\n\
    when = { \"expected_orders@90d\" = { min = 1.2 } }\n[[rules]]\nstate = \"some\"\n";

fn arm(id: i64) -> &'static str {
    if id % 3 == 0 { "control" } else { "mail" }
}

/// A job with the scheme over some orders.
fn laid_out(orders: &[Order], as_of: &str, strategy: &str) -> Workshop {
    let shop = shop(orders, &format!("[periods]\nas_of = [{as_of}]\n{HORIZON}{strategy}"));
    shop.write("ahead.toml", SCHEME);
    let arms: String = (0..400).map(|id| format!("{id},{},2024-10-01\n", arm(id))).collect();
    shop.write("arms.csv", &format!("customer_id,arm,assigned_on\n{arms}"));
    shop
}

/// The states are those of a run of that day, over orders up to it alone: whatever came later, the model does not know it.
#[test]
fn strategies_know_forecasts_of_the_day_before() {
    let orders = random_orders();
    let earlier: Vec<Order> = orders.iter().filter(|order| order.1 <= days_from_civil(2024, 9, 30)).copied().collect();
    let before = laid_out(&earlier, "2024-09-30", "");
    before.run_here(None).expect("a run");
    let mut wanted: BTreeMap<(String, &str), i128> = BTreeMap::new();
    let customers = crate::support::run::read_folder(&before.path("out/latest/customers"));
    for row in customers.records() {
        *wanted.entry((row["ahead"].text().to_owned(), arm(row["customer_id"].int() as i64))).or_default() += 1;
    }
    assert!(wanted.len() == 6 && wanted.values().all(|count| *count > 5), "{wanted:?}");
    for design in ["randomised", "matched"] {
        let more = match design {
            "randomised" => "split = { control = \"1/3\", mail = \"2/3\" }\n",
            _ => "match_on = [\"ahead\"]\n",
        };
        let strategy = format!(
            "[[strategy]]\nname = \"mail\"\ndesign = \"{design}\"\nassignments = \"arms.csv\"\ncontrol = \"control\"\n{more}by = [\"ahead\"]\n\
             periods = [{{ from = 2024-10-01, to = 2024-12-31 }}]\n"
        );
        let whole = laid_out(&orders, "2024-12-31", &strategy);
        whole.run_here(None).expect("a run");
        let balance = table(&whole, "balance");
        let rows = balance.records();
        let of_state = rows.iter().filter(|row| row["scheme"].text() == "ahead" && row["covariate"].text() == "frequency");
        let mut found: BTreeMap<(String, &str), i128> = BTreeMap::new();
        for row in of_state.filter(|row| row["state"].text() != "(none)") {
            found.insert((row["state"].text().to_owned(), "mail"), row["n_treated"].int());
            found.insert((row["state"].text().to_owned(), "control"), row["n_control"].int());
        }
        assert_eq!(found, wanted, "{design}");
        let stages = laid_out(&orders, "2024-12-31", &strategy);
        let output = stages.run(&["--quiet", "--shards", "3", "--work", "work", "--launcher", "local"]);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(table_hashes(&stages.path("out/latest/")), table_hashes(&whole.path("out/latest/")), "{design}");
    }
}
