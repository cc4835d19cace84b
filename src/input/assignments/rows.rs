//! The rows of one chunk of a file, with the names it uses numbered on their own.

use std::collections::HashMap;

use super::Request;
use crate::assign::{AssignedIds, Rejected};
use crate::bucket::{hash_key, hash_text};
use crate::domain::{CompactInts, Day, IdType, StringIds, folded};

/// The first names, which are all if they are arms.
const FEW: usize = 4;

/// What no short name looks like, as it would be long.
const NO_VIEW: u128 = u128::MAX;

/// The number of the name of a row that does not count.
const NO_NAME: u32 = u32::MAX;

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

/// NameCodes by number, in the order of their first row.
#[derive(Debug)]
pub(super) struct NameCodes {
    numbers: HashMap<String, u32>,
    /// The first short names with their numbers: they are told apart without a look at memory. [`NO_VIEW`] is none.
    short: [(u128, u32); FEW],
    /// Every name with its rows and its first row's place.
    pub found: Vec<CodedName>,
}

/// A name with its rows.
#[derive(Debug, Clone)]
pub(super) struct CodedName {
    pub name: String,
    pub rows: u64,
    /// Number of the first row (Parquet) or line (CSV), from 1.
    pub first: u64,
}

impl Default for NameCodes {
    fn default() -> NameCodes {
        NameCodes { numbers: HashMap::new(), short: [(NO_VIEW, NO_NAME); FEW], found: Vec::new() }
    }
}

impl NameCodes {
    #[inline]
    fn number(&mut self, name: Name<'_>, place: u64) -> u32 {
        name.short.and_then(|short| self.find(short)).unwrap_or_else(|| self.look_up(name, place))
    }

    #[inline]
    fn find(&self, short: u128) -> Option<u32> {
        self.short.iter().find(|(own, _)| *own == short).map(|(_, number)| *number)
    }

    /// CodeMap the names of the rows, each with its place, and counts the rows; those in the part `none` do not count. `views` are
    /// the names as Arrow has them, by which the first short ones are known.
    #[inline]
    fn number_all<'a>(
        &mut self,
        (parts, none): (&[u32], u32),
        views: Option<&[u128]>,
        name: impl Fn(usize) -> (Option<Name<'a>>, u64),
        out: &mut Vec<u32>,
    ) {
        out.clear();
        fn known<const K: usize>(short: &[(u128, u32); K], views: &[u128], out: &mut Vec<u32>) {
            // Without branches, as nobody can foretell which name is next.
            let known =
                |view: &u128| short.iter().fold(NO_NAME, |found, (own, number)| if own == view { *number } else { found });
            out.extend(views.iter().map(known));
        }
        match (&self.short, views.unwrap_or_default()) {
            // Mostly there are two.
            ([first, second, (NO_VIEW, _), ..], views) => known(&[*first, *second], views, out),
            (all, views) => known(all, views, out),
        }
        out.resize(parts.len(), NO_NAME);
        if out.contains(&NO_NAME) || parts.contains(&none) {
            for (row, (number, part)) in out.iter_mut().zip(parts).enumerate() {
                if *part == none {
                    *number = NO_NAME;
                } else if *number == NO_NAME {
                    let (name, place) = name(row);
                    *number = self.number(name.unwrap_or(NONE), place);
                }
            }
        }
        self.count(out);
    }

    /// Counts rows with these numbers; [`NO_NAME`] is none.
    fn count(&mut self, numbers: &[u32]) {
        // Mostly there are few names, and one after the other is counted sooner.
        for (number, found) in (0u32..).zip(self.found.iter_mut().take(FEW)) {
            found.rows += numbers.iter().filter(|own| **own == number).count() as u64;
        }
        if self.found.len() > FEW {
            for number in numbers.iter().filter(|number| (**number as usize) >= FEW) {
                if let Some(found) = self.found.get_mut(*number as usize) {
                    found.rows += 1;
                }
            }
        }
    }

    fn look_up(&mut self, Name { text, short }: Name<'_>, place: u64) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.found.len() as u32;
        self.found.push(CodedName { name: text.to_owned(), rows: 0, first: place });
        self.numbers.insert(text.to_owned(), number);
        if let (Some(view), Some(place)) = (short, self.short.iter_mut().find(|(own, _)| *own == NO_VIEW)) {
            *place = (view, number);
        }
        number
    }
}

/// Which optional columns a table has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OptionalColumns {
    pub strategy: bool,
    pub stratum: bool,
    pub cost: bool,
    pub contacts: bool,
    pub ended_on: bool,
}

/// A customer id in the orders' type.
#[derive(Debug, Clone, Copy)]
pub(super) enum CustomerId<'a> {
    Key(i64),
    Text(&'a [u8]),
}

/// What assigned_on says.
#[derive(Debug, Clone, Copy)]
pub(super) enum AssignedOn {
    Null,
    OutOfRange,
    On(Day),
}

/// ChunkRows of a table that were read together, from 0.
pub(super) trait RowBatch<'a> {
    /// How many rows.
    fn len(&self) -> usize;
    /// Number of a row (Parquet) or line (CSV), from 1.
    fn place(&self, row: usize) -> u64;
    fn strategy(&self, row: usize) -> Option<Name<'a>>;
    fn id(&self, row: usize) -> Option<CustomerId<'a>>;
    fn arm(&self, row: usize) -> Option<Name<'a>>;
    fn assigned_on(&self, row: usize) -> AssignedOn;
    fn stratum(&self, row: usize) -> Option<Name<'a>>;
    fn cost(&self, row: usize) -> Option<i64>;
    fn contacts(&self, row: usize) -> Option<u32>;
    fn ended_on(&self, row: usize) -> Option<Day>;

    /// Length and bytes of every arm and every stratum as Arrow has them, if every row has one.
    fn arm_views(&self) -> Option<&[u128]> {
        None
    }
    fn stratum_views(&self) -> Option<&[u128]> {
        None
    }

    /// All ids, if every row has one and they are integers.
    fn keys(&self) -> Option<&[i64]> {
        None
    }

    /// All days on which rows were assigned, in days since 1970, if every row has one.
    fn days(&self) -> Option<&[i32]> {
        None
    }
}

/// The name of the stratum of rows without one.
pub(super) const NO_STRATUM: &str = "(none)";

/// That name in a row.
const NONE: Name<'static> = Name { text: NO_STRATUM, short: None };

/// ChunkRows of one chunk of a file, all columns of one length; optional columns that the table lacks stay empty.
#[derive(Debug)]
pub(super) struct ChunkRows {
    pub ids: AssignedIds,
    pub arm: CompactInts<u8>,
    /// In days since 1970.
    pub assigned_on: CompactInts<u16>,
    pub stratum: Vec<u32>,
    pub cost: Vec<i64>,
    pub contacts: Vec<u32>,
    pub ended_on: Vec<Option<Day>>,
}

/// One chunk of a file.
#[derive(Debug)]
pub(super) struct FileChunk {
    /// By part of the customers.
    pub parts: Vec<ChunkRows>,
    pub has: OptionalColumns,
    pub arms: NameCodes,
    pub strata: NameCodes,
    pub strategies: NameCodes,
    pub rows_read: u64,
    pub other_strategies: u64,
    pub null_costs: u64,
    pub rejected: Rejected,
}

/// Which rows of a batch count, and in which part: room that one batch after the other uses, and no chunk keeps.
#[derive(Debug, Default)]
pub(super) struct RowsByPart {
    /// By row: the number of its part; that of no part if it does not count.
    parts: Vec<u32>,
    /// The rows of every part, and at last those that do not count, each in their order.
    rows: Vec<u32>,
    /// By part: where its rows begin.
    starts: Vec<usize>,
    /// By row that counts: the numbers of its arm and, if the table has any, its stratum.
    arms: Vec<u32>,
    strata: Vec<u32>,
}

impl RowsByPart {
    /// Sorts the rows by their part, of which there are so many.
    fn sort(&mut self, parts: usize) {
        self.starts.clear();
        self.starts.resize(parts + 2, 0);
        for part in &self.parts {
            let count = &mut self.starts[*part as usize + 1];
            *count = count.wrapping_add(1);
        }
        let mut rows = 0;
        for start in &mut self.starts {
            rows += *start;
            *start = rows;
        }
        self.rows.clear();
        self.rows.resize(self.parts.len(), 0);
        for (row, part) in self.parts.iter().enumerate() {
            let start = &mut self.starts[*part as usize];
            self.rows[*start] = row as u32;
            *start = start.wrapping_add(1);
        }
        // Every start has gone on to the next one.
        self.starts.rotate_right(1);
        self.starts[0] = 0;
    }

    /// The rows of a part.
    fn of_part(&self, part: usize) -> &[u32] {
        &self.rows[self.starts[part]..self.starts[part + 1]]
    }
}

impl FileChunk {
    /// A chunk with room for this many rows of all parts.
    pub fn new(request: &Request, has: OptionalColumns, rows: usize) -> FileChunk {
        // Parts are of one size but for chance.
        let room = rows / request.parts.max(1) * 9 / 8;
        let ids = || match request.id {
            IdType::Text => AssignedIds::Text(StringIds::default()),
            _ => AssignedIds::Int(CompactInts::with_capacity(room)),
        };
        let rows = |_| ChunkRows {
            ids: ids(),
            arm: CompactInts::with_capacity(room),
            assigned_on: CompactInts::with_capacity(room),
            stratum: Vec::new(),
            cost: Vec::new(),
            contacts: Vec::new(),
            ended_on: Vec::new(),
        };
        FileChunk {
            parts: (0..request.parts.max(1)).map(rows).collect(),
            has,
            arms: NameCodes::default(),
            strata: NameCodes::default(),
            strategies: NameCodes::default(),
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

    /// Adds the rows of a batch, and counts why others are none.
    pub fn add<'a>(&mut self, request: &Request, batch: &impl RowBatch<'a>, layout: &mut RowsByPart) {
        let parts = self.parts.len();
        layout.parts.clear();
        let is_only = !self.has.strategy || request.strategy.is_none();
        match batch.keys().filter(|_| is_only && batch.arm_views().is_some() && batch.days().is_some()) {
            // As a rule every row counts.
            Some(keys) => {
                self.rows_read += keys.len() as u64;
                layout.parts.extend(keys.iter().map(|key| request.part_of(hash_key(*key)) as u32));
            }
            None => {
                let part = |row| self.part_of(request, batch, row).unwrap_or(parts as u32);
                layout.parts.extend((0..batch.len()).map(part));
            }
        }
        layout.sort(parts);
        let laid_out = (layout.parts.as_slice(), parts as u32);
        let arm = |row| (batch.arm(row), batch.place(row));
        self.arms.number_all(laid_out, batch.arm_views(), arm, &mut layout.arms);
        if self.has.stratum {
            let stratum = |row| (batch.stratum(row), batch.place(row));
            self.strata.number_all(laid_out, batch.stratum_views(), stratum, &mut layout.strata);
        }
        let keys = batch.keys().map(|keys| (keys, CompactInts::<u32>::all_fit(keys)));
        let days = batch.days().map(|days| (days, CompactInts::<u16>::all_fit(days)));
        let few_arms = self.arms.found.len() <= usize::from(u8::MAX);
        for (part, own) in self.parts.iter_mut().enumerate() {
            let rows = layout.of_part(part).iter().map(|row| *row as usize);
            match (&mut own.ids, keys) {
                (AssignedIds::Int(all), Some((keys, all_fit))) => all.extend_from(keys, all_fit, rows.clone()),
                (AssignedIds::Int(all), None) => rows.clone().for_each(|row| {
                    all.push(match batch.id(row) {
                        Some(CustomerId::Key(key)) => key,
                        _ => 0,
                    });
                }),
                (AssignedIds::Text(all), _) => rows.clone().for_each(|row| {
                    all.push(match batch.id(row) {
                        Some(CustomerId::Text(text)) => text,
                        _ => &[],
                    });
                }),
            }
            match days {
                Some((days, all_fit)) => own.assigned_on.extend_from(days, all_fit, rows.clone()),
                None => rows.clone().for_each(|row| {
                    own.assigned_on.push(match batch.assigned_on(row) {
                        AssignedOn::On(day) => day.0,
                        _ => 0,
                    });
                }),
            }
            own.arm.extend_from(&layout.arms, few_arms, rows.clone());
            if self.has.stratum {
                own.stratum.extend(rows.clone().map(|row| layout.strata[row]));
            }
            if self.has.cost {
                own.cost.extend(rows.clone().map(|row| batch.cost(row).unwrap_or(0)));
                self.null_costs += rows.clone().filter(|row| batch.cost(*row).is_none()).count() as u64;
            }
            if self.has.contacts {
                own.contacts.extend(rows.clone().map(|row| batch.contacts(row).unwrap_or(0)));
            }
            if self.has.ended_on {
                own.ended_on.extend(rows.map(|row| batch.ended_on(row)));
            }
        }
    }

    /// The part of a row; none if it does not count, which is counted.
    #[inline]
    fn part_of<'a>(&mut self, request: &Request, batch: &impl RowBatch<'a>, row: usize) -> Option<u32> {
        self.rows_read += 1;
        if let (true, Some(wanted)) = (self.has.strategy, request.strategy) {
            let Some(strategy) = batch.strategy(row) else {
                self.rejected.null_strategy += 1;
                return None;
            };
            if strategy.text != wanted {
                let number = self.strategies.number(strategy, batch.place(row));
                self.strategies.count(&[number]);
                self.other_strategies += 1;
                return None;
            }
        }
        let Some(id) = batch.id(row) else {
            self.rejected.null_customer += 1;
            return None;
        };
        if batch.arm(row).is_none() {
            self.rejected.null_arm += 1;
            return None;
        }
        match batch.assigned_on(row) {
            AssignedOn::On(_) => {}
            AssignedOn::Null => {
                self.rejected.null_assigned_on += 1;
                return None;
            }
            AssignedOn::OutOfRange => {
                self.rejected.date_out_of_range += 1;
                return None;
            }
        }
        let hash = match id {
            CustomerId::Key(key) => hash_key(key),
            CustomerId::Text(text) => hash_text(text),
        };
        Some(request.part_of(hash) as u32)
    }
}

/// A name among others that differs from `name` only in case or blanks.
pub(super) fn alike<'a>(name: &str, others: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let own = folded(name);
    others.into_iter().find(|other| *other != name && folded(other) == own)
}
