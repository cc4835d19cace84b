//! What a description of before and after rests on.

use super::super::sentence::{Quoted, Rounded, sentences};

sentences! {
    /// What the expected change of a description rests on.
    pub enum Expectation {
        /// On the customers of the shop.
        RegressionToTheMean {
            /// How many there are.
            customers: i64,
            /// The regression of a period on the one before it.
            slope: Rounded,
        } = "reason.regression_to_the_mean", "regression to the mean of all {customers} customers, slope {slope}";
        /// On the control arm.
        ControlChange {
            /// The arm.
            arm: Quoted,
        } = "reason.control_change", "the change of arm {arm}";
        /// There is none.
        Unknown = "reason.no_expectation", "nothing is known of customers before the baseline to expect a change from";
    }

    /// Why a description lacks numbers, and what it stands beside; it follows the expectation.
    pub enum Caveat {
        /// What customers did who were not assigned.
        Unassigned {
            /// By how much they changed.
            change: Rounded,
        } = "reason.caveat_unassigned", "; customers in the same states who were not assigned changed by {change}, and neither change is an effect";
        /// The outcome's days are not all in the data.
        Unfinished = "reason.caveat_unfinished", "; the period is not finished";
        /// Customers were assigned on different dates.
        NoCommonStart = "reason.caveat_no_common_start", "; customers were assigned on different dates and the job gives no outcome_days";
        /// The baseline and the outcomes are of different length.
        UnequalDays {
            /// Days of the baseline that are in the data.
            baseline: i32,
            /// Days of the outcomes.
            outcomes: i32,
        } = "reason.caveat_unequal_days", "; the data have {baseline} days of the baseline and {outcomes} of outcomes, so no change is told";
    }
}
