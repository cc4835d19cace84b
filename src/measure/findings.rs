//! What the first pass finds odd about orders and customers.

use serde::{Deserialize, Serialize};

use super::customer_findings::CustomerFindings;
use super::day_counts::DayCounts;
use super::line_counts::LineFindings;
use super::panel::BucketPanel;
use super::table_matches::TableMatches;

/// What is found in some buckets. That of all buckets is the merge of theirs, in any order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Findings {
    /// About orders that are made of lines.
    pub lines: LineFindings,
    /// About customers.
    pub customers: CustomerFindings,
    /// Days of first purchases.
    pub first_days: DayCounts,
    /// Which ids of the customers table have orders.
    pub customer_matches: TableMatches,
}

impl Findings {
    /// Takes what was found in a bucket.
    pub fn take(&mut self, panel: &mut BucketPanel) {
        self.lines.merge(&panel.line_findings);
        let mut customers = std::mem::take(&mut panel.findings);
        std::mem::take(&mut customers.first_days).into_iter().for_each(|day| self.first_days.add(day));
        self.customers.merge(customers);
        self.customer_matches.merge(std::mem::take(&mut panel.customer_matches));
    }

    /// Adds what was found in other buckets.
    pub fn merge(&mut self, other: Findings) {
        self.lines.merge(&other.lines);
        self.customers.merge(other.customers);
        self.first_days.merge(&other.first_days);
        self.customer_matches.merge(other.customer_matches);
    }
}
