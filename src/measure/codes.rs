//! What the codes in packed orders stand for.

use std::sync::Arc;

use super::customerless::CustomerlessOrders;

/// Numbers behind the codes that threads gave to slices and categories as they met them, and how many files were read.
#[derive(Debug, Clone, Default)]
pub struct SourceCodes {
    /// Files of orders.
    pub files: usize,
    /// Number of each slice code in the order of the slice values; empty without slices.
    pub slices: Vec<u32>,
    /// Number of each category code in the order of the categories.
    pub categories: Vec<u32>,
    /// Orders that have rows without a customer.
    pub customerless: Arc<CustomerlessOrders>,
}

impl SourceCodes {
    /// How many slices; 1 without.
    pub fn slice_count(&self) -> usize {
        self.slices.len().max(1)
    }
}
