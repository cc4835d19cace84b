#!/usr/bin/env python3
"""Builds these pages as a book with search, by mdBook.

    python docs/book.py FOLDER [MDBOOK]        (MDBOOK: the program, if it is not on the PATH)

The pages keep their places, so that their links hold in the book as they do here. Every link and every anchor of the book is followed,
and one that leads nowhere is an error.
"""

import html.parser
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SETTINGS = """[book]
title = "rfmill"
language = "en"
src = "pages"

[output.html]
default-theme = "light"
no-section-label = true
smart-punctuation = false

[output.html.print]
enable = false
"""

# Chapters and their pages, in the order in which they are read.
CHAPTERS = {
    "Begin": ["README.md", "docs/INIT.md", "docs/RECIPES.md", "docs/USES.md", "docs/DECIDE.md", "docs/FORECAST.md"],
    "Ask": ["docs/JOB.md", "docs/QUERY.md", "docs/SCHEMES.md", "docs/STRATEGIES.md", "docs/ASSIGN.md"],
    "Read": ["docs/TABLES.md", "docs/REPORT.md", "docs/BI.md", "docs/SUMS.md"],
    "Run": ["docs/COMMANDS.md", "docs/PYTHON.md", "docs/ERRORS.md", "docs/RELIABILITY.md", "docs/SCALE.md", "docs/PERFORMANCE.md", "benches/README.md"],
    "Change": ["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"],
}


def title(page: Path) -> str:
    """The first heading of a page, as text."""
    heading = next(line for line in page.read_text().splitlines() if line.startswith("# "))
    return re.sub(r"[`*]", "", heading.removeprefix("# "))


def chapters() -> dict[str, list[str]]:
    """The chapters with every page of docs: those that no chapter names stand under a heading of their folder."""
    named = {page for pages in CHAPTERS.values() for page in pages} | {"docs/README.md"}
    pages = sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md")) + sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("README.*.md"))
    others = [page for page in pages if page not in named]
    chinese = [page for page in others if page.startswith(("docs/zh", "README.zh"))]
    more = [page for page in others if page not in chinese]
    found = {name: [page for page in pages if (ROOT / page).exists()] for name, pages in CHAPTERS.items()}
    return found | ({"More": more} if more else {}) | ({"中文": sorted(chinese, key=lambda page: "README" not in page)} if chinese else {})


def lay_out(folder: Path) -> None:
    """Copies the pages, what they link, and the table of contents."""
    pages = folder / "pages"
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=False, capture_output=True, text=True)
    # An archive of the sources has no git.
    listed = listing.stdout.split("\n") if listing.returncode == 0 else [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
    for name in filter(None, listed):
        if name.endswith((".md", ".png")) or name.split("/")[0] in ("jobs", "sql", "python") or name.startswith(("LICENSE", "tests/", "benches/")):
            if not (ROOT / name).is_file() or (ROOT / name).stat().st_size > 1 << 20:
                continue
            (pages / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, pages / name)
            if name.endswith(".md"):
                # A README becomes the index of its folder.
                (pages / name).write_text(re.sub(r"\]\(([\w./-]*)\bREADME\.md", r"](\1index.md", (ROOT / name).read_text()))
    lines = ["# Contents", "", "[Which page answers what](docs/README.md)", ""]
    for name, chapter in chapters().items():
        lines += [f"# {name}", "", *(f"- [{title(ROOT / page)}]({page})" for page in chapter), ""]
    (pages / "SUMMARY.md").write_text("\n".join(lines))
    (folder / "book.toml").write_text(SETTINGS)


class Page(html.parser.HTMLParser):
    """The links and anchors of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        of = dict(attributes)
        self.anchors |= {of[name] for name in ("id", "name") if of.get(name)}
        self.links += [of[name] for name in ("href", "src") if of.get(name)]


def broken(book: Path) -> list[str]:
    """Links of the book that lead nowhere, save to the network and to folders of the sources."""
    pages = {path: Page(path.read_text()) for path in book.rglob("*.html")}
    found = []
    for path, page in pages.items():
        if path.name in ("404.html", "toc.html"):
            continue
        for link in page.links:
            address, _, anchor = urllib.parse.unquote(link).partition("#")
            if "://" in address or address.startswith(("mailto:", "data:", "javascript:")):
                continue
            target = (path.parent / address).resolve() if address else path
            if target.is_dir() and target in book.parents or target.is_dir():
                target = target / "index.html" if (target / "index.html").exists() else target
            if not target.exists():
                found.append(f"{path.relative_to(book)}: {link}")
            elif anchor and target in pages and anchor not in pages[target].anchors:
                found.append(f"{path.relative_to(book)}: {link} (no such anchor)")
    return found


def main() -> int:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    out, mdbook = Path(sys.argv[1]).resolve(), (sys.argv[2:] or ["mdbook"])[0]
    with tempfile.TemporaryDirectory(prefix="rfmill-book-") as folder:
        lay_out(Path(folder))
        subprocess.run([mdbook, "build", folder, "--dest-dir", out], check=True)
    if lost := sorted(set(broken(out))):
        sys.exit("links of the book that lead nowhere:\n" + "\n".join(lost))
    print(f"ok: {sum(1 for _ in out.rglob('*.html'))} pages in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
