//! Which of several readings of a column of dates is right: those that differ in the order of day, month and year.
//!
//! Each reading turns the same texts into days, and the wrong ones scatter them: one day of the month over thirty years, for example,
//! where the right one fills a year. So each is held against what shops do: they sell on every day or on some days of the week,
//! or bill on some days of the month, all year or in some months. The cost of a reading is about minus the logarithm of the chance that
//! such a shop has exactly these days; a reading that costs much less than all others is the right one, and otherwise nobody knows.

use std::collections::BTreeSet;

use jiff::civil::Date;
use statrs::function::gamma::ln_gamma;

use super::date_form::{DateForm, DatePart};
use crate::domain::Day;

/// How much less the right reading costs than any other: the odds for it are over a million to one.
const MARGIN: f64 = 15.0;

/// Different days from which they can tell readings apart that people use alike.
const ENOUGH_DAYS: usize = 7;

/// Different days from which they are not those of one day of as many years.
const ENOUGH_YEARS: usize = 18;

/// Readings that cost less than this beside the usual one are used about as much as it.
const COMMON: f64 = 2.5;

/// Different days that are looked at at most; a century has less.
pub const MOST_DAYS: usize = 40_000;

/// A form that all values have, and the days that it makes of them.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The form.
    pub form: DateForm,
    /// Whether people use its order with its marks; others are never taken unless somebody says so.
    pub is_usual: bool,
    /// The days.
    pub days: BTreeSet<Day>,
    /// What speaks against its order before any value is seen.
    habit: f64,
}

use DatePart::{Day as D, Month as M, Year as Y};

/// All orders.
const ORDERS: [[DatePart; 3]; 6] = [[D, M, Y], [M, D, Y], [Y, M, D], [Y, D, M], [M, Y, D], [D, Y, M]];

/// What speaks against an order in a form of these marks, and whether people use it.
fn habit(form: &DateForm, order: [DatePart; 3]) -> (f64, bool) {
    let has_points = form.pattern.contains("%d.") || form.pattern.contains(".%d");
    match order {
        [D, M, Y] => (0.0, true),
        [M, D, Y] if !has_points || form.has_named_month() => (0.0, true),
        [Y, M, D] if form.has_named_month() => (12.0, false),
        [Y, M, D] => (if has_points { 4.0 } else { 1.0 }, true),
        _ if has_points || form.has_named_month() => (14.0, false),
        _ => (0.0, false),
    }
}

/// The readings that some forms allow, one for each order; where years have two digits, also the orders that few people use.
pub fn readings(forms: &[DateForm]) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    let mut add = |form: DateForm, order: [DatePart; 3]| {
        if !readings.iter().any(|reading| reading.form.order() == Some(order)) {
            let (habit, is_usual) = habit(&form, order);
            readings.push(Reading { form, is_usual, days: BTreeSet::new(), habit });
        }
    };
    for form in forms {
        if let Some(order) = form.order() {
            add(form.clone(), order);
        }
    }
    for form in forms.iter().filter(|form| form.has_short_year()) {
        for order in ORDERS {
            add(form.with_order(order), order);
        }
    }
    readings
}

impl Reading {
    /// Adds a value; says whether it has the form.
    pub fn add(&mut self, text: &str) -> bool {
        let moment = self.form.read(text);
        if let Some(moment) = moment.filter(|_| self.days.len() < MOST_DAYS) {
            self.days.insert(moment.day);
        }
        moment.is_some()
    }
}

/// What speaks against a reading.
#[derive(Debug, Clone, Copy)]
struct Costs {
    /// As that of a shop that sells on any day of the week, or on some.
    steady: f64,
    /// As that of the shop that fits best.
    least: f64,
}

/// The readings, the best first, and whether that is beyond doubt. Only a shop that sells all year is: bills on some days of the month
/// become such bills in another order, too, and one wrong date makes scattered days of those that lie close together.
pub fn ranked(readings: Vec<Reading>) -> (Vec<Reading>, bool) {
    let mut costs: Vec<(Costs, Reading)> = readings.into_iter().map(|reading| (costs(&reading), reading)).collect();
    costs.sort_by(|a, b| a.0.least.total_cmp(&b.0.least));
    let is_sure = match costs.as_slice() {
        [] => false,
        [(_, only)] => only.is_usual,
        [(best, reading), others @ ..] => {
            let is_enough = others.iter().all(|(_, other)| reading.days.len() >= enough_days(other));
            reading.is_usual
                && is_enough
                && are_even(&reading.days)
                && others.iter().all(|(other, _)| other.least - best.steady >= MARGIN)
        }
    };
    (costs.into_iter().map(|(_, reading)| reading).collect(), is_sure)
}

/// Whether days are spread over their span: where rows of several orders stand in one column, those of one lie close together, and the
/// others around them.
fn are_even(days: &BTreeSet<Day>) -> bool {
    let of_end = days.len() / 20;
    let span = |first: Option<&Day>, last: Option<&Day>| first.zip(last).map_or(0, |(first, last)| i64::from(last.0 - first.0));
    let most = span(days.iter().nth(of_end), days.iter().nth_back(of_end));
    most * 10 >= span(days.first(), days.last()) * 6
}

/// How many different days tell that another reading is wrong.
fn enough_days(other: &Reading) -> usize {
    let of_year: BTreeSet<(i8, i8)> = other.days.iter().map(|day| (day.to_date().month(), day.to_date().day())).collect();
    match () {
        () if of_year.len() == 1 => ENOUGH_YEARS,
        () if other.is_usual && other.habit < COMMON => ENOUGH_DAYS,
        () => 1,
    }
}

/// What speaks against a reading: about minus the logarithm of the chance that a shop has orders on exactly its days.
fn costs(reading: &Reading) -> Costs {
    let (Some(first), Some(last)) = (reading.days.first(), reading.days.last()) else {
        return Costs { steady: reading.habit, least: reading.habit };
    };
    // Long histories are as rare as they are long.
    let span = reading.habit + f64::from(last.0 - first.0 + 1).ln();
    let dates: Vec<Date> = reading.days.iter().map(|day| day.to_date()).collect();
    let steady = by_week(&reading.days);
    Costs { steady: span + steady, least: span + steady.min(by_season(&dates)).min(by_month(&dates)) }
}

/// The cost of orders on every day, or on some days of the week.
fn by_week(days: &BTreeSet<Day>) -> f64 {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return 0.0 };
    let weekday = |day: i32| day.rem_euclid(7);
    let used: BTreeSet<i32> = days.iter().map(|day| weekday(day.0)).collect();
    let of_week = (first.0..=last.0).filter(|day| used.contains(&weekday(*day))).count();
    let span = usize::try_from(last.0 - first.0 + 1).unwrap_or(usize::MAX);
    let some_days = 1.0 + ln_ways(7, used.len()) + ln_ways(of_week, days.len());
    ln_ways(span, days.len()).min(some_days)
}

/// The cost of orders on any day of some months.
fn by_season(dates: &[Date]) -> f64 {
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else { return 0.0 };
    let months: BTreeSet<i8> = dates.iter().map(|date| date.month()).collect();
    let all: BTreeSet<i8> = (1..=31).collect();
    let of_season = (month_of(first)..=month_of(last)).filter(|month| months.contains(&((month.rem_euclid(12) + 1) as i8)));
    let days: usize = of_season.map(|month| days_of_month(month, &all)).sum();
    let outside = usize::from(first.day().unsigned_abs()) - 1 + usize::from((last.days_in_month() - last.day()).unsigned_abs());
    some_months(&months) + 3.0 + ln_ways(days - outside.min(days), dates.len())
}

/// The cost of the months of a season.
fn some_months(months: &BTreeSet<i8>) -> f64 {
    4.0 + ln_ways(12, months.len())
}

/// Months since the year 0.
fn month_of(date: &Date) -> i32 {
    i32::from(date.year()) * 12 + i32::from(date.month()) - 1
}

/// The cost of orders on some days of the month: in all months, or in some of them each year.
fn by_month(dates: &[Date]) -> f64 {
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else { return 0.0 };
    let days: BTreeSet<i8> = dates.iter().map(|date| date.day()).collect();
    let months: BTreeSet<i8> = dates.iter().map(|date| date.month()).collect();
    let all = month_of(first)..=month_of(last);
    let of_all = all.clone().map(|month| days_of_month(month, &days)).sum();
    let years = i32::from(first.year()) * 12..=i32::from(last.year()) * 12 + 11;
    let of_some = years.filter(|month| months.contains(&((month.rem_euclid(12) + 1) as i8)));
    let of_some = of_some.map(|month| days_of_month(month, &days)).sum();
    // Nobody sells on one day of the year alone.
    let yearly = if days.len() == 1 && months.len() == 1 { 5.0 } else { 0.0 };
    let on_days = (choice_of_days(&days) + filled(of_all, dates.len()))
        .min(choice_of_days(&days) + filled(of_some, dates.len()) + some_months(&months) + yearly);
    match dates.iter().all(|date| *date == date.last_of_month()) {
        true => on_days.min(FEW_CHOICES + filled(all.count(), dates.len())),
        false => on_days,
    }
}

/// How many of these days a month has; months are counted from the year 0.
fn days_of_month(month: i32, days: &BTreeSet<i8>) -> usize {
    let year = i16::try_from(month.div_euclid(12)).unwrap_or(i16::MAX);
    let most = Date::new(year, (month.rem_euclid(12) + 1) as i8, 1).map_or(0, Date::days_in_month);
    days.iter().filter(|day| **day <= most).count()
}

/// The cost of billing on the first, in the middle or at the end of a month.
const FEW_CHOICES: f64 = 1.4;

/// The cost of the days of the month on which is billed.
fn choice_of_days(days: &BTreeSet<i8>) -> f64 {
    let (Some(first), Some(last)) = (days.first().copied(), days.last().copied()) else { return 0.0 };
    let any = ln_ways(31, days.len());
    let is_row = usize::try_from(last - first + 1) == Ok(days.len());
    match () {
        () if days.len() == 1 && (matches!(first, 1 | 15) || first >= 28) => FEW_CHOICES,
        () if is_row => any.min((31.0f64 * 32.0 / 2.0).ln()),
        () => any,
    }
}

/// The cost of orders on some of the days that a shop bills on; who bills leaves few of them out.
fn filled(of: usize, count: usize) -> f64 {
    ln_ways(of, count) + if count * 2 >= of { 3.0 } else { 8.0 }
}

/// The logarithm of the number of ways to choose some of many.
fn ln_ways(of: usize, count: usize) -> f64 {
    let (of, count) = (of as f64, count as f64);
    ln_gamma(of + 1.0) - ln_gamma(count + 1.0) - ln_gamma(of - count + 1.0)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    /// A generator of numbers (splitmix64), so that the shops are the same each time.
    struct Rng(u64);

    impl Rng {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) % bound
        }
    }

    /// What shops do: on which days they have orders.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Shop {
        Daily,
        Weekdays,
        Market,
        Sparse,
        Seasonal,
        Monthly,
        Billing,
        MonthEnds,
        /// On one day of the year.
        Yearly,
        /// With years without an order between.
        Paused,
        /// With one date that is wrong.
        Mistaken,
    }

    const SHOPS: [Shop; 11] = [
        Shop::Daily,
        Shop::Weekdays,
        Shop::Market,
        Shop::Sparse,
        Shop::Seasonal,
        Shop::Monthly,
        Shop::Billing,
        Shop::MonthEnds,
        Shop::Yearly,
        Shop::Paused,
        Shop::Mistaken,
    ];

    /// The days of a shop with orders.
    fn days(shop: Shop, first: Date, span: i32, rng: &mut Rng) -> Vec<Date> {
        let often = 10 + rng.below(91);
        let market = rng.below(7) as i8;
        let billed = [1, 15, 1 + rng.below(28) as i8][rng.below(3) as usize];
        let also = 1 + rng.below(28) as i8;
        let season = 1 + rng.below(12) as i8;
        let months = 1 + rng.below(3) as i8;
        let wrong = Date::constant(2001 + rng.below(31) as i16, season, billed);
        let mut has_orders = |day: i32| {
            let date = &(first + day.days());
            let weekday = date.weekday().to_monday_zero_offset();
            let chance = rng.below(100);
            match shop {
                Shop::Daily => chance < often,
                Shop::Weekdays => weekday < 5 && chance < often.max(60),
                Shop::Market => weekday == market && chance < 95,
                Shop::Sparse => chance < 4,
                Shop::Seasonal => (date.month() - season).rem_euclid(12) < months && chance < often,
                Shop::Monthly => date.day() == billed && chance < 97,
                Shop::Billing => date.day() == billed || date.day() == also || date.day() == 28,
                Shop::MonthEnds => *date == date.last_of_month(),
                Shop::Yearly => date.month() == season && date.day() == also,
                Shop::Paused => chance < often && (day < span / 4 || day > span * 3 / 4),
                Shop::Mistaken => chance < often,
            }
        };
        let days: Vec<i32> = (0..span).collect();
        let own = days.into_iter().filter(|day| has_orders(*day)).map(|day| first + day.days());
        own.chain((shop == Shop::Mistaken).then_some(wrong)).collect()
    }

    fn written(date: Date, order: [DatePart; 3], mark: &str, is_short: bool) -> String {
        let part = |part: DatePart| match part {
            D => format!("{:02}", date.day()),
            M if mark == "-x" => ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
                [date.month() as usize - 1]
                .to_owned(),
            M => format!("{:02}", date.month()),
            Y if is_short => format!("{:02}", date.year() % 100),
            Y => date.year().to_string(),
        };
        order.map(part).join(&mark[..1])
    }

    /// What is made of texts: whether a form is taken without a question, and which.
    fn taken(texts: &[String]) -> Option<Option<DateForm>> {
        let mut forms = DateForm::of(texts.first()?);
        forms.retain(|form| texts.iter().all(|text| form.read(text).is_some()));
        let mut readings = readings(&forms);
        texts.iter().for_each(|text| readings.retain_mut(|reading| reading.add(text)));
        if forms.is_empty() {
            return None;
        }
        let (readings, is_sure) = ranked(readings);
        Some(readings.into_iter().next().filter(|_| is_sure).map(|reading| reading.form))
    }

    /// Of many shops, none is read wrongly without a question, and those with orders on most days are mostly read without one.
    #[test]
    fn no_shop_is_misread_without_a_question() {
        let mut rng = Rng(7);
        let (mut right, mut of) = (0, 0);
        for number in 0..1_056 {
            let shop = SHOPS[number % SHOPS.len()];
            let order = ORDERS[number / SHOPS.len() % ORDERS.len()];
            // With points and with names of months, people have fewer orders.
            let marks: &[&str] = match order {
                [D, M, Y] => &["/", "-", ".", "-x"],
                [Y, M, D] => &["/", "-", "."],
                _ => &["/", "-"],
            };
            let mark = marks[rng.below(marks.len() as u64) as usize];
            // Years of four digits stand at an end.
            let is_short = order[1] == Y || order == [Y, D, M] || rng.below(4) > 0;
            let span = [14, 31, 60, 100, 200, 365, 800, 1_500, 3_650][rng.below(9) as usize];
            let first = Date::constant(2001 + rng.below(25) as i16, 1, 1) + (rng.below(365) as i32).days();
            let dates = days(shop, first, span, &mut rng);
            let texts: Vec<String> = dates.iter().map(|date| written(*date, order, mark, is_short)).collect();
            let form = taken(&texts).flatten();
            if let Some(form) = &form {
                let found: Option<Vec<Date>> =
                    texts.iter().map(|text| form.read(text).map(|moment| moment.day.to_date())).collect();
                assert_eq!(found, Some(dates), "{shop:?} of {span} days from {first}, {order:?} {mark:?} as {}", form.pattern);
            }
            let is_usual = matches!(order, [D, M, Y] | [M, D, Y] | [Y, M, D]);
            if is_usual && span >= 60 && matches!(shop, Shop::Daily | Shop::Weekdays) {
                of += 1;
                right += u32::from(form.is_some());
            }
        }
        assert!(right * 20 >= of * 19, "{right} of {of} shops with orders on most days");
    }

    /// What two ways to sell explain alike is not decided.
    #[test]
    fn what_may_be_either_stays_open() {
        let month = |format: fn(u32) -> String, count: u32| -> Vec<String> { (1..=count).map(format).collect() };
        let form = |texts: &[String]| taken(texts).flatten().map(|form| form.pattern);
        for (texts, expected) in [
            // Twelve days of January, or the first of twelve months.
            (month(|n| format!("{n:02}/01/2024"), 12), None),
            (month(|n| format!("01/{n:02}/2024"), 12), None),
            // A month of which the days run to its end.
            (month(|n| format!("23/01/{n:02}"), 31), Some("%y/%m/%d")),
            (month(|n| format!("{n:02}/01/23"), 31), Some("%d/%m/%y")),
            (month(|n| format!("01/{n:02}/23"), 31), Some("%m/%d/%y")),
            (month(|n| format!("23.01.{n:02}"), 31), Some("%y.%m.%d")),
            (month(|n| format!("23-01-{n:02} 10:00"), 31), Some("%y-%m-%d %H:%M")),
            // Few days say little.
            (month(|n| format!("23/01/{n:02}"), 6), None),
            (vec!["01-02-03".into()], None),
            (vec!["01.02.23".into()], None),
            // The first of each month of a year, or a day of each month of 2001.
            (month(|n| format!("23/{n:02}/01"), 12), None),
            // Orders that nobody knows are not taken.
            (month(|n| format!("01/23/{n:02}"), 31), None),
            (month(|n| format!("23-Jan-{n:02}"), 31), None),
        ] {
            assert_eq!(form(&texts).as_deref(), expected, "{texts:?}");
        }
    }
}
