//! Suppression of small groups, at one place and before anything is written.
//!
//! A count from 1 to `min_group` − 1 is hidden, with every number that tells of the same customers. So that nobody gets it
//! back by subtraction, the counts are seen as cells of sums (states add up to all customers, transitions to the states on
//! both sides, reasons to transitions …): while a sum has one hidden member, or hidden parts that are together below
//! `min_group`, its next smallest part is hidden too.

use std::collections::BTreeMap;

use super::data::{ReportData, SegmentRow, TransitionRow};
use super::read::ALL;
use crate::domain::{Day, Decimal};

/// All customers of a slice at an as-of date.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Total {
    pub as_of: Day,
    pub slice: String,
    /// `None` if suppressed.
    pub customers: Option<i64>,
    pub revenue: Option<Decimal>,
}

/// The data without what would tell of small groups, and the totals that remain known.
pub(super) fn apply(mut data: ReportData) -> (ReportData, Vec<Total>) {
    let mut totals = totals(&data);
    let min = data.settings.min_group;
    if min > 1 {
        let mut cells = Cells { min, ..Cells::default() };
        let marks = Marks::of(&data, &mut cells);
        cells.close();
        for total in &mut totals {
            if cells.is_hidden(cells.find(&total_key(total.as_of, &total.slice, ALL, ALL))) {
                (total.customers, total.revenue) = (None, None);
            }
        }
        marks.clear(&mut data, &cells);
    }
    (data, totals)
}

fn totals(data: &ReportData) -> Vec<Total> {
    let mut out: Vec<Total> = Vec::new();
    let rows = data.segments.iter().flatten().filter(|r| r.dimension == ALL);
    let mut first: BTreeMap<(Day, &str), &str> = BTreeMap::new();
    for row in rows {
        // Every scheme has the same customers: the first one counts.
        if *first.entry((row.as_of, &row.slice)).or_insert(&row.scheme) != row.scheme {
            continue;
        }
        match out.last_mut().filter(|t| t.as_of == row.as_of && t.slice == row.slice) {
            Some(total) => {
                total.customers = add(total.customers, row.customers);
                total.revenue = add_money(total.revenue, row.revenue);
            }
            None => {
                out.push(Total { as_of: row.as_of, slice: row.slice.clone(), customers: row.customers, revenue: row.revenue })
            }
        }
    }
    out
}

fn add(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a?.checked_add(b?)
}

/// The sum of two amounts of one scale.
pub(super) fn add_money(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    let (a, b) = (a?, b?);
    (a.scale == b.scale).then(|| a.digits.checked_add(b.digits)).flatten().map(|digits| Decimal { digits, scale: a.scale })
}

/// A count that one or more tables show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell(usize);

/// Counts, and what adds up to what.
#[derive(Debug, Default)]
struct Cells {
    min: i64,
    counts: Vec<i64>,
    hidden: Vec<bool>,
    names: BTreeMap<String, Cell>,
    sums: Vec<(Vec<Cell>, Cell)>,
}

/// The name of a cell.
fn key(parts: &[&dyn std::fmt::Display]) -> String {
    parts.iter().map(|p| format!("{p}\u{1f}")).collect()
}

fn total_key(as_of: Day, slice: &str, dimension: &str, value: &str) -> String {
    key(&[&"total", &as_of, &slice, &dimension, &value])
}

fn state_key(as_of: Day, slice: &str, dimension: &str, value: &str, scheme: &str, state: &str) -> String {
    key(&[&"state", &as_of, &slice, &dimension, &value, &scheme, &state])
}

impl Cells {
    /// The cell of this name, or a new one without a name if that holds another count.
    fn cell(&mut self, name: String, count: i64) -> Cell {
        if let Some(cell) = self.names.get(&name)
            && self.counts[cell.0] == count
        {
            return *cell;
        }
        let cell = Cell(self.counts.len());
        self.counts.push(count);
        self.hidden.push(0 < count && count < self.min);
        self.names.entry(name).or_insert(cell);
        cell
    }

    fn find(&self, name: &str) -> Option<Cell> {
        self.names.get(name).copied()
    }

    /// Says that the parts add up to the cell of this name, if they do; else to a total that readers may know all the same.
    fn sum(&mut self, parts: Vec<Cell>, total: String) {
        let sum = parts.iter().map(|c| self.counts[c.0]).fold(0i64, i64::saturating_add);
        let total = self.cell(total, sum);
        self.sums.push((parts, total));
    }

    fn is_hidden(&self, cell: Option<Cell>) -> bool {
        cell.is_some_and(|c| self.hidden[c.0])
    }

    /// Hides more until no sum gives a hidden cell away.
    fn close(&mut self) {
        let mut changed = true;
        while changed {
            changed = false;
            for number in 0..self.sums.len() {
                while let Some(cell) = self.next_to_hide(number) {
                    self.hidden[cell.0] = true;
                    changed = true;
                }
            }
        }
    }

    /// What a sum asks to hide, if anything.
    fn next_to_hide(&self, number: usize) -> Option<Cell> {
        let (parts, total) = &self.sums[number];
        let hidden: Vec<i64> = parts.iter().filter(|c| self.hidden[c.0]).map(|c| self.counts[c.0]).collect();
        let safe = match (hidden.len(), self.hidden[total.0]) {
            (0, false) => true,
            (n, true) => n >= 1,
            (n, false) => n >= 2 && hidden.iter().fold(0i64, |a, b| a.saturating_add(*b)) >= self.min,
        };
        if safe {
            return None;
        }
        let visible = parts.iter().filter(|c| !self.hidden[c.0] && self.counts[c.0] > 0);
        let smallest = visible.min_by_key(|c| (self.counts[c.0], c.0)).copied();
        smallest.or((!self.hidden[total.0]).then_some(*total))
    }
}

/// Groups rows by a name; the order is that of the names.
fn group<T>(items: impl IntoIterator<Item = (String, T)>) -> BTreeMap<String, Vec<T>> {
    let mut out: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for (name, item) in items {
        out.entry(name).or_default().push(item);
    }
    out
}

/// The cells of every row.
#[derive(Debug, Default)]
struct Marks {
    segments: Vec<(Option<Cell>, Option<Cell>, Option<Cell>)>,
    transitions: Vec<(Option<Cell>, Option<Cell>)>,
    moves: Vec<Option<Cell>>,
    growth: Vec<[Option<Cell>; 7]>,
    cohorts: Vec<[Option<Cell>; 3]>,
    effects: Vec<[Option<Cell>; 2]>,
    pooled: Vec<[Option<Cell>; 2]>,
    before_after: Vec<Option<Cell>>,
    cutpoints: Vec<Option<Cell>>,
}

impl Marks {
    fn of(data: &ReportData, cells: &mut Cells) -> Marks {
        let mut marks = Marks::default();
        marks.segments(data, cells);
        marks.transitions(data, cells);
        marks.moves(data, cells);
        marks.growth(data, cells);
        marks.cohorts(data, cells);
        marks.effects(data, cells);
        marks.cutpoints(data, cells);
        marks
    }

    fn segments(&mut self, data: &ReportData, cells: &mut Cells) {
        let rows: Vec<&SegmentRow> = data.segments.iter().flatten().collect();
        let name = |r: &SegmentRow| state_key(r.as_of, &r.slice, &r.dimension, &r.dimension_value, &r.scheme, &r.state);
        let own: Vec<_> = rows.iter().map(|r| r.customers.map(|n| cells.cell(name(r), n))).collect();
        let by_group =
            group(rows.iter().zip(&own).filter_map(|(r, c)| {
                Some((key(&[&r.as_of, &r.slice, &r.dimension, &r.dimension_value, &r.scheme]), (*r, (*c)?)))
            }));
        for of_group in by_group.into_values() {
            let Some((r, _)) = of_group.first() else { continue };
            let total = total_key(r.as_of, &r.slice, &r.dimension, &r.dimension_value);
            cells.sum(of_group.into_iter().map(|(_, c)| c).collect(), total);
        }
        // The values of a dimension add up to everybody, state by state.
        let by_state = group(
            rows.iter()
                .zip(&own)
                .filter(|(r, _)| r.dimension != ALL)
                .filter_map(|(r, c)| Some((key(&[&r.as_of, &r.slice, &r.dimension, &r.scheme, &r.state]), (*r, (*c)?)))),
        );
        for of_state in by_state.into_values() {
            let Some((r, _)) = of_state.first() else { continue };
            let total = state_key(r.as_of, &r.slice, ALL, ALL, &r.scheme, &r.state);
            cells.sum(of_state.into_iter().map(|(_, c)| c).collect(), total);
        }
        for (r, own) in rows.iter().zip(own) {
            let total = cells.find(&total_key(r.as_of, &r.slice, &r.dimension, &r.dimension_value));
            let repeat = r.repeat_customers.map(|n| cells.cell(format!("repeat{}", name(r)), n));
            self.segments.push((own, total, repeat));
        }
    }

    fn transitions(&mut self, data: &ReportData, cells: &mut Cells) {
        let rows: Vec<&TransitionRow> = data.transitions.iter().flatten().collect();
        let place = |r: &TransitionRow| key(&[&r.as_of, &r.from_as_of, &r.slice, &r.dimension, &r.dimension_value, &r.scheme]);
        let own: Vec<_> = rows
            .iter()
            .map(|r| r.customers.map(|n| cells.cell(transition_key(r, &r.dimension, &r.dimension_value), n)))
            .collect();
        let from =
            |r: &TransitionRow| state_key(r.from_as_of, &r.slice, &r.dimension, &r.dimension_value, &r.scheme, &r.from_state);
        let to = |r: &TransitionRow| state_key(r.as_of, &r.slice, &r.dimension, &r.dimension_value, &r.scheme, &r.to_state);
        let with = |of: &dyn Fn(&TransitionRow) -> String| {
            let pairs = rows.iter().zip(&own).filter_map(|(r, c)| Some((of(r), (*r, (*c)?))));
            group(pairs.collect::<Vec<_>>())
        };
        for of_row in with(&|r| place(r) + &r.from_state).into_values() {
            let Some((r, _)) = of_row.first() else { continue };
            let total = from(r);
            cells.sum(of_row.into_iter().map(|(_, c)| c).collect(), total);
        }
        for of_column in with(&|r| place(r) + "\u{1f}" + &r.to_state).into_values() {
            let Some((r, _)) = of_column.first() else { continue };
            let total = to(r);
            cells.sum(of_column.into_iter().map(|(_, c)| c).collect(), total);
        }
        let across = rows.iter().zip(&own).filter(|(r, _)| r.dimension != ALL);
        let across = across.filter_map(|(r, c)| Some((transition_key(r, &r.dimension, ""), (*r, (*c)?))));
        for of_pair in group(across.collect::<Vec<_>>()).into_values() {
            let Some((r, _)) = of_pair.first() else { continue };
            let total = transition_key(r, ALL, ALL);
            cells.sum(of_pair.into_iter().map(|(_, c)| c).collect(), total);
        }
        self.transitions = rows.iter().zip(own).map(|(r, c)| (c, cells.find(&from(r)))).collect();
    }

    fn moves(&mut self, data: &ReportData, cells: &mut Cells) {
        let rows: Vec<_> = data.moves.iter().flatten().collect();
        let place = |r: &super::data::MoveRow| {
            key(&[&"transition", &r.as_of, &r.from_as_of, &r.slice, &ALL, &ALL, &r.scheme, &r.from_state, &r.to_state])
        };
        let own: Vec<_> =
            rows.iter().map(|r| r.customers.map(|n| cells.cell(format!("move{}{:?}", place(r), r.reason), n))).collect();
        let by_pair = group(rows.iter().zip(&own).filter_map(|(r, c)| Some((place(r), (*c)?))));
        for (total, parts) in by_pair {
            cells.sum(parts, total);
        }
        self.moves = own;
    }

    fn growth(&mut self, data: &ReportData, cells: &mut Cells) {
        let names = ["customers", "active", "new", "retained", "resurrected", "lapsed", "inactive"];
        for r in data.growth.iter().flatten() {
            let place = key(&[&"growth", &r.as_of, &r.slice, &r.scheme, &r.from_state]);
            let counts = [r.customers, r.active, r.new, r.retained, r.resurrected, r.lapsed, r.inactive];
            let mut own = [None; 7];
            for ((cell, count), name) in own.iter_mut().zip(counts).zip(names) {
                // Everybody is the same number as in the other tables.
                let everybody = name == "customers" && r.scheme == ALL;
                let name = if everybody { total_key(r.as_of, &r.slice, ALL, ALL) } else { format!("{place}{name}") };
                *cell = count.map(|n| cells.cell(name, n));
            }
            let some = |at: &[usize]| at.iter().filter_map(|i| own[*i]).collect::<Vec<_>>();
            if let Some(active) = own[1] {
                cells.sums.push((some(&[2, 3, 4]), active));
            }
            if let (Some(customers), Some(_)) = (own[0], own[1]) {
                cells.sums.push((some(&[1, 5, 6]), customers));
            }
            let before = key(&[&"growth", &r.from_as_of.unwrap_or(Day::MIN), &r.slice, &ALL, &ALL]) + "active";
            let before = if r.scheme == ALL { before } else { format!("{place}previous") };
            cells.sum(some(&[3, 5]), before);
            self.growth.push(own);
        }
        for (number, name) in names.iter().enumerate() {
            let rows = data.growth.iter().flatten().zip(&self.growth).filter(|(r, _)| r.scheme != ALL);
            let by_scheme = group(rows.filter_map(|(r, own)| {
                Some((key(&[&r.as_of, &r.slice, &r.scheme]), ((r.as_of, r.slice.clone()), own[number]?)))
            }));
            for parts in by_scheme.into_values() {
                let Some(((as_of, slice), _)) = parts.first() else { continue };
                let total = match number {
                    0 => total_key(*as_of, slice, ALL, ALL),
                    _ => key(&[&"growth", as_of, slice, &ALL, &ALL]) + name,
                };
                cells.sum(parts.into_iter().map(|(_, c)| c).collect(), total);
            }
        }
    }

    fn cohorts(&mut self, data: &ReportData, cells: &mut Cells) {
        let rows: Vec<_> = data.cohorts.iter().flatten().collect();
        for r in &rows {
            let cohort = key(&[&"cohort", &r.slice, &r.cohort_start.unwrap_or(Day::MIN)]);
            let then = format!("{cohort}{}", r.as_of);
            let of = |cells: &mut Cells, name: String, n: Option<i64>| n.map(|n| cells.cell(name, n));
            self.cohorts.push([
                of(cells, cohort, r.customers),
                of(cells, format!("{then}active"), r.active_customers),
                of(cells, format!("{then}repeat"), r.repeat_customers),
            ]);
        }
        for (number, name) in ["customers", "active"].iter().enumerate() {
            let by_date = group(
                rows.iter()
                    .zip(&self.cohorts)
                    .filter_map(|(r, own)| Some((key(&[&r.as_of, &r.slice]), ((r.as_of, &r.slice), own[number]?)))),
            );
            for parts in by_date.into_values() {
                let Some(((as_of, slice), _)) = parts.first() else { continue };
                let total = match number {
                    0 => total_key(*as_of, slice, ALL, ALL),
                    _ => key(&[&"growth", as_of, slice, &ALL, &ALL]) + name,
                };
                cells.sum(parts.into_iter().map(|(_, c)| c).collect(), total);
            }
        }
    }

    fn effects(&mut self, data: &ReportData, cells: &mut Cells) {
        let period = |day: Option<Day>| day.map(|d| d.to_string()).unwrap_or_default();
        let phase = |p: &Option<String>| p.clone().unwrap_or_default();
        let mut sums: BTreeMap<String, (Vec<Cell>, String)> = BTreeMap::new();
        let mut add = |cells: &mut Cells, place: &str, estimate: &str, scheme: &str, state: &str, n: Option<i64>| {
            let cell = cells.cell(format!("{place}{}", key(&[&scheme, &state])), n?);
            if scheme != ALL {
                let total = format!("{place}{}", key(&[&ALL, &ALL]));
                sums.entry(format!("{place}{scheme}\u{1f}{estimate}")).or_insert((Vec::new(), total)).0.push(cell);
            }
            Some(cell)
        };
        for r in data.effects.iter().flatten() {
            let place = key(&[&"effect", &r.strategy, &period(r.period_start), &phase(&r.phase)]);
            let estimate = key(&[&r.arm, &r.outcome, &r.method]);
            self.effects.push([
                add(cells, &format!("{place}{}", key(&[&"arm", &r.arm])), &estimate, &r.scheme, &r.state, r.n_treated),
                add(cells, &format!("{place}control"), &estimate, &r.scheme, &r.state, r.n_control),
            ]);
        }
        for r in data.effects_over_time.iter().flatten() {
            let place = key(&[&"pooled", &r.strategy, &phase(&r.phase)]);
            let estimate = key(&[&r.arm, &r.outcome, &r.method]);
            self.pooled.push([
                add(cells, &format!("{place}{}", key(&[&"arm", &r.arm])), &estimate, &r.scheme, &r.state, r.n_treated),
                add(cells, &format!("{place}control"), &estimate, &r.scheme, &r.state, r.n_control),
            ]);
        }
        for r in data.before_after.iter().flatten() {
            let place = key(&[&"before", &r.strategy, &period(r.period_start), &r.arm]);
            self.before_after.push(add(cells, &place, &r.outcome, &r.scheme, &r.state, r.customers));
        }
        for (parts, total) in sums.into_values() {
            cells.sum(parts, total);
        }
        // Periods add up to all periods.
        for (r, own) in data.effects_over_time.iter().flatten().zip(&self.pooled) {
            let same = |e: &super::data::EffectRow| {
                (&e.strategy, &e.phase, &e.arm, &e.outcome, &e.scheme, &e.state, &e.method)
                    == (&r.strategy, &r.phase, &r.arm, &r.outcome, &r.scheme, &r.state, &r.method)
            };
            let of_periods: Vec<_> = data.effects.iter().flatten().zip(&self.effects).filter(|(e, _)| same(e)).collect();
            for side in 0..2 {
                let parts: Vec<Cell> = of_periods.iter().filter_map(|(_, c)| c[side]).collect();
                if let Some(total) = own[side]
                    && parts.iter().map(|c| cells.counts[c.0]).sum::<i64>() == cells.counts[total.0]
                {
                    cells.sums.push((parts, total));
                }
            }
        }
    }

    fn cutpoints(&mut self, data: &ReportData, cells: &mut Cells) {
        let rows: Vec<_> = data.cutpoints.iter().flatten().collect();
        let place = |r: &super::data::CutPointRow| key(&[&"bins", &r.as_of, &r.slice, &r.axis]);
        let own: Vec<_> = rows.iter().map(|r| r.customers.map(|n| cells.cell(format!("{}{:?}", place(r), r.bin), n))).collect();
        for (total, parts) in group(rows.iter().zip(&own).filter_map(|(r, c)| Some((place(r), (*c)?)))) {
            cells.sum(parts, total);
        }
        self.cutpoints = own;
    }

    /// Takes out what is hidden, and every number that tells of the same customers.
    fn clear(&self, data: &mut ReportData, cells: &Cells) {
        let hidden = |cell: &Option<Cell>| cells.is_hidden(*cell);
        for (r, (own, total, repeat)) in data.segments.iter_mut().flatten().zip(&self.segments) {
            if hidden(own) {
                (r.customers, r.customer_share, r.orders, r.revenue, r.revenue_share) = (None, None, None, None, None);
                (r.avg_order_value, r.repeat_customers, r.revenue_at_risk) = (None, None, None);
                (r.mean_recency_days, r.mean_frequency, r.mean_monetary) = (None, None, None);
                r.suppressed = true;
            }
            if hidden(total) {
                (r.customer_share, r.revenue_share, r.suppressed) = (None, None, true);
            }
            if hidden(repeat) {
                (r.repeat_customers, r.suppressed) = (None, true);
            }
        }
        for (r, (own, from)) in data.transitions.iter_mut().flatten().zip(&self.transitions) {
            if hidden(own) {
                (r.customers, r.revenue, r.suppressed) = (None, None, true);
            }
            if hidden(own) || hidden(from) {
                (r.rate, r.rate_low, r.rate_high, r.suppressed) = (None, None, None, true);
            }
        }
        for (r, own) in data.moves.iter_mut().flatten().zip(&self.moves) {
            if hidden(own) {
                (r.customers, r.suppressed) = (None, true);
            }
        }
        for (r, own) in data.growth.iter_mut().flatten().zip(&self.growth) {
            let counts = [
                &mut r.customers,
                &mut r.active,
                &mut r.new,
                &mut r.retained,
                &mut r.resurrected,
                &mut r.lapsed,
                &mut r.inactive,
            ];
            for (count, cell) in counts.into_iter().zip(own) {
                if hidden(cell) {
                    *count = None;
                }
            }
            if own.iter().any(hidden) {
                (r.suppressed, r.previous_active, r.change) = (true, None, None);
                (r.retention_rate, r.churn_rate, r.reactivation_rate) = (None, None, None);
            }
            if hidden(&own[1]) {
                r.revenue = None;
            }
        }
        for (r, [size, active, repeat]) in data.cohorts.iter_mut().flatten().zip(&self.cohorts) {
            if hidden(size) {
                (r.customers, r.revenue_to_date, r.spend, r.cac, r.payback_ratio) = (None, None, None, None, None);
            }
            if hidden(active) {
                (r.active_customers, r.orders, r.revenue) = (None, None, None);
            }
            if hidden(repeat) {
                r.repeat_customers = None;
            }
            if hidden(size) || hidden(active) {
                (r.retention_rate, r.suppressed) = (None, true);
            }
            if hidden(size) || hidden(repeat) {
                (r.repeat_rate, r.suppressed) = (None, true);
            }
        }
        clear_concentration(data, cells.min);
        self.clear_effects(data, cells);
        for (r, own) in data.cutpoints.iter_mut().flatten().zip(&self.cutpoints) {
            if hidden(own) {
                (r.customers, r.suppressed) = (None, true);
            }
        }
    }

    fn clear_effects(&self, data: &mut ReportData, cells: &Cells) {
        let hidden = |own: &[Option<Cell>; 2]| own.iter().any(|c| cells.is_hidden(*c));
        let mut gone: Vec<(String, Option<Day>, String, String, String)> = Vec::new();
        for (r, own) in data.effects.iter_mut().flatten().zip(&self.effects) {
            if hidden(own) {
                gone.push((r.strategy.clone(), r.period_start, r.arm.clone(), r.scheme.clone(), r.state.clone()));
                (r.n_treated, r.n_control, r.mean_treated, r.mean_control) = (None, None, None, None);
                (r.difference, r.ci_low, r.ci_high, r.p_value, r.p_adjusted) = (None, None, None, None, None);
                (r.lift, r.lift_low, r.lift_high, r.mde, r.srm_p) = (None, None, None, None, None);
                (r.incremental, r.cost, r.roi, r.roi_low, r.roi_high, r.excluded) = (None, None, None, None, None, None);
                (r.net_margin_per_customer, r.net_margin_low, r.net_margin_high) = (None, None, None);
                (r.not_estimable, r.suppressed) = (None, true);
            } else if r.excluded.is_some_and(|n| 0 < n && n < cells.min) {
                (r.excluded, r.suppressed) = (None, true);
            }
        }
        for (r, own) in data.effects_over_time.iter_mut().flatten().zip(&self.pooled) {
            if hidden(own) {
                gone.push((r.strategy.clone(), None, r.arm.clone(), r.scheme.clone(), r.state.clone()));
                (r.n_treated, r.n_control, r.mean_control, r.difference) = (None, None, None, None);
                (r.ci_low, r.ci_high, r.p_value, r.lift, r.lift_low, r.lift_high) = (None, None, None, None, None, None);
                (r.q_difference, r.q_difference_p, r.q_lift, r.q_lift_p) = (None, None, None, None);
                (r.recurring_share, r.not_estimable, r.suppressed) = (None, None, true);
            }
        }
        for (r, own) in data.before_after.iter_mut().flatten().zip(&self.before_after) {
            if cells.is_hidden(*own) {
                gone.push((r.strategy.clone(), r.period_start, r.arm.clone(), r.scheme.clone(), r.state.clone()));
                (r.customers, r.mean_before, r.mean_after, r.change, r.expected_change) = (None, None, None, None, None);
                (r.note, r.suppressed) = (None, true);
            }
        }
        for r in data.verdicts.iter_mut().flatten() {
            let same = |g: &(String, Option<Day>, String, String, String)| {
                (&g.0, &g.1, &g.2, &g.3, &g.4) == (&r.strategy, &r.period_start, &r.arm, &r.scheme, &r.state)
            };
            // The reason may hold the numbers.
            if gone.iter().any(same) {
                (r.reason, r.difference, r.shrunk_difference, r.shrunk_low) = (None, None, None, None);
                r.suppressed = true;
            }
        }
    }
}

fn transition_key(r: &TransitionRow, dimension: &str, value: &str) -> String {
    key(&[&"transition", &r.as_of, &r.from_as_of, &r.slice, &dimension, &value, &r.scheme, &r.from_state, &r.to_state])
}

/// A top share is about that share of the customers, at least one.
fn clear_concentration(data: &mut ReportData, min: i64) {
    for r in data.concentration.iter_mut().flatten() {
        let Some(customers) = r.customers else { continue };
        for (share, percent) in [(&mut r.top_1_share, 1), (&mut r.top_10_share, 10), (&mut r.top_20_share, 20)] {
            if customers > 0 && customers.saturating_mul(percent).saturating_add(99) / 100 < min {
                (*share, r.suppressed) = (None, true);
            }
        }
        if 0 < customers && customers < min {
            (r.customers, r.revenue, r.gini, r.suppressed) = (None, None, None, true);
        }
    }
}
