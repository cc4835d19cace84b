//! The grid that a scheme over scores draws.

use super::definition::{Rule, Scheme};

/// The grid of a scheme over scores as text: one row per recency score, one column per frequency score, and in each
/// field the states over all monetary scores. `None` if the scheme looks at anything but scores.
pub fn grid(scheme: &Scheme) -> Option<String> {
    let looks_at_scores =
        |rule: &Rule| rule.when.scores.iter().any(Option::is_some) || rule.when.cells.is_some() || rule.when.f_plus_m.is_some();
    if !scheme.measures().is_empty() || scheme.uses_levels() || !scheme.rules.iter().any(looks_at_scores) {
        return None;
    }
    let bins = scheme.bins? as u8;
    let mut rows: Vec<Vec<String>> =
        vec![std::iter::once("r \\ f".to_owned()).chain((1..=bins).map(|f| f.to_string())).collect()];
    for r in (1..=bins).rev() {
        let fields = (1..=bins).map(|f| states(scheme, bins, r, f).join(" | "));
        rows.push(std::iter::once(r.to_string()).chain(fields).collect());
    }
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns).map(|c| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let fields: Vec<String> = row.iter().zip(&widths).map(|(field, width)| format!("{field:<width$}")).collect();
        fields.join("  ").trim_end().to_owned()
    };
    Some(rows.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// The states of a recency and a frequency score over all monetary scores.
fn states(scheme: &Scheme, bins: u8, r: u8, f: u8) -> Vec<&str> {
    let mut states: Vec<&str> = Vec::new();
    for m in 1..=bins {
        // The scheme looks at scores alone, so the first rule decides.
        if let Some(rule) = scheme.rules.iter().find(|rule| rule.when.holds_in([r, f, m], [true; 3])) {
            let name = scheme.states.get(rule.state).map_or("", |state| state.name.as_str());
            if !states.contains(&name) {
                states.push(name);
            }
        }
    }
    states
}
