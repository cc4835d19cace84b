//! The flags of `assign`, checked as far as they can be without customers.

use super::super::args::AssignArgs;
use super::shares::{self, Shares};
use crate::assign::ShareBounds;
use crate::error::{Error, Result};
use crate::hash::HashDraw;

/// Checked flags.
pub(super) struct Flags {
    pub shares: Shares,
    /// Columns of `--from`, each with its states; `None` is all of them.
    pub from: Vec<(String, Option<Vec<String>>)>,
    /// Columns to read, those of `--from` first, each with the flag that names it.
    pub columns: Vec<(String, &'static str)>,
    /// Columns of `--strata`, as indices into `columns`; empty for the state alone.
    pub strata: Vec<usize>,
    pub global: Option<(HashDraw, ShareBounds)>,
    pub csv: bool,
}

impl Flags {
    pub fn check(args: &AssignArgs) -> Result<Flags> {
        if args.name.trim().is_empty() || args.name.starts_with('(') {
            return Err(Error::usage(format!(
                "--name is {:?}, which is empty or begins with a parenthesis; name the strategy as the job file does",
                args.name
            )));
        }
        let ending = args.output.extension().map(|e| e.to_string_lossy().to_lowercase());
        let csv = match ending.as_deref() {
            Some("csv") => true,
            Some("parquet") => false,
            _ => {
                return Err(Error::usage(format!(
                    "--output is {}; expected a file that ends in .parquet or .csv",
                    args.output.display()
                )));
            }
        };
        let mut from: Vec<(String, Option<Vec<String>>)> = Vec::new();
        for text in &args.from {
            let (column, state) = match text.split_once('=') {
                Some((column, state)) => (column.trim(), Some(state.to_owned())),
                None => (text.trim(), None),
            };
            let place = match from.iter().position(|(name, _)| name == column) {
                Some(place) => place,
                None => {
                    from.push((column.to_owned(), Some(Vec::new())));
                    from.len() - 1
                }
            };
            if let Some((_, states)) = from.get_mut(place) {
                *states = states.take().zip(state).map(|(mut all, state)| {
                    all.push(state);
                    all
                });
            }
        }
        let mut columns: Vec<(String, &'static str)> = from.iter().map(|(column, _)| (column.clone(), "--from")).collect();
        let mut strata = Vec::with_capacity(args.strata.len());
        for column in &args.strata {
            let place = columns.iter().position(|(name, _)| name == column).unwrap_or(columns.len());
            if place == columns.len() {
                columns.push((column.clone(), "--strata"));
            }
            if !strata.contains(&place) {
                strata.push(place);
            }
        }
        if args.salt.is_empty() {
            return Err(Error::usage(
                "--salt is empty; give a text that names this draw, such as its strategy and quarter (an unset variable in a script?)",
            ));
        }
        let global = match (&args.global_holdout, &args.global_salt) {
            (Some(share), Some(salt)) => {
                if *salt == args.salt {
                    return Err(Error::usage(
                        "--global-salt and --salt are the same, so that the global hold-out would be taken from one arm alone; use two salts",
                    ));
                }
                let share = shares::holdout("--global-holdout", share)?;
                Some((HashDraw::new(salt), ShareBounds::new(&shares::with_rest(share))?))
            }
            _ => None,
        };
        Ok(Flags { shares: Shares::parse(args)?, from, columns, strata, global, csv })
    }

    /// The states to draw from, as text.
    pub fn states_text(&self) -> String {
        let one = |(column, states): &(String, Option<Vec<String>>)| match states {
            Some(states) => format!("{column}={}", states.join("|")),
            None => column.clone(),
        };
        self.from.iter().map(one).collect::<Vec<_>>().join(" and ")
    }
}
