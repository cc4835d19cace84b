//! What `verify` finds, and what puts it right.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::files::names;
use super::record::Record;
use crate::error::Result;

/// Something that is not as it was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// What was found: a path and what became of it.
    pub what: String,
    /// What puts it right.
    pub cure: Cure,
}

/// What puts a finding right without changing a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cure {
    /// The same bytes lie elsewhere.
    Copy { from: PathBuf, to: PathBuf },
    /// The next command that opens the output points the links anew.
    Follow,
    /// The tree is made again from the runs and the tree before.
    LayOut,
    /// The marker is written again.
    Mark,
    /// The commit after it goes on without this run, whose dates `tables/` has.
    Forget(String),
    /// A further commit, which changes nothing, needs it no more.
    Supersede,
    /// It serves nothing without what is gone.
    Remove(PathBuf),
    /// Only a person can do it; a clause that says what.
    Advice(String),
}

impl Finding {
    pub fn new(what: String, cure: Cure) -> Finding {
        Finding { what, cure }
    }

    pub fn advice(what: String, advice: impl Into<String>) -> Finding {
        Finding { what, cure: Cure::Advice(advice.into()) }
    }

    /// Whether `verify --repair` puts it right.
    pub fn is_curable(&self) -> bool {
        !matches!(self.cure, Cure::Advice(_))
    }

    /// The finding as a sentence without its full stop.
    pub fn sentence(&self, root: &Path) -> String {
        let command = format!("`rfmill verify {} --repair`", root.display());
        let advice = match &self.cure {
            Cure::Copy { from, .. } => format!("{command} copies it from {}", from.display()),
            Cure::Follow => "run the job again to put it right".into(),
            Cure::LayOut => format!("run the job again, or {command}, to make it again"),
            Cure::Mark => format!("{command} writes it again"),
            Cure::Forget(_) => format!("{command} goes on without the run, whose as-of dates tables/ has"),
            Cure::Supersede => format!("{command} adds a commit that needs it no more"),
            Cure::Remove(path) => format!("{command} removes {}, which serves nothing without it", path.display()),
            Cure::Advice(advice) => advice.clone(),
        };
        format!("{}; {advice}", self.what)
    }
}

/// What to do about a date whose only copy is gone or damaged; `dates` are those of its run, if they are known.
pub(super) fn recompute(root: &dyn Display, record: &Record, date: &str, dates: &[String]) -> String {
    let run = match dates {
        [first, .., last] => format!("with the as-of dates from {first} to {last} by `rfmill run JOB`"),
        _ => format!("with `rfmill run JOB --as-of {date}`"),
    };
    format!(
        "its only copy is gone, so compute it again {run} (job {:?}), or take it out with `rfmill drop {root} --as-of {date}`",
        record.owner.job,
    )
}

/// What was verified.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// The run that `latest` names; none if no run is left that could be it.
    pub run_id: Option<String>,
    /// The job that the output belongs to.
    pub job_name: String,
    /// The as-of dates of that run.
    pub as_of: Vec<String>,
    /// Rows of that run by table.
    pub tables: Vec<(String, u64)>,
    /// The as-of dates in view.
    pub dates: Vec<String>,
    /// Files that were read and hashed.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Folders of runs that are not committed: being written at this moment, or left by a run that was killed.
    pub unfinished: Vec<String>,
    /// As-of dates of an output of 0.1.0 whose files nothing vouches for.
    pub unvouched: usize,
}

/// What a look at an output gave.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub verified: Verified,
    pub findings: Vec<Finding>,
}

pub(super) fn stranger(path: &Path, what: &str) -> Finding {
    Finding::advice(format!("{} {what}", path.display()), "move it away")
}

/// Files and folders below a folder that are not known. Of an unknown folder only itself is named.
pub(super) fn unknown_below(folder: &Path, known: &BTreeSet<PathBuf>) -> Result<Vec<PathBuf>> {
    let mut unknown = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for name in names(&folder)? {
            let path = folder.join(&name);
            // Globs pass over names that begin with a dot.
            if !known.contains(&path) {
                unknown.extend((!name.starts_with('.')).then_some(path));
            } else if std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
                folders.push(path);
            }
        }
    }
    Ok(unknown)
}

/// Folders of runs that no commit names.
pub(super) fn unfinished(root: &Path, record: &Record) -> Result<Vec<String>> {
    let names = names(&root.join("runs"))?;
    Ok(names.into_iter().filter(|name| record.run(name).is_none()).map(|name| format!("runs/{name}")).collect())
}
