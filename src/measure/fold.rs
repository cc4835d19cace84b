//! The fold of one bucket of orders into its panel.

use super::category::CategorySums;
use super::codes::SourceCodes;
use super::customer::CustomerFold;
use super::customer_findings::CustomerFindings;
use super::first_purchase::FirstPurchases;
use super::group::CustomerGroups;
use super::join_lines::LinesFound;
use super::line_counts::{LineCounts, LineFindings};
use super::one_date;
use super::panel::BucketPanel;
use super::spec::FoldSpec;
use crate::activity::{Order, OrderHistories};
use crate::bucket::{Field, RecordLayout, Records};
use crate::domain::Day;
use crate::error::Result;
use crate::forecast::HistoryColumns;

/// Folds one bucket.
///
/// # Errors
/// Exit 3 if money of a customer exceeds what DECIMAL(18) holds.
pub fn fold(layout: RecordLayout, orders: &Records, codes: &SourceCodes, spec: &FoldSpec) -> Result<BucketPanel> {
    if !spec.is_window
        && one_date::serves(spec)
        && let Some(panel) = one_date::fold(layout, orders, codes, spec)?
    {
        return Ok(panel);
    }
    fold_sorted(layout, orders, codes, spec)
}

/// Folds one bucket for any measures and dates: groups and sorts the orders of every customer.
fn fold_sorted(layout: RecordLayout, orders: &Records, codes: &SourceCodes, spec: &FoldSpec) -> Result<BucketPanel> {
    let groups = CustomerGroups::new(layout, orders, codes);
    let counts = vec![LineCounts::default(); if spec.lines { codes.files } else { 0 }];
    let mut found = LinesFound { counts, findings: LineFindings::default() };
    let mut folder = CustomerFold::new(spec, groups.len(), orders.len());
    let mut category_sums = CategorySums::new(spec, groups.len());
    let mut first_purchases = FirstPurchases::new(&spec.first_purchase, groups.len());
    let (mut order_lines, needs_lines) = (Vec::new(), category_sums.is_some() || first_purchases.needs_lines());
    let mut span: Option<(Day, Day)> = None;
    let mut histories = spec.histories.then(|| OrderHistories::new(layout.has(Field::Cost), orders.len()));
    let mut purchased = HistoryColumns::new(&spec.history_days, if spec.history_days.is_empty() { 0 } else { groups.len() });
    let mut scratch = Vec::new();
    let mut buyers = Vec::new();
    for customer in 0..groups.len() {
        let lines = needs_lines.then_some(&mut order_lines);
        groups.orders(customer, orders, (codes, spec), &mut scratch, lines, &mut found)?;
        if spec.is_window {
            scratch.retain(|order| order.date <= spec.last().0);
            order_lines.retain(|order_line| order_line.date <= spec.last().0);
        }
        // Lines are in the order of their orders' ids, dates that lie far apart in that of their records.
        if !scratch.is_sorted_by_key(|order: &Order| order.date) {
            scratch.sort_unstable_by_key(|order| order.date);
        }
        if let (Some(first), Some(last)) = (scratch.first(), scratch.last()) {
            let (first, last) = (Day(first.date), Day(last.date));
            span = Some(span.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
        }
        let mut purchases = scratch.iter().filter(|order| order.is_purchase());
        if let Some(first) = purchases.next() {
            buyers.push((customer, 1 + purchases.count() as u64, first.date));
        }
        folder.add(customer, &scratch)?;
        if let Some(histories) = &mut histories {
            histories.push(&scratch)?;
        }
        if !spec.history_days.is_empty() {
            purchased.push(&scratch, spec.net);
        }
        first_purchases.add(&scratch, &order_lines);
        if let Some(category_sums) = &mut category_sums {
            category_sums.add(customer, groups.slices.get(customer).copied().unwrap_or(0), &mut order_lines);
        }
    }
    let (listed, mut columns, intervals) = folder.finish()?;
    let affinity = category_sums.map(|sums| sums.finish(&mut columns)).unwrap_or_default();
    let findings = match spec.is_window {
        false => CustomerFindings::of(&groups.ids, buyers.into_iter()),
        true => CustomerFindings::default(),
    };
    Ok(BucketPanel {
        intervals,
        histories,
        purchased,
        lines: found.counts,
        line_findings: found.findings,
        findings,
        span,
        affinity,
        first_purchase: first_purchases.finish(),
        ..BucketPanel::new(groups.ids, groups.slices, listed, columns)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::{BucketWriter, flag};
    use crate::domain::{AsOf, Basis, CustomerIds, Lookback, Measure, MeasureKind};
    use crate::measure::Column;

    /// Both ways of folding must say the same of any orders: what serves a nightly job is a short cut, not a rule.
    #[test]
    fn the_fold_of_sums_equals_the_general_one() -> Result<()> {
        let mut state = 7u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % below) as i64
        };
        let as_of = Day(2000);
        let kinds = MeasureKind::ALL.iter().copied();
        let of_orders = kinds.filter(|k| matches!(k.basis(), Basis::Orders(window, _) if !window.needs_period()));
        let plain = of_orders.map(Measure::plain);
        let windowed = [MeasureKind::Frequency, MeasureKind::Monetary, MeasureKind::AvgOrderValue]
            .map(|kind| Measure { kind, lookback: Some(Lookback::Days(90)) });
        for case in 0..64 {
            let mut spec = FoldSpec {
                lookback: if case & 1 == 0 { Lookback::All } else { Lookback::Months(12) },
                net: case & 2 == 0,
                monetary_average: case & 4 != 0,
                only_lookback: case & 8 != 0,
                ..FoldSpec::plain(vec![AsOf::alone(as_of)], plain.clone().chain(windowed).collect())
            };
            let (all, codes) = (spec.clone(), SourceCodes::default());
            spec.measures.retain(|m| one_date::serves(&FoldSpec { measures: vec![*m], ..all.clone() }));
            assert!(spec.measures.iter().any(|m| m.kind == MeasureKind::AnnualValue));
            let rows = 400;
            let customers: Vec<i64> = (0..rows).map(|_| random(40)).collect();
            let dates: Vec<i64> = (0..rows).map(|_| 2000 - random(900)).collect();
            let amounts: Vec<i64> = (0..rows).map(|_| random(10_000) - 1_000).collect();
            let flag_of = |draw| match draw {
                0 => flag::RETURN,
                1 => flag::MONEY_ONLY,
                _ => 0,
            };
            let flags: Vec<i64> = (0..rows).map(|_| flag_of(random(10))).collect();
            let layout = RecordLayout::new(false, &[Field::Flags]);
            let mut buckets = BucketWriter::new(layout, 1);
            buckets.append(&[&customers, &dates, &amounts, &flags], None);
            for chunks in buckets.finish() {
                let mut orders = Records::default();
                chunks.unpack(layout, None, &mut orders)?;
                let (sums, sorted) =
                    (one_date::fold(layout, &orders, &codes, &spec)?, fold_sorted(layout, &orders, &codes, &spec)?);
                let cells = |p: BucketPanel| {
                    let values = |c: &Column| {
                        let cell = |(at, listed): (usize, &bool)| listed.then(|| c.get_ratio(at));
                        p.listed.iter().enumerate().map(cell).collect::<Vec<_>>()
                    };
                    let CustomerIds::Int(ids) = &p.ids else { return (p.span, Vec::new(), Vec::new()) };
                    assert!(ids.is_sorted());
                    (p.span, ids.clone(), p.columns.iter().map(values).collect::<Vec<_>>())
                };
                let (sums, sorted) = (sums.map(cells), cells(sorted));
                assert_eq!(sums, Some(sorted), "case {case}");
            }
        }
        Ok(())
    }
}
