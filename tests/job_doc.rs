//! `docs/JOB.md` against the code: its tables of keys are those of the job file's types.
//!
//! The tables between `<!-- keys: SECTION -->` and `<!-- end -->` are generated from the JSON Schema: meanings are the doc
//! comments in `src/job/raw`, and what a schema cannot say (`x-type`, `x-default`, `x-key`, `x-see`) stands beside them. After
//! a change, write the tables anew with `RFMILL_WRITE_DOCS=1 cargo test --release job_doc`. Rows keep their order; new keys
//! come last.

use std::fs;
use std::path::{Path, PathBuf};

use rfmill::internals::job::raw::RawJob;
use serde_json::{Map, Value};

const HEAD: &str = "| key | type | default | meaning |\n|---|---|---|---|\n";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/JOB.md")
}

/// The JSON Schema of the job file, with what is only for the docs.
fn schema() -> Value {
    schemars::schema_for!(RawJob).to_value()
}

/// What a `$ref` points to, also that of an optional value.
fn target<'a>(schema: &'a Value, property: &'a Value) -> &'a Value {
    let options = property.get("anyOf").and_then(Value::as_array);
    let one = options.and_then(|all| all.iter().find(|one| one.get("$ref").is_some())).unwrap_or(property);
    let name = one.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
    name.map_or(property, |name| &schema["$defs"][name])
}

/// The values of an enumeration.
fn values(kind: &Value) -> Option<Vec<String>> {
    let values: Vec<&Value> = match (kind.get("oneOf"), kind.get("enum")) {
        (Some(Value::Array(all)), _) => all.iter().filter_map(|one| one.get("const")).collect(),
        (_, Some(Value::Array(all))) => all.iter().collect(),
        _ => return None,
    };
    (!values.is_empty()).then(|| values.into_iter().map(|value| format!("`{value}`")).collect())
}

/// The row of a key.
fn row(schema: &Value, name: &str, property: &Value, required: bool) -> (String, String) {
    let said = |key: &str| property.get(key).and_then(Value::as_str).map(str::to_owned);
    let kind = target(schema, property);
    let types = kind.get("type").map(|t| t.as_str().or_else(|| t[0].as_str()).unwrap_or_default().to_owned());
    let kind = said("x-type").or_else(|| values(kind).map(|all| all.join(", "))).or(types).unwrap_or_default();
    let default = property.get("default").filter(|d| d.is_string() || d.is_number() || d.is_boolean());
    let default = said("x-default").or_else(|| default.map(|d| format!("`{d}`")));
    let default = default.unwrap_or_else(|| if required { "required" } else { "none" }.into());
    let key = said("x-key").unwrap_or_else(|| name.to_owned());
    let mut meaning = said("description").unwrap_or_default().replace('\n', " ");
    if let Some(see) = said("x-see") {
        let end = if meaning.ends_with('.') { "." } else { "" };
        meaning = format!("{}; see {see}{end}", meaning.trim_end_matches('.'));
    }
    assert!(!meaning.is_empty() && !kind.is_empty(), "{name} lacks a doc comment or a type");
    (key.clone(), format!("| `{key}` | {kind} | {default} | {meaning} |\n"))
}

/// The keys of a section, with their rows.
fn rows(schema: &Value, section: &str) -> Vec<(String, String)> {
    let wanted = format!("raw{}", section.to_lowercase());
    let definitions = schema["$defs"].as_object().expect("definitions");
    let object = definitions.iter().find(|(name, _)| name.to_lowercase() == wanted).map_or(schema, |(_, object)| object);
    let properties: &Map<String, Value> = object["properties"].as_object().expect("properties");
    let required: Vec<&str> = object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // Of the job itself the table shows what is no section.
    let is_key =
        |property: &Value| section != "job" || values(target(schema, property)).is_some() || property["type"] == "string";
    let keys = properties.iter().filter(|(_, property)| is_key(property));
    keys.map(|(name, property)| row(schema, name, property, required.contains(&name.as_str()))).collect()
}

/// A table with the rows of a section, in the order of the old table.
fn table(schema: &Value, section: &str, old: &str) -> String {
    let mut rows = rows(schema, section);
    let place = |key: &str| old.lines().position(|line| line.starts_with(&format!("| `{key}`"))).unwrap_or(usize::MAX);
    rows.sort_by_key(|(key, _)| place(key));
    HEAD.to_owned() + &rows.into_iter().map(|(_, row)| row).collect::<String>()
}

#[test]
fn key_tables_are_those_of_the_code() {
    let docs = fs::read_to_string(path()).expect("docs/JOB.md");
    let schema = schema();
    let mut written = String::new();
    let mut sections = 0;
    for piece in docs.split_inclusive("<!-- keys: ") {
        let Some((section, rest)) = piece.split_once(" -->\n").filter(|_| !written.is_empty()) else {
            written.push_str(piece);
            continue;
        };
        let (old, after) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("the table of {section} has no end"));
        written += &format!("{section} -->\n{}<!-- end -->{after}", table(&schema, section, old));
        sections += 1;
    }
    assert_eq!(sections, 13, "sections with a table of keys");
    if std::env::var_os("RFMILL_WRITE_DOCS").is_some() {
        return fs::write(path(), written).expect("docs/JOB.md");
    }
    let differs = docs.lines().zip(written.lines()).find(|(a, b)| a != b);
    assert!(
        docs == written,
        "docs/JOB.md differs from the code: {differs:?}\nWrite it anew: RFMILL_WRITE_DOCS=1 cargo test --release job_doc"
    );
}

/// Every section of a job has its table, so that a new one cannot be forgotten.
#[test]
fn every_section_has_a_table() {
    let docs = fs::read_to_string(path()).expect("docs/JOB.md");
    let schema = schema();
    let properties = schema["properties"].as_object().expect("properties");
    for (name, property) in properties {
        let is_section = target(&schema, property).get("properties").is_some() || property.get("items").is_some();
        assert!(!is_section || docs.contains(&format!("<!-- keys: {name} -->")), "docs/JOB.md has no table for [{name}]");
    }
}
