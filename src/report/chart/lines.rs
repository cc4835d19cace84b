//! Lines over periods, each named at its end.

use super::columns::{axis_names, axis_room};
use super::scale::{Scale, ticks};
use super::{Anchor, Canvas, Chart, Ink, Mark, Width, words};

/// A line.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Values, with what they stand for; `None` leaves a gap.
    pub values: Vec<Option<(f64, Mark)>>,
}

/// A chart of lines.
pub struct LineChart<'a> {
    /// Names of the periods.
    pub periods: Vec<String>,
    /// The lines, at most four.
    pub series: Vec<Line>,
    /// How numbers of the axis are written.
    pub tick: &'a dyn Fn(f64) -> String,
}

/// Classes of the lines and of their dots.
const CLASSES: [(&str, &str); 4] = [("line l1", "d1"), ("line l2", "d2"), ("line l3", "d3"), ("line l4", "d4")];

impl Chart for LineChart<'_> {
    fn draw(&self, width: Width) -> Canvas {
        let units = width.units();
        let (top, plot) = (10.0, 210.0);
        let longest = self.series.iter().map(|s| words::width(&s.name, 12.0)).fold(0.0, f64::max) + 14.0;
        let right = longest.min(if width == Width::Wide { 200.0 } else { 104.0 });
        let mut canvas = Canvas::new(units, top + plot + 26.0);
        let values = || self.series.iter().flat_map(|s| &s.values).flatten().map(|(v, _)| *v);
        let marks = ticks(values().fold(0.0, f64::min), values().fold(0.0, f64::max), 5);
        let ends = [marks.first().copied().unwrap_or(0.0), marks.last().copied().unwrap_or(1.0)];
        let scale = Scale::new(ends, [top + plot, top]);
        let left = axis_room(&marks, self.tick);
        for mark in &marks {
            let class = if *mark == 0.0 { "axis" } else { "grid" };
            canvas.line([left, scale.at(*mark), units - right, scale.at(*mark)], class);
            canvas.text(left - 6.0, scale.at(*mark) + 4.0, Anchor::End, "small", &(self.tick)(*mark));
        }
        let step = (units - right - left) / self.periods.len().max(1) as f64;
        let centre = |number: usize| left + step * (number as f64 + 0.5);
        let end = |values: &[Option<(f64, Mark)>]| values.iter().rev().flatten().next().map(|(v, _)| scale.at(*v));
        let mut order: Vec<usize> = (0..self.series.len()).collect();
        order.sort_by(|a, b| {
            let place = |i: &usize| end(&self.series[*i].values).unwrap_or(top + plot);
            place(a).total_cmp(&place(b)).then(a.cmp(b))
        });
        let mut labels: Vec<f64> = order.iter().map(|i| end(&self.series[*i].values).unwrap_or(top + plot)).collect();
        let heights = vec![15.0; labels.len()];
        words::spread(&mut labels, &heights, top - 4.0, top + plot + 8.0);
        for (number, label) in order.into_iter().zip(labels) {
            let Line { name, values } = &self.series[number];
            let (line, dot) = CLASSES[number % CLASSES.len()];
            let points: Vec<(f64, f64)> =
                values.iter().enumerate().filter_map(|(i, v)| v.as_ref().map(|(v, _)| (centre(i), scale.at(*v)))).collect();
            canvas.polyline(&points, line);
            for (i, value) in values.iter().enumerate() {
                if let Some((value, mark)) = value {
                    canvas.dot(centre(i), scale.at(*value), 3.0, &Ink::Class(dot), mark);
                }
            }
            canvas.text(units - right + 6.0, label + 4.0, Anchor::Start, "", &words::fit(name, 12.0, right - 8.0));
        }
        axis_names(&mut canvas, &self.periods, &centre, top + plot + 18.0, step);
        canvas
    }
}
