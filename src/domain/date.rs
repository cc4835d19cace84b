//! Business dates as day numbers, and lookbacks.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// A business date: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// The first day the program accepts, 0001-01-01.
    pub const MIN: Day = Day(-719_162);
    /// The last day the program accepts, 9999-12-31.
    pub const MAX: Day = Day(2_932_896);

    /// The day of a civil date.
    pub fn from_date(date: Date) -> Day {
        let epoch = Date::constant(1970, 1, 1);
        Day(date.duration_since(epoch).as_hours().div_euclid(24).clamp(i32::MIN as i64, i32::MAX as i64) as i32)
    }

    /// The civil date, clamped to the years 1 to 9999.
    pub fn to_date(self) -> Date {
        let days = self.0.clamp(Day::MIN.0, Day::MAX.0);
        Date::constant(1970, 1, 1).saturating_add((i64::from(days)).days())
    }

    /// The day after.
    pub fn next(self) -> Day {
        Day(self.0.saturating_add(1))
    }

    /// The day before.
    pub fn previous(self) -> Day {
        Day(self.0.saturating_sub(1))
    }

    /// What the part of a period up to this day is called: 2024 Q2 to 31 May.
    pub fn label_of_part(self, period: &str) -> String {
        let end = self.to_date().strftime(" to %-d %b").to_string();
        if period.ends_with(&end) { period.to_owned() } else { format!("{period}{end}") }
    }

    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Day> {
        let date: Date = text.parse().ok()?;
        (text.len() == 10 && date.year() >= 1).then(|| Day::from_date(date))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_date().fmt(f)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Day, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Day::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no date such as 2024-12-31")))
    }
}

/// What a date is computed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DateRole {
    /// A date of the job: all tables have it, and it has a folder of its own.
    Published,
    /// The end of an earlier period, which a trend goes through: it has rows in summed tables, and states are followed
    /// from one to the next.
    Boundary,
    /// The same days of an earlier period: it has rows in summed tables, to compare with.
    Comparison,
    /// What other dates are compared with; tables do not show it.
    Hidden,
}

/// The period that measures look at, and the one before it, by first and last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MeasuredPeriod {
    /// First day; the last one is the as-of date.
    pub start: Day,
    /// First and last day of the period before.
    pub previous: Option<(Day, Day)>,
}

/// An as-of date with its period and the period before, where the job has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AsOf {
    /// Last date counted.
    pub date: Day,
    /// What it is computed for.
    pub role: DateRole,
    /// First day of the period that ends on `date`.
    pub period_start: Option<Day>,
    /// Last day of that period; later than `date` if the period is not over.
    pub period_end: Option<Day>,
    /// First and last day of the period before, or of what of it compares with a period that is not over.
    pub previous: Option<(Day, Day)>,
    /// The same date a year before.
    pub year_before: Option<Day>,
    /// The period that measures look at, where it is not the one above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<MeasuredPeriod>,
}

impl AsOf {
    /// A date of the job without a period.
    pub fn alone(date: Day) -> AsOf {
        let role = DateRole::Published;
        AsOf { date, role, period_start: None, period_end: None, previous: None, year_before: None, measured: None }
    }

    /// Whether all tables have it, and folders of its own.
    pub fn is_published(&self) -> bool {
        self.role == DateRole::Published
    }

    /// Whether summed tables have rows of it.
    pub fn is_shown(&self) -> bool {
        self.role != DateRole::Hidden
    }

    /// Whether states are followed from it to the next such date.
    pub fn is_followed(&self) -> bool {
        matches!(self.role, DateRole::Published | DateRole::Boundary)
    }

    /// The date with the period that measures look at.
    pub fn as_measured(self) -> AsOf {
        match self.measured {
            Some(measured) => AsOf { period_start: Some(measured.start), previous: measured.previous, ..self },
            None => self,
        }
    }
}

/// How far back a measure looks from an as-of date: `[end − L, end)` with `end` the day after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lookback {
    /// All history.
    All,
    /// A number of days.
    Days(i32),
    /// A number of calendar months, clamped to month ends (a quarter is 3, a year 12).
    Months(i32),
}

/// First day of a lookback; `None` when it has none (all history).
pub type WindowStart = Option<Day>;

impl Lookback {
    /// Reads `all`, `365d`, `12 weeks`, `4 quarters`, `1 year` and the like.
    ///
    /// # Errors
    /// Says what was found and which forms exist.
    pub fn parse(text: &str) -> Result<Lookback> {
        let wrong = || {
            Error::usage(format!(
                "{text:?} is not a length of time: expected \"all\", days such as \"365d\" or \"90 days\", or calendar units such as \"2 weeks\", \"12 months\", \"4 quarters\" or \"1 year\""
            ))
        };
        let text_trimmed = text.trim();
        if text_trimmed == "all" {
            return Ok(Lookback::All);
        }
        let digits = text_trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = text_trimmed.split_at(digits);
        let count: i32 = count.parse().map_err(|_| wrong())?;
        if count == 0 || count > 100_000 {
            return Err(wrong());
        }
        match unit.trim() {
            "d" | "day" | "days" => Ok(Lookback::Days(count)),
            "w" | "week" | "weeks" => Ok(Lookback::Days(count * 7)),
            "m" | "month" | "months" => Ok(Lookback::Months(count)),
            "q" | "quarter" | "quarters" => Ok(Lookback::Months(count * 3)),
            "y" | "year" | "years" => Ok(Lookback::Months(count * 12)),
            _ => Err(wrong()),
        }
    }

    /// The last day of the same length of time after `day`; clamped to the last day there is, which is that of all history.
    pub fn end(self, day: Day) -> Day {
        let next = day.next();
        match self {
            Lookback::All => Day::MAX,
            Lookback::Days(days) => Day(day.0.saturating_add(days).min(Day::MAX.0)),
            Lookback::Months(months) => {
                next.to_date().checked_add(months.months()).map_or(Day::MAX, |end| Day::from_date(end).previous())
            }
        }
    }

    /// The first day counted when the last one is `as_of`.
    pub fn start(self, as_of: Day) -> WindowStart {
        let end = as_of.next();
        match self {
            Lookback::All => None,
            Lookback::Days(days) => Some(Day(end.0.saturating_sub(days).max(Day::MIN.0))),
            Lookback::Months(months) => {
                Some(Day::from_date(end.to_date().checked_sub(months.months()).unwrap_or(Date::constant(1, 1, 1))))
            }
        }
    }
}

impl fmt::Display for Lookback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lookback::All => f.write_str("all"),
            Lookback::Days(days) => write!(f, "{days}d"),
            Lookback::Months(months) if months % 12 == 0 => write!(f, "{}y", months / 12),
            Lookback::Months(months) if months % 3 == 0 => write!(f, "{}q", months / 3),
            Lookback::Months(months) => write!(f, "{months}m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        assert_eq!(Day::parse("1970-01-01"), Some(Day(0)));
        assert_eq!(Day::parse("2000-03-01"), Some(Day(11_017)));
        assert_eq!(Day(-1).to_string(), "1969-12-31");
        assert_eq!(Day::parse("0001-01-01"), Some(Day::MIN));
        assert_eq!(Day::parse("9999-12-31"), Some(Day::MAX));
        assert_eq!(Day::parse("2024-1-1"), None);
    }

    #[test]
    fn lookbacks_clamp_to_month_ends() {
        let start =
            |text: &str, as_of: &str| Lookback::parse(text).ok().and_then(|l| l.start(Day::parse(as_of)?)).map(|d| d.to_string());
        assert_eq!(start("2 quarters", "1997-03-31").as_deref(), Some("1996-10-01"));
        assert_eq!(start("1 month", "2024-03-30").as_deref(), Some("2024-02-29"));
        assert_eq!(start("365d", "2024-12-31").as_deref(), Some("2024-01-02"));
        assert_eq!(start("all", "2024-12-31"), None);
        assert!(Lookback::parse("0d").is_err());
        assert!(Lookback::parse("five days").is_err());
    }
}
