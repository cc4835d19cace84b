//! The tests of the program that runs queries, in one binary.

/// CSV files of every form, and where they are cut.
mod csv;
/// Lazy queries that agree with the tables of rfmill.
mod oracle;
/// What the program answers, and when it ends.
mod program;
