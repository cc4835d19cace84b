//! Clusters as units: what the customers of each did together, and the sums over clusters that follow.
//!
//! Where stores were drawn, a store is what a customer is elsewhere. Its numbers are sums over its customers, and how many
//! customers these are: an outcome per customer is then the ratio of both, and n counts stores.

use std::collections::{BTreeMap, HashMap};

use super::layout::KeyLayout;
use crate::error::{Error, Result};
use crate::stats::{D, GridCell, JointGrid, PairSums, Sums, VALUES, Y};
use crate::sums::GroupedSums;

/// Sums of products are below this: they have 38 digits.
const TOO_LARGE: u128 = 10u128.pow(38);

/// Which row of a period a cluster counts in: state, cell and arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitRow {
    /// 0 over all states, else 1 more than the group.
    pub state: usize,
    pub cell: u64,
    pub arm: usize,
}

/// The customers of a cluster in one row of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    pub row: UnitRow,
    pub cluster: u64,
    /// How many customers have the numbers.
    pub customers: i64,
    /// The sums of these.
    pub sum: [i128; VALUES],
}

/// The groups of a period, sorted by row and cluster.
pub struct Units {
    groups: Vec<(UnitRow, u64, u128)>,
}

impl Units {
    /// The units of a period's sums. `states_of` says whether a group counts over all states, and whether it has a state.
    pub fn new(keys: &KeyLayout, sums: &GroupedSums, states_of: impl Fn(usize) -> (bool, bool)) -> Units {
        let mut groups = Vec::new();
        for code in sums.keys() {
            let key = keys.decode(code);
            let (cell, cluster) = keys.cell_and_cluster(key.cell);
            let (is_of_all, has_state) = states_of(key.group);
            let row = |state: usize| (UnitRow { state, cell, arm: key.arm }, cluster, code);
            groups.extend(is_of_all.then(|| row(0)));
            groups.extend(has_state.then(|| row(key.group + 1)));
        }
        groups.sort_unstable();
        Units { groups }
    }

    /// The row and the key of every group.
    pub fn groups(&self) -> impl Iterator<Item = (UnitRow, u128)> {
        self.groups.iter().map(|(row, _, code)| (*row, *code))
    }

    /// The clusters that have customers.
    pub fn clusters(&self) -> impl Iterator<Item = u64> {
        let mut clusters: Vec<u64> = self.groups.iter().map(|(_, cluster, _)| *cluster).collect();
        clusters.sort_unstable();
        clusters.dedup();
        clusters.into_iter()
    }

    /// The units with what `sums` has of their groups, sorted by row and cluster.
    pub fn of(&self, sums: impl Fn(u128) -> Sums) -> Vec<Unit> {
        let of_unit = |groups: &[(UnitRow, u64, u128)]| {
            let (row, cluster, _) = *groups.first()?;
            let mut unit = Unit { row, cluster, customers: 0, sum: [0; VALUES] };
            for (.., code) in groups {
                let own = sums(*code);
                unit.customers += own.n;
                unit.sum.iter_mut().zip(own.sum).for_each(|(all, own)| *all += own);
            }
            Some(unit)
        };
        self.groups.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).filter_map(of_unit).collect()
    }
}

/// What a unit's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitNumbers {
    /// Sums per customer: their number is the denominator, also in the baseline.
    PerCustomer,
    /// The sums of a ratio with its denominators.
    Ratio,
    /// How many customers.
    Customers,
}

impl UnitNumbers {
    fn of(self, unit: &Unit) -> Option<[i64; VALUES]> {
        let [y, x, d, e] = unit.sum.map(|sum| i64::try_from(sum).ok());
        Some(match self {
            UnitNumbers::PerCustomer => [y?, x?, unit.customers, unit.customers],
            UnitNumbers::Ratio => [y?, x?, d?, e?],
            UnitNumbers::Customers => [unit.customers, 0, 0, 0],
        })
    }
}

/// The sums of the units of a row, and their grid of first numbers and denominators, each unit in the bin of its own numbers.
pub struct RowSums {
    pub row: UnitRow,
    pub sums: Sums,
    pub grid: JointGrid,
}

/// Sums units by row.
///
/// # Errors
/// Exit 3 if a sum leaves its digits.
pub fn row_sums(units: &[Unit], numbers: UnitNumbers) -> Result<Vec<RowSums>> {
    let mut rows = Vec::new();
    for units in units.chunk_by(|a, b| a.row == b.row) {
        let Some(first) = units.first() else { continue };
        let mut own = RowSums { row: first.row, sums: Sums::default(), grid: JointGrid::default() };
        let mut cells = Vec::with_capacity(units.len());
        // A cluster of which nothing is known, such as days since an order that there was not, is no unit.
        for unit in units.iter().filter(|unit| unit.customers > 0) {
            let values = numbers.of(unit).ok_or_else(too_large)?;
            own.sums.observe(values)?;
            let cell = GridCell { count: 1, first: values[Y].into(), second: values[D].into() };
            cells.push(((values[Y], values[D]), cell));
        }
        own.grid = cells.into_iter().collect();
        check(own.sums.product.iter().chain(&own.sums.sum))?;
        rows.push(own);
    }
    Ok(rows)
}

/// The rows of clusters that are in two periods: state, and cell and arm in each.
pub type PairRow = (usize, [(u64, usize); 2]);

/// Sums the clusters that are in two periods.
///
/// # Errors
/// Exit 3 if a sum leaves its digits.
pub fn pair_sums(first: &[Unit], second: &[Unit], numbers: UnitNumbers) -> Result<BTreeMap<PairRow, PairSums>> {
    let mut later: HashMap<(usize, u64), Vec<&Unit>, ahash::RandomState> = HashMap::default();
    for unit in second.iter().filter(|unit| unit.customers > 0) {
        later.entry((unit.row.state, unit.cluster)).or_default().push(unit);
    }
    let mut rows: BTreeMap<PairRow, PairSums> = BTreeMap::new();
    for unit in first.iter().filter(|unit| unit.customers > 0) {
        for other in later.get(&(unit.row.state, unit.cluster)).into_iter().flatten() {
            let ends = [unit, other].map(|unit| (unit.row.cell, unit.row.arm));
            let (a, b) = numbers.of(unit).zip(numbers.of(other)).ok_or_else(too_large)?;
            rows.entry((unit.row.state, ends)).or_default().observe(a, b)?;
        }
    }
    for sums in rows.values() {
        check(sums.product.iter().flatten())?;
    }
    Ok(rows)
}

fn check<'a>(mut sums: impl Iterator<Item = &'a i128>) -> Result<()> {
    if sums.all(|sum| sum.unsigned_abs() < TOO_LARGE) { Ok(()) } else { Err(too_large()) }
}

fn too_large() -> Error {
    Error::contract(
        "the sums of squares of an outcome over clusters leave 38 digits: the amounts are too large for orders.amount_scale; lower it, or look for a wrong amount",
    )
}
