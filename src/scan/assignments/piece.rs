//! The rows of one piece of a file, with the names it uses numbered on their own.

use std::collections::HashMap;

use super::Request;
use crate::assign::Rejected;
use crate::bucket::{hash_key, hash_text};
use crate::domain::{CustomerIds, Day, IdType, StringIds, folded};
use crate::error::{Error, Result};

/// The first names, which are all if they are arms.
const FEW: usize = 4;

/// A name in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a> {
    pub text: &'a str,
    /// Length and bytes of a short name in one number, as Arrow has them.
    pub short: Option<u128>,
}

impl Name<'_> {
    pub fn of(text: &str) -> Name<'_> {
        Name { text, short: None }
    }
}

/// Names by number, in the order of their first row.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
    /// The first short names: they are told apart without a look at memory.
    short: Vec<(u128, u32)>,
    /// Every name with its rows and its first row's place.
    pub found: Vec<Found>,
}

/// A name with its rows.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub name: String,
    pub rows: u64,
    /// Number of the first row (Parquet) or line (CSV), from 1.
    pub first: u64,
}

impl Names {
    #[inline]
    fn number(&mut self, name: Name<'_>, place: u64) -> u32 {
        let short = name.short.and_then(|own| self.short.iter().find(|(short, _)| *short == own));
        let number = match short {
            Some((_, number)) => *number,
            None => self.look_up(name, place),
        };
        if let Some(found) = self.found.get_mut(number as usize) {
            found.rows += 1;
        }
        number
    }

    fn look_up(&mut self, Name { text, short }: Name<'_>, place: u64) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.found.len() as u32;
        self.found.push(Found { name: text.to_owned(), rows: 0, first: place });
        self.numbers.insert(text.to_owned(), number);
        self.short.extend(short.filter(|_| self.short.len() < FEW).map(|short| (short, number)));
        number
    }
}

/// Which optional columns a table has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Has {
    pub strategy: bool,
    pub stratum: bool,
    pub cost: bool,
    pub contacts: bool,
    pub ended_on: bool,
}

/// A customer id in the orders' type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Id<'a> {
    Key(i64),
    Text(&'a [u8]),
}

/// What assigned_on says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Assigned {
    Null,
    OutOfRange,
    On(Day),
}

/// A row of the table.
pub(super) struct Row<'a> {
    /// Number of the row (Parquet) or line (CSV), from 1.
    pub place: u64,
    pub strategy: Option<Name<'a>>,
    pub id: Option<Id<'a>>,
    pub arm: Option<Name<'a>>,
    pub assigned_on: Assigned,
    pub stratum: Option<Name<'a>>,
    pub cost: Option<i64>,
    pub contacts: Option<u32>,
    pub ended_on: Option<Day>,
}

/// The name of the stratum of rows without one.
pub(super) const NO_STRATUM: &str = "(none)";

/// Rows of one piece of a file, all columns of one length; optional columns that the table lacks stay empty.
#[derive(Debug)]
pub(super) struct Rows {
    pub ids: CustomerIds,
    pub arm: Vec<u32>,
    pub assigned_on: Vec<Day>,
    pub stratum: Vec<u32>,
    pub cost: Vec<i64>,
    pub contacts: Vec<u32>,
    pub ended_on: Vec<Option<Day>>,
}

/// One piece of a file.
#[derive(Debug)]
pub(super) struct Piece {
    /// By part of the customers.
    pub parts: Vec<Rows>,
    pub has: Has,
    pub arms: Names,
    pub strata: Names,
    pub strategies: Names,
    pub rows_read: u64,
    pub other_strategies: u64,
    pub null_costs: u64,
    pub rejected: Rejected,
}

impl Piece {
    /// A piece with room for this many rows of all parts.
    pub fn new(request: &Request, has: Has, rows: usize) -> Piece {
        // Parts are of one size but for chance.
        let room = rows / request.parts.max(1) * 9 / 8;
        let ids = || match request.id {
            IdType::Text => CustomerIds::Text(StringIds::default()),
            _ => CustomerIds::Int(Vec::with_capacity(room)),
        };
        let rows = |_| Rows {
            ids: ids(),
            arm: Vec::with_capacity(room),
            assigned_on: Vec::with_capacity(room),
            stratum: Vec::new(),
            cost: Vec::new(),
            contacts: Vec::new(),
            ended_on: Vec::new(),
        };
        Piece {
            parts: (0..request.parts.max(1)).map(rows).collect(),
            has,
            arms: Names::default(),
            strata: Names::default(),
            strategies: Names::default(),
            rows_read: 0,
            other_strategies: 0,
            null_costs: 0,
            rejected: Rejected::default(),
        }
    }

    /// How many rows count.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|rows| rows.arm.len()).sum()
    }

    /// Adds a row, or counts why it is none.
    // Part of its caller's loop, so that rows need not be put together in memory.
    #[inline(always)]
    pub fn push(&mut self, request: &Request, row: &Row) -> Result<()> {
        self.rows_read += 1;
        if let (true, Some(wanted)) = (self.has.strategy, request.strategy) {
            let Some(strategy) = row.strategy else {
                self.rejected.null_strategy += 1;
                return Ok(());
            };
            if strategy.text != wanted {
                self.strategies.number(strategy, row.place);
                self.other_strategies += 1;
                return Ok(());
            }
        }
        let Some(id) = row.id else {
            self.rejected.null_customer += 1;
            return Ok(());
        };
        let Some(arm) = row.arm else {
            self.rejected.null_arm += 1;
            return Ok(());
        };
        let day = match row.assigned_on {
            Assigned::On(day) => day,
            Assigned::Null => {
                self.rejected.null_assigned_on += 1;
                return Ok(());
            }
            Assigned::OutOfRange => {
                self.rejected.date_out_of_range += 1;
                return Ok(());
            }
        };
        let hash = match id {
            Id::Key(key) => hash_key(key),
            Id::Text(text) => hash_text(text),
        };
        let Some(rows) = self.parts.get_mut(request.part_of(hash)) else {
            return Err(Error::bug("an assignment of no part"));
        };
        match (&mut rows.ids, id) {
            (CustomerIds::Int(keys), Id::Key(key)) => keys.push(key),
            (CustomerIds::Text(texts), Id::Text(text)) => texts.push(text),
            _ => return Err(Error::bug("assignments with ids of two types")),
        }
        rows.arm.push(self.arms.number(arm, row.place));
        rows.assigned_on.push(day);
        if self.has.stratum {
            rows.stratum.push(self.strata.number(row.stratum.unwrap_or(Name::of(NO_STRATUM)), row.place));
        }
        if self.has.cost {
            rows.cost.push(row.cost.unwrap_or(0));
            self.null_costs += u64::from(row.cost.is_none());
        }
        if self.has.contacts {
            rows.contacts.push(row.contacts.unwrap_or(0));
        }
        if self.has.ended_on {
            rows.ended_on.push(row.ended_on);
        }
        Ok(())
    }
}

/// A name among others that differs from `name` only in case or blanks.
pub(super) fn alike<'a>(name: &str, others: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let own = folded(name);
    others.into_iter().find(|other| *other != name && folded(other) == own)
}
