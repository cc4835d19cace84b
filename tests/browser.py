"""Open reports in headless Chromium and hold what they show against the tables.

    cargo test --release --test it report          (writes sample runs and their reports into target/tmp/report)
    python tests/browser.py [FOLDER]               (default target/tmp/report, or CARGO_TARGET_DIR/tmp/report)

Needs `pip install playwright pyarrow` and a Chromium: the one that CHROMIUM names, /usr/bin/chromium (Debian package
`chromium`, with `fonts-noto-cjk` for Chinese), or the one of `playwright install chromium`.

FOLDER holds folders with `run/` (a committed run) and `report/`. For each of them, light, dark and 390 pixels wide:

- no console message and no request but for the page itself,
- no sideways scrolling of the page, and no text in a chart smaller than 10 pixels,
- every chart is there, in one of its two widths, with a title; its shapes carry the numbers of the Parquet tables,
- the visible tables hold the same numbers, and a click on a head sorts them,
- texts are in the language of the report.

Screenshots go to FOLDER/screenshots, to be looked at.
"""

import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
from playwright.sync_api import Page, sync_playwright

VIEWS = [("light", 1200), ("dark", 1200), ("light", 390), ("dark", 390)]


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
    print("The reports show what the tables hold.")
    return 0


def charts_of(sample: Path) -> int:
    return (sample / "report" / "index.html").read_text(encoding="utf-8").count('class="chart wide"')


def check(browser, sample: Path, scheme: str, width: int, shots: Path) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
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
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = false)")
    page.screenshot(path=shots / f"{sample.name}-{scheme}-{width}.png", full_page=True)
    assert not said, f"{sample.name}: console says {said}"
    outside = [u for u in asked if u != url and not u.startswith("data:")]
    assert not outside, f"{sample.name}: the page asks for {outside}"
    context.close()


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
    cohorts = [r for r in rows(sample, "cohorts") if r["periods_since"] is not None]
    out.append({"id": "cohorts-0", "marks": {f"{r['cohort_start']} {r['periods_since']}": r["retention_rate"] for r in cohorts}})
    growth = [r for r in rows(sample, "growth") if r["scheme"] == "(all)"]
    parts = ("new", "retained", "resurrected", "lapsed")
    out.append({"id": "growth-0", "marks": {f"{r['as_of']} {p}": r[p] for r in growth for p in parts}})
    shares = {"top_1": "top_1_share", "top_10": "top_10_share", "top_20": "top_20_share"}
    concentration = rows(sample, "concentration")
    out.append({"id": "concentration-0", "marks": {f"{r['as_of']} {n}": r[c] for r in concentration for n, c in shares.items()}})
    effects = [r for r in rows(sample, "effects") if r["headline"]]
    pooled = rows(sample, "effects_over_time")
    for number, strategy in enumerate(dict.fromkeys(r["strategy"] for r in effects)):
        own = [r for r in effects if r["strategy"] == strategy and r["difference"] is not None]
        by_period = {f"{strategy} {r['period_start']}": r["difference"] for r in own if r["state"] == "(all)"}
        over_time = {f"{strategy} {r['state']} pooled": r["difference"] for r in pooled if r["strategy"] == strategy}
        total = f"{strategy} (all) pooled"
        several = len(by_period) > 1
        out.append({"id": f"effects-period-{number}", "marks": by_period | ({total: over_time[total]} if several else {})})
        newest = max(r["period_start"] for r in own)
        tiers = {f"{strategy} {r['state']}": r["difference"] for r in own if r["state"] != "(all)" and r["period_start"] == newest}
        out.append({"id": f"effects-tier-{number}", "marks": tiers})
        if several:
            out.append({"id": f"effects-pooled-{number}", "marks": {k: v for k, v in over_time.items() if k != total}})
    return out


def check_language(page: Page, sample: Path) -> None:
    report = json.loads((sample / "report" / "report.json").read_text(encoding="utf-8"))
    assert page.evaluate("document.documentElement.lang") == report["language"]
    text = page.evaluate("document.getElementById('short').innerText")
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in text)
    assert (chinese > 100) == (report["language"] == "zh-Hans"), f"{chinese} Chinese characters in {report['language']}"
    for answer in report["answers"]:
        shown = page.evaluate("key => document.getElementById('answer-' + key).innerText", answer["key"])
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
