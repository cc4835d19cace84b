//! What periods are called. Tables have one label for each, in English unless the job gives it; a page says those that the
//! program makes in its own language and leaves those of the job as they are.

use super::data::PeriodRow;
use super::number::NOTHING;
use super::view::View;
use crate::domain::{Day, Period};
use crate::job::{self, raw::Calendar};

/// What the label of a period says.
enum Label<'a> {
    /// A unit of the calendar, by its first day.
    Unit(Calendar, Day),
    /// A date.
    Date(Day),
    /// First and last day.
    Days(Period),
    /// What the job calls the period.
    Given(&'a str),
}

/// Reads the label of a row, without what says that it is a part of the period.
fn label(row: &PeriodRow) -> Option<(Label<'_>, bool)> {
    let text = row.label.as_deref().map(str::trim).filter(|label| !label.is_empty())?;
    if text == row.as_of.to_string() {
        return Some((Label::Date(row.as_of), false));
    }
    let Some(period) = row.period_start.zip(row.period_end).and_then(|(start, end)| Period::inclusive(start, end)) else {
        return Some((Label::Given(text), false));
    };
    let part = if row.as_of < period.last_day() { text.strip_suffix(&row.as_of.label_of_part("")) } else { None };
    let whole = part.unwrap_or(text);
    let label = match job::unit_called(period, whole) {
        Some(Calendar::Day) => Label::Date(period.start),
        Some(unit) => Label::Unit(unit, period.start),
        None if whole == period.to_string() => Label::Days(period),
        None => Label::Given(whole),
    };
    Some((label, part.is_some()))
}

impl View<'_> {
    /// What an as-of date is called: the label of its period, else the date.
    pub fn period(&self, date: Day) -> String {
        let Some((label, is_part)) = self.period_row(date).and_then(label) else { return self.format.date(date) };
        let whole = self.whole_period(&label);
        if !is_part {
            return whole;
        }
        let until = self.format.day_of_year(date);
        self.words.fill("period.part", &[("period", &whole), ("date", &until)])
    }

    /// A short name for axes: that of the whole period if it is short, else the date.
    pub fn short_period(&self, date: Day) -> String {
        match self.period_row(date).and_then(label) {
            Some((Label::Unit(unit, start), false)) => self.unit(unit, start, true),
            Some((Label::Given(text), false)) if text.chars().count() <= 8 => text.to_owned(),
            _ => self.format.date(date),
        }
    }

    /// A period by its first and last day, or its label where the job has one.
    pub fn span(&self, start: Option<Day>, end: Option<Day>) -> String {
        if start.is_none() && end.is_none() {
            return self.words.text("strategy.all_periods").into();
        }
        let known = self.data.dim_period.iter().flatten().find(|row| row.period_start == start && row.period_end == end);
        match known.and_then(label) {
            Some((label, _)) => self.whole_period(&label),
            None => self.days(start, end),
        }
    }

    fn whole_period(&self, label: &Label<'_>) -> String {
        match *label {
            Label::Unit(unit, start) => self.unit(unit, start, false),
            Label::Date(day) => self.format.date(day),
            Label::Days(period) => self.days(Some(period.start), Some(period.last_day())),
            Label::Given(text) => text.to_owned(),
        }
    }

    fn days(&self, start: Option<Day>, end: Option<Day>) -> String {
        let date = |day: Option<Day>| day.map_or(NOTHING.into(), |day| self.format.date(day));
        self.words.fill("strategy.span", &[("start", &date(start)), ("end", &date(end))])
    }

    /// What a unit of the calendar is called in the language of the page.
    fn unit(&self, unit: Calendar, start: Day, is_short: bool) -> String {
        let date = start.to_date();
        let week = date.iso_week_date();
        let (key, year, number) = match unit {
            Calendar::Week => (["period.week", "period.short_week"], week.year(), self.format.week(week.week())),
            Calendar::Quarter => {
                (["period.quarter", "period.short_quarter"], date.year(), ((date.month() - 1) / 3 + 1).to_string())
            }
            Calendar::Day | Calendar::Month => (["period.month", "period.short_month"], date.year(), String::new()),
            Calendar::Year => (["period.year"; 2], date.year(), String::new()),
        };
        let values = [("year", &*year.to_string()), ("number", &*number), ("month", self.format.month(start))];
        self.words.fill(key[usize::from(is_short)], &values)
    }
}
