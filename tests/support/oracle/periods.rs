//! The dates of a job, their periods, and the earlier dates that each is compared with.

use super::job::{Calendar, Job, Periods};
use crate::support::calendar::{self, add_months, civil_from_days, days_from_civil};

/// A date at which customers are measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub as_of: i64,
    /// False for a date that others are only compared with.
    pub shown: bool,
    /// First and last day of the period that ends on the date.
    pub period: Option<(i64, i64)>,
    /// First and last day of the period before.
    pub previous: Option<(i64, i64)>,
    /// Earlier dates, ascending: those of `compare`, and the as-of date before.
    pub compared_with: Vec<i64>,
}

impl Calendar {
    /// The first day of the period that holds a date.
    pub fn start(self, date: i64) -> i64 {
        let (year, month, _) = civil_from_days(date);
        match self {
            Calendar::Day => date,
            Calendar::Week => date - calendar::weekday(date),
            Calendar::Month => days_from_civil(year, month, 1),
            Calendar::Quarter => days_from_civil(year, (month - 1) / 3 * 3 + 1, 1),
            Calendar::Year => days_from_civil(year, 1, 1),
        }
    }

    /// The first day of the period after the one that begins on `start`.
    pub fn next(self, start: i64) -> i64 {
        match self {
            Calendar::Day => start + 1,
            Calendar::Week => start + 7,
            Calendar::Month => add_months(start, 1),
            Calendar::Quarter => add_months(start, 3),
            Calendar::Year => add_months(start, 12),
        }
    }

    /// The period before the one that begins on `start`.
    fn before(self, start: i64) -> (i64, i64) {
        (self.start(start - 1), start - 1)
    }
}

/// All dates of a job, ascending.
pub fn moments(job: &Job) -> Vec<Moment> {
    let shown = match job.only_as_of {
        Some(date) => vec![alone(&job.periods, date)],
        None => of_periods(&job.periods),
    };
    let mut all: Vec<Moment> = Vec::new();
    for (k, moment) in shown.iter().enumerate() {
        // A date of `compare` is the last one before such a lookback begins; it is what `--as-of` that date would be.
        let back = |l: &super::Lookback| l.start(moment.as_of).expect("a length of time") - 1;
        let mut earlier: Vec<i64> = job.compare.iter().map(back).collect();
        for date in &earlier {
            all.push(Moment { shown: false, ..alone(&job.periods, *date) });
        }
        earlier.extend(k.checked_sub(1).map(|before| shown[before].as_of));
        earlier.sort();
        earlier.dedup();
        all.push(Moment { compared_with: earlier, ..moment.clone() });
    }
    // Of a date that is both, the shown one counts.
    all.sort_by_key(|m| (m.as_of, !m.shown));
    all.dedup_by_key(|m| m.as_of);
    all
}

fn shown(as_of: i64, period: Option<(i64, i64)>, previous: Option<(i64, i64)>) -> Moment {
    Moment { as_of, shown: true, period, previous, compared_with: Vec::new() }
}

/// The dates that `[periods]` gives.
fn of_periods(periods: &Periods) -> Vec<Moment> {
    let mut list = Vec::new();
    match periods {
        Periods::AsOf(dates) => {
            // A period runs from the day after the date before; nothing is known of what was before the first date.
            for (k, date) in dates.iter().enumerate() {
                let period = |k: usize| Some((dates[k.checked_sub(1)?] + 1, dates[k]));
                list.push(shown(*date, period(k), k.checked_sub(1).and_then(period)));
            }
        }
        Periods::Every(every, from, to) => {
            let mut start = *from;
            while start <= *to {
                let next = every.next(start);
                list.push(shown(next - 1, Some((start, next - 1)), Some(every.before(start))));
                start = next;
            }
        }
        Periods::List(periods) => {
            for (k, period) in periods.iter().enumerate() {
                list.push(shown(period.1, Some(*period), k.checked_sub(1).map(|k| periods[k])));
            }
        }
    }
    list
}

/// A single date, with the part of its period up to it.
fn alone(periods: &Periods, date: i64) -> Moment {
    match periods {
        Periods::AsOf(_) => shown(date, None, None),
        Periods::Every(every, _, _) => {
            let start = every.start(date);
            shown(date, Some((start, date)), Some(every.before(start)))
        }
        Periods::List(list) => match list.iter().position(|(from, to)| (*from..=*to).contains(&date)) {
            Some(k) => shown(date, Some((list[k].0, date)), k.checked_sub(1).map(|k| list[k])),
            None => shown(date, None, None),
        },
    }
}
