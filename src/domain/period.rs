//! Periods: the dates of a strategy, of a baseline.

use std::fmt;

use jiff::ToSpan;

use super::Day;

/// Dates from `start` to the day before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// First day.
    pub start: Day,
    /// The day after the last one.
    pub end: Day,
}

impl Period {
    /// No days: it overlaps nothing, and its hull with another period is the other.
    pub const EMPTY: Period = Period { start: Day(i32::MAX), end: Day(i32::MIN) };

    /// The period whose first and last day are these; `None` if it would end before it begins.
    pub fn inclusive(from: Day, to: Day) -> Option<Period> {
        (from <= to).then(|| Period { start: from, end: to.next() })
    }

    /// The last day.
    pub fn last_day(self) -> Day {
        self.end.previous()
    }

    /// How many days it has.
    pub fn days(self) -> i32 {
        self.end.0.saturating_sub(self.start.0)
    }

    /// The time just before: the calendar month, quarter or year before one of these, else as many days.
    pub fn preceding(self) -> Period {
        let (start, end) = (self.start.to_date(), self.end.to_date());
        let months = i32::from(end.year() - start.year()) * 12 + i32::from(end.month() - start.month());
        let is_unit = start.day() == 1
            && end.day() == 1
            && (months == 1 || months == 3 && start.month() % 3 == 1 || months == 12 && start.month() == 1);
        let before = if is_unit { start.checked_sub(months.months()).ok() } else { None };
        Period { start: before.map_or(Day(self.start.0.saturating_sub(self.days())), Day::from_date), end: self.start }
    }

    /// Whether the day lies in it.
    pub fn contains(self, day: Day) -> bool {
        self.start <= day && day < self.end
    }

    /// The shortest period that has all days of both.
    pub fn hull(self, other: Period) -> Period {
        Period { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether the two share a day.
    pub fn overlaps(self, other: Period) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl From<Day> for Period {
    fn from(day: Day) -> Period {
        Period { start: day, end: day.next() }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.start, self.last_day())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_inclusive_when_read_and_exclusive_inside() {
        let day = |text: &str| Day::parse(text).unwrap_or(Day(0));
        let quarter = Period::inclusive(day("2024-04-01"), day("2024-06-30"));
        let quarter = quarter.unwrap_or(Period { start: Day(0), end: Day(0) });
        assert_eq!((quarter.days(), quarter.to_string().as_str()), (91, "2024-04-01 to 2024-06-30"));
        assert!(quarter.contains(day("2024-04-01")) && quarter.contains(day("2024-06-30")));
        assert!(!quarter.contains(day("2024-03-31")) && !quarter.contains(day("2024-07-01")));
        let next = Period { start: day("2024-07-01"), end: day("2024-10-01") };
        assert!(!quarter.overlaps(next) && !next.overlaps(quarter) && quarter.overlaps(quarter));
        assert_eq!(Period::inclusive(day("2024-06-30"), day("2024-04-01")), None);
    }

    #[test]
    fn calendar_units_follow_each_other() {
        let day = |text: &str| Day::parse(text).unwrap_or(Day(0));
        for (from, to, before) in [
            ("2024-03-01", "2024-03-31", "2024-02-01 to 2024-02-29"),
            ("2024-01-01", "2024-03-31", "2023-10-01 to 2023-12-31"),
            ("2024-01-01", "2024-12-31", "2023-01-01 to 2023-12-31"),
            // No quarter of the calendar, no whole month, no unit at all: as many days.
            ("2024-02-01", "2024-04-30", "2023-11-03 to 2024-01-31"),
            ("2024-03-02", "2024-03-31", "2024-02-01 to 2024-03-01"),
            ("2024-03-01", "2024-03-07", "2024-02-23 to 2024-02-29"),
        ] {
            let period = Period::inclusive(day(from), day(to)).map(|p| p.preceding().to_string());
            assert_eq!(period.as_deref(), Some(before));
        }
    }
}
