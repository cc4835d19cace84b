//! How customers move from date to date, and where the revenue comes from.

use super::row::table;
use crate::domain::{Day, Decimal};

table! {
    TransitionRow in "transitions", one row per "state that customers come from and state they are in, per scheme, as-of date and slice" {
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
        /// State at the earlier date; (none) for who was not there.
        from_state: String as State,
        /// State at the as-of date; (none) for who is no longer there.
        to_state: String as State,
        /// The earlier date that is compared with.
        from_as_of: Day as Date,
        /// Customers who went from the one to the other, or stayed.
        customers: Option<i64> as Int64,
        /// Their share of the customers who come from from_state.
        rate: Option<f64> as Double,
        /// Lower end of the rate's 95 % interval (Wilson).
        rate_low: Option<f64> as Double,
        /// Upper end of the rate's 95 % interval (Wilson).
        rate_high: Option<f64> as Double,
        /// Their money after from_as_of, up to the as-of date.
        revenue: Option<Decimal> as Money,
    }
}

table! {
    MoveRow in "moves", one row per "as-of date, slice, scheme, earlier date, pair of states and reason; in reports alone" {
        /// Last date counted, inclusive.
        as_of: Day as Date,
        /// Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.
        slice: String as State,
        /// Scheme column of the job, such as segment.
        scheme: String as State,
        /// The earlier date that is compared with.
        from_as_of: Day as Date,
        /// State at the earlier date.
        from_state: String as State,
        /// State at the as-of date.
        to_state: String as State,
        /// behaviour or cut_points, as in `movers`.
        reason: Option<String> as State,
        /// Movers.
        customers: Option<i64> as Int64,
    }
}

table! {
    GrowthRow in "growth", one row per "as-of date, slice, scheme and state at the date before" {
        /// Last date counted, inclusive.
        as_of: Day as Date,
        /// Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.
        slice: String as State,
        /// Scheme column of the job; (all) in the rows over everybody.
        scheme: String as State,
        /// State at the as-of date before; (none) for who was not there, (all) for everybody.
        from_state: String as State,
        /// The as-of date before; null at the first one.
        from_as_of: Option<Day> as Date,
        /// Customers with a purchase by the as-of date.
        customers: Option<i64> as Int64,
        /// Customers with a purchase in the period: new + retained + resurrected.
        active: Option<i64> as Int64,
        /// Customers whose first purchase lies in the period.
        new: Option<i64> as Int64,
        /// Customers with a purchase in the period and in the one before.
        retained: Option<i64> as Int64,
        /// Customers with a purchase in the period and earlier, but not in the period before.
        resurrected: Option<i64> as Int64,
        /// Customers with a purchase in the period before, but not in the period.
        lapsed: Option<i64> as Int64,
        /// Customers with a purchase in neither.
        inactive: Option<i64> as Int64,
        /// Customers with a purchase in the period before.
        previous_active: Option<i64> as Int64,
        /// active − previous_active = new + resurrected − lapsed.
        change: Option<i64> as Int64,
        /// retained / previous_active.
        retention_rate: Option<f64> as Double,
        /// lapsed / previous_active.
        churn_rate: Option<f64> as Double,
        /// resurrected / (resurrected + inactive).
        reactivation_rate: Option<f64> as Double,
        /// Money of the period.
        revenue: Option<Decimal> as Money,
    }
}

table! {
    CohortRow in "cohorts", one row per "as-of date, slice and period of the first purchase" {
        /// Last date counted, inclusive.
        as_of: Day as Date,
        /// Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.
        slice: String as State,
        /// First day of the period of the first purchase; null if that lies outside of the job's periods.
        cohort_start: Option<Day> as Date,
        /// Last day of that period.
        cohort_end: Option<Day> as Date,
        /// Periods from that one to the row's; 0 in the period of the first purchase.
        periods_since: Option<i64> as Int32,
        /// Customers of the cohort.
        customers: Option<i64> as Int64,
        /// Customers with a purchase in the row's period.
        active_customers: Option<i64> as Int64,
        /// active_customers / customers.
        retention_rate: Option<f64> as Double,
        /// Customers with two purchases or more by the as-of date.
        repeat_customers: Option<i64> as Int64,
        /// repeat_customers / customers.
        repeat_rate: Option<f64> as Double,
        /// Purchases in the row's period.
        orders: Option<i64> as Int64,
        /// Money of the row's period.
        revenue: Option<Decimal> as Money,
        /// Money up to the as-of date.
        revenue_to_date: Option<Decimal> as Money,
        /// What winning the cohort cost, from [acquisition]; null without.
        spend: Option<Decimal> as Money,
        /// spend / customers: what one new customer cost.
        cac: Option<f64> as Double,
        /// revenue_to_date / spend: 1 and more has paid back, before the cost of goods.
        payback_ratio: Option<f64> as Double,
    }
}

table! {
    ConcentrationRow in "concentration", one row per "as-of date and slice" {
        /// Last date counted, inclusive.
        as_of: Day as Date,
        /// Value of the slice column; (all) in a job without slices, (none) or null for who never ordered.
        slice: String as State,
        /// Customers with a purchase in the lookback.
        customers: Option<i64> as Int64,
        /// Their money of the lookback.
        revenue: Option<Decimal> as Money,
        /// Share of the best 1 % of them in the revenue; revenue below 0 counts as 0.
        top_1_share: Option<f64> as Double,
        /// Share of the best 10 %.
        top_10_share: Option<f64> as Double,
        /// Share of the best 20 %.
        top_20_share: Option<f64> as Double,
        /// Gini coefficient of their revenue: 0 if all are equal, 1 if one has it all.
        gini: Option<f64> as Double,
    }
}
