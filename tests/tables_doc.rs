//! `docs/TABLES.md` against the code: the columns of every table stand there as the code has them.
//!
//! The column tables between `<!-- columns: NAME -->` and `<!-- end -->` are generated. After a change of columns or
//! descriptions, write them anew with `RFMILL_WRITE_DOCS=1 cargo test --release tables_doc`; a table that is not there yet
//! gets a section.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rfmill::internals::domain::{MeasureKind, Unit};

use crate::fixture::{Bench, orders_and, texts};

/// Strategies, so that their tables are there.
const STRATEGY: &str = r#"
[[strategy]]
name = "winback"
design = "randomised"
assignments = "assignments.parquet"
control = "control"
split = { control = 0.5, treatment = 0.5 }
periods = [{ from = 2024-10-01, to = 2024-12-31 }]
slice = "a"

[[strategy]]
name = "gold"
design = "threshold"
running = "monetary@365d"
cut = 1000
periods = [{ from = 2024-10-01, to = 2024-12-31 }]
slice = "a"
"#;

/// The data dictionary of a job with slices, strategies and default schemes, by table: the lines of its column table.
fn dictionary() -> BTreeMap<String, String> {
    let bench = Bench::new();
    bench.parquet("orders/a.parquet", &orders_and("shop", texts(["a", "b", "a", "b", "a", "a", "a", "b"])));
    bench.in_orders("slice = \"shop\"\ncategory = \"shop\"");
    bench.edit("path = \"out\"", "path = \"out\"\naffinity = true");
    bench.append("\n[forecast]\nhorizon = \"1 quarter\"\n");
    bench.append(STRATEGY);
    let printed = bench.succeeds(&["schema", "--tables", "job.toml", "--format", "markdown"]).out;
    let mut tables = BTreeMap::new();
    for section in printed.split("## ").filter(|s| !s.is_empty()) {
        let (name, text) = section.split_once('\n').unwrap();
        // The job has two decimals and integer ids; the docs speak of all jobs.
        let text = text.trim().replace(", 2) |", ", s) |").replace(", 4) |", ", s + 2) |");
        tables.insert(name.to_owned(), text.replace("| `customer_id` | INT64 |", "| `customer_id` | as in the orders |"));
    }
    tables
}

fn tables_md() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/TABLES.md")).unwrap()
}

/// The section of a heading, without it.
fn section<'a>(docs: &'a str, name: &str) -> &'a str {
    let (_, rest) = docs.split_once(&format!("\n## {name}\n")).unwrap_or_else(|| panic!("TABLES.md has no section {name}"));
    rest.split("\n## ").next().unwrap()
}

/// First and second cells of the rows of a Markdown table.
fn rows(text: &str) -> Vec<(String, String)> {
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|c| c.trim().to_owned()).collect::<Vec<_>>();
    let lines = text.lines().filter(|line| line.starts_with("| `")).map(cells);
    lines.map(|cells| (cells[0].clone(), cells[1].clone())).collect()
}

#[test]
fn column_tables_are_those_of_the_code() {
    let mut docs = tables_md();
    let write = std::env::var_os("RFMILL_WRITE_DOCS").is_some();
    for (name, generated) in dictionary().iter().filter(|(name, _)| *name != "customers") {
        let begin = format!("<!-- columns: {name} -->\n");
        if write && !docs.contains(&begin) {
            let (before, after) = docs.split_once("\n## manifest.json\n").unwrap();
            docs = format!("{before}\n## {name}\n\n{begin}<!-- end -->\n\n## manifest.json\n{after}");
        }
        let found = docs.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once("<!-- end -->")?)));
        let (before, (written, after)) =
            found.unwrap_or_else(|| panic!("TABLES.md lacks a section ## {name} with {begin}<!-- end -->"));
        assert!(section(&docs, name).contains(&begin), "the columns of {name} stand in another section");
        if write {
            docs = format!("{before}{begin}{generated}\n<!-- end -->{after}");
        } else {
            assert_eq!(written.trim(), generated, "the columns of {name}; see the head of tests/tables_doc.rs");
        }
    }
    if write {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/TABLES.md"), docs).unwrap();
    }
}

/// The order of columns is part of what tables promise. A new column goes to the end of its line in `data/columns.txt`.
#[test]
fn columns_keep_their_order() {
    let column = |line: &str| line.strip_prefix("| `")?.split('`').next().map(str::to_owned);
    let line =
        |(name, text): (&String, &String)| format!("{name}: {}\n", text.lines().filter_map(column).collect::<Vec<_>>().join(" "));
    let dictionary = dictionary();
    let found: String = dictionary.iter().filter(|(name, _)| *name != "customers").map(line).collect();
    assert_eq!(found, include_str!("data/columns.txt"));
}

#[test]
fn customers_and_measures_are_those_of_the_code() {
    let docs = tables_md();
    // The section on customers stands for every job: scheme columns by a pattern, further measures in a row of their own.
    let written: Vec<(String, String)> = rows(section(&docs, "customers"))
        .into_iter()
        .flat_map(|(names, kind)| names.split(", ").map(|n| (n.to_owned(), kind.clone())).collect::<Vec<_>>())
        .collect();
    let generated = rows(&dictionary()["customers"]);
    for (name, kind) in &generated {
        let pattern = ["segment", "lifecycle"].iter().fold(name.clone(), |n, scheme| n.replace(scheme, "<scheme>"));
        let is_measure = MeasureKind::ALL.iter().any(|m| name.trim_matches('`').split('@').next() == Some(m.name()));
        match written.iter().find(|(n, _)| *n == pattern) {
            Some((_, written)) => assert_eq!(written, kind, "the type of {name}"),
            None => assert!(is_measure, "TABLES.md does not list the column {name} of customers"),
        }
    }
    let types = |unit: Unit| match unit {
        Unit::Date => "DATE",
        Unit::Days => "INT32",
        Unit::Count => "INT64",
        Unit::Money => "DECIMAL(18, s)",
        Unit::Average => "DECIMAL(18, s + 2)",
        Unit::Ratio | Unit::Double => "DOUBLE",
        Unit::Text => "string",
        Unit::Decimal(..) => "DECIMAL",
    };
    let measures: Vec<(String, String)> =
        MeasureKind::ALL.iter().map(|m| (format!("`{}`", m.name()), types(m.unit()).to_owned())).collect();
    assert_eq!(rows(section(&docs, "Measures")), measures, "the section on measures");
    for line in section(&docs, "Measures").lines().filter(|line| line.starts_with("| `")) {
        let measure = MeasureKind::ALL.iter().find(|m| line.starts_with(&format!("| `{}` |", m.name()))).unwrap();
        assert_eq!(line.contains("| yes |"), measure.basis().has_lookback(), "whether {} has a window", measure.name());
    }
}
