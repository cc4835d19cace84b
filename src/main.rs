//! The `rfmill` command; everything happens in the library.

use std::process::ExitCode;

/// Many threads build many vectors of all sizes; the system allocator gives their pages back and asks anew each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rfmill::cli::main()
}
