//! All words of the report, one file per language in `language/`.
//!
//! A message may have places to fill in: `{n}`, and `{n|customer|customers}` for the first word if n is 1 and the second
//! otherwise. To add a language, copy `en.toml`, translate it, and name it in [`FILES`]; a test holds all files to the same
//! messages and places.

use std::collections::BTreeMap;

use crate::domain::message::{Message, Token, names, place, tokens};
use crate::domain::{BETWEEN_PARTS, EMPTY_LIST, PARTS, WARNINGS};
use crate::error::{Error, Result, suggestion};
use crate::evaluate::sentence::{self, Field, Statement};

/// Languages and their files; the first is the default.
const FILES: &[(&str, &str)] = &[
    ("en", include_str!("language/en.toml")),
    ("zh-Hans", include_str!("language/zh-Hans.toml")),
    ("zh-Hant", include_str!("language/zh-Hant.toml")),
];

/// A language that the report speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language(&'static str);

impl Default for Language {
    fn default() -> Language {
        Language(FILES[0].0)
    }
}

impl Language {
    /// The language with this BCP 47 tag.
    ///
    /// # Errors
    /// Exit 2 with the languages there are.
    pub fn parse(tag: &str) -> Result<Language> {
        FILES.iter().find(|(name, _)| *name == tag).map(|(name, _)| Language(name)).ok_or_else(|| {
            let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
            let near = suggestion(tag, names.iter().copied());
            Error::usage(format!(
                "there are no reports in language {tag:?}{near} (languages: {}); change output.language",
                names.join(", ")
            ))
        })
    }

    /// Its BCP 47 tag.
    pub fn tag(self) -> &'static str {
        self.0
    }
}

/// Part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Words of the language.
    Fixed(String),
    /// A name or number that was filled in.
    Filled(String),
}

/// A message with its places filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence(pub Vec<Piece>);

impl Sentence {
    /// As text.
    pub fn text(&self) -> String {
        self.0.iter().map(|(Piece::Fixed(text) | Piece::Filled(text))| text.as_str()).collect()
    }
}

/// The words of a language.
#[derive(Debug, Clone)]
pub struct Words {
    messages: BTreeMap<String, String>,
}

impl Words {
    /// Reads the file of a language.
    ///
    /// # Errors
    /// Exit 1 if the file built into the program cannot be read.
    pub fn load(language: Language) -> Result<Words> {
        let text = FILES.iter().find(|(name, _)| *name == language.0).map_or("", |(_, text)| text);
        let table: toml::Table = text
            .parse()
            .map_err(|e| Error::bug(format!("the words of language {} cannot be read: {e}", language.0)).caused_by(e))?;
        let mut messages = BTreeMap::new();
        flatten("", &table, &mut messages);
        Ok(Words { messages })
    }

    /// A message without places.
    pub fn text(&self, key: &str) -> &str {
        self.messages.get(key).map_or("", String::as_str)
    }

    /// A message whose key comes from data, such as the name of an outcome; `None` if the language has none.
    pub fn find(&self, section: &str, name: &str) -> Option<&str> {
        self.messages.get(&format!("{section}.{name}")).map(String::as_str)
    }

    /// What a cell of a table says, in this language; as it stands if it is no statement of evaluation.
    pub fn statement<T: Statement>(&self, text: &str) -> String {
        match T::parse(text) {
            Some(statement) => statement.sentences().into_iter().map(|s| self.sentence(s)).collect(),
            None => text.to_owned(),
        }
    }

    /// What a warning of a run says, in this language; as it stands if it is none of this version.
    pub fn warning(&self, text: &str) -> String {
        let messages = WARNINGS.read(text).unwrap_or_default();
        let said = messages.iter().map(|message| self.filled(message));
        said.collect::<Option<String>>().filter(|said| !said.is_empty()).unwrap_or_else(|| text.to_owned())
    }

    /// A message of the program with its values; `None` if the language has none, as English, which is in the program.
    fn filled(&self, message: &Message) -> Option<String> {
        let template = self.messages.get(message.key)?;
        let values = message.values.iter().map(|(name, value)| (name.clone(), self.value_in_warning(name, value)));
        Some(Message { key: message.key, values: values.collect() }.fill(template))
    }

    /// A value of a warning: lists, and what is a message of its own, are in the language.
    fn value_in_warning(&self, name: &str, value: &str) -> String {
        let list = self.text("format.list");
        if value == EMPTY_LIST {
            return self.text("warning.none").to_owned();
        }
        if name == "kind" {
            return self.find("event", value).unwrap_or(value).to_owned();
        }
        let names = names(value);
        if names.last().is_some_and(|(_, end)| *end == value.len()) {
            return names.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(list);
        }
        let parts = value.split(BETWEEN_PARTS).map(|part| self.filled(PARTS.read(part)?.first()?));
        parts.collect::<Option<Vec<_>>>().map_or_else(|| value.to_owned(), |parts| parts.join(list))
    }

    /// A sentence of evaluation. The English ones are in the program; other languages have a message for each.
    fn sentence(&self, sentence: &dyn sentence::Sentence) -> String {
        let Some(message) = self.messages.get(sentence.key()) else { return sentence.to_string() };
        let named = |section: &str, name: String| self.find(section, &name).map_or_else(|| name.clone(), str::to_owned);
        let fields: Vec<(&str, String)> = (sentence.fields().into_iter())
            .map(|(name, field)| {
                let text = match field {
                    Field::Plain(text) => text,
                    Field::Outcome(outcome) => named("outcome", outcome.to_string()),
                    Field::Method(method) => named("estimator", method.to_string()),
                    Field::Sentence(inner) => self.sentence(inner),
                };
                (name, text)
            })
            .collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, text)| (*name, text.as_str())).collect();
        compose(message, &fields).text()
    }

    /// A message with its places filled in.
    pub fn say(&self, key: &str, values: &[(&str, &str)]) -> Sentence {
        compose(self.text(key), values)
    }

    /// A message with its places filled in, as text.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.say(key, values).text()
    }
}

/// A message with its places filled in.
fn compose(message: &str, values: &[(&str, &str)]) -> Sentence {
    let pieces = tokens(message).into_iter().map(|token| match token {
        Token::Text(text) => Piece::Fixed(text.to_owned()),
        Token::Place(of) => fill(of, values),
    });
    Sentence(pieces.collect())
}

/// What stands at a place.
fn fill(of: &str, values: &[(&str, &str)]) -> Piece {
    let (name, words) = place(of);
    let value = values.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| *v);
    match words {
        Some((one, many)) => Piece::Fixed(if value == "1" { one } else { many }.to_owned()),
        None => Piece::Filled(value.to_owned()),
    }
}

fn flatten(prefix: &str, table: &toml::Table, out: &mut BTreeMap<String, String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&key, inner, out),
            toml::Value::String(text) => {
                out.insert(key, text.clone());
            }
            other => {
                out.insert(key, other.to_string());
            }
        }
    }
}

#[cfg(test)]
#[path = "language/tests.rs"]
mod tests;
