//! Flows between two dates: who was what, and became what (a Sankey diagram).

use super::{Anchor, Canvas, Chart, Ink, Mark, Width, words};
use crate::report::markup::short;

/// A state at one of the dates.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its label.
    pub label: String,
    /// Its colour, the same on both sides.
    pub ink: Ink,
    /// Customers in it, as text.
    pub text: String,
    /// What it stands for.
    pub mark: Mark,
}

/// Customers that went from one to the other.
#[derive(Debug, Clone)]
pub struct Link {
    /// Place of the state before.
    pub from: usize,
    /// Place of the state after.
    pub to: usize,
    /// How many.
    pub value: f64,
    /// What it stands for.
    pub mark: Mark,
}

/// A chart of flows from left to right.
#[derive(Debug, Clone)]
pub struct FlowChart {
    /// Names of the two dates.
    pub sides: [String; 2],
    /// States at the first and second date, in the order of the ladder.
    pub nodes: [Vec<Node>; 2],
    /// The flows.
    pub links: Vec<Link>,
}

const BLOCK: f64 = 11.0;
const GAP: f64 = 9.0;
const TOP: f64 = 30.0;

/// Where the blocks of a side begin and how high they are.
fn blocks(sizes: &[f64], scale: f64) -> Vec<(f64, f64)> {
    let mut y = TOP;
    sizes
        .iter()
        .map(|size| {
            let height = (size * scale).max(1.5);
            let at = y;
            y += height + GAP;
            (at, height)
        })
        .collect()
}

impl FlowChart {
    /// Customers per state of a side.
    fn sizes(&self, side: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.nodes[side].len()];
        for link in &self.links {
            if let Some(size) = out.get_mut(if side == 0 { link.from } else { link.to }) {
                *size += link.value;
            }
        }
        out
    }
}

impl Chart for FlowChart {
    fn draw(&self, width: Width) -> Canvas {
        let units = width.units();
        let (label, size) = if width == Width::Wide { (196.0, 13.0) } else { (104.0, 11.0) };
        // A name stands in as many lines as it needs, with its number before it.
        let room = |node: &Node| label - 12.0 - words::width(&node.text, size) - 6.0;
        let names = [0, 1].map(|side| -> Vec<Vec<String>> {
            self.nodes[side].iter().map(|node| words::wrap(&node.label, size, room(node))).collect()
        });
        let needed = |side: usize| names[side].iter().map(|lines| lines.len() as f64 * (size + 2.0) + 4.0).sum::<f64>();
        let most = self.nodes[0].len().max(self.nodes[1].len());
        let usable = (most as f64 * 34.0).clamp(240.0, 460.0).max(needed(0)).max(needed(1));
        let sizes = [self.sizes(0), self.sizes(1)];
        let total = sizes.iter().map(|s| s.iter().sum::<f64>()).fold(0.0, f64::max).max(1.0);
        let scale = usable / total;
        let places = [blocks(&sizes[0], scale), blocks(&sizes[1], scale)];
        let end = |side: usize| places[side].last().map_or(TOP, |(y, h)| y + h);
        let mut canvas = Canvas::new(units, end(0).max(end(1)) + 12.0);
        let x = [label, units - label - BLOCK];
        // Links first, so that blocks and labels lie above them.
        let mut order: Vec<&Link> = self.links.iter().collect();
        order.sort_by_key(|l| (l.from, l.to));
        let mut used = [vec![0.0; self.nodes[0].len()], vec![0.0; self.nodes[1].len()]];
        for link in order {
            let (Some(from), Some(to)) = (places[0].get(link.from), places[1].get(link.to)) else { continue };
            let thick = link.value * scale;
            let (y1, y2) = (from.0 + used[0][link.from], to.0 + used[1][link.to]);
            used[0][link.from] += thick;
            used[1][link.to] += thick;
            let (x1, x2) = (x[0] + BLOCK, x[1]);
            let middle = short((x1 + x2) / 2.0);
            let thick = thick.max(0.6);
            let [x1, x2, t1, t2, b1, b2] = [x1, x2, y1, y2, y1 + thick, y2 + thick].map(short);
            let path = format!("M{x1},{t1}C{middle},{t1} {middle},{t2} {x2},{t2}V{b2}C{middle},{b2} {middle},{b1} {x1},{b1}Z");
            let class = if self.nodes[0].get(link.from).map(|n| &n.mark.key) == self.nodes[1].get(link.to).map(|n| &n.mark.key) {
                "link stay"
            } else {
                "link"
            };
            if let Some(node) = self.nodes[0].get(link.from) {
                canvas.area(&path, &node.ink, class, Some(&link.mark));
            }
        }
        for side in 0..2 {
            let anchor = if side == 0 { Anchor::End } else { Anchor::Start };
            let text_x = if side == 0 { x[0] - 7.0 } else { x[1] + BLOCK + 7.0 };
            canvas.text(text_x, 14.0, anchor, "soft", &words::fit(&self.sides[side], 12.0, label));
            let mut lines: Vec<f64> = places[side].iter().map(|(y, h)| y + h / 2.0).collect();
            // Places are the middles of names.
            let heights: Vec<f64> = names[side].iter().map(|lines| lines.len() as f64 * (size + 2.0)).collect();
            words::spread(&mut lines, &heights, TOP - 4.0, canvas.height - 2.0);
            for (((node, (y, height)), line), name) in self.nodes[side].iter().zip(&places[side]).zip(lines).zip(&names[side]) {
                canvas.rectangle([x[side], *y, BLOCK, *height], &node.ink, "block", Some(&node.mark));
                let class = if width == Width::Wide { "" } else { "small" };
                let first = line + size * 0.35 - (size + 2.0) / 2.0 * (name.len() as f64 - 1.0);
                let beside = words::width(&node.text, size) + 6.0;
                let name_x = if side == 0 { text_x - beside } else { text_x + beside };
                canvas.text(text_x, first, anchor, class, &node.text);
                canvas.lines([name_x, first, size + 2.0], anchor, class, name);
            }
        }
        canvas
    }
}
