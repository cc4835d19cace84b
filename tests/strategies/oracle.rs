//! The rows of `arms` by a plain loop over customers, from the words of docs/SUMS.md.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{ARMS, BY, COUNTRY, CUSTOMERS, Case, EVENTS, LAST, Row, SCHEMES, STRATA, Strategy, WAVE, country, date};
use crate::support::calendar::{add_months, civil_from_days};

/// What a row of `arms` belongs to, in the order of the columns: strategy, period, phase, scheme, state, cell, arm, outcome,
/// scale, the other period with cell and arm, and the bins of y, x and d.
pub type Key = Vec<String>;

/// n, then all sums in the order of the columns.
pub type Numbers = Vec<Option<i128>>;

/// What the tables of runs without strategies say of customers, on the days that matter.
pub struct Known {
    /// By day, slice, customer: states by scheme, then days since the last order, frequency and monetary, which are not known of
    /// who has no order.
    pub customers: BTreeMap<(i32, usize, usize), (Vec<String>, [Option<i64>; 3])>,
    /// By the day before a period and its last day, slice, customer: states under the cut points of the day before.
    pub moved: BTreeMap<(i32, i32, usize, usize), Vec<String>>,
}

type Span = (i32, i32);

/// The time before: the calendar unit before a calendar unit, else as many days.
fn preceding((from, to): Span) -> Span {
    let (start, end) = (civil_from_days(from.into()), civil_from_days(i64::from(to) + 1));
    let months = (end.0 - start.0) * 12 + end.1 - start.1;
    let unit = start.2 == 1 && end.2 == 1 && (months == 1 || months == 3 && start.1 % 3 == 1 || months == 12 && start.1 == 1);
    let before = if unit { add_months(from.into(), -months) as i32 } else { from - (to - from + 1) };
    (before, from - 1)
}

/// What a customer did from one day to another: purchases, money, cost.
fn deeds(case: &Case, slice: Option<usize>, customer: usize, (from, to): Span) -> (i64, i64, i64) {
    let mut out = (0, 0, 0);
    for order in &case.orders {
        let counts = order.customer == customer && slice.is_none_or(|s| s == order.slice);
        if counts && order.day <= LAST && from <= order.day && order.day <= to {
            out.0 += i64::from(order.amount >= 0);
            out.1 += order.amount;
            out.2 += order.cost;
        }
    }
    out
}

/// How many events of a kind a customer has from one day to another.
fn events(case: &Case, kind: &str, customer: usize, (from, to): Span) -> i64 {
    let own = case.events.iter().flatten().filter(|event| event.customer == customer && event.day <= LAST);
    let own = own.filter(|event| from <= event.day && event.day <= to);
    let is_of = |value: &str| kind == "events" || EVENTS.iter().any(|(name, of)| *name == value && *of == kind);
    own.filter(|event| is_of(event.value)).count() as i64
}

/// A customer's outcome from one day to another; `before` are the days before these, for outcomes that need both.
fn outcome_in(case: &Case, slice: Option<usize>, outcome: &str, customer: usize, span: Span, before: Option<Span>) -> (i64, i64) {
    match outcome.split_once(':') {
        Some(("event", kind)) => (events(case, kind, customer, span).min(1), 0),
        Some((_, kind)) => (events(case, kind, customer, span), 0),
        None => {
            let at = |span| deeds(case, slice, customer, span);
            value(case, outcome, at(span), before.map_or((0, 0, 0), at))
        }
    }
}

fn is_move(outcome: &str) -> bool {
    outcome.starts_with("moved_")
}

/// The day before the baseline, or as long before it as the day before the period is before the first assignment.
pub fn before_baseline(strategy: &Strategy, period: Span) -> i32 {
    let start = match (strategy.baseline, strategy.outcome_days) {
        (Some(baseline), _) => baseline.0,
        (None, Some(days)) => period.0 - days,
        (None, None) => preceding(period).0,
    };
    start - 1
}

/// The periods of a strategy with the days that hang on them.
struct List<'a> {
    number: usize,
    strategy: &'a Strategy,
    period: Span,
    /// One row per customer: the earliest in the one arm.
    rows: BTreeMap<usize, &'a Row>,
    /// Customers in several arms, with the earliest row of each arm.
    several: BTreeMap<usize, Vec<&'a Row>>,
    /// Customers left out because of another strategy.
    left_out: BTreeSet<usize>,
    baseline: Option<Span>,
    placebo: Span,
    earlier: Span,
}

fn age(row: &Row, strategy: &Strategy) -> (i32, usize, &'static str, i64, i64, Option<i32>) {
    let stratum = if strategy.has_strata { row.stratum } else { 0 };
    let wave = if strategy.by.contains(&WAVE) { row.wave().unwrap_or("(none)") } else { "" };
    let cost = if strategy.has_cost { row.cost } else { 0 };
    let contacts = if strategy.has_contacts { row.contacts() } else { 0 };
    (row.day, stratum, wave, cost, contacts, row.ended.filter(|_| strategy.has_end))
}

fn list<'a>(case: &Case, number: usize, strategy: &'a Strategy, period: Span) -> List<'a> {
    let mut of_arm: BTreeMap<(usize, usize), &Row> = BTreeMap::new();
    for row in strategy.rows.iter().filter(|row| period.0 <= row.day && row.day <= period.1) {
        let first = of_arm.entry((row.customer, row.arm)).or_insert(row);
        if age(row, strategy) < age(first, strategy) {
            *first = row;
        }
    }
    let (mut rows, mut several) = (BTreeMap::new(), BTreeMap::new());
    for customer in 0..CUSTOMERS {
        let own: Vec<&Row> = of_arm.iter().filter(|((c, _), _)| *c == customer).map(|(_, row)| *row).collect();
        match own.as_slice() {
            [] => {}
            [row] => drop(rows.insert(customer, *row)),
            _ => drop(several.insert(customer, own)),
        }
    }
    let first = rows.values().map(|row| row.day).min();
    let back = |span: Span| match (strategy.outcome_days, strategy.baseline) {
        (Some(_), None) => (span.0 - (span.1 - span.0 + 1), span.0 - 1),
        _ => preceding(span),
    };
    let outcomes = first.map(|day| (day, strategy.outcome_days.map_or(period.1, |days| day + days - 1)));
    let data_begin = case.orders.iter().map(|o| o.day).filter(|day| *day <= LAST).min().unwrap_or(i32::MAX);
    let baseline = strategy.baseline.or_else(|| outcomes.map(back)).filter(|baseline| data_begin <= baseline.1);
    let placebo = baseline.map_or((0, -1), back);
    let earlier = baseline.map_or((0, -1), |_| back(placebo));
    List { number, strategy, period, rows, several, left_out: BTreeSet::new(), baseline, placebo, earlier }
}

/// The last day of a row's treatment.
fn treated_until(list: &List<'_>, row: &Row) -> i32 {
    let planned = list.strategy.outcome_days.map_or(list.period.1, |days| row.day + days - 1);
    row.ended.filter(|_| list.strategy.has_end).unwrap_or(planned)
}

/// The first days and numbers of other strategies that treat a customer of a list on a day on which the list does, too; or that have
/// the customer in any arm.
fn rivals(own: &List<'_>, row: &Row, all: &[List<'_>], any_arm: bool) -> Vec<(i32, usize)> {
    let mut others = Vec::new();
    for list in all.iter().filter(|l| l.number != own.number) {
        let treats = |other: &&&Row| any_arm || list.strategy.design == "before_after" || other.arm != 0;
        let rows = || {
            let own = list.rows.get(&row.customer).into_iter();
            own.chain(list.several.get(&row.customer).into_iter().flatten()).filter(treats)
        };
        let first = rows().map(|other| other.day).min();
        let last = rows().map(|other| treated_until(list, other)).max();
        if let Some((first, last)) = first.zip(last)
            && (row.day..=treated_until(own, row)).any(|day| first <= day && day <= last)
        {
            others.push((first, list.number));
        }
    }
    others
}

/// Whether a customer is left out of a list because of another strategy at the same time.
fn is_left_out(own: &List<'_>, row: &Row, all: &[List<'_>]) -> bool {
    let is_first = |any_arm: bool| rivals(own, row, all, any_arm).iter().all(|(day, _)| *day > row.day);
    match own.strategy.overlap {
        "keep" => false,
        "exclude" => !is_first(false),
        _ => !is_first(true),
    }
}

/// A customer's numbers under all phases and outcomes, and whatever else is summed.
struct Found {
    /// Phase, name, scale, the four numbers, and whether it is an outcome.
    numbers: Vec<(&'static str, String, u32, [i64; 4])>,
    /// Those that have rows for (all) only.
    total_only: Vec<(&'static str, String, u32, [i64; 4])>,
    cell: String,
    /// The cell before the baseline, in a matched strategy.
    earlier_cell: Option<String>,
    arm: &'static str,
    /// State by scheme of `by`.
    states: Vec<(&'static str, String)>,
}

fn value(case: &Case, outcome: &str, now: (i64, i64, i64), before: (i64, i64, i64)) -> (i64, i64) {
    match outcome {
        "converted" => (i64::from(now.0 > 0), 0),
        "orders" => (now.0, 0),
        "revenue" => (now.1, 0),
        "margin" if case.has_cost => (now.1 - now.2, 0),
        "margin" => {
            // 0.35 of it, half to even.
            let (whole, rest) = ((now.1 * 35).div_euclid(100), (now.1 * 35).rem_euclid(100));
            (whole + i64::from(rest > 50 || rest == 50 && whole % 2 != 0), 0)
        }
        // With four more digits, before the treatment is paid.
        "net" if case.has_cost => ((now.1 - now.2) * 10_000, 0),
        "net" => (now.1 * 3_500, 0),
        "retained" => (i64::from(now.0 > 0 && before.0 > 0), 0),
        "avg_order_value" => (now.1, now.0),
        _ => panic!("{outcome}"),
    }
}

fn scale(name: &str) -> u32 {
    if name == "net" {
        return 6;
    }
    if ["revenue", "margin", "avg_order_value", "monetary", "(cost)"].contains(&name.trim_end_matches("_winsorised")) {
        2
    } else {
        0
    }
}

fn found(case: &Case, known: &Known, list: &List<'_>, row: &Row, all: &[List<'_>]) -> Found {
    let strategy = list.strategy;
    let slice = strategy.slice;
    let states_on = known.customers.get(&(list.period.0 - 1, slice.unwrap_or(0), row.customer));
    let state = |scheme: usize| states_on.map_or("(none)".to_string(), |(states, _)| states[scheme].clone());
    let day_before = before_baseline(strategy, list.period);
    let states_then = known.customers.get(&(day_before, slice.unwrap_or(0), row.customer));
    let state_then = |scheme: usize| states_then.map_or("(none)".to_string(), |(states, _)| states[scheme].clone());
    let during = (row.day, strategy.outcome_days.map_or(list.period.1, |days| row.day + days - 1));
    let after = (during.1 + 1, during.1 + (during.1 - during.0 + 1));
    let at = |outcome: &str, span: Span, before: Option<Span>| outcome_in(case, slice, outcome, row.customer, span, before);
    let if_known = |span: Span| list.baseline.map(|_| span);
    let mut numbers = Vec::new();
    let lists = |name: &str| strategy.outcomes.iter().any(|outcome| outcome == name);
    // Net money is summed where assignments have costs of their own and the margin is known.
    let knows_margin = lists("margin") || !case.has_cost && lists("revenue");
    let net = (strategy.has_cost && knows_margin).then(|| "net".to_string());
    for outcome in strategy.outcomes.iter().chain(&net) {
        if let Some((direction, scheme)) = outcome.split_once(':').filter(|_| is_move(outcome)) {
            let at = SCHEMES.iter().position(|s| s.0 == scheme).expect("a scheme");
            let step = |state: &str| SCHEMES[at].1.iter().position(|s| *s == state);
            let end = known.moved.get(&(list.period.0 - 1, list.period.1, slice.unwrap_or(0), row.customer));
            let moved = match (states_on.and_then(|(s, _)| step(&s[at])), end.and_then(|s| step(&s[at]))) {
                (Some(from), Some(to)) => {
                    if direction == "moved_up" {
                        to < from
                    } else {
                        to > from
                    }
                }
                _ => false,
            };
            numbers.push(("during", outcome.clone(), 0, [i64::from(moved), 0, 0, 0]));
            continue;
        }
        let is_placed = strategy.design == "matched" && outcome != "avg_order_value";
        let placebo = if_known(list.placebo).filter(|_| is_placed);
        let then = placebo.map_or(0, |placebo| at(outcome, placebo, Some(list.earlier)).0);
        let (x, e) = list.baseline.map_or((0, 0), |baseline| at(outcome, baseline, Some(list.placebo)));
        let (y, d) = at(outcome, during, list.baseline);
        let y = y - if outcome == "net" { row.cost * 10_000 } else { 0 };
        numbers.push(("during", outcome.clone(), scale(outcome), [y, x, d + then, e]));
        if strategy.after {
            let (later, d_later) = at(outcome, after, list.baseline);
            numbers.push(("after", outcome.clone(), scale(outcome), [later, x, d_later + then, e]));
            let both = [y + later, 2 * x, d + d_later + 2 * then, 2 * e];
            numbers.push(("during_and_after", outcome.clone(), scale(outcome), both));
        }
    }
    let mut more = |name: &str, y: i64| numbers.push(("during", name.to_string(), scale(name), [y, 0, 0, 0]));
    if strategy.design != "before_after" {
        let measures = states_on.map_or([None; 3], |(_, measures)| *measures);
        measures[0].into_iter().for_each(|days| more("recency_days", days));
        more("frequency", measures[1].unwrap_or(0));
        more("monetary", measures[2].unwrap_or(0));
    }
    let recurs = all.iter().any(|l| {
        l.number == list.number
            && l.period != list.period
            && l.rows.contains_key(&row.customer)
            && !l.left_out.contains(&row.customer)
    });
    more("(recurs)", i64::from(recurs));
    if strategy.has_cost {
        more("(cost)", row.cost);
    }
    if strategy.has_contacts {
        more("(contacts)", row.contacts());
    }
    let touched = list.baseline.is_some_and(|baseline| {
        strategy.rows.iter().any(|earlier| {
            let is_treated = strategy.design == "before_after" || earlier.arm != 0;
            if earlier.customer != row.customer || earlier.day >= row.day || !is_treated {
                return false;
            }
            let period = strategy.periods.iter().find(|p| p.0 <= earlier.day && earlier.day <= p.1);
            if period == Some(&list.period) {
                return false;
            }
            // Repeats of an assignment do not count.
            if period.is_some_and(|p| {
                let same = |r: &&Row| r.customer == earlier.customer && r.arm == earlier.arm && p.0 <= r.day && r.day <= p.1;
                strategy.rows.iter().filter(same).any(|r| age(r, strategy) < age(earlier, strategy))
            }) {
                return false;
            }
            let planned = strategy.outcome_days.map_or(period.map_or(earlier.day, |p| p.1), |days| earlier.day + days - 1);
            let end = earlier.ended.filter(|_| strategy.has_end).unwrap_or(planned);
            earlier.day <= baseline.1 && end >= baseline.0
        })
    });
    let mut total_only = vec![("during", "(treated in baseline)".to_string(), 0, [i64::from(touched), 0, 0, 0])];
    if strategy.has_contacts {
        total_only.push(("during", "(contacted)".to_string(), 0, [i64::from(row.contacts() > 0), 0, 0, 0]));
    }
    let matching_cell = |state: &dyn Fn(usize) -> String, is_then: bool| {
        let part = |by: &usize| match SCHEMES.get(*by) {
            Some((scheme, _)) => format!("{scheme}={}", state(*by)),
            None => format!("stratum={}", STRATA[row.stratum]),
        };
        // The stratum, which does not change, comes before the states of then.
        let (strata, states): (Vec<usize>, Vec<usize>) = strategy.match_on.iter().partition(|by| SCHEMES.get(**by).is_none());
        let order = if is_then { [strata, states].concat() } else { strategy.match_on.clone() };
        order.iter().map(part).collect::<Vec<_>>().join(", ")
    };
    let cell = match strategy.design {
        "randomised" if strategy.has_strata => STRATA[row.stratum].to_string(),
        "matched" => matching_cell(&state, false),
        _ => "(all)".to_string(),
    };
    let is_known = strategy.design == "matched" && list.baseline.is_some() && day_before <= LAST;
    let earlier_cell = is_known.then(|| matching_cell(&state_then, true));
    Found {
        numbers,
        total_only,
        cell,
        earlier_cell,
        arm: ARMS[row.arm],
        states: strategy.by.iter().map(|by| (BY[*by], group(*by, row.customer, row.wave(), &state))).collect(),
    }
}

/// The group of a customer in something of [`BY`]; `state` has the states by scheme.
fn group(by: usize, customer: usize, wave: Option<&str>, state: &dyn Fn(usize) -> String) -> String {
    match by {
        COUNTRY => country(customer).flatten().unwrap_or("(unknown)").into(),
        WAVE => wave.unwrap_or("(none)").into(),
        scheme => state(scheme),
    }
}

/// Adds winsorised outcomes: cut at the smallest value that four fifths of those that are not zero do not exceed.
fn winsorise(all: &mut BTreeMap<usize, Found>) {
    let is_money = |name: &str| name == "revenue" || name == "margin";
    let mut values: BTreeMap<(&str, String), Vec<i64>> = BTreeMap::new();
    for found in all.values() {
        for (phase, name, _, numbers) in found.numbers.iter().filter(|n| is_money(&n.1) && n.3[0] != 0) {
            values.entry((phase, name.clone())).or_default().push(numbers[0]);
        }
    }
    let cut = |phase: &'static str, name: &str| {
        let mut of = values.get(&(phase, name.to_string())).cloned().unwrap_or_default();
        of.sort_unstable();
        of.get((of.len() * 4).div_ceil(5).max(1) - 1).map_or(i64::MAX, |value| *value.max(&0))
    };
    for found in all.values_mut() {
        let money: Vec<_> = found.numbers.iter().filter(|n| is_money(&n.1)).cloned().collect();
        for (phase, name, scale, [y, x, d, e]) in money {
            let cut = cut(phase, &name);
            found.numbers.push((phase, format!("{name}_winsorised"), scale, [y.min(cut), x.min(cut), d.min(cut), e]));
        }
    }
}

const COLUMNS: usize = 1 + 4 + 10 + 4 + 6;

fn add(rows: &mut BTreeMap<Key, Numbers>, key: Key, a: [i64; 4]) {
    let own = rows.entry(key).or_insert_with(|| (0..COLUMNS).map(|at| (at < 15).then_some(0)).collect());
    let wide = a.map(i128::from);
    let mut numbers = vec![1, wide[0], wide[1], wide[2], wide[3]];
    numbers.extend((0..4).flat_map(|i| (i..4).map(move |j| wide[i] * wide[j])));
    own.iter_mut().zip(numbers).for_each(|(all, own)| *all = all.map(|all| all + own));
}

/// The number of a value's bin, counted along the edges of all bins: one per integer below twice `per_octave`, then as many per
/// factor of two, mirrored.
fn bin(value: i64, per_octave: i64) -> i64 {
    let size = value.abs();
    let (mut bin, mut edge, mut width) = (0, 0, 1);
    while edge + width <= size {
        (bin, edge) = (bin + 1, edge + width);
        if bin >= 2 * per_octave && bin % per_octave == 0 {
            width *= 2;
        }
    }
    bin * value.signum()
}

/// Whether the outcome has rows of bins: customers can differ by more than 0 and 1.
fn has_bins(phase: &str, name: &str) -> bool {
    let is_flag = ["converted", "retained"].contains(&name) || is_move(name) || name.starts_with("event:");
    is_outcome(name) && (!is_flag || phase == "during_and_after")
}

fn is_outcome(name: &str) -> bool {
    !name.starts_with('(') && !["recency_days", "frequency", "monetary"].contains(&name)
}

/// Adds a customer to the row of their bins: n, y, and x or d.
fn add_to_bin(rows: &mut BTreeMap<Key, Numbers>, mut key: Key, [y, x, d, _]: [i64; 4]) {
    let is_ratio = key[8] == "avg_order_value";
    let none = || "null".to_string();
    key.truncate(14);
    key.push(bin(y, 8).to_string());
    key.extend(if is_ratio { [none(), bin(d, 8).to_string()] } else { [bin(x, 2).to_string(), none()] });
    let mut numbers: Numbers = vec![Some(1), Some(y.into())];
    numbers.extend(if is_ratio { [None, Some(d.into())] } else { [Some(x.into()), None] });
    numbers.resize(COLUMNS, None);
    let own = rows.entry(key).or_insert_with(|| numbers.iter().map(|number| number.map(|_| 0)).collect());
    own.iter_mut().zip(numbers).for_each(|(all, own)| *all = all.zip(own).map(|(all, own)| all + own));
}

fn add_pair(rows: &mut BTreeMap<Key, Numbers>, key: Key, a: [i64; 4], b: [i64; 4]) {
    let own = rows.entry(key).or_insert_with(|| vec![Some(0); COLUMNS]);
    let (a, b) = (a.map(i128::from), b.map(i128::from));
    let mut numbers = vec![1];
    numbers.extend(a);
    numbers.extend((0..4).flat_map(|i| (i..4).map(move |j| a[i] * b[j])));
    numbers.extend(b);
    numbers.extend((1..4).flat_map(|i| (0..i).map(move |j| a[i] * b[j])));
    own.iter_mut().zip(numbers).for_each(|(all, own)| *all = all.map(|all| all + own));
}

fn lists(case: &Case) -> Vec<List<'_>> {
    let strategies = case.strategies.iter().enumerate();
    strategies.flat_map(|(number, s)| s.periods.iter().map(move |p| list(case, number, s, *p))).collect()
}

/// By strategy: how many customers of its lists are in another strategy at the same time.
pub fn overlapping(case: &Case) -> BTreeMap<&str, usize> {
    let (lists, mut counts) = (lists(case), BTreeMap::new());
    for own in &lists {
        let found = own.rows.values().filter(|row| !rivals(own, row, &lists, false).is_empty()).count();
        *counts.entry(own.strategy.name.as_str()).or_default() += found;
    }
    counts
}

/// All rows of `arms`.
pub fn arms(case: &Case, known: &Known) -> BTreeMap<Key, Numbers> {
    let mut lists = lists(case);
    let left_out: Vec<BTreeSet<usize>> = lists
        .iter()
        .map(|l| l.rows.values().filter(|row| is_left_out(l, row, &lists)).map(|row| row.customer).collect())
        .collect();
    lists.iter_mut().zip(left_out).for_each(|(list, out)| list.left_out = out);

    let mut rows = BTreeMap::new();
    let mut all: Vec<BTreeMap<usize, Found>> = Vec::new();
    for own in &lists {
        let staying = own.rows.values().filter(|row| !own.left_out.contains(&row.customer));
        let mut customers: BTreeMap<usize, Found> =
            staying.map(|row| (row.customer, found(case, known, own, row, &lists))).collect();
        if own.strategy.winsorise {
            winsorise(&mut customers);
        }
        all.push(customers);
    }
    for (own, customers) in lists.iter().zip(&all) {
        let key = |phase: &str, (scheme, state): (&str, &str), cell: &str, arm: &str, outcome: &str, scale: u32| -> Key {
            let (start, end) = (date(own.period.0), date(own.period.1));
            let none = || "null".to_string();
            [&own.strategy.name, &start, &end, phase, scheme, state, cell, arm, outcome, &scale.to_string()]
                .iter()
                .map(ToString::to_string)
                .chain([(); 7].map(|()| none()))
                .collect()
        };
        let total = ("(all)", "(all)");
        for found in customers.values() {
            for (phase, name, scale, numbers) in &found.numbers {
                let by_state = found.states.iter().map(|(scheme, state)| (*scheme, state.as_str()));
                for group in std::iter::once(total).chain(by_state) {
                    let key = key(phase, group, &found.cell, found.arm, name, *scale);
                    if has_bins(phase, name) {
                        add_to_bin(&mut rows, key.clone(), *numbers);
                    }
                    if let Some(cell) = found.earlier_cell.as_ref().filter(|_| is_outcome(name)) {
                        let mut pair = key.clone();
                        let (start, end) = (pair[1].clone(), pair[2].clone());
                        pair.splice(10..14, [start, end, cell.clone(), found.arm.to_string()]);
                        add_pair(&mut rows, pair, *numbers, *numbers);
                    }
                    add(&mut rows, key, *numbers);
                }
            }
            for (phase, name, scale, numbers) in &found.total_only {
                add(&mut rows, key(phase, total, &found.cell, found.arm, name, *scale), *numbers);
            }
        }
        let excluded = own
            .several
            .values()
            .flatten()
            .copied()
            .chain(own.rows.values().copied().filter(|r| own.left_out.contains(&r.customer)));
        for row in excluded {
            add(&mut rows, key("during", total, "(all)", ARMS[row.arm], "(excluded)", 0), [0; 4]);
        }
        let members: Vec<&Row> = own.rows.values().copied().filter(|row| customers.contains_key(&row.customer)).collect();
        let treated = |row: &Row, number: usize, later: bool| {
            rivals(own, row, &lists, false).iter().any(|(day, other)| *other == number && (*day > row.day) == later)
        };
        for (number, other) in case.strategies.iter().enumerate() {
            for (later, word) in [(false, "before"), (true, "after")] {
                if members.iter().any(|row| treated(row, number, later)) {
                    for row in &members {
                        let name = format!("(treated {word} by {})", other.name);
                        let y = i64::from(treated(row, number, later));
                        add(&mut rows, key("during", total, "(all)", ARMS[row.arm], &name, 0), [y, 0, 0, 0]);
                    }
                }
            }
        }
        reference(case, own, &mut |name, numbers| {
            add(&mut rows, key("reference", total, "(all)", "(everybody)", name, scale(name)), numbers);
        });
        unassigned(case, known, own, &mut |group, name, numbers| {
            add(&mut rows, key("reference", group, "(all)", "(not assigned)", name, scale(name)), numbers);
        });
    }
    for (i, (first, a)) in lists.iter().zip(&all).enumerate() {
        for (second, b) in lists.iter().zip(&all).skip(i + 1).filter(|(l, _)| l.number == first.number) {
            pairs((first, a), (second, b), &mut rows);
        }
    }
    rows
}

fn reference(case: &Case, list: &List<'_>, add: &mut impl FnMut(&str, [i64; 4])) {
    let slice = list.strategy.slice;
    let begin = case.orders.iter().map(|o| o.day).filter(|day| *day <= LAST).min().unwrap_or(i32::MAX);
    let Some(baseline) = list.baseline.filter(|_| list.strategy.design == "before_after" && begin <= list.placebo.0) else {
        return;
    };
    for customer in 0..CUSTOMERS {
        let bought = |o: &&super::case::Order| {
            o.customer == customer && o.amount >= 0 && o.day <= LAST && slice.is_none_or(|s| s == o.slice)
        };
        if case.orders.iter().filter(bought).any(|o| o.day < baseline.0) {
            let plain = list.strategy.outcomes.iter().filter(|o| !is_move(o) && *o != "avg_order_value");
            for outcome in plain {
                let y = outcome_in(case, slice, outcome, customer, baseline, Some(list.placebo)).0;
                let x = outcome_in(case, slice, outcome, customer, list.placebo, Some(list.earlier)).0;
                add(outcome, [y, x, 0, 0]);
            }
        }
    }
}

/// Who is listed on the day before the period and not assigned in it, beside a strategy without a control.
fn unassigned(case: &Case, known: &Known, list: &List<'_>, add: &mut impl FnMut((&str, &str), &str, [i64; 4])) {
    let strategy = list.strategy;
    let first = list.rows.values().map(|row| row.day).min();
    let Some((baseline, first)) = list.baseline.filter(|_| strategy.design == "before_after").zip(first) else { return };
    let outcomes = (first, strategy.outcome_days.map_or(list.period.1, |days| first + days - 1));
    for customer in (0..CUSTOMERS).filter(|c| !list.rows.contains_key(c) && !list.several.contains_key(c)) {
        let listed = known.customers.get(&(list.period.0 - 1, strategy.slice.unwrap_or(0), customer));
        let Some((states, _)) = listed else { continue };
        for outcome in strategy.outcomes.iter().filter(|o| !is_move(o) && *o != "avg_order_value") {
            let y = outcome_in(case, strategy.slice, outcome, customer, outcomes, Some(baseline)).0;
            let x = outcome_in(case, strategy.slice, outcome, customer, baseline, Some(list.placebo)).0;
            add(("(all)", "(all)"), outcome, [y, x, 0, 0]);
            for by in &strategy.by {
                add((BY[*by], &group(*by, customer, None, &|scheme| states[scheme].clone())), outcome, [y, x, 0, 0]);
            }
        }
    }
}

fn pairs(
    (first, a): (&List<'_>, &BTreeMap<usize, Found>),
    (second, b): (&List<'_>, &BTreeMap<usize, Found>),
    rows: &mut BTreeMap<Key, Numbers>,
) {
    for (customer, one) in a {
        let Some(other) = b.get(customer) else { continue };
        let same = one.states.iter().zip(&other.states).filter(|(p, q)| p == q).map(|(p, _)| (p.0, p.1.as_str()));
        for (scheme, state) in std::iter::once(("(all)", "(all)")).chain(same) {
            for (phase, name, scale, numbers) in &one.numbers {
                let Some(later) = other.numbers.iter().find(|n| n.0 == *phase && n.1 == *name) else { continue };
                if !is_outcome(name) {
                    continue;
                }
                let key: Key = [
                    first.strategy.name.clone(),
                    date(first.period.0),
                    date(first.period.1),
                    phase.to_string(),
                    scheme.into(),
                    state.into(),
                    one.cell.clone(),
                    one.arm.into(),
                    name.clone(),
                    scale.to_string(),
                    date(second.period.0),
                    date(second.period.1),
                    other.cell.clone(),
                    other.arm.into(),
                    "null".into(),
                    "null".into(),
                    "null".into(),
                ]
                .into();
                add_pair(rows, key, *numbers, later.3);
            }
        }
    }
}
