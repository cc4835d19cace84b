//! The rows of one chunk of a file, by part of their customer.

use super::batch::{AssignedOn, OptionalColumns, RowBatch, RowId};
use super::further::FurtherColumns;
use super::names::NameCodes;
use super::partition::RowsByPart;
use super::request::Request;
use crate::assign::{AssignedIds, Rejected};
use crate::bucket::{hash_key, hash_text};
use crate::domain::{CompactInts, Day, IdType, StringIds};

/// The rows of a part; all columns have one length, but optional columns that the table lacks are empty.
#[derive(Debug)]
pub(super) struct ChunkRows {
    pub ids: AssignedIds,
    /// Codes of the arms.
    pub arm: CompactInts<u8>,
    /// In days since 1970.
    pub assigned_on: CompactInts<u16>,
    /// Codes of the strata.
    pub stratum: Vec<u32>,
    /// Codes of the clusters.
    pub cluster: Vec<u32>,
    /// Codes of the values in the columns of `by`, column by column.
    pub by: Vec<Vec<u32>>,
    /// In minor units; 0 for null.
    pub cost: Vec<i64>,
    pub contacts: Vec<u32>,
    pub ended_on: Vec<Option<Day>>,
}

impl ChunkRows {
    fn with_capacity(request: &Request, rows: usize) -> ChunkRows {
        ChunkRows {
            ids: match request.id {
                IdType::Text => AssignedIds::Text(StringIds::default()),
                _ => AssignedIds::Int(CompactInts::with_capacity(rows)),
            },
            arm: CompactInts::with_capacity(rows),
            assigned_on: CompactInts::with_capacity(rows),
            stratum: Vec::new(),
            cluster: Vec::new(),
            by: vec![Vec::new(); request.by.len()],
            cost: Vec::new(),
            contacts: Vec::new(),
            ended_on: Vec::new(),
        }
    }
}

/// A chunk of a file: a row group, or a whole CSV file. Its names have codes of their own.
#[derive(Debug)]
pub(super) struct FileChunk {
    pub parts: Vec<ChunkRows>,
    pub has: OptionalColumns,
    pub arms: NameCodes,
    pub strata: NameCodes,
    pub clusters: NameCodes,
    /// The values in the columns of `by`.
    pub by: Vec<NameCodes>,
    /// Number of the first row or line that counts and has no cluster, from 1.
    pub without_cluster: Option<u64>,
    pub further: FurtherColumns,
    /// Strategies other than the requested one.
    pub strategies: NameCodes,
    pub rows_read: u64,
    pub other_strategies: u64,
    pub null_costs: u64,
    pub rejected: Rejected,
}

/// Vectors that are reused from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    by_part: RowsByPart,
    /// The code of every row's arm.
    arms: Vec<u32>,
    /// The code of every row's stratum, if the table has strata.
    strata: Vec<u32>,
    /// The code of every row's cluster, if they are read.
    clusters: Vec<u32>,
    /// The codes of every row's values in the columns of `by`.
    by: Vec<Vec<u32>>,
}

impl FileChunk {
    /// A chunk with capacity for `rows` rows over all parts.
    pub fn new(request: &Request, has: OptionalColumns, rows: usize) -> FileChunk {
        let parts = request.parts.max(1);
        // Parts differ in size by chance alone.
        let capacity = rows / parts * 9 / 8;
        FileChunk {
            parts: (0..parts).map(|_| ChunkRows::with_capacity(request, capacity)).collect(),
            has,
            arms: NameCodes::default(),
            strata: NameCodes::default(),
            clusters: NameCodes::default(),
            by: request.by.iter().map(|_| NameCodes::default()).collect(),
            without_cluster: None,
            further: FurtherColumns::default(),
            strategies: NameCodes::default(),
            rows_read: 0,
            other_strategies: 0,
            null_costs: 0,
            rejected: Rejected::default(),
        }
    }

    /// Rows that count.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|rows| rows.arm.len()).sum()
    }

    /// Adds the rows of a batch that are assignments of the request, and counts the others by reason.
    pub fn add<'a>(&mut self, request: &Request, batch: &impl RowBatch<'a>, scratch: &mut Scratch) {
        let Scratch { by_part, arms, strata, clusters, by } = scratch;
        let none = self.parts.len() as u32;
        by_part.parts.clear();
        let all_strategies = !self.has.strategy || request.strategy.is_none();
        match batch.keys().filter(|_| all_strategies && batch.arm_views().is_some() && batch.days().is_some()) {
            // Every row counts, as in most tables.
            Some(keys) => {
                self.rows_read += keys.len() as u64;
                by_part.parts.extend(keys.iter().map(|key| request.part_of(hash_key(*key)) as u32));
            }
            None => {
                let part = |row| self.part_of(request, batch, row).unwrap_or(none);
                by_part.parts.extend((0..batch.len()).map(part));
            }
        }
        by_part.sort(self.parts.len());
        let parts = (by_part.parts.as_slice(), none);
        self.arms.add_batch(parts, batch.arm_views(), |row| (batch.arm(row), batch.number(row)), arms);
        if self.has.stratum {
            self.strata.add_batch(parts, batch.stratum_views(), |row| (batch.stratum(row), batch.number(row)), strata);
        }
        if request.cluster.is_some() {
            let lacks = |row: &usize| batch.cluster(*row).is_none_or(|cluster| cluster.text.is_empty());
            let mut counting = by_part.parts.iter().enumerate().filter(|(_, part)| **part != none).map(|(row, _)| row);
            self.without_cluster = self.without_cluster.or_else(|| counting.find(lacks).map(|row| batch.number(row)));
            self.clusters.add_batch(parts, batch.cluster_views(), |row| (batch.cluster(row), batch.number(row)), clusters);
        } else {
            clusters.clear();
        }
        by.resize_with(self.by.len(), Vec::new);
        for (column, (names, codes)) in self.by.iter_mut().zip(by).enumerate() {
            names.add_batch(parts, batch.by_views(column), |row| (batch.by(column, row), batch.number(row)), codes);
        }
        self.add_further(batch, scratch);
        self.append(batch, scratch);
    }

    /// Looks at further columns.
    fn add_further<'a>(&mut self, batch: &impl RowBatch<'a>, scratch: &Scratch) {
        let none = self.parts.len() as u32;
        for column in 0..self.further.names.len() {
            if self.further.are_mixed() {
                return;
            }
            for (row, _) in scratch.by_part.parts.iter().enumerate().filter(|(_, part)| **part != none) {
                if let AssignedOn::On(day) = batch.assigned_on(row) {
                    self.further.add(column, batch.further(column, row).unwrap_or_default(), scratch.arms[row], day);
                }
            }
        }
    }

    /// Appends the rows of a batch to their parts.
    fn append<'a>(&mut self, batch: &impl RowBatch<'a>, scratch: &Scratch) {
        let keys = batch.keys().map(|keys| (keys, CompactInts::<u32>::all_fit(keys)));
        let days = batch.days().map(|days| (days, CompactInts::<u16>::all_fit(days)));
        let arms_fit = self.arms.names.len() <= usize::from(u8::MAX);
        for (part, to) in self.parts.iter_mut().enumerate() {
            let rows = scratch.by_part.of_part(part).iter().map(|row| *row as usize);
            match (&mut to.ids, keys) {
                (AssignedIds::Int(ids), Some((keys, all_fit))) => ids.extend_from(keys, all_fit, rows.clone()),
                (AssignedIds::Int(ids), None) => rows.clone().for_each(|row| {
                    ids.push(match batch.id(row) {
                        Some(RowId::Key(key)) => key,
                        _ => 0,
                    });
                }),
                (AssignedIds::Text(ids), _) => rows.clone().for_each(|row| {
                    ids.push(match batch.id(row) {
                        Some(RowId::Text(text)) => text,
                        _ => &[],
                    });
                }),
            }
            match days {
                Some((days, all_fit)) => to.assigned_on.extend_from(days, all_fit, rows.clone()),
                None => rows.clone().for_each(|row| {
                    to.assigned_on.push(match batch.assigned_on(row) {
                        AssignedOn::On(day) => day.0,
                        _ => 0,
                    });
                }),
            }
            to.arm.extend_from(&scratch.arms, arms_fit, rows.clone());
            if self.has.stratum {
                to.stratum.extend(rows.clone().map(|row| scratch.strata[row]));
            }
            if !scratch.clusters.is_empty() {
                to.cluster.extend(rows.clone().map(|row| scratch.clusters[row]));
            }
            for (to, codes) in to.by.iter_mut().zip(&scratch.by) {
                to.extend(rows.clone().map(|row| codes[row]));
            }
            if self.has.cost {
                to.cost.extend(rows.clone().map(|row| batch.cost(row).unwrap_or(0)));
                self.null_costs += rows.clone().filter(|row| batch.cost(*row).is_none()).count() as u64;
            }
            if self.has.contacts {
                to.contacts.extend(rows.clone().map(|row| batch.contacts(row).unwrap_or(0)));
            }
            if self.has.ended_on {
                to.ended_on.extend(rows.map(|row| batch.ended_on(row)));
            }
        }
    }

    /// The part of a row; `None` if it does not count, whose reason is then counted.
    #[inline]
    fn part_of<'a>(&mut self, request: &Request, batch: &impl RowBatch<'a>, row: usize) -> Option<u32> {
        self.rows_read += 1;
        if let (true, Some(wanted)) = (self.has.strategy, request.strategy) {
            let Some(strategy) = batch.strategy(row) else {
                self.rejected.null_strategy += 1;
                return None;
            };
            if strategy.text != wanted {
                self.strategies.add(strategy, batch.number(row));
                self.other_strategies += 1;
                return None;
            }
        }
        let Some(id) = batch.id(row) else {
            self.rejected.null_customer += 1;
            return None;
        };
        if batch.arm(row).is_none() {
            self.rejected.null_arm += 1;
            return None;
        }
        match batch.assigned_on(row) {
            AssignedOn::On(_) => {}
            AssignedOn::Null => {
                self.rejected.null_assigned_on += 1;
                return None;
            }
            AssignedOn::OutOfRange => {
                self.rejected.date_out_of_range += 1;
                return None;
            }
        }
        let hash = match id {
            RowId::Key(key) => hash_key(key),
            RowId::Text(text) => hash_text(text),
        };
        Some(request.part_of(hash) as u32)
    }
}
