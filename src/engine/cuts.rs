//! Cut points, levels and, for `ntile`, scores, from the panels of all buckets.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use super::Plan;
use crate::domain::{CustomerIds, Ratio};
use crate::error::{Error, Result};
use crate::job::raw::{Closed, Levels, Method};
use crate::job::{Cuts, Job};
use crate::measure::{BucketPanel, Column};
use crate::scheme::Test;
use crate::score::{self, Axis, Cut, CutPoints, Level};

/// The scoring of one slice at one as-of date.
#[derive(Debug, Clone, Default)]
pub struct SliceScoring {
    /// Cut points per axis; `None` under `ntile`.
    pub cuts: [Option<CutPoints>; 3],
    /// Integer thresholds per axis.
    pub thresholds: [Vec<i64>; 3],
    /// Levels, if a scheme looks at them and anybody is scored.
    pub levels: Option<[Level; 3]>,
    /// Scored customers per bin, ascending in the measure.
    pub bins: [Vec<u64>; 3],
    /// Scored customers per side of the level bounds: low values, then high values of the measure.
    pub level_sides: [[u64; 2]; 3],
    /// Scored customers.
    pub scored: u64,
    /// Customers who share the most frequent value, per axis.
    pub most_common: [u64; 3],
}

/// Scores by bucket and row; 0 is unscored.
pub type Tiles = Vec<Vec<u8>>;

/// The scoring of one as-of date.
#[derive(Debug, Clone, Default)]
pub struct DateScoring {
    /// By slice number; one slice if the job has none.
    pub slices: Vec<SliceScoring>,
    /// Under `ntile`: the scores per axis.
    pub tiles: [Option<Tiles>; 3],
}

/// Whether a row passes `[score.only]`.
pub fn is_scored(only: &[(usize, Test)], columns: &[Column], row: usize, scales: &[u32]) -> bool {
    only.iter().all(|(column, test)| {
        let unit = crate::domain::pow10(scales.get(*column).copied().unwrap_or(0)).unwrap_or(1);
        let value = columns[*column].get_ratio(row).map(|(n, d)| Ratio::new(i128::from(n), i128::from(d) * unit));
        test.passes(value)
    })
}

/// What scoring needs to know.
pub struct Context<'a> {
    pub job: &'a Job,
    pub plan: &'a Plan,
    pub panels: &'a [BucketPanel],
    /// Slice code = number in the order of the values.
    pub slice_numbers: &'a [u32],
    /// `[score.only]` by column of the panel.
    pub only: Vec<(usize, Test)>,
    /// Digits behind the point per column of the panel.
    pub scales: Vec<u32>,
}

impl<'a> Context<'a> {
    pub fn new(job: &'a Job, plan: &'a Plan, panels: &'a [BucketPanel], slice_numbers: &'a [u32]) -> Context<'a> {
        let column = |measure| plan.fold.measures.iter().position(|m| *m == measure).unwrap_or(0);
        let only = plan.only.iter().map(|(measure, test)| (column(*measure), *test)).collect();
        let scales = plan.fold.measures.iter().map(|m| crate::scheme::unit_scale(plan.fold.unit(*m), job.scale())).collect();
        Context { job, plan, panels, slice_numbers, only, scales }
    }

    /// How many slices; 1 without.
    pub fn slices(&self) -> usize {
        self.slice_numbers.len().max(1)
    }

    /// The number of the slice of a customer of a bucket.
    pub fn slice(&self, panel: &BucketPanel, customer: u32) -> usize {
        let code = panel.slices.get(customer as usize);
        code.and_then(|code| self.slice_numbers.get(*code as usize)).map_or(0, |n| *n as usize)
    }

    /// Scored values of an axis at a date, by slice.
    fn values(&self, date: usize, axis: Axis) -> Vec<Vec<i64>> {
        let mut by_slice: Vec<Vec<i64>> = vec![Vec::new(); self.slices()];
        let column = self.plan.axes[axis as usize];
        for bucket in self.panels {
            let panel = &bucket.dates[date];
            for (row, customer) in panel.customers.iter().enumerate() {
                if !self.only.is_empty() && !is_scored(&self.only, &panel.columns, row, &self.scales) {
                    continue;
                }
                if let Some(value) = panel.columns[column].get(row) {
                    by_slice[self.slice(bucket, *customer)].push(value);
                }
            }
        }
        by_slice
    }

    /// The scoring of every as-of date.
    ///
    /// # Errors
    /// Exit 2 or 4 if a table of frozen cuts does not serve.
    pub fn score(&self) -> Result<Vec<DateScoring>> {
        let dates = self.job.dates.len();
        match &self.job.score.cuts {
            Cuts::Each => (0..dates).into_par_iter().map(|date| self.score_date(date, None)).collect(),
            Cuts::Frozen => {
                let first = self.score_date(0, None)?;
                // Nobody stood in the slice at the first date, so there is nothing to score its later customers by.
                let frozen: Vec<Option<SliceScoring>> = first.slices.iter().map(|s| (s.scored > 0).then(|| s.clone())).collect();
                let rest: Vec<DateScoring> =
                    (1..dates).into_par_iter().map(|date| self.score_date(date, Some(&frozen))).collect::<Result<_>>()?;
                Ok(std::iter::once(first).chain(rest).collect())
            }
            Cuts::Table(_) => Err(Error::bug("frozen cuts of a table were not read")),
        }
    }

    /// The scoring of every as-of date under given cuts, by slice number.
    pub fn score_with(&self, frozen: &[Option<SliceScoring>]) -> Result<Vec<DateScoring>> {
        (0..self.job.dates.len()).into_par_iter().map(|date| self.score_date(date, Some(frozen))).collect()
    }

    fn score_date(&self, date: usize, frozen: Option<&[Option<SliceScoring>]>) -> Result<DateScoring> {
        let mut out = DateScoring { slices: vec![SliceScoring::default(); self.slices()], ..DateScoring::default() };
        let axes: Vec<(Vec<AxisScoring>, Option<Tiles>)> = Axis::ALL
            .into_par_iter()
            .map(|axis| {
                let values = self.values(date, axis);
                let scored = values.into_par_iter().enumerate().map(|(slice, values)| {
                    let given = frozen.map(|f| f.get(slice).and_then(Option::as_ref));
                    self.score_axis(axis, values, given)
                });
                let scored = scored.collect();
                let tiles = (self.job.score.axes[axis as usize].method == Method::Ntile).then(|| self.tiles(date, axis));
                (scored, tiles)
            })
            .collect();
        for (axis, (slices, tiles)) in Axis::ALL.into_iter().zip(axes) {
            let at = axis as usize;
            out.tiles[at] = tiles;
            for (slice, own) in out.slices.iter_mut().zip(slices) {
                slice.scored = own.scored;
                slice.thresholds[at] = own.cuts.as_ref().map(CutPoints::thresholds).unwrap_or_default();
                slice.cuts[at] = own.cuts;
                slice.bins[at] = own.bins;
                slice.most_common[at] = own.most_common;
                slice.level_sides[at] = own.level_sides;
                if let Some(level) = own.level {
                    let mut levels = slice.levels.unwrap_or([level; 3]);
                    levels[at] = level;
                    slice.levels = Some(levels);
                }
            }
        }
        Ok(out)
    }

    fn score_axis(&self, axis: Axis, mut values: Vec<i64>, frozen: Option<Option<&SliceScoring>>) -> AxisScoring {
        let bins = self.job.score.bins;
        let spec = &self.job.score.axes[axis as usize];
        let mut out = AxisScoring { scored: values.len() as u64, ..AxisScoring::default() };
        out.cuts = match frozen {
            None => score::cut_points(axis, spec, bins, &mut values),
            Some(given) => given.and_then(|s| s.cuts[axis as usize].clone()),
        };
        let mut score_sum = 0i128;
        if let Some(cuts) = &out.cuts {
            let thresholds = cuts.thresholds();
            out.bins = vec![0; bins as usize];
            for value in &values {
                out.bins[score::bin(&thresholds, *value)] += 1;
            }
            let sums = out.bins.iter().enumerate().map(|(bin, n)| i128::from(*n) * i128::from(cuts.score_of_bin(bin)));
            score_sum = sums.sum();
        } else {
            // NTILE: the tiles' sizes follow from n alone.
            let n = values.len();
            score_sum += (0..n).map(|position| i128::from(score::ntile(position, n, bins))).sum::<i128>();
        }
        if self.plan.uses_levels() && (frozen.is_some() || !values.is_empty()) {
            let level = match frozen {
                None => Some(score::level(axis, self.job.score.levels, &mut values, score_sum)),
                Some(given) => given.and_then(|s| s.levels).map(|l| l[axis as usize]),
            };
            if let Some(level) = level {
                let split =
                    |x: i128| usize::from(if level.high_below { x > level.bound.floor() } else { x >= level.bound.ceil() });
                if level.of_score {
                    if let Some(cuts) = &out.cuts {
                        for (bin, n) in out.bins.iter().enumerate() {
                            out.level_sides[split(i128::from(cuts.score_of_bin(bin)))] += n;
                        }
                    } else {
                        let n = values.len();
                        for position in 0..n {
                            out.level_sides[split(i128::from(score::ntile(position, n, bins)))] += 1;
                        }
                    }
                } else {
                    for value in &values {
                        out.level_sides[split(i128::from(*value))] += 1;
                    }
                }
                out.level = Some(level);
            }
        }
        out.most_common = most_common(&mut values, axis);
        out
    }

    /// Scores under `ntile`: positions in the order of value (recency from the longest) and customer id.
    fn tiles(&self, date: usize, axis: Axis) -> Tiles {
        let column = self.plan.axes[axis as usize];
        let mut by_slice: Vec<Vec<(i64, u32, u32)>> = vec![Vec::new(); self.slices()];
        let mut tiles: Tiles = Vec::with_capacity(self.panels.len());
        for (number, bucket) in self.panels.iter().enumerate() {
            let panel = &bucket.dates[date];
            tiles.push(vec![0; panel.customers.len()]);
            for (row, customer) in panel.customers.iter().enumerate() {
                if !self.only.is_empty() && !is_scored(&self.only, &panel.columns, row, &self.scales) {
                    continue;
                }
                if let Some(value) = panel.columns[column].get(row) {
                    let value = if axis.is_reversed() { -value } else { value };
                    by_slice[self.slice(bucket, *customer)].push((value, number as u32, row as u32));
                }
            }
        }
        let id = |bucket: u32, row: u32| {
            let bucket = &self.panels[bucket as usize];
            (&bucket.ids, bucket.dates[date].customers[row as usize] as usize)
        };
        for customers in &mut by_slice {
            customers.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| compare_ids(id(a.1, a.2), id(b.1, b.2))));
            let n = customers.len();
            for (position, (_, bucket, row)) in customers.iter().enumerate() {
                tiles[*bucket as usize][*row as usize] = score::ntile(position, n, self.job.score.bins);
            }
        }
        tiles
    }
}

#[derive(Default)]
struct AxisScoring {
    cuts: Option<CutPoints>,
    bins: Vec<u64>,
    level: Option<Level>,
    level_sides: [u64; 2],
    scored: u64,
    most_common: u64,
}

/// Compares two customer ids, each in its bucket.
pub fn compare_ids(a: (&CustomerIds, usize), b: (&CustomerIds, usize)) -> std::cmp::Ordering {
    match (a, b) {
        ((CustomerIds::Int(a), i), (CustomerIds::Int(b), j)) => a.get(i).cmp(&b.get(j)),
        ((CustomerIds::Text(a), i), (CustomerIds::Text(b), j)) => a.get(i).cmp(b.get(j)),
        _ => std::cmp::Ordering::Equal,
    }
}

/// How many customers share the most frequent value. Only frequency is counted: it alone ties so much that scores
/// stay empty.
fn most_common(values: &mut [i64], axis: Axis) -> u64 {
    if axis != Axis::Frequency {
        return 0;
    }
    let (Some(&min), Some(&max)) = (values.iter().min(), values.iter().max()) else { return 0 };
    if i128::from(max) - i128::from(min) < 1 << 16 {
        let mut counts = vec![0u64; (max - min) as usize + 1];
        for value in values.iter() {
            counts[(value - min) as usize] += 1;
        }
        return counts.into_iter().max().unwrap_or(0);
    }
    values.sort_unstable();
    values.chunk_by(|a, b| a == b).map(|group| group.len() as u64).max().unwrap_or(0)
}

/// The level's bound as the cut of `cutpoints`: which side it belongs to.
pub fn level_closed(level: &Level) -> Closed {
    if level.high_below { Closed::Right } else { Closed::Left }
}

/// Reads a `cutpoints` table: cut points (and level bounds) by slice value, of the last as-of date in it.
///
/// # Errors
/// Exit 4 if it cannot be read, exit 3 if it does not fit the job.
pub fn read_table(path: &Path, job: &Job) -> Result<BTreeMap<String, SliceScoring>> {
    use arrow::array::{Array, AsArray, RecordBatch};
    use arrow::datatypes::{DataType, Date32Type, Int32Type};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let name = path.display().to_string();
    let io = |e: &dyn std::fmt::Display| {
        Error::input(format!("cannot read the cut points {name} (score.cuts): {e}; name the cutpoints.parquet of a run"))
    };
    let file = std::fs::File::open(path).map_err(|e| io(&e))?;
    let options = parquet::arrow::arrow_reader::ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let reader =
        ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).and_then(|b| b.build()).map_err(|e| io(&e))?;
    let batches: Vec<RecordBatch> = reader.collect::<std::result::Result<_, _>>().map_err(|e| io(&e))?;
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
