//! The arguments of the commands that read or change an output.

use std::path::PathBuf;

use clap::Args;

use super::common_args::{FormatArgs, day};
use super::examples;
use crate::domain::Day;

#[derive(Debug, Args)]
#[command(after_help = examples::VERIFY)]
pub(super) struct VerifyArgs {
    /// The output: a folder, or a place in an object store such as s3://bucket/out
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Put right what can be without changing a number, from copies of the same bytes
    #[arg(long)]
    pub repair: bool,
    #[command(flatten)]
    pub format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(after_help = examples::DROP)]
pub(super) struct DropArgs {
    /// The output: a folder, or a place in an object store such as s3://bucket/out
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// As-of date to take out
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub as_of: Day,
    #[command(flatten)]
    pub format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(after_help = examples::FORGET)]
pub(super) struct ForgetArgs {
    /// The output: a folder, or a place in an object store such as s3://bucket/out
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Text file with the id of a customer in each line, as customer_id shows it
    #[arg(long, value_name = "FILE")]
    pub ids: PathBuf,
    #[command(flatten)]
    pub format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(after_help = examples::LOAD)]
pub(super) struct LoadArgs {
    /// The output: a folder, or a place in an object store such as s3://bucket/out
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Database, such as postgres://user@host:5432/database?sslmode=verify-full&schema=rfmill; the password comes from
    /// PGPASSWORD or ~/.pgpass
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// Does nothing: every as-of date in view is compared with the database
    #[arg(long, hide = true)]
    pub all: bool,
    /// Connections that copy at the same time
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub connections: u16,
}

#[derive(Debug, Args)]
#[command(after_help = examples::OPEN)]
pub(super) struct OpenArgs {
    /// The output folder
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    #[command(flatten)]
    pub format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(after_help = examples::TABLES)]
pub(super) struct TablesArgs {
    /// The output: a folder, or a place in an object store such as s3://bucket/out
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// The table whose rows of all as-of dates are written to stdout, as an Arrow IPC stream
    #[arg(value_name = "TABLE", conflicts_with = "format")]
    pub table: Option<String>,
    /// Number of the commit to look at: the last one, or the one before [default: the last one]
    #[arg(long, value_name = "N")]
    pub commit: Option<u64>,
    #[command(flatten)]
    pub format: FormatArgs,
}
