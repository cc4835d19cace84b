//! The spans of days that are forecast, and those before them that show how well that goes.

use serde::{Deserialize, Serialize};

use super::{Day, Lookback};

/// Most past horizons that are forecast again.
pub const MOST_ORIGINS: usize = 6;

/// Most days that anything is told ahead: ten years.
pub const LONGEST_HORIZON: i32 = 3_653;

/// A span of days after a day up to which purchases are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Horizon {
    /// The last day that is known.
    pub origin: Day,
    /// The last day that is forecast.
    pub end: Day,
}

impl Horizon {
    /// Its length.
    pub fn days(&self) -> f64 {
        f64::from(self.end.0 - self.origin.0)
    }
}

/// The horizon after the as-of date, and past ones, which follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Horizons {
    /// How long they are.
    pub length: Lookback,
    /// The one to come.
    pub next: Horizon,
    /// Past ones, the newest first.
    pub past: Vec<Horizon>,
    /// By past one, the horizon before it and the one a year earlier.
    pub earlier: Vec<[Horizon; 2]>,
    /// The days on which any of them begins or ends, up to the as-of date; ascending.
    pub days: Vec<Day>,
}

impl Horizons {
    /// Horizons of a length around an as-of date.
    pub fn new(as_of: Day, length: Lookback) -> Horizons {
        let day_before = |length: Lookback, day: Day| length.start(day).map_or(Day::MIN, Day::previous).max(Day::MIN.previous());
        let before = |day: Day| Horizon { origin: day_before(length, day), end: day };
        let year_before = |day: Day| day_before(Lookback::Months(12), day);
        let mut past = vec![before(as_of)];
        while let Some(oldest) = past.last().filter(|oldest| past.len() <= MOST_ORIGINS && oldest.origin > Day::MIN) {
            past.push(before(oldest.origin));
        }
        let earlier: Vec<[Horizon; 2]> = past
            .windows(2)
            .map(|pair| [pair[1], Horizon { origin: year_before(pair[0].origin), end: year_before(pair[0].end) }])
            .collect();
        // The oldest only stands before another.
        past.truncate(earlier.len());
        let spans = past.iter().chain(earlier.iter().flatten());
        let mut days: Vec<Day> = spans.flat_map(|span| [span.origin, span.end]).chain([as_of]).collect();
        days.sort_unstable();
        days.dedup();
        Horizons { length, next: Horizon { origin: as_of, end: length.end(as_of) }, past, earlier, days }
    }

    /// The same where further days matter.
    #[must_use]
    pub fn with_days(mut self, further: impl IntoIterator<Item = Day>) -> Horizons {
        self.days.extend(further);
        self.days.sort_unstable();
        self.days.dedup();
        self
    }

    /// The place of a day among those that matter.
    pub fn place(&self, day: Day) -> usize {
        self.days.partition_point(|known| *known < day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a day")
    }

    #[test]
    fn quarters_follow_each_other() {
        let horizons = Horizons::new(day("2024-06-30"), Lookback::Months(3));
        assert_eq!(horizons.next, Horizon { origin: day("2024-06-30"), end: day("2024-09-30") });
        let origins: Vec<String> = horizons.past.iter().map(|past| past.origin.to_string()).collect();
        assert_eq!(origins, ["2024-03-31", "2023-12-31", "2023-09-30", "2023-06-30", "2023-03-31", "2022-12-31"]);
        assert_eq!(horizons.earlier[5][0], Horizon { origin: day("2022-09-30"), end: day("2022-12-31") });
        assert_eq!(horizons.earlier[0][1], Horizon { origin: day("2023-03-31"), end: day("2023-06-30") });
        // Ends of quarters from the start of the one a year before the oldest on.
        assert_eq!((horizons.days.len(), horizons.days[0]), (11, day("2021-12-31")));
        assert_eq!(horizons.days[horizons.place(day("2024-06-30"))], day("2024-06-30"));
    }

    #[test]
    fn horizons_end_where_days_begin() {
        let horizons = Horizons::new(Day(Day::MIN.0 + 100), Lookback::Days(60));
        assert_eq!(horizons.past.len(), 1);
        assert!(horizons.days.iter().all(|day| *day >= Day::MIN.previous()));
    }
}
