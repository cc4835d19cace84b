//! Tables of the page. A click on a head sorts them (`sort.js`).

use super::verdict::icon;
use crate::domain::Decimal;
use crate::report::colour::Colour;
use crate::report::markup::Markup;
use crate::report::number::NOTHING;
use crate::report::view::View;

/// Text up to this width stays on one line; East Asian characters count twice.
const SHORT: usize = 22;

/// Text from this width on gets a broad column, so that it does not become a column of words.
const LONG: usize = 30;

/// The class of a cell with this text.
fn class(text: &str) -> &'static str {
    match text.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum::<usize>() {
        0..=SHORT => "short",
        LONG.. => "long",
        _ => "",
    }
}

/// A cell.
#[derive(Debug, Clone, Default)]
pub(super) struct GridCell {
    text: String,
    /// What it is sorted by, if not by its text.
    sort: Option<String>,
    /// Before the text.
    icon: Option<Markup>,
    /// A file beside the page that the text leads to.
    link: Option<String>,
    number: bool,
    /// Smaller, below the text.
    note: String,
}

impl GridCell {
    /// Text.
    pub fn text(text: impl Into<String>) -> GridCell {
        GridCell { text: text.into(), ..GridCell::default() }
    }

    /// The label of a state, with its colour.
    pub fn state(label: impl Into<String>, colour: Option<&Colour>) -> GridCell {
        GridCell { text: label.into(), icon: colour.map(swatch), ..GridCell::default() }
    }

    /// A verdict with its shape.
    pub fn verdict(verdict: &str, word: impl Into<String>) -> GridCell {
        GridCell { text: word.into(), icon: Some(icon(verdict)), ..GridCell::default() }
    }

    /// A file beside the page.
    pub fn link(text: impl Into<String>, file: impl Into<String>) -> GridCell {
        GridCell { text: text.into(), link: Some(file.into()), ..GridCell::default() }
    }

    /// The same with something smaller below.
    pub fn with_note(self, note: impl Into<String>) -> GridCell {
        GridCell { note: note.into(), ..self }
    }

    /// A number that is written as `text`.
    pub fn number(text: String, value: f64) -> GridCell {
        GridCell { text, sort: Some(format!("{value}")), number: true, ..GridCell::default() }
    }

    fn nothing(text: &str) -> GridCell {
        GridCell { text: text.to_owned(), sort: Some(String::new()), number: true, ..GridCell::default() }
    }
}

/// How cells of numbers are written; a number that is not there because it was suppressed says so.
pub(super) struct CellWriter<'a> {
    view: &'a View<'a>,
    suppressed: bool,
}

impl<'a> CellWriter<'a> {
    /// Writes the cells of a row, which may have suppressed numbers.
    pub fn of(view: &'a View<'a>, suppressed: bool) -> CellWriter<'a> {
        CellWriter { view, suppressed }
    }

    fn maybe<T: Copy>(&self, value: Option<T>, write: impl Fn(T) -> (String, f64)) -> GridCell {
        match value {
            Some(value) => {
                let (text, sort) = write(value);
                GridCell::number(text, sort)
            }
            None => GridCell::nothing(if self.suppressed { self.view.words.text("suppressed") } else { NOTHING }),
        }
    }

    /// A count.
    pub fn count(&self, n: Option<i64>) -> GridCell {
        self.maybe(n, |n| (self.view.format.count(n), n as f64))
    }

    /// A change of a count, with its sign.
    pub fn change(&self, n: Option<i64>) -> GridCell {
        self.maybe(n, |n| (self.view.format.change(n as f64, |x| self.view.format.count(x as i64)), n as f64))
    }

    /// Two counts, sorted by the first.
    pub fn pair(&self, a: Option<i64>, b: Option<i64>) -> GridCell {
        let both = a.zip(b);
        self.maybe(both, |(a, b)| (format!("{} / {}", self.view.format.count(a), self.view.format.count(b)), a as f64))
    }

    /// A share.
    pub fn share(&self, x: Option<f64>) -> GridCell {
        self.maybe(x, |x| (self.view.format.percent(x, 1), x))
    }

    /// A float.
    pub fn float(&self, x: Option<f64>, digits: usize) -> GridCell {
        self.maybe(x, |x| (self.view.format.float(x, digits), x))
    }

    /// Money with its cents and its currency.
    pub fn money(&self, money: Option<Decimal>) -> GridCell {
        self.maybe(money, |m| (self.view.format.money(m, 2), m.to_f64()))
    }

    /// Money in a few digits, with its currency.
    pub fn money_short(&self, money: Option<Decimal>) -> GridCell {
        self.maybe(money, |m| (self.view.format.money_short(m), m.to_f64()))
    }

    /// A p-value.
    pub fn p(&self, p: Option<f64>) -> GridCell {
        self.maybe(p, |p| (self.view.format.p(p), p))
    }

    /// A number that is written by `write`.
    pub fn written(&self, x: Option<f64>, write: impl Fn(f64) -> String) -> GridCell {
        self.maybe(x, |x| (write(x), x))
    }

    /// Something with an interval below it, each written by `write`.
    pub fn interval(&self, [value, low, high]: [Option<f64>; 3], write: impl Fn(f64) -> String) -> GridCell {
        let ends =
            low.zip(high).map(|(low, high)| self.view.words.fill("interval", &[("low", &write(low)), ("high", &write(high))]));
        let cell = self.maybe(value, |x| (self.view.format.change(x, &write), x));
        GridCell { note: if value.is_some() { ends.unwrap_or_default() } else { String::new() }, ..cell }
    }
}

/// A table.
#[derive(Debug, Clone, Default)]
pub(super) struct Grid {
    head: Vec<String>,
    rows: Vec<Vec<GridCell>>,
}

impl Grid {
    /// A table with these heads, which are keys of messages.
    pub fn new(view: &View, keys: &[&str]) -> Grid {
        Grid { head: keys.iter().map(|key| view.words.text(key).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a head that is no message.
    pub fn head(&mut self, text: impl Into<String>) {
        self.head.push(text.into());
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<GridCell>) {
        self.rows.push(cells);
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// As HTML, under this title, which screen readers say. It scrolls sideways in a box that keys can reach.
    pub fn write(&self, title: &str) -> Markup {
        let mut out = Markup::new();
        out.begin("div")
            .attr("class", "table scroll")
            .attr("role", "group")
            .attr("tabindex", "0")
            .attr("aria-label", title)
            .end();
        out.raw("<table><thead><tr>");
        for (number, head) in self.head.iter().enumerate() {
            let numeric = self.rows.first().and_then(|r| r.get(number)).is_some_and(|c| c.number);
            out.raw(if numeric { "<th scope=\"col\" class=\"n\">" } else { "<th scope=\"col\">" });
            out.raw("<button type=\"button\">").text(head).raw("</button></th>");
        }
        out.raw("</tr></thead>\n<tbody>");
        for row in &self.rows {
            out.raw("<tr>");
            for cell in row {
                out.begin("td");
                let class = if cell.number { "n" } else { class(&cell.text) };
                if !class.is_empty() {
                    out.attr("class", class);
                }
                if let Some(sort) = &cell.sort {
                    out.attr("data-v", sort);
                }
                out.end();
                if let Some(icon) = &cell.icon {
                    out.append(icon);
                }
                match &cell.link {
                    Some(file) => out.begin("a").attr("href", file).end().text(&cell.text).raw("</a>"),
                    None => out.text(&cell.text),
                };
                if !cell.note.is_empty() {
                    out.element("small", &cell.note);
                }
                out.raw("</td>");
            }
            out.raw("</tr>\n");
        }
        out.raw("</tbody></table></div>\n");
        out
    }
}

/// A small square of a colour.
pub(super) fn swatch(colour: &Colour) -> Markup {
    let mut out = Markup::new();
    out.raw("<svg class=\"swatch\" width=\"11\" height=\"11\" aria-hidden=\"true\">");
    out.begin("rect").attr("width", "11").attr("height", "11").attr("fill", colour.as_str()).close().raw("</svg>");
    out
}
