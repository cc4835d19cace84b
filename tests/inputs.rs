//! Damaged and hostile inputs: what of them is found out, and how.

/// Headers and footers that lie.
mod crafted;
/// Delta tables.
pub mod delta;
/// Names, folders, pipes and links in the place of files.
mod files;
/// Every byte flipped, every length cut.
mod flips;
/// Random damage.
mod fuzz;
/// Iceberg tables.
pub mod iceberg;
/// Files with several names, tables with a log, and what is passed over.
mod identity;
/// Lists of hashes.
mod manifest;
/// Runs on one changed file after the other.
mod mill;
/// Ids of customers in logs, reports and errors.
mod privacy;
/// Large inputs, many files, disks that fail.
mod scale;
/// Schemas that differ.
mod schemas;
/// Thrift as a tree.
mod thrift;
/// Values at the edge.
mod values;
