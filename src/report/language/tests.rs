//! All languages say the same, nothing is said that nobody asks for, and built-in states have names in every language.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::domain::Warning;
use crate::evaluate::sentence::{FieldType, Sentence};
use crate::evaluate::{Caveat, Change, Disagreement, Expectation, Finding, NetMargin, NotEstimable, Remark, VerdictReason};
use crate::scheme;

fn messages(tag: &str) -> BTreeMap<String, String> {
    Words::load(Language::parse(tag).expect("a language")).expect("its words").messages
}

/// The places of a message, sorted.
fn places(message: &str) -> Vec<String> {
    let mut places: Vec<String> =
        message.split('{').skip(1).filter_map(|p| p.split(['}', '|']).next()).map(str::to_owned).collect();
    places.sort();
    places.dedup();
    places
}

#[test]
fn every_language_has_the_same_messages_and_places() {
    let first = messages(FILES[0].0);
    for (tag, _) in &FILES[1..] {
        let own: BTreeMap<String, String> = messages(tag)
            .into_iter()
            .filter(|(key, _)| {
                !["definitions.", "reason.", "warning.", "heading.", "sheet."].iter().any(|section| key.starts_with(section))
            })
            .collect();
        let keys = |m: &BTreeMap<String, String>| m.keys().cloned().collect::<BTreeSet<_>>();
        let differing: Vec<_> = keys(&first).symmetric_difference(&keys(&own)).cloned().collect();
        assert!(differing.is_empty(), "{tag}: messages that only one language has: {differing:?}");
        for (key, text) in &own {
            assert!(!text.trim().is_empty() || key.starts_with("format."), "{tag}: {key} is empty");
            assert_eq!(places(text), places(&first[key]), "{tag}: the places of {key}");
            assert!(plurals(text).is_subset(&plurals(&first[key])), "{tag}: the plurals of {key}");
        }
    }
}

/// The places of a message that decide between a word for one and a word for many.
fn plurals(message: &str) -> BTreeSet<String> {
    let places = tokens(message).into_iter().filter_map(|token| match token {
        Token::Place(of) => place(of).1.map(|_| place(of).0.to_owned()),
        Token::Text(_) => None,
    });
    places.collect()
}

/// What Chinese messages say in Latin letters: names of files, tables, keys, columns, built-in schemes and methods.
const NAMES: &[&str] = &[
    "Benjamini-Hochberg",
    "BY",
    "CRM",
    "CSV",
    "CUPED",
    "Excel",
    "GROUP",
    "ID",
    "Klaviyo",
    "Parquet",
    "Q",
    "R",
    "RF",
    "RFM",
    "SHA-256",
    "VIP",
    "Welch",
    "Wilson",
    "cluster",
    "ntile",
    "p",
    "rfm",
    "rfmill",
    "looks",
    "engagement",
    "false",
    "true",
    "overlap",
    "keep",
    "exclude",
    "first",
    "column",
    "inherit",
    "guests",
    "negate",
    "shop",
    "orders",
    "playbook",
    "scheme",
    "crm",
    "parquet",
    "ledger",
    "segments",
];

#[test]
fn chinese_messages_hold_no_english_words() {
    for (tag, _) in &FILES[1..] {
        // The forms of dates have places of another kind.
        for (key, message) in messages(tag).into_iter().filter(|(_, message)| !message.contains("<day>")) {
            let fixed = tokens(&message).into_iter().map(|token| match token {
                Token::Text(text) => text,
                Token::Place(_) => " ",
            });
            let fixed: String = fixed.collect();
            let words =
                fixed.split(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).map(|word| word.trim_matches('.'));
            for word in words.filter(|word| word.contains(|c: char| c.is_ascii_alphabetic())) {
                // `history_begins` and `report.json` are names of keys and files.
                let is_name = NAMES.contains(&word) || word.contains(['_', '.']);
                assert!(is_name, "{tag}: {key} says {word:?}: {message}");
            }
            assert!(
                !message.contains(['"', ',', ';', '?', '!']) || message.contains(['[', '=']) || key.starts_with("format."),
                "{tag}: {key} has points of English: {message}"
            );
        }
    }
}

#[test]
fn characters_are_those_of_the_language() {
    let (simplified, traditional) = ("客户单这时进为没数据", "客戶單這時進為沒數據");
    for (tag, wrong) in [("zh-Hans", traditional), ("zh-Hant", simplified)] {
        let right: BTreeSet<char> = if tag == "zh-Hans" { simplified } else { traditional }.chars().collect();
        let wrong: Vec<char> = wrong.chars().filter(|c| !right.contains(c)).collect();
        for (key, message) in messages(tag) {
            assert!(!message.contains(wrong.as_slice()), "{tag}: {key}: {message}");
        }
    }
    // Words of the mainland that Taiwan has others for.
    let mainland =
        ["信息", "質量", "屏幕", "默認", "文件", "置信", "方差", "增長", "收入", "訂單號", "行數", "復購", "賬", "透過 SHA"];
    for (key, message) in messages("zh-Hant") {
        let found = mainland.iter().find(|word| message.contains(**word));
        assert!(found.is_none(), "zh-Hant: {key} says {found:?}: {message}");
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path());
    let files = entries.flat_map(|p| if p.is_dir() { sources(&p) } else { vec![p] });
    files.filter(|p| p.extension().is_some_and(|e| e == "rs") && !p.ends_with("tests.rs")).collect()
}

#[test]
fn every_message_is_used_and_every_used_one_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report");
    let code: String = sources(&folder).iter().map(|p| fs::read_to_string(p).expect("a source")).collect();
    let words = messages(FILES[0].0);
    let literals: BTreeSet<&str> =
        code.split('"').filter(|t| !t.is_empty() && t.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c))).collect();
    // Looked up by names that come from data, or put together from a section and a name.
    let by_name = [
        "states.",
        "schemes.",
        "verdict.",
        "outcome.",
        "event.",
        "design.",
        "phase.",
        "score_method.",
        "axis.",
        "ledger.",
        "check.",
        "estimator.",
        "reason.",
        "warning.",
    ];
    let put_together = ["section.", "growth.", "concentration.", "trends."];
    for key in words.keys() {
        let free = by_name.iter().chain(&put_together).any(|s| key.starts_with(s));
        assert!(free || literals.contains(key.as_str()), "{key} is never used");
    }
    let sections: BTreeSet<&str> = words.keys().filter_map(|k| k.split_once('.')).map(|(s, _)| s).collect();
    for literal in literals.iter().filter(|l| {
        l.split_once('.').is_some_and(|(s, rest)| sections.contains(s) && !rest.is_empty() && rest != "xlsx" && rest != "js")
    }) {
        assert!(words.contains_key(*literal), "there is no message {literal}");
    }
}

#[test]
fn built_in_states_have_names_and_definitions_in_every_language() {
    let mut labels: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for name in scheme::builtin_names() {
        let file: toml::Table = scheme::builtin_text(name).expect("a scheme").parse().expect("TOML");
        for (tag, _) in FILES {
            assert!(messages(tag).contains_key(&format!("schemes.{name}")), "{tag}: no name for the scheme {name}");
        }
        for state in file["states"].as_array().expect("states") {
            let state_name = state["name"].as_str().expect("a name");
            let definition = state["definition"].as_str().expect("a definition");
            for (tag, _) in FILES {
                let words = messages(tag);
                assert!(words.contains_key(&format!("states.{state_name}")), "{tag}: no name for {state_name}");
                if *tag != "en" {
                    assert!(words.contains_key(&format!("definitions.{definition}")), "{tag}: no translation of {definition:?}");
                }
                if let Some(label) = state.get("labels").and_then(|l| l.get(*tag)).and_then(|l| l.as_str()) {
                    labels.entry((tag, state_name.to_owned())).or_default().insert(label.to_owned());
                }
            }
        }
    }
    // A name that schemes use for different things keeps a neutral word here; their own labels come with dim_state.
    for ((tag, state), of) in labels.iter().filter(|(_, of)| of.len() == 1) {
        let own = &messages(tag)[&format!("states.{state}")];
        assert!(of.contains(own), "{tag}: {state} is called {own}, in its scheme {of:?}");
    }
}

#[test]
fn places_are_filled_and_plural_follows_the_number() {
    let words = Words { messages: [("a".to_owned(), "{n} {n|customer|customers} in {state}.".to_owned())].into() };
    assert_eq!(words.fill("a", &[("n", "1"), ("state", "{x}")]), "1 customer in {x}.");
    assert_eq!(words.fill("a", &[("n", "2"), ("state", "b")]), "2 customers in b.");
    let filled: Vec<_> =
        words.say("a", &[("n", "2"), ("state", "b")]).0.into_iter().filter(|p| matches!(p, Piece::Filled(_))).collect();
    assert_eq!(filled, [Piece::Filled("2".into()), Piece::Filled("b".into())]);
}

#[test]
fn an_unknown_language_is_refused_with_the_ones_there_are() {
    let error = Language::parse("de").map_err(|e| e.to_string());
    assert_eq!(
        error,
        Err("there are no reports in language \"de\" (languages: en, zh-Hans, zh-Hant); change output.language".into())
    );
}

/// Every kind of sentence of evaluation.
fn reasons() -> Vec<Box<dyn Sentence>> {
    fn all<T: Sentence + FieldType + 'static>() -> impl Iterator<Item = Box<dyn Sentence>> {
        T::examples().into_iter().map(|example| Box::new(example) as Box<dyn Sentence>)
    }
    let findings = all::<NotEstimable>().chain(all::<Change>()).chain(all::<NetMargin>()).chain(all::<Finding>());
    findings.chain(all::<Remark>()).chain(all::<Disagreement>()).chain(all::<Expectation>()).chain(all::<Caveat>()).collect()
}

#[test]
fn every_reason_has_a_message_with_its_places_in_every_language() {
    let declared: BTreeMap<&str, &str> = [
        NotEstimable::ALL,
        Change::ALL,
        NetMargin::ALL,
        Disagreement::ALL,
        Finding::ALL,
        Remark::ALL,
        Expectation::ALL,
        Caveat::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
    .collect();
    assert!(!messages(FILES[0].0).keys().any(|key| key.starts_with("reason.")), "English reasons are in the program");
    for (tag, _) in &FILES[1..] {
        let messages = messages(tag);
        let of_language: BTreeSet<&str> = messages.keys().map(String::as_str).filter(|key| key.starts_with("reason.")).collect();
        assert_eq!(of_language, declared.keys().copied().collect(), "{tag}");
        for (key, english) in &declared {
            assert_eq!(places(&messages[*key]), places(english), "{tag}: the places of {key}");
        }
    }
}

#[test]
fn every_warning_has_a_message_with_its_places_in_every_language() {
    assert!(!messages(FILES[0].0).keys().any(|key| key.starts_with("warning.")), "English warnings are in the program");
    let declared: BTreeMap<&str, &str> = WARNINGS.all().chain(PARTS.all()).copied().collect();
    for (tag, _) in &FILES[1..] {
        let mut messages = messages(tag);
        messages.retain(|key, _| key.starts_with("warning.") && key != "warning.none");
        assert_eq!(
            messages.keys().map(String::as_str).collect::<Vec<_>>(),
            declared.keys().copied().collect::<Vec<_>>(),
            "{tag}"
        );
        for (key, english) in &declared {
            // A place that is said by a word for one or many need not be said.
            let (said, all) = (places(&messages[*key]), places(english));
            let needed = tokens(english).into_iter().filter_map(|token| match token {
                Token::Place(of) if place(of).1.is_none() => Some(of.to_owned()),
                _ => None,
            });
            assert!(needed.into_iter().all(|of| said.contains(&of)) && said.iter().all(|of| all.contains(of)), "{tag}: {key}");
        }
    }
}

#[test]
fn every_warning_is_said_in_every_language() {
    for (tag, _) in FILES {
        let words = Words::load(Language::parse(tag).expect("a language")).expect("its words");
        for warning in Warning::examples() {
            let (text, said) = (warning.to_string(), words.warning(&warning.to_string()));
            if *tag == "en" {
                assert_eq!(said, text);
                continue;
            }
            assert!(said.chars().any(|c| c > '\u{4e00}'), "{text} became {said}");
            for value in warning.messages().iter().flat_map(|message| &message.values).filter(|(name, _)| name != "kind") {
                let is_plain = !value.1.contains([' ', ',']) && value.1 != EMPTY_LIST && !["count", "dates"].contains(&&*value.0);
                assert!(!is_plain || said.contains(&value.1), "{tag}: {value:?} is not in {said}");
            }
        }
        assert_eq!(words.warning("a warning of another version"), "a warning of another version");
    }
    let words = Words::load(Language::parse("zh-Hans").expect("a language")).expect("its words");
    for (text, said) in [
        (
            "2 rows of 1970-01-01 and 1 row of 9999-12-31 count as orders of that day, which often stands for a date that is not known; write null there, or leave such rows out with [[orders.keep]]",
            "1970-01-01 的 2 行、9999-12-31 的 1 行按该日的订单计入，而这样的日期往往代表日期未知；请改写为空值，或用 [[orders.keep]] 排除这些行",
        ),
        (
            "60 % of customers share one frequency: 3 of 5 scores and 6 of 10 states of \"segment\" are empty",
            "60% 的客户频次相同：5 个评分中有 3 个为空，\"segment\" 的 10 个状态中有 6 个为空",
        ),
        (
            "no event counts as sends (values of column \"event\" without a kind: none); say in [events.kinds] which do",
            "没有任何事件计为发送（列 \"event\" 中未归类的值：无）；请在 [events.kinds] 中写明哪些计入",
        ),
    ] {
        assert_eq!(words.warning(text), said);
    }
}

#[test]
fn every_reason_is_said_in_every_language() {
    for (tag, _) in FILES {
        let words = Words::load(Language::parse(tag).expect("a language")).expect("its words");
        for reason in reasons() {
            let said = words.sentence(reason.as_ref());
            if *tag == "en" {
                assert_eq!(said, reason.to_string());
                continue;
            }
            assert!(said.chars().any(|c| c > '\u{4e00}') && !said.contains(" the "), "{reason} became {said}");
            for (name, field) in reason.fields() {
                if let Field::Plain(text) = field {
                    assert!(said.contains(&text), "{tag}: {name} of {reason} is not in {said}");
                }
            }
        }
    }
}

#[test]
fn cells_of_tables_are_said_in_the_language_of_the_report() {
    let words = Words::load(Language::parse("zh-Hans").expect("a language")).expect("its words");
    let text = "revenue rises by 2.35 per customer (1.33 to 3.37, adjusted p < 0.0001); net margin per customer 0.59 (0.18 to 1.00): it pays even at the low end (by welch because there is no baseline)";
    assert_eq!(
        words.statement::<VerdictReason>(text),
        "每位客户的收入上升 2.35（1.33 至 3.37，校正后 p 值 < 0.0001）；每位客户净毛利 0.59（0.18 至 1.00）：即使按区间下限也有净收益（采用Welch 检验，因为没有基线期）"
    );
    assert_eq!(words.statement::<VerdictReason>("a sentence of nobody"), "a sentence of nobody");
    let english = Words::load(Language::default()).expect("its words");
    assert_eq!(english.statement::<VerdictReason>(text), text);
}
