//! What a matched comparison must have for a verdict.

use super::super::reason::Finding;
use super::super::sentence::Rounded;

/// Of the treated, more than this share must be compared in matched cells.
const MIN_MATCHED_SHARE: f64 = 0.5;

/// The two estimates of a matched strategy, between which its effect is taken to lie, and what speaks for them.
pub(super) struct Bracket {
    pub passed_placebo: bool,
    /// The share of the treated who are compared in matched cells.
    pub matched_share: f64,
    /// The difference in matched cells, and its interval.
    pub matched: Option<(f64, (f64, f64))>,
    /// The difference of the changes in the same cells, and its interval.
    pub did: Option<(f64, (f64, f64))>,
}

/// What makes a verdict on a matched strategy impossible.
pub(super) fn obstacle(bracket: Bracket) -> Option<Finding> {
    if !bracket.passed_placebo {
        return Some(Finding::NoPlacebo);
    }
    if bracket.matched_share <= MIN_MATCHED_SHARE {
        return Some(Finding::FewMatched { share: Rounded::new(bracket.matched_share * 100.0, 0) });
    }
    let side = |(_, (low, high)): (f64, (f64, f64))| if low > 0.0 { 1 } else { -i32::from(high < 0.0) };
    match (bracket.matched, bracket.did) {
        (Some(matched), Some(did)) if side(matched) == side(did) => None,
        (Some((matched, _)), Some((did, _))) => {
            Some(Finding::BracketDisagrees { matched: Rounded::short(matched), did: Rounded::short(did) })
        }
        _ => Some(Finding::BracketIncomplete),
    }
}
