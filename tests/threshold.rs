//! Strategies that treated everybody beyond a cut: from orders to effects, checks and verdicts at the cut.

mod random;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::civil::Date;
use serde_json::Value;

use crate::fixture::{dates, decimals, ints, parquet_bytes};
use crate::support::run::{Cell, Table, Workshop, read_file, said, table_hashes};

/// Customers of the shop.
const CUSTOMERS: i64 = 4_000;

/// From this many cents on customers were treated.
const CUT: i64 = 100_000;

/// The day that the shop's days are counted from.
const EPOCH: &str = "2023-05-01";

/// The orders of `tests/oracles/threshold.py`: customer, days since [`EPOCH`], cents.
fn orders() -> Vec<(i64, i64, i64)> {
    let mut state = 20_240_422u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % below) as i64
    };
    let (january, april, july) = (day("2024-01-05"), day("2024-04-01"), day("2024-07-01"));
    let mut rows = Vec::new();
    for customer in 0..CUSTOMERS {
        let mut running = 3_000 + draw(140_000);
        rows.push((customer, draw(200), running));
        if draw(100) < 60 {
            let cents = 1 + draw(40_000);
            rows.push((customer, january + draw(80), cents));
            running += cents;
        }
        if draw(100) < 45 + running / 10_000 {
            let cents = 2_000 + draw(6_000) + running / 50 + if running >= CUT { 2_500 } else { 0 };
            rows.push((customer, april + draw(91), cents));
        }
        if draw(100) < 50 {
            let when = july + draw(92);
            rows.push((customer, when, 1_000 + draw(5_000)));
        }
    }
    rows
}

/// The first day of the shop.
fn epoch() -> Date {
    EPOCH.parse().expect("a date")
}

/// A date as days since [`EPOCH`].
fn day(date: &str) -> i64 {
    let date: Date = date.parse().expect("a date");
    i64::from((date - epoch()).get_days())
}

/// An order: customer, days since [`EPOCH`], cents.
type Order = (i64, i64, i64);

/// What the strategy of most tests says besides its name and design.
const KEYS: &str = "running = \"monetary@365d\"\ncut = 1000\n";

/// The job up to its strategy.
const JOB: &str = "name = \"threshold\"\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\n\
    amount = \"amount\"\n[periods]\nevery = \"quarter\"\nfrom = 2024-04-01\nto = 2024-09-30\n[output]\npath = \"out\"\n";

/// A shop with these orders, and a strategy with these keys.
fn shop(orders: &[Order], keys: &str) -> Workshop {
    let shop = Workshop::new();
    let texts: Vec<String> = orders.iter().map(|order| (epoch() + jiff::Span::new().days(order.1)).to_string()).collect();
    let columns = [
        ("customer_id", ints(orders.iter().map(|order| order.0))),
        ("ordered_at", dates(texts.iter().map(String::as_str))),
        ("amount", decimals(2, orders.iter().map(|order| i128::from(order.2)))),
    ];
    fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
    shop.write("job.toml", &format!("{JOB}[[strategy]]\nname = \"gold\"\ndesign = \"threshold\"\n{keys}"));
    shop
}

fn ran(shop: Workshop) -> Workshop {
    shop.run_here(None).expect("a run");
    shop
}

fn table(shop: &Workshop, name: &str) -> Table {
    read_file(&shop.path(&format!("out/latest/{name}.parquet")))
}

/// The row of a table with this first day and outcome.
fn row<'t>(table: &'t Table, start: &str, outcome: &str) -> BTreeMap<&'t str, &'t Cell> {
    let start = i64::from((start.parse::<Date>().expect("a date") - Date::constant(1970, 1, 1)).get_days());
    let mut rows =
        table.records().into_iter().filter(|row| row["period_start"].date() == start && row["outcome"].text() == outcome);
    rows.next().unwrap_or_else(|| panic!("{outcome} of {start}"))
}

fn is_null(cell: &Cell) -> bool {
    *cell == Cell::Null
}

/// Verdict and reason of each period.
fn verdicts(shop: &Workshop) -> Vec<String> {
    let table = table(shop, "verdicts");
    table.records().iter().map(|row| format!("{}: {}", row["verdict"].text(), row["reason"].text())).collect()
}

/// What the run is refused with.
fn refused(shop: &Workshop) -> String {
    let message = shop.run_here(None).expect_err("an error").to_string();
    message.replace(&format!("{}/", shop.path("").display()), "").replace(&shop.path("").display().to_string(), "")
}

fn near(name: &str, found: f64, want: &Value) {
    let want = want.as_f64().expect("a number");
    assert!((found - want).abs() <= 1e-6 * (1.0 + want.abs()), "{name}: {found}, not {want}");
}

/// The cases that `tests/oracles/threshold.py` made.
fn cases() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/threshold.json");
    serde_json::from_slice(&fs::read(path).expect("the cases")).expect("JSON")
}

/// Every figure of the tables is the one of the packages, for both periods, and nothing is pooled.
#[test]
fn figures_are_those_of_rdrobust_and_rddensity() {
    let shop = ran(shop(&orders(), KEYS));
    let (effects, thresholds) = (table(&shop, "effects"), table(&shop, "thresholds"));
    for case in cases() {
        let start = case["start"].as_str().expect("a date");
        for outcome in ["converted", "orders", "revenue"] {
            let (want, placebo) = (&case["outcomes"][outcome]["effect"], &case["outcomes"][outcome]["placebo"]);
            let at = |key: &str| format!("{start} {outcome} {key}");
            let (effect, threshold) = (row(&effects, start, outcome), row(&thresholds, start, outcome));
            assert!(is_null(effect["not_estimable"]), "{}", effect["not_estimable"].text());
            for (column, key) in [("difference", "estimate"), ("ci_low", "ci_low"), ("ci_high", "ci_high"), ("p_value", "p")] {
                near(&at(column), effect[column].double(), &want[key]);
            }
            near(&at("mean_control"), effect["mean_control"].double(), &want["limits"][0]);
            near(&at("mean_treated"), effect["mean_treated"].double(), &want["limits"][1]);
            for (column, side) in [("n_control", 0), ("n_treated", 1)] {
                assert_eq!(effect[column].int(), i128::from(want["inside"][side].as_i64().expect("a count")), "{}", at(column));
            }
            for (column, key) in [
                ("bandwidth", "bandwidth"),
                ("bias_bandwidth", "bias_bandwidth"),
                ("corrected", "corrected"),
                ("robust_error", "robust_error"),
            ] {
                near(&at(column), threshold[column].double(), &want[key]);
            }
            near(&at("slope_below"), threshold["slope_below"].double(), &want["slopes"][0]);
            near(&at("slope_beyond"), threshold["slope_beyond"].double(), &want["slopes"][1]);
            assert_eq!(threshold["customers"].int(), i128::from(case["customers"].as_i64().expect("a count")));
            assert_eq!(threshold["kept"].int(), threshold["customers"].int());
            near(&at("density_p"), threshold["density_p"].double(), &case["density_p"]);
            for (column, key) in
                [("placebo", "estimate"), ("placebo_low", "ci_low"), ("placebo_high", "ci_high"), ("placebo_p", "p")]
            {
                near(&at(column), threshold[column].double(), &placebo[key]);
            }
            // Holm: twice the smaller, and no less for the larger.
            let p = ["density_p", "placebo_p"].map(|column| threshold[column].double());
            let adjusted = ["density_p_adjusted", "placebo_p_adjusted"].map(|column| threshold[column].double());
            let (smaller, larger) = if p[0] <= p[1] { (0, 1) } else { (1, 0) };
            assert!((adjusted[smaller] - (2.0 * p[smaller]).min(1.0)).abs() < 1e-12);
            assert!((adjusted[larger] - p[larger].max(adjusted[smaller])).abs() < 1e-12);
            assert!(["incremental", "cost", "srm_p", "lift_low"].iter().all(|column| is_null(effect[column])));
            let of_control = effect["mean_control"].double();
            assert!((effect["lift"].double() - effect["difference"].double() / of_control).abs() < 1e-12);
            // What a normal test of 5 % finds four times in five: 1.96 and 0.84 standard errors.
            let found = (1.959_963_984_540_054 + 0.841_621_233_572_914) * threshold["robust_error"].double();
            assert!((effect["mde"].double() - found).abs() < 1e-9 * found, "{}", at("mde"));
        }
    }
    assert_eq!(table(&shop, "effects_over_time").records().len(), 0);
    assert_eq!(
        verdicts(&shop),
        [
            "keep: for customers just above 1000 of \"monetary@365d\", revenue rises by 16.22 per customer (4.494 to 28.90, adjusted p 0.0073): it works for them; whether it pays is not known without cost and margin, and of others nothing is shown",
            "test_longer: for customers just above 1000 of \"monetary@365d\", revenue falls by 2.724 per customer (-9.348 to 2.658, adjusted p 0.2748): no effect on them is shown; a gain of 8.581 or a loss of 8.581 would be found four times in five",
        ]
    );
}

/// The bins of the picture hold the customers inside the bandwidth, each once.
#[test]
fn bins_hold_whom_the_fits_reach() {
    let shop = ran(shop(&orders(), KEYS));
    let (bins, thresholds) = (table(&shop, "threshold_bins"), table(&shop, "thresholds"));
    let threshold = row(&thresholds, "2024-04-01", "revenue");
    let own: Vec<_> = bins
        .records()
        .into_iter()
        .filter(|bin| bin["outcome"].text() == "revenue" && bin["period_start"].date() == threshold["period_start"].date())
        .collect();
    assert_eq!(own.len(), 20);
    let mut running = vec![0; CUSTOMERS as usize];
    let mut bought = vec![0; CUSTOMERS as usize];
    for (customer, when, cents) in orders() {
        let sums = if when < day("2024-04-01") { &mut running } else { &mut bought };
        if when < day("2024-07-01") {
            sums[customer as usize] += cents;
        }
    }
    for bin in &own {
        let (lower, upper) = (bin["lower"].double(), bin["upper"].double());
        let inside = (0..CUSTOMERS as usize).filter(|customer| (lower..upper).contains(&(running[*customer] as f64 / 100.0)));
        let inside: Vec<usize> = inside.collect();
        assert_eq!(bin["customers"].int(), inside.len() as i128, "{lower} to {upper}");
        let mean = inside.iter().map(|customer| bought[*customer] as f64 / 100.0).sum::<f64>() / inside.len() as f64;
        assert!((bin["mean"].double() - mean).abs() < 1e-9 * mean, "{lower} to {upper}");
        assert_eq!(bin["side"].text(), if upper <= 1000.0 + 1e-9 { "below" } else { "beyond" });
    }
    for (side, count) in [("below", "n_below"), ("beyond", "n_beyond")] {
        let all: i128 = own.iter().filter(|bin| bin["side"].text() == side).map(|bin| bin["customers"].int()).sum();
        assert_eq!(all, threshold[count].int());
    }
}

/// The page of a run whose output section has more keys.
fn page(keys: &str, output: &str) -> (String, Value) {
    let shop = shop(&orders(), keys);
    let job = fs::read_to_string(shop.path("job.toml")).expect("the job");
    shop.write("job.toml", &job.replace("[output]\n", &format!("[output]\nreport = [\"html\", \"json\"]\n{output}\n")));
    let shop = ran(shop);
    let read = |name: &str| fs::read_to_string(shop.path(&format!("out/latest/report/{name}"))).expect("a report");
    (read("index.html"), serde_json::from_str(&read("report.json")).expect("JSON"))
}

/// The page has the verdict in words of the cut, the picture with its dots, the checks and what would have been found; the JSON has its data.
#[test]
fn the_page_shows_the_cut() {
    let (page, json) = page(KEYS, "");
    let reason = "for customers just above 1000 of &quot;monetary@365d&quot;, revenue rises by 16.22 per customer (4.494 to 28.90, adjusted p 0.0073)";
    let plain = page.replace("&#34;", "&quot;");
    let reason = if plain.contains("&quot;monetary@365d&quot;") { reason.to_owned() } else { reason.replace("&quot;", "\"") };
    assert!(plain.contains(&reason), "the verdict");
    assert!(page.contains("gold: at 1,000 of monetary@365d") && page.contains("data-chart=\"at-cut-0\""), "the picture");
    // Twenty dots, wide and narrow, of the last period.
    assert_eq!(page.matches("data-k=\"below 1\"").count(), 2);
    assert_eq!(page.matches("data-k=\"beyond 10\"").count(), 2);
    // Without the tags around its values.
    let text = page.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text)).collect::<String>();
    let found = "in 2024 Q3, four times in five, a gain in revenue of 8.58 per customer just above 1,000, or a loss of 8.58.";
    assert!(text.contains(found), "what would have been found");
    assert!(page.contains("Density test (adjusted p)") && page.contains("an effect is the jump of the outcome at the cut"));
    assert!(!page.contains("The job has no strategy.") && !page.contains("gold: beyond"));
    assert_eq!(json["thresholds"].as_array().expect("rows").len(), 6);
    assert_eq!(json["threshold_bins"].as_array().expect("rows").len(), 120);
    let answer =
        json["answers"].as_array().expect("answers").iter().find(|answer| answer["key"] == "strategies").expect("an answer");
    let said = answer["answer"][0].as_str().expect("a text");
    assert!(said.starts_with("gold: Test longer, 2024 Q3; for customers just above 1000 of "), "{said}");
    for language in ["zh-Hans", "zh-Hant"] {
        let (page, _) = self::page(KEYS, &format!("language = \"{language}\""));
        assert!(page.contains("1000") && !page.contains("just above") && !page.contains("per customer"), "{language}");
    }
}

/// Groups below `min_group` are hidden: bins of the picture, and everything where a whole side is one.
#[test]
fn small_groups_are_hidden() {
    let (_, json) = page(KEYS, "min_group = 55");
    let bins = json["threshold_bins"].as_array().expect("rows");
    let hidden = bins.iter().filter(|bin| bin["customers"].is_null()).count();
    assert!(hidden > 1 && hidden < bins.len(), "{hidden} of {}", bins.len());
    for bin in bins {
        assert_eq!(bin["customers"].is_null(), bin["mean"].is_null());
        assert!(bin["customers"].as_i64().is_none_or(|n| n >= 55), "{bin}");
    }
    // What is left of a side is no single bin's number.
    for threshold in json["thresholds"].as_array().expect("rows") {
        for side in ["below", "beyond"] {
            let own = bins
                .iter()
                .filter(|bin| ["outcome", "period_start"].iter().all(|key| bin[key] == threshold[key]) && bin["side"] == side);
            let gone = own.filter(|bin| bin["customers"].is_null()).count();
            assert!(gone != 1, "one bin {side} is hidden and can be found by subtraction");
        }
    }
    let (page, json) = page(KEYS, "min_group = 1500");
    assert!(!page.contains("16.22") && !page.contains("data-chart=\"at-cut-0\""));
    for threshold in json["thresholds"].as_array().expect("rows") {
        assert!(["n_below", "limit_below", "density_p", "placebo", "robust_error"].iter().all(|key| threshold[key].is_null()));
    }
    assert!(
        json["verdicts"]
            .as_array()
            .expect("rows")
            .iter()
            .all(|verdict| verdict["difference"].is_null() && verdict["reason"].is_null())
    );
}

/// Net money is linear in the outcome that it follows from.
#[test]
fn money_decides_where_cost_and_margin_are_known() {
    let keys = |cost: &str| format!("{KEYS}margin_rate = 0.4\ncost_per_customer = {cost}\noutcomes = [\"revenue\"]\n");
    let shop = |cost| ran(shop(&orders(), &keys(cost)));
    let cheap = shop("0.1");
    let effects = table(&cheap, "effects");
    let (revenue, net) = (row(&effects, "2024-04-01", "revenue"), row(&effects, "2024-04-01", "net"));
    for (of_net, of_revenue) in [("difference", "difference"), ("ci_low", "ci_low"), ("ci_high", "ci_high")] {
        assert!((net[of_net].double() - (0.4 * revenue[of_revenue].double() - 0.1)).abs() < 1e-9);
    }
    for (money, own) in [("net_margin_per_customer", "difference"), ("net_margin_low", "ci_low"), ("net_margin_high", "ci_high")]
    {
        assert_eq!(revenue[money].double(), net[own].double());
    }
    assert!((revenue["roi"].double() - net["difference"].double() / 0.1).abs() < 1e-9);
    let first = |shop: &Workshop| verdicts(shop).remove(0);
    let start = "for customers just above 1000 of \"monetary@365d\", revenue rises by 16.22 per customer (4.494 to 28.90, adjusted p 0.0073); net margin per customer ";
    for (cost, verdict, net, end) in [
        ("0.1", "keep", "6.387 (1.697 to 11.46)", "it pays for them even at the low end, and of others nothing is shown"),
        ("4", "keep", "2.487 (-2.203 to 7.560)", "it works for them, but that it pays is not shown, and of others nothing is"),
        (
            "40",
            "test_longer",
            "-33.51 (-38.20 to -28.44)",
            "it costs more than it brings of them even at the high end; a higher cut would save that, and of others nothing is shown",
        ),
    ] {
        assert_eq!(first(&shop(cost)), format!("{verdict}: {start}{net}: {end}"));
    }
}

/// The same bytes whatever the threads, parts, shards and the limit of memory.
#[test]
fn bytes_do_not_depend_on_how_a_run_is_made() {
    let shop = shop(&orders(), &format!("{KEYS}treated = \"treated.csv\"\n"));
    treat(&shop, 97, 2);
    let mut hashes = Vec::new();
    for (output, arguments) in [
        ("one", &["--threads", "1"][..]),
        ("parts", &["--threads", "2", "--part-rows", "300"]),
        ("shards", &["--part-rows", "300", "--shards", "3", "--work", "work"]),
        ("limit", &["--threads", "2", "--part-rows", "300", "--memory-limit", "1GiB"]),
    ] {
        let ran = shop.run(&[&["-o", output][..], arguments].concat());
        assert!(ran.status.success(), "{}", said(&ran));
        let mut tables = table_hashes(&shop.path(&format!("{output}/latest")));
        tables.retain(|name, _| {
            ["effects", "verdicts", "thresholds", "threshold_bins"].iter().any(|own| *name == format!("{own}.parquet"))
        });
        assert_eq!(tables.len(), 4);
        hashes.push(tables);
    }
    assert!(hashes.iter().all(|own| *own == hashes[0]));
}

/// Writes who was treated in both quarters: this part of a hundred from the cut on, and that below it.
fn treat(shop: &Workshop, beyond: i64, below: i64) {
    let mut csv = String::from("customer_id,arm,assigned_on\n");
    let mut running = vec![0; CUSTOMERS as usize];
    orders().iter().filter(|order| order.1 < day("2024-04-01")).for_each(|order| running[order.0 as usize] += order.2);
    for (customer, running) in running.iter().enumerate() {
        let share = if *running >= CUT { beyond } else { below };
        if (customer as i64 * 37) % 100 < share {
            csv += &format!("{customer},gold,2024-04-{:02}\n", 1 + customer % 20);
        }
    }
    shop.write("treated.csv", &csv);
}

/// A table of who was treated is held against the cut; numbers stay as they are where it agrees.
#[test]
fn the_treated_must_be_those_beyond() {
    let of = |beyond, below| {
        let shop =
            shop(&orders(), &format!("{KEYS}treated = \"treated.csv\"\nperiods = [{{ from = 2024-04-01, to = 2024-06-30 }}]\n"));
        treat(&shop, beyond, below);
        ran(shop)
    };
    let sound = of(98, 3);
    let (effects, thresholds) = (table(&sound, "effects"), table(&sound, "thresholds"));
    near(
        "difference",
        row(&effects, "2024-04-01", "revenue")["difference"].double(),
        &cases()[0]["outcomes"]["revenue"]["effect"]["estimate"],
    );
    let threshold = row(&thresholds, "2024-04-01", "revenue");
    assert!(
        (threshold["treated_beyond"].double() - 0.98).abs() < 0.01 && (threshold["treated_below"].double() - 0.03).abs() < 0.01
    );
    for (beyond, below) in [(80, 0), (100, 20)] {
        let blurred = of(beyond, below);
        let verdict = verdicts(&blurred).remove(0);
        assert!(
            verdict.starts_with("cannot_say: nothing can be said of customers just above 1000 of \"monetary@365d\": ")
                && verdict
                    .ends_with("at least 95 % and at most 5 % must be, for what differs there to be the doing of the treatment"),
            "{verdict}"
        );
        let effects = table(&blurred, "effects");
        let effect = row(&effects, "2024-04-01", "revenue");
        assert!(["difference", "ci_low", "p_value", "mean_treated", "mde", "lift"].iter().all(|column| is_null(effect[column])));
        let thresholds = table(&blurred, "thresholds");
        let threshold = row(&thresholds, "2024-04-01", "revenue");
        assert!(is_null(threshold["limit_below"]) && is_null(threshold["corrected"]) && !is_null(threshold["bandwidth"]));
        assert_eq!(
            table(&blurred, "threshold_bins").records().iter().filter(|bin| bin["outcome"].text() == "revenue").count(),
            0
        );
    }
}

/// Members who chase the cut, an outcome that jumped before, measures with few values, and what has nobody or nothing at the cut.
#[test]
fn what_must_not_be_told_is_refused_with_its_reason() {
    let reason = |orders: &[Order], keys: &str| {
        let shop = ran(shop(orders, keys));
        let verdict = verdicts(&shop).remove(0);
        let reason = verdict
            .strip_prefix("cannot_say: nothing can be said of customers just above ")
            .unwrap_or_else(|| panic!("{verdict}"));
        reason.to_owned()
    };
    let first = "periods = [{ from = 2024-04-01, to = 2024-06-30 }]\n";
    let mut running = vec![0; CUSTOMERS as usize];
    orders().iter().filter(|order| order.1 < day("2024-04-01")).for_each(|order| running[order.0 as usize] += order.2);
    // Half of those whom less than 60.00 is missing buy what is missing in March, and a little more.
    let mut chased = orders();
    for (customer, running) in (0..).zip(&running) {
        let missing = CUT - running;
        if customer % 2 == 0 && (1..6_000).contains(&missing) {
            chased.push((customer, day("2024-03-28"), missing + customer % 900));
        }
    }
    let heaped = reason(&chased, &format!("{KEYS}{first}"));
    assert!(
        heaped.starts_with(
            "1000 of \"monetary@365d\": the number of customers jumps at 1000 of \"monetary@365d\" (density test, adjusted p "
        ),
        "{heaped}"
    );
    // Whoever is beyond the cut made half of the first order in January.
    let mut jumped = orders();
    let mut split = Vec::new();
    for order in jumped.iter_mut().filter(|order| order.1 < 200 && running[order.0 as usize] >= CUT) {
        let half = order.2 / 2;
        order.2 -= half;
        split.push((order.0, day("2024-01-20"), half));
    }
    jumped.extend(split);
    let before = reason(&jumped, &format!("{KEYS}{first}"));
    assert!(
        before.contains(
            ": revenue of the same customers from 2024-01-01 to 2024-03-31, before the programme began, jumps at the cut by "
        ),
        "{before}"
    );
    let few = reason(&orders(), &format!("running = \"frequency@365d\"\ncut = 2\n{first}"));
    assert!(
        few.starts_with("2 of \"frequency@365d\": ")
            && (few.contains("with fewer than 20 on a side")
                || few.contains("has too few values just below 2, or from there on")),
        "{few}"
    );
    let days = reason(&orders(), &format!("running = \"recency_days\"\ncut = 14\n{first}"));
    assert!(days.contains("\"recency_days\" has ") && days.contains("with fewer than 20 on a side"), "{days}");
    let nobody = reason(&orders(), &format!("running = \"monetary@365d\"\ncut = 5000\nwindow = 300\n{first}"));
    assert_eq!(
        nobody,
        "5000 of \"monetary@365d\": \"monetary@365d\" has too few values just below 5000, or from there on, to fit anything to what customers do"
    );
    let silent: Vec<Order> =
        orders().into_iter().filter(|order| order.1 < day("2024-04-01") || order.1 >= day("2024-07-01")).collect();
    let flat = reason(&silent, &format!("{KEYS}{first}"));
    assert_eq!(
        flat,
        "1000 of \"monetary@365d\": around 1000 of \"monetary@365d\" the outcome is the same for all customers, or follows from \"monetary@365d\", so there is no variance to hold a jump against"
    );
    let unfinished = reason(&orders(), &format!("{KEYS}{first}outcome_days = 200\n"));
    assert_eq!(
        unfinished,
        "1000 of \"monetary@365d\": outcomes run until 2024-10-17 and the last as-of date is 2024-09-30: the period is not finished"
    );
}

/// Where the data begin too late, or the measure determines the placebo, the verdict says that it does without.
#[test]
fn a_missing_placebo_is_told() {
    let note = "(without a placebo: what these customers did from 2022-12-31 to 2023-03-31, before the programme began, is not known or follows from the measure)";
    let early =
        ran(shop(&orders(), &format!("{KEYS}began = 2023-04-01\nperiods = [{{ from = 2024-04-01, to = 2024-06-30 }}]\n")));
    assert!(verdicts(&early)[0].ends_with(note), "{}", verdicts(&early)[0]);
    let thresholds = table(&early, "thresholds");
    let threshold = row(&thresholds, "2024-04-01", "revenue");
    assert!(is_null(threshold["placebo"]) && is_null(threshold["placebo_start"]));
    assert_eq!(threshold["density_p"].double(), threshold["density_p_adjusted"].double());
    // Whoever has such a measure of the last 91 days has bought in them.
    let keys =
        "running = \"monetary@91d\"\ncut = 200\noutcomes = [\"converted\"]\nperiods = [{ from = 2024-04-01, to = 2024-06-30 }]\n";
    let same = ran(shop(&orders(), keys));
    assert!(verdicts(&same)[0].contains("(without a placebo: "), "{}", verdicts(&same)[0]);
}

/// A scheme of tiers, most of them by the measure.
const TIERS: &str = "name = \"tiers\"\nsummary = \"By what was bought.\"\nsource = \"the test\"\nladder = [\"gold\", \"silver\", \"odd\", \"base\", \"other\"]\n\
    [[states]]\nname = \"gold\"\ndefinition = \"From 1,000.\"\n[[states]]\nname = \"silver\"\ndefinition = \"Above 300, lately.\"\n\
    [[states]]\nname = \"odd\"\ndefinition = \"Two rules.\"\n[[states]]\nname = \"base\"\ndefinition = \"Others.\"\n\
    [[states]]\nname = \"other\"\ndefinition = \"All others.\"\n[[rules]]\nstate = \"gold\"\nwhen = { \"monetary@365d\" = { above = 999.99 } }\n\
    [[rules]]\nstate = \"silver\"\nwhen = { \"monetary@365d\" = { above = 300 }, recency_days = [0, 180] }\n\
    [[rules]]\nstate = \"odd\"\nwhen = { \"monetary@365d\" = [100, 120] }\n[[rules]]\nstate = \"odd\"\nwhen = { \"monetary@365d\" = [20, 40] }\n\
    [[rules]]\nstate = \"base\"\nwhen = { \"monetary@365d\" = { below = 1000 } }\n[[rules]]\nstate = \"other\"\n";

/// A shop whose job has the tiers.
fn tiered(keys: &str) -> Workshop {
    let shop = shop(&orders(), keys);
    shop.write("tiers.toml", TIERS);
    let job = fs::read_to_string(shop.path("job.toml")).expect("the job");
    shop.write("job.toml", &job.replace("[output]", "[schemes]\ntier = \"tiers.toml\"\n[output]"));
    shop
}

/// The lower bound of a state is the least value that its rule admits: 1000.00, which is above 999.99.
#[test]
fn the_lower_bound_of_a_state_is_a_cut() {
    let shop = ran(tiered("running = \"monetary@365d\"\ncut = { scheme = \"tier\", state = \"gold\" }\n"));
    let thresholds = table(&shop, "thresholds");
    let threshold = row(&thresholds, "2024-04-01", "revenue");
    assert_eq!((threshold["cut"].double(), threshold["window"].double()), (1000.0, 1000.0));
    near("bandwidth", threshold["bandwidth"].double(), &cases()[0]["outcomes"]["revenue"]["effect"]["bandwidth"]);
}

/// Every wrong key has its sentence.
#[test]
fn wrong_keys_are_refused_with_what_to_do() {
    const AT: &str = "job.toml, line";
    let wrong = |keys: &str| refused(&shop(&orders()[..10], keys));
    for (keys, message) in [
        (
            "cut = 1000\n",
            "running is missing; name the measure by which customers were treated, such as running = \"monetary@365d\"",
        ),
        (
            "running = \"monetary@365d\"\n",
            "cut is missing; give the value of running from which on customers were treated, such as cut = 1000, or a state, such as cut = { scheme = \"tier\", state = \"gold\" }",
        ),
        ("running = \"monetary@365d\"\ncut = \"much\"\n", "cut is \"much\"; expected a number such as 1000"),
        (
            "running = \"monetary@365d\"\ncut = 10.005\n",
            "cut is 10.005, and the values of monetary@365d are numbers with at most 2 digits behind the point; give such a number",
        ),
        (
            "running = \"recency_days\"\ncut = 10.5\n",
            "cut is 10.5, and the values of recency_days are whole numbers; give such a number",
        ),
        (
            "running = \"monetary@365d\"\ncut = 0\n",
            "the cut is not above 0, so it does not say how far from it customers are looked at; set window",
        ),
        (
            "running = \"monetary@365d\"\ncut = 0\nwindow = 0\n",
            "window is 0; expected a distance from the cut above 0, such as 500",
        ),
        (
            "running = \"last_order\"\ncut = 3\n",
            "running is last_order, which is no whole number of days, purchases or minor units of money; name a measure that is one, such as monetary@365d",
        ),
        (
            "running = \"expected_value\"\ncut = 3\n",
            "running is expected_value, which a model estimates; name a measure of what customers did, such as monetary@365d",
        ),
        (
            "running = \"overdue_ratio\"\ncut = 3\n",
            "running is overdue_ratio, which is no whole number of days, purchases or minor units of money; name a measure that is one, such as monetary@365d",
        ),
        (
            &format!("{KEYS}began = 2024-05-01\n"),
            "the programme began on 2024-05-01, after the period from 2024-04-01; end the periods before it, or correct began",
        ),
        (
            &format!("{KEYS}assignments = \"a.csv\"\n"),
            "design threshold takes everybody from the cut on as treated; who really was goes into treated; remove assignments",
        ),
        (
            &format!("{KEYS}control = \"none\"\n"),
            "design threshold has no arms: customers just below the cut stand for a control; remove control",
        ),
        (
            &format!("{KEYS}split = {{ a = 0.5, b = 0.5 }}\n"),
            "design threshold has no arms: customers just below the cut stand for a control; remove split",
        ),
        (
            &format!("{KEYS}pairs = [[\"a\", \"b\"]]\n"),
            "design threshold has no arms: customers just below the cut stand for a control; remove pairs",
        ),
        (
            &format!("{KEYS}match_on = [\"segment\"]\n"),
            "design threshold has no arms: customers just below the cut stand for a control; remove match_on",
        ),
        (&format!("{KEYS}cluster = \"store\"\n"), "design threshold has no draw whose units could be named; remove cluster"),
        (
            &format!("{KEYS}baseline = {{ from = 2024-01-01, to = 2024-03-31 }}\n"),
            "design threshold holds its placebo on the days before the programme began, which began says; remove baseline",
        ),
        (&format!("{KEYS}after = true\n"), "design threshold looks at the outcome days alone; remove after"),
        (&format!("{KEYS}guardrails = [\"orders\"]\n"), "design threshold judges each period by itself; remove guardrails"),
        (&format!("{KEYS}looks = 3\n"), "design threshold judges each period by itself; remove looks"),
        (
            &format!("{KEYS}by = [\"segment\"]\n"),
            "design threshold is about customers at the cut, who are too few to tell apart; remove by",
        ),
        (
            &format!("{KEYS}fixed_cost = 100\n"),
            "design threshold is about customers at the cut, whose share of a fixed cost nobody knows; remove fixed_cost",
        ),
        (&format!("{KEYS}winsorise = 0.99\n"), "design threshold fits outcomes as they are; remove winsorise"),
        (
            &format!("{KEYS}overlap = \"exclude\"\n"),
            "design threshold knows of no days on which its customers were assigned; remove overlap",
        ),
        (
            &format!("{KEYS}manifest = \"SHA256SUMS\"\n"),
            "manifest lists hashes of files, and the strategy has none; remove it, or name treated",
        ),
        (
            &format!("{KEYS}outcomes = [\"revenue\", \"retained\"]\n"),
            "the outcome \"retained\" is not estimated at a cut; take converted, orders, revenue or margin",
        ),
        (
            &format!("{KEYS}margin_rate = 0.4\noutcomes = [\"revenue\", \"net\"]\nprimary = {{ outcome = \"net\" }}\n"),
            "the primary outcome is \"net\", which follows at a cut from revenue or margin and is shown beside it; take one of these",
        ),
        (
            &format!("{KEYS}primary = {{ outcome = \"revenue\", method = \"welch\" }}\n"),
            "the primary method is welch, which design threshold does not have (methods: threshold)",
        ),
        (&format!("{KEYS}treated = []\n"), "treated is an empty list; name at least one file"),
        (
            &format!("{KEYS}treated = \"treated.xlsx\"\n"),
            "treated names \"treated.xlsx\"; expected a file that ends in .parquet or .csv, or a folder of Parquet files",
        ),
        (&format!("{KEYS}outcome_days = 0\n"), "outcome_days is 0; expected 1 to 3660 days"),
        (
            &format!("{KEYS}slice = \"north\"\n"),
            "slice is \"north\", but the job has no orders.slice; remove slice, or name the slice column",
        ),
    ] {
        let found = wrong(keys);
        assert!(found.starts_with(AT) && found.ends_with(&format!(": strategy \"gold\": {message}")), "{found}");
    }
    let unknown = wrong("running = \"monetry@365d\"\ncut = 1000\n");
    assert!(
        unknown.contains("strategy \"gold\": running: there is no measure \"monetry\"; did you mean \"monetary\"?"),
        "{unknown}"
    );
    let column = wrong("running = \"monetary@365d\"\ncut = { scheme = \"tier\", state = \"gold\" }\n");
    assert!(column.contains("cut names \"tier\", which is no scheme column of the job"), "{column}");
    for (state, message) in [
        (
            "golden",
            "cut names the state \"golden\" of tier, which its scheme does not have; did you mean \"gold\"? (states: gold, silver, odd, base, other)",
        ),
        (
            "silver",
            "the rule of \"silver\" of tier is \"monetary@365d above 300, recency_days 0 to 180\", which is not over monetary@365d alone; take that measure as running, or give the cut as a number",
        ),
        ("odd", "the state \"odd\" of tier has 2 rules, so it has no one lower bound; give the cut as a number"),
        (
            "other",
            "the rule of \"other\" of tier is \"everybody else\", which is not over monetary@365d alone; take that measure as running, or give the cut as a number",
        ),
        ("base", "the state \"base\" of tier has no lower bound; give the cut as a number"),
    ] {
        let found =
            refused(&tiered(&format!("running = \"monetary@365d\"\ncut = {{ scheme = \"tier\", state = \"{state}\" }}\n")));
        assert!(found.ends_with(&format!(": strategy \"gold\": {message}")), "{found}");
    }
    // And the keys of this design in others, and its tables without it.
    for key in ["running = \"monetary@365d\"", "cut = 1000", "window = 5", "began = 2024-04-01", "treated = \"t.csv\""] {
        let keys = format!("assignments = \"a.csv\"\n{key}\n");
        let shop = shop(&orders()[..10], &keys);
        let job = fs::read_to_string(shop.path("job.toml")).expect("the job");
        shop.write("job.toml", &job.replace("\"threshold\"\n", "\"before_after\"\n"));
        let name = key.split(' ').next().expect("a key");
        let found = refused(&shop);
        assert!(found.ends_with(&format!("{name} goes with design threshold, not with before_after; remove it")), "{found}");
        shop.write("job.toml", &JOB.replace("[output]", "[output]\ntables = [\"thresholds\"]"));
        assert!(refused(&shop).ends_with("output.tables names \"thresholds\", but the job has no strategy of design threshold; remove it, or add such a strategy"));
    }
    let without = shop(&orders()[..10], "");
    let job = fs::read_to_string(without.path("job.toml")).expect("the job");
    without.write("job.toml", &job.replace("\"threshold\"\n", "\"before_after\"\n"));
    assert!(
        refused(&without)
            .ends_with("assignments is missing; name the file of who was put into which arm, such as assignments = \"mail.csv\"")
    );
    let missing = shop(&orders()[..10], &format!("{KEYS}treated = \"nobody.csv\"\n"));
    assert!(refused(&missing).contains("strategy.treated"), "{}", refused(&missing));
}
