//! Stores that are drawn, not customers: one unit each in tests, sizes and variances, from orders and assignments to verdicts.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::fixture::{dates, decimals, ints, parquet_bytes, texts};
use crate::support::run::{Cell, Table, Workshop, read_file, said, table_hashes};

/// Stores of 20, 27 … 97 customers.
const STORES: i64 = 12;

/// The stores that are treated.
const TREATED: [i64; 6] = [0, 3, 4, 7, 8, 11];

/// The store of every customer.
fn stores() -> Vec<i64> {
    (0..STORES).flat_map(|store| std::iter::repeat_n(store, 20 + 7 * store as usize)).collect()
}

/// The orders of `tests/oracles/clusters.py` in April and May: customer, day, cents.
fn orders() -> Vec<(i64, &'static str, i64)> {
    let mut orders = Vec::new();
    for (id, store) in (0..).zip(stores()) {
        let level = store * 37 % 11;
        orders.push((id, "2024-03-20", 900));
        for (number, days) in [(0, ["2024-04-10", "2024-04-12"]), (1, ["2024-05-10", "2024-05-12"])] {
            if (id * 7919 % 101 + 13 * number) % 101 < 40 + 3 * level + 5 * number * (level % 2) {
                orders.push((id, days[0], 1000 + 50 * (id * 31 % 97) + 200 * level));
            }
            if id % 5 == 0 {
                orders.push((id, days[1], 700));
            }
        }
    }
    orders
}

/// An assignment: customer, store, arm, day, and whatever further fields a table has.
#[derive(Clone)]
struct Row {
    id: i64,
    store: i64,
    arm: &'static str,
    day: &'static str,
    more: String,
}

/// All customers on the first of April.
fn assigned() -> Vec<Row> {
    let arm = |store: i64| if TREATED.contains(&store) { "mail" } else { "control" };
    let row = |(id, store): (i64, i64)| Row { id, store, arm: arm(store), day: "2024-04-01", more: String::new() };
    (0..).zip(stores()).map(row).collect()
}

/// The same again on the first of May.
fn twice() -> Vec<Row> {
    let again = assigned().into_iter().map(|row| Row { day: "2024-05-01", ..row });
    assigned().into_iter().chain(again).collect()
}

const KEYS: &str = "periods = [{ from = 2024-04-01, to = 2024-04-30 }]\ncluster = \"store\"\n\
    outcomes = [\"converted\", \"orders\", \"revenue\", \"avg_order_value\"]\n";

const TWO: &str = "periods = [{ from = 2024-04-01, to = 2024-04-30 }, { from = 2024-05-01, to = 2024-05-31 }]\ncluster = \"store\"\n\
    outcomes = [\"converted\", \"orders\", \"revenue\", \"avg_order_value\"]\nlooks = 1\n";

/// A shop with these assignments; `fields` names the further fields, `keys` are those of the strategy.
fn shop(rows: &[Row], fields: &str, keys: &str) -> Workshop {
    let shop = Workshop::new();
    let orders = orders();
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", dates(orders.iter().map(|order| order.1))),
        ("amount", decimals(2, orders.iter().map(|order| i128::from(order.2)))),
    ];
    std::fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
    let mut csv = format!("customer_id,store,arm,assigned_on{fields}\n");
    for Row { id, store, arm, day, more } in rows {
        writeln!(csv, "{id},s{store:02},{arm},{day}{more}").expect("text");
    }
    shop.write("s.csv", &csv);
    shop.write(
        "job.toml",
        &format!(
            "name = \"clusters\"\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\n\
             amount = \"amount\"\n[periods]\nevery = \"month\"\nfrom = 2024-04-01\nto = 2024-06-30\n[output]\npath = \"out\"\n\
             [[strategy]]\nname = \"s\"\nassignments = \"s.csv\"\ndesign = \"randomised\"\ncontrol = \"control\"\n\
             split = {{ control = 0.5, mail = 0.5 }}\noutcome_days = 15\n{keys}"
        ),
    );
    shop
}

fn table(shop: &Workshop, name: &str) -> Table {
    read_file(&shop.path(&format!("out/latest/{name}.parquet")))
}

fn ran(shop: Workshop) -> Workshop {
    shop.run_here(None).expect("a run");
    shop
}

/// What the run is refused with.
fn refused(shop: &Workshop) -> String {
    let message = shop.run_here(None).expect_err("an error").to_string();
    message.replace(&format!("{}/", shop.path("").display()), "").replace(&shop.path("").display().to_string(), "")
}

/// The rows of a table over all states, by outcome, in which these cells have these texts.
fn by_outcome<'t>(table: &'t Table, wanted: &[(&str, &str)]) -> BTreeMap<&'t str, BTreeMap<&'t str, &'t Cell>> {
    let rows = table.records().into_iter().filter(|row| wanted.iter().all(|(name, value)| row[name].key() == *value));
    rows.filter(|row| row["state"].text() == "(all)").map(|row| (row["outcome"].text(), row)).collect()
}

fn near(found: f64, want: f64) {
    assert!((found - want).abs() <= 1e-9 * want.abs().max(1.0), "{found} instead of {want}");
}

/// The verdicts on all customers: of April, and over all periods.
fn verdicts(shop: &Workshop) -> Vec<String> {
    let table = table(shop, "verdicts");
    let rows = table.records().into_iter().filter(|row| row["state"].text() == "(all)");
    rows.map(|row| format!("{}: {}", row["verdict"].text(), row["reason"].text())).collect()
}

/// numpy, tests/oracles/clusters.py: all 924 draws of six of the twelve stores.
#[test]
fn stores_are_tested_by_all_their_draws() {
    let shop = ran(shop(&assigned(), "", KEYS));
    let effects = table(&shop, "effects");
    let rows = by_outcome(&effects, &[]);
    assert_eq!(effects.records().iter().filter(|row| row["method"].text() != "permutation").count(), 0);
    for (outcome, difference, p) in [
        ("converted", 0.005698005698005715, 0.9025974025974026),
        ("orders", -0.04843304843304841, 0.4935064935064935),
        ("revenue", -3.6196581196581192, 0.5216450216450217),
        ("avg_order_value", -2.644569288389512, 0.5432900432900433),
    ] {
        let row = &rows[outcome];
        near(row["difference"].double(), difference);
        near(row["p_value"].double(), p);
        assert_eq!((row["n_treated"].int(), row["n_control"].int()), (351, 351));
        assert_eq!((row["clusters_treated"].int(), row["clusters_control"].int()), (6, 6));
        near(row["srm_p"].double(), 1.0);
        near(row["incremental"].double(), 351.0 * difference);
        let (low, high) = (row["ci_low"].double(), row["ci_high"].double());
        assert!(low < difference.min(0.0) && difference.max(0.0) < high && high - low < 60.0, "{low} to {high}");
    }
    let want = "(drawn by \"store\": 6 of 351 customers in arm \"mail\", 6 of 351 in arm \"control\")";
    assert!(verdicts(&shop)[0].starts_with("test_longer: ") && verdicts(&shop)[0].ends_with(want), "{}", verdicts(&shop)[0]);
    // A store is one row of the sums, with its customers.
    let arms = table(&shop, "arms");
    let of = |outcome: &str| -> Vec<(i128, i128, i128)> {
        let rows = arms.records().into_iter();
        let rows =
            rows.filter(|row| row["outcome"].text() == outcome && row["arm"].text() == "mail" && row["y_bin"] == &Cell::Null);
        rows.map(|row| (row["n"].int(), row["sum_y"].minor(), row["sum_d"].minor())).collect()
    };
    assert_eq!(of("(customers)"), [(6, 351, 0)]);
    assert_eq!(of("converted").iter().map(|row| (row.0, row.2)).collect::<Vec<_>>(), [(6, 351)]);
    assert_eq!(of("(recurs)"), [(6, 0, 0)]);
    // And one row of bins, with its money and its customers.
    let of_store = |store: i64| {
        let customers = || (0..).zip(stores()).filter(|(_, own)| *own == store).map(|(id, _)| id);
        let spent = orders().into_iter().filter(|order| order.1.starts_with("2024-04") && customers().any(|id| id == order.0));
        (i128::from(spent.map(|order| order.2).sum::<i64>()), customers().count() as i128)
    };
    let mut want: Vec<(i128, i128)> = TREATED.iter().map(|store| of_store(*store)).collect();
    want.sort_unstable();
    let bins = arms.records().into_iter().filter(|row| row["y_bin"] != &Cell::Null);
    let bins = bins.filter(|row| row["arm"].text() == "mail" && row["outcome"].text() == "revenue");
    assert_eq!(bins.map(|row| (row["sum_y"].minor(), row["sum_d"].minor())).collect::<Vec<_>>(), want);
}

/// The same tables whatever the threads, and from Parquet with numbered stores.
#[test]
fn stores_have_the_same_bytes_in_any_parts() {
    let keys = format!("{TWO}by = [\"segment\"]\nwinsorise = \"0.95\"\n");
    let hashes = |more: &[&str]| {
        let shop = shop(&twice(), "", &keys);
        let output = shop.run(&[&["--quiet"], more].concat());
        assert!(output.status.success(), "{}", said(&output));
        let run = std::fs::canonicalize(shop.path("out/latest")).expect("a run");
        table_hashes(&run)
    };
    let one = hashes(&["--threads", "1"]);
    assert_eq!(one, hashes(&["--threads", "4"]));
    let shop = shop(&twice(), "", &keys);
    let rows = twice();
    let columns = [
        ("customer_id", ints(rows.iter().map(|row| row.id))),
        ("store", ints(rows.iter().map(|row| 100 + row.store))),
        ("arm", texts(rows.iter().map(|row| row.arm))),
        ("assigned_on", dates(rows.iter().map(|row| row.day))),
    ];
    std::fs::write(shop.path("s.parquet"), parquet_bytes(&columns)).expect("assignments");
    let job = std::fs::read_to_string(shop.path("job.toml")).expect("a job").replace("s.csv", "s.parquet");
    shop.write("job.toml", &job);
    let shop = ran(shop);
    let run = std::fs::canonicalize(shop.path("out/latest")).expect("a run");
    assert_eq!(one, table_hashes(&run));
}

/// States are told apart within stores, and money has its cost: what is per customer stays so.
#[test]
fn states_and_money_of_stores_add_up() {
    let keys = format!("{KEYS}by = [\"segment\"]\nmargin_rate = 0.5\ncost_per_customer = \"1.00\"\nwinsorise = \"0.9\"\n");
    let shop = ran(shop(&assigned(), "", &keys));
    let effects = table(&shop, "effects");
    let rows = by_outcome(&effects, &[]);
    near(rows["net"]["difference"].double(), -3.6196581196581192 / 2.0 - 1.0);
    near(rows["revenue"]["cost"].double(), 351.0);
    assert!(rows.contains_key("revenue_winsorised"));
    let of_states =
        effects.records().into_iter().filter(|row| row["outcome"].text() == "revenue" && row["state"].text() != "(all)");
    let customers: i128 = of_states.map(|row| row["n_treated"].int()).sum();
    assert_eq!(customers, 351);
    // Balance counts customers, and has their means.
    let balance = table(&shop, "balance");
    let row = balance
        .records()
        .into_iter()
        .find(|row| row["covariate"].text() == "revenue in the baseline" && row["state"].text() == "(all)");
    let row = row.expect("a row of the baseline");
    assert_eq!(row["n_treated"].int(), 351);
    near(row["mean_treated"].double(), 9.0);
}

/// numpy, tests/oracles/clusters.py: the stores of both periods are the same, so their estimates covary.
#[test]
fn stores_that_recur_covary() {
    let shop = ran(shop(&twice(), "", TWO));
    let pooled = table(&shop, "effects_over_time");
    let row = &by_outcome(&pooled, &[])["revenue"];
    near(row["difference"].double(), -3.5876068376068364);
    near(row["q_difference"].double(), 0.0003585172411451504);
    near(row["recurring_share"].double(), 1.0);
    assert_eq!((row["clustered"], row["clusters_treated"].int(), row["n_treated"].int()), (&Cell::Bool(true), 12, 702));
    // Kept arms are one draw: the interval is no narrower than a normal one of the standard error with covariances, 5.3246.
    let half = (row["ci_high"].double() - row["ci_low"].double()) / 2.0;
    assert!((1.96 * 5.3245634647473645..3.0 * 5.3245634647473645).contains(&half), "{half}");
    // Other customers of the same stores covary as well.
    let mut others = twice();
    others.retain(|row| (row.id % 2 == 0) == (row.day == "2024-04-01"));
    let shop = ran(self::shop(&others, "", TWO));
    let pooled = table(&shop, "effects_over_time");
    assert_eq!(by_outcome(&pooled, &[])["revenue"]["clustered"], &Cell::Bool(true));
}

#[test]
fn a_store_in_both_arms_was_not_drawn() {
    let mut rows = assigned();
    for row in rows.iter_mut().filter(|row| row.store == 5 && row.id % 2 == 0 || row.store == 8 && row.id % 9 == 0) {
        row.arm = if row.arm == "mail" { "control" } else { "mail" };
    }
    let shop = ran(shop(&rows, "", KEYS));
    let want = "cannot_say: 2 of 12 clusters (column \"store\") have customers in several arms, so they were not drawn as a whole: \
        name the column whose values were, or remove cluster";
    assert_eq!(verdicts(&shop)[0], want);
}

/// Of six stores in halves there are 20 draws, of which the rarest two are a tenth.
#[test]
fn six_stores_can_show_nothing() {
    let mut rows = assigned();
    rows.retain(|row| [0, 1, 2, 3, 4, 5].contains(&row.store));
    let shop = ran(shop(&rows, "", KEYS));
    let want = "cannot_say: these clusters (column \"store\") can be drawn in 20 ways, so even the rarest draw has a p-value above \
        0.05: eight clusters in halves are the least that can show an effect";
    assert_eq!(verdicts(&shop)[0], want);
    let mut rows = assigned();
    rows.retain(|row| [0, 1, 2].contains(&row.store));
    let shop = ran(self::shop(&rows, "", KEYS));
    let want = "cannot_say: arm \"mail\" has one cluster here (column \"store\"), and one has no variance";
    assert_eq!(verdicts(&shop)[0], want);
}

/// Stores that are treated and gain far more than all others differ is shown, though no p-value is below 2 in 924.
#[test]
fn a_large_effect_on_stores_is_shown() {
    let shop = shop(&assigned(), "", KEYS);
    let stores = stores();
    let orders: Vec<(i64, &str, i64)> = orders()
        .into_iter()
        .map(|(id, day, cents)| {
            let is_gain = day == "2024-04-10" && TREATED.contains(&stores[id as usize]);
            (id, day, if is_gain { 4 * cents } else { cents })
        })
        .collect();
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", dates(orders.iter().map(|order| order.1))),
        ("amount", decimals(2, orders.iter().map(|order| i128::from(order.2)))),
    ];
    std::fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
    let shop = ran(shop);
    let effects = table(&shop, "effects");
    let row = &by_outcome(&effects, &[])["revenue"];
    near(row["p_value"].double(), 2.0 / 924.0);
    assert!(row["ci_low"].double() > 0.0);
    assert!(verdicts(&shop)[0].starts_with("keep: revenue rises by "), "{}", verdicts(&shop)[0]);
}

/// A stratum holds whole stores: draws are those within strata. The column of stores may be called so itself.
#[test]
fn strata_hold_whole_stores() {
    let mut rows = assigned();
    rows.iter_mut().for_each(|row| row.more = if row.store < 6 { ",small".into() } else { ",large".into() });
    let shop = ran(shop(&rows, ",stratum", KEYS));
    let effects = table(&shop, "effects");
    assert!(by_outcome(&effects, &[])["revenue"]["p_value"].double() > 0.05);
    let arms = table(&shop, "arms");
    let cells: std::collections::BTreeSet<String> = arms.records().iter().map(|row| row["cell"].key()).collect();
    assert_eq!(cells.into_iter().collect::<Vec<_>>(), ["large", "small"]);

    rows[300].more = ",small".into();
    let shop = self::shop(&rows, ",stratum", KEYS);
    let want = "strategy \"s\": the cluster \"s07\" (column \"store\") lies in the strata \"large\" and \"small\" of one period, but is \
        drawn as a whole; give every cluster one stratum, or the column \"stratum\" another name";
    assert_eq!(refused(&shop), want);

    rows.iter_mut().for_each(|row| row.more = format!(",s{}", row.store));
    let shop = ran(self::shop(&rows, ",stratum", &KEYS.replace("store", "stratum")));
    let effects = table(&shop, "effects");
    near(by_outcome(&effects, &[])["revenue"]["p_value"].double(), 0.5216450216450217);
}

/// Without the key, tests take customers for what was drawn; the run and the verdict of the period say so.
#[test]
fn stores_that_are_not_named_are_warned_of() {
    let warned = |rows: &[Row], is_parquet: bool| {
        let rows = &rows.iter().map(|row| Row { more: format!(",note {}", row.id), ..row.clone() }).collect::<Vec<_>>()[..];
        let shop = shop(rows, ",note", &KEYS.replace("cluster = \"store\"\n", ""));
        if is_parquet {
            let columns = [
                ("customer_id", ints(rows.iter().map(|row| row.id))),
                ("store", ints(rows.iter().map(|row| row.store))),
                ("arm", texts(rows.iter().map(|row| row.arm))),
                ("assigned_on", dates(rows.iter().map(|row| row.day))),
            ];
            std::fs::write(shop.path("s.parquet"), parquet_bytes(&columns)).expect("assignments");
            let job = std::fs::read_to_string(shop.path("job.toml")).expect("a job").replace("s.csv", "s.parquet");
            shop.write("job.toml", &job);
        }
        let output = shop.run(&[]);
        assert!(output.status.success(), "{}", said(&output));
        let warning = "strategy \"s\": each value of \"store\" lies wholly in one arm, as if these had been drawn and not customers, whom \
            the test takes for the draws; cluster = \"store\" takes these";
        let remark = " (each value of \"store\" lies wholly in one arm, as if values had been drawn and not customers: then the key \
            cluster = \"store\" of the strategy tells how many draws there were)";
        let verdicts = verdicts(&shop);
        let is_remarked = verdicts[0].ends_with(remark) || verdicts[0].starts_with("cannot_say: ");
        let is_warned = said(&output).contains(warning);
        assert!(is_remarked || !is_warned, "{}", verdicts[0]);
        is_warned
    };
    assert!(warned(&assigned(), false));
    assert!(warned(&assigned(), true));
    let mut mixed = assigned();
    mixed[5].arm = "control";
    assert!(!warned(&mixed, false));
    assert!(!warned(&mixed, true));
}

/// The same of a dimension of the customers table.
#[test]
fn regions_of_the_customers_table_are_warned_of() {
    let stores = stores();
    let warned = |region: &dyn Fn(i64) -> String| {
        let mut rows = assigned();
        rows.iter_mut().for_each(|row| row.store = row.id);
        let shop = shop(&rows, "", &KEYS.replace("cluster = \"store\"\n", ""));
        let ids = 0..stores.len() as i64;
        let regions: Vec<String> = ids.clone().map(region).collect();
        let columns = [("id", ints(ids)), ("region", texts(regions.iter().map(String::as_str)))];
        std::fs::write(shop.path("customers.parquet"), parquet_bytes(&columns)).expect("customers");
        let job = std::fs::read_to_string(shop.path("job.toml")).expect("a job");
        let section = "[customers]\npath = \"customers.parquet\"\ncustomer_id = \"id\"\ndimensions = [\"region\"]\n[output]";
        shop.write("job.toml", &job.replace("[output]", section));
        let output = shop.run(&[]);
        assert!(output.status.success(), "{}", said(&output));
        said(&output).contains("each value of \"region\" lies wholly in one arm")
    };
    assert!(warned(&|id| format!("r{}", stores[id as usize])));
    assert!(!warned(&|id| format!("r{}", id % 12)));
}

#[test]
fn the_column_of_clusters_is_checked() {
    let shop = self::shop(&assigned(), "", &KEYS.replace("store", "shop"));
    let want = "s.csv has no column \"shop\" (its first line names customer_id, store, arm, assigned_on); cluster of strategy \"s\" names \
        it, so add the column, or correct or remove cluster";
    assert_eq!(refused(&shop), want);

    let shop = self::shop(&assigned(), "", KEYS);
    let csv = std::fs::read_to_string(shop.path("s.csv")).expect("a file");
    shop.write("s.csv", &csv.replacen("40,s01", "40,", 1));
    let want = "s.csv, line 42: the column \"store\", which cluster of strategy \"s\" names, is empty; expected what this customer was \
        drawn with, so fill it in, or leave the assignment out";
    assert_eq!(refused(&shop), want);

    shop.write("s.csv", &csv.replacen("40,s01", "40,S01", 1));
    let want = "s.csv, line 22: \"S01\" and \"s01\" in the column \"store\" of strategy \"s\" differ only in case or blanks; write one name";
    assert_eq!(refused(&shop), want);
}
