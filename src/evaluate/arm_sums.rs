//! The input: exact sums per strategy, period, phase, state, cell, arm and quantity, and per pair of periods for customers
//! who are in both. Everything adds, so engines may fill it in any order and in parts.

use std::collections::BTreeMap;
use std::fmt;

pub use crate::domain::ALL;
use crate::domain::{Outcome, Period};
use crate::error::Result;
use crate::stats::{PairSums, Sums};

/// The arm in [`Phase::Reference`], whose rows are of all customers.
pub const EVERYBODY: &str = "(everybody)";

/// Which days a row's outcomes are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// From each customer's assigned_on, as long as the treatment counts.
    During,
    /// As many days after that.
    After,
    /// Both, each customer's sum: what a verdict uses when the job asks for `after`.
    Both,
    /// Not outcomes: the same customers in the period before the baseline, for the placebo of matched designs.
    Placebo,
    /// Not a strategy's customers: everybody known before the baseline, arm [`EVERYBODY`], y in the baseline and x in the
    /// period before it.
    Reference,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::During => "during",
            Phase::After => "after",
            Phase::Both => "during_and_after",
            Phase::Placebo => "placebo",
            Phase::Reference => "reference",
        })
    }
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
    /// y is 1 if the customer was treated inside the baseline (by an earlier period's assignment), else 0. Phase `during`,
    /// (all) states, every cell.
    TreatedInBaseline,
    /// y is 1 if the customer is assigned in another period of the strategy too, else 0. Phase `during`, every state.
    Recurs,
    /// n counts customers of the arm who were left out because they are in another arm of the period too. Phase `during`,
    /// (all) states, cell (all).
    Excluded,
    /// y is a number known before the first assignment, for the balance table. Phase `during`, every state and cell.
    Covariate {
        /// The measure's name.
        name: String,
        /// Its digits behind the point.
        scale: u32,
    },
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quantity::Outcome(outcome) => outcome.fmt(f),
            Quantity::Cost => f.write_str("(cost)"),
            Quantity::Contacts => f.write_str("(contacts)"),
            Quantity::TreatedInBaseline => f.write_str("(treated in baseline)"),
            Quantity::Recurs => f.write_str("(recurs)"),
            Quantity::Excluded => f.write_str("(excluded)"),
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

/// What a pair row belongs to: customers who are, in the same state of the scheme, in two periods of a strategy.
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
        other.pairs.into_iter().try_for_each(|(key, sums)| self.add_pair(key, &sums))
    }

    /// The rows of table `arms`, sorted.
    pub fn rows(&self) -> impl Iterator<Item = (&ArmKey, &Sums)> {
        self.rows.iter()
    }

    /// The pair rows of table `arms`, sorted.
    pub fn pairs(&self) -> impl Iterator<Item = (&PairKey, &PairSums)> {
        self.pairs.iter()
    }
}

/// A scheme and a state, or (all) twice.
pub(super) type Group<'a> = (&'a str, &'a str);

/// Sums per cell and arm.
pub(super) type CellSums<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Sums>>;

/// The rows of one strategy, period and phase.
#[derive(Debug, Default)]
pub(super) struct PeriodSums<'a> {
    groups: BTreeMap<Group<'a>, BTreeMap<&'a Quantity, CellSums<'a>>>,
}

impl<'a> PeriodSums<'a> {
    /// The sums of a quantity, if there are any.
    pub fn table(&self, group: Group<'a>, quantity: &Quantity) -> Option<&CellSums<'a>> {
        self.groups.get(&group)?.get(quantity)
    }

    /// An arm's sums over all cells.
    pub fn arm(&self, group: Group<'a>, quantity: &Quantity, arm: &str) -> Result<Sums> {
        let mut total = Sums::default();
        for sums in self.table(group, quantity).into_iter().flat_map(|t| t.values()).filter_map(|arms| arms.get(arm)) {
            total.add(sums)?;
        }
        Ok(total)
    }

    /// The states of these schemes, in their order, after the total.
    pub fn groups(&self, schemes: &'a [String]) -> Vec<Group<'a>> {
        let of = |scheme: &'a String| self.groups.keys().filter(move |(s, _)| s == scheme).copied();
        std::iter::once((ALL, ALL)).chain(schemes.iter().flat_map(of)).collect()
    }

    /// The covariates of the balance table.
    pub fn covariates(&self) -> Vec<&'a Quantity> {
        let all = self.groups.get(&(ALL, ALL)).into_iter().flat_map(|q| q.keys().copied());
        all.filter(|q| matches!(q, Quantity::Covariate { .. })).collect()
    }

    /// All arms of the total row's outcomes, sorted.
    pub fn arms(&self) -> Vec<&'a str> {
        let outcomes = self.groups.get(&(ALL, ALL)).into_iter().flatten();
        let tables = outcomes.filter(|(q, _)| matches!(q, Quantity::Outcome(_))).map(|(_, table)| table);
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
    pub fn new(arms: &'a ArmSums) -> ArmSumsIndex<'a> {
        let mut index = ArmSumsIndex::default();
        for (key, sums) in &arms.rows {
            let slice = index.slices.entry((&key.strategy, key.period, key.phase)).or_default();
            let table = slice.groups.entry((&key.scheme, &key.state)).or_default().entry(&key.quantity).or_default();
            table.entry(&key.cell).or_default().insert(&key.arm, sums);
        }
        index
    }

    /// The rows of a strategy, period and phase; empty if there are none.
    pub fn slice(&self, strategy: &'a str, period: Period, phase: Phase) -> &PeriodSums<'a> {
        self.slices.get(&(strategy, period, phase)).unwrap_or(&self.empty)
    }
}
