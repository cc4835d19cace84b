//! Starts the tasks of all stages: as processes of this machine, or by a command of the user's.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::failures;
use super::run_plan::{PlannedJob, RunPlan};
use super::stage_name::StageName;
use super::tasks::{self, Planned, PlannedRun};
use super::work::WorkPlace;
use crate::error::{Error, Kind, Result};
use crate::pipeline::commit::Outcome;
use crate::progress::Progress;

/// How often a task is started whose process is killed.
const ATTEMPTS: usize = 3;

/// What starts tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launcher {
    /// Processes of this machine.
    Local {
        /// How many at once.
        processes: usize,
        /// Threads of each.
        threads: usize,
    },
    /// A command of the shell, which is given a stage, the number of its tasks and the work place, and ends when all of them have.
    Command(String),
}

/// Runs a job in stages, and removes what lies in the work place once the run is committed.
///
/// # Errors
/// Those of a run: a failed task's sentence is the run's. Exit 7 if a task is killed again and again.
pub fn run(job: PlannedJob, shards: usize, work: &WorkPlace, launcher: &Launcher, progress: &dyn Progress) -> Result<Outcome> {
    // The output stays locked from here on, so that no other run takes it while this one measures.
    let PlannedRun { plan, output } = match tasks::plan(job, shards, work, progress)? {
        Planned::Committed(outcome) => {
            // A run that was ended behind its commit has left its work.
            if let Some(left) = RunPlan::read(work).ok().filter(|left| left.run_id == outcome.manifest.run_id) {
                clear(&left, work, progress);
            }
            return Ok(*outcome);
        }
        Planned::Stages(planned) => *planned,
    };
    for (stage, tasks) in plan.stages.iter().copied().filter(|(stage, _)| *stage != StageName::Finish) {
        progress.begin(stage.doing(), tasks as u64);
        match launcher {
            Launcher::Local { processes, threads } => local(work, (stage, tasks), (*processes, *threads), progress)?,
            Launcher::Command(command) => by_command(command, (work, &plan.objects(work)), (stage, tasks))?,
        }
        progress.end(&format!("{tasks} task{}", if tasks == 1 { "" } else { "s" }));
    }
    let outcome = tasks::finish(work, &plan, Some(output), progress)?;
    clear(&plan, work, progress);
    Ok(outcome)
}

/// Removes what a committed run has left; the run is committed whether that succeeds or not.
fn clear(plan: &RunPlan, work: &WorkPlace, progress: &dyn Progress) {
    if let Err(error) = plan.clear(work) {
        progress.warn(&format!("the run is committed, and its work is left in {}: {error}", work.written()));
    }
}

/// Runs the tasks of a stage as processes of this program.
fn local(
    work: &WorkPlace,
    (stage, tasks): (StageName, usize),
    (processes, threads): (usize, usize),
    progress: &dyn Progress,
) -> Result<()> {
    let program = std::env::current_exe()
        .map_err(|e| Error::output(format!("cannot find the program of this process: {e}; start it by its path")).caused_by(e))?;
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None::<(usize, Error)>));
    let processes = processes.clamp(1, tasks.max(1));
    std::thread::scope(|scope| {
        for _ in 0..processes {
            scope.spawn(|| {
                loop {
                    let task = next.fetch_add(1, Ordering::Relaxed);
                    if task >= tasks {
                        return;
                    }
                    let mut command = Command::new(&program);
                    command.args(["stage", stage.name(), "--supervised", "--quiet", "--log-format", "json"]);
                    command.args(["--work", &work.written(), "--task", &task.to_string(), "--threads", &threads.to_string()]);
                    match supervised(command, stage, task) {
                        Ok(()) => progress.advance(1),
                        Err(error) => {
                            // Tasks that run end; no further one begins.
                            next.store(tasks, Ordering::Relaxed);
                            let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
                            if first.as_ref().is_none_or(|(of, _)| task < *of) {
                                *first = Some((task, error));
                            }
                            return;
                        }
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// Runs the process of a task, again if it is killed.
fn supervised(mut command: Command, stage: StageName, task: usize) -> Result<()> {
    let name = format!("task {task} of the stage {}", stage.name());
    let mut last = None;
    for _ in 0..ATTEMPTS {
        // The process ends when its input does: with this process, by whatever signal.
        // In a group of its own, an interrupt from the keyboard reaches this process alone.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        let child = command.spawn().map_err(|e| {
            Error::new(Kind::Resource, format!("cannot start {name}: {e}; use fewer threads, or raise the limit (ulimit -u, -v)"))
                .caused_by(e)
        })?;
        let (status, said) = waited(child)
            .map_err(|e| Error::new(Kind::Resource, format!("cannot wait for {name}: {e}; run again")).caused_by(e))?;
        match (status.success(), status.signal()) {
            (true, _) => return Ok(()),
            (false, Some(signal)) => last = Some(signal),
            (false, None) => return Err(error_of(&said, status, &name)),
        }
    }
    let signal = last.and_then(signal_hook::low_level::signal_name).unwrap_or("a signal");
    Err(Error::new(
        Kind::Resource,
        format!(
            "{name} was ended {ATTEMPTS} times by {signal}; give it more memory, or set --memory-limit or more --shards, with another --work"
        ),
    ))
}

/// Waits for a process, and gives what it said on stderr.
fn waited(mut child: Child) -> std::io::Result<(ExitStatus, String)> {
    let mut said = String::new();
    let _input = child.stdin.take();
    if let Some(stderr) = &mut child.stderr {
        let mut bytes = Vec::new();
        stderr.read_to_end(&mut bytes)?;
        said = String::from_utf8_lossy(&bytes).into_owned();
    }
    Ok((child.wait()?, said))
}

/// The error that a task has told as a line of JSON.
fn error_of(said: &str, status: ExitStatus, name: &str) -> Error {
    let told = said.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told = told.into_iter().find_map(|line| {
        let code = line.get("exit_code")?.as_u64()?;
        Some(Error::new(Kind::of_exit_code(u8::try_from(code).ok()?)?, line.get("message")?.as_str()?))
    });
    told.unwrap_or_else(|| {
        let code = status.code().unwrap_or_default();
        Error::bug(format!("{name} ended with exit code {code} and said {:?}", said.trim()))
    })
}

/// Lets a command run all tasks of a stage.
fn by_command(command: &str, (work, objects): (&WorkPlace, &WorkPlace), (stage, tasks): (StageName, usize)) -> Result<()> {
    let mut shell = Command::new("sh");
    // The arguments follow the user's words, whatever these are.
    shell.args(["-c", &format!("{command} \"$@\""), "rfmill", stage.name(), &tasks.to_string(), &work.written()]);
    shell.stdin(Stdio::null()).stdout(Stdio::null());
    let status = shell
        .status()
        .map_err(|e| Error::usage(format!("cannot start the launcher {command:?}: {e}; check --launcher")).caused_by(e))?;
    if status.success() {
        return Ok(());
    }
    Err(failures::of_stage(objects, stage)?.unwrap_or_else(|| {
        let end = match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, signal) => signal.and_then(signal_hook::low_level::signal_name).unwrap_or("a signal").to_owned(),
        };
        Error::new(
            Kind::Resource,
            format!(
                "the launcher {command:?} ended with {end} in the stage {}, and no task has said why; see its own log",
                stage.name()
            ),
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a task whose process runs these words of the shell, and how often it was started.
    fn tried(words: &str) -> (Result<()>, usize) {
        let folder = crate::temp::tempdir().expect("a folder");
        let starts = folder.path().join("starts");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("echo once >> '{}'; {words}", starts.display())]);
        let ended = supervised(command, StageName::Parts, 7);
        (ended, std::fs::read_to_string(starts).expect("a start").lines().count())
    }

    #[test]
    fn a_killed_task_is_tried_again_and_a_failed_one_is_not() {
        assert_eq!(tried("exit 0").1, 1);
        let (ended, starts) = tried("kill -KILL $$");
        let error = ended.expect_err("a task that is always killed");
        assert_eq!((error.kind(), starts), (Kind::Resource, ATTEMPTS));
        assert!(
            error.to_string().starts_with("task 7 of the stage parts was ended 3 times by SIGKILL; give it more memory"),
            "{error}"
        );

        let told = r#"{"level": "error", "exit_code": 3, "kind": "contract", "message": "column a is null"}"#;
        let (ended, starts) = tried(&format!("echo '{told}' >&2; exit 3"));
        let error = ended.expect_err("a task that fails");
        assert_eq!((error.kind(), error.to_string().as_str(), starts), (Kind::Contract, "column a is null", 1));
        // One that tells nothing is a fault of the program, with what it said.
        let (ended, _) = tried("echo odd >&2; exit 3");
        let error = ended.expect_err("a task that fails");
        assert!(error.kind() == Kind::Bug && error.to_string().contains("exit code 3 and said \"odd\""), "{error}");
    }
}
