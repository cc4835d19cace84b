//! The tables of rows, each declared once, in the order of [`definitions`](super::definitions). A number that is not known is
//! null; statistics are doubles in printed units.

// Sections of the job file stand in brackets, which are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use super::row::table;
use crate::domain::{Day, Decimal};

table! { CutPointRow in "cutpoints",
    one row per "bin of an axis (or of a level) at an as-of date in a slice, ascending in the measure":
    as_of: Day,                          /// Last date counted, inclusive.
    slice: String,                       /// Value of the slice column; (all) in a job without slices, (none) or null for who
                                         /// never ordered.
    axis: String,                        /// The measure that is cut: recency_days, frequency or monetary; r_level, f_level or
                                         /// m_level for the bound of a level.
    bin: Option<i64> as Int32,           /// Number of the bin from 1, ascending in the measure; on recency, bin 1 has the best
                                         /// score.
    lower: Option<f64>,                  /// Lower end of the bin in printed units; null where it is open.
    upper: Option<f64>,                  /// Upper end of the bin in printed units; null where it is open.
    lower_exact: Option<String> as Text, /// Lower end as an exact fraction p/q of days, orders or minor units.
    upper_exact: Option<String> as Text, /// Upper end as an exact fraction p/q of days, orders or minor units.
    closed: Option<String>,              /// right: a value on the cut belongs to the bin below it; left: to the bin above.
    customers: Option<i64>,              /// Scored customers in the bin.
}

table! { SegmentRow in "segments",
    one row per "state of a scheme at an as-of date in a slice, of everybody and by each dimension":
    as_of: Day,                                  /// Last date counted, inclusive.
    slice: String,                               /// Value of the slice column; (all) in a job without slices, (none) or null for
                                                 /// who never ordered.
    dimension: String,                           /// Customer attribute that the row is summed by; (all) in total rows.
    dimension_value: String,                     /// Value of that attribute; (all) in total rows, (unknown) for who has none.
    scheme: String,                              /// Scheme column of the job, such as segment.
    state: String,                               /// State of that scheme.
    customers: Option<i64>,                      /// Customers in the state.
    customer_share: Option<f64>,                 /// Their share of the scheme's customers in the slice and the dimension value.
    orders: Option<i64>,                         /// Their purchases in the lookback, or days with one under count = "order_days".
    revenue: Option<Decimal>,                    /// Their money of the lookback.
    revenue_share: Option<f64>,                  /// Share of the revenue of slice and dimension value; null if that is 0.
    avg_order_value: Option<Decimal> as Average, /// revenue / orders, half to even; null without orders.
    repeat_customers: Option<i64>,               /// Customers with a frequency of 2 or more.
    revenue_at_risk: Option<Decimal>,            /// annual_value, if the scheme marks the state at_risk; else null.
    mean_recency_days: Option<f64>,              /// Mean of recency_days, over who has ordered.
    mean_frequency: Option<f64>,                 /// Mean of frequency, over who has ordered.
    mean_monetary: Option<Decimal> as Average,   /// Mean of monetary, half to even, over who has ordered.
    annual_value: Option<Decimal>,               /// Money of the 365 days that end with the last purchase of each, less returns
                                                 /// since, summed.
    margin: Option<Decimal>,                     /// Their margin, in a job with cost_to_serve; null if the cost of an order is missing.
    cost_to_serve: Option<Decimal>,              /// What serving them cost in the lookback; null in a job without such events.
    contribution: Option<Decimal>,               /// margin less cost_to_serve; null without either.
    answers: Option<i64>,                        /// Customers who said how content they are; null in a job without satisfaction.
    satisfaction: Option<f64>,                   /// Mean of their last answers; null without one.
}

table! { TransitionRow in "transitions",
    one row per "state that customers come from and state they are in, per scheme, as-of date and slice":
    as_of: Day,               /// Last date counted, inclusive.
    slice: String,            /// Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.
    dimension: String,        /// Customer attribute that the row is summed by; (all) in total rows.
    dimension_value: String,  /// Value of that attribute; (all) in total rows, (unknown) for who has none.
    scheme: String,           /// Scheme column of the job, such as segment.
    from_state: String,       /// State at the earlier date; (none) for who was not there.
    to_state: String,         /// State at the as-of date; (none) for who is no longer there.
    from_as_of: Day,          /// The earlier date that is compared with.
    customers: Option<i64>,   /// Customers who went from the one to the other, or stayed.
    rate: Option<f64>,        /// Their share of the customers who come from from_state.
    rate_low: Option<f64>,    /// Lower end of the rate's 95 % interval (Wilson).
    rate_high: Option<f64>,   /// Upper end of the rate's 95 % interval (Wilson).
    revenue: Option<Decimal>, /// Their money after from_as_of, up to the as-of date.
}

table! { MoveRow in "movers", one row per "customer (and slice) whose state of a scheme changed since an earlier date":
    as_of: Day,             /// Last date counted, inclusive.
    slice: String,          /// Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.
    scheme: String,         /// Scheme column of the job, such as segment.
    from_as_of: Day,        /// The earlier date that is compared with.
    from_state: String,     /// State at the earlier date.
    to_state: String,       /// State at the as-of date.
    reason: Option<String>, /// behaviour: the state would have changed under the earlier cut points, too; cut_points: only they
                            /// moved; null under ntile.
    customers: Option<i64>, /// Movers of this kind: reports count them, and the table has a row for each with its id.
}

table! { ScorePairRow in "customers", one row per "slice and pair of scores at the last as-of date":
    as_of: Day,             /// Last date counted, inclusive.
    slice: String,          /// Value of the slice column; (all) in a job without slices.
    r_score: i64 as Int32,  /// Recency score, 1 to bins, higher is better.
    f_score: i64 as Int32,  /// Frequency score, likewise.
    customers: Option<i64>, /// Customers with both scores: reports count them, and the table has a row for each with its id.
}

table! { GrowthRow in "growth", one row per "as-of date, slice, scheme and state at the date before":
    as_of: Day,                     /// Last date counted, inclusive.
    slice: String,                  /// Value of the slice column; (all) in a job without slices, (none) or null for who never
                                    /// ordered.
    scheme: String,                 /// Scheme column of the job; (all) in the rows over everybody.
    from_state: String,             /// State at the as-of date before; (none) for who was not there, (all) for everybody.
    from_as_of: Option<Day>,        /// The as-of date before; null at the first one.
    customers: Option<i64>,         /// Customers with a purchase by the as-of date.
    active: Option<i64>,            /// Customers with a purchase in the period: new + retained + resurrected.
    new: Option<i64>,               /// Customers whose first purchase lies in the period.
    retained: Option<i64>,          /// Customers with a purchase in the period and in the one before.
    resurrected: Option<i64>,       /// Customers with a purchase in the period and earlier, but not in the period before.
    lapsed: Option<i64>,            /// Customers with a purchase in the period before, but not in the period.
    inactive: Option<i64>,          /// Customers with a purchase in neither.
    previous_active: Option<i64>,   /// Customers with a purchase in the period before.
    change: Option<i64>,            /// active − previous_active = new + resurrected − lapsed.
    retention_rate: Option<f64>,    /// retained / previous_active.
    churn_rate: Option<f64>,        /// lapsed / previous_active.
    reactivation_rate: Option<f64>, /// resurrected / (resurrected + inactive).
    revenue: Option<Decimal>,       /// Money of the period.
}

table! { CohortRow in "cohorts", one row per "as-of date, slice and period of the first purchase":
    as_of: Day,                          /// Last date counted, inclusive.
    slice: String,                       /// Value of the slice column; (all) in a job without slices, (none) or null for who
                                         /// never ordered.
    cohort_start: Option<Day>,           /// First day of the period of the first purchase; null if that lies outside of the job's
                                         /// periods.
    cohort_end: Option<Day>,             /// Last day of that period.
    periods_since: Option<i64> as Int32, /// Periods from that one to the row's; 0 in the period of the first purchase.
    customers: Option<i64>,              /// Customers of the cohort.
    active_customers: Option<i64>,       /// Customers with a purchase in the row's period.
    retention_rate: Option<f64>,         /// active_customers / customers.
    repeat_customers: Option<i64>,       /// Customers with two purchases or more by the as-of date.
    repeat_rate: Option<f64>,            /// repeat_customers / customers.
    orders: Option<i64>,                 /// Purchases in the row's period.
    revenue: Option<Decimal>,            /// Money of the row's period.
    revenue_to_date: Option<Decimal>,    /// Money up to the as-of date.
    spend: Option<Decimal>,              /// What winning the cohort cost, from [acquisition]; null without.
    cac: Option<f64>,                    /// spend / customers: what one new customer cost.
    payback_ratio: Option<f64>,          /// revenue_to_date / spend: 1 and more has paid back, before the cost of goods.
}

table! { ConcentrationRow in "concentration", one row per "as-of date and slice":
    as_of: Day,                /// Last date counted, inclusive.
    slice: String,             /// Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.
    customers: Option<i64>,    /// Customers with a purchase in the lookback.
    revenue: Option<Decimal>,  /// Their money of the lookback.
    top_1_share: Option<f64>,  /// Share of the best 1 % of them in the revenue; revenue below 0 counts as 0.
    top_10_share: Option<f64>, /// Share of the best 10 %.
    top_20_share: Option<f64>, /// Share of the best 20 %.
    gini: Option<f64>,         /// Gini coefficient of their revenue: 0 if all are equal, 1 if one has it all.
}

table! { AffinityRow in "affinity", one row per "pair of categories that a customer bought both of, at an as-of date in a slice":
    as_of: Day,                      /// Last date counted, inclusive.
    slice: String,                   /// Value of the slice column; (all) in a job without slices.
    category: String,                /// One category; the first of the two by name.
    other_category: String,          /// The other.
    customers: Option<i64>,          /// Customers who bought any category in the lookback.
    category_customers: Option<i64>, /// Those of them who bought the one.
    other_customers: Option<i64>,    /// Those who bought the other.
    both_customers: Option<i64>,     /// Those who bought both, in one order or in several.
    lift: Option<f64>,               /// both_customers over what independence would give: both · customers / (category · other).
}

table! { StateRow in "dim_state", one row per "state of a scheme column":
    scheme: String,                        /// Scheme column of the job, such as segment.
    state: String,                         /// State of that scheme; (unscored) and (none) are no states of its own.
    rank: Option<i64> as Int32,            /// Place from 1 for the best (or the first, in a scheme without a ladder); null for
                                           /// those off the ladder and those in parentheses.
    label_en: Option<String> as Text,      /// What reports call it in English.
    label_zh_hans: Option<String> as Text, /// What reports call it in simplified Chinese.
    definition: Option<String> as Text,    /// One sentence on who is in it.
    action: Option<String> as Text,        /// What the playbook says to do; null where it says nothing.
    colour: Option<String> as Text,        /// #rrggbb, the same in every chart.
    is_at_risk: Option<bool>,              /// Whether the scheme marks the state: its customers are about to be lost.
    scheme_place: Option<i64> as Int32,    /// Place of the scheme column in the job, from 1.
    is_first_seen: Option<bool>,           /// Whether the state says new of customers who may have ordered before the data begin:
                                           /// the labels say first seen then.
    is_current: Option<bool>,              /// Whether the job has the state at the newest as-of date; the rest of the row is then of
                                           /// that date, else of last_as_of.
    first_as_of: Option<Day>,              /// First as-of date at which the job had the state.
    last_as_of: Option<Day>,               /// Last as-of date at which the job had the state.
}

table! { PeriodRow in "dim_period", one row per "as-of date":
    as_of: Day,                         /// Last date counted, inclusive.
    period_start: Option<Day>,          /// First day of the period that the date ends; null without periods.
    period_end: Option<Day>,            /// Last day of the period; later than as_of while the period is not over.
    label: Option<String> as Text,      /// What reports call the period; no other date below tables/ has the same.
    same_period_last_year: Option<Day>, /// The same date a year before (for weeks, 52 weeks); null if the table lacks it.
    is_partial: Option<bool>,           /// Whether the period is not over on the as-of date.
    history_complete: Option<bool>,     /// Whether no lookback reaches before the first order.
    role: Option<String>,               /// own, a date of the job; trend, the end of an earlier period that periods.trend adds;
                                        /// comparison, the same days of the period or the year before.
    period_before: Option<Day>,         /// The date that compares with it in the period before: the last day or, with
                                        /// periods.trend, the same days; null if the table lacks it.
    new_is_first_seen: Option<bool>,    /// Whether customers who are new at the date may have ordered before the data begin: the
                                        /// period, or the date without one, begins less than 365 days after them.
    definitions_hash: Option<String>,   /// Stands for what decides over states and measures: population, orders, scores, schemes. Where
                                        /// it differs from that of the date before, numbers may differ for that reason.
}

table! { DateRow in "dim_date", one row per "day of whole years, from the first order to the last date of any table":
    day: Day,                    /// The day.
    label: String as Text,       /// Such as 31 Dec 2024.
    year: i64 as Int32,          /// Year.
    quarter: i64 as Int32,       /// Quarter of the year, 1 to 4.
    month: i64 as Int32,         /// Month of the year, 1 to 12.
    day_of_month: i64 as Int32,  /// Day of the month, from 1.
    day_of_year: i64 as Int32,   /// Day of the year, from 1.
    iso_year: i64 as Int32,      /// Year of the ISO week: that of its Thursday.
    iso_week: i64 as Int32,      /// ISO week of that year, 1 to 53.
    day_of_week: i64 as Int32,   /// ISO day of the week, 1 for Monday to 7 for Sunday.
    is_weekend: bool,            /// Whether it is a Saturday or a Sunday.
    week_start: Day,             /// Monday of the week.
    month_start: Day,            /// First day of the month.
    quarter_start: Day,          /// First day of the quarter.
    year_start: Day,             /// First day of the year.
    week_label: String,          /// Such as 2024-W52, as dim_period calls a week.
    month_label: String,         /// Such as 2024-12, as dim_period calls a month.
    quarter_label: String,       /// Such as 2024 Q4, as dim_period calls a quarter.
    month_en: String,            /// Name of the month in English.
    month_zh_hans: String,       /// Name of the month in simplified Chinese.
    weekday_en: String,          /// Name of the day of the week in English.
    weekday_zh_hans: String,     /// Name of the day of the week in simplified Chinese.
    month_zh_hant: String,       /// Name of the month in traditional Chinese.
    weekday_zh_hant: String,     /// Name of the day of the week in traditional Chinese.
}

table! { RestatementRow in "restatements", one row per "date of the run that an earlier commit had told, and slice":
    told_as_of: Day,                    /// The date that was told before: one of the run's own, of its trend or of compare.
    slice: String,                      /// Value of the slice column; (all) in a job without slices, (none) for who never ordered.
    told_by: String as Text,            /// The run that told it before.
    customers_then: Option<i64>,        /// Customers, as that run told them; null if it told nothing of the slice.
    customers_now: Option<i64>,         /// Customers, as this run counts them.
    customers_change: Option<i64>,      /// The latter less the former.
    orders_then: Option<i64>,           /// Purchases in the lookback, as that run told them.
    orders_now: Option<i64>,            /// Purchases in the lookback, as this run counts them.
    orders_change: Option<i64>,         /// The latter less the former.
    revenue_then: Option<Decimal>,      /// Money of the lookback, as that run told it.
    revenue_now: Option<Decimal>,       /// Money of the lookback, as this run counts it.
    revenue_change: Option<Decimal>,    /// The latter less the former.
    inputs_new: Option<i64>,            /// Input files that that run did not read; null where its inputs are not known.
    inputs_changed: Option<i64>,        /// Input files that are no longer what that run read.
    inputs_gone: Option<i64>,           /// Input files that only that run read.
    inputs: Option<String> as Text,     /// The new and changed ones by name, at most ten.
    job_changed: Option<bool>,          /// Whether the job had other settings then, besides its dates.
}

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
                                           /// post_stratified, matched or did.
    design: Option<String>,                /// How customers came into their arms: randomised, or matched.
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

table! { LedgerRow in "ledger", one row per "input file and outcome":
    file: String as Text,    /// Input file, as the job names it.
    outcome: String,         /// What became of the rows: kept, filtered:status, no_customer and others.
    row_count: Option<i64>,  /// Rows with this outcome.
    amount: Option<Decimal>, /// Their money.
}
