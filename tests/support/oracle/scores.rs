//! Cut points, scores and levels.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Type-7 cut points at k/bins, ascending; the values need not be sorted and must not be empty.
pub fn quantile_cuts(values: &[i128], bins: u32) -> Vec<Ratio> {
    let mut v = values.to_vec();
    v.sort();
    let b = bins as usize;
    let mut cuts = Vec::new();
    for k in 1..b {
        let h = (v.len() - 1) * k;
        let (low, weight) = (h / b, h % b);
        let mut times_b = b as i128 * v[low];
        if weight > 0 {
            times_b += weight as i128 * (v[low + 1] - v[low]);
        }
        cuts.push(Ratio { num: times_b, den: b as i128 });
    }
    cuts
}

/// `ceil(bins · rank / n)` of every value, ranks ascending from the smallest value.
pub fn rank_scores(values: &[i128], bins: u32, ties: Ties) -> Vec<u32> {
    let n = values.len() as i128;
    let mut scores = Vec::new();
    for x in values {
        let less = values.iter().filter(|y| *y < x).count() as i128;
        let same = values.iter().filter(|y| *y == x).count() as i128;
        let (first, last) = (less + 1, less + same);
        let twice_rank = match ties {
            Ties::Min => 2 * first,
            Ties::Mid => first + last,
            Ties::Max => 2 * last,
        };
        scores.push(divide_up(i128::from(bins) * twice_rank, 2 * n) as u32);
    }
    scores
}

/// SQL `NTILE(bins)` over rows that are already in order: the tile of each position.
pub fn ntile_of_positions(n: usize, bins: u32) -> Vec<u32> {
    let (size, longer) = (n / bins as usize, n % bins as usize);
    let mut tiles = Vec::new();
    for tile in 1..=bins {
        let rows = if (tile as usize) <= longer { size + 1 } else { size };
        tiles.extend(std::iter::repeat_n(tile, rows));
    }
    tiles
}

/// `NTILE(bins)` of values by (value, id), for recency by (value descending, id).
pub fn ntile_scores(axis: Axis, values: &[i128], ids: &[Id], bins: u32) -> Vec<u32> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| {
        let by_value = match axis {
            Axis::Recency => values[b].cmp(&values[a]),
            _ => values[a].cmp(&values[b]),
        };
        by_value.then(ids[a].cmp(&ids[b]))
    });
    let mut scores = vec![0; values.len()];
    for (position, tile) in ntile_of_positions(values.len(), bins).into_iter().enumerate() {
        scores[order[position]] = tile;
    }
    scores
}

/// The cut points of one axis over the scored customers' values, and the side on which they are closed.
///
/// Ascending in the measure. `digits` are the measure's digits after the point. `ntile` has no cuts.
pub fn cut_points(method: &Method, axis: Axis, values: &[i128], bins: u32, digits: u32) -> (Vec<Option<Ratio>>, Closed) {
    match method {
        Method::Quantile => (quantile_cuts(values, bins).into_iter().map(Some).collect(), Closed::Right),
        Method::RRfm => {
            let unit = ten_to(digits);
            let moved = |c: Ratio| Some(Ratio { num: c.num + unit * c.den, den: c.den });
            (quantile_cuts(values, bins).into_iter().map(moved).collect(), Closed::Left)
        }
        Method::Thresholds { cuts, closed } => {
            let minor = |d: &Decimal| Some(Ratio { num: d.unscaled * ten_to(digits), den: ten_to(d.digits) });
            (cuts.iter().map(minor).collect(), *closed)
        }
        Method::Rank(ties) => {
            let whole = |x: i128| Ratio { num: x, den: 1 };
            if axis == Axis::Recency {
                // Mirrored: the cut of a score is its longest recency; bins ascend while scores descend.
                let mirrored: Vec<i128> = values.iter().map(|x| -x).collect();
                let scores = rank_scores(&mirrored, bins, *ties);
                let longest = |score: u32| (0..values.len()).filter(|&i| scores[i] >= score).map(|i| values[i]).max();
                ((1..bins).map(|bin| longest(bins + 1 - bin).map(whole)).collect(), Closed::Right)
            } else {
                let scores = rank_scores(values, bins, *ties);
                let smallest = |score: u32| (0..values.len()).filter(|&i| scores[i] >= score).map(|i| values[i]).min();
                ((1..bins).map(|bin| smallest(bin + 1).map(whole)).collect(), Closed::Left)
            }
        }
        Method::Ntile => (Vec::new(), Closed::Right),
    }
}

/// The bin (1..=bins, ascending in the measure) of a value among cut points.
pub fn bin_of(axis: Axis, cuts: &[Option<Ratio>], closed: Closed, value: i128) -> u32 {
    let mut bin = 1;
    for cut in cuts {
        let beyond = match cut {
            Some(cut) => match closed {
                Closed::Right => cut.compare_to(value).is_lt(),
                Closed::Left => cut.compare_to(value).is_le(),
            },
            // Nobody is on the better side of this cut of `rank`.
            None => axis == Axis::Recency,
        };
        bin += u32::from(beyond);
    }
    bin
}

/// The score of a bin: higher is better on every axis.
pub(super) fn score_of_bin(axis: Axis, bins: u32, bin: u32) -> u32 {
    if axis == Axis::Recency { bins + 1 - bin } else { bin }
}

/// Scores, levels, states and sums of the customers of one slice.
pub(super) fn finish_slice(
    job: &Job,
    slice: Option<String>,
    mut customers: Vec<CustomerRow>,
    frozen: Option<&BTreeMap<Option<String>, Bounds>>,
    seen: &mut BTreeSet<&'static str>,
) -> SliceAnswer {
    let bins = job.bins;
    let scored: Vec<usize> = (0..customers.len())
        .filter(|&i| job.only.iter().all(|(m, test)| holds(*test, measure_value(job, &customers[i], *m))))
        .collect();
    let ids: Vec<Id> = scored.iter().map(|&i| customers[i].id.clone()).collect();
    let values = Axis::ALL.map(|axis| scored.iter().map(|&i| axis_value(axis, &customers[i])).collect::<Vec<i128>>());

    // The cut points of today, or those of the first date.
    let old_cuts = frozen.map(|by_slice| by_slice.get(&slice).cloned());
    let cuts = match &old_cuts {
        Some(None) => None,
        Some(Some(bounds)) => Some(bounds.cuts.clone()),
        None if scored.is_empty() => None,
        None => Some(Axis::ALL.map(|axis| {
            let digits = if axis == Axis::Monetary { job.monetary_digits() } else { 0 };
            cut_points(&job.methods[axis as usize], axis, &values[axis as usize], bins, digits)
        })),
    };
    let Some(cuts) = cuts else {
        // Nobody to score, or nothing to score by.
        if !scored.is_empty() {
            seen.insert(notes::FROZEN_NOBODY);
        }
        let segments = give_states(job, &mut customers, seen);
        return SliceAnswer { slice, customers, cuts: Vec::new(), level_bounds: Vec::new(), bounds: None, segments };
    };

    // Scores.
    let mut scores: [Vec<u32>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    for axis in Axis::ALL {
        let (points, closed) = &cuts[axis as usize];
        let v = &values[axis as usize];
        let by_cuts: Vec<u32> = v.iter().map(|x| score_of_bin(axis, bins, bin_of(axis, points, *closed, *x))).collect();
        scores[axis as usize] = match &job.methods[axis as usize] {
            Method::Ntile => ntile_scores(axis, v, &ids, bins),
            Method::Rank(ties) if old_cuts.is_none() => {
                let mirrored: Vec<i128> = v.iter().map(|x| -x).collect();
                let direct = rank_scores(if axis == Axis::Recency { &mirrored } else { v }, bins, *ties);
                assert_eq!(direct, by_cuts, "the cuts of a rank must give its scores back");
                let used: BTreeSet<u32> = direct.iter().copied().collect();
                if used.len() < bins as usize {
                    seen.insert(notes::RANK_EMPTY_SCORE);
                }
                direct
            }
            _ => by_cuts,
        };
    }

    // Levels.
    let level_bounds = match &old_cuts {
        Some(Some(bounds)) => {
            if job.schemes.iter().any(Scheme::uses_levels) {
                seen.insert(notes::FROZEN_LEVELS);
            }
            bounds.levels
        }
        _ => Axis::ALL.map(|axis| level_bound(job.levels, &values[axis as usize], &scores[axis as usize])),
    };
    for (k, &i) in scored.iter().enumerate() {
        for axis in Axis::ALL {
            let a = axis as usize;
            customers[i].scores[a] = Some(scores[a][k]);
            customers[i].levels[a] = Some(level_of(job, axis, level_bounds[a], values[a][k], scores[a][k]));
        }
    }
    let axis_cuts = Axis::ALL.map(|axis| {
        let (points, closed) = cuts[axis as usize].clone();
        let mut per_bin = vec![0; bins as usize];
        for score in &scores[axis as usize] {
            per_bin[score_of_bin(axis, bins, *score) as usize - 1] += 1;
        }
        AxisCuts { axis, closed, cuts: points, customers: per_bin }
    });
    let segments = give_states(job, &mut customers, seen);
    let bounds = Some(Bounds { cuts, levels: level_bounds });
    SliceAnswer { slice, customers, cuts: axis_cuts.to_vec(), level_bounds: level_bounds.to_vec(), bounds, segments }
}

/// The side of a level's bound on which a value (or its score) lies.
fn level_of(job: &Job, axis: Axis, bound: Ratio, value: i128, score: u32) -> Level {
    let of_score = job.levels == Levels::Score;
    let bound = bound.compare_to(if of_score { i128::from(score) } else { value });
    let high = if axis == Axis::Recency && !of_score { bound.is_ge() } else { bound.is_le() };
    if high { Level::High } else { Level::Low }
}

/// The same customer as the cut points and bounds of another date would score it.
pub(super) fn scored_under(job: &Job, row: &CustomerRow, bounds: &Bounds) -> CustomerRow {
    let mut row = CustomerRow { scores: [None; 3], levels: [None; 3], ..row.clone() };
    if job.only.iter().all(|(m, test)| holds(*test, measure_value(job, &row, *m))) {
        for axis in Axis::ALL {
            let value = axis_value(axis, &row);
            let (points, closed) = &bounds.cuts[axis as usize];
            let score = score_of_bin(axis, job.bins, bin_of(axis, points, *closed, value));
            row.scores[axis as usize] = Some(score);
            row.levels[axis as usize] = Some(level_of(job, axis, bounds.levels[axis as usize], value, score));
        }
    }
    row
}

/// What an axis scores.
fn axis_value(axis: Axis, row: &CustomerRow) -> i128 {
    match axis {
        Axis::Recency => row.recency_days,
        Axis::Frequency => row.frequency,
        Axis::Monetary => row.monetary,
    }
}

/// The bound of a level: a mean or median of the values, or the mean score.
fn level_bound(levels: Levels, values: &[i128], scores: &[u32]) -> Ratio {
    let n = values.len();
    match levels {
        Levels::Mean => Ratio { num: values.iter().sum(), den: n as i128 },
        Levels::Median => {
            let mut v = values.to_vec();
            v.sort();
            Ratio { num: v[(n - 1) / 2] + v[n / 2], den: 2 }
        }
        Levels::Score => Ratio { num: scores.iter().map(|s| i128::from(*s)).sum(), den: n as i128 },
    }
}
