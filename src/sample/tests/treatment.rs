//! A planted effect: it is there, as large as was asked for, and nowhere else.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Date32Type;
use arrow::util::display::array_value_to_string;
use jiff::civil::date;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::support::{DAY_MICROS, bytes, date_of_epoch, read_all, sample, spec};
use crate::sample::{SampleSpec, SampleSummary, StrategySpec, write};

fn treated(orders: u64, effect: f64) -> SampleSpec {
    let strategy = StrategySpec { name: "winback".into(), effect, from: date(2024, 4, 1), days: 91 };
    SampleSpec { strategy: Some(strategy), ..spec(orders) }
}

/// Customer, arm and day of an assignment file.
fn assignments(path: &Path) -> Vec<(String, String, i32)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let text = |name: &str, row| array_value_to_string(batch.column_by_name(name).unwrap(), row).unwrap();
        let days = batch.column_by_name("assigned_on").unwrap().as_primitive::<Date32Type>();
        rows.extend((0..batch.num_rows()).map(|row| (text("customer_id", row), text("arm", row), days.value(row))));
    }
    rows
}

/// Purchases per assigned customer by arm (control, treatment) on some days since 1970: mean and its variance.
fn purchases(summary: &SampleSummary, days: std::ops::Range<i64>) -> [(f64, f64); 2] {
    let mut orders: HashMap<String, HashSet<i64>> = HashMap::new();
    for row in read_all(summary) {
        let Some((customer, at)) = row.customer.zip(row.at) else { continue };
        if row.amount > Some(0) && days.contains(&(at / DAY_MICROS)) {
            orders.entry(customer).or_default().insert(row.order);
        }
    }
    let assigned = assignments(summary.assignments.as_ref().unwrap());
    ["control", "treatment"].map(|arm| {
        let own = assigned.iter().filter(|(_, a, _)| a == arm);
        let counts: Vec<f64> = own.map(|(customer, ..)| orders.get(customer).map_or(0, HashSet::len) as f64).collect();
        let n = counts.len() as f64;
        let mean = counts.iter().sum::<f64>() / n;
        (mean, counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
    })
}

/// The lift of purchases and its standard error.
fn lift(summary: &SampleSummary, days: std::ops::Range<i64>) -> (f64, f64) {
    let [(control, control_variance), (treated, treated_variance)] = purchases(summary, days);
    (treated / control - 1.0, (treated_variance + control_variance).sqrt() / control)
}

fn day(year: i16, month: i8, day: i8) -> i64 {
    date(year, month, day).duration_since(date_of_epoch()).as_hours() / 24
}

/// A plain difference of means finds it: within three standard errors of what was planted, and clear of nothing.
#[test]
fn a_planted_effect_is_found() {
    let (_folder, summary) = sample(&treated(400_000, 0.5));
    let (during, error) = lift(&summary, day(2024, 4, 1)..day(2024, 7, 1));
    assert!((during - 0.5).abs() < 3.0 * error && error < 0.05, "{during} ± {error}");
    for (name, days) in [("before", 0..day(2024, 4, 1)), ("after", day(2024, 7, 1)..day(2025, 1, 1))] {
        let (other, error) = lift(&summary, days);
        assert!(other.abs() < 3.0 * error, "{name}: {other} ± {error}");
    }
}

#[test]
fn effects_may_be_none_or_harm() {
    let (_folder, none) = sample(&treated(200_000, 0.0));
    let (same, error) = lift(&none, day(2024, 4, 1)..day(2024, 7, 1));
    assert!(same.abs() < 3.0 * error, "{same} ± {error}");
    let (_folder, harm) = sample(&treated(200_000, -0.6));
    let (less, error) = lift(&harm, day(2024, 4, 1)..day(2024, 7, 1));
    assert!((less + 0.6).abs() < 3.0 * error, "{less} ± {error}");
}

#[test]
fn everybody_who_came_before_is_assigned_once() {
    for string_ids in [false, true] {
        let (_folder, summary) = sample(&SampleSpec { string_ids, ..treated(20_000, 0.25) });
        let assigned = assignments(summary.assignments.as_ref().unwrap());
        assert_eq!(assigned.len() as u64, summary.assigned);
        let known: HashSet<String> = read_all(&summary)
            .into_iter()
            .filter(|row| row.at.is_some_and(|at| at / DAY_MICROS < day(2024, 4, 1)))
            .filter_map(|row| row.customer)
            .collect();
        let ids: HashSet<String> = assigned.iter().map(|(customer, ..)| customer.clone()).collect();
        assert_eq!(ids.len(), assigned.len());
        assert!(known == ids);
        assert!(assigned.iter().all(|(.., on)| i64::from(*on) == day(2024, 4, 1)));
        let control = assigned.iter().filter(|(_, arm, _)| arm == "control").count() as f64 / assigned.len() as f64;
        assert!((0.45..0.55).contains(&control), "{control}");
    }
}

#[test]
fn the_same_spec_gives_the_same_bytes_and_counts_stay_exact() {
    let spec = treated(30_000, 0.25);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let (_folder, summary) = pool.build().unwrap().install(|| sample(&spec));
        assert_eq!(summary.orders, 30_000);
        assert_eq!(read_all(&summary).iter().map(|row| row.order).collect::<HashSet<_>>().len(), 30_000);
        (bytes(&summary), fs::read(summary.assignments.unwrap()).unwrap())
    };
    let one = on(1);
    assert!(one == on(4));
    let (_folder, plain) = sample(&super::spec(30_000));
    assert!(bytes(&plain) != one.0);
}

/// A sample without a strategy does not leave another's assignments beside its orders.
#[test]
fn assignments_of_another_sample_are_in_the_way() {
    let (folder, _) = sample(&treated(1_000, 0.25));
    assert!(write(&treated(1_000, 0.5), folder.path(), &|_| {}).is_ok());
    let error = write(&spec(1_000), folder.path(), &|_| {}).unwrap_err();
    assert!(error.to_string().contains("_assignments/winback.parquet"), "{error}");
    assert_eq!(error.kind().exit_code(), 2);
}
