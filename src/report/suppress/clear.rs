//! Takes hidden counts out of the rows, and every number that tells of the same customers.

use std::collections::BTreeSet;

use super::cells::{Cell, CellTable};
use super::row_cells::RowCells;
use crate::domain::{ALL, Day};
use crate::report::data::ReportData;

/// Arms in a state and a period, or over all periods, of which numbers are told; one arm alone is described.
#[derive(Clone, PartialEq)]
struct Compared {
    strategy: String,
    start: Option<Day>,
    arms: [Option<String>; 2],
    state: [String; 2],
}

impl Compared {
    fn of(strategy: &str, start: Option<Day>, arms: [Option<&String>; 2], state: [&String; 2]) -> Compared {
        Compared { strategy: strategy.into(), start, arms: arms.map(|arm| arm.cloned()), state: state.map(String::clone) }
    }
}

impl RowCells {
    /// Takes out what is hidden, and every number that tells of the same customers.
    pub fn clear(&self, data: &mut ReportData, cells: &CellTable) {
        let hidden = |cell: &Option<Cell>| cells.is_hidden(*cell);
        self.clear_segments(data, cells);
        for (r, (count_cells, from)) in data.transitions.iter_mut().flatten().zip(&self.transitions) {
            if hidden(count_cells) {
                (r.customers, r.revenue, r.suppressed) = (None, None, true);
            }
            if hidden(count_cells) || hidden(from) {
                (r.rate, r.rate_low, r.rate_high, r.suppressed) = (None, None, None, true);
            }
        }
        for (r, count_cells) in data.moves.iter_mut().flatten().zip(&self.moves) {
            if hidden(count_cells) {
                (r.customers, r.suppressed) = (None, true);
            }
        }
        for (r, count_cells) in data.growth.iter_mut().flatten().zip(&self.growth) {
            let row = &mut r.row;
            let counts = [
                &mut row.customers,
                &mut row.active,
                &mut row.new,
                &mut row.retained,
                &mut row.resurrected,
                &mut row.lapsed,
                &mut row.inactive,
            ];
            for (count, cell) in counts.into_iter().zip(count_cells) {
                if hidden(cell) {
                    *count = None;
                }
            }
            if count_cells.iter().any(hidden) {
                (r.suppressed, r.previous_active, r.change) = (true, None, None);
                (r.retention_rate, r.churn_rate, r.reactivation_rate) = (None, None, None);
            }
            if hidden(&count_cells[1]) {
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
        clear_affinity(data, cells.min);
        clear_forecast(data, cells.min);
        self.clear_effects(data, cells);
        self.clear_thresholds(data, cells);
        for (r, count_cells) in data.cutpoints.iter_mut().flatten().zip(&self.cutpoints) {
            if hidden(count_cells) {
                (r.customers, r.suppressed) = (None, true);
            }
        }
    }

    fn clear_segments(&self, data: &mut ReportData, cells: &CellTable) {
        let hidden = |cell: &Option<Cell>| cells.is_hidden(*cell);
        for (r, (count_cells, total, repeat)) in data.segments.iter_mut().flatten().zip(&self.segments) {
            if hidden(count_cells) {
                (r.customers, r.customer_share, r.orders, r.revenue, r.revenue_share) = (None, None, None, None, None);
                (r.avg_order_value, r.repeat_customers, r.revenue_at_risk) = (None, None, None);
                (r.annual_value, r.mean_recency_days, r.mean_frequency, r.mean_monetary) = (None, None, None, None);
                (r.margin, r.cost_to_serve, r.contribution, r.answers, r.satisfaction) = (None, None, None, None, None);
                r.suppressed = true;
            }
            if hidden(total) {
                (r.customer_share, r.revenue_share, r.suppressed) = (None, None, true);
            }
            if hidden(repeat) {
                (r.repeat_customers, r.suppressed) = (None, true);
            }
            if r.answers.is_some_and(|n| 0 < n && n < cells.min) {
                (r.answers, r.satisfaction, r.suppressed) = (None, None, true);
            }
        }
    }

    fn clear_thresholds(&self, data: &mut ReportData, cells: &CellTable) {
        let mut told: Vec<(String, Option<Day>)> = Vec::new();
        for (r, count_cells) in data.thresholds.iter_mut().flatten().zip(&self.thresholds) {
            // Who was treated against the cut, or was not, may be few, too.
            let exceptions = |share: Option<f64>, n: Option<i64>| {
                let (share, n) = (share.unwrap_or(0.0), n.unwrap_or(0));
                let treated = (share * n as f64).round() as i64;
                [treated, n - treated].into_iter().any(|n| 0 < n && n < cells.min)
            };
            if exceptions(r.treated_below, r.n_below) || exceptions(r.treated_beyond, r.n_beyond) {
                (r.treated_below, r.treated_beyond, r.suppressed) = (None, None, true);
                r.not_estimable = None;
                told.push((r.strategy.clone(), r.period_start));
            }
            if count_cells.iter().any(|cell| cells.is_hidden(*cell)) {
                (r.customers, r.kept, r.n_below, r.n_beyond) = (None, None, None, None);
                (r.values_below, r.values_beyond, r.bandwidth, r.bias_bandwidth) = (None, None, None, None);
                (r.treated_below, r.treated_beyond, r.limit_below, r.limit_beyond) = (None, None, None, None);
                (r.slope_below, r.slope_beyond, r.corrected, r.robust_error) = (None, None, None, None);
                (r.density_p, r.density_p_adjusted, r.placebo_p, r.placebo_p_adjusted) = (None, None, None, None);
                (r.placebo, r.placebo_low, r.placebo_high, r.not_estimable) = (None, None, None, None);
                r.suppressed = true;
            }
        }
        for (r, cell) in data.threshold_bins.iter_mut().flatten().zip(&self.threshold_bins) {
            if cells.is_hidden(*cell) {
                (r.customers, r.mean, r.suppressed) = (None, None, true);
            }
        }
        // Reasons tell these shares.
        for r in data.effects.iter_mut().flatten().filter(|r| r.not_estimable.is_some()) {
            if told.contains(&(r.strategy.clone(), r.period_start)) {
                (r.not_estimable, r.suppressed) = (None, true);
            }
        }
        for r in data.verdicts.iter_mut().flatten().filter(|r| r.difference.is_none()) {
            if told.contains(&(r.strategy.clone(), r.period_start)) {
                (r.reason, r.suppressed) = (None, true);
            }
        }
    }

    /// Takes out what strategies have brought so far, where that tells of few customers, or of a comparison that is gone.
    fn clear_to_date(&self, data: &mut ReportData, cells: &CellTable, gone: &[Compared]) {
        for (r, count_cells) in data.effects_to_date.iter_mut().flatten().zip(&self.to_date) {
            let all = [ALL.to_owned(), ALL.to_owned()];
            // Less the row before, it is the effect of one period.
            let of_period = Compared::of(&r.strategy, r.through_start, [Some(&r.arm), r.against.as_ref()], [&all[0], &all[1]]);
            if count_cells.iter().any(|c| cells.is_hidden(*c)) || gone.contains(&of_period) {
                (r.periods, r.n_treated, r.n_control, r.covered_share) = (None, None, None, None);
                (r.difference, r.ci_low, r.ci_high, r.ci_low_adjusted, r.ci_high_adjusted) = (None, None, None, None, None);
                (r.incremental, r.incremental_low_adjusted, r.incremental_high_adjusted) = (None, None, None);
                (r.cost, r.net, r.net_low_adjusted, r.net_high_adjusted) = (None, None, None, None);
                (r.not_estimable, r.suppressed) = (None, true);
            }
        }
    }

    fn clear_effects(&self, data: &mut ReportData, cells: &CellTable) {
        let hidden = |count_cells: &[Option<Cell>; 2]| count_cells.iter().any(|c| cells.is_hidden(*c));
        let mut gone: Vec<Compared> = Vec::new();
        for (r, count_cells) in data.effects.iter_mut().flatten().zip(&self.effects) {
            if hidden(count_cells) {
                gone.push(Compared::of(&r.strategy, r.period_start, [Some(&r.arm), r.against.as_ref()], [&r.scheme, &r.state]));
                (r.n_treated, r.n_control, r.mean_treated, r.mean_control) = (None, None, None, None);
                (r.difference, r.ci_low, r.ci_high, r.p_value, r.p_adjusted) = (None, None, None, None, None);
                (r.ci_low_adjusted, r.ci_high_adjusted, r.mde, r.mde_loss) = (None, None, None, None);
                (r.lift, r.lift_low, r.lift_high, r.srm_p, r.family_size) = (None, None, None, None, None);
                (r.incremental, r.cost, r.roi, r.roi_low, r.roi_high, r.excluded) = (None, None, None, None, None, None);
                (r.net_margin_per_customer, r.net_margin_low, r.net_margin_high) = (None, None, None);
                (r.net_margin_low_adjusted, r.net_margin_high_adjusted) = (None, None);
                (r.placebo, r.placebo_low, r.placebo_high, r.placebo_cells) = (None, None, None, None);
                (r.above_placebo, r.above_placebo_p, r.above_placebo_p_adjusted) = (None, None, None);
                (r.above_placebo_low_adjusted, r.above_placebo_high_adjusted) = (None, None);
                (r.not_estimable, r.suppressed) = (None, true);
            } else if r.excluded.is_some_and(|n| 0 < n && n < cells.min) {
                (r.excluded, r.suppressed) = (None, true);
            }
        }
        for (r, count_cells) in data.effects_over_time.iter_mut().flatten().zip(&self.pooled) {
            if hidden(count_cells) {
                gone.push(Compared::of(&r.strategy, None, [Some(&r.arm), r.against.as_ref()], [&r.scheme, &r.state]));
                (r.n_treated, r.n_control, r.mean_control, r.difference) = (None, None, None, None);
                (r.ci_low, r.ci_high, r.p_value, r.lift, r.lift_low, r.lift_high) = (None, None, None, None, None, None);
                (r.q_difference, r.q_difference_p, r.q_lift, r.q_lift_p) = (None, None, None, None);
                (r.ci_low_adjusted, r.ci_high_adjusted, r.p_adjusted, r.family_size) = (None, None, None, None);
                (r.covered_share, r.incremental, r.cost) = (None, None, None);
                (r.net_margin_per_customer, r.net_margin_low, r.net_margin_high) = (None, None, None);
                (r.placebo, r.placebo_low, r.placebo_high, r.above_placebo) = (None, None, None, None);
                (r.above_placebo_p, r.above_placebo_p_adjusted) = (None, None);
                (r.above_placebo_low_adjusted, r.above_placebo_high_adjusted) = (None, None);
                (r.recurring_share, r.not_estimable, r.suppressed) = (None, None, true);
            }
        }
        self.clear_to_date(data, cells, &gone);
        // The best and the worst period are effects of one period.
        for r in data.effects_over_time.iter_mut().flatten() {
            let is_hidden = |start: Option<Day>| {
                gone.contains(&Compared::of(&r.strategy, start, [Some(&r.arm), r.against.as_ref()], [&r.scheme, &r.state]))
            };
            if is_hidden(None) || is_hidden(r.best_period) || is_hidden(r.worst_period) {
                (r.best_period, r.best_difference, r.worst_period, r.worst_difference) = (None, None, None, None);
                r.suppressed = true;
            }
        }
        for (r, count_cells) in data.before_after.iter_mut().flatten().zip(&self.before_after) {
            if cells.is_hidden(*count_cells) {
                gone.push(Compared::of(&r.strategy, r.period_start, [Some(&r.arm), None], [&r.scheme, &r.state]));
                (r.customers, r.mean_before, r.mean_after, r.change, r.expected_change) = (None, None, None, None, None);
                (r.note, r.suppressed) = (None, true);
                (r.unassigned, r.unassigned_change) = (None, None);
            } else if r.unassigned.is_some_and(|n| 0 < n && n < cells.min) {
                (r.note, r.unassigned_change, r.suppressed) = (None, None, true);
            }
            // With the customers of the state it gives away how many of other rows were assigned.
            if cells.min > 1 {
                r.unassigned = None;
            }
        }
        for r in data.verdicts.iter_mut().flatten() {
            let own = Compared::of(&r.strategy, r.period_start, [Some(&r.arm), r.against.as_ref()], [&r.scheme, &r.state]);
            let is_one_arm_gone = |arm: &Option<String>| gone.contains(&Compared { arms: [arm.clone(), None], ..own.clone() });
            // The reason may hold the numbers.
            if gone.contains(&own) || own.arms.iter().any(is_one_arm_gone) {
                (r.reason, r.difference, r.shrunk_difference, r.shrunk_low) = (None, None, None, None);
                (r.ci_low_adjusted, r.ci_high_adjusted, r.p_adjusted) = (None, None, None);
                (r.net_margin_per_customer, r.net_margin_low_adjusted, r.net_margin_high_adjusted) = (None, None, None);
                r.suppressed = true;
            }
        }
    }
}

/// Forecasts are shown of the states whose customers are, and of slices that are large enough.
fn clear_forecast(data: &mut ReportData, min: i64) {
    let segments = data.segments.iter().flatten().filter(|row| row.dimension == ALL && !row.suppressed);
    let shown: BTreeSet<(Day, String, String, String)> =
        segments.map(|row| (row.as_of, row.slice.clone(), row.scheme.clone(), row.state.clone())).collect();
    let is_few = |customers: Option<i64>| customers.is_some_and(|customers| customers < min);
    for r in data.forecast.iter_mut().flatten() {
        let is_shown = r.scheme == ALL || shown.contains(&(r.as_of, r.slice.clone(), r.scheme.clone(), r.state.clone()));
        if !is_shown || is_few(r.customers) {
            (r.customers, r.expected_order_days, r.expected_revenue) = (None, None, None);
            (r.order_days_model_low, r.order_days_model_high) = (None, None);
            (r.order_days_record_low, r.order_days_record_high) = (None, None);
            (r.revenue_model_low, r.revenue_model_high) = (None, None);
            (r.revenue_record_low, r.revenue_record_high) = (None, None);
            r.suppressed = true;
        }
    }
    data.backtest.iter_mut().flatten().filter(|r| is_few(r.customers)).for_each(|r| {
        (r.customers, r.expected_order_days, r.actual_order_days, r.expected_revenue, r.actual_revenue) =
            (None, None, None, None, None);
        (r.order_days_error, r.order_days_mae, r.order_days_rmse) = (None, None, None);
        (r.revenue_error, r.revenue_mae, r.revenue_rmse) = (None, None, None);
        (r.order_days_model_low, r.order_days_model_high, r.is_in_order_days_model) = (None, None, None);
        (r.order_days_record_low, r.order_days_record_high, r.is_in_order_days_record) = (None, None, None);
        (r.revenue_model_low, r.revenue_model_high, r.is_in_revenue_model) = (None, None, None);
        (r.revenue_record_low, r.revenue_record_high, r.is_in_revenue_record) = (None, None, None);
        r.suppressed = true;
    });
}

/// Takes out pairs of categories of which few customers bought both, or one without the other.
fn clear_affinity(data: &mut ReportData, min: i64) {
    let is_few = |n: i64| 0 < n && n < min;
    if let Some(rows) = &mut data.affinity {
        rows.retain(|row| {
            let [both, one, other] =
                [row.both_customers, row.category_customers, row.other_customers].map(Option::unwrap_or_default);
            ![both, one - both, other - both].into_iter().any(is_few)
        });
    }
}

/// A top share is about that share of the customers, at least one.
fn clear_concentration(data: &mut ReportData, min: i64) {
    for r in data.concentration.iter_mut().flatten() {
        let Some(customers) = r.customers else { continue };
        let row = &mut r.row;
        for (share, percent) in [(&mut row.top_1_share, 1), (&mut row.top_10_share, 10), (&mut row.top_20_share, 20)] {
            if customers > 0 && customers.saturating_mul(percent).saturating_add(99) / 100 < min {
                (*share, r.suppressed) = (None, true);
            }
        }
        if 0 < customers && customers < min {
            (r.customers, r.revenue, r.gini, r.suppressed) = (None, None, None, true);
        }
    }
}
