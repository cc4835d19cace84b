//! Which rules of a scheme somebody can reach, so that the program's own check has nothing to refuse.

use crate::support::oracle::*;

/// The rules without those that earlier rules hide, so that a load check has nothing to refuse.
///
/// Only a scheme over scores alone may end without a rule for everyone, and only if its grid is complete.
pub(super) fn reachable(rules: Vec<Rule>, job: &Job) -> Vec<Rule> {
    let mut kept: Vec<Rule> = Vec::new();
    for rule in rules {
        let everything = Region { ranges: Vec::new(), cells: grid(job.bins) };
        let region = rule.when.iter().try_fold(everything, |region, c| region.within(c, job));
        if region.is_some_and(|region| escapes(&region, &kept, job)) {
            kept.push(rule);
            continue;
        }
        let plain_scores = |r: &Rule| r.when.iter().all(|c| !matches!(c, Condition::Measure(..) | Condition::Level(..)));
        if rule.when.is_empty() && !kept.iter().all(plain_scores) {
            // Levels or measures are in it: make room until the last rule can be reached.
            kept.pop();
            kept.push(rule);
            return reachable(kept, job);
        }
    }
    kept
}

/// Customers as a rule sees them: ranges of measures (in halves, both ends included) and cells.
#[derive(Clone)]
struct Region {
    ranges: Vec<(Measure, i128, i128)>,
    cells: Vec<Cell>,
}

impl Region {
    /// The part of the region where a measure lies between two halves; none if that is empty.
    fn cut(&self, measure: Measure, low: i128, high: i128, job: &Job) -> Option<Region> {
        let whole_money = job.amount_scale == 0 && job.monetary_as == MonetaryAs::Sum;
        let (floor, whole) = match measure {
            Measure::RecencyDays | Measure::TenureDays | Measure::Frequency(_) => (0, true),
            Measure::PeriodOrders | Measure::PreviousPeriodOrders | Measure::OrdersBeforePeriod => (0, true),
            Measure::LifetimeOrders => (2, true),
            Measure::AvgOrderValue => (i128::MIN, false),
            Measure::LifetimeMonetary | Measure::PeriodMonetary => (i128::MIN, job.amount_scale == 0),
            Measure::Monetary(_) => (i128::MIN, whole_money),
        };
        let (mut low, mut high) = (low.max(floor), high);
        let mut region = self.clone();
        if let Some(at) = region.ranges.iter().position(|r| r.0 == measure) {
            let (_, a, b) = region.ranges.remove(at);
            (low, high) = (low.max(a), high.min(b));
        }
        if whole {
            low = if low == i128::MIN { low } else { low + low.rem_euclid(2) };
            high = if high == i128::MAX { high } else { high - high.rem_euclid(2) };
        }
        region.ranges.push((measure, low, high));
        (low <= high).then_some(region)
    }

    /// The part of the region that meets a condition; none if that is empty.
    fn within(self, condition: &Condition, job: &Job) -> Option<Region> {
        if let Condition::Measure(measure, test) = condition {
            let (low, high) = ends(*test);
            return self.cut(*measure, low, high, job);
        }
        let cells: Vec<Cell> = self.cells.into_iter().filter(|cell| cell_meets(condition, cell)).collect();
        (!cells.is_empty()).then_some(Region { ranges: self.ranges, cells })
    }
}

/// True if somebody of a region meets none of the rules: each must have a condition that fails.
fn escapes(region: &Region, rules: &[Rule], job: &Job) -> bool {
    let Some((rule, others)) = rules.split_first() else {
        return true;
    };
    rule.when.iter().any(|condition| match condition {
        // A measure that the region does not speak of may be null, and null fails every condition.
        Condition::Measure(measure, test) => match region.ranges.iter().any(|r| r.0 == *measure) {
            false => escapes(region, others, job),
            true => {
                let (low, high) = ends(*test);
                let below = (low > i128::MIN).then(|| region.cut(*measure, i128::MIN, low - 1, job)).flatten();
                let above = (high < i128::MAX).then(|| region.cut(*measure, high + 1, i128::MAX, job)).flatten();
                [below, above].iter().flatten().any(|part| escapes(part, others, job))
            }
        },
        _ => {
            let cells: Vec<Cell> = region.cells.iter().filter(|cell| !cell_meets(condition, cell)).copied().collect();
            !cells.is_empty() && escapes(&Region { ranges: region.ranges.clone(), cells }, others, job)
        }
    })
}

/// The ends of a test in halves, so that the ends of open ranges are numbers too (ends are whole numbers).
fn ends(test: Test) -> (i128, i128) {
    match test {
        Test::Between(low, high) => (low.map_or(i128::MIN, |d| 2 * d.unscaled), high.map_or(i128::MAX, |d| 2 * d.unscaled)),
        Test::Above(d) => (2 * d.unscaled + 1, i128::MAX),
        Test::Below(d) => (i128::MIN, 2 * d.unscaled - 1),
        Test::IsNull => panic!("no range"),
    }
}

/// One combination of scores and levels.
#[derive(Clone, Copy)]
struct Cell {
    scores: [u32; 3],
    high: [bool; 3],
}

fn grid(bins: u32) -> Vec<Cell> {
    let mut cells = Vec::new();
    for number in 0..bins * bins * bins * 8 {
        let (levels, n) = (number % 8, number / 8);
        cells.push(Cell {
            scores: [1 + n % bins, 1 + n / bins % bins, 1 + n / bins / bins],
            high: [levels & 1 > 0, levels & 2 > 0, levels & 4 > 0],
        });
    }
    cells
}

/// True if a cell can meet a condition; a measure can have any value in it.
fn cell_meets(condition: &Condition, cell: &Cell) -> bool {
    let inside = |test: &Test, n: u32| match test {
        Test::Between(low, high) => {
            low.is_none_or(|d| d.unscaled <= i128::from(n)) && high.is_none_or(|d| d.unscaled >= i128::from(n))
        }
        other => panic!("no {other:?} over scores"),
    };
    match condition {
        Condition::Measure(..) => true,
        Condition::Score(axis, test) => inside(test, cell.scores[*axis as usize]),
        Condition::Level(axis, level) => cell.high[*axis as usize] == (*level == Level::High),
        Condition::FPlusM(test) => inside(test, cell.scores[1] + cell.scores[2]),
        Condition::Cells(list) => list.contains(&cell.scores),
    }
}
