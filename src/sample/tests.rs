//! Tests of the sample generator.

mod likeness;
mod service;
mod support;
mod treatment;

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::{Date, date};

use super::*;
use support::{DAY_MICROS, Read, bytes, date_of_epoch, read, read_all, sample, share, spec};

#[test]
fn the_same_spec_gives_the_same_bytes_on_any_number_of_threads() {
    let spec = SampleSpec { bad_rows: 50, ..spec(30_000) };
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let (_folder, summary) = pool.build().unwrap().install(|| sample(&spec));
        bytes(&summary)
    };
    let one = on(1);
    assert_eq!(one.len(), 8);
    assert!(one == on(1));
    assert!(one == on(5));
}

#[test]
fn another_seed_gives_other_orders() {
    let (_folder, seven) = sample(&spec(5_000));
    let (_folder_too, eight) = sample(&SampleSpec { seed: 8, ..spec(5_000) });
    assert_eq!(seven.orders, eight.orders);
    let rows: HashSet<Read> = read_all(&seven).into_iter().collect();
    let same = read_all(&eight).iter().filter(|row| rows.contains(row)).count();
    assert_eq!(same, 0);
}

#[test]
fn counts_are_exact_for_odd_specs_too() {
    let day = date(2024, 2, 29);
    let specs = [
        spec(1),
        spec(2),
        spec(100),
        spec(12_345),
        SampleSpec::new(500, 1, day, day),
        SampleSpec { customers: Some(96), ..spec(100) },
        SampleSpec { customers: Some(1), files: 1, ..spec(1_000) },
        SampleSpec { files: 731, ..spec(3_000) },
        SampleSpec { customers: Some(9_000), files: 5, ..spec(20_000) },
    ];
    for spec in specs {
        let done = AtomicU64::new(0);
        let folder = crate::temp::tempdir().unwrap();
        let summary = write(&spec, folder.path(), &|orders| {
            done.fetch_add(orders, Ordering::Relaxed);
        })
        .unwrap();
        let rows = read_all(&summary);
        let ids: HashSet<i64> = rows.iter().map(|row| row.order).collect();
        assert_eq!(summary.files.len(), spec.files, "{spec:?}");
        assert_eq!(summary.orders, spec.orders);
        assert_eq!(done.into_inner(), spec.orders);
        assert_eq!(ids.len() as u64, spec.orders);
        assert_eq!(ids.iter().max().copied(), Some(spec.orders as i64));
        assert_eq!(rows.len() as u64, summary.rows);
        let customers: HashSet<_> = rows.iter().filter_map(|row| row.customer.clone()).collect();
        assert_eq!(customers.len() as u64, summary.customers);
        assert_eq!(spec.customers.unwrap_or(summary.customers), summary.customers);
        let returned: Vec<_> = rows.iter().filter(|row| row.amount < Some(0)).collect();
        assert_eq!(returned.len() as u64, summary.returns);
        assert!(returned.iter().all(|row| row.status == "returned"));
        let size = |path| fs::metadata(path).unwrap().len();
        assert_eq!(summary.files.iter().map(size).sum::<u64>(), summary.bytes);
    }
}

#[test]
fn files_hold_their_own_dates_in_the_order_of_time() {
    let (_folder, summary) = sample(&spec(20_000));
    let start = |date: Date| date.duration_since(date_of_epoch()).as_secs() * 1_000_000;
    for (quarter, path) in (0..).zip(&summary.files) {
        let first = date(2023 + quarter / 4, 1 + quarter as i8 % 4 * 3, 1);
        assert!(path.ends_with(format!("orders-{first}.parquet")));
        let end = first.saturating_add(jiff::Span::new().months(3));
        let times: Vec<i64> = read(path).iter().filter_map(|row| row.at).collect();
        assert!(times.is_sorted());
        assert!(times.first().is_some_and(|at| *at >= start(first)));
        assert!(times.last().is_some_and(|at| *at < start(end)));
        assert!(share((times[times.len() - 1] - times[0]) as usize, DAY_MICROS as usize) > 80.0);
    }
}

#[test]
fn bad_rows_are_exact_and_leave_good_rows_as_they_are() {
    let (_folder, good) = sample(&spec(10_000));
    let (_folder_too, bad) = sample(&SampleSpec { bad_rows: 1_001, ..spec(10_000) });
    assert_eq!((bad.rows, bad.orders), (good.rows + 1_001, good.orders));
    let (mut no_date, mut no_amount, mut duplicate) = (0, 0, 0);
    let mut files = 0;
    for (good, bad) in good.files.iter().zip(&bad.files) {
        let mut seen = HashSet::new();
        let mut rows = read(bad);
        let before = rows.len();
        rows.retain(|row| {
            no_date += usize::from(row.at.is_none());
            no_amount += usize::from(row.amount.is_none());
            row.at.is_some() && row.amount.is_some()
        });
        rows.retain(|row| {
            let is_new = seen.insert(row.clone());
            duplicate += usize::from(!is_new);
            is_new
        });
        files += usize::from(rows.len() < before);
        assert!(rows == read(good));
    }
    assert_eq!((no_date, no_amount, duplicate, files), (334, 334, 333, 8));
}

#[test]
fn string_ids_have_one_length() {
    let (_folder, summary) = sample(&SampleSpec { string_ids: true, ..spec(1_000) });
    let ids: HashSet<String> = read_all(&summary).into_iter().filter_map(|row| row.customer).collect();
    assert!(ids.iter().all(|id| id.len() == 8 && id.starts_with("C0000")));
    assert!(ids.contains("C0000001") && ids.contains("C0000125"));
}

/// Memory is bounded by that of a chunk per thread, so no chunk may be large, even if all orders are
/// those of one customer and in one file.
#[test]
fn chunks_stay_small() {
    let spec = SampleSpec { customers: Some(1), files: 1, ..spec(600_000) };
    let plan = Plan::new(&spec).unwrap();
    let mut sizes = Vec::new();
    let file = plan.files.first().unwrap();
    purchases::generate(&plan, (0, file), &mut |chunk| {
        sizes.push(chunk.orders.len());
        chunk.clear();
        Ok(())
    })
    .unwrap();
    assert_eq!(sizes, [192_000; 3]);
}

#[test]
fn a_sample_replaces_itself_and_nothing_else() {
    let (folder, summary) = sample(&spec(1_000));
    let before = bytes(&summary);
    assert!(bytes(&write(&spec(1_000), folder.path(), &|_| {}).unwrap()) == before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 8);

    let monthly = SampleSpec { files: 24, ..spec(1_000) };
    let fewer = SampleSpec { files: 4, ..spec(1_000) };
    assert!(write(&monthly, folder.path(), &|_| {}).is_ok());
    let error = write(&fewer, folder.path(), &|_| {}).unwrap_err();
    assert!(error.to_string().contains("is not a file of the sample"), "{error}");

    let foreign = crate::temp::tempdir().unwrap();
    let file = foreign.path().join("orders-2023-01-01.parquet");
    fs::write(&file, "mine").unwrap();
    let error = write(&spec(1_000), foreign.path(), &|_| {}).unwrap_err();
    assert!(error.to_string().contains("orders-2023-01-01.parquet"));
    assert_eq!(error.kind().exit_code(), 2);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

#[test]
fn a_failed_sample_leaves_no_files() {
    let folder = crate::temp::tempdir().unwrap();
    // A folder in the place of a draft makes one file of eight fail.
    fs::create_dir(folder.path().join(".orders-2024-07-01.parquet.part")).unwrap();
    let error = write(&spec(1_000), folder.path(), &|_| {}).unwrap_err();
    assert_eq!(error.kind().exit_code(), 6);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn wrong_specs_are_refused_in_full_sentences() {
    let with = |change: fn(&mut SampleSpec)| {
        let mut spec = spec(100);
        change(&mut spec);
        Plan::new(&spec).unwrap_err()
    };
    let errors = [
        with(|spec| spec.orders = 0),
        with(|spec| spec.orders = u64::MAX),
        with(|spec| spec.customers = Some(0)),
        with(|spec| spec.customers = Some(97)),
        with(|spec| spec.bad_rows = 101),
        with(|spec| spec.files = 0),
        with(|spec| spec.files = 732),
        with(|spec| spec.files = 5_000),
        with(|spec| spec.to = date(2022, 12, 31)),
        with(|spec| spec.to = date(2200, 12, 31)),
    ];
    for error in errors {
        assert_eq!(error.kind().exit_code(), 2);
        assert!(error.to_string().ends_with('.'), "{error}");
    }
}

#[test]
fn date_ranges_are_whole_months_where_they_can_be() {
    let cut = |from, to, files| -> Vec<Date> {
        let ranges = calendar::date_ranges(from, to, files).unwrap();
        assert!(ranges.windows(2).all(|two| two[0].days.end == two[1].days.start));
        ranges.into_iter().map(|range| range.first).collect()
    };
    assert_eq!(
        cut(date(2023, 11, 15), date(2024, 2, 3), 4),
        [date(2023, 11, 15), date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1)]
    );
    assert_eq!(cut(date(2024, 1, 1), date(2024, 1, 31), 3), [date(2024, 1, 1), date(2024, 1, 11), date(2024, 1, 21)]);
}
