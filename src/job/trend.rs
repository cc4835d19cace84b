//! `periods.trend`: the ends of earlier periods, and the same days of the period and of the year before.

use super::calendar::Units;
use super::parse::Source;
use super::raw::{Calendar, RawPeriods};
use crate::domain::{AsOf, DateRole, Day, MeasuredPeriod};
use crate::error::{Error, Result};

/// Most periods of a trend.
const MOST: usize = 1_000;

/// How many periods of which unit a job looks back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trend {
    /// Periods.
    pub count: usize,
    /// Their unit; `None` for those that the job lists.
    pub every: Option<Calendar>,
}

impl Trend {
    /// Reads `periods.trend`; `None` if the job has none.
    ///
    /// # Errors
    /// Exit 2 if it is no number of periods, or of other ones than the job's.
    pub fn parse(raw: &RawPeriods, source: &Source) -> Result<Option<Trend>> {
        let Some(text) = &raw.trend else { return Ok(None) };
        let wrong = |why: &str| Error::usage(format!("{}: periods.trend {why}", source.locate("periods.trend", text)));
        let digits = text.trim().bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = text.trim().split_at(digits);
        let every = match unit.trim() {
            "week" | "weeks" => Some(Calendar::Week),
            "month" | "months" => Some(Calendar::Month),
            "quarter" | "quarters" => Some(Calendar::Quarter),
            "year" | "years" => Some(Calendar::Year),
            "period" | "periods" => None,
            _ => return Err(wrong(&format!("is {text:?}; {EXPECTED}"))),
        };
        let count = count.parse().ok().filter(|count| (1..=MOST).contains(count));
        let count = count.ok_or_else(|| wrong(&format!("is {text:?}; {EXPECTED}, and 1 to {MOST} of them")))?;
        match (raw.every, every) {
            (Some(own), unit) if unit.is_some_and(|unit| unit != own) => {
                let own = format!("{own:?}").to_lowercase();
                Err(wrong(&format!(
                    "is {text:?}, but periods.every = \"{own}\" gives the job other periods; give both the same unit, or remove every"
                )))
            }
            (None, Some(_)) if raw.list.is_some() => {
                Err(wrong(&format!("is {text:?}, but the job lists its periods; count them, as in trend = \"13 periods\"")))
            }
            (every, None) if raw.list.is_none() => match every {
                Some(every) => Ok(Some(Trend { count, every: Some(every) })),
                None => Err(wrong(&format!("is {text:?}, but the job lists no periods; {EXPECTED}"))),
            },
            _ => Ok(Some(Trend { count, every })),
        }
    }

    /// The dates before an as-of date that it asks for, with their labels.
    pub fn dates(self, units: Units<'_>, as_of: Day) -> Vec<(AsOf, String)> {
        let with_role = |role, day| {
            let (date, label) = in_trend(units, day);
            (AsOf { role, ..date }, label)
        };
        let mut dates = Vec::with_capacity(self.count + 2);
        let mut before = as_of;
        while dates.len() < self.count {
            let Some(period) = units.ended_before(before) else { break };
            dates.push(with_role(DateRole::Boundary, period.last_day()));
            before = period.last_day();
        }
        for day in [units.unit_before(as_of), units.year_before(as_of)].into_iter().flatten() {
            if dates.iter().all(|(date, _)| date.date != day) {
                dates.push(with_role(DateRole::Comparison, day));
            }
        }
        dates
    }
}

const EXPECTED: &str = "expected a number of weeks, months, quarters or years, such as \"13 months\"";

/// A date as one of a trend: a period that is not over stands beside the same days of the one before, and measures of
/// periods look at the unit of time that ends with the date.
pub(super) fn in_trend(units: Units<'_>, date: Day) -> (AsOf, String) {
    let (as_of, label) = units.at(date);
    let is_over = as_of.period_end.is_none_or(|end| end == date);
    let Some(before) = units.unit_before(date).filter(|_| !is_over) else { return (as_of, label) };
    let earlier = units.unit_before(before);
    let measured = MeasuredPeriod { start: before.next(), previous: earlier.map(|earlier| (earlier.next(), before)) };
    let previous = as_of.previous.map(|(start, _)| (start, before));
    (AsOf { previous, measured: Some(measured), ..as_of }, label)
}
