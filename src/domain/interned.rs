//! Names that live as long as the program, so that what has a name stays small and is copied freely.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// All names that were ever asked for: those of columns and of kinds of events, of which a program meets few.
static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The name, to be kept for as long as the program runs.
pub(super) fn interned(name: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.get(name).copied().unwrap_or_else(|| {
        let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
        names.insert(name);
        name
    })
}
