"""Runs docs/RECIPES.md from top to bottom, and holds what comes of it against DuckDB over the orders.

    python tests/recipes.py PATH/TO/rfmill        (needs benches/requirements.txt, and rfmill-query beside rfmill)

Blocks of `sh` run in a shell that stops at the first failure, of `toml` are written to the file that the text before them names, of
`sql` are asked of DuckDB. `tests/pages.py` does the same with the other pages.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
from pages import ROOT, blocks

PAGE = "docs/RECIPES.md"


def customers(output: str, date: str) -> set[int]:
    rows = duckdb.sql(f"SELECT customer_id FROM '{output}/tables/customers/as_of={date}/*.parquet'").fetchall()
    return {customer for (customer,) in rows}


def bought(files: str, date: str) -> set[int]:
    rows = duckdb.sql(f"SELECT DISTINCT customer_id FROM '{files}' WHERE ordered_at::DATE <= '{date}' AND amount >= 0 AND customer_id IS NOT NULL")
    return {customer for (customer,) in rows.fetchall()}


def points(found: list[tuple]) -> None:
    """Every customer has the points of DuckDB over the orders and redemptions: ever, and in the last 365 days."""
    wrong = duckdb.sql("""
        WITH earned AS (
            SELECT customer_id, ordered_at::DATE AS day, floor(sum(amount) / 10)::BIGINT AS points FROM 'orders/*.parquet'
            WHERE ordered_at::DATE <= DATE '2024-12-31' GROUP BY customer_id, order_id, day HAVING sum(amount) > 0
        ), moved AS (SELECT * FROM earned UNION ALL SELECT customer, day, -points FROM 'redemptions.csv'), wanted AS (
            SELECT customer_id, sum(points) AS ever, coalesce(sum(points) FILTER (day > DATE '2024-12-31' - 365), 0) AS of_year
            FROM moved GROUP BY 1
        )
        SELECT * FROM 'points/latest/customers/*/*.parquet' LEFT JOIN wanted USING (customer_id)
        WHERE "points_sum@all" <> coalesce(ever, 0) OR "points_sum@365d" <> coalesce(of_year, 0)
    """).fetchall()
    [(ever, of_year)] = found
    assert wrong == [] and ever > of_year > 0, (wrong[:5], found)


def held_out() -> None:
    """A fifth is in the control, and the verdicts are of the tiers that the scheme has and of all."""
    [(share,)] = duckdb.sql("SELECT avg((arm = 'control')::INT) FROM 'winback.csv'").fetchall()
    assert 0.17 < share < 0.23, share


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rfmill = Path(sys.argv[1]).resolve()
    ran = {"sh": 0, "toml": 0, "sql": 0}
    answers = {}
    with tempfile.TemporaryDirectory(prefix="rfmill-recipes-") as folder:
        os.chdir(folder)
        os.symlink(ROOT / "jobs", "jobs")
        path = {**os.environ, "PATH": f"{rfmill.parent}:{os.environ['PATH']}"}
        for block in blocks(PAGE):
            heading, language, text = block.heading, block.language, "\n".join(block.lines)
            if language == "sh":
                done = subprocess.run(["sh", "-eu", "-c", text], env=path, capture_output=True, text=True, check=False)
                assert done.returncode == 0, f"{heading}:\n{text}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
            elif language == "toml":
                Path(block.file).write_text(text + "\n")
            elif language == "sql":
                answers[heading] = duckdb.sql(text).fetchall()
                assert answers[heading], f"{heading}:\n{text}\nhas no rows"
            else:
                assert language == "text", f"{heading}: a block of {language!r} is not run"
                continue
            ran[language] += 1

        held_out()
        points(answers["Points of a programme"])
        verdicts = {state for state, _, _ in answers["A hold-out of 20 % and what came of it"]}
        assert "(all)" in verdicts and "Champions" in verdicts, verdicts
        tiers = {tier: (count, money) for tier, count, money in answers["A scheme of your own"]}
        everybody = bought("orders/*.parquet", "2024-12-31")
        assert sum(count for count, _ in tiers.values()) == len(everybody) and set(tiers) == {"gold", "silver", "basic", "at_rest"}, tiers
        [(gold,)] = duckdb.sql("""SELECT count(*) FROM (
                SELECT customer_id, sum(amount) AS money, max(ordered_at::DATE) FILTER (amount >= 0) AS newest FROM 'orders/*.parquet'
                WHERE customer_id IS NOT NULL AND ordered_at::DATE BETWEEN DATE '2024-01-02' AND DATE '2024-12-31' GROUP BY ALL
            ) WHERE money >= 1000 AND DATE '2024-12-31' - newest <= 180""").fetchall()
        assert tiers["gold"][0] == gold, (tiers, gold)
        shops = {}
        for shop, _, count in answers["Two shops in one warehouse"]:
            shops[shop] = shops.get(shop, 0) + count
        assert shops == {shop: len(bought(f"{shop}/*.parquet", "2024-12-31")) for shop in ("london", "paris")}, shops
        assert customers("moved", "2024-12-31") == everybody - {1, 2}
        assert customers("moved", "2024-12-30") == bought("orders/*.parquet", "2024-12-30"), "a night that is run again has everybody"
        dates = sorted(path.name for path in Path("moved/tables/customers").iterdir())
        assert dates == ["as_of=2024-06-30", "as_of=2024-12-30", "as_of=2024-12-31"], dates
        os.chdir(ROOT)
    assert ran["sh"] >= 10 and ran["toml"] >= 3 and ran["sql"] >= 3, ran
    print(f"ok: {ran['sh']} blocks of commands, {ran['toml']} files, {ran['sql']} queries of {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
