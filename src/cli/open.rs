//! `rfmill open`: the page of the run that `latest` names, in a browser.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::console::{Console, data, printable};
use super::output_args::OpenArgs;
use crate::error::{Error, Kind, Result};
use crate::publish;
use crate::storage::Place;

/// The page in the folder of a run.
const PAGE: &str = "report/index.html";

/// How long a program that opens pages is watched: one that fails does so at once, and a browser may stay.
const WATCHED: Duration = Duration::from_secs(2);

pub(super) fn run(args: &OpenArgs, console: &Console) -> Result<()> {
    let output = Place::of_argument(&args.output);
    let run = publish::latest_run(&output)?;
    let page = run.folder.join(PAGE);
    let Some(path) = page.local() else {
        return Err(Error::usage(format!(
            "{page} lies in an object store, and a browser opens files of this machine; copy the folder {} here and open its index.html",
            run.folder.join("report")
        )));
    };
    if !path.is_file() {
        let why = match run.manifest.reports.iter().any(|report| report.path == PAGE) {
            true => "is gone; run the job again".to_owned(),
            false => format!(
                "was not written, since output.report of the job {:?} does not name \"html\"; add it and run the job again",
                run.manifest.job_name
            ),
        };
        return Err(Error::new(Kind::State, format!("{page}, the page of run {}, {why}", run.manifest.run_id)));
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    console.tell("output", args.output.display().to_string());
    console.tell("run_id", run.manifest.run_id.as_str());
    console.tell("path", path.display().to_string());
    let opened = openers().into_iter().find(|opener| opener.open(&path));
    console.tell("opened", opened.is_some());
    if opened.is_none() {
        console.say("no browser was found here (set BROWSER to name one); open this file:");
    }
    match console.is_document() {
        true => Ok(()),
        false => data(&printable(&path.display().to_string())),
    }
}

/// A program that opens pages, with its arguments; `%s` stands for the page, which else comes last.
struct Opener(Vec<String>);

/// The programs to try: those of `$BROWSER`, which are divided by colons, then that of the system, where there is a screen.
fn openers() -> Vec<Opener> {
    let of_user = std::env::var("BROWSER").unwrap_or_default();
    let words = |command: &str| Opener(command.split_whitespace().map(str::to_owned).collect());
    let mut out: Vec<Opener> = of_user.split(':').filter(|command| !command.trim().is_empty()).map(words).collect();
    let has_screen = || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()));
    if cfg!(target_os = "macos") {
        out.push(words("open"));
    } else if has_screen() {
        out.push(words("xdg-open"));
    }
    out
}

impl Opener {
    /// Opens a page; false if the program is not there or fails.
    fn open(&self, page: &Path) -> bool {
        let Some((program, arguments)) = self.0.split_first() else { return false };
        let page = page.to_string_lossy();
        let mut command = Command::new(program);
        command.args(arguments.iter().map(|argument| argument.replace("%s", &page)));
        if !arguments.iter().any(|argument| argument.contains("%s")) {
            command.arg(page.as_ref());
        }
        // A group of its own: what stops this command does not stop the browser.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        command.spawn().is_ok_and(is_fine)
    }
}

/// Whether a program ended well, or still runs after a while.
fn is_fine(mut child: Child) -> bool {
    let began = Instant::now();
    while began.elapsed() < WATCHED {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => sleep(Duration::from_millis(20)),
            Err(_) => return false,
        }
    }
    true
}
