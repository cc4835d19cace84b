//! What parts give.

use std::collections::BTreeMap;

use super::crm::CrmRows;
use super::movers::MoverKey;
use crate::job::raw::TableName;
use crate::movement::{MovementSums, sum_equal_keys};
use crate::publish::TableFile;
use crate::tables::{SegmentKey, SegmentSum};

/// Lists of sums may grow to this length before those of equal keys are added up.
const MAX_UNMERGED: usize = 1 << 18;

/// What one part gives, or several.
#[derive(Default)]
pub struct PartOutput {
    /// Files, per table.
    pub files: Vec<(TableName, TableFile)>,
    /// Sums per state.
    pub segments: Vec<(SegmentKey, SegmentSum)>,
    /// Sums of how customers moved.
    pub movement: MovementSums,
    /// Customers who changed a state.
    pub movers: BTreeMap<MoverKey, i64>,
    /// Rows of the CRM file, if it is asked for, with the part's number.
    pub crm: Vec<(usize, CrmRows)>,
    /// Events of customers who are in no other input.
    pub unmatched_events: u64,
}

impl PartOutput {
    /// Adds what another part gives.
    pub fn merge(&mut self, other: PartOutput) {
        self.unmatched_events += other.unmatched_events;
        self.crm.extend(other.crm);
        self.files.extend(other.files);
        self.segments.extend(other.segments);
        self.movement.append(other.movement);
        for (key, customers) in other.movers {
            *self.movers.entry(key).or_default() += customers;
        }
        if self.segments.len().max(self.movement.longest()) > MAX_UNMERGED {
            self.sum_equal_keys();
        }
    }

    /// Adds up sums of equal keys, and puts everything in an order that does not depend on that of the parts.
    pub fn finish(&mut self) {
        self.sum_equal_keys();
        self.files.sort_by(|a, b| a.1.path.cmp(&b.1.path));
        self.crm.sort_by_key(|(part, _)| *part);
    }

    fn sum_equal_keys(&mut self) {
        sum_equal_keys(&mut self.segments, SegmentSum::merge);
        self.movement.sum_equal_keys();
    }
}
