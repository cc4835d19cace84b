//! Dates, periods, comparisons, playbooks and measures of periods that cannot be, and periods without orders, which can.

use crate::fixture::Bench;

/// A bench with a committed run whose job has these periods.
fn bench(periods: &str) -> Bench {
    let bench = Bench::with_run();
    bench.edit("[periods]\nas_of = [2024-12-31]\n", &format!("[periods]\n{periods}\n"));
    bench
}

/// The same without that run, which is of a newer date than some that tests ask for.
fn fresh(periods: &str) -> Bench {
    let bench = bench(periods);
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    bench
}

/// Two listed periods.
fn listed(first: (&str, &str), second: (&str, &str)) -> String {
    let period = |(from, to): (&str, &str)| format!("[[periods.list]]\nfrom = {from}\nto = {to}\n");
    period(first) + &period(second)
}

#[test]
fn bounds_must_lie_on_every_calendar() {
    let cases = [
        (
            "week",
            "2024-01-01",
            "2024-12-28",
            "line 12, column 1: 2024-12-28 is not the last day of a week; the one it lies in begins on 2024-12-23",
        ),
        (
            "month",
            "2024-01-01",
            "2024-02-28",
            "line 12, column 1: 2024-02-28 is not the last day of a month; the one it lies in begins on 2024-02-01",
        ),
        (
            "quarter",
            "2024-02-01",
            "2024-12-31",
            "line 11, column 1: 2024-02-01 is not the first day of a quarter; the one it lies in begins on 2024-01-01",
        ),
        (
            "year",
            "2023-12-31",
            "2024-12-31",
            "line 11, column 1: 2023-12-31 is not the first day of a year; the one it lies in begins on 2023-01-01",
        ),
        (
            "year",
            "2023-01-01",
            "2024-12-30",
            "line 12, column 1: 2024-12-30 is not the last day of a year; the one it lies in begins on 2024-01-01",
        ),
    ];
    for (every, from, to, message) in cases {
        bench(&format!("every = \"{every}\"\nfrom = {from}\nto = {to}")).refuses(2, &format!("error: job.toml, {message}."));
    }
    for every in ["day", "week", "month", "quarter", "year"] {
        bench(&format!("every = \"{every}\"\nfrom = 2024-12-01\nto = 2024-11-30")).refuses(
            2,
            "error: job.toml, line 10, column 1: the periods end (2024-11-30) before they begin (2024-12-01); exchange periods.from and periods.to.",
        );
    }
}

#[test]
fn bounds_on_the_command_line_are_named_as_such() {
    let bench = bench("every = \"month\"\nfrom = 2024-01-01\nto = 2024-12-31");
    let cases: [(&[&str], &str); 4] = [
        (
            &["--from", "2024-06-02"],
            "error: --from: 2024-06-02 is not the first day of a month; the one it lies in begins on 2024-06-01.",
        ),
        (
            &["--to", "2024-06-29"],
            "error: --to: 2024-06-29 is not the last day of a month; the one it lies in begins on 2024-06-01.",
        ),
        (
            &["--from", "2025-01-01"],
            "error: job.toml, line 10, column 1: the periods end (2024-12-31) before they begin (2025-01-01); exchange periods.from and periods.to.",
        ),
        (
            &["--as-of", "2024-12-31", "--from", "2024-01-01"],
            "error: --as-of asks for one date and --from/--to for many; give one or the other.",
        ),
    ];
    for (flags, message) in cases {
        bench.refuses_command(&[&["run", "job.toml", "-q"], flags].concat(), 2, message);
    }
    bench.succeeds(&["drop", "out", "--as-of", "2024-06-30"]);
    bench.succeeds(&["run", "job.toml", "-q", "--from", "2024-03-01", "--to", "2024-04-30"]);
    assert_eq!(bench.table("cutpoints.parquet").iter().map(|row| row[0].as_str()).min(), Some("2024-03-31"));
}

#[test]
fn dates_come_from_one_place() {
    let all = format!(
        "as_of = [2024-12-31]\nevery = \"month\"\n{}",
        listed(("2024-01-01", "2024-01-31"), ("2024-02-01", "2024-02-29"))
    );
    let message =
        "error: job.toml, line 9, column 1: periods has more than one of \"as_of\", \"every\" and \"list\"; keep one of them.";
    bench(&all).refuses(2, message);
    bench(&all.replace("as_of = [2024-12-31]\n", "")).refuses(2, message);
    bench(&all.replace("every = \"month\"\n", "")).refuses(2, message);
    bench(&all.replace("every = \"month\"\n", "from = 2024-01-01\n").replace("as_of = [2024-12-31]\n", "")).refuses(
        2,
        "error: job.toml, line 10, column 1: periods.from and periods.to go with \"every\"; remove them, or set every = \"month\".",
    );
}

#[test]
fn as_of_dates_stand_once_and_in_order() {
    for (dates, message) in [
        ("2024-06-30, 2024-03-31, 2024-09-30", "2024-03-31 after 2024-06-30"),
        ("2024-06-30, 2024-09-30, 2024-09-30", "2024-09-30 after 2024-09-30"),
        ("\"2024-09-30\", 2024-06-30", "2024-06-30 after 2024-09-30"),
    ] {
        bench(&format!("as_of = [{dates}]")).refuses(
            2,
            &format!(
                "error: job.toml, line 10, column 1: periods.as_of has {message}; list every date once, in ascending order."
            ),
        );
    }
}

#[test]
fn listed_periods_are_whole_and_ascending() {
    let cases = [
        (
            listed(("2024-01-01", "2024-01-31"), ("2024-03-31", "2024-02-01")),
            "line 14, column 1: a listed period ends (2024-02-01) before it begins (2024-03-31); exchange from and to",
        ),
        (
            listed(("2024-01-31", "2024-01-01"), ("2024-02-01", "2024-03-31")),
            "line 11, column 1: a listed period ends (2024-01-01) before it begins (2024-01-31); exchange from and to",
        ),
        (
            listed(("2024-01-01", "2024-01-31"), ("2024-01-31", "2024-02-29")),
            "line 14, column 1: the listed period from 2024-01-31 begins before the one that ends on 2024-01-31 is over; list periods in ascending order, without overlap",
        ),
        (
            listed(("2024-02-01", "2024-02-29"), ("2024-01-01", "2024-01-31")),
            "line 14, column 1: the listed period from 2024-01-01 begins before the one that ends on 2024-02-29 is over; list periods in ascending order, without overlap",
        ),
        (
            listed(("2024-01-01", "2024-12-31"), ("2024-03-01", "2024-03-31")),
            "line 14, column 1: the listed period from 2024-03-01 begins before the one that ends on 2024-12-31 is over; list periods in ascending order, without overlap",
        ),
        (
            listed(("2024-01-01", "\"31 January\""), ("2024-03-01", "2024-03-31")),
            "line 12, column 6: periods.list.to is \"31 January\"; expected a date such as 2024-12-31",
        ),
        ("[[periods.list]]\nfrom = 2024-01-01\n".into(), "line 10, column 1: the key \"to\" is missing; add it"),
        (
            "[[periods.list]]\nfrom = 2024-01-01\nto = 2024-01-31\nname = \"January\"\n".into(),
            "line 13, column 1: there is no key \"name\" here (possible keys: \"from\", \"to\", \"label\")",
        ),
        ("list = []".into(), ": the list of as-of dates is empty; name at least one"),
    ];
    for (periods, message) in cases {
        let message =
            if message.starts_with(':') { format!("error: job.toml{message}.") } else { format!("error: job.toml, {message}.") };
        bench(&periods).refuses(2, &message);
    }
}

#[test]
fn comparisons_are_lengths_of_time() {
    let forms = "expected \"all\", days such as \"365d\" or \"90 days\", or calendar units such as \"2 weeks\", \"12 months\", \"4 quarters\" or \"1 year\"";
    for nonsense in ["1 fortnight", "yesterday", "0 days", "-1 day", "1.5 months", ""] {
        bench(&format!("as_of = [2024-12-31]\ncompare = [\"1 day\", \"{nonsense}\"]"))
            .refuses(2, &format!("error: job.toml…: periods.compare: \"{nonsense}\" is not a length of time: {forms}."));
    }
    bench("as_of = [2024-12-31]\ncompare = [\"1 day\", \"all\"]").refuses(
        2,
        "error: job.toml, line 11, column 21: periods.compare: \"all\" is no length of time; write \"1 day\", \"1 month\" ….",
    );
    bench("as_of = [2024-12-31]\ncompare = \"1 day\"")
        .refuses(2, "error: job.toml, line 11, column 11: string \"1 day\" is not possible here; expected a sequence.");
}

#[test]
fn a_period_without_orders_is_legal_and_shown() {
    let bench = fresh("every = \"month\"\nfrom = 2023-11-01\nto = 2024-04-30");
    bench.runs();
    // as_of, slice, scheme, from_state, from_as_of, customers, active, new, retained, resurrected, lapsed, inactive.
    let growth: Vec<String> = bench
        .table("growth.parquet")
        .iter()
        .filter(|row| row[2] == "(all)")
        .map(|row| [&row[0..1], &row[4..12]].concat().join(" "))
        .collect();
    // Nobody is there in 2023, so there is nothing to count; in April nobody buys, and that is counted.
    assert_eq!(
        growth,
        [
            "2024-01-31 2023-12-31 1 1 1 0 0 0 0",
            "2024-02-29 2024-01-31 2 1 1 0 0 1 0",
            "2024-03-31 2024-02-29 2 1 0 0 1 1 0",
            "2024-04-30 2024-03-31 2 0 0 0 0 1 1",
        ]
    );
    for (month, customers) in [("2023-11-30", 0), ("2023-12-31", 0), ("2024-01-31", 1), ("2024-04-30", 2)] {
        let rows = bench.table(&format!("customers/as_of={month}/part-000.parquet"));
        assert_eq!(rows.len(), customers, "{month}");
    }
    // Before the first order there is nothing to run on.
    bench.refuses_command(
        &["run", "job.toml", "-q", "--as-of", "2023-12-31"],
        3,
        "error: there is no order on or before the as-of date 2023-12-31: 8 of 8 rows are later (the dates go from 2024-01-05 to 2024-12-31); check the as-of date.",
    );
    // Dates that the first one is compared with may lie before the data.
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-01-05", "--set", "periods.compare=[\"1 day\", \"1 year\"]"]);
    let moves = bench.table("transitions.parquet");
    assert_eq!(moves.len(), 4, "two schemes, two dates: {moves:?}");
    assert!(moves.iter().all(|row| row[5] == "(none)"), "{moves:?}");
}

#[test]
fn measures_that_the_job_cannot_compute_name_what_is_missing() {
    let scheme = |measure: &str| {
        format!(
            "name = \"mine\"\n[[states]]\nname = \"yes\"\n[[states]]\nname = \"no\"\n[[rules]]\nstate = \"yes\"\nwhen = {{ {measure} = {{ above = 0 }} }}\n[[rules]]\nstate = \"no\"\n"
        )
    };
    let bench = Bench::with_run();
    bench.append("[schemes]\ntier = \"mine.toml\"");
    let column = |measure: &str, key: &str| {
        format!("error: job.toml: {measure} is asked for, but the job does not say which column holds it; set {key}.")
    };
    let periods = |measure: &str| {
        format!(
            "error: job.toml: {measure} needs periods, but the job has a single as-of date without any; add [periods] every = \"month\" or a second as-of date."
        )
    };
    let cases = [
        ("margin", column("margin", "orders.cost")),
        ("\"margin@90d\"", column("margin@90d", "orders.cost")),
        ("\"discount_share@90d\"", column("discount_share@90d", "orders.discount")),
        ("period_orders", periods("period_orders")),
        ("period_monetary", periods("period_monetary")),
        ("previous_period_orders", periods("previous_period_orders")),
        ("orders_before_period", periods("orders_before_period")),
    ];
    for (measure, message) in cases {
        bench.write("mine.toml", scheme(measure));
        bench.refuses(2, &message);
    }
    // --as-of leaves a list of dates without its periods.
    bench.edit("as_of = [2024-12-31]", "as_of = [2024-06-30, 2024-12-31]");
    bench.write("mine.toml", scheme("period_orders"));
    bench.refuses_command(&["run", "job.toml", "-q", "--as-of", "2024-12-31"], 2, &periods("period_orders"));
    bench.runs();
    bench.write("mine.toml", scheme("\"frequency_trend@1000y\""));
    bench.runs();
}

#[test]
fn playbooks_speak_of_schemes_and_states_that_there_are() {
    let cases = [
        (
            "[playbook.segmnt]\nChampions = \"thank\"",
            "line 15, column 1: the playbook names the scheme column \"segmnt\", which the job does not have; did you mean \"segment\"?",
        ),
        (
            "[playbook.tier]\ngold = \"thank\"",
            "line 15, column 1: the playbook names the scheme column \"tier\", which the job does not have",
        ),
        (
            "[playbook.segment]\nChampion = \"thank\"",
            "line 15, column 1: the playbook names the state \"Champion\" of segment, which its scheme does not have; did you mean \"Champions\"? (states: Champions, Loyal, Potential Loyalist, New, Promising, Need Attention, About to Sleep, Can't Lose, At Risk, Hibernating, (unscored), (none))",
        ),
        ("[playbook.lifecycle]\nactive = 5", "line 16, column 10: integer 5 is not possible here; expected a string"),
        ("[playbook]\nsegment = \"thank\"", "line 16, column 11: string \"thank\" is not possible here; expected a map"),
    ];
    for (playbook, message) in cases {
        let bench = Bench::with_run();
        bench.append(playbook);
        bench.refuses(2, &format!("error: job.toml, {message}."));
    }
    let bench = Bench::new();
    bench.append("[playbook.lifecycle]\nchurned = \"win back\"\n\"(none)\" = \"look into it\"");
    bench.runs();
}
