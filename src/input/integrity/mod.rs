//! Checks of the structure of a Parquet file before a decoder trusts it: footer, page headers, lengths of strings.

pub mod layout;
pub mod pages;
pub mod string_lengths;
mod thrift;
mod varint;

pub use thrift::schema_depth;
