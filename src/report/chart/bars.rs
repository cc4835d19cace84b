//! Bars in rows, those of a row one below the other: a share of the customers and a share of the revenue, say.

use super::{Anchor, Canvas, Chart, Ink, Mark, Width, words};

/// A bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// Its length; `None` draws nothing.
    pub value: Option<f64>,
    /// What stands behind it.
    pub text: String,
    /// What it stands for.
    pub mark: Mark,
}

/// Rows of bars.
#[derive(Debug, Clone)]
pub struct BarChart {
    /// Label, ink and bars of every row.
    pub rows: Vec<(String, Ink, Vec<Bar>)>,
    /// What the bars of a row are.
    pub names: Vec<String>,
}

/// Distance of the lines of a name.
const LINE: f64 = 16.0;

impl Chart for BarChart {
    fn draw(&self, width: Width) -> Canvas {
        let units = width.units();
        let wide = width == Width::Wide;
        let label = if wide { (words::longest(self.rows.iter().map(|r| &*r.0), 13.0) + 14.0).clamp(110.0, 230.0) } else { 0.0 };
        let room = if wide { 150.0 } else { 118.0 };
        let names: Vec<Vec<String>> =
            self.rows.iter().map(|r| words::wrap(&r.0, 13.0, if wide { label - 14.0 } else { units })).collect();
        // A wide chart has its names beside the bars, a narrow one above them.
        let bars = LINE * self.names.len() as f64;
        let height = |name: &Vec<String>| {
            let lines = name.len() as f64 * LINE;
            if wide { lines.max(bars) + 10.0 } else { lines + bars + 8.0 }
        };
        let top = 26.0;
        let mut canvas = Canvas::new(units, top + names.iter().map(height).sum::<f64>());
        let longest = self.rows.iter().flat_map(|r| r.2.iter()).filter_map(|b| b.value).fold(0.0, f64::max);
        let mut at = label;
        for (name, class) in self.names.iter().zip(["key", "key half"]) {
            canvas.rectangle([at, 4.0, 12.0, 12.0], &Ink::Class(class), "", None);
            canvas.text(at + 17.0, 14.0, Anchor::Start, "soft", name);
            at += 34.0 + words::width(name, 12.0);
        }
        let mut y = top;
        for ((_, ink, of_row), name) in self.rows.iter().zip(&names) {
            let first = if wide {
                canvas.lines(
                    [label - 10.0, y + 13.0 + (bars - LINE * name.len() as f64).max(0.0) / 2.0, LINE],
                    Anchor::End,
                    "",
                    name,
                );
                y + 3.0
            } else {
                canvas.lines([0.0, y + 13.0, LINE], Anchor::Start, "", name);
                y + name.len() as f64 * LINE + 4.0
            };
            for (place, bar) in of_row.iter().enumerate() {
                let y = first + 16.0 * place as f64;
                let length = match bar.value {
                    Some(value) if longest > 0.0 => (value.max(0.0) / longest * (units - label - room)).max(1.0),
                    _ => 0.0,
                };
                let class = if place == 0 { "bar" } else { "bar half" };
                canvas.rectangle([label, y, length, 13.0], ink, class, Some(&bar.mark));
                canvas.text(label + length + 6.0, y + 11.0, Anchor::Start, "small", &bar.text);
            }
            y += height(name);
        }
        canvas
    }
}
