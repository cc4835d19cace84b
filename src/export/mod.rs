//! The tables that an output shows, over all of its as-of dates: what they are ([`source`]), and their rows as a stream of Arrow
//! batches ([`stream`]).

mod source;
mod stream;

pub use source::{AS_OF, Column, DataFile, Part, Source, SourceTable, unreadable, view};
pub use stream::write_stream;
