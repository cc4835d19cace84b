//! The names of the stages.

use serde::{Deserialize, Serialize};

/// A stage after the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageName {
    /// Runs a query.
    Prepare,
    /// Finds what rows decide over other rows.
    Exclude,
    /// Reads orders into buckets.
    Scan,
    /// Numbers slices and categories.
    Names,
    /// Measures customers for cut points.
    Distributions,
    /// Finds cut points.
    Cuts,
    /// Writes customers.
    Parts,
    /// Writes what is left, and commits.
    Finish,
}

impl StageName {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            StageName::Prepare => "prepare",
            StageName::Exclude => "exclude",
            StageName::Scan => "scan",
            StageName::Names => "names",
            StageName::Distributions => "distributions",
            StageName::Cuts => "cuts",
            StageName::Parts => "parts",
            StageName::Finish => "finish",
        }
    }

    /// What it does, as progress names it.
    pub(super) fn doing(self) -> &'static str {
        match self {
            StageName::Prepare => "running queries",
            StageName::Exclude => "finding duplicates",
            StageName::Scan => "reading orders",
            StageName::Names => "naming",
            StageName::Distributions => "measuring customers",
            StageName::Cuts => "scoring",
            StageName::Parts => "writing customers",
            StageName::Finish => "committing",
        }
    }

    /// The object that a task of the stage makes.
    pub(super) fn object(self, task: usize) -> String {
        format!("{}/{task:05}", self.name())
    }
}
