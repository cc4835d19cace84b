//! `[periods]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::RawDate;

/// The as-of dates: a list, the ends of calendar periods, or the ends of listed periods.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPeriods {
    /// As-of dates, ascending, each once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "list of dates"))]
    pub as_of: Option<Vec<RawDate>>,
    /// Calendar period whose last days are the as-of dates. Weeks are Monday to Sunday (ISO 8601).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Calendar>,
    /// With `every`: first day of the first period.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "date"))]
    pub from: Option<RawDate>,
    /// With `every`: last day of the last period.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "date"))]
    pub to: Option<RawDate>,
    /// Periods of any length, ascending, without overlap; gaps are allowed. Their last days are the as-of dates; the label
    /// is what reports call them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "`from`, `to`, `label`", "x-key" = "[[periods.list]]"))]
    pub list: Option<Vec<RawPeriod>>,
    /// How long before each as-of date to look for what moved since: `["1 day", "1 month"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-type" = "list of lengths"))]
    pub compare: Vec<String>,
    /// For a single as-of date: how many earlier periods to compute in the same run, from the same reading: `"13 months"`, or
    /// weeks, quarters, years; with `[[periods.list]]`, `"13 periods"`. Their last days, and the same days of the period
    /// and of the year before, have rows in the run's summed tables and on its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-type" = "number of periods"))]
    pub trend: Option<String>,
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
