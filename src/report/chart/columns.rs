//! Stacked columns over periods; series may stand below the line.

use super::scale::{Scale, ticks};
use super::{Anchor, Canvas, Chart, Ink, Mark, Width, words};

/// A series of a value per period.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its colour.
    pub ink: Ink,
    /// Values, with what they stand for; `None` leaves a gap.
    pub values: Vec<Option<(f64, Mark)>>,
    /// Whether it stands below the line.
    pub below: bool,
}

/// Stacked columns.
pub struct ColumnChart<'a> {
    /// Names of the periods.
    pub periods: Vec<String>,
    /// Per period, whether its column is hatched: its numbers are not whole.
    pub hatched: Vec<bool>,
    /// From the line outwards.
    pub series: Vec<Series>,
    /// How numbers of the axis are written.
    pub tick: &'a dyn Fn(f64) -> String,
}

/// Names under an axis: as many as there is room for, the last one always, none beyond the edge.
pub(super) fn axis_names(canvas: &mut Canvas, names: &[String], x: &dyn Fn(usize) -> f64, y: f64, step: f64) {
    let room = |name: &String| words::width(name, 11.5) + 4.0;
    let widest = names.iter().map(room).fold(1.0, f64::max) + 6.0;
    let every = (widest / step.max(1.0)).ceil().max(1.0) as usize;
    for (number, name) in names.iter().enumerate() {
        if (names.len() - 1 - number).is_multiple_of(every) {
            let middle = x(number).min(canvas.width - room(name) / 2.0);
            canvas.text(middle, y, Anchor::Middle, "small", name);
        }
    }
}

/// Room that the numbers of an axis take at its left.
pub(super) fn axis_room(marks: &[f64], tick: &dyn Fn(f64) -> String) -> f64 {
    marks.iter().map(|m| words::width(&tick(*m), 11.5)).fold(0.0, f64::max) + 10.0
}

/// Distance of the lines of a hatching along the edges.
const HATCH: f64 = 7.0;

/// Slanting lines over a rectangle, given by left, top, right and bottom.
fn hatch(canvas: &mut Canvas, [left, top, right, bottom]: [f64; 4]) {
    // Along a line, x + y is the same.
    let mut sum = left + top + HATCH;
    while sum < right + bottom {
        let (low, high) = (bottom.min(sum - left), top.max(sum - right));
        canvas.line([sum - low, low, sum - high, high], "hatch");
        sum += HATCH;
    }
}

impl Chart for ColumnChart<'_> {
    fn draw(&self, width: Width) -> Canvas {
        let units = width.units();
        let (top, plot) = (10.0, 240.0);
        let mut canvas = Canvas::new(units, top + plot + 26.0);
        let sum = |below: bool, period: usize| -> f64 {
            let of = self.series.iter().filter(|s| s.below == below);
            of.filter_map(|s| s.values.get(period)?.as_ref()).map(|(v, _)| v.max(0.0)).sum()
        };
        let periods = self.periods.len();
        let high = (0..periods).map(|p| sum(false, p)).fold(0.0, f64::max);
        let low = (0..periods).map(|p| sum(true, p)).fold(0.0, f64::max);
        let marks = ticks(-low, high, 5);
        let (first, last) = (marks.first().copied().unwrap_or(0.0), marks.last().copied().unwrap_or(1.0));
        let scale = Scale::new([first, last], [top + plot, top]);
        let left = axis_room(&marks, self.tick);
        for mark in &marks {
            let class = if *mark == 0.0 { "axis" } else { "grid" };
            canvas.line([left, scale.at(*mark), units, scale.at(*mark)], class);
            canvas.text(left - 6.0, scale.at(*mark) + 4.0, Anchor::End, "small", &(self.tick)(*mark));
        }
        let step = (units - left) / periods.max(1) as f64;
        let thick = (step * 0.74).min(64.0);
        let centre = |number: usize| left + step * (number as f64 + 0.5);
        for period in 0..periods {
            let mut reached = [0.0, 0.0];
            for series in &self.series {
                let Some(Some((value, mark))) = series.values.get(period) else { continue };
                let side = usize::from(series.below);
                let sign = if series.below { -1.0 } else { 1.0 };
                let (a, b) = (scale.at(sign * reached[side]), scale.at(sign * (reached[side] + value.max(0.0))));
                reached[side] += value.max(0.0);
                let place = [centre(period) - thick / 2.0, a.min(b), thick, (a - b).abs()];
                canvas.rectangle(place, &series.ink, "block", Some(mark));
            }
            if self.hatched.get(period) == Some(&true) {
                let left = centre(period) - thick / 2.0;
                hatch(&mut canvas, [left, scale.at(reached[0]), left + thick, scale.at(-reached[1])]);
            }
        }
        axis_names(&mut canvas, &self.periods, &centre, top + plot + 18.0, step);
        canvas
    }
}
