//! The tables of forecasts, each declared once. A number that is not known is null.

// Sections of the job file stand in brackets, which are no links.
#![allow(rustdoc::broken_intra_doc_links)]

use crate::domain::{Day, Decimal};
use crate::tables::row::table;

table! { ForecastRow in "forecast", one row per "slice, and state of a scheme in it at the last as-of date":
    as_of: Day,                          /// Last date counted, inclusive.
    slice: String,                       /// Value of the slice column; (all) in a job without slices.
    scheme: String,                      /// Scheme column of the job, such as segment; (all) in the row of everybody.
    state: String,                       /// State of that scheme; (all) in the row of everybody.
    horizon_end: Day,                    /// Last day that is forecast; the first is the day after as_of.
    customers: Option<i64>,              /// Listed customers with a purchase.
    expected_order_days: Option<f64>,    /// Days with a purchase that they are expected to have, if habits stay.
    order_days_model_low: Option<f64>,   /// Lower end of the 90 % interval if habits stay: parameters and purchases are uncertain.
    order_days_model_high: Option<f64>,  /// Its upper end.
    order_days_record_low: Option<f64>,  /// Lower end of the 90 % interval by the errors of past forecasts; null with fewer than four.
    order_days_record_high: Option<f64>, /// Its upper end.
    expected_revenue: Option<Decimal>,   /// Money that they are expected to bring; null where the model knows no mean, or
                                         /// one of over 18 digits.
    revenue_model_low: Option<Decimal>,  /// Lower end of the 90 % interval if habits stay.
    revenue_model_high: Option<Decimal>, /// Its upper end.
    revenue_record_low: Option<Decimal>, /// Lower end of the 90 % interval by the errors of past forecasts; null with fewer than four.
    revenue_record_high: Option<Decimal>,/// Its upper end.
    past_horizons: Option<i64>,          /// Past horizons whose errors the record holds, of the slice's sum.
    beats_last_horizon: Option<bool>,    /// Whether past forecasts were better than what was done in the horizon before each.
    beats_year_ago: Option<bool>,        /// Whether they were better than what was done in the same horizon a year earlier; null
                                         /// without data.
    sampled: Option<i64>,                /// Customers of the slice to whom the model was fitted; in the row of everybody.
    r: Option<f64>,                      /// Pareto/NBD: shape of the rates of purchases; this and what follows in the row of everybody.
    alpha: Option<f64>,                  /// Pareto/NBD: their rate parameter, weeks.
    s: Option<f64>,                      /// Pareto/NBD: shape of the rates of going.
    beta: Option<f64>,                   /// Pareto/NBD: their rate parameter, weeks.
    p: Option<f64>,                      /// Gamma–Gamma: shape of the money of a day with a purchase.
    q: Option<f64>,                      /// Gamma–Gamma: shape of its rate over customers.
    v: Option<f64>,                      /// Gamma–Gamma: the rate of that, in printed units of money.
    is_inner: Option<bool>,              /// Whether both likelihoods have their maximum inside the bounds of the parameters.
}

table! { BacktestRow in "backtest", one row per "slice, past horizon and method that told it":
    as_of: Day,                                 /// Last date counted, inclusive.
    slice: String,                              /// Value of the slice column; (all) in a job without slices.
    horizons_ago: Option<i64>,                  /// How many horizons before as_of the past one begins: 1 ends with as_of.
    origin: Day,                                /// Last day that the forecast knew.
    horizon_end: Day,                           /// Last day that it told.
    method: Option<String>,                     /// model; last_horizon: what each did in the horizon before, but for a first
                                                /// purchase; year_ago: so in the same horizon a year earlier.
    customers: Option<i64>,                     /// Customers of the sample with a purchase up to origin.
    expected_order_days: Option<f64>,           /// Days with a purchase that were told of them.
    actual_order_days: Option<i64>,             /// Days with a purchase that came.
    order_days_error: Option<f64>,              /// Told less came, as a share of what came; null if nothing came.
    order_days_mae: Option<f64>,                /// Mean over customers of the error without its sign.
    order_days_rmse: Option<f64>,               /// Root of the mean square of the error.
    order_days_model_low: Option<f64>,          /// Lower end of the model's 90 % interval.
    order_days_model_high: Option<f64>,         /// Its upper end.
    is_in_order_days_model: Option<bool>,       /// Whether what came lies between them.
    order_days_record_low: Option<f64>,         /// Lower end of the 90 % interval by the errors of horizons before; null with fewer than
                                                /// four.
    order_days_record_high: Option<f64>,        /// Its upper end.
    is_in_order_days_record: Option<bool>,      /// Whether what came lies between them.
    expected_revenue: Option<Decimal>,          /// Money that was told of the same customers.
    actual_revenue: Option<Decimal>,            /// Money that came.
    revenue_error: Option<f64>,                 /// Told less came, as a share of what came; null if nothing came.
    revenue_mae: Option<f64>,                   /// Mean over customers of the error without its sign, printed units.
    revenue_rmse: Option<f64>,                  /// Root of the mean square of the error, printed units.
    revenue_model_low: Option<Decimal>,         /// Lower end of the model's 90 % interval.
    revenue_model_high: Option<Decimal>,        /// Its upper end.
    is_in_revenue_model: Option<bool>,          /// Whether what came lies between them.
    revenue_record_low: Option<Decimal>,        /// Lower end of the 90 % interval by the errors of horizons before; null with fewer than
                                                /// four.
    revenue_record_high: Option<Decimal>,       /// Its upper end.
    is_in_revenue_record: Option<bool>,         /// Whether what came lies between them.
}
