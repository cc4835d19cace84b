//! Strategies of design threshold: who was near the cut on the day before a period, and what they did after it and before the
//! programme began.
//!
//! There is no table of assignments to go by, so [`QualificationDays`] records, while a part is processed, whose measure lies inside the
//! window around the cut. [`ThresholdPlan::sum_part`] computes their outcomes and gives them to [`CutSample`]s, which are bounded
//! and merge in any order. [`cut_periods`] makes of these what evaluation needs.

mod evaluated;
mod pass;
mod plan;
mod recorded;
mod sample;

pub use evaluated::cut_periods;
pub use pass::CutPart;
pub use plan::ThresholdPlan;
pub use recorded::QualificationDays;
pub use sample::CutSample;
#[cfg(test)]
pub use sample::NearCustomer;
