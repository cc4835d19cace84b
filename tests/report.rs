//! The report: what it says, what it must not say, and that it is the same every time.

/// The parts of a workbook.
#[path = "report/archive.rs"]
pub mod archive;
/// A made-up shop with all tables.
#[path = "report/shop.rs"]
mod shop;
/// Its strategies.
#[path = "report/shop_effects.rs"]
mod shop_effects;

/// What the three files hold.
#[path = "report/files.rs"]
mod files;
/// Names that would break a page, a script, a table or a spreadsheet.
#[path = "report/hostile.rs"]
mod hostile;
/// Names of periods and states, and warnings, in every language.
#[path = "report/languages.rs"]
mod languages;
/// Small groups are hidden and cannot be found by subtraction.
#[path = "report/small_groups.rs"]
mod small_groups;

use std::path::Path;

use rfmill::internals::report::{Language, ReportData, ReportFormat, Settings, read_run, write};

/// Settings in a language.
fn settings(language: &str, min_group: i64) -> Settings {
    let language = Language::parse(language).expect("a language");
    Settings { language, currency_label: "£".into(), min_group, min_dimension_group: min_group }
}

/// The data of a shop, read back from its files.
fn data(shop: &shop::Shop, settings: Settings) -> ReportData {
    let folder = crate::support::temp::tempdir().expect("a folder");
    shop.write(folder.path());
    read_run(folder.path(), settings).expect("a run")
}

/// One file of a report.
fn file(data: ReportData, format: ReportFormat) -> Vec<u8> {
    write(data, &[format]).expect("a report").remove(0).bytes
}

fn text(data: ReportData, format: ReportFormat) -> String {
    String::from_utf8(file(data, format)).expect("UTF-8")
}

/// Writes the reports of a run into a folder.
fn write_into(run: &Path, settings: Settings, folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    for file in write(read_run(run, settings).expect("a run"), &ReportFormat::ALL).expect("reports") {
        std::fs::write(folder.join(file.name), file.bytes).expect("a file");
    }
}
