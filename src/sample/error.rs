//! What can go wrong while a sample is written.

#![allow(missing_docs, reason = "the fields are what the messages say of them")]

use std::io;
use std::path::PathBuf;

use jiff::civil::Date;
use parquet::errors::ParquetError;

/// Why a sample could not be written. Each message is one full sentence, or more.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The number of orders is out of range.
    #[error("A sample of {orders} orders was asked for, but it must have between 1 and {most}; ask for a number in that range.")]
    Orders { orders: u64, most: u64 },

    /// The dates are in the wrong order.
    #[error("The sample's dates go from {from} to {to}, but the first must not be after the last; exchange or correct them.")]
    Dates { from: Date, to: Date },

    /// The dates are too far apart.
    #[error("The sample's dates from {from} to {to} span more than {most} days; choose dates that are closer together.")]
    Span { from: Date, to: Date, most: usize },

    /// The number of files is out of range.
    #[error(
        "A sample in {files} files was asked for, but one from {from} to {to} can have between 1 and {most}, at most one per day; ask for a number in that range."
    )]
    Files { files: usize, from: Date, to: Date, most: usize },

    /// There are more customers than purchases, or none.
    #[error(
        "A sample of {orders} orders has {purchases} purchases and so room for 1 to {purchases} customers, but {customers} were asked for; ask for a number in that range or for more orders."
    )]
    Customers { customers: u64, orders: u64, purchases: u64 },

    /// There are more bad rows than orders to copy them from.
    #[error("A sample of {orders} orders can have at most as many bad rows, but {bad_rows} were asked for; ask for fewer.")]
    BadRows { bad_rows: u64, orders: u64 },

    /// The strategy's name is no name of a file.
    #[error("The strategy's name {name:?} cannot be that of a file; use letters, digits, hyphens and underscores.")]
    StrategyName { name: String },

    /// The strategy's effect is out of range.
    #[error("The strategy's effect is {effect}, but it must be above -1 and at most {most}; 0.25 means a quarter more orders.")]
    StrategyEffect { effect: f64, most: f64 },

    /// The strategy does not lie within the sample.
    #[error(
        "The strategy begins on {start} and has {days} days, but it must begin after the sample's first date, {from}, have a day at least and end by the last, {to}; choose other dates."
    )]
    StrategyDates { start: Date, days: u32, from: Date, to: Date },

    /// Nobody can be assigned.
    #[error(
        "The strategy begins on {start}, when no customer of the sample has bought yet; let it begin later, or ask for more customers."
    )]
    StrategyEmpty { start: Date },

    /// The folder holds Parquet files that this sample would not replace.
    #[error(
        "The folder {} already holds {}, which is not a file of the sample to be written, so the two would be read as one; choose another folder or move that file away.",
        folder.display(), file.display()
    )]
    Occupied { folder: PathBuf, file: PathBuf },

    /// The folder cannot be made or read.
    #[error("The folder {} could not be made or read: {source}. Check the path, its permissions and the space on the disk, then try again.", path.display())]
    Folder { path: PathBuf, source: io::Error },

    /// A file cannot be created, renamed or measured.
    #[error("The file {} could not be written: {source}. Check the folder's permissions and the space on the disk, then try again.", path.display())]
    File { path: PathBuf, source: io::Error },

    /// A file cannot be encoded or written to.
    #[error("The Parquet file {} could not be written: {source}. Check the folder's permissions and the space on the disk, then try again.", path.display())]
    Parquet { path: PathBuf, source: ParquetError },

    /// The generator broke one of its own promises.
    #[error("The sample generator failed: {what}. This is a bug; please report it with the command that was run.")]
    Bug { what: String },
}

impl SampleError {
    /// The exit code of the program for this error: 1 a bug, 2 a wrong request, 6 output that
    /// cannot be written, 7 a full disk.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Orders { .. }
            | Self::Dates { .. }
            | Self::Span { .. }
            | Self::Files { .. }
            | Self::Customers { .. }
            | Self::BadRows { .. }
            | Self::StrategyName { .. }
            | Self::StrategyEffect { .. }
            | Self::StrategyDates { .. }
            | Self::StrategyEmpty { .. }
            | Self::Occupied { .. } => 2,
            Self::Folder { source, .. } | Self::File { source, .. } => output_code(source),
            Self::Parquet { source, .. } => match source {
                ParquetError::External(cause) => cause.downcast_ref::<io::Error>().map_or(6, output_code),
                _ => 6,
            },
            Self::Bug { .. } => 1,
        }
    }

    pub(super) fn bug(what: impl Into<String>) -> Self {
        Self::Bug { what: what.into() }
    }
}

fn output_code(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => 7,
        _ => 6,
    }
}
