//! What is printed: on stderr progress bars on a terminal, a line per step elsewhere, JSON on request; on stdout what a command
//! says in the end, as text or as one JSON document.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};

use super::args::{Format, LogArgs, LogFormat};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// The reporter of a command.
pub(super) struct Console {
    log: LogArgs,
    terminal: bool,
    step: Mutex<Option<Step>>,
    /// The document that the command says, if one is asked for.
    document: Option<Mutex<Document>>,
}

/// What a command says as JSON.
struct Document {
    command: Option<&'static str>,
    warnings: Vec<String>,
    told: Map<String, Value>,
}

impl Document {
    /// The whole text; with an error if the command ended with one.
    fn text(&self, error: Option<Value>) -> String {
        let mut all = self.told.clone();
        all.insert("rfmill".into(), env!("CARGO_PKG_VERSION").into());
        all.insert("command".into(), self.command.into());
        all.insert("ok".into(), error.is_none().into());
        all.insert("warnings".into(), self.warnings.clone().into());
        if let Some(error) = error {
            all.insert("error".into(), error);
        }
        format!("{:#}", Value::Object(all))
    }
}

struct Step {
    name: &'static str,
    began: Instant,
    bar: Option<ProgressBar>,
}

/// Control characters as escapes, so that no name in the data can move the cursor or begin a new line.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Prints data to stdout; a reader that went away is no error.
///
/// # Errors
/// Exit 6 if it cannot be written: half a schema is worse than none.
pub(super) fn data(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::output(format!("cannot write to standard output: {e}; check where it goes")).caused_by(e))
        }
        _ => Ok(()),
    }
}

/// What a line begins with that says why a command ends: the code by which `docs/ERRORS.md` explains it.
pub(super) fn head(kind: &str) -> String {
    format!("error[{kind}]: ")
}

/// Writes to stderr; a closed stderr is nobody's business.
pub(super) fn print(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

impl Console {
    /// The console of a command; of `None` if the command line names none.
    pub fn new(log: LogArgs, format: Format, command: Option<&'static str>) -> Console {
        let document = Document { command, warnings: Vec::new(), told: Map::new() };
        let document = (format == Format::Json).then(|| Mutex::new(document));
        Console { log, terminal: std::io::stderr().is_terminal(), step: Mutex::new(None), document }
    }

    /// Says something in the document of the command, if one is asked for.
    pub fn tell(&self, key: &str, value: impl Into<Value>) {
        if let Some(mut document) = self.document.as_ref().and_then(|document| document.lock().ok()) {
            document.told.insert(key.into(), value.into());
        }
    }

    /// Whether the command says what came of it as a document.
    pub fn is_document(&self) -> bool {
        self.document.is_some()
    }

    /// Says a line about what came of the command: on stdout, or in the log if that is JSON.
    ///
    /// # Errors
    /// As [`data`].
    pub fn line(&self, event: &str, text: &str) -> Result<()> {
        self.event(json!({ "level": "info", "event": event, "message": text }));
        if self.is_document() || !self.is_text() { Ok(()) } else { data(text) }
    }

    /// Says one of several findings that end the command: on stdout, or in the log if that is JSON.
    ///
    /// # Errors
    /// As [`data`].
    pub fn finding(&self, text: &str) -> Result<()> {
        match (self.log.log_format, self.is_document()) {
            (LogFormat::Json, _) => {
                print(&json!({ "level": "error", "event": "finding", "message": text }).to_string());
                Ok(())
            }
            (LogFormat::Text, true) => Ok(()),
            (LogFormat::Text, false) => data(text),
        }
    }

    /// Prints the document of a command that is done, if one is asked for.
    ///
    /// # Errors
    /// As [`data`].
    pub fn finish(&self) -> Result<()> {
        let text = self.document.as_ref().and_then(|document| Some(document.lock().ok()?.text(None)));
        text.map_or(Ok(()), |text| data(&text))
    }

    /// Whether people read along.
    pub fn is_text(&self) -> bool {
        !self.log.quiet && self.log.log_format == LogFormat::Text
    }

    /// Prints lines for people.
    pub fn say(&self, text: &str) {
        if self.is_text() {
            print(text);
        }
    }

    /// Prints an event as JSON, if JSON is asked for.
    pub fn event(&self, event: serde_json::Value) {
        if !self.log.quiet && self.log.log_format == LogFormat::Json {
            print(&event.to_string());
        }
    }

    /// Prints the error that ends the command.
    pub fn error(&self, error: &Error) {
        self.failure(error.kind().exit_code(), error.kind().name(), &error.to_string());
    }

    /// Prints why the command ends with this exit code.
    pub fn failure(&self, exit_code: u8, kind: &str, message: &str) {
        if let Ok(mut step) = self.step.lock()
            && let Some(bar) = step.take().and_then(|s| s.bar)
        {
            bar.finish_and_clear();
        }
        match self.log.log_format {
            LogFormat::Json => {
                print(&json!({ "level": "error", "kind": kind, "exit_code": exit_code, "message": message }).to_string());
            }
            LogFormat::Text => print(&format!("{}{}.", head(kind), printable(message.trim_end_matches('.')))),
        }
        if let Some(document) = self.document.as_ref().and_then(|document| document.lock().ok()) {
            // The exit code says more than that the document could not be printed.
            let _ = data(&document.text(Some(json!({ "kind": kind, "exit_code": exit_code, "message": message }))));
        }
    }

    fn update(&self, change: impl FnOnce(&mut Option<Step>)) {
        if let Ok(mut step) = self.step.lock() {
            change(&mut step);
        }
    }
}

impl Progress for Console {
    fn begin(&self, name: &'static str, total: u64) {
        let bar = (self.terminal && self.is_text() && total > 0).then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template("{msg:<20} {bar:30} {percent:>3} % {eta}") {
                bar.set_style(style);
            }
            bar.set_message(name);
            bar
        });
        self.update(|step| *step = Some(Step { name, began: Instant::now(), bar }));
    }

    fn advance(&self, amount: u64) {
        self.update(|step| {
            if let Some(bar) = step.as_ref().and_then(|s| s.bar.as_ref()) {
                bar.inc(amount);
            }
        });
    }

    fn end(&self, detail: &str) {
        self.update(|step| {
            let Some(step) = step.take() else { return };
            let seconds = step.began.elapsed().as_secs_f64();
            if let Some(bar) = step.bar {
                bar.finish_and_clear();
            }
            self.say(&format!("{:<20} {} ({})", step.name, printable(detail), duration(step.began.elapsed())));
            self.event(json!({ "level": "info", "step": step.name, "detail": detail, "seconds": seconds }));
        });
    }

    fn warn(&self, message: &str) {
        if let Some(mut document) = self.document.as_ref().and_then(|document| document.lock().ok()) {
            document.warnings.push(message.to_owned());
        }
        self.say(&format!("warning: {}", printable(message)));
        self.event(json!({ "level": "warning", "message": message }));
    }
}

/// A duration for people.
pub(super) fn duration(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// A count with thin groups of three.
pub(super) fn count(n: impl std::fmt::Display) -> String {
    let text = n.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{out}.{fraction}"),
        None => format!("{sign}{out}"),
    }
}

/// Rows of text in columns: the first column to the left, the others to the right.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len))
        .map(|c| rows.iter().filter_map(|r| r.get(c)).map(|f| f.chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let fields = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(at, (field, width))| if at == 0 { format!("  {field:<width$}") } else { format!("  {field:>width$}") });
        fields.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count("-1234.50"), "-1,234.50");
        assert_eq!(count(12), "12");
    }

    /// By these, `docs/ERRORS.md` is searched.
    #[test]
    fn every_kind_of_error_has_its_head() {
        let heads = Kind::ALL.map(|kind| head(kind.name()));
        let words = ["bug", "usage", "contract", "input", "state", "output", "resource", "locked", "unknown"];
        assert_eq!(heads, words.map(|word| format!("error[{word}]: ")));
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb");
    }
}
