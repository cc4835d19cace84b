//! What a pooled effect is an effect of.

use super::super::arm_sums::{Group, Phase};
use crate::domain::{EffectMethod as Method, Outcome};

/// What a pooled effect is an effect of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EffectKey<'a> {
    pub strategy: usize,
    pub phase: Phase,
    pub arm: &'a str,
    pub against: &'a str,
    pub outcome: &'a Outcome,
    pub group: Group<'a>,
    pub method: Method,
}
