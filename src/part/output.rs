//! What parts give.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::crm::CrmRows;
use super::movers::MoverKey;
use super::score_pairs::ScorePair;
use crate::forecast::{ForecastKey, ForecastSum};
use crate::job::raw::TableName;
use crate::measure::{AffinityKey, TableMatches};
use crate::movement::{MovementSums, append, sum_equal_keys};
use crate::publish::TableFile;
use crate::tables::{SegmentKey, SegmentSum};
use crate::wire::Travels;

/// Sums that may be added before those of equal keys are added up, or half as many as there are.
const MAX_UNMERGED: usize = 1 << 18;

/// What one part gives, or several.
#[derive(Default, Serialize, Deserialize)]
pub struct PartOutput {
    /// Files, per table.
    pub files: Vec<(TableName, TableFile)>,
    /// Sums per state.
    pub segments: Vec<(SegmentKey, SegmentSum)>,
    /// Customers by pairs of categories.
    pub affinity: Vec<(AffinityKey, i64)>,
    /// What is expected of customers, per state.
    pub forecast: Vec<(ForecastKey, ForecastSum)>,
    /// Sums of how customers moved.
    pub movement: MovementSums,
    /// Customers who changed a state.
    pub movers: BTreeMap<MoverKey, i64>,
    /// Customers by their scores of recency and frequency at the last date, if a report shows them.
    pub score_pairs: BTreeMap<ScorePair, i64>,
    /// Rows of the CRM file, if it is asked for, with the part's number.
    pub crm: Vec<(usize, CrmRows)>,
    /// Events of customers who are in no other input.
    pub unmatched_events: u64,
    /// Which ids of the events have orders.
    pub event_matches: TableMatches,
    /// Sums after those of equal keys were added up last.
    #[serde(skip)]
    pub(super) merged: usize,
}

impl PartOutput {
    /// Adds what another part gives.
    pub fn merge(&mut self, other: PartOutput) {
        self.unmatched_events += other.unmatched_events;
        self.event_matches.merge(other.event_matches);
        self.crm.extend(other.crm);
        self.files.extend(other.files);
        append(&mut self.segments, other.segments);
        append(&mut self.affinity, other.affinity);
        append(&mut self.forecast, other.forecast);
        self.movement.append(other.movement);
        for (key, customers) in other.movers {
            *self.movers.entry(key).or_default() += customers;
        }
        for (pair, customers) in other.score_pairs {
            *self.score_pairs.entry(pair).or_default() += customers;
        }
        if self.sums() > self.merged + MAX_UNMERGED.max(self.merged / 2) {
            self.sum_equal_keys();
        }
    }

    /// Adds up sums of equal keys, and puts everything in an order that does not depend on that of the parts.
    pub fn finish(&mut self) {
        self.sum_equal_keys();
        self.files.sort_by(|a, b| a.1.path.cmp(&b.1.path));
        self.crm.sort_by_key(|(part, _)| *part);
    }

    fn sums(&self) -> usize {
        self.segments.len() + self.affinity.len() + self.forecast.len() + self.movement.len()
    }

    fn sum_equal_keys(&mut self) {
        sum_equal_keys(&mut self.segments, SegmentSum::merge);
        sum_equal_keys(&mut self.affinity, |sum, other| *sum += other);
        sum_equal_keys(&mut self.forecast, ForecastSum::merge);
        self.movement.sum_equal_keys();
        self.merged = self.sums();
    }
}

impl Travels for PartOutput {
    const NAME: &'static str = "sums of a part";
    const VERSION: u16 = 6;

    fn canonicalise(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;
    use crate::movement::{CohortSum, GrowthSum, TransitionSum};
    use crate::part::MoveReason;
    use crate::wire::checks::{Sequence, merges_in_any_order};

    /// What some parts could give; keys repeat within and between parts.
    fn some() -> Vec<PartOutput> {
        let mut sequence = Sequence::new(3);
        let mut of_part = |part: usize| {
            let mut out = PartOutput { unmatched_events: sequence.below(9), ..PartOutput::default() };
            let path = format!("customers/part-{part}.parquet");
            out.files.push((TableName::Customers, TableFile { path, rows: 5, bytes: 1 << 40, sha256: "ab".into() }));
            out.crm.push((part, CrmRows::default()));
            for _ in 0..part * 40 {
                let mut key = |end: u64| sequence.below(end) as u32;
                let (date, slice, scheme, from) = (key(3), key(2), key(2), key(4));
                let customers = i64::from(key(1000));
                let revenue = (i128::from(key(1 << 30)) - (1 << 29)) << key(80);
                out.segments.push((
                    [date, slice, 0, 0, scheme, from],
                    SegmentSum { customers, orders: customers * 3, revenue, monetary: -revenue, ..SegmentSum::default() },
                ));
                out.affinity.push(([date, slice, scheme, scheme + from], customers));
                let mut expected = ForecastSum::default();
                expected.customers += customers;
                out.forecast.push(([slice, scheme, from], expected));
                let transition = [date, slice, 0, 0, scheme, 0, from, key(4)];
                out.movement.transitions.push((transition, TransitionSum { customers, revenue }));
                out.movement.growth.push(([date, slice, scheme, from], GrowthSum { customers: [customers; 5], revenue }));
                out.movement
                    .cohorts
                    .push(([date, slice, 0, 0, key(5)], CohortSum { customers, revenue, ..CohortSum::default() }));
                let reason = [None, Some(MoveReason::CutPoints), Some(MoveReason::Behaviour)][key(3) as usize];
                let mover = MoverKey { date, from_date: 0, slice, scheme, from: from as u16, to: key(4) as u16, reason };
                *out.movers.entry(mover).or_default() += customers;
                let pair = ScorePair { slice, r_score: key(6) as u8, f_score: key(6) as u8 };
                *out.score_pairs.entry(pair).or_default() += customers;
            }
            out
        };
        (0..6).map(&mut of_part).collect()
    }

    #[test]
    fn parts_merge_in_any_order() -> Result<()> {
        let digits = merges_in_any_order(some, |all, part| {
            all.merge(part);
            Ok(())
        })?;
        assert_eq!((digits.as_str(), PartOutput::VERSION), ("56064bc26bd8a07e", 6), "the form has changed: raise its version");
        Ok(())
    }
}
