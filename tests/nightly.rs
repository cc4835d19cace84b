//! `jobs/nightly.sh`: the date, the steps, and what becomes of every exit code.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::fixture::{Bench, PROGRAM, Ran};

fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("jobs/nightly.sh")
}

/// Runs the script with these arguments and variables.
fn nightly(bench: &Bench, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = std::process::Command::new(script());
    command.args(args).current_dir(bench.path(".")).env("RFMILL_WAIT_SECONDS", "0").env_remove("RFMILL_LOAD_TO");
    command.envs(variables.iter().copied()).output().unwrap().into()
}

/// A program that notes its arguments in `calls` and exits with the codes of `codes`, one by one, then with 0.
fn pretender(bench: &Bench, codes: &str) -> String {
    bench.write("calls", "");
    bench.write("codes", codes.replace(' ', "\n"));
    let text = "#!/bin/sh\necho \"$*\" >> calls\ncode=$(head -n 1 codes)\nsed -i 1d codes\nexit ${code:-0}\n";
    bench.write("pretender", text);
    let path = bench.path("pretender");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The exit code, and the first words of the calls.
fn with_codes(codes: &str, variables: &[(&str, &str)]) -> (i32, Vec<String>) {
    let bench = Bench::empty();
    let program = pretender(&bench, codes);
    let variables: Vec<(&str, &str)> = [("RFMILL", program.as_str())].iter().chain(variables).copied().collect();
    let ran = nightly(&bench, &["job.toml", "out", "2024-12-31"], &variables);
    let calls = String::from_utf8(bench.read("calls")).unwrap();
    (ran.code, calls.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect())
}

#[test]
fn a_night_runs_verifies_and_loads() {
    let bench = Bench::empty();
    let program = pretender(&bench, "");
    let target = "postgres://loader@db/shop?sslmode=verify-full&schema=crm";
    let ran = nightly(&bench, &["my job.toml", "out", "2024-12-31"], &[("RFMILL", &program), ("RFMILL_LOAD_TO", target)]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(
        String::from_utf8(bench.read("calls")).unwrap(),
        format!(
            "run my job.toml --as-of 2024-12-31 --output out --log-format json\nverify out --log-format json\nload out --to {target} --log-format json\n"
        )
    );
    let calls = |codes| with_codes(codes, &[]);
    assert_eq!(calls(""), (0, vec!["run".into(), "verify".into()]));
}

#[test]
fn the_date_is_yesterday_unless_given() {
    let bench = Bench::empty();
    let program = pretender(&bench, "");
    let day = || {
        let now = std::process::Command::new("date").args(["-d", "yesterday", "+%F"]).output().unwrap();
        String::from_utf8(now.stdout).unwrap().trim().to_owned()
    };
    let before = day();
    assert_eq!(nightly(&bench, &["job.toml", "out"], &[("RFMILL", &program)]).code, 0);
    let calls = String::from_utf8(bench.read("calls")).unwrap();
    assert!([before, day()].iter().any(|d| calls.contains(&format!("--as-of {d} "))), "{calls}");
}

#[test]
fn what_time_can_heal_is_tried_again() {
    for code in [4, 6, 7, 8] {
        let (exit, calls) = with_codes(&format!("{code} {code}"), &[]);
        assert_eq!((exit, calls.join(" ").as_str()), (0, "run run run verify"), "exit {code}");
        let (exit, calls) = with_codes(&format!("{code} {code} {code} {code} {code}"), &[("RFMILL_TRIES", "3")]);
        assert_eq!((exit, calls.join(" ").as_str()), (code, "run run run"), "exit {code}");
    }
    let load = [("RFMILL_LOAD_TO", "postgres://db")];
    assert_eq!(with_codes("0 0 6 8", &load), (0, ["run", "verify", "load", "load", "load"].map(String::from).to_vec()));
}

#[test]
fn an_unknown_commit_is_verified_and_run_again() {
    assert_eq!(with_codes("9 5", &[]), (0, ["run", "verify", "run", "verify"].map(String::from).to_vec()));
}

#[test]
fn what_needs_a_person_is_not_tried_again() {
    for code in [1, 2, 3, 5, 99, 127, 130, 143] {
        assert_eq!(with_codes(&code.to_string(), &[]), (code, vec!["run".into()]));
    }
    let load = [("RFMILL_LOAD_TO", "postgres://db")];
    assert_eq!(with_codes("0 5", &load), (5, vec!["run".into(), "verify".into()]), "nothing unverified is loaded");
}

#[test]
fn a_night_with_the_real_program() {
    let bench = Bench::new();
    let ran = nightly(&bench, &["job.toml", "out", "2024-11-30"], &[("RFMILL", PROGRAM)]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let events: Vec<serde_json::Value> = ran.err.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for event in ["committed", "verified"] {
        assert!(events.iter().any(|line| line["event"] == event), "{event}: {}", ran.err);
    }
    assert_eq!(ran.out, "");
    assert!(bench.path("out/tables/customers/as_of=2024-11-30").is_dir());
    let ran = nightly(&bench, &["missing.toml", "out", "2024-11-30"], &[("RFMILL", PROGRAM)]);
    assert_eq!(ran.code, 2);
    assert_eq!(nightly(&bench, &["job.toml"], &[]).code, 2);
}
