//! The tests of the program that runs queries, in one binary.

/// Lazy queries that agree with the tables of rfmill.
mod oracle;
/// What the program answers, and when it ends.
mod program;
