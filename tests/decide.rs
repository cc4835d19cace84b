//! The text of `docs/DECIDE.md`, in English and in Chinese: its commands work, and every number in it is what the program says.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::fixture::Bench;

/// A piece of the text.
enum Piece {
    /// A job file, named in the paragraph before it.
    Job(String, String),
    /// A command with lines that it prints.
    Command(Vec<String>, Vec<String>),
    /// A sentence of the report.
    Quote(String),
    /// Everything else.
    Prose(String),
}

fn pieces(page: &str) -> Vec<Piece> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("the text");
    let mut pieces = Vec::new();
    let (mut lines, mut job) = (text.lines(), String::new());
    while let Some(line) = lines.next() {
        let block = |lines: &mut std::str::Lines<'_>| lines.take_while(|l| *l != "```").map(str::to_owned).collect::<Vec<_>>();
        if line == "```toml" {
            pieces.push(Piece::Job(job.clone(), block(&mut lines).join("\n")));
        } else if line == "```console" {
            let block = block(&mut lines);
            let command = block[0].strip_prefix("$ rfmill ").expect("a command").split(' ').map(str::to_owned).collect();
            pieces.push(Piece::Command(command, block[1..].to_vec()));
        } else if let Some(quote) = line.strip_prefix("> ") {
            pieces.push(Piece::Quote(quote.into()));
        } else {
            if let Some(name) = line.split('`').find(|word| word.ends_with(".toml")) {
                job = name.into();
            }
            pieces.push(Piece::Prose(line.into()));
        }
    }
    pieces
}

/// Numbers as they stand in a line, without thousands separators and full stops behind them.
fn numbers(line: &str) -> Vec<String> {
    let words = line.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','));
    let words = words.map(|word| word.trim_matches(['.', ',']).replace(',', ""));
    words.filter(|word| !word.is_empty()).collect()
}

/// All numbers of a value.
fn collect(value: &Value, out: &mut Vec<f64>) {
    match value {
        Value::Number(number) => out.extend(number.as_f64()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, out)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, out)),
        _ => {}
    }
}

#[test]
fn every_number_is_what_the_program_says() {
    follow("docs/DECIDE.md");
}

#[test]
fn every_number_in_chinese_is_what_the_program_says() {
    follow("docs/zh/DECIDE.md");
}

/// What the report says: its answers, and the reasons of verdicts, which are translated on its page alone.
fn sentences(bench: &Bench, run: &str, report: &Value) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    for answer in report["answers"].as_array().expect("answers") {
        sentences.extend(answer["answer"].as_array().expect("sentences").iter().filter_map(Value::as_str).map(str::to_owned));
    }
    let page = String::from_utf8(bench.read(&format!("{run}/latest/report/index.html"))).expect("UTF-8");
    let cells = page.split("</td>").filter_map(|cell| Some(cell.rsplit_once("<td class=\"long\">")?.1.to_owned()));
    sentences.extend(cells);
    // Numbers and their units are held together by narrow and wide spaces that do not break, and by joiners.
    sentences.iter().map(|said| said.replace(['\u{a0}', '\u{202f}'], " ").replace('\u{2060}', "")).collect()
}

/// Follows a page: runs its commands, and holds its numbers against what they say.
fn follow(page: &str) {
    let bench = Bench::empty();
    let mut said = String::new();
    let (mut quotes, mut prose) = (Vec::new(), Vec::new());
    for piece in pieces(page) {
        match piece {
            Piece::Job(name, text) => bench.write(&name, text),
            Piece::Command(arguments, lines) => {
                let ran = bench.succeeds(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
                let printed = format!("{}\n{}", ran.out, ran.err);
                for line in lines {
                    assert!(printed.contains(&line), "{arguments:?} does not print\n{line}\nbut\n{printed}");
                    said += &line;
                    said.push('\n');
                }
                said += &arguments.join(" ");
                said.push('\n');
            }
            Piece::Quote(quote) => quotes.push(quote),
            Piece::Prose(line) => prose.push(line),
        }
    }
    assert!(quotes.len() >= 3 && prose.len() > 20, "the text has lost its pieces");

    let read =
        |run: &str| serde_json::from_slice::<Value>(&bench.read(&format!("{run}/latest/report/report.json"))).expect("a report");
    let reports = ["quarter", "tier"].map(|run| (run, read(run)));
    let sentences: Vec<String> = reports.iter().flat_map(|(run, report)| sentences(&bench, run, report)).collect();
    let report = &reports[0].1;
    for quote in &quotes {
        assert!(sentences.contains(quote), "the report does not say\n{quote}\nbut\n{}", sentences.join("\n"));
        said += quote;
        said.push('\n');
    }

    // A quarter in which nobody was assigned does not decide how all quarters are pooled.
    let pooled =
        report["verdicts"].as_array().expect("verdicts").iter().find(|v| v["period_start"].is_null() && v["state"] == "(all)");
    assert_eq!(pooled.expect("a verdict over all periods")["method"], "permutation_baseline");

    // What prose repeats or rounds: from what was printed, from the job, or from the rows about the campaign's quarter.
    let mut values = Vec::new();
    for (report, table) in [(0, "effects"), (0, "before_after"), (1, "effects"), (1, "thresholds"), (1, "threshold_bins")] {
        let rows = reports[report].1[table].as_array().expect("rows").iter().filter(|row| row["period_start"] == "2024-04-01");
        rows.for_each(|row| collect(row, &mut values));
    }
    let job: String = ["quarter.toml", "tier.toml"].map(|job| String::from_utf8(bench.read(job)).expect("UTF-8")).concat();
    let printed = numbers(&said);
    let given = numbers(&job);
    for line in prose {
        for number in numbers(&line) {
            let digits = number.split_once('.').map_or(0, |(_, behind)| behind.len());
            let is = |value: f64| format!("{value:.digits$}") == number;
            let rounded = |value: f64| is(value) || (digits > 0 && is(value * 100.0));
            let small = number.parse::<u32>().is_ok_and(|n| n <= 2);
            let coarse = digits == 0 && printed.iter().filter_map(|p| p.parse::<f64>().ok()).any(|p| is(p) || is(p * 100.0));
            assert!(
                small || coarse || printed.contains(&number) || given.contains(&number) || values.iter().any(|v| rounded(*v)),
                "nothing says {number}: {line}"
            );
        }
    }
}
