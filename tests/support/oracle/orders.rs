//! From rows to kept orders, with the account of every row.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::support::calendar::{self, DAY};

/// What the amount of a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    Null,
    NonFinite,
    /// A decimal with digits beyond the amount scale.
    TooPrecise,
    Money(i128),
}

/// The amount of one row.
pub fn amount_of(job: &Job, columns: &[ColumnSpec], row: &[Value]) -> Amount {
    let cells: Vec<(&Kind, &Value)> = job.amount.iter().map(|name| cell(columns, row, name)).collect();
    if cells.iter().any(|(_, v)| matches!(v, Value::Null)) {
        return Amount::Null;
    }
    if cells.iter().any(|(_, v)| matches!(v, Value::Float(x) if !x.is_finite())) {
        return Amount::NonFinite;
    }
    let scale = job.amount_scale;
    if let [(kind, value)] = cells[..] {
        return match (kind, value) {
            (_, Value::Int(n)) => Amount::Money(n * ten_to(scale)),
            (_, Value::Float(x)) => Amount::Money(scale_float(*x, scale)),
            (Kind::Decimal { scale: own, .. }, Value::Decimal(n)) => {
                let all_digits = n * ten_to(scale);
                let power = ten_to(u32::from(*own));
                if all_digits % power == 0 { Amount::Money(all_digits / power) } else { Amount::TooPrecise }
            }
            other => panic!("{other:?} is no amount"),
        };
    }
    let (mut product, mut digits) = (1, 0);
    for (kind, value) in cells {
        match (kind, value) {
            (_, Value::Int(n)) => product *= n,
            (_, Value::Float(x)) => {
                product *= scale_float(*x, scale + 4);
                digits += scale + 4;
            }
            (Kind::Decimal { scale: own, .. }, Value::Decimal(n)) => {
                product *= n;
                digits += u32::from(*own);
            }
            other => panic!("{other:?} is no amount"),
        }
    }
    Amount::Money(divide_half_even(product * ten_to(scale), ten_to(digits)))
}

/// Type and content of a named cell.
pub(super) fn cell<'a>(columns: &'a [ColumnSpec], row: &'a [Value], name: &str) -> (&'a Kind, &'a Value) {
    let i = columns.iter().position(|c| c.name == name).unwrap_or_else(|| panic!("no column {name}"));
    (&columns[i].kind, &row[i])
}

/// How a cell stands to a literal; none if one of them is not a number and the other is, or for NaN.
fn compare_literal(kind: &Kind, value: &Value, literal: &Literal) -> Option<Ordering> {
    match (kind, value, literal) {
        (_, Value::Int(n), Literal::Number(d)) => Some(d.compare(*n, 0)),
        (Kind::Decimal { scale, .. }, Value::Decimal(n), Literal::Number(d)) => Some(d.compare(*n, u32::from(*scale))),
        (_, Value::Float(x), Literal::Number(d)) => x.partial_cmp(&d.as_f64()),
        (_, Value::Text(t), Literal::Text(l)) => Some(t.as_bytes().cmp(l.as_bytes())),
        _ => panic!("{value:?} cannot be held against {literal:?}"),
    }
}

/// True if the row meets the predicate; null meets one alone.
pub fn passes(predicate: &Predicate, columns: &[ColumnSpec], row: &[Value]) -> bool {
    let (kind, value) = cell(columns, row, &predicate.column);
    if matches!(value, Value::Null) {
        return predicate.test == PredicateTest::IsNull;
    }
    let order = |literal: &Literal| compare_literal(kind, value, literal);
    match &predicate.test {
        PredicateTest::In(list) => list.iter().any(|l| order(l) == Some(Ordering::Equal)),
        PredicateTest::NotIn(list) => list.iter().all(|l| order(l) != Some(Ordering::Equal)),
        PredicateTest::Min(l) => matches!(order(l), Some(Ordering::Greater | Ordering::Equal)),
        PredicateTest::Max(l) => matches!(order(l), Some(Ordering::Less | Ordering::Equal)),
        PredicateTest::Above(l) => order(l) == Some(Ordering::Greater),
        PredicateTest::Below(l) => order(l) == Some(Ordering::Less),
        PredicateTest::StartsWith(start) => {
            matches!(value, Value::Text(t) if t.starts_with(start.as_str()))
        }
        PredicateTest::NotNull => true,
        PredicateTest::IsNull => false,
    }
}

/// The local date of a non-null `ordered_at`.
pub(super) fn business_date(job: &Job, kind: &Kind, value: &Value) -> i64 {
    match (kind, value) {
        (_, Value::Date(d)) => *d,
        (Kind::Timestamp { unit, zone }, Value::Timestamp(raw)) => {
            let seconds = unit.whole_seconds(*raw);
            match (zone, &job.naive_timezone) {
                (Some(_), _) => calendar::local_date(&job.timezone, seconds),
                (None, None) => seconds.div_euclid(DAY),
                (None, Some(zone)) => calendar::local_date(&job.timezone, calendar::instant_of_wall_clock(zone, seconds)),
            }
        }
        other => panic!("{other:?} is no date"),
    }
}

/// A row on its way through the ledger.
struct Line<'a> {
    file: &'a str,
    row: &'a Row,
    amount: Amount,
    /// Empty until decided.
    outcome: String,
}

impl Line<'_> {
    fn open(&self) -> bool {
        self.outcome.is_empty()
    }
}

/// One order after its lines of one date are summed.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) slice: Option<String>,
    pub(super) customer: Id,
    pub(super) date: i64,
    pub(super) money: i128,
    pub(super) is_purchase: bool,
    pub(super) is_return: bool,
}

/// The ledger and the kept orders, or why the run fails.
pub(super) struct Read {
    pub(super) ledger: BTreeMap<(String, String), LedgerSum>,
    pub(super) orders: Vec<Order>,
}

pub(super) fn fail<T>(exit: i32, why: impl Into<String>) -> Result<T, Failure> {
    Err(Failure { exit, why: why.into() })
}

/// Follows every row to its outcome.
pub(super) fn read_orders(job: &Job, input: &Input, seen: &mut BTreeSet<&'static str>) -> Result<Read, Failure> {
    let columns = &input.columns;
    let mut files: Vec<&InputFile> = input.files.iter().collect();
    files.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    let mut lines: Vec<Line> = Vec::new();
    for file in files {
        for row in &file.rows {
            let turned = job.negate && job.returns.as_ref().is_some_and(|returns| passes(returns, columns, row));
            let amount = match amount_of(job, columns, row) {
                Amount::Money(money) if turned => Amount::Money(-money),
                other => other,
            };
            lines.push(Line { file: &file.name, row, amount, outcome: String::new() });
        }
    }
    if lines.iter().any(|l| l.amount == Amount::TooPrecise) {
        return fail(3, "an amount has digits beyond amount_scale");
    }

    // 1. Rows that repeat an earlier one.
    if job.dedupe_rows {
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by(|&a, &b| compare_rows(lines[a].row, lines[b].row).then(a.cmp(&b)));
        for pair in order.windows(2) {
            if compare_rows(lines[pair[0]].row, lines[pair[1]].row).is_eq() {
                lines[pair[1]].outcome = "duplicate".into();
                if lines[pair[1]].row.iter().any(|v| matches!(v, Value::Float(x) if x.is_nan())) {
                    seen.insert(notes::NAN_DUPLICATE);
                }
            }
        }
    }

    // 2. Rows that a newer one replaces.
    if let Some(latest) = &job.latest {
        let key_of = |line: &Line| -> Vec<Value> { latest.key.iter().map(|k| cell(columns, line.row, k).1.clone()).collect() };
        let by_of = |line: &Line| cell(columns, line.row, &latest.by).1.clone();
        let mut order: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].open()).collect();
        order.sort_by(|&a, &b| compare_rows(&key_of(&lines[a]), &key_of(&lines[b])).then(a.cmp(&b)));
        let mut superseded = Vec::new();
        for group in order.chunk_by(|&a, &b| compare_rows(&key_of(&lines[a]), &key_of(&lines[b])).is_eq()) {
            let key_has_null = key_of(&lines[group[0]]).iter().any(|v| matches!(v, Value::Null));
            if key_has_null || group.iter().any(|&i| matches!(by_of(&lines[i]), Value::Null)) {
                seen.insert(notes::LATEST_NULL);
            }
            if key_has_null {
                continue;
            }
            if group.len() > 1 && group.iter().any(|&i| matches!(by_of(&lines[i]), Value::Null)) {
                return fail(3, "a null in the latest column beside other rows of the key");
            }
            let mut customers: Vec<Value> =
                group.iter().map(|&i| cell(columns, lines[i].row, &job.customer_id).1.clone()).collect();
            customers.retain(|id| !matches!(id, Value::Null) && job.guests.iter().all(|guest| compare_values(guest, id).is_ne()));
            customers.sort_by(compare_values);
            customers.dedup_by(|a, b| compare_values(a, b).is_eq());
            if customers.len() > 2 {
                return fail(3, "rows of more than two customers under one key");
            }
            let mut newest = group[0];
            for &i in group {
                if compare_values(&by_of(&lines[i]), &by_of(&lines[newest])).is_gt() {
                    newest = i;
                }
            }
            for &i in group {
                if i == newest {
                    continue;
                }
                let same_by = compare_values(&by_of(&lines[i]), &by_of(&lines[newest])).is_eq();
                if same_by && compare_rows(lines[i].row, lines[newest].row).is_ne() {
                    return fail(3, "different rows share the greatest value of the latest column");
                }
                if same_by {
                    seen.insert(notes::LATEST_EQUAL_ROWS);
                }
                if group.iter().any(|&j| {
                    !same_by
                        && compare_values(&by_of(&lines[i]), &by_of(&lines[j])).is_eq()
                        && compare_rows(lines[i].row, lines[j].row).is_ne()
                }) {
                    seen.insert(notes::LATEST_LOWER_TIE);
                }
                superseded.push(i);
            }
        }
        for i in superseded {
            lines[i].outcome = "superseded".into();
        }
    }

    // 3. Rows that are not wanted.
    for line in lines.iter_mut().filter(|l| l.open()) {
        for predicate in &job.keep {
            if matches!(cell(columns, line.row, &predicate.column).1, Value::Float(x) if x.is_nan()) {
                seen.insert(notes::NAN_IN_PREDICATE);
            }
            if !passes(predicate, columns, line.row) {
                line.outcome = format!("filtered:{}", predicate.column);
                break;
            }
        }
    }

    // 4. Guest orders, and rows that cannot be read.
    for line in lines.iter_mut().filter(|l| l.open()) {
        let is_null = |name: &str| matches!(cell(columns, line.row, name).1, Value::Null);
        let is_guest = {
            let customer = cell(columns, line.row, &job.customer_id).1;
            job.guests.iter().any(|guest| compare_values(guest, customer).is_eq())
        };
        let outcome = if is_null(&job.customer_id) || is_guest {
            "no_customer"
        } else if job.slice.as_ref().is_some_and(|s| is_null(s)) {
            "rejected:null_slice"
        } else if is_null(&job.ordered_at) {
            "rejected:null_date"
        } else if job.order_id.iter().any(|o| is_null(o)) {
            "rejected:null_order_id"
        } else if line.amount == Amount::Null {
            "rejected:null_amount"
        } else if line.amount == Amount::NonFinite {
            "rejected:non_finite_amount"
        } else {
            ""
        };
        let no_order = !outcome.is_empty() && line.amount == Amount::Money(0);
        if no_order && job.zero_amount == ZeroAmount::Drop {
            seen.insert(notes::ZERO_WITHOUT_ORDER);
        }
        line.outcome = outcome.into();
    }

    // 5. Rows after the last as-of date. Nothing that follows sees them.
    let last_as_of = moments(job).last().expect("an as-of date").as_of;
    let date_of = |row: &Row| {
        let (kind, value) = cell(columns, row, &job.ordered_at);
        business_date(job, kind, value)
    };
    for line in lines.iter_mut().filter(|l| l.open()) {
        if date_of(line.row) > last_as_of {
            line.outcome = "after_as_of".into();
            if line.amount == Amount::Money(0) && job.zero_amount == ZeroAmount::Drop {
                seen.insert(notes::ZERO_AFTER_AS_OF);
            }
        }
    }

    // 6. Orders: rows of one slice, customer and order id, or every row by itself. The rows of the first date of an order are the
    // order; those of each later date count money on it, and are no purchase. Rows that are money alone never belong to the order.
    let is_money = |row: &Row| job.money_only.as_ref().is_some_and(|predicate| passes(predicate, columns, row));
    let mut groups: BTreeMap<(Option<String>, Id, OrderKey), Vec<usize>> = BTreeMap::new();
    for (i, line) in lines.iter().enumerate() {
        if !line.open() {
            continue;
        }
        let slice = job.slice.as_ref().map(|s| match cell(columns, line.row, s).1 {
            Value::Text(t) => t.clone(),
            other => panic!("{other:?} is no slice"),
        });
        let customer = id_of(cell(columns, line.row, &job.customer_id).1);
        let order = match &job.order_id[..] {
            [] => OrderKey::Row(i),
            names => OrderKey::Named(names.iter().map(|name| id_of(cell(columns, line.row, name).1)).collect()),
        };
        groups.entry((slice, customer, order)).or_default().push(i);
    }
    let mut orders = Vec::new();
    for ((slice, customer, _), members) in groups {
        let first = members.iter().filter(|&&i| !is_money(lines[i].row)).map(|&i| date_of(lines[i].row)).min();
        let mut entries: BTreeMap<(i64, bool), Vec<usize>> = BTreeMap::new();
        for i in members {
            let date = date_of(lines[i].row);
            let is_order = !is_money(lines[i].row) && Some(date) == first;
            entries.entry((date, is_order)).or_default().push(i);
        }
        for ((date, is_order), members) in entries {
            if !is_order {
                seen.insert(notes::LATER_LINES);
            }
            let money_of = |i: usize| match lines[i].amount {
                Amount::Money(m) => m,
                other => panic!("{other:?} in an order"),
            };
            let money: i128 = members.iter().map(|&i| money_of(i)).sum();
            let named = match &job.returns {
                Some(predicate) => members.iter().any(|&i| passes(predicate, columns, lines[i].row)),
                None => false,
            };
            if let Some(predicate) = &job.returns {
                let nan = |i: &usize| matches!(cell(columns, lines[*i].row, &predicate.column).1, Value::Float(x) if x.is_nan());
                if members.iter().any(nan) {
                    seen.insert(notes::NAN_IN_PREDICATE);
                }
            }
            let is_return = named || money < 0;
            let is_zero = is_order && job.zero_amount == ZeroAmount::Drop && money == 0;
            if is_zero && is_return {
                seen.insert(notes::ZERO_RETURN);
            }
            let outcome = if is_zero && !is_return {
                "zero"
            } else {
                let (slice, customer, is_purchase) = (slice.clone(), customer.clone(), is_order && !is_return);
                orders.push(Order { slice, customer, date, money, is_purchase, is_return });
                "kept"
            };
            for i in members {
                lines[i].outcome = outcome.into();
            }
        }
    }

    // 7. The account of all rows, and its gates.
    let mut ledger: BTreeMap<(String, String), LedgerSum> = BTreeMap::new();
    for line in &lines {
        let sum = ledger.entry((line.file.to_string(), line.outcome.clone())).or_default();
        sum.rows += 1;
        if let Amount::Money(m) = line.amount {
            sum.money += m;
        }
    }
    let share = |start: &str| {
        let part = lines.iter().filter(|l| l.outcome.starts_with(start)).count();
        if lines.is_empty() { 0.0 } else { part as f64 / lines.len() as f64 }
    };
    if share("rejected:") > job.max_rejected {
        return fail(3, "more rejected rows than max_rejected");
    }
    if share("no_customer") > job.max_no_customer {
        return fail(3, "more rows without customer than max_no_customer");
    }
    if orders.is_empty() {
        return fail(3, "no kept order on or before the last as-of date");
    }
    if orders.iter().all(|o| !o.is_purchase) {
        seen.insert(notes::ONLY_RETURNS);
    }
    Ok(Read { ledger, orders })
}

/// What makes lines one order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum OrderKey {
    Named(Vec<Id>),
    Row(usize),
}

/// A non-null integer or text as an id.
fn id_of(value: &Value) -> Id {
    match value {
        Value::Int(n) => Id::Int(*n),
        Value::Text(t) => Id::Text(t.clone()),
        other => panic!("{other:?} is no id"),
    }
}
