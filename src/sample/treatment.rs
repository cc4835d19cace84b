//! A strategy with a known effect: who is treated, and how much more often they buy.
//!
//! Everybody who has arrived before the first day of the strategy is assigned on that day: half to the control, half to
//! the treatment, by the draw of [`HashDraw`] with the strategy's name as salt, so that `rfmill assign` with this salt draws
//! the same arms. Treated customers buy more often by a factor while the strategy runs.

use std::ops::Range;

use jiff::civil::Date;

use super::buyer::Buyer;
use super::calendar::Calendar;
use super::columns::Ids;
use super::spec::StrategySpec;
use crate::error::{Error, Result};
use crate::hash::HashDraw;

/// Draw values below this one are the control's: half of them.
const CONTROL_BELOW: u64 = 1 << 63;

/// Names of the arms, in the order of their numbers.
pub(super) const ARMS: [&str; 2] = ["control", "treatment"];

/// Largest effect: this many times more orders.
const MOST_EFFECT: f64 = 100.0;

/// A strategy of the sample.
#[derive(Debug)]
pub(super) struct Treatment {
    pub(super) name: String,
    pub(super) from: Date,
    /// Its days, counted from the sample's first date.
    pub(super) days: Range<usize>,
    factor: f64,
    lots: HashDraw,
    ids: Ids,
}

impl Treatment {
    /// The strategy of a sample from `from` to `to` with these ids.
    pub(super) fn new(spec: &StrategySpec, (from, to): (Date, Date), ids: Ids) -> Result<Self> {
        let is_letter = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        if spec.name.is_empty() || !spec.name.chars().all(is_letter) {
            return Err(Error::usage(format!(
                "The strategy's name {:?} cannot be that of a file; use letters, digits, hyphens and underscores.",
                spec.name
            )));
        }
        if !(spec.effect > -1.0 && spec.effect <= MOST_EFFECT) {
            return Err(Error::usage(format!(
                "The strategy's effect is {}, but it must be above -1 and at most {MOST_EFFECT}; 0.25 means a quarter more orders.",
                spec.effect
            )));
        }
        let days_to = |date: Date| usize::try_from(date.duration_since(from).as_hours() / 24).unwrap_or(0);
        let start = days_to(spec.from);
        let end = start.saturating_add(spec.days as usize);
        if spec.from <= from || spec.days == 0 || end > days_to(to) + 1 {
            return Err(Error::usage(format!(
                "The strategy begins on {} and has {} days, but it must begin after the sample's first date, {from}, have a day at least and end by the last, {to}; choose other dates.",
                spec.from, spec.days
            )));
        }
        Ok(Self {
            name: spec.name.clone(),
            from: spec.from,
            days: start..end,
            factor: 1.0 + spec.effect,
            lots: HashDraw::new(&spec.name),
            ids,
        })
    }

    /// The number of a customer's arm.
    pub(super) fn arm(&self, customer: u64) -> usize {
        usize::from(self.lots.value(self.ids.text(customer).as_bytes()) >= CONTROL_BELOW)
    }

    /// The days of `active` on which a customer who arrived on day `start` buys more often.
    fn boosted(&self, customer: u64, start: usize, active: &Range<usize>) -> Option<Range<usize>> {
        let days = active.start.max(self.days.start)..active.end.min(self.days.end);
        (start < self.days.start && days.start < days.end && self.arm(customer) == 1).then_some(days)
    }
}

/// How many repeat purchases to expect from a customer on some days, relative to others.
#[derive(Debug)]
pub(super) struct Demand {
    days: Range<usize>,
    /// Over all days.
    pub(super) total: f64,
    boost: Option<Boost>,
}

/// Days of greater demand among others.
#[derive(Debug)]
struct Boost {
    days: Range<usize>,
    /// Demand before these days, and on them.
    before: f64,
    during: f64,
}

impl Demand {
    /// That of a customer who arrived on day `start` on the days of `active`.
    pub(super) fn of(
        (customer, buyer, start): (u64, &Buyer, usize),
        calendar: &Calendar,
        active: Range<usize>,
        treatment: Option<&Treatment>,
    ) -> Self {
        let boosted = treatment.and_then(|t| Some((t.boosted(customer, start, &active)?, t.factor)));
        let Some((days, factor)) = boosted else {
            return Self { total: buyer.demand(calendar, &active), days: active, boost: None };
        };
        let before = buyer.demand(calendar, &(active.start..days.start));
        let during = factor * buyer.demand(calendar, &days);
        let after = buyer.demand(calendar, &(days.end..active.end));
        Self { total: before + during + after, days: active, boost: Some(Boost { days, before, during }) }
    }

    /// The day on which `spent` of the total is spent.
    pub(super) fn day_at(&self, calendar: &Calendar, spent: f64) -> usize {
        let Some(Boost { days, before, during }) = &self.boost else {
            return calendar.day_at(&self.days, spent / self.total);
        };
        if spent < *before {
            return calendar.day_at(&(self.days.start..days.start), spent / before);
        }
        let (spent, after) = (spent - before, days.end..self.days.end);
        match spent < *during || after.is_empty() {
            true => calendar.day_at(days, spent / during),
            false => calendar.day_at(&after, (spent - during) / (self.total - before - during)),
        }
    }
}
