//! The identity of a run: a hash of everything that decides over its tables. Two runs with one id hold the same bytes.
//!
//! Hashed is canonical JSON: keys in order, no spaces, every default and every scheme written out. So an id depends on
//! what a job means, and neither on how its file is laid out nor on how the program names things.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::hash::sha256;
use crate::input::assignments::AssignmentFile;
use crate::input::hashes::VerifiedHash;
use crate::input::source::Source;
use crate::job::{Cuts, Job};
use crate::plan::Plan;
use crate::publish::{AssignmentsEntry, HashListEntry, InputEntry, LakeTableEntry, SourceEntry};
use crate::storage::{Place, Version};

/// The number of the rules that make tables of orders. Raise it with every change that alters the bytes of a table;
/// `tests/rules.rs` fails until that is done. A run of older rules is then computed anew instead of being taken for the
/// same.
pub const RULES: u32 = 6;

/// Hexadecimal digits of a run id.
const DIGITS: usize = 16;

/// What a run is computed from, as its manifest shows it, and the id that follows from that.
pub struct Identity {
    /// The id of the run.
    pub run_id: String,
    /// Hash of everything in the job that decides over its tables.
    pub job_sha256: String,
    /// Stands for what decides over states and measures.
    pub definitions_hash: String,
    /// The job with defaults.
    pub job: Value,
    /// The files of orders, customers and events.
    pub inputs: Vec<InputEntry>,
    /// The files that queries read.
    pub sources: Vec<SourceEntry>,
    /// The assignments of every strategy, their rows not yet counted.
    pub assignments: Vec<AssignmentsEntry>,
    /// The lists of hashes that inputs were checked against.
    pub hash_lists: Vec<HashListEntry>,
    /// Whether every input was checked against a list of hashes.
    pub verified: bool,
}

impl Identity {
    /// The identity of a run that reads these files; `queried` are those of queries, and `assignments` are the entries of `assignment_files`.
    ///
    /// # Errors
    /// Exit 4 if a file of cut points or of acquisition costs cannot be read.
    pub fn new(
        job: &Job,
        plan: &Plan,
        sources: &[&Source],
        queried: Vec<SourceEntry>,
        assignment_files: &[Vec<AssignmentFile>],
        assignments: Vec<AssignmentsEntry>,
    ) -> Result<Identity> {
        let inputs: Vec<InputEntry> = sources.iter().copied().map(input_entry).collect();
        let of_sources = sources.iter().map(|source| source.verified.as_ref());
        let of_assignments = assignment_files.iter().flatten().map(|file| file.verified.as_ref());
        let checks: Vec<Option<&VerifiedHash>> = of_sources.chain(of_assignments).collect();
        let hash_lists = hash_list_entries(checks.iter().copied().flatten());
        let job_sha256 = job_hash(job, plan)?;
        Ok(Identity {
            run_id: run_id(&job_sha256, &inputs, &queried, &assignments, &hash_lists)?,
            job_sha256,
            definitions_hash: definitions_hash(job, plan)?,
            job: job_json(job)?,
            inputs,
            assignments,
            hash_lists,
            verified: queried.is_empty() && checks.iter().all(Option::is_some),
            sources: queried,
        })
    }
}

fn input_entry(source: &Source) -> InputEntry {
    let version = source.version_that_tells();
    InputEntry {
        file: source.input.name.clone(),
        bytes: source.state.size,
        modified_ns: source.state.modified_ns.to_string(),
        changed_ns: version.and_then(Version::changed_ns).map(|ns| ns.to_string()),
        inode: version.and_then(Version::inode),
        tag: version.and_then(Version::tag).map(str::to_owned),
        footer_sha256: source.footer_hash.clone(),
        rows: source.rows(),
        row_groups: source.metadata.metadata().num_row_groups(),
        file_sha256: source.verified.as_ref().map(|v| v.sha256.clone()),
        lake_table: LakeTableEntry::of(&source.input),
    }
}

/// The lists of hashes behind some checks, each once.
fn hash_list_entries<'a>(checks: impl Iterator<Item = &'a VerifiedHash>) -> Vec<HashListEntry> {
    let entry =
        |v: &VerifiedHash| HashListEntry { key: v.list.key.into(), file: v.list.name.clone(), sha256: v.list.sha256.clone() };
    let mut lists: Vec<HashListEntry> = checks.map(entry).collect();
    lists.sort_unstable();
    lists.dedup();
    lists
}

/// The id of a run.
///
/// # Errors
/// Exit 1 if an input cannot be shown as JSON.
fn run_id(
    job_sha256: &str,
    inputs: &[InputEntry],
    queried: &[SourceEntry],
    assignments: &[AssignmentsEntry],
    hash_lists: &[HashListEntry],
) -> Result<String> {
    let mut identity = json!({
        "rules": RULES,
        "version": env!("CARGO_PKG_VERSION"),
        "job": job_sha256,
        "inputs": to_json(inputs)?,
        "assignments": to_json(assignments)?,
        "hash_lists": to_json(hash_lists)?,
    });
    if let Some(identity) = identity.as_object_mut().filter(|_| !queried.is_empty()) {
        // How many rows they have follows from their bytes, and is known only when they were read.
        let unread: Vec<SourceEntry> = queried.iter().map(|entry| SourceEntry { rows: None, ..entry.clone() }).collect();
        identity.insert("sources".into(), to_json(&unread)?);
    }
    Ok(sha256(canonical(&identity).as_bytes()).chars().take(DIGITS).collect())
}

/// The hash of everything in the job that decides over its tables.
///
/// # Errors
/// Exit 4 if a file of cut points or of acquisition costs cannot be read.
fn job_hash(job: &Job, plan: &Plan) -> Result<String> {
    let cut_points = match &job.score.cuts {
        Cuts::Table(place) => Some(file_hash(place, &format!("the cut points {place} (score.cuts)"))?),
        Cuts::Each | Cuts::Frozen => None,
    };
    let acquisition = match &job.acquisition {
        Some((written, place)) => Some(sha256(&place.read().map_err(|e| e.of(&format!("{written} (acquisition.path)")))?)),
        None => None,
    };
    let mut written = job_json(job)?;
    if let Some((written, rows)) = written.as_object_mut().zip(job.part_rows) {
        // How customers are spread over files is no key of the job.
        written.insert("part_rows".into(), rows.into());
    }
    if let Some(written) = written.as_object_mut() {
        // The schemes stand below, resolved and in the order of their columns.
        written.remove("schemes");
    }
    let resolved = json!({
        "job": written,
        "dates": to_json(&job.dates)?,
        "schemes": to_json(&plan.schemes)?,
        "cut_points": cut_points,
        "acquisition": acquisition,
    });
    Ok(sha256(canonical(&resolved).as_bytes()))
}

/// The hash of what decides over the state and the measures of a customer whose orders are known.
///
/// # Errors
/// Exit 1 if the job cannot be shown as JSON.
fn definitions_hash(job: &Job, plan: &Plan) -> Result<String> {
    let mut orders = to_json(&job.raw.orders)?;
    if let Some(orders) = orders.as_object_mut() {
        // Where the rows lie, and how many may be refused.
        ["path", "manifest", "max_rejected", "max_no_customer"].iter().for_each(|key| drop(orders.remove(*key)));
    }
    let definitions = json!({
        "population": to_json(&job.raw.population)?,
        "orders": orders,
        "score": to_json(&job.raw.score)?,
        "schemes": to_json(&plan.schemes)?,
    });
    Ok(sha256(canonical(&definitions).as_bytes()).chars().take(DIGITS).collect())
}

/// The job as JSON, with defaults, without what does not decide over its tables: where they go, and for how long.
///
/// # Errors
/// Exit 1 if the job cannot be shown as JSON.
fn job_json(job: &Job) -> Result<Value> {
    let mut json = to_json(&job.raw)?;
    if let Some(output) = json.get_mut("output").and_then(Value::as_object_mut) {
        output.remove("path");
        output.remove("keep_runs");
    }
    Ok(json)
}

fn file_hash(place: &Place, name: &str) -> Result<String> {
    let bytes = match place {
        Place::Local(path) => {
            std::fs::read(path).map_err(|e| Error::input(format!("cannot read {name}: {e}; check the path")).caused_by(e))?
        }
        Place::Object(_) => place.read().map_err(|e| e.of(name))?,
    };
    Ok(sha256(&bytes))
}

fn to_json(value: &(impl Serialize + ?Sized)) -> Result<Value> {
    serde_json::to_value(value).map_err(|e| Error::bug(format!("a run's identity cannot be shown as JSON: {e}")).caused_by(e))
}

/// JSON with the keys of every object in order and without spaces.
fn canonical(value: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let mut entries: Vec<(&String, &Value)> = map.iter().collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                Value::Object(entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect::<Map<_, _>>())
            }
            Value::Array(values) => Value::Array(values.iter().map(sorted).collect()),
            other => other.clone(),
        }
    }
    sorted(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order in which keys were written does not matter, that of a list does.
    #[test]
    fn canonical_json_has_its_keys_in_order() {
        let one: Value = serde_json::from_str(r#"{ "b": [2, 1], "a": {"d": null, "c": "x y"} }"#).unwrap_or_default();
        let other: Value = serde_json::from_str(r#"{"a":{"c":"x y","d":null},"b":[2,1]}"#).unwrap_or_default();
        assert_eq!(canonical(&one), r#"{"a":{"c":"x y","d":null},"b":[2,1]}"#);
        assert_eq!(canonical(&one), canonical(&other));
        assert_ne!(canonical(&json!([1, 2])), canonical(&json!([2, 1])));
    }
}
