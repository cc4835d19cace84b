//! `[periods]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::RawDate;

/// The as-of dates: a list, the ends of calendar periods, or the ends of listed periods.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPeriods {
    /// As-of dates, ascending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Vec<RawDate>>,
    /// Calendar period whose ends are the as-of dates, from `from` to `to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Calendar>,
    /// First day of the first period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<RawDate>,
    /// Last day of the last period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<RawDate>,
    /// Periods of any length, ascending, which must not overlap; their last days are the as-of dates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<RawPeriod>>,
    /// How long before each as-of date to look for what moved since: "1 day", "1 month" …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compare: Vec<String>,
}

/// A listed period.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPeriod {
    /// First day.
    pub from: RawDate,
    /// Last day, which is the as-of date.
    pub to: RawDate,
    /// What reports call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A calendar period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// One day.
    Day,
    /// Monday to Sunday (ISO 8601).
    Week,
    /// A calendar month.
    Month,
    /// January, April, July or October and the two months after.
    Quarter,
    /// A calendar year.
    Year,
}
