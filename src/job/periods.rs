//! As-of dates with their periods, and the dates they are compared with.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{Listed, Units, alone, first_of, next_start};
use super::parse::Source;
use super::raw::{Calendar, RawDate, RawPeriods};
use super::trend::{Trend, in_trend};
use crate::domain::{AsOf, DateRole, Day, Lookback, Period};
use crate::error::{Error, Result};

/// Most as-of dates of a job.
const MOST: usize = 20_000;

/// A date of the job file.
fn day(date: &RawDate, key: &str, source: &Source) -> Result<Day> {
    day_at(date, key, key, source)
}

/// A date of the job file that errors call `name`.
pub(super) fn day_at(date: &RawDate, name: &str, key: &str, source: &Source) -> Result<Day> {
    let text = match date {
        RawDate::Toml(date) => date.to_string(),
        RawDate::Text(text) => text.clone(),
    };
    Day::parse(&text).ok_or_else(|| {
        Error::usage(format!("{}: {name} is {text:?}; expected a date such as 2024-12-31", source.locate(key, &text)))
    })
}

/// All dates of a job, and what they are compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Timeline {
    /// Ascending; see [`super::Job::dates`].
    pub dates: Vec<AsOf>,
    /// See [`super::Job::origins`].
    pub origins: Vec<Vec<usize>>,
    /// See [`super::Job::labels`].
    pub labels: Vec<String>,
}

/// The job's dates. `as_of` is `--as-of`, which replaces them by one; `from` and `to` replace the job's.
pub(super) fn timeline(
    raw: &RawPeriods,
    source: &Source,
    as_of: Option<Day>,
    from: Option<Day>,
    to: Option<Day>,
) -> Result<Timeline> {
    let given = [raw.as_of.is_some(), raw.every.is_some(), raw.list.is_some()];
    if given.into_iter().filter(|g| *g).count() > 1 {
        return Err(Error::usage(format!(
            "{}: periods has more than one of \"as_of\", \"every\" and \"list\"; keep one of them",
            source.locate("periods", "")
        )));
    }
    if raw.every.is_none() && (raw.from.is_some() || raw.to.is_some()) {
        return Err(Error::usage(format!(
            "{}: periods.from and periods.to go with \"every\"; remove them, or set every = \"month\"",
            source.locate("periods", "from")
        )));
    }
    let list = listed(raw, source)?;
    let trend = Trend::parse(raw, source)?;
    let periods = Periods::new(raw, &list, trend);
    let mut published: Vec<(AsOf, String)> = match as_of {
        Some(date) => {
            if from.is_some() || to.is_some() {
                return Err(Error::usage("--as-of asks for one date and --from/--to for many; give one or the other"));
            }
            vec![periods.at(date)]
        }
        None => match (&raw.as_of, raw.every) {
            (Some(dates), _) => as_of_list(dates, source)?,
            (None, Some(every)) => calendar(every, raw, source, from, to)?,
            (None, None) if raw.list.is_some() => list.iter().map(|listed| periods.at(listed.period.last_day())).collect(),
            (None, None) => {
                return Err(Error::usage(format!(
                    "{}: no as-of date; give --as-of 2024-12-31, or [periods] as_of = [2024-12-31] in the job file",
                    source.path.display()
                )));
            }
        },
    };
    if raw.every.is_none() || as_of.is_some() {
        published.retain(|(d, _)| from.is_none_or(|f| d.date >= f) && to.is_none_or(|t| d.date <= t));
    }
    if published.is_empty() {
        return Err(Error::usage(format!("{}: the list of as-of dates is empty; name at least one", source.path.display())));
    }
    let earlier = match (trend, periods.units, published.as_slice()) {
        (Some(trend), Some(units), [(one, _)]) => {
            let date = one.date;
            published = vec![periods.at(date)];
            trend.dates(units, date)
        }
        (Some(_), ..) => {
            return Err(Error::usage(format!(
                "{}: periods.trend goes back from a single as-of date, and the job has {}; give the night's date as --as-of, or remove trend",
                source.locate("periods.trend", ""),
                published.len()
            )));
        }
        (None, ..) => Vec::new(),
    };
    compared(published, earlier, raw, periods, source)
}

/// How dates get their periods.
#[derive(Clone, Copy)]
struct Periods<'a> {
    units: Option<Units<'a>>,
    has_trend: bool,
}

impl<'a> Periods<'a> {
    fn new(raw: &RawPeriods, list: &'a [Listed], trend: Option<Trend>) -> Periods<'a> {
        let every = trend.and_then(|trend| trend.every).or(raw.every);
        let listed = raw.list.is_some().then_some(Units::Listed(list));
        Periods { units: every.map(Units::Calendar).or(listed), has_trend: trend.is_some() }
    }

    /// The date with the period it lies in, up to it, and its label.
    fn at(self, date: Day) -> (AsOf, String) {
        match self.units {
            Some(units) if self.has_trend => in_trend(units, date),
            Some(units) => units.at(date),
            None => (alone(date), date.to_string()),
        }
    }
}

/// Adds the dates that the published ones are compared with, each as `--as-of` that date would have it; `trend` are those
/// that a trend adds.
fn compared(
    published: Vec<(AsOf, String)>,
    trend: Vec<(AsOf, String)>,
    raw: &RawPeriods,
    periods: Periods<'_>,
    source: &Source,
) -> Result<Timeline> {
    let mut back = Vec::with_capacity(raw.compare.len());
    for text in &raw.compare {
        let wrong = |why: String| Error::usage(format!("{}: periods.compare: {why}", source.locate("periods.compare", text)));
        match Lookback::parse(text) {
            Ok(Lookback::All) => return Err(wrong("\"all\" is no length of time; write \"1 day\", \"1 month\" …".into())),
            Ok(length) => back.push(length),
            Err(error) => return Err(wrong(error.to_string())),
        }
    }
    let earlier = |date: &AsOf| {
        let back = if date.is_published() { back.as_slice() } else { &[] };
        let date = date.date;
        back.iter().filter_map(move |length| length.start(date)).map(Day::previous)
    };
    let mut all: BTreeMap<Day, (AsOf, String)> = BTreeMap::new();
    for day in published.iter().flat_map(|(date, _)| earlier(date)) {
        let (as_of, label) = periods.at(day);
        all.insert(day, (AsOf { role: DateRole::Hidden, ..as_of }, label));
    }
    all.extend(trend.into_iter().chain(published).map(|(date, label)| (date.date, (date, label))));
    let place: BTreeMap<Day, usize> = all.keys().copied().zip(0..).collect();
    let mut origins = vec![Vec::new(); all.len()];
    let mut before = None;
    for (at, (date, _)) in all.values().enumerate().filter(|(_, (date, _))| date.is_followed()) {
        let mut from: Vec<usize> = earlier(date).filter_map(|d| place.get(&d).copied()).chain(before).collect();
        from.sort_unstable();
        from.dedup();
        origins[at] = from;
        before = Some(at);
    }
    let (dates, labels) = all.into_values().unzip();
    Ok(Timeline { dates, origins, labels })
}

impl Timeline {
    /// Adds dates whose states strategies look at. They are computed like others, with the period they lie in, but no table
    /// shows them and nothing is compared with them; those beyond the last date cannot be computed and are left out.
    pub fn with_hidden(self, days: &[Day], raw: &RawPeriods, source: &Source) -> Result<Timeline> {
        let last = self.dates.last().map_or(Day::MIN, |d| d.date);
        let known: Vec<Day> = self.dates.iter().map(|d| d.date).collect();
        let missing: BTreeSet<Day> = days.iter().copied().filter(|day| *day <= last && !known.contains(day)).collect();
        if missing.is_empty() {
            return Ok(self);
        }
        let list = listed(raw, source)?;
        let periods = Periods::new(raw, &list, Trend::parse(raw, source)?);
        let old = self.dates.into_iter().zip(self.labels).zip(self.origins);
        let mut all: Vec<(AsOf, String, Vec<Day>)> = old
            .map(|((date, label), from)| (date, label, from.iter().filter_map(|at| known.get(*at).copied()).collect()))
            .collect();
        for day in missing {
            let (date, label) = periods.at(day);
            all.push((AsOf { role: DateRole::Hidden, ..date }, label, Vec::new()));
        }
        all.sort_by_key(|(date, ..)| date.date);
        let place: BTreeMap<Day, usize> = all.iter().map(|(date, ..)| date.date).zip(0..).collect();
        let mut out = Timeline { dates: Vec::new(), origins: Vec::new(), labels: Vec::new() };
        for (date, label, from) in all {
            out.dates.push(date);
            out.labels.push(label);
            out.origins.push(from.iter().filter_map(|day| place.get(day).copied()).collect());
        }
        Ok(out)
    }
}

/// `as_of = [...]`: a period runs from the day after the date before.
fn as_of_list(list: &[RawDate], source: &Source) -> Result<Vec<(AsOf, String)>> {
    let mut days: Vec<Day> = Vec::with_capacity(list.len());
    for date in list {
        let day = day(date, "periods.as_of", source)?;
        if let Some(&before) = days.last()
            && day <= before
        {
            return Err(Error::usage(format!(
                "{}: periods.as_of has {day} after {before}; list every date once, in ascending order",
                source.locate("periods.as_of", "")
            )));
        }
        days.push(day);
    }
    let back = |at: usize, by: usize| at.checked_sub(by).and_then(|at| days.get(at)).copied();
    let dates = days.iter().enumerate().map(|(at, &date)| {
        let period_start = back(at, 1).map(Day::next);
        let previous = back(at, 2).map(Day::next).zip(back(at, 1));
        let period_end = period_start.map(|_| date);
        (AsOf { period_start, period_end, previous, ..alone(date) }, date.to_string())
    });
    Ok(dates.collect())
}

/// `[[periods.list]]`.
fn listed(raw: &RawPeriods, source: &Source) -> Result<Vec<Listed>> {
    let mut out: Vec<Listed> = Vec::new();
    for (number, period) in raw.list.iter().flatten().enumerate() {
        let from = day(&period.from, "periods.list.from", source)?;
        let to = day(&period.to, "periods.list.to", source)?;
        let place = || source.locate_key("periods.list", number, "from");
        let found = Period::inclusive(from, to).ok_or_else(|| {
            Error::usage(format!("{}: a listed period ends ({to}) before it begins ({from}); exchange from and to", place()))
        })?;
        if let Some(before) = out.last().map(|before| before.period.last_day()).filter(|before| from <= *before) {
            return Err(Error::usage(format!(
                "{}: the listed period from {from} begins before the one that ends on {before} is over; list periods in ascending order, without overlap",
                place()
            )));
        }
        let label = period.label.clone().unwrap_or_else(|| format!("{from} to {to}"));
        out.push(Listed { period: found, label });
    }
    Ok(out)
}

/// `every = …`: the ends of calendar periods.
fn calendar(
    every: Calendar,
    raw: &RawPeriods,
    source: &Source,
    from: Option<Day>,
    to: Option<Day>,
) -> Result<Vec<(AsOf, String)>> {
    let bound = |given: Option<Day>, raw: &Option<RawDate>, key: &str| match (given, raw) {
        (Some(day), _) => Ok(day),
        (None, Some(date)) => day(date, key, source),
        (None, None) => Err(Error::usage(format!(
            "{}: periods.every needs {key}; give its first and last day as periods.from and periods.to",
            source.locate("periods.every", "")
        ))),
    };
    let place = |given: Option<Day>, flag: &str, key: &str| given.map_or_else(|| source.locate(key, ""), |_| flag.to_owned());
    let (from_place, to_place) = (place(from, "--from", "periods.from"), place(to, "--to", "periods.to"));
    let (from, to) = (bound(from, &raw.from, "periods.from")?, bound(to, &raw.to, "periods.to")?);
    if to < from {
        return Err(Error::usage(format!(
            "{}: the periods end ({to}) before they begin ({from}); exchange periods.from and periods.to",
            source.locate("periods.every", "")
        )));
    }
    let name = format!("{every:?}").to_lowercase();
    let mut start = first_of(every, from.to_date());
    if Day::from_date(start) != from {
        return Err(Error::usage(format!(
            "{from_place}: {from} is not the first day of a {name}; the one it lies in begins on {start}"
        )));
    }
    let after = first_of(every, to.next().to_date());
    if Day::from_date(after) != to.next() {
        return Err(Error::usage(format!(
            "{to_place}: {to} is not the last day of a {name}; the one it lies in begins on {}",
            first_of(every, to.to_date())
        )));
    }
    let mut dates = Vec::new();
    while Day::from_date(start) <= to {
        if dates.len() == MOST {
            return Err(Error::usage(format!(
                "{}: the job asks for more than {MOST} as-of dates; shorten the span",
                source.locate("periods.every", "")
            )));
        }
        start = next_start(every, start);
        dates.push(Units::Calendar(every).at(Day::from_date(start).previous()));
    }
    Ok(dates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::raw::RawPeriod;

    fn raw(every: Calendar, from: &str, to: &str) -> RawPeriods {
        RawPeriods {
            every: Some(every),
            from: Some(RawDate::Text(from.into())),
            to: Some(RawDate::Text(to.into())),
            ..RawPeriods::default()
        }
    }

    fn plain(raw: &RawPeriods) -> Result<Timeline> {
        timeline(raw, &Source::default(), None, None, None)
    }

    fn ends(timeline: &Timeline) -> Vec<String> {
        timeline.dates.iter().map(|d| d.date.to_string()).collect()
    }

    #[test]
    fn calendar_periods_end_on_their_last_day() -> Result<()> {
        let got = plain(&raw(Calendar::Quarter, "1997-01-01", "1998-06-30"))?;
        assert_eq!(ends(&got), ["1997-03-31", "1997-06-30", "1997-09-30", "1997-12-31", "1998-03-31", "1998-06-30"]);
        let first = got.dates[0];
        assert_eq!(first.period_start.map(|d| d.to_string()).as_deref(), Some("1997-01-01"));
        assert_eq!(first.previous.map(|(a, b)| format!("{a} {b}")).as_deref(), Some("1996-10-01 1996-12-31"));
        assert_eq!(got.labels[5], "1998 Q2");
        assert_eq!(got.origins, [vec![], vec![0], vec![1], vec![2], vec![3], vec![4]]);
        let weeks = plain(&raw(Calendar::Week, "2024-12-30", "2025-01-12"))?;
        assert_eq!(ends(&weeks), ["2025-01-05", "2025-01-12"]);
        assert_eq!(weeks.labels, ["2025-W01", "2025-W02"]);
        Ok(())
    }

    #[test]
    fn bounds_must_lie_on_the_calendar() {
        assert!(plain(&raw(Calendar::Month, "2024-01-02", "2024-03-31")).is_err());
        assert!(plain(&raw(Calendar::Month, "2024-01-01", "2024-03-30")).is_err());
        assert!(plain(&raw(Calendar::Month, "2024-04-01", "2024-03-31")).is_err());
    }

    #[test]
    fn a_nightly_date_is_compared_with_earlier_ones() -> Result<()> {
        let raw = RawPeriods { compare: vec!["1 day".into(), "1 month".into()], ..RawPeriods::default() };
        let got = timeline(&raw, &Source::default(), Day::parse("2024-03-31"), None, None)?;
        assert_eq!(ends(&got), ["2024-02-29", "2024-03-30", "2024-03-31"]);
        assert_eq!(got.dates.iter().map(AsOf::is_shown).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(got.origins, [vec![], vec![], vec![0, 1]]);
        // Where the job has periods, an earlier date has the part of its own up to it.
        let monthly = RawPeriods { every: Some(Calendar::Month), ..raw };
        let got = timeline(&monthly, &Source::default(), Day::parse("2024-03-31"), None, None)?;
        let starts: Vec<_> = got.dates.iter().map(|d| d.period_start.map(|s| s.to_string()).unwrap_or_default()).collect();
        assert_eq!(starts, ["2024-02-01", "2024-03-01", "2024-03-01"]);
        // Dates that the job has anyway are computed once.
        let list = ["2024-03-30", "2024-03-31"].map(|d| RawDate::Text(d.into())).to_vec();
        let raw = RawPeriods { as_of: Some(list), compare: vec!["1d".into()], ..RawPeriods::default() };
        let got = plain(&raw)?;
        assert_eq!(ends(&got), ["2024-03-29", "2024-03-30", "2024-03-31"]);
        assert_eq!(got.origins, [vec![], vec![0], vec![1]]);
        Ok(())
    }

    #[test]
    fn hidden_dates_change_nothing_for_those_that_are_shown() -> Result<()> {
        let day = |text: &str| Day::parse(text).unwrap_or(Day(0));
        let mut raw = raw(Calendar::Quarter, "2024-01-01", "2024-09-30");
        raw.compare = vec!["1 month".into()];
        let before = plain(&raw)?;
        let days = ["2023-12-31", "2024-03-31", "2024-05-15", "2024-12-31"].map(day);
        let after = plain(&raw)?.with_hidden(&days, &raw, &Source::default())?;
        assert_eq!(
            ends(&after),
            ["2023-12-31", "2024-02-29", "2024-03-31", "2024-05-15", "2024-05-31", "2024-06-30", "2024-08-31", "2024-09-30"]
        );
        let shown = |t: &Timeline| {
            let from = |at: usize| t.origins[at].iter().map(|o| t.dates[*o]).collect::<Vec<_>>();
            let all = t.dates.iter().enumerate().filter(|(_, d)| d.is_shown());
            all.map(|(at, d)| (*d, t.labels[at].clone(), from(at))).collect::<Vec<_>>()
        };
        assert_eq!(shown(&after), shown(&before));
        let hidden = after.dates[0];
        assert_eq!((hidden.is_shown(), hidden.period_start), (false, Some(day("2023-10-01"))));
        assert!(after.origins.iter().flatten().all(|from| ![0, 3].contains(from)));
        Ok(())
    }

    #[test]
    fn listed_periods_have_labels_and_may_leave_gaps() -> Result<()> {
        let period = |from: &str, to: &str, label: Option<&str>| RawPeriod {
            from: RawDate::Text(from.into()),
            to: RawDate::Text(to.into()),
            label: label.map(str::to_owned),
        };
        let list = |second: &str| RawPeriods {
            list: Some(vec![period("2024-01-01", "2024-02-29", Some("sale")), period(second, "2024-06-30", None)]),
            ..RawPeriods::default()
        };
        let got = plain(&list("2024-05-01"))?;
        assert_eq!(got.labels, ["sale", "2024-05-01 to 2024-06-30"]);
        assert_eq!(got.dates[1].previous.map(|(a, b)| format!("{a} {b}")).as_deref(), Some("2024-01-01 2024-02-29"));
        assert!(plain(&list("2024-02-29")).is_err_and(|e| e.to_string().contains("without overlap")));
        Ok(())
    }
}
