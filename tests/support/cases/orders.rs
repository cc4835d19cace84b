//! Random columns, rows and files, with the settings that name columns.

use std::collections::BTreeSet;

use super::Rng;
use super::draft::Time;
use crate::support::calendar::{self, DAY, TimeUnit};
use crate::support::oracle::*;

/// A number with its column, before it becomes a cell.
#[derive(Clone, Copy, Debug)]
enum Number {
    Int,
    Decimal { scale: u8 },
    Float { bits: u8 },
}

impl Number {
    fn kind(self, rng: &mut Rng) -> Kind {
        match self {
            Number::Int => Kind::Int { bits: *rng.pick(&[16, 32, 64]), signed: true },
            Number::Decimal { scale } => Kind::Decimal { precision: *rng.pick(&[9, 18, 38]), scale },
            Number::Float { bits } => Kind::Float { bits },
        }
    }

    /// A random cell of `low..=high` whole units; a decimal keeps to `digits` after the point.
    fn value(self, low: i64, high: i64, digits: u32, rng: &mut Rng) -> Value {
        let whole = rng.between(low, high);
        match self {
            Number::Int => Value::Int(whole.into()),
            Number::Decimal { scale } => {
                let scale = u32::from(scale);
                let used = scale.min(digits);
                let part = rng.below(ten_to(used) as u64) as i128;
                Value::Decimal((i128::from(whole) * ten_to(used) + part) * ten_to(scale - used))
            }
            Number::Float { bits } => {
                let x = match rng.below(5) {
                    0 => whole as f64,
                    1 => whole as f64 + rng.below(100) as f64 / 100.0,
                    2 => whole as f64 + rng.below(1000) as f64 / 1000.0,
                    3 => whole as f64 + rng.below(16) as f64 / 16.0,
                    _ => whole as f64 + (10 * rng.below(100_000) + 5) as f64 / 1_000_000.0,
                };
                // Adding zero turns a negative zero into zero.
                Value::Float(if bits == 32 { f64::from(x as f32) } else { x } + 0.0)
            }
        }
    }
}

/// Twelve different ids.
fn draft_ids(rng: &mut Rng) -> (Kind, Vec<Value>) {
    let texts = ["7", "007", "10", "9", "a", "A", "Zoë", "z", "客户", "a b", "_x", "-1", "q\"t", "ä", "10a", "😀"];
    if rng.chance(45) {
        let mut pool: Vec<&str> = texts.to_vec();
        rng.shuffle(&mut pool);
        let encoding = *rng.pick(&[TextEncoding::Plain, TextEncoding::Large, TextEncoding::Dictionary]);
        (Kind::Text(encoding), pool[..12].iter().map(|s| Value::Text(s.to_string())).collect())
    } else {
        let (bits, signed) =
            *rng.pick(&[(64, true), (64, true), (32, true), (16, true), (8, true), (64, false), (32, false), (8, false)]);
        let (low, high): (i128, i128) = match signed {
            true => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
            false => (0, (1 << bits) - 1),
        };
        let mut pool: BTreeSet<i128> = BTreeSet::new();
        let extremes = rng.chance(30);
        while pool.len() < 12 {
            pool.insert(match rng.below(6) {
                0 if extremes => low,
                1 if extremes => high,
                2 => (-i128::from(rng.below(20))).max(low),
                _ => i128::from(rng.below(120)),
            });
        }
        let mut pool: Vec<i128> = pool.into_iter().collect();
        rng.shuffle(&mut pool);
        (Kind::Int { bits, signed }, pool.into_iter().map(Value::Int).collect())
    }
}

/// A cell of the time column on one of the case's days, often near midnight or a change of the clock.
fn draft_moment(job: &Job, time: &Time, rng: &mut Rng) -> Value {
    let day = *rng.pick(&time.days);
    let Kind::Timestamp { unit, zone } = &time.kind else {
        return Value::Date(day);
    };
    let quarter_hours = rng.between(0, 95) * 900;
    let second = *rng.pick(&[0, 1, 3_599, 5_400, 7_199, 7_200, 9_000, 10_799, 10_800, 82_800, 86_399, quarter_hours]);
    let wall = day * DAY + second;
    // A zoned column holds instants: those of a wall clock, or of a clock in UTC.
    let seconds = if zone.is_some() && rng.chance(60) { calendar::instant_of_wall_clock(&job.timezone, wall) } else { wall };
    let fraction = match rng.below(3) {
        0 => 0,
        1 => unit.per_second() - 1,
        _ => rng.below(unit.per_second() as u64) as i64,
    };
    Value::Timestamp(seconds * unit.per_second() + fraction)
}

/// Chooses the columns and fills the files; completes the settings that name columns.
pub(super) fn draft_input(job: &mut Job, time: &Time, rng: &mut Rng) -> Input {
    // Amounts.
    let number = |rng: &mut Rng| match rng.below(5) {
        0 => Number::Int,
        1 | 2 => Number::Decimal { scale: rng.below(5) as u8 },
        3 => Number::Float { bits: 64 },
        _ => Number::Float { bits: *rng.pick(&[32, 64, 64]) },
    };
    let amounts: Vec<(&str, Number)> = if rng.chance(35) {
        let quantity = if rng.chance(60) { Number::Int } else { number(rng) };
        let mut list = vec![("qty", quantity), ("price", number(rng))];
        if rng.chance(15) {
            list.push(("factor", number(rng)));
        }
        rng.shuffle(&mut list);
        list
    } else {
        vec![("amount", number(rng))]
    };
    job.amount = amounts.iter().map(|(name, _)| name.to_string()).collect();

    // Columns that may be there.
    let (id_kind, mut ids) = draft_ids(rng);
    let mut customers = rng.between(1, 12).max(rng.between(1, 12)) as usize;
    job.customer_id = rng.pick(&["customer_id", "cust", "CustomerID"]).to_string();
    job.ordered_at = rng.pick(&["ordered_at", "date"]).to_string();
    let lines = rng.chance(45);
    let order_kind = if rng.chance(50) {
        Kind::Int { bits: 32, signed: true }
    } else {
        Kind::Text(*rng.pick(&[TextEncoding::Plain, TextEncoding::Dictionary]))
    };
    let has_shops = lines && rng.chance(25);
    if lines {
        job.order_id = ["order_id", "shop"][..1 + usize::from(has_shops)].iter().map(|c| c.to_string()).collect();
        rng.shuffle(&mut job.order_id);
    }
    let regions: Vec<&str> = ["north", "south", "Süd"][..rng.between(1, 3) as usize].to_vec();
    job.slice = rng.chance(35).then(|| "region".to_string());
    if rng.chance(20) {
        let key: &[&str] = match (lines, rng.below(3)) {
            (true, 0) => &["order_id"],
            (true, _) => &["order_id", "doc"],
            (false, _) => &["doc"],
        };
        job.latest = Some(Latest { key: key.iter().map(|k| k.to_string()).collect(), by: "updated".into() });
    }

    let mut columns = vec![
        ColumnSpec { name: job.customer_id.clone(), kind: id_kind },
        ColumnSpec { name: job.ordered_at.clone(), kind: time.kind.clone() },
    ];
    let mut add = |name: &str, kind: Kind| columns.push(ColumnSpec { name: name.into(), kind });
    for (name, number) in &amounts {
        add(name, number.kind(rng));
    }
    if lines {
        add("order_id", order_kind.clone());
    }
    if has_shops {
        add("shop", Kind::Text(TextEncoding::Plain));
    }
    if job.slice.is_some() {
        add("region", Kind::Text(*rng.pick(&[TextEncoding::Plain, TextEncoding::Dictionary])));
    }
    let has_status = rng.chance(65);
    if has_status {
        add("status", Kind::Text(*rng.pick(&[TextEncoding::Plain, TextEncoding::Dictionary, TextEncoding::Large])));
    }
    let has_code = rng.chance(40);
    if has_code {
        add("code", Kind::Int { bits: 16, signed: true });
    }
    let updated_kind = match rng.below(3) {
        0 => Kind::Int { bits: 64, signed: true },
        1 => Kind::Date,
        _ => Kind::Timestamp { unit: TimeUnit::Millisecond, zone: Some("UTC".into()) },
    };
    if job.latest.is_some() {
        add("updated", updated_kind.clone());
        add("doc", Kind::Text(TextEncoding::Plain));
    }
    if rng.chance(20) {
        add("extra", Kind::Float { bits: 64 });
    }
    rng.shuffle(&mut columns);

    // Rows.
    let mut wanted = match rng.below(20) {
        0 => rng.between(0, 1),
        1..=3 => rng.between(2, 10),
        4..=9 => rng.between(11, 30),
        _ => rng.between(31, 60),
    } as usize;
    let identical = rng.chance(3);
    if identical {
        wanted = wanted.max(3);
    } else if rng.chance(3) {
        customers = 1;
    }
    ids.truncate(customers);
    if rng.chance(15) && ids.len() > 1 {
        job.guests = vec![ids[0].clone()];
    }
    let negatives = rng.chance(60);
    let (low, high) = *rng.pick(&[(1, 3), (0, 20), (5, 90), (100, 30_000)]);
    let small_pool = rng.chance(50);
    let nulls = if job.max_rejected > 0.0 || rng.chance(3) { rng.between(0, 4) as u64 } else { 0 };
    let not_finite = if job.max_rejected > 0.0 { rng.between(0, 3) as u64 } else { 0 };
    let guests = if rng.chance(50) { rng.between(0, 12) as u64 } else { 0 };
    let too_precise = rng.chance(12);
    let scale = job.amount_scale;
    let single = amounts.len() == 1;
    let key_has_order = job.latest.as_ref().is_some_and(|l| l.key.contains(&"order_id".to_string()));
    let tied_versions = rng.chance(4);
    let mut version = 0;

    // Pools of amounts, so that equal values are common.
    let mut pools: Vec<Vec<Value>> = Vec::new();
    for (name, number) in &amounts {
        let size = if small_pool { rng.between(1, 4) } else { 40 };
        let mut pool = Vec::new();
        for _ in 0..size {
            let digits = if !single || too_precise { 4 } else { scale };
            let (low, high) = match *name {
                "qty" => (1, 9),
                "factor" => (0, 2),
                _ if !single => (low.min(100), high.min(300)),
                _ => (low, high),
            };
            pool.push(number.value(low, high, digits, rng));
        }
        pools.push(pool);
    }

    let mut rows: Vec<Row> = Vec::new();
    let order_count = 1 + wanted as u64 / 2;
    while rows.len() < wanted {
        if identical && !rows.is_empty() {
            let mut row = rows[0].clone();
            let at = columns.iter().position(|c| c.name == job.customer_id).unwrap();
            row[at] = rng.pick(&ids).clone();
            rows.push(row);
            continue;
        }
        if !rows.is_empty() && rng.chance(if job.dedupe_rows { 15 } else { 4 }) {
            let row = rng.pick(&rows).clone();
            rows.push(row);
            continue;
        }
        // Lines of one order mostly have one customer.
        let order = rng.below(order_count);
        let customer = if lines && rng.chance(85) { order as usize % ids.len() } else { rng.below(ids.len() as u64) as usize };
        let negative = negatives && rng.chance(15);
        let zero = rng.chance(8);
        let mut sign_left = true;
        let mut row = Row::new();
        for spec in &columns {
            let name = spec.name.as_str();
            let value = if name == job.customer_id {
                if rng.chance(guests) { Value::Null } else { ids[customer].clone() }
            } else if name == job.ordered_at {
                if rng.chance(nulls) { Value::Null } else { draft_moment(job, time, rng) }
            } else if let Some(k) = amounts.iter().position(|(n, _)| *n == name) {
                let value = rng.pick(&pools[k]).clone();
                let flip = negative && sign_left;
                sign_left = false;
                match value {
                    _ if rng.chance(nulls) => Value::Null,
                    Value::Float(_) if rng.chance(not_finite) => {
                        Value::Float(*rng.pick(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]))
                    }
                    Value::Int(_) if zero => Value::Int(0),
                    Value::Decimal(_) if zero => Value::Decimal(0),
                    Value::Float(_) if zero => Value::Float(0.0),
                    Value::Int(n) if flip => Value::Int(-n),
                    Value::Decimal(n) if flip => Value::Decimal(-n),
                    Value::Float(x) if flip => Value::Float(0.0 - x),
                    other => other,
                }
            } else {
                match name {
                    "order_id" if rng.chance(nulls) && !key_has_order => Value::Null,
                    "order_id" => match order_kind {
                        Kind::Text(_) => Value::Text(format!("{}{order}", if order % 7 == 3 { "C" } else { "" })),
                        _ => Value::Int(i128::from(order)),
                    },
                    "shop" if rng.chance(nulls) => Value::Null,
                    "shop" => Value::Text(if rng.chance(80) { "one" } else { "two" }.into()),
                    "region" if rng.chance(nulls) => Value::Null,
                    "region" => Value::Text(rng.pick(&regions).to_string()),
                    "status" if rng.chance(5) => Value::Null,
                    "status" => {
                        let words = ["paid", "paid", "paid", "shipped", "Paid", "returned", "cancelled"];
                        Value::Text(rng.pick(&words).to_string())
                    }
                    "code" if rng.chance(8) => Value::Null,
                    "code" => Value::Int(i128::from(rng.between(-2, 9))),
                    "updated" => {
                        version += 1;
                        let v = if tied_versions { rng.between(0, 5) } else { version * 7919 % 10_007 };
                        match updated_kind {
                            Kind::Int { .. } => Value::Int(v.into()),
                            Kind::Date => Value::Date(v),
                            _ => Value::Timestamp(v * 1_000 + 1),
                        }
                    }
                    "doc" => Value::Text(format!("d{}", rng.below(wanted as u64))),
                    "extra" => Value::Float(rng.below(2) as f64),
                    other => panic!("no content for {other}"),
                }
            };
            row.push(value);
        }
        rows.push(row);
    }

    // Predicates.
    let kind_of = |name: &str| columns.iter().find(|c| c.name == name).map(|c| c.kind.clone());
    let mut candidates: Vec<&str> = job.amount.iter().map(String::as_str).collect();
    if has_status {
        candidates.extend(["status", "status", "status"]);
    }
    if has_code {
        candidates.extend(["code", "code"]);
    }
    let mut keep = Vec::new();
    for _ in 0..*rng.pick(&[0, 0, 1, 1, 2]) {
        let name = *rng.pick(&candidates);
        keep.push(Predicate { column: name.into(), test: draft_keep(name, &kind_of(name).unwrap(), rng) });
    }
    let mut returns = None;
    if rng.chance(35) {
        let name = *rng.pick(&candidates);
        returns = Some(draft_return(name, rng));
        if lines && matches!(order_kind, Kind::Text(_)) && rng.chance(50) {
            returns = Some(Predicate { column: "order_id".into(), test: PredicateTest::StartsWith("C".into()) });
        }
    }
    job.keep = keep;
    job.negate = returns.is_some() && rng.chance(30);
    job.returns = returns;
    if rng.chance(20) {
        let name = *rng.pick(&candidates);
        let predicate =
            if rng.chance(20) { Predicate { column: name.into(), test: PredicateTest::IsNull } } else { draft_return(name, rng) };
        job.money_only = Some(predicate);
    }

    // Files.
    let mut names = vec!["part-10.parquet", "part-2.parquet", "a.parquet", "B.parquet", "orders_2024.parquet"];
    rng.shuffle(&mut names);
    let count = rng.between(1, 3) as usize;
    let mut files: Vec<InputFile> = names[..count].iter().map(|n| InputFile { name: n.to_string(), rows: Vec::new() }).collect();
    for row in rows {
        files[rng.below(count as u64) as usize].rows.push(row);
    }
    Input { columns, files }
}

/// A predicate that lets most rows pass.
fn draft_keep(name: &str, kind: &Kind, rng: &mut Rng) -> PredicateTest {
    let text = |s: &&str| Literal::Text(s.to_string());
    let whole = |n: i64| Literal::Number(Decimal::whole(n.into()));
    match name {
        "status" => match rng.below(4) {
            0 => PredicateTest::In(rng.some_of(&["paid", "shipped", "Paid", "unknown"]).iter().map(text).collect()),
            1 => PredicateTest::NotIn(rng.some_of(&["cancelled", "returned"]).iter().map(text).collect()),
            2 => PredicateTest::StartsWith(rng.pick(&["pa", "P", "s"]).to_string()),
            _ => PredicateTest::NotNull,
        },
        "code" => match rng.below(7) {
            0 => PredicateTest::In(rng.some_of(&[0, 1, 2, 3, 4, 5]).into_iter().map(whole).collect()),
            1 => PredicateTest::NotIn(rng.some_of(&[-2, 0, 7]).into_iter().map(whole).collect()),
            2 => PredicateTest::Min(whole(rng.between(-2, 1))),
            3 => PredicateTest::Max(whole(rng.between(5, 9))),
            4 => PredicateTest::Above(whole(rng.between(-3, 1))),
            5 => PredicateTest::Below(whole(rng.between(5, 9))),
            _ => PredicateTest::NotNull,
        },
        _ => {
            // Halves are exact in a double; integer and decimal columns are held against whole numbers.
            let bound = |n: i64| match kind {
                Kind::Float { .. } => Literal::Number(Decimal { unscaled: i128::from(n) * 10 + 5, digits: 1 }),
                _ => whole(n),
            };
            match rng.below(5) {
                0 => PredicateTest::Above(bound(0)),
                1 => PredicateTest::Min(bound(rng.between(-5, 1))),
                2 => PredicateTest::Max(bound(rng.between(5, 90))),
                3 => PredicateTest::Below(bound(rng.between(5, 90))),
                _ => PredicateTest::NotNull,
            }
        }
    }
}

/// A predicate that few rows meet.
fn draft_return(name: &str, rng: &mut Rng) -> Predicate {
    let whole = |n: i64| Literal::Number(Decimal::whole(n.into()));
    let text = |s: &str| Literal::Text(s.to_string());
    let test = match name {
        "status" => match rng.below(2) {
            0 => PredicateTest::In(vec![text("returned"), text("refunded")]),
            _ => PredicateTest::StartsWith("ret".into()),
        },
        "code" => match rng.below(3) {
            0 => PredicateTest::Below(whole(0)),
            1 => PredicateTest::In(vec![whole(4)]),
            _ => PredicateTest::Max(whole(-1)),
        },
        _ => PredicateTest::Below(whole(0)),
    };
    Predicate { column: name.into(), test }
}
