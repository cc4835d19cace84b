//! The command line: help, completions, the manual, the schema, what each command prints and where.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::fixture::{Bench, orders_and, texts};
use crate::support::run::{Cell, read_file};

const COMMANDS: [&str; 16] = [
    "quickstart",
    "init",
    "run",
    "open",
    "check",
    "explain",
    "sample",
    "assign",
    "verify",
    "drop",
    "forget",
    "tables",
    "load",
    "schema",
    "completions",
    "man",
];

#[test]
fn every_command_has_help() {
    let bench = Bench::empty();
    let ran = bench.succeeds(&["--help"]);
    for command in COMMANDS {
        assert!(ran.out.contains(&format!("\n  {command} ")), "{command} is missing from {}", ran.out);
        let own = bench.succeeds(&[command, "--help"]);
        assert!(own.out.contains(&format!("Usage: rfmill {command}")), "{}", own.out);
        assert_eq!(own.err, "");
        // Every argument is explained.
        let lines: Vec<&str> = own.out.lines().collect();
        for pair in lines.windows(2).filter(|p| p[0].trim_start().starts_with("--") || p[0].trim_start().starts_with("-q")) {
            let explained = pair[0].trim_start().contains("  ") || pair[1].starts_with("          ");
            assert!(explained, "{command}: {:?} is not explained", pair[0]);
        }
    }
    assert!(ran.out.contains("Exit codes:"), "{}", ran.out);
    assert!(
        ran.out.contains("A job with a query needs the program rfmill-query in the folder of rfmill:\n  cargo build"),
        "{}",
        ran.out
    );
}

#[test]
fn version_is_one_line() {
    let ran = Bench::empty().succeeds(&["--version"]);
    assert_eq!(ran.out, format!("rfmill {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn usage_errors_exit_2() {
    let bench = Bench::new();
    let cases: [(&[&str], &str); 10] = [
        (&[], "Usage: rfmill"),
        (&["rum"], "unrecognized subcommand 'rum'"),
        (&["rnu", "job.toml"], "a similar subcommand exists: 'run'"),
        (&["run"], "<JOB>"),
        (&["run", "job.toml", "--treads", "2"], "--threads"),
        (&["run", "job.toml", "--threads", "0"], "1..=1024"),
        (&["run", "job.toml", "--as-of", "2024-02-30"], "expected a date such as 2024-12-31"),
        (&["run", "job.toml", "--log-format", "xml"], "possible values: text, json"),
        (&["run", "job.toml", "more.toml"], "unexpected argument 'more.toml'"),
        (&["sample", "x", "--orders", "many"], "invalid value 'many'"),
    ];
    for (args, part) in cases {
        let ran = bench.rfmill(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(part), "{args:?}: {}", ran.err);
        // Without a command, it is the help that is shown.
        assert_eq!(ran.err.starts_with("error[usage]: "), !args.is_empty(), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
    }
    assert!(!bench.path("out").exists());
}

#[test]
fn impossible_samples_are_refused() {
    let bench = Bench::empty();
    bench.refuses_command(&["sample", "x", "-q", "--orders", "10", "--from", "2024-12-31", "--to", "2024-01-01"], 2, "error: The sample's dates go from 2024-12-31 to 2024-01-01, but the first must not be after the last; exchange or correct them.");
    bench.refuses_command(&["sample", "x", "-q", "--orders", "10", "--customers", "0"], 2, "error: A sample of 10 orders has 10 purchases and so room for 1 to 10 customers, but 0 were asked for; ask for a number in that range or for more orders.");
    bench.refuses_command(&["sample", "x", "-q", "--orders", "10", "--files", "0"], 2, "error: A sample in 0 files was asked for, but one from 2023-01-01 to 2024-12-31 can have between 1 and 731, at most one per day; ask for a number in that range.");
    bench.write("file", "");
    bench.refuses_command(&["sample", "file/x", "-q", "--orders", "10"], 6, "error: The folder file/x could not be made or read: Not a directory (os error 20). Check the path, its permissions and the space on the disk, then try again.");
    assert!(!bench.path("x").exists());
}

#[test]
fn completions_exist_for_every_common_shell() {
    let bench = Bench::empty();
    for (shell, part) in [("bash", "complete -F _rfmill"), ("zsh", "#compdef rfmill"), ("fish", "complete -c rfmill")] {
        let ran = bench.succeeds(&["completions", shell]);
        assert!(ran.out.contains(part) && ran.out.contains("quickstart"), "{shell}: {}", ran.out);
        assert_eq!(ran.err, "");
    }
}

#[test]
fn the_manual_is_a_manual_page() {
    let ran = Bench::empty().succeeds(&["man"]);
    assert!(ran.out.contains(".TH rfmill 1") && ran.out.contains("quickstart"), "{}", ran.out);
}

/// An unknown command is answered with the one that it is near to, or with all of them; none of them is hidden.
#[test]
fn an_unknown_command_names_those_that_there_are() {
    let bench = Bench::empty();
    let all = COMMANDS.join(", ");
    for arguments in [&["frobnicate"][..], &["frobnicate", "--help"], &["help", "frobnicate"]] {
        let ran = bench.rfmill(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        let expected = format!("unrecognized subcommand 'frobnicate'\n\n  tip: the commands are {all}\n\nUsage: ");
        assert!(ran.err.contains(&expected), "{arguments:?}: {}", ran.err);
    }
    let near = bench.rfmill(&["verfy"]);
    assert!(near.err.contains("'verify'") && !near.err.contains("the commands are"), "{}", near.err);
    let ran = bench.rfmill(&["man", "frobnicate"]);
    assert_eq!(
        (ran.code, ran.err),
        (2, format!("error[usage]: rfmill has no command \"frobnicate\" (its commands are {all}); name one of them.\n"))
    );
}

/// The names of manual pages in a page, such as rfmill-run(1).
fn pages_named(page: &str) -> Vec<String> {
    let plain = page.replace("\\-", "-").replace("\\f", " ");
    let words = plain.split(|c: char| c.is_whitespace() || c == ',');
    words.filter_map(|word| word.strip_suffix("(1)")).map(str::to_owned).collect()
}

#[test]
fn manual_pages_name_pages_that_exist() {
    let bench = Bench::empty();
    let ran = bench.succeeds(&["man", "--output", "pages"]);
    let files: Vec<String> =
        fs::read_dir(bench.path("pages")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files.len(), 1 + COMMANDS.len(), "{files:?}");
    assert_eq!(ran.out.lines().count(), files.len(), "{}", ran.out);
    let root = String::from_utf8(bench.read("pages/rfmill.1")).unwrap();
    assert_eq!(root, bench.succeeds(&["man"]).out);
    assert_eq!(pages_named(&root).len(), COMMANDS.len(), "{root}");
    for file in &files {
        let page = String::from_utf8(bench.read(&format!("pages/{file}"))).unwrap();
        for named in pages_named(&page) {
            assert!(files.contains(&format!("{named}.1")), "{file} names {named}(1), which is not among {files:?}");
        }
    }
    for command in COMMANDS {
        assert_eq!(bench.succeeds(&["man", command]).out.into_bytes(), bench.read(&format!("pages/rfmill-{command}.1")));
    }
    bench.refuses_command(&["man", "rnu"], 2, "error: rfmill has no command \"rnu\"; did you mean \"run\"? (its commands are quickstart, init, run, open, …, man); name one of them.");
}

/// All job files of the repository: files that have an `[orders]` section.
fn jobs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            jobs(&path, found);
        } else if path.extension().is_some_and(|e| e == "toml")
            && fs::read_to_string(&path).is_ok_and(|text| text.contains("\n[orders]"))
        {
            found.push(path);
        }
    }
}

#[test]
fn every_job_of_the_repository_parses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    jobs(&root.join("jobs"), &mut found);
    jobs(&root.join("tests"), &mut found);
    assert!(!found.is_empty());
    for job in found {
        // Without its orders, a job is parsed and planned by the command that prints its tables.
        let ran = Bench::empty().succeeds(&["schema", "--tables", job.to_str().unwrap()]);
        assert!(ran.out.contains("CREATE TABLE customers"), "{}: {}", job.display(), ran.out);
    }
}

/// Whether a value has only keys that the schema knows, following references and alternatives.
fn knows(schema: &serde_json::Value, root: &serde_json::Value, value: &toml::Value, path: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).ok_or(format!("{reference} leads nowhere"))?;
        return knows(target, root, value, path);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let tried: Vec<_> = choices.iter().map(|choice| knows(choice, root, value, path)).collect();
        return if tried.iter().any(Result::is_ok) { Ok(()) } else { tried.into_iter().next().unwrap_or(Ok(())) };
    }
    if let (Some(table), Some(properties)) = (value.as_table(), schema["properties"].as_object()) {
        for (key, value) in table {
            let own = properties.get(key).ok_or(format!("{path}.{key} is not in the schema"))?;
            knows(own, root, value, &format!("{path}.{key}"))?;
        }
    }
    if let (Some(list), Some(items)) = (value.as_array(), schema.get("items")) {
        for value in list {
            knows(items, root, value, path)?;
        }
    }
    Ok(())
}

#[test]
fn the_schema_of_the_job_file_knows_every_job() {
    let ran = Bench::empty().succeeds(&["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(schema["title"], "rfmill job file");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], serde_json::json!(["name", "orders"]));
    let mut found = Vec::new();
    jobs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs"), &mut found);
    for job in found {
        let value: toml::Table = fs::read_to_string(&job).unwrap().parse().unwrap();
        knows(&schema, &schema, &toml::Value::Table(value), "").unwrap();
    }
    // The check itself can fail.
    let wrong: toml::Table = "name = \"x\"\n[orders]\npaht = \"x\"".parse().unwrap();
    assert_eq!(knows(&schema, &schema, &toml::Value::Table(wrong), ""), Err(".orders.paht is not in the schema".into()));
}

#[test]
fn the_tables_of_a_job_are_printed_as_sql() {
    let bench = Bench::new();
    let ran = bench.succeeds(&["schema", "--tables", "job.toml"]);
    let tables = [
        "customers",
        "cutpoints",
        "segments",
        "transitions",
        "movers",
        "state_history",
        "growth",
        "cohorts",
        "concentration",
        "dim_state",
        "dim_period",
        "dim_date",
        "restatements",
        "ledger",
    ];
    for table in tables {
        assert!(ran.out.contains(&format!("CREATE TABLE {table} (")), "{}", ran.out);
    }
    assert_eq!(ran.out.matches("CREATE TABLE").count(), tables.len());
    assert!(ran.out.contains("\"customer_id\" BIGINT"), "{}", ran.out);
    // Without dates and orders the tables are the same but for the type of the id.
    bench.edit("as_of = [2024-12-31]", "");
    bench.edit("path = \"orders\"", "path = \"nowhere\"");
    let without = bench.succeeds(&["schema", "--tables", "job.toml"]);
    assert_eq!(without.out.matches("CREATE TABLE").count(), tables.len());
    bench.refuses_command(
        &["schema", "--tables", "jobs.toml"],
        2,
        "error: cannot read the job file jobs.toml: No such file or directory (os error 2); check the path.",
    );
}

#[test]
fn check_says_what_it_checked_and_writes_nothing() {
    let bench = Bench::new();
    let ran = bench.succeeds(&["check", "job.toml"]);
    assert_eq!(ran.out, "job.toml: ok (8 rows in 1 file, 1 as-of date, last 2024-12-31)\n");
    assert_eq!(ran.err, "");
    assert!(!bench.path("out").exists());
    bench.edit("\"customer_id\"", "\"customer\"");
    bench.refuses_command(&["check", "job.toml"], 3, "error: job.toml, line 5, column 15: orders.customer_id names the column \"customer\", which orders/a.parquet does not have; did you mean \"customer_id\"? (its columns are customer_id, ordered_at, amount); name one of them.");
    assert!(!bench.path("out").exists());
}

#[test]
fn explain_shows_dates_files_and_rules() {
    let bench = Bench::new();
    bench.edit("as_of = [2024-12-31]", "every = \"quarter\"\nfrom = 2024-01-01\nto = 2024-12-31");
    bench.append("[schemes]\nsegment = \"rf_grid\"");
    let ran = bench.succeeds(&["explain", "job.toml"]);
    for part in [
        "job \"test\"",
        "2024-03-31 (lookback all history, period from 2024-01-01)",
        "2024-12-31 (lookback all history, period from 2024-10-01)",
        "columns read\n  amount, customer_id, ordered_at\n",
        "orders/a.parquet: 8 rows in 1 row group",
        "recency_days, frequency, monetary",
        "scheme segment = \"rf_grid\"",
        "1. Champions: r_score 5, f_score 4 to 5",
        "r \\ f",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing from {}", ran.out);
    }
    assert!(!bench.path("out").exists());
}

#[test]
fn explain_shows_what_slices_override() {
    let bench = Bench::new();
    bench.parquet(
        "orders/a.parquet",
        &orders_and("shop", texts(["toys", "books", "toys", "books", "toys", "toys", "toys", "books"])),
    );
    bench.in_orders("slice = \"shop\"");
    bench.append(
        "[schemes.lifecycle]\nuse = \"recency_windows\"\n[schemes.lifecycle.override.toys]\nactive = { recency_days = [0, 180] }",
    );
    let ran = bench.succeeds(&["explain", "job.toml"]);
    assert!(ran.out.contains("in slice \"toys\"\n  1. active: recency_days 0 to 180"), "{}", ran.out);
}

#[test]
fn quickstart_ends_with_verified_tables() {
    let bench = Bench::empty();
    let ran = bench.succeeds(&["quickstart", "demo", "--orders", "20000"]);
    assert!(ran.err.contains("20,000 seeded sample orders") && ran.err.contains("rfmill verify demo/out"), "{}", ran.err);
    assert_eq!(ran.out, "");
    for file in [
        "demo/quickstart.toml",
        "demo/out/latest/segments.parquet",
        "demo/out/tables/customers/as_of=2024-12-31/part-000.parquet",
    ] {
        assert!(bench.path(file).is_file(), "{file} is missing");
    }
    bench.succeeds(&["verify", "demo/out"]);
    // Every segment has its cost to serve, what is left of the margin, and how content its customers are; so has the page.
    let segments = read_file(&bench.path("demo/out/latest/segments.parquet"));
    for row in segments.records() {
        let [margin, cost, contribution] = ["margin", "cost_to_serve", "contribution"].map(|name| row[name].minor());
        assert!(cost >= 0 && margin - cost == contribution, "{row:?}");
    }
    let is_content = |cell: &Cell| matches!(cell, Cell::Double(mean) if *mean > 5.0);
    assert!(segments.records().iter().any(|row| row["cost_to_serve"].minor() > 0 && is_content(row["satisfaction"])));
    let page = String::from_utf8(bench.read("demo/out/latest/report/index.html")).expect("a page");
    assert!(page.contains("Cost to serve") && page.contains("Satisfaction"));
    // What it says to do next works.
    bench.succeeds(&["explain", "demo/quickstart.toml"]);
    bench.succeeds(&["run", "demo/quickstart.toml", "--as-of", "2024-06-30"]);
    bench.succeeds(&["verify", "demo/out"]);
    // Again in the same folder.
    let again = bench.succeeds(&["quickstart", "demo", "--orders", "20000", "--quiet"]);
    assert_eq!((again.out.as_str(), again.err.as_str()), ("", ""));
}

#[test]
fn the_summary_of_a_run_shows_states() {
    let bench = Bench::new();
    let ran = bench.runs();
    for part in ["segment at 2024-12-31", "lifecycle at 2024-12-31", "customers", "60.0 %", "8 input rows"] {
        assert!(ran.err.contains(part), "{part:?} is missing from {}", ran.err);
    }
    let again = bench.runs();
    assert!(again.err.contains("already computed"), "{}", again.err);
}

#[test]
fn json_logs_are_one_object_per_line() {
    let bench = Bench::new();
    let ran = bench.succeeds(&["run", "job.toml", "--log-format", "json"]);
    let events: Vec<serde_json::Value> = ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|e| e.is_object() && e["level"].is_string()), "{}", ran.err);
    let last = events.last().unwrap();
    assert_eq!(last["event"], "committed");
    assert_eq!(last["already_computed"], false);
    assert!(bench.path(last["path"].as_str().unwrap()).is_dir());
    assert_eq!(ran.out, "");
    bench.edit("\"amount\"", "\"amounts\"");
    let ran = bench.rfmill(&["run", "job.toml", "--log-format", "json"]);
    assert_eq!(ran.code, 3);
    let error: serde_json::Value = serde_json::from_str(ran.err.lines().last().unwrap()).unwrap();
    assert_eq!((error["level"].as_str(), error["exit_code"].as_u64()), (Some("error"), Some(3)));
    assert!(error["message"].as_str().unwrap().contains("\"amounts\""));
}

#[test]
fn quiet_runs_print_nothing() {
    let bench = Bench::new();
    let commands: [&[&str]; 3] = [
        &["run", "job.toml", "--quiet"],
        &["run", "job.toml", "-q"],
        &["run", "job.toml", "-q", "--log-format", "json", "--as-of", "2024-12-30"],
    ];
    for args in commands {
        let ran = bench.succeeds(args);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""), "{args:?}");
    }
}

#[test]
fn a_closed_stdout_or_stderr_is_no_error() {
    let bench = Bench::new();
    bench.runs();
    let commands: [&[&str]; 9] = [
        &["run", "job.toml", "--as-of", "2024-12-30"],
        &["check", "job.toml"],
        &["explain", "job.toml"],
        &["verify", "out"],
        &["schema"],
        &["schema", "--tables", "job.toml"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
    ];
    for args in commands {
        let mut child = bench.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{args:?}");
        let mut child = bench.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stderr.take());
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn verify_finds_what_was_changed() {
    let bench = Bench::new();
    bench.refuses_command(&["verify", "out"], 4, "error: there is no output folder out; check the path.");
    bench.refuses_command(
        &["verify", "orders"],
        5,
        "error: orders is not an output folder of rfmill; name the folder given as --output.",
    );
    bench.runs();
    let ran = bench.succeeds(&["verify", "out"]);
    assert!(ran.out.starts_with("out: ok (run ") && ran.out.contains("of job \"test\", as of 2024-12-31"), "{}", ran.out);
    let file = "out/latest/segments.parquet";
    let whole = bench.read(file);
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    bench.write(file, &changed);
    let ran = bench.rfmill(&["verify", "out"]);
    crate::fixture::assert_message(
        &ran,
        5,
        "error: out/runs/…/segments.parquet was changed or damaged after it was written, and `latest` names that run; run the job again with `rfmill run JOB --as-of 2024-12-31` (job \"test\"), or as it ran.",
    );
    // A plain rerun computes the damaged run anew.
    bench.runs();
    assert_eq!(bench.read(file), whole);
    fs::remove_file(bench.path(file)).unwrap();
    let ran = bench.rfmill(&["verify", "out"]);
    crate::fixture::assert_message(
        &ran,
        5,
        "error: out/runs/…/segments.parquet is gone, and `latest` names that run; run the job again with `rfmill run JOB --as-of 2024-12-31` (job \"test\"), or as it ran.",
    );
    bench.runs();
    let manifest = bench.read("out/latest/manifest.json");
    bench.write("out/latest/manifest.json", [manifest.as_slice(), b" "].concat());
    let ran = bench.rfmill(&["verify", "out"]);
    crate::fixture::assert_message(
        &ran,
        5,
        "error: out/runs/…/manifest.json was changed or damaged after it was written; `rfmill verify out --repair` copies it from out/manifests/….json.",
    );
    bench.runs();
    fs::remove_file(bench.path("out/latest")).unwrap();
    let ran = bench.rfmill(&["verify", "out"]);
    crate::fixture::assert_message(
        &ran,
        5,
        "error: out/latest does not point to what was committed last, which is …; run the job again to put it right.",
    );
    bench.runs();
    fs::remove_file(bench.path("out/tables/segments/as_of=2024-12-31/segments.parquet")).unwrap();
    let ran = bench.rfmill(&["verify", "out"]);
    crate::fixture::assert_message(
        &ran,
        5,
        "error: out/.tables/…/segments/as_of=2024-12-31/segments.parquet is gone; `rfmill verify out --repair` copies it from out/runs/…/partitions/segments/as_of=2024-12-31/segments.parquet.",
    );
    bench.runs();
}

#[test]
fn samples_are_the_same_for_the_same_seed() {
    let bench = Bench::empty();
    let args = |folder| ["sample", folder, "--orders", "3000", "--seed", "7", "--files", "2", "--string-ids", "--bad-rows", "20"];
    let first = bench.succeeds(&args("a"));
    bench.succeeds(&args("b"));
    assert_eq!(first.out.lines().count(), 2);
    for line in first.out.lines() {
        assert_eq!(bench.read(line), bench.read(&line.replacen("a/", "b/", 1)), "{line}");
    }
}
