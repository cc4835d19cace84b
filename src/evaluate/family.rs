//! Which p-values are adjusted together.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::arm_sums::{Group, Phase};
use super::diagnostics::TOTAL;
use super::effect::Effect;
use crate::domain::{EffectMethod as Method, Outcome};
use crate::stats::benjamini_hochberg;

/// A row's family.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Family<'a> {
    /// All headline rows of the job: the questions it was run for.
    Headline,
    /// The states of a scheme in a comparison.
    States(usize, Phase, &'a str, &'a Outcome, &'a str, Method),
    /// A total row stands alone.
    Alone(usize),
}

/// Fills `p_adjusted` and `family_size`; effects come with the number of their strategy's period in the job.
pub(super) fn adjust(effects: &mut [(usize, Effect<'_>)]) {
    let mut families: BTreeMap<Family<'_>, Vec<(usize, f64)>> = BTreeMap::new();
    let values: Vec<Option<f64>> = effects.par_iter().map(|(_, effect)| effect.estimated().map(|(_, i)| i.p)).collect();
    for (at, ((period, effect), value)) in effects.iter().zip(values).enumerate() {
        let Some(value) = value else { continue };
        let group: Group<'_> = effect.group;
        let family = if effect.headline {
            Family::Headline
        } else if group == TOTAL {
            Family::Alone(at)
        } else {
            Family::States(*period, effect.phase, effect.arm, effect.outcome, group.0, effect.method)
        };
        families.entry(family).or_default().push((at, value));
    }
    let families: Vec<Vec<(usize, f64)>> = families.into_values().collect();
    for members in families {
        let adjusted = benjamini_hochberg(&members.iter().map(|m| m.1).collect::<Vec<_>>());
        for ((at, _), p) in members.iter().zip(adjusted) {
            effects[*at].1.p_adjusted = Some(p);
            effects[*at].1.family_size = members.len() as i64;
        }
    }
}
