//! The `rfmill` command; everything happens in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let is_limited = std::env::args_os().any(|argument| argument.as_encoded_bytes().starts_with(b"--memory-limit"));
    tune_allocator(is_limited);
    rfmill::internals::cli::main()
}

/// Tells the allocator to keep what is freed. A run is one burst of work that builds and drops many vectors; by default
/// glibc gives their pages back between steps and faults them in anew. In workload W1 of `benches/README.md` this takes
/// page faults from 84,000 to 48,000 and some 7 % of the time. Under a limit of memory it is to give large vectors back at once.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn tune_allocator(is_limited: bool) {
    const MIB: libc::c_int = 1 << 20;
    // SAFETY: mallopt takes two integers and sets tunables of the allocator. It is called once, before any other thread
    // exists; a value that it refuses leaves the default in place.
    unsafe {
        if is_limited {
            libc::mallopt(libc::M_MMAP_THRESHOLD, MIB / 4);
            libc::mallopt(libc::M_TRIM_THRESHOLD, MIB);
            return;
        }
        libc::mallopt(libc::M_TRIM_THRESHOLD, 1024 * MIB);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 * MIB);
        libc::mallopt(libc::M_TOP_PAD, 16 * MIB);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn tune_allocator(_: bool) {}
