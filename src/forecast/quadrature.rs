//! Gauss–Legendre quadrature.

use std::sync::OnceLock;

/// Nodes of a panel.
const NODES: usize = 16;

/// Nodes and weights on [−1, 1].
fn rule() -> &'static [(f64, f64); NODES] {
    static RULE: OnceLock<[(f64, f64); NODES]> = OnceLock::new();
    RULE.get_or_init(|| {
        let mut rule = [(0.0, 0.0); NODES];
        for (number, place) in rule.iter_mut().enumerate() {
            // Newton's iteration on the Legendre polynomial, from Chebyshev's nodes.
            let mut x = (std::f64::consts::PI * (number as f64 + 0.75) / (NODES as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..100 {
                let (mut before, mut value) = (1.0, x);
                for degree in 2..=NODES {
                    let n = degree as f64;
                    (before, value) = (value, ((2.0 * n - 1.0) * x * value - (n - 1.0) * before) / n);
                }
                slope = NODES as f64 * (x * value - before) / (x * x - 1.0);
                let step = value / slope;
                x -= step;
                if step.abs() < 1e-16 {
                    break;
                }
            }
            *place = (x, 2.0 / ((1.0 - x * x) * slope * slope));
        }
        rule
    })
}

/// Calls `take` with each node between two bounds and its weight.
pub fn nodes(from: f64, to: f64, mut take: impl FnMut(f64, f64)) {
    let (middle, half) = ((from + to) / 2.0, (to - from) / 2.0);
    for (x, weight) in rule() {
        take(middle + half * x, half * weight);
    }
}
