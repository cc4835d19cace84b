//! All words of the report, one file per language in `language/`.
//!
//! A message may have places to fill in: `{n}`, and `{n|customer|customers}` for the first word if n is 1 and the second
//! otherwise. To add a language, copy `en.toml`, translate it, and name it in [`FILES`]; a test holds all files to the same
//! messages and places.

use std::collections::BTreeMap;

use crate::error::{Error, Result, suggestion};

/// Languages and their files; the first is the default.
const FILES: &[(&str, &str)] = &[("en", include_str!("language/en.toml")), ("zh-Hans", include_str!("language/zh-Hans.toml"))];

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
    /// English sentences of the program with places, and their translation; those that say most come first.
    said: Vec<(Vec<MessagePart>, String)>,
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
        Ok(Words { said: sentences(&messages), messages })
    }

    /// A message without places.
    pub fn text(&self, key: &str) -> &str {
        self.messages.get(key).map_or("", String::as_str)
    }

    /// A message whose key comes from data, such as the name of an outcome; `None` if the language has none.
    pub fn find(&self, section: &str, name: &str) -> Option<&str> {
        self.messages.get(&format!("{section}.{name}")).map(String::as_str)
    }

    /// A sentence of the run (a reason, say), which is English, in the language of the report; as it is if there is no
    /// translation. What fills its places is translated, too.
    pub fn translate(&self, text: &str) -> String {
        let found = self.said.iter().find_map(|(parts, message)| Some((matching(parts, text)?, message)));
        let Some((filled, message)) = found else { return text.to_owned() };
        let values: Vec<(&str, String)> = filled
            .into_iter()
            .map(|(name, value)| {
                let word = match name {
                    "outcome" => self.find("outcome", value),
                    "method" => self.find("estimator", value),
                    _ => None,
                };
                (name, word.map_or_else(|| self.translate(value), str::to_owned))
            })
            .collect();
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        compose(message, &values).text()
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

/// Places of sentences of the program that hold sentences themselves.
const SENTENCES: [&str; 5] = ["effect", "money", "note", "reason", "why"];

/// A message with its places filled in.
fn compose(message: &str, values: &[(&str, &str)]) -> Sentence {
    let pieces = parts(message).into_iter().map(|part| match part {
        MessagePart::Fixed(text) => Piece::Fixed(text),
        MessagePart::Place(place) => fill(&place, values),
    });
    Sentence(pieces.collect())
}

/// A part of a message that is not filled in yet.
#[derive(Debug, Clone, PartialEq, Eq)]
enum MessagePart {
    Fixed(String),
    Place(String),
}

fn parts(message: &str) -> Vec<MessagePart> {
    let mut out = Vec::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((place, behind)) = after.split_once('}') else { break };
        if !before.is_empty() {
            out.push(MessagePart::Fixed(before.to_owned()));
        }
        out.push(MessagePart::Place(place.to_owned()));
        rest = behind;
    }
    if !rest.is_empty() {
        out.push(MessagePart::Fixed(rest.to_owned()));
    }
    out
}

/// The sentences under `said`, those with most fixed text first.
fn sentences(messages: &BTreeMap<String, String>) -> Vec<(Vec<MessagePart>, String)> {
    let own = messages.iter().filter_map(|(key, message)| Some((parts(key.strip_prefix("said.")?), message.clone())));
    let mut out: Vec<(Vec<MessagePart>, String)> = own.collect();
    let fixed =
        |of: &[MessagePart]| of.iter().map(|p| if let MessagePart::Fixed(text) = p { text.len() } else { 0 }).sum::<usize>();
    out.sort_by_key(|(of, _)| std::cmp::Reverse(fixed(of)));
    out
}

/// What fills the places of a sentence if `text` is that sentence.
fn matching<'p, 't>(parts: &'p [MessagePart], text: &'t str) -> Option<Vec<(&'p str, &'t str)>> {
    let mut filled = Vec::new();
    let mut rest = text;
    let mut open: Option<&str> = None;
    for (number, part) in parts.iter().enumerate() {
        match (part, open.take()) {
            (MessagePart::Place(name), _) => open = Some(name),
            (MessagePart::Fixed(fixed), None) => rest = rest.strip_prefix(fixed.as_str())?,
            (MessagePart::Fixed(fixed), Some(name)) => {
                let at =
                    if number + 1 == parts.len() { rest.strip_suffix(fixed.as_str())?.len() } else { rest.find(fixed.as_str())? };
                filled.push((name, &rest[..at]));
                rest = &rest[at + fixed.len()..];
            }
        }
    }
    match open {
        Some(name) => filled.push((name, rest)),
        None if !rest.is_empty() => return None,
        None => {}
    }
    // A place that is the whole text would be translated forever, and a number or name holds no second sentence.
    let whole = |name: &str| SENTENCES.contains(&name);
    let fits = |(name, value): &(&str, &str)| {
        let plain = ["; ", ": ", " ("].iter().all(|mark| !value.contains(mark));
        !value.is_empty() && value.len() < text.len() && (plain || whole(name))
    };
    filled.iter().all(fits).then_some(filled)
}

/// What stands at a place.
fn fill(place: &str, values: &[(&str, &str)]) -> Piece {
    let mut parts = place.split('|');
    let name = parts.next().unwrap_or_default();
    let value = values.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| *v);
    match (parts.next(), parts.next()) {
        (Some(one), Some(many)) => Piece::Fixed(if value == "1" { one } else { many }.to_owned()),
        _ => Piece::Filled(value.to_owned()),
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
