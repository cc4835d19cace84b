//! Customers one by one, and the sums of arms that an engine would make of them.

use std::collections::BTreeMap;

use rfmill::internals::domain::Day;
use rfmill::internals::evaluate::{
    ALL, ArmKey, ArmSums, AssignedOn, Clusters, Design, Digits, EVERYBODY, Method, Outcome, PairEnd, PairKey, Period, Phase,
    Primary, Quantity, Split, StrategyPeriod, StrategySettings,
};
use rfmill::internals::stats::{GridCell, JointGrid, PairSums, Sums, bin_of, coarse_bin_of};

/// A customer in a strategy's period.
#[derive(Debug, Clone, Copy)]
pub struct Customer {
    /// Equal in periods in which it is the same customer.
    pub id: u32,
    /// The arm.
    pub arm: &'static str,
    /// The state before the period.
    pub state: &'static str,
    /// Stratum or matching cell.
    pub cell: &'static str,
    /// The matching cell on the day before the baseline.
    pub earlier: &'static str,
    /// The outcome after assignment.
    pub after: i64,
    /// In the baseline.
    pub baseline: i64,
    /// In the period before the baseline.
    pub before: i64,
    /// Whether an earlier assignment treated the customer inside the baseline.
    pub touched: bool,
}

/// The `n`-th quarter-like period of 90 days.
pub fn period(n: usize) -> Period {
    let start = 19_000 + 90 * n as i32;
    Period { start: Day(start), end: Day(start + 90) }
}

/// A finished period with a baseline.
pub fn finished(n: usize) -> StrategyPeriod {
    let own = period(n);
    let baseline = Period { start: Day(own.start.0 - 90), end: own.start };
    StrategyPeriod {
        period: own,
        baseline: Some(baseline),
        outcomes_until: own.last_day(),
        after_until: None,
        known_until: own.last_day(),
        equally_long: true,
        days: (90, 91),
        knows_before_baseline: true,
        knows_before_placebo: true,
        has_earlier_cells: true,
        knows_events: [true; 2],
        assigned_on: AssignedOn::Alike,
        clusters: Clusters::default(),
        kept: None,
        whole_columns: Vec::new(),
    }
}

/// A randomised half-and-half strategy on revenue with these many periods.
pub fn strategy(name: &str, periods: usize) -> StrategySettings {
    let half = [("control".to_string(), 0.5), ("mail".to_string(), 0.5)];
    StrategySettings {
        name: name.into(),
        design: Design::Randomised,
        control: "control".into(),
        pairs: Vec::new(),
        split: Split { shares: half.into(), strata: BTreeMap::new() },
        periods: (0..periods).map(finished).collect(),
        outcomes: vec![Outcome::Revenue],
        primary: Primary { outcome: Outcome::Revenue, method: Method::Welch },
        cluster: None,
        by: Vec::new(),
        by_values: Vec::new(),
        cost_per_customer: None,
        fixed_cost: None,
        costs_of: Vec::new(),
        margin_rate: None,
        digits: Digits { money: 2, ..Digits::default() },
        looks: 4,
        guardrails: Vec::new(),
    }
}

/// The row of a total.
pub fn total(strategy: &str, n: usize, phase: Phase, arm: &str, quantity: Quantity) -> ArmKey {
    ArmKey {
        strategy: strategy.into(),
        period: period(n),
        phase,
        scheme: ALL.into(),
        state: ALL.into(),
        cell: ALL.into(),
        arm: arm.into(),
        quantity,
    }
}

/// The sums of one number.
pub fn sums(values: &[i64]) -> Sums {
    let mut sums = Sums::default();
    values.iter().for_each(|&y| sums.observe([y, 0, 0, 0]).expect("small sums"));
    sums
}

/// The arms of a strategy whose `n`-th period has these customers, on one outcome and by scheme `segment`.
pub fn fill(strategy: &str, outcome: &Outcome, periods: &[Vec<Customer>]) -> ArmSums {
    let mut arms = ArmSums::default();
    let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
    periods.iter().flatten().for_each(|c| *seen.entry(c.id).or_default() += 1);
    for (n, customers) in periods.iter().enumerate() {
        let mut rows: BTreeMap<(&str, &str, &str), ([Sums; 3], JointGrid)> = BTreeMap::new();
        for c in customers {
            let (row, grid) = rows.entry((c.state, c.cell, c.arm)).or_default();
            let cell = GridCell { count: 1, first: c.after.into(), second: c.baseline.into() };
            grid.add((bin_of(c.after), coarse_bin_of(c.baseline)), cell);
            row[0].observe([c.after, c.baseline, c.before, 0]).expect("small sums");
            row[1].observe([i64::from(c.touched), 0, 0, 0]).expect("small sums");
            row[2].observe([i64::from(seen[&c.id] > 1), 0, 0, 0]).expect("small sums");
        }
        let measured = Quantity::Outcome(outcome.clone());
        for ((state, cell, arm), (row, grid)) in rows {
            let kinds = [
                (Phase::During, measured.clone()),
                (Phase::During, Quantity::TreatedInBaseline),
                (Phase::During, Quantity::Recurs),
            ];
            for ((phase, quantity), sums) in kinds.into_iter().zip(row) {
                for (scheme, state) in [(ALL, ALL), ("segment", state)] {
                    let key = ArmKey {
                        scheme: scheme.into(),
                        state: state.into(),
                        cell: cell.into(),
                        ..total(strategy, n, phase, arm, quantity.clone())
                    };
                    if (phase, &key.quantity) == (Phase::During, &measured) && !measured.is_binary(phase) {
                        arms.add_grid(key.clone(), &grid);
                    }
                    arms.add(key, &sums).expect("small sums");
                }
            }
        }
    }
    fill_pairs(&mut arms, strategy, outcome, periods);
    arms
}

/// The rows of customers by cell and by the cell before the baseline.
fn fill_earlier(arms: &mut ArmSums, strategy: &str, outcome: &Outcome, n: usize, customers: &[Customer]) {
    let mut rows: BTreeMap<_, Sums> = BTreeMap::new();
    for c in customers {
        let sums = rows.entry((c.state, c.cell, c.earlier, c.arm)).or_default();
        sums.observe([c.after, c.baseline, c.before, 0]).expect("small sums");
    }
    for ((state, cell, earlier, arm), sums) in rows {
        for (scheme, state) in [(ALL, ALL), ("segment", state)] {
            let end = |cell: &str| PairEnd { period: period(n), cell: cell.into(), arm: arm.into() };
            let key = PairKey {
                strategy: strategy.into(),
                phase: Phase::During,
                scheme: scheme.into(),
                state: state.into(),
                outcome: outcome.clone(),
                first: end(cell),
                second: end(earlier),
            };
            arms.add_pair(key, &PairSums::with_themselves(&sums)).expect("small sums");
        }
    }
}

/// The rows of customers who are in two periods.
fn fill_pairs(arms: &mut ArmSums, strategy: &str, outcome: &Outcome, periods: &[Vec<Customer>]) {
    for (j, later) in periods.iter().enumerate() {
        fill_earlier(arms, strategy, outcome, j, later);
        let later: BTreeMap<u32, &Customer> = later.iter().map(|c| (c.id, c)).collect();
        for (i, earlier) in periods.iter().enumerate().take(j) {
            let mut rows: BTreeMap<_, PairSums> = BTreeMap::new();
            for a in earlier {
                let Some(b) = later.get(&a.id) else { continue };
                let groups = [Some((ALL, ALL)), (a.state == b.state).then_some(("segment", a.state))];
                for group in groups.into_iter().flatten() {
                    let row = rows.entry((group, a.cell, a.arm, b.cell, b.arm)).or_default();
                    row.observe([a.after, a.baseline, a.before, 0], [b.after, b.baseline, b.before, 0]).expect("small sums");
                }
            }
            for (((scheme, state), cell_a, arm_a, cell_b, arm_b), sums) in rows {
                let end = |n, cell: &str, arm: &str| PairEnd { period: period(n), cell: cell.into(), arm: arm.into() };
                let key = PairKey {
                    strategy: strategy.into(),
                    phase: Phase::During,
                    scheme: scheme.into(),
                    state: state.into(),
                    outcome: outcome.clone(),
                    first: end(i, cell_a, arm_a),
                    second: end(j, cell_b, arm_b),
                };
                arms.add_pair(key, &sums).expect("small sums");
            }
        }
    }
}

/// Everybody, with the outcome in the baseline and in the period before it.
pub fn add_reference(
    arms: &mut ArmSums,
    strategy: &str,
    outcome: &Outcome,
    n: usize,
    everybody: impl Iterator<Item = (i64, i64)>,
) {
    let mut sums = Sums::default();
    everybody.for_each(|(baseline, before)| sums.observe([baseline, before, 0, 0]).expect("small sums"));
    let key = total(strategy, n, Phase::Reference, EVERYBODY, Quantity::Outcome(outcome.clone()));
    arms.add(key, &sums).expect("small sums");
}
