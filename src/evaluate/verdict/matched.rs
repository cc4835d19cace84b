//! What a matched comparison must have for a verdict.

use super::super::reason::Finding;
use super::super::sentence::{PValue, Rounded};
use crate::domain::Outcome;
use crate::stats::MoneyInterval;

/// Of the treated, more than this share must be compared in matched cells.
const MIN_MATCHED_SHARE: f64 = 0.5;

/// The two estimates of a matched strategy, between which its effect is taken to lie, and what speaks for them.
pub(super) struct Bracket {
    /// The share of the treated who are compared in matched cells.
    pub matched_share: f64,
    /// The difference of the level within matched cells.
    pub level: Option<End>,
    /// The difference of the change within the same cells.
    pub change: Option<End>,
}

/// One end of a bracket.
pub(super) struct End {
    /// The difference with its adjusted interval.
    pub difference: MoneyInterval,
    /// The difference less its placebo with its adjusted interval, and the adjusted p-value of both ends.
    pub above: Option<(MoneyInterval, f64)>,
}

/// The side of 0 on which an interval lies; 0 if it holds 0.
fn side(of: &MoneyInterval) -> i32 {
    if of.low > 0.0 { 1 } else { -i32::from(of.high < 0.0) }
}

/// What a bracket says.
pub(super) enum Reading {
    /// What it shows.
    Shown(Finding),
    /// What makes a verdict impossible.
    Obstacle(Finding),
}

impl Reading {
    /// The obstacle, and what is shown.
    pub fn split(self) -> (Option<Finding>, Option<Finding>) {
        match self {
            Reading::Shown(finding) => (None, Some(finding)),
            Reading::Obstacle(finding) => (Some(finding), None),
        }
    }
}

/// What a bracket says.
pub(super) fn read(outcome: &Outcome, bracket: Bracket) -> Reading {
    let (Some(level), Some(change)) = (bracket.level, bracket.change) else {
        return Reading::Obstacle(Finding::BracketIncomplete);
    };
    let (Some((level_above, p)), Some((change_above, _))) = (level.above, change.above) else {
        return Reading::Obstacle(Finding::NoPlacebo);
    };
    if bracket.matched_share <= MIN_MATCHED_SHARE {
        return Reading::Obstacle(Finding::FewMatched { share: Rounded::new(bracket.matched_share * 100.0, 0) });
    }
    let outcome = outcome.clone();
    let sides = [level.difference, change.difference, level_above, change_above].map(|of| side(&of));
    let [level_low, level_high, change_low, change_high] =
        [level_above.low, level_above.high, change_above.low, change_above.high].map(Rounded::short);
    let shown = sides.iter().all(|side| *side == sides[0] && *side != 0);
    let [level, change, level_above, change_above] =
        [level.difference, change.difference, level_above, change_above].map(|of| of.value);
    if !shown {
        let [level, change, level_above, change_above] = [level, change, level_above, change_above].map(Rounded::short);
        return Reading::Obstacle(Finding::WithinPlacebo {
            outcome,
            level,
            change,
            level_above,
            level_low,
            level_high,
            change_above,
            change_low,
            change_high,
        });
    }
    let [by, change, level_above, change_above] = [level.abs(), change.abs(), level_above, change_above].map(Rounded::short);
    let p = PValue(p);
    Reading::Shown(match level > 0.0 {
        true => Finding::MoreThanAlike {
            outcome,
            by,
            change,
            level_above,
            level_low,
            level_high,
            change_above,
            change_low,
            change_high,
            p,
        },
        false => Finding::LessThanAlike {
            outcome,
            by,
            change,
            level_above,
            level_low,
            level_high,
            change_above,
            change_low,
            change_high,
            p,
        },
    })
}
