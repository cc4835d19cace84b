//! A sum that grows from period to period, with the band in which it may lie.

use super::columns::{axis_names, axis_room};
use super::scale::{Scale, ticks};
use super::{Anchor, Canvas, Chart, Ink, Mark, Width, words};
use crate::report::markup::short;

/// The sum at the end of a period.
#[derive(Debug, Clone)]
pub struct BandPoint {
    /// Its value, then the ends of its interval.
    pub estimate: [f64; 3],
    /// What it stands for.
    pub mark: Mark,
}

/// A sum over periods, which is 0 when the first one begins.
pub struct BandChart<'a> {
    /// Names of the periods.
    pub periods: Vec<String>,
    /// The sum at the end of each; `None` where it is not known.
    pub points: Vec<Option<BandPoint>>,
    /// How numbers of the axis, and those at the end of the line, are written.
    pub tick: &'a dyn Fn(f64) -> String,
}

/// Size of the text at the end of the line.
const SIZE: f64 = 13.0;

impl Chart for BandChart<'_> {
    fn draw(&self, width: Width) -> Canvas {
        let units = width.units();
        let (top, plot) = (12.0, 220.0);
        let mut canvas = Canvas::new(units, top + plot + 26.0);
        let estimates = || self.points.iter().flatten().flat_map(|point| point.estimate);
        let marks = ticks(estimates().fold(0.0, f64::min), estimates().fold(0.0, f64::max), 5);
        let ends = [marks.first().copied().unwrap_or(0.0), marks.last().copied().unwrap_or(1.0)];
        let down = Scale::new(ends, [top + plot, top]);
        let last = self.points.iter().flatten().next_back().map(|point| point.estimate);
        // From top to bottom: the upper end, the value, the lower end.
        let texts = last.map(|[value, low, high]| [high, value, low].map(|each| (each, (self.tick)(each))));
        let texts: Vec<(f64, String)> = texts.into_iter().flatten().collect();
        let room = words::longest(texts.iter().map(|(_, text)| text.as_str()), SIZE) + 14.0;
        let (left, right) = (axis_room(&marks, self.tick), units - room);
        for mark in &marks {
            let class = if *mark == 0.0 { "axis" } else { "grid" };
            canvas.line([left, down.at(*mark), right, down.at(*mark)], class);
            canvas.text(left - 6.0, down.at(*mark) + 4.0, Anchor::End, "small", &(self.tick)(*mark));
        }
        let step = (right - left) / self.periods.len().max(1) as f64;
        let end_of = |number: usize| left + step * (number as f64 + 1.0);
        let told: Vec<(f64, &BandPoint)> =
            self.points.iter().enumerate().filter_map(|(number, point)| Some((end_of(number), point.as_ref()?))).collect();
        let along = |which: usize| {
            let points = told.iter().map(move |(x, point)| (*x, down.at(point.estimate[which])));
            std::iter::once((left, down.at(0.0))).chain(points).collect::<Vec<(f64, f64)>>()
        };
        let outline: Vec<String> =
            along(2).iter().chain(along(1).iter().rev()).map(|(x, y)| format!("{},{}", short(*x), short(*y))).collect();
        canvas.area(&format!("M{}Z", outline.join("L")), &Ink::Class("d1"), "band", None);
        canvas.polyline(&along(0), "line l1");
        for (x, point) in &told {
            canvas.dot(*x, down.at(point.estimate[0]), 3.5, &Ink::Class("d1"), &point.mark);
        }
        let mut labels: Vec<f64> = texts.iter().map(|(at, _)| down.at(*at)).collect();
        words::spread(&mut labels, &[15.0; 3][..texts.len()], top - 4.0, top + plot + 8.0);
        for (number, ((_, text), y)) in texts.iter().zip(labels).enumerate() {
            canvas.text(right + 8.0, y + 4.0, Anchor::Start, if number == 1 { "strong" } else { "soft" }, text);
        }
        axis_names(&mut canvas, &self.periods, &|number| end_of(number) - step / 2.0, top + plot + 18.0, step);
        canvas
    }
}
