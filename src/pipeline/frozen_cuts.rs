//! Cut points taken from a `cutpoints` table of another run.

use std::collections::BTreeMap;
use std::fmt::Display;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Int32Type};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use crate::domain::Ratio;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::job::raw::{Closed, Levels};
use crate::score::{Axis, Cut, CutPoints, Level, SliceScoring};
use crate::storage::Place;

/// Reads a `cutpoints` table: cut points (and level bounds) by slice value, of the last as-of date in it.
///
/// # Errors
/// Exit 4 if it cannot be read, exit 3 if it does not fit the job.
pub fn read_table(place: &Place, job: &Job) -> Result<BTreeMap<String, SliceScoring>> {
    let table = CutPointTable { name: place.to_string() };
    let mut rows = Vec::new();
    for batch in table.open(place)? {
        table.push_rows(&batch, &mut rows)?;
    }
    let last = rows.iter().filter_map(|row: &Row| row.as_of).max();
    rows.retain(|row| row.as_of == last);
    rows.sort_by(|a, b| (&a.slice, &a.axis, a.bin).cmp(&(&b.slice, &b.axis, b.bin)));
    let mut slices: BTreeMap<String, SliceScoring> = BTreeMap::new();
    for bins in rows.chunk_by(|a, b| a.slice == b.slice && a.axis == b.axis) {
        let Some(first) = bins.first() else { continue };
        let scoring = slices.entry(first.slice.clone()).or_default();
        if let Some(axis) = Axis::ALL.into_iter().find(|axis| axis.name() == first.axis) {
            table.check_bins(job, bins.len(), axis)?;
            scoring.cuts[axis as usize] = Some(cut_points(axis, first, bins));
        } else if let Some(axis) = Axis::ALL.into_iter().find(|axis| axis.level_name() == first.axis) {
            let level = table.level(job, axis, first)?;
            scoring.levels.get_or_insert([level; 3])[axis as usize] = level;
        }
    }
    if let Some((slice, _)) = slices.iter().find(|(_, scoring)| scoring.cuts.iter().any(Option::is_none)) {
        return Err(Error::contract(format!(
            "{} (score.cuts) lacks an axis for slice {slice:?}; use a complete cutpoints table",
            table.name
        )));
    }
    Ok(slices)
}

/// A row of the table: a bin of an axis, or a side of a level.
struct Row {
    as_of: Option<i32>,
    slice: String,
    axis: String,
    bin: i32,
    lower: Option<Ratio>,
    upper: Option<Ratio>,
    closed: Closed,
}

/// The table under the name that errors show.
struct CutPointTable {
    name: String,
}

impl CutPointTable {
    fn unreadable(&self, why: impl Display) -> Error {
        Error::input(format!("cannot read the cut points {} (score.cuts): {why}; name the cutpoints.parquet of a run", self.name))
    }

    fn open(&self, place: &Place) -> Result<Vec<RecordBatch>> {
        let bytes = match place {
            Place::Local(path) => std::fs::read(path).map_err(|e| self.unreadable(&e).caused_by(e))?,
            Place::Object(_) => place.read().map_err(|e| e.of(&self.name))?,
        };
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(Bytes::from(bytes), options)
            .and_then(|builder| builder.build())
            .map_err(|e| self.unreadable(&e).caused_by(e))?;
        reader.collect::<std::result::Result<_, _>>().map_err(|e| self.unreadable(&e).caused_by(e))
    }

    fn column<'a>(&self, batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
        batch.column_by_name(name).ok_or_else(|| self.unreadable(format!("it has no column {name:?}")))
    }

    fn text(&self, batch: &RecordBatch, name: &str, row: usize) -> Result<Option<String>> {
        let column = self.column(batch, name)?;
        if *column.data_type() != DataType::Utf8 {
            return Err(self.unreadable(format!("its column {name:?} is not a string")));
        }
        Ok((!column.is_null(row)).then(|| column.as_string::<i32>().value(row).to_owned()))
    }

    fn ratio(&self, batch: &RecordBatch, name: &str, row: usize) -> Result<Option<Ratio>> {
        Ok(self.text(batch, name, row)?.and_then(|text| Ratio::parse(&text)))
    }

    fn push_rows(&self, batch: &RecordBatch, rows: &mut Vec<Row>) -> Result<()> {
        let bins = self.column(batch, "bin")?;
        if *bins.data_type() != DataType::Int32 {
            return Err(self.unreadable("its column \"bin\" is not an integer"));
        }
        let as_of = batch.column_by_name("as_of").filter(|column| *column.data_type() == DataType::Date32);
        for row in 0..batch.num_rows() {
            let closed = self.text(batch, "closed", row)?;
            rows.push(Row {
                as_of: as_of.map(|column| column.as_primitive::<Date32Type>().value(row)),
                lower: self.ratio(batch, "lower_exact", row)?,
                upper: self.ratio(batch, "upper_exact", row)?,
                slice: self.text(batch, "slice", row)?.unwrap_or_default(),
                axis: self.text(batch, "axis", row)?.unwrap_or_default(),
                bin: bins.as_primitive::<Int32Type>().value(row),
                closed: if closed.as_deref() == Some("left") { Closed::Left } else { Closed::Right },
            });
        }
        Ok(())
    }

    fn check_bins(&self, job: &Job, bins: usize, axis: Axis) -> Result<()> {
        if bins == job.score.bins as usize {
            return Ok(());
        }
        Err(Error::contract(format!(
            "{} (score.cuts) has {bins} bins of {}, but the job has score.bins = {}; use the cut points of a job with as many",
            self.name,
            axis.name(),
            job.score.bins
        )))
    }

    fn level(&self, job: &Job, axis: Axis, low: &Row) -> Result<Level> {
        let of_score = job.score.levels == Levels::Score;
        let bound = low.upper.ok_or_else(|| self.unreadable(format!("{} has no bound", low.axis)))?;
        Ok(Level { bound, high_below: axis.is_reversed() && !of_score, of_score })
    }
}

/// The cut points between bins that ascend; `first` is the first of them.
fn cut_points(axis: Axis, first: &Row, bins: &[Row]) -> CutPoints {
    let cut = |low: &Row, high: &Row| match low.upper.or(high.lower) {
        Some(ratio) => Cut::At(ratio),
        // Without a bound between them, either all customers are below it or all are above.
        None if low.lower.is_some() || first.upper.is_some() => Cut::Highest,
        None if axis.is_reversed() => Cut::Lowest,
        None => Cut::Highest,
    };
    let cuts = bins.windows(2).map(|pair| match pair {
        [low, high] => cut(low, high),
        _ => Cut::Highest,
    });
    CutPoints { cuts: cuts.collect(), closed: first.closed, reversed: axis.is_reversed() }
}
