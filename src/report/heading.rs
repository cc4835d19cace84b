//! What a workbook calls tables and columns: readable names, each once in a table.

use super::language::Words;
use crate::tables::Row;

/// The heads of a table's columns in order.
pub(super) fn headings<R: Row>(words: &Words) -> Vec<String> {
    let mut headings: Vec<String> = R::COLUMNS.iter().map(|column| heading(words, R::TABLE, column.name)).collect();
    // Names tell columns apart that are called alike, whatever the case of their letters: a workbook takes no name twice.
    for at in 1..headings.len() {
        let is_taken = |taken: &String| taken.to_lowercase() == headings[at].to_lowercase();
        if headings[..at].iter().any(is_taken) {
            headings[at] = format!("{} ({})", headings[at], R::COLUMNS[at].name);
        }
    }
    headings
}

/// What pages call a column; else what the language calls it or, in English, its name in words.
fn heading(words: &Words, table: &str, name: &str) -> String {
    let of_page = match (table, name) {
        // Elsewhere, an outcome is what a strategy is measured by.
        ("ledger", "outcome") => "outcome_of_row",
        _ => name,
    };
    match words.find("column", of_page) {
        // Pages show an interval in the same column.
        Some(text) => match text.find(['(', '（']).filter(|_| text.contains("95")) {
            Some(end) => text[..end].trim_end().to_owned(),
            None => text.to_owned(),
        },
        None => words.find("heading", name).map_or_else(|| in_words(name), str::to_owned),
    }
}

/// The head of the column that marks rows with hidden numbers.
pub(super) fn suppressed(words: &Words) -> String {
    heading(words, "", "suppressed")
}

/// What the sheet of a table is called.
pub(super) fn title(words: &Words, table: &str) -> String {
    if let Some(title) = words.find("sheet", table) {
        return title.to_owned();
    }
    match table {
        "dim_state" => "States".into(),
        "dim_period" => "Periods".into(),
        "cutpoints" => "Cut points".into(),
        "before_after" => "Before and after".into(),
        "ledger" => "Input rows".into(),
        other => in_words(other),
    }
}

/// `revenue_to_date` as "Revenue to date".
fn in_words(name: &str) -> String {
    let words: Vec<&str> = name.split('_').map(word).collect();
    let text = words.join(" ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A part of a name as people write it.
fn word(part: &str) -> &str {
    match part {
        "n" => "customers,",
        "avg" => "average",
        "ci" => "95% interval,",
        "p" => "p-value",
        "q" => "differs between periods:",
        "srm" => "split check:",
        "smd" => "standardised difference",
        "mde" => "smallest detectable effect",
        "roi" => "ROI",
        "cac" => "cost per new customer",
        "en" => "(English)",
        "zh" => "(Chinese,",
        "hans" => "simplified)",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::data::{ReportData, Shown, TableVisitor};
    use super::super::language::Language;
    use super::*;
    use crate::tables::StateRow;

    fn words(tag: &str) -> Words {
        Words::load(Language::parse(tag).expect("a language")).expect("words")
    }

    /// Sheet by sheet, its name and its heads.
    struct Heads(Words, Vec<(String, Vec<String>)>);

    impl TableVisitor for Heads {
        fn table<R: Row>(&mut self, name: &'static str, _: Option<&[Shown<R>]>) {
            let mut heads = headings::<R>(&self.0);
            heads.push(suppressed(&self.0));
            self.1.push((title(&self.0, name), heads));
        }
    }

    fn heads(tag: &str) -> Vec<(String, Vec<String>)> {
        let mut heads = Heads(words(tag), Vec::new());
        ReportData::visit_none(&mut heads);
        heads.1
    }

    #[test]
    fn heads_are_readable_and_differ() {
        for tag in ["en", "zh-Hans", "zh-Hant"] {
            let sheets = heads(tag);
            let differing = |names: &[String]| names.iter().map(|name| name.to_lowercase()).collect::<BTreeSet<_>>().len();
            let titles: Vec<String> = sheets.iter().map(|(title, _)| title.clone()).collect();
            assert_eq!(differing(&titles), titles.len(), "{titles:?}");
            for (title, heads) in &sheets {
                assert_eq!(differing(heads), heads.len(), "{tag}, {title}: {heads:?}");
                let is_read = |head: &String| !head.is_empty() && !head.contains('_') && !head.contains("95% interval)");
                assert!(heads.iter().all(is_read), "{tag}, {title}: {heads:?}");
            }
        }
        let states = headings::<StateRow>(&words("en"));
        assert!(states.contains(&"Label (Chinese, simplified)".to_owned()), "{states:?}");
        assert_eq!(in_words("revenue_to_date"), "Revenue to date");
        assert!(headings::<crate::tables::LedgerRow>(&words("zh-Hans")).contains(&"去向".to_owned()));
    }

    #[test]
    fn no_head_and_no_sheet_is_english_in_chinese() {
        let english = heads("en");
        for tag in ["zh-Hans", "zh-Hant"] {
            let chinese = heads(tag);
            assert_eq!(chinese.len(), english.len());
            for ((title, heads), (english_title, english)) in chinese.iter().zip(&english) {
                let all = heads.iter().zip(english).chain([(title, english_title)]);
                for (head, english) in all {
                    assert_ne!(head, english, "{tag}, {title}");
                    assert!(head.chars().any(|c| c >= '\u{4e00}'), "{tag}, {title}: {head}");
                }
            }
        }
    }
}
