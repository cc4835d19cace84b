//! Where the clusters of a period were drawn to: arm, stratum and day of each.

use super::day_count::DayCount;
use crate::assign::{Assignments, RowSet};
use crate::domain::Day;

/// A cluster that has customers in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterDraw {
    /// The arm of its customers; of several the first.
    pub arm: u16,
    /// Whether they are in several arms.
    pub is_mixed: bool,
    /// The least stratum of its customers, 0 without strata.
    pub stratum: u32,
    /// The greatest.
    pub last_stratum: u32,
    /// The first day on which one of them is assigned.
    pub first_day: Day,
}

impl ClusterDraw {
    fn of(table: &Assignments, row: usize) -> ClusterDraw {
        let stratum = table.stratum.as_ref().map_or(0, |strata| strata[row]);
        ClusterDraw { arm: table.arm(row), is_mixed: false, stratum, last_stratum: stratum, first_day: table.day(row) }
    }

    /// The draw of these customers and others.
    fn with(self, other: ClusterDraw) -> ClusterDraw {
        ClusterDraw {
            arm: self.arm.min(other.arm),
            is_mixed: self.is_mixed || other.is_mixed || self.arm != other.arm,
            stratum: self.stratum.min(other.stratum),
            last_stratum: self.last_stratum.max(other.last_stratum),
            first_day: self.first_day.min(other.first_day),
        }
    }
}

/// The draws of a period by number of the cluster; none of clusters that have no customers in it.
pub type ClusterDraws = Vec<Option<ClusterDraw>>;

/// The draws of these many clusters, by the rows of every part that count in a period.
pub fn cluster_draws<'a>(parts: impl Iterator<Item = (&'a Assignments, &'a RowSet)>, clusters: usize) -> ClusterDraws {
    let mut draws: ClusterDraws = vec![None; clusters];
    for (table, rows) in parts {
        let Some(numbers) = &table.cluster else { continue };
        for row in rows.iter().map(|row| row as usize) {
            let (draw, own) = (&mut draws[numbers[row] as usize], ClusterDraw::of(table, row));
            *draw = Some(draw.map_or(own, |known| known.with(own)));
        }
    }
    draws
}

/// The clusters by stratum, first day and arm.
pub fn cluster_days(draws: &ClusterDraws) -> Vec<DayCount> {
    let one = |draw: &ClusterDraw| DayCount { stratum: draw.stratum, day: draw.first_day, arm: draw.arm, customers: 1 };
    let mut counts: Vec<DayCount> = draws.iter().flatten().map(one).collect();
    counts.sort_unstable();
    counts.dedup_by(|one, all| {
        let is_same = (one.stratum, one.day, one.arm) == (all.stratum, all.day, all.arm);
        all.customers += if is_same { one.customers } else { 0 };
        is_same
    });
    counts
}
