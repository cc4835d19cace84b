//! An output belongs to one job and time zone; records and the marker may say odd things.

use crate::fixture::{Bench, assert_message};

fn bench() -> Bench {
    let bench = Bench::with_run();
    bench.verifies();
    bench
}

#[test]
fn another_job_is_refused_and_may_adopt() {
    let bench = bench();
    bench.edit("name = \"test\"", "name = \"other\"");
    let refusal = "error: out is the output of the job \"test\", not of \"other\"; give every job a folder of its own with output.path or --output, or run once with --adopt to make the folder that of this job.";
    bench.refuses(5, refusal);
    bench.succeeds(&["run", "job.toml", "-q", "--adopt"]);
    assert!(bench.succeeds(&["verify", "out"]).out.contains("of job \"other\""));
    // It is that job's from now on.
    bench.runs();
    bench.edit("name = \"other\"", "name = \"test\"");
    bench.refuses(5, "error: out is the output of the job \"other\", not of \"test\"; …");
}

#[test]
fn another_time_zone_is_refused() {
    let bench = bench();
    bench.in_orders("timezone = \"Europe/London\"");
    bench.refuses(
        5,
        "error: out is the output of orders in the time zone UTC, not of Europe/London; give every job a folder of its own with output.path or --output, or run once with --adopt to make the folder that of this job.",
    );
    bench.succeeds(&["run", "job.toml", "-q", "--adopt"]);
    bench.runs();
}

#[test]
fn records_with_odd_numbers_are_sentences() {
    for (name, message) in [
        ("7.json", "error: out/commits/7.json is no record of a commit; expected names such as 00000012.json. Move it away."),
        (
            "+0000007.json",
            "error: out/commits/+0000007.json is no record of a commit; expected names such as 00000012.json. Move it away.",
        ),
        (
            "00000000.json",
            "error: out/commits/00000000.json is no record of a commit; expected names such as 00000012.json. Move it away.",
        ),
        (
            "notes.txt",
            "error: out/commits/notes.txt is no record of a commit; expected names such as 00000012.json. Move it away.",
        ),
        (
            "99999999999999999999999.json",
            "error: out/commits/99999999999999999999999.json is no record of a commit; expected names such as 00000012.json. Move it away.",
        ),
        (
            "18446744073709551615.json",
            "error: out/commits/18446744073709551615.json is the record of commit 1, not of 18446744073709551615; see what `rfmill verify` says of the output, which can restore some records.",
        ),
        (
            "00000002.json",
            "error: out/commits/00000002.json is the record of commit 1, not of 2; see what `rfmill verify` says of the output, which can restore some records.",
        ),
    ] {
        let bench = bench();
        let record = bench.read("out/commits/00000001.json");
        bench.write(&format!("out/commits/{name}"), record);
        let ran = bench.rfmill(&["run", "job.toml", "-q"]);
        assert_message(&ran, 5, message);
        let ran = bench.rfmill(&["verify", "out"]);
        assert!(ran.code == 5 && ran.err.contains(name), "{}", ran.err);
    }
    // A record of 0.1.0 says no number, so the largest one there is may be its.
    let bench = Bench::new();
    let record = r#"{"run_id": "a", "job_name": "test", "as_of": ["2024-01-31"], "manifest_sha256": "b"}"#;
    bench.write("out/commits/18446744073709551615.json", record);
    bench.write("out/.rfmill", "format = 1\n");
    let ran = bench.rfmill(&["run", "job.toml", "-q"]);
    assert_message(
        &ran,
        5,
        "error: commit 18446744073709551615 has the largest number there is, so none can follow; move its record away if you do not know it.",
    );
}

#[test]
fn what_a_newer_version_wrote_is_left_alone() {
    let bench = bench();
    let marker = String::from_utf8(bench.read("out/.rfmill")).unwrap();
    assert!(marker.ends_with("\nformat = 2\n"), "{marker}");
    bench.write("out/.rfmill", marker.replace("format = 2", "format = 3"));
    let ran = bench.rfmill(&["run", "job.toml", "-q"]);
    assert_message(
        &ran,
        5,
        "error: out/.rfmill says that the output has format 3, which a newer rfmill writes; expected at most 2. Use that version for this output, or see what `rfmill verify` says of it if there was none.",
    );
    // The record is one of this version, so the marker was changed.
    let ran = bench.rfmill(&["verify", "out"]);
    assert!(
        ran.code == 5
            && ran
                .err
                .contains(".rfmill was changed or damaged after it was written; `rfmill verify out --repair` writes it again"),
        "{}",
        ran.err
    );
    bench.succeeds(&["verify", "out", "--repair"]);
    bench.runs();
    let newest = bench.visible().commits.pop().unwrap();
    bench.write(&format!("out/commits/{newest}"), r#"{"format": 3}"#);
    let message = format!(
        "error: out/commits/{newest} is of form 3, which a newer rfmill writes; expected at most 2. Use that version for this output."
    );
    assert_message(&bench.rfmill(&["run", "job.toml", "-q"]), 5, &message);
    assert_message(&bench.rfmill(&["verify", "out"]), 5, &message);
}

#[test]
fn a_stray_marker_or_none_is_told() {
    let bench = bench();
    std::fs::remove_file(bench.path("out/.rfmill")).unwrap();
    let ran = bench.rfmill(&["run", "job.toml", "-q"]);
    assert_message(
        &ran,
        6,
        "error: out has runs and commits of rfmill, but .rfmill is gone, as if names that begin with a dot had not been copied; copy the output again with `cp -a` or `rsync -aH`, or see what `rfmill verify out` says.",
    );
    let said = bench.succeeds(&["verify", "out", "--repair"]).out;
    assert!(said.starts_with("out: put right: out/.rfmill is gone\nout: ok ("), "{said}");
    bench.runs();
}
