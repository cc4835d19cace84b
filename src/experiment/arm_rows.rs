//! Turns sums under group keys into the rows of `arms`, which evaluation reads.

use std::collections::HashMap;

use rayon::prelude::*;

use super::layout::{GroupKey, unassigned_key};
use super::partial_sums::PartialSums;
use super::plan::{ExperimentPlan, StrategyPlan, SummedQuantity};
use super::strategy_sums::StrategySums;
use super::units::{RowSums, Unit, UnitNumbers, Units, pair_sums, row_sums};
use super::winsorise::{self, WinsorInput};
use crate::domain::Outcome;
use crate::error::{Error, Result};
use crate::evaluate::{ALL, ArmKey, ArmSums, EVERYBODY, PairEnd, PairKey, Phase, Quantity, Since, UNASSIGNED};
use crate::plan::SchemeColumn;
use crate::stats::{GridCell, JointGrid, PairSums, Shape, Sums, Y};
use crate::sums::GroupedSums;

/// The sums of all strategies under their names. `check` is called after those of a strategy with its number of periods.
///
/// # Errors
/// Exit 3 if a sum leaves its digits; those of the check.
pub fn arm_rows(
    plan: &ExperimentPlan<'_>,
    mut sums: PartialSums,
    schemes: &[SchemeColumn],
    check: &(dyn Fn(usize) -> Result<()> + Sync),
) -> Result<ArmSums> {
    if let Some(period) = sums.first_too_large() {
        return Err(Error::contract(format!(
            "strategy {:?}, period {}: the sums of squares of an outcome could leave 38 digits: the amounts are too large for orders.amount_scale; lower it, or look for a wrong amount",
            plan.strategy_of(period).strategy.name,
            plan.periods[period].period,
        )));
    }
    let mut inputs: Vec<Vec<WinsorInput>> = plan.strategies.iter().map(|_| Vec::new()).collect();
    for input in std::mem::take(&mut sums.winsor_inputs) {
        inputs[input.strategy()].push(input);
    }
    let rows = |(number, inputs): (usize, Vec<WinsorInput>)| -> Result<ArmSums> {
        let strategy = &plan.strategies[number];
        let winsorised = winsorise::sums(strategy, inputs);
        let names = StrategyRows { plan, number, strategy, schemes, winsorised };
        let mut out = ArmSums::default();
        if strategy.layout.keys.clusters.is_some() {
            names.add_clusters(&sums, &mut out)?;
        }
        for period in strategy.periods.clone() {
            if strategy.layout.keys.clusters.is_none() {
                names.add_period(period, &sums, &mut out)?;
            }
            names.add_excluded(period, &sums, &mut out)?;
            names.add_treated_elsewhere(period, &sums, &mut out)?;
            names.add_reference(period, &sums, &mut out)?;
        }
        names.add_pairs(&sums, &mut out)?;
        check(strategy.periods.len())?;
        Ok(out)
    };
    let strategies: Vec<Result<ArmSums>> = inputs.into_par_iter().enumerate().map(rows).collect();
    // Rows of all strategies need room where their sums were.
    drop(sums);
    let mut all = ArmSums::default();
    for rows in strategies {
        all.merge(rows?)?;
        check(0)?;
    }
    Ok(all)
}

/// Names the sums of a strategy.
struct StrategyRows<'a> {
    plan: &'a ExperimentPlan<'a>,
    number: usize,
    strategy: &'a StrategyPlan<'a>,
    schemes: &'a [SchemeColumn],
    /// The sums of winsorised quantities, in their order.
    winsorised: Option<StrategySums>,
}

impl StrategyRows<'_> {
    /// Scheme and state of a group; none in a strategy without `by`.
    fn state(&self, mut group: usize) -> Option<(String, String)> {
        for by in &self.strategy.by {
            if let Some(name) = by.names.get(group) {
                return Some((by.name.clone(), name.clone()));
            }
            group -= by.names.len();
        }
        None
    }

    /// Schemes and states under which tables show a group. The groups of the first scheme add up to all customers, too.
    fn shown_states(&self, group: usize) -> Vec<(String, String)> {
        let is_of_first = self.strategy.by.first().is_none_or(|by| group < by.names.len());
        let all = is_of_first.then(|| (String::from(ALL), String::from(ALL)));
        all.into_iter().chain(self.state(group)).collect()
    }

    /// The name of a cell of customers.
    fn cell(&self, cell: u64) -> String {
        self.cell_name(self.strategy.layout.keys.cell_and_cluster(cell).0)
    }

    /// The name of a cell, whatever the cluster.
    fn cell_name(&self, cell: u64) -> String {
        self.strategy.cell_names(self.schemes).of(&self.strategy.cells, cell)
    }

    /// The cell of the same customers before the baseline, if the states of then are known.
    fn earlier_cell(&self, period: usize, cell: u64) -> Option<String> {
        self.plan.periods[period].earlier?;
        Some(self.strategy.cell_names(self.schemes).earlier(&self.strategy.cells, cell))
    }

    fn arm(&self, arm: usize) -> String {
        self.strategy.arms.get(arm).cloned().unwrap_or_default()
    }

    /// The key of a row of a period, over all states and cells.
    fn key(&self, period: usize, phase: Phase, arm: String, quantity: Quantity) -> ArmKey {
        ArmKey {
            strategy: self.strategy.strategy.name.clone(),
            period: self.plan.periods[period].period,
            phase,
            scheme: ALL.into(),
            state: ALL.into(),
            cell: ALL.into(),
            arm,
            quantity,
        }
    }

    fn add_period(&self, period: usize, sums: &PartialSums, out: &mut ArmSums) -> Result<()> {
        let number = period - self.strategy.periods.start;
        let periods = &sums.strategies[self.number].periods;
        let mut grids = periods[number].grids();
        let mut of_winsorised = self.winsorised.as_ref().map(|sums| sums.periods[number].grids()).unwrap_or_default();
        for code in periods[number].keys() {
            let group = self.strategy.layout.keys.decode(code);
            let states = self.shown_states(group.group);
            for (index, summed) in self.strategy.quantities.iter().enumerate() {
                let key = ArmKey {
                    cell: self.cell(group.cell),
                    ..self.key(period, summed.phase, self.arm(group.arm), summed.quantity.clone())
                };
                let plain = periods[number].sums(code, index);
                if let Some((winsorised, column, quantity)) = self.winsorised(index, summed) {
                    // Customers without money are counted, though they are not winsorised.
                    let sums = Sums { n: plain.n, ..winsorised.periods[number].sums(code, column) };
                    let key = ArmKey { quantity, ..key.clone() };
                    add_grid_by_state(&key, &states, with_zeros(of_winsorised.remove(&(code, column)), plain.n), out);
                    self.add_earlier(period, group, &key, &states, &sums, out)?;
                    add_by_state(key, &states, summed.by_state, &sums, out)?;
                }
                if summed.counted_grid().is_some() {
                    add_grid_by_state(&key, &states, with_zeros(grids.remove(&(code, index)), plain.n), out);
                }
                self.add_earlier(period, group, &key, &states, &plain, out)?;
                add_by_state(key, &states, summed.by_state, &plain, out)?;
            }
        }
        Ok(())
    }

    /// Outcomes of customers by the cell in which they are and the one in which they were before the baseline.
    fn add_earlier(
        &self,
        period: usize,
        group: GroupKey,
        key: &ArmKey,
        states: &[(String, String)],
        sums: &Sums,
        out: &mut ArmSums,
    ) -> Result<()> {
        let (Quantity::Outcome(outcome), Some(earlier)) = (&key.quantity, self.earlier_cell(period, group.cell)) else {
            return Ok(());
        };
        let end = |cell: String| PairEnd { period: key.period, cell, arm: key.arm.clone() };
        let pair = PairKey {
            strategy: key.strategy.clone(),
            phase: key.phase,
            scheme: ALL.into(),
            state: ALL.into(),
            outcome: outcome.clone(),
            first: end(key.cell.clone()),
            second: end(earlier),
        };
        add_pair_by_state(pair, states, &PairSums::with_themselves(sums), out)
    }

    /// The periods of a strategy whose clusters were drawn.
    fn add_clusters(&self, sums: &PartialSums, out: &mut ArmSums) -> Result<()> {
        let periods = &sums.strategies[self.number].periods;
        let keys = &self.strategy.layout.keys;
        let states_of =
            |group: usize| (self.strategy.by.first().is_none_or(|by| group < by.names.len()), !self.strategy.by.is_empty());
        let units: Vec<Units> = periods.iter().map(|sums| Units::new(keys, sums, states_of)).collect();
        let mut found: HashMap<u64, u32> = HashMap::new();
        units.iter().flat_map(Units::clusters).for_each(|cluster| *found.entry(cluster).or_default() += 1);
        let recurs = |unit: Unit| Unit { sum: [i128::from(found.get(&unit.cluster) > Some(&1)), 0, 0, 0], ..unit };
        for (index, summed) in self.strategy.quantities.iter().enumerate() {
            let all: Vec<Vec<Unit>> =
                units.iter().zip(periods).map(|(units, sums)| units.of(|code| sums.sums(code, index))).collect();
            match (&summed.quantity, summed.outcome()) {
                (Quantity::Cost | Quantity::Contacts | Quantity::Contacted, _) => {
                    for (period, units) in self.strategy.periods.clone().zip(&units) {
                        let number = period - self.strategy.periods.start;
                        self.add_customers(period, summed, units, |code| periods[number].sums(code, index), out)?;
                    }
                }
                (Quantity::Recurs, _) => {
                    let all: Vec<Vec<Unit>> = all.into_iter().map(|units| units.into_iter().map(recurs).collect()).collect();
                    self.add_units(summed, &summed.quantity, &all, UnitNumbers::Ratio, out)?;
                }
                (quantity, outcome) => {
                    let is_ratio = outcome.is_some_and(|outcome| outcome.shape() == Shape::Ratio);
                    let numbers = if is_ratio { UnitNumbers::Ratio } else { UnitNumbers::PerCustomer };
                    self.add_units(summed, quantity, &all, numbers, out)?;
                    if let Some((winsorised, column, quantity)) = self.winsorised(index, summed) {
                        let of = |((units, plain), cut): ((&Units, &GroupedSums), &GroupedSums)| {
                            units.of(|code| Sums { n: plain.sums(code, index).n, ..cut.sums(code, column) })
                        };
                        let all: Vec<Vec<Unit>> = units.iter().zip(periods).zip(&winsorised.periods).map(of).collect();
                        self.add_units(summed, &quantity, &all, numbers, out)?;
                    }
                }
            }
        }
        let all: Vec<Vec<Unit>> = units.iter().zip(periods).map(|(units, sums)| units.of(|code| sums.sums(code, 0))).collect();
        let summed = SummedQuantity { phase: Phase::During, by_state: true, ..self.strategy.quantities[0].clone() };
        self.add_units(&summed, &Quantity::Customers, &all, UnitNumbers::Customers, out)
    }

    /// Scheme and state of the rows of units; none of a state that tables do not show.
    fn state_of_units(&self, state: usize, by_state: bool) -> Option<(String, String)> {
        match state.checked_sub(1) {
            None => Some((ALL.into(), ALL.into())),
            Some(group) => self.state(group).filter(|_| by_state),
        }
    }

    /// Adds the units of every period, and those that are in two.
    fn add_units(
        &self,
        summed: &SummedQuantity,
        quantity: &Quantity,
        units: &[Vec<Unit>],
        numbers: UnitNumbers,
        out: &mut ArmSums,
    ) -> Result<()> {
        for (period, units) in self.strategy.periods.clone().zip(units) {
            for RowSums { row, sums, grid } in row_sums(units, numbers)? {
                let Some((scheme, state)) = self.state_of_units(row.state, summed.by_state) else { continue };
                let key = ArmKey {
                    scheme,
                    state,
                    cell: self.cell_name(row.cell),
                    ..self.key(period, summed.phase, self.arm(row.arm), quantity.clone())
                };
                if quantity.grid_second(summed.phase).is_some() {
                    out.add_grid(key.clone(), &grid);
                }
                out.add(key, &sums)?;
            }
        }
        let Quantity::Outcome(outcome) = quantity else { return Ok(()) };
        for (second, later) in units.iter().enumerate() {
            for (first, earlier) in units.iter().enumerate().take(second) {
                for ((state, [a, b]), sums) in pair_sums(earlier, later, numbers)? {
                    let Some((scheme, state)) = self.state_of_units(state, summed.by_state) else { continue };
                    let end = |number: usize, (cell, arm): (u64, usize)| PairEnd {
                        period: self.plan.periods[self.strategy.periods.start + number].period,
                        cell: self.cell_name(cell),
                        arm: self.arm(arm),
                    };
                    let key = PairKey {
                        strategy: self.strategy.strategy.name.clone(),
                        phase: summed.phase,
                        scheme,
                        state,
                        outcome: outcome.clone(),
                        first: end(first, a),
                        second: end(second, b),
                    };
                    out.add_pair(key, &sums)?;
                }
            }
        }
        Ok(())
    }

    /// Adds what is counted by customer in spite of clusters.
    fn add_customers(
        &self,
        period: usize,
        summed: &SummedQuantity,
        units: &Units,
        sums: impl Fn(u128) -> Sums,
        out: &mut ArmSums,
    ) -> Result<()> {
        for (row, code) in units.groups() {
            let (own, state) = (sums(code), self.state_of_units(row.state, summed.by_state));
            if let Some((scheme, state)) = state.filter(|_| own.n > 0) {
                let (cell, arm) = (self.cell_name(row.cell), self.arm(row.arm));
                out.add(ArmKey { scheme, state, cell, ..self.key(period, summed.phase, arm, summed.quantity.clone()) }, &own)?;
            }
        }
        Ok(())
    }

    /// Customers of several arms, and those whom the overlap policy excludes.
    fn add_excluded(&self, period: usize, sums: &PartialSums, out: &mut ArmSums) -> Result<()> {
        let counts = &self.plan.assignments[self.number].periods[period - self.strategy.periods.start];
        let by_arm = counts.in_several_arms.iter().zip(&sums.exclusions[period].excluded_by_arm);
        for (arm, (in_several_arms, overlapping)) in self.strategy.arms.iter().zip(by_arm) {
            let excluded = Sums { n: (in_several_arms + overlapping) as i64, ..Sums::default() };
            if excluded.n > 0 {
                out.add(self.key(period, Phase::During, arm.clone(), Quantity::Excluded), &excluded)?;
            }
        }
        Ok(())
    }

    /// Customers whom other strategies treat, too.
    fn add_treated_elsewhere(&self, period: usize, sums: &PartialSums, out: &mut ArmSums) -> Result<()> {
        let counts = &sums.exclusions[period];
        for (other, by_arm) in counts.elsewhere() {
            for (at, since) in [Since::Before, Since::After].into_iter().enumerate() {
                let rows = self.strategy.arms.iter().zip(&counts.retained_by_arm).zip(by_arm);
                for ((arm, n), treated) in rows.filter(|((_, n), _)| **n > 0 && by_arm.iter().any(|counts| counts[at] > 0)) {
                    let mut sums = Sums { n: *n as i64, ..Sums::default() };
                    (sums.sum[Y], sums.product[0]) = (treated[at].into(), treated[at].into());
                    let quantity =
                        Quantity::TreatedElsewhere { strategy: self.plan.strategies[other].strategy.name.clone(), since };
                    out.add(self.key(period, Phase::During, arm.clone(), quantity), &sums)?;
                }
            }
        }
        Ok(())
    }

    /// Customers beside whom a strategy without a control is described.
    fn add_reference(&self, period: usize, sums: &PartialSums, out: &mut ArmSums) -> Result<()> {
        for code in sums.reference[period].keys() {
            let total = || vec![(String::from(ALL), String::from(ALL))];
            let (arm, states) = match code.checked_sub(unassigned_key(0).into()) {
                None => (EVERYBODY, total()),
                Some(group) => (UNASSIGNED, self.shown_states(group as usize)),
            };
            for (index, planned) in self.strategy.described_outcomes().enumerate() {
                let quantity = Quantity::Outcome(planned.outcome.clone());
                let key = self.key(period, Phase::Reference, arm.into(), quantity);
                add_by_state(key, &states, true, &sums.reference[period].sums(code, index), out)?;
            }
        }
        Ok(())
    }

    /// Customers who are in two periods.
    fn add_pairs(&self, sums: &PartialSums, out: &mut ArmSums) -> Result<()> {
        let pairs = &sums.strategies[self.number].pairs;
        for code in pairs.keys() {
            let (first, second, group) = self.strategy.layout.keys.decode_pair(code);
            let states = match group {
                Some(group) => self.shown_states(group),
                None => vec![(ALL.into(), ALL.into())],
            };
            for (index, summed) in self.strategy.quantities.iter().enumerate() {
                let Some(outcome) = summed.outcome() else { continue };
                let key = |outcome: &Outcome| PairKey {
                    strategy: self.strategy.strategy.name.clone(),
                    phase: summed.phase,
                    scheme: ALL.into(),
                    state: ALL.into(),
                    outcome: outcome.clone(),
                    first: self.pair_end(first),
                    second: self.pair_end(second),
                };
                let plain = pairs.pair_sums(code, index);
                add_pair_by_state(key(outcome), &states, &plain, out)?;
                if let Some((winsorised, column, Quantity::Outcome(outcome))) = self.winsorised(index, summed) {
                    let sums = PairSums { n: plain.n, ..winsorised.pairs.pair_sums(code, column) };
                    add_pair_by_state(key(&outcome), &states, &sums, out)?;
                }
            }
        }
        Ok(())
    }

    /// One end of a pair, given by the position of the period in the strategy.
    fn pair_end(&self, (list, group): (usize, GroupKey)) -> PairEnd {
        let period = &self.plan.periods[self.strategy.periods.start + list];
        PairEnd { period: period.period, cell: self.cell(group.cell), arm: self.arm(group.arm) }
    }

    /// The winsorised sums of the quantity with an index, their column, and their name.
    fn winsorised(&self, index: usize, summed: &SummedQuantity) -> Option<(&StrategySums, usize, Quantity)> {
        let sums = self.winsorised.as_ref()?;
        let column = self.strategy.winsorised.iter().position(|winsorised| *winsorised == index)?;
        Some((sums, column, winsorise::quantity(&summed.quantity)?))
    }
}

/// Adds sums of all states, and those of the state if tables show the quantity by state.
fn add_by_state(key: ArmKey, states: &[(String, String)], by_state: bool, sums: &Sums, out: &mut ArmSums) -> Result<()> {
    if sums.n == 0 {
        return Ok(());
    }
    for (scheme, state) in states.iter().filter(|(scheme, _)| by_state || scheme == ALL) {
        out.add(ArmKey { scheme: scheme.clone(), state: state.clone(), ..key.clone() }, sums)?;
    }
    Ok(())
}

/// The grid of `n` customers, of whom those without zeros are counted.
fn with_zeros(counted: Option<JointGrid>, n: i64) -> JointGrid {
    let mut grid = counted.unwrap_or_default();
    let zeros = n - grid.cells().map(|cell| cell.count).sum::<i64>();
    grid.add((0, 0), GridCell { count: zeros, ..GridCell::default() });
    grid
}

/// Adds the grid of an outcome, which tables show by state.
fn add_grid_by_state(key: &ArmKey, states: &[(String, String)], grid: JointGrid, out: &mut ArmSums) {
    for (scheme, state) in states {
        out.add_grid(ArmKey { scheme: scheme.clone(), state: state.clone(), ..key.clone() }, &grid);
    }
}

fn add_pair_by_state(key: PairKey, states: &[(String, String)], sums: &PairSums, out: &mut ArmSums) -> Result<()> {
    for (scheme, state) in states {
        out.add_pair(PairKey { scheme: scheme.clone(), state: state.clone(), ..key.clone() }, sums)?;
    }
    Ok(())
}
