//! What needs no program: job files that cannot be, and the program that is missing.

use std::path::Path;

use super::{job, source};
use crate::fixture::{Bench, PROGRAM, assert_message};

fn bench(text: &str) -> Bench {
    let bench = Bench::empty();
    bench.write("a.csv", "customer,day,amount\nann,2024-01-05,5.00\n");
    bench.write("job.toml", text);
    bench
}

fn good() -> String {
    job(&source("a", "a.csv", ""), "SELECT customer, day, amount FROM a")
}

#[test]
fn a_job_has_a_path_or_a_query() {
    let without = good()
        .replace("query = '''SELECT customer, day, amount FROM a'''\n", "")
        .replace("[[source]]\nname = \"a\"\npath = \"a.csv\"\n", "");
    bench(&without).refuses(
        2,
        "error: job.toml, line …, column 1: orders.path is missing; name the files, or give orders.query for other shapes.",
    );
    let both = good().replace("[orders]\n", "[orders]\npath = \"b.parquet\"\n");
    bench(&both)
        .refuses(2, "error: job.toml, line …, column 1: [orders] has both a path and a query; keep the one that has the rows.");
    let hashes = good().replace("[orders]\n", "[orders]\nmanifest = \"SHA256SUMS\"\n");
    bench(&hashes).refuses(2, "error: job.toml, line …, column 1: orders.manifest lists hashes of files, and orders.query reads none by itself; remove it.");
}

#[test]
fn queries_and_sources_go_together() {
    let without = good().replace("[[source]]\nname = \"a\"\npath = \"a.csv\"\n", "");
    bench(&without).refuses(
        2,
        "error: job.toml, line …, column 1: orders.query has no tables to read; add a [[source]] with name and path.",
    );
    let unused = good().replace("query = '''SELECT customer, day, amount FROM a'''\n", "path = \"b.parquet\"\n");
    bench(&unused).refuses(2, "error: job.toml, line …, column 1: the job has sources but no query that reads them; add orders.query, or remove [[source]].");
    bench(&good().replace("SELECT customer, day, amount FROM a", " "))
        .refuses(2, "error: job.toml, line …, column 1: orders.query is empty; write SELECT … FROM a source.");
}

#[test]
fn sources_are_checked() {
    for (from, to, said) in [
        (
            "name = \"a\"",
            "name = \"1a\"",
            "source \"1a\": this is no name for SQL; use letters, digits and underscores, a letter first.",
        ),
        (
            "name = \"a\"",
            "name = \"a b\"",
            "source \"a b\": this is no name for SQL; use letters, digits and underscores, a letter first.",
        ),
        ("path = \"a.csv\"", "path = []", "line …, column 1: the path of source \"a\" is an empty list; name at least one file."),
        (
            "path = \"a.csv\"",
            "path = \"a.csv\"\nseparator = \"ab\"",
            "source \"a\": the separator is \"ab\"; expected one character such as \";\" or \"\\t\".",
        ),
        (
            "path = \"a.csv\"",
            "path = \"a.csv\"\ndecimal_comma = true",
            "source \"a\": decimal_comma is about the columns of numbers, and there are none; name them.",
        ),
        (
            "path = \"a.csv\"",
            "path = \"a.csv\"\nformat = \"xls\"",
            "\"xls\" is not possible here (possible values: \"csv\", \"ndjson\", \"parquet\", \"ipc\").",
        ),
        (
            "path = \"a.csv\"",
            "path = \"a.csv\"\n[[source]]\nname = \"A\"\npath = \"a.csv\"",
            "source \"A\": another source has this name; upper and lower case are the same in SQL.",
        ),
    ] {
        bench(&good().replace(from, to)).refuses(2, &format!("error: job.toml, …{said}"));
    }
}

#[test]
fn files_of_sources_must_be_there() {
    bench(&good().replace("a.csv", "b.csv"))
        .refuses(4, "error: there is no file or folder b.csv; check source.path (it is relative to the job file).");
    let named = bench(&good().replace("a.csv", "a.dat"));
    named.write("a.dat", "customer,day,amount\n");
    named.refuses(2, "error: job.toml, …: source \"a\": the ending of a.dat does not tell its format; give format = \"csv\", \"ndjson\", \"parquet\" or \"ipc\".");
    let empty = bench(&good());
    empty.write("a.csv", "");
    empty.refuses(4, "error: a.csv is empty (0 bytes); write it again or remove it.");
}

/// Copies a program by a process of its own: one that this process had open for writing could be open in a child that another test
/// starts at that moment, and would not start.
fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").args([from, to]).status().expect("cp");
    assert!(copied.success());
}

/// The program is looked for beside rfmill, and nowhere else.
#[test]
fn a_missing_program_is_named_with_what_builds_it() {
    let bench = bench(&good());
    let lonely = bench.path("bin/rfmill");
    bench.write("bin/rfmill-other", "");
    copy(Path::new(PROGRAM), &lonely);
    for command in ["run", "check", "explain"] {
        let output =
            std::process::Command::new(&lonely).args([command, "job.toml", "--quiet"]).current_dir(bench.path("")).output();
        let ran = output.expect("the program").into();
        assert_message(
            &ran,
            2,
            "error: the job has a query, and the program that runs it is missing: there is no …/bin/rfmill-query. Build it with: cargo build --release -p rfmill-query, or take it from the archive that rfmill came in.",
        );
    }
}

/// A program that answers something else is of another version.
#[test]
fn another_version_is_refused() {
    let bench = bench(&good());
    bench.write("bin/script", "#!/bin/sh\necho '{\"finished\":{}}'\n");
    let [lonely, script, other] = ["bin/rfmill", "bin/script", "bin/rfmill-query"].map(|name| bench.path(name));
    copy(Path::new(PROGRAM), &lonely);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("an executable script");
    copy(&script, &other);
    let output = std::process::Command::new(&lonely).args(["run", "job.toml", "--quiet"]).current_dir(bench.path("")).output();
    let ran = output.expect("the program").into();
    assert_message(
        &ran,
        2,
        "error: …/bin/rfmill-query is of another version than this rfmill; build it from the same source with: cargo build --release -p rfmill-query.",
    );
    assert_eq!(bench.visible().runs, Vec::<String>::new(), "scratch files are removed");
}
