//! The examples of `rfmill COMMAND --help` run as they stand, one after the other, in a folder with a job and an output.

use std::path::Path;
use std::process::Command;

use crate::fixture::{Bench, PROGRAM, Ran};

/// The lines of examples in a text of help.
fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    lines.map_while(|line| line.strip_prefix("  ")).map(str::to_owned).collect()
}

/// Runs a line in a shell of the folder, which finds the program and no browser.
fn run(bench: &Bench, line: &str) -> Ran {
    let folder = Path::new(PROGRAM).parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).current_dir(bench.path(".")).env("PATH", format!("{folder}:{path}"));
    shell.env_remove("BROWSER").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    shell.output().unwrap().into()
}

#[test]
fn every_example_runs() {
    let bench = Bench::empty();
    // The quickstart's job and orders, so that every state has customers.
    bench.succeeds(&["quickstart", "q", "--orders", "30000", "--quiet"]);
    let job = String::from_utf8(bench.read("q/quickstart.toml")).unwrap();
    bench.write("job.toml", job.replace("\"orders/", "\"q/orders/"));
    bench.write("ids.txt", "1\n");
    bench.succeeds(&["sample", "shop-orders", "--orders", "2000", "--quiet"]);
    bench.succeeds(&["run", "job.toml", "--quiet"]);
    let help = bench.succeeds(&["--help"]).out;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).map_while(|line| line.strip_prefix("  "));
    // Lines that go on are indented further.
    let commands = commands.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split_whitespace().next());
    let commands: Vec<&str> = commands.filter(|name| *name != "help").collect();
    assert!(commands.len() >= 15, "{commands:?}");
    for command in commands {
        let lines = examples(&bench.succeeds(&[command, "--help"]).out);
        assert!(!lines.is_empty(), "{command} has no examples");
        for line in lines {
            assert!(line.contains(&format!("rfmill {command}")), "{command}: {line:?} is an example of something else");
            let ran = match command {
                // No database is here; the line is one that the parser takes.
                "load" => {
                    let ran = run(&bench, &line.replace(":5432", ":1"));
                    assert_eq!(ran.code, 6, "{line}: {}", ran.err);
                    continue;
                }
                // Readers of manual pages are not everywhere.
                "man" => run(&bench, &line.replace("| man -l -", "")),
                // Nor is there one browser on every machine.
                _ => run(&bench, &line.replace("BROWSER=firefox", "BROWSER=true")),
            };
            assert_eq!(ran.code, 0, "{line}: {}", ran.err);
            // A date can only be dropped once there, and must be there.
        }
    }
}
