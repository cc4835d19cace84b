//! The cells of a bucket, filled customer by customer.
//!
//! The cells of a customer are far apart: one per date and column. A block of a few customers is therefore filled in the
//! cache and copied date by date. The copy stores counts and money in 32 bits where they fit, which halves the memory of
//! most columns.

use super::column::Column;
use super::spec::FoldSpec;
use crate::domain::Basis;

/// Approximate number of cells of a block per column.
const CELLS: usize = 1024;

/// Customers of a block, whose cells of one date fill a few cache lines.
const CUSTOMERS: std::ops::RangeInclusive<usize> = 16..=64;

/// The columns of a bucket in the making.
pub(super) struct PanelCells {
    dates: usize,
    customers: usize,
    /// See [`super::panel::BucketPanel::listed`].
    pub listed: Vec<bool>,
    /// See [`super::panel::BucketPanel::columns`].
    pub columns: Vec<Column>,
    /// The first customer of the block.
    first: usize,
    /// The cells that are being filled.
    pub block: CellBlock,
}

/// The cells of a few consecutive customers: the cell of the `c`th of them at date `d` is `d · width + c`.
pub(super) struct CellBlock {
    /// Customers of the block.
    pub width: usize,
    /// See [`super::panel::BucketPanel::listed`].
    pub listed: Vec<bool>,
    /// See [`super::panel::BucketPanel::columns`]; counts and money are not narrowed.
    pub columns: Vec<Column>,
}

impl PanelCells {
    pub fn new(spec: &FoldSpec, customers: usize) -> PanelCells {
        let dates = spec.dates.len();
        let width = (CELLS / dates.max(1) / 16 * 16).clamp(*CUSTOMERS.start(), *CUSTOMERS.end()).min(customers);
        let block = CellBlock { width, listed: vec![false; dates * width], columns: spec.columns(width) };
        let columns = spec.measures.iter().map(|measure| match spec.unit(*measure) {
            unit if Column::is_long(unit) && matches!(measure.kind.basis(), Basis::Orders(..)) => {
                Column::Int(vec![0; dates * customers])
            }
            unit => Column::new(unit, dates * customers),
        });
        PanelCells { dates, customers, listed: vec![false; dates * customers], columns: columns.collect(), first: 0, block }
    }

    /// Whether a customer comes after those of the block.
    pub fn are_beyond(&self, customer: usize) -> bool {
        customer >= self.first + self.block.width
    }

    /// The number of a customer in the block.
    pub fn number(&self, customer: usize) -> usize {
        customer - self.first
    }

    /// Begins a block with a customer.
    pub fn begin(&mut self, customer: usize) {
        self.first = customer;
    }

    /// Copies the block to where its cells belong. Afterwards it lists nobody, so that nothing else in it means anything.
    pub fn close(&mut self) {
        let count = self.block.width.min(self.customers - self.first);
        for date in 0..self.dates {
            let (to, from) = (date * self.customers + self.first, date * self.block.width);
            self.listed[to..to + count].copy_from_slice(&self.block.listed[from..from + count]);
            for (column, block) in self.columns.iter_mut().zip(&self.block.columns) {
                column.copy(to, block, from, count);
            }
        }
        self.block.listed.fill(false);
    }
}
