//! The public API, used as another program uses it: nothing of `internals` but the sample of orders.

use rfmill::rows::{Day, SegmentRow, StateRow, TransitionRow};
use rfmill::{Job, JobOptions, Kind, Run};

use super::support::run::Workshop;
use rfmill::internals::sample::{self, SampleSpec};

const JOB: &str = r#"
name = "api"

[orders]
path = "data/*.parquet"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"

[periods]
as_of = [2023-06-30, 2023-12-31]

[schemes]
segment = "standard"

[output]
path = "out"
tables = ["customers", "segments", "transitions", "dim_state"]
"#;

/// A shop with a job file.
fn shop() -> Workshop {
    let shop = Workshop::new();
    let day = |year, month, day| jiff::civil::date(year, month, day);
    let spec = SampleSpec::new(3_000, 5, day(2022, 1, 1), day(2023, 12, 31));
    sample::write(&spec, &shop.path("data"), &|_| {}).expect("a sample");
    shop.write("job.toml", JOB);
    shop
}

#[test]
fn a_program_runs_a_job_and_reads_its_tables() -> rfmill::Result<()> {
    let shop = shop();
    let job = Job::read(shop.path("job.toml"))?;
    assert_eq!(job.output(), shop.path("out"));
    let run = rfmill::run(&job)?;
    assert_eq!(run.manifest().as_of, ["2023-06-30", "2023-12-31"]);

    let segments: Vec<SegmentRow> = run.rows()?;
    let total = |date: &str| -> i64 {
        let of_date = segments.iter().filter(|row| row.as_of.to_string() == date && row.scheme == segments[0].scheme);
        of_date.filter_map(|row| row.customers).sum()
    };
    let states: Vec<StateRow> = run.rows()?;
    assert!(segments.iter().all(|row| states.iter().any(|state| state.scheme == row.scheme && state.state == row.state)));
    let moves: Vec<TransitionRow> = run.rows()?;
    assert!(!moves.is_empty());

    // A row per customer and date: as many as all segments together, with the date that the path has alone.
    let mut customers = std::collections::BTreeMap::new();
    for batch in run.batches("customers")? {
        let batch = batch?;
        let days = batch.column_by_name("as_of").expect("the date");
        let days = days.as_any().downcast_ref::<arrow::array::Date32Array>().expect("a date");
        for day in days.values() {
            *customers.entry(Day(*day).to_string()).or_insert(0) += 1;
        }
    }
    assert_eq!(customers.keys().collect::<Vec<_>>(), ["2023-06-30", "2023-12-31"]);
    assert!(customers.iter().all(|(date, count)| total(date) == *count && *count > 100), "{customers:?}");

    // The same run, found again by who only knows the folder, and not computed twice.
    let last = Run::last(job.output())?;
    assert_eq!(last.manifest().run_id, run.manifest().run_id);
    assert_eq!(rfmill::run(&job)?.folder(), run.folder());
    assert_eq!(last.rows::<SegmentRow>()?, segments);
    Ok(())
}

#[test]
fn options_are_those_of_the_command_line() -> rfmill::Result<()> {
    let shop = shop();
    let options = JobOptions::default().set("name=\"nightly\"").as_of("2023-09-30")?.output(shop.path("elsewhere"));
    let run = rfmill::run(&options.memory_limit(1 << 30).read(shop.path("job.toml"))?)?;
    assert_eq!(run.manifest().as_of, ["2023-09-30"]);
    assert_eq!(run.manifest().job_name, "nightly");
    assert!(std::path::Path::new(&run.folder()).starts_with(shop.path("elsewhere")));
    let job = JobOptions::default().memory_limit(1 << 20).read(shop.path("job.toml"))?;
    assert_eq!(rfmill::run(&job).map(|_| ()).expect_err("too little memory").kind(), Kind::Resource);
    Ok(())
}

#[test]
fn errors_say_who_must_act() {
    let shop = shop();
    let kind = |error: rfmill::Error| (error.kind(), error.kind().exit_code());
    let missing = Job::read(shop.path("no.toml")).expect_err("no job file");
    assert_eq!(kind(missing), (Kind::Usage, 2));
    let typo = JobOptions::default().set("score.binz=4").read(shop.path("job.toml")).expect_err("no such key");
    assert!(typo.to_string().contains("bins"), "{typo}");
    assert_eq!(kind(JobOptions::default().as_of("31.12.2023").expect_err("no date")).0, Kind::Usage);
    assert_eq!(kind(Run::last(shop.path("nowhere")).expect_err("no folder")).0, Kind::Input);

    let run = rfmill::run(&Job::read(shop.path("job.toml")).expect("a job")).expect("a run");
    let unknown = run.batches("growth").map(|_| ()).expect_err("a table that the job does not write");
    assert!(unknown.to_string().contains("customers, segments, transitions, dim_state"), "{unknown}");
}
