//! Everything a user can do wrong, through the program itself.

mod bad_input;
mod cli;
#[path = "support/fixture.rs"]
mod fixture;
