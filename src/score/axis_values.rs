//! All values of an axis of a slice, wherever they lie, and what cut points ask of them.

use super::bins::bin;
use super::distribution::{Distribution, of_groups};
use super::sorted_run::Runs;
use crate::error::Result;
use crate::job::raw::Ties;

/// All values of an axis of a slice.
#[derive(Debug)]
pub enum AxisValues<'a> {
    /// In memory.
    InMemory(&'a Distribution),
    /// Small values counted in memory, the others in runs outside it. Every counted value is below those of the runs.
    Stored {
        /// Without listed values.
        counted: Distribution,
        /// The others.
        runs: Runs,
    },
}

impl AxisValues<'_> {
    /// Number of values.
    pub fn len(&self) -> u64 {
        match self {
            AxisValues::InMemory(values) => values.len(),
            AxisValues::Stored { counted, runs } => counted.len() + runs.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sum of the values.
    pub fn sum(&self) -> i128 {
        match self {
            AxisValues::InMemory(values) => values.sum(),
            AxisValues::Stored { counted, runs } => counted.sum() + runs.sum(),
        }
    }

    /// Values per bin: how many ascending thresholds they reach.
    ///
    /// # Errors
    /// Exits 4 to 7 if values cannot be read.
    pub fn bins(&self, thresholds: &[i64]) -> Result<Vec<u64>> {
        let (counted, runs) = match self {
            AxisValues::InMemory(values) => return Ok(values.bins(thresholds)),
            AxisValues::Stored { counted, runs } => (counted, runs),
        };
        let mut bins = counted.bins(thresholds);
        // A value that reaches a threshold and not the next one is in the bin between them.
        let mut reaching = runs.len();
        for (bin, next) in runs.reaching(thresholds)?.into_iter().enumerate() {
            bins[bin] += reaching - next;
            reaching = next;
        }
        bins[bin(thresholds, i64::MAX)] += reaching;
        Ok(bins)
    }

    /// The order statistics at ascending indices from 0.
    ///
    /// # Errors
    /// Exits 4 to 7 if values cannot be read.
    pub fn statistics(&self, wanted: &[u64]) -> Result<Vec<i64>> {
        let (counted, runs) = match self {
            AxisValues::InMemory(values) => return Ok(values.statistics(wanted)),
            AxisValues::Stored { counted, runs } => (counted, runs),
        };
        let (of_counted, of_runs) = wanted.split_at(wanted.partition_point(|index| *index < counted.len()));
        let of_runs: Vec<u64> = of_runs.iter().map(|index| index - counted.len()).collect();
        let mut found = counted.statistics(of_counted);
        found.extend(runs.statistics(&of_runs)?);
        Ok(found)
    }

    /// The values ascending, each with how often it occurs.
    pub fn groups(&self) -> Box<dyn Iterator<Item = Result<(i64, u64)>> + '_> {
        match self {
            AxisValues::InMemory(values) => Box::new(values.groups().map(Ok)),
            AxisValues::Stored { counted, runs } => Box::new(counted.groups().map(Ok).chain(runs.groups())),
        }
    }

    /// For each score from 2 to `bins` the smallest value that reaches it under `ceil(bins · rank / n)`; `None` if no
    /// value does. `mirrored` ranks from the greatest value down, and gives the greatest value instead.
    ///
    /// # Errors
    /// Exits 4 to 7 if values cannot be read.
    pub fn smallest_members(&self, bins: u32, ties: Ties, mirrored: bool) -> Result<Vec<Option<i64>>> {
        of_groups(self.groups(), self.len(), (bins, ties, mirrored))
    }
}
