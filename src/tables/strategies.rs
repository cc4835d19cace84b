//! What strategies achieved. Statistics are doubles in printed units; a number that is not known is null.

use super::row::table;
use crate::domain::Day;

table! {
    EffectRow in "effects", one row per "strategy, period, phase, treated arm, outcome, state and method" {
        /// The strategy.
        strategy: String as State,
        /// First day of the period in which customers were assigned.
        period_start: Option<Day> as Date,
        /// Last day of that period.
        period_end: Option<Day> as Date,
        /// Days of the outcome: during, from assignment; after, as long again; during_and_after, each customer's sum.
        phase: Option<String> as State,
        /// The treated arm.
        arm: String as State,
        /// What was measured on every assigned customer, 0 for who did nothing.
        outcome: String as State,
        /// Scheme column by whose states customers are told apart; (all) in total rows.
        scheme: String as State,
        /// State on the day before the period, (none) for who was not listed; (all) in total rows.
        state: String as State,
        /// The estimator: welch, cuped, post_stratified, matched or did.
        method: String as State,
        /// How customers came into their arms: randomised, or matched.
        design: Option<String> as State,
        /// Whether the verdict rests on the row.
        headline: Option<bool> as Boolean,
        /// Treated customers that are compared; all of them where there is no number.
        n_treated: Option<i64> as Int64,
        /// Control customers that are compared; all of them where there is no number.
        n_control: Option<i64> as Int64,
        /// Mean of the treated arm; adjusted under cuped, the mean change under did.
        mean_treated: Option<f64> as Double,
        /// Mean of the control arm; adjusted under cuped, the mean change under did.
        mean_control: Option<f64> as Double,
        /// Mean of the treated less that of the control arm: the effect per customer.
        difference: Option<f64> as Double,
        /// Lower end of the difference's 95 % interval.
        ci_low: Option<f64> as Double,
        /// Upper end of the difference's 95 % interval.
        ci_high: Option<f64> as Double,
        /// Two-sided p-value of the difference.
        p_value: Option<f64> as Double,
        /// The p-value adjusted over its family (Benjamini and Hochberg).
        p_adjusted: Option<f64> as Double,
        /// Rows of the family that have a p-value; 0 in a row without one.
        family_size: Option<i64> as Int64,
        /// Difference over the control mean without adjustment; null where that is not above 0, or where nobody treated did
        /// anything, so that the lift is -1 whatever the control arm did.
        lift: Option<f64> as Double,
        /// Lower end of the lift's 95 % interval.
        lift_low: Option<f64> as Double,
        /// Upper end of the lift's 95 % interval.
        lift_high: Option<f64> as Double,
        /// The smallest difference that a test at 5 % would find four times in five.
        mde: Option<f64> as Double,
        /// p-value of the split check, in total rows; below 0.001 the split has failed and no number is shown.
        srm_p: Option<f64> as Double,
        /// Difference times treated customers.
        incremental: Option<f64> as Double,
        /// What the treated customers cost, fixed costs included; null where no cost is known.
        cost: Option<f64> as Double,
        /// (Incremental margin less cost) over cost, for revenue and margin.
        roi: Option<f64> as Double,
        /// Lower end of its 95 % interval.
        roi_low: Option<f64> as Double,
        /// Upper end of its 95 % interval.
        roi_high: Option<f64> as Double,
        /// Incremental margin less cost, per treated customer.
        net_margin_per_customer: Option<f64> as Double,
        /// Lower end of its 95 % interval.
        net_margin_low: Option<f64> as Double,
        /// Upper end of its 95 % interval.
        net_margin_high: Option<f64> as Double,
        /// Customers of the treated arm left out: also in another arm or strategy (of the whole arm, also in rows of states),
        /// or in a cell too small to compare.
        excluded: Option<i64> as Int64,
        /// Why the numbers are null, in one sentence; null where they are not.
        not_estimable: Option<String> as Text,
    }
}

table! {
    PooledEffectRow in "effects_over_time", one row per "strategy, phase, treated arm, outcome, state and method, over all periods" {
        /// The strategy.
        strategy: String as State,
        /// Days of the outcome: during, from assignment; after, as long again; during_and_after, each customer's sum.
        phase: Option<String> as State,
        /// The treated arm.
        arm: String as State,
        /// What was measured on every assigned customer, 0 for who did nothing.
        outcome: String as State,
        /// Scheme column by whose states customers are told apart; (all) in total rows.
        scheme: String as State,
        /// State on the day before the period, (none) for who was not listed; (all) in total rows.
        state: String as State,
        /// The estimator: welch, cuped, post_stratified, matched or did.
        method: String as State,
        /// Periods that are pooled: those with an estimate.
        periods: Option<i64> as Int64,
        /// Treated customers of these periods.
        n_treated: Option<i64> as Int64,
        /// Control customers of these periods.
        n_control: Option<i64> as Int64,
        /// Mean of the control arm without adjustment, weighted as the difference.
        mean_control: Option<f64> as Double,
        /// The pooled difference, periods weighted by inverse variance.
        difference: Option<f64> as Double,
        /// Lower end of the difference's 95 % interval.
        ci_low: Option<f64> as Double,
        /// Upper end of the difference's 95 % interval.
        ci_high: Option<f64> as Double,
        /// Two-sided p-value of the difference.
        p_value: Option<f64> as Double,
        /// The pooled lift, weighted by its own variances.
        lift: Option<f64> as Double,
        /// Lower end of the lift's 95 % interval.
        lift_low: Option<f64> as Double,
        /// Upper end of the lift's 95 % interval.
        lift_high: Option<f64> as Double,
        /// Cochran's Q: whether the periods' differences differ from each other.
        q_difference: Option<f64> as Double,
        /// Its p-value.
        q_difference_p: Option<f64> as Double,
        /// Cochran's Q of the lifts.
        q_lift: Option<f64> as Double,
        /// Its p-value.
        q_lift_p: Option<f64> as Double,
        /// Share of the assignments whose customer is assigned in another period too.
        recurring_share: Option<f64> as Double,
        /// Whether variances are clustered by customer, because over 1 % recur.
        clustered: Option<bool> as Boolean,
        /// Why the numbers are null, in one sentence; null where they are not.
        not_estimable: Option<String> as Text,
    }
}

table! {
    VerdictRow in "verdicts", one row per "strategy, treated arm, state and period, and over all periods" {
        /// The strategy.
        strategy: String as State,
        /// The treated arm.
        arm: String as State,
        /// First day of the period; null for all periods together.
        period_start: Option<Day> as Date,
        /// Last day of the period; null for all periods together.
        period_end: Option<Day> as Date,
        /// Scheme column by whose states customers are told apart; (all) in total rows.
        scheme: String as State,
        /// State on the day before the period, (none) for who was not listed; (all) in total rows.
        state: String as State,
        /// scale, keep, stop, test_longer or cannot_say.
        verdict: String as State,
        /// Why, in one sentence.
        reason: Option<String> as Text,
        /// The outcome it rests on.
        outcome: Option<String> as State,
        /// The method it rests on; null without a control arm.
        method: Option<String> as State,
        /// The effect it rests on.
        difference: Option<f64> as Double,
        /// The effect shrunken toward the mean of what it is ranked with.
        shrunk_difference: Option<f64> as Double,
        /// Lower end of its 95 % interval.
        shrunk_low: Option<f64> as Double,
        /// Rank of the strategy within scheme, state and period by that end; 1 is best.
        rank: Option<i64> as Int64,
    }
}

table! {
    BalanceRow in "balance", one row per "strategy, period, treated arm, state and covariate" {
        /// The strategy.
        strategy: String as State,
        /// First day of the period in which customers were assigned.
        period_start: Option<Day> as Date,
        /// Last day of that period.
        period_end: Option<Day> as Date,
        /// The treated arm.
        arm: String as State,
        /// Scheme column by whose states customers are told apart; (all) in total rows.
        scheme: String as State,
        /// State on the day before the period, (none) for who was not listed; (all) in total rows.
        state: String as State,
        /// An outcome in the baseline, or a measure on the day before the period.
        covariate: String as State,
        /// Treated customers of whom it is known.
        n_treated: Option<i64> as Int64,
        /// Control customers of whom it is known.
        n_control: Option<i64> as Int64,
        /// Mean of the treated arm, before any matching.
        mean_treated: Option<f64> as Double,
        /// Mean of the control arm.
        mean_control: Option<f64> as Double,
        /// Standardised mean difference before matching; above 0.1 deserves a look.
        smd_before: Option<f64> as Double,
        /// The same within matched cells; null unless the design is matched.
        smd_after: Option<f64> as Double,
        /// Share of the treated in cells without two customers per arm; null unless the design is matched.
        unmatched_share: Option<f64> as Double,
    }
}

table! {
    BeforeAfterRow in "before_after", one row per "strategy, period, arm, outcome and state" {
        /// The strategy.
        strategy: String as State,
        /// First day of the period in which customers were assigned.
        period_start: Option<Day> as Date,
        /// Last day of that period.
        period_end: Option<Day> as Date,
        /// The arm, treated or control.
        arm: String as State,
        /// What was measured on every assigned customer, 0 for who did nothing.
        outcome: String as State,
        /// Scheme column by whose states customers are told apart; (all) in total rows.
        scheme: String as State,
        /// State on the day before the period, (none) for who was not listed; (all) in total rows.
        state: String as State,
        /// Customers of the arm.
        customers: Option<i64> as Int64,
        /// Mean in the baseline.
        mean_before: Option<f64> as Double,
        /// Mean after assignment; null while the period is not finished.
        mean_after: Option<f64> as Double,
        /// After less before: a description, never an effect.
        change: Option<f64> as Double,
        /// The change to expect of such customers if nothing is done; null where nothing is known to expect it from.
        expected_change: Option<f64> as Double,
        /// What the expectation rests on.
        note: Option<String> as Text,
    }
}

table! {
    ArmRow in "arms", one row per "strategy, period, phase, state, cell, arm and outcome, and per two periods that share customers" {
        /// The strategy.
        strategy: String as State,
        /// First day of the period in which customers were assigned.
        period_start: Day as Date,
        /// Last day of that period.
        period_end: Day as Date,
        /// Days of the outcome: during, after, during_and_after; placebo, before the baseline; reference, the baseline of
        /// everybody.
        phase: String as State,
        /// Scheme column of the job, such as segment.
        scheme: String as State,
        /// State on the day before the period, (none) for who was not listed; (all) in total rows.
        state: String as State,
        /// Stratum of a randomised strategy or matching cell of a matched one; (all) without.
        cell: String as Text,
        /// The arm; (everybody) in phase reference.
        arm: String as State,
        /// What is summed: an outcome, a covariate, (cost), (contacts), (treated in baseline), (recurs); (excluded) counts who
        /// was left out.
        outcome: String as State,
        /// Digits behind the point of y and x: sums are in units of 10^-scale, products in its square.
        scale: i64 as Int32,
        /// In rows of customers who are in two periods, first day of the later one; else null.
        other_period_start: Option<Day> as Date,
        /// Its last day.
        other_period_end: Option<Day> as Date,
        /// The cell in the later period.
        other_cell: Option<String> as Text,
        /// The arm in the later period.
        other_arm: Option<String> as State,
        /// Customers.
        n: i64 as Int64,
        /// Sum of the outcome y.
        sum_y: i128 as Sum,
        /// Sum of x, the same in the baseline.
        sum_x: i128 as Sum,
        /// Sum of d, the denominator of a ratio.
        sum_d: i128 as Sum,
        /// Sum of e, the denominator in the baseline.
        sum_e: i128 as Sum,
        /// Sum of y squared; in rows of two periods, y times the later y.
        sum_yy: Option<i128> as Sum,
        /// Sum of y times x; in rows of two periods, the later x.
        sum_yx: Option<i128> as Sum,
        /// Sum of y times d; in rows of two periods, the later d.
        sum_yd: Option<i128> as Sum,
        /// Sum of y times e; in rows of two periods, the later e.
        sum_ye: Option<i128> as Sum,
        /// Sum of x squared; in rows of two periods, x times the later x.
        sum_xx: Option<i128> as Sum,
        /// Sum of x times d; in rows of two periods, the later d.
        sum_xd: Option<i128> as Sum,
        /// Sum of x times e; in rows of two periods, the later e.
        sum_xe: Option<i128> as Sum,
        /// Sum of d squared; in rows of two periods, d times the later d.
        sum_dd: Option<i128> as Sum,
        /// Sum of d times e; in rows of two periods, the later e.
        sum_de: Option<i128> as Sum,
        /// Sum of e squared; in rows of two periods, e times the later e.
        sum_ee: Option<i128> as Sum,
        /// In rows of two periods, sum of y in the later one; else null.
        other_sum_y: Option<i128> as Sum,
        /// Sum of x in the later period.
        other_sum_x: Option<i128> as Sum,
        /// Sum of d in the later period.
        other_sum_d: Option<i128> as Sum,
        /// Sum of e in the later period.
        other_sum_e: Option<i128> as Sum,
        /// In rows of two periods, x times the later y; else null.
        sum_xy: Option<i128> as Sum,
        /// In rows of two periods, d times the later y; else null.
        sum_dy: Option<i128> as Sum,
        /// In rows of two periods, d times the later x; else null.
        sum_dx: Option<i128> as Sum,
        /// In rows of two periods, e times the later y; else null.
        sum_ey: Option<i128> as Sum,
        /// In rows of two periods, e times the later x; else null.
        sum_ex: Option<i128> as Sum,
        /// In rows of two periods, e times the later d; else null.
        sum_ed: Option<i128> as Sum,
    }
}
