//! One random case, its dates and its settings.

use std::collections::BTreeSet;

use super::orders::draft_input;
use super::schemes::{draft_playbook, draft_scheme, draft_scores};
use super::toml::{scheme_toml, spend_csv};
use super::{Case, PathStyle, Rng};
use crate::support::calendar::{self, DAY, TimeUnit};
use crate::support::oracle::*;

/// One random case, valid or not.
pub(super) fn draft(seed: u64, rng: &mut Rng) -> Case {
    let mut job = Job::default();
    let time = draft_time(&mut job, rng);
    draft_settings(&mut job, rng);
    let input = draft_input(&mut job, &time, rng);
    draft_scores(&mut job, rng);
    let base_axis = *rng.pick(&Axis::ALL);
    let count = if rng.chance(35) { 2 } else { 1 };
    for k in 0..count {
        let scheme = draft_scheme(&job, ["segment", "tier"][k], rng);
        job.schemes.push(scheme);
    }
    if rng.chance(25) {
        job.playbook = draft_playbook(&job, rng);
    }
    job.lists_columns = rng.chance(85);
    if rng.chance(20) {
        let starts: Vec<i64> = moments(&job).iter().filter(|m| m.shown).filter_map(|m| m.period).map(|p| p.0).collect();
        if !starts.is_empty() {
            let spent = rng.some_of(&starts);
            job.acquisition = spent.into_iter().map(|start| (start, i128::from(rng.below(50_000)))).collect();
        }
    }
    let mut files: Vec<(String, String)> =
        job.schemes.iter().map(|scheme| (format!("{}_scheme.toml", scheme.column), scheme_toml(scheme, job.bins))).collect();
    if !job.acquisition.is_empty() {
        files.push(("spend.csv".into(), spend_csv(&job)));
    }
    let answer = solve(&job, &input);
    Case {
        seed,
        job,
        input,
        files,
        answer,
        expect_exit: None,
        path_style: *rng.pick(&[PathStyle::Folder, PathStyle::Glob, PathStyle::List]),
        base_axis,
        show_defaults: rng.chance(40),
    }
}

/// When the orders of a case happen.
pub(super) struct Time {
    pub(super) kind: Kind,
    /// The dates from which rows take theirs.
    pub(super) days: Vec<i64>,
}

/// Chooses dates, zones and as-of dates.
fn draft_time(job: &mut Job, rng: &mut Rng) -> Time {
    let units = [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];
    let kind = match rng.below(3) {
        0 => Kind::Date,
        1 => {
            let zone = Some(rng.pick(&["UTC", "UTC", "Europe/Berlin", "+00:00"]).to_string());
            Kind::Timestamp { unit: *rng.pick(&units), zone }
        }
        _ => Kind::Timestamp { unit: *rng.pick(&units), zone: None },
    };
    job.timezone = rng.pick(&calendar::ZONES).to_string();
    if matches!(kind, Kind::Timestamp { zone: None, .. }) && rng.chance(60) {
        job.naive_timezone = Some(rng.pick(&calendar::ZONES).to_string());
    }
    let utc_only = job.timezone == "UTC" && job.naive_timezone.as_ref().is_none_or(|z| z == "UTC");
    let year = if utc_only && rng.chance(15) { rng.between(1966, 1971) } else { rng.between(2018, 2027) };
    let start = calendar::days_from_civil(year, rng.between(1, 12), rng.between(1, 28));
    let span = *rng.pick(&[0, 2, 30, 120, 400, 800]);
    let mut days: Vec<i64> = match rng.below(3) {
        0 => (0..rng.between(1, 4)).map(|_| start + rng.between(0, span)).collect(),
        _ => (0..40).map(|_| start + rng.between(0, span)).collect(),
    };
    let zone = job.naive_timezone.clone().filter(|z| z != "UTC").unwrap_or(job.timezone.clone());
    if rng.chance(40) {
        // Days on which the clock changes, and their neighbours.
        let near = calendar::changes(&zone).into_iter().map(|c| c.at.div_euclid(DAY) + rng.between(-1, 1));
        days.extend(near.filter(|d| (start..start + 400).contains(d)));
    }
    let (first, last) = (*days.iter().min().unwrap(), *days.iter().max().unwrap());

    draft_periods(job, first, last, rng);
    Time { kind, days }
}

/// Chooses the as-of dates of orders between two dates, and what they are compared with.
fn draft_periods(job: &mut Job, first: i64, last: i64, rng: &mut Rng) {
    let newest = match rng.below(20) {
        0..=12 => last + rng.between(0, 60),
        13 | 14 => last + rng.between(200, 500),
        15 => last - 1,
        16 => first,
        _ => rng.between(first, last),
    };
    job.periods = match rng.below(10) {
        0..=3 => Periods::AsOf(draft_dates(first, newest, rng)),
        4..=7 => {
            let every = *rng.pick(&[Calendar::Day, Calendar::Week, Calendar::Month, Calendar::Quarter, Calendar::Year]);
            let mut from = every.start(newest);
            for _ in 1..*rng.pick(&[1, 2, 3, 4, 5, 8]) {
                from = every.start(from - 1);
            }
            Periods::Every(every, from, every.next(every.start(newest)) - 1)
        }
        _ => {
            // Backwards from the newest date, some periods next to each other and some with a gap.
            let mut list = Vec::new();
            let mut to = newest;
            for _ in 0..*rng.pick(&[1, 2, 3, 4]) {
                let longest = *rng.pick(&[0, 6, 40, 200]);
                let from = to - rng.between(0, longest);
                list.push((from, to));
                to = from - 1 - if rng.chance(40) { rng.between(1, 60) } else { 0 };
            }
            list.reverse();
            Periods::List(list)
        }
    };
    if rng.chance(30) {
        let lengths = [
            Lookback::Days(1),
            Lookback::Days(1),
            Lookback::Days(7),
            Lookback::Days(rng.between(2, 90)),
            Lookback::Months(1),
            Lookback::Quarters(1),
            Lookback::Years(1),
        ];
        job.compare = (0..rng.between(1, 3)).map(|_| *rng.pick(&lengths)).collect();
    }
    if rng.chance(12) {
        job.only_as_of = Some(newest - rng.between(0, 40));
    }
}

/// One to four dates, the last of them the newest.
fn draft_dates(first: i64, newest: i64, rng: &mut Rng) -> Vec<i64> {
    let mut as_of = BTreeSet::from([newest]);
    for k in 1..*rng.pick(&[1, 1, 2, 2, 3, 4]) {
        as_of.insert(match rng.below(4) {
            0 => newest - rng.between(1, 10),
            1 => rng.between(first.min(newest) - 3, newest),
            2 => {
                // The last day of an earlier month.
                let (y, m, _) = calendar::civil_from_days(calendar::add_months(newest, -k));
                calendar::days_from_civil(y, m, calendar::days_in_month(y, m))
            }
            _ => newest - rng.between(20, 200),
        });
    }
    as_of.into_iter().filter(|d| *d <= newest).collect()
}

/// Chooses what does not depend on columns.
fn draft_settings(job: &mut Job, rng: &mut Rng) {
    job.amount_scale = *rng.pick(&[0, 1, 2, 2, 2, 3, 4]);
    job.dedupe_rows = rng.chance(25);
    if rng.chance(35) {
        job.monetary = Money::Gross;
    }
    if rng.chance(30) {
        job.zero_amount = ZeroAmount::Drop;
    }
    job.max_rejected = *rng.pick(&[0.0, 0.0, 0.125, 0.25, 0.5, 1.0]);
    job.max_no_customer = *rng.pick(&[1.0, 1.0, 0.5, 0.25, 0.0]);
    if rng.chance(25) {
        job.population = Population::Lookback;
    }
    job.lookback = draft_lookback(rng);
    if rng.chance(40) {
        let mut days: Vec<i64> = (0..rng.between(1, 2)).map(|_| *rng.pick(&[1, 7, 30, 90, 365])).collect();
        days.sort();
        days.dedup();
        job.extra_lookbacks = days.into_iter().map(Lookback::Days).collect();
    }
    if rng.chance(25) {
        job.count = Count::OrderDays;
    }
    if rng.chance(25) {
        job.monetary_as = MonetaryAs::Average;
    }
    job.levels = *rng.pick(&[Levels::Mean, Levels::Mean, Levels::Median, Levels::Score]);
}

fn draft_lookback(rng: &mut Rng) -> Lookback {
    match rng.below(8) {
        0..=2 => Lookback::All,
        3 | 4 => Lookback::Days(*rng.pick(&[1, 2, 10, 30, 90, 365])),
        5 => Lookback::Months(rng.between(1, 14)),
        6 => Lookback::Quarters(rng.between(1, 5)),
        _ => Lookback::Years(rng.between(1, 2)),
    }
}
