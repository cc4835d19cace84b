"""Open reports in headless Chromium and hold what they show against the tables.

    cargo test --release --test it report          (writes sample runs and their reports into target/tmp/report)
    python tests/browser.py [FOLDER]               (default target/tmp/report, or CARGO_TARGET_DIR/tmp/report)

Needs `pip install playwright pyarrow axe-playwright-python` and a Chromium: the one that CHROMIUM names, /usr/bin/chromium (Debian package
`chromium`, with `fonts-noto-cjk` for Chinese), or the one of `playwright install chromium`.

FOLDER holds folders with `run/` (a committed run) and `report/`. For each of them, light, dark and 390 pixels wide:

- no console message and no request but for the page itself,
- no amount is broken over lines, whatever the width,
- no sideways scrolling of the page, and no text in a chart smaller than 10 pixels,
- every chart is there, in one of its two widths, with a title; its shapes carry the numbers of the Parquet tables,
- the visible tables hold the same numbers, and a click on a head sorts them,
- what to do and all answers stand within the first 1,000 pixels at 1280, and axe finds no violation,
- the explorer shows what `segments` has, the field finds rows, and a table is saved as CSV,
- texts are in the language of the report.

Screenshots go to FOLDER/screenshots, to be looked at.
"""

import csv
import importlib.util
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
from playwright.sync_api import Page, sync_playwright

# The rules of accessibility, as a script; without the package that brings it, they are not checked.
_found = importlib.util.find_spec("axe_playwright_python")
axe = (Path(_found.origin).parent / "axe.min.js").read_text(encoding="utf-8") if _found else None

VIEWS = [("light", 1280), ("dark", 1920), ("light", 390), ("dark", 390)]


def main() -> int:
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else target / "tmp" / "report"
    samples = sorted(p.parent.parent for p in folder.glob("*/report/index.html"))
    if not samples:
        sys.exit(f"{folder} has no report; run `cargo test --release --test it report` first")
    shots = folder / "screenshots"
    shots.mkdir(exist_ok=True)
    chromium = os.environ.get("CHROMIUM") or ("/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for sample in samples:
            for scheme, width in VIEWS:
                check(browser, sample, scheme, width, shots)
            print(f"{sample.name}: {charts_of(sample)} charts, {len(VIEWS)} views")
        browser.close()
    if axe is None:
        print("skipped: accessibility, because axe-playwright-python is not installed")
    print("The reports show what the tables hold.")
    return 0


def charts_of(sample: Path) -> int:
    return (sample / "report" / "index.html").read_text(encoding="utf-8").count('class="chart wide"') + (sample / "report" / "index.html").read_text(encoding="utf-8").count('class="chart compact"')


def check(browser, sample: Path, scheme: str, width: int, shots: Path) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, accept_downloads=True)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    url = (sample / "report" / "index.html").resolve().as_uri()
    page.goto(url)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    check_layout(page, scheme, width)
    check_charts(page, sample)
    check_language(page, sample)
    check_sorting(page)
    check_explorer(page, sample)
    check_finding(page)
    if scheme == "light" and width == 1280:
        check_csv(page)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
    if width == 1280:
        check_first_screen(page, sample)
    check_accessibility(page, sample)
    if scheme == "light" and width == 390:
        check_amounts(page, sample)
    page.screenshot(path=shots / f"{sample.name}-{scheme}-{width}.png", full_page=True)
    assert not said, f"{sample.name}: console says {said}"
    outside = [u for u in asked if u != url and not u.startswith("data:")]
    assert not outside, f"{sample.name}: the page asks for {outside}"
    context.close()


def check_amounts(page: Page, sample: Path) -> None:
    """No line ends within an amount: sign, currency, digits, unit."""
    script = r"""() => {
        const amount = /[+−<]?\u2060?[$£€¥]?\d[\d,.]*(?:\u2060?[万亿萬億]|\u00a0(?:k|M|bn))?(?:%|\u00a0(?:EUR|USD)|\u2060?元)?/gu;
        const broken = [];
        const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let text; (text = texts.nextNode()); ) {
            if (text.parentElement.closest('svg, script, style')) continue;
            for (const found of text.data.matchAll(amount)) {
                const range = document.createRange();
                range.setStart(text, found.index);
                range.setEnd(text, found.index + found[0].length);
                const lines = new Set([...range.getClientRects()].filter((r) => r.width > 0).map((r) => Math.round(r.top)));
                if (lines.size > 1) broken.push(found[0]);
            }
        }
        return broken;
    }"""
    size = page.viewport_size
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for width in [*range(320, 440, 6), *range(700, 1300, 60)]:
        page.set_viewport_size({"width": width, "height": 900})
        broken = page.evaluate(script)
        assert not broken, f"{sample.name}, {width}: broken over lines: {broken}"
    page.set_viewport_size(size)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")


def check_first_screen(page: Page, sample: Path) -> None:
    """What to do and all answers stand within the first 1,000 pixels."""
    ends = page.evaluate(
        """[...document.querySelectorAll('.tiles, #tasks, [id^=answer-]')].map(e =>
            [e.id || e.className, Math.ceil(e.getBoundingClientRect().bottom + scrollY)])"""
    )
    low = [(name, end) for name, end in ends if end > 1000]
    assert not low, f"{sample.name}: below the first 1,000 pixels: {low}"


def check_accessibility(page: Page, sample: Path) -> None:
    """axe finds nothing to complain of."""
    if axe is None:
        return
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    told = [(v["id"], v["nodes"][0]["html"][:160]) for v in found]
    assert not told, f"{sample.name}: axe: {told}"


def check_explorer(page: Page, sample: Path) -> None:
    """Every date that can be chosen shows the customers and the money that the table has, in every scheme."""
    segments = [r for r in rows(sample, "segments")]
    small = sample.name == "small"
    dates = page.locator("#explore-choice select[name=date] option").count()
    schemes = page.locator("#explore-choice select[name=scheme] option").count()
    groups = page.locator("#explore-choice select[name=group] option").all_inner_texts()
    shown_dates = sorted({r["as_of"] for r in segments}, reverse=True)
    known = {}
    for r in segments:
        group = r["dimension"] if r["dimension"] == "(all)" else f"{r['dimension']} = {r['dimension_value']}"
        known.setdefault((r["as_of"], group, r["scheme"]), []).append(r)
    read = """() => [...document.querySelectorAll('#explore-table tbody tr')].map(row =>
        [1, 4, 7].map(at => row.cells[at].dataset.v === '' ? null : Number(row.cells[at].dataset.v)))"""
    names = list(dict.fromkeys(r["scheme"] for r in segments))
    assert schemes == len(names)
    for date in {0, dates - 1}:
        for place, group in enumerate(groups):
            for scheme in range(schemes):
                for name, value in (("date", date), ("group", place), ("scheme", scheme)):
                    page.evaluate(
                        """([name, value]) => { const list = document.querySelector(`#explore-choice select[name=${name}]`);
                            list.value = String(value); list.dispatchEvent(new Event('change', { bubbles: true })); }""",
                        [name, value],
                    )
                shown = page.evaluate(read)
                if small:
                    continue
                # The newest dates come first; the words for everybody differ from language to language.
                key = (shown_dates[date] if dates == len(shown_dates) else None, "(all)" if place == 0 else group, names[scheme])
                if key[0] is None:
                    continue
                want = sorted((r["customers"], float(r["revenue"]), float(r["annual_value"])) for r in known.get(key, []))
                assert sorted(map(tuple, shown)) == want, f"{sample.name} {key}: {shown}, not {want}"
    page.evaluate("document.getElementById('explore-choice').reset()")
    page.evaluate("document.getElementById('explore-choice').dispatchEvent(new Event('change'))")


def check_finding(page: Page) -> None:
    """A word that stands in a table leaves its rows and hides the others; nothing to find shows all again."""
    total = page.evaluate("[...document.querySelectorAll('.table tbody tr')].length")
    word = page.evaluate("document.querySelector('#segments tbody tr').cells[0].textContent")
    page.fill("#find", word)
    shown = page.evaluate("[...document.querySelectorAll('.table tbody tr')].filter(r => !r.hidden).map(r => r.textContent)")
    assert 0 < len(shown) < total and all(word.lower() in text.lower() for text in shown), f"{word}: {len(shown)} of {total}"
    page.fill("#find", "")
    assert page.evaluate("[...document.querySelectorAll('.table tbody tr')].filter(r => r.hidden).length") == 0


def check_csv(page: Page) -> None:
    """The button of a table saves what it shows."""
    box = page.locator("#explore-table .table")
    with page.expect_download() as download:
        page.locator("#explore-table .tools button").first.click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    lines = list(csv.reader(text.splitlines()))
    heads = [head.strip() for head in box.locator("th").all_inner_texts()]
    assert lines[0] == heads, f"{lines[0]}, not {heads}"
    values = page.evaluate("[...document.querySelectorAll('#explore-table tbody tr')].map(r => r.cells[1].dataset.v)")
    assert [line[1] for line in lines[1:]] == values, f"{lines}"


def check_layout(page: Page, scheme: str, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = sum(int(x) for x in ground[4:-1].split(",")[:3]) < 200
    assert dark == (scheme == "dark"), f"the ground is {ground} in {scheme}"
    # Size of the smallest text in a chart as it is shown, and its contrast with the ground where no shape lies behind.
    smallest = page.evaluate(
        """Math.min(...[...document.querySelectorAll('svg.chart')].filter(s => s.getBoundingClientRect().width > 0)
            .flatMap(s => [...s.querySelectorAll('text')].map(t => parseFloat(getComputedStyle(t).fontSize)
              * s.getBoundingClientRect().width / s.viewBox.baseVal.width)))"""
    )
    assert smallest >= 10, f"the smallest text of a chart is {smallest:.1f} pixels high"
    outside = page.evaluate(
        """[...document.querySelectorAll('svg.chart')].filter(s => s.getBoundingClientRect().width > 0).flatMap(s =>
            [...s.querySelectorAll('text')].filter(t => { const b = t.getBBox(), v = s.viewBox.baseVal;
              return b.x < -1 || b.x + b.width > v.width + 1 || b.y < -1 || b.y + b.height > v.height + 1; })
            .map(t => s.dataset.chart + ': ' + t.textContent))"""
    )
    assert not outside, f"text beyond the edge of its chart: {outside[:5]}"


def rows(sample: Path, table: str) -> list[dict]:
    """The rows of a table; none if the run did not write it."""
    path = sample / "run" / f"{table}.parquet"
    return pq.read_table(path).to_pylist() if path.exists() else []


def check_charts(page: Page, sample: Path) -> None:
    charts = page.evaluate(
        """[...document.querySelectorAll('svg.chart')].filter(s => s.getBoundingClientRect().width > 0).map(s => ({
            id: s.dataset.chart, title: s.querySelector('title').textContent, text: s.querySelector('desc').textContent,
            marks: [...s.querySelectorAll('[data-k]')].map(m => [m.dataset.k, m.dataset.v === undefined ? null : Number(m.dataset.v)]),
            texts: [...s.querySelectorAll('text')].map(t => t.textContent) }))"""
    )
    by_id = {chart["id"]: chart for chart in charts}
    assert len(by_id) == len(charts) == charts_of(sample), "every chart is shown once"
    assert all(chart["title"] and chart["text"] for chart in charts), "every chart has a title and a description"
    for expected in expectations(sample):
        chart = by_id.pop(expected["id"])
        shown = {key: value for key, value in chart["marks"] if value is not None}
        if sample.name == "small":
            # Suppressed numbers are missing; what is shown is right.
            assert set(shown) <= set(expected["marks"]), f"{sample.name} {chart['id']}: {set(shown) - set(expected['marks'])}"
        else:
            assert set(shown) == set(expected["marks"]), f"{sample.name} {chart['id']}: {set(shown) ^ set(expected['marks'])}"
        for key, value in shown.items():
            want = expected["marks"][key]
            assert abs(value - want) <= 1e-9 * max(1.0, abs(want)), f"{sample.name} {chart['id']} {key}: {value}, not {want}"
    assert not by_id, f"charts that nothing was expected of: {sorted(by_id)}"


def expectations(sample: Path) -> list[dict]:
    """The charts of a sample and the numbers of their shapes, from the tables."""
    out = []
    pairs: dict[str, int] = defaultdict(int)
    for path in sorted((sample / "run").glob("customers/as_of=*/*.parquet")):
        # The grid is that of the last date.
        if path.parent.name == max(p.name for p in (sample / "run" / "customers").iterdir()):
            for r in pq.read_table(path, columns=["r_score", "f_score"], partitioning=None).to_pylist():
                if r["r_score"] and r["f_score"]:
                    pairs[f"{r['r_score']}-{r['f_score']}"] += 1
    if pairs:
        out.append({"id": "scores-0", "marks": dict(pairs)})
    segments = [r for r in rows(sample, "segments") if r["dimension"] == "(all)"]
    last = max(r["as_of"] for r in segments)
    for place, scheme in enumerate(["segment", "lifecycle"]):
        own = [r for r in segments if r["scheme"] == scheme]
        now = [r for r in own if r["as_of"] == last]
        shares = {f"{r['state']} customers": r["customer_share"] for r in now} | {f"{r['state']} revenue": r["revenue_share"] for r in now}
        out.append({"id": f"segments-{place}", "marks": shares})
        for kind in ("customers", "revenue"):
            out.append({"id": f"trend-{kind}-{place}", "marks": {f"{r['as_of']} {r['state']}": float(r[kind]) for r in own}})
        moved = [r for r in rows(sample, "transitions") if r["scheme"] == scheme and r["as_of"] == last]
        pair = {f"{r['from_state']} > {r['to_state']}": r for r in moved}
        # A state is drawn on both sides; of two marks with its name, the one on the right is read last.
        ends: dict[str, int] = defaultdict(int)
        entered = [r for r in moved if r["from_state"] not in {r["to_state"] for r in moved}]
        for side, of in (("from_state", entered), ("to_state", moved)):
            for r in of:
                ends[r[side]] += r["customers"]
        out.append({"id": f"flows-{place}", "marks": {k: r["customers"] for k, r in pair.items()} | dict(ends)})
        out.append({"id": f"matrix-{place}", "marks": {k: r["rate"] for k, r in pair.items()}})
    for number, axis in enumerate(["recency_days", "frequency", "monetary"]):
        bins = [r for r in rows(sample, "cutpoints") if r["axis"] == axis and r["as_of"] == last]
        if len(bins) > 1:
            out.append({"id": f"spread-{number}", "marks": {f"{axis} {r['bin']}": r["customers"] for r in bins}})
    cohorts = [r for r in rows(sample, "cohorts") if r["periods_since"] is not None]
    out.append({"id": "cohorts-0", "marks": {f"{r['cohort_start']} {r['periods_since']}": r["retention_rate"] for r in cohorts}})
    growth = [r for r in rows(sample, "growth") if r["scheme"] == "(all)"]
    parts = ("new", "retained", "resurrected", "lapsed")
    out.append({"id": "growth-0", "marks": {f"{r['as_of']} {p}": r[p] for r in growth for p in parts}})
    shares = {"top_1": "top_1_share", "top_10": "top_10_share", "top_20": "top_20_share"}
    concentration = rows(sample, "concentration")
    out.append({"id": "concentration-0", "marks": {f"{r['as_of']} {n}": r[c] for r in concentration for n, c in shares.items()}})
    effects = [r for r in rows(sample, "effects") if r["headline"] and r["state"] == "(all)"]
    verdicts = rows(sample, "verdicts")
    for number, strategy in enumerate(dict.fromkeys(r["strategy"] for r in effects)):
        own = [r for r in effects if r["strategy"] == strategy]
        told = [r for r in verdicts if r["strategy"] == strategy]
        several = sum(r["difference"] is not None for r in own) > 1
        # Net margin where it is known, else the outcome.
        matched = any(r["design"] == "matched" for r in own)
        net = not matched and any(r["net_margin_low_adjusted"] is not None for r in own)
        value = "net_margin_per_customer" if net else "difference"
        by_period = {f"{strategy} {r['period_start']}": r[value] for r in own if r[value] is not None}
        if several:
            pooled = next(r for r in told if r["state"] == "(all)" and r["period_start"] is None)
            by_period[f"{strategy} (all) pooled"] = pooled[value]
        out.append({"id": f"effects-period-{number}", "marks": by_period})
        decided: dict[str, dict] = {}
        for r in sorted(told, key=lambda r: (r["period_start"] is not None, str(r["period_start"]))):
            newest = r["period_start"] is None or r["period_start"] == max(t["period_start"] for t in told if t["period_start"])
            if r["state"] != "(all)" and newest and (several or r["period_start"] is not None):
                decided.setdefault(r["state"], r)
        if decided:
            tiers = {f"{strategy} {state}": r[value] for state, r in decided.items() if r[value] is not None}
            out.append({"id": f"effects-tier-{number}", "marks": tiers})
        so_far = [r for r in rows(sample, "effects_to_date") if r["strategy"] == strategy]
        so_far = [r for r in so_far if r["outcome"] == ("net" if net else own[0]["outcome"])]
        if several and len(so_far) > 1:
            marks = {f"{strategy} {r['through_start']}": r["incremental"] for r in so_far if r["incremental"] is not None}
            out.append({"id": f"so-far-{number}", "marks": marks})
    return out


def check_language(page: Page, sample: Path) -> None:
    report = json.loads((sample / "report" / "report.json").read_text(encoding="utf-8"))
    assert page.evaluate("document.documentElement.lang") == report["language"]
    text = page.evaluate("document.getElementById('short').innerText")
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in text)
    assert (chinese > 100) == report["language"].startswith("zh"), f"{chinese} Chinese characters in {report['language']}"
    for answer in report["answers"]:
        shown = page.evaluate("key => document.getElementById('answer-' + key).innerText", answer["key"]).replace("\u2060", "")
        for paragraph in answer["answer"]:
            assert " ".join(paragraph.split()) in " ".join(shown.split()), f"{answer['key']}: {paragraph}"


def check_sorting(page: Page) -> None:
    """The table of states, sorted by its first column of numbers: up, then down."""
    head = page.locator("#segments table").first.locator("th.n button").first
    place = page.evaluate("[...document.querySelectorAll('#segments table')[0].tHead.rows[0].cells].findIndex(c => c.className === 'n')")
    table = "document.querySelector('#segments table').tBodies[0].rows"
    values = f"[...{table}].map(r => r.cells[{place}].dataset.v).filter(v => v !== '').map(Number)"
    head.click()
    up = page.evaluate(values)
    assert up == sorted(up) and len(up) > 2, up
    head.click()
    assert page.evaluate(values) == sorted(up, reverse=True)


if __name__ == "__main__":
    sys.exit(main())
