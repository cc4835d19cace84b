//! Periods: the dates of a strategy, of a baseline.

use std::fmt;

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
    /// The period whose first and last day are these; `None` if it would end before it begins.
    pub fn inclusive(from: Day, to: Day) -> Option<Period> {
        (from <= to).then(|| Period { start: from, end: to.next() })
    }

    /// The last day.
    pub fn last(self) -> Day {
        self.end.previous()
    }

    /// How many days it has.
    pub fn days(self) -> i32 {
        self.end.0.saturating_sub(self.start.0)
    }

    /// Whether the day lies in it.
    pub fn contains(self, day: Day) -> bool {
        self.start <= day && day < self.end
    }

    /// Whether the two share a day.
    pub fn overlaps(self, other: Period) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.start, self.last())
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
}
