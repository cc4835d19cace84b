//! What a workbook calls tables and columns: readable names, each once in a table.

use super::language::Words;
use crate::tables::Row;

/// The heads of a table's columns in order.
pub(super) fn headings<R: Row>(words: &Words) -> Vec<String> {
    let mut headings: Vec<String> = R::COLUMNS.iter().map(|column| heading(words, column.name)).collect();
    // Names tell columns apart that are called alike, whatever the case of their letters: a workbook takes no name twice.
    for at in 1..headings.len() {
        let is_taken = |taken: &String| taken.to_lowercase() == headings[at].to_lowercase();
        if headings[..at].iter().any(is_taken) {
            headings[at] = format!("{} ({})", headings[at], R::COLUMNS[at].name);
        }
    }
    headings
}

/// What pages call a column, else its name in words.
fn heading(words: &Words, name: &str) -> String {
    match words.find("column", name) {
        // Pages show an interval in the same column.
        Some(text) => match text.find(['(', '（']).filter(|_| text.contains("95")) {
            Some(end) => text[..end].trim_end().to_owned(),
            None => text.to_owned(),
        },
        None => in_words(name),
    }
}

/// What the sheet of a table is called.
pub(super) fn title(table: &str) -> String {
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
pub(super) fn in_words(name: &str) -> String {
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
    use super::super::language::Language;
    use super::*;
    use crate::tables::{EffectRow, SegmentRow, StateRow, TransitionRow};

    #[test]
    fn heads_are_readable_and_differ() {
        for tag in ["en", "zh-Hans"] {
            let words = Words::load(Language::parse(tag).expect("a language")).expect("words");
            for heads in [headings::<EffectRow>(&words), headings::<SegmentRow>(&words), headings::<TransitionRow>(&words)] {
                let mut all: Vec<String> = heads.iter().map(|head| head.to_lowercase()).collect();
                all.sort();
                all.dedup();
                assert_eq!(all.len(), heads.len(), "{heads:?}");
                assert!(heads.iter().all(|head| !head.is_empty() && !head.contains("95% interval)")), "{heads:?}");
            }
        }
        let words = Words::load(Language::parse("en").expect("a language")).expect("words");
        let heads = headings::<StateRow>(&words);
        assert!(heads.contains(&"Label (Chinese, simplified)".to_owned()), "{heads:?}");
        assert_eq!(in_words("revenue_to_date"), "Revenue to date");
    }
}
