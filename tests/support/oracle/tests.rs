//! The oracle itself, against numpy, pandas, DuckDB, R and hand-made cases.

use super::numbers::*;
use super::orders::business_date;
use super::scores::*;
use super::*;
use crate::support::calendar::{DAY, TimeUnit, days_from_civil};

fn date(year: i64, month: i64, day: i64) -> i64 {
    days_from_civil(year, month, day)
}

fn column(name: &str, kind: Kind) -> ColumnSpec {
    ColumnSpec { name: name.into(), kind }
}

fn text() -> Kind {
    Kind::Text(TextEncoding::Plain)
}

fn int() -> Kind {
    Kind::Int { bits: 64, signed: true }
}

fn cents() -> Kind {
    Kind::Decimal { precision: 12, scale: 2 }
}

fn t(s: &str) -> Value {
    Value::Text(s.into())
}

fn number(n: i128) -> Literal {
    Literal::Number(Decimal::whole(n))
}

/// Customer, date and cents, nothing else.
fn simple(rows: &[(i128, i64, i128)]) -> Input {
    Input {
        columns: vec![column("customer_id", int()), column("ordered_at", Kind::Date), column("amount", cents())],
        files: vec![InputFile {
            name: "a.parquet".into(),
            rows: rows.iter().map(|(c, d, a)| vec![Value::Int(*c), Value::Date(*d), Value::Decimal(*a)]).collect(),
        }],
    }
}

fn ledger_of(answer: &Answer) -> Vec<(&str, &str, u64, i128)> {
    answer.ledger.iter().map(|((f, o), s)| (f.as_str(), o.as_str(), s.rows, s.money)).collect()
}

fn only_slice(answer: &Answer, k: usize) -> &SliceAnswer {
    assert_eq!(answer.snapshots[k].slices.len(), 1);
    &answer.snapshots[k].slices[0]
}

// Values of numpy 2.4.6 `quantile` (linear) and DuckDB 2.0.0 `quantile_cont`, times the bins.
#[test]
fn quantile_cuts_equal_numpy_and_duckdb() {
    let v = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
    let times_b = |values: &[i128], b: u32| -> Vec<i128> { quantile_cuts(values, b).iter().map(|c| c.num).collect() };
    assert_eq!(times_b(&v, 3), [9, 15]); // 3, 5
    assert_eq!(times_b(&v, 4), [10, 16, 20]); // 2.5, 4, 5
    assert_eq!(times_b(&v, 5), [10, 15, 25, 25]); // 2, 3, 5, 5
    assert_eq!(times_b(&v, 7), [10, 20, 23, 33, 35, 39]); // 1.428571, 2.857143, 3.285714, 4.714286, 5, 5.571429
    let w = [-700, -700, 0, 125, 125, 125, 99_999];
    assert_eq!(times_b(&w, 4), [-1400, 500, 500]); // -350, 125, 125
    assert_eq!(times_b(&w, 5), [-2800, 250, 625, 625]); // -560, 50, 125, 125
    assert_eq!(times_b(&w, 7), [-4900, -1400, 500, 875, 875, 100_749]); // the last is 14392.714286
    assert_eq!(times_b(&[8], 5), [40, 40, 40, 40]);
}

fn quantile_scores(axis: Axis, values: &[i128], bins: u32) -> Vec<u32> {
    let (cuts, closed) = cut_points(&Method::Quantile, axis, values, bins, 0);
    values.iter().map(|x| score_of_bin(axis, bins, bin_of(axis, &cuts, closed, *x))).collect()
}

// Values of pandas 3.1.1 `qcut(..., labels=False) + 1`.
#[test]
fn quantile_scores_equal_pandas() {
    let x = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 7];
    assert_eq!(quantile_scores(Axis::Frequency, &x, 3), [1, 1, 2, 1, 2, 3, 1, 3, 2, 1, 2, 3, 3]);
    let fifths = [2, 1, 3, 1, 3, 5, 1, 4, 3, 2, 3, 5, 5];
    assert_eq!(quantile_scores(Axis::Monetary, &x, 5), fifths);
    assert_eq!(quantile_scores(Axis::Recency, &x, 5), fifths.map(|s| 6 - s));
    assert_eq!(quantile_scores(Axis::Frequency, &[7, 7, 7], 5), [1, 1, 1]);
    assert_eq!(quantile_scores(Axis::Recency, &[7, 7, 7], 5), [5, 5, 5]);
}

const VALUES: [i128; 11] = [5, 5, 5, 1, 1, 3, 3, 3, 9, 5, 1];

// Values of pandas `rank(method)`, then ceil(5 · rank / 11) in fractions.
#[test]
fn rank_scores_equal_pandas() {
    assert_eq!(rank_scores(&VALUES, 5, Ties::Min), [4, 4, 4, 1, 1, 2, 2, 2, 5, 4, 1]);
    assert_eq!(rank_scores(&VALUES, 5, Ties::Mid), [4, 4, 4, 1, 1, 3, 3, 3, 5, 4, 1]);
    assert_eq!(rank_scores(&VALUES, 5, Ties::Max), [5, 5, 5, 2, 2, 3, 3, 3, 5, 5, 2]);
    let longest_first = VALUES.map(|x| -x);
    assert_eq!(rank_scores(&longest_first, 5, Ties::Min), [1, 1, 1, 5, 5, 3, 3, 3, 1, 1, 5]);
    assert_eq!(rank_scores(&longest_first, 5, Ties::Mid), [2, 2, 2, 5, 5, 4, 4, 4, 1, 2, 5]);
    assert_eq!(rank_scores(&longest_first, 5, Ties::Max), [3, 3, 3, 5, 5, 4, 4, 4, 1, 3, 5]);
}

// Values of DuckDB `ntile(b) over (order by v, id)`, and `order by v desc, id` for recency.
#[test]
fn ntile_equals_duckdb() {
    let ids: Vec<Id> = [7, 1, 9, 4, 2, 8, 3, 10, 5, 6, 11].map(Id::Int).to_vec();
    let up = |bins| ntile_scores(Axis::Frequency, &VALUES, &ids, bins);
    let down = |bins| ntile_scores(Axis::Recency, &VALUES, &ids, bins);
    assert_eq!(up(3), [3, 2, 3, 1, 1, 2, 1, 2, 3, 2, 1]);
    assert_eq!(down(3), [1, 1, 2, 3, 3, 2, 2, 2, 1, 1, 3]);
    assert_eq!(up(5), [4, 3, 5, 1, 1, 2, 2, 3, 5, 4, 1]);
    assert_eq!(down(5), [2, 1, 2, 5, 4, 3, 3, 4, 1, 1, 5]);
    assert_eq!(up(10), [8, 6, 9, 1, 1, 4, 3, 5, 10, 7, 2]);
    assert_eq!(down(12), [4, 2, 5, 10, 9, 7, 6, 8, 1, 3, 11]);
}

#[test]
fn the_cuts_of_a_rank_are_its_smallest_members() {
    let (cuts, closed) = cut_points(&Method::Rank(Ties::Min), Axis::Frequency, &VALUES, 5, 0);
    // Scores 1, 2, 4 and 5 have members; score 3 shares the cut of score 4.
    let whole = |x: i128| Some(Ratio { num: x, den: 1 });
    assert_eq!(cuts, [whole(3), whole(5), whole(5), whole(9)]);
    assert_eq!(closed, Closed::Left);
    assert_eq!([0, 3, 4, 5, 8, 9].map(|x| bin_of(Axis::Frequency, &cuts, closed, x)), [1, 2, 2, 4, 4, 5]);
    // Recency, mirrored: score 5 up to 1 day, score 3 up to 3 days, and the rest score 1.
    let (cuts, closed) = cut_points(&Method::Rank(Ties::Min), Axis::Recency, &VALUES, 5, 0);
    assert_eq!(cuts, [whole(1), whole(1), whole(3), whole(3)]);
    assert_eq!(closed, Closed::Right);
    // All alike: nobody is above score 1 on either axis.
    for axis in [Axis::Frequency, Axis::Recency] {
        let (cuts, closed) = cut_points(&Method::Rank(Ties::Min), axis, &[4, 4, 4, 4, 4, 4], 5, 0);
        assert_eq!(cuts, [None, None, None, None]);
        assert_eq!(score_of_bin(axis, 5, bin_of(axis, &cuts, closed, 4)), 1);
    }
}

#[test]
fn thresholds_and_r_rfm_stand_on_their_sides() {
    let cuts = vec![Decimal::whole(1), Decimal { unscaled: 250, digits: 2 }];
    let right = Method::Thresholds { cuts: cuts.clone(), closed: Closed::Right };
    let (points, closed) = cut_points(&right, Axis::Monetary, &[], 3, 2);
    assert_eq!([100, 101, 250, 251].map(|x| bin_of(Axis::Monetary, &points, closed, x)), [1, 2, 2, 3]);
    let left = Method::Thresholds { cuts, closed: Closed::Left };
    let (points, closed) = cut_points(&left, Axis::Monetary, &[], 3, 2);
    assert_eq!([99, 100, 249, 250].map(|x| bin_of(Axis::Monetary, &points, closed, x)), [1, 2, 2, 3]);
    // Two bins over 10 and 20 cents: the cut is 15 cents, plus one whole unit; a value on the cut is above it.
    let (points, closed) = cut_points(&Method::RRfm, Axis::Monetary, &[10, 20], 2, 2);
    assert_eq!(points, [Some(Ratio { num: 115, den: 1 })]);
    assert_eq!([114, 115].map(|x| bin_of(Axis::Monetary, &points, closed, x)), [1, 2]);
}

#[test]
fn halves_go_to_the_even_side() {
    let halves = [(1, 2, 0), (3, 2, 2), (-1, 2, 0), (-3, 2, -2), (5, 3, 2), (-5, 3, -2), (25, 10, 2), (-25, 10, -2)];
    for (num, den, want) in halves {
        assert_eq!(divide_half_even(num, den), want, "{num}/{den}");
    }
    // numpy `rint(x * 100.0)`.
    let floats = [(2.675, 268), (1.005, 100), (0.125, 12), (0.375, 38), (-0.125, -12), (19.99, 1999), (-2.675, -268)];
    for (x, want) in floats {
        assert_eq!(scale_float(x, 2), want, "{x}");
    }
    assert_eq!(scale_float(1_000_000_000.015, 2), 100_000_000_002);
}

#[test]
fn amounts_are_exact() {
    let columns =
        [column("f", Kind::Float { bits: 64 }), column("i", int()), column("d", Kind::Decimal { precision: 9, scale: 3 })];
    let amount = |names: &[&str], scale: u32, row: [Value; 3]| {
        let job = Job { amount: names.iter().map(|n| n.to_string()).collect(), amount_scale: scale, ..Job::default() };
        amount_of(&job, &columns, &row)
    };
    let row = |f: f64, i: i128, d: i128| [Value::Float(f), Value::Int(i), Value::Decimal(d)];
    assert_eq!(amount(&["i"], 2, row(0.0, 7, 0)), Amount::Money(700));
    assert_eq!(amount(&["d"], 2, row(0.0, 0, 1230)), Amount::Money(123));
    assert_eq!(amount(&["d"], 2, row(0.0, 0, 1235)), Amount::TooPrecise);
    assert_eq!(amount(&["d"], 4, row(0.0, 0, -1235)), Amount::Money(-12_350));
    // 3 · 2.675 = 8.025, a tie in cents, goes to the even 8.02; 5 · 0.125 = 0.625 goes to 0.62.
    assert_eq!(amount(&["i", "f"], 2, row(2.675, 3, 0)), Amount::Money(802));
    assert_eq!(amount(&["f", "i"], 2, row(0.125, 5, 0)), Amount::Money(62));
    assert_eq!(amount(&["f", "i"], 2, row(0.125, -15, 0)), Amount::Money(-188));
    assert_eq!(amount(&["d", "i"], 2, row(0.0, 3, 1235)), Amount::Money(370)); // 3.705
    assert_eq!(amount(&["d", "f"], 2, row(1.5, 0, 1235)), Amount::Money(185)); // 1.8525
    assert_eq!(amount(&["i", "f"], 2, row(f64::NAN, 3, 0)), Amount::NonFinite);
    assert_eq!(amount(&["i", "f"], 2, [Value::Float(f64::INFINITY), Value::Null, Value::Null]), Amount::Null);
}

#[test]
fn lookbacks_end_the_day_after() {
    assert_eq!(Lookback::Days(1).start(100), Some(100));
    assert_eq!(Lookback::Quarters(2).start(date(2024, 6, 30)), Some(date(2024, 1, 1)));
    assert_eq!(Lookback::Months(1).start(date(2024, 3, 30)), Some(date(2024, 2, 29)));
    assert_eq!(Lookback::Years(1).start(date(2024, 2, 28)), Some(date(2023, 2, 28)));
}

/// Two customers, two returns, one zero order, three dates.
fn small() -> Input {
    simple(&[
        (1, date(2024, 1, 10), 1000),
        (1, date(2024, 2, 10), 500),
        (1, date(2024, 2, 10), 201),
        (1, date(2024, 2, 20), -300),
        (2, date(2024, 1, 31), 0),
        (2, date(2024, 2, 5), -100),
        (3, date(2024, 1, 2), -50),
        (1, date(2024, 4, 1), 999),
    ])
}

#[test]
fn measures_by_hand() {
    let job = Job {
        periods: Periods::AsOf(vec![date(2024, 1, 31), date(2024, 2, 29)]),
        lookback: Lookback::Months(1),
        extra_lookbacks: vec![Lookback::Days(10)],
        ..Job::default()
    };
    let answer = solve(&job, &small()).unwrap();
    assert_eq!(ledger_of(&answer), [("a.parquet", "after_as_of", 1, 999), ("a.parquet", "kept", 7, 1251)]);
    let january = &only_slice(&answer, 0).customers;
    assert_eq!(january.len(), 2, "customer 3 never bought");
    assert_eq!((january[0].recency_days, january[0].frequency, january[0].monetary), (21, 1, 1000));
    let february = &only_slice(&answer, 1).customers;
    let one = &february[0];
    assert_eq!((one.first_order, one.last_order), (date(2024, 1, 10), date(2024, 2, 10)));
    assert_eq!((one.recency_days, one.tenure_days), (19, 50));
    // The lookback is 1 to 29 February: two orders of one day, and a return.
    assert_eq!((one.frequency, one.monetary, one.revenue), (2, 401, 401));
    assert_eq!(one.avg_order_value, Some(20_050)); // 2.0050
    assert_eq!((one.lifetime_orders, one.lifetime_monetary), (3, 1401));
    assert_eq!((one.at[0].frequency, one.at[0].monetary), (0, -300));
    let two = &february[1];
    assert_eq!((two.frequency, two.monetary, two.avg_order_value, two.lifetime_orders), (0, -100, None, 1));

    let gross = Job { monetary: Money::Gross, count: Count::OrderDays, ..job.clone() };
    let one = &only_slice(&solve(&gross, &small()).unwrap(), 1).customers[0].clone();
    assert_eq!((one.frequency, one.monetary, one.avg_order_value), (1, 701, Some(70_100)));
    let average = Job { monetary_as: MonetaryAs::Average, ..job.clone() };
    let list = &only_slice(&solve(&average, &small()).unwrap(), 1).customers.clone();
    assert_eq!((list[0].monetary, list[0].revenue, list[1].monetary), (20_050, 401, 0));
    let lookback = Job { population: Population::Lookback, ..job };
    assert_eq!(only_slice(&solve(&lookback, &small()).unwrap(), 1).customers.len(), 1);
}

#[test]
fn a_mean_per_purchase_is_rounded_to_even() {
    let input = simple(&[(1, 0, 100), (1, 0, 100), (1, 0, 125), (2, 0, 1), (2, 0, 0)]);
    let job = Job { periods: Periods::AsOf(vec![0]), monetary_as: MonetaryAs::Average, ..Job::default() };
    let list = &only_slice(&solve(&job, &input).unwrap(), 0).customers.clone();
    assert_eq!(list[0].monetary, 10_833); // 325 / 3 cents = 1.0833
    assert_eq!(list[1].monetary, 50); // 0.0050
}

#[test]
fn lines_of_the_earliest_date_are_the_order() {
    let mut input = simple(&[(1, 10, 700), (1, 12, -200), (1, 14, 100), (2, 14, 5), (1, 11, -9)]);
    input.columns.push(column("order_id", text()));
    for (row, id) in input.files[0].rows.iter_mut().zip(["a", "a", "b", "a", "c"]) {
        row.push(t(id));
    }
    let job = Job { order_id: vec!["order_id".into()], periods: Periods::AsOf(vec![10, 13]), ..Job::default() };
    let answer = solve(&job, &input).unwrap();
    assert_eq!(ledger_of(&answer), [("a.parquet", "after_as_of", 2, 105), ("a.parquet", "kept", 3, 491)]);
    let first = &only_slice(&answer, 0).customers[0];
    assert_eq!((first.frequency, first.monetary), (1, 700), "nothing later changes what the order was");
    let second = &only_slice(&answer, 1).customers[0];
    assert_eq!((second.frequency, second.monetary, second.last_order), (1, 491, 10));

    // Any line of that date that matches makes the whole order a return.
    input.files[0].rows[1][1] = Value::Date(10);
    let returns = Predicate { column: "amount".into(), test: PredicateTest::Below(number(-1)) };
    let failed = solve(&Job { returns: Some(returns), periods: Periods::AsOf(vec![10]), ..job }, &input).unwrap();
    assert!(failed.snapshots[0].slices.is_empty() && failed.notes.contains(notes::ONLY_RETURNS));
}

/// One row per outcome, in the order of the ledger, over two files.
#[test]
fn every_outcome_by_hand() {
    let columns = vec![
        column("customer_id", text()),
        column("ordered_at", Kind::Date),
        column("amount", Kind::Float { bits: 64 }),
        column("order_id", int()),
        column("region", text()),
        column("status", text()),
        column("version", int()),
    ];
    let row = |c: Value, d: i64, a: f64, o: i128, r: &str, s: &str, v: i128| {
        vec![c, Value::Date(d), Value::Float(a), Value::Int(o), t(r), t(s), Value::Int(v)]
    };
    let null_at = |mut row: Row, i: usize| {
        row[i] = Value::Null;
        row
    };
    let b = vec![
        row(t("x"), 5, 1.0, 1, "n", "paid", 1),
        row(t("x"), 5, 2.0, 1, "n", "cancelled", 2),
        row(t("x"), 5, 3.0, 2, "n", "paid", 1),
        row(Value::Null, 5, 4.0, 3, "n", "paid", 1),
        null_at(row(t("x"), 5, 5.0, 4, "n", "paid", 1), 4),
        null_at(null_at(row(t("x"), 5, 6.0, 5, "n", "paid", 1), 1), 2),
        null_at(row(t("x"), 5, 7.0, 6, "n", "paid", 1), 2),
        row(t("x"), 5, f64::NAN, 7, "n", "paid", 1),
        row(t("x"), 9, 8.0, 8, "n", "paid", 1),
        row(t("x"), 5, 0.0, 9, "n", "paid", 1),
        null_at(row(t("x"), 5, 9.0, 10, "n", "paid", 1), 5),
    ];
    let a = vec![row(t("x"), 5, 3.0, 2, "n", "paid", 1), row(t("x"), 4, 0.5, 11, "s", "paid", 1)];
    let input = Input {
        columns,
        files: vec![InputFile { name: "b.parquet".into(), rows: b }, InputFile { name: "a.parquet".into(), rows: a }],
    };
    let job = Job {
        order_id: vec!["order_id".into()],
        slice: Some("region".into()),
        dedupe_rows: true,
        latest: Some(Latest { key: vec!["order_id".into()], by: "version".into() }),
        keep: vec![Predicate { column: "status".into(), test: PredicateTest::NotIn(vec![Literal::Text("cancelled".into())]) }],
        zero_amount: ZeroAmount::Drop,
        max_rejected: 0.5,
        periods: Periods::AsOf(vec![5]),
        ..Job::default()
    };
    let answer = solve(&job, &input).unwrap();
    assert_eq!(
        ledger_of(&answer),
        [
            ("a.parquet", "kept", 2, 350),
            ("b.parquet", "after_as_of", 1, 800),
            ("b.parquet", "duplicate", 1, 300),
            ("b.parquet", "filtered:status", 2, 1100),
            ("b.parquet", "no_customer", 1, 400),
            ("b.parquet", "rejected:non_finite_amount", 1, 0),
            ("b.parquet", "rejected:null_amount", 1, 0),
            ("b.parquet", "rejected:null_date", 1, 0),
            ("b.parquet", "rejected:null_slice", 1, 500),
            ("b.parquet", "superseded", 1, 100),
            ("b.parquet", "zero", 1, 0),
        ]
    );
    let slices: Vec<_> = answer.snapshots[0].slices.iter().map(|s| s.slice.clone().unwrap()).collect();
    assert_eq!(slices, ["n", "s"]);

    // Four of thirteen rows are rejected, one has no customer.
    let tight = |rejected: f64, guests: f64| {
        let job = Job { max_rejected: rejected, max_no_customer: guests, ..job.clone() };
        solve(&job, &input).map(|_| ()).map_err(|f| f.exit)
    };
    assert_eq!(tight(0.3, 1.0), Err(3));
    assert_eq!(tight(0.5, 0.05), Err(3));
    assert_eq!(tight(4.0 / 13.0, 1.0 / 13.0), Ok(()));
    assert_eq!(solve(&Job { periods: Periods::AsOf(vec![3]), ..job.clone() }, &input).unwrap_err().exit, 3);
}

#[test]
fn ties_of_the_latest_row_fail_only_if_the_rows_differ() {
    let mut input = simple(&[(1, 5, 100), (1, 5, 100), (1, 4, 300)]);
    input.columns.push(column("version", int()));
    for (row, v) in input.files[0].rows.iter_mut().zip([2, 2, 1]) {
        row.push(Value::Int(v));
    }
    let latest = Some(Latest { key: vec!["customer_id".into()], by: "version".into() });
    let job = Job { latest, periods: Periods::AsOf(vec![9]), ..Job::default() };
    let answer = solve(&job, &input).unwrap();
    assert_eq!(ledger_of(&answer), [("a.parquet", "kept", 1, 100), ("a.parquet", "superseded", 2, 400)]);
    input.files[0].rows[1][1] = Value::Date(6);
    assert_eq!(solve(&job, &input).unwrap_err().exit, 3);
}

#[test]
fn timestamps_become_local_dates() {
    let noon = |y, m, d, h: i64| date(y, m, d) * DAY + h * 3600;
    let kind = |unit, zone: Option<&str>| Kind::Timestamp { unit, zone: zone.map(String::from) };
    let read = |timezone: &str, naive: Option<&str>, kind: Kind, raw: i64| {
        let job = Job { timezone: timezone.into(), naive_timezone: naive.map(String::from), ..Job::default() };
        business_date(&job, &kind, &Value::Timestamp(raw))
    };
    let three = noon(2024, 7, 1, 3);
    assert_eq!(read("America/New_York", None, kind(TimeUnit::Second, Some("Europe/Berlin")), three), date(2024, 6, 30));
    assert_eq!(read("America/New_York", None, kind(TimeUnit::Second, None), three), date(2024, 7, 1));
    assert_eq!(read("America/New_York", Some("UTC"), kind(TimeUnit::Millisecond, None), three * 1000), date(2024, 6, 30));
    let evening = noon(2024, 6, 30, 20) * 1_000_000;
    assert_eq!(read("Europe/Berlin", Some("America/New_York"), kind(TimeUnit::Microsecond, None), evening), date(2024, 7, 1));
    assert_eq!(read("UTC", None, kind(TimeUnit::Nanosecond, Some("UTC")), -1), -1);
    // Python's zoneinfo on random instants.
    for (instant, day) in [(1_314_272_509, 15_211), (1_781_178_002, 20_615), (1_237_760_436, 14_325)] {
        assert_eq!(read("America/New_York", None, kind(TimeUnit::Second, Some("UTC")), instant), day);
    }
    for (instant, day) in [(1_296_614_242, 15_007), (1_701_969_374, 19_698), (1_652_637_352, 19_127)] {
        assert_eq!(read("Europe/Berlin", None, kind(TimeUnit::Second, Some("UTC")), instant), day);
    }
}

#[test]
fn null_and_nan_in_predicates() {
    let columns = [column("x", Kind::Float { bits: 64 })];
    let ask = |test: PredicateTest, value: Value| passes(&Predicate { column: "x".into(), test }, &columns, &[value]);
    let half = || Literal::Number(Decimal { unscaled: 5, digits: 1 });
    assert!(ask(PredicateTest::Min(half()), Value::Float(0.5)) && ask(PredicateTest::Max(half()), Value::Float(0.5)));
    assert!(!ask(PredicateTest::Above(half()), Value::Float(0.5)) && !ask(PredicateTest::Below(half()), Value::Float(0.5)));
    assert!(ask(PredicateTest::In(vec![half()]), Value::Float(0.5)));
    assert!(!ask(PredicateTest::NotIn(vec![half()]), Value::Null) && !ask(PredicateTest::NotNull, Value::Null));
    assert!(ask(PredicateTest::NotNull, Value::Float(f64::NAN)) && !ask(PredicateTest::Min(half()), Value::Float(f64::NAN)));
}

/// Six customers with frequencies 1, 1, 2, 3, 3, 8 on their own last days.
fn six() -> Input {
    let mut rows = Vec::new();
    for (c, n) in [1, 1, 2, 3, 3, 8].into_iter().enumerate() {
        for k in 0..n {
            rows.push((c as i128, 100 - 10 * c as i64 - k, 100));
        }
    }
    simple(&rows)
}

#[test]
fn levels_only_and_states() {
    let between = |lo: i128, hi: i128| Test::Between(Some(Decimal::whole(lo)), Some(Decimal::whole(hi)));
    let rule = |state: &str, when: Vec<Condition>| Rule { state: state.into(), when };
    let job = Job {
        periods: Periods::AsOf(vec![100]),
        bins: 3,
        only: vec![(Measure::Frequency(None), between(1, 3))],
        schemes: vec![
            Scheme {
                column: "segment".into(),
                rules: vec![
                    rule("often", vec![Condition::Score(Axis::Frequency, between(3, 3))]),
                    rule("near", vec![Condition::Level(Axis::Recency, Level::High)]),
                    rule("rest", vec![]),
                ],
            },
            Scheme {
                column: "tier".into(),
                rules: vec![
                    rule("big", vec![Condition::Measure(Measure::Monetary(None), Test::Above(Decimal::whole(3)))]),
                    rule("small", vec![]),
                ],
            },
        ],
        ..Job::default()
    };
    let answer = solve(&job, &six()).unwrap();
    let slice = only_slice(&answer, 0);
    // Five are scored: frequencies 1, 1, 2, 3, 3, so the cuts are 4/3 and 8/3; mean 2, mean recency 20.
    let f: Vec<_> = slice.customers.iter().map(|c| c.scores[1]).collect();
    assert_eq!(f, [Some(1), Some(1), Some(2), Some(3), Some(3), None]);
    assert_eq!(slice.cuts[1].cuts, [Some(Ratio { num: 4, den: 3 }), Some(Ratio { num: 8, den: 3 })]);
    assert_eq!(slice.cuts[1].customers, [2, 1, 2]);
    let levels: Vec<_> = slice.customers.iter().map(|c| c.levels).collect();
    let (low, high) = (Some(Level::Low), Some(Level::High));
    assert_eq!(levels[2], [high, high, high]); // recency 20, frequency 2, monetary 2: on the means
    assert_eq!(levels[3], [low, high, high]);
    assert_eq!(levels[5], [None; 3]);
    let segment: Vec<_> = slice.customers.iter().map(|c| c.states[0].as_str()).collect();
    assert_eq!(segment, ["near", "near", "near", "often", "often", "(unscored)"]);
    let tier: Vec<_> = slice.customers.iter().map(|c| c.states[1].as_str()).collect();
    assert_eq!(tier, ["small", "small", "small", "small", "small", "big"]);
    let sums: Vec<_> =
        slice.segments.iter().map(|s| (s.state.as_str(), s.customers, s.orders, s.revenue, s.repeat_customers)).collect();
    assert_eq!(
        sums,
        [
            ("(unscored)", 1, 8, 800, 1),
            ("near", 3, 4, 400, 1),
            ("often", 2, 6, 600, 2),
            ("big", 1, 8, 800, 1),
            ("small", 5, 10, 1000, 3),
        ]
    );
    let median = solve(&Job { levels: Levels::Median, only: vec![], ..job.clone() }, &six()).unwrap();
    assert_eq!(only_slice(&median, 0).level_bounds[1], Ratio { num: 5, den: 2 });
    let score = solve(&Job { levels: Levels::Score, ..job }, &six()).unwrap();
    assert_eq!(only_slice(&score, 0).level_bounds[1], Ratio { num: 10, den: 5 });
}

#[test]
fn frozen_cuts_stay_those_of_the_first_date() {
    let input = simple(&[(1, 10, 100), (2, 10, 200), (3, 10, 300), (1, 20, 5000), (2, 20, 6000), (4, 20, 150)]);
    let job = Job { periods: Periods::AsOf(vec![10, 20]), bins: 2, frozen: true, ..Job::default() };
    let answer = solve(&job, &input).unwrap();
    let monetary = |k: usize| -> Vec<_> { only_slice(&answer, k).customers.iter().map(|c| c.scores[2].unwrap()).collect() };
    assert_eq!(monetary(0), [1, 1, 2]);
    assert_eq!(monetary(1), [2, 2, 2, 1]);
    assert_eq!(only_slice(&answer, 1).cuts[2].cuts, [Some(Ratio { num: 200, den: 1 })]);
    assert_eq!(only_slice(&answer, 1).cuts[2].customers, [1, 3]);
    let refused = Job { methods: [Method::Quantile, Method::Ntile, Method::Quantile], ..job };
    assert_eq!(solve(&refused, &input).unwrap_err().exit, 2);
}

/// Customer 1 buys every month, 2 in January and March, 3 in February only, 4 sends something back before it buys.
fn months() -> Input {
    simple(&[
        (1, date(2024, 1, 5), 1000),
        (1, date(2024, 2, 5), 1000),
        (1, date(2024, 3, 5), 1000),
        (2, date(2024, 1, 20), 500),
        (2, date(2024, 3, 31), 700),
        (3, date(2024, 2, 10), 300),
        (3, date(2024, 3, 1), -100),
        (4, date(2024, 3, 2), -50),
        (4, date(2024, 3, 9), 400),
    ])
}

/// Who bought within the last 20 days is fresh.
fn by_month() -> Job {
    let fresh = Test::Between(None, Some(Decimal::whole(20)));
    Job {
        periods: Periods::Every(Calendar::Month, date(2024, 1, 1), date(2024, 3, 31)),
        schemes: vec![Scheme {
            column: "age".into(),
            rules: vec![
                Rule { state: "fresh".into(), when: vec![Condition::Measure(Measure::RecencyDays, fresh)] },
                Rule { state: "stale".into(), when: vec![] },
            ],
        }],
        ..Job::default()
    }
}

#[test]
fn moves_by_hand() {
    let answer = solve(&by_month(), &months()).unwrap();
    let march: Vec<_> = answer
        .movement
        .transitions
        .iter()
        .filter(|t| t.as_of == date(2024, 3, 31))
        .map(|t| (t.from_state.as_str(), t.to_state.as_str(), t.customers, t.rate, t.revenue))
        .collect();
    // At the end of February 1 is 24 days silent, 2 is 40, 3 is 19; at the end of March 26, 0, 50, and 4 is 22.
    assert_eq!(
        march,
        [
            ("(none)", "stale", 1, 1.0, 350),
            ("fresh", "stale", 1, 1.0, -100),
            ("stale", "fresh", 1, 0.5, 700),
            ("stale", "stale", 1, 0.5, 1000),
        ]
    );
    let movers: Vec<_> =
        answer.movement.movers.iter().map(|m| (m.as_of, m.id.clone(), m.to_state.as_str(), m.reason.as_deref())).collect();
    let (february, end) = (date(2024, 2, 29), date(2024, 3, 31));
    assert_eq!(
        movers,
        [
            (february, Id::Int(2), "stale", Some("behaviour")),
            (end, Id::Int(2), "fresh", Some("behaviour")),
            (end, Id::Int(3), "stale", Some("behaviour")),
        ]
    );
    let stays: Vec<_> = answer
        .movement
        .stays
        .iter()
        .filter(|s| s.id == Id::Int(2))
        .map(|s| (s.state.as_str(), s.valid_from, s.valid_to))
        .collect();
    let january = date(2024, 1, 31);
    assert_eq!(stays, [("fresh", january, Some(february - 1)), ("stale", february, Some(end - 1)), ("fresh", end, None)]);
    // 81 of 263 and 15 of 148 in Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    for (hits, n, ends) in [(81, 263, [0.2553, 0.3662]), (15, 148, [0.0624, 0.1605])] {
        let (low, high) = super::movement::wilson(hits, n);
        assert!((low - ends[0]).abs() < 5e-5 && (high - ends[1]).abs() < 5e-5, "{hits} of {n}: {low} {high}");
    }
}

#[test]
fn growth_and_cohorts_by_hand() {
    let job = Job { acquisition: vec![(date(2024, 1, 1), 900)], ..by_month() };
    let movement = solve(&job, &months()).unwrap().movement;
    let all: Vec<_> = movement
        .growth
        .iter()
        .filter(|g| g.scheme == "(all)")
        .map(|g| [g.new, g.retained, g.resurrected, g.lapsed, g.inactive, g.revenue])
        .collect();
    assert_eq!(all, [[2, 0, 0, 0, 0, 1500], [1, 1, 0, 1, 0, 1300], [1, 1, 1, 1, 0, 1950]]);
    let of_state: Vec<_> = movement
        .growth
        .iter()
        .filter(|g| g.scheme == "age" && g.as_of == date(2024, 3, 31))
        .map(|g| (g.from_state.as_str(), g.new, g.retained, g.resurrected, g.lapsed))
        .collect();
    assert_eq!(of_state, [("(none)", 1, 0, 0, 0), ("fresh", 0, 0, 0, 1), ("stale", 0, 1, 1, 0)]);
    let january: Vec<_> = movement
        .cohorts
        .iter()
        .filter(|c| c.period == Some((date(2024, 1, 1), date(2024, 1, 31))))
        .map(|c| (c.periods_since, c.customers, c.active, c.repeat, c.orders, c.revenue, c.revenue_to_date, c.spend))
        .collect();
    assert_eq!(
        january,
        [
            (Some(0), 2, 2, 0, 2, 1500, 1500, Some(900)),
            (Some(1), 2, 1, 1, 1, 1000, 2500, Some(900)),
            (Some(2), 2, 2, 2, 2, 1700, 4200, Some(900)),
        ]
    );
    // At the end of March the four have 3000, 1200, 200 and 350.
    let last = movement.concentration.last().unwrap();
    assert_eq!((last.customers, last.revenue), (4, 4750));
    assert_eq!(last.top, [Some(3000.0 / 4750.0); 3]);
    // (1800 + 2800 + 2650 + 1000 + 850 + 150) · 2 / (2 · 4 · 4750)
    assert!((last.gini.unwrap() - 9250.0 / 19_000.0).abs() < 1e-12);
}

#[test]
fn dates_by_hand() {
    let ends = |job: &Job| -> Vec<(i64, bool)> { moments(job).iter().map(|m| (m.as_of, m.shown)).collect() };
    let night = Job {
        periods: Periods::AsOf(vec![0]),
        compare: vec![Lookback::Days(1), Lookback::Months(1)],
        only_as_of: Some(date(2024, 3, 31)),
        ..Job::default()
    };
    assert_eq!(ends(&night), [(date(2024, 2, 29), false), (date(2024, 3, 30), false), (date(2024, 3, 31), true)]);
    // Weeks begin on Mondays: 2024-07-01 is one.
    let weeks = Job { periods: Periods::Every(Calendar::Week, date(2024, 7, 1), date(2024, 7, 14)), ..Job::default() };
    let both = moments(&weeks);
    assert_eq!(both[1].period, Some((date(2024, 7, 8), date(2024, 7, 14))));
    assert_eq!(both[0].previous, Some((date(2024, 6, 24), date(2024, 6, 30))));
    assert_eq!(both[1].compared_with, [date(2024, 7, 7)]);
    let list = Periods::List(vec![(date(2024, 1, 1), date(2024, 1, 31)), (date(2024, 3, 1), date(2024, 3, 31))]);
    let listed = moments(&Job { periods: list.clone(), ..Job::default() });
    assert_eq!((listed[0].previous, listed[1].previous), (None, Some((date(2024, 1, 1), date(2024, 1, 31)))));
    let inside = moments(&Job { periods: list, only_as_of: Some(date(2024, 3, 9)), ..Job::default() });
    assert_eq!(inside[0].period, Some((date(2024, 3, 1), date(2024, 3, 9))));
}
