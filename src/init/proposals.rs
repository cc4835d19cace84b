//! What follows from the dates: the as-of date, how many months to look back for trends, and the stages of the lifecycle.

use jiff::ToSpan;

use super::history::History;
use crate::domain::Day;

/// The as-of date and how it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsOfGuess {
    /// The date.
    pub date: Day,
    /// Why.
    pub why: String,
}

/// Days that the data hold before the end of a month, so that it may be the as-of date.
const BEFORE_MONTH_END: i32 = 60;

/// The as-of date: the one that was asked for, or the last end of a month or of a day that the data carry.
pub fn as_of(asked: Option<Day>, history: &History) -> AsOfGuess {
    let (first, last) = (history.first, history.last);
    let orders = if history.of_rows.is_some() { "orders looked at" } else { "orders" };
    if let Some(date) = asked {
        return AsOfGuess { date, why: format!("as --as-of asks; the {orders} go to {last}") };
    }
    let date = last.to_date();
    let is_month_end = date == date.last_of_month();
    let month_end = Day::from_date(date.first_of_month()).previous();
    match () {
        () if is_month_end => AsOfGuess { date: last, why: format!("the {orders} go to {last}, the end of a month") },
        () if month_end.0 - first.0 >= BEFORE_MONTH_END => AsOfGuess {
            date: month_end,
            why: format!("the {orders} go to {last}, so this is the last month that they hold as a whole"),
        },
        () if last.previous() >= first => AsOfGuess {
            date: last.previous(),
            why: format!("the {orders} go to {last}, which may not be over yet; this is the day before"),
        },
        () => AsOfGuess { date: last, why: format!("all {orders} are of this day") },
    }
}

/// The share of rows that may be rejected, where some lack what a row needs: half as many again as are there now, in thousandths.
pub fn max_rejected(history: &History) -> Option<f64> {
    let share = history.rejected as f64 / history.rows.max(1) as f64;
    (history.rejected > 0).then(|| ((share * 1_500.0).ceil() / 1_000.0).min(1.0))
}

/// Months of the trend: as many as lie between the first order and the as-of date, at most a year; none if there are fewer than three.
pub fn trend_months(first: Day, as_of: Day) -> Option<i32> {
    let (from, to) = (first.to_date(), as_of.to_date());
    let most = (1..=12).rev().find(|months| to.checked_sub(months.months()).is_ok_and(|earlier| earlier >= from));
    most.filter(|months| *months >= 3)
}

/// The scheme of the lifecycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lifecycle {
    /// By each customer's own gap.
    Cadence,
    /// By windows of days since the last order, of which these are the ends.
    Windows([usize; 4]),
    /// By the usual windows.
    UsualWindows,
}

/// The scheme of the lifecycle and why.
pub fn lifecycle(history: &History) -> (Lifecycle, String) {
    let gaps = &history.gaps;
    if history.of_rows.is_some() {
        let why = "A sample lacks most purchases of each customer, so it cannot tell how often customers come. Do many come on three days or more? Then cadence, which goes by the rhythm of each, fits better. Guess: they do not; `rfmill init --all-rows` counts";
        return (Lifecycle::UsualWindows, why.into());
    }
    let share = |part: u64| format!("{:.0} %", part as f64 * 100.0 / gaps.customers.max(1) as f64);
    let (Some(half), Some(most), true) = (gaps.percentile(50), gaps.percentile(80), gaps.count() >= 30) else {
        return (
            Lifecycle::UsualWindows,
            format!(
                "{} between purchases {} too few to tell how often customers come, so the usual windows stand",
                counted(gaps.count()),
                if gaps.count() == 1 { "is" } else { "are" }
            ),
        );
    };
    let said = format!(
        "{} of the customers bought on two days or more, {} on three or more; half of the gaps between purchases last up to {}, and 80 % up to {}",
        share(gaps.returning),
        share(gaps.frequent),
        days(half),
        days(most)
    );
    if gaps.frequent * 5 >= gaps.customers * 2 {
        return (Lifecycle::Cadence, format!("{said}. Many have a rhythm of their own, so cadence goes by it"));
    }
    let end = [30, 45, 60, 90, 120, 150, 180, 270, 365].into_iter().find(|end| *end >= most).unwrap_or(365);
    match end {
        90 => (Lifecycle::UsualWindows, format!("{said}. That fits the usual windows of 90, 180, 270 and 365 days")),
        end => {
            let ends = [end, 2 * end, 3 * end, 4 * end];
            let listed = ends.map(|end| end.to_string()).join(", ");
            (Lifecycle::Windows(ends), format!("{said}. So the windows end after {listed} days"))
        }
    }
}

fn counted(gaps: u64) -> String {
    if gaps == 1 { "1 gap".into() } else { format!("{gaps} gaps") }
}

fn days(count: usize) -> String {
    if count == 1 { "1 day".into() } else { format!("{count} days") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::history::Gaps;

    fn of(first: &str, last: &str) -> (String, Option<i32>) {
        let day = |text: &str| Day::parse(text).expect("a date");
        let history = History { first: day(first), last: day(last), ..History::empty() };
        let date = as_of(None, &history).date;
        (date.to_string(), trend_months(day(first), date))
    }

    #[test]
    fn the_as_of_date_is_the_last_that_the_data_carry_whole() {
        assert_eq!(of("1997-01-01", "1998-06-30"), ("1998-06-30".into(), Some(12)));
        assert_eq!(of("2010-12-01", "2011-12-09"), ("2011-11-30".into(), Some(11)));
        assert_eq!(of("2024-04-05", "2024-05-08"), ("2024-05-07".into(), None));
        assert_eq!(of("2024-05-08", "2024-05-08"), ("2024-05-08".into(), None));
    }

    fn gaps(customers: u64, frequent: u64, lengths: &[(usize, u64)]) -> Gaps {
        let mut by_days = vec![0; 1_000];
        lengths.iter().for_each(|(length, count)| by_days[*length] = *count);
        Gaps { customers, returning: frequent, frequent, by_days }
    }

    fn with(gaps: Gaps) -> History {
        History { gaps, ..History::empty() }
    }

    #[test]
    fn a_sample_does_not_tell_how_often_customers_come() {
        let sample = History { of_rows: Some(5_000_000), ..with(gaps(1_000, 400, &[(20, 500)])) };
        assert_eq!(lifecycle(&sample).0, Lifecycle::UsualWindows);
    }

    #[test]
    fn windows_follow_the_gaps() {
        assert_eq!(
            lifecycle(&with(gaps(1_000, 100, &[(20, 50), (50, 30), (200, 20)]))).0,
            Lifecycle::Windows([60, 120, 180, 240])
        );
        assert_eq!(lifecycle(&with(gaps(1_000, 100, &[(20, 50), (80, 30), (200, 20)]))).0, Lifecycle::UsualWindows);
        assert_eq!(lifecycle(&with(gaps(1_000, 400, &[(20, 500)]))).0, Lifecycle::Cadence);
        assert_eq!(lifecycle(&with(gaps(10, 4, &[(20, 5)]))).0, Lifecycle::UsualWindows);
    }
}
