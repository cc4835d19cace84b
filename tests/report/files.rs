use super::shop::Shop;
use super::*;

/// Reports that `tests/browser.py` opens lie in the target folder, beside the runs they are made from.
#[test]
fn a_page_of_twenty_periods_is_small() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    let samples: [(&str, &str, i64, Shop); 4] = [
        ("en", "en", 1, Shop::default()),
        ("zh", "zh-Hans", 1, Shop::default()),
        ("twenty", "en", 1, Shop { periods: 20, ..Shop::default() }),
        ("small", "en", 5, Shop { customers: 400, ..Shop::default() }),
    ];
    for (name, language, min_group, shop) in samples {
        let run = folder.join(name).join("run");
        shop.write(&run);
        write_into(&run, settings(language, min_group), &folder.join(name).join("report"));
        let page = std::fs::metadata(folder.join(name).join("report/index.html")).expect("a page");
        assert!(page.len() < 2_000_000, "{name}: the page has {} bytes", page.len());
    }
}
