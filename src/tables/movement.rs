//! Columns of the tables about movement (transitions, movers, histories, growth, cohorts, concentration), and of the
//! dimensions that BI tools join to them.

use super::definition::{
    AS_OF, CUSTOMER_ID, ColumnDefinition, ColumnType, DIMENSION, DIMENSION_VALUE, SCHEME, SLICE, TableDefinition,
};
use crate::domain::IdType;
use crate::job::Job;

const FROM_AS_OF: &str = "The earlier date that is compared with.";

/// The tables about movement and the dimensions, in the order of the docs.
pub(super) fn definitions(job: &Job, id: IdType) -> Vec<TableDefinition> {
    let money = ColumnType::Decimal(38, job.scale() as i8);
    let field = |name: &str, kind: ColumnType, doc: &'static str| ColumnDefinition::new(name, kind, doc);
    let as_of = || field("as_of", ColumnType::Date, AS_OF);
    let slice = || field("slice", ColumnType::State, SLICE);
    let scheme = || field("scheme", ColumnType::State, SCHEME);
    let count = |name: &str, doc: &'static str| field(name, ColumnType::Int64, doc);
    let rate = |name: &str, doc: &'static str| field(name, ColumnType::Double, doc);
    let customer = |before: Vec<ColumnDefinition>| {
        let mut fields = before;
        fields.push(field("customer_id", ColumnType::Id(id), CUSTOMER_ID));
        if job.raw.orders.slice.is_some() {
            fields.push(slice());
        }
        fields
    };

    let transitions = vec![
        as_of(),
        slice(),
        field("dimension", ColumnType::State, DIMENSION),
        field("dimension_value", ColumnType::State, DIMENSION_VALUE),
        scheme(),
        field("from_state", ColumnType::State, "State at the earlier date; (none) for who was not there."),
        field("to_state", ColumnType::State, "State at the as-of date; (none) for who is no longer there."),
        field("from_as_of", ColumnType::Date, FROM_AS_OF),
        count("customers", "Customers who went from the one to the other, or stayed."),
        rate("rate", "Their share of the customers who come from from_state."),
        rate("rate_low", "Lower end of the rate's 95 % interval (Wilson)."),
        rate("rate_high", "Upper end of the rate's 95 % interval (Wilson)."),
        field("revenue", money, "Their money after from_as_of, up to the as-of date."),
    ];
    let mut movers = customer(vec![as_of()]);
    movers.extend([
        scheme(),
        field("from_as_of", ColumnType::Date, FROM_AS_OF),
        field("from_state", ColumnType::State, "State at the earlier date."),
        field("to_state", ColumnType::State, "State at the as-of date."),
        field(
            "reason",
            ColumnType::State,
            "behaviour: the state would have changed under the earlier cut points, too; cut_points: only they moved; null under ntile.",
        ),
    ]);
    let mut state_history = customer(Vec::new());
    state_history.extend([
        scheme(),
        field("state", ColumnType::State, "State of that scheme."),
        field("valid_from", ColumnType::Date, "First of the job's as-of dates in that state."),
        field("valid_to", ColumnType::Date, "Day before the as-of date that found another state; null while the state holds."),
    ]);
    let growth = vec![
        as_of(),
        slice(),
        field("scheme", ColumnType::State, "Scheme column of the job; (all) in the rows over everybody."),
        field(
            "from_state",
            ColumnType::State,
            "State at the as-of date before; (none) for who was not there, (all) for everybody.",
        ),
        field("from_as_of", ColumnType::Date, "The as-of date before; null at the first one."),
        count("customers", "Customers with a purchase by the as-of date."),
        count("active", "Customers with a purchase in the period: new + retained + resurrected."),
        count("new", "Customers whose first purchase lies in the period."),
        count("retained", "Customers with a purchase in the period and in the one before."),
        count("resurrected", "Customers with a purchase in the period and earlier, but not in the period before."),
        count("lapsed", "Customers with a purchase in the period before, but not in the period."),
        count("inactive", "Customers with a purchase in neither."),
        count("previous_active", "Customers with a purchase in the period before."),
        count("change", "active − previous_active = new + resurrected − lapsed."),
        rate("retention_rate", "retained / previous_active."),
        rate("churn_rate", "lapsed / previous_active."),
        rate("reactivation_rate", "resurrected / (resurrected + inactive)."),
        field("revenue", money, "Money of the period."),
    ];
    let cohorts = vec![
        as_of(),
        slice(),
        field(
            "cohort_start",
            ColumnType::Date,
            "First day of the period of the first purchase; null if that lies outside of the job's periods.",
        ),
        field("cohort_end", ColumnType::Date, "Last day of that period."),
        field("periods_since", ColumnType::Int32, "Periods from that one to the row's; 0 in the period of the first purchase."),
        count("customers", "Customers of the cohort."),
        count("active_customers", "Customers with a purchase in the row's period."),
        rate("retention_rate", "active_customers / customers."),
        count("repeat_customers", "Customers with two purchases or more by the as-of date."),
        rate("repeat_rate", "repeat_customers / customers."),
        count("orders", "Purchases in the row's period."),
        field("revenue", money, "Money of the row's period."),
        field("revenue_to_date", money, "Money up to the as-of date."),
        field("spend", money, "What winning the cohort cost, from [acquisition]; null without."),
        rate("cac", "spend / customers: what one new customer cost."),
        rate("payback_ratio", "revenue_to_date / spend: 1 and more has paid back, before the cost of goods."),
    ];
    let concentration = vec![
        as_of(),
        slice(),
        count("customers", "Customers with a purchase in the lookback."),
        field("revenue", money, "Their money of the lookback."),
        rate("top_1_share", "Share of the best 1 % of them in the revenue; revenue below 0 counts as 0."),
        rate("top_10_share", "Share of the best 10 %."),
        rate("top_20_share", "Share of the best 20 %."),
        rate("gini", "Gini coefficient of their revenue: 0 if all are equal, 1 if one has it all."),
    ];
    let text = |name: &str, doc: &'static str| field(name, ColumnType::Text, doc);
    let flag = |name: &str, doc: &'static str| field(name, ColumnType::Boolean, doc);
    let dim_state = vec![
        scheme(),
        field("state", ColumnType::State, "State of that scheme; (unscored) and (none) are no states of its own."),
        field(
            "rank",
            ColumnType::Int32,
            "Place from 1 for the best (or the first, in a scheme without a ladder); null for those in parentheses.",
        ),
        text("label_en", "What reports call it in English."),
        text("label_zh_hans", "What reports call it in simplified Chinese."),
        text("definition", "One sentence on who is in it."),
        text("action", "What the playbook says to do; null where it says nothing."),
        text("colour", "#rrggbb, the same in every chart."),
    ];
    let dim_period = vec![
        as_of(),
        field("period_start", ColumnType::Date, "First day of the period that the date ends; null without periods."),
        field("period_end", ColumnType::Date, "Last day of the period; later than as_of while the period is not over."),
        text("label", "What reports call the period."),
        field("same_period_last_year", ColumnType::Date, "The as-of date a year before, if the job has it."),
        flag("is_partial", "Whether the period is not over on the as-of date."),
        flag("history_complete", "Whether no lookback reaches before the first order."),
    ];
    let table = |name, one_row_per, columns, partitioned| TableDefinition { name, one_row_per, columns, partitioned };
    vec![
        table(
            "transitions",
            "state that customers come from and state they are in, per scheme, as-of date and slice",
            transitions,
            false,
        ),
        table("movers", "customer (and slice) whose state of a scheme changed since an earlier date", movers, true),
        table("state_history", "customer (and slice), scheme and unbroken stay in a state", state_history, false),
        table("growth", "as-of date, slice, scheme and state at the date before", growth, false),
        table("cohorts", "as-of date, slice and period of the first purchase", cohorts, false),
        table("concentration", "as-of date and slice", concentration, false),
        table("dim_state", "state of a scheme column", dim_state, false),
        table("dim_period", "as-of date", dim_period, false),
    ]
}
