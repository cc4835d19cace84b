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

impl Chart for ForestPlot<'_> {
    fn draw(&self, width: Width) -> Canvas {
        let units = width.units();
        let wide = width == Width::Wide;
        let (left, right, row) = if wide { (172.0, units - 236.0, 28.0) } else { (26.0, units - 26.0, 58.0) };
        let top = 8.0;
        let bottom = top + row * self.rows.len() as f64;
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
        for (number, of) in self.rows.iter().enumerate() {
            let y = top + row * number as f64;
            let class = if of.total { "strong" } else { "" };
            let middle = if wide {
                canvas.text(left - 10.0, y + 18.5, Anchor::End, class, &words::fit(&of.label, 13.0, left - 14.0));
                y + row / 2.0
            } else {
                canvas.text(0.0, y + 14.0, Anchor::Start, class, &words::fit(&of.label, 13.0, units));
                y + 27.0
            };
            let (x, line) = if wide { (right + 12.0, y + 18.5) } else { (0.0, y + 47.0) };
            let room = if wide { units - right - 12.0 } else { units };
            let class = if of.estimate.is_some() { "small" } else { "small soft" };
            canvas.text(x, line, Anchor::Start, class, &words::fit(&of.text, 11.5, room));
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
