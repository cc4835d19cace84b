//! Axes: round numbers that cover a range.

/// The round numbers of an axis from at most `low` to at least `high`, about `count` of them.
pub(super) fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let (low, high) = (low.min(high), low.max(high));
    let range = high - low;
    if !range.is_finite() || range <= 0.0 || count == 0 {
        return vec![low, low + 1.0];
    }
    let rough = range / count as f64;
    let power = 10f64.powi(rough.log10().floor() as i32);
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough * 0.999).unwrap_or(10.0 * power);
    let first = (low / step).floor() as i64;
    let last = (high / step).ceil() as i64;
    (first..=last.min(first + 50)).map(|i| i as f64 * step).collect()
}

/// From values to units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    from: [f64; 2],
    to: [f64; 2],
}

impl Scale {
    /// The scale that takes the first pair to the second.
    pub fn new(from: [f64; 2], to: [f64; 2]) -> Scale {
        Scale { from, to }
    }

    /// Where a value stands.
    pub fn at(&self, value: f64) -> f64 {
        let range = self.from[1] - self.from[0];
        let part = if range == 0.0 { 0.0 } else { (value - self.from[0]) / range };
        self.to[0] + part * (self.to[1] - self.to[0])
    }
}
