//! Findings about schemes and the states they give, and their sentences.

use std::fmt::{self, Display, Formatter};

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

impl Display for SchemeWarning {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SchemeWarning::OverlappingRules { scheme, first, second, cells } => {
                let cells = format!("{cells} cell{}", if *cells == 1 { "" } else { "s" });
                write!(f, "scheme {scheme:?}: rules {first} and {second} both match {cells}; the first wins")
            }
            SchemeWarning::BestTakesRest { scheme, state, nulls } => {
                let whom = if *nulls { "of whom a measure is not known" } else { "whom no other rule matches" };
                write!(
                    f,
                    "scheme {scheme:?}: its best state {state:?} takes customers {whom}; say in its rule what they must have done, and let another state take these"
                )
            }
            SchemeWarning::CrowdedState { scheme, state, share, better } => {
                write!(f, "{:.0} % of customers are in one state of {scheme:?}, {state:?}", share * 100.0)?;
                match better {
                    Some((name, true, most)) => {
                        write!(f, "; the column {name:?} says more, with at most {:.0} % in one", most * 100.0)
                    }
                    Some((name, false, most)) => {
                        write!(f, "; the built-in scheme {name:?} would say more, with at most {:.0} % in one", most * 100.0)
                    }
                    None => f.write_str("; neither recency_windows nor value_tier nor frequency_tier would divide them better"),
                }
            }
            SchemeWarning::YoungData { scheme, states, days, data_begin, last } => write!(
                f,
                "nobody can be {} in {scheme:?} yet: that takes {days} days since the first order, and the data begin on {data_begin}, {} days before {last}",
                states.iter().map(|state| format!("{state:?}")).collect::<Vec<_>>().join(" or "),
                last.0 - data_begin.0
            ),
        }
    }
}
