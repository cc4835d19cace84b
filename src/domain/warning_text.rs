//! The sentences of warnings: English here, other languages in the files of reports by the same keys.

use super::message::Messages;

/// Everything that warnings say.
pub const WARNINGS: Messages = Messages {
    // A text is read as the first of these that it can be.
    sentences: &[
        // Schemes.
        (
            "warning.overlapping_rules",
            "scheme {scheme}: rules {first} and {second} both match {cells} {cells|cell|cells}; the first wins",
        ),
        (
            "warning.best_takes_nulls",
            "scheme {scheme}: its best state {state} takes customers of whom a measure is not known; say in its rule what they must have done, and let another state take these",
        ),
        (
            "warning.best_takes_rest",
            "scheme {scheme}: its best state {state} takes customers whom no other rule matches; say in its rule what they must have done, and let another state take these",
        ),
        ("warning.crowded_state", "{share} % of customers are in one state of {scheme}, {state}"),
        (
            "warning.young_data",
            "nobody can be {states} in {scheme} yet: that takes {days} days since the first order, and the data begin on {begin}, {known} days before {last}",
        ),
        // The job.
        (
            "warning.former_name",
            "the measure {former} is called {name}, since everybody has it and few are at risk; write that in the job and in its scheme files",
        ),
        (
            "warning.events_not_read",
            "the events are not read, because no scheme, column or score.only of the job looks at them; see the scheme engagement",
        ),
        (
            "warning.orders_before_history",
            "orders.history_begins says that there were no orders before {begins}, but the first is of {first}, so it does not count; give the day on which orders began, or leave the key out",
        ),
        // The data.
        ("warning.tied_scores", "{share} % of customers share one frequency: {empty} of {scores} scores are empty"),
        (
            "warning.tied_scores_of_slice",
            "{share} % of customers of slice {slice} share one frequency: {empty} of {scores} scores are empty",
        ),
        (
            "warning.tied_states",
            "{share} % of customers share one frequency: {empty} of {scores} scores and {none} of {states} states of {column} are empty",
        ),
        (
            "warning.tied_states_of_slice",
            "{share} % of customers of slice {slice} share one frequency: {empty} of {scores} scores and {none} of {states} states of {column} are empty",
        ),
        (
            "warning.short_histories",
            "the data begin on {begin}, after a lookback at {dates} as-of dates from {first} does (history_complete is false there)",
        ),
        (
            "warning.short_history",
            "the data begin on {begin}, after a lookback at {first} does (history_complete is false there)",
        ),
        ("warning.no_forecast", "there is no forecast: fewer than {least} customers have bought on two days"),
        (
            "warning.no_forecast_of_slices",
            "{slices} of {all} slices, the first of them {first}, have no forecast: fewer than {least} of their customers have bought on two days",
        ),
        (
            "warning.unproven_forecast",
            "over past horizons a simple rule told purchases as well as the forecast or better (table backtest): do not rely on the forecast alone",
        ),
        (
            "warning.unproven_forecast_of_slices",
            "over past horizons a simple rule told purchases as well as the forecast or better in {slices} of {all} slices, the first of them {first} (table backtest): do not rely on the forecast alone there",
        ),
        (
            "warning.old_orders",
            "the newest order (column {column}) is of {newest}, {days} days before the as-of date {as_of}; look for a missing file or partition, or say with checks.newest_order_within how old it may be",
        ),
        (
            "warning.passed_over",
            "{count} {count|file|files} of the folder {folder} {count|is|are} passed over, since {count|its name does|their names do} not end in .parquet ({names})",
        ),
        (
            "warning.column_missing",
            "{files} of {all} files {files|lacks|lack} the column {column}, which is null there (the first is {first})",
        ),
        (
            "warning.customers_without_id",
            "{rows} rows of the customers table have no customer (column {column} is null) and do not count",
        ),
        (
            "warning.events_of_nobody",
            "{events} events do not count, because their customers have no order up to {last} and do not stand in the customers table",
        ),
        (
            "warning.events_of_unknown_customers",
            "{events} events do not count, because their customers have no order up to {last}",
        ),
        (
            "warning.events_without_customer",
            "{rows} rows of the events do not count, because they have no customer (column {column})",
        ),
        ("warning.events_without_date", "{rows} rows of the events do not count, because they have no date (column {column})"),
        ("warning.events_without_event", "{rows} rows of the events do not count, because they have no event (column {column})"),
        (
            "warning.no_event_of_kind",
            "no event counts as {kind} (values of column {column} without a kind: {other}); say in [events.kinds] which do",
        ),
        (
            "warning.several_sends",
            "{values} all count as sends; if one message has several of them, say in [events.kinds] which one counts",
        ),
        (
            "warning.side_table",
            "{table}: {met} of {ids} ids have an order ({share} %); without one are {without_orders}, and customers of orders whom the table lacks are {without_row}: if they should be the same, write the ids of both alike",
        ),
        // Rows of orders.
        (
            "warning.empty_ids",
            "{orders} orders carry an empty customer id and count as one customer; leave them out with a filter such as [[orders.keep]] column = {column}, not_in = [\"\"]",
        ),
        (
            "warning.repeated_money",
            "orders.query joins tables, and {repeated} of the {orders} orders of several rows carry the same {column} on each of their {rows} rows, which add up; if that is the money of the whole order, keep one row per order (GROUP BY), or take the money of the line",
        ),
        (
            "warning.long_orders",
            "the lines of {orders} {orders|order|orders} span more than 90 days, as if numbers were used again; if they were, name as orders.order_id what tells orders apart, such as [{columns}, \"shop\"]",
        ),
        (
            "warning.shared_keys",
            "{keys} {keys|time|times} two customers share {columns}, and the newer row supersedes that of the other; if they are not one person, add {customer} to orders.latest.key",
        ),
        (
            "warning.about_customer_on_other_row",
            "about {rows} {rows|row|rows} of {money} in all count as no_customer, although other rows of the same orders have a customer; with inherit = [{customer}] in [orders] they take it from there",
        ),
        (
            "warning.customer_on_other_row",
            "{rows} {rows|row|rows} of {money} in all count as no_customer, although other rows of the same orders have a customer; with inherit = [{customer}] in [orders] they take it from there",
        ),
        (
            "warning.repeated_amounts",
            "in all {orders} orders of several lines each line has the same amount, and all of them count; if {columns} is the total of the order, name the amount of the line as orders.amount, or keep one line of each order with [orders.latest]",
        ),
        (
            "warning.large_customer",
            "customer {id} has {orders} orders, {share} % of all; if that is no person but guests, set guests = [{id}] in [orders], and if it is an account of the shop, leave it out with [[orders.keep]]",
        ),
        (
            "warning.similar_ids",
            "{ids} customer ids differ from others only in case or blanks around them, such as {one} and {other}, and count as customers of their own; write column {column} alike where it comes from",
        ),
        ("warning.moved_total", "rounding rows to amount_scale = {scale} makes the total of {file} {rounded} instead of {exact}"),
        (
            "warning.filler_dates",
            "{rows} count as orders of that day, which often stands for a date that is not known; write null there, or leave such rows out with [[orders.keep]]",
        ),
        (
            "warning.far_dates",
            "{customers} {customers|customer|customers} ordered first more than 40 years apart from the median customer ({median}), such as on {example}; look for wrong dates",
        ),
        (
            "warning.positive_returns",
            "{returns} {returns|return|returns} of {money} in all add to the money; if they should lower it, set negate = true in [orders.returns]",
        ),
        (
            "warning.negated_returns",
            "{returns} {returns|return|returns} of {money} in all add to the money; negate = true in [orders.returns] turns the signs of all returns, so remove it if they are negative in the data",
        ),
        // Strategies.
        (
            "warning.assignments_rejected",
            "strategy {strategy}: {rows} of {read} rows of its assignments are rejected ({reasons})",
        ),
        (
            "warning.assignments_outside",
            "strategy {strategy}: {rows} of {read} assignments lie in none of its periods and do not count",
        ),
        (
            "warning.assignments_repeated",
            "strategy {strategy}: {rows} assignments repeat an earlier one of their customer, arm and period; the earliest counts",
        ),
        ("warning.assignments_without_cost", "strategy {strategy}: {rows} assignments have no cost, which counts as 0"),
        (
            "warning.several_arms",
            "strategy {strategy}: {times} times a customer is in several arms of one period and left out of it",
        ),
        (
            "warning.whole_column",
            "strategy {strategy}: each value of {column} lies wholly in one arm, as if these had been drawn and not customers, whom the test takes for the draws; cluster = {column} takes these",
        ),
        (
            "warning.assigned_without_orders",
            "strategy {strategy}: {assignments} assignments are of customers without orders, whose outcomes are all 0",
        ),
        (
            "warning.overlap_kept",
            "strategy {strategy}: {assignments} assignments are of customers whom another strategy treats at the same time; they stay in this one (overlap = \"keep\")",
        ),
        (
            "warning.overlap_excluded",
            "strategy {strategy}: {assignments} assignments are of customers whom another strategy treats at the same time; {excluded} of them, whom it treated first or since the same day, are left out (overlap = \"exclude\")",
        ),
        (
            "warning.overlap_first",
            "strategy {strategy}: {assignments} assignments are of customers whom another strategy treats at the same time; {excluded} whose customers were assigned to another strategy first or on the same day are left out (overlap = \"first\")",
        ),
        (
            "warning.future_period",
            "strategy {strategy}: the period {from} to {to} begins after the last as-of date {last}, so nothing is known of it",
        ),
        ("warning.no_baseline", "strategy {strategy}: the data begin after its baseline, so the period {from} to {to} has none"),
        (
            "warning.unknown_days",
            "strategy {strategy}: days of its period {from} to {to} lie before the first order ({first}; {unknown} of {days} days) and count as days without orders",
        ),
        (
            "warning.unknown_baseline",
            "strategy {strategy}: days of its baseline {from} to {to} lie before the first order ({first}; {unknown} of {days} days) and count as days without orders, so a change since then looks larger than it is",
        ),
    ],
    remarks: &[
        ("warning.column_divides", "; the column {better} says more, with at most {most} % in one"),
        ("warning.scheme_divides", "; the built-in scheme {better} would say more, with at most {most} % in one"),
        ("warning.nothing_divides", "; neither recency_windows nor value_tier nor frequency_tier would divide them better"),
        ("warning.it_links_folder", "; it is a link to a folder: name that folder itself"),
        ("warning.one_links_folder", "; 1 of them is a link to a folder: name that folder itself"),
        ("warning.some_link_folders", "; {n} of them are links to folders: name those folders themselves"),
        ("warning.it_is_parquet", "; it begins as Parquet files do: rename it, or name it by a glob"),
        ("warning.one_is_parquet", "; 1 of them begins as Parquet files do: rename it, or name it by a glob"),
        ("warning.some_are_parquet", "; {n} of them begin as Parquet files do: rename them, or name them by a glob"),
        ("warning.more_totals", " (and {files|that|those} of {files} more {files|file|files})"),
        ("warning.scale_keeps", "; amount_scale = {scale} would keep it"),
        ("warning.no_scale_keeps", "; no amount_scale up to 6 would keep it"),
    ],
};

/// A part of a value of [`WARNINGS`] that is a message of its own.
pub const PARTS: Messages = Messages { sentences: &[("warning.rows_of_day", "{rows} {rows|row|rows} of {day}")], remarks: &[] };

/// What stands between the parts of a value.
pub const BETWEEN_PARTS: &str = " and ";

/// Stands for an empty list.
pub const EMPTY_LIST: &str = "none";
