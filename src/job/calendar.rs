//! Units of time that follow each other: those of the calendar, or those that a job lists.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::raw::Calendar;
use crate::domain::{AsOf, Day, Period};

/// Days by which a week lies before the same week of the year before, so that weekdays agree.
const WEEKS_OF_A_YEAR: i32 = 52 * 7;

/// A period that the job lists, with its label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listed {
    pub period: Period,
    pub label: String,
}

/// What periods of a job are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Units<'a> {
    /// Units of the calendar.
    Calendar(Calendar),
    /// Periods of the list, ascending.
    Listed(&'a [Listed]),
}

impl Units<'_> {
    /// The whole period that a day lies in.
    pub fn period_of(self, day: Day) -> Option<Period> {
        match self {
            Units::Calendar(every) => {
                let start = first_of(every, day.to_date());
                Some(Period { start: Day::from_date(start), end: Day::from_date(next_start(every, start)) })
            }
            Units::Listed(list) => list.iter().map(|listed| listed.period).find(|period| period.contains(day)),
        }
    }

    /// The last period that is over before a day.
    pub fn ended_before(self, day: Day) -> Option<Period> {
        match self {
            Units::Calendar(every) => {
                let before = Day::from_date(first_of(every, day.to_date())).previous();
                self.period_of(before).filter(|period| period.last_day() < day)
            }
            Units::Listed(list) => list.iter().rev().map(|listed| listed.period).find(|period| period.last_day() < day),
        }
    }

    /// The date with the part of its period up to it, and what reports call that period.
    pub fn at(self, date: Day) -> (AsOf, String) {
        let Some(period) = self.period_of(date) else { return (alone(date), date.to_string()) };
        let label = match self {
            Units::Calendar(every) => calendar_label(every, period.start.to_date()),
            Units::Listed(list) => list.iter().find(|l| l.period == period).map_or_else(String::new, |l| l.label.clone()),
        };
        let label = if date == period.last_day() { label } else { date.label_of_part(&label) };
        let as_of = AsOf {
            period_start: Some(period.start),
            period_end: Some(period.last_day()),
            previous: self.ended_before(period.start).map(|before| (before.start, before.last_day())),
            year_before: self.year_before(date),
            ..AsOf::alone(date)
        };
        (as_of, label)
    }

    /// The same place in the period before: its last day for the last day of a period, else as many days after its
    /// beginning, at most its last.
    pub fn unit_before(self, day: Day) -> Option<Day> {
        let period = self.period_of(day)?;
        let before = self.ended_before(period.start)?;
        if day == period.last_day() {
            return Some(before.last_day());
        }
        match self {
            Units::Calendar(every) => day.to_date().checked_sub(length(every)).ok().map(Day::from_date),
            Units::Listed(_) => Some(same_place(day, period, before)),
        }
    }

    /// The same place in the year before. Weeks, listed ones too, go back 52 weeks.
    pub fn year_before(self, day: Day) -> Option<Day> {
        let period = self.period_of(day)?;
        if period.days() == 7 {
            return Some(Day(day.0 - WEEKS_OF_A_YEAR));
        }
        let year_before = |day: Day| day.to_date().checked_sub(1.year()).ok().map(Day::from_date);
        match self {
            Units::Calendar(_) if day == period.last_day() => self.period_of(year_before(day)?).map(Period::last_day),
            Units::Calendar(_) => year_before(day),
            Units::Listed(list) => {
                let start = year_before(period.start)?;
                let distance = |other: &Period| (other.start.0 - start.0).abs();
                let earlier = list.iter().map(|listed| listed.period).filter(|other| other.start < period.start);
                let then = earlier.min_by_key(distance).filter(|other| distance(other) * 2 <= period.days())?;
                Some(same_place(day, period, then))
            }
        }
    }
}

/// A date of no period.
pub(super) fn alone(date: Day) -> AsOf {
    AsOf { year_before: Units::Calendar(Calendar::Month).year_before(date), ..AsOf::alone(date) }
}

/// The day as far into `other` as `day` is into `period`; the last for the last.
fn same_place(day: Day, period: Period, other: Period) -> Day {
    match day == period.last_day() {
        true => other.last_day(),
        false => Day(other.start.0 + (day.0 - period.start.0)).min(other.last_day()),
    }
}

fn length(every: Calendar) -> jiff::Span {
    match every {
        Calendar::Day => 1.day(),
        Calendar::Week => 7.days(),
        Calendar::Month => 1.month(),
        Calendar::Quarter => 3.months(),
        Calendar::Year => 1.year(),
    }
}

/// First day of the calendar period that holds `date`.
pub(super) fn first_of(every: Calendar, date: Date) -> Date {
    match every {
        Calendar::Day => date,
        Calendar::Week => date.saturating_sub(i64::from(date.weekday().since(Weekday::Monday)).days()),
        Calendar::Month => date.first_of_month(),
        Calendar::Quarter => {
            let month = (date.month() - 1) / 3 * 3 + 1;
            Date::new(date.year(), month, 1).unwrap_or(date)
        }
        Calendar::Year => date.first_of_year(),
    }
}

/// First day of the period after the one that starts on `start`.
pub(super) fn next_start(every: Calendar, start: Date) -> Date {
    start.saturating_add(length(every))
}

/// The unit of the calendar that a period is, if `label` is what [`calendar_label`] calls it.
pub fn unit_called(period: Period, label: &str) -> Option<Calendar> {
    let start = period.start.to_date();
    let units = [Calendar::Day, Calendar::Week, Calendar::Month, Calendar::Quarter, Calendar::Year];
    units.into_iter().find(|&every| {
        let is_unit = first_of(every, start) == start && Day::from_date(next_start(every, start)) == period.end;
        is_unit && calendar_label(every, start) == label
    })
}

/// What tables call a calendar period.
fn calendar_label(every: Calendar, start: Date) -> String {
    match every {
        Calendar::Day => start.to_string(),
        Calendar::Week => {
            let week = start.iso_week_date();
            format!("{}-W{:02}", week.year(), week.week())
        }
        Calendar::Month => format!("{}-{:02}", start.year(), start.month()),
        Calendar::Quarter => format!("{} Q{}", start.year(), (start.month() - 1) / 3 + 1),
        Calendar::Year => start.year().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap_or(Day(0))
    }

    fn text(day: Option<Day>) -> String {
        day.map_or_else(String::new, |day| day.to_string())
    }

    #[test]
    fn units_are_known_by_their_days_and_their_label() {
        for (every, from, to, label) in [
            (Calendar::Day, "2024-12-31", "2024-12-31", "2024-12-31"),
            (Calendar::Week, "2024-12-30", "2025-01-05", "2025-W01"),
            (Calendar::Month, "2024-02-01", "2024-02-29", "2024-02"),
            (Calendar::Quarter, "2024-10-01", "2024-12-31", "2024 Q4"),
            (Calendar::Year, "2024-01-01", "2024-12-31", "2024"),
        ] {
            let period = Period::inclusive(day(from), day(to)).unwrap_or(Period::EMPTY);
            assert_eq!(unit_called(period, label), Some(every), "{label}");
            assert_eq!(unit_called(period, "Christmas"), None);
            assert_eq!(unit_called(Period { end: period.end.next(), ..period }, label), None);
        }
    }

    #[test]
    fn the_same_days_of_the_unit_and_the_year_before() {
        for (every, date, unit, year) in [
            (Calendar::Month, "2024-12-15", "2024-11-15", "2023-12-15"),
            // Clamped to the end of a shorter month; the last day of a month stands beside last days.
            (Calendar::Month, "2024-03-30", "2024-02-29", "2023-03-30"),
            (Calendar::Month, "2023-03-28", "2023-02-28", "2022-03-28"),
            (Calendar::Month, "2024-11-30", "2024-10-31", "2023-11-30"),
            (Calendar::Month, "2024-02-29", "2024-01-31", "2023-02-28"),
            (Calendar::Month, "2025-02-28", "2025-01-31", "2024-02-29"),
            (Calendar::Quarter, "2024-02-29", "2023-11-29", "2023-02-28"),
            (Calendar::Quarter, "2024-05-31", "2024-02-29", "2023-05-31"),
            (Calendar::Quarter, "2024-06-30", "2024-03-31", "2023-06-30"),
            (Calendar::Year, "2024-02-29", "2023-02-28", "2023-02-28"),
            // Weekdays agree.
            (Calendar::Week, "2024-12-12", "2024-12-05", "2023-12-14"),
            (Calendar::Day, "2024-03-01", "2024-02-29", "2023-03-01"),
        ] {
            let units = Units::Calendar(every);
            assert_eq!(
                (text(units.unit_before(day(date))), text(units.year_before(day(date)))),
                (unit.into(), year.into()),
                "{date}"
            );
        }
    }

    /// A trade calendar of 4, 4 and 5 weeks, whose first year has 53.
    #[test]
    fn listed_periods_go_back_by_their_place() {
        let mut list = Vec::new();
        let mut start = day("2023-01-02");
        for weeks in [4, 4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 6, 4, 4, 5] {
            let end = Day(start.0 + weeks * 7);
            list.push(Listed { period: Period { start, end }, label: String::new() });
            start = end;
        }
        let units = Units::Listed(&list);
        // The second year begins on 8 January 2024, its second period on 5 February, its third on 4 March.
        for (date, unit, year) in [
            ("2024-02-10", "2024-01-13", "2023-02-04"),
            // The last day of the third period, of five weeks, and its fifth week.
            ("2024-04-07", "2024-03-03", "2023-04-02"),
            ("2024-04-03", "2024-03-03", "2023-03-29"),
            ("2023-01-10", "", ""),
        ] {
            assert_eq!(
                (text(units.unit_before(day(date))), text(units.year_before(day(date)))),
                (unit.into(), year.into()),
                "{date}"
            );
        }
        let weeks: Vec<Listed> = (0..60)
            .map(|n| Day(day("2023-01-02").0 + n * 7))
            .map(|start| Listed { period: Period { start, end: Day(start.0 + 7) }, label: String::new() })
            .collect();
        assert_eq!(text(Units::Listed(&weeks).year_before(day("2024-02-10"))), "2023-02-11");
    }
}
