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

    /// Why a description lacks numbers; it follows the expectation.
    pub enum Caveat {
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
