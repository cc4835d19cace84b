//! The tables of strategies, each declared once: effects, verdicts and the sums they come from. A number that is not known is null;
//! statistics are doubles in printed units.

// Sections of the job file stand in brackets, which are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use crate::domain::Day;
use crate::tables::row::table;

table! { EffectRow in "effects", one row per "strategy, period, phase, treated arm, outcome, state and method":
    strategy: String,                      /// The strategy.
    period_start: Option<Day>,             /// First day of the period in which customers were assigned.
    period_end: Option<Day>,               /// Last day of that period.
    phase: Option<String>,                 /// Days of the outcome: during, from assignment; after, as long again;
                                           /// during_and_after, each customer's sum.
    arm: String,                           /// The treated arm.
    outcome: String,                       /// What was measured on every assigned customer, 0 for who did nothing.
    scheme: String,                        /// Scheme column by whose states customers are told apart, or stratum; (all) in total rows.
    state: String,                         /// State on the day before the period (kept arms: the first assignment), (none) for who was not listed; (all) in total
                                           /// rows.
    method: String,                        /// The estimator: permutation, permutation_baseline, welch, cuped,
                                           /// post_stratified, matched, did or threshold.
    design: Option<String>,                /// How customers came into their arms: randomised, matched, or threshold.
    headline: Option<bool>,                /// Whether the verdict rests on the row.
    n_treated: Option<i64>,                /// Treated customers that are compared; all of them where there is no number.
    n_control: Option<i64>,                /// Control customers that are compared; all of them where there is no number.
    mean_treated: Option<f64>,             /// Mean of the treated arm; adjusted under cuped and
                                           /// permutation_baseline, the mean change under did.
    mean_control: Option<f64>,             /// Mean of the control arm, likewise.
    difference: Option<f64>,               /// Mean of the treated less that of the control arm: the effect per customer.
    ci_low: Option<f64>,                   /// Lower end of the difference's 95 % interval.
    ci_high: Option<f64>,                  /// Upper end of the difference's 95 % interval.
    p_value: Option<f64>,                  /// Two-sided p-value of the difference.
    p_adjusted: Option<f64>,               /// The p-value adjusted over its family (Benjamini and Hochberg).
    family_size: Option<i64>,              /// Rows of the family that have a p-value; 0 in a row without one.
    lift: Option<f64>,                     /// Difference over the control mean without adjustment; null where that is not above
                                           /// 0, or where nobody treated did anything, so that the lift is -1 whatever the
                                           /// control arm did.
    lift_low: Option<f64>,                 /// Lower end of the lift's 95 % interval.
    lift_high: Option<f64>,                /// Upper end of the lift's 95 % interval.
    mde: Option<f64>,                      /// The smallest gain that the test of this family would find four times in five.
    srm_p: Option<f64>,                    /// p-value of the split check, in total rows; below 0.001 the split has failed and no
                                           /// number is shown.
    incremental: Option<f64>,              /// Difference times treated customers.
    cost: Option<f64>,                     /// What the treated customers cost, fixed costs included; null where no cost is known.
    roi: Option<f64>,                      /// (Incremental margin less cost) over cost, for revenue, margin and net; null in a pair.
    roi_low: Option<f64>,                  /// Lower end of its 95 % interval.
    roi_high: Option<f64>,                 /// Upper end of its 95 % interval.
    net_margin_per_customer: Option<f64>,  /// Incremental margin less cost, per treated customer.
    net_margin_low: Option<f64>,           /// Lower end of its 95 % interval.
    net_margin_high: Option<f64>,          /// Upper end of its 95 % interval.
    excluded: Option<i64>,                 /// Customers of the treated arm left out: also in another arm or strategy (of the
                                           /// whole arm, also in rows of states), or in a cell too small to compare.
    not_estimable: Option<String> as Text, /// Why the numbers are null, in one sentence; null where they are not.
    against: Option<String>,               /// The arm it is held against: the control, or the second of a pair.
    ci_low_adjusted: Option<f64>,          /// Lower end of the interval that verdicts, sentences and charts use: it leaves 0
                                           /// out exactly where p_adjusted is below 0.05 (Benjamini and Yekutieli).
    ci_high_adjusted: Option<f64>,         /// Its upper end.
    mde_loss: Option<f64>,                 /// The smallest loss that it would find four times in five.
    net_margin_low_adjusted: Option<f64>,  /// Lower end of the interval that verdicts on money use; null where none rests on it.
    net_margin_high_adjusted: Option<f64>, /// Its upper end.
    placebo: Option<f64>,                  /// What the method says of the time before anybody was treated, in a matched strategy:
                                           /// of two placebos, the one that leaves less of the difference.
    placebo_low: Option<f64>,              /// Lower end of its 95 % interval.
    placebo_high: Option<f64>,             /// Upper end of its 95 % interval.
    placebo_cells: Option<String>,         /// Where it compares: same, in the cells of the difference, the period before the baseline
                                           /// (and the change from then); earlier, in cells of the day before the baseline, the
                                           /// baseline (and the change to it).
    above_placebo: Option<f64>,            /// Difference less placebo.
    above_placebo_p: Option<f64>,          /// Two-sided p-value of that.
    above_placebo_p_adjusted: Option<f64>, /// What the verdict rests on: the larger of these p-values of level and change, adjusted
                                           /// over its family; 1 where these or the differences have unlike signs.
    above_placebo_low_adjusted: Option<f64>, /// Lower end of the interval of above_placebo that goes with it.
    above_placebo_high_adjusted: Option<f64>, /// Its upper end.
    clusters_treated: Option<i64>,         /// Clusters, such as stores, of these treated customers; null unless clusters were
                                           /// drawn.
    clusters_control: Option<i64>,         /// Clusters of these control customers, likewise.
}

table! { PooledEffectRow in "effects_over_time",
    one row per "strategy, phase, treated arm, outcome, state and method, over all periods":
    strategy: String,                      /// The strategy.
    phase: Option<String>,                 /// Days of the outcome: during, from assignment; after, as long again;
                                           /// during_and_after, each customer's sum.
    arm: String,                           /// The treated arm.
    outcome: String,                       /// What was measured on every assigned customer, 0 for who did nothing.
    scheme: String,                        /// Scheme column by whose states customers are told apart, or stratum; (all) in total rows.
    state: String,                         /// State on the day before the period (kept arms: the first assignment), (none) for who was not listed; (all) in total
                                           /// rows.
    method: String,                        /// The estimator: permutation, permutation_baseline, welch, cuped,
                                           /// post_stratified, matched or did.
    periods: Option<i64>,                  /// Periods that are pooled: those with an estimate.
    n_treated: Option<i64>,                /// Treated customers of these periods.
    n_control: Option<i64>,                /// Control customers of these periods.
    mean_control: Option<f64>,             /// Mean of the control arm without adjustment, over the treated of all periods.
    difference: Option<f64>,               /// Mean difference over the treated of all periods: their incremental over
                                           /// n_treated.
    ci_low: Option<f64>,                   /// Lower end of the difference's 95 % interval.
    ci_high: Option<f64>,                  /// Upper end of the difference's 95 % interval.
    p_value: Option<f64>,                  /// Two-sided p-value of the difference.
    lift: Option<f64>,                     /// Difference over the control mean: what the periods brought over what the treated
                                           /// would have done.
    lift_low: Option<f64>,                 /// Lower end of the lift's 95 % interval.
    lift_high: Option<f64>,                /// Upper end of the lift's 95 % interval.
    q_difference: Option<f64>,             /// Cochran's Q, with covariances: whether the periods' differences differ.
    q_difference_p: Option<f64>,           /// Its p-value.
    q_lift: Option<f64>,                   /// Cochran's Q of the lifts.
    q_lift_p: Option<f64>,                 /// Its p-value.
    recurring_share: Option<f64>,          /// Share of the assignments whose customer is assigned in another period too.
    clustered: Option<bool>,               /// Whether variances are clustered by customer, because over 1 % recur.
    not_estimable: Option<String> as Text, /// Why the numbers are null, in one sentence; null where they are not.
    against: Option<String>,               /// The arm it is held against: the control, or the second of a pair.
    covered_share: Option<f64>,            /// Share of the treated that these periods have.
    ci_low_adjusted: Option<f64>,          /// Lower end of the interval that verdicts, sentences and charts use; null in rows
                                           /// that no verdict rests on.
    ci_high_adjusted: Option<f64>,         /// Its upper end.
    p_adjusted: Option<f64>,               /// The p-value times looks, adjusted over the job's pooled verdicts.
    family_size: Option<i64>,              /// Rows of that family; 0 in rows that no verdict rests on.
    looks: Option<i64>,                    /// By how much the level is divided, because it is read anew every period.
    best_period: Option<Day>,              /// First day of the period with the greatest difference; null for one period.
    best_difference: Option<f64>,          /// Its difference.
    worst_period: Option<Day>,             /// First day of the period with the least difference.
    worst_difference: Option<f64>,         /// Its difference.
    incremental: Option<f64>,              /// Difference times treated customers.
    cost: Option<f64>,                     /// What the treated customers cost, fixed costs included; null where no cost is known.
    net_margin_per_customer: Option<f64>,  /// Incremental margin less cost, per treated customer; of revenue, margin and net.
    net_margin_low: Option<f64>,           /// Lower end of its 95 % interval.
    net_margin_high: Option<f64>,          /// Upper end of its 95 % interval.
    placebo: Option<f64>,                  /// What the method says of the time before anybody was treated, in a matched strategy:
                                           /// the mean over periods of the placebo that leaves less of each.
    placebo_low: Option<f64>,              /// Lower end of its 95 % interval.
    placebo_high: Option<f64>,             /// Upper end of its 95 % interval.
    above_placebo: Option<f64>,            /// Difference less placebo.
    above_placebo_p: Option<f64>,          /// Two-sided p-value of that.
    above_placebo_p_adjusted: Option<f64>, /// What the verdict rests on: the larger of these p-values of level and change, adjusted
                                           /// over its family; 1 where these or the differences have unlike signs.
    above_placebo_low_adjusted: Option<f64>, /// Lower end of the interval of above_placebo that goes with it.
    above_placebo_high_adjusted: Option<f64>, /// Its upper end.
    clusters_treated: Option<i64>,         /// Clusters of the treated customers, once per period; null unless clusters were
                                           /// drawn.
    clusters_control: Option<i64>,         /// Clusters of the control customers, likewise.
}

table! { EffectToDateRow in "effects_to_date",
    one row per "randomised strategy, treated arm, outcome and last period of those so far":
    strategy: String,                      /// The strategy.
    phase: Option<String>,                 /// Days of the outcome: that of the verdict over all periods.
    arm: String,                           /// The treated arm.
    against: Option<String>,               /// The arm it is held against: the control, or the second of a pair.
    outcome: String,                       /// What was measured on every assigned customer, 0 for who did nothing.
    method: String,                        /// The estimator: that of the verdict over all periods.
    through_start: Option<Day>,            /// First day of the last period that counts so far.
    through_end: Option<Day>,              /// Its last day.
    periods: Option<i64>,                  /// Periods that are pooled: those so far with an estimate.
    n_treated: Option<i64>,                /// Treated customers of these periods, who count once in each.
    n_control: Option<i64>,                /// Control customers of these periods, likewise.
    covered_share: Option<f64>,            /// Share of the treated so far that these periods have.
    difference: Option<f64>,               /// Mean difference so far over the treated, as in effects_over_time, where its last row
                                           /// stands.
    ci_low: Option<f64>,                   /// Lower end of the difference's 95 % interval.
    ci_high: Option<f64>,                  /// Upper end of the difference's 95 % interval.
    ci_low_adjusted: Option<f64>,          /// Lower end of the interval of the curve: the level of every row is that of the verdict
                                           /// over all periods, of which each look spends its part.
    ci_high_adjusted: Option<f64>,         /// Its upper end.
    looks: Option<i64>,                    /// By how much the level is divided, because it is read anew every period.
    incremental: Option<f64>,              /// Difference times treated customers: what the strategy has brought so far.
    incremental_low_adjusted: Option<f64>, /// Lower end of it in the interval of the curve.
    incremental_high_adjusted: Option<f64>, /// Upper end.
    cost: Option<f64>,                     /// What the treated customers have cost so far, fixed costs included; null where no cost
                                           /// is known.
    net: Option<f64>,                      /// Incremental margin less cost so far, of revenue, margin and net; null where either is
                                           /// not known, or of other treated customers.
    net_low_adjusted: Option<f64>,         /// Lower end of it in the interval of the curve.
    net_high_adjusted: Option<f64>,        /// Upper end.
    not_estimable: Option<String> as Text, /// Why the numbers are null, in one sentence; null where they are not.
}

table! { VerdictRow in "verdicts", one row per "strategy, treated arm, state and period, and over all periods":
    strategy: String,                      /// The strategy.
    arm: String,                           /// The treated arm.
    period_start: Option<Day>,             /// First day of the period; null for all periods together.
    period_end: Option<Day>,               /// Last day of the period; null for all periods together.
    scheme: String,                        /// Scheme column by whose states customers are told apart, or stratum; (all) in total rows.
    state: String,                         /// State on the day before the period (kept arms: the first assignment), (none) for who was not listed; (all) in total
                                           /// rows.
    verdict: String,                       /// scale, keep, stop, test_longer or cannot_say.
    reason: Option<String> as Text,        /// Why, in one sentence.
    outcome: Option<String>,               /// The outcome it rests on.
    method: Option<String>,                /// The method it rests on; null without a control arm.
    difference: Option<f64>,               /// The effect it rests on.
    shrunk_difference: Option<f64>,        /// That number, shrunken toward the mean of what it is ranked with.
    shrunk_low: Option<f64>,               /// Lower end of its 95 % interval.
    rank: Option<i64>,                     /// Rank of the strategy within scheme, state and period by that end, stop after all
                                           /// others; 1 is best.
    against: Option<String>,               /// The arm it is held against; null without a control arm.
    ci_low_adjusted: Option<f64>,          /// Lower end of its adjusted interval.
    ci_high_adjusted: Option<f64>,         /// Upper end.
    p_adjusted: Option<f64>,               /// Its adjusted p-value.
    net_margin_per_customer: Option<f64>,  /// Margin less cost per treated customer; null where either is not known.
    net_margin_low_adjusted: Option<f64>,  /// Lower end of its adjusted interval.
    net_margin_high_adjusted: Option<f64>, /// Upper end.
    ranked_by: Option<String>,             /// What it is ranked by: net where money is known, else the outcome.
}

table! { BalanceRow in "balance", one row per "strategy, period, treated arm, state and covariate":
    strategy: String,             /// The strategy.
    period_start: Option<Day>,    /// First day of the period in which customers were assigned.
    period_end: Option<Day>,      /// Last day of that period.
    arm: String,                  /// The treated arm.
    scheme: String,               /// Scheme column by whose states customers are told apart, or stratum; (all) in total rows.
    state: String,                /// State on the day before the period (kept arms: the first assignment), (none) for who was not listed; (all) in total rows.
    covariate: String,            /// An outcome in the baseline, or a measure on the day before the period.
    n_treated: Option<i64>,       /// Treated customers of whom it is known.
    n_control: Option<i64>,       /// Control customers of whom it is known.
    mean_treated: Option<f64>,    /// Mean of the treated arm, before any matching.
    mean_control: Option<f64>,    /// Mean of the control arm.
    smd_before: Option<f64>,      /// Standardised mean difference before matching; above 0.1 deserves a look.
    smd_after: Option<f64>,       /// The same within matched cells; null unless the design is matched.
    unmatched_share: Option<f64>, /// Share of the treated in cells without two customers per arm; null unless the design is
                                  /// matched.
}

table! { BeforeAfterRow in "before_after", one row per "strategy, period, arm, outcome and state":
    strategy: String,             /// The strategy.
    period_start: Option<Day>,    /// First day of the period in which customers were assigned.
    period_end: Option<Day>,      /// Last day of that period.
    arm: String,                  /// The arm, treated or control.
    outcome: String,              /// What was measured on every assigned customer, 0 for who did nothing.
    scheme: String,               /// Scheme column by whose states customers are told apart; (all) in total rows.
    state: String,                /// State on the day before the period (kept arms: the first assignment), (none) for who was not listed; (all) in total rows.
    customers: Option<i64>,       /// Customers of the arm.
    mean_before: Option<f64>,     /// Mean in the baseline.
    mean_after: Option<f64>,      /// Mean after assignment; null while the period is not finished.
    change: Option<f64>,          /// After less before: a description, never an effect.
    expected_change: Option<f64>, /// The change to expect of such customers if nothing is done; null where nothing is known to
                                  /// expect it from.
    note: Option<String> as Text, /// What the expectation rests on.
    unassigned: Option<i64>,      /// Customers in the same states on the day before the period who were not assigned in it; null with
                                  /// a control.
    unassigned_change: Option<f64>, /// Their change over the same days; in total rows as many of each state as the arm has.
}

table! { ThresholdRow in "thresholds", one row per "strategy of design threshold, period and outcome":
    strategy: String,              /// The strategy.
    period_start: Option<Day>,     /// First day of the period.
    period_end: Option<Day>,       /// Last day of the period.
    outcome: String,               /// What was measured on every customer near the cut, 0 for who did nothing.
    headline: Option<bool>,        /// Whether the verdict rests on it.
    running: String,               /// The measure by which customers were treated, of the day before the period.
    cut: Option<f64>,              /// Its least value of those who were treated.
    window: Option<f64>,           /// How far from the cut customers are looked at.
    customers: Option<i64>,        /// Customers in that window.
    kept: Option<i64>,             /// Those of them that are looked at: all, or 100,000 that a hash of their ids draws.
    bandwidth: Option<f64>,        /// How far from the cut the fits reach.
    bias_bandwidth: Option<f64>,   /// How far the fits reach that tell their bias.
    n_below: Option<i64>,          /// Customers below the cut inside the bandwidth.
    n_beyond: Option<i64>,         /// Customers from the cut on inside the bandwidth.
    values_below: Option<i64>,     /// Distinct values of the measure among those below.
    values_beyond: Option<i64>,    /// Distinct values of the measure among those from the cut on.
    treated_below: Option<f64>,    /// Share of those below who were treated; null unless the job says who was.
    treated_beyond: Option<f64>,   /// Share of those from the cut on, likewise.
    limit_below: Option<f64>,      /// What the fit below says of customers at the cut.
    limit_beyond: Option<f64>,     /// What the fit from the cut on says of them; the effect is this less the other.
    slope_below: Option<f64>,      /// What the outcome rises by per unit of the measure, by the fit below.
    slope_beyond: Option<f64>,     /// The same by the fit from the cut on.
    corrected: Option<f64>,        /// The effect less its bias, about which the interval lies.
    robust_error: Option<f64>,     /// Its standard error, which allows for that of the bias.
    density_p: Option<f64>,        /// p-value of the test whether the number of customers jumps at the cut.
    density_p_adjusted: Option<f64>, /// The same, adjusted with that of the placebo (Holm); below 0.05 no effect is told.
    placebo_start: Option<Day>,    /// First day of the placebo, before the programme began; null where the data begin later.
    placebo_end: Option<Day>,      /// Its last day.
    placebo: Option<f64>,          /// What the outcome of these days jumps by at the cut; null where it follows from the measure.
    placebo_low: Option<f64>,      /// Lower end of its robust 95 % interval.
    placebo_high: Option<f64>,     /// Upper end.
    placebo_p: Option<f64>,        /// Its p-value.
    placebo_p_adjusted: Option<f64>, /// The same, adjusted with that of the density test; below 0.05 no effect is told.
    not_estimable: Option<String> as Text, /// Why no effect is told, in one sentence; null where one is.
}

table! { ThresholdBinRow in "threshold_bins", one row per "strategy of design threshold, period, outcome and bin of a side of the cut":
    strategy: String,              /// The strategy.
    period_start: Option<Day>,     /// First day of the period.
    period_end: Option<Day>,       /// Last day of the period.
    outcome: String,               /// What was measured.
    side: String,                  /// below the cut, or beyond: from the cut on.
    bin: i64 as Int32,             /// The bin, from the cut outwards: tenths of the bandwidth.
    lower: Option<f64>,            /// Least value of the measure.
    upper: Option<f64>,            /// The value that is not reached any more.
    customers: Option<i64>,        /// Customers with such values.
    mean: Option<f64>,             /// Their mean of the outcome; null without any.
}

table! { ArmRow in "arms",
    one row per "strategy, period, phase, state, cell, arm and outcome; per two periods that share customers; and per bin":
    strategy: String,                   /// The strategy.
    period_start: Day,                  /// First day of the period in which customers were assigned.
    period_end: Day,                    /// Last day of that period.
    phase: String,                      /// Days of the outcome: during, after, during_and_after; reference,
                                        /// what strategies without a control are described beside.
    scheme: String,                     /// Scheme column of the job, such as segment.
    state: String,                      /// State on the day before the period (kept arms: the first assignment), (none) for who was not listed; (all) in total
                                        /// rows.
    cell: String as Text,               /// Stratum of a randomised strategy or matching cell of a matched one; (all) without.
    arm: String,                        /// The arm; (everybody) or (not assigned) in phase reference.
    outcome: String,                    /// What is summed: an outcome, a covariate, (cost), (contacts), (treated in baseline),
                                        /// (recurs); (excluded) counts who was left out.
    scale: i64 as Int32,                /// Digits behind the point of y and x, and of d where it is no denominator: sums are in
                                        /// units of 10^-scale, products in its square.
    other_period_start: Option<Day>,    /// In rows of customers who are in two periods, first day of the later one; the same
                                        /// period where other_cell is a cell before the baseline; else null.
    other_period_end: Option<Day>,      /// Its last day.
    other_cell: Option<String> as Text, /// The cell in the later period; in rows of the same period twice, in which customers of a
                                        /// matched strategy stand beside themselves, their cell on the day before the baseline.
    other_arm: Option<String>,          /// The arm in the later period.
    y_bin: Option<i64> as Int32,        /// In rows of a bin, the bin of y; else null. Such rows have n, sum_y and either sum_x or
                                        /// sum_d, and no other sums. Where clusters were drawn, a row has those with the same
                                        /// numbers, and this counts the rows.
    x_bin: Option<i64> as Int32,        /// In rows of a bin of an outcome that is a mean, the coarse bin of x; else null.
    d_bin: Option<i64> as Int32,        /// In rows of a bin of a ratio, the bin of d; else null.
    n: i64,                             /// Customers; where clusters were drawn, clusters (docs/SUMS.md).
    sum_y: i128,                        /// Sum of the outcome y.
    sum_x: Option<i128>,                /// Sum of x, the same in the baseline; null in rows of a bin of a ratio.
    sum_d: Option<i128>,                /// Sum of d, the denominator of a ratio, or of a mean in a matched strategy the outcome in the
                                        /// period before the baseline; null in rows of a bin of a mean.
    sum_e: Option<i128>,                /// Sum of e, the denominator in the baseline; null in rows of a bin.
    sum_yy: Option<i128>,               /// Sum of y squared; in rows of two periods, y times the later y.
    sum_yx: Option<i128>,               /// Sum of y times x; in rows of two periods, the later x.
    sum_yd: Option<i128>,               /// Sum of y times d; in rows of two periods, the later d.
    sum_ye: Option<i128>,               /// Sum of y times e; in rows of two periods, the later e.
    sum_xx: Option<i128>,               /// Sum of x squared; in rows of two periods, x times the later x.
    sum_xd: Option<i128>,               /// Sum of x times d; in rows of two periods, the later d.
    sum_xe: Option<i128>,               /// Sum of x times e; in rows of two periods, the later e.
    sum_dd: Option<i128>,               /// Sum of d squared; in rows of two periods, d times the later d.
    sum_de: Option<i128>,               /// Sum of d times e; in rows of two periods, the later e.
    sum_ee: Option<i128>,               /// Sum of e squared; in rows of two periods, e times the later e.
    other_sum_y: Option<i128>,          /// In rows of two periods, sum of y in the later one; else null.
    other_sum_x: Option<i128>,          /// Sum of x in the later period.
    other_sum_d: Option<i128>,          /// Sum of d in the later period.
    other_sum_e: Option<i128>,          /// Sum of e in the later period.
    sum_xy: Option<i128>,               /// In rows of two periods, x times the later y; else null.
    sum_dy: Option<i128>,               /// In rows of two periods, d times the later y; else null.
    sum_dx: Option<i128>,               /// In rows of two periods, d times the later x; else null.
    sum_ey: Option<i128>,               /// In rows of two periods, e times the later y; else null.
    sum_ex: Option<i128>,               /// In rows of two periods, e times the later x; else null.
    sum_ed: Option<i128>,               /// In rows of two periods, e times the later d; else null.
}
