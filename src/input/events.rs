//! `[events]`: what happened to customers besides their orders, spread over the buckets of the orders.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array, ArrayRef, StringViewArray};
use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use super::column_types::ColumnRole;
use super::decode::{self, Integers};
use super::event_values::{self, EventValues};
use super::joined::SchemaWanted;
use super::keys::{self, CustomerKeys};
use super::open::{self, Opened};
use super::reader::FileReader;
use super::schema;
use super::source::Source;
use super::threads::on_all_threads;
use super::zone::Zone;
use crate::bucket::{BucketStore, BucketWriter, KeptBuckets, PackedBucket, RecordLayout, flag};
use crate::domain::{Day, EventKind, IdType, Warning};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::job::raw::RawEvents;
use crate::measure::EventBuckets;
use crate::memory::{Consumer, MemoryPool};
use crate::progress::Progress;

/// Most values of the event column whose kinds a thread caches.
const MAX_CACHED: usize = 1000;
/// Most values without a kind that messages show.
const MAX_OTHER: usize = 10;

/// The events of a job, opened.
#[derive(Debug, Clone, Default)]
pub struct EventsTable {
    /// Their files; none if the job has no events.
    pub sources: Vec<Source>,
    /// What to say of them.
    pub warnings: Vec<Warning>,
    /// Whether the ids of the customers are strings.
    pub text_ids: bool,
    /// The zone of business dates, and that of naive timestamps if it is another one.
    zones: Option<(Zone, Option<Zone>)>,
}

/// Rows of events by outcome.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EventCounts {
    /// Without a customer.
    pub no_customer: u64,
    /// Without a date, or with one outside the years 1 to 9999.
    pub no_date: u64,
    /// Without an event.
    pub no_event: u64,
    /// The day of the first event up to the last as-of date.
    pub first: Option<Day>,
    /// With an id that no customer of the orders can have.
    pub impossible: u64,
    /// The values of the event column by kind, up to the last as-of date; of values without a kind the first ten.
    pub values: BTreeMap<EventKind, BTreeSet<String>>,
}

/// Opens the events; none if the job has no such section.
///
/// # Errors
/// Exit 2: unknown time zones; exit 3: columns that are missing, of a type that does not serve, or that differ between
/// files; exit 4: files that cannot be read.
pub fn open(job: &Job) -> Result<EventsTable> {
    let Some(events) = &job.raw.events else { return Ok(EventsTable::default()) };
    let place = |key: &str, value: &str| job.source.locate(key, value);
    let zone = |name: &str, key| Zone::named(name, &format!("{}: {key}", place(key, name)));
    let name = events.timezone.as_ref().unwrap_or(&job.raw.orders.timezone);
    let own = zone(name, "events.timezone")?;
    let orders_naive = job.raw.orders.naive_timezone.as_ref().filter(|_| events.timezone.is_none());
    let naive = events.naive_timezone.as_ref().or(orders_naive).filter(|naive| *naive != name);
    let naive = naive.map(|naive| zone(naive, "events.naive_timezone")).transpose()?;
    let values: Vec<(EventKind, &str)> =
        job.event_kinds.value_columns().map(|(kind, values)| (kind, values.column.as_str())).collect();
    let roles = [&events.customer_id, &events.event, &events.at].map(String::as_str);
    let wanted = SchemaWanted {
        required: roles.to_vec(),
        optional: values.iter().map(|(_, column)| *column).collect(),
        numbers: values.iter().map(|(_, column)| *column).collect(),
        dates: vec![&events.at],
        has_naive_int96: events.naive_timezone.is_some() || orders_naive.is_some(),
        ..SchemaWanted::default()
    };
    let (patterns, manifest) = (&job.event_paths, events.manifest.as_deref());
    let Opened { sources, warnings } = open::open_all(job, patterns, "events.path", manifest, "events.manifest", &wanted)?;
    let column = |name: &str, role, key| schema::column(&sources, name, role, key, &place(key, name));
    let id = column(&events.customer_id, ColumnRole::Customer, "events.customer_id")?;
    column(&events.event, ColumnRole::Text, "events.event")?;
    column(&events.at, ColumnRole::Date, "events.at")?;
    for (kind, name) in values {
        let key = format!("events.kinds.{}.value", kind.name());
        // Every file has its own type of numbers.
        for source in &sources {
            schema::serving(source, &schema::read_schema(source), name, ColumnRole::Money, &key, &place(&key, name))?;
        }
    }
    Ok(EventsTable { text_ids: id == DataType::Utf8View, zones: Some((own, naive)), sources, warnings })
}

impl EventsTable {
    /// Checks that the ids are of a type that can be compared with those of the orders.
    ///
    /// # Errors
    /// Exit 3 if one is text and the other is not.
    pub fn check_ids(&self, job: &Job, id: IdType) -> Result<()> {
        let Some(events) = &job.raw.events else { return Ok(()) };
        keys::comparable(self.text_ids, &events.customer_id, "events.customer_id", id)
    }

    /// Rows by the footers.
    pub fn rows(&self) -> u64 {
        self.sources.iter().map(Source::rows).sum()
    }
}

/// Reads the events into the buckets of the orders, as far as these are kept, with the values of the kinds that need them; `id` is
/// the type of the orders' customer id.
///
/// # Errors
/// Exit 3: values that are no numbers of their scale; exit 4: files that cannot be read.
pub fn read(
    job: &Job,
    table: &EventsTable,
    (id, needs_values): (IdType, &dyn Fn(EventKind) -> bool),
    kept: &KeptBuckets,
    memory: &MemoryPool,
    progress: &dyn Progress,
) -> Result<(EventBuckets, EventCounts)> {
    let values = EventValues::of(job, needs_values);
    let layout = RecordLayout::of_events(id == IdType::Text, values.are_read());
    let (Some(events), Some(zones)) = (&job.raw.events, &table.zones) else {
        return Err(Error::bug("events were asked for without a section [events]"));
    };
    let columns = EventColumns::of(events, &values);
    let groups = |(file, source): (usize, &Source)| (0..source.metadata.metadata().num_row_groups()).map(move |g| (file, g));
    let tasks: Vec<(usize, usize)> = table.sources.iter().enumerate().flat_map(groups).collect();
    progress.begin("reading events", table.rows());
    let start = || EventReader {
        job,
        id,
        zones,
        values: &values,
        kept,
        buckets: BucketWriter::new(layout, kept.all.trailing_zeros()).with_budget(memory, Consumer::Events),
        counts: EventCounts::default(),
        known: HashMap::new(),
        buffers: Vec::new(),
    };
    let run = |reader: &mut EventReader<'_>, (file, group): &(usize, usize)| {
        let source = table.sources.get(*file).ok_or_else(|| Error::bug("an events file is missing"))?;
        reader.run(source, &columns, *group)
    };
    let found = on_all_threads(&tasks, start, run, EventReader::finish, progress)?;
    let (buckets, all_counts): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let mut counts = EventCounts::default();
    all_counts.into_iter().for_each(|own| counts.merge(own));
    let events = EventBuckets { store: BucketStore::join(layout, buckets, memory)?, kinds: job.event_kinds.all.clone() };
    progress.end(&format!("{} events", table.rows()));
    Ok((events, counts))
}

impl EventCounts {
    fn merge(&mut self, other: EventCounts) {
        self.no_customer += other.no_customer;
        self.no_date += other.no_date;
        self.no_event += other.no_event;
        self.impossible += other.impossible;
        self.first = self.first.into_iter().chain(other.first).min();
        for (kind, values) in other.values {
            values.into_iter().for_each(|value| self.note(kind, value));
        }
    }

    /// Adds a value of the event column.
    fn note(&mut self, kind: EventKind, value: String) {
        let values = self.values.entry(kind).or_default();
        values.insert(value);
        if kind == EventKind::Other && values.len() > MAX_OTHER {
            values.pop_last();
        }
    }

    /// The values of the event column of a kind.
    pub fn of(&self, kind: EventKind) -> impl Iterator<Item = &str> {
        self.values.get(&kind).into_iter().flatten().map(String::as_str)
    }
}

/// The columns of events that are read.
struct EventColumns<'a> {
    customer_id: &'a str,
    at: &'a str,
    /// Each once.
    names: Vec<String>,
    /// Where customer, date, event and the columns of values are among them.
    places: Vec<usize>,
}

impl<'a> EventColumns<'a> {
    fn of(events: &'a RawEvents, values: &EventValues) -> EventColumns<'a> {
        let (mut names, mut places): (Vec<String>, Vec<usize>) = Default::default();
        for name in [&events.customer_id, &events.at, &events.event].into_iter().chain(&values.columns) {
            places.push(names.iter().position(|known| known == name).unwrap_or(names.len()));
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        EventColumns { customer_id: &events.customer_id, at: &events.at, names, places }
    }
}

/// A thread that reads events.
struct EventReader<'a> {
    job: &'a Job,
    id: IdType,
    zones: &'a (Zone, Option<Zone>),
    values: &'a EventValues,
    /// The buckets whose events are kept.
    kept: &'a KeptBuckets,
    buckets: BucketWriter,
    counts: EventCounts,
    /// The numbers of the kinds of values that this thread has looked up.
    known: HashMap<String, usize>,
    buffers: Vec<Vec<u8>>,
}

impl EventReader<'_> {
    fn finish(self) -> (Vec<PackedBucket>, EventCounts) {
        (self.buckets.finish(), self.counts)
    }

    fn run(&mut self, source: &Source, columns: &EventColumns<'_>, group: usize) -> Result<u64> {
        let file = source.reopen()?;
        let reader = FileReader::new(source, &columns.names, columns.at)?;
        let mut buffers = std::mem::take(&mut self.buffers);
        let mut rows = 0;
        reader.read(&file, group, &mut buffers, |first, read| {
            let read: Option<Vec<ArrayRef>> = columns.places.iter().map(|place| read.get(*place).cloned()).collect();
            match read.as_deref() {
                Some([customer, at, event, values @ ..]) => {
                    rows += customer.len() as u64;
                    let too_wide =
                        |row: usize, id| source.id_too_wide(first + row as u64, columns.customer_id, "events.customer_id", id);
                    let ids = CustomerKeys::of(customer, self.id, too_wide)?;
                    self.batch((source, first), &ids, [customer, at, event], values)
                }
                _ => Err(Error::bug("a column of the events was not read")),
            }
        })?;
        self.buffers = buffers;
        Ok(rows)
    }

    /// Takes the events of a batch that begins with a row of a file.
    fn batch(
        &mut self,
        (source, first): (&Source, u64),
        ids: &CustomerKeys<'_>,
        [customer, at, event]: [&ArrayRef; 3],
        values: &[ArrayRef],
    ) -> Result<()> {
        let mut dates = Integers::default();
        decode::dates(at, &self.zones.0, self.zones.1.as_ref(), &mut dates)?;
        let mut dated = vec![true; at.len()];
        dates.problems.iter().for_each(|(row, _)| dated[*row] = false);
        let last = i64::from(self.job.last().0);
        let texts = event.as_any().downcast_ref::<StringViewArray>();
        let (mut kinds, mut keep) = (vec![0; at.len()], vec![false; at.len()]);
        let with_values = if self.values.are_read() { at.len() } else { 0 };
        let (mut amounts, mut flags) = (vec![0; with_values], vec![0; with_values]);
        let mut values = self.values.batch(values);
        for row in 0..at.len() {
            if customer.is_null(row) {
                self.counts.no_customer += 1;
            } else if !dated[row] {
                self.counts.no_date += 1;
            } else if event.is_null(row) {
                self.counts.no_event += 1;
            } else if dates.values[row] <= last {
                let kind = self.kind_number(texts, event, row)?;
                kinds[row] = kind as i64;
                keep[row] = ids.is_known(row);
                self.counts.impossible += u64::from(!keep[row]);
                let place = || event_values::place(source, first + row as u64);
                if keep[row]
                    && let Some(value) = values.get(kind, row, place)?
                {
                    (amounts[row], flags[row]) = (value, flag::VALUE);
                }
            }
        }
        let kept = dates.values.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(date, _)| Day(*date as i32));
        self.counts.first = self.counts.first.into_iter().chain(kept).min();
        if !self.kept.are_all() {
            for (row, keep) in keep.iter_mut().enumerate().filter(|(_, keep)| **keep) {
                *keep = ids.hash(row).is_some_and(|hash| self.kept.of_hash(hash).is_some());
            }
        }
        let keys = ids.lane();
        let times = if self.values.are_read() { decode::microseconds(at) } else { Vec::new() };
        let with_values = [keys.as_slice(), &dates.values, &amounts, &flags, &kinds, &times];
        let without = [keys.as_slice(), &dates.values, &kinds];
        let lanes: &[&[i64]] = if self.values.are_read() { &with_values } else { &without };
        match ids {
            CustomerKeys::Text(texts) => self.buckets.append_text(|row| texts.value(row).as_bytes(), lanes, Some(&keep)),
            CustomerKeys::Int(_) => self.buckets.append(lanes, Some(&keep)),
        }
        self.buckets.spill_if_over_budget()
    }

    /// The number of the kind of the event of a row.
    fn kind_number(&mut self, texts: Option<&StringViewArray>, event: &ArrayRef, row: usize) -> Result<usize> {
        if let Some(number) = texts.and_then(|t| self.known.get(t.value(row))) {
            return Ok(*number);
        }
        let value = decode::text_of(event, row)?.unwrap_or_default();
        if let Some(number) = self.known.get(&value) {
            return Ok(*number);
        }
        let kind = self.job.event_kinds.of_value(&value.to_lowercase());
        let number = self.job.event_kinds.all.number(kind);
        if self.known.len() < MAX_CACHED {
            self.known.insert(value.clone(), number);
        }
        self.counts.note(kind, value);
        Ok(number)
    }
}
