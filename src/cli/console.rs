//! What is printed to stderr: progress bars on a terminal, a line per step elsewhere, JSON on request.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::args::{LogArgs, LogFormat};
use crate::error::Error;
use crate::progress::Progress;

/// The reporter of a command.
pub(super) struct Console {
    log: LogArgs,
    terminal: bool,
    step: Mutex<Option<Step>>,
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

/// Writes to stderr; a closed stderr is nobody's business.
pub(super) fn print(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

impl Console {
    pub fn new(log: LogArgs) -> Console {
        Console { log, terminal: std::io::stderr().is_terminal(), step: Mutex::new(None) }
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
        self.failure(error.kind().exit_code(), &error.to_string());
    }

    /// Prints why the command ends with this exit code.
    pub fn failure(&self, exit_code: u8, message: &str) {
        if let Ok(mut step) = self.step.lock()
            && let Some(bar) = step.take().and_then(|s| s.bar)
        {
            bar.finish_and_clear();
        }
        match self.log.log_format {
            LogFormat::Json => {
                print(&json!({ "level": "error", "exit_code": exit_code, "message": message }).to_string());
            }
            LogFormat::Text => print(&format!("error: {}.", printable(message.trim_end_matches('.')))),
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

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count("-1234.50"), "-1,234.50");
        assert_eq!(count(12), "12");
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb");
    }
}
