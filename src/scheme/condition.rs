//! Conditions of a rule: ranges over measures and scores, cells, levels.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;

use crate::domain::{Decimal, Measure, Ratio};

/// All conditions of a rule; every one must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Conditions {
    /// Closed ranges of the r, f and m score.
    pub scores: [Option<(u8, u8)>; 3],
    /// Closed range of f score + m score.
    pub f_plus_m: Option<(u8, u8)>,
    /// Exact (r, f, m) cells.
    pub cells: Option<Vec<[u8; 3]>>,
    /// Whether the r, f and m level must be high (or low).
    pub levels: [Option<bool>; 3],
    /// Tests of measures.
    pub measures: Vec<(Measure, Test)>,
}

/// A test of a measure, in printed units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Test {
    /// Null.
    IsNull,
    /// In a range.
    Range {
        /// Lower end.
        low: End,
        /// Upper end.
        high: End,
    },
}

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum End {
    /// No bound.
    Open,
    /// The bound belongs to the range.
    Closed(Decimal),
    /// The bound does not belong to the range.
    Strict(Decimal),
}

impl Test {
    /// Whether a value in printed units passes; `None` is null.
    pub fn passes(&self, value: Option<Ratio>) -> bool {
        match value {
            None => *self == Test::IsNull,
            Some(value) => self.admits(|bound| Some(value.cmp(&bound.shifted(0)?))),
        }
    }

    /// Whether a value lies in the range; `compare` says how it compares with a bound, `None` if that cannot be told.
    #[inline]
    pub fn admits(&self, compare: impl Fn(Decimal) -> Option<Ordering>) -> bool {
        let Test::Range { low, high } = self else { return false };
        low.admits(Ordering::Less, &compare) && high.admits(Ordering::Greater, &compare)
    }

    /// The test as a closed range of integers with `scale` digits behind the point; `None` for null tests.
    pub fn integers(&self, scale: u32) -> Option<(i64, i64)> {
        let Test::Range { low, high } = self else { return None };
        let clamp = |x: i128| x.clamp(i128::from(i64::MIN + 1), i128::from(i64::MAX)) as i64;
        let low = match low {
            End::Open => i64::MIN + 1,
            End::Closed(d) => clamp(d.shifted(scale)?.ceil()),
            End::Strict(d) => clamp(d.shifted(scale)?.floor().saturating_add(1)),
        };
        let high = match high {
            End::Open => i64::MAX,
            End::Closed(d) => clamp(d.shifted(scale)?.floor()),
            End::Strict(d) => clamp(d.shifted(scale)?.ceil().saturating_sub(1)),
        };
        Some((low, high))
    }

    /// The test as a closed range of floating-point numbers; `None` for null tests.
    pub fn doubles(&self) -> Option<(f64, f64)> {
        let Test::Range { low, high } = self else { return None };
        let low = match low {
            End::Open => f64::NEG_INFINITY,
            End::Closed(d) => d.to_f64(),
            End::Strict(d) => d.to_f64().next_up(),
        };
        let high = match high {
            End::Open => f64::INFINITY,
            End::Closed(d) => d.to_f64(),
            End::Strict(d) => d.to_f64().next_down(),
        };
        Some((low, high))
    }

    /// The finite ends, in printed units.
    pub fn ends(&self) -> impl Iterator<Item = Ratio> {
        let ends = match self {
            Test::IsNull => [End::Open, End::Open],
            Test::Range { low, high } => [*low, *high],
        };
        ends.into_iter().filter_map(|end| match end {
            End::Open => None,
            End::Closed(d) | End::Strict(d) => d.shifted(0),
        })
    }
}

impl End {
    /// Whether a value is on the right side of this end; `outside` is how values on the wrong side compare with it.
    #[inline]
    fn admits(self, outside: Ordering, compare: impl Fn(Decimal) -> Option<Ordering>) -> bool {
        match self {
            End::Open => true,
            End::Closed(bound) => compare(bound).is_some_and(|order| order != outside),
            End::Strict(bound) => compare(bound) == Some(outside.reverse()),
        }
    }
}

impl Conditions {
    /// Whether there is no condition at all.
    pub fn is_empty(&self) -> bool {
        *self == Conditions::default()
    }

    /// Whether any condition looks at a score, cell or level.
    pub fn uses_scores(&self) -> bool {
        self.scores.iter().any(Option::is_some)
            || self.f_plus_m.is_some()
            || self.cells.is_some()
            || self.levels.iter().any(Option::is_some)
    }

    /// Whether the conditions on scores and levels hold in a cell.
    pub fn holds_in(&self, cell: [u8; 3], high: [bool; 3]) -> bool {
        let in_range = |range: Option<(u8, u8)>, x: u8| range.is_none_or(|(low, high)| low <= x && x <= high);
        self.scores.iter().zip(cell).all(|(range, score)| in_range(*range, score))
            && in_range(self.f_plus_m, cell[1].saturating_add(cell[2]))
            && self.cells.as_ref().is_none_or(|cells| cells.contains(&cell))
            && self.levels.iter().zip(high).all(|(want, is)| want.is_none_or(|want| want == is))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Open => f.write_str("any"),
            End::Closed(d) | End::Strict(d) => f.write_str(&crate::domain::format_money(d.digits, d.scale)),
        }
    }
}

impl fmt::Display for Conditions {
    /// The conditions as one line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("everybody else");
        }
        let mut parts: Vec<String> = Vec::new();
        let range =
            |name: &str, low: u8, high: u8| if low == high { format!("{name} {low}") } else { format!("{name} {low} to {high}") };
        for (name, score) in ["r_score", "f_score", "m_score"].iter().zip(self.scores) {
            parts.extend(score.map(|(low, high)| range(name, low, high)));
        }
        parts.extend(self.f_plus_m.map(|(low, high)| range("f_score + m_score", low, high)));
        if let Some(cells) = &self.cells {
            let cells: Vec<String> = cells.iter().map(|[r, f, m]| format!("{r}-{f}-{m}")).collect();
            parts.push(format!("cell {}", cells.join(" ")));
        }
        for (name, level) in ["r_level", "f_level", "m_level"].iter().zip(self.levels) {
            parts.extend(level.map(|high| format!("{name} {}", if high { "high" } else { "low" })));
        }
        for (measure, test) in &self.measures {
            parts.push(match test {
                Test::IsNull => format!("{measure} is null"),
                Test::Range { low: End::Open, high } => {
                    format!("{measure} {} {high}", if matches!(high, End::Strict(_)) { "below" } else { "up to" })
                }
                Test::Range { low, high: End::Open } => {
                    format!("{measure} {} {low}", if matches!(low, End::Strict(_)) { "above" } else { "from" })
                }
                Test::Range { low, high } if low == high => format!("{measure} {low}"),
                Test::Range { low, high } => format!("{measure} {low} to {high}"),
            });
        }
        f.write_str(&parts.join(", "))
    }
}
