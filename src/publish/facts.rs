//! What runs say of their as-of dates to the dimensions, which are one file each over all of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::domain::Day;
use crate::error::{Error, Result};
use crate::tables::{DateRow, PeriodRow, Row, StateRow};

/// The dimensions.
pub(super) const DIMENSIONS: [&str; 3] = [StateRow::TABLE, PeriodRow::TABLE, DateRow::TABLE];

/// What a run says of its dates to the dimensions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimensions {
    /// The states of all schemes, in order; none if the job writes no `dim_state`.
    pub states: Vec<StateFacts>,
    /// By as-of date.
    pub dates: BTreeMap<Day, DateFacts>,
}

/// What is said of an as-of date, written as a list of its fields in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct DateFacts {
    /// Its period; none if the job writes no `dim_period`.
    pub period: Option<PeriodFacts>,
    /// Hash of its states; none if the job writes no `dim_state`.
    pub states: Option<String>,
    /// First and last day that tables can hold; none if the job writes no `dim_date`.
    pub days: Option<(Day, Day)>,
}

impl Serialize for DateFacts {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        (&self.period, &self.states, &self.days).serialize(serializer)
    }
}

/// The period of an as-of date, as in [`PeriodRow`], but for what depends on other dates. It is written as a list of its fields
/// in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct PeriodFacts {
    /// Its first day.
    pub start: Option<Day>,
    /// Its last day.
    pub end: Option<Day>,
    /// What reports call it.
    pub label: Option<String>,
    /// The same date a year before.
    pub year_before: Option<Day>,
    /// The date that compares with it in the period before.
    pub period_before: Option<Day>,
    /// Whether no lookback reaches before the first order.
    pub history_complete: Option<bool>,
    /// Whether who is new may have ordered before the data begin.
    pub new_is_first_seen: Option<bool>,
    /// See [`PeriodRow::definitions_hash`].
    pub definitions_hash: Option<String>,
}

impl Serialize for PeriodFacts {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let PeriodFacts { start, end, label, year_before, period_before, history_complete, new_is_first_seen, definitions_hash } =
            self;
        (start, end, label, year_before, period_before, history_complete, new_is_first_seen, definitions_hash)
            .serialize(serializer)
    }
}

/// A state, as in [`StateRow`], but for what depends on dates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StateFacts {
    pub scheme: String,
    pub state: String,
    pub rank: Option<i64>,
    pub label_en: Option<String>,
    pub label_zh_hans: Option<String>,
    pub definition: Option<String>,
    pub action: Option<String>,
    pub colour: Option<String>,
    pub is_at_risk: Option<bool>,
    pub scheme_place: Option<i64>,
    pub is_first_seen: Option<bool>,
}

impl From<StateRow> for StateFacts {
    fn from(row: StateRow) -> StateFacts {
        StateFacts {
            scheme: row.scheme,
            state: row.state,
            rank: row.rank,
            label_en: row.label_en,
            label_zh_hans: row.label_zh_hans,
            definition: row.definition,
            action: row.action,
            colour: row.colour,
            is_at_risk: row.is_at_risk,
            scheme_place: row.scheme_place,
            is_first_seen: row.is_first_seen,
        }
    }
}

impl Dimensions {
    /// Says which states the dates have.
    ///
    /// # Errors
    /// Exit 1 if they cannot be written down.
    pub fn new(states: Vec<StateFacts>, mut dates: BTreeMap<Day, DateFacts>) -> Result<Dimensions> {
        if !states.is_empty() {
            let hash = hash_of(&states)?;
            dates.values_mut().for_each(|facts| facts.states = Some(hash.clone()));
        }
        Ok(Dimensions { states, dates })
    }
}

/// What stands for a list of states.
pub(super) fn hash_of(states: &[StateFacts]) -> Result<String> {
    let bytes = serde_json::to_vec(states)
        .map_err(|e| Error::bug(format!("the states of a run cannot be written down: {e}")).caused_by(e))?;
    Ok(crate::hash::sha256(&bytes))
}
