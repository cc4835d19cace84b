//! Outputs that cannot be written, belong to somebody else, are locked, or fill up.

use std::fs;
use std::process::Command;

use crate::fixture::{Bench, PROGRAM};

#[test]
fn an_output_below_a_file_is_refused() {
    let bench = Bench::with_run();
    bench.refuses_command(&["run", "job.toml", "-q", "--output", "job.toml/out"], 6, "error: cannot write job.toml/out: Not a directory (os error 20); a part of the path is no folder, so choose another --output. The last committed run is untouched.");
    bench.refuses_command(&["run", "job.toml", "-q", "--output", "job.toml"], 6, "error: cannot write job.toml: File exists (os error 17); something else stands there, so choose another --output. The last committed run is untouched.");
}

#[test]
fn an_output_in_the_kernel_is_refused() {
    let bench = Bench::with_run();
    bench.refuses_command(&["run", "job.toml", "-q", "--output", "/proc/rfmill"], 6, "error: cannot write /proc/rfmill: No such file or directory (os error 2); a part of the path is no folder, so choose another --output. The last committed run is untouched.");
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let bench = Bench::with_run();
    bench.refuses_command(
        &["run", "job.toml", "-q", "--output", "orders"],
        6,
        "error: orders holds files that rfmill did not write; choose an empty or new folder as --output.",
    );
    assert_eq!(fs::read_dir(bench.path("orders")).unwrap().count(), 1, "nothing was put beside the orders");
}

#[test]
fn a_locked_output_is_refused() {
    let bench = Bench::with_run();
    let lock = fs::OpenOptions::new().append(true).open(bench.path("out/.rfmill")).unwrap();
    lock.lock().unwrap();
    bench.refuses(8, "error: another run is writing out; wait for it to end and run again.");
    drop(lock);
    bench.runs();
}

#[test]
fn a_damaged_commit_is_refused() {
    let bench = Bench::with_run();
    bench.write("out/commits/00000001.json", "{");
    let ran = bench.rfmill(&["run", "job.toml", "-q"]);
    crate::fixture::assert_message(
        &ran,
        5,
        "error: out/commits/00000001.json cannot be read: EOF while parsing an object at line 1 column 1; see what `rfmill verify` says of the output, which can restore some records.",
    );
}

/// Runs a shell script in a mount namespace of its own; `None`, said aloud, where that is not permitted.
fn in_namespace(bench: &Bench, script: &str) -> Option<String> {
    fs::create_dir_all(bench.path("mnt")).unwrap();
    let probe =
        Command::new("unshare").args(["-Urm", "mount", "-t", "tmpfs", "tmpfs", "mnt"]).current_dir(bench.path("")).output();
    if !probe.is_ok_and(|o| o.status.success()) {
        println!(
            "SKIPPED: this machine does not allow mount namespaces (unshare -Urm), so full and read-only disks are not tested"
        );
        return None;
    }
    let output = Command::new("unshare")
        .args(["-Urm", "sh", "-c", script])
        .env("RFMILL", PROGRAM)
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_read_only_disk_is_refused() {
    let bench = Bench::new();
    let script = "mount -t tmpfs tmpfs mnt && $RFMILL run job.toml -q --output mnt/out --as-of 2024-06-30 || echo first
        mount -o remount,ro mnt
        $RFMILL run job.toml -q --output mnt/out 2>&1; echo exit $?
        $RFMILL run job.toml -q --output mnt/new 2>&1; echo exit $?
        $RFMILL verify mnt/out | cut -c 1-12";
    let Some(found) = in_namespace(&bench, script) else { return };
    assert_eq!(
        found.lines().collect::<Vec<_>>(),
        [
            "error[output]: cannot write mnt/out/.rfmill: Read-only file system (os error 30); check its permissions or choose another --output. The last committed run is untouched.",
            "exit 6",
            "error[output]: cannot write mnt/new: Read-only file system (os error 30); check its permissions or choose another --output. The last committed run is untouched.",
            "exit 6",
            "mnt/out: ok ",
        ]
    );
}

#[test]
fn a_full_disk_leaves_the_last_run_whole() {
    let bench = Bench::new();
    bench.succeeds(&["sample", "many", "--orders", "4000", "-q"]);
    bench.edit("path = \"orders\"", "path = \"many\"");
    // From a disk on which nothing fits to one on which both runs fit.
    let script = "for size in 4 8 12 16 20 24 28 32 36 40 48 56 64 72 80 88 96 104 112 120 128 136 144 152 160 168 176 184 192 200 208 216 224 232 240 256 320 400 800; do
            mount -t tmpfs -o size=${size}k tmpfs mnt
            $RFMILL run job.toml -q --output mnt/out --as-of 2024-06-30 2> error; first=$?
            verified=$($RFMILL verify mnt/out 2>&1 | tr '\\n' ' ')
            [ $first = 0 ] && $RFMILL run job.toml -q --output mnt/out 2> error; second=$?
            after=$($RFMILL verify mnt/out 2>&1 | tr '\\n' ' ')
            [ \"$verified\" = \"$after\" ] && same=same || same=other
            staged=$(ls -A mnt/out/runs 2>/dev/null | grep -c staging)
            echo \"$size $first $second $same $staged $(cat error) [$after]\"
            umount mnt
        done";
    let Some(found) = in_namespace(&bench, script) else { return };
    let (mut full_at_first, mut full_later, mut fits) = (0, 0, 0);
    for line in found.lines() {
        println!("{line}");
        let fields: Vec<&str> = line.splitn(6, ' ').collect();
        let [_, first, second, same, staged, error] = fields.as_slice() else { panic!("{line}") };
        assert_eq!(*staged, "0", "{line}");
        match (*first, *second) {
            ("6", "1") => full_at_first += 1,
            ("0", "6") => full_later += 1,
            ("0", "0") => fits += 1,
            _ => panic!("unexpected exit codes: {line}"),
        }
        if *second == "6" {
            assert_eq!(*same, "same", "the last run changed: {line}");
            assert!(error.contains("[mnt/out: ok "), "the last run is not whole: {line}");
        }
        if *second != "0" {
            assert!(
                error.contains("No space left on device") && error.contains("free some space or choose another --output"),
                "{line}"
            );
        }
    }
    assert!(full_at_first > 0 && full_later > 0 && fits > 0, "{found}");
}
