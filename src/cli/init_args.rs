//! The arguments of `init`.

use std::path::PathBuf;

use clap::Args;

use super::common_args::{FormatArgs, day};
use super::examples;
use crate::domain::Day;

#[derive(Debug, Args)]
#[command(after_help = examples::INIT)]
pub(super) struct InitArgs {
    /// Orders in Parquet, CSV or NDJSON: files, a glob or a folder; or the folder of a Delta or Iceberg table
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The job file to write; one that is there is not replaced unless you say so on a terminal
    #[arg(long, short, value_name = "FILE", default_value = "job.toml")]
    pub output: PathBuf,
    /// Ask nothing, and take the guesses; questions stand in the job file
    #[arg(long, short)]
    pub yes: bool,
    /// The as-of date of the job [default: the last end of a month or of a day that the orders carry]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub as_of: Option<Day>,
    /// Look at all rows; by default, at pieces of tables of more than a million rows (text: 128 MiB)
    #[arg(long)]
    pub all_rows: bool,
    /// Of dates such as 03/04/2024, the first number is the day
    #[arg(long, conflicts_with_all = ["month_first", "year_first"])]
    pub day_first: bool,
    /// Of dates such as 03/04/2024, the first number is the month
    #[arg(long, conflicts_with = "year_first")]
    pub month_first: bool,
    /// Of dates such as 24/03/04, the first number is the year
    #[arg(long)]
    pub year_first: bool,
    #[command(flatten)]
    pub format: FormatArgs,
}
