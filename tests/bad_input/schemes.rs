//! Schemes that do not exist, scheme files that are wrong, and built-in schemes that lack something.

use crate::fixture::{Bench, orders_and, texts};

/// A scheme over five scores with two states and these rules.
fn scheme(rules: &str) -> String {
    format!("name = \"mine\"\nbins = 5\n\n[[states]]\nname = \"good\"\n\n[[states]]\nname = \"other\"\n\n{rules}")
}

/// A job with the scheme file `mine.toml`.
fn bench(file: &str) -> Bench {
    let bench = Bench::with_run();
    bench.append("[schemes]\ntier = \"mine.toml\"");
    bench.write("mine.toml", file);
    bench
}

const REST: &str = "[[rules]]\nstate = \"other\"\n";

#[test]
fn an_unknown_scheme_is_corrected() {
    let bench = Bench::with_run();
    bench.append("[schemes]\nsegment = \"standart\"");
    bench.refuses(2, "error: job.toml, line 16, column 11: there is no scheme \"standart\"; did you mean \"standard\"? (built in: standard, rf_grid, r_rfm, klaviyo, eight_value, four_value, vip, recency_windows, journey, simple_lifecycle, purchase_stage, activity, value_tier, three_grade, frequency_tier, high_value, loyalty, membership, churn_warning, cadence, low_value, discount_only, engagement; or give the path of a .toml file).");
    let bench = Bench::with_run();
    bench.append("[schemes]\nsegment = \"nowhere.toml\"");
    bench.refuses(2, "error: cannot read the scheme file nowhere.toml: No such file or directory (os error 2); check the path.");
}

#[test]
fn a_scheme_entry_of_the_wrong_form_is_refused() {
    let cases = [
        (
            "segment = 5",
            "error: job.toml, line 16, column 1: schemes.segment is 5; expected the name of a built-in scheme or the path of a scheme file.",
        ),
        (
            "\"my tier\" = \"standard\"",
            "error: job.toml, line 16, column 1: schemes.my tier is no column name; use letters, digits and underscores.",
        ),
        (
            "tier = { usee = \"standard\" }",
            "error: job.toml, line 16, column 1: schemes.tier has the unknown key \"usee\"; did you mean \"use\"? (possible keys: \"use\", \"rules\", \"override\").",
        ),
        (
            "tier = { use = 5 }",
            "error: job.toml, line 16, column 1: schemes.tier has a \"use\" of the wrong type; expected a name for \"use\" and tables for \"rules\" and \"override\".",
        ),
        (
            "frequency = \"standard\"",
            "error: job.toml, line 16, column 1: the scheme column \"frequency\" would make a second column \"frequency\" in customers; give it another name.",
        ),
    ];
    for (entry, message) in cases {
        let bench = Bench::with_run();
        bench.append(&format!("[schemes]\n{entry}"));
        bench.refuses(2, message);
    }
}

#[test]
fn a_good_scheme_file_works() {
    bench(&scheme(&format!("[[rules]]\nstate = \"good\"\nwhen = {{ r_score = [4, 5] }}\n{REST}"))).runs();
}

#[test]
fn a_rule_that_can_never_match_is_refused() {
    let rules = "[[rules]]\nstate = \"good\"\nwhen = { r_score = [3, 5] }\n\n[[rules]]\nstate = \"good\"\nwhen = { r_score = 4, f_score = 1 }\n";
    bench(&scheme(&format!("{rules}\n{REST}"))).refuses(2, "error: job.toml, line 16, column 8: rule 2 of the scheme \"mine\" (state \"good\") can never match, because earlier rules take every customer it could get; move it up, change it or remove it.");
    let rules = "[[rules]]\nstate = \"good\"\nwhen = { recency_days = [0, 90] }\n\n[[rules]]\nstate = \"good\"\nwhen = { recency_days = [30, 60] }\n";
    bench(&scheme(&format!("{rules}\n{REST}"))).refuses(2, "error: job.toml, line 16, column 8: rule 2 of the scheme \"mine\" (state \"good\") can never match, because earlier rules take every customer it could get; move it up, change it or remove it.");
}

#[test]
fn a_rule_after_an_unconditional_one_is_refused() {
    let rules = "[[rules]]\nstate = \"good\"\nwhen = { r_score = 5 }\n";
    bench(&scheme(&format!("{REST}\n{rules}"))).refuses(2, "error: mine.toml, rule 1 (state \"other\") has no condition, so the rules after it can never match; move it to the end or give it a condition.");
}

#[test]
fn conditions_are_checked() {
    let cases = [
        (
            "{ r_score = [5, 4] }",
            "error: mine.toml, rule 1 (state \"good\"): r_score = [5, 4] can never match: its lower end is above its upper end.",
        ),
        (
            "{ recency_days = [90, 0] }",
            "error: mine.toml, rule 1 (state \"good\"): recency_days = [90, 0] can never match: its lower end is above its upper end.",
        ),
        (
            "{ recency_days = { above = 5, below = 5 } }",
            "error: mine.toml, rule 1 (state \"good\"): recency_days = { above = 5, below = 5 } can never match: its lower end is above its upper end.",
        ),
        ("{ r_score = 6 }", "error: mine.toml, rule 1 (state \"good\"): r_score = 6 reaches outside the scores 1 to 5."),
        (
            "{ r_score = \"high\" }",
            "error: mine.toml, rule 1 (state \"good\"): r_score = \"high\" is not a score such as 5, nor a range of scores such as [4, 5].",
        ),
        (
            "{ r_level = 5 }",
            "error: mine.toml, rule 1 (state \"good\"): r_level = 5 is not a level; expected \"high\" or \"low\".",
        ),
        (
            "{ cells = [\"5-5\"] }",
            "error: mine.toml, rule 1 (state \"good\"): cells = [\"5-5\"] has a cell that is not three scores from 1 to 5 such as \"5-4-3\".",
        ),
        (
            "{ cells = [\"6-1-1\"] }",
            "error: mine.toml, rule 1 (state \"good\"): cells = [\"6-1-1\"] has a cell that is not three scores from 1 to 5 such as \"5-4-3\".",
        ),
        (
            "{ recency = [0, 90] }",
            "error: mine.toml, rule 1 (state \"good\"): there is no measure or score \"recency\"; did you mean \"recency_days\"? (rules look at first_order, last_order, recency_days, frequency, monetary, revenue, avg_order_value, tenure_days, lifetime_orders, lifetime_monetary, period_orders, period_monetary, previous_period_orders, orders_before_period, mean_gap_days, overdue_ratio, next_due, frequency_trend, monetary_trend, annual_value, discount_share, return_share, margin, top_category, top_category_share, categories, events, sends, opens, clicks, conversions, responses, open_rate, click_rate, conversion_rate, expected_orders, expected_value, next_order_low, next_order_median, next_order_high, cost_to_serve, r_score, f_score, m_score, f_plus_m, cells, r_level, f_level, m_level).",
        ),
        (
            "{ frequncy = [0, 90] }",
            "error: mine.toml, rule 1 (state \"good\"): there is no measure or score \"frequncy\"; did you mean \"frequency\"? (rules look at first_order, last_order, recency_days, frequency, monetary, revenue, avg_order_value, tenure_days, lifetime_orders, lifetime_monetary, period_orders, period_monetary, previous_period_orders, orders_before_period, mean_gap_days, overdue_ratio, next_due, frequency_trend, monetary_trend, annual_value, discount_share, return_share, margin, top_category, top_category_share, categories, events, sends, opens, clicks, conversions, responses, open_rate, click_rate, conversion_rate, expected_orders, expected_value, next_order_low, next_order_median, next_order_high, cost_to_serve, r_score, f_score, m_score, f_plus_m, cells, r_level, f_level, m_level).",
        ),
        (
            "{ frequency = { over = 3 } }",
            "error: mine.toml, rule 1 (state \"good\"): frequency = { over = 3 } has the unknown test \"over\" (tests: min, max, above, below, is_null).",
        ),
        (
            "{ frequency = true }",
            "error: mine.toml, rule 1 (state \"good\"): frequency = true is not a test; expected a number, a range such as [0, 90] or a table such as { above = 3 }.",
        ),
        (
            "{ frequency = [1, 2, 3] }",
            "error: mine.toml, rule 1 (state \"good\"): frequency = [1, 2, 3] is not a range such as [0, 90] or [366, inf].",
        ),
        (
            "{ \"recency_days@30d\" = 3 }",
            "error: mine.toml, rule 1 (state \"good\"): measure \"recency_days@30d\": recency_days does not look back over a window, so it takes no \"@\".",
        ),
        (
            "\"always\"",
            "error: mine.toml, rule 1 (state \"good\"): when = \"always\"; expected conditions such as { r_score = 5 }.",
        ),
    ];
    for (when, message) in cases {
        bench(&scheme(&format!("[[rules]]\nstate = \"good\"\nwhen = {when}\n\n{REST}"))).refuses(2, message);
    }
}

#[test]
fn customers_without_a_state_are_refused() {
    bench(&scheme("[[rules]]\nstate = \"good\"\nwhen = { r_score = [2, 5] }\n\n[[rules]]\nstate = \"other\"\nwhen = { r_score = 1, f_score = [1, 4] }\n"))
        .refuses(2, "error: job.toml, line 16, column 8: the scheme \"mine\" leaves customers without a state, for example 1-5-1; add a last rule without conditions.");
    bench(&scheme("[[rules]]\nstate = \"good\"\nwhen = { recency_days = [0, 90] }\n\n[[rules]]\nstate = \"other\"\nwhen = { recency_days = [92, inf] }\n"))
        .refuses(2, "error: job.toml, line 16, column 8: the scheme \"mine\" leaves customers without a state, for example recency_days null, recency_days 91; add a last rule without conditions.");
}

#[test]
fn states_are_checked() {
    bench(&scheme("[[rules]]\nstate = \"goood\"\nwhen = { r_score = 5 }\n")).refuses(
        2,
        "error: mine.toml, line 11, column 9: there is no state \"goood\"; did you mean \"good\"? (states: good, other).",
    );
    bench(&scheme(REST).replace("\"good\"", "\"other\"")).refuses(2, "error: mine.toml, line 5, column 8: the state \"other\" is listed twice, is empty, or begins with a parenthesis; give every state a name of its own.");
    bench(&scheme(REST).replace("\"good\"", "\"(none)\"")).refuses(2, "error: mine.toml, line 5, column 8: the state \"(none)\" is listed twice, is empty, or begins with a parenthesis; give every state a name of its own.");
    bench(&scheme(REST).replace("bins = 5", "bins = 5\nladder = [\"good\", \"good\"]"))
        .refuses(2, "error: mine.toml: the ladder holds the state \"good\" twice; remove one of them.");
    bench(&scheme(REST).replace("bins = 5", "bins = 50")).refuses(2, "error: mine.toml: bins is 50; expected 2 to 10.");
    bench(&scheme("")).refuses(2, "error: mine.toml, line 1, column 1: the key \"rules\" is missing; add it.");
    bench(&scheme("").replace("bins = 5", "bins = 5\nrules = []"))
        .refuses(2, "error: mine.toml has no rules; add at least one [[rules]].");
    bench(&scheme(REST).replace("bins = 5", "bin = 5")).refuses(2, "error: mine.toml, line 2, column 1: there is no key \"bin\" here; did you mean \"bins\"? (possible keys: \"name\", \"summary\", \"source\", \"bins\", \"ladder\", \"states\", \"rules\").");
}

#[test]
fn a_scheme_over_scores_must_say_how_many() {
    let file = scheme(&format!("[[rules]]\nstate = \"good\"\nwhen = {{ r_score = 5 }}\n\n{REST}")).replace("bins = 5\n", "");
    bench(&file).refuses(2, "error: mine.toml, rule 1 (state \"good\"): r_score = 5 uses scores, but the scheme does not say how many there are; add bins = 5.");
}

#[test]
fn other_bins_than_the_job_has_are_refused() {
    let bench = Bench::with_run();
    bench.append("[score]\nbins = 4");
    bench.refuses(2, "error: job.toml: the scheme \"standard\" is written for 5 scores, but the job has score.bins = 4; set score.bins = 5 or use another scheme.");
    let bench = Bench::with_run();
    bench.append("[schemes]\nsegment = \"klaviyo\"");
    bench.refuses(2, "error: job.toml, line 16, column 11: the scheme \"klaviyo\" is written for 3 scores, but the job has score.bins = 5; set score.bins = 3 or use another scheme.");
}

#[test]
fn membership_needs_its_ranges() {
    let bench = Bench::with_run();
    bench.append("[schemes]\nmembership = \"membership\"");
    bench.refuses(2, "error: job.toml, line 16, column 1: the scheme \"membership\" leaves the ranges of \"gold\" to the job; give them, for example [schemes.membership.rules] gold = { \"monetary@365d\" = { min = 1000 } }.");
    let bench = Bench::new();
    bench.append("[schemes.membership]\nuse = \"membership\"\n[schemes.membership.rules]\ngold = { \"monetary@365d\" = { above = 1000 } }\nsilver = { \"monetary@365d\" = { above = 100 } }");
    bench.runs();
    bench.edit("silver =", "slver =");
    bench.refuses(2, "error: job.toml, line 19, column 1: schemes.membership.rules: there is no state \"slver\"; did you mean \"silver\"? (states: gold, silver, regular).");
}

#[test]
fn overrides_are_checked() {
    let sliced = || {
        let bench = Bench::with_run();
        bench.parquet(
            "orders/a.parquet",
            &orders_and("shop", texts(["toys", "books", "toys", "books", "toys", "toys", "toys", "books"])),
        );
        bench
    };
    let rules =
        "[schemes.lifecycle]\nuse = \"recency_windows\"\n[schemes.lifecycle.override.toy]\nactive = { recency_days = [0, 180] }";
    let bench = sliced();
    bench.append(rules);
    bench.refuses(2, "error: job.toml, line 15, column 1: schemes.lifecycle has overrides per slice, but the job has no orders.slice; name the slice column or remove them.");
    bench.in_orders("slice = \"shop\"");
    bench.refuses(2, "error: job.toml, line 18, column 1: schemes.lifecycle.override names the slice \"toy\", which no order has; did you mean \"toys\"? (column \"shop\" holds \"books\", \"toys\").");
    bench.edit("override.toy", "override.toys");
    bench.edit("active =", "actve =");
    bench.refuses(2, "error: job.toml, line 19, column 1: schemes.lifecycle.override.toys: there is no state \"actve\"; did you mean \"active\"? (states: active, silent, sleeping, lapsing, churned).");
    bench.edit("actve = { recency_days = [0, 180] }", "active = { recency_days = [180, 0] }");
    bench.refuses(2, "error: job.toml, line 19, column 1: schemes.lifecycle.override.toys.active: recency_days = [180, 0] can never match: its lower end is above its upper end.");
    bench.edit("[180, 0]", "[0, 80]");
    bench.runs();
}

#[test]
fn discount_schemes_need_the_discount_column() {
    let bench = Bench::with_run();
    bench.append("[schemes]\nprice = \"discount_only\"");
    bench.refuses(
        2,
        "error: job.toml: discount_share is asked for, but the job does not say which column holds it; set orders.discount.",
    );
}

#[test]
fn period_schemes_need_periods() {
    let bench = Bench::with_run();
    bench.append("[schemes]\nactivity = \"activity\"");
    bench.refuses(2, "error: job.toml: period_orders needs periods, but the job has a single as-of date without any; add [periods] every = \"month\" or a second as-of date.");
}
