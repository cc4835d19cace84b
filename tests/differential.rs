//! Random jobs over random orders, each held against the naive program in `support/oracle.rs`.
//!
//! `RFMILL_CASES=100000` tries more seeds than usual, `RFMILL_CASE=1234` one seed, with its job and rows.

mod movement;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Debug;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::support::calendar;
use crate::support::cases::{Case, LOOKING_AHEAD, case, measure_name};
use crate::support::files::write_case;
use crate::support::oracle::*;
use crate::support::run::{Cell, Table, Workshop, read_file, read_folder, said};

/// Seeds that run in this process.
const CASES: u64 = 2400;
/// Seeds that also run as a command.
const COMMANDS: u64 = 100;

/// Every difference between a run's tables and the oracle's answer.
struct Comparison<'a> {
    case: &'a Case,
    differences: Vec<String>,
}

type Record<'a> = BTreeMap<&'a str, &'a Cell>;

impl Comparison<'_> {
    fn equal<T: PartialEq + Debug>(&mut self, what: impl Fn() -> String, found: T, expected: T) {
        if found != expected {
            self.differences.push(format!("{}: found {found:?}, expected {expected:?}", what()));
        }
    }

    fn number(&mut self, what: impl Fn() -> String, found: &Cell, expected: Option<f64>) {
        let same = match (found, expected) {
            (Cell::Null, None) => true,
            (Cell::Double(x), Some(y)) => (x - y).abs() <= 1e-12 * y.abs().max(1e-3),
            _ => false,
        };
        if !same {
            self.differences.push(format!("{}: found {found:?}, expected {expected:?}", what()));
        }
    }

    fn money(&self, minor: i128) -> Cell {
        Cell::Decimal(minor, self.case.job.amount_scale as i8)
    }

    fn mean(&self, sum: i128, n: i128) -> Cell {
        Cell::Decimal(divide_half_even(sum, n), self.case.job.amount_scale as i8 + 2)
    }

    fn ledger(&mut self, answer: &Answer, table: &Table) {
        let mut found = BTreeMap::new();
        for row in table.records() {
            let file = row["file"].text().rsplit('/').next().unwrap_or_default().to_string();
            let twice =
                found.insert((file, row["outcome"].text().to_string()), (row["row_count"].clone(), row["amount"].clone()));
            self.equal(|| "a ledger row stands twice".into(), twice, None);
        }
        let sums = answer.ledger.iter().map(|(key, sum)| (key.clone(), (Cell::Int(sum.rows.into()), self.money(sum.money))));
        let expected: BTreeMap<_, _> = sums.collect();
        self.equal(|| "ledger".into(), found, expected);
    }

    fn customers(&mut self, answer: &Answer, number: usize, table: &Table) {
        let snapshot = &answer.snapshots[number];
        let date = calendar::date_text(snapshot.as_of);
        let mut found: BTreeMap<(Option<String>, Id), Record> = BTreeMap::new();
        for row in table.records() {
            let id = match row["customer_id"] {
                Cell::Int(n) => Id::Int(*n),
                other => Id::Text(other.text().into()),
            };
            let slice = row.get("slice").map(|s| s.text().to_string());
            if found.insert((slice.clone(), id.clone()), row).is_some() {
                self.differences.push(format!("{date}: customer {slice:?} {id:?} stands twice"));
            }
        }
        for slice in &snapshot.slices {
            for customer in &slice.customers {
                let Some(row) = found.remove(&(slice.slice.clone(), customer.id.clone())) else {
                    self.differences.push(format!("{date}: customer {:?} {:?} is missing", slice.slice, customer.id));
                    continue;
                };
                for (name, cell) in row {
                    let past = || history(&answer.snapshots[..=number], &slice.slice, &customer.id);
                    if let Some(expected) = self.customer_cell(snapshot, customer, name, &past) {
                        let what = || format!("{date}: {name} of customer {:?} {:?}", slice.slice, customer.id);
                        self.equal(what, cell.clone(), expected);
                    }
                }
            }
        }
        let extra: Vec<_> = found.keys().cloned().collect();
        self.equal(|| format!("{date}: customers too many"), extra, Vec::new());
        if !table.columns.is_empty() {
            self.customer_columns(&table.columns);
        }
    }

    /// What a column of `customers` must hold; none if it is the row's key.
    fn customer_cell(&self, at: &Snapshot, row: &CustomerRow, name: &str, past: &dyn Fn() -> History) -> Option<Cell> {
        let job = &self.case.job;
        let monetary = |n: i128| Cell::Decimal(n, job.monetary_digits() as i8);
        let score = |axis: Axis| row.scores[axis as usize].map_or(Cell::Null, |s| Cell::Int(s.into()));
        let count = |n: Option<i128>| n.map_or(Cell::Null, Cell::Int);
        let over = |start: &str| {
            let lookback = name.strip_prefix(start)?.strip_suffix('d')?.parse().ok()?;
            row.at.iter().find(|a| a.lookback == Lookback::Days(lookback))
        };
        Some(match name {
            "customer_id" | "slice" => return None,
            "history_complete" => Cell::Bool(at.history_complete),
            "action" => {
                let mut actions = job.playbook.iter().filter(|(scheme, state, _)| row.states[*scheme] == *state);
                actions.next().map_or(Cell::Null, |(_, _, action)| Cell::Text(action.clone()))
            }
            "period_orders" => count(row.period.map(|p| p.orders)),
            "period_monetary" => row.period.map_or(Cell::Null, |p| self.money(p.monetary)),
            "previous_period_orders" => count(row.previous_period_orders),
            "orders_before_period" => count(row.period.map(|p| p.orders_before)),
            _ if LOOKING_AHEAD.contains(&name) => Cell::Null,
            "first_order" => Cell::Date(row.first_order),
            "last_order" => Cell::Date(row.last_order),
            "recency_days" => Cell::Int(row.recency_days),
            "frequency" => Cell::Int(row.frequency),
            "monetary" => monetary(row.monetary),
            "avg_order_value" => row.avg_order_value.map_or(Cell::Null, |v| Cell::Decimal(v, job.amount_scale as i8 + 2)),
            "tenure_days" => Cell::Int(row.tenure_days),
            "lifetime_orders" => Cell::Int(row.lifetime_orders),
            "lifetime_monetary" => self.money(row.lifetime_monetary),
            "r_score" => score(Axis::Recency),
            "f_score" => score(Axis::Frequency),
            "m_score" => score(Axis::Monetary),
            _ if name.starts_with("frequency@") => Cell::Int(over("frequency@")?.frequency),
            _ if name.starts_with("monetary@") => monetary(over("monetary@")?.monetary),
            _ => {
                let scheme = job
                    .schemes
                    .iter()
                    .position(|s| name.starts_with(&s.column))
                    .unwrap_or_else(|| panic!("unexpected column {name}"));
                match name.strip_prefix(job.schemes[scheme].column.as_str()) {
                    Some("") => Cell::Text(row.states[scheme].clone()),
                    Some("_previous") => {
                        let nearest = moments(job).into_iter().find(|m| m.as_of == at.as_of)?.compared_with.last().copied();
                        let then = past().into_iter().find(|(date, _)| Some(*date) == nearest);
                        then.and_then(|(_, states)| states).map_or(Cell::Null, |states| Cell::Text(states[scheme].clone()))
                    }
                    Some("_since") if past().len() == 1 => Cell::Null,
                    Some("_since") => {
                        let same = |(_, states): &&(i64, Option<Vec<String>>)| {
                            states.as_ref().is_some_and(|s| s[scheme] == row.states[scheme])
                        };
                        Cell::Date(past().iter().rev().take_while(same).last().expect("this date").0)
                    }
                    _ => panic!("unexpected column {name}"),
                }
            }
        })
    }

    /// Order and presence of the columns of `customers`.
    fn customer_columns(&mut self, columns: &[String]) {
        let job = &self.case.job;
        let mut expected = vec!["customer_id".to_string()];
        expected.extend(job.slice.is_some().then(|| "slice".to_string()));
        if let Some(listed) = self.case.output_columns() {
            expected.extend(listed);
            return self.equal(|| "columns of customers".into(), columns.to_vec(), expected);
        }
        expected.extend(["first_order", "last_order", "recency_days", "frequency", "monetary"].map(String::from));
        // Then the measures that schemes use, in whatever order.
        let conditions = job.schemes.iter().flat_map(|s| &s.rules).flat_map(|r| &r.when);
        let used = conditions.filter_map(|c| if let Condition::Measure(m, _) = c { Some(measure_name(*m)) } else { None });
        let mut used: Vec<String> = used.filter(|name| !expected.contains(name)).collect();
        let mut tail: Vec<String> = Axis::ALL.map(|axis| format!("{}_score", axis.letter())).to_vec();
        tail.extend(job.schemes.iter().flat_map(|s| ["", "_previous", "_since"].map(|end| format!("{}{end}", s.column))));
        tail.extend((!job.playbook.is_empty()).then(|| "action".to_string()));
        tail.push("history_complete".into());
        let end = columns.len().saturating_sub(tail.len()).max(expected.len());
        if end < expected.len() {
            return;
        }
        let mut between = columns[expected.len()..end].to_vec();
        between.sort();
        used.sort();
        used.dedup();
        self.equal(|| "measures of customers".into(), between, used);
        self.equal(|| "first columns of customers".into(), columns[..expected.len()].to_vec(), expected);
        self.equal(|| "last columns of customers".into(), columns[end..].to_vec(), tail);
    }

    fn cut_points(&mut self, answer: &Answer, table: &Table) {
        let job = &self.case.job;
        let uses_levels = job.schemes.iter().any(Scheme::uses_levels);
        let mut found: BTreeMap<(i64, String, String), Vec<Record>> = BTreeMap::new();
        for row in table.records() {
            let Cell::Date(as_of) = row["as_of"] else { panic!("as_of is no date") };
            found.entry((*as_of, row["slice"].text().into(), row["axis"].text().into())).or_default().push(row);
        }
        for snapshot in answer.snapshots.iter().filter(|s| s.shown) {
            for slice in &snapshot.slices {
                let name = slice.slice.clone().unwrap_or("(all)".into());
                for cuts in &slice.cuts {
                    let axis = cuts.axis.measure_name();
                    let rows = found.remove(&(snapshot.as_of, name.clone(), axis.into())).unwrap_or_default();
                    let digits = if cuts.axis == Axis::Monetary { job.monetary_digits() } else { 0 };
                    if job.methods[cuts.axis as usize] == Method::Ntile {
                        self.equal(|| format!("cut points of ntile, {axis}"), rows.len(), 0);
                    } else {
                        self.bins(&format!("{} {name} {axis}", calendar::date_text(snapshot.as_of)), &rows, cuts, digits);
                    }
                }
                for (axis, bound) in Axis::ALL.iter().zip(&slice.level_bounds).filter(|_| uses_levels) {
                    let rows =
                        found.remove(&(snapshot.as_of, name.clone(), format!("{}_level", axis.letter()))).unwrap_or_default();
                    let of_score = job.levels == Levels::Score;
                    let high_is_low = *axis == Axis::Recency && !of_score;
                    let count =
                        |level: Level| slice.customers.iter().filter(|c| c.levels[*axis as usize] == Some(level)).count() as u64;
                    let sides = if high_is_low { [Level::High, Level::Low] } else { [Level::Low, Level::High] };
                    let cuts = AxisCuts {
                        axis: *axis,
                        closed: if high_is_low { Closed::Right } else { Closed::Left },
                        cuts: vec![Some(*bound)],
                        customers: sides.map(count).to_vec(),
                    };
                    let digits = if *axis == Axis::Monetary && !of_score { job.monetary_digits() } else { 0 };
                    self.bins(
                        &format!("{} {name} {}_level", calendar::date_text(snapshot.as_of), axis.letter()),
                        &rows,
                        &cuts,
                        digits,
                    );
                }
            }
        }
        // A slice or date without scored customers may list its empty bins.
        for (key, rows) in found {
            self.equal(|| format!("customers of the bins of {key:?}"), rows.iter().map(|r| r["customers"].int()).sum(), 0);
        }
    }

    /// The bins of one axis.
    fn bins(&mut self, what: &str, rows: &[Record], cuts: &AxisCuts, digits: u32) {
        self.equal(|| format!("{what}: bins"), rows.len(), cuts.customers.len());
        for (at, (row, customers)) in rows.iter().zip(&cuts.customers).enumerate() {
            let say = |column: &str| format!("{what}, bin {}: {column}", at + 1);
            self.equal(|| say("bin"), row["bin"].int(), at as i128 + 1);
            self.equal(|| say("customers"), row["customers"].int(), i128::from(*customers));
            self.equal(|| say("closed"), row["closed"].text(), if cuts.closed == Closed::Right { "right" } else { "left" });
            let lower = at.checked_sub(1).and_then(|i| cuts.cuts[i]);
            let upper = cuts.cuts.get(at).copied().flatten();
            for (name, exact, cut) in [("lower", "lower_exact", lower), ("upper", "upper_exact", upper)] {
                self.number(|| say(name), row[name], cut.map(|c| c.printed(digits)));
                self.equal(|| say(exact), row[exact].clone(), cut.map_or(Cell::Null, |c| Cell::Text(lowest_terms(c))));
            }
        }
    }

    fn segments(&mut self, answer: &Answer, table: &Table) {
        let job = &self.case.job;
        let mut found: BTreeMap<(i64, String, String, String), Record> = BTreeMap::new();
        for row in table.records() {
            let Cell::Date(as_of) = row["as_of"] else { panic!("as_of is no date") };
            self.equal(|| "dimension".into(), (row["dimension"].text(), row["dimension_value"].text()), ("(all)", "(all)"));
            let key = (*as_of, row["slice"].text().into(), row["scheme"].text().into(), row["state"].text().into());
            let twice = found.insert(key, row).is_some();
            self.equal(|| "a segment stands twice".into(), twice, false);
        }
        for snapshot in answer.snapshots.iter().filter(|s| s.shown) {
            for slice in &snapshot.slices {
                for segment in &slice.segments {
                    let name = slice.slice.clone().unwrap_or("(all)".into());
                    let key = (snapshot.as_of, name, segment.scheme.clone(), segment.state.clone());
                    let Some(row) = found.remove(&key) else {
                        self.differences.push(format!("segment {key:?} is missing"));
                        continue;
                    };
                    let scheme = job.schemes.iter().position(|s| s.column == segment.scheme).expect("a scheme of the job");
                    let members: Vec<_> = slice.customers.iter().filter(|c| c.states[scheme] == segment.state).collect();
                    let n = members.len() as i128;
                    let sum = |of: fn(&CustomerRow) -> i128| members.iter().map(|c| of(c)).sum::<i128>();
                    let all: i128 = slice.customers.iter().map(|c| c.revenue).sum();
                    let hundred = if job.monetary_as == MonetaryAs::Sum { 100 } else { 1 };
                    let average = if segment.orders > 0 { self.mean(segment.revenue * 100, segment.orders) } else { Cell::Null };
                    for (column, cell) in [
                        ("customers", Cell::Int(segment.customers.into())),
                        ("orders", Cell::Int(segment.orders)),
                        ("revenue", self.money(segment.revenue)),
                        ("repeat_customers", Cell::Int(segment.repeat_customers.into())),
                        ("avg_order_value", average),
                        ("mean_monetary", self.mean(sum(|c| c.monetary) * hundred, n)),
                    ] {
                        self.equal(|| format!("{column} of segment {key:?}"), row[column].clone(), cell);
                    }
                    for (column, number) in [
                        ("customer_share", Some(n as f64 / slice.customers.len() as f64)),
                        ("revenue_share", (all != 0).then(|| segment.revenue as f64 / all as f64)),
                        ("mean_recency_days", Some(sum(|c| c.recency_days) as f64 / n as f64)),
                        ("mean_frequency", Some(sum(|c| c.frequency) as f64 / n as f64)),
                    ] {
                        self.number(|| format!("{column} of segment {key:?}"), row[column], number);
                    }
                }
            }
        }
        let extra: Vec<_> = found.keys().cloned().collect();
        self.equal(|| "segments too many".into(), extra, Vec::new());
    }
}

/// Dates with the states of a customer, or none where it is not listed.
type History = Vec<(i64, Option<Vec<String>>)>;

/// The history of a customer.
fn history(snapshots: &[Snapshot], slice: &Option<String>, id: &Id) -> History {
    let states = |snapshot: &Snapshot| {
        let customers = &snapshot.slices.iter().find(|s| s.slice == *slice)?.customers;
        Some(customers.iter().find(|c| c.id == *id)?.states.clone())
    };
    snapshots.iter().map(|s| (s.as_of, states(s))).collect()
}

/// `p/q` in lowest terms.
fn lowest_terms(ratio: Ratio) -> String {
    let (mut a, mut b) = (ratio.num.abs(), ratio.den);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    format!("{}/{}", ratio.num / a, ratio.den / a)
}

/// What is wrong with the tables in an output folder.
fn differences(case: &Case, answer: &Answer, out: &Path) -> Vec<String> {
    let mut comparison = Comparison { case, differences: Vec::new() };
    let run = out.join("latest");
    comparison.ledger(answer, &read_file(&run.join("ledger.parquet")));
    for (number, snapshot) in answer.snapshots.iter().enumerate() {
        let folder = run.join(format!("customers/as_of={}", calendar::date_text(snapshot.as_of)));
        if snapshot.shown {
            comparison.customers(answer, number, &read_folder(&folder));
        } else {
            comparison.equal(|| format!("{} is there", folder.display()), folder.exists(), false);
        }
    }
    comparison.cut_points(answer, &read_file(&run.join("cutpoints.parquet")));
    comparison.segments(answer, &read_file(&run.join("segments.parquet")));
    comparison.movement(answer, &run);
    comparison.differences
}

/// Puts a case into a folder.
pub fn lay_out(case: &Case) -> Workshop {
    let shop = Workshop::new();
    write_case(case, &shop.path("data"), case.seed);
    for (name, text) in &case.files {
        shop.write(name, text);
    }
    shop.write("job.toml", &case.job_toml("data", "out"));
    shop
}

/// What is wrong with a run that ended with this exit code.
fn judge(case: &Case, exit: i32, message: &str, shop: &Workshop) -> Vec<String> {
    match (&case.answer, case.expect_exit) {
        (Ok(answer), _) if exit == 0 => differences(case, answer, &shop.path("out")),
        (_, Some(expected)) if exit == expected => Vec::new(),
        (Err(failure), _) => vec![format!("exit {exit}, expected {} because {}: {message}", failure.exit, failure.why)],
        (Ok(_), _) => vec![format!("exit {exit}, expected 0: {message}")],
    }
}

fn try_in_process(case: &Case, threads: usize) -> Vec<String> {
    let shop = lay_out(case);
    let run = || shop.run_here(case.job.only_as_of);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pool.install(run))) {
        Ok(Ok(())) => judge(case, 0, "", &shop),
        Ok(Err(error)) => judge(case, error.kind().exit_code().into(), &error.to_string(), &shop),
        Err(_) => vec!["the run panicked".into()],
    }
}

fn try_command(case: &Case, threads: usize) -> Vec<String> {
    let shop = lay_out(case);
    let as_of = case.job.only_as_of.map(|date| format!("--as-of={}", calendar::date_text(date)));
    let threads = threads.to_string();
    let mut arguments = vec!["--threads", &threads, "--quiet"];
    arguments.extend(as_of.as_deref());
    let output = shop.run(&arguments);
    let mut wrong = judge(case, output.status.code().unwrap_or(-1), &said(&output), &shop);
    if case.answer.is_ok() {
        let verified = shop.command().args(["verify", "out"]).output().expect("the program");
        if !verified.status.success() {
            wrong.push(said(&verified));
        }
    }
    wrong
}

/// Tries all seeds on all cores and reports what is wrong with the first few.
fn try_all(seeds: std::ops::Range<u64>, attempt: fn(&Case, usize) -> Vec<String>) {
    let (next, wrong) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let found = attempt(&case(seed), 1 + seed as usize % 3);
                    if !found.is_empty() {
                        wrong.lock().unwrap_or_else(PoisonError::into_inner).push((seed, found));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    wrong.sort();
    let all: Vec<u64> = wrong.iter().map(|(seed, _)| *seed).collect();
    let some = wrong.iter().take(8).map(|(seed, found)| format!("seed {seed}:\n  {}", found[..found.len().min(6)].join("\n  ")));
    let some: Vec<String> = some.collect();
    assert!(all.is_empty(), "{} of {} cases differ: {all:?}\n{}", all.len(), seeds.count(), some.join("\n"));
}

#[test]
fn random_jobs_equal_the_oracle() {
    if let Ok(seed) = env::var("RFMILL_CASE") {
        let case = case(seed.parse().expect("RFMILL_CASE is a seed"));
        println!("{}\n{}{:#?}", case.job_toml("data", "out"), case.input_text(), case.answer);
        case.files.iter().for_each(|(name, text)| println!("--- {name}\n{text}"));
        let found = try_in_process(&case, 2);
        assert!(found.is_empty(), "{}", found.join("\n"));
        return;
    }
    let cases = env::var("RFMILL_CASES").map_or(CASES, |n| n.parse().expect("RFMILL_CASES is a number"));
    try_all(0..cases, try_in_process);
}

#[test]
fn random_jobs_equal_the_oracle_as_commands() {
    // Seeds of their own, so that they try something new.
    try_all(1_000_000..1_000_000 + COMMANDS, try_command);
}
