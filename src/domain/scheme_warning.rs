//! Findings about schemes and the states they give.

use super::date::Day;

/// A finding about a scheme.
#[derive(Debug, Clone, PartialEq)]
pub enum SchemeWarning {
    /// Two rules of a scheme match the same cells of scores.
    OverlappingRules {
        /// The scheme.
        scheme: String,
        /// Number of the rule that wins, from 1.
        first: usize,
        /// Number of the other.
        second: usize,
        /// Cells that both match.
        cells: usize,
    },
    /// The best state of a user's scheme takes customers of whom its rules know nothing good.
    BestTakesRest {
        /// The scheme.
        scheme: String,
        /// The state.
        state: String,
        /// Whether it takes them because a measure is null, and not because no other rule matches.
        nulls: bool,
    },
    /// A scheme puts most customers into one state.
    CrowdedState {
        /// The scheme column.
        scheme: String,
        /// The state.
        state: String,
        /// Its share of the customers.
        share: f64,
        /// What divides them better: its name, whether it is a column of the job, and the share of its largest state.
        better: Option<(String, bool, f64)>,
    },
    /// Nobody can be in some states yet, because the data do not reach back far enough.
    YoungData {
        /// The scheme column.
        scheme: String,
        /// The states.
        states: Vec<String>,
        /// Days since the first order that they take.
        days: i64,
        /// The day of the first order.
        data_begin: Day,
        /// The last as-of date.
        last: Day,
    },
}
