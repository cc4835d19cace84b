//! What the codes in packed orders stand for.

use std::sync::Arc;

use super::customerless::CustomerlessOrders;

/// Numbers behind the codes that threads gave to slices and categories as they met them, and how many files were read.
#[derive(Debug, Clone, Default)]
pub struct SourceCodes {
    /// Files of orders.
    pub files: usize,
    /// How many slices; 0 in a job without.
    pub slice_count: usize,
    /// Number of each slice code in the order of the slice values; empty without slices.
    pub slices: Vec<u32>,
    /// Number of each category code in the order of the categories.
    pub categories: Vec<u32>,
    /// Orders that have rows without a customer.
    pub customerless: Arc<CustomerlessOrders>,
}

impl SourceCodes {
    /// How many groups of customers are scored apart: the slices, or all customers together.
    pub fn scored_groups(&self) -> usize {
        self.slice_count.max(1)
    }
}
