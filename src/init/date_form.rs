//! How dates are written as text: the forms that are known, and reading by one of them. Patterns are those that a query's
//! `DATE` and `STRPTIME` take.

use std::sync::LazyLock;

use super::date_reader::{self, Moment, Words};

/// A way to write a date, perhaps with a time of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateForm {
    /// Its pattern, such as `%d.%m.%Y %H:%M`.
    pub pattern: String,
    /// What it says of the zone.
    pub zone: WrittenZone,
    /// What a query does to a text before it reads it.
    pub rewriting: Rewriting,
}

/// What a query does to a text before it reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewriting {
    /// Nothing.
    None,
    /// It leaves out what stands in brackets behind the date, such as the name of the zone.
    BeforeBracket,
    /// It writes numbers for months, by their names in lower case.
    Months(&'static [&'static [&'static str]; 12]),
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
    pub abbreviations: [&'static str; 2],
}

/// A part of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatePart {
    /// The day of the month.
    Day,
    /// The month.
    Month,
    /// The year.
    Year,
}

impl DatePart {
    /// How patterns write it.
    fn written(self) -> [&'static str; 3] {
        match self {
            DatePart::Day => ["%d", "%d", "%d"],
            DatePart::Month => ["%m", "%b", "%B"],
            DatePart::Year => ["%Y", "%y", "%y"],
        }
    }
}

/// Days without a time.
const DATES: [&str; 30] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%y.%m.%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%y/%m/%d",
    "%d-%m-%y",
    "%m-%d-%y",
    "%y-%m-%d",
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
const TIMES: [&str; 12] = [
    "%H:%M:%S",
    "%H:%M",
    "%H:%M:%S%.f",
    // As Python writes it into logs.
    "%H:%M:%S,%3f",
    "%H:%M:%S,%6f",
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

/// All known forms by their dates; of those that a text has, the first is the one that people would say.
static FORMS: LazyLock<Vec<(&str, Vec<DateForm>)>> = LazyLock::new(|| {
    let named = DATES.iter().map(|date| (*date, with_times(date)));
    named.chain([(C_BEGIN, of_c())]).chain([(SCRIPT, of_scripts())]).collect()
});

/// How a date begins that has its year behind the time.
const C_BEGIN: &str = "%a %b %d";

/// As `date`, C and Java write dates, with zones before the year.
fn of_c() -> Vec<DateForm> {
    let zones: Vec<(&str, WrittenZone)> =
        ZONES.into_iter().chain(NAMED.iter().map(|zone| (" %Z", WrittenZone::Named(zone)))).collect();
    let zones = zones.into_iter().filter(|(zone, _)| zone.is_empty() || zone.starts_with(' '));
    zones.map(|(zone, says)| DateForm::new(&format!("{C_BEGIN} %H:%M:%S{zone} %Y"), says)).collect()
}

/// As JavaScript writes dates.
const SCRIPT: &str = "%a %b %d %Y";

fn of_scripts() -> Vec<DateForm> {
    let form = DateForm::new(&format!("{SCRIPT} %H:%M:%S GMT%z"), WrittenZone::Offset);
    vec![DateForm { rewriting: Rewriting::BeforeBracket, ..form }]
}

/// Names of months of German and French, in full and short; of a month with several, one that another contains stands behind it.
const MONTHS: [&[&[&str]; 12]; 4] = [
    &[
        &["januar", "jänner"],
        &["februar"],
        &["märz"],
        &["april"],
        &["mai"],
        &["juni"],
        &["juli"],
        &["august"],
        &["september"],
        &["oktober"],
        &["november"],
        &["dezember"],
    ],
    &[
        &["jan"],
        &["feb"],
        &["mär", "mrz"],
        &["apr"],
        &["mai"],
        &["jun"],
        &["jul"],
        &["aug"],
        &["sep"],
        &["okt"],
        &["nov"],
        &["dez"],
    ],
    &[
        &["janvier"],
        &["février"],
        &["mars"],
        &["avril"],
        &["mai"],
        &["juin"],
        &["juillet"],
        &["août"],
        &["septembre"],
        &["octobre"],
        &["novembre"],
        &["décembre"],
    ],
    &[
        &["janv.", "janv"],
        &["févr.", "févr"],
        &["mars"],
        &["avr.", "avr"],
        &["mai"],
        &["juin"],
        &["juil.", "juil"],
        &["août"],
        &["sept.", "sept"],
        &["oct.", "oct"],
        &["nov.", "nov"],
        &["déc.", "déc"],
    ],
];

/// Days whose months have such a name.
const NAMED_DATES: [&str; 6] = ["%d. %B %Y", "%d %B %Y", "%d-%B-%Y", "%d.%B.%Y", "%d-%B-%y", "%d %B %y"];

/// The forms of a text with names of months in other languages than English.
fn of_languages(text: &str) -> Vec<DateForm> {
    let months = MONTHS.into_iter().filter(|months| {
        let text = text.to_lowercase();
        months.iter().any(|names| names.iter().any(|name| text.contains(name)))
    });
    let patterns = |date: &'static str| ["", " %H:%M", " %H:%M:%S", ", %H:%M"].map(|time| format!("{date}{time}"));
    let forms = months.flat_map(|months| NAMED_DATES.into_iter().flat_map(patterns).map(move |pattern| (months, pattern)));
    let forms = forms
        .map(|(months, pattern)| DateForm { rewriting: Rewriting::Months(months), ..DateForm::new(&pattern, WrittenZone::None) });
    forms.filter(|form| form.read(text).is_some()).collect()
}

/// Whether a text is the date that MySQL writes where there is none.
pub fn is_null_date(text: &str) -> bool {
    text.trim().starts_with("0000-00-00")
}

/// A date alone, and with all times and zones that may stand behind it.
fn with_times(date: &str) -> Vec<DateForm> {
    let zones: Vec<(&str, WrittenZone)> =
        ZONES.into_iter().chain(NAMED.iter().map(|zone| (" %Z", WrittenZone::Named(zone)))).collect();
    let mut forms = vec![DateForm::new(date, WrittenZone::None)];
    let mut add = |between: &[&str], times: &[&str]| {
        for (between, time) in between.iter().flat_map(|between| times.iter().map(move |time| (between, time))) {
            let with_zone = zones.iter().map(|(zone, says)| DateForm::new(&format!("{date}{between}{time}{zone}"), *says));
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
    forms
}

impl DateForm {
    fn new(pattern: &str, zone: WrittenZone) -> DateForm {
        DateForm { pattern: pattern.to_owned(), zone, rewriting: Rewriting::None }
    }

    /// The pattern that a query takes, which reads numbers where it has written them for names.
    pub fn sql_pattern(&self) -> String {
        match self.rewriting {
            Rewriting::Months(_) => self.pattern.replace("%B", "%m"),
            _ => self.pattern.clone(),
        }
    }

    /// The known forms that a text has.
    pub fn of(text: &str) -> Vec<DateForm> {
        if !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return Vec::new();
        }
        let dates = FORMS.iter().filter(|(date, _)| date_reader::begins(text, date, *date == COMPACT));
        dates.flat_map(|(_, forms)| forms).filter(|form| form.read(text).is_some()).cloned().chain(of_languages(text)).collect()
    }

    /// Whether it is digits and nothing else, as numbers of orders may be.
    pub fn is_digits(&self) -> bool {
        self.pattern.strip_prefix(COMPACT).is_some_and(|time| time.is_empty() || COMPACT_TIMES.contains(&time))
    }

    /// Whether a time of day is written.
    pub fn has_time(&self) -> bool {
        self.pattern.contains("%M")
    }

    /// The order of its day, month and year, if they stand apart.
    pub fn order(&self) -> Option<[DatePart; 3]> {
        if self.pattern.starts_with(COMPACT) {
            return None;
        }
        let at = |part: DatePart| part.written().iter().find_map(|written| self.pattern.find(written));
        let mut parts = [DatePart::Day, DatePart::Month, DatePart::Year];
        if parts.iter().any(|part| at(*part).is_none()) {
            return None;
        }
        parts.sort_by_key(|part| at(*part));
        Some(parts)
    }

    /// The same form with its day, month and year in another order.
    pub fn with_order(&self, order: [DatePart; 3]) -> DateForm {
        let mut pattern = self.pattern.clone();
        let Some(own) = self.order() else { return self.clone() };
        let written = |part: DatePart| part.written().into_iter().find(|written| self.pattern.contains(written)).unwrap_or("");
        // A mark for each place first, because parts may change places.
        for (place, part) in ["%\u{1}", "%\u{2}", "%\u{3}"].into_iter().zip(own) {
            pattern = pattern.replacen(written(part), place, 1);
        }
        for (place, part) in ["%\u{1}", "%\u{2}", "%\u{3}"].into_iter().zip(order) {
            pattern = pattern.replacen(place, written(part), 1);
        }
        DateForm { pattern, ..self.clone() }
    }

    /// Whether its years have two digits.
    pub fn has_short_year(&self) -> bool {
        self.pattern.contains("%y")
    }

    /// Whether its month is a word.
    pub fn has_named_month(&self) -> bool {
        !self.pattern.contains("%m")
    }

    /// Reads a text of this form and nothing else.
    pub fn read(&self, text: &str) -> Option<Moment> {
        let is_compact = self.pattern.starts_with(COMPACT);
        let abbreviations: &[&str] = match self.zone {
            WrittenZone::Named(zone) => &zone.abbreviations,
            _ => &[],
        };
        let (text, months) = match self.rewriting {
            Rewriting::None => (text, None),
            Rewriting::BeforeBracket => (text.split_once(" (").map_or(text, |(date, _)| date), None),
            Rewriting::Months(months) => (text, Some(months)),
        };
        let words = Words { abbreviations, months };
        let moment = date_reader::read(text, &self.pattern, words, is_compact)?;
        let is_plausible = !is_compact || (1990..=2100).contains(&moment.day.to_date().year());
        is_plausible.then_some(moment)
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
            ("31.05.32", &["%d.%m.%y"]),
            ("23/01/15", &["%d/%m/%y", "%y/%m/%d"]),
            ("01-02-03 10:00", &["%d-%m-%y %H:%M", "%m-%d-%y %H:%M", "%y-%m-%d %H:%M"]),
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
            ("Mon Jan 15 10:00:00 2024", &["%a %b %d %H:%M:%S %Y"]),
            ("Mon Jan  5 10:00:00 CET 2024", &["%a %b %d %H:%M:%S %Z %Y"]),
            ("Mon Jan 15 2024 10:00:00 GMT+0100 (CET)", &["%a %b %d %Y %H:%M:%S GMT%z"]),
            ("2024-01-15 10:00:00,123", &["%Y-%m-%d %H:%M:%S,%3f"]),
            ("15. Januar 2024", &["%d. %B %Y"]),
            ("15-Mär-2024", &["%d-%B-%Y"]),
            ("15 janvier 2024 10:00", &["%d %B %Y %H:%M"]),
            ("15 févr. 2024", &["%d %B %Y"]),
            ("15 foobar 2024", &[]),
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
        let read = |pattern: &str, text: &str| DateForm::new(pattern, WrittenZone::None).read(text);
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
    fn parts_of_a_date_change_places() {
        use DatePart::{Day, Month, Year};
        let form = |pattern: &str| DateForm::new(pattern, WrittenZone::None);
        for (pattern, order, other, expected) in [
            ("%d/%m/%y %H:%M", [Day, Month, Year], [Year, Month, Day], "%y/%m/%d %H:%M"),
            ("%m-%d-%y %I.%M.%S%.f %p", [Month, Day, Year], [Month, Year, Day], "%m-%y-%d %I.%M.%S%.f %p"),
            ("%d-%b-%y", [Day, Month, Year], [Year, Month, Day], "%y-%b-%d"),
            ("%B %d, %Y", [Month, Day, Year], [Day, Month, Year], "%d %B, %Y"),
        ] {
            assert_eq!(form(pattern).order(), Some(order), "{pattern}");
            assert_eq!(form(pattern).with_order(other).pattern, expected);
        }
        assert_eq!(form("%Y%m%d").order(), None);
    }
}
