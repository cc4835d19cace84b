//! Seconds per step, as the manifest shows them.

use std::time::Instant;

use crate::publish::Timing;

/// Measures how long the steps of a run take.
pub struct Clock {
    last: Instant,
    timings: Vec<Timing>,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Clock {
        Clock { last: Instant::now(), timings: Vec::new() }
    }

    /// Ends a step.
    pub fn lap(&mut self, step: &str) {
        self.timings.push(Timing { step: step.into(), seconds: self.last.elapsed().as_secs_f64() });
        self.last = Instant::now();
    }

    /// The steps so far.
    pub fn into_timings(self) -> Vec<Timing> {
        self.timings
    }
}
