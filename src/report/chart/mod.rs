//! Charts as static SVG: pure functions from plain data to markup. They know nothing of tables, languages or pages; texts come
//! in ready to print. Every chart can be drawn wide and narrow, so that its words keep their size on a phone.

mod band;
mod bars;
mod columns;
mod flows;
mod forest;
mod heat;
mod jump;
mod lines;
mod scale;
mod words;

pub use band::{BandChart, BandPoint};
pub use bars::{Bar, BarChart};
pub use columns::{ColumnChart, Series};
pub use flows::{FlowChart, Link, Node};
pub use forest::{ForestPlot, ForestRow};
pub use heat::{HeatCell, HeatMap};
pub use jump::{JumpChart, JumpDot};
pub use lines::{Line, LineChart};

use super::colour::Colour;
use super::markup::Markup;

/// How wide a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// For screens and paper: 760 units.
    Wide,
    /// For phones: 358 units.
    Narrow,
    /// Beside something else on any screen: 358 units.
    Compact,
}

impl Width {
    /// In units, which are pixels at natural size.
    pub fn units(self) -> f64 {
        match self {
            Width::Wide => 760.0,
            Width::Narrow | Width::Compact => 358.0,
        }
    }
}

/// What fills a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ink {
    /// The colour of a state.
    State(Colour),
    /// A class of the style sheet, which knows light and dark.
    Class(&'static str),
}

/// What a chart is called.
#[derive(Debug, Clone)]
pub struct Caption {
    /// Unique in the page.
    pub id: String,
    /// Title, for screen readers.
    pub title: String,
    /// What it shows in words, for screen readers.
    pub description: String,
}

/// A chart.
pub trait Chart {
    /// Draws it.
    fn draw(&self, width: Width) -> Canvas;
}

/// A chart as an `<svg>` element.
pub fn svg(chart: &dyn Chart, caption: &Caption, width: Width) -> Markup {
    let canvas = chart.draw(width);
    let suffix = match width {
        Width::Wide => "wide",
        Width::Narrow => "narrow",
        Width::Compact => "compact",
    };
    let (title, description) = (format!("{}-{suffix}-title", caption.id), format!("{}-{suffix}-text", caption.id));
    let mut out = Markup::new();
    out.begin("svg").attr("class", &format!("chart {suffix}")).attr("role", "img");
    out.attr("data-chart", &caption.id);
    out.attr("viewBox", &format!("0 0 {} {}", canvas.width.ceil(), canvas.height.ceil()));
    out.number("width", canvas.width.ceil()).number("height", canvas.height.ceil());
    out.attr("aria-labelledby", &format!("{title} {description}")).end();
    out.begin("title").attr("id", &title).end().text(&caption.title).raw("</title>");
    out.begin("desc").attr("id", &description).end().text(&caption.description).raw("</desc>");
    out.append(&canvas.body).raw("</svg>");
    out
}

/// Where text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Begins there.
    Start,
    /// Is centred there.
    Middle,
    /// Ends there.
    End,
}

/// A drawing.
#[derive(Debug, Clone)]
pub struct Canvas {
    width: f64,
    height: f64,
    body: Markup,
}

impl Canvas {
    fn new(width: f64, height: f64) -> Canvas {
        Canvas { width, height, body: Markup::new() }
    }

    /// A rectangle. `mark` names what it stands for and its value, for readers of the file; `tip` shows when pointed at.
    fn rectangle(&mut self, [x, y, width, height]: [f64; 4], ink: &Ink, class: &str, mark: Option<&Mark>) {
        self.body.begin("rect").number("x", x).number("y", y).number("width", width.max(0.0)).number("height", height.max(0.0));
        self.paint(ink, class);
        self.mark_and_close("rect", mark);
    }

    /// A closed path.
    fn area(&mut self, path: &str, ink: &Ink, class: &str, mark: Option<&Mark>) {
        self.body.begin("path").attr("d", path);
        self.paint(ink, class);
        self.mark_and_close("path", mark);
    }

    fn paint(&mut self, ink: &Ink, class: &str) {
        match ink {
            Ink::State(colour) => {
                self.body.attr("fill", colour.as_str());
                if !class.is_empty() {
                    self.body.attr("class", class);
                }
            }
            Ink::Class(ink) => {
                self.body.attr("class", format!("{ink} {class}").trim());
            }
        }
    }

    fn mark_and_close(&mut self, name: &'static str, mark: Option<&Mark>) {
        let Some(mark) = mark else {
            self.body.close();
            return;
        };
        self.body.attr("data-k", &mark.key);
        if let Some(value) = mark.value {
            self.body.attr("data-v", &format!("{value}"));
        }
        self.body.end().element("title", &mark.tip);
        self.body.raw(if name == "rect" { "</rect>" } else { "</path>" });
    }

    /// A line.
    fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], class: &str) {
        self.body.begin("line").number("x1", x1).number("y1", y1).number("x2", x2).number("y2", y2).attr("class", class).close();
    }

    /// A line through points.
    fn polyline(&mut self, points: &[(f64, f64)], class: &str) {
        let path: Vec<String> =
            points.iter().map(|(x, y)| format!("{},{}", super::markup::short(*x), super::markup::short(*y))).collect();
        self.body.begin("polyline").attr("points", &path.join(" ")).attr("class", class).close();
    }

    /// A dot.
    fn dot(&mut self, x: f64, y: f64, radius: f64, ink: &Ink, mark: &Mark) {
        self.body.begin("circle").number("cx", x).number("cy", y).number("r", radius);
        self.paint(ink, "");
        self.body.attr("data-k", &mark.key);
        if let Some(value) = mark.value {
            self.body.attr("data-v", &format!("{value}"));
        }
        self.body.end().element("title", &mark.tip).raw("</circle>");
    }

    /// Lines of text, the first one at `y`, so far apart.
    fn lines(&mut self, [x, y, step]: [f64; 3], anchor: Anchor, class: &str, lines: &[String]) {
        for (number, line) in lines.iter().enumerate() {
            self.text(x, y + step * number as f64, anchor, class, line);
        }
    }

    /// Text of one line.
    fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        self.body.begin("text").number("x", x).number("y", y);
        match anchor {
            Anchor::Start => {}
            Anchor::Middle => {
                self.body.attr("text-anchor", "middle");
            }
            Anchor::End => {
                self.body.attr("text-anchor", "end");
            }
        }
        if !class.is_empty() {
            self.body.attr("class", class);
        }
        self.body.end().text(text).raw("</text>");
    }
}

/// What a shape stands for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mark {
    /// Its name in the tables: a state, a pair of states, a period.
    pub key: String,
    /// Its value in the tables.
    pub value: Option<f64>,
    /// Shown when pointed at.
    pub tip: String,
}

#[cfg(test)]
mod tests;
