use std::collections::BTreeSet;

use super::shop::Shop;
use super::*;

/// What somebody could write into a state, region, file or strategy to break what we write.
const BAD: [(&str, &str); 12] = [
    ("Champions", "<script>alert('1')</script>"),
    ("Loyal", "\" onload=\"alert(2)"),
    ("New", "]]></title></style><img src=x onerror=alert(3)>"),
    ("Promising", "=cmd|' /C calc'!A0"),
    ("About to Sleep", "@SUM(A1:A9)"),
    ("Can't Lose", "</script><script>alert(4)</script>\u{2028}\u{2029}"),
    ("At Risk", "a\u{0}b\u{1b}[31mred\u{202e}txt"),
    ("Hibernating", "+1-1"),
    ("north", "&lt;b&gt;{customers}{n}"),
    ("winback-mail", "javascript:alert(5) <a href=\"http://evil.example\">"),
    ("orders/2023.parquet", "-2+3\r\n=1"),
    ("colour", "#123456\" onclick=\"alert(6)"),
];

fn hostile() -> Shop {
    Shop {
        customers: 500,
        job: "</title><script>alert(0)</script>".into(),
        names: BAD.iter().map(|(usual, bad)| (*usual, bad.to_string())).collect(),
        warnings: vec!["<img src=x onerror=alert(7)>".into(), "=1+1".into()],
        ..Shop::default()
    }
}

/// Elements and attributes of a page.
fn vocabulary(page: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut elements = BTreeSet::new();
    let mut attributes = BTreeSet::new();
    let (mut rest, mut raw) = (page, None);
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(name) = raw {
            if !rest.starts_with(&format!("/{name}")) {
                continue;
            }
            raw = None;
        }
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        let name: String = tag.chars().take_while(|c| !c.is_whitespace() && *c != '/').collect();
        if let Some(inside) = tag.strip_prefix(&name).filter(|_| !name.is_empty()) {
            raw = ["script", "style"].into_iter().find(|n| *n == name).filter(|_| !tag.starts_with('/'));
            // Values are quoted and hold no quote, so every second piece is a name.
            for piece in inside.split('"').step_by(2) {
                attributes.extend(piece.split([' ', '=', '/', '\n']).filter(|p| !p.is_empty()).map(str::to_owned));
            }
            elements.insert(name);
        }
        rest = &rest[end + 1..];
    }
    (elements, attributes)
}

#[test]
fn names_add_no_element_and_no_attribute_to_the_page() {
    let tame = Shop { customers: 500, warnings: vec!["w".into()], ..Shop::default() };
    let want = vocabulary(&text(data(&tame, settings("en", 1)), ReportFormat::Html));
    assert!(want.0.contains("svg") && want.1.contains("data-k"), "{want:?}");
    let page = text(data(&hostile(), settings("en", 1)), ReportFormat::Html);
    assert_eq!(vocabulary(&page), want);
    for (usual, bad) in BAD.iter().filter(|(_, bad)| bad.contains(['<', '"'])) {
        assert!(!page.contains(bad), "{usual}: {bad} stands in the page as it is");
    }
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"), "the name is shown all the same");
    assert!(!page.chars().any(|c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c)));
    // The braces of a name are not filled in.
    assert!(page.contains("&amp;lt;b&amp;gt;{customers}{n}"));
}

#[test]
fn the_page_allows_only_its_own_style_and_script() {
    let page = text(data(&hostile(), settings("en", 1)), ReportFormat::Html);
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).and_then(|p| p.split('"').next()).expect("a policy");
    assert!(policy.contains("default-src &#39;none&#39;") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.matches("<script").count(), 4, "the facts, what the explorer shows, its words, and the script of the page");
    for outside in ["@import", "url(", "<iframe", "<base", "<object", "rel=\"stylesheet"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let (_, attributes) = vocabulary(&page);
    for name in ["src", "srcset", "style", "onload", "onclick", "xlink:href", "action"] {
        assert!(!attributes.contains(name), "{name} is no attribute of ours");
    }
    let links = page.split("href=\"").skip(1).filter_map(|l| l.split('"').next());
    assert!(links.into_iter().all(|l| l.starts_with('#') || l == "data:,"), "links stay in the page");
}

#[test]
fn json_is_strict_and_can_stand_in_a_script() {
    let data = data(&hostile(), settings("en", 1));
    let json = text(data.clone(), ReportFormat::Json);
    assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let states: BTreeSet<&str> = value["segments"].as_array().expect("rows").iter().filter_map(|r| r["state"].as_str()).collect();
    for (usual, bad) in BAD.iter().take(8) {
        assert!(states.contains(bad), "{usual} reads back as it was written: {states:?}");
    }
    let page = text(data, ReportFormat::Html);
    let facts = page.split("id=\"facts\">").nth(1).and_then(|p| p.split("</script>").next()).expect("facts");
    let facts: serde_json::Value = serde_json::from_str(facts).expect("JSON in the page");
    assert_eq!(facts["job"], "</title><script>alert(0)</script>");
}

#[test]
fn the_workbook_has_no_formula() {
    let book = file(data(&hostile(), settings("en", 1)), ReportFormat::Xlsx);
    let parts = super::archive::unzip(&book);
    let strings = String::from_utf8(parts["xl/sharedStrings.xml"].clone()).expect("UTF-8");
    let texts: Vec<&str> = strings.split("<t").skip(1).filter_map(|t| t.split_once('>')?.1.split("</t>").next()).collect();
    assert!(texts.len() > 100);
    for text in texts {
        assert!(!text.trim_start().starts_with(['=', '+', '-', '@']), "{text}");
    }
    assert!(strings.contains("'=cmd|' /C calc'!A0") && strings.contains("'@SUM"), "a quote stands before");
    for (name, part) in &parts {
        let text = String::from_utf8_lossy(part);
        assert!(!text.contains("<f>") && !text.contains("<f "), "{name} has a formula");
    }
}

#[test]
fn no_report_names_a_customer() {
    for (min_group, language) in [(1, "en"), (5, "zh-Hans")] {
        let data = data(&Shop { customers: 500, ..Shop::default() }, settings(language, min_group));
        assert!(data.moves.as_ref().is_some_and(|m| !m.is_empty()), "movers were read");
        for format in ReportFormat::ALL {
            let bytes = file(data.clone(), format);
            let parts =
                if format == ReportFormat::Xlsx { super::archive::unzip(&bytes) } else { [(String::new(), bytes)].into() };
            for (name, part) in parts {
                assert!(!String::from_utf8_lossy(&part).contains("CANARY"), "{format:?} {name}");
            }
        }
    }
}
