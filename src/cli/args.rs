//! The arguments of every command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

use super::common_args::day;
pub(super) use super::common_args::{Format, FormatArgs};
use super::examples;
use super::init_args::InitArgs;
use super::output_args::{DropArgs, ForgetArgs, LoadArgs, OpenArgs, TablesArgs, VerifyArgs};
use crate::domain::Day;

/// Exact RFM scores, customer tiers and lifecycle states from millions of orders in Parquet.
#[derive(Debug, Parser)]
#[command(name = "rfmill", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub log: LogArgs,
}

const AFTER_HELP: &str = "\
A job with a query needs the program rfmill-query in the folder of rfmill:
  cargo build --release -p rfmill-query

Exit codes:
  0  done
  1  a bug; please report it
  2  wrong command line or job file
  3  the data break their contract
  4  input is missing, unreadable or corrupt, or changed while it was read
  5  the output folder's state is unusable, or it belongs to another job
  6  output cannot be written
  7  out of memory, disk or descriptors
  8  another run is writing the output
  9  the outcome of the commit is unknown
  130, 143  stopped by a signal";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make sample orders, run a job on them and say what came of it
    Quickstart(QuickstartArgs),
    /// Look at your orders, and write a first job file for them
    Init(InitArgs),
    /// Run a job: read orders, write tables
    Run(RunArgs),
    /// Run a task of a run in stages, as schedulers do
    #[command(subcommand, hide = true)]
    Stage(StageCommand),
    /// Open the page of the last run in a browser
    Open(OpenArgs),
    /// Check a job file against its input files, without reading orders
    #[command(after_help = examples::CHECK)]
    Check(JobArgs),
    /// Show what a run would read and how its schemes decide
    #[command(after_help = examples::EXPLAIN)]
    Explain(JobArgs),
    /// Write seeded sample orders of any size
    Sample(SampleArgs),
    /// Draw customers of a state into the arms of a strategy
    Assign(Box<AssignArgs>),
    /// Check that an output folder holds what was committed, every file of it
    Verify(VerifyArgs),
    /// Take an as-of date out of an output folder
    Drop(DropArgs),
    /// Take customers out of every file of an output folder; sums stay
    Forget(ForgetArgs),
    /// List the tables of an output, or write one as an Arrow stream
    Tables(TablesArgs),
    /// Load the tables of an output folder into PostgreSQL
    Load(LoadArgs),
    /// Print the JSON Schema of the job file, or the tables of a job as SQL, dbt sources or Markdown
    Schema(SchemaArgs),
    /// Print shell completions
    Completions(CompletionsArgs),
    /// Print a manual page, or write all of them
    Man(ManArgs),
}

impl Command {
    /// Its name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Quickstart(_) => "quickstart",
            Command::Init(_) => "init",
            Command::Run(_) => "run",
            Command::Stage(_) => "stage",
            Command::Open(_) => "open",
            Command::Check(_) => "check",
            Command::Explain(_) => "explain",
            Command::Sample(_) => "sample",
            Command::Assign(_) => "assign",
            Command::Verify(_) => "verify",
            Command::Drop(_) => "drop",
            Command::Forget(_) => "forget",
            Command::Tables(_) => "tables",
            Command::Load(_) => "load",
            Command::Schema(_) => "schema",
            Command::Completions(_) => "completions",
            Command::Man(_) => "man",
        }
    }

    /// The form in which it says what came of it.
    pub fn format(&self) -> Format {
        match self {
            Command::Init(args) => args.format.format,
            Command::Run(args) => args.job.format.format,
            Command::Check(args) | Command::Explain(args) => args.format.format,
            Command::Verify(args) => args.format.format,
            Command::Drop(args) => args.format.format,
            Command::Forget(args) => args.format.format,
            Command::Open(args) => args.format.format,
            Command::Tables(args) => args.format.format,
            _ => Format::Text,
        }
    }
}

/// How a command reports.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct LogArgs {
    /// Form of the log lines on stderr
    #[arg(long, value_enum, default_value_t, global = true)]
    pub log_format: LogFormat,
    /// Print nothing but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

/// How many threads.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct ThreadArgs {
    /// Threads to use [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct JobArgs {
    /// The job file
    #[arg(value_name = "JOB")]
    pub job: PathBuf,
    /// Use this as-of date instead of the job's
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub as_of: Option<Day>,
    /// First day of the job's periods, or first as-of date
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub from: Option<Day>,
    /// Last day of the job's periods, or last as-of date
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub to: Option<Day>,
    /// Output folder, or place in an object store, instead of the job's
    #[arg(long, short, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Set a key of the job file, for example score.bins=4
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// Make the output folder that of this job, although another job or time zone wrote it
    #[arg(long)]
    pub adopt: bool,
    /// Memory to use at most, such as 512MiB or 4GiB, in stages by each task; what does not fit is spilled into the output folder, or into
    /// TMPDIR in stages and where the output lies in a store
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory_limit: Option<u64>,
    /// Input rows per file of a table with a row per customer, about; for tests, which need many files of little data
    #[arg(long, value_name = "ROWS", hide = true)]
    pub part_rows: Option<u64>,
    #[command(flatten)]
    pub threads: ThreadArgs,
    #[command(flatten)]
    pub format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(after_help = examples::RUN)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// Read a sample of the orders and say what a run would meet and write; nothing is written
    #[arg(long, conflicts_with = "shards")]
    pub dry_run: bool,
    /// Rows of orders that a dry run reads, about: whole row groups that lie evenly over the files
    #[arg(long, value_name = "ROWS", requires = "dry_run", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub sample_rows: u64,
    /// Run in stages, with the customers in as many shards as this
    #[arg(long, value_name = "P", requires = "work", value_parser = clap::value_parser!(u16).range(1..))]
    pub shards: Option<u16>,
    /// Place for what passes between stages, which all of their tasks see: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "PLACE", requires = "shards")]
    pub work: Option<String>,
    /// What starts the tasks of a stage: local for processes of this machine, or a command that is given a stage, the number of its tasks and the work place
    #[arg(long, value_name = "COMMAND", requires = "shards", default_value = "local")]
    pub launcher: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum StageCommand {
    /// Plan a run in stages, and print them with their tasks as JSON
    Plan(PlanArgs),
    /// Run a query
    Prepare(TaskArgs),
    /// Find what rows decide over other rows
    Exclude(TaskArgs),
    /// Read orders into buckets
    Scan(TaskArgs),
    /// Number slices and categories
    Names(TaskArgs),
    /// Measure customers for cut points
    Distributions(TaskArgs),
    /// Find cut points
    Cuts(TaskArgs),
    /// Write customers
    Parts(TaskArgs),
    /// Write what is left, and commit
    Finish(TaskArgs),
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// Shards of customers
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u16).range(1..))]
    pub shards: u16,
    /// Place for what passes between stages
    #[arg(long, value_name = "PLACE")]
    pub work: String,
}

#[derive(Debug, Args)]
pub(super) struct TaskArgs {
    /// Place of the plan, and for what passes between stages
    #[arg(long, value_name = "PLACE")]
    pub work: String,
    /// Which task of the stage, from 0
    #[arg(long, value_name = "I", default_value_t = 0)]
    pub task: usize,
    /// End when the standard input does
    #[arg(long, hide = true)]
    pub supervised: bool,
    #[command(flatten)]
    pub threads: ThreadArgs,
}

#[derive(Debug, Args)]
#[command(after_help = examples::QUICKSTART)]
pub(super) struct QuickstartArgs {
    /// Folder for the sample orders, the job file and the output
    #[arg(value_name = "FOLDER", default_value = "rfmill-quickstart")]
    pub folder: PathBuf,
    /// Orders to make
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub orders: u64,
    #[command(flatten)]
    pub threads: ThreadArgs,
}

#[derive(Debug, Args)]
#[command(after_help = examples::SAMPLE)]
pub(super) struct SampleArgs {
    /// Folder to write the files to
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Orders to make
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub orders: u64,
    /// Customers who make them [default: an eighth of the orders]
    #[arg(long, value_name = "N")]
    pub customers: Option<u64>,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// First date
    #[arg(long, default_value = "2023-01-01", value_name = "DATE")]
    pub from: Date,
    /// Last date
    #[arg(long, default_value = "2024-12-31", value_name = "DATE")]
    pub to: Date,
    /// Files to write [default: one per quarter, above ten million orders one per month]
    #[arg(long, value_name = "N")]
    pub files: Option<usize>,
    /// Rows without a date or an amount, and duplicates, to add
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub bad_rows: u64,
    /// Make customer ids strings
    #[arg(long)]
    pub string_ids: bool,
    /// Name of a strategy whose effect the orders are to show; half of the customers are treated
    #[arg(long, value_name = "NAME", requires = "effect", requires = "strategy_from")]
    pub strategy: Option<String>,
    /// How much more often treated customers buy: 0.25 is a quarter more
    #[arg(long, value_name = "SHARE", requires = "strategy", allow_negative_numbers = true)]
    pub effect: Option<f64>,
    /// First day of the strategy
    #[arg(long, value_name = "DATE", requires = "strategy")]
    pub strategy_from: Option<Date>,
    /// Days of the strategy [default: 91]
    #[arg(long, value_name = "N", requires = "strategy")]
    pub strategy_days: Option<u32>,
    /// Make service tickets with their cost, and survey scores, too: FOLDER/_service/service.parquet
    #[arg(long)]
    pub service: bool,
    #[command(flatten)]
    pub threads: ThreadArgs,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = examples::ASSIGN)]
pub(super) struct AssignArgs {
    /// The output of a job: a folder, or a place in an object store
    #[arg(value_name = "OUT")]
    pub folder: PathBuf,
    /// State to draw from, such as segment="At Risk"; repeat it for more states, or leave out "=" for all of a column
    #[arg(long, value_name = "COLUMN=STATE", required = true)]
    pub from: Vec<String>,
    /// The job file of that folder; its orders tell what the arms can detect
    #[arg(long, value_name = "JOB")]
    pub job: Option<PathBuf>,
    /// How long outcomes count, such as "91d" or "1 quarter"; past windows have this length
    #[arg(long, value_name = "LENGTH", default_value = "91d")]
    pub outcome: String,
    /// Draw nothing, but propose the hold-outs that find a gain of this size, such as 10%
    #[arg(long, value_name = "LIFT", requires = "job", conflicts_with_all = ["holdout", "holdout_by", "arms", "strata", "reuse"])]
    pub find: Option<String>,
    /// Name of the strategy
    #[arg(long, value_name = "NAME", required_unless_present = "find", default_value = "", hide_default_value = true)]
    pub name: String,
    /// Any text; the same salt draws the same arms
    #[arg(long, value_name = "SALT", required_unless_present = "find", default_value = "", hide_default_value = true)]
    pub salt: String,
    /// File to write, ending in .parquet or .csv
    #[arg(long, short, value_name = "FILE", required_unless_present = "find", default_value = "-", hide_default_value = true)]
    pub output: PathBuf,
    /// Share of the control arm; everybody else is in the arm "treatment"
    #[arg(long, value_name = "SHARE", required_unless_present_any = ["arms", "find"], conflicts_with = "arms")]
    pub holdout: Option<String>,
    /// Another share of the control arm in a state, such as "At Risk=0.2"
    #[arg(long, value_name = "STATE=SHARE", conflicts_with = "arms")]
    pub holdout_by: Vec<String>,
    /// All arms with their shares, such as control=0.5,mail=0.25,sms=0.25
    #[arg(long, value_name = "ARM=SHARE,…", value_delimiter = ',')]
    pub arms: Vec<String>,
    /// Name of the control arm
    #[arg(long, value_name = "ARM", default_value = "control")]
    pub control: String,
    /// Columns whose values make the strata [default: the state]
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub strata: Vec<String>,
    /// Share of all customers who are never assigned to anything
    #[arg(long, value_name = "SHARE", requires = "global_salt")]
    pub global_holdout: Option<String>,
    /// The salt of that share; keep it for all strategies
    #[arg(long, value_name = "SALT", requires = "global_holdout")]
    pub global_salt: Option<String>,
    /// Leave out everybody in this assignment file of another strategy
    #[arg(long, value_name = "FILE", conflicts_with = "reuse")]
    pub avoid: Option<PathBuf>,
    /// Keep the hold-out of this assignment file of another strategy, and draw only who is not in it
    #[arg(long, value_name = "FILE")]
    pub reuse: Option<PathBuf>,
    /// Slice to draw from, for a job with slices
    #[arg(long, value_name = "SLICE")]
    pub slice: Option<String>,
    /// As-of date of the states [default: the last of the run that `latest` names]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub as_of: Option<Day>,
    /// Date from which outcomes count [default: the day after the as-of date]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub assigned_on: Option<Day>,
}

#[derive(Debug, Args)]
#[command(after_help = examples::SCHEMA)]
pub(super) struct SchemaArgs {
    /// Print the tables of this job instead
    #[arg(long, value_name = "JOB")]
    pub tables: Option<PathBuf>,
    /// Form of the tables
    #[arg(long, value_enum, default_value_t, requires = "tables")]
    pub format: TablesFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum TablesFormat {
    /// CREATE TABLE statements with comments, for PostgreSQL and DuckDB
    #[default]
    Ddl,
    /// sources.yml of a dbt project
    Dbt,
    /// A data dictionary
    Markdown,
    /// CREATE VIEW statements for DuckDB over the files of the job's output
    Duckdb,
}

#[derive(Debug, Args)]
#[command(after_help = examples::COMPLETIONS)]
pub(super) struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = examples::MAN)]
pub(super) struct ManArgs {
    /// The command whose page is meant [default: the page of rfmill]
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
    /// Write the pages of rfmill and of every command into this folder
    #[arg(long, short, value_name = "FOLDER", conflicts_with = "command")]
    pub output: Option<PathBuf>,
}

/// Bytes, from a size in KiB, MiB or GiB.
fn size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];
    let found = units.iter().find_map(|(unit, bits)| Some((text.strip_suffix(unit)?, *bits)));
    let bytes = found.and_then(|(number, bits)| number.trim().parse::<u64>().ok()?.checked_mul(1 << bits));
    bytes.ok_or_else(|| "expected a size such as 512MiB or 4GiB".into())
}

/// The names of the commands that people give.
pub(super) fn command_names(root: &clap::Command) -> Vec<&str> {
    root.get_subcommands().filter(|command| !command.is_hide_set()).map(clap::Command::get_name).collect()
}
