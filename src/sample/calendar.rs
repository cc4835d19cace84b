//! The sample's dates: how much is bought on each, when customers arrive, and which dates a file has.
//!
//! Days are counted from the sample's first date, which is day 0.

use std::ops::Range;

use jiff::civil::{Date, Weekday};

use super::error;
use super::rng::{Purpose, Streams};
use crate::domain::SplitMix;
use crate::error::{Error, Result};

/// The longest sample: a hundred years, so that a file's seconds fit in 32 bits.
pub(super) const MOST_DAYS: usize = 36_525;

/// Seconds in a day (UTC has no daylight saving time).
pub(super) const DAY_SECONDS: u64 = 86_400;

/// Demand by month: calm summers, and a fourth quarter half as busy again as the first.
const MONTHS: [f64; 12] = [0.86, 0.84, 0.92, 0.95, 0.98, 0.96, 0.88, 0.86, 0.98, 1.04, 1.34, 1.42];

/// How much demand may differ from one day to the next by chance alone.
const DAILY_NOISE: f64 = 0.04;

/// Share of customers who knew the shop before the sample starts: their first order in it comes
/// early, and so the sample does not start with an empty shop.
const EARLY_CUSTOMERS: f64 = 0.2;

/// Days within which those customers come back.
const EARLY_DAYS: usize = 180;

/// How much faster new customers arrive at the end of the sample than at its start.
const GROWTH: f64 = 0.6;

/// Hours of day, as often as orders come in them: few at night, most in the evening.
const HOURS: [u64; 48] = [
    0, 1, 6, 7, 7, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 17, 17, 17, 18, 18, 18,
    19, 19, 19, 19, 20, 20, 20, 20, 21, 21, 21, 22, 22, 23,
];

/// The dates of one file.
#[derive(Clone, Debug)]
pub(super) struct DateRange {
    /// Days since the sample's first date, half-open.
    pub(super) days: Range<usize>,
    /// The first of those dates.
    pub(super) first: Date,
}

/// Demand and arrivals for each of the sample's dates.
#[derive(Debug)]
pub(super) struct Calendar {
    /// Seconds from 1970-01-01 to the first date.
    epoch_seconds: i64,
    /// Demand before each day, and after the last: a rising curve from 0.
    demand: Vec<f64>,
    /// Customers who arrived before each day, and after the last: from 0 to all.
    arrived: Vec<u64>,
    /// How much likelier a discount is than usual, per day.
    discounts: Vec<f64>,
}

impl Calendar {
    pub(super) fn new(seed: u64, from: Date, to: Date, customers: u64) -> Result<Self> {
        let dates = dates(from, to)?;
        let streams = Streams::new(seed, Purpose::Calendar);
        let busy: Vec<f64> = dates.iter().zip(0..).map(|(date, day)| season(*date) * noise(&mut streams.at(day, 0))).collect();
        Ok(Self {
            epoch_seconds: from.duration_since(Date::constant(1970, 1, 1)).as_secs(),
            demand: cumulated(&busy),
            arrived: arrivals(&busy, customers),
            discounts: dates.iter().map(|date| discount_season(*date)).collect(),
        })
    }

    /// How many days the sample has.
    pub(super) fn days(&self) -> usize {
        self.discounts.len()
    }

    /// Customers who arrived before `day`. Customers are numbered in the order they arrive.
    pub(super) fn arrived_before(&self, day: usize) -> u64 {
        at(&self.arrived, day).unwrap_or_default()
    }

    /// The customers of a block by the day on which they arrive, days without arrivals left out.
    pub(super) fn arrivals_in(&self, block: Range<u64>) -> impl Iterator<Item = (usize, Range<u64>)> + '_ {
        let first = self.arrived.partition_point(|arrived| *arrived <= block.start).saturating_sub(1);
        (first..self.discounts.len())
            .map(move |day| {
                let from = self.arrived_before(day).max(block.start);
                (day, from..self.arrived_before(day + 1).min(block.end))
            })
            .take_while(move |(_, customers)| customers.start < block.end)
            .filter(|(_, customers)| !customers.is_empty())
    }

    /// Demand in a range of days, 0 if it is empty or reversed.
    pub(super) fn demand_in(&self, days: &Range<usize>) -> f64 {
        if days.start >= days.end {
            return 0.0;
        }
        at(&self.demand, days.end).unwrap_or_default() - at(&self.demand, days.start).unwrap_or_default()
    }

    /// The day at which `share` (in [0, 1)) of the demand in `days` is spent.
    pub(super) fn day_at(&self, days: &Range<usize>, share: f64) -> usize {
        let spent = at(&self.demand, days.start).unwrap_or_default() + share * self.demand_in(days);
        let ends = self.demand.get(days.start + 1..days.end).unwrap_or(&[]);
        days.start + ends.partition_point(|end| *end <= spent)
    }

    /// How much likelier a discount is than usual.
    pub(super) fn discount_factor(&self, day: usize) -> f64 {
        at(&self.discounts, day).unwrap_or(1.0)
    }

    /// Seconds since 1970-01-01 of a number of seconds since the sample's first date.
    pub(super) fn epoch_seconds(&self, seconds: u64) -> i64 {
        self.epoch_seconds.saturating_add_unsigned(seconds)
    }
}

/// A time of day in seconds, likelier in the evening than at night.
pub(super) fn time_of_day(stream: &mut SplitMix) -> u64 {
    stream.pick(&HOURS, 12) * 3_600 + stream.below(3_600)
}

/// Cuts the sample's dates into `files` ranges: whole calendar months where there are enough of
/// them, as warehouses do, else ranges of about the same number of days.
pub(super) fn date_ranges(from: Date, to: Date, files: usize) -> Result<Vec<DateRange>> {
    let dates = dates(from, to)?;
    if files == 0 || files > dates.len() {
        return Err(error::files(files, (from, to), dates.len()));
    }
    let months: Vec<usize> =
        dates.iter().enumerate().filter(|(day, date)| *day == 0 || date.day() == 1).map(|(day, _)| day).collect();
    let start_of = |file: usize| match files <= months.len() {
        true => at(&months, file * months.len() / files).unwrap_or(dates.len()),
        false => file * dates.len() / files,
    };
    Ok((0..files)
        .map(|file| {
            let days = start_of(file)..start_of(file + 1);
            let first = at(&dates, days.start).unwrap_or(from);
            DateRange { days, first }
        })
        .collect())
}

/// Calendar months that a span of dates touches.
pub(super) fn months_between(from: Date, to: Date) -> usize {
    let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
    usize::try_from(months(to) - months(from) + 1).unwrap_or(1)
}

/// All dates from `from` to `to`, both included.
fn dates(from: Date, to: Date) -> Result<Vec<Date>> {
    if from > to {
        return Err(Error::usage(format!(
            "The sample's dates go from {from} to {to}, but the first must not be after the last; exchange or correct them."
        )));
    }
    let mut dates = Vec::new();
    let mut next = Some(from);
    while let Some(date) = next.filter(|date| *date <= to) {
        if dates.len() == MOST_DAYS {
            return Err(Error::usage(format!(
                "The sample's dates from {from} to {to} span more than {MOST_DAYS} days; choose dates that are closer together."
            )));
        }
        dates.push(date);
        next = date.tomorrow().ok();
    }
    Ok(dates)
}

/// Customers who arrived before each day: those who knew the shop come early, new ones arrive ever
/// faster, and both more often on busy days.
fn arrivals(busy: &[f64], customers: u64) -> Vec<u64> {
    let days = busy.len();
    let early_days = EARLY_DAYS.min(days) as f64;
    let early: Vec<f64> = busy
        .iter()
        .enumerate()
        .map(|(day, busy)| {
            let left = (1.0 - day as f64 / early_days).max(0.0);
            busy * left * left * left
        })
        .collect();
    let new: Vec<f64> = busy.iter().enumerate().map(|(day, busy)| busy * (1.0 + GROWTH * day as f64 / days as f64)).collect();
    let (early, new) = (cumulated(&early), cumulated(&new));
    let (early_total, new_total) = (last(&early), last(&new));
    early
        .iter()
        .zip(&new)
        .enumerate()
        .map(|(day, (early, new))| {
            let share = EARLY_CUSTOMERS * early / early_total + (1.0 - EARLY_CUSTOMERS) * new / new_total;
            match day == days {
                true => customers,
                false => ((customers as f64 * share).round() as u64).min(customers),
            }
        })
        .collect()
}

/// How busy a date is: month, weekday, and the weeks before and after Christmas.
fn season(date: Date) -> f64 {
    let month = at(&MONTHS, usize::from(date.month().unsigned_abs()) - 1).unwrap_or(1.0);
    let weekday = match date.weekday() {
        Weekday::Sunday => 1.12,
        Weekday::Monday => 1.06,
        Weekday::Friday => 0.96,
        Weekday::Saturday => 0.90,
        _ => 0.99,
    };
    let occasion = match (date.month(), date.day()) {
        (11, 22..=30) => 1.5,
        (12, 24..=26) => 0.55,
        (12, 27..=31) => 0.8,
        (1, 1) => 0.5,
        _ => 1.0,
    };
    month * weekday * occasion
}

/// Discounts come with the sales: late November, January, July.
fn discount_season(date: Date) -> f64 {
    match (date.month(), date.day()) {
        (11, 22..=30) => 2.5,
        (1, 2..=20) => 1.6,
        (7, _) => 1.3,
        _ => 1.0,
    }
}

fn noise(stream: &mut SplitMix) -> f64 {
    1.0 + DAILY_NOISE * (2.0 * stream.unit() - 1.0)
}

/// Sums before each item, and after the last.
fn cumulated(items: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut sums = vec![sum];
    sums.extend(items.iter().map(|item| {
        sum += item;
        sum
    }));
    sums
}

fn last(sums: &[f64]) -> f64 {
    sums.last().copied().unwrap_or_default()
}

fn at<T: Copy>(items: &[T], index: usize) -> Option<T> {
    items.get(index).copied()
}
