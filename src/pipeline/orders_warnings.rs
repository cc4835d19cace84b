//! What is odd about the rows of orders, and about tables beside them.

use super::scanned::Scanned;
use super::stage::Stage;
use crate::domain::{CustomerId, CustomerIds, Day, IdType, OrdersWarning, SideTable, format_money};
use crate::input::orders::filler_dates::FILLERS;
use crate::input::orders::ledger::RowCounts;
use crate::input::source::Source;
use crate::job::Job;
use crate::measure::{Findings, RowsOfKnownOrders, TableMatches};

/// Share of all purchases from which those of one customer are too many for a person.
const LARGE_SHARE: f64 = 0.05;

/// The multiple of the mean that a customer must have, too: of a few customers each has a large share.
const LARGE_MULTIPLE: f64 = 3.0;

/// Days by which a first purchase may lie apart from the median one: forty years.
const FAR_DAYS: i32 = 14_610;

/// What is odd about the rows of orders.
pub fn orders_warnings(stage: Stage<'_>, scanned: &Scanned, ledger: &RowCounts, findings: &Findings) -> Vec<OrdersWarning> {
    let job = stage.job;
    let mut out = of_rows(job, scanned);
    out.extend(of_lines(job, scanned, findings));
    out.extend(of_dates(scanned, findings));
    out.extend(of_customers(job, scanned, findings));
    out.extend(moved_total(stage, scanned, ledger));
    out
}

/// What rows say of other rows.
fn of_rows(job: &Job, scanned: &Scanned) -> Vec<OrdersWarning> {
    let (orders, customer) = (&job.raw.orders, || job.raw.orders.customer_id.clone());
    let mut out = Vec::new();
    if let Some(latest) = orders.latest.as_ref().filter(|_| scanned.shared_keys > 0) {
        out.push(OrdersWarning::SharedKeys { keys: scanned.shared_keys, columns: latest.key.clone(), customer: customer() });
    }
    if let Some(RowsOfKnownOrders { rows, money, is_estimate }) = scanned.customerless.known() {
        out.push(OrdersWarning::CustomerOnOtherRow { rows, money: job.money(money), is_estimate, customer: customer() });
    }
    out
}

/// What is odd about the orders that lines make.
fn of_lines(job: &Job, scanned: &Scanned, findings: &Findings) -> Vec<OrdersWarning> {
    let lines = &findings.lines;
    let mut out = Vec::new();
    if lines.long_orders > 0 {
        out.push(OrdersWarning::LongOrders { orders: lines.long_orders, columns: job.order_id().to_vec() });
    }
    // Shops that sell one thing at one price have equal lines, too, but the same ones in all orders.
    let differ = lines.repeated_amounts.is_some_and(|(least, most)| least < most);
    if lines.repeated == lines.of_several_lines && differ {
        out.push(OrdersWarning::RepeatedAmounts { orders: lines.repeated, columns: job.raw.orders.amount.as_slice().to_vec() });
    }
    let (by_scan, by_fold) = (scanned.positive_returns, lines.positive_returns);
    let (returns, money) = (by_scan.0 + by_fold.0, by_scan.1 + by_fold.1);
    if let Some(predicate) = job.raw.orders.returns.as_ref().filter(|_| returns > 0 && job.is_net()) {
        out.push(OrdersWarning::PositiveReturns { returns, money: job.money(money), negated: predicate.negate });
    }
    out
}

/// Dates that stand for missing ones.
fn of_dates(scanned: &Scanned, findings: &Findings) -> Vec<OrdersWarning> {
    let mut out = Vec::new();
    let rows: Vec<(Day, u64)> = FILLERS.into_iter().zip(scanned.fillers).filter(|(_, rows)| *rows > 0).collect();
    if !rows.is_empty() {
        out.push(OrdersWarning::FillerDates { rows });
    }
    let Some(median) = findings.first_days.median() else { return out };
    let (first, last) = (Day(median.0 - FAR_DAYS), Day(median.0 + FAR_DAYS));
    let far = findings.first_days.days().filter(|(day, _)| (*day < first || *day > last) && !FILLERS.contains(day));
    let far: Vec<(Day, u64)> = far.collect();
    if let Some((example, _)) = far.first() {
        let customers = far.iter().map(|(_, customers)| customers).sum();
        out.push(OrdersWarning::FarDates { customers, example: *example, median });
    }
    out
}

/// Customers who are none, or one twice.
fn of_customers(job: &Job, scanned: &Scanned, findings: &Findings) -> Vec<OrdersWarning> {
    let (found, column) = (&findings.customers, || job.raw.orders.customer_id.clone());
    let mut out = Vec::new();
    if let Some((purchases, id)) = &found.most {
        let share = *purchases as f64 / found.purchases.max(1) as f64;
        if share > LARGE_SHARE.max(LARGE_MULTIPLE / found.buyers.max(1) as f64) {
            let id = shown(id, scanned.id);
            out.push(OrdersWarning::LargeCustomer { id, orders: *purchases, share });
        }
    }
    if let Some((one, other)) = &found.similar_ids.example {
        let example = (shown(one, scanned.id), shown(other, scanned.id));
        out.push(OrdersWarning::SimilarIds { ids: found.similar_ids.ids, example, column: column() });
    }
    out
}

/// The file whose total rounding moved most, if by more than a minor unit.
fn moved_total(stage: Stage<'_>, scanned: &Scanned, ledger: &RowCounts) -> Option<OrdersWarning> {
    let scale = stage.job.scale();
    let moved = scanned.rounding.iter().filter_map(|(file, rounding)| Some((*file, rounding.moved(scale)?)));
    let moved: Vec<_> = moved.collect();
    let (file, worst) = moved.iter().max_by_key(|(file, moved)| (moved.moved.abs(), std::cmp::Reverse(*file)))?;
    let (_, _, read) = ledger.balance(*file);
    Some(OrdersWarning::MovedTotal {
        file: stage.prepared.orders.get(*file).map_or_else(String::new, Source::name),
        more_files: moved.len() - 1,
        exact: format_money(read * 10_000 - worst.moved, scale + 4),
        rounded: format_money(read, scale),
        scale,
        keeping_scale: worst.keeping_scale,
    })
}

/// Which share of the ids of a table beside the orders have one.
pub fn side_table(name: &'static str, matches: &TableMatches, id: IdType) -> Option<SideTable> {
    let texts = |ids: &[CustomerId]| ids.iter().map(|one| shown(one, id)).collect();
    (matches.ids > 0).then(|| SideTable {
        name: name.into(),
        ids: matches.ids,
        met: matches.met,
        without_orders: texts(&matches.without_orders),
        without_row: texts(&matches.without_row),
    })
}

/// An id as the job's files have it, with quotes around text.
fn shown(one: &CustomerId, id: IdType) -> String {
    let ids = match one {
        CustomerId::Text(text) => return format!("{:?}", String::from_utf8_lossy(text)),
        CustomerId::Int(key) => CustomerIds::Int(vec![*key]),
    };
    let mut text = Vec::new();
    ids.write_text(id, 0, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
