//! `rfmill open`: the page that is opened, by what, and what is said where there is no browser or no page.

use std::fs;

use serde_json::Value;

use crate::fixture::{Bench, Ran};

/// A bench with a run and a program that notes what it is asked to open.
fn with_browser() -> Bench {
    let bench = Bench::new();
    bench.runs();
    bench.write("browser", format!("echo \"$@\" > {}\n", bench.path("opened").display()));
    bench
}

/// The browser as a command.
fn browser(bench: &Bench) -> String {
    format!("sh {}", bench.path("browser").display())
}

fn open(bench: &Bench, browser: &str, args: &[&str]) -> Ran {
    let mut command = bench.command(&[&["open", "out"], args].concat());
    command.env("BROWSER", browser).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command.output().unwrap().into()
}

#[test]
fn the_page_of_the_last_run_is_opened() {
    let bench = with_browser();
    let page = fs::canonicalize(bench.path("out/latest/report/index.html")).unwrap().display().to_string();
    let browser = browser(&bench);
    let opened = || String::from_utf8(bench.read("opened")).unwrap();
    let ran = open(&bench, &browser, &[]);
    assert_eq!((ran.code, ran.out.trim_end(), ran.err.as_str()), (0, page.as_str(), ""));
    assert_eq!(opened().trim_end(), page);
    // The page may stand anywhere in the command, and the first program that works is taken.
    let ran = open(&bench, &format!("no-such-program:false:{browser} --new %s --end"), &["--format", "json"]);
    assert_eq!(opened().trim_end(), format!("--new {page} --end"));
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&document["opened"], &document["path"]), (&true.into(), &page.as_str().into()));
}

#[test]
fn without_a_browser_the_path_is_printed() {
    let bench = with_browser();
    let page = fs::canonicalize(bench.path("out/latest/report/index.html")).unwrap().display().to_string();
    for browser in ["", "no-such-program"] {
        let ran = open(&bench, browser, &[]);
        assert_eq!((ran.code, ran.out.trim_end()), (0, page.as_str()));
        assert_eq!(ran.err, "no browser was found here (set BROWSER to name one); open this file:\n");
    }
    assert!(!bench.path("opened").exists());
}

#[test]
fn a_page_that_is_not_there_is_a_sentence() {
    let bench = with_browser();
    let page = fs::canonicalize(bench.path("out/latest/report/index.html")).unwrap();
    fs::remove_file(&page).unwrap();
    let ran = open(&bench, "true", &[]);
    assert_eq!((ran.code, ran.out.as_str()), (5, ""));
    assert!(ran.err.ends_with(", is gone; run the job again.\n"), "{}", ran.err);
    bench.runs();
    assert!(page.is_file(), "the next run makes it again");
    bench.succeeds(&["run", "job.toml", "-q", "--output", "bare", "--set", "output.report=[\"json\"]"]);
    let refused = "error: bare/runs/…/report/index.html, the page of run …, was not written, since output.report of the job \"test\" does not name \"html\"; add it and run the job again.";
    bench.refuses_command(&["open", "bare"], 5, refused);
    bench.refuses_command(
        &["open", "orders"],
        5,
        "error: orders is not an output folder of rfmill; name the folder given as --output.",
    );
    bench.refuses_command(&["open", "nowhere"], 4, "error: there is no output folder nowhere; check the path.");
}
