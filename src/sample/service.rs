//! Service tickets with their cost, and answers to surveys, of a sample's customers, written customer by customer.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal64Array, Int32Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use rand_distr::{Distribution, LogNormal, Poisson};

use super::calendar::{DAY_SECONDS, time_of_day};
use super::columns::{MICROS, MONEY, id_array, money, names};
use super::error;
use super::file::{Draft, SAMPLE_KEY};
use super::plan::Plan;
use super::rng::{Purpose, Streams};
use crate::domain::SplitMix;
use crate::error::Result;

/// Customers per batch.
const BATCH: u64 = 1 << 16;

/// Beside the orders; readers of a folder of orders pass over names that begin with an underscore.
pub(super) const FOLDER: &str = "_service";

/// The name of the file.
pub(super) const NAME: &str = "service.parquet";

/// Values of the column `event`, in the order of their numbers.
const EVENTS: [&str; 2] = ["ticket", "survey"];

/// Tickets that a customer opens on arrival, and per day on which the customer buys.
const TICKETS_AT_FIRST: f64 = 0.05;
const TICKETS_PER_DAY: f64 = 0.003;

/// How much more often than usual customers open tickets: most rarely do, some again and again.
const LEANINGS: [f64; 10] = [0.4, 0.4, 0.4, 0.4, 0.4, 0.8, 0.8, 0.8, 2.0, 5.0];

/// Logarithm and spread of the cents that a ticket costs: half of them less than 9.00.
const COST: (f64, f64) = (6.8, 0.8);

/// Share of tickets after which a survey is answered, within how many days, and from 0 to which score.
const ANSWERED: f64 = 0.4;
const ANSWER_DAYS: u64 = 4;
const BEST_SCORE: i64 = 10;

/// Cents of a ticket that cost a point of the score.
const CENTS_PER_POINT: i64 = 600;

/// Writes the file into a folder beside the orders; returns it with the number of events.
pub(super) fn write(plan: &Plan, folder: &Path) -> Result<Draft> {
    let folder = folder.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|e| error::folder(&folder, e))?;
    let (mut draft, output) = Draft::create(&folder, NAME)?;
    let path = draft.path().to_owned();
    let failed = |e| error::parquet(&path, e);
    let schema = schema(plan);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(failed)?))
        .set_key_value_metadata(Some(vec![KeyValue::new(SAMPLE_KEY.to_owned(), "service".to_owned())]))
        .build();
    let mut writer = ArrowWriter::try_new(output, Arc::clone(&schema), Some(properties)).map_err(failed)?;
    let streams = Streams::new(plan.seed, Purpose::Service);
    let costs = LogNormal::new(COST.0, COST.1).map_err(|e| error::bug(format!("no costs of tickets, {e}")))?;
    for first in (0..plan.customers).step_by(BATCH as usize) {
        let mut events = Events::default();
        for (start, customers) in plan.calendar.arrivals_in(first..(first + BATCH).min(plan.customers)) {
            for customer in customers {
                let active = plan.buyers.buyer(customer, start).active_in(&(0..plan.calendar.days()));
                events.add(plan, customer, active, &costs, &mut streams.at(customer, 0))?;
            }
        }
        draft.rows += events.customers.len() as u64;
        events.into_batch(plan, &schema).map_err(ParquetError::from).and_then(|batch| writer.write(&batch)).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(draft)
}

fn schema(plan: &Plan) -> SchemaRef {
    let columns = [
        ("customer_id", plan.ids.data_type()),
        ("event", DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8))),
        ("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
        ("cost", DataType::Decimal64(MONEY.0, MONEY.1)),
        ("score", DataType::Int32),
    ];
    Arc::new(Schema::new(columns.map(|(name, kind)| Field::new(name, kind, true)).to_vec()))
}

/// Events, column by column.
#[derive(Default)]
struct Events {
    /// Ids, from 1.
    customers: Vec<i64>,
    kinds: Vec<i8>,
    /// Seconds since 1970-01-01.
    seconds: Vec<i64>,
    costs: Vec<Option<i64>>,
    scores: Vec<Option<i32>>,
}

impl Events {
    /// Adds the tickets and answers of a customer who buys on these days.
    fn add(
        &mut self,
        plan: &Plan,
        customer: u64,
        active: Range<usize>,
        costs: &LogNormal<f64>,
        stream: &mut SplitMix,
    ) -> Result<()> {
        let days = active.end.saturating_sub(active.start) as u64;
        let expected = stream.pick(&LEANINGS, 1.0) * (TICKETS_AT_FIRST + TICKETS_PER_DAY * days as f64);
        let tickets = Poisson::new(expected).map_err(|e| error::bug(format!("no number of tickets, {e}")))?.sample(stream) as u64;
        for _ in 0..tickets {
            let second = (active.start as u64 + stream.below(days.max(1))) * DAY_SECONDS + time_of_day(stream);
            let cost = costs.sample(stream).round() as i64;
            self.push(customer, 0, plan.calendar.epoch_seconds(second), (Some(cost), None));
            let answered = second + (1 + stream.below(ANSWER_DAYS)) * DAY_SECONDS;
            let is_answered = stream.chance(ANSWERED) && answered < plan.calendar.days() as u64 * DAY_SECONDS;
            let score = BEST_SCORE - cost / CENTS_PER_POINT - stream.below(3) as i64;
            if is_answered {
                let score = score.clamp(0, BEST_SCORE) as i32;
                self.push(customer, 1, plan.calendar.epoch_seconds(answered), (None, Some(score)));
            }
        }
        Ok(())
    }

    fn push(&mut self, customer: u64, kind: i8, second: i64, (cost, score): (Option<i64>, Option<i32>)) {
        self.customers.push(customer as i64 + 1);
        self.kinds.push(kind);
        self.seconds.push(second);
        self.costs.push(cost);
        self.scores.push(score);
    }

    fn into_batch(self, plan: &Plan, schema: &SchemaRef) -> std::result::Result<RecordBatch, arrow::error::ArrowError> {
        let times = TimestampMicrosecondArray::from_iter_values(self.seconds.iter().map(|second| second * MICROS));
        let columns: Vec<ArrayRef> = vec![
            id_array(plan.ids, &self.customers)?,
            names(&EVENTS, self.kinds)?,
            Arc::new(times.with_timezone("UTC")),
            money(Decimal64Array::from(self.costs))?,
            Arc::new(Int32Array::from(self.scores)),
        ];
        RecordBatch::try_new(Arc::clone(schema), columns)
    }
}
