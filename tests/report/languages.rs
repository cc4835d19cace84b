use rfmill::internals::domain::Day;

use super::shop::Shop;
use super::*;
use crate::fixture::Bench;

fn day(text: &str) -> Day {
    Day::parse(text).expect("a date")
}

/// The heading of the page of a small job whose last date has this label, and the period that it names.
fn title(language: &str, label: &str, period: Option<(&str, &str)>) -> String {
    let shop = Shop { customers: 40, ..Shop::default() };
    let mut data = data(&shop, settings(language, 1));
    let row = data.dim_period.as_mut().and_then(|rows| rows.last_mut()).expect("a period");
    row.label = Some(label.into());
    (row.period_start, row.period_end) = (period.map(|(start, _)| day(start)), period.map(|(_, end)| day(end)));
    let page = text(data, ReportFormat::Html);
    let title = page.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
    title.expect("a title").to_owned()
}

#[test]
fn periods_are_called_in_the_language_of_the_page() {
    let quarter = Some(("2024-10-01", "2024-12-31"));
    let week = Some(("2024-12-30", "2025-01-05"));
    let listed = Some(("2024-12-01", "2024-12-31"));
    for (label, period, en, hans, hant) in [
        ("2024 Q4", quarter, "2024 Q4", "2024年第4季度", "2024年第4季"),
        ("2024-12", listed, "Dec 2024", "2024年12月", "2024年12月"),
        ("2024", Some(("2024-01-01", "2024-12-31")), "2024", "2024年", "2024年"),
        ("2025-W01 to 31 Dec", week, "2025 W01 to 31 Dec", "2025年第1周（至12月31日）", "2025年第1週（至12月31日）"),
        ("2024-12-31", None, "31 Dec 2024", "2024年12月31日", "2024年12月31日"),
        (
            "2024-12-01 to 2024-12-31",
            listed,
            "1 Dec 2024 to 31 Dec 2024",
            "2024年12月1日至2024年12月31日",
            "2024年12月1日至2024年12月31日",
        ),
        // What the job says stays: also a name of a unit that its period is not.
        ("Christmas", listed, "Christmas", "Christmas", "Christmas"),
        ("2024 Q4", listed, "2024 Q4", "2024 Q4", "2024 Q4"),
        ("Sale to 31 Dec", listed, "Sale to 31 Dec", "Sale to 31 Dec", "Sale to 31 Dec"),
        ("Sale to 31 Dec", week, "Sale to 31 Dec", "Sale（至12月31日）", "Sale（至12月31日）"),
    ] {
        for (language, name) in [("en", en), ("zh-Hans", hans), ("zh-Hant", hant)] {
            let title = title(language, label, period);
            assert!(
                title.ends_with(&format!("{}{name}", if language == "en" { ", " } else { "，" })),
                "{language}: {label:?} is {title:?}"
            );
        }
    }
}

#[test]
fn states_are_called_as_their_scheme_says_and_first_seen_where_they_are() {
    let shop = Shop { customers: 400, periods: 2, ..Shop::default() };
    let mut data = data(&shop, settings("zh-Hant", 1));
    let labels = [["Loyal", "zh-Hant", "老主顧"], ["Loyal", "fr", "Fidèles"], ["New", "zh-Hant", "新朋友"]];
    let labels = labels.map(|[state, language, label]| {
        serde_json::json!({ "scheme": "segment", "state": state, "language": language, "label": label })
    });
    data.run.labels = serde_json::from_value(labels.to_vec().into()).expect("labels");
    for row in data.dim_state.iter_mut().flatten() {
        row.is_first_seen = Some(row.state == "New");
    }
    let page = text(data, ReportFormat::Html);
    for (said, is_said) in
        [("老主顧", true), ("Fidèles", false), (">忠誠客戶<", false), ("首次出現", true), ("新朋友", false), ("核心客戶", true)]
    {
        assert_eq!(page.contains(said), is_said, "{said}");
    }
}

/// A scheme of one's own, with labels in three languages, from the job to the page.
#[test]
fn labels_of_own_schemes_reach_the_page_in_any_language_there_is() {
    let bench = Bench::empty();
    bench.succeeds(&["sample", "orders", "--orders", "3000", "--service", "--quiet"]);
    bench.write(
        "own.toml",
        "name = \"own\"\nladder = [\"top\", \"rest\"]\n\
         [[states]]\nname = \"top\"\nlabels = { en = \"Top\", zh-Hans = \"头等舱\", zh-Hant = \"頭等艙\" }\ndefinition = \"Five orders.\"\n\
         [[states]]\nname = \"rest\"\nlabels = { zh-Hant = \"經濟艙\" }\ndefinition = \"Others.\"\n\
         [[rules]]\nstate = \"top\"\nwhen = { frequency = { min = 5 } }\n[[rules]]\nstate = \"rest\"\n",
    );
    let job = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs/quickstart.toml")).expect("a job");
    let begin = job.find("[schemes]").expect("schemes");
    // Its playbook goes too: it names states of its own schemes.
    let (before, after) = (&job[..begin], &job[job.find("[output]").expect("an output")..]);
    let job = format!("{before}[schemes]\ngroup = \"own.toml\"\nvalue_tier = \"value_tier\"\n\n{after}");
    for (language, own, built_in) in [
        ("en", ["Top", "rest"], "Value tier"),
        ("zh-Hans", ["头等舱", "rest"], "价值等级"),
        ("zh-Hant", ["頭等艙", "經濟艙"], "價值等級"),
    ] {
        let output = "[output]\n";
        assert!(job.contains(output), "{job}");
        bench.write("job.toml", job.replace(output, &format!("{output}language = \"{language}\"\n")));
        bench.succeeds(&["run", "job.toml", "--quiet", "--output", language]);
        let page = std::fs::read_to_string(bench.path(&format!("{language}/latest/report/index.html"))).expect("a page");
        for said in own.into_iter().chain([built_in]) {
            assert!(page.contains(said), "{language}: {said}");
        }
        assert!(page.contains(&format!("<html lang=\"{language}\"")), "{language}");
    }
}

/// The page, `report.json` and the workbook say the warnings of a run in their language; others stay as they are.
#[test]
fn warnings_are_in_the_language_of_the_report() {
    let warnings = [
        "the data begin on 2023-01-01, after a lookback at 2023-03-31 does (history_complete is false there)",
        "a warning of a later version",
    ];
    let shop = Shop { customers: 40, periods: 2, warnings: warnings.map(str::to_owned).to_vec(), ..Shop::default() };
    for (language, said) in [
        ("en", warnings[0]),
        ("zh-Hans", "数据始于 2023-01-01，晚于统计日 2023-03-31 的回溯期起点"),
        ("zh-Hant", "資料始於 2023-01-01，晚於統計日 2023-03-31 的回溯期起點"),
    ] {
        let data = data(&shop, settings(language, 1));
        let book = super::archive::unzip(&file(data.clone(), ReportFormat::Xlsx));
        let strings = String::from_utf8_lossy(&book["xl/sharedStrings.xml"]).into_owned();
        for text in [text(data.clone(), ReportFormat::Html), text(data, ReportFormat::Json), strings] {
            assert!(text.contains(said) && text.contains(warnings[1]), "{language}");
        }
    }
}
