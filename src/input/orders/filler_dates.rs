//! Dates that often stand for a missing one.

use super::ledger::{AFTER_AS_OF, KEPT, RowOutcome};
use crate::domain::{Day, ends};

/// 0001-01-01, 1900-01-01, 1970-01-01 and 9999-12-31.
pub const FILLERS: [Day; 4] = [Day::MIN, Day(-25_567), Day(0), Day::MAX];

/// Rows by filler date.
pub type FillerCounts = [u64; FILLERS.len()];

/// Counts the rows of a batch that nothing excludes before their date.
pub fn count(dates: &[i64], outcomes: &[RowOutcome], counts: &mut FillerCounts) {
    // Dates between the last two are the usual ones.
    let (Some((least, most)), [_, _, epoch, last]) = (ends(dates), FILLERS) else { return };
    if least > i64::from(epoch.0) && most < i64::from(last.0) {
        return;
    }
    for (date, _) in dates.iter().zip(outcomes).filter(|(_, outcome)| matches!(**outcome, KEPT | AFTER_AS_OF)) {
        if let Some(at) = FILLERS.iter().position(|filler| i64::from(filler.0) == *date) {
            counts[at] += 1;
        }
    }
}
