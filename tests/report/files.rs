use std::fs;

use super::archive::unzip;
use super::shop::Shop;
use super::*;
use crate::support::run::Workshop;

/// Reports that `tests/browser.py` opens lie in the target folder, beside the runs they are made from.
#[test]
fn a_page_of_twenty_periods_is_small() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    let samples: [(&str, &str, i64, Shop); 5] = [
        ("en", "en", 1, Shop::default()),
        ("zh", "zh-Hans", 1, Shop::default()),
        ("taiwan", "zh-Hant", 1, Shop::default()),
        ("twenty", "en", 1, Shop { periods: 20, ..Shop::default() }),
        ("small", "en", 5, Shop { customers: 400, ..Shop::default() }),
    ];
    for (name, language, min_group, shop) in samples {
        let run = folder.join(name).join("run");
        shop.write(&run);
        write_into(&run, settings(language, min_group), &folder.join(name).join("report"));
        let page = fs::metadata(folder.join(name).join("report/index.html")).expect("a page");
        assert!(page.len() < 2_000_000, "{name}: the page has {} bytes", page.len());
    }
}

/// A run of the program over two years of quarters, for `tests/browser.py` too.
#[test]
fn what_the_program_writes_can_be_read() {
    let shop = Workshop::new();
    let made = shop.command().args(["quickstart", "q", "--orders", "20000", "--quiet"]).output().expect("the program");
    assert!(made.status.success(), "{}", crate::support::run::said(&made));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report/program");
    let run = shop.path("q/out/latest");
    for path in crate::support::run::files_below(&run) {
        let copy = folder.join("run").join(path.strip_prefix(&run).expect("a file of the run"));
        fs::create_dir_all(copy.parent().expect("its folder")).expect("a folder");
        fs::copy(&path, copy).expect("a copy");
    }
    write_into(&run, settings("en", 1), &folder.join("report"));
    let page = fs::read_to_string(folder.join("report/index.html")).expect("a page");
    for said in ["customers are at risk", "no longer are", "moved by what they themselves", "bought for the first time"] {
        assert!(page.contains(said), "{said:?}");
    }
    // Every table is read once: everybody, at the last date, in each of its three tables.
    let customers = crate::support::run::read_folder(&run.join("customers/as_of=2024-12-31")).rows.len() as i64;
    let data = read_run(&run, settings("en", 1)).expect("a run");
    let last = rfmill::internals::domain::Day::parse("2024-12-31").expect("a date");
    let sum = |counts: &mut dyn Iterator<Item = Option<i64>>| counts.map(|n| n.expect("a count")).sum::<i64>();
    let segments = data.segments.iter().flatten().filter(|r| r.as_of == last && r.scheme == "segment");
    let transitions = data.transitions.iter().flatten().filter(|r| r.as_of == last && r.scheme == "segment");
    let growth = data.growth.iter().flatten().filter(|r| r.as_of == last && r.scheme == "(all)");
    assert_eq!(sum(&mut segments.map(|r| r.customers)), customers);
    assert_eq!(sum(&mut transitions.filter(|r| r.to_state != "(none)").map(|r| r.customers)), customers);
    assert_eq!(sum(&mut growth.map(|r| r.customers)), customers);
}

/// `RFMILL_BLESS=1` writes the golden file anew; look at the difference.
#[test]
fn the_json_of_a_small_job_is_as_it_was() {
    let shop = Shop { customers: 40, periods: 2, ..Shop::default() };
    let json = text(data(&shop, settings("en", 1)), ReportFormat::Json);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/report.json");
    if std::env::var_os("RFMILL_BLESS").is_some() {
        fs::write(&golden, &json).expect("the golden file");
    }
    let want = fs::read_to_string(&golden).expect("tests/data/report.json");
    for (line, (got, want)) in json.lines().zip(want.lines()).enumerate() {
        assert_eq!(got, want, "line {}", line + 1);
    }
    assert_eq!(json.len(), want.len());
}

/// A season moves money by itself, so an effect stands beside the control's mean and the lift of the same period last year.
#[test]
fn effects_stand_beside_those_of_a_year_before() {
    let page = |shop: &Shop| text(data(shop, settings("en", 1)), ReportFormat::Html);
    let (long, short) = (page(&Shop::default()), page(&Shop { periods: 2, ..Shop::default() }));
    let heading = "Lift a year before (95% interval)";
    assert!(long.contains(heading) && !short.contains(heading));
    assert!(long.contains("Control mean") && short.contains("Control mean"));
    // The effect of all customers by CUPED is 2.35 in the last quarter, and was 0.9 times that a year before, of 21.40.
    let lift = format!("+{:.1}%", 2.35 * 0.9 / 21.4 * 100.0);
    assert_eq!(long.matches(&format!(">{lift}<")).count(), 2, "{lift}");
}

#[test]
fn the_same_data_give_the_same_bytes() {
    let once = data(&Shop { customers: 300, ..Shop::default() }, settings("zh-Hans", 3));
    for format in ReportFormat::ALL {
        assert_eq!(file(once.clone(), format), file(once.clone(), format), "{format:?}");
    }
    let book = unzip(&file(once, ReportFormat::Xlsx));
    let core = String::from_utf8_lossy(&book["docProps/core.xml"]).into_owned();
    assert!(core.contains("2024-12-31T00:00:00Z"), "the last as-of date stands for the clock: {core}");
}

#[test]
fn a_workbook_has_native_numbers_dates_and_a_frozen_head() {
    let data = data(&Shop { customers: 300, ..Shop::default() }, settings("en", 1));
    let revenue = data.segments.as_ref().expect("segments")[0].revenue.expect("revenue");
    let book = unzip(&file(data, ReportFormat::Xlsx));
    let part = |name: &str| String::from_utf8(book[name].clone()).expect("UTF-8");
    let names: Vec<String> = part("xl/workbook.xml")
        .split("<sheet name=\"")
        .skip(1)
        .map(|s| s.split('"').next().unwrap_or_default().to_owned())
        .collect();
    let tables = [
        "Segments",
        "Transitions",
        "Moves",
        "Growth",
        "Cohorts",
        "Concentration",
        "Verdicts",
        "Effects",
        "Effects over time",
        "Effects to date",
        "Before and after",
        "Cut points",
        "Input rows",
        "States",
        "Periods",
    ];
    assert_eq!(names, [["In short"].as_slice(), &tables, &["Columns", "Method"]].concat());
    // Every sheet of a table is one for Excel, too, with a filter and readable heads.
    let filtered = part("xl/tables/table1.xml");
    assert!(filtered.contains("name=\"rfmill_segments\"") && filtered.contains("<autoFilter ref=\"A1:"), "{filtered}");
    assert!(filtered.contains("name=\"Days since last order\"") && !filtered.contains("mean_recency_days"), "{filtered}");
    assert_eq!(book.keys().filter(|name| name.starts_with("xl/tables/")).count(), tables.len() + 1);
    let sheet = part("xl/worksheets/sheet2.xml");
    assert!(sheet.contains("ySplit=\"1\"") && sheet.contains("state=\"frozen\""));
    let cell = |name: &str| {
        let cell = sheet.split(&format!("<c r=\"{name}\"")).nth(1).and_then(|c| c.split("</c>").next()).expect("a cell");
        (
            cell.contains("t=\"s\""),
            cell.split("<v>").nth(1).and_then(|v| v.split("</v>").next()?.parse::<f64>().ok()).expect("a value"),
        )
    };
    assert_eq!(cell("A2"), (false, 45_016.0), "2023-03-31 in Excel's days");
    assert_eq!(cell("J2"), (false, revenue.digits as f64 / 100.0));
    assert!(part("xl/styles.xml").contains("formatCode=\"yyyy-mm-dd\""));
}

#[test]
fn what_the_run_did_not_write_is_said() {
    let shop = Workshop::new();
    let made = shop.command().args(["quickstart", "q", "--orders", "3000", "--quiet"]).output().expect("the program");
    assert!(made.status.success(), "{}", crate::support::run::said(&made));
    let mut data = read_run(&shop.path("q/out/latest"), settings("en", 1)).expect("a run");
    assert!(data.segments.as_ref().is_some_and(|s| !s.is_empty()) && data.ledger.is_some() && data.cutpoints.is_some());
    let customers: i64 = data.segments.iter().flatten().filter(|r| r.scheme == "segment").filter_map(|r| r.customers).sum();
    (data.transitions, data.growth, data.cohorts, data.concentration) = (None, None, None, None);
    (data.effects, data.verdicts, data.moves) = (None, None, None);
    let page = text(data.clone(), ReportFormat::Html);
    for table in ["transitions", "growth", "cohorts", "concentration", "effects"] {
        assert!(page.contains(&format!("This run has no table <b>{table}</b>")), "{table}");
    }
    assert!(page.contains("customers are at risk"));
    let json: serde_json::Value = serde_json::from_str(&text(data, ReportFormat::Json)).expect("JSON");
    assert!(json["growth"].is_null() && json["segments"].is_array());
    let last = json["totals"].as_array().and_then(|t| t.last()).expect("totals");
    assert!(last["customers"].as_i64().is_some_and(|n| 0 < n && n <= customers));
}

#[test]
fn a_column_of_another_type_is_refused_with_its_name() {
    let folder = crate::support::temp::tempdir().expect("a folder");
    Shop { customers: 40, periods: 2, ..Shop::default() }.write(folder.path());
    let mut sheet = shop::Sheet::new("file:t outcome:t row_count:t amount:m");
    sheet.row(vec![shop::V::T("f".into()), shop::V::T("kept".into()), shop::V::T("many".into()), shop::V::M(1)]);
    fs::write(folder.path().join("ledger.parquet"), sheet.bytes()).expect("a file");
    let error = read_run(folder.path(), Settings::default()).expect_err("a refusal");
    assert_eq!(error.kind().exit_code(), 5);
    assert!(
        error.to_string().starts_with("column row_count of table ledger is missing, null or of another type in row 1"),
        "{error}"
    );
    fs::remove_file(folder.path().join("ledger.parquet")).expect("the file");
    let error = read_run(folder.path(), Settings::default()).expect_err("a refusal");
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

#[test]
fn reports_are_called_as_in_the_job() {
    for (name, file) in [("html", "index.html"), ("json", "report.json"), ("xlsx", "workbook.xlsx")] {
        assert_eq!(ReportFormat::parse(name).map(ReportFormat::file_name), Ok(file));
    }
    let error = ReportFormat::parse("xls").expect_err("a refusal");
    assert!(error.to_string().contains("did you mean \"xlsx\"?"), "{error}");
}
