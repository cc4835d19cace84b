//! The rows of `dim_date`.

use jiff::civil::Date;

use super::declarations::DateRow;
use crate::domain::Day;

/// Names of the months in English and in Chinese, simplified and traditional alike.
const MONTHS: [(&str, &str); 12] = [
    ("January", "1月"),
    ("February", "2月"),
    ("March", "3月"),
    ("April", "4月"),
    ("May", "5月"),
    ("June", "6月"),
    ("July", "7月"),
    ("August", "8月"),
    ("September", "9月"),
    ("October", "10月"),
    ("November", "11月"),
    ("December", "12月"),
];

/// Names of the days of the week, likewise.
const WEEKDAYS: [(&str, &str); 7] = [
    ("Monday", "星期一"),
    ("Tuesday", "星期二"),
    ("Wednesday", "星期三"),
    ("Thursday", "星期四"),
    ("Friday", "星期五"),
    ("Saturday", "星期六"),
    ("Sunday", "星期日"),
];

/// Earlier years are those of dates that stand for a missing one, such as 0001-01-01.
const FIRST_YEAR: i16 = 1900;

/// First and last day of the whole years of a calendar that has these days; it begins in 1900 or later.
pub fn whole_years(first: Day, last: Day) -> (Day, Day) {
    let first_year = first.to_date().year().max(FIRST_YEAR);
    let last_year = last.to_date().year().max(first_year);
    let january = Date::new(first_year, 1, 1).map_or(first, Day::from_date);
    let december = Date::new(last_year, 12, 31).map_or(last, Day::from_date);
    (january, december)
}

/// A row per day.
pub fn calendar(first: Day, last: Day) -> Vec<DateRow> {
    (first.0..=last.0).map(|day| row(Day(day))).collect()
}

fn row(day: Day) -> DateRow {
    let date = day.to_date();
    let (year, month) = (date.year(), date.month());
    let quarter = (month - 1) / 3 + 1;
    let week = date.iso_week_date();
    let day_of_week = date.weekday().to_monday_one_offset();
    let first_of = |month: i8| Date::new(year, month, 1).map_or(day, Day::from_date);
    let of_month = MONTHS.get(usize::from(month.unsigned_abs()).saturating_sub(1)).copied().unwrap_or_default();
    let of_week = WEEKDAYS.get(usize::from(day_of_week.unsigned_abs()).saturating_sub(1)).copied().unwrap_or_default();
    DateRow {
        day,
        label: date.strftime("%-d %b %Y").to_string(),
        year: year.into(),
        quarter: quarter.into(),
        month: month.into(),
        day_of_month: date.day().into(),
        day_of_year: date.day_of_year().into(),
        iso_year: week.year().into(),
        iso_week: week.week().into(),
        day_of_week: day_of_week.into(),
        is_weekend: day_of_week > 5,
        week_start: Day(day.0 - i32::from(day_of_week) + 1),
        month_start: first_of(month),
        quarter_start: first_of(quarter * 3 - 2),
        year_start: first_of(1),
        week_label: format!("{}-W{:02}", week.year(), week.week()),
        month_label: format!("{year}-{month:02}"),
        quarter_label: format!("{year} Q{quarter}"),
        month_en: of_month.0.into(),
        month_zh_hans: of_month.1.into(),
        weekday_en: of_week.0.into(),
        weekday_zh_hans: of_week.1.into(),
        month_zh_hant: of_month.1.into(),
        weekday_zh_hant: of_week.1.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap_or(Day(0))
    }

    /// The days are those of ISO 8601's own examples of weeks around New Year.
    #[test]
    fn weeks_are_those_of_iso_8601() {
        for (date, label, weekday) in [
            ("2005-01-01", "2004-W53", "Saturday"),
            ("2005-12-31", "2005-W52", "Saturday"),
            ("2007-01-01", "2007-W01", "Monday"),
            ("2008-12-29", "2009-W01", "Monday"),
            ("2010-01-03", "2009-W53", "Sunday"),
        ] {
            let row = row(day(date));
            assert_eq!((row.week_label.as_str(), row.weekday_en.as_str()), (label, weekday), "{date}");
            assert_eq!(row.is_weekend, weekday.starts_with('S'), "{date}");
            assert!(row.week_start <= row.day && row.day.0 < row.week_start.0 + 7);
        }
    }

    #[test]
    fn a_calendar_has_every_day_of_its_years_once() {
        let (first, last) = whole_years(day("2023-11-05"), day("2024-02-29"));
        assert_eq!((first, last), (day("2023-01-01"), day("2024-12-31")));
        let rows = calendar(first, last);
        assert_eq!(rows.len(), 365 + 366);
        let leap = rows.iter().find(|row| row.day == day("2024-02-29")).map(|row| {
            (row.label.clone(), row.quarter_label.clone(), row.month_zh_hans.clone(), row.day_of_year, row.quarter_start)
        });
        assert_eq!(leap, Some(("29 Feb 2024".into(), "2024 Q1".into(), "2月".into(), 60, day("2024-01-01"))));
        // Dates that stand for a missing one make no calendar of two thousand years.
        assert_eq!(whole_years(Day::MIN, day("2024-02-29")).0, day("1900-01-01"));
    }
}
