//! Arguments that commands of several files have.

use clap::{Args, ValueEnum};

use crate::domain::Day;

/// In which form a command says what came of it.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct FormatArgs {
    /// Form of what the command says: text, or one JSON document on stdout
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

/// A date, such as 2024-12-31.
pub(super) fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "expected a date such as 2024-12-31".into())
}
