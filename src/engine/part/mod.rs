//! Parts: every part holds a range of customer hashes and does all that is left for its customers, date after date:
//! scores, states, movement, sums, and the files of the tables that have a row per customer.
//!
//! A part needs its own buckets and the scoring of everybody, nothing of other parts. Its sums add up to the other tables.

mod batch;
mod concurrency;
mod crm;
mod customers;
mod movement;
mod rows;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use super::experiment::outcomes::snapshots::Snapshots;
use super::experiment::{Experiments, PartialSums};
use crate::domain::{Day, IdType};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::job::raw::TableName;
use crate::measure::{BucketCache, BucketPanel, Column, NULL_INT, NULL_LONG};
use crate::movement::{CohortSum, GrowthSum, TransitionSum};
use crate::plan::{CrmMeasures, Plan, ScoringFilter};
use crate::publish::{Staging, TableFile};
use crate::scheme::Classifier;
use crate::score::DateScoring;
use crate::tables::{SegmentSum, TableDefinition, encode};

pub use concurrency::Concurrency;
pub use crm::CrmRows;
pub use customers::PartCustomers;
use movement::MovementTracker;
pub use rows::CustomerRows;

/// Input rows per part, about: with as many rows per customer as is common, a file has some 50,000 customers.
const PART_ROWS: u64 = 1 << 20;

/// How many parts a run has: a power of two that depends on the input alone, so that the files of an as-of date are the
/// same whatever other dates the job has. Buckets never straddle two parts.
pub fn count(input_rows: u64, buckets: usize) -> usize {
    (input_rows.div_ceil(PART_ROWS) as usize).next_power_of_two().clamp(1, buckets)
}

/// What every part needs to know.
pub struct PartContext<'a> {
    pub job: &'a Job,
    pub plan: &'a Plan,
    pub buckets: &'a BucketCache,
    /// By date.
    pub scoring: &'a [DateScoring],
    /// `[score.only]`.
    pub only: ScoringFilter,
    /// Per scheme column: the classifier of every slice number.
    pub classifiers: Vec<Vec<Classifier>>,
    /// Per scheme column: names of all states.
    pub states: Vec<Arc<StringArray>>,
    /// Actions of the playbook, each once.
    pub actions: Arc<StringArray>,
    /// Slice values in order.
    pub slices: Arc<StringArray>,
    /// Categories in order.
    pub categories: Arc<StringArray>,
    /// Per dimension its values in order.
    pub dimensions: Vec<Arc<StringArray>>,
    pub history_complete: Vec<bool>,
    pub id: IdType,
    /// Definitions of the tables with a row per customer.
    pub tables: Vec<PartTable>,
    pub staging: &'a Staging,
    /// Strategies to evaluate, if the job has any.
    pub strategies: Option<&'a Experiments<'a>>,
    /// How many parts are in work at once, and for how many dates their customers are measured at once.
    pub concurrency: Concurrency,
}

/// A table that parts write.
pub struct PartTable {
    pub name: TableName,
    pub definition: TableDefinition,
    /// Of its files.
    pub schema: SchemaRef,
    /// Of its batches in memory.
    pub batch: SchemaRef,
}

impl PartTable {
    /// A table whose files lack `as_of`.
    pub fn new(name: TableName, definition: TableDefinition) -> PartTable {
        let schema = definition.schema(false);
        let in_memory = |field: &FieldRef| field.as_ref().clone().with_data_type(batch::in_memory(field.data_type()));
        let batch = Arc::new(Schema::new(schema.fields().iter().map(in_memory).collect::<Vec<_>>()));
        PartTable { name, definition, schema, batch }
    }
}

/// Numbers of date, slice, dimension, value of the dimension, scheme and state.
pub type SegmentKey = [u32; 6];
/// Numbers of date, earlier date, slice, dimension, value of the dimension, scheme, from-state and to-state.
pub type MoveKey = [u32; 8];
/// Numbers of date, slice, scheme (0 is everybody, else one more) and former state.
pub type GrowthKey = [u32; 4];
/// Numbers of date, slice and cohort.
pub type CohortKey = [u32; 3];
/// Numbers of date, earlier date, slice, scheme, from-state, to-state, and whether behaviour is the reason.
pub type MoverKey = (u32, u32, u32, u32, u16, u16, Option<bool>);

/// What a part gives.
#[derive(Default)]
pub struct PartOutput {
    /// Its files, per table.
    pub files: Vec<(TableName, TableFile)>,
    /// Sums per state.
    pub segments: Vec<(SegmentKey, SegmentSum)>,
    /// Sums per step from state to state.
    pub moves: Vec<(MoveKey, TransitionSum)>,
    /// Growth by former state.
    pub growth: Vec<(GrowthKey, GrowthSum)>,
    /// Sums per cohort.
    pub cohorts: Vec<(CohortKey, CohortSum)>,
    /// Movers counted.
    pub movers: BTreeMap<MoverKey, i64>,
    /// CustomerRows of the CRM file, if it is asked for, with the part's number.
    pub crm: Vec<(usize, CrmRows)>,
    /// Sums of what assigned customers did, if the job has strategies, with the part's number.
    pub tallies: Vec<(usize, PartialSums)>,
    /// Events of unknown customers.
    pub strangers: u64,
}

/// Sums that may take this much before those of equal keys are added up.
const MANY: usize = 1 << 18;

impl PartOutput {
    /// Adds what another part has found.
    pub fn join(&mut self, other: PartOutput) {
        self.strangers += other.strangers;
        self.crm.extend(other.crm);
        self.files.extend(other.files);
        self.segments.extend(other.segments);
        self.moves.extend(other.moves);
        self.growth.extend(other.growth);
        self.cohorts.extend(other.cohorts);
        for (key, customers) in other.movers {
            *self.movers.entry(key).or_default() += customers;
        }
        self.tallies.extend(other.tallies);
        if self.segments.len().max(self.moves.len()).max(self.cohorts.len()).max(self.growth.len()) > MANY {
            self.add_up();
        }
    }

    /// Adds up sums of equal keys, and puts what is listed in an order that does not depend on that of the parts.
    pub fn add_up(&mut self) {
        add_up(&mut self.segments, SegmentSum::merge);
        add_up(&mut self.moves, TransitionSum::merge);
        add_up(&mut self.growth, GrowthSum::merge);
        add_up(&mut self.cohorts, CohortSum::merge);
        self.files.sort_by(|a, b| a.1.path.cmp(&b.1.path));
        self.crm.sort_by_key(|(part, _)| *part);
        self.tallies.sort_by_key(|(part, _)| *part);
    }
}

fn add_up<K: Ord, S>(sums: &mut Vec<(K, S)>, merge: impl Fn(&mut S, &S)) {
    sums.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    sums.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            merge(&mut earlier.1, &later.1);
        }
        same
    });
}

impl PartContext<'_> {
    /// Does a part; `buckets` are the numbers of its buckets.
    ///
    /// # Errors
    /// Those of the fold, and exit 6 if a file cannot be written.
    pub fn part(&self, number: usize, buckets: Range<usize>) -> Result<PartOutput> {
        let dates = self.job.dates.len();
        let whole = self.concurrency.dates >= dates;
        let panels = if whole {
            self.buckets.take(buckets.clone(), &self.plan.fold)?
        } else {
            self.buckets.fold(buckets.clone(), &self.plan.fold.without_dates())?
        };
        let mut of_window = Vec::new();
        let customers = PartCustomers::new(&panels);
        let mut movement = MovementTracker::new(self, &panels, &customers);
        let mut part = PartOutput { strangers: panels.iter().map(|p| p.unmatched_events).sum(), ..PartOutput::default() };
        let mut snapshots = Snapshots::default();
        for (date, as_of) in self.job.dates.iter().enumerate() {
            let at = date % self.concurrency.dates;
            if !whole && at == 0 {
                let window = date..(date + self.concurrency.dates).min(dates);
                // The old ones go before the new ones come.
                drop(std::mem::take(&mut of_window));
                of_window = self.buckets.fold(buckets.clone(), &self.plan.fold.only_dates(window))?;
            }
            let measured = if whole { &panels } else { &of_window };
            let mut rows = CustomerRows::new(measured, &customers, at, &self.plan.fold);
            self.score(&mut rows, &panels, &customers, &self.scoring[date]);
            let states: Vec<Vec<u16>> =
                (0..self.classifiers.len()).map(|scheme| self.states(scheme, &rows, &self.scoring[date])).collect();
            movement.advance(self, date, &rows, &states, &mut part);
            if let Some(strategies) = self.strategies {
                snapshots.record(self, strategies, date, (&panels, &customers), &mut rows, &states);
            }
            if !as_of.shown {
                continue;
            }
            self.add_segments(date, &customers, &rows, &states, &mut part.segments);
            if let Some(table) = self.table(TableName::Customers)
                && (number == 0 || !rows.is_empty())
            {
                let batch = self.customers(table, date, &panels, &customers, &rows, &states, &movement)?;
                part.files.push((table.name, self.write(table, Some(as_of.date), number, &batch)?));
            }
            if date + 1 == self.job.dates.len() {
                part.crm.push((number, self.crm(date, &panels, &customers, &rows, &states, &movement)?));
            }
            if let Some(table) = self.table(TableName::Movers) {
                let movers = movement.movers(self, date, &rows, &states);
                for mover in &movers {
                    let slice = self.slice_of(&panels, &customers, mover.place);
                    let key = (date as u32, mover.from_date, slice, mover.scheme, mover.from, mover.to, mover.behaviour);
                    *part.movers.entry(key).or_default() += 1;
                }
                if number == 0 || !movers.is_empty() {
                    let batch = self.movers(table, &panels, &customers, &movers)?;
                    part.files.push((table.name, self.write(table, Some(as_of.date), number, &batch)?));
                }
            }
        }
        if let Some(table) = self.table(TableName::StateHistory) {
            let stays = movement.into_stays();
            if number == 0 || !stays.is_empty() {
                let batch = self.state_history(table, &panels, &customers, &stays)?;
                part.files.push((table.name, self.write(table, None, number, &batch)?));
            }
        }
        if let Some(strategies) = self.strategies {
            part.tallies.push((number, strategies.sum_part(number, &panels, &customers, &snapshots)?));
        }
        Ok(part)
    }

    /// The slice number of a place.
    fn slice_of(&self, panels: &[BucketPanel], customers: &PartCustomers, place: u32) -> u32 {
        let (panel, customer) = panel_of(panels, customers.bucket_rows[place as usize]);
        panel.slice(customer)
    }

    /// The value of a slice number; (all) in a job without slices.
    pub fn slice_name(&self, number: u32) -> String {
        let at = number as usize;
        if at < self.slices.len() { self.slices.value(at).to_owned() } else { "(all)".into() }
    }

    fn table(&self, name: TableName) -> Option<&PartTable> {
        self.tables.iter().find(|t| t.name == name)
    }

    fn write(&self, table: &PartTable, as_of: Option<Day>, number: usize, batch: &RecordBatch) -> Result<TableFile> {
        let encoded = encode(&table.definition, &table.schema, batch, &self.job.raw.name)?;
        let folder = as_of.map_or_else(String::new, |day| format!("as_of={day}/"));
        self.staging.put(format!("{}/{folder}part-{number:03}.parquet", table.definition.name), encoded)
    }

    /// Adds the sums of every state: of everybody, and of those who share a value of a dimension.
    fn add_segments(
        &self,
        date: usize,
        customers: &PartCustomers,
        rows: &CustomerRows,
        states: &[Vec<u16>],
        sums: &mut Vec<(SegmentKey, SegmentSum)>,
    ) {
        let Some(columns) = SumColumns::new(self.plan, rows) else { return };
        let row_of: Vec<Option<usize>> =
            if customers.dimensions.is_empty() { Vec::new() } else { rows.row_of_customer(customers.len()) };
        let states = States::new(self.states.iter().map(|names| names.len()).collect(), states);
        let mut add = |slice: u32, dimension: u32, value: u32, by_scheme: Vec<Vec<SegmentSum>>| {
            for (scheme, dense) in by_scheme.into_iter().enumerate() {
                for (state, sum) in dense.into_iter().enumerate().filter(|(_, s)| s.customers > 0) {
                    sums.push(([date as u32, slice, dimension, value, scheme as u32, state as u32], sum));
                }
            }
        };
        for (slice, of_slice) in &rows.slices {
            add(*slice, 0, 0, states.sums(&columns, of_slice.clone()));
        }
        for (grouping, dimension) in customers.dimensions.iter().zip(1..) {
            for (slice, value, range) in &grouping.groups {
                let own = grouping.places[range.clone()].iter().filter_map(|place| row_of[*place as usize]);
                add(*slice, dimension, *value, states.sums(&columns, own));
            }
        }
    }
}

/// So many cells of sums stay in the nearest cache.
const JOINT_CELLS: usize = 256;

/// The states of rows in all schemes.
struct States<'a> {
    /// How many states each scheme has.
    names: Vec<usize>,
    by_scheme: &'a [Vec<u16>],
    /// The states of all schemes as one number, unless there are too many: so that rows are added up once.
    joint: Option<Vec<u16>>,
}

impl States<'_> {
    fn new(names: Vec<usize>, by_scheme: &[Vec<u16>]) -> States<'_> {
        let joint = (names.iter().product::<usize>() <= JOINT_CELLS).then(|| {
            let mut joint = vec![0; by_scheme.first().map_or(0, Vec::len)];
            for (states, names) in by_scheme.iter().zip(&names) {
                joint.iter_mut().zip(states).for_each(|(joint, state)| *joint = *joint * *names as u16 + state);
            }
            joint
        });
        States { names, by_scheme, joint }
    }

    /// The sums of some rows by scheme and state.
    fn sums(&self, columns: &SumColumns<'_>, rows: impl Iterator<Item = usize> + Clone) -> Vec<Vec<SegmentSum>> {
        let Some(joint) = &self.joint else {
            return self
                .names
                .iter()
                .zip(self.by_scheme)
                .map(|(names, states)| columns.sums(*names, states, rows.clone()))
                .collect();
        };
        let mut by_scheme: Vec<Vec<SegmentSum>> = self.names.iter().map(|names| vec![SegmentSum::default(); *names]).collect();
        let cells = columns.sums(self.names.iter().product(), joint, rows);
        for (cell, sum) in cells.iter().enumerate().filter(|(_, s)| s.customers > 0) {
            let mut rest = cell;
            for (own, names) in by_scheme.iter_mut().zip(&self.names).rev() {
                own[rest % names].merge(sum);
                rest /= names;
            }
        }
        by_scheme
    }
}

/// The columns that `segments` sums.
struct SumColumns<'a> {
    recency: &'a [i32],
    frequency: &'a [i64],
    monetary: &'a [i64],
    revenue: &'a [i64],
    revenue_at_risk: &'a [i64],
}

impl SumColumns<'_> {
    /// The columns of these rows; `None` if the job does not ask for `segments`.
    fn new<'a>(plan: &Plan, rows: &'a CustomerRows) -> Option<SumColumns<'a>> {
        let longs = |at: usize| if let Column::Long(values) = &rows.columns[at] { values.as_slice() } else { &[] };
        let [recency, frequency, monetary] = plan.axes;
        Some(SumColumns {
            recency: if let Column::Int(values) = &rows.columns[recency] { values } else { &[] },
            frequency: longs(frequency),
            monetary: longs(monetary),
            revenue: longs(plan.revenue?),
            revenue_at_risk: longs(plan.revenue_at_risk?),
        })
    }

    /// The sums of some rows by state.
    fn sums(&self, names: usize, states: &[u16], rows: impl Iterator<Item = usize>) -> Vec<SegmentSum> {
        let mut dense = vec![SegmentSum::default(); names];
        let known = |value: i64| if value == NULL_LONG { 0 } else { value };
        // Unless money is an average, both are one column.
        let is_same = std::ptr::eq(self.monetary, self.revenue);
        for row in rows {
            let sum = &mut dense[usize::from(states[row])];
            let (recency, orders) = (self.recency[row], known(self.frequency[row]));
            let bought = recency != NULL_INT;
            sum.customers += 1;
            sum.buyers += i64::from(bought);
            sum.orders += orders;
            sum.repeat_customers += i64::from(orders >= 2);
            sum.recency_days += if bought { i64::from(recency) } else { 0 };
            sum.revenue += i128::from(known(self.revenue[row]));
            sum.revenue_at_risk += i128::from(known(self.revenue_at_risk[row]));
            if !is_same {
                sum.monetary += i128::from(known(self.monetary[row]));
            }
        }
        if is_same {
            dense.iter_mut().for_each(|sum| sum.monetary = sum.revenue);
        }
        dense
    }
}

fn wrong(table: &TableDefinition, error: impl std::fmt::Display) -> Error {
    Error::bug(format!("{} cannot be put together: {error}", table.name))
}

/// Where a customer of a part lies: bucket within the part, and customer within the bucket.
pub type BucketRow = (u32, u32);

/// The id and slice that a seat stands for.
pub fn panel_of(panels: &[BucketPanel], seat: BucketRow) -> (&BucketPanel, usize) {
    (&panels[seat.0 as usize], seat.1 as usize)
}
