//! When the next purchase comes by the Pareto/NBD model.
//!
//! With L(T) the likelihood of a history observed up to T, nobody has bought within t after it with the probability L(T + t) / L(T).
//! Most terms of the derivative of L cancel, so the chance F of a purchase within t has the density
//!
//! ```text
//! F'(t) = A · (r + x) (α + T)^(r+x) (β + T)^s · (α + T + t)^−(r+x+1) (β + T + t)^−s
//! ```
//!
//! where A is the probability of being alive at T. F grows towards the chance that there is a next purchase at all, which is below A.

use super::decay::Decay;
use super::pareto_nbd::{History, Parameters, is_alive};
use super::quadrature::Panel;

/// The exponent by which the density falls in a panel, about.
const FALL: f64 = 4.0;

/// Times after the end of a history within which the next purchase comes with each of some chances, which ascend; `None` where it does
/// not come with it before `bound`.
pub fn times_to_purchase<const N: usize>(
    parameters: &Parameters,
    history: &History,
    chances: [f64; N],
    bound: f64,
) -> [Option<f64>; N] {
    let Parameters { r, alpha, s, beta } = *parameters;
    let (end, shape) = (history.observed, r + history.repeats);
    let is_alive = is_alive(parameters, history);
    let mut times = [None; N];
    let reachable = chances.iter().take_while(|chance| **chance < is_alive).count();
    let decay = Decay::new([alpha, beta], [shape + 1.0, s], end);
    let density = |at: f64| {
        let place = decay.place(at);
        is_alive * shape / (alpha + end) * place.distance * decay.value(&place)
    };
    let (mut known, mut reached) = (0, 0.0);
    if reachable > 0 {
        decay.panels(decay.place_of(end + bound), FALL, |from, to| {
            let panel = Panel::new(from, to, density);
            let all = reached + panel.integral();
            if chances[known] <= all {
                let series = panel.series();
                while known < reachable && chances[known] <= all {
                    times[known] = Some(decay.place(series.reach(chances[known] - reached)).time - end);
                    known += 1;
                }
            }
            reached = all;
            known == reachable
        });
    }
    times
}
