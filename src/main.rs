//! The `rfmill` command; everything happens in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    rfmill::cli::main()
}
