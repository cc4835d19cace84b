//! Job files and command lines that are wrong: keys, values, dates, time zones, cuts, columns.

use crate::fixture::{Bench, JOB, orders_and, texts};

/// The sections and keys at the top of a job file.
const SECTIONS: &str = "\"name\", \"population\", \"source\", \"orders\", \"customers\", \"events\", \"periods\", \"score\", \"playbook\", \"schemes\", \"strategy\", \"forecast\", \"checks\", \"acquisition\", \"output\"";

#[test]
fn a_missing_job_file_is_refused() {
    Bench::with_run().refuses_command(
        &["run", "jobs.toml", "--quiet"],
        2,
        "error: cannot read the job file jobs.toml: No such file or directory (os error 2); check the path.",
    );
}

#[test]
fn a_job_file_that_is_not_utf_8_is_refused() {
    let bench = Bench::with_run();
    bench.write("job.toml", b"name = \"caf\xe9\"\n");
    bench.refuses(2, "error: the job file job.toml is not UTF-8 text; save it as UTF-8.");
}

#[test]
fn a_byte_order_mark_is_accepted() {
    let bench = Bench::new();
    bench.write("job.toml", format!("\u{feff}{JOB}"));
    bench.runs();
}

#[test]
fn a_job_file_that_is_not_toml_is_located() {
    let bench = Bench::with_run();
    bench.edit("path = \"orders\"", "path = orders");
    bench.refuses(2, "error: job.toml, line 4, column 8: string values must be quoted, expected literal string.");
    bench.write("job.toml", "{\"name\": \"x\"}");
    bench.refuses(2, "error: job.toml, line 1, column 1: invalid key-value pair, expected key.");
    bench.write("job.toml", "");
    bench.refuses(2, "error: job.toml, line 1, column 1: the key \"name\" is missing; add it.");
}

#[test]
fn a_missing_key_is_named() {
    let bench = Bench::with_run();
    bench.edit("amount = \"amount\"\n", "");
    bench.refuses(2, "error: job.toml, line 3, column 1: the key \"amount\" is missing; add it.");
    bench.write("job.toml", JOB.replace("name = \"test\"", "name = \" \""));
    bench.refuses(2, "error: job.toml: name is empty; give the job a name.");
}

#[test]
fn an_unknown_key_is_located_and_corrected() {
    let bench = Bench::with_run();
    bench.in_orders("time_zone = \"UTC\"");
    bench.refuses(2, "error: job.toml, line 8, column 1: there is no key \"time_zone\" here; did you mean \"timezone\"? (possible keys: \"path\", \"query\", \"manifest\", \"customer_id\", \"ordered_at\", \"amount\", \"amount_scale\", \"order_id\", \"timezone\", \"naive_timezone\", \"dedupe\", \"monetary\", \"zero_amount\", \"discount\", \"cost\", \"category\", \"currency\", \"slice\", \"max_rejected\", \"max_no_customer\", \"keep\", \"returns\", \"latest\", \"guests\", \"amount_unit\", \"inherit\", \"money_only\", \"history_begins\").");
}

#[test]
fn an_unknown_section_is_located() {
    let bench = Bench::with_run();
    bench.append("[scores]\nbins = 4");
    bench.refuses(2, &format!("error: job.toml, line 15, column 2: there is no key \"scores\" here; did you mean \"score\"? (possible keys: {SECTIONS})."));
    let bench = Bench::with_run();
    bench.append("[[strategy]]\nname = \"mail\"");
    bench.refuses(2, "error: job.toml, line 15, column 1: the key \"design\" is missing; add it.");
    let bench = Bench::with_run();
    bench.append("[spark]\nmaster = \"local\"");
    bench.refuses(2, "error: job.toml, line 15, column 2: the key \"spark\" is known, but this version of rfmill does not act on it yet; remove it.");
}

#[test]
fn a_value_of_the_wrong_type_is_located() {
    let bench = Bench::with_run();
    bench.append("[score]\nbins = \"five\"");
    bench.refuses(2, "error: job.toml, line 16, column 8: string \"five\" is not possible here; expected a whole number from 0.");
    let bench = Bench::with_run();
    bench.edit("path = \"orders\"", "path = 7");
    bench.refuses(2, "error: job.toml, line 4, column 8: expected a path, a list of paths, { delta = \"PATH\", version = N }, or { iceberg = \"PATH\", snapshot = ID }.");
    let bench = Bench::with_run();
    bench.append("[score]\nbins = -1");
    bench.refuses(2, "error: job.toml, line 16, column 8: integer -1 is not possible here; expected a whole number from 0.");
}

#[test]
fn an_unknown_value_is_located_and_corrected() {
    let bench = Bench::with_run();
    bench.append("[score]\nmethod = \"quantiles\"");
    bench.refuses(2, "error: job.toml, line 16, column 10: \"quantiles\" is not possible here; did you mean \"quantile\"? (possible values: \"quantile\", \"rank\", \"ntile\", \"thresholds\", \"r_rfm\").");
}

#[test]
fn values_out_of_range_are_refused() {
    let cases = [
        (
            "amount_scale = 7",
            "error: job.toml, line 8, column 1: orders.amount_scale is 7; expected 0 to 6 digits behind the point.",
        ),
        ("max_rejected = 1.5", "error: job.toml, line 8, column 1: orders.max_rejected is 1.5; expected a share from 0 to 1."),
        (
            "max_no_customer = -0.1",
            "error: job.toml, line 8, column 1: orders.max_no_customer is -0.1; expected a share from 0 to 1.",
        ),
    ];
    for (key, message) in cases {
        let bench = Bench::with_run();
        bench.in_orders(key);
        bench.refuses(2, message);
    }
    let bench = Bench::with_run();
    bench.append("[score]\nbins = 1");
    bench.refuses(2, "error: job.toml, line 16, column 1: score.bins is 1; expected 2 to 100.");
    let bench = Bench::with_run();
    bench.append("[score]\nlookback = \"12 moons\"");
    bench.refuses(2, "error: job.toml, line 16, column 12: score.lookback: \"12 moons\" is not a length of time: expected \"all\", days such as \"365d\" or \"90 days\", or calendar units such as \"2 weeks\", \"12 months\", \"4 quarters\" or \"1 year\".");
    let bench = Bench::with_run();
    bench.append("[checks]\nnewest_order_within = \"soon\"");
    bench.refuses(
        2,
        "error: job.toml, line 16, column 23: checks.newest_order_within is \"soon\"; expected a number of days such as \"2d\".",
    );
    let bench = Bench::with_run();
    bench.append("[checks]\nrows_vs_previous = [2.0, 0.5]");
    bench.refuses(2, "error: job.toml, line 16, column 1: checks.rows_vs_previous is [2, 0.5]; expected the least and the greatest ratio, such as [0.5, 2.0].");
}

#[test]
fn empty_lists_are_refused() {
    let bench = Bench::with_run();
    bench.edit("path = \"orders\"", "path = []");
    bench.refuses(2, "error: job.toml, line 4, column 1: orders.path is an empty list; name at least one file.");
    let bench = Bench::with_run();
    bench.edit("amount = \"amount\"", "amount = []");
    bench.refuses(2, "error: job.toml, line 7, column 1: orders.amount is an empty list; name at least one column.");
}

#[test]
fn filters_without_or_with_several_tests_are_refused() {
    let bench = Bench::with_run();
    bench.append("[[orders.keep]]\ncolumn = \"amount\"");
    bench.refuses(2, "error: job.toml, line 16, column 10: orders.keep on column \"amount\" tests nothing; give one of in, not_in, min, max, above, below, matches, not_null, is_null.");
    bench.edit("column = \"amount\"", "column = \"amount\"\nmin = 1\nin = [1]");
    bench.refuses(2, "error: job.toml, line 16, column 10: orders.keep on column \"amount\" has several tests; give each a [[orders.keep]] of its own.");
    let bench = Bench::with_run();
    bench.append("[[orders.keep]]\ncolumn = \"amount\"\nmatches = \"(\"");
    bench.refuses(2, "error: job.toml, line 16, column 10: orders.keep on column \"amount\": \"(\" is no regular expression: regex parse error: ( ^ error: unclosed group.");
    let bench = Bench::with_run();
    bench.append("[[orders.keep]]\ncolumn = \"amount\"\nmin = 1\nabove = 1");
    bench.refuses(
        2,
        "error: job.toml, line 16, column 10: orders.keep on column \"amount\" has two bounds on one side; keep one of them.",
    );
}

#[test]
fn an_unknown_time_zone_is_corrected() {
    let bench = Bench::with_run();
    bench.in_orders("timezone = \"Europe/Londn\"");
    bench.refuses(2, "error: job.toml, line 8, column 12: orders.timezone is \"Europe/Londn\", which is no IANA time zone; did you mean \"Europe/London\"?; expected a name such as \"Europe/London\" or \"UTC\".");
    let bench = Bench::with_run();
    bench.in_orders("naive_timezone = \"CEST\"");
    bench.refuses(2, "error: job.toml, line 8, column 18: orders.naive_timezone is \"CEST\", which is no IANA time zone; did you mean \"CET\"?; expected a name such as \"Europe/London\" or \"UTC\".");
}

#[test]
fn dates_must_be_given_once_and_in_order() {
    let cases = [
        (
            "as_of = [2024-12-31, 2024-06-30]",
            "error: job.toml, line 10, column 1: periods.as_of has 2024-06-30 after 2024-12-31; list every date once, in ascending order.",
        ),
        (
            "as_of = [2024-06-30, 2024-06-30]",
            "error: job.toml, line 10, column 1: periods.as_of has 2024-06-30 after 2024-06-30; list every date once, in ascending order.",
        ),
        ("as_of = []", "error: job.toml: the list of as-of dates is empty; name at least one."),
        (
            "as_of = [\"31.12.2024\"]",
            "error: job.toml, line 10, column 10: periods.as_of is \"31.12.2024\"; expected a date such as 2024-12-31.",
        ),
        (
            "as_of = [2024-12-31]\nevery = \"month\"",
            "error: job.toml, line 9, column 1: periods has more than one of \"as_of\", \"every\" and \"list\"; keep one of them.",
        ),
        (
            "as_of = [2024-12-31]\nfrom = 2024-01-01",
            "error: job.toml, line 11, column 1: periods.from and periods.to go with \"every\"; remove them, or set every = \"month\".",
        ),
        ("", "error: job.toml: no as-of date; give --as-of 2024-12-31, or [periods] as_of = [2024-12-31] in the job file."),
        (
            "every = \"month\"",
            "error: job.toml, line 10, column 1: periods.every needs periods.from; give its first and last day as periods.from and periods.to.",
        ),
        (
            "every = \"month\"\nfrom = 2024-01-15\nto = 2024-12-31",
            "error: job.toml, line 11, column 1: 2024-01-15 is not the first day of a month; the one it lies in begins on 2024-01-01.",
        ),
        (
            "every = \"quarter\"\nfrom = 2024-01-01\nto = 2024-11-30",
            "error: job.toml, line 12, column 1: 2024-11-30 is not the last day of a quarter; the one it lies in begins on 2024-10-01.",
        ),
        (
            "every = \"week\"\nfrom = 2024-01-02\nto = 2024-12-29",
            "error: job.toml, line 11, column 1: 2024-01-02 is not the first day of a week; the one it lies in begins on 2024-01-01.",
        ),
        (
            "every = \"month\"\nfrom = 2024-12-01\nto = 2024-01-31",
            "error: job.toml, line 10, column 1: the periods end (2024-01-31) before they begin (2024-12-01); exchange periods.from and periods.to.",
        ),
        (
            "every = \"fortnight\"\nfrom = 2024-12-01\nto = 2024-01-31",
            "error: job.toml, line 10, column 9: \"fortnight\" is not possible here (possible values: \"day\", \"week\", \"month\", \"quarter\", \"year\").",
        ),
        (
            "every = \"day\"\nfrom = 1900-01-01\nto = 2024-01-31",
            "error: job.toml, line 10, column 1: the job asks for more than 20000 as-of dates; shorten the span.",
        ),
    ];
    for (periods, message) in cases {
        let bench = Bench::with_run();
        bench.edit("as_of = [2024-12-31]", periods);
        bench.refuses(2, message);
    }
}

#[test]
fn dates_on_the_command_line_are_checked() {
    let bench = Bench::with_run();
    bench.refuses_command(
        &["run", "job.toml", "-q", "--as-of", "2024-12-31", "--to", "2024-12-31"],
        2,
        "error: --as-of asks for one date and --from/--to for many; give one or the other.",
    );
    bench.refuses_command(
        &["run", "job.toml", "-q", "--from", "2025-01-01"],
        2,
        "error: job.toml: the list of as-of dates is empty; name at least one.",
    );
    let ran = bench.rfmill(&["run", "job.toml", "--as-of", "yesterday"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("expected a date such as 2024-12-31"), "{}", ran.err);
}

#[test]
fn a_job_without_output_is_refused() {
    let bench = Bench::new();
    bench.edit("path = \"out\"\n", "");
    bench.refuses(2, "error: job.toml: nowhere to write; give --output FOLDER, or [output] path in the job file.");
    bench.succeeds(&["run", "job.toml", "-q", "--output", "out"]);
}

#[test]
fn settings_on_the_command_line_are_checked() {
    let bench = Bench::with_run();
    let cases = [
        ("score.bins", "error: --set \"score.bins\" has no \"=\"; expected key=value such as score.bins=4."),
        (
            "score.bin=4",
            "error: --set score.bin=4: there is no key \"bin\" here; did you mean \"bins\"? (possible keys: \"bins\", \"method\", \"ties\", \"closed\", \"thresholds\", \"lookback\", \"count\", \"monetary_as\", \"cuts\", \"levels\", \"recency\", \"recency_days\", \"frequency\", \"monetary\", \"only\").",
        ),
        (
            "score.bins=four",
            "error: --set score.bins=four: string \"four\" is not possible here; expected a whole number from 0.",
        ),
        ("name.first=x", "error: --set name.first: \"name\" is not a section of the job file."),
        ("=4", &format!("error: --set =4: there is no key \"\" here (possible keys: {SECTIONS}).")),
        (
            "score..bins=4",
            "error: --set score..bins=4: there is no key \"\" here (possible keys: \"bins\", \"method\", \"ties\", \"closed\", \"thresholds\", \"lookback\", \"count\", \"monetary_as\", \"cuts\", \"levels\", \"recency\", \"recency_days\", \"frequency\", \"monetary\", \"only\").",
        ),
        (
            "orders.path=elsewhere/*.parquet",
            "error: no file matches elsewhere/*.parquet; check orders.path (it is relative to the job file).",
        ),
    ];
    for (set, message) in cases {
        let code = if set.starts_with("orders.path") { 4 } else { 2 };
        bench.refuses_command(&["run", "job.toml", "-q", "--set", set], code, message);
    }
    bench.succeeds(&["run", "job.toml", "-q", "--set", "score.bins=3", "--set", "schemes={tier=\"klaviyo\"}"]);
}

#[test]
fn cuts_are_checked() {
    let cases = [
        (
            "method = \"thresholds\"",
            "error: job.toml, line 16, column 10: recency_days is scored by thresholds but has none; give score.thresholds.recency_days or score.recency_days.cuts with 4 ascending cuts.",
        ),
        (
            "[score.frequency]\nmethod = \"thresholds\"\ncuts = [1, 4, 2, 9]",
            "error: job.toml, line 16, column 1: the cuts of frequency are out of order at 2; list them in ascending order, each once.",
        ),
        (
            "[score.frequency]\nmethod = \"thresholds\"\ncuts = [1, 2, 2, 9]",
            "error: job.toml, line 16, column 1: the cuts of frequency are out of order at 2; list them in ascending order, each once.",
        ),
        (
            "[score.frequency]\nmethod = \"thresholds\"\ncuts = [1, 2, 4]",
            "error: job.toml, line 16, column 1: frequency has 3 cuts; 5 bins need 4 of them (change score.bins or the cuts).",
        ),
        (
            "[score.monetary]\nmethod = \"thresholds\"\ncuts = [1, 2, \"many\", 9]",
            "error: job.toml, line 16, column 1: monetary has the cut \"many\", which is not a number of at most 30 digits.",
        ),
        (
            "[score.frequency]\ncuts = [1, 2, 3, 4]",
            "error: job.toml, line 17, column 1: frequency has explicit cuts but method \"quantile\"; set method = \"thresholds\" or remove the cuts.",
        ),
        (
            "method = \"ntile\"\ncuts = \"frozen\"",
            "error: job.toml, line 17, column 1: ntile has no cut points, so score.cuts = \"frozen\" cannot be used with it; use method = \"quantile\" or \"rank\", or cuts = \"each\".",
        ),
    ];
    for (score, message) in cases {
        let bench = Bench::with_run();
        bench.append(&format!("[score]\n{score}"));
        bench.refuses(2, message);
    }
    let bench = Bench::with_run();
    bench.append("[score]\ncuts = \"frozne\"");
    bench.refuses(
        4,
        "error: cannot read the cut points frozne (score.cuts): No such file or directory (os error 2); check the path.",
    );
}

#[test]
fn output_columns_are_checked() {
    let cases = [
        (
            "[\"recency\"]",
            "error: job.toml, line 14, column 12: output.columns names \"recency\", which is no measure, score or scheme column; did you mean \"recency_days\"? (possible: first_order, last_order, recency_days, frequency, monetary, revenue, avg_order_value, tenure_days, lifetime_orders, lifetime_monetary, period_orders, period_monetary, previous_period_orders, orders_before_period, mean_gap_days, overdue_ratio, next_due, frequency_trend, monetary_trend, annual_value, discount_share, return_share, margin, top_category, top_category_share, categories, events, sends, opens, clicks, conversions, responses, open_rate, click_rate, conversion_rate, expected_orders, expected_value, next_order_low, next_order_median, next_order_high, cost_to_serve, r_score, f_score, m_score, segment, segment_previous, segment_since, lifecycle, lifecycle_previous, lifecycle_since, history_complete).",
        ),
        (
            "[\"frequency\", \"frequency\"]",
            "error: job.toml, line 14, column 12: output.columns names \"frequency\" twice; remove it.",
        ),
        (
            "[\"customer_id\"]",
            "error: job.toml, line 14, column 12: output.columns names \"customer_id\", which is always there; remove it.",
        ),
        (
            "[\"tenure_days@30d\"]",
            "error: job.toml, line 14, column 12: output.columns: measure \"tenure_days@30d\": tenure_days does not look back over a window, so it takes no \"@\".",
        ),
        (
            "[\"frequency@soon\"]",
            "error: job.toml, line 14, column 12: output.columns: \"soon\" is not a length of time: expected \"all\", days such as \"365d\" or \"90 days\", or calendar units such as \"2 weeks\", \"12 months\", \"4 quarters\" or \"1 year\".",
        ),
        (
            "[\"margin\"]",
            "error: job.toml: margin is asked for, but the job does not say which column holds it; set orders.cost.",
        ),
        (
            "[\"period_orders\"]",
            "error: job.toml: period_orders needs periods, but the job has a single as-of date without any; add [periods] every = \"month\" or a second as-of date.",
        ),
    ];
    for (columns, message) in cases {
        let bench = Bench::with_run();
        bench.edit("path = \"out\"", &format!("path = \"out\"\ncolumns = {columns}"));
        bench.refuses(2, message);
    }
    let bench = Bench::with_run();
    bench.edit("path = \"out\"", "path = \"out\"\ntables = [\"customer\"]");
    bench.refuses(2, "error: job.toml, line 14, column 11: \"customer\" is not possible here; did you mean \"customers\"? (possible values: \"customers\", \"cutpoints\", \"segments\", \"transitions\", \"movers\", \"state_history\", \"growth\", \"cohorts\", \"concentration\", \"affinity\", \"forecast\", \"backtest\", \"dim_state\", \"dim_period\", \"dim_date\", \"restatements\", \"effects\", \"effects_over_time\", \"effects_to_date\", \"verdicts\", \"balance\", \"before_after\", \"thresholds\", \"threshold_bins\", \"arms\", \"ledger\").");
}

#[test]
fn a_good_job_may_use_all_of_it() {
    let bench = Bench::new();
    bench.parquet("orders/a.parquet", &orders_and("shop", texts(["a", "b", "a", "b", "a", "b", "a", "b"])));
    bench.in_orders("slice = \"shop\"\nmax_rejected = 0.5");
    bench.append("[score]\nbins = 3\n\n[schemes]\ntier = \"value_tier\"");
    bench.refuses(2, "error: job.toml, line 21, column 8: the scheme \"value_tier\" is written for 5 scores, but the job has score.bins = 3; set score.bins = 5 or use another scheme.");
    bench.edit("bins = 3", "bins = 5");
    bench.runs();
}
