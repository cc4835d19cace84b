//! Comments and docs are plain English: phrases that make a reader stop have no place in them.

use std::fs;
use std::path::{Path, PathBuf};

/// A phrase, and what to say instead.
const BANNED: [(&str, &str); 11] = [
    ("at hand", "name the batch"),
    ("hang on", "depend on"),
    ("hangs on", "depends on"),
    ("so many", "the number, or `count` of them"),
    ("worth saying", "what the sentence says"),
    ("worth reading", "what the sentence says"),
    ("had from", "computed from"),
    ("by place", "by index"),
    ("be foretold", "be predicted"),
    ("brings to hand", "fetches"),
    ("in work at once", "processed at once"),
];

/// Files below a folder with one of some endings.
fn files(folder: &Path, endings: &[&str], out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, endings, out);
        } else if path.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending)) {
            out.push(path);
        }
    }
}

/// What people read of a file: the comments of a source, all of a page. Lines with their numbers, from 1.
fn prose(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).expect("a text file");
    let is_source = path.extension().is_some_and(|e| e == "rs");
    let said =
        |line: &str| if is_source { line.split_once("//").map(|(_, said)| said.to_owned()) } else { Some(line.to_owned()) };
    (1..).zip(text.lines()).filter_map(|(number, line)| Some((number, said(line)?.to_lowercase()))).collect()
}

/// Where a phrase stands as words of its own.
fn stands_in(line: &str, phrase: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let found = line.match_indices(phrase);
    found
        .into_iter()
        .any(|(at, _)| !is_letter(line[..at].chars().next_back()) && !is_letter(line[at + phrase.len()..].chars().next()))
}

fn banned(path: &Path) -> Vec<String> {
    let lines = prose(path);
    let found = lines
        .iter()
        .flat_map(|(number, line)| BANNED.iter().filter(|(phrase, _)| stands_in(line, phrase)).map(move |found| (number, found)));
    found.map(|(number, (phrase, instead))| format!("{}:{number}: {phrase:?}; say: {instead}", path.display())).collect()
}

#[test]
fn comments_and_docs_are_plain_english() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].iter().map(|name| root.join(name)).collect();
    for sources in ["src", "query/src", "query/request/src"] {
        files(&root.join(sources), &["rs"], &mut all);
    }
    files(&root.join("docs"), &["md"], &mut all);
    let wrong: Vec<String> = all.iter().flat_map(|path| banned(path)).collect();
    assert!(wrong.is_empty(), "{} phrases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_planted_phrase_is_found() {
    assert!(stands_in(" everything hangs on this", "hangs on"));
    assert!(stands_in("so many.", "so many"));
    assert!(!stands_in("also many", "so many"));
    assert!(!stands_in("it stands by placebo", "by place"));
}
