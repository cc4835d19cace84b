//! Random scoring, schemes and playbooks.

use std::collections::BTreeSet;

use super::Rng;
use super::reach::reachable;
use super::toml::condition_toml;
use crate::support::oracle::*;

/// Chooses bins, methods, frozen cuts and `[score.only]`.
pub(super) fn draft_scores(job: &mut Job, rng: &mut Rng) {
    job.bins = *rng.pick(&[5, 5, 5, 3, 4, 2, 7, 10]);
    let base = draft_method(job, Axis::Frequency, None, rng);
    for axis in Axis::ALL {
        let like = if rng.chance(75) { Some(&base) } else { None };
        job.methods[axis as usize] = draft_method(job, axis, like, rng);
    }
    let has_ntile = job.methods.contains(&Method::Ntile);
    job.frozen = moments(job).len() > 1 && rng.chance(if has_ntile { 8 } else { 40 });
    if rng.chance(20) {
        for _ in 0..rng.between(1, 2) {
            let measure = draft_measure(job, rng);
            if job.only.iter().all(|(m, _)| *m != measure) {
                let test = draft_range(measure, rng);
                job.only.push((measure, test));
            }
        }
    }
}

/// A method for an axis, of the kind of another one if that is given.
fn draft_method(job: &Job, axis: Axis, like: Option<&Method>, rng: &mut Rng) -> Method {
    let method = like.cloned().unwrap_or_else(|| match rng.below(10) {
        0..=2 => Method::Quantile,
        3..=5 => Method::Rank(*rng.pick(&[Ties::Min, Ties::Mid, Ties::Max])),
        6 => Method::Ntile,
        7 | 8 => Method::Thresholds { cuts: Vec::new(), closed: *rng.pick(&[Closed::Right, Closed::Right, Closed::Left]) },
        _ => Method::RRfm,
    });
    let Method::Thresholds { closed, .. } = method else {
        return method;
    };
    let digits = if axis == Axis::Monetary && rng.chance(60) { job.amount_scale } else { 0 };
    let (start, step) = match axis {
        Axis::Recency => (rng.between(0, 5), *rng.pick(&[1, 10, 60])),
        Axis::Frequency => (rng.between(0, 2), *rng.pick(&[1, 2])),
        Axis::Monetary => {
            let power = ten_to(digits) as i64;
            (rng.between(-5, 20) * power + rng.between(0, power - 1), *rng.pick(&[1, 10 * power, 40 * power]))
        }
    };
    let mut cuts = Vec::new();
    let mut next = start;
    for _ in 1..job.bins {
        cuts.push(Decimal { unscaled: next.into(), digits });
        next += rng.between(1, step);
    }
    Method::Thresholds { cuts, closed }
}

/// A measure that the job has.
fn draft_measure(job: &Job, rng: &mut Rng) -> Measure {
    let mut list = vec![
        Measure::RecencyDays,
        Measure::Frequency(None),
        Measure::Frequency(None),
        Measure::Monetary(None),
        Measure::AvgOrderValue,
        Measure::TenureDays,
        Measure::LifetimeOrders,
        Measure::LifetimeMonetary,
    ];
    if rng.chance(3) || moments(job).iter().any(|m| m.shown && m.period.is_some()) {
        list.extend(Measure::OF_PERIODS);
    }
    for lookback in &job.extra_lookbacks {
        list.push(Measure::Frequency(Some(*lookback)));
        list.push(Measure::Monetary(Some(*lookback)));
    }
    *rng.pick(&list)
}

/// A closed range that fits a measure, sometimes open at one end.
fn draft_range(measure: Measure, rng: &mut Rng) -> Test {
    let (low, high) = match measure {
        Measure::RecencyDays | Measure::TenureDays => (0, 200),
        Measure::Frequency(_) | Measure::LifetimeOrders => (0, 8),
        Measure::PeriodOrders | Measure::PreviousPeriodOrders | Measure::OrdersBeforePeriod => (0, 3),
        Measure::Monetary(_) | Measure::AvgOrderValue | Measure::LifetimeMonetary | Measure::PeriodMonetary => (-10, 150),
    };
    let (a, b) = (rng.between(low, high), rng.between(low, high));
    let end = |n: i64| Some(Decimal::whole(n.into()));
    match rng.below(4) {
        0 => Test::Between(end(a), None),
        1 => Test::Between(None, end(b)),
        _ => Test::Between(end(a.min(b)), end(a.max(b))),
    }
}

/// A scheme whose rules can all be reached.
pub(super) fn draft_scheme(job: &Job, column: &str, rng: &mut Rng) -> Scheme {
    let names = ["best", "good", "At Risk", "重要价值", "Can't Lose", "rest"];
    let style = rng.below(4);
    let mut rules: Vec<Rule> = Vec::new();
    for _ in 0..rng.between(1, 6) {
        let mut when: Vec<Condition> = Vec::new();
        for _ in 0..rng.between(1, 3) {
            let condition = match style {
                0 => draft_score_condition(job, rng),
                1 => draft_measure_condition(job, rng),
                2 => draft_level_condition(rng),
                _ => match rng.below(3) {
                    0 => draft_score_condition(job, rng),
                    1 => draft_measure_condition(job, rng),
                    _ => draft_level_condition(rng),
                },
            };
            if when.iter().all(|c| subject(c) != subject(&condition)) {
                when.push(condition);
            }
        }
        rules.push(Rule { state: rng.pick(&names).to_string(), when });
    }
    rules.push(Rule { state: rng.pick(&names).to_string(), when: Vec::new() });
    let rules = reachable(rules, job);
    Scheme { column: column.into(), rules }
}

fn draft_score_condition(job: &Job, rng: &mut Rng) -> Condition {
    let bins = i64::from(job.bins);
    let range = |low: i64, high: i64, rng: &mut Rng| {
        let (a, b) = (rng.between(low, high), rng.between(low, high));
        let end = |n: i64| Some(Decimal::whole(n.into()));
        match rng.below(6) {
            0 => Test::Between(end(a), None),
            1 => Test::Between(None, end(b)),
            _ => Test::Between(end(a.min(b)), end(a.max(b))),
        }
    };
    match rng.below(12) {
        0 => Condition::FPlusM(range(2, 2 * bins, rng)),
        1 => {
            let score = |rng: &mut Rng| rng.between(1, bins) as u32;
            let cells: BTreeSet<[u32; 3]> = (0..rng.between(1, 6)).map(|_| [score(rng), score(rng), score(rng)]).collect();
            Condition::Cells(cells.into_iter().collect())
        }
        _ => {
            let axis = *rng.pick(&Axis::ALL);
            Condition::Score(axis, range(1, bins, rng))
        }
    }
}

fn draft_measure_condition(job: &Job, rng: &mut Rng) -> Condition {
    let measure = draft_measure(job, rng);
    let test = match (rng.below(6), draft_range(measure, rng)) {
        (0, Test::Between(Some(low), _)) => Test::Above(low),
        (1, Test::Between(_, Some(high))) => Test::Below(high),
        (_, range) => range,
    };
    Condition::Measure(measure, test)
}

fn draft_level_condition(rng: &mut Rng) -> Condition {
    Condition::Level(*rng.pick(&Axis::ALL), *rng.pick(&[Level::Low, Level::High]))
}

/// What a condition asks about: its key in the rule.
fn subject(condition: &Condition) -> String {
    let text = condition_toml(condition);
    text.split(" = ").next().unwrap_or_default().to_string()
}

/// Actions for some states; two states may share one.
pub(super) fn draft_playbook(job: &Job, rng: &mut Rng) -> Vec<(usize, String, String)> {
    let mut playbook = Vec::new();
    for (k, scheme) in job.schemes.iter().enumerate() {
        let states: BTreeSet<&str> = scheme.rules.iter().map(|r| r.state.as_str()).collect();
        for state in states {
            if rng.chance(40) {
                playbook.push((k, state.to_string(), rng.pick(&["call", "mail \"now\"", "寄信"]).to_string()));
            }
        }
    }
    playbook
}
