//! HTML and SVG under construction. Text from outside goes through [`Markup::text`] and [`Markup::attr`] alone, which escape
//! it; what is written as it stands is part of the program.

use std::borrow::Cow;

use super::escape;
use super::language::{Piece, Sentence};

/// A piece of HTML or SVG.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markup(String);

impl Markup {
    /// Nothing yet.
    pub fn new() -> Markup {
        Markup::default()
    }

    /// Writes a piece of the program as it stands.
    pub fn raw(&mut self, literal: &'static str) -> &mut Markup {
        self.0.push_str(literal);
        self
    }

    /// Writes text, escaped; no amount in it is broken over lines.
    pub fn text(&mut self, text: &str) -> &mut Markup {
        self.0.push_str(&escape::markup(&unbroken(text)));
        self
    }

    /// Opens an element, or an empty one in SVG; attributes follow, then [`Markup::end`] or [`Markup::close`].
    pub fn begin(&mut self, name: &'static str) -> &mut Markup {
        self.0.push('<');
        self.0.push_str(name);
        self
    }

    /// An attribute with a text.
    pub fn attr(&mut self, name: &'static str, value: &str) -> &mut Markup {
        self.0.push_str(&format!(" {name}=\"{}\"", escape::markup(value)));
        self
    }

    /// An attribute with a number: at most two digits behind the point.
    pub fn number(&mut self, name: &'static str, value: f64) -> &mut Markup {
        self.0.push_str(&format!(" {name}=\"{}\"", short(value)));
        self
    }

    /// Ends the opening tag.
    pub fn end(&mut self) -> &mut Markup {
        self.0.push('>');
        self
    }

    /// Ends a tag without content.
    pub fn close(&mut self) -> &mut Markup {
        self.0.push_str("/>");
        self
    }

    /// An element that holds a text.
    pub fn element(&mut self, name: &'static str, text: &str) -> &mut Markup {
        self.begin(name).end().text(text);
        self.0.push_str(&format!("</{name}>"));
        self
    }

    /// Adds markup.
    pub fn append(&mut self, other: &Markup) -> &mut Markup {
        self.0.push_str(&other.0);
        self
    }

    /// A sentence; what was filled in stands out.
    pub fn sentence(&mut self, sentence: &Sentence) -> &mut Markup {
        for piece in &sentence.0 {
            match piece {
                Piece::Fixed(text) => self.text(text),
                Piece::Filled(text) => self.element("b", text),
            };
        }
        self
    }

    /// A paragraph of sentences.
    pub fn paragraph(&mut self, sentences: &[Sentence], space: &str) -> &mut Markup {
        self.raw("<p>");
        for (number, sentence) in sentences.iter().enumerate() {
            if number > 0 {
                self.text(space);
            }
            self.sentence(sentence);
        }
        self.raw("</p>\n")
    }

    /// Writes JSON, so that it can stand in a `<script>` element.
    pub fn json(&mut self, value: &serde_json::Value) -> &mut Markup {
        self.0.push_str(&escape::json(&value.to_string()));
        self
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// The word joiner: no line is broken where it stands, and nobody sees it.
const JOINER: char = '\u{2060}';

/// The text with a joiner wherever lines may be broken within an amount (Unicode Standard Annex 14): between a sign and the
/// mark of a currency, and between digits and a Chinese unit.
fn unbroken(text: &str) -> Cow<'_, str> {
    if !text.contains(['+', '−', '万', '亿', '萬', '億', '元', '円', '圆', '圓', '원']) {
        return Cow::Borrowed(text);
    }
    let letters: Vec<char> = text.chars().collect();
    let at = |place: usize| letters.get(place).copied().unwrap_or(' ');
    let is_mark = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
    let is_scale = |c: char| matches!(c, '万' | '亿' | '萬' | '億');
    let is_unit = |c: char| is_scale(c) || matches!(c, '元' | '円' | '圆' | '圓' | '원');
    let mut out = String::with_capacity(text.len() + 16);
    for (place, &letter) in letters.iter().enumerate() {
        let before = |back: usize| place.checked_sub(back).map_or(' ', at);
        let is_signed_mark =
            matches!(before(1), '+' | '−') && !before(2).is_alphanumeric() && is_mark(letter) && at(place + 1).is_ascii_digit();
        let is_after_digit = before(1).is_ascii_digit() || is_scale(before(1)) && before(2).is_ascii_digit();
        if is_signed_mark || is_unit(letter) && is_after_digit {
            out.push(JOINER);
        }
        out.push(letter);
    }
    Cow::Owned(out)
}

/// A coordinate: at most two digits behind the point, without trailing zeros; 0 if it is not finite.
pub fn short(value: f64) -> String {
    if !value.is_finite() {
        return "0".into();
    }
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::unbroken;

    #[test]
    fn amounts_hold_together() {
        for (text, joined) in [
            ("At Risk +£1.73 (−£0.46 to £1.04)", "At Risk +|£1.73 (−|£0.46 to £1.04)"),
            ("（−£1.29 至 £0.91）、+$5", "（−|£1.29 至 £0.91）、+|$5"),
            ("12.3万元、5元、−8亿、3.5%", "12.3|万|元、5|元、−8|亿、3.5%"),
            // No amounts; letters and digits hold to signs by themselves.
            ("R+F, a+£, −5, +3.2%, 一万, 1+(2)", "R+F, a+£, −5, +3.2%, 一万, 1+(2)"),
            ("2024年第2季度", "2024年第2季度"),
        ] {
            assert_eq!(unbroken(text), joined.replace('|', "\u{2060}"), "{text}");
        }
    }
}
