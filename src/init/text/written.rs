//! Names and values as TOML and SQL write them.

use crate::init::rows::Stored;

/// A string of TOML.
pub fn string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A list of strings of TOML; a single one alone.
pub fn one_or_many(texts: &[String]) -> String {
    match texts {
        [one] => string(one),
        many => list(many),
    }
}

/// A list of strings of TOML.
pub fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| string(text)).collect::<Vec<_>>().join(", "))
}

/// A list of values of a column, as predicates compare them.
pub fn values(values: &[String], stored: &Stored, is_queried_text: bool) -> String {
    let is_number = matches!(stored, Stored::Integer | Stored::Boolean) && !is_queried_text;
    let value = |text: &String| if is_number { text.clone() } else { string(text) };
    format!("[{}]", values.iter().map(value).collect::<Vec<_>>().join(", "))
}

/// A text of several lines of TOML.
pub fn lines(text: &str) -> String {
    match text.contains("'''") {
        true => string(text),
        false => format!("'''\n{text}\n'''"),
    }
}

/// A column in SQL; `is_field` is whether points lead to it through structs.
pub fn column(name: &str, is_field: bool) -> String {
    let is_plain = |part: &str| {
        part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    };
    let part = |part: &str| if is_plain(part) { part.to_owned() } else { quoted(part) };
    match is_field {
        true => name.split('.').map(part).collect::<Vec<_>>().join("."),
        false => quoted(name),
    }
}

/// A name in SQL.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A comment of lines that are not too long, each of which begins with a mark.
pub fn comment(mark: &str, text: &str) -> String {
    let mut out = String::new();
    let mut line = String::new();
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && line.chars().count() + word.chars().count() + mark.len() > WIDTH {
            out += &format!("{mark} {line}\n");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    if !line.is_empty() {
        out += &format!("{mark} {line}\n");
    }
    out
}

/// Characters of a line of comment.
const WIDTH: usize = 110;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_can_be_written() {
        for name in ["Total", "a \"b\"", "c:\\d", "订单号", "tab\there"] {
            let read: toml::Table = toml::from_str(&format!("x = {}", string(name))).expect("TOML");
            assert_eq!(read["x"].as_str(), Some(name));
        }
        assert_eq!(one_or_many(&["a".into()]), "\"a\"");
        assert_eq!(one_or_many(&["a".into(), "b".into()]), "[\"a\", \"b\"]");
        assert_eq!(column("buyer.email", true), "buyer.email");
        assert_eq!(column("buyer.email", false), "\"buyer.email\"");
        assert_eq!(column("Kunden-Nr.", false), "\"Kunden-Nr.\"");
        assert_eq!(column("buyer.Kunden-Nr", true), "buyer.\"Kunden-Nr\"");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }

    #[test]
    fn comments_stay_comments() {
        assert_eq!(comment("#", "one\ntwo = 3"), "# one two = 3\n");
        let long = comment("# ?", &"word ".repeat(60));
        assert!(long.lines().count() > 1 && long.lines().all(|line| line.starts_with("# ? word") && line.len() <= 115));
    }
}
