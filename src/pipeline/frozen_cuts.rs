//! Cut points taken from a `cutpoints` table of another run.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Int32Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::domain::Ratio;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::job::raw::{Closed, Levels};
use crate::score::{Axis, Cut, CutPoints, Level, SliceScoring};

/// Reads a `cutpoints` table: cut points (and level bounds) by slice value, of the last as-of date in it.
///
/// # Errors
/// Exit 4 if it cannot be read, exit 3 if it does not fit the job.
pub fn read_table(path: &Path, job: &Job) -> Result<BTreeMap<String, SliceScoring>> {
    let name = path.display().to_string();
    let io = |e: &dyn std::fmt::Display| {
        Error::input(format!("cannot read the cut points {name} (score.cuts): {e}; name the cutpoints.parquet of a run"))
    };
    let file = std::fs::File::open(path).map_err(|e| io(&e).caused_by(e))?;
    let options = parquet::arrow::arrow_reader::ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .and_then(|b| b.build())
        .map_err(|e| io(&e).caused_by(e))?;
    let batches: Vec<RecordBatch> = reader.collect::<std::result::Result<_, _>>().map_err(|e| io(&e).caused_by(e))?;
    struct Row {
        as_of: Option<i32>,
        slice: String,
        axis: String,
        bin: i32,
        upper: Option<Ratio>,
        closed: Closed,
        lower: Option<Ratio>,
        customers_below: bool,
    }
    let mut rows: Vec<Row> = Vec::new();
    for batch in &batches {
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| io(&format!("it has no column {name:?}")));
        let text = |name: &str, row: usize| -> Result<Option<String>> {
            let column = column(name)?;
            if *column.data_type() != DataType::Utf8 {
                return Err(io(&format!("its column {name:?} is not a string")));
            }
            Ok((!column.is_null(row)).then(|| column.as_string::<i32>().value(row).to_owned()))
        };
        let bins = column("bin")?;
        if *bins.data_type() != DataType::Int32 {
            return Err(io(&"its column \"bin\" is not an integer"));
        }
        for row in 0..batch.num_rows() {
            let as_of = batch
                .column_by_name("as_of")
                .filter(|c| *c.data_type() == DataType::Date32)
                .map(|c| c.as_primitive::<Date32Type>().value(row));
            let ratio = |text: Option<String>| text.and_then(|t| Ratio::parse(&t));
            let (lower, upper) = (ratio(text("lower_exact", row)?), ratio(text("upper_exact", row)?));
            rows.push(Row {
                as_of,
                slice: text("slice", row)?.unwrap_or_default(),
                axis: text("axis", row)?.unwrap_or_default(),
                bin: bins.as_primitive::<Int32Type>().value(row),
                closed: if text("closed", row)?.as_deref() == Some("left") { Closed::Left } else { Closed::Right },
                customers_below: lower.is_some(),
                lower,
                upper,
            });
        }
    }
    let last = rows.iter().filter_map(|r| r.as_of).max();
    rows.retain(|r| r.as_of == last);
    rows.sort_by(|a, b| (&a.slice, &a.axis, a.bin).cmp(&(&b.slice, &b.axis, b.bin)));
    let mut out: BTreeMap<String, SliceScoring> = BTreeMap::new();
    for group in rows.chunk_by(|a, b| a.slice == b.slice && a.axis == b.axis) {
        let Some(first) = group.first() else { continue };
        let scoring = out.entry(first.slice.clone()).or_default();
        if let Some(axis) = Axis::ALL.into_iter().find(|a| a.name() == first.axis) {
            if group.len() != job.score.bins as usize {
                return Err(Error::contract(format!(
                    "{name} (score.cuts) has {} bins of {}, but the job has score.bins = {}; use the cut points of a job with as many",
                    group.len(),
                    first.axis,
                    job.score.bins
                )));
            }
            // An open end inside: below it nobody stood, or above it nobody did.
            let cuts = group.windows(2).map(|pair| match pair {
                [low, high] => match low.upper.or(high.lower) {
                    Some(ratio) => Cut::At(ratio),
                    None if low.customers_below || first.upper.is_some() => Cut::Highest,
                    None if axis.is_reversed() => Cut::Lowest,
                    None => Cut::Highest,
                },
                _ => Cut::Highest,
            });
            let cuts = CutPoints { cuts: cuts.collect(), closed: first.closed, reversed: axis.is_reversed() };
            scoring.cuts[axis as usize] = Some(cuts);
        } else if let Some(axis) = Axis::ALL.into_iter().find(|a| a.level_name() == first.axis) {
            let of_score = job.score.levels == Levels::Score;
            let bound = first.upper.ok_or_else(|| io(&format!("{} has no bound", first.axis)))?;
            let level = Level { bound, high_below: axis.is_reversed() && !of_score, of_score };
            let mut levels = scoring.levels.unwrap_or([level; 3]);
            levels[axis as usize] = level;
            scoring.levels = Some(levels);
        }
    }
    if let Some((slice, _)) = out.iter().find(|(_, s)| s.cuts.iter().any(Option::is_none)) {
        return Err(Error::contract(format!(
            "{name} (score.cuts) lacks an axis for slice {slice:?}; use a complete cutpoints table"
        )));
    }
    Ok(out)
}
