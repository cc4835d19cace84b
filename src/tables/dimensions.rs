//! The dimensions that BI tools join to the other tables.

use super::row::table;
use crate::domain::Day;

table! {
    StateRow in "dim_state", one row per "state of a scheme column" {
        /// Scheme column of the job, such as segment.
        scheme: String as State,
        /// State of that scheme; (unscored) and (none) are no states of its own.
        state: String as State,
        /// Place from 1 for the best (or the first, in a scheme without a ladder); null for those in parentheses.
        rank: Option<i64> as Int32,
        /// What reports call it in English.
        label_en: Option<String> as Text,
        /// What reports call it in simplified Chinese.
        label_zh_hans: Option<String> as Text,
        /// One sentence on who is in it.
        definition: Option<String> as Text,
        /// What the playbook says to do; null where it says nothing.
        action: Option<String> as Text,
        /// #rrggbb, the same in every chart.
        colour: Option<String> as Text,
    }
}

table! {
    PeriodRow in "dim_period", one row per "as-of date" {
        /// Last date counted, inclusive.
        as_of: Day as Date,
        /// First day of the period that the date ends; null without periods.
        period_start: Option<Day> as Date,
        /// Last day of the period; later than as_of while the period is not over.
        period_end: Option<Day> as Date,
        /// What reports call the period.
        label: Option<String> as Text,
        /// The as-of date a year before, if the job has it.
        same_period_last_year: Option<Day> as Date,
        /// Whether the period is not over on the as-of date.
        is_partial: Option<bool> as Boolean,
        /// Whether no lookback reaches before the first order.
        history_complete: Option<bool> as Boolean,
    }
}
