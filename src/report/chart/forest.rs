//! Estimates with their intervals (a forest plot). Where there is no estimate, the reason stands in its place.

use super::scale::{Scale, ticks};
use super::{Anchor, Canvas, Chart, Ink, Mark, Width, words};

/// An estimate.
#[derive(Debug, Clone)]
pub struct ForestRow {
    /// Its name.
    pub label: String,
    /// Estimate, lower and upper end; `None` if there is none.
    pub estimate: Option<[f64; 3]>,
    /// The numbers, or the reason why there are none.
    pub text: String,
    /// Colour of its state.
    pub ink: Ink,
    /// Whether it sums up the others.
    pub total: bool,
    /// What it stands for.
    pub mark: Mark,
}

/// Estimates on one axis.
pub struct ForestPlot<'a> {
    /// Rows from top to bottom.
    pub rows: Vec<ForestRow>,
    /// What the axis shows.
    pub axis: String,
    /// How numbers of the axis are written.
    pub tick: &'a dyn Fn(f64) -> String,
}

impl ForestPlot<'_> {
    /// Ends of the axis: zero and all intervals, save that an interval many times wider than the others is cut.
    fn range(&self) -> [f64; 2] {
        let mut sizes: Vec<f64> =
            self.rows.iter().filter_map(|r| r.estimate).map(|[_, low, high]| low.abs().max(high.abs())).collect();
        sizes.sort_by(f64::total_cmp);
        let middle = sizes.get(sizes.len() / 2).copied().unwrap_or(1.0);
        let limit = (middle * 6.0).max(f64::MIN_POSITIVE);
        let ends = self.rows.iter().filter_map(|r| r.estimate);
        let (low, high) = ends.fold((0.0f64, 0.0f64), |(l, h), [_, low, high]| (l.min(low), h.max(high)));
        [low.max(-limit), high.min(limit)]
    }
}

/// Distance of the lines of a text.
const LINE: f64 = 15.0;

impl Chart for ForestPlot<'_> {
    fn draw(&self, width: Width) -> Canvas {
        let units = width.units();
        let wide = width == Width::Wide;
        let (left, right) = if wide {
            let label = (words::longest(self.rows.iter().map(|r| &*r.label), 13.0) + 16.0).clamp(110.0, 220.0);
            (label, units - 236.0)
        } else {
            (26.0, units - 26.0)
        };
        // A wide chart has name and numbers beside the interval, a narrow one above and below it.
        let (label_room, text_room) = if wide { (left - 14.0, units - right - 12.0) } else { (units, units) };
        let texts: Vec<[Vec<String>; 2]> = (self.rows.iter())
            .map(|of| [words::wrap(&of.label, 13.0, label_room), words::wrap(&of.text, 11.5, text_room)])
            .collect();
        let height = |[label, text]: &[Vec<String>; 2]| match wide {
            true => (label.len().max(text.len()) as f64 * LINE + 13.0).max(28.0),
            false => (label.len() + text.len()) as f64 * LINE + 28.0,
        };
        let top = 8.0;
        let bottom = top + texts.iter().map(height).sum::<f64>();
        let mut canvas = Canvas::new(units, bottom + 40.0);
        let [low, high] = self.range();
        let marks = ticks(low, high, if wide { 5 } else { 4 });
        let ends = [marks.first().copied().unwrap_or(0.0), marks.last().copied().unwrap_or(1.0)];
        let scale = Scale::new(ends, [left, right]);
        for mark in &marks {
            let class = if *mark == 0.0 { "axis" } else { "grid" };
            canvas.line([scale.at(*mark), top, scale.at(*mark), bottom], class);
            canvas.text(scale.at(*mark), bottom + 15.0, Anchor::Middle, "small", &(self.tick)(*mark));
        }
        canvas.text(
            (left + right) / 2.0,
            bottom + 33.0,
            Anchor::Middle,
            "soft",
            &words::fit(&self.axis, 12.0, right - left + 60.0),
        );
        let mut next = top;
        for (of, both) in self.rows.iter().zip(&texts) {
            let [label, text] = both;
            let y = next;
            next += height(both);
            let class = if of.total { "strong" } else { "" };
            let text_class = if of.estimate.is_some() { "small" } else { "small soft" };
            let middle = if wide {
                let middle = y + height(both) / 2.0;
                let first = |lines: &Vec<String>| middle + 4.5 - LINE / 2.0 * (lines.len() as f64 - 1.0);
                canvas.lines([left - 10.0, first(label), LINE], Anchor::End, class, label);
                canvas.lines([right + 12.0, first(text), LINE], Anchor::Start, text_class, text);
                middle
            } else {
                canvas.lines([0.0, y + 13.0, LINE], Anchor::Start, class, label);
                let middle = y + label.len() as f64 * LINE + 10.0;
                canvas.lines([0.0, middle + 19.0, LINE], Anchor::Start, text_class, text);
                middle
            };
            let Some([estimate, low, high]) = of.estimate else { continue };
            let within = |v: f64| scale.at(v.clamp(ends[0], ends[1]));
            canvas.line([within(low), middle, within(high), middle], "interval");
            for (end, cut, turn) in [(low, low < ends[0], 5.0), (high, high > ends[1], -5.0)] {
                let x = within(end);
                if cut {
                    canvas.polyline(&[(x + turn, middle - 4.0), (x, middle), (x + turn, middle + 4.0)], "interval");
                } else {
                    canvas.line([x, middle - 4.0, x, middle + 4.0], "interval");
                }
            }
            let radius = if of.total { 6.5 } else { 5.0 };
            canvas.dot(within(estimate), middle, radius, &of.ink, &of.mark);
        }
        canvas
    }
}
