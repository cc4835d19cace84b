//! The tables of customers, states and days, each declared once. A number that is not known is null.

// Sections of the job file stand in brackets, which are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use crate::domain::{Day, Decimal};
use crate::tables::row::table;

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

table! { CohortRow in "cohorts",
    one row per "as-of date, slice and period of the first purchase, of everybody and by each dimension of output.cohorts_by":
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
    dimension: String,                   /// Customer attribute that the row is summed by; (all) in total rows.
    dimension_value: String,             /// Value of that attribute; (all) in total rows, (unknown) for who has none.
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

table! { LedgerRow in "ledger", one row per "input file and outcome":
    file: String as Text,    /// Input file, as the job names it.
    outcome: String,         /// What became of the rows: kept, filtered:status, no_customer and others.
    row_count: Option<i64>,  /// Rows with this outcome.
    amount: Option<Decimal>, /// Their money.
}
