//! Means of customers by distance from the cut, for a picture.

use super::estimate::CutEffect;
use super::period::{BELOW, BEYOND};
use crate::tables::ThresholdBinRow;

/// Bins of each side.
const BINS: usize = 10;

/// The bins of an effect, inside the bandwidth of its fits; none where it must not be told.
pub fn bins(effect: &CutEffect<'_>) -> Vec<ThresholdBinRow> {
    let Some(found) = effect.found.filter(|_| effect.obstacle.is_none()) else { return Vec::new() };
    let period = effect.period;
    let width = found.bandwidth / BINS as f64;
    let mut sums = [[(0i64, 0.0); BINS]; 2];
    for (running, value) in period.running_values.iter().zip(&effect.measured.values) {
        let distance = running - period.cut;
        if distance.abs() >= found.bandwidth {
            continue;
        }
        // A bin holds its end nearer to the cut from there on, and below the cut its farther one.
        let (side, at) = match distance < 0.0 {
            true => (0, (-distance / width).ceil() as usize - 1),
            false => (1, (distance / width).floor() as usize),
        };
        if let Some((customers, sum)) = sums[side].get_mut(at) {
            (*customers, *sum) = (*customers + 1, *sum + value);
        }
    }
    let mut rows = Vec::with_capacity(2 * BINS);
    for (side, (name, of_side)) in [BELOW, BEYOND].into_iter().zip(sums).enumerate() {
        for (at, (customers, sum)) in of_side.into_iter().enumerate() {
            let ends = [at as f64 * width, (at + 1) as f64 * width];
            let [lower, upper] = if side == 0 { [-ends[1], -ends[0]] } else { ends };
            rows.push(ThresholdBinRow {
                strategy: period.strategy.clone(),
                period_start: Some(period.period.start),
                period_end: Some(period.period.last_day()),
                outcome: effect.outcome.to_string(),
                side: name.into(),
                bin: at as i64 + 1,
                lower: Some(period.cut + lower),
                upper: Some(period.cut + upper),
                customers: Some(customers),
                mean: (customers > 0).then(|| sum / customers as f64),
            });
        }
    }
    rows
}
