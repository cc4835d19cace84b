//! What is summed of scores and states, and the account of the input: cut points, segments, ledger.

use super::row::table;
use crate::domain::{Day, Decimal};

table! {
    CutPointRow in "cutpoints", one row per "bin of an axis (or of a level) at an as-of date in a slice, ascending in the measure" {
        /// Last date counted, inclusive.
        as_of: Day as Date,
        /// Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.
        slice: String as State,
        /// The measure that is cut: recency_days, frequency or monetary; r_level, f_level or m_level for the bound of a level.
        axis: String as State,
        /// Number of the bin from 1, ascending in the measure; on recency, bin 1 has the best score.
        bin: Option<i64> as Int32,
        /// Lower end of the bin in printed units; null where it is open.
        lower: Option<f64> as Double,
        /// Upper end of the bin in printed units; null where it is open.
        upper: Option<f64> as Double,
        /// Lower end as an exact fraction p/q of days, orders or minor units.
        lower_exact: Option<String> as Text,
        /// Upper end as an exact fraction p/q of days, orders or minor units.
        upper_exact: Option<String> as Text,
        /// right: a value on the cut belongs to the bin below it; left: to the bin above.
        closed: Option<String> as State,
        /// Scored customers in the bin.
        customers: Option<i64> as Int64,
    }
}

table! {
    SegmentRow in "segments", one row per "state of a scheme at an as-of date in a slice, of everybody and by each dimension" {
        /// Last date counted, inclusive.
        as_of: Day as Date,
        /// Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.
        slice: String as State,
        /// Customer attribute that the row is summed by; (all) in total rows.
        dimension: String as State,
        /// Value of that attribute; (all) in total rows, (unknown) for who has none.
        dimension_value: String as State,
        /// Scheme column of the job, such as segment.
        scheme: String as State,
        /// State of that scheme.
        state: String as State,
        /// Customers in the state.
        customers: Option<i64> as Int64,
        /// Their share of the scheme's customers in the slice and the dimension value.
        customer_share: Option<f64> as Double,
        /// Their purchases in the lookback, or days with one under count = "order_days".
        orders: Option<i64> as Int64,
        /// Their money of the lookback.
        revenue: Option<Decimal> as Money,
        /// Share of the revenue of slice and dimension value; null if that is 0.
        revenue_share: Option<f64> as Double,
        /// revenue / orders, half to even; null without orders.
        avg_order_value: Option<Decimal> as Average,
        /// Customers with a frequency of 2 or more.
        repeat_customers: Option<i64> as Int64,
        /// Money of the 365 days that end with the last purchase of each, summed.
        revenue_at_risk: Option<Decimal> as Money,
        /// Mean of recency_days, over who has ordered.
        mean_recency_days: Option<f64> as Double,
        /// Mean of frequency, over who has ordered.
        mean_frequency: Option<f64> as Double,
        /// Mean of monetary, half to even, over who has ordered.
        mean_monetary: Option<Decimal> as Average,
    }
}

table! {
    LedgerRow in "ledger", one row per "input file and outcome" {
        /// Input file, as the job names it.
        file: String as Text,
        /// What became of the rows: kept, filtered:status, no_customer and others.
        outcome: String as State,
        /// Rows with this outcome.
        row_count: Option<i64> as Int64,
        /// Their money.
        amount: Option<Decimal> as Money,
    }
}
