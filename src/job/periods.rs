//! As-of dates with their periods.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::parse::Source;
use super::raw::{Calendar, RawDate, RawPeriods};
use crate::domain::{AsOf, Day};
use crate::error::{Error, Result};

/// Most as-of dates of a job.
const MOST: usize = 20_000;

/// First day of the calendar period that holds `date`.
fn first_of(every: Calendar, date: Date) -> Date {
    match every {
        Calendar::Day => date,
        Calendar::Week => date.saturating_sub(i64::from(date.weekday().since(Weekday::Monday)).days()),
        Calendar::Month => date.first_of_month(),
        Calendar::Quarter => {
            let month = (date.month() - 1) / 3 * 3 + 1;
            Date::new(date.year(), month, 1).unwrap_or(date)
        }
        Calendar::Year => date.first_of_year(),
    }
}

/// First day of the period after the one that starts on `start`.
fn next_start(every: Calendar, start: Date) -> Date {
    match every {
        Calendar::Day => start.saturating_add(1.day()),
        Calendar::Week => start.saturating_add(7.days()),
        Calendar::Month => start.saturating_add(1.month()),
        Calendar::Quarter => start.saturating_add(3.months()),
        Calendar::Year => start.saturating_add(1.year()),
    }
}

/// A date of the job file.
pub(super) fn day(date: &RawDate, key: &str, source: &Source) -> Result<Day> {
    let text = match date {
        RawDate::Toml(date) => date.to_string(),
        RawDate::Text(text) => text.clone(),
    };
    Day::parse(&text)
        .ok_or_else(|| Error::usage(format!("{}: {key} is {text:?}; expected a date such as 2024-12-31", source.locate(&text))))
}

fn at_end(every: Calendar, as_of: Day) -> AsOf {
    let start = first_of(every, as_of.to_date());
    let previous = first_of(every, start.saturating_sub(1.day()));
    AsOf { date: as_of, period_start: Some(Day::from_date(start)), previous_start: Some(Day::from_date(previous)) }
}

/// The job's as-of dates. `as_of` is `--as-of`, which replaces them by one; `from` and `to` replace the job's.
pub(super) fn dates(
    raw: &RawPeriods,
    source: &Source,
    as_of: Option<Day>,
    from: Option<Day>,
    to: Option<Day>,
) -> Result<Vec<AsOf>> {
    if let Some(date) = as_of {
        if from.is_some() || to.is_some() {
            return Err(Error::usage("--as-of asks for one date and --from/--to for many; give one or the other"));
        }
        let alone = AsOf { date, period_start: None, previous_start: None };
        return Ok(vec![raw.every.map_or(alone, |every| at_end(every, date))]);
    }
    match (&raw.as_of, raw.every) {
        (Some(_), Some(_)) => {
            Err(Error::usage(format!("{}: periods has both \"as_of\" and \"every\"; keep one of them", source.locate("as_of"))))
        }
        (Some(list), None) => {
            if raw.from.is_some() || raw.to.is_some() {
                return Err(Error::usage(format!(
                    "{}: periods.from and periods.to go with \"every\", not with a list of as-of dates; remove them",
                    source.locate("from")
                )));
            }
            let mut days = Vec::with_capacity(list.len());
            for date in list {
                let day = day(date, "periods.as_of", source)?;
                if let Some(&before) = days.last()
                    && day <= before
                {
                    return Err(Error::usage(format!(
                        "{}: periods.as_of has {day} after {before}; list every date once, in ascending order",
                        source.locate("as_of")
                    )));
                }
                days.push(day);
            }
            days.retain(|d| from.is_none_or(|f| *d >= f) && to.is_none_or(|t| *d <= t));
            let dates: Vec<AsOf> = days
                .iter()
                .enumerate()
                .map(|(i, &date)| AsOf {
                    date,
                    period_start: i.checked_sub(1).and_then(|i| days.get(i)).map(|d| d.next()),
                    previous_start: i.checked_sub(2).and_then(|i| days.get(i)).map(|d| d.next()),
                })
                .collect();
            some(dates, source)
        }
        (None, Some(every)) => {
            let bound = |given: Option<Day>, raw: &Option<RawDate>, key: &str| match (given, raw) {
                (Some(day), _) => Ok(day),
                (None, Some(date)) => day(date, key, source),
                (None, None) => Err(Error::usage(format!(
                    "{}: periods.every needs {key}; give its first and last day as periods.from and periods.to",
                    source.locate("every")
                ))),
            };
            let (from, to) = (bound(from, &raw.from, "periods.from")?, bound(to, &raw.to, "periods.to")?);
            if to < from {
                return Err(Error::usage(format!(
                    "{}: the periods end ({to}) before they begin ({from}); exchange periods.from and periods.to",
                    source.locate("every")
                )));
            }
            let name = format!("{every:?}").to_lowercase();
            let start = first_of(every, from.to_date());
            if Day::from_date(start) != from {
                return Err(Error::usage(format!(
                    "{}: {from} is not the first day of a {name}; the one it lies in begins on {start}",
                    source.locate("from")
                )));
            }
            let after = first_of(every, to.next().to_date());
            if Day::from_date(after) != to.next() {
                return Err(Error::usage(format!(
                    "{}: {to} is not the last day of a {name}; the one it lies in begins on {}",
                    source.locate("to ="),
                    first_of(every, to.to_date())
                )));
            }
            let mut dates = Vec::new();
            let mut start = start;
            while Day::from_date(start) <= to {
                if dates.len() == MOST {
                    return Err(Error::usage(format!(
                        "{}: the job asks for more than {MOST} as-of dates; shorten the span",
                        source.locate("every")
                    )));
                }
                start = next_start(every, start);
                dates.push(at_end(every, Day::from_date(start).previous()));
            }
            some(dates, source)
        }
        (None, None) => Err(Error::usage(format!(
            "{}: no as-of date; give --as-of 2024-12-31, or [periods] as_of = [2024-12-31] in the job file",
            source.path.display()
        ))),
    }
}

fn some(dates: Vec<AsOf>, source: &Source) -> Result<Vec<AsOf>> {
    if dates.is_empty() {
        return Err(Error::usage(format!("{}: the list of as-of dates is empty; name at least one", source.path.display())));
    }
    Ok(dates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(every: Calendar, from: &str, to: &str) -> RawPeriods {
        RawPeriods {
            every: Some(every),
            from: Some(RawDate::Text(from.into())),
            to: Some(RawDate::Text(to.into())),
            ..RawPeriods::default()
        }
    }

    #[test]
    fn calendar_periods_end_on_their_last_day() -> Result<()> {
        let got = dates(&raw(Calendar::Quarter, "1997-01-01", "1998-06-30"), &Source::default(), None, None, None)?;
        let ends: Vec<String> = got.iter().map(|d| d.date.to_string()).collect();
        assert_eq!(ends, ["1997-03-31", "1997-06-30", "1997-09-30", "1997-12-31", "1998-03-31", "1998-06-30"]);
        assert_eq!(got[0].period_start.map(|d| d.to_string()).as_deref(), Some("1997-01-01"));
        assert_eq!(got[0].previous_start.map(|d| d.to_string()).as_deref(), Some("1996-10-01"));
        let weeks = dates(&raw(Calendar::Week, "2024-12-30", "2025-01-12"), &Source::default(), None, None, None)?;
        assert_eq!(weeks.iter().map(|d| d.date.to_string()).collect::<Vec<_>>(), ["2025-01-05", "2025-01-12"]);
        Ok(())
    }

    #[test]
    fn bounds_must_lie_on_the_calendar() {
        assert!(dates(&raw(Calendar::Month, "2024-01-02", "2024-03-31"), &Source::default(), None, None, None).is_err());
        assert!(dates(&raw(Calendar::Month, "2024-01-01", "2024-03-30"), &Source::default(), None, None, None).is_err());
        assert!(dates(&raw(Calendar::Month, "2024-04-01", "2024-03-31"), &Source::default(), None, None, None).is_err());
    }
}
