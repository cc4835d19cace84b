//! What the console shows at the end of a run: a short table of states, and warnings.

use super::scanned::Scanned;
use super::scored::Scored;
use super::stage::Stage;
use crate::domain::{Day, OrdersWarning, Warning};
use crate::job::Job;
use crate::measure::RowsOfKnownOrders;
use crate::plan::SchemeColumn;
use crate::score::{Axis, SliceScoring};
use crate::tables::{Segment, SegmentKey};

/// A line of the table of states.
#[derive(Debug, Clone, PartialEq)]
pub struct StateLine {
    /// Scheme column.
    pub scheme: String,
    /// State.
    pub state: String,
    /// Customers in it, over all slices.
    pub customers: i64,
    /// Their share.
    pub share: f64,
    /// Revenue in the lookback, minor units.
    pub revenue: i128,
    /// Share of the revenue; `None` where there is none.
    pub revenue_share: Option<f64>,
}

/// The states at the last as-of date, over all slices, best first.
pub fn states(segments: &[Segment], schemes: &[SchemeColumn], last_date: usize) -> Vec<StateLine> {
    let mut out = Vec::new();
    for (number, column) in schemes.iter().enumerate() {
        let names = column.scheme.all_states();
        let is_of_scheme = |key: &SegmentKey| key[0] as usize == last_date && key[2] == 0 && key[4] as usize == number;
        let of_scheme: Vec<&Segment> = segments.iter().filter(|(key, _)| is_of_scheme(key)).collect();
        let all_customers: i64 = of_scheme.iter().map(|(_, sum)| sum.customers).sum();
        let all_revenue: i128 = of_scheme.iter().map(|(_, sum)| sum.revenue).sum();
        let mut states: Vec<usize> = (0..names.len()).collect();
        states.sort_by_key(|s| column.scheme.rank(*s));
        for state in states {
            let of_state = of_scheme.iter().filter(|(key, _)| key[5] as usize == state);
            let (customers, revenue) = of_state.fold((0, 0), |(c, m), (_, sum)| (c + sum.customers, m + sum.revenue));
            if customers > 0 {
                out.push(StateLine {
                    scheme: column.column.clone(),
                    state: names[state].clone(),
                    customers,
                    share: customers as f64 / all_customers as f64,
                    revenue,
                    revenue_share: (all_revenue != 0).then(|| revenue as f64 / all_revenue as f64),
                });
            }
        }
    }
    out
}

/// What is odd about the data and the scores at the last as-of date.
pub fn data_warnings(stage: Stage<'_>, scanned: &Scanned, scored: &Scored, states: &[StateLine]) -> Vec<Warning> {
    let Stage { job, prepared, .. } = stage;
    let mut out = Vec::new();
    for (number, slice) in scored.scoring.last().into_iter().flatten().enumerate().take(MAX_SLICES) {
        let name = scanned.slices.get(number).map(String::as_str);
        out.extend(tied_scores(job, name, slice, states, &prepared.plan.schemes));
    }
    if scanned.empty_ids > 0 {
        out.push(Warning::EmptyIds { orders: scanned.empty_ids, column: job.raw.orders.customer_id.clone() });
    }
    out.extend(orders_warnings(job, scanned, scored).into_iter().map(Warning::Orders));
    let incomplete: Vec<Day> = job.shown().filter(|(at, _)| !scored.history_complete[*at]).map(|(_, d)| d.date).collect();
    if let (Some(first), Some(data_begin)) = (incomplete.first(), scored.first_order) {
        out.push(Warning::ShortHistory { data_begin, first: *first, dates: incomplete.len() });
    }
    out
}

/// What is odd about the rows of orders.
fn orders_warnings(job: &Job, scanned: &Scanned, scored: &Scored) -> Vec<OrdersWarning> {
    let mut out = Vec::new();
    let lines = scored.line_findings;
    if lines.long_orders > 0 {
        out.push(OrdersWarning::LongOrders { orders: lines.long_orders, columns: job.order_id().to_vec() });
    }
    if let Some(latest) = job.raw.orders.latest.as_ref().filter(|_| scanned.shared_keys > 0) {
        let customer = job.raw.orders.customer_id.clone();
        out.push(OrdersWarning::SharedKeys { keys: scanned.shared_keys, columns: latest.key.clone(), customer });
    }
    if let Some(known) = scanned.customerless.known() {
        let RowsOfKnownOrders { rows, money, is_estimate } = known;
        let customer = job.raw.orders.customer_id.clone();
        out.push(OrdersWarning::CustomerOnOtherRow { rows, money: job.money(money), is_estimate, customer });
    }
    let by_fold = lines.positive_returns;
    let (returns, money) = (scanned.positive_returns.0 + by_fold.0, scanned.positive_returns.1 + by_fold.1);
    if let Some(predicate) = job.raw.orders.returns.as_ref().filter(|_| returns > 0 && job.is_net()) {
        out.push(OrdersWarning::PositiveReturns { returns, money: job.money(money), negated: predicate.negate });
    }
    out
}

/// Slices whose scores are checked.
const MAX_SLICES: usize = 20;

/// Share of customers with one frequency from which empty scores are reported.
const TIED: f64 = 0.4;

/// The warning that scores are empty because many customers share one frequency; `None` if they are not.
fn tied_scores(
    job: &Job,
    slice: Option<&str>,
    scoring: &SliceScoring,
    lines: &[StateLine],
    schemes: &[SchemeColumn],
) -> Option<Warning> {
    if scoring.scored == 0 {
        return None;
    }
    let at = Axis::Frequency as usize;
    let share = scoring.most_common as f64 / scoring.scored as f64;
    let empty = scoring.bins[at].iter().filter(|n| **n == 0).count();
    if share < TIED || empty == 0 {
        return None;
    }
    let uses_frequency =
        schemes.iter().find(|s| s.scheme.rules.iter().any(|r| r.when.scores[at].is_some() || r.when.cells.is_some()));
    let states = uses_frequency.filter(|_| slice.is_none()).and_then(|column| {
        let all = column.scheme.states.len();
        let is_filled =
            |line: &&StateLine| line.scheme == column.column && column.scheme.states.iter().any(|state| state.name == line.state);
        let filled = lines.iter().filter(is_filled).count();
        (filled < all).then(|| (all - filled, all, column.column.clone()))
    });
    Some(Warning::TiedScores { slice: slice.map(str::to_owned), share, empty, scores: job.score.bins, states })
}
