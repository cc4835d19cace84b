//! Verdicts before they are ranked.

use std::fmt;

use crate::domain::Design;
use crate::tables::VerdictRow;

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Pays for itself.
    Scale,
    /// Works, and is not shown to lose money.
    Keep,
    /// Harms or loses money.
    Stop,
    /// Neither is shown.
    TestLonger,
    /// The design allows no answer.
    CannotSay,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Scale => "scale",
            Verdict::Keep => "keep",
            Verdict::Stop => "stop",
            Verdict::TestLonger => "test_longer",
            Verdict::CannotSay => "cannot_say",
        })
    }
}

/// A verdict that is not ranked yet.
pub(super) struct DraftVerdict {
    pub row: VerdictRow,
    pub verdict: Verdict,
    /// Whether it is ranked by net money; else by the outcome.
    pub by_net: bool,
    /// The number with its standard error by which it is ranked.
    pub effect: Option<(f64, f64)>,
    pub design: Design,
    /// Whether it compares two treated arms.
    pub is_pair: bool,
}
