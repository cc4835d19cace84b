//! What the integrals of Pareto/NBD are of: a product of two powers that falls with time.

/// Where it has fallen by this exponent, the rest is nothing.
const TAIL: f64 = 40.0;

/// Longest panel in the logarithm of time.
const LONGEST: f64 = 5.0;

/// (α + y)^−m (β + y)^−n over times y from a start on, as a multiple of what it is there.
///
/// It is smooth in the logarithm of the distance from its nearest pole, where it falls faster and faster: that is how places are given,
/// and the start is 0.
pub struct Decay {
    alpha: f64,
    beta: f64,
    exponents: [f64; 2],
    nearest: f64,
    /// Distance of the start from the nearest pole.
    start: f64,
    ln_alpha: f64,
    ln_beta: f64,
}

/// A place, and what belongs to it.
pub struct Place {
    /// Distance from the nearest pole, by which the place grows with its logarithm.
    pub distance: f64,
    /// The time.
    pub time: f64,
    /// ln(α + y).
    pub ln_alpha: f64,
    /// ln(β + y).
    pub ln_beta: f64,
}

impl Decay {
    /// The product with these poles and exponents from a start on.
    pub fn new([alpha, beta]: [f64; 2], exponents: [f64; 2], start: f64) -> Decay {
        let nearest = alpha.min(beta);
        let (ln_alpha, ln_beta) = ((alpha + start).ln(), (beta + start).ln());
        Decay { alpha, beta, exponents, nearest, start: nearest + start, ln_alpha, ln_beta }
    }

    /// The logarithm of the product at the start.
    pub fn scale(&self) -> f64 {
        -self.exponents[0] * self.ln_alpha - self.exponents[1] * self.ln_beta
    }

    /// The place of a time.
    pub fn place_of(&self, time: f64) -> f64 {
        ((self.nearest + time) / self.start).ln()
    }

    /// What belongs to a place.
    pub fn place(&self, at: f64) -> Place {
        let distance = self.start * at.exp();
        let (ln_distance, ln_other) = (self.start.ln() + at, (distance + (self.alpha - self.beta).abs()).ln());
        let (ln_alpha, ln_beta) = if self.alpha <= self.beta { (ln_distance, ln_other) } else { (ln_other, ln_distance) };
        Place { distance, time: distance - self.nearest, ln_alpha, ln_beta }
    }

    /// The product.
    pub fn value(&self, place: &Place) -> f64 {
        let [m, n] = self.exponents;
        (-m * (place.ln_alpha - self.ln_alpha) - n * (place.ln_beta - self.ln_beta)).exp()
    }

    /// Calls `take` with the bounds of panels in which the integrand falls by an exponent of about `fall`, one after the other, until it
    /// has nothing left before `end` or `take` says that it is enough.
    pub fn panels(&self, end: f64, fall: f64, mut take: impl FnMut(f64, f64) -> bool) {
        let mut from = 0.0;
        while from < end && self.fallen(from) < TAIL {
            let mut step = (fall / self.slope(from).max(1e-3)).min(LONGEST).min(end - from);
            // By the slope at its end, which is the steepest, if it is much steeper there.
            while step * self.slope(from + step) > 2.0 * fall {
                step /= 2.0;
            }
            let to = if from + step >= end { end } else { from + step };
            if take(from, to) {
                return;
            }
            from = to;
        }
    }

    /// How fast the exponent falls at a place.
    fn slope(&self, at: f64) -> f64 {
        let [m, n] = self.exponents;
        let distance = self.start * at.exp();
        let time = distance - self.nearest;
        distance * (m / (self.alpha + time) + n / (self.beta + time)) - 1.0
    }

    /// By how much it has fallen at a place.
    fn fallen(&self, at: f64) -> f64 {
        let [m, n] = self.exponents;
        let time = self.start * at.exp() - self.nearest;
        m * ((self.alpha + time).ln() - self.ln_alpha) + n * ((self.beta + time).ln() - self.ln_beta) - at
    }
}
