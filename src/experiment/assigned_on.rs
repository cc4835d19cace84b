//! Whether the arms of a period were assigned on the same days. If they were not, days become strata, where that helps.

use std::collections::BTreeMap;
use std::fmt;

use super::exposure::load::{PeriodCounts, StrategyAssignments};
use super::exposure::{DayCount, cluster_days};
use crate::domain::{Day, Period};
use crate::evaluate::{FAILED, UnlikeDays};
use crate::job::Strategy;
use crate::stats::spread_p;

/// Days are strata only if they hold at least this share of every arm together with customers of the other arm.
const MIN_COMPARABLE: f64 = 0.8;

/// Days that are one stratum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DateCell {
    /// The week that begins on a Monday.
    Week(Day),
    /// A day.
    Day(Day),
}

impl fmt::Display for DateCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DateCell::Week(monday) => write!(f, "assigned in the week of {monday}"),
            DateCell::Day(day) => write!(f, "assigned on {day}"),
        }
    }
}

/// The week of a day. Day 0 is a Thursday.
fn week(day: Day) -> DateCell {
    DateCell::Week(Day(day.0.saturating_sub((day.0.rem_euclid(7) + 3).rem_euclid(7))))
}

/// On which days the customers of a period's arms were assigned.
#[derive(Debug, Clone, PartialEq)]
pub enum DayCheck {
    /// On the same days, as far as chance goes.
    Alike,
    /// On different days, and days with customers of all arms are strata.
    Strata {
        /// Where the arms differ most.
        difference: UnlikeDays,
        /// The cell of every day on which somebody was assigned.
        cells: BTreeMap<Day, DateCell>,
    },
    /// On different days, and too few customers of an arm on days of the other.
    Apart {
        /// Where the arms differ most.
        difference: UnlikeDays,
        /// The arm.
        arm: String,
        /// Its share that can be compared.
        share: f64,
    },
}

impl DayCheck {
    /// The cell of every day; empty unless days are strata.
    pub fn cells(&self) -> impl Iterator<Item = (Day, DateCell)> {
        let cells = match self {
            DayCheck::Strata { cells, .. } => Some(cells),
            DayCheck::Alike | DayCheck::Apart { .. } => None,
        };
        cells.into_iter().flatten().map(|(day, cell)| (*day, *cell))
    }

    /// Whether the arms of a period were assigned on the same days. Strata without shares of their own have one plan.
    pub fn of(strategy: &Strategy, own: &StrategyAssignments, counts: &PeriodCounts) -> DayCheck {
        let plan = |stratum: &String| strategy.strata.iter().position(|(name, _)| name == stratum).map_or(0, |own| own + 1);
        let plans: Vec<usize> = own.strata.iter().flatten().map(plan).collect();
        let control = own.control(strategy).map(usize::from);
        let check = |counts: &[DayCount]| DayCheck::new(counts, &plans, &own.arms, control);
        match check(&counts.by_day) {
            // Few clusters are on unlike days by chance alone.
            DayCheck::Strata { .. } if own.clusters.is_some() => check(&cluster_days(&counts.clusters)),
            of_customers => of_customers,
        }
    }

    /// Checks a randomised strategy's period, of which `counts` has the customers. `plans` has the number of every stratum's plan
    /// of shares, `arms` the names of the arms, `control` the number of the one that the others are compared with.
    ///
    /// Strata with one plan are one population, because a fair draw looks at nothing else. Weeks are tried before days: they hold
    /// more customers, and suffice where arms are spread alike within them.
    pub fn new(counts: &[DayCount], plans: &[usize], arms: &[String], control: Option<usize>) -> DayCheck {
        let plan = |count: &DayCount| plans.get(count.stratum as usize).copied().unwrap_or_default();
        let number = arms.len();
        let by_day = tables(counts, number, plan, |count| count.day);
        let Some(p) = spread_p(&plain(&by_day)).filter(|p| *p < FAILED) else { return DayCheck::Alike };
        let by_week = tables(counts, number, plan, |count| week(count.day));
        let by_date = tables(counts, number, plan, |count| DateCell::Day(count.day));
        let is_one_week = by_week.values().all(|weeks| weeks.len() == 1);
        let dates = if is_one_week { &by_date } else { &by_week };
        let difference = largest_difference(p, dates, counts, arms);

        let days_of_weeks = tables(counts, number, |count| (plan(count), week(count.day)), |count| count.day);
        let weeks_suffice = spread_p(&plain(&days_of_weeks)).is_none_or(|p| p >= FAILED);
        let of_weeks = least_comparable(counts, number, control, week);
        let of_days = least_comparable(counts, number, control, DateCell::Day);
        let cells = |of: fn(Day) -> DateCell| counts.iter().map(|count| (count.day, of(count.day))).collect();
        if weeks_suffice && of_weeks.1 >= MIN_COMPARABLE {
            DayCheck::Strata { difference, cells: cells(week) }
        } else if of_days.1 >= MIN_COMPARABLE {
            DayCheck::Strata { difference, cells: cells(DateCell::Day) }
        } else {
            let (arm, share) = if weeks_suffice { of_weeks } else { of_days };
            DayCheck::Apart { difference, arm: arms.get(arm).cloned().unwrap_or_default(), share }
        }
    }
}

/// Customers per arm, by table and group.
type Tables<T, G> = BTreeMap<T, BTreeMap<G, Vec<i64>>>;

fn tables<T: Ord, G: Ord>(
    counts: &[DayCount],
    arms: usize,
    table: impl Fn(&DayCount) -> T,
    group: impl Fn(&DayCount) -> G,
) -> Tables<T, G> {
    let mut tables: Tables<T, G> = BTreeMap::new();
    for count in counts {
        let groups = tables.entry(table(count)).or_default();
        groups.entry(group(count)).or_insert_with(|| vec![0; arms])[usize::from(count.arm)] += count.customers as i64;
    }
    tables
}

/// The tables without their keys.
fn plain<T, G>(tables: &Tables<T, G>) -> Vec<Vec<Vec<i64>>> {
    tables.values().map(|groups| groups.values().cloned().collect()).collect()
}

/// The dates and the arm whose customers are furthest from what all dates of their table lead to expect.
fn largest_difference<T>(p: f64, tables: &Tables<T, DateCell>, counts: &[DayCount], arms: &[String]) -> UnlikeDays {
    let mut largest = (-1.0, UnlikeDays { p, arm: String::new(), days: Period::EMPTY, share: 0.0, usual: 0.0 });
    for table in tables.values() {
        let total = |arm: usize| table.values().map(|group| group[arm]).sum::<i64>() as f64;
        let n: f64 = (0..arms.len()).map(total).sum();
        for (date, group) in table {
            let size = group.iter().sum::<i64>() as f64;
            for (arm, name) in arms.iter().enumerate().filter(|(arm, _)| total(*arm) > 0.0) {
                let (found, expected) = (group[arm] as f64, total(arm) * size / n);
                let residual = (found - expected).powi(2) / expected;
                if residual > largest.0 {
                    let days =
                        counts.iter().map(|count| count.day).filter(|day| [week(*day), DateCell::Day(*day)].contains(date));
                    let days = days.map(Period::from).fold(Period::EMPTY, Period::hull);
                    largest = (residual, UnlikeDays { p, arm: name.clone(), days, share: found / size, usual: total(arm) / n });
                }
            }
        }
    }
    largest.1
}

/// The arm of which the smallest share is in cells of stratum and date with two customers of it and two of the arm that it is compared
/// with, and that share.
fn least_comparable(counts: &[DayCount], arms: usize, control: Option<usize>, date: fn(Day) -> DateCell) -> (usize, f64) {
    let Some(control) = control else { return (0, 1.0) };
    let cells: Vec<Vec<i64>> = plain(&tables(counts, arms, |_| (), |count| (count.stratum, date(count.day)))).concat();
    let total = |arm: usize| cells.iter().map(|cell| cell[arm]).sum::<i64>();
    let mut least = (control, 1.0);
    for treated in (0..arms).filter(|arm| *arm != control && total(*arm) > 0) {
        for arm in [treated, control].into_iter().filter(|arm| total(*arm) > 0) {
            let both = cells.iter().filter(|cell| cell[treated] > 1 && cell[control] > 1);
            let share = both.map(|cell| cell[arm]).sum::<i64>() as f64 / total(arm) as f64;
            least = if share < least.1 { (arm, share) } else { least };
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-04-01, a Monday.
    const MONDAY: i32 = 19_814;

    /// Customers of control and mail by stratum and day after Monday.
    fn check(rows: &[(u32, i32, u64, u64)], plans: &[usize]) -> DayCheck {
        let count = |(stratum, day, customers): (u32, i32, [u64; 2])| {
            let of = move |(arm, customers)| DayCount { stratum, day: Day(MONDAY + day), arm, customers };
            (0..).zip(customers).map(of).filter(|count| count.customers > 0)
        };
        let counts: Vec<DayCount> = rows.iter().flat_map(|row| count((row.0, row.1, [row.2, row.3]))).collect();
        DayCheck::new(&counts, plans, &["control".into(), "mail".into()], Some(0))
    }

    fn dates(check: &DayCheck) -> Vec<String> {
        let mut dates: Vec<String> = check.cells().map(|(_, cell)| cell.to_string()).collect();
        dates.dedup();
        dates
    }

    #[test]
    fn weeks_begin_on_mondays() {
        for (day, monday) in [(0, 0), (6, 0), (7, 7), (-1, -7)] {
            assert_eq!(week(Day(MONDAY + day)), DateCell::Week(Day(MONDAY + monday)));
        }
        assert_eq!(week(Day(MONDAY)).to_string(), "assigned in the week of 2024-04-01");
        assert_eq!(week(Day(-5)), DateCell::Week(Day(-10)));
    }

    #[test]
    fn a_steady_split_is_alike_on_any_days() {
        let steady: Vec<(u32, i32, u64, u64)> = (0..30).map(|day| (0, day, 40 + day as u64 % 3, 42 - day as u64 % 3)).collect();
        assert_eq!(check(&steady, &[0]), DayCheck::Alike);
        assert_eq!(check(&[], &[0]), DayCheck::Alike);
        // Strata that were planned with other shares come on other days.
        let strata = [(0, 0, 500, 500), (1, 15, 900, 100)];
        assert_eq!(check(&strata, &[0, 1]), DayCheck::Alike);
        assert!(matches!(check(&strata, &[0, 0]), DayCheck::Strata { .. }));
    }

    /// scipy 1.17: chi2_contingency([[500, 500], [900, 100]], correction=False) is 380.95, p 8.8e-85.
    #[test]
    fn a_split_that_changed_makes_strata_of_weeks() {
        let changed = check(&[(0, 0, 250, 250), (0, 3, 250, 250), (0, 15, 900, 100)], &[0]);
        assert_eq!(dates(&changed), ["assigned in the week of 2024-04-01", "assigned in the week of 2024-04-15"]);
        let DayCheck::Strata { difference, .. } = changed else { return };
        // The mail arm, smaller over all, is furthest from its share in either week; the first comes first.
        assert_eq!((difference.arm.as_str(), difference.share, difference.usual), ("mail", 0.5, 0.3));
        assert_eq!(difference.days, Period { start: Day(MONDAY), end: Day(MONDAY + 4) });
        assert!(difference.p < 1e-80);
    }

    #[test]
    fn a_split_that_changed_within_a_week_makes_strata_of_days() {
        let changed = check(&[(0, 0, 500, 500), (0, 2, 900, 100)], &[0]);
        assert_eq!(dates(&changed), ["assigned on 2024-04-01", "assigned on 2024-04-03"]);
    }

    #[test]
    fn arms_on_days_of_their_own_cannot_be_compared() {
        // Controls stamped at the start, the treated when they opened; 200 of 1,000 on the first day.
        let stamped: Vec<(u32, i32, u64, u64)> =
            (0..9).map(|day| (0, day, if day == 0 { 1_000 } else { 0 }, if day == 0 { 200 } else { 100 })).collect();
        let DayCheck::Apart { arm, share, .. } = check(&stamped, &[0]) else { panic!("not apart") };
        assert_eq!((arm.as_str(), share), ("mail", 0.2));
    }
}
