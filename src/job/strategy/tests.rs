//! Strategies as job files have them: what becomes of good ones, and the whole message about bad ones.

use super::*;
use crate::error::{Kind, Result};
use crate::job::parse::Source;
use crate::job::{Overrides, resolve as resolve_job};

/// A job with two schemes and quarters; strategies follow.
const JOB: &str = r#"name = "test"
[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
[periods]
every = "quarter"
from = 2024-01-01
to = 2024-06-30
[output]
path = "out"
"#;

/// A good strategy on lines 13 to 18.
const GOOD: &str = r#"[[strategy]]
name = "mail"
design = "randomised"
assignments = "data/mail.csv"
control = "control"
split = { control = 0.1, treatment = 0.9 }
"#;

fn resolve(text: &str) -> Result<Vec<Strategy>> {
    let source = Source { path: "jobs/job.toml".into(), text: text.into() };
    let raw = source.parse()?;
    Ok(resolve_job(raw, source, &Overrides::default())?.strategies)
}

#[track_caller]
fn refuses(text: &str, message: &str) {
    let error = resolve(text).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(error.to_string(), format!("jobs/job.toml, {message}"));
}

/// The job with the good strategy after a replacement.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    format!("{JOB}{}", GOOD.replacen(from, to, 1))
}

/// The job with the good strategy and more keys, from line 19 on.
fn and(keys: &str) -> String {
    format!("{JOB}{GOOD}{keys}\n")
}

fn period(from: &str, to: &str) -> Period {
    Period::inclusive(crate::domain::Day::parse(from).unwrap(), crate::domain::Day::parse(to).unwrap()).unwrap()
}

#[test]
fn defaults_are_filled_in() {
    let [mail] = resolve(&and("")).unwrap().try_into().unwrap();
    assert_eq!(mail.assignments, InputPaths::one("data/mail.csv", "jobs/data/mail.csv"));
    let arms = [("control", Ratio::new(1, 10)), ("treatment", Ratio::new(9, 10))];
    assert_eq!(mail.arms, arms.map(|(name, share)| Arm { name: name.into(), share }));
    assert_eq!(mail.control.as_deref(), Some("control"));
    assert_eq!(mail.periods, [period("2024-01-01", "2024-03-31"), period("2024-04-01", "2024-06-30")]);
    assert_eq!((mail.baseline, mail.outcome_days, mail.after), (None, None, false));
    assert_eq!(mail.outcomes, [Outcome::Converted, Outcome::Orders, Outcome::Revenue]);
    assert_eq!(mail.primary, Some(Primary { outcome: Outcome::Revenue, method: EffectMethod::PermutationBaseline }));
    assert_eq!((mail.guardrails.len(), mail.looks, mail.pairs.len()), (0, 4, 0));
    assert_eq!((mail.by.len(), mail.match_on.len(), mail.overlap), (0, 0, Overlap::Keep));
    assert_eq!((mail.cost_per_customer, mail.fixed_cost, mail.margin_rate, mail.winsorise), (None, None, None, None));
}

#[test]
fn every_key_is_read() {
    let text = and(r#"periods = [{ from = "2024-07-01", to = 2024-09-30 }]
baseline = { from = 2024-04-01, to = 2024-06-30 }
outcome_days = 60
after = true
outcomes = ["orders", "margin", "avg_order_value", "retained", "moved_up:segment", "moved_down:lifecycle"]
primary = { outcome = "margin", method = "cuped" }
by = ["segment"]
cost_per_customer = "0.355"
fixed_cost = 1000
margin_rate = 0.4
winsorise = 0.999
overlap = "first"
guardrails = ["orders", { outcome = "converted", at_worst = -0.01 }, "net"]
looks = 8"#);
    let [mail] = resolve(&text).unwrap().try_into().unwrap();
    assert_eq!(mail.periods, [period("2024-07-01", "2024-09-30")]);
    assert_eq!(mail.baseline, Some(period("2024-04-01", "2024-06-30")));
    assert_eq!((mail.outcome_days, mail.after, mail.overlap), (Some(60), true, Overlap::First));
    let names: Vec<String> = mail.outcomes.iter().map(ToString::to_string).collect();
    // What is guarded is looked at, too; net money is there anyway.
    let guarded = ["orders", "margin", "avg_order_value", "retained", "moved_up:segment", "moved_down:lifecycle", "converted"];
    assert_eq!(names, guarded);
    let guardrail = |outcome, at_worst| Guardrail { outcome, at_worst: Decimal::parse(at_worst) };
    let guardrails = [(Outcome::Orders, ""), (Outcome::Converted, "-0.01"), (Outcome::Net, "")];
    assert_eq!(mail.guardrails, guardrails.map(|(outcome, at_worst)| guardrail(outcome, at_worst)));
    assert_eq!(mail.looks, 8);
    assert_eq!(mail.primary, Some(Primary { outcome: Outcome::Margin, method: EffectMethod::Cuped }));
    assert_eq!(mail.cost_per_customer, Decimal::parse("0.355"));
    assert_eq!(mail.fixed_cost, Decimal::parse("1000"));
    assert_eq!((mail.margin_rate, mail.winsorise), (Decimal::parse("0.4"), Decimal::parse("0.999")));
}

#[test]
fn designs_have_defaults_of_their_own() {
    let matched = with("randomised", "matched").replace("split = { control = 0.1, treatment = 0.9 }\n", "");
    let [matched] = resolve(&matched).unwrap().try_into().unwrap();
    assert_eq!(matched.match_on, ["segment", "lifecycle"]);
    assert_eq!(matched.primary.map(|p| p.method), Some(EffectMethod::Did));
    let described = "[[strategy]]\nname = \"x\"\ndesign = \"before_after\"\nassignments = [\"a.parquet\", \"parts\"]\n";
    let [described] = resolve(&format!("{JOB}{described}")).unwrap().try_into().unwrap();
    assert_eq!((described.control, described.primary), (None, None));
    let InputPaths::Patterns(patterns) = described.assignments else { panic!("no patterns") };
    assert_eq!(patterns.len(), 2);
}

#[test]
fn splits_add_to_one_exactly() {
    let split = |split: &str| with("{ control = 0.1, treatment = 0.9 }", split);
    // Ten tenths are not 1 in binary floats.
    let tenths: Vec<String> = (0..9).map(|i| format!("arm{i} = 0.1")).collect();
    assert!(resolve(&split(&format!("{{ control = 0.1, {} }}", tenths.join(", ")))).is_ok());
    assert!(resolve(&split("{ control = \"1/3\", a = \"1/3\", b = \"1/3\" }")).is_ok());
    refuses(
        &split("{ control = 0.333, a = 0.333, b = 0.333 }"),
        "line 18, column 1: strategy \"mail\": the split adds to 0.999, not to 1 (0.333 + 0.333 + 0.333); correct the shares, thirds as \"1/3\"",
    );
    refuses(
        &split("{ control = \"1/3\", a = \"1/3\" }"),
        "line 18, column 1: strategy \"mail\": the split adds to 2/3, not to 1 (1/3 + 1/3); correct the shares, thirds as \"1/3\"",
    );
    refuses(
        &split("{ control = 0.5000000000000000001, a = \"0.5000000000000000001\" }"),
        "line 18, column 1: strategy \"mail\": the split adds to 10000000000000000001/10000000000000000000, not to 1 (0.5000000000000000001 + 0.5); correct the shares, thirds as \"1/3\"",
    );
}

#[test]
fn strata_may_have_shares_of_their_own() {
    let split =
        |split: &str| with("{ control = 0.1, treatment = 0.9 }", &format!("{{ control = 0.1, treatment = 0.9, {split} }}"));
    let [mail] = resolve(&split("\"At Risk\" = { treatment = \"2/3\", control = \"1/3\" }")).unwrap().try_into().unwrap();
    let arms = [("control", Ratio::new(1, 3)), ("treatment", Ratio::new(2, 3))];
    let arms = arms.map(|(name, share)| Arm { name: name.into(), share });
    assert_eq!(mail.strata, [("At Risk".to_owned(), arms.to_vec())]);
    assert_eq!(mail.arms.len(), 2);
    refuses(
        &split("New = { control = 0.5, treatment = 0.4 }"),
        "line 18, column 1: strategy \"mail\": the split of stratum \"New\" adds to 0.9, not to 1 (0.5 + 0.4); correct the shares, thirds as \"1/3\"",
    );
    refuses(
        &split("New = { control = 0.5, mail = 0.5 }"),
        "line 18, column 1: strategy \"mail\": the split of stratum \"New\" has the arms control, mail; expected those of the strategy (control, treatment)",
    );
    refuses(
        &split("New = [0.5]"),
        "line 18, column 49: expected a share such as 0.5 or \"1/3\", or a table of shares for a stratum",
    );
    refuses(
        &with("{ control = 0.1, treatment = 0.9 }", "{ New = { control = 0.5, treatment = 0.5 } }"),
        "line 18, column 1: strategy \"mail\": split has no arm; expected the control and at least one more",
    );
}

#[test]
fn pairs_are_of_two_treated_arms() {
    let three = |pairs: &str| {
        with("{ control = 0.1, treatment = 0.9 }", &format!("{{ control = 0.2, letter = 0.4, mail = 0.4 }}\npairs = {pairs}"))
    };
    let [mail] = resolve(&three("[[\"mail\", \"letter\"]]")).unwrap().try_into().unwrap();
    assert_eq!(mail.pairs, [["mail".to_owned(), "letter".to_owned()]]);
    let cases = [
        ("[[\"mail\"]]", "pairs has [\"mail\"]; expected two arms, such as [\"letter\", \"mail\"]"),
        (
            "[[\"mail\", \"letter\", \"control\"]]",
            "pairs has [\"mail\", \"letter\", \"control\"]; expected two arms, such as [\"letter\", \"mail\"]",
        ),
        (
            "[[\"mail\", \"control\"]]",
            "pairs names the control arm \"control\", which every arm is compared with anyway; name two treated arms",
        ),
        (
            "[[\"mail\", \"leter\"]]",
            "pairs names \"leter\", which is no arm of the split; did you mean \"letter\"? (arms: control, letter, mail); name one of them",
        ),
        ("[[\"mail\", \"mail\"]]", "the pair [\"mail\", \"mail\"] compares an arm with itself; name two arms"),
        (
            "[[\"mail\", \"letter\"], [\"letter\", \"mail\"]]",
            "pairs compares \"letter\" and \"mail\" twice; list them once, in one order",
        ),
        (
            "[[\"mail\", \"letter\"], [\"mail\", \"letter\"]]",
            "pairs compares \"mail\" and \"letter\" twice; list them once, in one order",
        ),
    ];
    for (pairs, message) in cases {
        refuses(&three(pairs), &format!("line 19, column 1: strategy \"mail\": {message}"));
    }
    refuses(
        &three("[[\"mail\", \"letter\"]]").replace("randomised", "matched"),
        "line 19, column 1: strategy \"mail\": pairs go with design randomised, not with matched; remove them",
    );
}

#[test]
fn names_that_look_alike_are_refused() {
    let second = |name: &str| format!("{JOB}{GOOD}{}", GOOD.replace("\"mail\"", name));
    refuses(&second("\"mail\""), "line 20, column 1: two strategies are named \"mail\"; give each a name of its own");
    refuses(
        &second("\"Ma il\""),
        "line 20, column 1: the strategies \"mail\" and \"Ma il\" differ only in case or blanks; give them names that people can tell apart",
    );
    refuses(
        &second("\"(all)\""),
        "line 20, column 1: the strategy name \"(all)\" is empty or begins with a parenthesis; give the strategy another name",
    );
    refuses(
        &with("treatment = 0.9", "Control = 0.9"),
        "line 18, column 1: strategy \"mail\": the arms \"Control\" and \"control\" differ only in case or blanks; give them names that people can tell apart",
    );
}

#[test]
fn arms_are_checked() {
    let cases = [
        (
            with("split = { control = 0.1, treatment = 0.9 }\n", ""),
            "line 13, column 1: strategy \"mail\": split is missing; give the planned share of every arm, such as split = { control = 0.1, treatment = 0.9 }",
        ),
        (
            with("control = \"control\"", "control = \"contrl\""),
            "line 17, column 1: strategy \"mail\": control is \"contrl\", which is no arm of the split; did you mean \"control\"? (arms: control, treatment); name one of them",
        ),
        (
            with("control = \"control\"\n", ""),
            "line 17, column 11: strategy \"mail\": control is missing; design randomised compares with the control arm, so name it",
        ),
        (
            with("{ control = 0.1, treatment = 0.9 }", "{ control = 1 }"),
            "line 18, column 1: strategy \"mail\": split has one arm; expected the control and at least one more",
        ),
        (
            with("control = 0.1", "control = 0"),
            "line 18, column 1: strategy \"mail\": the share of \"control\" is 0; expected a share above 0, such as 0.5, \"0.25\" or \"1/3\"",
        ),
        (
            with("control = 0.1", "control = \"some\""),
            "line 18, column 1: strategy \"mail\": the share of \"control\" is some; expected a share above 0, such as 0.5, \"0.25\" or \"1/3\"",
        ),
        (
            with("control = 0.1", "\" \" = 0.1"),
            "line 18, column 1: strategy \"mail\": the arm \" \" is empty or begins with a parenthesis; give it another name",
        ),
        (
            with("randomised", "before_after"),
            "line 18, column 1: strategy \"mail\": design before_after compares no arms, so it takes no split; remove split",
        ),
        (
            with("randomised", "before_after").replace("split = { control = 0.1, treatment = 0.9 }\n", ""),
            "line 17, column 1: strategy \"mail\": design before_after has no control arm, but control is \"control\"; remove it, or use design matched",
        ),
        (
            with("randomised", "randomized"),
            "line 15, column 10: \"randomized\" is not possible here; did you mean \"randomised\"? (possible values: \"randomised\", \"matched\", \"before_after\", \"threshold\")",
        ),
        (
            with("data/mail.csv", "data/mail.xlsx"),
            "line 16, column 1: strategy \"mail\": assignments names \"data/mail.xlsx\"; expected a file that ends in .parquet or .csv, or a folder of Parquet files",
        ),
        (
            with("\"data/mail.csv\"", "[]"),
            "line 16, column 1: strategy \"mail\": assignments is an empty list; name at least one file",
        ),
        (
            and("controls = \"x\""),
            "line 19, column 1: there is no key \"controls\" here; did you mean \"control\"? (possible keys: \"name\", \"design\", \"assignments\", \"running\", \"cut\", \"window\", \"began\", \"treated\", \"manifest\", \"control\", \"split\", \"pairs\", \"cluster\", \"periods\", \"baseline\", \"outcome_days\", \"after\", \"outcomes\", \"primary\", \"guardrails\", \"looks\", \"by\", \"match_on\", \"cost_per_customer\", \"fixed_cost\", \"costs_of\", \"margin_rate\", \"winsorise\", \"overlap\", \"slice\")",
        ),
        (with("design = \"randomised\"\n", ""), "line 13, column 1: the key \"design\" is missing; add it"),
    ];
    for (text, message) in cases {
        refuses(&text, message);
    }
}

#[test]
fn dates_are_checked() {
    let cases = [
        ("periods = []", "line 19, column 1: strategy \"mail\": periods is an empty list; name at least one"),
        (
            "periods = [{ from = 2024-06-30, to = 2024-04-01 }]",
            "line 19, column 1: strategy \"mail\": periods ends (2024-04-01) before it begins (2024-06-30); exchange from and to",
        ),
        (
            "periods = [{ from = 2024-06-30, to = 2024-07-31 }, { from = 2024-04-01, to = 2024-06-30 }]",
            "line 19, column 1: strategy \"mail\": the periods 2024-04-01 to 2024-06-30 and 2024-06-30 to 2024-07-31 overlap; an assignment belongs to one period",
        ),
        (
            "periods = [{ from = \"1 April\", to = 2024-07-31 }]",
            "line 19, column 21: strategy \"mail\": periods.from is \"1 April\"; expected a date such as 2024-12-31",
        ),
        (
            "periods = [{ form = 2024-06-30, to = 2024-07-31 }]",
            "line 19, column 14: there is no key \"form\" here; did you mean \"from\"? (possible keys: \"from\", \"to\")",
        ),
        (
            "baseline = { from = 2023-10-01, to = 2023-12-31 }",
            "line 19, column 1: strategy \"mail\": baseline goes with one period, but the strategy has 2; remove it, and every period gets the days before it",
        ),
        (
            "periods = [{ from = 2024-04-01, to = 2024-06-30 }]\nbaseline = { from = 2024-01-01, to = 2024-04-01 }",
            "line 20, column 1: strategy \"mail\": the baseline 2024-01-01 to 2024-04-01 does not lie before the period 2024-04-01 to 2024-06-30; end it before 2024-04-01",
        ),
        ("outcome_days = 0", "line 19, column 1: strategy \"mail\": outcome_days is 0; expected 1 to 3660 days"),
    ];
    for (keys, message) in cases {
        refuses(&and(keys), message);
    }
    let listed = and("").replace("every = \"quarter\"\nfrom = 2024-01-01\nto = 2024-06-30", "as_of = [2024-06-30]");
    refuses(
        &listed,
        "line 12, column 1: strategy \"mail\": the job's as-of dates have no periods; give them to the strategy, such as periods = [{ from = 2024-04-01, to = 2024-06-30 }]",
    );
}

#[test]
fn outcomes_are_checked() {
    const NET: &str = "the outcome \"net\" is margin less cost, so it needs margin_rate with revenue, or margin, among the outcomes; give one of them";
    let all = "converted, orders, revenue, margin, net, retained, avg_order_value, moved_up:COLUMN, moved_down:COLUMN, event:KIND, events:KIND, event_sum:KIND";
    let cases = [
        (
            "outcomes = []",
            "outcomes is an empty list; name at least one, such as \"revenue\"".to_owned(),
        ),
        (
            "outcomes = [\"revenu\"]",
            format!("there is no outcome \"revenu\"; did you mean \"revenue\"? (outcomes: {all})"),
        ),
        ("outcomes = [\"orders\", \"orders\"]", "outcomes lists \"orders\" twice; list it once".into()),
        (
            "outcomes = [\"margin\"]",
            "the outcome \"margin\" needs margin_rate, or orders.cost; give one of them, or take revenue".into(),
        ),
        (
            "outcomes = [\"moved_up\"]",
            "the outcome \"moved_up\" needs a scheme column behind a colon, such as \"moved_up:segment\"".into(),
        ),
        (
            "outcomes = [\"moved_up:segmnt\"]",
            "outcomes names \"segmnt\", which is no scheme column of the job; did you mean \"segment\"? (scheme columns: segment, lifecycle)".into(),
        ),
        (
            "outcomes = [\"avg_order_value\"]",
            "no outcome can decide: ratios and moves restate behaviour after treatment; add one such as \"revenue\"".into(),
        ),
        (
            "primary = { outcome = \"avg_order_value\" }",
            "the primary outcome is \"avg_order_value\", which restates behaviour after treatment and cannot decide; take one such as \"revenue\"".into(),
        ),
        (
            "primary = { outcome = \"moved_up:segment\" }",
            "the primary outcome is \"moved_up:segment\", which restates behaviour after treatment and cannot decide; take one such as \"revenue\"".into(),
        ),
        (
            "primary = { outcome = \"retained\" }",
            "the primary outcome \"retained\" is not among the outcomes; add it to outcomes".into(),
        ),
        (
            "primary = { outcome = \"revenue\", method = \"did\" }",
            "the primary method is did, which design randomised does not have (methods: permutation, permutation_baseline, welch, cuped, post_stratified)".into(),
        ),
        (
            "by = [\"arm\"]",
            "by names \"arm\", a column of the assignments that means something else; name one that tells customers apart, such as \"region\"".into(),
        ),
        ("by = [\"(none)\"]", "by names \"(none)\", which is empty or begins with a parenthesis; name a column".into()),
        (
            "by = [\"store\"]\ncluster = \"store\"",
            "by names \"store\", the column of clusters, each of which lies in one arm; name a column with customers of all arms in every value".into(),
        ),
        ("by = [\"segment\", \"segment\"]", "by lists \"segment\" twice; list it once".into()),
        ("looks = 0", "looks is 0; expected how often verdicts over all periods are read, 1 to 100".into()),
        ("guardrails = [\"net\"]", NET.into()),
        (
            "guardrails = [{ outcome = \"orders\", at_worst = 0.1 }]",
            "at_worst of orders is 0.1; expected the change per customer that is borne, 0 or below, such as -0.01".into(),
        ),
        ("match_on = [\"segment\"]", "match_on goes with design matched, not with randomised; remove it".into()),
        ("cost_per_customer = -1", "cost_per_customer is -1; expected an amount of 0 or more, such as \"0.35\"".into()),
        ("fixed_cost = \"1,000\"", "fixed_cost is 1,000; expected an amount of 0 or more, such as \"0.35\"".into()),
        ("costs_of = [\"mail\"]", "costs_of names \"mail\", the strategy itself, which has its own costs anyhow; take it out".into()),
        (
            "costs_of = [\"Mail\"]",
            "costs_of names \"Mail\", but the job has no other strategy; take it out".into(),
        ),
        ("margin_rate = 40", "margin_rate is 40; expected a share above 0 and up to 1, such as 0.4".into()),
        ("winsorise = 99.9", "winsorise is 99.9; expected a percentile from 0.5 to below 1, such as 0.999".into()),
        (
            "slice = \"toys\"",
            "slice is \"toys\", but the job has no orders.slice; remove slice, or name the slice column".into(),
        ),
    ];
    for (keys, message) in cases {
        refuses(&and(keys), &format!("line 19, column 1: strategy \"mail\": {message}"));
    }
    let other = |keys: &str| {
        "\n[[strategy]]\nname = \"letter\"\ndesign = \"randomised\"\nassignments = \"letter.csv\"\ncontrol = \"control\"\n\
         split = { control = 0.1, treatment = 0.9 }\n"
            .to_owned()
            + keys
    };
    assert!(resolve(&and(&("costs_of = [\"letter\"]".to_owned() + &other("")))).is_ok());
    for (keys, further, message) in [
        ("[\"leter\"]", "", "which is none of the job's other strategies (letter); did you mean \"letter\"?"),
        ("[\"letter\", \"letter\"]", "", "and it names it twice; take one of them out"),
        (
            "[\"letter\"]",
            "costs_of = [\"mail\"]\n",
            "which has costs of others itself; name the strategies whose costs these are",
        ),
    ] {
        let named = if keys.contains("leter") { "leter" } else { "letter" };
        let text = and(&format!("costs_of = {keys}{}", other(further)));
        refuses(&text, &format!("line 19, column 1: strategy \"mail\": costs_of names {named:?}, {message}"));
    }
    refuses(
        &and("").replace("[periods]", "slice = \"shop\"\n[periods]"),
        "line 15, column 1: strategy \"mail\": slice is missing; the job has orders.slice, so name the slice value whose orders count",
    );
    refuses(
        &and("outcomes = [\"orders\", \"moved_up:segment\"]\n[score]\nmethod = \"ntile\""),
        "line 19, column 1: strategy \"mail\": the outcome \"moved_up:segment\" needs cut points frozen at the baseline, and ntile has none; score by quantile or rank, or remove it",
    );
    // With a cost of the orders, margin needs no rate.
    assert!(resolve(&and("outcomes = [\"margin\"]").replace("[periods]", "cost = \"cost\"\n[periods]")).is_ok());
}
