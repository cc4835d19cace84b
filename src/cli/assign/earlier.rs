//! `--avoid` and `--reuse`: what another strategy's assignment file says of the customers to draw from.

use std::cmp::Ordering;
use std::path::Path;

use super::super::args::AssignArgs;
use super::population::Population;
use super::shares::Shares;
use crate::assign::{Assignments, PriorAssignment};
use crate::domain::CustomerIdRef;
use crate::error::{Error, Result};
use crate::input::Zone;
use crate::input::assignments::{self, Request};
use crate::job::paths::InputPaths;

/// Digits behind the point with which costs of the file are read; they are not used.
const COST_SCALE: u32 = 6;

/// What is known of every row, which are places of customers ascending by id; empty without an earlier file.
pub(super) fn read(args: &AssignArgs, shares: &Shares, customers: &Population, rows: &[usize]) -> Result<Vec<PriorAssignment>> {
    let (path, flag) = match (&args.avoid, &args.reuse) {
        (Some(path), _) => (path, "--avoid"),
        (None, Some(path)) => (path, "--reuse"),
        (None, None) => return Ok(Vec::new()),
    };
    let is_reuse = flag == "--reuse";
    let table = load(path, flag, is_reuse.then_some(args.control.as_str()), customers)?;
    // By number of the file's arm: the arm it means here.
    let arms: Vec<PriorAssignment> = match is_reuse {
        true => table.arms.iter().map(|arm| meant(arm, shares, path)).collect::<Result<_>>()?,
        false => vec![PriorAssignment::Exclude; table.arms.len()],
    };
    let mut order: Vec<usize> = (0..table.len()).collect();
    order.sort_unstable_by_key(|row| table.ids.id(*row));
    let mut groups = order.chunk_by(|a, b| table.ids.id(*a) == table.ids.id(*b)).peekable();
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let own = CustomerIdRef::of(&customers.ids, *row);
        let at = |group: &&[usize]| group.first().map_or(Ordering::Greater, |first| table.ids.id(*first).cmp(&own));
        while groups.next_if(|group| at(group).is_lt()).is_some() {}
        let found = groups.next_if(|group| at(group).is_eq());
        out.push(found.map_or(PriorAssignment::None, |group| last_word(&table, group, &arms)));
    }
    Ok(out)
}

fn load(path: &Path, flag: &'static str, control: Option<&str>, customers: &Population) -> Result<Assignments> {
    let zone = Zone::named("UTC", flag)?;
    let files = assignments::open(&InputPaths::one(path.display().to_string(), path), flag, None, false)?;
    let request = Request {
        whose: flag.into(),
        strategy: None,
        arms: Vec::new(),
        control,
        cluster: None,
        by: Vec::new(),
        periods: &[],
        id: customers.kind,
        scale: COST_SCALE,
        zone: &zone,
        naive_zone: None,
        parts: 1,
    };
    let parts = assignments::read(&files, &request)?;
    parts.into_iter().next().ok_or_else(|| Error::bug("assignments without a part"))
}

/// The arm of this draw that an arm of the file means: the one of its name, or the only treatment.
fn meant(arm: &str, shares: &Shares, path: &Path) -> Result<PriorAssignment> {
    let place = shares.arms.iter().position(|own| own == arm).or_else(|| (shares.arms.len() == 2).then_some(1));
    place.map(|at| PriorAssignment::Arm(at as u16)).ok_or_else(|| {
        Error::usage(format!(
            "--reuse {}: its arm {arm:?} is none of the arms here ({}), so it is open which of them its customers go into; name the arms as the file does, or have one treatment",
            path.display(),
            shares.arms.join(", ")
        ))
    })
}

/// What a customer's rows say: the latest counts, and rows of one day that differ leave the customer out.
fn last_word(table: &Assignments, rows: &[usize], arms: &[PriorAssignment]) -> PriorAssignment {
    let day = |row: &usize| table.day(*row);
    let last = rows.iter().map(day).max();
    let arm = |row: &usize| arms.get(usize::from(table.arm(*row))).copied();
    let mut said = rows.iter().filter(|row| Some(day(row)) == last).filter_map(arm);
    let first = said.next().unwrap_or(PriorAssignment::Exclude);
    if said.all(|other| other == first) { first } else { PriorAssignment::Exclude }
}

/// A warning if the customers who keep their arms are in the control much more or less often than the shares say, so
/// that the split check of the evaluation would fail; `share` is the control's share at a row.
pub(super) fn uneven(earlier: &[PriorAssignment], share: impl Fn(usize) -> f64) -> Option<String> {
    let kept: Vec<usize> =
        earlier.iter().enumerate().filter(|(_, e)| matches!(e, PriorAssignment::Arm(_))).map(|(at, _)| at).collect();
    let control = kept.iter().filter(|at| earlier.get(**at) == Some(&PriorAssignment::Arm(0))).count();
    let (expected, variance) = kept.iter().map(|at| share(*at)).fold((0.0, 0.0), |(e, v), p| (e + p, v + p * (1.0 - p)));
    // 3.29 standard deviations: one draw in a thousand.
    ((control as f64 - expected).abs() > 3.29 * f64::sqrt(variance)).then(|| {
        format!(
            "{control} of the {} customers who keep their arms are in the control, where the shares say {expected:.0}; draw with the shares of that file, or the split check will fail",
            kept.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uneven_hold_outs_are_noticed() {
        let with = |control: usize, all: usize| -> Vec<PriorAssignment> {
            let arm = |at: usize| PriorAssignment::Arm(u16::from(at >= control));
            (0..all).map(arm).chain([PriorAssignment::None, PriorAssignment::Exclude]).collect()
        };
        assert_eq!(uneven(&with(100, 1_000), |_| 0.1), None);
        assert_eq!(uneven(&with(125, 1_000), |_| 0.1), None);
        let warning = uneven(&with(200, 1_000), |_| 0.1).unwrap();
        assert!(
            warning.starts_with("200 of the 1000 customers who keep their arms are in the control, where the shares say 100;"),
            "{warning}"
        );
        assert_eq!(uneven(&[], |_| 0.1), None);
    }
}
