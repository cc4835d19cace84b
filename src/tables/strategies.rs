//! Columns of the tables about strategies. Statistics are doubles in printed units; a number that is not there is null.

use super::definition::{ColumnDefinition, ColumnType, SCHEME, TableDefinition};

const STRATEGY: &str = "The strategy.";
const PERIOD_START: &str = "First day of the period in which customers were assigned.";
const PERIOD_END: &str = "Last day of that period.";
const PHASE: &str = "Days of the outcome: during, from assignment; after, as long again; during_and_after, each customer's sum.";
const ARM: &str = "The treated arm.";
const OUTCOME: &str = "What was measured on every assigned customer, 0 for who did nothing.";
const SCHEME_OR_ALL: &str = "Scheme column by whose states customers are told apart; (all) in total rows.";
const STATE: &str = "State on the day before the period, (none) for who was not listed; (all) in total rows.";
const METHOD: &str = "The estimator: welch, cuped, post_stratified, matched or did.";
const MEAN_CONTROL: &str = "Mean of the control arm.";
const WHY: &str = "Why the numbers are null, in one sentence; null where they are not.";

/// The tables about strategies, in the order of the docs.
pub(super) fn definitions() -> Vec<TableDefinition> {
    let state = |name: &str, doc: &'static str| ColumnDefinition::new(name, ColumnType::State, doc);
    let text = |name: &str, doc: &'static str| ColumnDefinition::new(name, ColumnType::Text, doc);
    let date = |name: &str, doc: &'static str| ColumnDefinition::new(name, ColumnType::Date, doc);
    let count = |name: &str, doc: &'static str| ColumnDefinition::new(name, ColumnType::Int64, doc);
    let number = |name: &str, doc: &'static str| ColumnDefinition::new(name, ColumnType::Double, doc);
    let flag = |name: &str, doc: &'static str| ColumnDefinition::new(name, ColumnType::Boolean, doc);
    let sum = |name: &str, doc: &'static str| ColumnDefinition::new(name, ColumnType::Decimal(38, 0), doc);
    let strategy = || state("strategy", STRATEGY);
    let period = || [date("period_start", PERIOD_START), date("period_end", PERIOD_END)];
    let groups = || [state("scheme", SCHEME_OR_ALL), state("state", STATE)];
    let interval = || {
        [
            number("ci_low", "Lower end of the difference's 95 % interval."),
            number("ci_high", "Upper end of the difference's 95 % interval."),
            number("p_value", "Two-sided p-value of the difference."),
        ]
    };
    let lift = || {
        [
            number(
                "lift",
                "Difference over the control mean without adjustment; null where that is not above 0, or where nobody treated did anything, so that the lift is -1 whatever the control arm did.",
            ),
            number("lift_low", "Lower end of the lift's 95 % interval."),
            number("lift_high", "Upper end of the lift's 95 % interval."),
        ]
    };

    let mut effects = vec![strategy()];
    effects.extend(period());
    effects.extend([state("phase", PHASE), state("arm", ARM), state("outcome", OUTCOME)]);
    effects.extend(groups());
    effects.extend([
        state("method", METHOD),
        state("design", "How customers came into their arms: randomised, or matched."),
        flag("headline", "Whether the verdict rests on the row."),
        count("n_treated", "Treated customers that are compared; all of them where there is no number."),
        count("n_control", "Control customers that are compared; all of them where there is no number."),
        number("mean_treated", "Mean of the treated arm; adjusted under cuped, the mean change under did."),
        number("mean_control", "Mean of the control arm; adjusted under cuped, the mean change under did."),
        number("difference", "Mean of the treated less that of the control arm: the effect per customer."),
    ]);
    effects.extend(interval());
    effects.extend([
        number("p_adjusted", "The p-value adjusted over its family (Benjamini and Hochberg)."),
        count("family_size", "Rows of the family that have a p-value; 0 in a row without one."),
    ]);
    effects.extend(lift());
    effects.extend([
        number("mde", "The smallest difference that a test at 5 % would find four times in five."),
        number("srm_p", "p-value of the split check, in total rows; below 0.001 the split has failed and no number is shown."),
        number("incremental", "Difference times treated customers."),
        number("cost", "What the treated customers cost, fixed costs included; null where no cost is known."),
        number("roi", "(Incremental margin less cost) over cost, for revenue and margin."),
        number("roi_low", "Lower end of its 95 % interval."),
        number("roi_high", "Upper end of its 95 % interval."),
        number("net_margin_per_customer", "Incremental margin less cost, per treated customer."),
        number("net_margin_low", "Lower end of its 95 % interval."),
        number("net_margin_high", "Upper end of its 95 % interval."),
        count(
            "excluded",
            "Customers of the treated arm left out: also in another arm or strategy (of the whole arm, also in rows of states), or in a cell too small to compare.",
        ),
        text("not_estimable", WHY),
    ]);

    let mut over_time = vec![strategy(), state("phase", PHASE), state("arm", ARM), state("outcome", OUTCOME)];
    over_time.extend(groups());
    over_time.extend([
        state("method", METHOD),
        count("periods", "Periods that are pooled: those with an estimate."),
        count("n_treated", "Treated customers of these periods."),
        count("n_control", "Control customers of these periods."),
        number("mean_control", "Mean of the control arm without adjustment, weighted as the difference."),
        number("difference", "The pooled difference, periods weighted by inverse variance."),
    ]);
    over_time.extend(interval());
    over_time.extend([
        number("lift", "The pooled lift, weighted by its own variances."),
        number("lift_low", "Lower end of the lift's 95 % interval."),
        number("lift_high", "Upper end of the lift's 95 % interval."),
        number("q_difference", "Cochran's Q: whether the periods' differences differ from each other."),
        number("q_difference_p", "Its p-value."),
        number("q_lift", "Cochran's Q of the lifts."),
        number("q_lift_p", "Its p-value."),
        number("recurring_share", "Share of the assignments whose customer is assigned in another period too."),
        flag("clustered", "Whether variances are clustered by customer, because over 1 % recur."),
        text("not_estimable", WHY),
    ]);

    let mut verdicts = vec![
        strategy(),
        state("arm", ARM),
        date("period_start", "First day of the period; null for all periods together."),
        date("period_end", "Last day of the period; null for all periods together."),
    ];
    verdicts.extend(groups());
    verdicts.extend([
        state("verdict", "scale, keep, stop, test_longer or cannot_say."),
        text("reason", "Why, in one sentence."),
        state("outcome", "The outcome it rests on."),
        state("method", "The method it rests on; null without a control arm."),
        number("difference", "The effect it rests on."),
        number("shrunk_difference", "The effect shrunken toward the mean of what it is ranked with."),
        number("shrunk_low", "Lower end of its 95 % interval."),
        count("rank", "Rank of the strategy within scheme, state and period by that end; 1 is best."),
    ]);

    let mut balance = vec![strategy()];
    balance.extend(period());
    balance.push(state("arm", ARM));
    balance.extend(groups());
    balance.extend([
        state("covariate", "An outcome in the baseline, or a measure on the day before the period."),
        count("n_treated", "Treated customers of whom it is known."),
        count("n_control", "Control customers of whom it is known."),
        number("mean_treated", "Mean of the treated arm, before any matching."),
        number("mean_control", MEAN_CONTROL),
        number("smd_before", "Standardised mean difference before matching; above 0.1 deserves a look."),
        number("smd_after", "The same within matched cells; null unless the design is matched."),
        number(
            "unmatched_share",
            "Share of the treated in cells without two customers per arm; null unless the design is matched.",
        ),
    ]);

    let mut before_after = vec![strategy()];
    before_after.extend(period());
    before_after.extend([state("arm", "The arm, treated or control."), state("outcome", OUTCOME)]);
    before_after.extend(groups());
    before_after.extend([
        count("customers", "Customers of the arm."),
        number("mean_before", "Mean in the baseline."),
        number("mean_after", "Mean after assignment; null while the period is not finished."),
        number("change", "After less before: a description, never an effect."),
        number(
            "expected_change",
            "The change to expect of such customers if nothing is done; null where nothing is known to expect it from.",
        ),
        text("note", "What the expectation rests on."),
    ]);

    let mut arms = vec![strategy()];
    arms.extend(period());
    arms.extend([
        state("phase", "Days of the outcome: during, after, during_and_after; placebo, before the baseline; reference, the baseline of everybody."),
        state("scheme", SCHEME),
        state("state", STATE),
        text("cell", "Stratum of a randomised strategy or matching cell of a matched one; (all) without."),
        state("arm", "The arm; (everybody) in phase reference."),
        state(
            "outcome",
            "What is summed: an outcome, a covariate, (cost), (contacts), (treated in baseline), (recurs); (excluded) counts who was left out.",
        ),
        ColumnDefinition::new("scale", ColumnType::Int32, "Digits behind the point of y and x: sums are in units of 10^-scale, products in its square."),
        date("other_period_start", "In rows of customers who are in two periods, first day of the later one; else null."),
        date("other_period_end", "Its last day."),
        text("other_cell", "The cell in the later period."),
        state("other_arm", "The arm in the later period."),
        count("n", "Customers."),
        sum("sum_y", "Sum of the outcome y."),
        sum("sum_x", "Sum of x, the same in the baseline."),
        sum("sum_d", "Sum of d, the denominator of a ratio."),
        sum("sum_e", "Sum of e, the denominator in the baseline."),
        sum("sum_yy", "Sum of y squared; in rows of two periods, y times the later y."),
        sum("sum_yx", "Sum of y times x; in rows of two periods, the later x."),
        sum("sum_yd", "Sum of y times d; in rows of two periods, the later d."),
        sum("sum_ye", "Sum of y times e; in rows of two periods, the later e."),
        sum("sum_xx", "Sum of x squared; in rows of two periods, x times the later x."),
        sum("sum_xd", "Sum of x times d; in rows of two periods, the later d."),
        sum("sum_xe", "Sum of x times e; in rows of two periods, the later e."),
        sum("sum_dd", "Sum of d squared; in rows of two periods, d times the later d."),
        sum("sum_de", "Sum of d times e; in rows of two periods, the later e."),
        sum("sum_ee", "Sum of e squared; in rows of two periods, e times the later e."),
        sum("other_sum_y", "In rows of two periods, sum of y in the later one; else null."),
        sum("other_sum_x", "Sum of x in the later period."),
        sum("other_sum_d", "Sum of d in the later period."),
        sum("other_sum_e", "Sum of e in the later period."),
        sum("sum_xy", "In rows of two periods, x times the later y; else null."),
        sum("sum_dy", "In rows of two periods, d times the later y; else null."),
        sum("sum_dx", "In rows of two periods, d times the later x; else null."),
        sum("sum_ey", "In rows of two periods, e times the later y; else null."),
        sum("sum_ex", "In rows of two periods, e times the later x; else null."),
        sum("sum_ed", "In rows of two periods, e times the later d; else null."),
    ]);

    let table = |name, one_row_per, columns| TableDefinition { name, one_row_per, columns, partitioned: false };
    vec![
        table("effects", "strategy, period, phase, treated arm, outcome, state and method", effects),
        table("effects_over_time", "strategy, phase, treated arm, outcome, state and method, over all periods", over_time),
        table("verdicts", "strategy, treated arm, state and period, and over all periods", verdicts),
        table("balance", "strategy, period, treated arm, state and covariate", balance),
        table("before_after", "strategy, period, arm, outcome and state", before_after),
        table("arms", "strategy, period, phase, state, cell, arm and outcome, and per two periods that share customers", arms),
    ]
}
