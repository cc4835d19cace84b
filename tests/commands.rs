//! What commands say to programs: log lines as JSON, one JSON document on stdout, and nothing but errors where that is asked for.

use std::fs;

use serde_json::{Value, json};

use crate::fixture::{Bench, Ran};

/// Every line of the log, which must be objects with a level.
#[track_caller]
fn log(ran: &Ran) -> Vec<Value> {
    let lines = ran.err.lines().map(|line| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line:?} is no JSON: {e}"));
        assert!(["info", "warning", "error"].contains(&value["level"].as_str().unwrap()), "{line}");
        value
    });
    lines.collect()
}

/// A job with a run, and one more that warns.
fn with_runs() -> Bench {
    let bench = Bench::with_run();
    bench.succeeds(&["run", "job.toml", "-q"]);
    bench
}

#[test]
fn the_log_of_every_command_is_json_if_asked_for() {
    let bench = with_runs();
    let json = ["--log-format", "json"];
    // Where a command makes no data, stdout stays empty.
    let silent: [(&[&str], i32); 11] = [
        (&["quickstart", "q", "--orders", "2000"], 0),
        (&["run", "job.toml"], 0),
        (&["run", "job.toml", "--as-of", "2024-03-31"], 0),
        (&["check", "job.toml"], 0),
        (&["verify", "out"], 0),
        (&["drop", "out", "--as-of", "2024-03-31"], 0),
        (&["run", "nowhere.toml"], 2),
        (&["check", "nowhere.toml"], 2),
        (&["verify", "nowhere"], 4),
        (&["drop", "out", "--as-of", "2020-01-01"], 2),
        (&["load", "out", "--to", "postgres://nobody@127.0.0.1:1/none"], 6),
    ];
    for (args, code) in silent {
        let ran = bench.rfmill(&[args, &json].concat());
        let lines = log(&ran);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{args:?}: {}", ran.err);
        let last = lines.last().unwrap_or_else(|| panic!("{args:?} says nothing"));
        match code {
            0 => assert_eq!(last["level"], "info", "{args:?}: {last}"),
            _ => {
                assert_eq!((&last["level"], &last["exit_code"]), (&json!("error"), &json!(code)), "{args:?}: {last}");
                let kind = match code {
                    2 => "usage",
                    4 => "input",
                    _ => "output",
                };
                assert_eq!(last["kind"], kind, "{args:?}: {last}");
            }
        }
    }
    // The flag may stand before the command, too.
    assert_eq!(log(&bench.rfmill(&["--log-format", "json", "verify", "out"]))[0]["event"], "verified");
    let data: [&[&str]; 6] = [
        &["explain", "job.toml"],
        &["sample", "s", "--orders", "100"],
        &["schema"],
        &["completions", "bash"],
        &["man"],
        &["assign", "out", "--from", "segment", "--name", "a", "--salt", "b", "-o", "a.csv", "--holdout", "0.5"],
    ];
    for args in data {
        let ran = bench.succeeds(&[args, &json].concat());
        log(&ran);
        assert!(!ran.out.is_empty(), "{args:?}");
    }
    // Nor does a command line that names no command speak another language.
    for args in [&["rum"][..], &["run"], &["verify", "out", "--treads", "2"]] {
        let ran = bench.rfmill(&[args, &json].concat());
        let lines = log(&ran);
        assert_eq!((ran.code, lines.len(), &lines[0]["kind"]), (2, 1, &json!("usage")), "{args:?}: {}", ran.err);
    }
}

#[test]
fn quiet_commands_say_nothing_but_errors() {
    let bench = with_runs();
    for args in [&["verify", "out"][..], &["check", "job.toml"], &["run", "job.toml"], &["verify", "out", "--log-format", "json"]]
    {
        let ran = bench.succeeds(&[args, &["--quiet"]].concat());
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""), "{args:?}");
    }
    damage(&bench);
    let ran = bench.rfmill(&["verify", "out", "--quiet"]);
    assert_eq!(ran.code, 5);
    assert!(ran.err.starts_with("error[state]: ") && ran.err.lines().count() == 1, "{}", ran.err);
    assert_eq!(ran.out, bench.rfmill(&["verify", "out"]).out, "findings are errors");
}

/// Changes two files of the last run, and puts one there that it did not write.
fn damage(bench: &Bench) {
    for table in ["segments.parquet", "cutpoints.parquet"] {
        let path = bench.path("out/latest").join(table);
        let mut bytes = fs::read(&path).unwrap();
        bytes[7] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    bench.write("out/latest/stranger.txt", "");
}

/// The document of a command.
#[track_caller]
fn document(bench: &Bench, args: &[&str]) -> (Ran, Value) {
    let ran = bench.rfmill(&[args, &["--format", "json"]].concat());
    let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{args:?}: {:?} is no JSON: {e}", ran.out));
    assert_eq!(document["rfmill"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["command"], args[0]);
    assert_eq!(document["ok"], ran.code == 0);
    assert_eq!(document.get("error").is_some(), ran.code != 0);
    (ran, document)
}

#[test]
fn a_document_says_what_a_command_says() {
    let bench = Bench::new();
    let (_, checked) = document(&bench, &["check", "job.toml"]);
    assert_eq!(checked["job"], "job.toml");
    assert_eq!((&checked["job_name"], &checked["as_of"]), (&json!("test"), &json!(["2024-12-31"])));
    assert_eq!((&checked["files"], &checked["rows"], &checked["query"]), (&json!(1), &json!(8), &json!(false)));

    let (ran, run) = document(&bench, &["run", "job.toml"]);
    assert!(ran.err.contains("8 input rows"), "people read along: {}", ran.err);
    assert_eq!((&run["input_rows"], &run["already_computed"], &run["as_of"]), (&json!(8), &json!(false), &json!(["2024-12-31"])));
    let manifest: Value = serde_json::from_slice(&bench.read("out/latest/manifest.json")).unwrap();
    assert_eq!(run["run_id"], manifest["run_id"]);
    assert_eq!(run["latest"], json!({ "run_id": manifest["run_id"], "as_of": "2024-12-31" }));
    assert_eq!(run["path"], format!("out/runs/{}", manifest["run_id"].as_str().unwrap()));
    let rows: u64 = manifest["tables"].as_array().unwrap().iter().map(|table| table["rows"].as_u64().unwrap()).sum();
    assert_eq!(run["table_rows"], rows);
    assert_eq!(run["warnings"], manifest["warnings"]);
    // The states are those of the table: customers and revenue of each scheme add up.
    let states = run["states"].as_array().unwrap();
    let customers = 5;
    for scheme in ["segment", "lifecycle"] {
        let of = states.iter().filter(|state| state["scheme"] == scheme);
        assert_eq!(of.map(|state| state["customers"].as_u64().unwrap()).sum::<u64>(), customers, "{scheme}: {states:?}");
    }
    assert!(states.iter().all(|state| state["revenue"].as_str().is_some_and(|money| money.contains('.'))), "{states:?}");
    let (_, again) = document(&bench, &["run", "job.toml", "--quiet"]);
    assert_eq!((&again["already_computed"], &again["states"]), (&json!(true), &json!([])));

    let (_, verified) = document(&bench, &["verify", "out"]);
    assert_eq!((&verified["run_id"], &verified["findings"]), (&manifest["run_id"], &json!([])));
    assert_eq!((&verified["dates"], &verified["tables"]["customers"]), (&json!(["2024-12-31"]), &json!(customers)));

    let (_, explained) = document(&bench, &["explain", "job.toml"]);
    assert_eq!(
        explained["as_of"],
        json!([{ "date": "2024-12-31", "lookback_start": null, "period_start": null, "role": "published" }])
    );
    assert_eq!(explained["columns"], json!(["amount", "customer_id", "ordered_at"]));
    assert_eq!(explained["files"], json!([{ "name": "orders/a.parquet", "rows": 8, "row_groups": 1, "row_groups_after": 0 }]));
    let schemes = explained["schemes"].as_array().unwrap();
    assert_eq!(schemes.iter().map(|scheme| &scheme["column"]).collect::<Vec<_>>(), ["segment", "lifecycle"]);
    assert_eq!(schemes[1]["rules"][0], json!({ "state": "active", "when": "recency_days 0 to 90" }));

    bench.succeeds(&["run", "job.toml", "-q", "--as-of", "2024-06-30"]);
    let (_, dropped) = document(&bench, &["drop", "out", "--as-of", "2024-06-30"]);
    assert_eq!((&dropped["as_of"], &dropped["latest"]), (&json!("2024-06-30"), &run["latest"]));
}

#[test]
fn a_document_has_the_error_as_the_log_has() {
    let bench = with_runs();
    damage(&bench);
    bench.edit("\"customer_id\"", "\"customer\"");
    for (args, code, kind) in [
        (&["run", "job.toml"][..], 3, "contract"),
        (&["check", "job.toml"], 3, "contract"),
        (&["explain", "nowhere.toml"], 2, "usage"),
        (&["verify", "nowhere"], 4, "input"),
        (&["verify", "out"], 5, "state"),
    ] {
        let (ran, document) = document(&bench, args);
        assert_eq!((ran.code, &document["error"]["exit_code"], &document["error"]["kind"]), (code, &json!(code), &json!(kind)));
        let message = document["error"]["message"].as_str().unwrap();
        assert_eq!(ran.err, format!("error[{kind}]: {message}.\n"), "{args:?}");
    }
    let (_, verified) = document(&bench, &["verify", "out"]);
    let findings = verified["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2);
    for table in ["stranger.txt", "cutpoints.parquet"] {
        assert!(findings.iter().any(|finding| finding.as_str().unwrap().contains(table)), "{findings:?}");
    }
    let found = log(&bench.rfmill(&["verify", "out", "--log-format", "json"]));
    let said: Vec<&Value> = found.iter().filter(|line| line["event"] == "finding").map(|line| &line["message"]).collect();
    assert_eq!(said, findings.iter().collect::<Vec<_>>());
}

/// The page of commands names every key of every document and every event.
#[test]
fn documents_are_documented() {
    let page = include_str!("../docs/COMMANDS.md");
    let bench = with_runs();
    bench.write("ids.txt", "1\n");
    for (heading, args) in [
        ("run", &["run", "job.toml"][..]),
        ("run --dry-run", &["run", "job.toml", "--dry-run"]),
        ("open", &["open", "out"]),
        ("check", &["check", "job.toml"]),
        ("explain", &["explain", "job.toml"]),
        ("verify", &["verify", "out"]),
        ("tables", &["tables", "out"]),
        ("drop", &["drop", "out", "--as-of", "2024-06-30"]),
        ("forget", &["forget", "out", "--ids", "ids.txt"]),
    ] {
        let (_, document) = document(&bench, args);
        let section = page.split("\n## ").find(|section| section.starts_with(&format!("`{heading}`"))).expect(heading);
        for key in
            document.as_object().unwrap().keys().filter(|key| !["rfmill", "command", "ok", "warnings"].contains(&key.as_str()))
        {
            assert!(section.contains(&format!("`{key}`")), "docs/COMMANDS.md does not name `{key}` of {args:?}");
        }
    }
    for event in [
        "committed",
        "checked",
        "verified",
        "repaired",
        "finding",
        "dropped",
        "forgotten",
        "loaded",
        "assigned",
        "written",
        "panic",
    ] {
        assert!(page.contains(&format!("`{event}`")), "docs/COMMANDS.md does not name the event {event}");
    }
}
