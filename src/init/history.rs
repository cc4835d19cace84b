//! The rows that are looked at, as far as the dates and the customers go: from when to when, how many customers, and how long between
//! purchases.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use super::date_form::{WrittenZone, is_null_date};
use super::date_reader::Moment;
use super::guess::{DateKind, Guess, RowsAre, Seen, StatusRule};
use super::rows::More;
use super::zones::ZoneGuess;
use crate::domain::Day;
use crate::error::{Error, Result};
use crate::input::Zone;
use crate::input::zone::day_of;
use crate::progress::Progress;

/// Customers whose purchases are held at once; beyond, a half of them is followed, then a quarter, and so on.
const FOLLOWED: usize = 200_000;

/// Longest gap that is told from longer ones.
const LONGEST_GAP: usize = 1_100;

/// What the rows say.
#[derive(Debug)]
pub struct History {
    /// Rows.
    pub rows: u64,
    /// About how many rows the table has, if these are not all.
    pub of_rows: Option<u64>,
    /// Rows without a customer, or with one that stands for nobody.
    pub without_customer: u64,
    /// Rows without a date.
    pub without_date: u64,
    /// Texts that stand for no date.
    pub null_dates: BTreeSet<String>,
    /// Rows with a date of another form, and the first of them by its number from 1.
    pub odd_dates: u64,
    /// The row of the first of them, from 1 over all files.
    pub first_odd: Option<u64>,
    /// Rows that count but for a date, an amount, an order id or a currency that is missing.
    pub rejected: u64,
    /// Customers.
    pub customers: u64,
    /// Whether `customers` was counted, and not estimated.
    pub is_counted: bool,
    /// Rows by the value of the status.
    pub statuses: BTreeMap<String, u64>,
    /// Rows by currency.
    pub currencies: BTreeMap<String, u64>,
    /// The day of the first order.
    pub first: Day,
    /// The day of the last order.
    pub last: Day,
    /// Days on which nothing stood near, after the last order; a sign of wrong dates.
    pub far: u64,
    /// How often customers come.
    pub gaps: Gaps,
}

impl History {
    /// That of no rows.
    pub fn empty() -> History {
        History {
            rows: 0,
            of_rows: None,
            without_customer: 0,
            without_date: 0,
            null_dates: BTreeSet::new(),
            odd_dates: 0,
            first_odd: None,
            rejected: 0,
            customers: 0,
            is_counted: true,
            statuses: BTreeMap::new(),
            currencies: BTreeMap::new(),
            first: Day::MAX,
            last: Day::MIN,
            far: 0,
            gaps: Gaps::default(),
        }
    }

    /// Rows in words; of a sample it says so.
    pub fn counted(&self, rows: u64) -> String {
        match (self.of_rows, rows) {
            (Some(_), 1) => "1 row of those looked at".into(),
            (Some(_), rows) => format!("{rows} rows of those looked at"),
            (None, 1) => "1 row".into(),
            (None, rows) => format!("{rows} rows"),
        }
    }
}

/// How often customers come, on different days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Customers that were followed.
    pub customers: u64,
    /// Of these, with purchases on two days or more.
    pub returning: u64,
    /// Of these, with purchases on three days or more.
    pub frequent: u64,
    /// Gaps by their length in days; the last is for all longer ones.
    pub by_days: Vec<u64>,
}

impl Gaps {
    /// Gaps.
    pub fn count(&self) -> u64 {
        self.by_days.iter().sum()
    }

    /// The shortest length that at least a share of the gaps, in hundredths, do not exceed.
    pub fn percentile(&self, percent: u64) -> Option<usize> {
        let wanted = (self.count() * percent).div_ceil(100);
        let mut before = 0;
        self.by_days.iter().position(|count| {
            before += count;
            wanted > 0 && before >= wanted
        })
    }
}

/// Purchases of customers, of all or of a part of them by the hash of their ids.
#[derive(Default)]
struct Purchases {
    days: HashMap<u64, Vec<i32>>,
    halved: u32,
}

impl Purchases {
    fn is_followed(&self, customer: u64) -> bool {
        customer.trailing_zeros() >= self.halved
    }

    fn add(&mut self, customer: &str, day: Day) {
        let customer = xxh3_64(customer.as_bytes());
        if !self.is_followed(customer) {
            return;
        }
        let days = self.days.entry(customer).or_default();
        if days.last() != Some(&day.0) {
            days.push(day.0);
        }
        if self.days.len() > FOLLOWED {
            self.halved += 1;
            let halved = self.halved;
            self.days.retain(|customer, _| customer.trailing_zeros() >= halved);
        }
    }

    fn gaps(self) -> Gaps {
        let mut gaps = Gaps { customers: self.days.len() as u64, by_days: vec![0; LONGEST_GAP + 1], ..Gaps::default() };
        for mut days in self.days.into_values() {
            days.sort_unstable();
            days.dedup();
            gaps.returning += u64::from(days.len() >= 2);
            gaps.frequent += u64::from(days.len() >= 3);
            for pair in days.windows(2) {
                if let [earlier, later] = pair {
                    let length = usize::try_from(later - earlier).unwrap_or(LONGEST_GAP).min(LONGEST_GAP);
                    if let Some(count) = gaps.by_days.get_mut(length) {
                        *count += 1;
                    }
                }
            }
        }
        gaps
    }
}

/// The business day of a moment.
struct Days {
    zone: Zone,
    naive: Option<Zone>,
    are_instants: bool,
}

impl Days {
    fn new(zone: &ZoneGuess, are_instants: bool) -> Result<Days> {
        let named = |name: &str| Zone::named(name, "orders.timezone");
        Ok(Days { zone: named(zone.timezone.unwrap_or("UTC"))?, naive: zone.naive.map(named).transpose()?, are_instants })
    }

    fn of(&self, moment: Moment) -> Day {
        let wall = moment.wall_second();
        match (moment.offset, &self.naive) {
            (Some(offset), _) => self.zone.date(wall - i64::from(offset)),
            (None, Some(naive)) => self.zone.date(naive.instant(wall)),
            (None, None) if self.are_instants => self.zone.date(wall),
            (None, None) => day_of(wall),
        }
    }
}

/// Days after which a later one stands alone.
const FAR: i32 = 400;

/// Where the columns that are read stand among the values of a row.
struct Places {
    /// The columns, by their numbers in the table.
    wanted: Vec<usize>,
    status: Option<usize>,
    currency: Option<usize>,
    /// The money, where it stands on the first row of an order alone.
    first_line: Option<usize>,
    /// Columns that every row needs.
    required: Range<usize>,
}

const CUSTOMER: usize = 0;
const DATE: usize = 1;

impl Places {
    fn new(seen: &Seen<'_>, guess: &Guess) -> Result<Places> {
        let mut wanted = vec![seen.column(guess.customer)?.at, seen.column(guess.date.column)?.at];
        let mut add = |column: Option<usize>| match column {
            None => Ok(None),
            Some(column) => {
                wanted.push(seen.column(column)?.at);
                Ok::<_, Error>(Some(wanted.len() - 1))
            }
        };
        let status = add(guess.status.as_ref().map(|rule| rule.column))?;
        let amount = guess.amount.columns().first().copied();
        let first_line = add(amount.filter(|_| guess.rows == RowsAre::FirstLine))?;
        let begin = wanted.len();
        for column in guess.amount.columns().iter().chain(&guess.order).chain(&guess.currency) {
            wanted.push(seen.column(*column)?.at);
        }
        let currency = guess.currency.map(|_| wanted.len() - 1);
        Ok(Places { required: begin..wanted.len(), wanted, status, currency, first_line })
    }
}

/// What is counted while rows are read.
struct Counting<'a> {
    guess: &'a Guess,
    places: &'a Places,
    days: Days,
    history: History,
    purchases: Purchases,
    by_day: BTreeMap<i32, u64>,
}

impl Counting<'_> {
    fn row(&mut self, values: &[Option<&str>]) {
        let (guess, places, history) = (self.guess, self.places, &mut self.history);
        let value = |place: Option<usize>| place.and_then(|place| values.get(place).copied().flatten());
        history.rows += 1;
        let status = value(places.status);
        if let Some(status) = status {
            count(&mut history.statuses, status);
        }
        if let Some(currency) = value(places.currency) {
            count(&mut history.currencies, currency);
        }
        let is_further_line = places.first_line.is_some() && value(places.first_line).is_none();
        let drops = |rule: &StatusRule| status.is_some_and(|own| rule.dropped.iter().any(|dropped| dropped == own));
        let is_dropped = guess.status.as_ref().is_some_and(drops);
        let customer = value(Some(CUSTOMER)).filter(|customer| !guess.guests.iter().any(|guest| guest == customer));
        let date = value(Some(DATE));
        if let Some(none) = date.filter(|date| is_null_date(date) && history.null_dates.len() < MOST_VALUES) {
            history.null_dates.insert(none.trim().to_owned());
        }
        let date = date.filter(|date| !is_null_date(date));
        let lacks =
            date.is_none() || values.get(places.required.clone()).is_some_and(|values| values.iter().any(Option::is_none));
        history.rejected += u64::from(lacks && customer.is_some() && !is_further_line && !is_dropped);
        history.without_customer += u64::from(customer.is_none() && !is_further_line);
        let Some(text) = date else {
            history.without_date += 1;
            return;
        };
        let Some(moment) = guess.date.kind.read(text) else {
            history.odd_dates += 1;
            history.first_odd = history.first_odd.or(Some(history.rows));
            return;
        };
        let day = self.days.of(moment);
        *self.by_day.entry(day.0).or_default() += 1;
        if let Some(customer) = customer.filter(|_| !is_further_line && !is_dropped) {
            self.purchases.add(customer, day);
        }
    }
}

/// Rows after which progress is told.
const STEP: u64 = 4_096;

/// Reads the rows that are looked at.
///
/// # Errors
/// As [`super::rows::Table::each`]; exit 3 if no row has a date.
pub fn read(seen: &Seen<'_>, guess: &Guess, zone: &ZoneGuess, progress: &dyn Progress) -> Result<History> {
    let places = Places::new(seen, guess)?;
    let are_instants = matches!(&guess.date.kind, DateKind::Stored(form) if form.zone == WrittenZone::Utc);
    let mut counting = Counting {
        guess,
        places: &places,
        days: Days::new(zone, are_instants)?,
        history: History::empty(),
        purchases: Purchases::default(),
        by_day: BTreeMap::new(),
    };
    progress.begin("reading dates", seen.reading.known_rows().unwrap_or(0));
    seen.table.each(&places.wanted, &seen.reading.parts, &mut |values| {
        counting.row(values);
        if counting.history.rows.is_multiple_of(STEP) {
            progress.advance(STEP);
        }
        Ok(More::Wanted)
    })?;
    let Counting { mut history, purchases, by_day, .. } = counting;
    progress.end(&format!("{} rows", history.rows));
    let (Some(first), Some((last, far))) = (by_day.keys().next(), last_of(&by_day)) else {
        return Err(Error::contract(format!(
            "no row {}has a date of the form of the others in column {}; name files with orders",
            if seen.reading.is_all { "" } else { "that was looked at " },
            seen.quoted(guess.date.column)
        )));
    };
    (history.first, history.last, history.far) = (Day(*first), last, far);
    history.is_counted = purchases.halved == 0;
    history.customers = (purchases.days.len() as u64) << purchases.halved;
    history.gaps = purchases.gaps();
    history.of_rows = (!seen.reading.is_all).then(|| seen.reading.estimate(history.rows));
    Ok(history)
}

/// Values that are counted; a column with more is no status.
const MOST_VALUES: usize = 1_000;

fn count(counts: &mut BTreeMap<String, u64>, value: &str) {
    if let Some(count) = counts.get_mut(value) {
        *count += 1;
    } else if counts.len() < MOST_VALUES {
        counts.insert(value.to_owned(), 1);
    }
}

/// The last day that stands near others, and the rows of later ones.
fn last_of(by_day: &BTreeMap<i32, u64>) -> Option<(Day, u64)> {
    let mut far = 0;
    let mut days = by_day.iter().rev().peekable();
    while let Some((day, rows)) = days.next() {
        match days.peek() {
            Some((before, _)) if day - **before > FAR && *rows * 100 < by_day.values().sum() => far += rows,
            _ => return Some((Day(*day), far)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_those_between_days_of_a_customer() {
        let mut purchases = Purchases::default();
        for (customer, day) in [("a", 0), ("b", 0), ("a", 10), ("a", 10), ("a", 40), ("b", 100), ("c", 7)] {
            purchases.add(customer, Day(day));
        }
        let gaps = purchases.gaps();
        assert_eq!((gaps.customers, gaps.returning, gaps.frequent, gaps.count()), (3, 2, 1, 3));
        assert_eq!([1, 50, 67, 100].map(|percent| gaps.percentile(percent)), [Some(10), Some(30), Some(100), Some(100)]);
        assert_eq!(Gaps::default().percentile(50), None);
    }

    #[test]
    fn a_part_of_many_customers_is_followed() {
        let mut purchases = Purchases::default();
        for customer in 0..FOLLOWED * 3 {
            purchases.add(&customer.to_string(), Day(0));
        }
        let estimate = purchases.days.len() << purchases.halved;
        assert!(estimate.abs_diff(FOLLOWED * 3) < FOLLOWED / 20, "{estimate}");
    }

    #[test]
    fn a_day_that_stands_alone_is_not_the_last() {
        let days: BTreeMap<i32, u64> = (0..200).map(|day| (day, 5)).collect();
        assert_eq!(last_of(&days), Some((Day(199), 0)));
        let mut with_typo = days.clone();
        with_typo.insert(40_000, 2);
        assert_eq!(last_of(&with_typo), Some((Day(199), 2)));
        assert_eq!(last_of(&BTreeMap::from([(5, 1)])), Some((Day(5), 0)));
    }
}
