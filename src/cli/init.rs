//! `init`: looks at files of orders and writes a first job file.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use super::console::{Console, columns, printable};
use super::init_args::InitArgs;
use crate::error::{Error, Result};
use crate::init::ask::{Answers, FirstPart, Question};
use crate::init::{self, Proposal, Request};
use crate::progress::Progress as _;
use crate::storage::{Created, Place};

/// A person at a terminal, or nobody.
struct Terminal {
    is_there: bool,
}

impl Terminal {
    /// Asks, until the answer is one of the numbers of the options or nothing, which is the first.
    fn ask(&self, question: &Question) -> Result<Option<usize>> {
        let failed =
            |e: std::io::Error| Error::usage(format!("cannot read the answer: {e}; give --yes to take the guesses")).caused_by(e);
        let count = question.options.len();
        loop {
            let mut text = format!("\n{}\n", printable(&question.text));
            for (number, option) in (1..).zip(&question.options) {
                text += &format!("  {number}  {}\n", printable(option));
            }
            text += &format!("answer 1 to {count}, or nothing for 1: ");
            let mut stderr = std::io::stderr().lock();
            stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).map_err(failed)?;
            drop(stderr);
            let mut line = String::new();
            if std::io::stdin().lock().read_line(&mut line).map_err(failed)? == 0 {
                return Ok(None);
            }
            match line.trim() {
                "" => return Ok(Some(0)),
                number => match number.parse::<usize>() {
                    Ok(number) if (1..=count).contains(&number) => return Ok(Some(number - 1)),
                    _ => {}
                },
            }
        }
    }
}

impl Answers for Terminal {
    fn answer(&mut self, question: &Question) -> Result<Option<usize>> {
        if self.is_there { self.ask(question) } else { Ok(None) }
    }
}

pub(super) fn run(args: &InitArgs, console: &Console) -> Result<()> {
    let is_there = !args.yes && console.is_text() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let mut terminal = Terminal { is_there };
    let replaces = replaces(&args.output, &mut terminal)?;
    let orders = [(args.day_first, FirstPart::Day), (args.month_first, FirstPart::Month), (args.year_first, FirstPart::Year)];
    let first_part = orders.into_iter().find(|(is_asked, _)| *is_asked).map(|(_, order)| order);
    let request = Request { files: &args.files, output: &args.output, as_of: args.as_of, all_rows: args.all_rows, first_part };
    let proposal = init::propose(&request, &mut terminal, console)?;
    write(&args.output, &proposal.text, replaces)?;
    tell(args, &proposal, console)
}

/// Whether a file that is there is to be replaced, which only a person can say.
fn replaces(output: &Path, terminal: &mut Terminal) -> Result<bool> {
    if std::fs::symlink_metadata(output).is_err() {
        return Ok(false);
    }
    let question = Question {
        key: "",
        text: format!("{} is there already. Is it replaced?", output.display()),
        options: vec!["no".into(), "yes".into()],
    };
    match terminal.answer(&question)? {
        Some(1) => Ok(true),
        _ => Err(is_there(output)),
    }
}

fn is_there(output: &Path) -> Error {
    Error::output(format!(
        "{} is there already, and stays as it is; name another file with --output, or move it away",
        output.display()
    ))
}

fn write(output: &Path, text: &str, replaces: bool) -> Result<()> {
    let place = Place::Local(output.to_owned());
    let bytes = text.as_bytes().to_vec().into();
    let name = output.display().to_string();
    if replaces {
        return place.replace(bytes).map_err(|e| e.of(&name));
    }
    match place.create(bytes).map_err(|e| e.of(&name))? {
        Created::New => Ok(()),
        Created::Existed => Err(is_there(output)),
    }
}

/// Says what was written, and what to do next.
fn tell(args: &InitArgs, proposal: &Proposal, console: &Console) -> Result<()> {
    let output = args.output.display().to_string();
    let roles: serde_json::Map<String, serde_json::Value> =
        proposal.roles.iter().map(|(role, column)| ((*role).to_owned(), column.as_str().into())).collect();
    console.tell("path", output.as_str());
    console.tell("as_of", proposal.as_of.to_string());
    console.tell("rows", proposal.rows);
    console.tell("of_rows", proposal.of_rows);
    console.tell("query", proposal.is_queried);
    console.tell("roles", roles);
    console.tell("questions", proposal.open.clone());
    let rows: Vec<Vec<String>> = proposal
        .roles
        .iter()
        .map(|(role, column)| vec![(*role).to_owned(), printable(column)])
        .chain([vec!["as of".to_owned(), proposal.as_of.to_string()]])
        .collect();
    console.say(&format!("\n{}\n", columns(&rows)));
    if proposal.is_queried && !has_query_program() {
        console.warn(&format!(
            "{output} goes through a query, and {} is not beside rfmill; docs/QUERY.md says how to get it",
            rfmill_query_request::PROGRAM
        ));
    }
    let questions = match proposal.open.len() {
        0 => String::new(),
        1 => "; one line in it begins with \"# ?\": answer it first".to_owned(),
        count => format!("; {count} lines in it begin with \"# ?\": answer them first"),
    };
    console.line("written", &output)?;
    console.say(&format!("Next: rfmill run {output}{questions}"));
    Ok(())
}

/// Whether the program that runs queries lies beside this one.
fn has_query_program() -> bool {
    std::env::current_exe().is_ok_and(|own| own.with_file_name(rfmill_query_request::PROGRAM).exists())
}
