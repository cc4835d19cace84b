//! Arms that are alike but for the treatment, and arms that are not: from orders and assignments to reasons.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::fixture::{dates, decimals, ints, parquet_bytes};
use crate::support::run::{Cell, Table, Workshop, read_file, said};

/// A customer: id, arm, day of assignment, and further fields of the assignment.
type Assigned<'a> = (i64, &'a str, &'a str, &'a str);

/// An order: customer, day, cents.
type Order<'a> = (i64, &'a str, i64);

/// A shop whose job looks at April 2024, and its tables.
struct Shop(Workshop);

impl Shop {
    fn new(orders: &[Order<'_>]) -> Shop {
        let shop = Workshop::new();
        let columns = [
            ("customer_id", ints(orders.iter().map(|order| order.0))),
            ("ordered_at", dates(orders.iter().map(|order| order.1))),
            ("amount", decimals(2, orders.iter().map(|order| i128::from(order.2)))),
        ];
        std::fs::write(shop.path("orders.parquet"), parquet_bytes(&columns)).expect("orders");
        let job = "name = \"alike\"\n[orders]\npath = \"orders.parquet\"\ncustomer_id = \"customer_id\"\n\
            ordered_at = \"ordered_at\"\namount = \"amount\"\n[periods]\nevery = \"month\"\nfrom = 2024-04-01\nto = 2024-05-31\n\
            [output]\npath = \"out\"\nreport = [\"json\"]\n";
        shop.write("job.toml", job);
        Shop(shop)
    }

    /// Adds a strategy; `fields` names the further fields of its assignments, `keys` are those of the job file.
    fn strategy(self, name: &str, fields: &str, assigned: &[Assigned<'_>], keys: &str) -> Shop {
        let mut csv = format!("customer_id,arm,assigned_on{fields}\n");
        for (id, arm, day, more) in assigned {
            writeln!(csv, "{id},{arm},{day}{more}").expect("text");
        }
        self.0.write(&format!("{name}.csv"), &csv);
        let mut job = std::fs::read_to_string(self.0.path("job.toml")).expect("a job file");
        write!(
            job,
            "[[strategy]]\nname = {name:?}\nassignments = \"{name}.csv\"\nperiods = [{{ from = 2024-04-01, to = 2024-04-30 }}]\n{keys}\n"
        )
        .expect("text");
        self.0.write("job.toml", &job);
        self
    }

    fn run(self) -> Shop {
        self.0.run_here(None).expect("a run");
        self
    }

    fn table(&self, name: &str) -> Table {
        read_file(&self.0.path(&format!("out/latest/{name}.parquet")))
    }

    /// The reason of the verdict over April for all customers, behind the verdict.
    fn verdict(&self, strategy: &str) -> String {
        let table = self.table("verdicts");
        let rows = table.records();
        let row = rows.iter().find(|row| {
            row["strategy"].text() == strategy && row["state"].text() == "(all)" && *row["period_start"] != Cell::Null
        });
        let row = row.unwrap_or_else(|| panic!("no verdict on {strategy}"));
        format!("{}: {}", row["verdict"].text(), row["reason"].text())
    }

    /// The row of a method for revenue of all customers.
    fn effect<T>(&self, method: &str, read: impl Fn(&std::collections::BTreeMap<&str, &Cell>) -> T) -> T {
        let table = self.table("effects");
        let rows = table.records();
        let is = |name: &str, value: &str, row: &std::collections::BTreeMap<&str, &Cell>| row[name].text() == value;
        let row = rows.iter().find(|row| is("method", method, row) && is("outcome", "revenue", row) && is("state", "(all)", row));
        read(row.unwrap_or_else(|| panic!("no row of {method}")))
    }

    /// The cells in `arms`.
    fn cells(&self) -> Vec<String> {
        let table = self.table("arms");
        let mut cells: Vec<String> = table.records().iter().map(|row| row["cell"].text().to_owned()).collect();
        cells.sort();
        cells.dedup();
        cells
    }
}

/// The keys of a randomised strategy in halves whose revenue leads by Welch.
const HALVES: &str = "design = \"randomised\"\ncontrol = \"control\"\nsplit = { control = 0.5, mail = 0.5 }\noutcome_days = 15\n\
    primary = { outcome = \"revenue\", method = \"welch\" }";

/// A number below 101 that looks like noise.
fn noise(id: i64) -> i64 {
    id * 7919 % 101
}

/// A case of `../shared/cases`, run with this job; says so where it is not there.
fn case(name: &str, job: &str) -> Option<Shop> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let path = std::env::var_os("RFMILL_SHARED").map_or_else(beside, PathBuf::from).join("cases").join(name).join(job);
    if !path.exists() {
        use std::io::Write;
        let line = format!("SKIPPED: {} is not there; set RFMILL_SHARED to the folder with cases/\n", path.display());
        std::io::stderr().write_all(line.as_bytes()).expect("stderr");
        return None;
    }
    let shop = Workshop::new();
    let path = path.canonicalize().expect("a path");
    let ran = shop.command().args(["run", "--quiet", "--output", "out"]).arg(&path).output().expect("the program");
    assert!(ran.status.success(), "{}", said(&ran));
    Some(Shop(shop))
}

// --- days of assignment ---------------------------------------------------------------------------------------------

/// Half of the first 1,000 and a tenth of the next, who buy less, get the mail, which does nothing.
#[test]
fn weeks_are_strata_where_the_split_changed() {
    let is_late = |id: i64| id >= 1_000;
    let amount = |id: i64| if is_late(id) { 2_000 } else { 6_000 } + 20 * noise(id);
    let is_mail = |id: i64| if is_late(id) { id % 10 == 0 } else { id % 2 == 0 };
    let orders: Vec<Order<'_>> = (0..2_000)
        .flat_map(|id| [(id, "2024-02-10", 1_000), (id, if is_late(id) { "2024-04-20" } else { "2024-04-10" }, amount(id))])
        .collect();
    let assigned: Vec<Assigned<'_>> = (0..2_000)
        .map(|id| {
            let day = if is_late(id) { "2024-04-16" } else { "2024-04-01" };
            (id, if is_mail(id) { "mail" } else { "control" }, day, "")
        })
        .collect();
    let keys = HALVES.replace("control = 0.5, mail = 0.5", "control = 0.7, mail = 0.3");
    let shop = Shop::new(&orders).strategy("s", "", &assigned, &keys).run();

    // The weeks have 1,000 customers each.
    let mean = |late: bool, mail: bool| {
        let of: Vec<i64> = (0..2_000).filter(|id| is_late(*id) == late && is_mail(*id) == mail).map(amount).collect();
        of.iter().sum::<i64>() as f64 / of.len() as f64 / 100.0
    };
    let want = (mean(false, true) - mean(false, false) + mean(true, true) - mean(true, false)) / 2.0;
    let (difference, n, srm_p) =
        shop.effect("post_stratified", |row| (row["difference"].double(), row["n_treated"].int(), row["srm_p"].double()));
    assert!((difference - want).abs() < 1e-9 && n == 600, "{difference} of {n}");
    assert_eq!(srm_p, 1.0, "the split check keeps the job's strata");
    let why = "the arms were assigned on different days (chi-square p < 0.0001): of those assigned from 2024-04-01 to 2024-04-01, \
        50.0 % are in arm \"mail\", of all 30.0 %, so the arms' plain means differ by their mix of days: see post_stratified";
    for method in ["welch", "cuped"] {
        assert_eq!(shop.effect(method, |row| row["not_estimable"].text().to_owned()), why, "{method}");
    }
    let verdict = shop.verdict("s");
    assert!(
        verdict.starts_with("test_longer: ") && verdict.contains(&format!(" (by post_stratified because {why})")),
        "{verdict}"
    );
    assert_eq!(shop.cells(), ["assigned in the week of 2024-04-01", "assigned in the week of 2024-04-15"]);
}

/// The same within a week, in strata of the job.
#[test]
fn days_are_strata_within_those_of_the_job() {
    let day = |id: i64| if id % 1_000 < 500 { "2024-04-02" } else { "2024-04-04" };
    let arm = |id: i64| if id % if id % 1_000 < 500 { 2 } else { 10 } == 0 { "mail" } else { "control" };
    let orders: Vec<Order<'_>> =
        (0..2_000).flat_map(|id| [(id, "2024-02-10", 1_000), (id, "2024-04-10", 2_000 + 20 * noise(id))]).collect();
    let assigned: Vec<Assigned<'_>> =
        (0..2_000).map(|id| (id, arm(id), day(id), if id < 1_000 { ",north" } else { ",south" })).collect();
    let keys = HALVES.replace("control = 0.5, mail = 0.5", "control = 0.7, mail = 0.3");
    let shop = Shop::new(&orders).strategy("s", ",stratum", &assigned, &keys).run();
    let cells = ["north, assigned on 2024-04-02", "north, assigned on 2024-04-04", "south, assigned on 2024-04-02"];
    assert_eq!(shop.cells()[..3], cells);
    assert_eq!(shop.effect("post_stratified", |row| (row["srm_p"].double(), row["n_treated"].int())), (1.0, 600));
}

/// The controls carry the first day, the treated the day on which they opened the mail.
#[test]
fn arms_on_days_of_their_own_are_no_comparison() {
    let orders: Vec<Order<'_>> =
        (0..400).flat_map(|id| [(id, "2024-02-10", 1_000), (id, "2024-04-12", 2_000 + 20 * noise(id))]).collect();
    let opened = ["2024-04-01", "2024-04-03", "2024-04-05", "2024-04-09", "2024-04-11"];
    let assigned: Vec<Assigned<'_>> = (0..400)
        .map(|id| if id % 2 == 0 { (id, "mail", opened[id as usize / 2 % 5], "") } else { (id, "control", "2024-04-01", "") })
        .collect();
    let shop = Shop::new(&orders).strategy("s", "", &assigned, HALVES).run();
    let want = "cannot_say: the arms were assigned on different days (chi-square p < 0.0001), and only 20.0 % of arm \"mail\" on days \
        with customers of the arm that it is compared with, so what differs may be the days";
    assert_eq!(shop.verdict("s"), want);
    assert_eq!(shop.cells(), ["(all)"]);
}

#[test]
fn the_case_of_a_changed_allocation_claims_nothing() {
    let Some(shop) = case("28-allocation-change", "job_pooled.toml") else { return };
    let verdict = shop.verdict("s");
    assert!(verdict.starts_with("test_longer: "), "{verdict}");
    // Methods within strata take dates as strata, so the usual one leads.
    assert_eq!(shop.cells(), ["assigned in the week of 2024-04-01", "assigned in the week of 2024-04-15"]);
    let Some(shop) = case("28-allocation-change", "job_strata.toml") else { return };
    let verdict = shop.verdict("s");
    assert!(verdict.starts_with("test_longer: ") && !verdict.contains("different days"), "{verdict}");
}

// --- other strategies -----------------------------------------------------------------------------------------------

/// Orders of these customers before and in April, alike for all but for noise.
fn plain_orders(customers: i64) -> Vec<Order<'static>> {
    (0..customers)
        .flat_map(|id| [(id, "2024-03-20", 1_000 + noise(id * 7 + 3)), (id, "2024-04-12", 2_000 + 20 * noise(id))])
        .collect()
}

/// What every other strategy of these tests is.
const OTHER: &str =
    "design = \"matched\"\ncontrol = \"control\"\noutcome_days = 20\nprimary = { outcome = \"revenue\", method = \"did\" }";

/// 200 of each arm of strategy `a` on 2 April; `b` treats shares of them from a day on, and has as many controls.
fn beside(day: &'static str, of_mail: i64, of_control: i64, keys: &str) -> Shop {
    let assigned: Vec<Assigned<'_>> =
        (0..400).map(|id| (id, if id % 2 == 0 { "mail" } else { "control" }, "2024-04-02", "")).collect();
    let is_treated = |id: &i64| id / 2 < if id % 2 == 0 { of_mail } else { of_control };
    let mut other: Vec<Assigned<'_>> = (0..400).filter(is_treated).map(|id| (id, "call", day, "")).collect();
    other.extend((0..400).filter(|id| !is_treated(id)).map(|id| (id, "control", day, "")));
    let shop = Shop::new(&plain_orders(400)).strategy("a", "", &assigned, &format!("{HALVES}\n{keys}"));
    shop.strategy("b", "", &other, OTHER).run()
}

/// Rows of `arms` with a quantity of strategy `a`: arm, n and sum of y.
fn counts(shop: &Shop, quantity: &str) -> Vec<(String, i128, i128)> {
    let table = shop.table("arms");
    let rows = table.records();
    let rows = rows.iter().filter(|row| row["outcome"].text() == quantity && row["strategy"].text() == "a");
    rows.map(|row| (row["arm"].text().to_owned(), row["n"].int(), row["sum_y"].minor())).collect()
}

/// scipy 1.17: chi2_contingency([[60, 140], [10, 190]], correction=False) has p 4.7e-11.
#[test]
fn an_earlier_treatment_of_one_arm_is_no_comparison() {
    let shop = beside("2024-04-01", 60, 10, "");
    let want = "cannot_say: strategy \"b\" was treating 30.0 % of arm \"mail\" and 5.0 % of arm \"control\" when they were assigned \
        (chi-square p < 0.0001), so what differs may be its doing";
    assert_eq!(shop.verdict("a"), want);
    let rows = [("control".to_owned(), 200, 10), ("mail".to_owned(), 200, 60)];
    assert_eq!(counts(&shop, "(treated before by b)"), rows);
    // Controls of another strategy are not treated, and equal shares are no difference.
    let shop = beside("2024-04-01", 60, 58, "");
    assert!(shop.verdict("a").starts_with("test_longer: "), "{}", shop.verdict("a"));
    // Treated on the same day counts as before; an exclusion takes those alone.
    let shop = beside("2024-04-02", 60, 10, "overlap = \"exclude\"");
    assert_eq!(shop.effect("welch", |row| (row["n_treated"].int(), row["n_control"].int())), (140, 190));
    assert_eq!(counts(&shop, "(excluded)"), [("control".to_owned(), 10, 0), ("mail".to_owned(), 60, 0)]);
}

#[test]
fn a_later_treatment_is_part_of_the_effect() {
    for policy in ["keep", "exclude", "first"] {
        let shop = beside("2024-04-05", 160, 6, &format!("overlap = {policy:?}"));
        let verdict = shop.verdict("a");
        let remark = " (includes what strategy \"b\" did later to 80.0 % of arm \"mail\" and 3.0 % of arm \"control\")";
        assert!(verdict.starts_with("test_longer: ") && verdict.ends_with(remark), "{verdict}");
        let rows = [("control".to_owned(), 200, 6), ("mail".to_owned(), 200, 160)];
        assert_eq!(counts(&shop, "(treated after by b)"), rows, "{policy}");
    }
}

/// A table that is evaluated by two designs treats nobody twice.
#[test]
fn one_table_is_one_treatment() {
    let assigned: Vec<Assigned<'_>> =
        (0..400).map(|id| (id, if id % 2 == 0 { "mail" } else { "control" }, "2024-04-02", "")).collect();
    let shop = Shop::new(&plain_orders(400)).strategy("a", "", &assigned, HALVES).strategy("b", "", &assigned, OTHER);
    let job = std::fs::read_to_string(shop.0.path("job.toml")).expect("a job file");
    shop.0.write("job.toml", &job.replace("b.csv", "a.csv"));
    let shop = shop.run();
    assert!(shop.verdict("a").starts_with("test_longer: "), "{}", shop.verdict("a"));
    assert_eq!(counts(&shop, "(treated before by b)"), []);
}

/// `first` keeps a customer where the first assignment was, whatever the arm.
#[test]
fn a_period_that_exclusions_empty_says_so() {
    let shop = beside("2024-04-02", 60, 10, "overlap = \"first\"");
    let want = "cannot_say: all 400 customers assigned here are left out, because they are in several arms or because of the overlap \
        with other strategies";
    assert_eq!(shop.verdict("a"), want);
    assert_eq!(shop.effect("welch", |row| row["excluded"].int()), 200);
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(shop.0.path("out/latest/report/report.json")).expect("a report")).expect("JSON");
    assert!(!report.to_string().contains("The job has no strategy"), "{report}");

    // A matched strategy knows its arms from its assignments alone.
    let twice: Vec<Assigned<'_>> =
        (0..20).flat_map(|id| [(id, "mail", "2024-04-02", ""), (id, "control", "2024-04-02", "")]).collect();
    let shop = Shop::new(&plain_orders(20)).strategy("a", "", &twice, OTHER).run();
    assert_eq!(shop.verdict("a"), want.replace("400", "40"));
}

// --- before the start -----------------------------------------------------------------------------------------------

#[test]
fn arms_that_differed_before_are_no_draw() {
    let mut orders = plain_orders(400);
    // Half of the treated bought for 20.00 more in the baseline.
    orders.extend((0..400).filter(|id| id % 4 == 0).map(|id| (id, "2024-03-25", 2_000)));
    let assigned: Vec<Assigned<'_>> =
        (0..400).map(|id| (id, if id % 2 == 0 { "mail" } else { "control" }, "2024-04-02", "")).collect();
    let shop = Shop::new(&orders).strategy("a", "", &assigned, HALVES).run();
    let mean = |mail: bool| {
        let of = (0..400).filter(|id| (id % 2 == 0) == mail);
        of.map(|id| 1_000 + noise(id * 7 + 3) + if id % 4 == 0 { 2_000 } else { 0 }).sum::<i64>() as f64 / 20_000.0
    };
    let verdict = shop.verdict("a");
    let want = format!(
        "cannot_say: the arms differed before anybody was treated: revenue per customer was {:.2} in arm \"mail\" and {:.2} in arm \
         \"control\" in the baseline (p < 0.0001), so who is in which arm was not left to chance",
        mean(true),
        mean(false)
    );
    assert_eq!(verdict, want);
    assert_eq!(shop.effect("cuped", |row| row["difference"].clone()), Cell::Null);
}

#[test]
fn the_case_of_a_reminder_to_who_did_not_open_is_no_draw() {
    for job in ["job_reminder.toml", "job_cuped.toml"] {
        let Some(shop) = case("63-reminder-non-openers", job) else { return };
        // The figures of expected.txt, which are of all orders before April.
        let want = "cannot_say: the arms differed before anybody was treated: the measure \"monetary\" was 24.05 in arm \"reminder\" and 29.90 \
            in arm \"control\" on average on the day before (p < 0.0001), so who is in which arm was not left to chance";
        assert_eq!(shop.verdict("s"), want);
    }
    let Some(shop) = case("63-reminder-non-openers", "job_half.toml") else { return };
    assert!(!shop.verdict("s").starts_with("cannot_say"), "{}", shop.verdict("s"));
}

// --- states, contacts, units of the draw ------------------------------------------------------------------------------

#[test]
fn stores_that_were_drawn_are_told_from_customers() {
    let arm = |id: i64| if id % 8 < 4 { "mail" } else { "control" };
    let stores = [",s0", ",s1", ",s2", ",s3", ",s4", ",s5", ",s6", ",s7"];
    let assigned: Vec<Assigned<'_>> = (0..400).map(|id| (id, arm(id), "2024-04-02", stores[id as usize % 8])).collect();
    let shop = Shop::new(&plain_orders(400)).strategy("a", ",stratum", &assigned, HALVES).run();
    let want = "cannot_say: each stratum lies wholly in one arm, as if strata had been drawn and not customers, so there are as many draws as strata";
    assert_eq!(shop.verdict("a"), want);
    let Some(shop) = case("66-store-launch", "job_strata.toml") else { return };
    assert_eq!(shop.verdict("s"), want);
    let Some(shop) = case("66-store-launch", "job_staggered.toml") else { return };
    assert!(shop.verdict("s").starts_with("cannot_say: the arms were assigned on different days"), "{}", shop.verdict("s"));
}

#[test]
fn contacts_that_contradict_the_arms_are_told() {
    // Of 200 each, 10 controls have a contact and 30 treated none.
    let contacts = |id: i64| match (id % 2 == 0, id / 2) {
        (true, ..30) => ",0",
        (true, _) => ",2",
        (false, ..10) => ",1",
        (false, _) => ",0",
    };
    let assigned: Vec<Assigned<'_>> =
        (0..400).map(|id| (id, if id % 2 == 0 { "mail" } else { "control" }, "2024-04-02", contacts(id))).collect();
    let shop = Shop::new(&plain_orders(400)).strategy("a", ",contacts", &assigned, HALVES).run();
    let want = " (10 of 200 in arm \"control\" were contacted) (30 of 200 in arm \"mail\" were not contacted)";
    assert!(shop.verdict("a").ends_with(want), "{}", shop.verdict("a"));
}

// --- sizes ----------------------------------------------------------------------------------------------------------

#[test]
fn the_cases_of_the_split_check_are_what_was_expected() {
    let Some(shop) = case("20-srm-arms", "job_skew.toml") else { return };
    // scipy 1.17: chisquare([970, 1030]).
    let p = shop.effect("welch", |row| row["srm_p"].double());
    assert!((p - 0.17971249487899593).abs() < 1e-12, "{p}");
    let Some(shop) = case("20-srm-arms", "job_begun.toml") else { return };
    assert_eq!(shop.verdict("s"), "cannot_say: arm \"control\" has no customers here");
}
