//! The program as rfmill meets it: a line of JSON to it, a line back, and its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use polars::prelude::*;
use rfmill_query_request::*;

/// A folder of its own for a test, removed when it is dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("rfmill-query-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn source(name: &str, format: Format, files: &[PathBuf]) -> Source {
    let csv = CsvFormat {
        separator: b',',
        decimal_comma: false,
        encoding: Encoding::Utf8,
        header: true,
        null_values: vec![String::new()],
        numbers: Vec::new(),
    };
    let file = |path: &PathBuf| SourceFile { path: path.clone(), name: path.display().to_string(), partitions: Vec::new() };
    Source { name: name.into(), format, files: files.iter().map(file).collect(), csv }
}

pub(super) fn request(folder: &Folder, sql: &str, sources: Vec<Source>) -> Request {
    Request {
        version: VERSION,
        task: Task::Run,
        key: "orders.query".into(),
        sql: sql.into(),
        sources,
        columns: Vec::new(),
        amount_scale: 2,
        orders: None,
        output: folder.0.join("result.parquet"),
        scratch: folder.0.clone(),
        memory_limit: None,
    }
}

fn start() -> (Child, ChildStdin) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rfmill-query"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program");
    let input = child.stdin.take().expect("its input");
    (child, input)
}

/// What the program answers to a line.
fn answer(line: &str) -> String {
    let (mut child, mut input) = start();
    writeln!(input, "{line}").expect("a line");
    let mut answer = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut answer).expect("an answer");
    drop(input);
    child.wait().expect("its end");
    answer
}

fn ask(request: &Request) -> Reply {
    serde_json::from_str(&answer(&serde_json::to_string(request).expect("JSON"))).expect("a reply")
}

pub(super) fn done(request: &Request) -> (Done, DataFrame) {
    let Reply::Done(done) = ask(request) else { panic!("{:?}", ask(request)) };
    let path = PlRefPath::try_from_path(&request.output).expect("a path");
    (done, LazyFrame::scan_parquet(path, ScanArgsParquet::default()).and_then(LazyFrame::collect).expect("the result"))
}

pub(super) fn failed(request: &Request) -> Failure {
    match ask(request) {
        Reply::Failed(failure) => failure,
        Reply::Done(done) => panic!("{done:?}"),
    }
}

fn ipc(path: &Path, frame: &mut DataFrame) {
    let file = std::fs::File::create(path).expect("a file");
    IpcWriter::new(file).finish(frame).expect("an IPC file");
}

#[test]
fn arrow_files_are_read() {
    let folder = Folder::new("ipc");
    let paths = ["a.arrow", "b.arrow"].map(|name| folder.0.join(name));
    ipc(&paths[0], &mut df!["id" => [1i64, 2], "name" => ["x", "y"]].expect("a frame"));
    ipc(&paths[1], &mut df!["id" => [3i64], "name" => [None::<&str>]].expect("a frame"));
    let request =
        request(&folder, "SELECT id, name, _row FROM a WHERE id <> 2 ORDER BY _row", vec![source("a", Format::Ipc, &paths)]);
    let (done, result) = done(&request);
    assert_eq!(done.rows, 2);
    let wanted = df!["id" => [1i64, 3], "name" => [Some("x"), None], "_row" => [1u32, 3]].expect("a frame");
    assert!(result.equals_missing(&wanted), "{result}");
}

/// A line that is no JSON object is named.
#[test]
fn broken_json_lines_are_refused() {
    let folder = Folder::new("ndjson");
    let path = folder.write("a.ndjson", "{\"a\": 1}\n{\"a\": \n");
    let failure = failed(&request(&folder, "SELECT a FROM a", vec![source("a", Format::Ndjson, &[path])]));
    assert_eq!(failure.kind, FailureKind::Contract);
    assert!(
        failure.sentence.contains("a.ndjson, line 2: expected a JSON object on a line of its own (EOF while parsing"),
        "{}",
        failure.sentence
    );
    let path = folder.write("b.ndjson", "[{\"a\": 1},\n{\"a\": 2}]\n");
    let failure = failed(&request(&folder, "SELECT a FROM b", vec![source("b", Format::Ndjson, &[path])]));
    assert!(failure.sentence.contains("b.ndjson, line 1: expected a JSON object"), "{}", failure.sentence);
}

#[test]
fn requests_of_other_versions_are_refused() {
    let folder = Folder::new("version");
    let mut request = request(&folder, "SELECT 1", Vec::new());
    request.version = VERSION + 1;
    let failure = failed(&request);
    assert_eq!(failure.kind, FailureKind::Usage);
    assert!(failure.sentence.contains("build both from the same source"), "{}", failure.sentence);
    for line in ["", "hello", "{}", "{\"version\":1}"] {
        let reply: Reply = serde_json::from_str(&answer(line)).expect("a reply");
        assert!(matches!(&reply, Reply::Failed(failure) if failure.kind == FailureKind::Usage), "{line:?}: {reply:?}");
    }
}

/// It ends when its input closes, whatever it is doing.
#[test]
fn it_does_not_outlive_its_caller() {
    let folder = Folder::new("caller");
    let rows: String = (0..3_000).map(|n| format!("{n}\n")).collect();
    let path = folder.write("a.csv", &format!("n\n{rows}"));
    let sql = "SELECT a.n FROM a, b, c WHERE a.n || b.n || c.n = 'x'";
    let sources = ["a", "b", "c"].map(|name| source(name, Format::Csv, std::slice::from_ref(&path)));
    let (mut child, mut input) = start();
    writeln!(input, "{}", serde_json::to_string(&request(&folder, sql, sources.into())).expect("JSON")).expect("a line");
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().expect("a status").is_none(), "it is busy");
    drop(input);
    let began = Instant::now();
    let status = child.wait().expect("its end");
    assert_eq!(status.code(), Some(143));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let mut said = String::new();
    child.stdout.take().expect("its output").read_to_string(&mut said).expect("text");
    assert_eq!(said, "");
}

/// People who start it are told what it is.
#[test]
fn it_says_what_it_is() {
    let run = |argument: &str| Command::new(env!("CARGO_BIN_EXE_rfmill-query")).arg(argument).output().expect("the program");
    let version = String::from_utf8(run("--version").stdout).expect("text");
    assert_eq!(version, format!("rfmill-query {} (requests of version {VERSION})\n", env!("CARGO_PKG_VERSION")));
    assert!(
        String::from_utf8(run("--help").stdout).expect("text").starts_with("rfmill-query runs the queries of rfmill's job files")
    );
    assert_eq!(run("--halp").status.code(), Some(2));
}

/// Sums, joins and groups of many rows stay within a limit; one that is too small is named.
#[test]
fn memory_has_a_limit() {
    let folder = Folder::new("memory");
    let path = folder.write("a.csv", "n\n1\n");
    let mut request = request(&folder, "SELECT n FROM a", vec![source("a", Format::Csv, &[path])]);
    request.memory_limit = Some(1 << 20);
    let failure = failed(&request);
    assert_eq!(failure.kind, FailureKind::Resource);
    assert!(failure.sentence.contains("above the 1 MiB that --memory-limit leaves it"), "{}", failure.sentence);
}
