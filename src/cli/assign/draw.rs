//! The draw of the selected customers into arms.

use super::super::args::AssignArgs;
use super::super::console::Console;
use super::earlier;
use super::flags::Flags;
use super::population::Population;
use super::selection::Selection;
use crate::assign::{Allocation, Candidates, DrawRules, PriorAssignment, draw};
use crate::error::{Error, Result};
use crate::hash::HashDraw;
use crate::progress::Progress;

/// The assigned customers with their arms.
pub(super) struct Drawn {
    /// Rows of the assigned customers, ascending by id.
    pub rows: Vec<usize>,
    /// Their arms.
    pub arms: Vec<u32>,
    /// Customers in the global hold-out.
    pub global: u64,
    /// Customers left out for an earlier assignment.
    pub left_out: u64,
    /// Customers who keep the arm of an earlier assignment.
    pub kept: u64,
}

/// Draws the selected customers into arms; warns of empty arms and uneven earlier assignments.
///
/// # Errors
/// Exit 3 if no customer is left to assign.
pub(super) fn draw_arms(
    args: &AssignArgs,
    flags: &Flags,
    customers: &Population,
    selection: &Selection,
    console: &Console,
) -> Result<Drawn> {
    let states = customers.columns.first().ok_or_else(|| Error::bug("a draw without a column of states"))?;
    let bounds = flags.shares.bounds(&states.names, &selection.states_of(states))?;
    let earlier = earlier::read(args, &flags.shares, customers, &selection.rows)?;
    let rules = DrawRules { draw: HashDraw::new(&args.salt), bounds, global: flags.global.clone() };
    let (kind, rows) = (customers.kind, selection.rows.as_slice());
    let roles = draw(&rules, &Candidates { ids: &customers.ids, kind, state: &states.codes, rows, earlier: &earlier });
    let mut drawn = Drawn { rows: Vec::with_capacity(rows.len()), arms: Vec::new(), global: 0, left_out: 0, kept: 0 };
    for (at, (&row, role)) in rows.iter().zip(&roles).enumerate() {
        match role {
            Allocation::Arm(arm) => {
                drawn.rows.push(row);
                drawn.arms.push(u32::from(*arm));
                drawn.kept += u64::from(matches!(earlier.get(at), Some(PriorAssignment::Arm(_))));
            }
            Allocation::Excluded => drawn.left_out += 1,
            Allocation::GlobalHoldout => drawn.global += 1,
        }
    }
    if drawn.rows.is_empty() {
        return Err(Error::contract(format!(
            "no customer is left to assign: of {} in the states of --from, {} are in the global hold-out and {} are left out for an earlier assignment; draw from more states",
            rows.len(),
            drawn.global,
            drawn.left_out
        )));
    }
    for (number, arm) in (0u32..).zip(&flags.shares.arms) {
        if !drawn.arms.contains(&number) {
            console.warn(&format!("the arm {arm} is empty; draw from more customers or give it a larger share"));
        }
    }
    let share = |at: usize| {
        let code = rows.get(at).and_then(|row| states.codes.get(*row)).copied().unwrap_or_default();
        let shares = states.names.get(code as usize).map_or(Vec::new(), |state| flags.shares.of(state));
        shares.first().map_or(0.0, |share| share.printed(0))
    };
    if let Some(warning) = earlier::uneven(&earlier, share) {
        console.warn(&warning);
    }
    Ok(drawn)
}
