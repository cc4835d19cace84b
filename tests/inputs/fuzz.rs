//! Random damage, from a seed: whatever the bytes are, a reader gives a result or an error with the exit code of its kind, in
//! bounded time, and never panics.
//!
//! `cargo test --release --test it inputs::fuzz -- --ignored --nocapture` runs every fuzzer for `RFMILL_FUZZ_SECONDS` (20)
//! from `RFMILL_FUZZ_SEED` (1); a finding names its variant, which is the same for the same seed. The usual tests run the
//! first variants. They stand in the place of cargo-fuzz, which needs a nightly compiler and all libraries built anew.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rfmill::Error;
use rfmill::internals::domain::IdType;
use rfmill::internals::input::assignments::{self, Request};
use rfmill::internals::input::{Zone, customers, files};
use rfmill::internals::job::paths::InputPaths;
use rfmill::internals::job::{Overrides, parse, resolve};
use rfmill::internals::plan::Plan;

use super::flips::{CHECKED, PLAIN, rewritten, with_deltas};
use super::mill::{campaign_until, count_panics, text_of};
use super::thrift::{Parts, Value};
use crate::fixture::{dates, ints, parquet_bytes, texts};
use crate::support::cases::Rng;
use crate::support::run::Workshop;

/// Longest that one variant may take on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn seed() -> u64 {
    setting("RFMILL_FUZZ_SEED", 1)
}

/// The generator of a variant.
fn rng(number: usize) -> Rng {
    Rng::new(seed().wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number as u64))
}

/// When a campaign ends.
fn end() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(setting("RFMILL_FUZZ_SECONDS", 20)))
}

const NUMBERS: [i64; 16] = [
    0,
    1,
    -1,
    2,
    7,
    127,
    128,
    255,
    1 << 16,
    i32::MAX as i64,
    i32::MIN as i64,
    1 << 31,
    1 << 32,
    i64::MAX,
    i64::MIN,
    i64::MAX - 1,
];

/// Changes bytes without a thought for their meaning.
fn damage(bytes: &mut Vec<u8>, rng: &mut Rng) {
    if bytes.is_empty() {
        bytes.push(0);
    }
    let length = bytes.len() as u64;
    let at = rng.below(length) as usize;
    match rng.below(8) {
        0..=2 => bytes[at] ^= 1 << rng.below(8),
        3 => bytes[at] = *rng.pick(&[0, 1, 0x7f, 0x80, 0xff]),
        4 => bytes.truncate(at),
        5 => {
            let end = (at + rng.below(64) as usize).min(bytes.len());
            bytes.drain(at..end);
        }
        6 => {
            let more: Vec<u8> = (0..rng.below(32)).map(|_| rng.next_u64() as u8).collect();
            bytes.splice(at..at, more);
        }
        _ => {
            let from = rng.below(length) as usize;
            let piece = bytes[from..(from + rng.below(256) as usize).min(bytes.len())].to_vec();
            let end = (at + piece.len()).min(bytes.len());
            bytes.splice(at..end, piece);
        }
    }
}

/// Changes one value of a tree.
fn change(tree: &mut Value, rng: &mut Rng) {
    let mut n = rng.below(tree.count() as u64) as usize;
    let Some(value) = tree.nth(&mut n) else { return };
    match value {
        Value::Bool(b) => *b = !*b,
        Value::Int(_, n) => {
            *n = match rng.below(4) {
                0 => n.wrapping_add(*rng.pick(&[-1, 1, -2, 2, 8])),
                1 => n.wrapping_mul(2),
                _ => *rng.pick(&NUMBERS),
            }
        }
        Value::Double(bytes) => bytes[rng.below(8) as usize] ^= 0xff,
        Value::Binary(bytes) => damage(bytes, rng),
        Value::List(_, values) if !values.is_empty() => {
            let at = rng.below(values.len() as u64) as usize;
            match rng.below(4) {
                0 => drop(values.remove(at)),
                1 => values.insert(at, values[at].clone()),
                2 => values.clear(),
                _ => values.reverse(),
            }
        }
        Value::Struct(fields) if !fields.is_empty() => {
            let at = rng.below(fields.len() as u64) as usize;
            match rng.below(3) {
                0 => drop(fields.remove(at)),
                1 => fields[at].0 = rng.between(1, 16),
                _ => fields[at].1 = Value::Int(5, *rng.pick(&NUMBERS)),
            }
        }
        Value::List(kind, _) => *kind = rng.between(1, 12) as u8,
        Value::Struct(fields) => fields.push((rng.between(1, 16), Value::Int(5, 0))),
    }
}

/// A Parquet file with one to three changes: of bytes, of the footer with its length put right, or of a page header with
/// everything behind it moved.
fn parquet_variant(files: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let file = rng.pick(files).clone();
    if rng.chance(25) {
        let mut file = file;
        (0..=rng.below(3)).for_each(|_| damage(&mut file, rng));
        return file;
    }
    let mut parts = Parts::of(&file);
    let (groups, columns) = parts.shape();
    let changes = 1 + rng.below(3);
    // A header first, while the footer still says where it is.
    let of_header = rng.chance(50);
    if of_header {
        let (group, column) = (rng.between(0, groups - 1), rng.between(0, columns - 1));
        let number = rng.below(2) as usize;
        if let Some((at, mut header, length)) = parts.page(group, column, number) {
            change(&mut header, rng);
            parts.replace_header(group, column, at, length, &header);
        }
    }
    for _ in u64::from(of_header)..changes {
        change(&mut parts.footer, rng);
    }
    parts.bytes()
}

/// Orders with checksums, without, and of another writer.
fn seeds() -> Vec<Vec<u8>> {
    use parquet::basic::Compression;
    use parquet::file::properties::WriterVersion;
    vec![
        CHECKED.to_vec(),
        PLAIN.to_vec(),
        rewritten(Compression::UNCOMPRESSED, WriterVersion::PARQUET_1_0),
        rewritten(Compression::SNAPPY, WriterVersion::PARQUET_2_0),
        with_deltas(),
    ]
}

fn orders_fuzzer(count: usize, end: Option<Instant>) {
    let seeds = seeds();
    let counts = campaign_until(PLAIN, "", count, end, |number| parquet_variant(&seeds, &mut rng(number)));
    println!("{}", counts.line("fuzzer of orders"));
    assert!(counts.panics.is_empty(), "seed {}: {:?}", seed(), counts.panics);
    assert!(counts.longest < LONGEST, "{:?}", counts.longest);
}

/// Does `work` on variants until the count or the time is over; an error must be of one of these exit codes.
fn loop_of(name: &str, count: usize, end: Option<Instant>, codes: &[u8], mut work: impl FnMut(usize) -> Result<(), Error>) {
    count_panics();
    let (mut runs, mut errors, mut longest) = (0, 0, Duration::ZERO);
    while runs < count && end.is_none_or(|end| Instant::now() < end) {
        let began = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| work(runs))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let code = error.kind().exit_code();
                assert!(codes.contains(&code), "{name}, seed {}, variant {runs}: exit {code}: {error}", seed());
                errors += 1;
            }
            Err(panic) => panic!("{name}, seed {}, variant {runs}: {}", seed(), text_of(&*panic)),
        }
        longest = longest.max(began.elapsed());
        runs += 1;
    }
    println!("{name}: {runs} variants, {errors} refused, longest {:.0} ms", longest.as_secs_f64() * 1e3);
    assert!(longest < LONGEST, "{name}: {longest:?}");
}

/// Values and pieces that a job file may meet.
const PIECES: [&str; 24] = [
    "0",
    "-1",
    "9223372036854775807",
    "1e400",
    "nan",
    "inf",
    "true",
    "\"\"",
    "\"\\u0000\"",
    "[]",
    "[[]]",
    "{}",
    "2024-02-30",
    "0001-01-01",
    "9999-12-31",
    "\"999999999 years\"",
    "\"all\"",
    "\"lookback\"",
    "\"(((((\"",
    "[score]",
    "[[strategy]]",
    "every = \"day\"",
    "bins = 100",
    "\u{feff}",
];

/// A job file with one to four changes of lines, values and bytes.
fn job_variant(jobs: &[String], rng: &mut Rng) -> String {
    let mut lines: Vec<String> = rng.pick(jobs).lines().map(str::to_owned).collect();
    for _ in 0..=rng.below(4) {
        if lines.is_empty() {
            break;
        }
        let at = rng.below(lines.len() as u64) as usize;
        match rng.below(7) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let to = rng.below(lines.len() as u64) as usize;
                lines.swap(at, to);
            }
            3 => {
                if let Some((key, _)) = lines[at].split_once('=') {
                    lines[at] = format!("{key}= {}", rng.pick(&PIECES));
                }
            }
            4 => lines.insert(at, (*rng.pick(&PIECES)).to_owned()),
            5 => {
                let other = rng.pick(jobs).lines().nth(rng.below(60) as usize).unwrap_or_default().to_owned();
                lines.insert(at, other);
            }
            _ => {
                let mut bytes = std::mem::take(&mut lines[at]).into_bytes();
                damage(&mut bytes, rng);
                lines[at] = String::from_utf8_lossy(&bytes).into_owned();
            }
        }
    }
    lines.join("\n")
}

fn job_fuzzer(count: usize, end: Option<Instant>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("jobs");
    let mut jobs: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .map(|p| fs::read_to_string(p).unwrap())
        .collect();
    jobs.sort();
    jobs.push(super::mill::JOB.to_owned());
    jobs.push(crate::fixture::JOB.to_owned());
    let shop = Workshop::new();
    // Dates are few enough to be planned at once; a century of days is refused or takes no longer than the limit.
    loop_of("fuzzer of job files", count, end, &[2, 3, 4], |number| {
        shop.write("job.toml", &job_variant(&jobs, &mut rng(number)));
        let (raw, source) = parse::load(&shop.path("job.toml"), &[])?;
        let job = resolve(raw, source, &Overrides { output: Some(shop.path("out")), ..Overrides::default() })?;
        Plan::new(&job, &customers::CustomersTable::default()).map(|_| ())
    });
}

const CSV: &str = "customer_id,arm,assigned_on,stratum,cost,contacts,ended_on\n1,mail,2024-10-05,a,0.35,2,2024-11-01\n2,control,2024-10-05,\"b, c\",,0,\n3,mail,2024-10-06,a,0.35,1,\n4,control,2024-10-07,,,,\n";

fn assignments_fuzzer(count: usize, end: Option<Instant>) {
    let table = parquet_bytes(&[
        ("customer_id", ints([1, 2, 3, 4])),
        ("arm", texts(["mail", "control", "mail", "control"])),
        ("assigned_on", dates(["2024-10-05", "2024-10-05", "2024-10-06", "2024-10-07"])),
    ]);
    let tables = [table];
    let shop = Workshop::new();
    let zone = Zone::named("UTC", "the test").unwrap();
    loop_of("fuzzer of assignments", count, end, &[3, 4, 7], |number| {
        let mut rng = rng(number);
        let (name, bytes) = if rng.chance(50) {
            ("a.parquet", parquet_variant(&tables, &mut rng))
        } else {
            let mut bytes = CSV.as_bytes().to_vec();
            (0..=rng.below(3)).for_each(|_| damage(&mut bytes, &mut rng));
            ("a.csv", bytes)
        };
        fs::write(shop.path(name), bytes).unwrap();
        let request = Request {
            whose: "the test".into(),
            strategy: None,
            arms: vec!["mail", "control"],
            control: Some("control"),
            cluster: None,
            by: Vec::new(),
            periods: &[],
            id: IdType::Signed(64),
            scale: 2,
            zone: &zone,
            naive_zone: None,
            parts: 4,
        };
        let files = assignments::open(&InputPaths::one(name, shop.path(name)), "the test", None, false)?;
        assignments::read(&files, &request).map(|_| ())
    });
}

/// The value as Hive and Spark write it into a path.
fn encoded(value: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'-' | b'_' | 0x80.. => (b as char).to_string(),
        _ => format!("%{b:02X}"),
    };
    if value.is_ascii() { value.bytes().map(byte).collect() } else { value.bytes().map(|b| format!("%{b:02X}")).collect() }
}

fn path_fuzzer(count: usize, end: Option<Instant>) {
    let shop = Workshop::new();
    let letters: Vec<char> = "ab%=/\\.~ \u{1}\n\t\"'*?[]{}:+&#é客\u{202e}🙂0257Ff".chars().collect();
    loop_of("fuzzer of paths", count, end, &[4], |number| {
        let mut rng = rng(number);
        let attacks = ["../../x", "..", ".", "/etc/passwd", "%2e%2e", "%", "%2", "a\0b", "~", "*", "[", "con"];
        let value: String = if rng.chance(20) {
            (*rng.pick(&attacks)).to_owned()
        } else {
            (0..=rng.below(20)).map(|_| *rng.pick(&letters)).collect()
        };
        let folder = shop.path("paths");
        let _ = fs::remove_dir_all(&folder);
        let part = folder.join(format!("k={}", encoded(&value)));
        fs::create_dir_all(&part).expect("a folder");
        fs::write(part.join("a.parquet"), "").expect("a file");
        let found = files::find(&[("paths".into(), folder)], "the test")?.files;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].partitions, [("k".to_owned(), Some(value.clone()))], "{value:?}");
        Ok(())
    });
}

#[test]
fn first_variants() {
    orders_fuzzer(200, None);
    job_fuzzer(150, None);
    assignments_fuzzer(300, None);
    path_fuzzer(200, None);
}

#[test]
#[ignore = "runs for a time"]
fn fuzz_orders() {
    orders_fuzzer(usize::MAX, end());
}

#[test]
#[ignore = "runs for a time"]
fn fuzz_job_files() {
    job_fuzzer(usize::MAX, end());
}

#[test]
#[ignore = "runs for a time"]
fn fuzz_assignments() {
    assignments_fuzzer(usize::MAX, end());
}

#[test]
#[ignore = "runs for a time"]
fn fuzz_paths() {
    path_fuzzer(usize::MAX, end());
}
