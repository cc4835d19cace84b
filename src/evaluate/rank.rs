//! The ranking of strategies within a state.

use std::collections::BTreeMap;

use super::draft::{DraftVerdict, Verdict};
use crate::domain::Outcome;
use crate::stats::shrink;

/// Shrinks effects toward their mean and ranks them within scheme, state and period.
///
/// Effects are shrunken together if they are of the same customers: of one number, design, scheme, state and period. Tiers of
/// unlike money have no mean in common, and what a treatment brings none with what it brings more than another: pairs are
/// ranked among pairs. A `stop` comes after all others, and `cannot_say` has no rank.
pub(super) fn rank(drafts: &mut [DraftVerdict]) {
    let mut families: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, draft) in drafts.iter_mut().enumerate().filter(|(_, draft)| draft.effect.is_some()) {
        let row = &mut draft.row;
        row.ranked_by = if draft.by_net { Some(Outcome::Net.to_string()) } else { row.outcome.clone() };
        let tier = (row.period_start, row.period_end, row.scheme.clone(), row.state.clone());
        families.entry((tier, row.ranked_by.clone(), draft.design, draft.is_pair)).or_default().push(at);
    }
    for mut members in families.into_values() {
        let effects: Vec<(f64, f64)> = members.iter().filter_map(|&at| drafts[at].effect).collect();
        for (&at, shrunk) in members.iter().zip(shrink(&effects)) {
            drafts[at].row.shrunk_difference = Some(shrunk.value);
            drafts[at].row.shrunk_low = Some(shrunk.low);
        }
        let key = |at: usize| (drafts[at].verdict == Verdict::Stop, drafts[at].row.shrunk_low.unwrap_or(f64::NEG_INFINITY));
        // Equal ends keep the order of the job, so that ranks do not depend on anything else.
        members.sort_by(|&a, &b| {
            let ((stop_a, low_a), (stop_b, low_b)) = (key(a), key(b));
            stop_a.cmp(&stop_b).then(low_b.total_cmp(&low_a)).then(a.cmp(&b))
        });
        for (place, at) in members.into_iter().enumerate() {
            drafts[at].row.rank = Some(place as i64 + 1);
        }
    }
}
