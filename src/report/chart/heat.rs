//! A table whose cells are tinted by their numbers: transition matrix, cohort triangle.

use super::{Anchor, Canvas, Chart, Ink, Mark, Width, words};

/// A cell.
#[derive(Debug, Clone)]
pub struct HeatCell {
    /// How strong its tint is, 0 to 1.
    pub strength: f64,
    /// The number in it.
    pub text: String,
    /// The same for a narrow chart.
    pub short: String,
    /// What it stands for.
    pub mark: Mark,
}

/// Rows of cells.
#[derive(Debug, Clone)]
pub struct HeatMap {
    /// What the rows are.
    pub row_title: String,
    /// What the columns are.
    pub column_title: String,
    /// Labels of the rows, with the colour of a state if they are states.
    pub rows: Vec<(String, Option<Ink>)>,
    /// Labels of the columns: long for a wide chart, short for a narrow one.
    pub columns: Vec<(String, String)>,
    /// Cells by row; `None` leaves a gap.
    pub cells: Vec<Vec<Option<HeatCell>>>,
}

/// Distance of the lines of a name.
const LINE: f64 = 13.5;

impl Chart for HeatMap {
    fn draw(&self, width: Width) -> Canvas {
        let wide = width == Width::Wide;
        let size = if wide { 12.5 } else { 11.0 };
        let longest = self.rows.iter().map(|(label, _)| words::width(label, size) + 26.0).fold(60.0, f64::max);
        let label = longest.min(if wide { 150.0 } else { 112.0 });
        let columns = self.columns.len().max(1) as f64;
        let cell = ((width.units() - label) / columns).clamp(if wide { 28.0 } else { 25.0 }, if wide { 72.0 } else { 44.0 });
        let room = |ink: &Option<Ink>| label - if ink.is_some() { 15.0 } else { 0.0 } - 6.0;
        let names: Vec<Vec<String>> = self.rows.iter().map(|(name, ink)| words::wrap(name, size, room(ink))).collect();
        let lines = names.iter().map(Vec::len).max().unwrap_or(1) as f64;
        let height = f64::max(if wide { 27.0 } else { 25.0 }, lines * LINE + 6.0);
        let heads: Vec<Vec<String>> = self
            .columns
            .iter()
            .map(|(long, short)| if wide { words::wrap(long, 10.5, cell + 5.0) } else { vec![short.clone()] })
            .collect();
        let lines = heads.iter().map(Vec::len).max().unwrap_or(1) as f64;
        let top = 24.0 + lines * 13.0 + 6.0;
        let mut canvas = Canvas::new((label + cell * columns).max(width.units()), top + height * self.rows.len() as f64 + 4.0);
        canvas.text(label, 13.0, Anchor::Start, "soft", &self.column_title);
        canvas.text(0.0, top - 8.0, Anchor::Start, "soft", &words::fit(&self.row_title, 12.0, label - 4.0));
        for (number, head) in heads.iter().enumerate() {
            let x = label + cell * (number as f64 + 0.5);
            for (line, text) in head.iter().enumerate() {
                let y = top - 8.0 - 13.0 * (head.len() - 1 - line) as f64;
                canvas.text(x, y, Anchor::Middle, "tiny", text);
            }
        }
        for (number, (((_, ink), name), cells)) in self.rows.iter().zip(&names).zip(&self.cells).enumerate() {
            let y = top + height * number as f64;
            let text_x = match ink {
                Some(ink) => {
                    canvas.rectangle([0.0, y + height / 2.0 - 5.5, 10.0, 10.0], ink, "block", None);
                    15.0
                }
                None => 0.0,
            };
            let class = if wide { "" } else { "small" };
            let first = y + height / 2.0 + 4.5 - LINE / 2.0 * (name.len() as f64 - 1.0);
            canvas.lines([text_x, first, LINE], Anchor::Start, class, name);
            for (place, of) in cells.iter().enumerate() {
                let Some(of) = of else { continue };
                let x = label + cell * place as f64;
                let strength = of.strength.clamp(0.0, 1.0);
                let step = (strength * 10.0).ceil() as usize;
                let tint = TINTS[step.min(TINTS.len() - 1)];
                canvas.rectangle([x + 0.75, y + 0.75, cell - 1.5, height - 1.5], &Ink::Class("heat"), tint, Some(&of.mark));
                let class = if step > 6 { "cell high" } else { "cell" };
                canvas.text(
                    x + cell / 2.0,
                    y + height / 2.0 + 4.0,
                    Anchor::Middle,
                    class,
                    if wide { &of.text } else { &of.short },
                );
            }
        }
        canvas
    }
}

/// Classes of the style sheet from no tint to full.
const TINTS: [&str; 11] = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10"];
