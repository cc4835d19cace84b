//! Runs in stages: the same bytes for any number of shards, whatever happens to tasks.
//!
//! `RFMILL_SHARDED=200` tries as many random jobs, each with 1, 2 and 8 shards, `RFMILL_KILLS=100` kills as many runs. Those that
//! `tests/spark.py` runs on Spark are laid out by an ignored test.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::{Output, Stdio};
use std::thread;
use std::time::Duration;

use rfmill::Error;
use rfmill::internals::domain::Day;
use rfmill::internals::job::Overrides;
use rfmill::internals::pipeline;
use rfmill::internals::pipeline::sharded::{self, Planned, PlannedJob, TaskOutcome, WorkPlace};
use rfmill::internals::progress::Silent;
use serde_json::Value as Json;

use crate::claims;
use crate::differential;
use crate::people;
use crate::support::cases::{Rng, case};
use crate::support::run::{Workshop, said, table_hashes};

/// Random jobs of a usual run of the tests.
const JOBS: u64 = 60;

/// Runs that are killed in a usual run of the tests.
const KILLS: u64 = 12;

fn number(variable: &str, usual: u64) -> u64 {
    env::var(variable).map_or(usual, |n| n.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// A random job: of rows and lines of all kinds, or with strategies.
fn random_job(seed: u64) -> (Workshop, Overrides) {
    let mut overrides = Overrides { part_rows: Some(4), ..Overrides::default() };
    if seed.is_multiple_of(3) {
        return (claims::lay_out(9_000 + seed), overrides);
    }
    let case = case(2_000_000 + seed);
    overrides.as_of = case.job.only_as_of.map(|date| Day(date as i32));
    (differential::lay_out(&case), overrides)
}

fn into(shop: &Workshop, overrides: &Overrides, output: &str) -> Overrides {
    Overrides { output: Some(shop.path(output)), ..overrides.clone() }
}

fn planned(shop: &Workshop, overrides: Overrides) -> PlannedJob {
    let path = shop.path("job.toml");
    PlannedJob { text: fs::read_to_string(&path).expect("a job"), path, sets: Vec::new(), overrides }
}

/// Runs a job in one process.
pub(crate) fn whole(shop: &Workshop, overrides: Overrides) -> Result<(), Error> {
    let job = planned(shop, overrides);
    let job = job.resolve()?;
    pipeline::run(&job, &Silent).map(drop)
}

/// Runs a job in stages: the tasks of a stage in random order, every one twice, half of them at once.
pub(crate) fn in_stages(shop: &Workshop, overrides: Overrides, shards: usize, rng: &mut Rng) -> Result<(), Error> {
    let work = WorkPlace::of(&format!("work-{shards}"), &shop.path(""));
    let plan = match sharded::plan(planned(shop, overrides), shards, &work, &Silent)? {
        Planned::Stages(planned) => planned.plan,
        Planned::Committed(_) => panic!("nothing was committed yet"),
    };
    for (stage, tasks) in plan.stages {
        let mut order: Vec<usize> = (0..tasks).collect();
        rng.shuffle(&mut order);
        for task in order {
            let run = || sharded::run_task(&work, stage, task, &Silent);
            let is_last = stage == sharded::StageName::Finish;
            let outcome = match rng.chance(50) && !is_last {
                true => thread::scope(|scope| {
                    let twin = scope.spawn(run);
                    let own = run();
                    twin.join().expect("a twin").and(own)
                }),
                false => run().and_then(|_| run()),
            };
            assert!(matches!(outcome?, TaskOutcome::Committed(_)) == is_last);
        }
    }
    Ok(())
}

/// The files of the tables of the last run of an output.
pub(crate) fn tables(shop: &Workshop, output: &str) -> BTreeMap<String, String> {
    table_hashes(&fs::canonicalize(shop.path(output).join("latest")).expect("a run"))
}

#[test]
fn random_jobs_give_the_same_files_in_stages() {
    let asked = env::var("RFMILL_SHARDED").is_ok();
    let (mut many_parts, mut failed) = (0, 0);
    for seed in 0..number("RFMILL_SHARDED", JOBS) {
        let (shop, overrides) = random_job(seed);
        let mut rng = Rng::new(seed);
        let wanted = whole(&shop, into(&shop, &overrides, "whole"));
        let all = [1, 2, 8];
        let shards = if asked { all.to_vec() } else { vec![all[seed as usize % 3]] };
        for shards in shards {
            let output = format!("shards-{shards}");
            let found = in_stages(&shop, into(&shop, &overrides, &output), shards, &mut rng);
            match (&wanted, found) {
                (Ok(()), Ok(())) => {
                    let (wanted, found) = (tables(&shop, "whole"), tables(&shop, &output));
                    many_parts += u64::from(wanted.keys().filter(|name| name.contains("/part-015")).count() > 0);
                    assert_eq!(found, wanted, "seed {seed}, {shards} shards");
                }
                (Err(wanted), Err(found)) => {
                    failed += 1;
                    assert_eq!(found.kind(), wanted.kind(), "seed {seed}, {shards} shards: {found}, not {wanted}");
                }
                (wanted, found) => panic!("seed {seed}, {shards} shards: {found:?}, not {wanted:?}"),
            }
        }
    }
    assert!(many_parts > 0 && failed > 0, "{many_parts} runs with 16 parts or more, {failed} that failed");
}

/// The manifest of the last run of an output, without what depends on the machine and the moment.
fn manifest(output: &std::path::Path) -> Json {
    let bytes = fs::read(output.join("latest/manifest.json")).expect("a manifest");
    let mut manifest: Json = serde_json::from_slice(&bytes).expect("JSON");
    for key in ["timings", "peak_memory_bytes", "spilled_bytes"] {
        manifest.as_object_mut().expect("an object").remove(key);
    }
    manifest
}

/// Customers of a table and events are kept by the shard that has their orders; what is odd about them is told as by one process.
#[test]
fn customers_and_events_are_divided_by_shard() {
    for seed in 0..8u64 {
        let (sliced, text_ids) = (seed % 2 == 0, seed % 4 < 2);
        let benches = [people::customers::random(seed, sliced), people::events::random(seed, sliced, text_ids).0];
        for bench in benches {
            let limit = if seed % 3 == 0 { "400MiB" } else { "4GiB" };
            let run = |more: &[&str]| {
                let ran = bench.rfmill(&[&["run", "job.toml", "--part-rows", "9", "--memory-limit", limit][..], more].concat());
                assert_eq!(ran.code, 0, "seed {seed}: {}", ran.err);
                ran.err.lines().filter(|line| line.contains("warning")).map(str::to_owned).collect::<Vec<_>>()
            };
            let alone = run(&["-o", "alone"]);
            let shards = ["1", "3", "8"][seed as usize % 3];
            let staged = run(&["-o", "staged", "--shards", shards, "--work", "work"]);
            assert_eq!(staged, alone, "seed {seed}");
            assert_eq!(manifest(&bench.path("staged")), manifest(&bench.path("alone")), "seed {seed}");
        }
    }
}

/// Lays out random jobs with the tables that one process makes of them, for others who run them in stages.
#[test]
#[ignore = "writes what tests/spark.py reads"]
fn lays_out_jobs() {
    let folder = env::var("RFMILL_JOBS_FOLDER").expect("RFMILL_JOBS_FOLDER names a folder");
    let wanted = number("RFMILL_SHARDED", 20);
    let (mut made, mut seed) = (0, 500);
    while made < wanted {
        seed += 1;
        let (shop, overrides) = random_job(seed);
        if whole(&shop, into(&shop, &overrides, "whole")).is_err() {
            continue;
        }
        let hashes: String = tables(&shop, "whole").iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
        shop.write("hashes", &hashes);
        shop.write("options", &overrides.as_of.map_or_else(String::new, |date| format!("--as-of={date}")));
        let to = std::path::Path::new(&folder).join(format!("{made:03}"));
        let copied = std::process::Command::new("cp").arg("-r").arg(shop.path("")).arg(&to).status().expect("cp");
        assert!(copied.success());
        made += 1;
    }
}

/// A shop with a job of some size, its tables by one process in `whole`.
fn some_shop() -> (Workshop, BTreeMap<String, String>) {
    let shop = claims::lay_out(9_003);
    let ran = shop.run(&["-o", "whole", "--part-rows", "100"]);
    assert!(ran.status.success(), "{}", said(&ran));
    let wanted = tables(&shop, "whole");
    (shop, wanted)
}

const IN_STAGES: [&str; 8] = ["-o", "out", "--part-rows", "100", "--shards", "3", "--work", "work"];

#[test]
fn a_killed_run_shows_nothing_and_is_ended_by_the_next() {
    let (shop, wanted) = some_shop();
    let mut rng = Rng::new(5);
    let mut before_end = 0;
    for kill in 0..number("RFMILL_KILLS", KILLS) {
        let mut child = shop.command();
        child.args(["run", "job.toml"]).args(IN_STAGES).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = child.spawn().expect("the program");
        thread::sleep(Duration::from_millis(rng.between(1, 400) as u64));
        child.kill().expect("a signal");
        child.wait().expect("an end");
        let seen = fs::canonicalize(shop.path("out/latest"));
        before_end += u64::from(seen.is_err());
        if let Ok(run) = seen {
            assert_eq!(table_hashes(&run), wanted, "kill {kill}");
        }
        let ran = shop.run(&IN_STAGES);
        assert!(ran.status.success(), "kill {kill}: {}", said(&ran));
        assert_eq!(tables(&shop, "out"), wanted, "kill {kill}");
        assert!(!shop.path("work").exists(), "kill {kill}: the work is left");
        fs::remove_dir_all(shop.path("out")).expect("the output");
    }
    assert!(before_end > 0);
}

/// Plans a run and runs its stages before one by tasks; gives the stages.
fn until(shop: &Workshop, stop: &str) -> Vec<(String, u64)> {
    let planned = task(shop, &["plan", "job.toml", "-o", "out", "--part-rows", "100", "--shards", "3", "--work", "work"]);
    assert!(planned.status.success(), "{}", said(&planned));
    let plan: Json = serde_json::from_slice(&planned.stdout).expect("JSON");
    let stages = plan["stages"].as_array().expect("stages").iter();
    let stages: Vec<(String, u64)> = stages
        .map(|stage| (stage["stage"].as_str().expect("a name").to_owned(), stage["tasks"].as_u64().expect("a number")))
        .collect();
    for (stage, tasks) in stages.iter().take_while(|(stage, _)| stage != stop) {
        for number in 0..*tasks {
            let ran = task(shop, &[stage, "--work", "work", "--task", &number.to_string()]);
            assert!(ran.status.success(), "{stage} {number}: {}", said(&ran));
        }
    }
    stages
}

/// The folder of what the tasks of the plan have left.
fn objects(shop: &Workshop) -> std::path::PathBuf {
    let folders = fs::read_dir(shop.path("work")).expect("a work place").filter_map(|entry| Some(entry.ok()?.path()));
    folders.filter(|path| path.is_dir()).min().expect("the folder of the objects")
}

fn task(shop: &Workshop, arguments: &[&str]) -> Output {
    shop.command().arg("stage").args(arguments).output().expect("the program")
}

fn fails(ran: &Output, code: i32, words: &[&str]) {
    assert_eq!(ran.status.code(), Some(code), "{}", said(ran));
    words.iter().for_each(|word| assert!(said(ran).contains(word), "{word:?} is not said: {}", said(ran)));
}

#[test]
fn what_is_wrong_in_a_work_place_is_named() {
    let (shop, wanted) = some_shop();
    until(&shop, "cuts");
    let cuts = || task(&shop, &["cuts", "--work", "work"]);
    let objects = objects(&shop);
    let object = objects.join("distributions/00001");
    let bytes = fs::read(&object).expect("an object");

    fs::remove_file(&object).expect("an object");
    fails(&cuts(), 5, &["/distributions/00001 (--work) is not there", "run the task that writes it"]);
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    fs::write(&object, &flipped).expect("an object");
    fails(&cuts(), 5, &["/distributions/00001 (--work) is damaged", "run the stage that wrote it again"]);
    fs::write(&object, &bytes).expect("an object");

    fails(
        &task(&shop, &["scan", "--work", "elsewhere"]),
        5,
        &["elsewhere/plan.json (--work) is not there", "sees the same place"],
    );
    fails(&task(&shop, &["parts", "--work", "work", "--task", "3"]), 2, &["has 3 tasks", "there is no 3"]);
    let other = task(&shop, &["plan", "job.toml", "-o", "out", "--part-rows", "50", "--shards", "3", "--work", "work"]);
    fails(&other, 5, &["work/plan.json (--work) plans the run", "use another place"]);
    let unlike = task(&shop, &["plan", "job.toml", "-o", "out", "--part-rows", "100", "--shards", "4", "--work", "work"]);
    fails(&unlike, 5, &["plans the same run, and with other shards"]);

    let plan = fs::read_to_string(shop.path("work/plan.json")).expect("a plan");
    let version = format!("\"rfmill\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(plan.contains(&version), "{plan}");
    fs::write(shop.path("work/plan.json"), plan.replace(&version, "\"rfmill\": \"0.0.9\"")).expect("a plan");
    fails(&cuts(), 5, &["is of rfmill 0.0.9, and this is", "use one version for all tasks"]);
    fs::write(shop.path("work/plan.json"), plan).expect("a plan");

    let ran = cuts();
    assert!(ran.status.success(), "{}", said(&ran));
    for number in ["0", "1", "2"] {
        let ran = task(&shop, &["parts", "--work", "work", "--task", number]);
        assert!(ran.status.success(), "{}", said(&ran));
    }
    let file = wanted.keys().find(|name| name.starts_with("customers/")).expect("a file");
    let path = objects.join("tables").join(file);
    let bytes = fs::read(&path).expect("a file");
    fs::write(&path, &bytes[1..]).expect("a file");
    fails(&task(&shop, &["finish", "--work", "work"]), 5, &["bytes, and", "was written; remove the work place and run again"]);
    assert!(!shop.path("out/latest").exists());
    fs::write(&path, &bytes).expect("a file");
    let ran = task(&shop, &["finish", "--work", "work"]);
    assert!(ran.status.success(), "{}", said(&ran));
    assert_eq!(tables(&shop, "out"), wanted);
    // Twice, as a scheduler may.
    assert!(task(&shop, &["finish", "--work", "work"]).status.success());
}

/// Nothing is removed but what stages have made, and another plan does not take what they left.
#[test]
fn a_work_place_keeps_what_is_not_the_runs() {
    let (shop, wanted) = some_shop();
    until(&shop, "finish");
    shop.write("work/mine.txt", "mine");
    fs::remove_file(shop.path("work/plan.json")).expect("a plan");
    let other = shop.run(&["-o", "out", "--part-rows", "50", "--shards", "3", "--work", "work"]);
    assert!(other.status.success(), "{}", said(&other));
    let alone = shop.run(&["-o", "alone", "--part-rows", "50"]);
    assert!(alone.status.success(), "{}", said(&alone));
    assert_eq!(tables(&shop, "out"), tables(&shop, "alone"));
    assert_ne!(tables(&shop, "out"), wanted);
    assert_eq!(fs::read_to_string(shop.path("work/mine.txt")).expect("a file"), "mine");
    assert!(objects(&shop).join("parts/00000").exists(), "what another plan left is not this run's to remove");
}

#[test]
fn a_changed_input_ends_the_run() {
    let (shop, _) = some_shop();
    until(&shop, "distributions");
    let data = fs::read_dir(shop.path("data")).expect("a folder").next().expect("a file").expect("a file").path();
    let copy = shop.path("copy");
    fs::copy(&data, &copy).expect("a copy");
    fs::rename(&copy, &data).expect("the copy in its place");
    let ran = task(&shop, &["distributions", "--work", "work", "--task", "0"]);
    fails(&ran, 4, &["is not the one with which run", "run again with another --work"]);
}

/// A command that runs the tasks of a stage one after the other.
fn launcher(shop: &Workshop) -> String {
    let program = env!("CARGO_BIN_EXE_rfmill");
    let script = format!(
        "for task in $(seq 0 $(($2 - 1))); do '{program}' stage \"$1\" --work \"$3\" --task $task --quiet || exit 75; done\n"
    );
    shop.write("launch.sh", &script);
    format!("sh {}", shop.path("launch.sh").display())
}

#[test]
fn a_command_starts_tasks_and_a_failed_task_says_why() {
    let (shop, wanted) = some_shop();
    let launcher = launcher(&shop);
    let ran = shop.run(&[&IN_STAGES[..], &["--launcher", &launcher]].concat());
    assert!(ran.status.success(), "{}", said(&ran));
    assert_eq!(tables(&shop, "out"), wanted);
    assert!(!shop.path("work").exists(), "the work place is left");

    let broken = shop.run(
        &[&IN_STAGES[..4], &["--set", "periods.as_of=[2023-06-30]", "--shards", "2", "--work", "w2", "--launcher", "exit 3; :"]]
            .concat(),
    );
    fails(&broken, 7, &["ended with exit code 3 in the stage scan, and no task has said why"]);
    let text = fs::read_to_string(shop.path("job.toml")).expect("a job");
    shop.write("job.toml", &text.replace("[periods]", "keep = [{ column = \"amount\", is = [\"none\"] }]\n[periods]"));
    let empty = shop.run(&["-o", "none", "--shards", "2", "--work", "w3", "--launcher", &launcher]);
    let alone = shop.run(&["-o", "none"]);
    assert_eq!(empty.status.code(), alone.status.code(), "{}{}", said(&empty), said(&alone));
    assert!(alone.status.code() != Some(0));
    let last = |output: &Output| String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
    assert_eq!(last(&empty), last(&alone));
}

/// The processes whose arguments have all of these words.
fn processes(words: &[&str]) -> Vec<String> {
    let pids = fs::read_dir("/proc").expect("processes").filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let has_words = |pid: &String| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        words.iter().all(|word| arguments.contains(&word.as_bytes()))
    };
    pids.filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit())).filter(has_words).collect()
}

#[test]
fn a_task_killed_again_and_again_ends_the_run() {
    let (shop, wanted) = some_shop();
    let work = shop.path("work").display().to_string();
    let mut run = shop.command();
    run.args(["run", "job.toml", "-o", "out", "--part-rows", "100", "--shards", "2", "--work", &work]).stderr(Stdio::piped());
    let mut run = run.spawn().expect("the program");
    let mut kills = 0;
    while run.try_wait().expect("a process").is_none() {
        for pid in processes(&["stage", "parts", &work]) {
            kills += u64::from(std::process::Command::new("kill").args(["-KILL", &pid]).status().expect("kill").success());
        }
    }
    let ran = run.wait_with_output().expect("an end");
    // A task may be faster than what looks for it.
    if ran.status.success() {
        assert_eq!(tables(&shop, "out"), wanted);
    } else {
        fails(&ran, 7, &["of the stage parts was ended 3 times by SIGKILL", "give it more memory"]);
        assert!(kills >= 3 && !shop.path("out/latest").exists());
    }
    let ran = shop.run(&["-o", "out", "--part-rows", "100", "--shards", "2", "--work", &work]);
    assert!(ran.status.success(), "{}", said(&ran));
    assert_eq!(tables(&shop, "out"), wanted);
}

#[test]
fn tasks_end_with_the_run_that_started_them() {
    let (shop, _) = some_shop();
    let work = shop.path("work").display().to_string();
    let mut run = shop.command();
    run.args(["run", "job.toml", "-o", "out", "--shards", "2", "--work", &work]).stderr(Stdio::null());
    let mut run = run.spawn().expect("the program");
    while processes(&["stage", &work]).is_empty() && run.try_wait().expect("a process").is_none() {}
    let _ = run.kill();
    run.wait().expect("an end");
    for _ in 0..200 {
        if processes(&["stage", &work]).is_empty() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("tasks go on: {:?}", processes(&["stage", &work]));
}
