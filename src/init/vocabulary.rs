//! The words of [`vocabulary.toml`](../vocabulary.toml): how columns of a role are called, and what values say.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::words::{Match, Words};
use crate::error::{Error, Result};

/// What a column can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Who ordered.
    Customer,
    /// The number of the order.
    Order,
    /// When it was placed.
    Date,
    /// Its money.
    Amount,
    /// Pieces of a line.
    Quantity,
    /// The price of one piece.
    UnitPrice,
    /// What was taken off.
    Discount,
    /// What it cost the shop.
    Cost,
    /// The category of a line.
    Category,
    /// The currency.
    Currency,
    /// What became of it.
    Status,
    /// What was paid back.
    Refund,
    /// When it was cancelled.
    CancelledAt,
    /// The store or the till, by which numbers of orders may be told apart.
    Shop,
    /// Whether it is a sale or a return.
    Kind,
}

/// What a value of a status says of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It counts.
    Kept,
    /// It does not count.
    Dropped,
    /// It is a return.
    Returned,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNames {
    score: i32,
    #[serde(default)]
    whole: bool,
    phrases: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRole {
    names: Vec<RawNames>,
    never: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawValues {
    dropped: Vec<String>,
    returned: Vec<String>,
    kept: Vec<String>,
    set: Vec<String>,
    unset: Vec<String>,
    nobody: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Raw {
    values: RawValues,
    #[serde(flatten)]
    roles: BTreeMap<Role, RawRole>,
}

/// A phrase with what a name that has it scores.
#[derive(Debug)]
struct Phrase {
    words: Words,
    score: i32,
    whole: bool,
}

/// All words.
#[derive(Debug)]
pub struct Vocabulary {
    phrases: BTreeMap<Role, Vec<Phrase>>,
    never: BTreeMap<Role, Vec<Words>>,
    values: Vec<(Words, Meaning)>,
    set: Vec<Words>,
    unset: Vec<Words>,
    nobody: Vec<Words>,
}

/// What each other word of a name takes from its score.
const PER_OTHER_WORD: i32 = 4;

impl Vocabulary {
    /// The words that are built in.
    ///
    /// # Errors
    /// A bug: they cannot be read.
    pub fn built_in() -> Result<Vocabulary> {
        let raw: Raw = toml::from_str(include_str!("vocabulary.toml"))
            .map_err(|e| Error::bug(format!("the words of columns cannot be read: {e}")))?;
        let words = |list: &[String]| list.iter().map(|text| Words::of(text)).collect::<Vec<_>>();
        let mut phrases = BTreeMap::new();
        let mut never = BTreeMap::new();
        for (role, names) in &raw.roles {
            let of = |names: &RawNames| {
                let (score, whole) = (names.score, names.whole);
                names.phrases.iter().map(move |text| Phrase { words: Words::of(text), score, whole }).collect::<Vec<_>>()
            };
            phrases.insert(*role, names.names.iter().flat_map(of).collect());
            never.insert(*role, words(&names.never));
        }
        let RawValues { dropped, returned, kept, set, unset, nobody } = raw.values;
        let meaning =
            |list: &[String], meaning: Meaning| words(list).into_iter().map(move |words| (words, meaning)).collect::<Vec<_>>();
        let values =
            [meaning(&dropped, Meaning::Dropped), meaning(&returned, Meaning::Returned), meaning(&kept, Meaning::Kept)].concat();
        Ok(Vocabulary { phrases, never, values, set: words(&set), unset: words(&unset), nobody: words(&nobody) })
    }

    /// How much a name says that its column has a role; none if it does not, or says the opposite.
    pub fn score(&self, role: Role, name: &Words) -> Option<i32> {
        let phrases = self.phrases.get(&role)?;
        let whole =
            phrases.iter().filter(|phrase| name.has(&phrase.words) == Some(Match::Whole)).map(|phrase| phrase.score).max();
        if whole.is_some() {
            return whole;
        }
        if self.never.get(&role).is_some_and(|never| never.iter().any(|words| name.has(words).is_some())) {
            return None;
        }
        let part = |phrase: &Phrase| match name.has(&phrase.words)? {
            Match::Part(others) if !phrase.whole => {
                Some(phrase.score - PER_OTHER_WORD * i32::try_from(others).unwrap_or(i32::MAX).min(6) - 3)
            }
            _ => None,
        };
        phrases.iter().filter_map(part).max()
    }

    /// What a value of a status says; none if it is not known.
    pub fn meaning(&self, value: &str) -> Option<Meaning> {
        let value = Words::of(value);
        let whole = self.values.iter().find(|(words, _)| value.has(words) == Some(Match::Whole));
        // Of several that it has, the one that leaves the fewest other words says the most.
        let parts = self.values.iter().filter_map(|(words, meaning)| match value.has(words)? {
            Match::Part(others) => Some((others, *meaning)),
            Match::Whole => None,
        });
        whole.map(|(_, meaning)| *meaning).or_else(|| parts.min_by_key(|(others, _)| *others).map(|(_, meaning)| meaning))
    }

    /// Whether a value is a flag, and if so, whether it is set.
    pub fn flag(&self, value: &str) -> Option<bool> {
        let value = Words::of(value);
        let is_in = |list: &[Words]| list.iter().any(|words| value.has(words) == Some(Match::Whole));
        if is_in(&self.set) { Some(true) } else { is_in(&self.unset).then_some(false) }
    }

    /// Whether a value stands for a customer where there is none.
    pub fn is_nobody(&self, value: &str) -> bool {
        let trimmed = value.trim();
        let trimmed = trimmed.strip_suffix(".0").unwrap_or(trimmed);
        let words = Words::of(trimmed);
        let is_number = trimmed.parse::<f64>().is_ok();
        trimmed == "-1"
            || (!trimmed.starts_with('-') || !is_number)
                && self.nobody.iter().any(|nobody| words.has(nobody) == Some(Match::Whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_say_what_became_of_an_order() {
        let words = Vocabulary::built_in().expect("the words");
        for (value, meaning) in [
            ("Paid", Some(Meaning::Kept)),
            ("wc-completed", Some(Meaning::Kept)),
            ("partially_refunded", Some(Meaning::Kept)),
            ("refunded", Some(Meaning::Dropped)),
            ("Storniert", Some(Meaning::Dropped)),
            ("annulée", Some(Meaning::Dropped)),
            ("交易关闭", Some(Meaning::Dropped)),
            ("卖家已发货，等待买家确认", Some(Meaning::Kept)),
            ("Gutschrift", Some(Meaning::Returned)),
            ("blue", None),
        ] {
            assert_eq!(words.meaning(value), meaning, "{value}");
        }
    }

    #[test]
    fn placeholders_are_nobody() {
        let words = Vocabulary::built_in().expect("the words");
        for value in ["0", "-1", "Guest", "(not set)", "N/A", "游客"] {
            assert!(words.is_nobody(value), "{value}");
        }
        for value in ["1", "-2", "guest@example.org", "10", "Anna"] {
            assert!(!words.is_nobody(value), "{value}");
        }
    }

    #[test]
    fn every_role_has_words() {
        let words = Vocabulary::built_in().expect("the words");
        assert_eq!(words.phrases.len(), 15);
    }
}
