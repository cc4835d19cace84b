//! Which assignments a reader asks for.

use super::further::MOST_COLUMNS;
use crate::domain::{Design, IdType, Period, format_money};
use crate::input::orders::columns::OrderColumns;
use crate::input::zone::Zone;
use crate::job::Strategy;
use crate::job::strategy::GroupBy;

/// Which assignments to read, and what they must match.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// How errors call what is read: `strategy "mail"`, `--avoid`.
    pub whose: String,
    /// The strategy whose rows count in tables with a `strategy` column; none takes all rows.
    pub strategy: Option<&'a str>,
    /// The arms there can be; empty takes every arm that is found.
    pub arms: Vec<&'a str>,
    /// An arm that must be there.
    pub control: Option<&'a str>,
    /// The column of clusters, which is then no stratum; none if there are no clusters.
    pub cluster: Option<&'a str>,
    /// Columns by whose values effects are shown; who has none is in a group of its own.
    pub by: Vec<&'a str>,
    /// The periods in which further columns are looked at for values that lie in one arm each; none if clusters are named.
    pub periods: &'a [Period],
    /// The type of the orders' customer ids.
    pub id: IdType,
    /// Digits behind the point of the money.
    pub scale: u32,
    /// Whose calendar days count in timestamps.
    pub zone: &'a Zone,
    /// Zone of naive timestamps, if it is another.
    pub naive_zone: Option<&'a Zone>,
    /// How many parts the rows are split into, by the hash of their customer: a power of two.
    pub parts: usize,
}

impl<'a> Request<'a> {
    /// The request of a strategy of the job, whose orders have these columns and this money scale.
    pub fn of(strategy: &'a Strategy, orders: &'a OrderColumns, scale: u32, parts: usize) -> Request<'a> {
        Request {
            whose: format!("strategy {:?}", strategy.name),
            strategy: Some(&strategy.name),
            arms: strategy.arms.iter().map(|arm| arm.name.as_str()).collect(),
            control: strategy.control.as_deref(),
            cluster: strategy.cluster.as_deref(),
            by: strategy.by.iter().filter_map(GroupBy::column).collect(),
            periods: if strategy.design == Design::Randomised && strategy.cluster.is_none() { &strategy.periods } else { &[] },
            id: orders.id,
            scale,
            zone: &orders.zone,
            naive_zone: orders.naive_zone.as_ref(),
            parts,
        }
    }

    /// The columns that may have the strata, the first that is there does. A state is one of a customer, so it is no stratum in
    /// which clusters were drawn.
    pub(super) fn strata(&self) -> impl Iterator<Item = &'static str> {
        let columns: &[&str] = if self.cluster.is_some() { &["stratum"] } else { &["stratum", "state"] };
        columns.iter().copied().filter(|column| self.cluster != Some(*column))
    }

    /// The further columns among these that are looked at.
    pub(super) fn further<'c>(&self, columns: impl Iterator<Item = &'c str>) -> Vec<String> {
        const READ: [&str; 9] =
            ["customer_id", "arm", "assigned_on", "strategy", "stratum", "state", "cost", "contacts", "ended_on"];
        let most = if self.periods.is_empty() { 0 } else { MOST_COLUMNS };
        columns.filter(|column| !READ.contains(column)).take(most).map(str::to_owned).collect()
    }

    /// What an error says of a missing column of clusters, after the columns that are there.
    pub(super) fn without_cluster(&self) -> String {
        format!("cluster of {} names it, so add the column, or correct or remove cluster", self.whose)
    }

    /// The part of a customer with this hash.
    pub(super) fn part_of(&self, hash: u64) -> usize {
        hash.checked_shr(u64::BITS - self.parts.trailing_zeros()).unwrap_or(0) as usize
    }
}

/// The error text for a cost below zero, in minor units.
pub(super) fn negative_cost(cost: i64, scale: u32) -> String {
    let cost = format_money(cost.into(), scale);
    format!("cost is {cost}; expected 0 or more: what a treatment brings is in the orders, not in its cost")
}
