//! How dates are written as text: the forms that are known, and reading by one of them. Patterns are those that a query's
//! `DATE` and `STRPTIME` take.

use std::sync::LazyLock;

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
    /// The abbreviation of a zone, such as PST or PDT of America/Los_Angeles; the wall clock is that of the zone.
    Named(&'static NamedZone),
}

/// A zone by its abbreviations.
#[derive(Debug, PartialEq, Eq)]
pub struct NamedZone {
    /// Its IANA name.
    pub name: &'static str,
    /// Its abbreviations in winter and in summer.
    abbreviations: [&'static str; 2],
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
const DATES: [&str; 25] = [
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
    COMPACT,
    "%d %b %Y",
    "%b %d, %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b-%d-%y",
    "%d %B %Y",
    "%B %d, %Y",
    "%a, %d %b %Y",
    "%d. %m. %Y",
    SAS,
    APACHE,
    HAN,
    "%a %b %d %Y",
];

/// As SAP writes dates.
const COMPACT: &str = "%Y%m%d";
/// As SAS writes dates, behind which times stand after a colon.
const SAS: &str = "%d%b%Y";
/// As the logs of web servers write dates, behind which times stand after a colon, too.
const APACHE: &str = "%d/%b/%Y";
const HAN: &str = "%Y年%m月%d日";

/// What may stand between a date and a time.
const BETWEEN: [&str; 4] = [" ", "T", ", ", " @ "];
const TIMES: [&str; 10] = [
    "%H:%M:%S",
    "%H:%M",
    "%H:%M:%S%.f",
    "%I:%M:%S %p",
    "%I:%M %p",
    "%I:%M:%S%p",
    "%I:%M%p",
    // A narrow space, as browsers write it.
    "%I:%M:%S\u{202f}%p",
    "%I:%M\u{202f}%p",
    // As Oracle writes it.
    "%I.%M.%S%.f %p",
];
const COMPACT_TIMES: [&str; 2] = ["%H%M%S", "%H%M"];
const HAN_TIMES: [&str; 2] = ["%H时%M分%S秒", "%H时%M分"];

const ZONES: [(&str, WrittenZone); 9] = [
    ("", WrittenZone::None),
    (" %z", WrittenZone::Offset),
    ("%z", WrittenZone::Offset),
    ("Z", WrittenZone::Utc),
    (" UTC", WrittenZone::Utc),
    (" GMT", WrittenZone::Utc),
    (" +0000 UTC", WrittenZone::Utc),
    // Offsets of hours alone, such as +00, perhaps beside longer ones and Z.
    ("%#z", WrittenZone::Offset),
    (" %#z", WrittenZone::Offset),
];

static NAMED: [NamedZone; 10] = [
    NamedZone { name: "America/Los_Angeles", abbreviations: ["PST", "PDT"] },
    NamedZone { name: "America/Denver", abbreviations: ["MST", "MDT"] },
    NamedZone { name: "America/Chicago", abbreviations: ["CST", "CDT"] },
    NamedZone { name: "America/New_York", abbreviations: ["EST", "EDT"] },
    NamedZone { name: "Europe/London", abbreviations: ["GMT", "BST"] },
    NamedZone { name: "Europe/Berlin", abbreviations: ["CET", "CEST"] },
    NamedZone { name: "Europe/Helsinki", abbreviations: ["EET", "EEST"] },
    NamedZone { name: "Asia/Tokyo", abbreviations: ["JST", "JDT"] },
    NamedZone { name: "Australia/Sydney", abbreviations: ["AEST", "AEDT"] },
    NamedZone { name: "Pacific/Auckland", abbreviations: ["NZST", "NZDT"] },
];

/// All known forms; of those that a text has, the first is the one that people would say.
static FORMS: LazyLock<Vec<DateForm>> = LazyLock::new(|| {
    let mut forms: Vec<DateForm> =
        DATES.iter().map(|date| DateForm { pattern: (*date).to_owned(), zone: WrittenZone::None }).collect();
    let zones: Vec<(&str, WrittenZone)> =
        ZONES.into_iter().chain(NAMED.iter().map(|zone| (" %Z", WrittenZone::Named(zone)))).collect();
    for date in DATES {
        let mut add = |between: &[&str], times: &[&str]| {
            for (between, time) in between.iter().flat_map(|between| times.iter().map(move |time| (between, time))) {
                let with_zone =
                    zones.iter().map(|(zone, says)| DateForm { pattern: format!("{date}{between}{time}{zone}"), zone: *says });
                forms.extend(with_zone);
            }
        };
        add(&BETWEEN, &TIMES);
        match date {
            COMPACT => add(&["", "T", " "], &COMPACT_TIMES),
            SAS | APACHE => add(&[":"], &TIMES),
            HAN => {
                add(&[""], &TIMES);
                add(&["", " "], &HAN_TIMES);
            }
            _ => {}
        }
    }
    forms
});

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl DateForm {
    /// The known forms that a text has.
    pub fn of(text: &str) -> Vec<DateForm> {
        let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
        FORMS.iter().filter(|form| has_digit && form.read(text).is_some()).cloned().collect()
    }

    /// Whether it is digits and nothing else, as numbers of orders may be.
    pub fn is_digits(&self) -> bool {
        self.pattern.strip_prefix(COMPACT).is_some_and(|time| time.is_empty() || COMPACT_TIMES.contains(&time))
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
        let is_compact = self.pattern.starts_with(COMPACT);
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
                '#' => {
                    pattern.next();
                    reader.offset = Some(reader.any_offset()?);
                }
                'Z' => reader.abbreviation(self.zone)?,
                part => reader.part(part, is_compact, &self.pattern)?,
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

    fn part(&mut self, part: char, is_compact: bool, pattern: &str) -> Option<()> {
        // Without anything between them, numbers have all their digits.
        let least = if is_compact { 2 } else { 1 };
        let least_hour = if pattern.contains("%H%M") { 2 } else { 1 };
        let least_minute = if pattern.contains('分') { 1 } else { 2 };
        match part {
            'Y' => self.year = Some(self.number(4, 4)?),
            'y' => {
                let year = self.number(2, 2)?;
                self.year = Some(if year < 70 { 2000 + year } else { 1900 + year });
            }
            'm' => self.month = Some(i8::try_from(self.number(least, 2)?).ok()?),
            'd' => self.day = Some(i8::try_from(self.number(least, 2)?).ok()?),
            'H' | 'I' => {
                let hour = i8::try_from(self.number(least_hour, 2)?).ok()?;
                if part == 'I' && !(1..=12).contains(&hour) {
                    return None;
                }
                self.hour = hour;
            }
            'M' => self.minute = i8::try_from(self.number(least_minute, 2)?).ok()?,
            'S' => self.second = i8::try_from(self.number(least_minute, 2)?).ok()?,
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

    /// An offset of hours and minutes.
    fn offset(&mut self) -> Option<i32> {
        let (sign, hours) = self.hours()?;
        self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
        let minutes = i32::from(self.number(2, 2)?);
        (minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
    }

    /// An offset of hours, perhaps with minutes, or `Z`.
    fn any_offset(&mut self) -> Option<i32> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Some(0);
        }
        let before = self.rest;
        if let Some(offset) = self.offset() {
            return Some(offset);
        }
        self.rest = before;
        self.hours().map(|(sign, hours)| sign * hours * 3_600)
    }

    fn hours(&mut self) -> Option<(i32, i32)> {
        let sign = match self.rest.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        self.rest = self.rest.get(1..)?;
        let hours = i32::from(self.number(2, 2)?);
        (hours <= 15).then_some((sign, hours))
    }

    /// An abbreviation of the zone of a form.
    fn abbreviation(&mut self, zone: WrittenZone) -> Option<()> {
        let WrittenZone::Named(zone) = zone else { return None };
        zone.abbreviations.contains(&self.rest).then(|| self.rest = "")
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
        DateForm::of(text).into_iter().map(|form| form.pattern).collect()
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
            ("2023-01-01 10:00:00+00", &["%Y-%m-%d %H:%M:%S%#z"]),
            ("2023-07-01 10:00:00 PDT", &["%Y-%m-%d %H:%M:%S %Z"]),
            ("20230131235959", &["%Y%m%d%H%M%S"]),
            ("20230131T235959Z", &["%Y%m%dT%H%M%SZ"]),
            ("15-JAN-23 12.30.00.000000000 AM", &["%d-%b-%y %I.%M.%S%.f %p"]),
            ("15JAN2023:00:30:00", &["%d%b%Y:%H:%M:%S"]),
            ("2023年1月5日9时5分", &["%Y年%m月%d日%H时%M分"]),
            ("2023-W05-1", &[]),
            ("2023-W05", &[]),
            ("2023-01", &[]),
            ("2023-01-01 10:00:00+0", &[]),
            ("2023-01-01 10:00:00 XYZ", &[]),
            ("13912345678", &[]),
            ("1001", &[]),
            ("2024-13-01", &[]),
            ("30.02.2024", &[]),
            ("12345678", &[]),
        ] {
            let found: Vec<String> = forms(text);
            // Forms that others contain are named where there is no narrower one.
            let is_wide = |form: &&str| form.contains("%.f") || form.contains("%#z");
            let found: Vec<&str> =
                found.iter().map(String::as_str).filter(|form| !is_wide(form) || expected.contains(form)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn moments_are_read() {
        let read = |pattern: &str, text: &str| DateForm { pattern: pattern.into(), zone: WrittenZone::None }.read(text);
        let moment = read("%Y-%m-%d %H:%M:%S %z", "2024-04-05 21:06:21 -0730");
        assert_eq!(moment.map(|m| (m.day.to_string(), m.second, m.offset)), Some(("2024-04-05".into(), 75_981, Some(-27_000))));
        for (text, offset) in [("Z", 0), ("+00", 0), ("-05", -18_000), ("+0530", 19_800), ("+05:30", 19_800)] {
            let moment = read("%Y-%m-%d %H:%M:%S%#z", &format!("2024-04-05 21:06:21{text}"));
            assert_eq!(moment.and_then(|m| m.offset), Some(offset), "{text}");
        }
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
