//! Pages in Chinese: a reader finds everything without English, and they say what the English pages say.
//!
//! They lead to each other only, their prose has no Latin words but names, and what they name (keys, commands, columns) stands in
//! an English page. A page with an English counterpart has the same sections, and rows of tables with the same keys and numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use regex::Regex;
use rfmill::internals::job::raw::RawJob;

use crate::fixture::{Bench, JOB};

/// Pages that say line by line what an English page says.
const COUNTERPARTS: [(&str, &str); 3] =
    [("docs/USES.md", "docs/zh/USES.md"), ("docs/SCHEMES.md", "docs/zh/SCHEMES.md"), ("docs/DECIDE.md", "docs/zh/DECIDE.md")];

/// Latin words that a Chinese reader knows: names of programs and data, formats, units, and signs of statistics.
const KNOWN: [&str; 52] = [
    "Airflow",
    "Apache-2.0",
    "Arrow",
    "BI",
    "Benjamini-Hochberg",
    "C",
    "CDNOW",
    "CRM",
    "CSV",
    "Ctrl-C",
    "Delta",
    "DuckDB",
    "EUR",
    "Excel",
    "GiB",
    "HTML",
    "ID",
    "Iceberg",
    "JSON",
    "Klaviyo",
    "Kubernetes",
    "Linux",
    "MIT",
    "MiB",
    "NDJSON",
    "Online",
    "Parquet",
    "Polars",
    "PostgreSQL",
    "Python",
    "R",
    "RFM",
    "Retail",
    "Rust",
    "SQL",
    "Spark",
    "TOML",
    "TPC-H",
    "VIP",
    "W1",
    "W2",
    "arm",
    "macOS",
    "p",
    "pandas",
    "pyarrow",
    "r-f-m",
    "rfm",
    "rfmill",
    "stderr",
    "stdout",
    "winback",
];

/// A command that only a Chinese page has; [`the_quickstart_says_what_the_page_says`] runs it.
const OWN_COMMAND: &str = "rfmill run rfmill-quickstart/quickstart.toml --set output.language=zh-Hans";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|e| panic!("{page}: {e}"))
}

/// Pages of a folder.
fn pages_of(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    let mut pages: Vec<String> = names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}/{name}")).collect();
    pages.sort();
    pages
}

fn chinese() -> Vec<String> {
    let mut pages = vec!["README.zh-CN.md".to_owned()];
    pages.extend(["docs/zh", "docs/zh-Hant"].into_iter().flat_map(pages_of));
    assert!(pages.len() >= 9, "{pages:?}");
    pages
}

/// All English pages and job files in one text.
fn english() -> String {
    let mut text = read("README.md");
    pages_of("docs").iter().for_each(|page| text += &read(page));
    for job in ["nightly", "quarterly", "quickstart"] {
        text += &read(&format!("jobs/{job}.toml"));
    }
    text
}

/// A line outside blocks of code, and a block with its language.
#[derive(Default)]
struct Page {
    prose: Vec<(usize, String)>,
    blocks: Vec<(usize, String, Vec<String>)>,
}

fn parse(text: &str) -> Page {
    let mut page = Page::default();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        match line.strip_prefix("```") {
            None => page.prose.push((number, line.to_owned())),
            Some(language) => {
                let block = lines.by_ref().map(|(_, line)| line.to_owned()).take_while(|line| line != "```").collect();
                page.blocks.push((number, language.to_owned(), block));
            }
        }
    }
    page
}

fn spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// A line without its spans of code.
fn without_spans(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// Numbers of a line, without thousands separators, ascending.
fn numbers(line: &str) -> Vec<String> {
    let words = line.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','));
    let mut numbers: Vec<String> = words.map(|word| word.trim_matches(['.', ',']).replace(',', "")).collect();
    numbers.retain(|number| !number.is_empty());
    numbers.sort();
    numbers
}

/// Latin words of a line outside of code and of what links lead to.
fn latin_words(line: &str) -> Vec<String> {
    let links = Regex::new(r"\]\([^)]*\)").expect("a pattern");
    let words = Regex::new(r"[\p{Latin}][\p{Latin}0-9.'-]*").expect("a pattern");
    let prose = links.replace_all(&without_spans(line), "] ").into_owned();
    words.find_iter(&prose).map(|word| word.as_str().trim_end_matches(['.', '\'', '-']).to_owned()).collect()
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().replace('`', "").to_lowercase();
    heading.replace(' ', "-").chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}

/// A link of a page from the root of the repository: path and anchor.
fn target(page: &str, link: &str) -> (String, String) {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    if path.is_empty() {
        return (page.to_owned(), anchor.to_owned());
    }
    let mut from_root = PathBuf::new();
    for part in Path::new(page).parent().expect("a folder").join(path).components() {
        match part {
            Component::ParentDir => assert!(from_root.pop(), "{page}: {link} leaves the repository"),
            part => from_root.push(part),
        }
    }
    (from_root.to_str().expect("UTF-8").to_owned(), anchor.to_owned())
}

/// Why a link is none for a Chinese page.
fn wrong_link(pages: &[String], page: &str, link: &str) -> Option<String> {
    if link.contains("://") {
        return Some("leads out of the repository".into());
    }
    let (path, wanted) = target(page, link);
    if !pages.contains(&path) {
        let is_page = path.ends_with(".md") || !root().join(&path).is_file();
        return is_page.then(|| "leads to no Chinese page and to no file".into());
    }
    let text = read(&path);
    let has = wanted.is_empty() || parse(&text).prose.iter().any(|(_, line)| line.starts_with('#') && anchor(line) == wanted);
    (!has).then(|| format!("leads to no heading of {path}"))
}

#[test]
fn links_lead_to_chinese_pages() {
    let pages = chinese();
    let pattern = Regex::new(r"\]\(([^)]*)\)").expect("a pattern");
    let (mut wrong, mut found) = (Vec::new(), 0);
    for page in &pages {
        for (number, line) in parse(&read(page)).prose {
            for link in pattern.captures_iter(&line) {
                found += 1;
                let why = wrong_link(&pages, page, &link[1]);
                wrong.extend(why.map(|why| format!("{page}:{number}: {} {why}", &link[1])));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 30, "{found} links");
    for link in ["SCHEMES.md", "../SCHEMES.md", "zh/NONE.md", "zh/JOB.md#none", "https://example.com"] {
        assert!(wrong_link(&pages, "docs/page.md", link).is_some(), "{link} would pass");
    }
}

#[test]
fn prose_is_chinese() {
    let mut wrong = Vec::new();
    for page in chinese() {
        for (number, line) in parse(&read(&page)).prose {
            let words = latin_words(&line).into_iter().filter(|word| !KNOWN.contains(&word.as_str()));
            wrong.extend(words.map(|word| format!("{page}:{number}: {word}")));
        }
    }
    assert!(wrong.is_empty(), "Latin words; say them in Chinese, or write keys as code:\n{}", wrong.join("\n"));
    assert_eq!(latin_words("看 the `segments` 表，[方案](SCHEMES.md)和 naïve"), ["the", "naïve"]);
}

/// Keys, columns and commands of Chinese pages are those that the English pages explain.
#[test]
fn code_is_that_of_english_pages() {
    let english = english();
    let command = Regex::new(r"^(?:\$ )?((?:rfmill|cargo|python|pip|[A-Z]+=\S+ rfmill) .*)$").expect("a pattern");
    let is_chinese = Regex::new(r"\p{Han}").expect("a pattern");
    let word = Regex::new("[A-Za-z_]+").expect("a pattern");
    let mut wrong = Vec::new();
    for page in chinese() {
        let text = parse(&read(&page));
        for (number, line) in &text.prose {
            let unknown = spans(line).into_iter().filter(|span| !is_chinese.is_match(span) && !english.contains(span));
            wrong.extend(unknown.map(|span| format!("{page}:{number}: {span}")));
        }
        for (number, language, lines) in &text.blocks {
            for line in lines.iter().filter(|_| language != "toml") {
                let ran = command.captures(line).map(|found| found[1].split("  ").next().unwrap_or_default().to_owned());
                // Remarks behind commands are Chinese; all else is what an English page says.
                let said = match ran {
                    Some(ran) => ran,
                    None if language == "text" => continue,
                    None if language == "sql" => {
                        let unknown = word.find_iter(line).map(|word| word.as_str()).filter(|word| !english.contains(word));
                        wrong.extend(unknown.map(|word| format!("{page}, block in line {number}: {word}")));
                        continue;
                    }
                    None => line.clone(),
                };
                if said != OWN_COMMAND && !english.contains(said.trim()) {
                    wrong.push(format!("{page}, block in line {number}: {said}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "no English page has\n{}", wrong.join("\n"));
}

/// Headings of some depth and rows of tables, in order.
fn outline(text: &str) -> Vec<(usize, String)> {
    let shown = |line: &String| line.starts_with("## ") || line.starts_with("### ") || line.starts_with("| ");
    parse(text).prose.into_iter().filter(|(_, line)| shown(line)).collect()
}

/// What a row has that the other lacks: spans of code, or other numbers.
fn differs(english: &str, chinese: &str) -> bool {
    let has = spans(chinese);
    spans(english).iter().any(|span| !has.contains(span)) || numbers(english) != numbers(chinese)
}

#[test]
fn rows_have_their_counterparts() {
    let mut wrong = Vec::new();
    for (english, chinese) in COUNTERPARTS {
        let (theirs, ours) = (outline(&read(english)), outline(&read(chinese)));
        for ((number, line), (place, other)) in theirs.iter().zip(&ours) {
            let kind = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
            if kind(line) != kind(other) || (line.starts_with('|') && differs(line, other)) {
                wrong.push(format!("{english}:{number}: {line}\n{chinese}:{place}: {other}"));
            }
        }
        if theirs.len() != ours.len() {
            wrong.push(format!("{english} has {} headings and rows, {chinese} {}", theirs.len(), ours.len()));
        }
    }
    // The README of one language may tell more, and in another order.
    let (theirs, ours) = (outline(&read("README.md")), outline(&read("README.zh-CN.md")));
    for (number, line) in theirs.iter().filter(|(_, line)| line.starts_with('|')) {
        if ours.iter().all(|(_, other)| differs(line, other)) {
            wrong.push(format!("README.md:{number}: README.zh-CN.md has no such row: {line}"));
        }
    }
    let sections = |outline: &[(usize, String)]| outline.iter().filter(|(_, line)| line.starts_with("## ")).count();
    if sections(&theirs) > sections(&ours) {
        wrong.push(format!("README.md has {} sections, README.zh-CN.md {}", sections(&theirs), sections(&ours)));
    }
    assert!(wrong.is_empty(), "pages say different things:\n{}", wrong.join("\n"));
}

#[test]
fn jobs_are_jobs() {
    let (mut whole, mut parts) = (0, 0);
    for page in chinese() {
        for (number, _, lines) in parse(&read(&page)).blocks.into_iter().filter(|(_, language, _)| language == "toml") {
            let text = lines.join("\n");
            let of = format!("{page}:{number}");
            if text.contains("[orders]") {
                let bench = Bench::empty();
                bench.write("job.toml", &text);
                rfmill::Job::read(bench.path("job.toml")).unwrap_or_else(|e| panic!("{of}: {e}"));
                whole += 1;
            } else if text.contains("[[states]]") {
                toml::from_str::<toml::Table>(&text).unwrap_or_else(|e| panic!("{of}: {e}"));
            } else {
                toml::from_str::<RawJob>(&format!("{JOB}{text}")).unwrap_or_else(|e| panic!("{of}: {e}"));
                parts += 1;
            }
        }
    }
    assert!(whole >= 4 && parts >= 3, "{whole} jobs, {parts} parts of jobs");
}

/// The keys of `docs/zh/JOB.md` stand in the same section of `docs/JOB.md`, and defaults that are code are the same.
#[test]
fn keys_are_those_of_their_sections() {
    let english = read("docs/JOB.md");
    let mut keys = 0;
    for section in read("docs/zh/JOB.md").split("\n## ").skip(1) {
        let Some(name) = section.lines().next().and_then(|line| line.split('`').nth(1)) else { continue };
        let Some((_, theirs)) = english.split_once(&format!("<!-- keys: {name} -->\n")) else { continue };
        let theirs = theirs.split("<!-- end -->").next().unwrap_or_default();
        for row in section.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.split(" | ").collect();
            let (key, default) = (cells[0].trim_start_matches("| "), cells[1]);
            let their = theirs.lines().find(|line| line.starts_with(&format!("| {key} |")));
            let their = their.unwrap_or_else(|| panic!("[{name}] has no key {key} in docs/JOB.md"));
            let stated = their.split(" | ").nth(2).unwrap_or_default();
            assert!(spans(default).iter().all(|span| spans(stated).contains(span)), "{key}: {default}, {stated}");
            keys += 1;
        }
    }
    assert!(keys > 60, "{keys} keys");
}

/// The measures of `docs/zh/TABLES.md` are all measures, in their order, with a lookback of their own or not.
#[test]
fn measures_are_those_of_the_english_page() {
    let rows = |page: &str, from: &str, cell: usize| -> Vec<(String, bool)> {
        let text = read(page);
        let section = text.split("\n## ").find(|section| section.starts_with(from)).unwrap_or_else(|| panic!("{page}: {from}"));
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        rows.map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].to_owned(), !cells[cell].is_empty())
        })
        .collect()
    };
    assert_eq!(rows("docs/zh/TABLES.md", "指标", 1), rows("docs/TABLES.md", "Measures", 2));
}

/// States are called what reports call them.
#[test]
fn states_have_their_labels() {
    let text = read("docs/zh/SCHEMES.md");
    let state = Regex::new(r"([\p{Han}A-Z ]+) `([^`]+)`").expect("a pattern");
    let mut schemes = 0;
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let path = |name: &str| root().join(format!("src/scheme/builtin/{name}.toml"));
        for name in spans(cells[0]).into_iter().filter(|name| path(name).exists()) {
            let scheme = fs::read_to_string(path(name)).expect("a scheme").parse::<toml::Table>().expect("TOML");
            let states = scheme["states"].as_array().expect("states").iter();
            let labels: BTreeMap<&str, &str> = states
                .map(|state| (state["name"].as_str().expect("a name"), state["labels"]["zh-Hans"].as_str().expect("a label")))
                .collect();
            let said: Vec<(String, String)> =
                state.captures_iter(cells[1]).map(|found| (found[2].to_owned(), found[1].trim().to_owned())).collect();
            for (state, label) in &said {
                assert_eq!(labels.get(state.as_str()), Some(&label.as_str()), "{name}: {state}");
            }
            // The table of all schemes has four columns, and every state of a scheme; only `rf_grid` refers to another row.
            if cells.len() == 4 && name != "rf_grid" {
                assert_eq!(said.len(), labels.len(), "{name}: {said:?}");
                schemes += 1;
            }
        }
    }
    assert_eq!(schemes, fs::read_dir(root().join("src/scheme/builtin")).expect("a folder").count() - 1);
}

/// Whether a sentence is a message with something in its places.
fn fits(sentence: &str, message: &str) -> bool {
    let places = Regex::new(r"\\\{[a-z_]+\\\}").expect("a pattern");
    let pattern = places.replace_all(&regex::escape(message), ".+").into_owned();
    !pattern.is_ascii() && Regex::new(&format!("^{pattern}$")).expect("a pattern").is_match(sentence)
}

/// The twelve reasons of verdicts are sentences of the report.
#[test]
fn reasons_are_those_of_reports() {
    let language = read("src/report/language/zh-Hans.toml").parse::<toml::Table>().expect("TOML");
    let reasons: Vec<&str> = language["reason"].as_table().expect("reasons").values().filter_map(toml::Value::as_str).collect();
    let text = read("docs/zh/STRATEGIES.md");
    let section = text.split("\n## ").find(|section| section.starts_with("十二句理由")).expect("the section");
    let rows: Vec<Vec<&str>> =
        section.lines().map(|line| line.split(" | ").collect::<Vec<_>>()).filter(|c| c.len() == 4).collect();
    let sentences: Vec<&str> = rows.iter().skip(1).map(|cells| cells[2]).collect();
    assert_eq!(sentences.len(), 12);
    for sentence in sentences {
        assert!(reasons.iter().any(|reason| fits(sentence, reason)), "no report says {sentence}");
    }
    assert!(!fits("每位客户的收入变好", "{effect}：有害"));
}

/// The first commands of the README print the lines that stand there, and the page says the quoted sentences.
#[test]
fn the_quickstart_says_what_the_page_says() {
    let bench = Bench::empty();
    let text = parse(&read("README.zh-CN.md"));
    let table = &text.blocks.iter().find(|(_, language, _)| language == "console").expect("a block").2;
    let ran = bench.succeeds(&["quickstart"]);
    for line in &table[1..] {
        assert!(ran.err.contains(line.as_str()), "the quickstart does not print\n{line}\nbut\n{}", ran.err);
    }
    let arguments: Vec<&str> = OWN_COMMAND.split(' ').skip(1).collect();
    bench.succeeds(&arguments);
    let page = String::from_utf8(bench.read("rfmill-quickstart/out/latest/report/index.html")).expect("UTF-8");
    let tags = Regex::new("<[^>]*>").expect("a pattern");
    let page = tags.replace_all(&page, "").replace(['\u{a0}', '\u{202f}'], " ").replace('\u{2060}', "");
    let quotes: Vec<&str> = text.prose.iter().filter_map(|(_, line)| line.strip_prefix("> ")).collect();
    assert!(quotes.len() >= 3, "{quotes:?}");
    for quote in quotes {
        assert!(page.contains(quote), "the page does not say\n{quote}");
    }
}
