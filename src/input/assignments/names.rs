//! Codes for the names in a file of assignments: arms, strata, strategies.

use std::collections::HashMap;

use crate::domain::folded;

/// The stratum of rows that name none.
pub(super) const NO_STRATUM: &str = "(none)";

const NONE: Name<'static> = Name { text: NO_STRATUM, view: None };

/// Names that are looked up by their view: all of them, in a table of a few arms.
const CACHED: usize = 4;

/// Not the view of any short name: it stands for a length that is not short.
const NO_VIEW: u128 = u128::MAX;

/// The code of a row that does not count.
const NO_CODE: u32 = u32::MAX;

/// A name in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a> {
    pub text: &'a str,
    /// The Arrow view of a short name, which holds its length and all its bytes.
    pub view: Option<u128>,
}

impl Name<'_> {
    pub fn of(text: &str) -> Name<'_> {
        Name { text, view: None }
    }
}

/// A name with its rows.
#[derive(Debug, Clone)]
pub(super) struct CodedName {
    pub name: String,
    pub rows: u64,
    /// Number of the first row (Parquet) or line (CSV), from 1.
    pub first: u64,
}

/// Names by code; codes follow the order of the first rows.
#[derive(Debug)]
pub(super) struct NameCodes {
    codes: HashMap<String, u32>,
    /// Views and codes of the first short names, which are compared in registers. [`NO_VIEW`] marks a free entry.
    cached: [(u128, u32); CACHED],
    /// The names by code.
    pub names: Vec<CodedName>,
}

impl Default for NameCodes {
    fn default() -> NameCodes {
        NameCodes { codes: HashMap::new(), cached: [(NO_VIEW, NO_CODE); CACHED], names: Vec::new() }
    }
}

impl NameCodes {
    /// Codes the name of one row and counts it; `number` is that of the row or line.
    #[inline]
    pub fn add(&mut self, name: Name<'_>, number: u64) {
        let code = self.code(name, number);
        self.count(&[code]);
    }

    /// Codes the names of a batch into `out` and counts their rows. Rows of the part `none` do not count. `views` are the Arrow
    /// views of all names, if every row has one; `name` gives the name of a row and its number.
    #[inline]
    pub fn add_batch<'a>(
        &mut self,
        (parts, none): (&[u32], u32),
        views: Option<&[u128]>,
        name: impl Fn(usize) -> (Option<Name<'a>>, u64),
        out: &mut Vec<u32>,
    ) {
        out.clear();
        match (&self.cached, views.unwrap_or_default()) {
            // Most tables have two names.
            ([first, second, (NO_VIEW, _), ..], views) => find_views(&[*first, *second], views, out),
            (all, views) => find_views(all, views, out),
        }
        out.resize(parts.len(), NO_CODE);
        if out.contains(&NO_CODE) || parts.contains(&none) {
            for (row, (code, part)) in out.iter_mut().zip(parts).enumerate() {
                if *part == none {
                    *code = NO_CODE;
                } else if *code == NO_CODE {
                    let (name, number) = name(row);
                    *code = self.code(name.unwrap_or(NONE), number);
                }
            }
        }
        self.count(out);
    }

    #[inline]
    fn code(&mut self, name: Name<'_>, number: u64) -> u32 {
        match name.view.and_then(|view| self.cached_code(view)) {
            Some(code) => code,
            None => self.look_up(name, number),
        }
    }

    #[inline]
    fn cached_code(&self, view: u128) -> Option<u32> {
        self.cached.iter().find(|(known, _)| *known == view).map(|(_, code)| *code)
    }

    fn look_up(&mut self, Name { text, view }: Name<'_>, number: u64) -> u32 {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = self.names.len() as u32;
        self.names.push(CodedName { name: text.to_owned(), rows: 0, first: number });
        self.codes.insert(text.to_owned(), code);
        if let (Some(view), Some(free)) = (view, self.cached.iter_mut().find(|(known, _)| *known == NO_VIEW)) {
            *free = (view, code);
        }
        code
    }

    /// Counts rows with these codes, except [`NO_CODE`].
    fn count(&mut self, codes: &[u32]) {
        // One scan per name is faster than a scattered count while there are few names.
        for (code, name) in (0u32..).zip(self.names.iter_mut().take(CACHED)) {
            name.rows += codes.iter().filter(|found| **found == code).count() as u64;
        }
        if self.names.len() > CACHED {
            for code in codes.iter().filter(|code| (**code as usize) >= CACHED) {
                if let Some(name) = self.names.get_mut(*code as usize) {
                    name.rows += 1;
                }
            }
        }
    }
}

/// Appends the codes of views that are among the cached ones, [`NO_CODE`] for others. There is no branch, because the next name
/// is unpredictable.
fn find_views<const N: usize>(cached: &[(u128, u32); N], views: &[u128], out: &mut Vec<u32>) {
    let code = |view: &u128| cached.iter().fold(NO_CODE, |found, (known, code)| if known == view { *code } else { found });
    out.extend(views.iter().map(code));
}

/// A name among others that differs from `name` only in case or blanks.
pub(super) fn alike<'a>(name: &str, others: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = folded(name);
    others.into_iter().find(|other| *other != name && folded(other) == wanted)
}
