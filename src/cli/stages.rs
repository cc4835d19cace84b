//! Runs in stages: the run that starts their tasks, and the tasks.

use std::io::Read;
use std::path::{Path, PathBuf, absolute};
use std::time::Instant;

use serde_json::json;

use super::args::{JobArgs, PlanArgs, RunArgs, StageCommand, TaskArgs};
use super::commands::{load, overrides, summarise, with_threads};
use super::console::{Console, data};
use super::signals;
use crate::error::{Error, Result};
use crate::job::parse::Source;
use crate::pipeline::sharded::{self, Launcher, Planned, PlannedJob, StageName, TaskOutcome, WorkPlace};
use crate::storage::Place;

/// The word for tasks that are processes of this machine.
const LOCAL: &str = "local";

/// Runs a job in stages.
pub(super) fn run(args: &RunArgs, shards: usize, work: &str, console: &Console) -> Result<()> {
    let began = Instant::now();
    let resolved = load(&args.job, true)?;
    let (job, work) = (planned(&args.job)?, place(work)?);
    let threads = args.job.threads.threads.map_or_else(available_threads, usize::from);
    let processes = shards.min(threads).max(1);
    let launcher = match args.launcher.as_str() {
        LOCAL => Launcher::Local { processes, threads: (threads / processes).max(1) },
        command => Launcher::Command(command.to_owned()),
    };
    let outcome = with_threads(args.job.threads, || sharded::run(job, shards, &work, &launcher, console))?;
    summarise(&resolved, &outcome, began, console);
    Ok(())
}

fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs a task of a stage.
pub(super) fn run_task(stage: &StageCommand, console: &Console) -> Result<()> {
    let (name, args) = match stage {
        StageCommand::Plan(args) => return plan(args, console),
        StageCommand::Prepare(args) => (StageName::Prepare, args),
        StageCommand::Exclude(args) => (StageName::Exclude, args),
        StageCommand::Scan(args) => (StageName::Scan, args),
        StageCommand::Names(args) => (StageName::Names, args),
        StageCommand::Distributions(args) => (StageName::Distributions, args),
        StageCommand::Cuts(args) => (StageName::Cuts, args),
        StageCommand::Parts(args) => (StageName::Parts, args),
        StageCommand::Finish(args) => (StageName::Finish, args),
    };
    let TaskArgs { work, task, supervised, threads } = args;
    if *supervised {
        end_with_input()?;
    }
    let work = place(work)?;
    match with_threads(*threads, || sharded::run_task(&work, name, *task, console))? {
        TaskOutcome::Done => Ok(()),
        TaskOutcome::Committed(outcome) => {
            let (run_id, folder) = (&outcome.manifest.run_id, &outcome.folder);
            console.event(json!({ "level": "info", "event": "committed", "run_id": run_id, "path": folder.to_string() }));
            console.say(&format!("run {run_id} is committed in {folder}"));
            Ok(())
        }
    }
}

/// Plans a run, and prints its stages.
fn plan(args: &PlanArgs, console: &Console) -> Result<()> {
    let (job, work) = (planned(&args.job)?, place(&args.work)?);
    let planned = with_threads(args.job.threads, || sharded::plan(job, args.shards.into(), &work, console))?;
    let (run_id, stages) = match planned {
        Planned::Stages(planned) => (planned.plan.run_id, planned.plan.stages),
        Planned::Committed(outcome) => (outcome.manifest.run_id, Vec::new()),
    };
    let stages: Vec<_> = stages.iter().map(|(stage, tasks)| json!({ "stage": stage.name(), "tasks": tasks })).collect();
    data(&format!("{}\n", json!({ "run_id": run_id, "stages": stages })))
}

/// The job of the arguments, as every task resolves it, wherever it runs.
fn planned(args: &JobArgs) -> Result<PlannedJob> {
    let source = Source::read(&args.job, "job file")?;
    let mut overrides = overrides(args);
    if let Some(output) = &mut overrides.output
        && Place::of(&output.to_string_lossy(), Path::new("")).local().is_some()
    {
        *output = absolute_path(output)?;
    }
    Ok(PlannedJob { path: absolute_path(&args.job)?, text: source.text, sets: args.sets.clone(), overrides })
}

fn absolute_path(path: &Path) -> Result<PathBuf> {
    absolute(path).map_err(|e| Error::usage(format!("cannot tell the folder of {}: {e}; write the whole path", path.display())))
}

fn place(work: &str) -> Result<WorkPlace> {
    Ok(WorkPlace::of(work, &absolute_path(Path::new("."))?))
}

/// Ends this process as a signal would when its standard input ends: the run that has started it is gone then.
fn end_with_input() -> Result<()> {
    let wait = || {
        let mut rest = [0];
        while std::io::stdin().lock().read(&mut rest).is_ok_and(|read| read > 0) {}
        signals::end_quietly();
    };
    let started = std::thread::Builder::new().name("input".into()).spawn(wait);
    started.map(drop).map_err(|e| Error::output(format!("cannot start a thread: {e}; raise the limit (ulimit -u)")).caused_by(e))
}
