//! Strategies that treated everybody beyond a cut: the jump of outcomes there, and what speaks against it.
//!
//! Each period is judged by itself: its effect is that on customers just above the cut, and no other.

mod bins;
mod checks;
mod estimate;
mod period;
mod rows;
mod verdict;

use super::family::CutTest;
use crate::domain::Outcome;
use crate::tables::{EffectRow, ThresholdBinRow, ThresholdRow, VerdictRow};
use estimate::{CutEffect, effects};
pub use period::{BELOW, BEYOND, CutOutcome, CutPeriod};

/// The effects at the cuts of all periods.
pub(super) struct CutEffects<'a>(Vec<CutEffect<'a>>);

/// The rows of strategies of design threshold.
#[derive(Default)]
pub(super) struct CutRows {
    pub effects: Vec<EffectRow>,
    pub verdicts: Vec<VerdictRow>,
    pub thresholds: Vec<ThresholdRow>,
    pub bins: Vec<ThresholdBinRow>,
}

impl<'a> CutEffects<'a> {
    /// Estimates all of them.
    pub fn new(periods: &'a [CutPeriod]) -> CutEffects<'a> {
        CutEffects(effects(periods))
    }

    /// Their tests, for their families.
    pub fn tests(&mut self) -> impl Iterator<Item = &mut CutTest> {
        self.0.iter_mut().filter_map(|effect| effect.test.as_mut())
    }

    /// Their rows.
    pub fn rows(&self) -> CutRows {
        let of_measures = || self.0.iter().filter(|effect| *effect.outcome != Outcome::Net);
        CutRows {
            effects: self.0.iter().map(|effect| rows::effect(effect, &self.0)).collect(),
            verdicts: self
                .0
                .iter()
                .filter(|effect| effect.is_headline())
                .map(|effect| verdict::verdict(effect, &self.0))
                .collect(),
            thresholds: of_measures().map(rows::threshold).collect(),
            bins: of_measures().flat_map(bins::bins).collect(),
        }
    }
}
