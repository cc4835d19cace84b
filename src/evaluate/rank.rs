//! The ranking of strategies within a state.

use std::collections::BTreeMap;

use crate::domain::Design;
use crate::stats::shrink;
use crate::tables::VerdictRow;

/// A verdict that is not ranked yet.
pub(super) struct DraftVerdict {
    pub row: VerdictRow,
    /// The effect with its standard error, by which it is ranked.
    pub effect: Option<(f64, f64)>,
    pub design: Design,
}

/// Shrinks effects toward their mean and ranks them within scheme, state and period.
///
/// Effects are shrunken together if they are of one outcome, design, scheme and period: all states of all strategies. A
/// verdict `cannot_say` has no rank.
pub(super) fn rank(drafts: &mut [DraftVerdict]) {
    let mut families: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.effect.is_some()) {
        let row = &draft.row;
        let family = (row.period_start, row.period_end, row.scheme.clone(), row.outcome.clone(), draft.design);
        families.entry(family).or_default().push(at);
    }
    for members in families.into_values() {
        let effects: Vec<(f64, f64)> = members.iter().filter_map(|&at| drafts[at].effect).collect();
        for (&at, shrunk) in members.iter().zip(shrink(&effects)) {
            drafts[at].row.shrunk_difference = Some(shrunk.value);
            drafts[at].row.shrunk_low = Some(shrunk.low);
        }
        let mut states: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        members.iter().for_each(|&at| states.entry(drafts[at].row.state.clone()).or_default().push(at));
        for mut tier in states.into_values() {
            let low = |at: usize| drafts[at].row.shrunk_low.unwrap_or(f64::NEG_INFINITY);
            // Equal ends keep the order of the job, so that ranks do not depend on anything else.
            tier.sort_by(|&a, &b| low(b).total_cmp(&low(a)).then(a.cmp(&b)));
            for (place, at) in tier.into_iter().enumerate() {
                drafts[at].row.rank = Some(place as i64 + 1);
            }
        }
    }
}
