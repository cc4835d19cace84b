//! A first job file: what a table of orders looks like, what its columns are, and why.
//!
//! [`rows`] finds the files and reads rows of any format as texts, [`columns`] looks at a sample of them, [`guess`] gives columns their
//! roles by the words of [`vocabulary`] and by values, and asks ([`ask`]) where two would do; [`zones`], [`history`] and [`proposals`]
//! say when orders were placed and what follows from that, and [`text`] writes the job file.

pub mod ask;
mod columns;
mod date_form;
mod date_order;
mod date_reader;
mod guess;
mod history;
mod number_form;
mod proposals;
mod rows;
mod text;
mod vocabulary;
mod words;
mod zones;

use std::path::{Path, PathBuf};

use crate::domain::Day;
use crate::error::{Error, Result};
use crate::job::parse::Source;
use crate::job::raw::RawJob;
use crate::job::{Overrides, resolve};
use crate::progress::Progress;
use ask::{Answers, Choices, FirstPart, Question};
use guess::{Amount, Guess, RowsAre, Seen};
use text::Draft;

/// What is asked for.
#[derive(Debug)]
pub struct Request<'a> {
    /// Files, folders, globs, or the folder of a table.
    pub files: &'a [PathBuf],
    /// The job file to be written.
    pub output: &'a Path,
    /// The as-of date, if one is asked for.
    pub as_of: Option<Day>,
    /// Whether all rows are looked at, however many they are.
    pub all_rows: bool,
    /// What stands first in dates, if that is said.
    pub first_part: Option<FirstPart>,
}

/// A job file that is proposed.
#[derive(Debug)]
pub struct Proposal {
    /// Its text.
    pub text: String,
    /// Its as-of date.
    pub as_of: Day,
    /// Rows that were read.
    pub rows: u64,
    /// About how many rows there are, if not all were read.
    pub of_rows: Option<u64>,
    /// Whether a query makes the orders.
    pub is_queried: bool,
    /// The columns by role, in the order of the job file.
    pub roles: Vec<(&'static str, String)>,
    /// Questions that nobody answered.
    pub open: Vec<String>,
}

/// Looks at files and proposes a job file.
///
/// # Errors
/// Exit 3: files without what a job needs, or unlike each other. Exit 4: files that cannot be read. And those of `answers`.
pub fn propose(request: &Request<'_>, answers: &mut dyn Answers, progress: &dyn Progress) -> Result<Proposal> {
    let job_folder = request.output.parent().unwrap_or(Path::new(""));
    let table = rows::find(request.files, job_folder)?;
    let reading = table.reading(request.all_rows)?;
    let sample = columns::sample(&table, &reading)?;
    if sample.rows == 0 {
        let name = request.files.first().map_or_else(String::new, |file| file.display().to_string());
        return Err(Error::contract(format!("{name} has no row; name files with orders")));
    }
    let words = vocabulary::Vocabulary::built_in()?;
    let seen = Seen { table: &table, reading: &reading, sample: &sample, words: &words };
    let mut choices = Choices::new(answers, request.first_part);
    let guess = guess::guess(&seen, &mut choices)?;
    let zone = zones::zone(&seen, &guess)?;
    let history = history::read(&seen, &guess, &zone, progress)?;
    let as_of = proposals::as_of(request.as_of, &history);
    let discount_is_negative = match guess.discount {
        Some(at) => seen.column(at)?.share_where(|n| n < 0.0) > 0.0,
        None => false,
    };
    let mut draft = Draft {
        seen: &seen,
        guess: &guess,
        history: &history,
        zone: &zone,
        as_of: &as_of,
        open: &[],
        subtracts_refund: false,
        discount: guess.discount,
        discount_is_negative,
    };
    draft.subtracts_refund = subtracts_refund(&seen, &guess, text::is_queried(&draft)?, &mut choices)?;
    draft.open = choices.open();
    let is_queried = text::is_queried(&draft)?;
    if discount_is_negative && !is_queried {
        draft.discount = None;
    }
    let files: Vec<String> = request.files.iter().map(|file| file.display().to_string()).collect();
    let text = text::job(&draft, &name(&table.written), &format!("rfmill init {}", files.join(" ")))?;
    check(&text, request.output)?;
    Ok(Proposal {
        as_of: as_of.date,
        rows: history.rows,
        of_rows: history.of_rows,
        is_queried,
        roles: roles(&seen, &guess)?,
        open: text.lines().filter_map(|line| line.strip_prefix("# ? ")).map(str::to_owned).collect(),
        text,
    })
}

/// Whether what was paid back is taken off. A query does that; where orders go without one, it is asked about.
fn subtracts_refund(seen: &Seen<'_>, guess: &Guess, is_queried: bool, choices: &mut Choices<'_>) -> Result<bool> {
    let (Some(at), Amount::Column(_)) = (guess.refund, &guess.amount) else { return Ok(false) };
    if is_queried {
        return Ok(true);
    }
    let question = Question {
        key: "refund",
        text: format!("Is {} taken off the money? That takes a query, which is slower than plain Parquet.", seen.quoted(at)),
        options: vec!["no".into(), "yes".into()],
    };
    // Without an answer the text says what is left to do.
    Ok(choices.ask(&question)? == Some(1))
}

/// The name of the job, by that of its files.
fn name(written: &rows::Written) -> String {
    let path = match written {
        rows::Written::Files(paths) => paths.first().map_or("", String::as_str),
        rows::Written::Lake { path, .. } => path,
    };
    let parts = path.trim_end_matches('/').rsplit('/').filter(|part| !part.contains(['*', '?', '[']) && !part.is_empty());
    let last = parts.into_iter().next().unwrap_or("orders");
    let stem = last.split_once('.').map_or(last, |(stem, _)| stem);
    if stem.is_empty() { "orders".into() } else { stem.to_owned() }
}

/// Checks that the text is a job file.
fn check(text: &str, output: &Path) -> Result<()> {
    let wrong = |e: Error| Error::bug(format!("the job file that was to be written is none: {e}"));
    let source = Source { path: output.to_owned(), text: text.to_owned() };
    let raw: RawJob = source.parse().map_err(wrong)?;
    resolve(raw, source, &Overrides::default()).map(drop).map_err(wrong)
}

/// The columns by role.
fn roles(seen: &Seen<'_>, guess: &Guess) -> Result<Vec<(&'static str, String)>> {
    let name = |at: usize| seen.column(at).map(|column| column.name.clone());
    let joined = |columns: &[usize], with: &str| {
        Ok::<_, Error>(columns.iter().map(|at| name(*at)).collect::<Result<Vec<_>>>()?.join(with))
    };
    let mut roles = vec![
        ("customer", name(guess.customer)?),
        ("date", name(guess.date.column)?),
        ("amount", joined(guess.amount.columns(), " * ")?),
    ];
    if !guess.order.is_empty() {
        roles.push(("order", joined(&guess.order, " + ")?));
    }
    let rows = match guess.rows {
        RowsAre::Orders => "orders",
        RowsAre::Lines => "lines",
        RowsAre::FirstLine => "first",
        RowsAre::Repeated => "repeated",
    };
    roles.push(("rows", rows.into()));
    let status = guess.status.as_ref().filter(|rule| !rule.dropped.is_empty()).map(|rule| rule.column);
    let others = [
        ("status", status),
        ("currency", guess.currency),
        ("cost", guess.cost),
        ("discount", guess.discount),
        ("category", guess.category),
        ("refund", guess.refund),
    ];
    for (role, column) in others {
        if let Some(at) = column {
            roles.push((role, name(at)?));
        }
    }
    Ok(roles)
}
