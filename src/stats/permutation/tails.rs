//! The tails of a test.

/// How often the control arm is as low, and as high, as it is, if there is no effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tails {
    /// As low: the p-value of a gain.
    pub gain: f64,
    /// As high: the p-value of a loss.
    pub loss: f64,
}

impl Tails {
    /// The two-sided p-value.
    pub fn two_sided(self) -> f64 {
        (2.0 * self.gain.min(self.loss)).min(1.0)
    }
}

impl From<(f64, f64)> for Tails {
    fn from((gain, loss): (f64, f64)) -> Tails {
        Tails { gain, loss }
    }
}
