//! What the customers table and the events say of the customers of the current batch. Assigned customers need no orders for that.

use super::values::OutcomeError;
use crate::domain::{CustomerIdRef, CustomerIds, EventKind, Period, pow10};
use crate::experiment::plan::{EventTally, ExperimentPlan, StrategyPlan};
use crate::measure::{CustomerAttributes, CustomerEvents, UNKNOWN};

/// Most digits of a sum of values, as of the measures of events.
const SUM_DIGITS: u32 = 18;

/// The rows of the customers table and the events, by bucket of a part.
#[derive(Clone, Copy, Default)]
pub struct SideTables<'a> {
    /// Empty without a customers table.
    pub attributes: &'a [CustomerAttributes],
    /// Empty if no strategy counts events.
    pub events: &'a [CustomerEvents],
}

/// Both, looked up batch by batch.
pub struct SideValues<'a> {
    tables: SideTables<'a>,
    in_attributes: BatchRows,
    in_events: BatchRows,
}

impl<'a> SideValues<'a> {
    /// What the strategies of a plan look at, before the first batch.
    pub fn new(plan: &ExperimentPlan<'_>, all: SideTables<'a>) -> SideValues<'a> {
        let uses_dimensions = plan.strategies.iter().any(StrategyPlan::uses_dimensions);
        SideValues::of(SideTables { attributes: if uses_dimensions { all.attributes } else { &[] }, ..all })
    }

    /// Events alone.
    pub fn of_events(events: &'a [CustomerEvents]) -> SideValues<'a> {
        SideValues::of(SideTables { attributes: &[], events })
    }

    fn of(tables: SideTables<'a>) -> SideValues<'a> {
        let (in_attributes, in_events) = (BatchRows::new(tables.attributes.len()), BatchRows::new(tables.events.len()));
        SideValues { tables, in_attributes, in_events }
    }

    /// Looks up the customers of the next batch, who ascend.
    pub fn read_batch(&mut self, ids: &[CustomerIdRef<'_>]) {
        self.in_attributes.read_batch(self.tables.attributes.iter().map(|table| &table.ids), ids);
        self.in_events.read_batch(self.tables.events.iter().map(|table| &table.ids), ids);
    }

    /// The number of a customer's value in a dimension; none without one.
    pub fn dimension(&self, dimension: usize, customer: u32) -> Option<u32> {
        let (bucket, row) = self.in_attributes.of(customer)?;
        let value = self.tables.attributes[bucket].dimensions.get(dimension)?.get(row).copied();
        value.filter(|value| *value != UNKNOWN)
    }

    /// What is taken of the events of a kind that a customer has in some days.
    ///
    /// # Errors
    /// If the sum of their values has more than 18 digits.
    pub fn events(&self, (kind, tally): (EventKind, EventTally), customer: u32, days: Period) -> Result<i64, OutcomeError> {
        let Some((bucket, row)) = self.in_events.of(customer) else { return Ok(0) };
        let events = &self.tables.events[bucket];
        match tally {
            EventTally::Any => Ok(events.count(row, kind, days).min(1)),
            EventTally::Count => Ok(events.count(row, kind, days)),
            EventTally::Sum => {
                let sum = events.sum(row, kind, days);
                let fits = pow10(SUM_DIGITS).is_some_and(|limit| sum.abs() < limit);
                i64::try_from(sum).ok().filter(|_| fits).ok_or(OutcomeError::LargeEvents(kind))
            }
        }
    }
}

/// Where the customers of a batch stand in tables that ascend by customer.
struct BatchRows {
    /// By table: the first row that comes after the customers of earlier batches.
    next: Vec<usize>,
    /// By customer of the batch: table and row.
    rows: Vec<Option<(usize, usize)>>,
}

impl BatchRows {
    fn new(tables: usize) -> BatchRows {
        BatchRows { next: vec![0; tables], rows: Vec::new() }
    }

    fn read_batch<'t>(&mut self, tables: impl Iterator<Item = &'t CustomerIds>, ids: &[CustomerIdRef<'_>]) {
        self.rows.clear();
        let Some(last) = ids.last().filter(|_| !self.next.is_empty()) else { return };
        self.rows.resize(ids.len(), None);
        for (number, (table, next)) in tables.zip(&mut self.next).enumerate() {
            while *next < table.len() {
                let id = CustomerIdRef::of(table, *next);
                if id > *last {
                    break;
                }
                if let Ok(customer) = ids.binary_search(&id) {
                    self.rows[customer] = Some((number, *next));
                }
                *next += 1;
            }
        }
    }

    fn of(&self, customer: u32) -> Option<(usize, usize)> {
        self.rows.get(customer as usize).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Customers of two buckets, of whom a batch has some and others that the table lacks.
    #[test]
    fn customers_are_found_in_their_bucket_batch_by_batch() {
        let bucket = |ids: &[i64], values: &[u32]| CustomerAttributes {
            ids: CustomerIds::Int(ids.to_vec()),
            columns: Vec::new(),
            dimensions: vec![values.to_vec()],
        };
        let attributes = [bucket(&[2, 5, 9], &[0, 1, UNKNOWN]), bucket(&[3, 4, 8, 11], &[1, 0, 2, 0])];
        let mut all = SideValues::of(SideTables { attributes: &attributes, events: &[] });
        let mut found = Vec::new();
        for batch in [&[1, 2, 4][..], &[5, 7, 9], &[11, 12]] {
            let ids: Vec<CustomerIdRef<'_>> = batch.iter().map(|id| CustomerIdRef::of_key(*id)).collect();
            all.read_batch(&ids);
            found.extend((0..batch.len() as u32).map(|customer| all.dimension(0, customer)));
        }
        assert_eq!(found, [None, Some(0), Some(0), Some(1), None, None, Some(0), None]);
        assert_eq!(all.dimension(1, 0), None);
        let mut none = SideValues::of_events(&[]);
        none.read_batch(&[CustomerIdRef::of_key(2)]);
        let days = Period { start: crate::domain::Day(0), end: crate::domain::Day(9) };
        assert_eq!((none.dimension(0, 0), none.events((EventKind::Opens, EventTally::Sum), 0, days)), (None, Ok(0)));
    }
}
