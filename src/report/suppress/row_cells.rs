//! Which counts of which tables are cells, and what adds up to what.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Cell, CellTable};
use super::keys::{key, total_key};
use crate::domain::{ALL, Day};
use crate::report::data::{
    CohortRow, CutPointRow, EffectRow, EffectToDateRow, MoveRow, PooledEffectRow, ReportData, SegmentRow, ThresholdBinRow,
    TransitionRow,
};

fn state_key(as_of: Day, slice: &str, dimension: &str, value: &str, scheme: &str, state: &str) -> String {
    key(&[&"state", &as_of, &slice, &dimension, &value, &scheme, &state])
}

/// Groups rows by a name; the order is that of the names.
fn group<T>(items: impl IntoIterator<Item = (String, T)>) -> BTreeMap<String, Vec<T>> {
    let mut out: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for (name, item) in items {
        out.entry(name).or_default().push(item);
    }
    out
}

fn transition_key(r: &TransitionRow, dimension: &str, value: &str) -> String {
    key(&[&"transition", &r.as_of, &r.from_as_of, &r.slice, &dimension, &value, &r.scheme, &r.from_state, &r.to_state])
}

/// What a row compares, and how: strategy, phase, both arms, outcome and method.
type Comparison<'a> = [Option<&'a str>; 6];

fn of_effect(r: &EffectRow) -> Comparison<'_> {
    [Some(&r.strategy), r.phase.as_deref(), Some(&r.arm), r.against.as_deref(), Some(&r.outcome), Some(&r.method)]
}

fn of_pooled(r: &PooledEffectRow) -> Comparison<'_> {
    [Some(&r.strategy), r.phase.as_deref(), Some(&r.arm), r.against.as_deref(), Some(&r.outcome), Some(&r.method)]
}

fn so_far(r: &EffectToDateRow) -> Comparison<'_> {
    [Some(&r.strategy), r.phase.as_deref(), Some(&r.arm), r.against.as_deref(), Some(&r.outcome), Some(&r.method)]
}

/// The cells of every row.
#[derive(Debug, Default)]
pub(super) struct RowCells {
    pub(super) segments: Vec<(Option<Cell>, Option<Cell>, Option<Cell>)>,
    pub(super) transitions: Vec<(Option<Cell>, Option<Cell>)>,
    pub(super) moves: Vec<Option<Cell>>,
    pub(super) growth: Vec<[Option<Cell>; 7]>,
    pub(super) cohorts: Vec<[Option<Cell>; 3]>,
    pub(super) effects: Vec<[Option<Cell>; 2]>,
    pub(super) pooled: Vec<[Option<Cell>; 2]>,
    pub(super) to_date: Vec<[Option<Cell>; 2]>,
    pub(super) before_after: Vec<Option<Cell>>,
    pub(super) thresholds: Vec<[Option<Cell>; 2]>,
    pub(super) threshold_bins: Vec<Option<Cell>>,
    pub(super) cutpoints: Vec<Option<Cell>>,
}

impl RowCells {
    /// The cells of all tables, with the sums that they are part of.
    pub fn of(data: &ReportData, cells: &mut CellTable) -> RowCells {
        let mut row_cells = RowCells::default();
        row_cells.segments(data, cells);
        row_cells.transitions(data, cells);
        row_cells.moves(data, cells);
        row_cells.growth(data, cells);
        row_cells.cohorts(data, cells);
        row_cells.effects(data, cells);
        row_cells.thresholds(data, cells);
        row_cells.cutpoints(data, cells);
        row_cells
    }

    fn segments(&mut self, data: &ReportData, cells: &mut CellTable) {
        let rows: Vec<&SegmentRow> = data.segments.iter().flatten().collect();
        let name = |r: &SegmentRow| state_key(r.as_of, &r.slice, &r.dimension, &r.dimension_value, &r.scheme, &r.state);
        let count_cells: Vec<_> =
            rows.iter().map(|r| r.customers.map(|n| cells.cell_from(cells.least(r.dimension != ALL), name(r), n))).collect();
        let by_group =
            group(rows.iter().zip(&count_cells).filter_map(|(r, c)| {
                Some((key(&[&r.as_of, &r.slice, &r.dimension, &r.dimension_value, &r.scheme]), (*r, (*c)?)))
            }));
        for of_group in by_group.into_values() {
            let Some((r, _)) = of_group.first() else { continue };
            let total = total_key(r.as_of, &r.slice, &r.dimension, &r.dimension_value);
            cells.sum_from(cells.least(r.dimension != ALL), of_group.into_iter().map(|(_, c)| c).collect(), total);
        }
        // The values of a dimension add up to everybody, state by state.
        let by_state = group(
            rows.iter()
                .zip(&count_cells)
                .filter(|(r, _)| r.dimension != ALL)
                .filter_map(|(r, c)| Some((key(&[&r.as_of, &r.slice, &r.dimension, &r.scheme, &r.state]), (*r, (*c)?)))),
        );
        for of_state in by_state.into_values() {
            let Some((r, _)) = of_state.first() else { continue };
            let total = state_key(r.as_of, &r.slice, ALL, ALL, &r.scheme, &r.state);
            let shown = of_state.into_iter().map(|(_, c)| c).collect();
            cells.sum_with_rest(shown, total);
        }
        for (r, count_cells) in rows.iter().zip(count_cells) {
            let total = cells.find(&total_key(r.as_of, &r.slice, &r.dimension, &r.dimension_value));
            let repeat =
                r.repeat_customers.map(|n| cells.cell_from(cells.least(r.dimension != ALL), format!("repeat{}", name(r)), n));
            self.segments.push((count_cells, total, repeat));
        }
    }

    fn transitions(&mut self, data: &ReportData, cells: &mut CellTable) {
        let rows: Vec<&TransitionRow> = data.transitions.iter().flatten().collect();
        let place = |r: &TransitionRow| key(&[&r.as_of, &r.from_as_of, &r.slice, &r.dimension, &r.dimension_value, &r.scheme]);
        let count_cells: Vec<_> = rows
            .iter()
            .map(|r| {
                let (least, name) = (cells.least(r.dimension != ALL), transition_key(r, &r.dimension, &r.dimension_value));
                r.customers.map(|n| cells.cell_from(least, name, n))
            })
            .collect();
        let from =
            |r: &TransitionRow| state_key(r.from_as_of, &r.slice, &r.dimension, &r.dimension_value, &r.scheme, &r.from_state);
        let to = |r: &TransitionRow| state_key(r.as_of, &r.slice, &r.dimension, &r.dimension_value, &r.scheme, &r.to_state);
        let with = |of: &dyn Fn(&TransitionRow) -> String| {
            let pairs = rows.iter().zip(&count_cells).filter_map(|(r, c)| Some((of(r), (*r, (*c)?))));
            group(pairs.collect::<Vec<_>>())
        };
        for of_row in with(&|r| place(r) + &r.from_state).into_values() {
            let Some((r, _)) = of_row.first() else { continue };
            let total = from(r);
            cells.sum_from(cells.least(r.dimension != ALL), of_row.into_iter().map(|(_, c)| c).collect(), total);
        }
        for of_column in with(&|r| place(r) + "\u{1f}" + &r.to_state).into_values() {
            let Some((r, _)) = of_column.first() else { continue };
            let total = to(r);
            cells.sum_from(cells.least(r.dimension != ALL), of_column.into_iter().map(|(_, c)| c).collect(), total);
        }
        let across = rows.iter().zip(&count_cells).filter(|(r, _)| r.dimension != ALL);
        let across = across.filter_map(|(r, c)| Some((transition_key(r, &r.dimension, ""), (*r, (*c)?))));
        for of_pair in group(across.collect::<Vec<_>>()).into_values() {
            let Some((r, _)) = of_pair.first() else { continue };
            let total = transition_key(r, ALL, ALL);
            cells.sum_with_rest(of_pair.into_iter().map(|(_, c)| c).collect(), total);
        }
        self.transitions = rows.iter().zip(count_cells).map(|(r, c)| (c, cells.find(&from(r)))).collect();
    }

    fn moves(&mut self, data: &ReportData, cells: &mut CellTable) {
        let rows: Vec<_> = data.moves.iter().flatten().collect();
        let place = |r: &MoveRow| {
            key(&[&"transition", &r.as_of, &r.from_as_of, &r.slice, &ALL, &ALL, &r.scheme, &r.from_state, &r.to_state])
        };
        let count_cells: Vec<_> =
            rows.iter().map(|r| r.customers.map(|n| cells.cell(format!("move{}{:?}", place(r), r.reason), n))).collect();
        let by_pair = group(rows.iter().zip(&count_cells).filter_map(|(r, c)| Some((place(r), (*c)?))));
        for (total, parts) in by_pair {
            cells.sum(parts, total);
        }
        self.moves = count_cells;
    }

    fn growth(&mut self, data: &ReportData, cells: &mut CellTable) {
        let names = ["customers", "active", "new", "retained", "resurrected", "lapsed", "inactive"];
        for r in data.growth.iter().flatten() {
            let place = key(&[&"growth", &r.as_of, &r.slice, &r.scheme, &r.from_state]);
            let counts = [r.customers, r.active, r.new, r.retained, r.resurrected, r.lapsed, r.inactive];
            let mut count_cells = [None; 7];
            for ((cell, count), name) in count_cells.iter_mut().zip(counts).zip(names) {
                // Everybody is the same number as in the other tables.
                let everybody = name == "customers" && r.scheme == ALL;
                let name = if everybody { total_key(r.as_of, &r.slice, ALL, ALL) } else { format!("{place}{name}") };
                *cell = count.map(|n| cells.cell(name, n));
            }
            let some = |at: &[usize]| at.iter().filter_map(|i| count_cells[*i]).collect::<Vec<_>>();
            if let Some(active) = count_cells[1] {
                cells.add_sum(some(&[2, 3, 4]), active);
            }
            if let (Some(customers), Some(_)) = (count_cells[0], count_cells[1]) {
                cells.add_sum(some(&[1, 5, 6]), customers);
            }
            let before = key(&[&"growth", &r.from_as_of.unwrap_or(Day::MIN), &r.slice, &ALL, &ALL]) + "active";
            let before = if r.scheme == ALL { before } else { format!("{place}previous") };
            cells.sum(some(&[3, 5]), before);
            self.growth.push(count_cells);
        }
        for (number, name) in names.iter().enumerate() {
            let rows = data.growth.iter().flatten().zip(&self.growth).filter(|(r, _)| r.scheme != ALL);
            let by_scheme = group(rows.filter_map(|(r, count_cells)| {
                Some((key(&[&r.as_of, &r.slice, &r.scheme]), ((r.as_of, r.slice.clone()), count_cells[number]?)))
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

    fn cohorts(&mut self, data: &ReportData, cells: &mut CellTable) {
        let rows: Vec<_> = data.cohorts.iter().flatten().collect();
        let cohort = |r: &CohortRow, dimension: &str, value: &str| {
            key(&[&"cohort", &r.slice, &dimension, &value, &r.cohort_start.unwrap_or(Day::MIN)])
        };
        for r in &rows {
            let cohort = cohort(r, &r.dimension, &r.dimension_value);
            let then = format!("{cohort}{}", r.as_of);
            let least = cells.least(r.dimension != ALL);
            let of = |cells: &mut CellTable, name: String, n: Option<i64>| n.map(|n| cells.cell_from(least, name, n));
            self.cohorts.push([
                of(cells, cohort, r.customers),
                of(cells, format!("{then}active"), r.active_customers),
                of(cells, format!("{then}repeat"), r.repeat_customers),
            ]);
        }
        for (number, name) in ["customers", "active"].iter().enumerate() {
            let by_date = group(rows.iter().zip(&self.cohorts).filter_map(|(r, count_cells)| {
                Some((key(&[&r.as_of, &r.slice, &r.dimension, &r.dimension_value]), (*r, count_cells[number]?)))
            }));
            for parts in by_date.into_values() {
                let Some((r, _)) = parts.first() else { continue };
                let total = match number {
                    0 => total_key(r.as_of, &r.slice, &r.dimension, &r.dimension_value),
                    // Growth is not shown by dimension.
                    _ if r.dimension != ALL => continue,
                    _ => key(&[&"growth", &r.as_of, &r.slice, &ALL, &ALL]) + name,
                };
                cells.sum_from(cells.least(r.dimension != ALL), parts.into_iter().map(|(_, c)| c).collect(), total);
            }
        }
        // The values of a dimension add up to everybody, cohort by cohort.
        for (number, name) in ["", "active", "repeat"].iter().enumerate() {
            let by_dimension =
                group(rows.iter().zip(&self.cohorts).filter(|(r, _)| r.dimension != ALL).filter_map(|(r, count_cells)| {
                    let at = key(&[&r.as_of, &r.slice, &r.dimension, &r.cohort_start.unwrap_or(Day::MIN)]);
                    Some((at, (*r, count_cells[number]?)))
                }));
            for parts in by_dimension.into_values() {
                let Some((r, _)) = parts.first() else { continue };
                let mut total = cohort(r, ALL, ALL);
                if number > 0 {
                    total += &format!("{}{name}", r.as_of);
                }
                cells.sum_from(cells.least(true), parts.into_iter().map(|(_, c)| c).collect(), total);
            }
        }
    }

    fn effects(&mut self, data: &ReportData, cells: &mut CellTable) {
        let period = |day: Option<Day>| day.map(|d| d.to_string()).unwrap_or_default();
        let phase = |p: &Option<String>| p.clone().unwrap_or_default();
        let mut sums: BTreeMap<String, (Vec<Cell>, String)> = BTreeMap::new();
        let dimensions: BTreeSet<&str> = data.segments.iter().flatten().map(|r| r.dimension.as_str()).collect();
        let mut add = |cells: &mut CellTable, place: &str, estimate: &str, scheme: &str, state: &str, n: Option<i64>| {
            let least = cells.least(scheme != ALL && dimensions.contains(scheme));
            let cell = cells.cell_from(least, format!("{place}{}", key(&[&scheme, &state])), n?);
            if scheme != ALL {
                let total = format!("{place}{}", key(&[&ALL, &ALL]));
                sums.entry(format!("{place}{scheme}\u{1f}{estimate}")).or_insert((Vec::new(), total)).0.push(cell);
            }
            Some(cell)
        };
        for r in data.effects.iter().flatten() {
            let place = key(&[&"effect", &r.strategy, &period(r.period_start), &phase(&r.phase)]);
            let against = r.against.as_deref().unwrap_or_default();
            let estimate = key(&[&r.arm, &against, &r.outcome, &r.method]);
            self.effects.push([
                add(cells, &format!("{place}{}", key(&[&"arm", &r.arm])), &estimate, &r.scheme, &r.state, r.n_treated),
                add(cells, &format!("{place}{}", key(&[&"arm", &against])), &estimate, &r.scheme, &r.state, r.n_control),
            ]);
        }
        for r in data.effects_over_time.iter().flatten() {
            let place = key(&[&"pooled", &r.strategy, &phase(&r.phase)]);
            let against = r.against.as_deref().unwrap_or_default();
            let estimate = key(&[&r.arm, &against, &r.outcome, &r.method]);
            self.pooled.push([
                add(cells, &format!("{place}{}", key(&[&"arm", &r.arm])), &estimate, &r.scheme, &r.state, r.n_treated),
                add(cells, &format!("{place}{}", key(&[&"arm", &against])), &estimate, &r.scheme, &r.state, r.n_control),
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
        for (r, count_cells) in data.effects_over_time.iter().flatten().zip(&self.pooled) {
            let same = |e: &EffectRow| of_effect(e) == of_pooled(r) && (&e.scheme, &e.state) == (&r.scheme, &r.state);
            let of_periods: Vec<_> = data.effects.iter().flatten().zip(&self.effects).filter(|(e, _)| same(e)).collect();
            for side in 0..2 {
                let parts: Vec<Cell> = of_periods.iter().filter_map(|(_, c)| c[side]).collect();
                if let Some(total) = count_cells[side]
                    && parts.iter().map(|c| cells.count(*c)).sum::<i64>() == cells.count(total)
                {
                    cells.add_sum(parts, total);
                }
            }
        }
        self.add_to_date(data, cells);
    }

    /// Customers so far are those of the row before and those of the period; the last row has those of all periods.
    fn add_to_date(&mut self, data: &ReportData, cells: &mut CellTable) {
        let rows: Vec<&EffectToDateRow> = data.effects_to_date.iter().flatten().collect();
        for r in &rows {
            let through = r.through_start.unwrap_or(Day::MIN);
            let mut side = |arm: Option<&str>, n: Option<i64>| {
                let [strategy, phase, _, _, outcome, method] = so_far(r).map(Option::unwrap_or_default);
                let place = key(&[&"to date", &strategy, &phase, &arm.unwrap_or_default(), &outcome, &method, &through]);
                n.map(|n| cells.cell(place, n))
            };
            self.to_date.push([side(Some(&r.arm), r.n_treated), side(r.against.as_deref(), r.n_control)]);
        }
        for (at, (row, own)) in rows.iter().zip(&self.to_date).enumerate() {
            let neighbour = |at: Option<usize>| rows.get(at?).filter(|other| so_far(other) == so_far(row)).and(at);
            let before = neighbour(at.checked_sub(1)).and_then(|at| self.to_date.get(at));
            let mut of_period = data.effects.iter().flatten().zip(&self.effects);
            let of_period = of_period
                .find(|(e, _)| e.state == ALL && e.period_start == row.through_start && of_effect(e) == so_far(row))
                .map(|(_, own)| own);
            let mut of_all =
                data.effects_over_time.iter().flatten().zip(&self.pooled).filter(|_| neighbour(Some(at + 1)).is_none());
            let of_all = of_all.find(|(e, _)| e.state == ALL && of_pooled(e) == so_far(row)).map(|(_, own)| own);
            for side in 0..2 {
                let Some(total) = own[side] else { continue };
                let parts: Vec<Cell> = [before, of_period].into_iter().flatten().filter_map(|own| own[side]).collect();
                if parts.iter().map(|c| cells.count(*c)).sum::<i64>() == cells.count(total) {
                    cells.add_sum(parts, total);
                }
                if let Some(all) = of_all.and_then(|own| own[side]).filter(|all| cells.count(*all) == cells.count(total)) {
                    cells.add_sum(vec![total], all);
                }
            }
        }
    }

    fn thresholds(&mut self, data: &ReportData, cells: &mut CellTable) {
        let start = |day: Option<Day>| day.unwrap_or(Day::MIN);
        for r in data.thresholds.iter().flatten() {
            let mut side = |name: &str, n: Option<i64>| {
                let place = key(&[&"cut", &r.strategy, &start(r.period_start), &r.outcome, &name]);
                n.map(|n| cells.cell(place, n))
            };
            self.thresholds.push([side("below", r.n_below), side("beyond", r.n_beyond)]);
        }
        let place = |r: &ThresholdBinRow| key(&[&"cut", &r.strategy, &start(r.period_start), &r.outcome, &r.side]);
        let rows: Vec<&ThresholdBinRow> = data.threshold_bins.iter().flatten().collect();
        self.threshold_bins =
            rows.iter().map(|r| r.customers.map(|n| cells.cell(key(&[&place(r), &"bin", &r.bin]), n))).collect();
        let bins: Vec<_> = rows.iter().zip(&self.threshold_bins).filter_map(|(r, c)| Some((place(r), (*c)?))).collect();
        for (total, parts) in group(bins) {
            cells.sum(parts, total);
        }
    }

    fn cutpoints(&mut self, data: &ReportData, cells: &mut CellTable) {
        let rows: Vec<_> = data.cutpoints.iter().flatten().collect();
        let place = |r: &CutPointRow| key(&[&"bins", &r.as_of, &r.slice, &r.axis]);
        let count_cells: Vec<_> =
            rows.iter().map(|r| r.customers.map(|n| cells.cell(format!("{}{:?}", place(r), r.bin), n))).collect();
        for (total, parts) in group(rows.iter().zip(&count_cells).filter_map(|(r, c)| Some((place(r), (*c)?)))) {
            cells.sum(parts, total);
        }
        self.cutpoints = count_cells;
    }
}
