//! The input: exact sums and grids per strategy, period, phase, state, cell, arm and quantity, and sums per pair of periods for
//! customers who are in both. Everything adds, so engines may fill it in any order and in parts.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::settings::{StrategyPeriod, StrategySettings};
pub use crate::domain::ALL;
use crate::domain::{Outcome, Period, STRATUM};
use crate::error::Result;
use crate::stats::{GridSecond, JointGrid, PairSums, Shape, Sums, Y};

/// The arm in [`Phase::Reference`] whose rows are of all customers.
pub const EVERYBODY: &str = "(everybody)";

/// The arm there whose rows are of customers who are not assigned in the period.
pub const UNASSIGNED: &str = "(not assigned)";

/// Which days a row's outcomes are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// From each customer's assigned_on, as long as the treatment counts.
    During,
    /// As many days after that.
    After,
    /// Both, each customer's sum: what a verdict uses when the job asks for `after`.
    Both,
    /// Not a strategy's customers: everybody known before the baseline, arm [`EVERYBODY`], y in the baseline and x in the
    /// period before it; and who is listed on the day before the period and not assigned, arm [`UNASSIGNED`], y in the days of the
    /// outcomes of who is assigned first and x in the baseline.
    Reference,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::During => "during",
            Phase::After => "after",
            Phase::Both => "during_and_after",
            Phase::Reference => "reference",
        })
    }
}

/// When another treatment began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Since {
    /// On the day of the own assignment or before.
    Before,
    /// On a day after it.
    After,
}

/// What the sums of a row are of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// An outcome: y with its baseline x, and for a ratio the denominators d and e. Customers in two arms of the period
    /// are left out.
    Outcome(Outcome),
    /// y is what the assignment table says the customer's treatment cost, minor units. Rows for every state and cell.
    Cost,
    /// y is how often the assignment table says the customer was contacted. Rows for every state and cell.
    Contacts,
    /// y is 1 if the assignment table says that the customer was contacted, else 0. Phase `during`, (all) states, every cell.
    Contacted,
    /// y is 1 if the customer was treated inside the baseline (by an earlier period's assignment), else 0. Phase `during`,
    /// (all) states, every cell.
    TreatedInBaseline,
    /// y is 1 if the customer is assigned in another period of the strategy too, else 0. Phase `during`, every state.
    Recurs,
    /// n counts customers of the arm who were left out because they are in another arm of the period too. Phase `during`,
    /// (all) states, cell (all).
    Excluded,
    /// y is how many customers a cluster has. Phase `during`, every state and cell; only where clusters were drawn, which are then
    /// what n counts.
    Customers,
    /// y is 1 if another strategy treats the customer on days of the own treatment, else 0. Phase `during`, (all) states, cell (all).
    TreatedElsewhere {
        /// The other strategy's name.
        strategy: String,
        /// When it began.
        since: Since,
    },
    /// y is a number known before the first assignment, for the balance table. Phase `during`, every state and cell.
    Covariate {
        /// The measure's name.
        name: String,
        /// Its digits behind the point.
        scale: u32,
    },
}

impl Quantity {
    /// Whether every customer's outcome is 0 or 1, now and in the baseline, so that the grid follows from the sums. Over both
    /// phases an outcome is added up and can be 2.
    pub fn is_binary(&self, phase: Phase) -> bool {
        match self {
            Quantity::Outcome(
                Outcome::Converted | Outcome::Retained | Outcome::MovedUp(_) | Outcome::MovedDown(_) | Outcome::AnyEvent(_),
            ) => phase != Phase::Both,
            _ => false,
        }
    }

    /// What the second numbers of its grid are; `None` if it has no grid: it is no outcome, or one of the reference.
    pub fn grid_second(&self, phase: Phase) -> Option<GridSecond> {
        match self {
            Quantity::Outcome(_) if phase == Phase::Reference => None,
            Quantity::Outcome(outcome) if outcome.shape() == Shape::Ratio => Some(GridSecond::Denominator),
            Quantity::Outcome(_) => Some(GridSecond::Baseline),
            _ => None,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quantity::Outcome(outcome) => outcome.fmt(f),
            Quantity::Cost => f.write_str("(cost)"),
            Quantity::Contacts => f.write_str("(contacts)"),
            Quantity::Contacted => f.write_str("(contacted)"),
            Quantity::TreatedInBaseline => f.write_str("(treated in baseline)"),
            Quantity::Recurs => f.write_str("(recurs)"),
            Quantity::Excluded => f.write_str("(excluded)"),
            Quantity::Customers => f.write_str("(customers)"),
            Quantity::TreatedElsewhere { strategy, since: Since::Before } => write!(f, "(treated before by {strategy})"),
            Quantity::TreatedElsewhere { strategy, since: Since::After } => write!(f, "(treated after by {strategy})"),
            Quantity::Covariate { name, .. } => f.write_str(name),
        }
    }
}

/// What a row of sums belongs to.
///
/// `scheme` and `state` are (all) in total rows; for every scheme its states' rows add up to them. `cell` is the stratum
/// of a randomised strategy, the matching cell of a matched one, else (all).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArmKey {
    /// The strategy's name.
    pub strategy: String,
    /// The period that holds assigned_on.
    pub period: Period,
    /// The days of the outcome.
    pub phase: Phase,
    /// A scheme of the strategy's `by`, or (all).
    pub scheme: String,
    /// The customer's state on the day before the period, or (all).
    pub state: String,
    /// Stratum, matching cell, or (all).
    pub cell: String,
    /// The arm.
    pub arm: String,
    /// What was summed.
    pub quantity: Quantity,
}

/// One end of a pair row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairEnd {
    /// The period.
    pub period: Period,
    /// The customer's cell in it.
    pub cell: String,
    /// The customer's arm in it.
    pub arm: String,
}

/// What a pair row belongs to: customers who are, in the same state of the scheme, in two periods of a strategy. Where both are one
/// period, the second end has the cell in which the customers of a matched strategy were on the day before the baseline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairKey {
    /// The strategy's name.
    pub strategy: String,
    /// The days of the outcome.
    pub phase: Phase,
    /// A scheme, or (all).
    pub scheme: String,
    /// The state, or (all).
    pub state: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The earlier period.
    pub first: PairEnd,
    /// The later period.
    pub second: PairEnd,
}

/// All sums of a job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ArmSums {
    rows: BTreeMap<ArmKey, Sums>,
    grids: BTreeMap<ArmKey, JointGrid>,
    pairs: BTreeMap<PairKey, PairSums>,
}

impl ArmSums {
    /// Adds sums to a row.
    ///
    /// # Errors
    /// Exit 3 if a sum leaves 128 bits.
    pub fn add(&mut self, key: ArmKey, sums: &Sums) -> Result<()> {
        self.rows.entry(key).or_default().add(sums)
    }

    /// Adds customers to the grid of an outcome that is not [binary](Quantity::is_binary).
    pub fn add_grid(&mut self, key: ArmKey, grid: &JointGrid) {
        match self.grids.entry(key) {
            Entry::Vacant(entry) => drop(entry.insert(grid.clone())),
            Entry::Occupied(mut entry) => entry.get_mut().merge(grid),
        }
    }

    /// Adds sums to a pair row.
    ///
    /// # Errors
    /// Exit 3 if a sum leaves 128 bits.
    pub fn add_pair(&mut self, key: PairKey, sums: &PairSums) -> Result<()> {
        self.pairs.entry(key).or_default().add(sums)
    }

    /// Adds what another part of the engine has summed.
    ///
    /// # Errors
    /// Exit 3 if a sum leaves 128 bits.
    pub fn merge(&mut self, other: ArmSums) -> Result<()> {
        other.rows.into_iter().try_for_each(|(key, sums)| self.add(key, &sums))?;
        for (key, grid) in other.grids {
            match self.grids.entry(key) {
                Entry::Vacant(entry) => drop(entry.insert(grid)),
                Entry::Occupied(mut entry) => entry.get_mut().merge(&grid),
            }
        }
        other.pairs.into_iter().try_for_each(|(key, sums)| self.add_pair(key, &sums))
    }

    /// The strategies whose clusters were drawn: n counts clusters, and grids have their numbers themselves and denominators.
    pub fn clustered(&self) -> BTreeSet<&str> {
        let customers = self.rows.keys().filter(|key| key.quantity == Quantity::Customers);
        customers.map(|key| key.strategy.as_str()).collect()
    }

    /// The rows of table `arms`, sorted.
    pub fn rows(&self) -> impl Iterator<Item = (&ArmKey, &Sums)> {
        self.rows.iter()
    }

    /// The grids of outcomes that are not binary, sorted.
    pub fn grids(&self) -> impl Iterator<Item = (&ArmKey, &JointGrid)> {
        self.grids.iter()
    }

    /// The pair rows of table `arms`, sorted.
    pub fn pairs(&self) -> impl Iterator<Item = (&PairKey, &PairSums)> {
        self.pairs.iter()
    }
}

/// A scheme and a state, or (all) twice.
pub(super) type Group<'a> = (&'a str, &'a str);

/// The total row.
pub(super) const TOTAL: Group<'static> = (ALL, ALL);

/// Sums per cell and arm.
pub(super) type CellSums<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Sums>>;

/// Grids per cell and arm.
pub(super) type CellGrids<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Cow<'a, JointGrid>>>;

/// Customers of an arm by the cell in which they are, and the one in which they were before the baseline.
#[derive(Debug, Clone, Copy)]
pub(super) struct EarlierRow<'a> {
    pub cell: &'a str,
    pub earlier: &'a str,
    pub arm: &'a str,
    /// Of their numbers, held against the same numbers.
    pub sums: &'a PairSums,
}

/// The rows and grids of one strategy, period and phase.
#[derive(Debug, Default)]
pub(super) struct PeriodSums<'a> {
    earlier: BTreeMap<(Group<'a>, &'a Outcome), Vec<EarlierRow<'a>>>,
    groups: BTreeMap<Group<'a>, BTreeMap<&'a Quantity, CellSums<'a>>>,
    grids: BTreeMap<Group<'a>, BTreeMap<&'a Quantity, CellGrids<'a>>>,
}

impl<'a> PeriodSums<'a> {
    /// The sums of a quantity, if there are any.
    pub fn table(&self, group: Group<'a>, quantity: &Quantity) -> Option<&CellSums<'a>> {
        self.groups.get(&group)?.get(quantity)
    }

    /// The grids of an outcome, if there are any.
    pub fn grids(&self, group: Group<'a>, quantity: &Quantity) -> Option<&CellGrids<'a>> {
        self.grids.get(&group)?.get(quantity)
    }

    /// The customers of an outcome by cell and earlier cell; none if the latter are not known.
    pub fn earlier(&self, group: Group<'a>, outcome: &'a Outcome) -> &[EarlierRow<'a>] {
        self.earlier.get(&(group, outcome)).map_or(&[], Vec::as_slice)
    }

    /// An arm's sums over all cells.
    pub fn arm(&self, group: Group<'a>, quantity: &Quantity, arm: &str) -> Result<Sums> {
        let mut total = Sums::default();
        for sums in self.table(group, quantity).into_iter().flat_map(|t| t.values()).filter_map(|arms| arms.get(arm)) {
            total.add(sums)?;
        }
        Ok(total)
    }

    /// How many customers of an arm the rows of an outcome have, in some cells or in all of them.
    pub fn customers(&self, group: Group<'a>, outcome: &Quantity, arm: &str, cells: Option<&[&str]>) -> i64 {
        let of_clusters = self.table(group, &Quantity::Customers);
        let rows = of_clusters.or_else(|| self.table(group, outcome)).into_iter().flatten();
        let rows = rows.filter(|(cell, _)| cells.is_none_or(|cells| cells.contains(*cell)));
        let rows = rows.filter_map(|(_, arms)| arms.get(arm));
        let count = |sums: &&Sums| if of_clusters.is_some() { sums.sum[Y] as i64 } else { sums.n };
        rows.map(count).sum()
    }

    fn add_grid(&mut self, key: &'a ArmKey, grid: Cow<'a, JointGrid>) {
        let quantities = self.grids.entry((&key.scheme, &key.state)).or_default();
        quantities.entry(&key.quantity).or_default().entry(&key.cell).or_default().insert(&key.arm, grid);
    }

    /// Makes groups of the strata: each has the cells of the total row that lie in it.
    fn group_by_stratum(&mut self, period: &'a StrategyPeriod) {
        let is_state = self.groups.keys().any(|(scheme, _)| *scheme == STRATUM);
        let stratum = |cell: &'a str| Some(period.assigned_on.stratum(cell)).filter(|name| *name != ALL && !is_state);
        for (quantity, table) in self.groups.get(&TOTAL).cloned().into_iter().flatten() {
            for (cell, arms) in table {
                let Some(stratum) = stratum(cell) else { continue };
                self.groups.entry((STRATUM, stratum)).or_default().entry(quantity).or_default().insert(cell, arms);
            }
        }
        for (quantity, table) in self.grids.get(&TOTAL).cloned().into_iter().flatten() {
            for (cell, arms) in table {
                let Some(stratum) = stratum(cell) else { continue };
                self.grids.entry((STRATUM, stratum)).or_default().entry(quantity).or_default().insert(cell, arms);
            }
        }
    }

    /// The states of these schemes, in their order, after the total.
    pub fn groups(&self, schemes: &'a [String]) -> Vec<Group<'a>> {
        let of = |scheme: &'a String| self.groups.keys().filter(move |(s, _)| s == scheme).copied();
        std::iter::once((ALL, ALL)).chain(schemes.iter().flat_map(of)).collect()
    }

    /// What the total row has sums of.
    pub fn quantities(&self) -> impl Iterator<Item = &'a Quantity> {
        self.groups.get(&TOTAL).into_iter().flat_map(|quantities| quantities.keys().copied())
    }

    /// The covariates of the balance table.
    pub fn covariates(&self) -> Vec<&'a Quantity> {
        self.quantities().filter(|q| matches!(q, Quantity::Covariate { .. })).collect()
    }

    /// All arms of the total row's outcomes and of excluded customers, sorted.
    pub fn arms(&self) -> Vec<&'a str> {
        let outcomes = self.groups.get(&(ALL, ALL)).into_iter().flatten();
        let is_shown = |quantity: &Quantity| matches!(quantity, Quantity::Outcome(_) | Quantity::Excluded);
        let tables = outcomes.filter(|(quantity, _)| is_shown(quantity)).map(|(_, table)| table);
        let mut arms: Vec<&str> = tables.flat_map(|t| t.values()).flat_map(|arms| arms.keys().copied()).collect();
        arms.sort_unstable();
        arms.dedup();
        arms
    }
}

/// Sums by what evaluation asks for.
#[derive(Debug, Default)]
pub(super) struct ArmSumsIndex<'a> {
    slices: BTreeMap<(&'a str, Period, Phase), PeriodSums<'a>>,
    empty: PeriodSums<'a>,
}

impl<'a> ArmSumsIndex<'a> {
    /// The index of all sums. `check` is called whenever the sums of another strategy are in it, with two steps for each of its
    /// periods.
    ///
    /// # Errors
    /// Those of the check.
    pub fn new(
        strategies: &'a [StrategySettings],
        arms: &'a ArmSums,
        check: &dyn Fn(usize) -> Result<()>,
    ) -> Result<ArmSumsIndex<'a>> {
        let mut index = ArmSumsIndex::default();
        let periods: HashMap<&str, usize> = strategies.iter().map(|each| (each.name.as_str(), each.periods.len())).collect();
        let check_of = |strategy: &str| check(2 * periods.get(strategy).copied().unwrap_or(0));
        let mut last = None;
        let clustered = arms.clustered();
        for (key, sums) in &arms.rows {
            if let Some(before) = last.replace(key.strategy.as_str()).filter(|before| *before != key.strategy) {
                check_of(before)?;
            }
            let slice = index.slices.entry((&key.strategy, key.period, key.phase)).or_default();
            let table = slice.groups.entry((&key.scheme, &key.state)).or_default().entry(&key.quantity).or_default();
            table.entry(&key.cell).or_default().insert(&key.arm, sums);
            let is_binary = key.quantity.is_binary(key.phase) && !clustered.contains(key.strategy.as_str());
            if is_binary && key.quantity.grid_second(key.phase).is_some() {
                slice.add_grid(key, Cow::Owned(JointGrid::of_binary(sums)));
            }
        }
        last.map_or(Ok(()), check_of)?;
        for (key, grid) in &arms.grids {
            let slice = index.slices.entry((&key.strategy, key.period, key.phase)).or_default();
            slice.add_grid(key, Cow::Borrowed(grid));
        }
        for (key, sums) in arms.pairs.iter().filter(|(key, _)| key.first.period == key.second.period) {
            let slice = index.slices.entry((&key.strategy, key.first.period, key.phase)).or_default();
            let row = EarlierRow { cell: &key.first.cell, earlier: &key.second.cell, arm: &key.first.arm, sums };
            slice.earlier.entry(((&key.scheme, &key.state), &key.outcome)).or_default().push(row);
        }
        for strategy in strategies.iter().filter(|strategy| strategy.by.iter().any(|by| by == STRATUM)) {
            for period in &strategy.periods {
                let of_period = index.slices.iter_mut().filter(|(key, _)| (key.0, key.1) == (&*strategy.name, period.period));
                of_period.for_each(|(_, slice)| slice.group_by_stratum(period));
            }
        }
        check(0)?;
        Ok(index)
    }

    /// The rows of a strategy, period and phase; empty if there are none.
    pub fn slice(&self, strategy: &'a str, period: Period, phase: Phase) -> &PeriodSums<'a> {
        self.slices.get(&(strategy, period, phase)).unwrap_or(&self.empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Day;
    use crate::stats::GridCell;

    fn key(phase: Phase, arm: &str, outcome: Outcome) -> ArmKey {
        ArmKey {
            strategy: "mail".into(),
            period: Period { start: Day(0), end: Day(90) },
            phase,
            scheme: ALL.into(),
            state: ALL.into(),
            cell: "north".into(),
            arm: arm.into(),
            quantity: Quantity::Outcome(outcome),
        }
    }

    /// The cells of the grid that the index has for an arm: count, and sums of both numbers.
    fn cells(arms: &ArmSums, phase: Phase, outcome: Outcome, arm: &str) -> Option<Vec<[i128; 3]>> {
        let index = ArmSumsIndex::new(&[], arms, &|_| Ok(())).ok()?;
        let grids = index.slice("mail", Period { start: Day(0), end: Day(90) }, phase);
        let grid = grids.grids((ALL, ALL), &Quantity::Outcome(outcome))?.get("north")?.get(arm)?;
        Some(grid.cells().map(|cell| [cell.count.into(), cell.first, cell.second]).collect())
    }

    /// Grids come in parts and merge; those of a binary outcome follow from its sums, but not over both phases.
    #[test]
    fn the_index_has_grids_of_all_outcomes() -> Result<()> {
        let part = |spent: i128| {
            let mut arms = ArmSums::default();
            let mut grid = JointGrid::default();
            grid.add((0, 0), GridCell { count: 5, first: 0, second: 0 });
            grid.add((31, 4), GridCell { count: 1, first: spent, second: 4 });
            arms.add_grid(key(Phase::During, "mail", Outcome::Revenue), &grid);
            let mut sums = Sums::default();
            for customer in [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]] {
                sums.observe(customer)?;
            }
            for phase in [Phase::During, Phase::Both, Phase::Reference] {
                arms.add(key(phase, "mail", Outcome::Converted), &sums)?;
            }
            Ok::<ArmSums, crate::error::Error>(arms)
        };
        let mut arms = part(64)?;
        arms.merge(part(67)?)?;
        assert_eq!(cells(&arms, Phase::During, Outcome::Revenue, "mail"), Some(vec![[10, 0, 0], [2, 131, 8]]));
        assert_eq!(cells(&arms, Phase::During, Outcome::Revenue, "control"), None);
        assert_eq!(cells(&arms, Phase::During, Outcome::Converted, "mail"), Some(vec![[2, 0, 0], [2, 0, 2], [2, 2, 2]]));
        assert_eq!(cells(&arms, Phase::Both, Outcome::Converted, "mail"), None);
        assert_eq!(cells(&arms, Phase::Reference, Outcome::Converted, "mail"), None);
        Ok(())
    }
}
