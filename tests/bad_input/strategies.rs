//! Strategies that do not fit the schemes of the job or the assignments they name.

use crate::fixture::Bench;

/// A job with two schemes and a strategy with these settings, and its assignments in `mail.csv`.
fn bench(settings: &str, assignments: &str) -> Bench {
    let bench = Bench::with_run();
    bench.append("[schemes]\nsegment = \"standard\"\nactivity = \"recency_windows\"\nplain = \"mine.toml\"\n");
    bench.write(
        "mine.toml",
        "name = \"mine\"\n\n[[states]]\nname = \"one\"\n\n[[states]]\nname = \"other\"\n\n[[rules]]\nstate = \"one\"\nwhen = { frequency = 1 }\n\n[[rules]]\nstate = \"other\"\n",
    );
    bench.append(&format!(
        "[[strategy]]\nname = \"mail\"\nassignments = \"mail.csv\"\ncontrol = \"control\"\nperiods = [{{ from = 2024-04-01, to = 2024-04-30 }}]\n{settings}"
    ));
    bench.write("mail.csv", assignments);
    bench
}

const SPLIT: &str = "design = \"randomised\"\nsplit = { control = 0.5, mail = 0.5 }\n";

#[test]
fn a_scheme_without_a_ladder_cannot_be_climbed() {
    let rows = "customer_id,arm,assigned_on\n1,mail,2024-04-01\n2,control,2024-04-01\n";
    for way in ["up", "down"] {
        let bench = bench(&format!("{SPLIT}outcomes = [\"orders\", \"moved_{way}:plain\"]"), rows);
        bench.refuses(2, &format!("error: job.toml, line …: strategy \"mail\": the outcome \"moved_{way}:plain\" needs states from best to worst, and the scheme of \"plain\" has no ladder; take another scheme, give a copy of this one a ladder, or remove the outcome."));
    }
    bench(&format!("{SPLIT}outcomes = [\"orders\", \"moved_up:segment\"]"), rows).succeeds(&["check", "job.toml"]);
}

#[test]
fn shares_of_a_stratum_that_nobody_is_in_are_refused() {
    let split = "design = \"randomised\"\nsplit = { control = 0.5, mail = 0.5, \"New\" = { control = 0.2, mail = 0.8 } }";
    let rows = "customer_id,arm,assigned_on,stratum\n1,mail,2024-04-01,Mew\n2,control,2024-04-01,Loyal\n";
    bench(split, rows).refuses(3, "error: job.toml, line …: strategy \"mail\": split has shares for the stratum \"New\", which no assignment has; did you mean \"Mew\"? (strata found: Loyal, Mew); correct the name or the table.");
    let rows = "customer_id,arm,assigned_on\n1,mail,2024-04-01\n2,control,2024-04-01\n";
    bench(split, rows).refuses(3, "error: job.toml, line …: strategy \"mail\": split has shares for the stratum \"New\", which no assignment has (strata found: none); correct the name or the table.");
}

#[test]
fn matching_on_strata_needs_strata() {
    let rows = "customer_id,arm,assigned_on\n1,mail,2024-04-01\n2,control,2024-04-01\n";
    let bench = bench("design = \"matched\"\nmatch_on = [\"segment\", \"stratum\"]\n", rows);
    bench.refuses(3, "error: job.toml, line …: strategy \"mail\": match_on names \"stratum\", but its assignments have neither a column \"stratum\" nor \"state\"; add one, or name scheme columns.");
}

/// Time before the first order is no time without orders, and whoever reads a change since then must know it.
#[test]
fn time_before_the_data_is_told() {
    let rows = "customer_id,arm,assigned_on\n1,mail,2024-01-15\n2,control,2024-01-15\n";
    let bench = bench(&format!("{SPLIT}baseline = {{ from = 2023-12-01, to = 2024-01-14 }}"), rows);
    bench.edit("periods = [{ from = 2024-04-01, to = 2024-04-30 }]", "periods = [{ from = 2024-01-15, to = 2024-01-31 }]");
    let told = bench.succeeds(&["run", "job.toml"]).err;
    assert!(
        told.contains("warning: strategy \"mail\": days of its baseline 2023-12-01 to 2024-01-14 lie before the first order ("),
        "{told}"
    );
    assert!(!told.contains("days of its period"), "{told}");
}

/// Sums need values, and of a cost more is worse.
#[test]
fn values_that_are_not_there_or_are_costs_do_not_decide() {
    let rows = "customer_id,arm,assigned_on\n1,mail,2024-04-01\n2,control,2024-04-01\n";
    let bench = |keys: &str| {
        let bench = bench(&format!("{SPLIT}{keys}"), rows);
        bench.edit("[output]", "[events]\npath = \"service.parquet\"\ncustomer_id = \"customer_id\"\nevent = \"event\"\nat = \"at\"\n[events.kinds.visit]\n[events.kinds.ticket]\nvalue = \"cost\"\ncost_to_serve = true\n[output]");
        bench
    };
    bench("outcomes = [\"revenue\", \"event_sum:visit\"]").refuses(2, "error: job.toml, line …: strategy \"mail\": the outcome \"event_sum:visit\" adds up the values of events, and those of kind visit have none; name their column as value in [events.kinds.visit], or take \"events:visit\", which counts them.");
    bench("outcomes = [\"revenue\", \"event_sum:ticket\"]\nprimary = { outcome = \"event_sum:ticket\" }").refuses(2, "error: job.toml, line …: strategy \"mail\": the primary outcome is \"event_sum:ticket\", a cost to serve, of which more is worse, and a verdict reads more as better; take another, and read the effect on the cost beside it.");
    bench("guardrails = [\"event_sum:ticket\"]").refuses(2, "error: job.toml, line …: strategy \"mail\": guardrails names event_sum:ticket, a cost to serve, of which more is worse, and a guardrail suffers when it falls; list it in outcomes, and take it out of guardrails.");
}
