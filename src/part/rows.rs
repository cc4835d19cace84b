//! The listed customers of a part at one date, with their measures, in the order of the files.

use std::convert::identity;
use std::ops::Range;

use super::customers::PartCustomers;
use crate::domain::Unit;
use crate::measure::{BucketPanel, Column, FoldSpec, widened};

/// One row per listed customer.
pub struct CustomerRows {
    /// Index of every row's customer in the part.
    pub customers: Vec<u32>,
    /// One column per measure of the plan.
    pub columns: Vec<Column>,
    /// Slice numbers with their rows.
    pub slices: Vec<(u32, Range<usize>)>,
}

impl CustomerRows {
    /// Collects the listed customers of a date, which has the index `date` in the panels.
    pub fn new(panels: &[BucketPanel], customers: &PartCustomers, date: usize, spec: &FoldSpec) -> CustomerRows {
        let mut listed = Vec::with_capacity(customers.len());
        panels.iter().for_each(|panel| listed.extend_from_slice(&panel.listed[panel.cells(date)]));
        let offsets = customers.flat_offsets();
        let mut rows = vec![0; customers.len()];
        let mut slices = Vec::with_capacity(customers.groups.slices.len());
        let mut end = 0;
        for (slice, range) in &customers.groups.slices {
            let first = end;
            // Every customer is written; the next one overwrites a customer who is not listed.
            for customer in range.clone() {
                rows[end] = customer as u32;
                end += usize::from(listed[offsets[customer] as usize]);
            }
            if end > first {
                slices.push((*slice, first..end));
            }
        }
        rows.truncate(end);
        let cells: Vec<u32> = rows.iter().map(|customer| offsets[*customer as usize]).collect();
        let columns = spec.measures.iter().enumerate().map(|(at, m)| gather(panels, (at, date), spec.unit(*m), &cells)).collect();
        CustomerRows { customers: rows, columns, slices }
    }

    /// The row of every customer of the part; `None` if not listed.
    pub fn row_of_customer(&self, customers: usize) -> Vec<Option<usize>> {
        let mut rows = vec![None; customers];
        for (row, customer) in self.customers.iter().enumerate() {
            rows[*customer as usize] = Some(row);
        }
        rows
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.customers.len()
    }

    /// Whether no customer is listed.
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }
}

/// The values of a measure at a date in the order of the rows; `cells` are offsets into the buckets laid end to end.
///
/// Copying the buckets end to end first leaves one small array to read from, instead of one per bucket.
fn gather(panels: &[BucketPanel], (at, date): (usize, usize), unit: Unit, cells: &[u32]) -> Column {
    macro_rules! gather {
        ($to:ident $last:expr, $($from:ident $first:expr),+) => {{
            let mut flat = Vec::with_capacity(panels.iter().map(|p| p.ids.len()).sum());
            for panel in panels {
                match &panel.columns[at] {
                    $(Column::$from(values) => flat.extend(values[panel.cells(date)].iter().map($first)),)+
                    // A panel has a column of the unit's type for every measure.
                    _ => {}
                }
            }
            Column::$to(cells.iter().map(|cell| $last(flat[*cell as usize])).collect())
        }};
    }
    let are_narrow = || panels.iter().all(|panel| matches!(panel.columns[at], Column::Int(_)));
    match Column::new(unit, 0) {
        Column::Int(_) => gather!(Int identity, Int |v| *v),
        Column::Long(_) if are_narrow() => gather!(Long widened, Int |v| *v),
        Column::Long(_) => gather!(Long identity, Int |v| widened(*v), Long |v| *v),
        Column::Ratio(_) => gather!(Ratio identity, Ratio |v| *v),
        Column::Double(_) => gather!(Double identity, Double |v| *v),
    }
}
