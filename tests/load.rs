//! `rfmill load` as far as it goes without a database, and the forms of `schema --tables`. With a database:
//! `tests/postgres.py`.

use crate::fixture::{Bench, assert_message};

/// Loads `out` to a URL, without help from the environment.
fn load(bench: &Bench, url: &str) -> crate::fixture::Ran {
    let mut command = bench.command(&["load", "out", "--to", url, "--quiet"]);
    for name in ["PGPASSWORD", "PGPASSFILE", "PGUSER"] {
        command.env_remove(name);
    }
    command.env("HOME", bench.path(".")).output().unwrap().into()
}

#[test]
fn urls_that_cannot_be_used_are_refused_without_being_shown() {
    let bench = Bench::new();
    let unreadable = "error: the URL of --to cannot be understood; expected postgres://user@host:5432/database, with …";
    let cases = [
        ("mysql://ann:secret@db/shop", unreadable),
        ("postgres://ann:se@cret@db/secret", unreadable),
        ("postgres://ann:secret@/shop", unreadable),
        (
            "postgres://ann@db/shop?secret=1",
            "error: the URL of --to has a parameter that is none of sslmode, sslrootcert, schema, host, …; correct or remove it, and write a ? within a password as %3F.",
        ),
        (
            "postgres://ann@db/shop?sslmode=secret",
            "error: the URL of --to has an unknown sslmode; it is one of disable, prefer, require and verify-full.",
        ),
        (
            "postgres://ann:secret@db/shop?sslrootcert=ca.pem",
            "error: the URL of --to has sslrootcert, but only sslmode=verify-full looks at certificates; add it or leave sslrootcert out.",
        ),
        (
            "postgres://ann:secret@db/shop?schema=pg_catalog",
            "error: the URL of --to names the schema \"pg_catalog\"; expected a name of at most 63 bytes that does not begin with pg_.",
        ),
    ];
    for (url, message) in cases {
        let ran = load(&bench, url);
        assert_message(&ran, 2, message);
        assert!(!ran.err.contains("secret"), "{url}: {}", ran.err);
    }
    let ran = bench.rfmill(&["load", "out", "postgres://ann:secret@db/shop"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("postgres://ann:…@db/shop") && !ran.err.contains("secret"), "{}", ran.err);
}

#[test]
fn a_load_says_what_it_lacks() {
    let bench = Bench::new();
    // Nobody listens on port 1.
    let url = "postgres://ann:secret@127.0.0.1:1/shop";
    assert_message(&load(&bench, url), 4, "error: there is no output folder out; check the path.");
    bench.runs();
    let ran = load(&bench, url);
    assert_message(
        &ran,
        6,
        "error: ann@127.0.0.1:1/shop: cannot connect: error connecting to server: Connection refused (os error 111); check that the server runs and can be reached, then load again. The rows of the last load are untouched.",
    );
    let nowhere = format!("{url}?sslmode=verify-full&sslrootcert=nowhere.pem");
    let message = "error: the certificates of sslrootcert, nowhere.pem, cannot be read: …; name a PEM file.";
    assert_message(&load(&bench, &nowhere), 2, message);
}

#[test]
fn tables_are_printed_for_dbt_with_every_column() {
    let bench = Bench::new();
    let ddl = bench.succeeds(&["schema", "--tables", "job.toml"]).out;
    let dbt = bench.succeeds(&["schema", "--tables", "job.toml", "--format", "dbt"]).out;
    let columns = |text: &str, before: &str| text.matches(before).count();
    assert!(columns(&ddl, "COMMENT ON COLUMN ") > 50);
    assert_eq!(columns(&dbt, "          - name: \""), columns(&ddl, "COMMENT ON COLUMN "));
    assert_eq!(columns(&dbt, "\n      - name: "), columns(&ddl, "CREATE TABLE "));
    assert!(!ddl.contains(" IS '';") && !dbt.contains("description: \"\""), "every column and table is described");
    // Descriptions with quotes survive both: doubled in SQL, escaped in YAML, whose strings are JSON here.
    let comments: Vec<&str> = ddl.lines().filter(|line| line.starts_with("COMMENT ON ")).collect();
    assert!(comments.iter().any(|line| line.contains("''")), "no description has an apostrophe");
    assert!(comments.iter().all(|line| line.ends_with("';") && line.matches('\'').count() % 2 == 0), "{ddl}");
    let strings = dbt.lines().filter_map(|line| line.trim().strip_prefix("description: "));
    let described: Vec<String> = strings.map(|text| serde_json::from_str(text).unwrap()).collect();
    assert!(described.iter().any(|text| text.contains('"')), "no description has quotes");
}

#[test]
fn views_for_duckdb_read_what_the_output_holds() {
    let bench = Bench::new();
    let args = ["schema", "--tables", "job.toml", "--format", "duckdb"];
    bench.refuses_command(
        &args,
        4,
        "error: cannot list …/out/tables: No such file or directory (os error 2); run the job first.",
    );
    bench.runs();
    let sql = bench.succeeds(&args).out;
    let folder = bench.path("out/tables/segments/*/*.parquet");
    let read = format!("read_parquet('{}', hive_partitioning = true", folder.display());
    assert!(sql.contains("CREATE OR REPLACE VIEW \"segments\" AS SELECT * FROM ") && sql.contains(&read), "{sql}");
    assert!(sql.contains("CREATE OR REPLACE VIEW kpis AS"), "{sql}");
    assert!(!sql.contains("VIEW headline_effects"), "there are no effects: {sql}");
}
