//! From input files to records in buckets, with every row accounted for.
//!
//! [`query`] makes Parquet files of other shapes, [`files`] finds the files, `delta` and `iceberg` those of tables
//! with a log, [`source`] opens them and [`schema`] checks their columns; [`orders`], [`customers`],
//! [`events`], [`assignments`] and [`acquisition`] each read one kind of table. `integrity` checks what a file says of itself
//! before a decoder believes it.

pub mod acquisition;
pub mod assignments;
pub(crate) mod column_types;
mod constant;
mod csv_record;
pub mod customers;
pub mod damage;
pub(crate) mod decode;
mod deletion_vector;
mod delta;
mod event_values;
pub mod events;
mod file_kind;
pub mod files;
mod find;
pub mod hashes;
mod iceberg;
pub mod input_path;
mod integrity;
mod joined;
mod joined_columns;
mod keys;
mod lake;
mod lake_table;
mod objects;
pub mod open;
pub mod orders;
mod predicate;
pub mod query;
pub(crate) mod reader;
pub mod rounding;
pub mod schema;
pub mod source;
pub mod table_file;
#[cfg(test)]
mod table_rows;
mod threads;
mod widening;
pub(crate) mod zone;

pub(crate) use file_kind::{HEAD as FILE_HEAD, conversion, looks_like};
pub(crate) use lake::lake_word;
pub use reader::read_all;
pub use zone::Zone;
