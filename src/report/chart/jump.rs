//! Means by distance from a cut, with a line fitted on each side and the interval of the jump between them.

use super::columns::axis_room;
use super::scale::{Scale, ticks};
use super::{Anchor, Canvas, Chart, Ink, Mark, Width, words};

/// A mean.
#[derive(Debug, Clone)]
pub struct JumpDot {
    /// Where it stands.
    pub at: f64,
    /// Its value.
    pub value: f64,
    /// What it stands for.
    pub mark: Mark,
}

/// Means and lines on both sides of a cut.
pub struct JumpChart<'a> {
    /// The means.
    pub dots: Vec<JumpDot>,
    /// From the left side's farthest point to the cut, and from there to the right side's farthest.
    pub lines: [[(f64, f64); 2]; 2],
    /// Where the line of the right side may begin, by the interval of the jump.
    pub interval: [f64; 2],
    /// What the horizontal and the vertical axis show.
    pub axes: [String; 2],
    /// How numbers of the horizontal axis are written.
    pub tick_at: &'a dyn Fn(f64) -> String,
    /// How numbers of the vertical axis are written.
    pub tick_value: &'a dyn Fn(f64) -> String,
}

impl JumpChart<'_> {
    /// Ends of the vertical axis.
    fn range(&self) -> [f64; 2] {
        let of_lines = self.lines.iter().flatten().map(|(_, value)| *value);
        let values = self.dots.iter().map(|dot| dot.value).chain(of_lines).chain(self.interval);
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| [low.min(value), high.max(value)])
    }
}

impl Chart for JumpChart<'_> {
    fn draw(&self, width: Width) -> Canvas {
        let units = width.units();
        let (top, plot) = (28.0, 230.0);
        let bottom = top + plot;
        let mut canvas = Canvas::new(units, bottom + 40.0);
        let [low, high] = self.range();
        let marks = ticks(low, high, 5);
        let ends = [marks.first().copied().unwrap_or(0.0), marks.last().copied().unwrap_or(1.0)];
        let down = Scale::new(ends, [bottom, top]);
        let (left, right) = (axis_room(&marks, self.tick_value), units - 12.0);
        for mark in &marks {
            let class = if *mark == 0.0 { "axis" } else { "grid" };
            canvas.line([left, down.at(*mark), right, down.at(*mark)], class);
            canvas.text(left - 6.0, down.at(*mark) + 4.0, Anchor::End, "small", &(self.tick_value)(*mark));
        }
        let [[from, cut], [_, to]] = self.lines;
        let across = Scale::new([from.0, to.0], [left, right]);
        // Only round numbers between the ends have room.
        for mark in ticks(from.0, to.0, if width == Width::Wide { 6 } else { 4 }) {
            if (from.0..=to.0).contains(&mark) {
                canvas.text(across.at(mark), bottom + 15.0, Anchor::Middle, "small", &(self.tick_at)(mark));
            }
        }
        canvas.text(0.0, top - 12.0, Anchor::Start, "soft", &words::fit(&self.axes[1], 12.0, units));
        canvas.text((left + right) / 2.0, bottom + 33.0, Anchor::Middle, "soft", &words::fit(&self.axes[0], 12.0, right - left));
        let at_cut = across.at(cut.0);
        canvas.line([at_cut, top, at_cut, bottom], "axis");
        for (line, class) in self.lines.iter().zip(["line l2", "line l1"]) {
            let points: Vec<(f64, f64)> = line.iter().map(|(at, value)| (across.at(*at), down.at(*value))).collect();
            canvas.polyline(&points, class);
        }
        let [low, high] = self.interval.map(|end| down.at(end));
        canvas.line([at_cut, low, at_cut, high], "interval");
        for end in [low, high] {
            canvas.line([at_cut - 4.0, end, at_cut + 4.0, end], "interval");
        }
        for dot in &self.dots {
            let class = if dot.at < cut.0 { "d2" } else { "d1" };
            canvas.dot(across.at(dot.at), down.at(dot.value), 4.0, &Ink::Class(class), &dot.mark);
        }
        canvas
    }
}
