//! The cells of a bucket, filled customer by customer.
//!
//! The cells of a customer lie far from each other, one in every date's stretch of every column. So those of a few customers
//! are filled in a block that stays in the cache, and copied date by date. On the way counts and money go into 32 bits: few
//! customers have more, and whoever looks at a column of all dates next finds it in half the memory.

use super::{Column, FoldSpec};
use crate::domain::MeasureSource;

/// A block has about so many cells of each column.
const CELLS: usize = 1024;

/// It has so many customers, whose cells of a date then fill a few cache lines.
const CUSTOMERS: std::ops::RangeInclusive<usize> = 16..=64;

/// See the head of the file.
pub(super) struct PanelCells {
    dates: usize,
    customers: usize,
    listed: Vec<bool>,
    columns: Vec<Column>,
    /// The first customer of the block.
    first: usize,
    block: CellBlock,
}

/// The cells of the customers at hand: that of the `c`th of them at date `d` is `d · width + c`.
pub(super) struct CellBlock {
    /// Customers of the block.
    pub width: usize,
    /// See [`super::BucketPanel::listed`].
    pub listed: Vec<bool>,
    /// See [`super::BucketPanel::columns`]; counts and money are in columns of their own width.
    pub columns: Vec<Column>,
}

impl PanelCells {
    pub fn new(spec: &FoldSpec, customers: usize) -> PanelCells {
        let dates = spec.dates.len();
        let width = (CELLS / dates.max(1) / 16 * 16).clamp(*CUSTOMERS.start(), *CUSTOMERS.end()).min(customers);
        let block = CellBlock { width, listed: vec![false; dates * width], columns: spec.columns(width) };
        let columns = spec.measures.iter().map(|measure| match spec.unit(*measure) {
            unit if Column::is_long(unit) && measure.kind.source() == MeasureSource::Orders => {
                Column::Int(vec![0; dates * customers])
            }
            unit => Column::new(unit, dates * customers),
        });
        PanelCells { dates, customers, listed: vec![false; dates * customers], columns: columns.collect(), first: 0, block }
    }

    /// The block that a customer belongs to, and the number there. Customers are asked for in ascending order.
    pub fn of(&mut self, customer: usize) -> (&mut CellBlock, usize) {
        if customer >= self.first + self.block.width {
            self.close();
            self.first = customer;
        }
        (&mut self.block, customer - self.first)
    }

    /// Copies the block to where its cells belong. Afterwards it lists nobody, so that nothing else in it means anything.
    fn close(&mut self) {
        let count = self.block.width.min(self.customers - self.first);
        for date in 0..self.dates {
            let (to, from) = (date * self.customers + self.first, date * self.block.width);
            self.listed[to..to + count].copy_from_slice(&self.block.listed[from..from + count]);
            for (all, own) in self.columns.iter_mut().zip(&self.block.columns) {
                all.copy(to, own, from, count);
            }
        }
        self.block.listed.fill(false);
    }

    pub fn finish(mut self) -> (Vec<bool>, Vec<Column>) {
        self.close();
        (self.listed, self.columns)
    }
}
