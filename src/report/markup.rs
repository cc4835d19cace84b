//! HTML and SVG under construction. Text from outside goes through [`Markup::text`] and [`Markup::attr`] alone, which escape
//! it; what is written as it stands is part of the program.

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

    /// Writes text, escaped.
    pub fn text(&mut self, text: &str) -> &mut Markup {
        self.0.push_str(&escape::markup(text));
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

/// A coordinate: at most two digits behind the point, without trailing zeros; 0 if it is not finite.
pub fn short(value: f64) -> String {
    if !value.is_finite() {
        return "0".into();
    }
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}
