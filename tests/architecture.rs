//! The rooms of the house: modules use only what stands below them in the table of ARCHITECTURE.md, files use each other in one
//! direction, and no file or function outgrows its reader.

mod graph;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use graph::Graph;

/// Files that are flat lists: longer than others, and still read from top to bottom.
const FLAT_LISTS: [&str; 1] = ["job/raw.rs"];
/// Most lines of a file.
const FILE_LINES: usize = 500;
/// Most lines of a function's body.
const FUNCTION_LINES: usize = 80;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The modules of the table of layers: how high each stands, counted from the last row upwards, and in a row from left to right.
fn heights(text: &str) -> BTreeMap<String, usize> {
    let table = text.lines().skip_while(|line| !line.contains("| layer | modules |")).skip(2);
    let rows = table.map_while(|line| line.trim_start_matches("//! ").strip_prefix("| "));
    let modules = |row: &str| row.split('`').skip(1).step_by(2).map(String::from).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = rows.map(modules).collect();
    rows.into_iter().rev().flatten().zip(1..).collect()
}

/// The uses that lead upwards.
fn upward(graph: &Graph, heights: &BTreeMap<String, usize>) -> Vec<String> {
    let top = |file: &str| file.split('/').next().unwrap_or_default().to_owned();
    let height = |file: &str| heights.get(&top(file));
    let leads_up = |user: &str, used: &str| height(used).zip(height(user)).is_some_and(|(used, user)| used > user);
    let uses = graph.uses();
    let wrong = uses.iter().filter(|((user, used), _)| leads_up(user, used));
    wrong.map(|((user, used), name)| format!("{user} uses {name} of {used}")).collect()
}

/// A circle with the uses that make it.
fn described(graph: &Graph, circle: &[String]) -> String {
    let uses = graph.uses();
    let inside = uses.iter().filter(|((user, used), _)| circle.contains(user) && circle.contains(used));
    inside.map(|((user, used), name)| format!("  {user} uses {name} of {used}\n")).collect()
}

#[test]
fn modules_use_only_what_stands_below() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let heights = heights(&text);
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let modules = lib
        .lines()
        .filter_map(|l| l.trim_start_matches("pub(crate) ").trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    for module in modules.filter(|m| *m != "temp") {
        assert!(heights.contains_key(module), "{module} is missing in the table of layers");
    }
    let wrong = upward(&Graph::read(&root().join("src")), &heights);
    assert!(wrong.is_empty(), "these use what does not stand below them:\n{}", wrong.join("\n"));
}

/// The sources of both programs.
const SOURCES: [&str; 2] = ["src", "query/src"];

#[test]
fn files_use_each_other_in_one_direction() {
    let graphs = SOURCES.map(|folder| Graph::read(&root().join(folder)));
    let circles = graphs.iter().flat_map(|graph| graph.circles().into_iter().map(move |circle| described(graph, &circle)));
    let circles: Vec<String> = circles.collect();
    assert!(circles.is_empty(), "{} circles of files:\n{}", circles.len(), circles.join("\n"));
}

#[test]
fn files_and_functions_have_an_end_in_sight() {
    let graphs = SOURCES.map(|folder| Graph::read(&root().join(folder)));
    let lines = graphs.iter().flat_map(|graph| &graph.lines);
    let files = lines.filter(|(name, lines)| **lines > FILE_LINES && !FLAT_LISTS.contains(&name.as_str()));
    let functions = graphs.iter().flat_map(|graph| &graph.functions).filter(|f| f.lines > FUNCTION_LINES);
    let long = files.map(|(name, lines)| format!("{name}: {lines} lines"));
    let long: Vec<String> = long.chain(functions.map(|f| format!("{}: {} lines", f.name, f.lines))).collect();
    assert!(long.is_empty(), "longer than {FILE_LINES} lines of a file or {FUNCTION_LINES} of a function:\n{}", long.join("\n"));
}

/// Planted faults are found: a circle through `super::`, one through a re-export, one inside a macro, and an upward use. Tests
/// inside files, and a parent that only re-exports, make none.
#[test]
fn planted_faults_are_found() {
    let sound = [
        ("lib.rs", "pub mod low; pub mod high;"),
        ("low.rs", "pub struct Number;\n#[cfg(test)]\nmod tests { use crate::high::run; }"),
        ("high/mod.rs", "mod part; mod shared;\npub use shared::Shared;\npub fn run() -> Shared { part::work() }"),
        ("high/part.rs", "use super::Shared;\nuse crate::low::{self, Number};\npub fn work() { let _: (Shared, low::Number); }"),
        ("high/shared.rs", "pub struct Shared;"),
    ];
    let heights: BTreeMap<String, usize> = heights("| layer | modules |\n|---|---|\n| top | `high` |\n| bottom | `low` |\n");
    assert_eq!(heights, BTreeMap::from([("low".into(), 1), ("high".into(), 2)]));
    let graph_with = |file: &str, text: &'static str| {
        let planted = sound.iter().map(|(name, old)| (*name, if *name == file { text } else { *old }));
        Graph::new(planted)
    };
    let graph = graph_with("", "");
    assert_eq!(graph.circles(), Vec::<Vec<String>>::new());
    assert_eq!(upward(&graph, &heights), Vec::<String>::new());
    for (file, text, circle) in [
        ("high/shared.rs", "pub struct Shared;\nfn back() { super::run() }", vec!["high", "high/part", "high/shared"]),
        ("high/shared.rs", "use super::part::work;\npub struct Shared;", vec!["high/part", "high/shared"]),
        ("high/part.rs", "pub fn work() { println!(\"{:?}\", crate::high::run()) }", vec!["high", "high/part"]),
    ] {
        assert_eq!(graph_with(file, text).circles(), [circle]);
    }
    let graph = graph_with("low.rs", "pub struct Number;\npub fn up() -> crate::high::Shared { todo!() }");
    assert_eq!(upward(&graph, &heights), ["low uses Shared of high/shared"]);
}
