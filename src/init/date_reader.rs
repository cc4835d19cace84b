//! Reading a date by its pattern.

use jiff::civil::{Date, Time};

use crate::domain::Day;

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

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The words that a pattern takes.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// Abbreviations of zones, for `%Z`.
    pub abbreviations: &'a [&'a str],
    /// Names of months in lower case, for `%B`, if it takes others than those of English.
    pub months: Option<&'a [&'a [&'a str]; 12]>,
}

/// Reads a text of a pattern and nothing else; in a compact date, numbers have all their digits.
pub fn read(text: &str, pattern: &str, words: Words<'_>, is_compact: bool) -> Option<Moment> {
    let mut reader = Reader::new(text);
    reader.follow(pattern, words, is_compact)?;
    reader.moment()
}

/// Whether a text begins with a date of this pattern.
pub fn begins(text: &str, pattern: &str, is_compact: bool) -> bool {
    Reader::new(text).follow(pattern, Words { abbreviations: &[], months: None }, is_compact).is_some()
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
    fn new(text: &str) -> Reader<'_> {
        Reader {
            rest: text.trim(),
            year: None,
            month: None,
            day: None,
            hour: 0,
            minute: 0,
            second: 0,
            is_afternoon: None,
            offset: None,
        }
    }

    /// Reads what a pattern says.
    fn follow(&mut self, pattern: &str, words: Words<'_>, is_compact: bool) -> Option<()> {
        let mut parts = pattern.chars();
        while let Some(c) = parts.next() {
            if c != '%' {
                self.literal(c)?;
                continue;
            }
            match parts.next()? {
                '.' => {
                    parts.next();
                    self.fraction();
                }
                '#' => {
                    parts.next();
                    self.offset = Some(self.any_offset()?);
                }
                'Z' => self.abbreviation(words.abbreviations)?,
                digits @ ('3' | '6') => {
                    parts.next();
                    let count = if digits == '3' { 3 } else { 6 };
                    self.digits(count)?;
                }
                'B' if words.months.is_some() => self.month = Some(self.month_of(words.months?)?),
                'd' if pattern.starts_with("%a %b") => {
                    // C writes a blank before days of one digit.
                    self.rest = self.rest.trim_start_matches(' ');
                    self.part('d', is_compact, pattern)?;
                }
                part => self.part(part, is_compact, pattern)?,
            }
        }
        Some(())
    }

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

    /// The abbreviation of a zone.
    fn abbreviation(&mut self, known: &[&str]) -> Option<()> {
        let end = self.rest.find(' ').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        known.contains(&word).then(|| self.rest = rest)
    }

    /// Digits of a fraction.
    fn digits(&mut self, count: usize) -> Option<()> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| self.rest = rest)
    }

    /// A month by its name.
    fn month_of(&mut self, months: &[&[&str]; 12]) -> Option<i8> {
        let end = self.rest.find([' ', '-']).or_else(|| self.rest.rfind('.')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        let word = word.to_lowercase();
        let found = months.iter().position(|names| names.contains(&word.as_str()))?;
        self.rest = rest;
        i8::try_from(found + 1).ok()
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
