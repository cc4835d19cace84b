//! Dates, months and three hand-written time zones, for the oracle only.
//!
//! A date is a count of days since 1970-01-01, an instant a count of seconds since 1970-01-01T00:00Z, and a
//! wall-clock time a count of seconds since 1970-01-01T00:00 on the wall. The two zones with summer time know their
//! rules for the years 2007 to 2030 and refuse every other year.

/// The zones the oracle can convert, by their IANA names.
pub const ZONES: [&str; 3] = ["UTC", "America/New_York", "Europe/Berlin"];

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// The unit of a timestamp column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
}

impl TimeUnit {
    /// How many of this unit make a second.
    pub fn per_second(self) -> i64 {
        match self {
            TimeUnit::Second => 1,
            TimeUnit::Millisecond => 1_000,
            TimeUnit::Microsecond => 1_000_000,
            TimeUnit::Nanosecond => 1_000_000_000,
        }
    }

    /// The whole seconds of a raw value, rounded down, before 1970 too.
    pub fn whole_seconds(self, raw: i64) -> i64 {
        raw.div_euclid(self.per_second())
    }
}

/// True if the year has a 29 February.
pub fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The number of days of a month, 1..=12.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => panic!("no month {month}"),
    }
}

/// The date of a year, month (1..=12) and day (from 1): years and months are simply walked and added up.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    assert!((1..=days_in_month(year, month)).contains(&day), "no date {year}-{month}-{day}");
    let length = |y: i64| if is_leap_year(y) { 366 } else { 365 };
    let mut days = 0;
    for y in 1970..year {
        days += length(y);
    }
    for y in year..1970 {
        days -= length(y);
    }
    for m in 1..month {
        days += days_in_month(year, m);
    }
    days + day - 1
}

/// Year, month and day of a date.
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let mut year = 1970 + days.div_euclid(365).min(days.div_euclid(366));
    while days_from_civil(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days_from_civil(year, month + 1, 1) <= days {
        month += 1;
    }
    (year, month, days - days_from_civil(year, month, 1) + 1)
}

/// The date as `YYYY-MM-DD`, which is also how TOML writes it.
pub fn date_text(days: i64) -> String {
    let (year, month, day) = civil_from_days(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The day of the week, 0 for Monday to 6 for Sunday.
pub fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) // 1970-01-01 was a Thursday.
}

/// The date some months later (earlier if negative); a day the target month lacks becomes its last day.
pub fn add_months(days: i64, months: i64) -> i64 {
    let (year, month, day) = civil_from_days(days);
    let count = year * 12 + (month - 1) + months;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
    days_from_civil(year, month, day.min(days_in_month(year, month)))
}

/// The n-th (from 1) Sunday of a month.
fn nth_sunday(year: i64, month: i64, n: i64) -> i64 {
    let first = days_from_civil(year, month, 1);
    first + (6 - weekday(first)) + 7 * (n - 1)
}

/// The last Sunday of a month.
fn last_sunday(year: i64, month: i64) -> i64 {
    let last = days_from_civil(year, month, days_in_month(year, month));
    last - (weekday(last) + 1) % 7
}

/// The moment at which a zone changes its offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The instant of the change.
    pub at: i64,
    /// Seconds east of UTC before it.
    pub before: i64,
    /// Seconds east of UTC from it on.
    pub after: i64,
}

/// All changes of a zone in the years 2007 to 2030, ascending.
pub fn changes(zone: &str) -> Vec<Change> {
    let mut list = Vec::new();
    for year in 2007..=2030 {
        match zone {
            "UTC" => {}
            "America/New_York" => {
                // Two o'clock on the wall: 07:00 UTC in winter time, 06:00 UTC in summer time.
                let (winter, summer) = (-5 * 3600, -4 * 3600);
                let spring = nth_sunday(year, 3, 2) * DAY + 7 * 3600;
                let autumn = nth_sunday(year, 11, 1) * DAY + 6 * 3600;
                list.push(Change { at: spring, before: winter, after: summer });
                list.push(Change { at: autumn, before: summer, after: winter });
            }
            "Europe/Berlin" => {
                let (winter, summer) = (3600, 2 * 3600);
                list.push(Change { at: last_sunday(year, 3) * DAY + 3600, before: winter, after: summer });
                list.push(Change { at: last_sunday(year, 10) * DAY + 3600, before: summer, after: winter });
            }
            _ => panic!("the oracle does not know the zone {zone}"),
        }
    }
    list
}

/// Refuses times outside the years whose rules are written down here.
fn check_year(zone: &str, seconds: i64) {
    let (year, _, _) = civil_from_days(seconds.div_euclid(DAY));
    assert!(zone == "UTC" || (2007..=2030).contains(&year), "the oracle does not know {zone} in {year}");
}

/// Seconds east of UTC in a zone at an instant.
pub fn offset_at_instant(zone: &str, instant: i64) -> i64 {
    check_year(zone, instant);
    let list = changes(zone);
    let mut offset = list.first().map_or(0, |c| c.before);
    for c in list {
        if instant >= c.at {
            offset = c.after;
        }
    }
    offset
}

/// The date on the wall of a zone at an instant.
pub fn local_date(zone: &str, instant: i64) -> i64 {
    (instant + offset_at_instant(zone, instant)).div_euclid(DAY)
}

/// The instant at which the wall of a zone shows a time.
///
/// A time that the wall skips (a gap) is shifted forward by the gap, a time it shows twice (a fold) means the earlier
/// instant: in both cases the offset before the change holds.
pub fn instant_of_wall_clock(zone: &str, wall: i64) -> i64 {
    check_year(zone, wall);
    let list = changes(zone);
    let mut offset = list.first().map_or(0, |c| c.before);
    for c in list {
        if wall >= c.at + c.before.max(c.after) {
            offset = c.after;
        }
    }
    wall - offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i64, month: i64, day: i64, hour: i64, minute: i64) -> i64 {
        days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60
    }

    #[test]
    fn dates_are_known_days() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(1969, 12, 31), -1);
        assert_eq!(days_from_civil(2000, 3, 1), 11_017);
        assert_eq!(days_from_civil(2024, 2, 29), 19_782);
        assert_eq!(date_text(19_782), "2024-02-29");
        for d in -20_000..30_000 {
            let (year, month, day) = civil_from_days(d);
            assert_eq!(days_from_civil(year, month, day), d);
        }
        assert_eq!(weekday(days_from_civil(2024, 2, 29)), 3);
        assert_eq!(weekday(days_from_civil(1969, 12, 29)), 0);
    }

    #[test]
    fn months_are_clamped_to_their_ends() {
        let d = days_from_civil;
        assert_eq!(add_months(d(2024, 3, 31), -1), d(2024, 2, 29));
        assert_eq!(add_months(d(2023, 3, 31), -1), d(2023, 2, 28));
        assert_eq!(add_months(d(2024, 1, 1), -3), d(2023, 10, 1));
        assert_eq!(add_months(d(2024, 2, 29), -12), d(2023, 2, 28));
        assert_eq!(add_months(d(2024, 5, 31), -6), d(2023, 11, 30));
        assert_eq!(add_months(d(2023, 11, 30), 3), d(2024, 2, 29));
    }

    #[test]
    fn changes_of_2024_are_on_their_days() {
        let new_york: Vec<i64> = changes("America/New_York").iter().map(|c| c.at).collect();
        assert!(new_york.contains(&at(2024, 3, 10, 7, 0)) && new_york.contains(&at(2024, 11, 3, 6, 0)));
        let berlin: Vec<i64> = changes("Europe/Berlin").iter().map(|c| c.at).collect();
        assert!(berlin.contains(&at(2024, 3, 31, 1, 0)) && berlin.contains(&at(2024, 10, 27, 1, 0)));
    }

    #[test]
    fn instants_become_local_dates() {
        let d = days_from_civil;
        assert_eq!(local_date("UTC", -1), -1);
        assert_eq!(local_date("America/New_York", at(2024, 1, 1, 4, 59)), d(2023, 12, 31));
        assert_eq!(local_date("America/New_York", at(2024, 1, 1, 5, 0)), d(2024, 1, 1));
        assert_eq!(local_date("America/New_York", at(2024, 7, 1, 3, 59)), d(2024, 6, 30));
        assert_eq!(local_date("America/New_York", at(2024, 7, 1, 4, 0)), d(2024, 7, 1));
        assert_eq!(local_date("Europe/Berlin", at(2024, 3, 31, 21, 59)), d(2024, 3, 31));
        assert_eq!(local_date("Europe/Berlin", at(2024, 3, 31, 22, 0)), d(2024, 4, 1));
        assert_eq!(local_date("Europe/Berlin", at(2024, 10, 27, 22, 59)), d(2024, 10, 27));
        assert_eq!(local_date("Europe/Berlin", at(2024, 10, 27, 23, 0)), d(2024, 10, 28));
    }

    #[test]
    fn wall_clock_gaps_and_folds() {
        let wall = instant_of_wall_clock;
        // The gap of New York: 02:30 does not exist and means 03:30 summer time, which is 07:30 UTC.
        assert_eq!(wall("America/New_York", at(2024, 3, 10, 1, 59)), at(2024, 3, 10, 6, 59));
        assert_eq!(wall("America/New_York", at(2024, 3, 10, 2, 30)), at(2024, 3, 10, 7, 30));
        assert_eq!(wall("America/New_York", at(2024, 3, 10, 3, 0)), at(2024, 3, 10, 7, 0));
        // The fold of New York: 01:30 happens twice, the first time at 05:30 UTC.
        assert_eq!(wall("America/New_York", at(2024, 11, 3, 1, 30)), at(2024, 11, 3, 5, 30));
        assert_eq!(wall("America/New_York", at(2024, 11, 3, 2, 0)), at(2024, 11, 3, 7, 0));
        // Berlin: 02:30 in March is a gap, in October a fold.
        assert_eq!(wall("Europe/Berlin", at(2024, 3, 31, 2, 30)), at(2024, 3, 31, 1, 30));
        assert_eq!(wall("Europe/Berlin", at(2024, 10, 27, 2, 30)), at(2024, 10, 27, 0, 30));
        assert_eq!(wall("Europe/Berlin", at(2024, 10, 27, 3, 0)), at(2024, 10, 27, 2, 0));
        assert_eq!(wall("UTC", -5), -5);
    }

    #[test]
    fn raw_timestamps_round_down() {
        assert_eq!(TimeUnit::Nanosecond.whole_seconds(-1), -1);
        assert_eq!(TimeUnit::Millisecond.whole_seconds(86_399_999), 86_399);
        assert_eq!(TimeUnit::Second.whole_seconds(7), 7);
    }
}
