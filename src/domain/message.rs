//! Messages: English text with places, filled in where a sentence is made and read back where a report says it in another
//! language.
//!
//! A place is `{n}`, or `{n|row|rows}` for the first word if n is 1 and the second otherwise.

use std::fmt::Display;

/// A token of a template such as `{rows} {rows|row|rows} have no customer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// Text that stays.
    Text(&'a str),
    /// The name of a place.
    Place(&'a str),
}

/// The tokens of a template.
pub fn tokens(template: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((place, behind)) = after.split_once('}') else { break };
        tokens.extend((!before.is_empty()).then_some(Token::Text(before)));
        tokens.push(Token::Place(place));
        rest = behind;
    }
    tokens.extend((!rest.is_empty()).then_some(Token::Text(rest)));
    tokens
}

/// A place: the name of its value, and the words for one and for many if the value only decides between them.
pub fn place(text: &str) -> (&str, Option<(&str, &str)>) {
    let mut parts = text.split('|');
    let name = parts.next().unwrap_or_default();
    (name, parts.next().zip(parts.next()))
}

/// A message: its key, and its values as they are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which message it is.
    pub key: &'static str,
    /// The values of its places by name.
    pub values: Vec<(String, String)>,
}

impl Message {
    /// A message with these values.
    pub fn new(key: &'static str, values: &[(&str, &dyn Display)]) -> Message {
        Message { key, values: values.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect() }
    }

    /// Gives a place its value, if there is one.
    pub fn set(&mut self, name: &str, value: Option<impl Display>) {
        self.values.extend(value.map(|value| (name.to_owned(), value.to_string())));
    }

    /// The value of a place; nothing if it has none.
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(of, _)| of == name).map_or("", |(_, value)| value)
    }

    /// A template with the values at its places.
    pub fn fill(&self, template: &str) -> String {
        let mut text = String::new();
        for token in tokens(template) {
            match token {
                Token::Text(fixed) => text.push_str(fixed),
                Token::Place(of) => match place(of) {
                    (name, Some((one, many))) => text.push_str(if self.value(name) == "1" { one } else { many }),
                    (name, None) => text.push_str(self.value(name)),
                },
            }
        }
        text
    }
}

/// Messages that belong together, with their templates.
#[derive(Debug, Clone, Copy)]
pub struct Messages {
    /// Key and template of every sentence.
    pub sentences: &'static [(&'static str, &'static str)],
    /// Key and template of what may follow a sentence, without a space.
    pub remarks: &'static [(&'static str, &'static str)],
}

/// How many tries reading may take. What people wrote stands at places too, so a text could be made to take very many.
const MOST_TRIES: u32 = 10_000;

/// Longer texts are not read.
const MOST_BYTES: usize = 20_000;

impl Messages {
    /// Key and template of every message.
    pub fn all(self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        self.sentences.iter().chain(self.remarks)
    }

    /// The text of a message in English.
    pub fn text(self, message: &Message) -> String {
        let template = self.all().find(|(key, _)| *key == message.key).map_or(message.key, |(_, template)| template);
        message.fill(template)
    }

    /// The sentence, and the remarks that follow it, of which a text consists; `None` if it is of other messages.
    pub fn read(self, text: &str) -> Option<Vec<Message>> {
        let mut read = Vec::new();
        let mut tries = MOST_TRIES;
        let is_read = text.len() <= MOST_BYTES && self.read_from(self.sentences, text, &mut tries, &mut read);
        read.reverse();
        is_read.then_some(read)
    }

    /// Reads one of `declared` and remarks behind it up to the end of the text; the last comes first.
    fn read_from(
        self,
        declared: &'static [(&'static str, &'static str)],
        text: &str,
        tries: &mut u32,
        read: &mut Vec<Message>,
    ) -> bool {
        declared.iter().any(|(key, template)| {
            let mut values = Vec::new();
            let mut end = |rest: &str, tries: &mut u32| rest.is_empty() || self.read_from(self.remarks, rest, tries, read);
            let found = matches(&tokens(template), text, tries, &mut values, &mut end);
            if found {
                read.push(Message { key, values });
            }
            found
        })
    }
}

/// Whether a text begins as the tokens say and `end` takes what is behind; `values` gets what stands at the places.
fn matches(
    tokens: &[Token<'_>],
    text: &str,
    tries: &mut u32,
    values: &mut Vec<(String, String)>,
    end: &mut dyn FnMut(&str, &mut u32) -> bool,
) -> bool {
    let Some((token, behind)) = tokens.split_first() else { return end(text, tries) };
    let Some(left) = tries.checked_sub(1) else { return false };
    *tries = left;
    match token {
        Token::Text(fixed) => text.strip_prefix(fixed).is_some_and(|rest| matches(behind, rest, tries, values, end)),
        Token::Place(of) => match place(of) {
            (_, Some((one, many))) => [one, many].into_iter().any(|word| {
                let rest = text.strip_prefix(word);
                rest.is_some_and(|rest| matches(behind, rest, tries, values, end))
            }),
            (name, None) => {
                let known = values.iter().find(|(of, _)| of == name).map(|(_, value)| value.clone());
                if let Some(value) = known {
                    return text.strip_prefix(&*value).is_some_and(|rest| matches(behind, rest, tries, values, end));
                }
                ends(text, behind.first()).into_iter().any(|at| {
                    let (value, rest) = text.split_at(at);
                    values.push((name.to_owned(), value.to_owned()));
                    let found = matches(behind, rest, tries, values, end);
                    if !found {
                        values.pop();
                    }
                    found
                })
            }
        },
    }
}

/// Where the value at the beginning of a text may end: after a name in quotes, or several; else where the next token begins.
fn ends(text: &str, next: Option<&Token<'_>>) -> Vec<usize> {
    if text.starts_with('"') {
        return names(text).into_iter().map(|(_, end)| end).collect();
    }
    match next {
        Some(Token::Text(fixed)) => text.match_indices(fixed).map(|(at, _)| at).filter(|at| *at > 0).collect(),
        // A word for one or many, or nothing: it begins anywhere.
        _ => text.char_indices().map(|(at, _)| at).filter(|at| *at > 0).chain([text.len()]).collect(),
    }
}

/// What stands between names.
const BETWEEN: [&str; 2] = [", ", " or "];

/// What stands behind names if there are more.
const MORE: &str = ", …";

/// The names in quotes at the beginning of a text, with the end of each; `…` stands for more of them.
pub fn names(text: &str) -> Vec<(&str, usize)> {
    let mut out = Vec::new();
    let mut start = 0;
    while let Some(end) = text.get(start..).and_then(name) {
        out.push((&text[start..start + end], start + end));
        start += end;
        if text[start..].starts_with(MORE) {
            out.push(("…", start + MORE.len()));
        }
        let Some(between) = BETWEEN.iter().find(|between| text[start..].starts_with(**between)) else { break };
        start += between.len();
    }
    out
}

/// The end of the name in quotes that a text begins with.
fn name(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.strip_prefix('"')?.char_indices().find_map(|(at, c)| {
        let is_end = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        is_end.then_some(at + 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: Messages = Messages {
        sentences: &[
            ("rows", "{rows} {rows|row|rows} of {table} have no {column}"),
            ("names", "{names} say [{names}, \"x\"] of {other}"),
        ],
        remarks: &[("more", "; {n} more"), ("end", " (the end)")],
    };

    fn keys(text: &str) -> Option<Vec<&'static str>> {
        SHOP.read(text).map(|read| read.into_iter().map(|message| message.key).collect())
    }

    #[test]
    fn texts_are_read_as_they_were_filled_in() {
        let message =
            Message::new("rows", &[("rows", &1), ("table", &"\"a of \\\"b\\\" have no c\""), ("column", &"of; 2 more")]);
        assert_eq!(SHOP.text(&message), "1 row of \"a of \\\"b\\\" have no c\" have no of; 2 more");
        assert_eq!(SHOP.read(&SHOP.text(&message)).map(|read| read.len()), Some(2), "a remark that a name happens to say");
        let plain = Message::new("rows", &[("rows", &12), ("table", &"orders"), ("column", &"date")]);
        assert_eq!(SHOP.read("12 rows of orders have no date"), Some(vec![plain]));
        assert_eq!(keys("12 rows of orders have no date; 3 more (the end)"), Some(vec!["rows", "more", "end"]));
        assert_eq!(keys("\"a\", \"b\" say [\"a\", \"b\", \"x\"] of nobody"), Some(vec!["names"]));
    }

    #[test]
    fn other_texts_are_left_alone() {
        for text in ["", "12 rows", "12 lines of orders have no date", "\"a\" say [\"b\", \"x\"] of nobody", "\"open"] {
            assert_eq!(keys(text), None, "{text}");
        }
        // As many readings as there are pairs of places must not take forever.
        let long = format!("1 row {}", " of have no".repeat(1_500));
        assert_eq!(keys(&format!("{long}\n; 1 les")), None);
    }

    #[test]
    fn names_end_at_their_last_quote() {
        assert_eq!(names("\"a\", \"b\\\\\" or \"c\\\"\" (d)"), [("\"a\"", 3), ("\"b\\\\\"", 10), ("\"c\\\"\"", 19)]);
        assert_eq!(names("\"a\", …)"), [("\"a\"", 3), ("…", 8)]);
        assert_eq!(names("a"), []);
    }
}
