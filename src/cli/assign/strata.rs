//! The strata of the assigned customers.

use std::collections::HashMap;

use super::flags::Flags;
use super::population::Population;
use crate::error::{Error, Result};

/// Most strata of a draw.
const MAX_STRATA: usize = 60_000;

/// The stratum of every assigned customer.
pub(super) struct Strata {
    pub codes: Vec<u32>,
    pub names: Vec<String>,
}

/// The columns that make the strata, as indices; `states` is how many are drawn from.
pub(super) fn columns(flags: &Flags, states: usize) -> Vec<usize> {
    let mut places = flags.strata.clone();
    // Strata never join states, which may have different shares.
    if places.is_empty() || (states > 1 && !places.contains(&0)) {
        places.insert(0, 0);
    }
    places
}

/// Numbers the strata by name: combinations of the columns at `places`.
///
/// # Errors
/// Exit 2 if there are too many.
pub(super) fn strata(flags: &Flags, places: &[usize], customers: &Population, rows: &[usize]) -> Result<Strata> {
    let columns: Vec<_> = places.iter().filter_map(|place| customers.columns.get(*place)).collect();
    let mut numbers: HashMap<Vec<u32>, u32> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    let mut codes: Vec<u32> = Vec::with_capacity(rows.len());
    let mut key: Vec<u32> = Vec::new();
    for row in rows {
        key.clear();
        key.extend(columns.iter().map(|labels| labels.codes.get(*row).copied().unwrap_or_default()));
        let code = match numbers.get(&key) {
            Some(code) => *code,
            None => {
                let parts: Vec<&str> = columns
                    .iter()
                    .zip(&key)
                    .map(|(labels, code)| labels.names.get(*code as usize).map_or("", String::as_str))
                    .collect();
                let code = names.len() as u32;
                names.push(parts.join(" / "));
                numbers.insert(key.clone(), code);
                code
            }
        };
        codes.push(code);
    }
    if names.len() > MAX_STRATA {
        return Err(Error::usage(format!(
            "--strata {} makes {} strata; at most {MAX_STRATA} are compared, so name fewer columns",
            flags.strata.iter().filter_map(|p| flags.columns.get(*p)).map(|(c, _)| c.as_str()).collect::<Vec<_>>().join(","),
            names.len()
        )));
    }
    // By name, so that no order of the customers shows.
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_unstable_by_key(|at| names.get(*at));
    let mut place = vec![0u32; names.len()];
    for (number, at) in (0..).zip(&order) {
        if let Some(place) = place.get_mut(*at) {
            *place = number;
        }
    }
    let sorted = order.iter().filter_map(|at| names.get(*at).cloned()).collect();
    let codes = codes.iter().filter_map(|code| place.get(*code as usize).copied()).collect();
    Ok(Strata { codes, names: sorted })
}
