//! What must hold of the tables of every run, whatever the orders: what adds up, what agrees with what, and what must not
//! matter. The shops are random; `differential` compares numbers, this file compares tables with each other.

pub mod shop;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::calendar::{date_text, days_from_civil};
use crate::support::cases::Rng;
use crate::support::oracle::{Calendar, Periods};
use crate::support::run::{Cell, Table, Workshop, files_below, read_file, read_folder};
use shop::{Shape, Shop, write};

/// Random shops per invariant.
const SHOPS: u64 = 12;

/// A folder with a random shop and a job of this shape.
fn bench(seed: u64, shape: &Shape) -> Workshop {
    let folder = Workshop::new();
    write(&folder, "data", &Shop::new(seed).lines, seed);
    folder.write("job.toml", &shape.job());
    folder
}

#[track_caller]
fn run(folder: &Workshop, as_of: Option<i64>) -> PathBuf {
    folder.run_here(as_of).unwrap_or_else(|e| panic!("{e}"));
    folder.path("out/latest")
}

/// Sums a column over rows with the same key; without a column, counts them.
fn sums(table: &Table, key: &[&str], value: Option<&str>) -> BTreeMap<Vec<String>, i128> {
    let mut sums = BTreeMap::new();
    for row in table.records() {
        let n = value.map_or(1, |column| if column == "revenue" { row[column].minor() } else { row[column].int() });
        *sums.entry(key.iter().map(|column| row[column].key()).collect()).or_default() += n;
    }
    sums
}

/// The rows in which columns have these values.
fn only(table: &Table, wanted: &[(&str, &str)]) -> Table {
    let keep = |row: &&Vec<_>| {
        wanted.iter().all(|(column, value)| {
            let cell: &Cell = &row[table.column(column)];
            cell.key() == *value
        })
    };
    Table { columns: table.columns.clone(), rows: table.rows.iter().filter(keep).cloned().collect() }
}

/// A table of a run.
fn table(run: &Path, name: &str) -> Table {
    read_file(&run.join(format!("{name}.parquet")))
}

/// A partition of a table of a run.
fn partition(run: &Path, name: &str, as_of: &str) -> Table {
    read_folder(&run.join(format!("{name}/as_of={as_of}")))
}

/// The bytes of the files below a folder, by their paths in it.
fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let name = |path: &Path| path.strip_prefix(folder).expect("a path in the folder").to_owned();
    files_below(folder).iter().map(|path| (name(path), fs::read(path).expect("a file"))).collect()
}

#[test]
fn moves_add_up_to_the_customers_of_both_dates() {
    for seed in 0..SHOPS {
        let shape = Shape::random(seed);
        let folder = bench(seed, &shape);
        let run = run(&folder, None);
        let (moves, segments) = (table(&run, "transitions"), table(&run, "segments"));
        let of_state = sums(&segments, &["as_of", "slice", "scheme", "state"], Some("customers"));
        let shown: BTreeSet<String> = segments.records().iter().map(|r| r["as_of"].key()).collect();
        let from = sums(&moves, &["from_as_of", "slice", "scheme", "from_state", "as_of"], Some("customers"));
        let to = sums(&moves, &["as_of", "slice", "scheme", "to_state", "from_as_of"], Some("customers"));
        for (side, customers) in from.iter().chain(&to) {
            if side[3] != "(none)" && shown.contains(&side[0]) {
                assert_eq!(Some(customers), of_state.get(&side[..4]), "seed {seed}, {side:?}");
            }
        }
        // Nobody is left out: every state of either date is in the rows of every comparison of its slice.
        for (pair, n) in sums(&moves, &["as_of", "from_as_of"], None) {
            assert!(n > 0);
            for (state, customers) in &of_state {
                let [date, slice, scheme, state] = &state[..] else { panic!("four columns") };
                let side = |sides: &BTreeMap<Vec<String>, i128>, other: &str| {
                    sides.get(&[date, slice, scheme, state, other].map(str::to_string)[..]).copied()
                };
                if *date == pair[0] {
                    assert_eq!(side(&to, &pair[1]), Some(*customers), "seed {seed}, to {state:?}");
                } else if *date == pair[1] {
                    assert_eq!(side(&from, &pair[0]), Some(*customers), "seed {seed}, from {state:?}");
                }
            }
        }
        // Rates of a state add up to one, inside of their intervals.
        let mut rates: BTreeMap<Vec<String>, f64> = BTreeMap::new();
        for row in moves.records() {
            let [rate, low, high] = ["rate", "rate_low", "rate_high"].map(|c| row[c].double());
            assert!(0.0 <= low && low <= rate && rate <= high + 1e-12 && high <= 1.0, "seed {seed}: {low} {rate} {high}");
            let key = ["as_of", "from_as_of", "slice", "scheme", "from_state"].map(|c| row[c].key());
            *rates.entry(key.to_vec()).or_default() += rate;
        }
        assert!(rates.values().all(|sum| (sum - 1.0).abs() < 1e-9), "seed {seed}: {rates:?}");
        // Every scheme tells the same customers and money apart.
        for column in ["customers", "revenue"] {
            let by_scheme = sums(&moves, &["as_of", "from_as_of", "slice", "scheme"], Some(column));
            for (key, sum) in &by_scheme {
                let first = by_scheme.iter().find(|(other, _)| other[..3] == key[..3]).map(|(_, sum)| sum);
                assert_eq!(Some(sum), first, "seed {seed}: {column} of {key:?}");
            }
        }
    }
}

#[test]
fn customers_are_movers_stays_and_entries() {
    for seed in 0..SHOPS {
        let folder = bench(seed, &Shape::random(seed));
        let run = run(&folder, None);
        let moves = table(&run, "transitions");
        let pairs = sums(&moves, &["as_of", "from_as_of", "scheme"], None);
        for pair in pairs.keys() {
            let [as_of, from_as_of, scheme] = &pair[..] else { panic!("three columns") };
            let own = only(&moves, &[("as_of", as_of), ("from_as_of", from_as_of), ("scheme", scheme)]);
            let count = |wanted: &dyn Fn(&str, &str) -> bool| -> i128 {
                let rows = own.records();
                let rows = rows.iter().filter(|r| wanted(r["from_state"].text(), r["to_state"].text()));
                rows.map(|r| r["customers"].int()).sum()
            };
            let entries = count(&|from, _| from == "(none)");
            let exits = count(&|_, to| to == "(none)");
            let stays = count(&|from, to| from == to);
            let now = partition(&run, "customers", as_of).rows.len() as i128;
            let movers = partition(&run, "movers", as_of);
            let movers = only(&movers, &[("from_as_of", from_as_of), ("scheme", scheme)]);
            let of_pair = movers.rows.len() as i128;
            assert_eq!(now, of_pair + stays + entries, "seed {seed}, {pair:?}");
            let former = run.join(format!("customers/as_of={from_as_of}"));
            if former.exists() {
                assert_eq!(now, read_folder(&former).rows.len() as i128 + entries - exits, "seed {seed}, {pair:?}");
            }
            // A mover is a customer whose state is the one of its row, and who came from the row's other state.
            let by_step = sums(&movers, &["from_state", "to_state"], None);
            for (step, n) in by_step {
                assert_eq!(n, count(&|from, to| from == step[0] && to == step[1]), "seed {seed}, {pair:?}, {step:?}");
            }
        }
    }
}

#[test]
fn growth_and_cohorts_add_up() {
    for seed in 0..SHOPS {
        let folder = bench(seed, &Shape::random(seed));
        let run = run(&folder, None);
        let (growth, cohorts) = (table(&run, "growth"), table(&run, "cohorts"));
        for row in growth.records() {
            let n = |column: &str| row[column].int();
            assert_eq!(n("active"), n("new") + n("retained") + n("resurrected"), "seed {seed}: {row:?}");
            assert_eq!(n("customers"), n("active") + n("lapsed") + n("inactive"), "seed {seed}: {row:?}");
            assert_eq!(n("change"), n("active") - n("previous_active"), "seed {seed}: {row:?}");
            assert_eq!(n("change"), n("new") + n("resurrected") - n("lapsed"), "seed {seed}: {row:?}");
            if n("previous_active") > 0 {
                assert!((row["retention_rate"].double() + row["churn_rate"].double() - 1.0).abs() < 1e-12);
            }
        }
        let columns =
            ["customers", "active", "new", "retained", "resurrected", "lapsed", "inactive", "previous_active", "revenue"];
        let everybody = only(&growth, &[("scheme", "(all)")]);
        for column in columns {
            // The former states of a scheme add up to everybody.
            let all = sums(&everybody, &["as_of", "slice"], Some(column));
            for (key, sum) in sums(&growth, &["as_of", "slice", "scheme"], Some(column)) {
                assert_eq!(sum, all[&key[..2]], "seed {seed}: {column} of {key:?}");
            }
        }
        // Cohorts are the same customers, purchases and money, by another key.
        for (of_growth, of_cohorts) in [("customers", "customers"), ("active", "active_customers"), ("revenue", "revenue")] {
            let of_date = sums(&cohorts, &["as_of", "slice"], Some(of_cohorts));
            for (key, sum) in sums(&everybody, &["as_of", "slice"], Some(of_growth)) {
                assert_eq!(Some(&sum), of_date.get(&key), "seed {seed}: {of_cohorts} of {key:?}");
            }
        }
        // What was new in a period is the cohort of that period, and it never grows or shrinks.
        for row in cohorts.records().iter().filter(|r| r["cohort_end"].key() != "null") {
            let slice = row["slice"].key();
            let born = only(&everybody, &[("as_of", &row["cohort_end"].key()), ("slice", &slice)]);
            let new: Vec<i128> = born.records().iter().map(|r| r["new"].int()).collect();
            if let [new] = new[..] {
                assert_eq!(row["customers"].int(), new, "seed {seed}: {row:?}");
            }
        }
        // Side by side, this period's former customers are the last one's active ones.
        let dates: Vec<String> =
            everybody.records().iter().map(|r| r["as_of"].key()).collect::<BTreeSet<_>>().into_iter().collect();
        let active = sums(&everybody, &["as_of", "slice"], Some("active"));
        let before = sums(&everybody, &["as_of", "slice"], Some("previous_active"));
        for pair in dates.windows(2) {
            for (key, n) in before.iter().filter(|(key, _)| key[0] == pair[1]) {
                let former = active.get(&[pair[0].clone(), key[1].clone()][..]);
                assert_eq!(*n, former.copied().unwrap_or(0), "seed {seed}: {key:?}");
            }
        }
    }
}

#[test]
fn many_dates_in_one_job_are_many_jobs_with_one() {
    for seed in 0..SHOPS {
        // What looks at earlier dates is left out; cut points of the first date would be those of another one.
        let mut shape = Shape::random(seed);
        shape.frozen = false;
        shape.compare.clear();
        shape.columns = "first_order last_order recency_days frequency monetary avg_order_value tenure_days lifetime_orders \
                         lifetime_monetary mean_gap_days overdue_ratio next_due frequency_trend@90d annual_value \
                         return_share frequency@30d r_score f_score m_score segment lifecycle history_complete";
        let folder = bench(seed, &shape);
        run(&folder, None);
        let together = folder.path("out/tables");
        for date in shape.dates() {
            let alone = Workshop::new();
            write(&alone, "data", &Shop::new(seed).lines, seed);
            alone.write("job.toml", &shape.job());
            run(&alone, Some(date));
            let (day, alone) = (date_text(date), alone.path("out/tables"));
            let files = [&together, &alone].map(|tables| bytes(&tables.join(format!("customers/as_of={day}"))));
            assert!(!files[0].is_empty() && files[0] == files[1], "seed {seed}: customers of {day} differ");
            for name in ["segments", "cutpoints", "concentration"] {
                let rows = [&together, &alone].map(|tables| partition(tables, name, &day).rows);
                assert_eq!(rows[0], rows[1], "seed {seed}: {name} of {day}");
            }
        }
    }
}

#[test]
fn orders_after_an_as_of_date_change_nothing_before() {
    for seed in 0..SHOPS {
        let shape = Shape::random(seed);
        let last = *shape.dates().last().expect("a date");
        let shop = Shop::new(seed);
        // Lines belong to their order's earliest line, so whole orders are taken away.
        let mut earliest: BTreeMap<i64, i64> = BTreeMap::new();
        for line in &shop.lines {
            let date = earliest.entry(line.order).or_insert(line.date);
            *date = line.date.min(*date);
        }
        let known: Vec<_> = shop.lines.iter().filter(|line| earliest[&line.order] <= last).cloned().collect();
        assert!(known.len() < shop.lines.len(), "seed {seed}: no order comes after the last date");
        let tables = [&shop.lines, &known].map(|lines| {
            let folder = Workshop::new();
            write(&folder, "data", lines, seed);
            folder.write("job.toml", &shape.job());
            run(&folder, None);
            let mut files = bytes(&folder.path("out/tables"));
            files.retain(|path, _| !path.starts_with("ledger"));
            files
        });
        let names: Vec<&PathBuf> = tables[0].iter().filter(|(p, b)| tables[1].get(*p) != Some(b)).map(|(p, _)| p).collect();
        assert!(names.is_empty() && tables[0].len() == tables[1].len(), "seed {seed}: {names:?}");
    }
}

#[test]
fn returns_never_refresh_recency() {
    for seed in 0..SHOPS {
        let mut shape = Shape::random(seed);
        let shop = Shop::new(seed);
        let purchases: Vec<_> = shop.lines.iter().filter(|line| line.cents >= 0).cloned().collect();
        assert!(purchases.len() < shop.lines.len());
        for gross in [false, true] {
            shape.gross = gross;
            // Without their money, returns leave no trace in any table; with it, in money alone.
            shape.columns = if gross {
                ""
            } else {
                "first_order last_order recency_days frequency tenure_days lifetime_orders r_score f_score"
            };
            let tables = [&shop.lines, &purchases].map(|lines| {
                let folder = Workshop::new();
                write(&folder, "data", lines, seed);
                folder.write("job.toml", &shape.job());
                run(&folder, None);
                let mut files = bytes(&folder.path("out/tables"));
                // The calendar begins with the first row of the data, which may be a return.
                let is_compared = |path: &PathBuf| !path.starts_with("ledger") && !path.starts_with("dim_date");
                files.retain(|path, _| path.starts_with("customers") || (gross && is_compared(path)));
                files
            });
            let names: Vec<&PathBuf> = tables[0].iter().filter(|(p, b)| tables[1].get(*p) != Some(b)).map(|(p, _)| p).collect();
            assert!(names.is_empty() && !tables[0].is_empty(), "seed {seed}, gross {gross}: {names:?}");
        }
    }
}

#[test]
fn histories_tile_and_agree_with_customers() {
    for seed in 0..SHOPS {
        let shape = Shape::random(seed);
        let folder = bench(seed, &shape);
        let run = run(&folder, None);
        let history = read_folder(&run.join("state_history"));
        let who: Vec<&str> = if shape.slices { vec!["customer_id", "slice"] } else { vec!["customer_id"] };
        // By customer and scheme: from, to and state.
        let mut stays: BTreeMap<Vec<String>, Vec<(i64, i64, String)>> = BTreeMap::new();
        for row in history.records() {
            let mut key: Vec<String> = who.iter().map(|c| row[c].key()).collect();
            key.push(row["scheme"].key());
            let to = if row["valid_to"].key() == "null" { i64::MAX } else { row["valid_to"].date() };
            stays.entry(key).or_default().push((row["valid_from"].date(), to, row["state"].key()));
        }
        for (key, stays) in &mut stays {
            stays.sort();
            assert!(stays.iter().all(|(from, to, _)| from <= to), "seed {seed}: {key:?} {stays:?}");
            for pair in stays.windows(2) {
                assert!(pair[0].1 < pair[1].0, "seed {seed}: stays of {key:?} overlap");
                // Only absence parts two stays in one state.
                assert!(pair[0].2 != pair[1].2 || pair[0].1 + 1 < pair[1].0, "seed {seed}: {key:?} is cut in two");
            }
        }
        for date in shape.dates() {
            let rows = partition(&run, "customers", &date_text(date));
            let mut listed: BTreeMap<Vec<String>, String> = BTreeMap::new();
            for row in rows.records() {
                for scheme in ["segment", "lifecycle"] {
                    let mut key: Vec<String> = who.iter().map(|c| row[c].key()).collect();
                    key.push(scheme.into());
                    listed.insert(key, row[scheme].key());
                }
            }
            let covering = |stays: &Vec<(i64, i64, String)>| {
                stays.iter().find(|(from, to, _)| (*from..=*to).contains(&date)).map(|(_, _, state)| state.clone())
            };
            let told: BTreeMap<_, _> = stays.iter().filter_map(|(key, stays)| Some((key.clone(), covering(stays)?))).collect();
            assert_eq!(told, listed, "seed {seed}, {}", date_text(date));
        }
    }
}

#[test]
fn a_strategy_changes_no_table_of_customers() {
    for seed in 0..4 {
        let mut shape = Shape::random(seed);
        shape.slices = false;
        shape.periods = Periods::Every(Calendar::Month, days_from_civil(2023, 1, 1), days_from_civil(2023, 5, 31));
        let folder = bench(seed, &shape);
        run(&folder, None);
        let before = bytes(&folder.path("out/tables"));
        // Its states are those of the day before it begins, which is no date of the job.
        let mut assignments = String::from("customer_id,arm,assigned_on\n");
        (1..=40).for_each(|id| assignments += &format!("{id},{},2023-03-10\n", ["control", "mail"][id % 2]));
        folder.write("assignments.csv", &assignments);
        let strategy = "[[strategy]]\nname = \"mail\"\ndesign = \"randomised\"\nassignments = \"assignments.csv\"\n\
                        control = \"control\"\nsplit = { control = 0.5, mail = 0.5 }\noutcome_days = 20\n\
                        periods = [{ from = 2023-03-10, to = 2023-03-31 }]\nby = [\"segment\"]\n";
        folder.write("job.toml", &format!("{}\n{strategy}", shape.job()));
        let run = run(&folder, None);
        assert!(!table(&run, "effects").rows.is_empty());
        let after = bytes(&folder.path("out/tables"));
        let changed: Vec<&PathBuf> =
            before.iter().filter(|(path, bytes)| after.get(*path) != Some(bytes)).map(|(p, _)| p).collect();
        assert!(changed.is_empty(), "seed {seed}: {changed:?}");
    }
}

#[test]
fn nights_keep_the_history_of_tables() {
    for seed in 0..4 {
        let mut shape = Shape::random(seed);
        shape.compare = vec!["1 day", "1 month"];
        shape.frozen = false;
        let folder = bench(seed, &shape);
        let first = days_from_civil(2023, 3, 30);
        let mut kept: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
        for night in first..first + 4 {
            run(&folder, Some(night));
            let now = of_dates(&folder);
            for (path, before) in &kept {
                assert_eq!(now.get(path), Some(before), "seed {seed}: {} changed overnight", path.display());
            }
            kept = now;
            let day = date_text(night);
            for name in ["customers", "movers", "transitions", "segments", "state_history", "ledger"] {
                let shown = folder.path(&format!("out/tables/{name}/as_of={day}"));
                assert!(shown.is_dir(), "seed {seed}: {} is missing", shown.display());
            }
            let nights = fs::read_dir(folder.path("out/tables/customers")).expect("a folder").count() as i64;
            assert_eq!(nights, night - first + 1, "dates that are only compared with are not shown");
            // Tonight's comparisons agree with what was said last night.
            let tonight = partition(&folder.path("out/tables"), "customers", &day);
            let moves = partition(&folder.path("out/tables"), "transitions", &day);
            let origins: BTreeSet<String> = moves.records().iter().map(|r| r["from_as_of"].key()).collect();
            // The month that ends on 30 March begins on 28 February, so the date before it is the 27th.
            let (month, day_of_month) = [(2, 27), (2, 28), (3, 1), (3, 2)][(night - first) as usize];
            let month_ago = days_from_civil(2023, month, day_of_month);
            assert_eq!(origins, BTreeSet::from([date_text(month_ago), date_text(night - 1)]), "seed {seed}, {day}");
            if night == first {
                continue;
            }
            let who: Vec<&str> = if shape.slices { vec!["customer_id", "slice"] } else { vec!["customer_id"] };
            let states = |table: &Table, column: &str| -> BTreeMap<Vec<String>, String> {
                let rows = table.records();
                let key = |row: &BTreeMap<&str, &Cell>| who.iter().map(|c| row[c].key()).collect();
                rows.iter().map(|row| (key(row), row[column].key())).collect()
            };
            let yesterday = states(&partition(&folder.path("out/tables"), "customers", &date_text(night - 1)), "segment");
            for (who, state) in states(&tonight, "segment_previous") {
                let expected = yesterday.get(&who).map_or("null", String::as_str);
                assert_eq!(state, expected, "seed {seed}, {day}: {who:?}");
            }
        }
        // A night that is run again takes the place of itself alone.
        let mut again = Rng::new(seed);
        run(&folder, Some(first + again.between(0, 3)));
        assert_eq!(of_dates(&folder), kept, "seed {seed}");
    }
}

/// The files of dates: dimensions are over all of them.
fn of_dates(folder: &Workshop) -> BTreeMap<PathBuf, Vec<u8>> {
    let all = bytes(&folder.path("out/tables")).into_iter();
    all.filter(|(path, _)| path.to_string_lossy().contains("as_of=")).collect()
}
