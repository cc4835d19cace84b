//! `assign`: the draw is the one that is documented, files are safe to write and to open, and whoever uses it wrongly is
//! told so. And samples whose orders show what a strategy did.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sha2::{Digest, Sha256};

use crate::fixture::{Bench, PROGRAM, Ran, dates, decimals, texts};
use crate::support::run::{Cell, read_file, read_folder};

const JOB: &str = r#"name = "assign"

[orders]
path = "orders"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
order_id = "order_id"

[periods]
as_of = [2024-03-31]

[output]
path = "out"
"#;

/// A folder with 1,500 sample customers, scored as of 2024-03-31.
fn bench() -> Bench {
    let bench = Bench::empty();
    bench.write("job.toml", JOB);
    bench.succeeds(&["sample", "orders", "--orders", "12000", "-q"]);
    bench.succeeds(&["run", "job.toml", "-q"]);
    bench
}

/// Runs `assign` with these flags in addition to a name and a salt.
#[track_caller]
fn assign(bench: &Bench, flags: &[&str]) -> Ran {
    bench.succeeds(&[&["assign", "out", "--name", "winback", "--salt", "2024-q2"], flags].concat())
}

/// The rows of a CSV file without its heading. The fields of these tests hold no commas.
fn rows(bench: &Bench, name: &str) -> Vec<Vec<String>> {
    let text = String::from_utf8(bench.read(name)).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(String::from).collect()).collect()
}

/// Customer = arm of a CSV file.
fn arms(bench: &Bench, name: &str) -> BTreeMap<String, String> {
    rows(bench, name).into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
}

/// The segment of every customer.
fn customers(bench: &Bench) -> BTreeMap<i128, String> {
    let table = read_folder(&bench.path("out/latest/customers"));
    let (id, segment) = (table.column("customer_id"), table.column("segment"));
    table.rows.iter().map(|row| (row[id].int(), row[segment].text().to_owned())).collect()
}

/// The documented lot of a customer.
fn lot(salt: &str, id: &str) -> u64 {
    let digest = Sha256::digest([salt.as_bytes(), b"\0", id.as_bytes()].concat());
    digest[..8].iter().fold(0, |lot, byte| lot << 8 | u64::from(*byte))
}

#[test]
fn the_draw_is_the_documented_one() {
    let bench = bench();
    assign(&bench, &["--from", "segment=Hibernating", "--holdout", "0.2", "-o", "a.csv"]);
    let want: Vec<Vec<String>> = customers(&bench)
        .iter()
        .filter(|(_, segment)| *segment == "Hibernating")
        .map(|(id, _)| {
            // A fifth of 2^64, rounded up.
            let arm = if lot("2024-q2", &id.to_string()) < 3_689_348_814_741_910_324 { "control" } else { "treatment" };
            [&id.to_string(), arm, "2024-04-01", "Hibernating", "Hibernating"].map(String::from).into()
        })
        .collect();
    assert!(want.len() > 100);
    assert_eq!(rows(&bench, "a.csv"), want);
}

#[test]
fn csv_and_parquet_hold_the_same() {
    let bench = bench();
    for name in ["a.csv", "a.parquet"] {
        assign(&bench, &["--from", "segment", "--holdout", "0.5", "--strata", "segment,lifecycle", "-o", name]);
    }
    let table = read_file(&bench.path("a.parquet"));
    assert_eq!(table.columns, ["customer_id", "arm", "assigned_on", "state", "stratum"]);
    let cell = |cell: &Cell| match cell {
        Cell::Int(n) => n.to_string(),
        Cell::Text(text) => text.clone(),
        // Days since 1970-01-01.
        Cell::Date(19_814) => "2024-04-01".into(),
        other => panic!("{other:?}"),
    };
    let parquet: Vec<Vec<String>> = table.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    assert_eq!(parquet, rows(&bench, "a.csv"));
    assert_eq!(parquet.len(), customers(&bench).len());
    let ids: Vec<i64> = parquet.iter().map(|row| row[0].parse().unwrap()).collect();
    assert!(ids.is_sorted());
    assert!(parquet.iter().all(|row| row[4].starts_with(&format!("{} / ", row[3]))));
}

#[test]
fn customers_are_drawn_apart_from_each_other() {
    let bench = bench();
    assign(&bench, &["--from", "segment=Hibernating", "--holdout", "0.3", "-o", "one.csv"]);
    assign(&bench, &["--from", "segment", "--holdout", "0.3", "-o", "all.csv"]);
    let (one, all) = (arms(&bench, "one.csv"), arms(&bench, "all.csv"));
    assert!(one.len() < all.len());
    assert!(one.iter().all(|(id, arm)| all[id] == *arm));
    // Two columns: both must hold.
    assign(&bench, &["--from", "segment=Hibernating", "--from", "lifecycle=churned", "--holdout", "0.3", "-o", "both.csv"]);
    let both = arms(&bench, "both.csv");
    assert!(!both.is_empty() && both.len() < one.len() && both.keys().all(|id| one.contains_key(id)));
    // The order of the flags does not matter, and shares are exact.
    assign(&bench, &["--from", "segment", "--arms", "b=1/3,control=1/3,a=1/3", "-o", "x.csv"]);
    assign(&bench, &["--from", "segment", "--arms", "control=1/3", "--arms", "a=1/3,b=1/3", "-o", "y.csv"]);
    assert_eq!(bench.read("x.csv"), bench.read("y.csv"));
    let third = |id: &str| lot("2024-q2", id) / 6_148_914_691_236_517_206;
    assert!(arms(&bench, "x.csv").iter().all(|(id, arm)| *arm == ["control", "a", "b"][third(id) as usize]));
}

#[test]
fn a_file_is_never_overwritten() {
    let bench = bench();
    let flags = ["--from", "segment=Hibernating", "--holdout", "0.2", "-o", "a.csv"];
    let first = assign(&bench, &flags);
    let bytes = bench.read("a.csv");
    let again = assign(&bench, &flags);
    assert_eq!(again.out, first.out.replace("\na.csv\n", "\na.csv (it was there already)\n"));
    bench.refuses_command(
        &[
            "assign",
            "out",
            "--name",
            "winback",
            "--salt",
            "other",
            "--from",
            "segment=Hibernating",
            "--holdout",
            "0.2",
            "-o",
            "a.csv",
        ],
        6,
        "error: a.csv is there with other content, and nothing is overwritten; remove it or choose another --output.",
    );
    assert_eq!(bench.read("a.csv"), bytes);
    bench.refuses_command(
        &["assign", "out", "--name", "x", "--salt", "s", "--from", "segment", "--holdout", "0.2", "-o", "none/a.csv"],
        6,
        "error: cannot write none/a.csv: No such file or directory (os error 2); its folder is not there, so make it or choose another --output.",
    );
    let names: Vec<String> =
        fs::read_dir(bench.path("")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.contains(".new")), "{names:?}");
}

#[test]
fn hold_outs_are_taken_out_left_out_and_reused() {
    let bench = bench();
    assign(&bench, &["--from", "segment", "--holdout", "0.2", "-o", "plain.csv"]);
    let plain = arms(&bench, "plain.csv");

    // The global hold-out, by its own salt, whatever the strategy.
    let global = ["--global-holdout", "0.1", "--global-salt", "permanent"];
    let ran = assign(&bench, &[&["--from", "segment", "--holdout", "0.2", "-o", "global.csv"], &global[..]].concat());
    let with = arms(&bench, "global.csv");
    let out: Vec<&String> = plain.keys().filter(|id| !with.contains_key(*id)).collect();
    assert!(plain.keys().all(|id| out.contains(&id) == (lot("permanent", id) < 1_844_674_407_370_955_162)));
    assert!(with.iter().all(|(id, arm)| plain[id] == *arm));
    assert!(ran.out.contains(&format!("\n  {} in the global hold-out\n", out.len())), "{}", ran.out);

    // A second strategy avoids everybody in the first …
    assign(&bench, &["--from", "segment=Hibernating", "--holdout", "0.2", "-o", "first.parquet"]);
    let ran = assign(&bench, &["--from", "segment", "--holdout", "0.2", "--avoid", "first.parquet", "-o", "second.csv"]);
    let second = arms(&bench, "second.csv");
    let hibernating: BTreeSet<String> =
        customers(&bench).iter().filter(|(_, s)| *s == "Hibernating").map(|(id, _)| id.to_string()).collect();
    assert!(plain.iter().all(|(id, arm)| second.get(id) == (!hibernating.contains(id)).then_some(arm)));
    assert!(ran.out.contains(&format!("\n  {} left out for first.parquet\n", hibernating.len())), "{}", ran.out);

    // … or reuses its hold-out, and draws the others by its own salt.
    let reuse = ["assign", "out", "--name", "sms", "--salt", "another", "--from", "segment", "--reuse", "first.parquet"];
    let ran = bench.succeeds(&[&reuse[..], &["--holdout", "0.2", "-o", "reused.csv"]].concat());
    assert!(!ran.err.contains("warning"), "{}", ran.err);
    let of_file = |id: &str| (lot("2024-q2", id) < 3_689_348_814_741_910_324) == (plain[id] == "control");
    for (id, arm) in arms(&bench, "reused.csv") {
        assert!(of_file(&id));
        let control = lot(if hibernating.contains(&id) { "2024-q2" } else { "another" }, &id) < 3_689_348_814_741_910_324;
        assert_eq!(arm, if control { "control" } else { "treatment" });
    }
    assert!(ran.out.contains(&format!("\n  {} keep their arms of first.parquet\n", hibernating.len())), "{}", ran.out);
    let ran = bench.succeeds(&[&reuse[..], &["--holdout", "0.5", "-o", "uneven.csv"]].concat());
    assert!(ran.err.contains("customers who keep their arms are in the control, where the shares say"), "{}", ran.err);
    bench.refuses_command(
        &[&reuse[..], &["--arms", "control=0.2,sms=0.4,mail=0.4", "-o", "x.csv"]].concat(),
        2,
        "error: --reuse first.parquet: its arm \"treatment\" is none of the arms here (control, mail, sms), so it is open which of them its customers go into; name the arms as the file does, or have one treatment.",
    );
}

#[test]
fn strata_add_up_and_states_have_hold_outs() {
    let bench = bench();
    let flags = ["--from", "segment=Hibernating", "--from", "segment=About to Sleep", "--strata", "lifecycle", "-o", "a.csv"];
    let ran = assign(&bench, &[&flags[..], &["--holdout", "0.1", "--holdout-by", "Hibernating=0.5"]].concat());
    let mut counts: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    for row in rows(&bench, "a.csv") {
        let half = lot("2024-q2", &row[0]) < if row[3] == "Hibernating" { 1 << 63 } else { 1_844_674_407_370_955_162 };
        assert_eq!(row[1], if half { "control" } else { "treatment" });
        assert!(row[4].starts_with(&format!("{} / ", row[3])), "states are never joined: {row:?}");
        counts.entry(row[4].clone()).or_default()[usize::from(!half)] += 1;
        counts.entry("(all)".into()).or_default()[usize::from(!half)] += 1;
    }
    assert!(counts.len() > 3, "{counts:?}");
    let plain = ran.out.replace(',', "");
    for (stratum, [control, treatment]) in counts {
        let line = plain.lines().find(|line| line.trim_start().starts_with(&format!("{stratum} "))).unwrap();
        let numbers: Vec<u64> = line.trim_start()[stratum.len()..].split_whitespace().map_while(|n| n.parse().ok()).collect();
        assert_eq!(numbers, [control, treatment], "{line}");
    }
}

/// Sixty customers are silent on 30 June and spend 1 to 60 in the third quarter; silent again on 31 December, half of them spend
/// 2 in the first quarter. Eighty others are silent on 31 March, and these are drawn.
#[test]
fn what_can_be_found_rests_on_past_windows() {
    let bench = Bench::empty();
    bench.write("job.toml", JOB.replace("order_id = \"order_id\"\n", ""));
    let first = (0..60).map(|i| (format!("a{i}"), "2023-03-01", 10_00));
    let second = (0..60).map(|i| (format!("a{i}"), "2023-08-01", 100 * (i + 1)));
    let third = (0..30).map(|i| (format!("a{i}"), "2024-02-01", 2_00));
    let others = (0..80).map(|i| (format!("b{i}"), "2023-12-01", 5_00));
    let orders: Vec<(String, &str, i128)> = first.chain(second).chain(third).chain(others).collect();
    let (ids, days) = (orders.iter().map(|o| o.0.as_str()), orders.iter().map(|o| o.1));
    let columns = [("customer_id", texts(ids)), ("ordered_at", dates(days)), ("amount", decimals(2, orders.iter().map(|o| o.2)))];
    bench.parquet("orders/a.parquet", &columns);
    bench.succeeds(&["run", "job.toml", "-q"]);
    let draw = ["--from", "lifecycle=silent", "--holdout", "0.5", "--job", "job.toml", "--outcome", "1 quarter", "-o", "a.csv"];
    let ran = assign(&bench, &draw);
    let want = "at the start of 2 past windows of 91 days (2023-07-01 to 2024-03-31): 120 customers, 15.75 each on average.";
    assert!(ran.out.starts_with("winback: 80 of 80 customers") && ran.out.contains(want), "{}", ran.out);
}

#[test]
fn figures_need_the_job_and_the_number_of_tests() {
    let bench = bench();
    let ran = assign(&bench, &["--from", "segment=Hibernating", "--holdout", "0.5", "-o", "a.csv"]);
    assert!(ran.out.contains("What these arms can find is unknown") && !ran.out.contains(" % "), "{}", ran.out);

    // A second state, and both together, are three tests.
    let args = ["--from", "segment=Champions", "--from", "segment=Loyal", "--holdout", "0.5", "--job", "job.toml", "-o", "b.csv"];
    assert!(assign(&bench, &args).out.contains("\nEach is tested at 1.67 %, which is 5 % over 3 tests"));
    // The tables of the past are gone when the command ends.
    fs::create_dir(bench.path("tmp")).unwrap();
    let args = ["assign", "out", "--from", "segment=Champions", "--find", "50%", "--job", "job.toml"];
    let mut command = std::process::Command::new(PROGRAM);
    let ran = command.args(args).current_dir(bench.path("")).env("TMPDIR", bench.path("tmp")).output().map(Ran::from).unwrap();
    assert!(ran.code == 0 && ran.out.contains("To draw so: --holdout"), "{}{}", ran.out, ran.err);
    assert_eq!(fs::read_dir(bench.path("tmp")).unwrap().count(), 0);
}

/// A proposal writes nothing; a state in which nobody buys again has none.
#[test]
fn hold_outs_are_proposed() {
    let bench = bench();
    let find = ["assign", "out", "--job", "job.toml", "--from", "segment=Champions", "--from", "segment=Hibernating", "--find"];
    let before = fs::read_dir(bench.path("")).unwrap().count();
    let ran = bench.succeeds(&[&find[..], &["250%"]].concat());
    assert_eq!((fs::read_dir(bench.path("")).unwrap().count(), ran.err.as_str()), (before, ""));
    let line = |state: &str| -> Vec<String> {
        let line = ran.out.lines().find(|line| line.trim_start().starts_with(state)).expect("a line");
        line.split_whitespace().map(String::from).collect()
    };
    let champions = line("Champions");
    let share: f64 = champions[2].parse().unwrap();
    assert!(champions.ends_with(&["+250".into(), "%".into()]) && share < 50.0, "{}", ran.out);
    assert!(line("Hibernating").ends_with(&["nothing".into()]), "{}", ran.out);
    assert!(ran.out.contains("\nLeave out Hibernating: "), "{}", ran.out);
    assert!(ran.out.trim_end().ends_with(&format!("\nTo draw so: --holdout {}", share / 100.0)), "{}", ran.out);
}

#[test]
fn past_windows_that_are_not_there_are_no_figures() {
    let bench = bench();
    let draw = ["--from", "segment=Hibernating", "--holdout", "0.5", "--job", "job.toml", "--outcome", "2 years", "-o", "a.csv"];
    let ran = assign(&bench, &draw);
    assert!(
        ran.out.contains("unknown: no customer was in these states at the start of a past window") && !ran.out.contains(" % (")
    );
    // A newer date is committed than the one that is drawn from, but `latest` is the older one.
    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-06-30"]);
    let warning = "but 2024-06-30 is committed, too; draw from it with --as-of 2024-06-30";
    let older = ["--from", "segment=Hibernating", "--holdout", "0.5", "-o", "older.csv", "--as-of", "2024-03-31"];
    assert!(assign(&bench, &older).err.contains(warning));
    let newer = ["--from", "segment=Hibernating", "--holdout", "0.5", "-o", "newer.csv"];
    assert!(!assign(&bench, &newer).err.contains("is committed, too"));
    let cases: [(&[&str], &str); 5] = [
        (
            &["--outcome", "all"],
            "--outcome is \"all\"; expected days such as \"91d\", or calendar units such as \"1 quarter\" or \"2 months\".",
        ),
        (
            &["--job", "other.toml"],
            "--job other.toml is the job \"other\", but out was written by the job \"assign\"; name its job file.",
        ),
        (&["--job", "none.toml"], "cannot read the job file none.toml: No such file or directory (os error 2); check the path."),
        (&["--find", "0%"], "--find is \"0%\"; expected a gain above 0 and up to 1,000 %, such as 10% or 0.1."),
        (
            &["--job", "lookback.toml", "--outcome", "1 year"],
            "--outcome \"1 year\" is longer than the lookback of lookback.toml, whose population is \"lookback\", so customers leave it within an outcome; choose a shorter --outcome.",
        ),
    ];
    bench.write("other.toml", JOB.replace("name = \"assign\"", "name = \"other\""));
    bench.write("lookback.toml", format!("population = \"lookback\"\n{JOB}[score]\nlookback = \"2 quarters\"\n"));
    for (flags, message) in cases {
        let job = if flags[0] == "--job" { vec![] } else { vec!["--job", "job.toml"] };
        let draw =
            if flags[0] == "--find" { vec![] } else { vec!["--name", "x", "--salt", "s", "--holdout", "0.5", "-o", "x.csv"] };
        let args = [&["assign", "out", "--from", "segment=Hibernating"], &job[..], &draw[..], flags].concat();
        bench.refuses_command(&args, 2, &format!("error: {message}"));
    }
}

/// The first example of docs/ASSIGN.md, run as it stands there.
#[test]
fn the_example_of_the_docs_is_what_is_printed() {
    let docs = include_str!("../docs/ASSIGN.md");
    let example = docs.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let bench = Bench::empty();
    assert_eq!(example.matches("$ rfmill ").count(), 3);
    for step in example.split("$ rfmill ").skip(1) {
        let (command, printed) = step.replace("\\\n", " ").split_once('\n').map(|(c, p)| (c.to_owned(), p.to_owned())).unwrap();
        let ran = std::process::Command::new("sh")
            .args(["-c", &format!("{PROGRAM} {command}")])
            .current_dir(bench.path(""))
            .output()
            .map(Ran::from)
            .unwrap();
        assert_eq!((ran.code, ran.out.trim_end(), ran.err.as_str()), (0, printed.trim_end(), ""), "{command}");
    }
}

/// Ids that a spreadsheet would run are guarded, and are themselves again when the file is read.
#[test]
fn ids_like_formulas_survive_csv() {
    let bench = Bench::empty();
    bench.write("job.toml", JOB.replace("order_id = \"order_id\"\n", ""));
    let ids = ["=1+1", "-5", "@x", "'quoted", "plain", "007", "+49 30", "C\t1"];
    bench.parquet(
        "orders/a.parquet",
        &[("customer_id", texts(ids)), ("ordered_at", dates(["2024-03-01"; 8])), ("amount", decimals(2, [100; 8]))],
    );
    bench.succeeds(&["run", "job.toml", "-q"]);
    let ran = assign(&bench, &["--from", "lifecycle", "--holdout", "0.5", "-o", "a.csv"]);
    assert!(ran.out.contains("\n  new\n") || ran.out.contains("active"), "{}", ran.out);
    let mut written: Vec<String> = rows(&bench, "a.csv").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(written, ["''quoted", "'+49 30", "'-5", "007", "'=1+1", "'@x", "C\t1", "plain"]);
    written.iter_mut().for_each(|id| id.retain(|c| c != '\''));
    bench.refuses_command(
        &["assign", "out", "--name", "x", "--salt", "s", "--from", "lifecycle", "--holdout", "0.5", "--avoid", "a.csv", "-o", "b.csv"],
        3,
        "error: no customer is left to assign: of 8 in the states of --from, 0 are in the global hold-out and 8 are left out for an earlier assignment; draw from more states.",
    );
}

#[test]
fn wrong_flags_are_refused() {
    let bench = bench();
    let usual = ["--from", "segment", "--holdout", "0.2"];
    let cases: [(&[&str], i32, &str); 26] = [
        (
            &["--from", "segment=Hibernatin", "--holdout", "0.2"],
            2,
            "--from segment=\"Hibernatin\": no customer is in that state as of 2024-03-31; did you mean \"Hibernating\"? (states: …); name one of them.",
        ),
        (
            &["--from", "segmnt", "--holdout", "0.2"],
            2,
            "--from names \"segmnt\", which is no column of states in out/runs/…/customers/as_of=2024-03-31; did you mean \"segment\"? (columns: …); name one of them.",
        ),
        (
            &["--from", "monetary", "--holdout", "0.2"],
            2,
            "--from names \"monetary\", which is no column of states in out/runs/…/customers/as_of=2024-03-31 (columns: …); name one of them.",
        ),
        (
            &["--from", "segment=Champions", "--from", "lifecycle=churned", "--holdout", "0.2"],
            2,
            "--from segment=Champions and lifecycle=churned: no customer is in all these states as of 2024-03-31.",
        ),
        (
            &["--from", "segment", "--holdout", "0"],
            2,
            "--holdout is \"0\"; expected a share above 0 and below 1, such as 0.1 or 1/3.",
        ),
        (
            &["--from", "segment", "--holdout", "1"],
            2,
            "--holdout is \"1\"; expected a share above 0 and below 1, such as 0.1 or 1/3.",
        ),
        (
            &["--from", "segment", "--holdout", "ten"],
            2,
            "--holdout is \"ten\"; expected a share above 0 and below 1, such as 0.1 or 1/3.",
        ),
        (
            &["--from", "segment", "--holdout", "0.12345678901234567890"],
            2,
            "the share 1234567890123456789/10000000000000000000 has more digits than can be compared exactly; use at most 18.",
        ),
        (
            &["--from", "segment", "--holdout", "0.2", "--holdout-by", "Hibernating"],
            2,
            "--holdout-by \"Hibernating\" has no \"=\"; expected something such as At Risk=0.2.",
        ),
        (
            &["--from", "segment", "--holdout", "0.2", "--holdout-by", "Hibernation=0.3"],
            2,
            "--holdout-by \"Hibernation\": no customer to draw from is in that state; did you mean \"Hibernating\"? (states: …); name one of them.",
        ),
        (
            &["--from", "segment=New", "--holdout", "0.2", "--holdout-by", "Hibernating=0.3"],
            2,
            "--holdout-by \"Hibernating\": no customer to draw from is in that state (states: New); name one of them.",
        ),
        (
            &["--from", "segment", "--holdout", "0.2", "--holdout-by", "New=0.3", "--holdout-by", "New=0.1"],
            2,
            "--holdout-by gives the state \"New\" twice; give it one share.",
        ),
        (
            &["--from", "segment", "--holdout", "0.2", "--control", "Treatment"],
            2,
            "the arms \"Treatment\" and \"treatment\" differ only in case or blanks; give them names that people can tell apart.",
        ),
        (
            &["--from", "segment", "--arms", "control=0.5,mail=0.4"],
            2,
            "the shares of --arms are control=0.5, mail=0.4, which do not add to exactly 1 over two arms or more; correct them, thirds as 1/3.",
        ),
        (
            &["--from", "segment", "--arms", "control=1"],
            2,
            "the shares of --arms are control=1, which do not add to exactly 1 over two arms or more; correct them, thirds as 1/3.",
        ),
        (
            &["--from", "segment", "--arms", "mail=0.5,contrl=0.5"],
            2,
            "--arms has no arm \"control\"; did you mean \"contrl\"? (arms: contrl, mail); add the control arm, or name it with --control.",
        ),
        (
            &["--from", "segment", "--arms", "control=0.5,mail=0.25,mail=0.25"],
            2,
            "the arm \"mail\" is given twice; give every arm a name of its own.",
        ),
        (
            &["--from", "segment", "--arms", "control=0.5,mail"],
            2,
            "--arms \"mail\" has no \"=\"; expected something such as control=0.5,treatment=0.5.",
        ),
        (
            &["--from", "segment", "--arms", "control=0.5,mail=-0.5"],
            2,
            "--arms \"mail=-0.5\": the share is \"-0.5\"; expected one above 0, such as 0.5 or 1/3.",
        ),
        (
            &[&usual[..], &["--global-holdout", "0.05", "--global-salt", "2024-q2"]].concat(),
            2,
            "--global-salt and --salt are the same, so that the global hold-out would be taken from one arm alone; use two salts.",
        ),
        (
            &[&usual[..], &["--assigned-on", "2024-03-31"]].concat(),
            2,
            "--assigned-on is 2024-03-31, but the states are those of 2024-03-31, which must be before it; name a later date, or an earlier --as-of.",
        ),
        (
            &[&usual[..], &["--as-of", "2024-02-29"]].concat(),
            2,
            "out has no customers as of 2024-02-29 (last dates: 2024-03-31); run the job with --as-of 2024-02-29, or name another date.",
        ),
        (
            &[&usual[..], &["--slice", "toys"]].concat(),
            2,
            "--slice is \"toys\", but the customers in out/runs/…/customers/as_of=2024-03-31 have no slices; remove it.",
        ),
        (
            &[&usual[..], &["--strata", "segment,regoin"]].concat(),
            2,
            "--strata names \"regoin\", which is no column of states in out/runs/…/customers/as_of=2024-03-31 (columns: …); name one of them.",
        ),
        (&[&usual[..], &["--avoid", "none.csv"]].concat(), 4, "there is no file or folder none.csv; check --avoid."),
        (
            &[&usual[..], &["--reuse", "bad.csv"]].concat(),
            3,
            "--reuse: the control arm \"control\" is not among the assignments (found: mail in 1 rows); correct the table or the name.",
        ),
    ];
    bench.write("bad.csv", "customer_id,arm,assigned_on\n1,mail,2024-01-01\n");
    for (flags, code, message) in cases {
        let args = [&["assign", "out", "--name", "x", "--salt", "2024-q2", "-o", "x.csv"], flags].concat();
        bench.refuses_command(&args, code, &format!("error: {message}"));
    }
    let cases: [(&[&str], i32, &str); 5] = [
        (
            &["out", "--name", " ", "-o", "x.csv"],
            2,
            "--name is \" \", which is empty or begins with a parenthesis; name the strategy as the job file does.",
        ),
        (&["out", "--name", "x", "-o", "x.xlsx"], 2, "--output is x.xlsx; expected a file that ends in .parquet or .csv."),
        (&["nowhere", "--name", "x", "-o", "x.csv"], 4, "there is no output folder nowhere; check the path."),
        (
            &["orders", "--name", "x", "-o", "x.csv"],
            5,
            "orders is not an output folder of rfmill; name the folder given as --output.",
        ),
        (&["empty", "--name", "x", "-o", "x.csv"], 5, "empty holds no committed run; run the job first."),
    ];
    bench.write("empty/.rfmill", "");
    for (flags, code, message) in cases {
        let args = [&["assign", "--salt", "s", "--from", "segment", "--holdout", "0.2"], flags].concat();
        bench.refuses_command(&args, code, &format!("error: {message}"));
    }
    let ran = bench.rfmill(&["assign", "out", "--name", "x", "--salt", "s", "-o", "x.csv", "--from", "segment"]);
    assert!(ran.code == 2 && ran.err.contains("--holdout <SHARE>"), "{}", ran.err);
    assert!(!bench.path("x.csv").exists());
}

#[test]
fn slices_are_drawn_from_one_by_one() {
    let bench = Bench::empty();
    bench.write("job.toml", JOB.replace("order_id = \"order_id\"", "order_id = \"order_id\"\nslice = \"category\""));
    bench.succeeds(&["sample", "orders", "--orders", "3000", "-q"]);
    bench.succeeds(&["run", "job.toml", "-q"]);
    let draw = ["assign", "out", "--name", "x", "--salt", "s", "--from", "segment", "--holdout", "0.2", "-o", "a.csv"];
    bench.refuses_command(&draw, 2, "error: the customers in out/runs/…/customers/as_of=2024-03-31 stand once in every slice; name the slice to draw from with --slice.");
    bench.refuses_command(&[&draw[..], &["--slice", "book"]].concat(), 2, "error: --slice is \"book\", in which no customer stands; did you mean \"books\"? (slices: beauty, books, electronics, fashion, home, sports); name one of them.");
    bench.succeeds(&[&draw[..], &["--slice", "books"]].concat());
    let table = read_folder(&bench.path("out/latest/customers"));
    let (id, slice) = (table.column("customer_id"), table.column("slice"));
    let want: BTreeSet<String> =
        table.rows.iter().filter(|r| r[slice].text() == "books").map(|r| r[id].int().to_string()).collect();
    assert!(!want.is_empty());
    assert_eq!(arms(&bench, "a.csv").into_keys().collect::<BTreeSet<_>>(), want);
}

/// Who the sample treated is whom `assign` draws with the strategy's name as salt.
#[test]
fn a_planted_strategy_is_drawn_again_by_its_name() {
    let bench = Bench::empty();
    bench.write("job.toml", JOB);
    let strategy = ["--strategy", "winback", "--effect", "0.25", "--strategy-from", "2024-04-01"];
    let ran = bench.succeeds(&[&["sample", "orders", "--orders", "12000", "--string-ids"], &strategy[..]].concat());
    assert!(ran.out.ends_with("\norders/_assignments/winback.parquet\n"), "{}", ran.out);
    assert!(ran.err.contains(" customers assigned: orders/_assignments/winback.parquet"), "{}", ran.err);
    bench.succeeds(&["run", "job.toml", "-q"]);
    let draw = ["assign", "out", "--name", "x", "--salt", "winback", "--from", "segment", "--holdout", "0.5", "-o", "a.csv"];
    bench.succeeds(&draw);
    let planted = read_file(&bench.path("orders/_assignments/winback.parquet"));
    assert_eq!(planted.columns, ["customer_id", "arm", "assigned_on"]);
    let planted: BTreeMap<String, String> =
        planted.rows.iter().map(|row| (row[0].text().to_owned(), row[1].text().to_owned())).collect();
    let drawn = arms(&bench, "a.csv");
    assert!(drawn.len() > 500);
    assert!(drawn.iter().all(|(id, arm)| planted[id] == *arm));
    // Both files are assignments that a second draw can read.
    for file in ["a.csv", "orders/_assignments/winback.parquet"] {
        let ran = bench.rfmill(&[&draw[..draw.len() - 1], &["b.csv", "--avoid", file]].concat());
        assert!(ran.err.contains("no customer is left to assign"), "{file}: {}", ran.err);
    }
}

#[test]
fn impossible_strategies_of_samples_are_refused() {
    let bench = Bench::empty();
    let cases: [(&[&str], &str); 5] = [
        (
            &["--strategy", "a/b", "--effect", "0.1", "--strategy-from", "2024-04-01"],
            "The strategy's name \"a/b\" cannot be that of a file; use letters, digits, hyphens and underscores.",
        ),
        (
            &["--strategy", "a", "--effect", "-1", "--strategy-from", "2024-04-01"],
            "The strategy's effect is -1, but it must be above -1 and at most 100; 0.25 means a quarter more orders.",
        ),
        (
            &["--strategy", "a", "--effect", "NaN", "--strategy-from", "2024-04-01"],
            "The strategy's effect is NaN, but it must be above -1 and at most 100; 0.25 means a quarter more orders.",
        ),
        (
            &["--strategy", "a", "--effect", "0.1", "--strategy-from", "2024-10-03"],
            "The strategy begins on 2024-10-03 and has 91 days, but it must begin after the sample's first date, 2023-01-01, have a day at least and end by the last, 2024-12-31; choose other dates.",
        ),
        (
            &["--strategy", "a", "--effect", "0.1", "--strategy-from", "2023-01-01"],
            "The strategy begins on 2023-01-01 and has 91 days, but it must begin after the sample's first date, 2023-01-01, have a day at least and end by the last, 2024-12-31; choose other dates.",
        ),
    ];
    for (flags, message) in cases {
        bench.refuses_command(&[&["sample", "x", "-q", "--orders", "100"], flags].concat(), 2, &format!("error: {message}"));
    }
    let ran = bench.rfmill(&["sample", "x", "--strategy", "a"]);
    assert!(ran.code == 2 && ran.err.contains("--effect"), "{}", ran.err);
    assert!(!bench.path("x").exists());
}

/// What `assign` says to put into the job file is what the draw was.
#[test]
fn the_job_section_of_a_draw_is_a_good_one() {
    let bench = bench();
    let flags = ["--from", "segment=Hibernating", "--from", "segment=New", "--holdout-by", "New=1/3", "-o", "a.csv"];
    let ran = assign(&bench, &[&flags[..], &["--holdout", "0.25", "--strata", "lifecycle"]].concat());
    let (_, section) = ran.err.split_once("For the job file:\n").unwrap();
    assert!(
        section.contains(
            "split = { control = 0.25, treatment = 0.75, \"New / active\" = { control = \"1/3\", treatment = \"2/3\" } }"
        ),
        "{section}"
    );
    bench.append(&format!("{section}periods = [{{ from = 2024-04-01, to = 2024-06-30 }}]"));
    bench.succeeds(&["check", "job.toml"]);
    let ran = bench.succeeds(&[
        "assign",
        "out",
        "--name",
        "winback",
        "--salt",
        "2024-q2",
        "-q",
        "--from",
        "segment",
        "--holdout",
        "0.25",
        "-o",
        "b.csv",
    ]);
    assert_eq!(ran.err, "");
}

/// A job with a strategy is checked; what is wrong in it is said before an order is read.
#[test]
fn strategies_of_job_files_are_checked() {
    let bench = bench();
    let strategy = "[[strategy]]\nname = \"winback\"\ndesign = \"randomised\"\nassignments = \"a.csv\"\ncontrol = \"control\"\nsplit = { control = 0.1, treatment = 0.9 }\nperiods = [{ from = 2024-04-01, to = 2024-06-30 }]\nprimary = { outcome = \"revenue\", method = \"cuped\" }\nby = [\"segment\"]";
    bench.append(strategy);
    bench.refuses_command(
        &["check", "job.toml"],
        4,
        "error: there is no file or folder a.csv; check strategy.assignments (it is relative to the job file).",
    );
    bench.write("a.csv", "customer_id,arm,assigned\n");
    bench.refuses_command(&["check", "job.toml"], 3, "error: a.csv has no column \"assigned_on\"; did you mean \"assigned\"? (its first line names customer_id, arm, assigned); name the columns in the first line, customer_id, arm and assigned_on at least.");
    // Rows are looked at by a run alone.
    bench.write("a.csv", "customer_id,arm,assigned_on\n");
    bench.succeeds(&["check", "job.toml"]);
    bench.edit("treatment = 0.9", "treatment = 0.8");
    bench.refuses_command(&["check", "job.toml"], 2, "error: job.toml, line 21, column 1: strategy \"winback\": the split adds to 0.9, not to 1 (0.1 + 0.8); correct the shares, thirds as \"1/3\".");
    let ran = bench.succeeds(&["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let keys = schema.pointer("/$defs/RawStrategy/properties").unwrap();
    for key in ["assignments", "split", "baseline", "primary", "margin_rate", "overlap"] {
        assert!(keys[key].is_object(), "{key} is not in the schema");
    }
}
