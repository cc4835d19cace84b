//! From sums to the rows of the tables that are one file per run.

use std::collections::BTreeMap;

use super::scored::Scored;
use crate::domain::{ALL, AsOf, DateRole, Day, Decimal, Ratio};
use crate::input::acquisition::AcquisitionCosts;
use crate::input::orders::ledger::{OutcomeNames, RowCounts, RowOutcome};
use crate::input::source::Source;
use crate::job::Job;
use crate::job::raw::{Closed, MonetaryAs};
use crate::measure::{ALL_CATEGORIES, AffinityKey, UNKNOWN_NAME};
use crate::movement::{
    CohortKey, CohortSum, Cohorts, Concentration, GrowthKey, GrowthStatus, GrowthSum, TransitionKey, TransitionSum,
};
use crate::plan::{Plan, SchemeColumn};
use crate::scheme::{FIRST_SEEN, NONE, OUTSIDE, SPECIAL_LABELS, Scheme, colour};
use crate::score::{Axis, Cut, SliceScoring};
use crate::stats::wilson;
use crate::tables::{
    AffinityRow, CohortRow, ConcentrationRow, CutPointRow, GrowthRow, LedgerRow, PeriodRow, Segment, SegmentRow, StateRow,
    TransitionRow, by_scheme,
};

/// What the numbers in keys stand for.
pub(super) struct KeyNames<'a> {
    pub job: &'a Job,
    pub slices: &'a [String],
    pub schemes: &'a [SchemeColumn],
    /// Dimensions with their values in order.
    pub dimensions: &'a [(&'a str, &'a [String])],
    /// The states of each scheme.
    pub states: &'a [Vec<String>],
}

impl KeyNames<'_> {
    pub fn date(&self, number: u32) -> Day {
        self.job.dates.get(number as usize).map_or(Day(0), |date| date.date)
    }

    /// Customers who never ordered have the number after the last slice.
    pub fn slice(&self, number: usize) -> String {
        let absent = if self.slices.is_empty() { ALL } else { NONE };
        self.slices.get(number).cloned().unwrap_or_else(|| absent.into())
    }

    /// A dimension, of which 0 is the total, and one of its values.
    fn dimension(&self, number: u32, value: u32) -> (String, String) {
        match number.checked_sub(1).and_then(|at| self.dimensions.get(at as usize)) {
            Some((name, values)) => ((*name).into(), values.get(value as usize).cloned().unwrap_or_else(|| UNKNOWN_NAME.into())),
            None => (ALL.into(), ALL.into()),
        }
    }

    pub fn scheme(&self, number: u32) -> String {
        self.schemes.get(number as usize).map_or_else(String::new, |scheme| scheme.column.clone())
    }

    pub fn state(&self, scheme: u32, state: u32) -> String {
        self.states.get(scheme as usize).and_then(|states| states.get(state as usize)).cloned().unwrap_or_default()
    }

    /// Place of a state in the order of the ladder.
    pub fn rank(&self, scheme: u32, state: u32) -> usize {
        self.schemes.get(scheme as usize).map_or(0, |scheme| scheme.scheme.rank(state as usize))
    }

    fn is_at_risk(&self, scheme: u32, state: u32) -> bool {
        let scheme = self.schemes.get(scheme as usize);
        scheme.and_then(|scheme| scheme.scheme.states.get(state as usize)).is_some_and(|state| state.at_risk)
    }

    pub fn money(&self, minor_units: i128) -> Decimal {
        Decimal { digits: minor_units, scale: self.job.scale() }
    }

    /// Money with two digits more.
    fn average(&self, digits: i128) -> Decimal {
        Decimal { digits, scale: self.job.scale() + 2 }
    }
}

/// The rows of `cutpoints` of a slice at a date.
pub(super) fn cutpoints(plan: &Plan, date: &AsOf, number: usize, slice: &SliceScoring, names: &KeyNames<'_>) -> Vec<CutPointRow> {
    // A bound in printed units, and as an exact fraction.
    let printed = |bound: Ratio, scale: u32| (bound.printed(scale), bound.to_string());
    let mut rows = Vec::new();
    let mut push = |axis: &str, bin: usize, ends: [Option<(f64, String)>; 2], closed: Closed, customers: i64| {
        let [(lower, lower_exact), (upper, upper_exact)] = ends.map(Option::unzip);
        rows.push(CutPointRow {
            as_of: date.date,
            slice: names.slice(number),
            axis: axis.into(),
            bin: Some(bin as i64 + 1),
            lower,
            upper,
            lower_exact,
            upper_exact,
            closed: Some(if closed == Closed::Right { "right" } else { "left" }.into()),
            customers: Some(customers),
        });
    };
    for axis in Axis::ALL {
        let Some(points) = &slice.cuts[axis as usize] else { continue };
        let scale = if axis == Axis::Monetary { names.job.monetary_scale() } else { 0 };
        let bound = |cut: Option<&Cut>| cut.and_then(|cut| cut.ratio()).map(|ratio| printed(ratio, scale));
        for (bin, customers) in slice.bins[axis as usize].iter().enumerate() {
            let lower = bin.checked_sub(1).and_then(|below| bound(points.cuts.get(below)));
            push(axis.name(), bin, [lower, bound(points.cuts.get(bin))], points.closed, *customers as i64);
        }
    }
    for axis in Axis::ALL.into_iter().filter(|_| plan.uses_levels()) {
        let Some(level) = slice.levels.as_ref().map(|levels| &levels[axis as usize]) else { continue };
        let [low, high] = slice.level_sides[axis as usize];
        let scale = if axis == Axis::Monetary && !level.of_score { names.job.monetary_scale() } else { 0 };
        let bound = Some(printed(level.bound, scale));
        push(axis.level_name(), 0, [None, bound.clone()], level.closed(), low as i64);
        push(axis.level_name(), 1, [bound, None], level.closed(), high as i64);
    }
    rows
}

/// The rows of `segments`, states in the order of the ladder. `segments` are sorted by key, each key once.
pub(super) fn segments(segments: &[Segment], names: &KeyNames<'_>) -> Vec<SegmentRow> {
    let monetary_is_average = names.job.score.monetary_as == MonetaryAs::Average;
    let mut rows = Vec::with_capacity(segments.len());
    let (has_costs, satisfaction) = (names.job.event_kinds.have_costs(), names.job.event_kinds.satisfaction());
    for (states, total) in by_scheme(segments) {
        let mut states = states.to_vec();
        // Of dates that tables do not show, only restatements need sums.
        states.retain(|([date, ..], _)| names.job.dates.get(*date as usize).is_some_and(AsOf::is_shown));
        states.sort_by_key(|([.., scheme, state], _)| names.rank(*scheme, *state));
        for ([date, slice, dimension, value, scheme, state], sum) in states {
            let (dimension, dimension_value) = names.dimension(dimension, value);
            let cost_to_serve = has_costs.then_some(sum.cost_to_serve);
            let margin = sum.known_margin().filter(|_| has_costs && names.job.raw.orders.cost.is_some());
            rows.push(SegmentRow {
                as_of: names.date(date),
                slice: names.slice(slice as usize),
                dimension,
                dimension_value,
                scheme: names.scheme(scheme),
                state: names.state(scheme, state),
                customers: Some(sum.customers),
                customer_share: Some(sum.customers as f64 / total.customers as f64),
                orders: Some(sum.orders),
                revenue: Some(names.money(sum.revenue)),
                revenue_share: (total.revenue != 0).then(|| sum.revenue as f64 / total.revenue as f64),
                avg_order_value: sum.avg_order_value().map(|digits| names.average(digits)),
                repeat_customers: Some(sum.repeat_customers),
                revenue_at_risk: names.is_at_risk(scheme, state).then(|| names.money(sum.annual_value)),
                mean_recency_days: sum.mean(sum.recency_days),
                mean_frequency: sum.mean(sum.orders),
                mean_monetary: sum.mean_monetary(monetary_is_average).map(|digits| names.average(digits)),
                annual_value: Some(names.money(sum.annual_value)),
                margin: margin.map(|margin| names.money(margin)),
                cost_to_serve: cost_to_serve.map(|cost| names.money(cost)),
                contribution: margin.zip(cost_to_serve).map(|(margin, cost)| names.money(margin - cost)),
                answers: satisfaction.map(|_| sum.answers),
                satisfaction: satisfaction.and_then(|(_, scale)| sum.mean_satisfaction(scale)),
            });
        }
    }
    rows
}

/// The rows of `ledger`.
pub(super) fn ledger(counts: &RowCounts, outcomes: &OutcomeNames, sources: &[Source], names: &KeyNames<'_>) -> Vec<LedgerRow> {
    // Several filters on one column are one outcome.
    let mut rows: BTreeMap<(usize, RowOutcome, String), (u64, i128)> = BTreeMap::new();
    let mut first: BTreeMap<String, RowOutcome> = BTreeMap::new();
    for (file, outcome, count, money) in counts.cells() {
        let name = outcomes.name(outcome);
        let outcome = *first.entry(name.clone()).or_insert(outcome);
        let cell = rows.entry((file, outcome, name)).or_default();
        cell.0 += count;
        cell.1 += money;
    }
    let row = |((file, _, outcome), (count, money))| LedgerRow {
        file: sources.get(file).map_or_else(String::new, |source: &Source| source.input.name.clone()),
        outcome,
        row_count: Some(count as i64),
        amount: Some(names.money(money)),
    };
    rows.into_iter().map(row).collect()
}

/// The rows of `transitions`, states in the order of the ladder. `moves` has each key once, and all of the keys that differ in
/// states alone.
pub(super) fn transitions(moves: &[(TransitionKey, TransitionSum)], names: &KeyNames<'_>) -> Vec<TransitionRow> {
    let mut moves: Vec<&(TransitionKey, TransitionSum)> = moves.iter().collect();
    moves.sort_by_key(|([place @ .., from, to], _)| {
        let states = [*from, *to];
        (place, states.map(|state| names.rank(place[4], state)), states)
    });
    let mut rows = Vec::with_capacity(moves.len());
    for of_state in moves.chunk_by(|a, b| a.0[..7] == b.0[..7]) {
        let all: i64 = of_state.iter().map(|(_, moved)| moved.customers).sum();
        for (key, moved) in of_state {
            let [date, slice, dimension, value, scheme, origin, from, to] = *key;
            let (dimension, dimension_value) = names.dimension(dimension, value);
            let (rate_low, rate_high) = wilson(moved.customers, all).unzip();
            rows.push(TransitionRow {
                as_of: names.date(date),
                slice: names.slice(slice as usize),
                dimension,
                dimension_value,
                scheme: names.scheme(scheme),
                from_state: names.state(scheme, from),
                to_state: names.state(scheme, to),
                from_as_of: names.date(origin),
                customers: Some(moved.customers),
                rate: Some(moved.customers as f64 / all.max(1) as f64),
                rate_low,
                rate_high,
                revenue: Some(names.money(moved.revenue)),
            });
        }
    }
    rows
}

/// The rows of `growth`, states in the order of the ladder. `sums` has each key once.
pub(super) fn growth(sums: &[(GrowthKey, GrowthSum)], names: &KeyNames<'_>) -> Vec<GrowthRow> {
    let mut sums: Vec<&(GrowthKey, GrowthSum)> = sums.iter().collect();
    // Scheme 0 is the total, the others are one more than their numbers.
    sums.sort_by_key(|([date, slice, scheme, state], _)| {
        let rank = scheme.checked_sub(1).map_or(0, |scheme| names.rank(scheme, *state));
        (*date, *slice, *scheme, rank, *state)
    });
    let row = |([date, slice, scheme, state], sum): &&(GrowthKey, GrowthSum)| {
        let scheme = scheme.checked_sub(1);
        let before = names.job.followed_before(*date as usize).and_then(|before| names.job.dates.get(before));
        GrowthRow {
            as_of: names.date(*date),
            slice: names.slice(*slice as usize),
            scheme: scheme.map_or_else(|| ALL.into(), |scheme| names.scheme(scheme)),
            from_state: scheme.map_or_else(|| ALL.into(), |scheme| names.state(scheme, *state)),
            from_as_of: before.map(|before| before.date),
            customers: Some(sum.all()),
            active: Some(sum.active()),
            new: Some(sum.of(GrowthStatus::New)),
            retained: Some(sum.of(GrowthStatus::Retained)),
            resurrected: Some(sum.of(GrowthStatus::Resurrected)),
            lapsed: Some(sum.of(GrowthStatus::Lapsed)),
            inactive: Some(sum.of(GrowthStatus::Inactive)),
            previous_active: Some(sum.previous_active()),
            change: Some(sum.active() - sum.previous_active()),
            retention_rate: sum.retention_rate(),
            churn_rate: sum.churn_rate(),
            reactivation_rate: sum.reactivation_rate(),
            revenue: Some(names.money(sum.revenue)),
        }
    };
    sums.iter().map(row).collect()
}

/// The rows of `cohorts`; `costs` are those of winning the customers of a period. `sums` are sorted by key, each key once.
pub(super) fn cohorts(sums: &[(CohortKey, CohortSum)], costs: &AcquisitionCosts, names: &KeyNames<'_>) -> Vec<CohortRow> {
    // Periods up to each date.
    let count = |periods: &mut i64, date: &AsOf| {
        *periods += i64::from(date.is_followed());
        Some(*periods)
    };
    let periods: Vec<i64> = names.job.dates.iter().scan(0, count).collect();
    let unit = 10f64.powi(names.job.scale() as i32);
    let share = |part: i64, whole: i64| Some(part as f64 / whole.max(1) as f64);
    let row = |&([date, slice, dimension, value, cohort], sum): &(CohortKey, CohortSum)| {
        let (dimension, dimension_value) = names.dimension(dimension, value);
        let first = Cohorts::date(cohort).and_then(|first| Some((first, names.job.dates.get(first)?)));
        let start = first.and_then(|(_, first)| first.period_start);
        // What was spent is known of all slices together.
        let spent = start.filter(|_| names.slices.is_empty()).and_then(|start| costs.of(start, &dimension, &dimension_value));
        CohortRow {
            as_of: names.date(date),
            slice: names.slice(slice as usize),
            cohort_start: start,
            cohort_end: first.map(|(_, first)| first.date),
            periods_since: first.and_then(|(first, _)| Some(periods.get(date as usize)? - periods.get(first)?)),
            customers: Some(sum.customers),
            active_customers: Some(sum.active),
            retention_rate: share(sum.active, sum.customers),
            repeat_customers: Some(sum.repeat),
            repeat_rate: share(sum.repeat, sum.customers),
            orders: Some(sum.orders),
            revenue: Some(names.money(sum.revenue)),
            revenue_to_date: Some(names.money(sum.revenue_to_date)),
            spend: spent.map(|spent| names.money(spent)),
            cac: spent.map(|spent| spent as f64 / unit / sum.customers.max(1) as f64),
            payback_ratio: spent.filter(|spent| *spent > 0).map(|spent| sum.revenue_to_date as f64 / spent as f64),
            dimension,
            dimension_value,
        }
    };
    sums.iter().map(row).collect()
}

/// The rows of `affinity`: pairs of two categories. `sums` have all of a date and slice, sorted by key.
pub(super) fn affinity(sums: &[(AffinityKey, i64)], categories: &[String], names: &KeyNames<'_>) -> Vec<AffinityRow> {
    let mut rows = Vec::new();
    for group in sums.chunk_by(|a, b| a.0[..2] == b.0[..2]) {
        // The customers of a category, or of all.
        let customers = |category: u32| {
            let at = group.binary_search_by_key(&[category, category], |([_, _, one, other], _)| [*one, *other]).ok();
            at.and_then(|at| group.get(at)).map_or(0, |(_, customers)| *customers)
        };
        let all = customers(ALL_CATEGORIES);
        let name = |category: u32| categories.get(category as usize).cloned().unwrap_or_default();
        for ([date, slice, one, other], both) in group.iter().filter(|([_, _, one, other], _)| one != other) {
            let [of_one, of_other] = [*one, *other].map(customers);
            rows.push(AffinityRow {
                as_of: names.date(*date),
                slice: names.slice(*slice as usize),
                category: name(*one),
                other_category: name(*other),
                customers: Some(all),
                category_customers: Some(of_one),
                other_customers: Some(of_other),
                both_customers: Some(*both),
                lift: Some((*both as f64 * all as f64) / (of_one as f64 * of_other as f64)),
            });
        }
    }
    rows
}

/// The rows of `concentration`, from numbers of date and slice.
pub(super) fn concentration(of_slices: &[(usize, usize, Concentration)], names: &KeyNames<'_>) -> Vec<ConcentrationRow> {
    let row = |(date, slice, concentration): &(usize, usize, Concentration)| {
        let [top_1_share, top_10_share, top_20_share] = concentration.top_shares;
        ConcentrationRow {
            as_of: names.date(*date as u32),
            slice: names.slice(*slice),
            customers: Some(concentration.customers),
            revenue: Some(names.money(concentration.revenue)),
            top_1_share,
            top_10_share,
            top_20_share,
            gini: concentration.gini,
        }
    };
    of_slices.iter().map(row).collect()
}

/// The rows of `dim_state`, states in the order of the ladder.
pub(super) fn dim_state(job: &Job, plan: &Plan, scored: &Scored) -> Vec<StateRow> {
    let mut rows = Vec::new();
    let first_as_of = job.published().next().map(|(_, date)| date.date);
    let last_as_of = job.published().last().map(|(_, date)| date.date);
    for ((column, actions), scheme_place) in plan.schemes.iter().zip(&plan.playbook).zip(1..) {
        let scheme = &column.scheme;
        let mut states: Vec<(usize, String)> = scheme.all_states().into_iter().enumerate().collect();
        states.sort_by_key(|(number, _)| scheme.rank(*number));
        for (number, name) in states {
            // States in parentheses are not of the scheme.
            let state = scheme.states.get(number);
            let place = scheme.place(number);
            let is_first_seen =
                state.is_some_and(|state| state.says_new) && scored.is_first_seen(first_orders(job, scheme, number));
            let label = |language: &str| match FIRST_SEEN.iter().find(|(of, _)| is_first_seen && *of == language) {
                Some((_, label)) => Some((*label).to_owned()),
                None => match state {
                    Some(state) => state.labels.get(language).cloned(),
                    None => special_label(&name, language),
                },
            };
            let colour = place.map_or_else(|| OUTSIDE.to_owned(), |place| colour(place, scheme.places()));
            rows.push(StateRow {
                scheme: column.column.clone(),
                state: name.clone(),
                rank: place.map(|place| place as i64 + 1),
                label_en: label("en").or_else(|| Some(name.clone())),
                label_zh_hans: label("zh-Hans"),
                definition: state.map(|state| state.definition.clone()).filter(|definition| !definition.is_empty()),
                action: actions.get(number).cloned().flatten(),
                colour: Some(colour),
                is_at_risk: Some(state.is_some_and(|state| state.at_risk)),
                scheme_place: Some(scheme_place),
                is_first_seen: Some(is_first_seen),
                is_current: Some(true),
                first_as_of,
                last_as_of,
            });
        }
    }
    rows
}

/// What tables call the role of a date that they show.
fn role(date: &AsOf) -> &'static str {
    match date.role {
        DateRole::Boundary => "trend",
        DateRole::Comparison => "comparison",
        DateRole::Published | DateRole::Hidden => "own",
    }
}

/// What reports call a state that is of no scheme.
fn special_label(state: &str, language: &str) -> Option<String> {
    let label = SPECIAL_LABELS.iter().find(|(of, tag, _)| *of == state && *tag == language);
    label.map(|(_, _, label)| (*label).to_owned())
}

/// The first day on which customers who are in a new state at the last as-of date can have ordered first: by the state's bound on
/// tenure, else the period's first day.
fn first_orders(job: &Job, scheme: &Scheme, state: usize) -> Day {
    let Some(last) = job.dates.last() else { return Day::MIN };
    match scheme.tenure_of(state) {
        [_, Some(days)] => Day((i64::from(last.date.0) - days).max(i64::from(Day::MIN.0)) as i32),
        _ => last.as_measured().period_start.unwrap_or(last.date),
    }
}

/// Whether who is new at a date may have ordered before the data begin.
pub(super) fn new_is_first_seen(scored: &Scored, date: &AsOf) -> bool {
    scored.is_first_seen(date.period_start.unwrap_or(date.date))
}

/// The rows of `dim_period`.
pub(super) fn dim_period(job: &Job, scored: &Scored, definitions_hash: &str) -> Vec<PeriodRow> {
    let if_shown = |day: Day| job.shown().any(|(_, other)| other.date == day).then_some(day);
    let row = |(at, date): (usize, &AsOf)| PeriodRow {
        as_of: date.date,
        period_start: date.period_start,
        period_end: date.period_end,
        label: job.labels.get(at).cloned(),
        same_period_last_year: date.year_before.and_then(if_shown),
        is_partial: Some(date.period_end.is_some_and(|end| end > date.date)),
        history_complete: scored.history_complete.get(at).copied(),
        role: Some(role(date).into()),
        period_before: date.previous.and_then(|(_, last)| if_shown(last)),
        new_is_first_seen: Some(new_is_first_seen(scored, date)),
        definitions_hash: Some(definitions_hash.to_owned()),
    };
    job.shown().map(row).collect()
}
