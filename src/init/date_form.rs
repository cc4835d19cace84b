//! How dates are written as text: the forms that are known, and reading by one of them. Patterns are those that a query's
//! `DATE` and `STRPTIME` take.

use jiff::civil::{Date, Time};

use crate::domain::Day;

/// A way to write a date, perhaps with a time of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateForm {
    /// Its pattern, such as `%d.%m.%Y %H:%M`.
    pub pattern: String,
    /// What it says of the zone.
    pub zone: WrittenZone,
}

/// What a form says of the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenZone {
    /// Nothing.
    None,
    /// An offset from UTC.
    Offset,
    /// That it is UTC.
    Utc,
}

/// A moment that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The day that is written.
    pub day: Day,
    /// Seconds since its midnight.
    pub second: i32,
    /// Offset from UTC in seconds, if one is written.
    pub offset: Option<i32>,
}

impl Moment {
    /// Seconds since 1970 of the wall clock.
    pub fn wall_second(self) -> i64 {
        i64::from(self.day.0) * 86_400 + i64::from(self.second)
    }
}

/// Days without a time.
const DATES: [&str; 21] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%Y%m%d",
    "%d %b %Y",
    "%b %d, %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b-%d-%y",
    "%d %B %Y",
    "%B %d, %Y",
    "%a, %d %b %Y",
    "%Y年%m月%d日",
];

const BETWEEN: [&str; 3] = [" ", "T", ", "];
const TIMES: [&str; 5] = ["%H:%M:%S", "%H:%M", "%H:%M:%S%.f", "%I:%M:%S %p", "%I:%M %p"];
const ZONES: [(&str, WrittenZone); 5] = [
    ("", WrittenZone::None),
    (" %z", WrittenZone::Offset),
    ("%z", WrittenZone::Offset),
    ("Z", WrittenZone::Utc),
    (" UTC", WrittenZone::Utc),
];

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl DateForm {
    /// All known forms.
    pub fn all() -> Vec<DateForm> {
        let mut forms: Vec<DateForm> =
            DATES.iter().map(|date| DateForm { pattern: (*date).to_owned(), zone: WrittenZone::None }).collect();
        for date in DATES {
            for (between, time) in BETWEEN.iter().flat_map(|between| TIMES.iter().map(move |time| (between, time))) {
                let with_zone =
                    ZONES.iter().map(|(zone, says)| DateForm { pattern: format!("{date}{between}{time}{zone}"), zone: *says });
                forms.extend(with_zone);
            }
        }
        forms
    }

    /// Whether a time of day is written.
    pub fn has_time(&self) -> bool {
        self.pattern.contains("%M")
    }

    /// Whether the day stands before the month, in a form in which another one has them the other way round.
    pub fn day_first(&self) -> Option<bool> {
        let at = |part: &str| self.pattern.find(part);
        let (day, month) = (at("%d")?, at("%m")?);
        let year_first = at("%Y").is_some_and(|year| year < day.min(month));
        let is_german = self.pattern.contains("%d.%m");
        (!year_first && !is_german).then_some(day < month)
    }

    /// Reads a text of this form and nothing else.
    pub fn read(&self, text: &str) -> Option<Moment> {
        let mut reader = Reader {
            rest: text.trim(),
            year: None,
            month: None,
            day: None,
            hour: 0,
            minute: 0,
            second: 0,
            is_afternoon: None,
            offset: None,
        };
        let mut pattern = self.pattern.chars();
        let is_compact = self.pattern.starts_with("%Y%m%d");
        while let Some(c) = pattern.next() {
            if c != '%' {
                reader.literal(c)?;
                continue;
            }
            match pattern.next()? {
                '.' => {
                    pattern.next();
                    reader.fraction();
                }
                part => reader.part(part, is_compact)?,
            }
        }
        let moment = reader.moment()?;
        let is_plausible = !is_compact || (1990..=2100).contains(&moment.day.to_date().year());
        is_plausible.then_some(moment)
    }
}

/// What is left of a text, and what was read of it.
struct Reader<'a> {
    rest: &'a str,
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: i8,
    minute: i8,
    second: i8,
    is_afternoon: Option<bool>,
    offset: Option<i32>,
}

impl Reader<'_> {
    fn literal(&mut self, c: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(c)?;
        Some(())
    }

    fn part(&mut self, part: char, is_compact: bool) -> Option<()> {
        // Without anything between them, numbers have all their digits.
        let least = if is_compact { 2 } else { 1 };
        match part {
            'Y' => self.year = Some(self.number(4, 4)?),
            'y' => {
                let year = self.number(2, 2)?;
                self.year = Some(if year < 70 { 2000 + year } else { 1900 + year });
            }
            'm' => self.month = Some(i8::try_from(self.number(least, 2)?).ok()?),
            'd' => self.day = Some(i8::try_from(self.number(least, 2)?).ok()?),
            'H' | 'I' => {
                let hour = i8::try_from(self.number(1, 2)?).ok()?;
                if part == 'I' && !(1..=12).contains(&hour) {
                    return None;
                }
                self.hour = hour;
            }
            'M' => self.minute = i8::try_from(self.number(2, 2)?).ok()?,
            'S' => self.second = i8::try_from(self.number(2, 2)?).ok()?,
            'b' => self.month = Some(self.word(&MONTHS, Some(3))?),
            'B' => self.month = Some(self.word(&MONTHS, None)?),
            'a' => drop(self.word(&WEEKDAYS, Some(3))?),
            'p' => self.is_afternoon = Some(self.word(&["am", "pm"], None)? == 2),
            'z' => self.offset = Some(self.offset()?),
            _ => return None,
        }
        Some(())
    }

    fn number(&mut self, least: usize, most: usize) -> Option<i16> {
        let digits = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        if digits < least { None } else { number.parse().ok() }
    }

    fn fraction(&mut self) {
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        }
    }

    /// The number, from 1, of a word of a list, of which the first letters may count alone.
    fn word(&mut self, words: &[&str], letters: Option<usize>) -> Option<i8> {
        let found = words.iter().position(|word| {
            let word = letters.and_then(|letters| word.get(..letters)).unwrap_or(word);
            self.rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        })?;
        let word = words.get(found)?;
        self.rest = self.rest.get(letters.unwrap_or(word.len()).min(word.len())..)?;
        i8::try_from(found + 1).ok()
    }

    fn offset(&mut self) -> Option<i32> {
        let sign = match self.rest.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        self.rest = self.rest.get(1..)?;
        let hours = i32::from(self.number(2, 2)?);
        self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
        let minutes = i32::from(self.number(2, 2)?);
        (hours <= 15 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
    }

    fn moment(self) -> Option<Moment> {
        if !self.rest.is_empty() {
            return None;
        }
        let date = Date::new(self.year?, self.month?, self.day?).ok().filter(|date| date.year() >= 1)?;
        let hour = match self.is_afternoon {
            Some(is_afternoon) => self.hour % 12 + if is_afternoon { 12 } else { 0 },
            None => self.hour,
        };
        let time = Time::new(hour, self.minute, self.second.min(59), 0).ok()?;
        let second = i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60 + i32::from(time.second());
        Some(Moment { day: Day::from_date(date), second, offset: self.offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str) -> Vec<String> {
        let forms = DateForm::all();
        forms.into_iter().filter(|form| form.read(text).is_some()).map(|form| form.pattern).collect()
    }

    /// Each text is of these forms and of no other.
    #[test]
    fn texts_have_the_forms_that_people_would_say() {
        for (text, expected) in [
            ("2024-05-31", &["%Y-%m-%d"][..]),
            ("31.05.2024", &["%d.%m.%Y"]),
            ("3/4/2024", &["%d/%m/%Y", "%m/%d/%Y"]),
            ("31/05/2024", &["%d/%m/%Y"]),
            ("05/31/24", &["%m/%d/%y"]),
            ("20240531", &["%Y%m%d"]),
            ("2024-04-05 21:06:21 +0200", &["%Y-%m-%d %H:%M:%S %z"]),
            ("2024-04-05T21:06:21Z", &["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%.fZ"]),
            ("2024-04-05T21:06:21.123+02:00", &["%Y-%m-%dT%H:%M:%S%.f%z"]),
            ("Apr 5, 2024 9:06:21 PM", &["%b %d, %Y %I:%M:%S %p"]),
            ("Apr-05-24", &["%b-%d-%y"]),
            ("2024年4月5日", &["%Y年%m月%d日"]),
            ("1001", &[]),
            ("2024-13-01", &[]),
            ("30.02.2024", &[]),
            ("12345678", &[]),
        ] {
            let found: Vec<String> = forms(text);
            let found: Vec<&str> =
                found.iter().map(String::as_str).filter(|form| !form.contains("%.f") || expected.contains(form)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn moments_are_read() {
        let read = |pattern: &str, text: &str| DateForm { pattern: pattern.into(), zone: WrittenZone::None }.read(text);
        let moment = read("%Y-%m-%d %H:%M:%S %z", "2024-04-05 21:06:21 -0730");
        assert_eq!(moment.map(|m| (m.day.to_string(), m.second, m.offset)), Some(("2024-04-05".into(), 75_981, Some(-27_000))));
        assert_eq!(read("%d.%m.%y", "01.02.99").map(|m| m.day.to_string()).as_deref(), Some("1999-02-01"));
        assert_eq!(read("%m/%d/%Y %I:%M %p", "12/31/2024 12:05 AM").map(|m| m.second), Some(300));
    }

    #[test]
    fn the_order_of_day_and_month_is_open_where_both_can_be() {
        let order = |pattern: &str| DateForm { pattern: pattern.into(), zone: WrittenZone::None }.day_first();
        assert_eq!(
            ["%d/%m/%Y", "%m-%d-%Y", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y"].map(order),
            [Some(true), Some(false), None, None, None]
        );
    }
}
