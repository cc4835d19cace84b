//! A second program for the workloads of `benches`: lazy queries of Polars that must agree with the tables of rfmill row for row.
//!
//! They know no more of rfmill than its job files: a customer has a row at a date from the first order on; frequency and money are
//! of the lookback; a score is one plus the cut points of type 7 strictly below the value, mirrored for recency.

use std::path::{Path, PathBuf};
use std::process::Command;

use polars::prelude::*;

/// rfmill, beside the program of this package.
fn rfmill() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_rfmill-query")).with_file_name("rfmill");
    if path.is_file() {
        return Some(path);
    }
    assert!(std::env::var_os("RFMILL_QUERY").is_none(), "there is no {}", path.display());
    eprintln!("skipped: there is no {}; cargo build builds it", path.display());
    None
}

/// Runs rfmill on a job of `benches` over sampled orders; gives the folder, with `orders` and `out`.
fn run(rfmill: &Path, job: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("rfmill-oracle-{job}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let rfmill = |arguments: &[&str]| {
        let output = Command::new(rfmill).args(arguments).output().expect("rfmill");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let orders = folder.join("orders").display().to_string();
    std::fs::create_dir_all(&folder).expect("a folder");
    rfmill(&["sample", &orders, "--orders=40000", "--customers=6000", "--from=1992-01-01", "--to=1998-09-30", "--seed=11", "-q"]);
    let job = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../benches/{job}.toml")).display().to_string();
    let path = format!("orders.path={orders}");
    let mut arguments = vec!["run", &job, "-q", "--set", &path];
    for set in ["orders.customer_id=customer_id", "orders.ordered_at=ordered_at", "orders.amount=amount"] {
        arguments.extend(["--set", set]);
    }
    let out = folder.join("out").display().to_string();
    arguments.extend(["--output", &out]);
    rfmill(&arguments);
    folder
}

fn scan(path: &Path) -> LazyFrame {
    let path = PlRefPath::try_from_path(path).expect("a path");
    LazyFrame::scan_parquet(path, ScanArgsParquet::default()).expect("Parquet files")
}

fn day(year: i32, month: u32, day: u32) -> i32 {
    days_to_month(year, month) + day as i32 - 1
}

/// Days from 1970-01-01 to the first of a month.
fn days_to_month(year: i32, month: u32) -> i32 {
    let is_leap = |year: i32| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let months = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: i32 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    years + months[..month as usize - 1].iter().sum::<i32>()
}

/// The customers at a date; frequency and money count from `from` on.
fn customers(orders: &LazyFrame, as_of: i32, from: i32) -> DataFrame {
    let counts = col("day").gt_eq(lit(from));
    // An order below zero is a return: it lowers the money, and is no purchase.
    let is_purchase = col("cents").gt_eq(lit(0i64));
    let measures = orders
        .clone()
        .filter(col("day").lt_eq(lit(as_of)).and(col("customer_id").is_not_null()))
        .group_by([col("customer_id")])
        .agg([
            (lit(as_of) - col("day").filter(is_purchase.clone()).max()).cast(DataType::Int64).alias("recency_days"),
            counts.clone().and(is_purchase).cast(DataType::Int64).sum().alias("frequency"),
            when(counts).then(col("cents")).otherwise(lit(0i64)).sum().alias("monetary"),
        ])
        .filter(col("recency_days").is_not_null())
        .collect()
        .expect("measures");
    let score = |measure: &str| -> Expr {
        let cuts = cuts(&measures, measure);
        // Cuts are five times what they are, so that they are integers.
        let below = cuts.into_iter().map(|cut| (col(measure) * lit(5i64)).gt(lit(cut)).cast(DataType::Int64));
        below.reduce(|sum, one| sum + one).expect("four cuts")
    };
    measures
        .clone()
        .lazy()
        .with_columns([
            (lit(5i64) - score("recency_days")).alias("r_score"),
            (lit(1i64) + score("frequency")).alias("f_score"),
            (lit(1i64) + score("monetary")).alias("m_score"),
        ])
        .with_columns([segment().alias("segment"), lifecycle().alias("lifecycle")])
        .sort(["customer_id"], SortMultipleOptions::default())
        .collect()
        .expect("customers")
}

/// Five times the cut points of type 7 at 20, 40, 60 and 80 %.
fn cuts(measures: &DataFrame, measure: &str) -> Vec<i64> {
    let column = measures.column(measure).expect("a measure").i64().expect("integers");
    let mut values: Vec<i64> = column.into_no_null_iter().collect();
    values.sort_unstable();
    let cut = |k: i64| {
        let h = (values.len() as i64 - 1) * k;
        let (low, rest) = ((h / 5) as usize, h % 5);
        let next = values.get(low + 1).copied().unwrap_or(values[low]);
        5 * values[low] + rest * (next - values[low])
    };
    (1..5).map(cut).collect()
}

/// The plain grid of ten segments.
fn segment() -> Expr {
    let (r, f) = (col("r_score"), col("f_score"));
    let rules = [
        (r.clone().lt_eq(lit(2)).and(f.clone().lt_eq(lit(2))), "Hibernating"),
        (r.clone().lt_eq(lit(2)).and(f.clone().lt_eq(lit(4))), "At Risk"),
        (r.clone().lt_eq(lit(2)), "Can't Lose"),
        (r.clone().eq(lit(5)).and(f.clone().gt_eq(lit(4))), "Champions"),
        (f.clone().gt_eq(lit(4)), "Loyal"),
        (r.clone().eq(lit(3)).and(f.clone().eq(lit(3))), "Need Attention"),
        (r.clone().eq(lit(3)), "About to Sleep"),
        (f.gt_eq(lit(2)), "Potential Loyalist"),
        (r.eq(lit(5)), "New"),
    ];
    first_of(rules, "Promising")
}

fn lifecycle() -> Expr {
    let within = |days: i64| col("recency_days").lt_eq(lit(days));
    first_of([(within(90), "active"), (within(180), "silent"), (within(270), "sleeping"), (within(365), "lapsing")], "churned")
}

fn first_of<const N: usize>(rules: [(Expr, &str); N], otherwise: &str) -> Expr {
    rules.into_iter().rev().fold(lit(otherwise), |rest, (rule, state)| when(rule).then(lit(state)).otherwise(rest))
}

/// The orders with days since 1970 and cents.
fn orders(folder: &Path) -> LazyFrame {
    let day = col("ordered_at").cast(DataType::Date).cast(DataType::Int32).alias("day");
    let cents = (col("amount").cast(DataType::Decimal(38, 2)) * lit(100)).cast(DataType::Int64).alias("cents");
    scan(&folder.join("orders/*.parquet")).select([col("customer_id"), day, cents])
}

/// A table of customers of rfmill, in the types of the queries.
fn written(folder: &Path, as_of: &str) -> DataFrame {
    let files = scan(&folder.join(format!("out/latest/customers/as_of={as_of}/*.parquet")));
    let wide = |name: &str| col(name).cast(DataType::Int64);
    files
        .select([
            col("customer_id"),
            wide("recency_days"),
            wide("frequency"),
            (col("monetary") * lit(100)).cast(DataType::Int64),
            wide("r_score"),
            wide("f_score"),
            wide("m_score"),
            col("segment").cast(DataType::String),
            col("lifecycle").cast(DataType::String),
        ])
        .sort(["customer_id"], SortMultipleOptions::default())
        .collect()
        .expect("customers of rfmill")
}

#[test]
fn the_nightly_workload() {
    let Some(rfmill) = rfmill() else { return };
    let folder = run(&rfmill, "nightly");
    let wanted = customers(&orders(&folder), day(1998, 8, 2), i32::MIN);
    let found = written(&folder, "1998-08-02");
    assert!(wanted.height() > 5_000, "{} customers", wanted.height());
    assert!(found.equals(&wanted), "found {found}\nwanted {wanted}");
    std::fs::remove_dir_all(&folder).expect("the folder");
}

#[test]
fn the_quarterly_workload() {
    let Some(rfmill) = rfmill() else { return };
    let folder = run(&rfmill, "quarterly");
    let orders = orders(&folder).collect().expect("orders").lazy();
    let mut states: Vec<DataFrame> = Vec::new();
    for quarter in 0..27 {
        let (year, month) = (1992 + quarter / 4, quarter % 4 * 3 + 1);
        let (next, next_month) = if month == 10 { (year + 1, 1) } else { (year, month + 3) };
        let end = day(next, next_month as u32, 1) - 1;
        let wanted = customers(&orders, end, day(next - 1, next_month as u32, 1));
        let last_day = [31, 30, 30, 31][(quarter % 4) as usize];
        let found = written(&folder, &format!("{year}-{:02}-{last_day}", month + 2));
        assert!(found.equals(&wanted), "quarter {quarter}: found {found}\nwanted {wanted}");
        states.push(wanted);
    }
    let wanted = transitions(&states);
    let found = scan(&folder.join("out/latest/transitions.parquet"))
        .filter(
            col("slice").cast(DataType::String).eq(lit("(all)")).and(col("scheme").cast(DataType::String).eq(lit("lifecycle"))),
        )
        .filter(col("dimension").cast(DataType::String).eq(lit("(all)")))
        .group_by([col("from_state").cast(DataType::String), col("to_state").cast(DataType::String)])
        .agg([col("customers").sum()])
        .sort(["from_state", "to_state"], SortMultipleOptions::default())
        .collect()
        .expect("transitions of rfmill");
    assert!(found.equals(&wanted), "found {found}\nwanted {wanted}");
    std::fs::remove_dir_all(&folder).expect("the folder");
}

/// Customers by lifecycle state before and after, over all pairs of neighbouring dates.
fn transitions(states: &[DataFrame]) -> DataFrame {
    let pair = |(before, after): (&DataFrame, &DataFrame)| {
        let before = before.clone().lazy().select([col("customer_id"), col("lifecycle").alias("from_state")]);
        let after = after.clone().lazy().select([col("customer_id"), col("lifecycle").alias("to_state")]);
        after.join(before, [col("customer_id")], [col("customer_id")], JoinArgs::new(JoinType::Left))
    };
    let pairs: Vec<LazyFrame> = states.iter().zip(&states[1..]).map(pair).collect();
    concat(pairs, UnionArgs::default())
        .expect("pairs")
        .with_columns([col("from_state").fill_null(lit("(none)"))])
        .group_by([col("from_state"), col("to_state")])
        .agg([len().cast(DataType::Int64).alias("customers")])
        .sort(["from_state", "to_state"], SortMultipleOptions::default())
        .collect()
        .expect("transitions")
}
