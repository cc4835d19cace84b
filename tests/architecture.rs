//! Modules use only what stands below them in the table of `src/lib.rs`, or before them in their own row.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// All Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|e| e == "rs")).collect()
}

/// How high every module stands: the rows of the table from the bottom, and in a row from left to right.
fn heights(lib: &str) -> BTreeMap<String, usize> {
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | ")).skip(1);
    let modules = rows.map(|row| row.split('`').skip(1).step_by(2).map(String::from).collect::<Vec<_>>());
    modules.collect::<Vec<_>>().into_iter().rev().flatten().zip(1..).collect()
}

#[test]
fn modules_use_only_what_stands_below() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(src.join("lib.rs")).expect("src/lib.rs");
    let heights = heights(&lib);
    for module in lib.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';')) {
        assert!(heights.contains_key(module), "{module} is missing in the table of src/lib.rs");
    }
    let mut wrong = Vec::new();
    for path in sources(&src) {
        let inside = path.strip_prefix(&src).expect("below src").to_string_lossy().replace(".rs", "");
        let user = inside.split('/').next().expect("a name").to_string();
        let text = fs::read_to_string(&path).expect("a source").replace("rfmill::", "crate::");
        for used in text.split("crate::").skip(1).flat_map(names) {
            let (Some(own), Some(other)) = (heights.get(&user), heights.get(&used)) else { continue };
            if other > own {
                wrong.push(format!("{inside} uses {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "modules that use what does not stand below them:\n{}", wrong.join("\n"));
}

/// The modules named right after `crate::`, also in `use crate::{a, b::c}`.
fn names(text: &str) -> Vec<String> {
    let word = |t: &str| t.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    match text.strip_prefix('{') {
        Some(list) => list.split('}').next().unwrap_or_default().split(',').map(word).collect(),
        None => vec![word(text)],
    }
}
