//! Cut points and levels of every as-of date and slice, from the distributions of all customers.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::job::raw::Method;
use crate::job::{Cuts, Job};
use crate::plan::Plan;
use crate::score::{self, Axis, CutPoints, DateScoring, Level, SliceDistributions, SliceScoring, SpillableDistribution};

/// The scoring of every as-of date. `frozen` are given cut points by slice number, for all dates.
///
/// # Errors
/// Exit 1 if a table of cut points was not read; exits 4 to 7 if values outside memory cannot be read.
pub fn score(
    job: &Job,
    plan: &Plan,
    dates: &[Vec<SliceDistributions>],
    frozen: Option<&[Option<SliceScoring>]>,
) -> Result<Vec<DateScoring>> {
    let date = |at: usize, frozen: Option<&[Option<SliceScoring>]>| score_date(job, plan, &dates[at], frozen);
    match (&job.score.cuts, frozen) {
        (_, Some(frozen)) => (0..dates.len()).into_par_iter().map(|at| date(at, Some(frozen))).collect(),
        (Cuts::Each, None) => (0..dates.len()).into_par_iter().map(|at| date(at, None)).collect(),
        (Cuts::Frozen, None) => {
            let first = job.published().next().map_or(0, |(at, _)| at);
            let of_first = date(first, None)?;
            // Nobody stood in the slice at the first date, so there is nothing to score its other customers by.
            let frozen: Vec<Option<SliceScoring>> = of_first.iter().map(|s| (s.scored > 0).then(|| s.clone())).collect();
            let scored = (0..dates.len()).into_par_iter();
            scored.map(|at| if at == first { Ok(of_first.clone()) } else { date(at, Some(&frozen)) }).collect()
        }
        (Cuts::Table(_), None) => Err(Error::bug("frozen cuts of a table were not read")),
    }
}

fn score_date(
    job: &Job,
    plan: &Plan,
    distributions: &[SliceDistributions],
    frozen: Option<&[Option<SliceScoring>]>,
) -> Result<DateScoring> {
    let of_slice = |(slice, values): (usize, &SliceDistributions)| -> Result<SliceScoring> {
        let given = frozen.map(|f| f.get(slice).and_then(Option::as_ref));
        let mut out = SliceScoring { scored: values.axes[0].len(), ..SliceScoring::default() };
        let axes = Axis::ALL.into_par_iter().map(|axis| score_axis(job, plan, axis, &values.axes[axis as usize], given));
        let axes: Vec<AxisScoring> = axes.collect::<Result<_>>()?;
        for (at, axis) in axes.into_iter().enumerate() {
            out.thresholds[at] = axis.cuts.as_ref().map(CutPoints::thresholds).unwrap_or_default();
            out.cuts[at] = axis.cuts;
            out.bins[at] = axis.bins;
            out.level_sides[at] = axis.level_sides;
            out.tile_starts[at] = score::tile_starts(&values.ranked[at], job.score.bins);
            if let Some(level) = axis.level {
                out.levels.get_or_insert([level; 3])[at] = level;
            }
        }
        out.most_common = values.axes[Axis::Frequency as usize].most_common();
        Ok(out)
    };
    distributions.par_iter().enumerate().map(of_slice).collect()
}

#[derive(Default)]
struct AxisScoring {
    cuts: Option<CutPoints>,
    bins: Vec<u64>,
    level: Option<Level>,
    level_sides: [u64; 2],
}

fn score_axis(
    job: &Job,
    plan: &Plan,
    axis: Axis,
    values: &SpillableDistribution,
    frozen: Option<Option<&SliceScoring>>,
) -> Result<AxisScoring> {
    let values = &values.values();
    let bins = job.score.bins;
    let spec = &job.score.axes[axis as usize];
    let mut out = AxisScoring {
        cuts: match frozen {
            None => score::cut_points(axis, spec, bins, values)?,
            Some(given) => given.and_then(|s| s.cuts[axis as usize].clone()),
        },
        ..AxisScoring::default()
    };
    // Scores with how many customers have them.
    let scores: Vec<(i128, u64)> = match &out.cuts {
        Some(cuts) => {
            out.bins = values.bins(&cuts.thresholds())?;
            out.bins.iter().enumerate().map(|(bin, n)| (i128::from(cuts.score_of_bin(bin)), *n)).collect()
        }
        None if spec.method == Method::Ntile => (1..).zip(score::tile_sizes(values.len(), bins)).collect(),
        None => Vec::new(),
    };
    if plan.uses_levels() && (frozen.is_some() || !values.is_empty()) {
        let score_sum = scores.iter().map(|(score, n)| score * i128::from(*n)).sum();
        let level = match frozen {
            None => Some(Level::new(axis, job.score.levels, values, score_sum)?),
            Some(given) => given.and_then(|s| s.levels).map(|l| l[axis as usize]),
        };
        if let Some(level) = level {
            let threshold = level.threshold();
            if level.of_score {
                for (score, n) in scores {
                    out.level_sides[usize::from(score >= i128::from(threshold))] += n;
                }
            } else {
                out.level_sides.copy_from_slice(&values.bins(&[threshold])?);
            }
            out.level = Some(level);
        }
    }
    Ok(out)
}
