//! Cells of like value put together, so that a test costs the same however many cells it has.

/// Cells beyond this number are put together.
const MOST_CELLS: usize = 160;

/// A bin's width near the mean is this part of a standard deviation.
const PER_SD: f64 = 64.0;

/// Two to this power is the number of bins of that width on either side, and of bins per factor of two beyond them.
const FINE: u32 = 4;

/// The bins on either side: 32 factors of two.
const BINS: usize = 32 << FINE;

/// (count, value) of customers, with values put together that share a bin of their distance from the mean. Counts and sums
/// stay; of the variance a part in a thousand goes, which the caller puts back.
pub(super) fn collapse(cells: impl Iterator<Item = (f64, f64)>, mean: f64, sd: f64) -> Vec<(f64, f64)> {
    if cells.size_hint().0 <= MOST_CELLS || sd <= 0.0 {
        return cells.collect();
    }
    let scale = PER_SD / f64::from(1 << FINE) / sd;
    let mut bins = vec![(0.0, 0.0); 2 * BINS];
    cells.for_each(|(count, value)| {
        let distance = (value - mean) * scale;
        let bin = bin_of(distance.abs());
        let at = if distance < 0.0 { BINS - 1 - bin } else { BINS + bin };
        bins[at] = (bins[at].0 + count, bins[at].1 + count * value);
    });
    bins.retain(|(count, _)| *count > 0.0);
    bins.iter_mut().for_each(|(count, sum)| *sum /= *count);
    bins
}

/// The bin of a distance from 0, of which [0, 1) has `1 << FINE`. A float ascends with its bits: those of its exponent, then
/// those that divide a factor of two.
#[inline]
fn bin_of(distance: f64) -> usize {
    let bits = |number: f64| number.to_bits() >> (f64::MANTISSA_DIGITS - 1 - FINE);
    ((bits(1.0 + distance) - bits(1.0)) as usize).min(BINS - 1)
}
