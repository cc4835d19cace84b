//! What a Parquet file says of itself, checked before a decoder believes it.

pub mod layout;
pub mod pages;
pub mod string_lengths;
mod thrift;
mod varint;

pub use thrift::schema_depth;
