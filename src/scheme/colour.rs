//! Colours of states: tables and reports take them from here, so that a state looks the same everywhere.

/// From the best state to the worst: blue to brown over sand, which colour-blind readers can tell apart as well, on a light
/// and on a dark background.
const LADDER: [[f64; 3]; 7] = [
    [31.0, 95.0, 166.0],
    [77.0, 147.0, 199.0],
    [143.0, 192.0, 217.0],
    [227.0, 207.0, 139.0],
    [234.0, 162.0, 74.0],
    [211.0, 106.0, 44.0],
    [156.0, 53.0, 23.0],
];

/// The colour of customers outside of a scheme: not scored, or not listed.
pub const OUTSIDE: &str = "#8b9099";

/// The colour, `#rrggbb`, of the state with this rank (from 0) among `states` states.
pub fn colour(rank: usize, states: usize) -> String {
    let steps = (LADDER.len() - 1) as f64;
    let at = if states > 1 { rank as f64 / (states - 1) as f64 * steps } else { 0.0 };
    let low = (at.floor() as usize).min(LADDER.len() - 2);
    let part = at - low as f64;
    let mix = |i: usize| (LADDER[low][i] + (LADDER[low + 1][i] - LADDER[low][i]) * part).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2))
}
