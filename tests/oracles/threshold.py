"""Makes tests/data/threshold.json: what rdrobust 2.1.1 and rddensity 3.0 say of the shop of tests/threshold.rs.

    python tests/oracles/threshold.py        (needs rdrobust==2.1.1 and rddensity==3.0)

The shop's orders are made here and in the test by the same integers. Customers were treated in two quarters by what they had bought in
365 days until the day before; those from 1,000.00 on bought more in the first.
"""

import json
import warnings
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import rddensity
import rdrobust

warnings.simplefilter("ignore")
CUSTOMERS = 4000
CUT = 100_000
Z = 1.959963984540054


def orders() -> list[tuple[int, date, int]]:
    """Customer, day, cents."""
    state = 20240422

    def draw(below: int) -> int:
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) % below

    rows = []
    for customer in range(CUSTOMERS):
        running = 3_000 + draw(140_000)
        rows.append((customer, date(2023, 5, 1) + timedelta(draw(200)), running))
        if draw(100) < 60:
            cents = 1 + draw(40_000)
            rows.append((customer, date(2024, 1, 5) + timedelta(draw(80)), cents))
            running += cents
        if draw(100) < 45 + running // 10_000:
            cents = 2_000 + draw(6_000) + running // 50 + (2_500 if running >= CUT else 0)
            rows.append((customer, date(2024, 4, 1) + timedelta(draw(91)), cents))
        if draw(100) < 50:
            rows.append((customer, date(2024, 7, 1) + timedelta(draw(92)), 1_000 + draw(5_000)))
    return rows


def sums(rows: list[tuple[int, date, int]], start: date, end: date) -> tuple[np.ndarray, np.ndarray]:
    """Orders and money per customer from a day to the day before another."""
    count, money = np.zeros(CUSTOMERS), np.zeros(CUSTOMERS)
    for customer, day, cents in rows:
        if start <= day < end:
            count[customer] += 1
            money[customer] += cents
    return count, money / 100


def fit(outcome: np.ndarray, running: np.ndarray) -> dict:
    found = rdrobust.rdrobust(outcome, running, c=CUT / 100)
    corrected, error = found.coef.iloc[1, 0], found.se.iloc[2, 0]
    return {
        "estimate": found.coef.iloc[0, 0], "corrected": corrected, "robust_error": error, "ci_low": corrected - Z * error,
        "ci_high": corrected + Z * error, "p": found.pv.iloc[2, 0], "bandwidth": found.bws.iloc[0, 0],
        "bias_bandwidth": found.bws.iloc[1, 0], "inside": [int(n) for n in found.N_h],
        "limits": [float(np.ravel(found.beta_p_l)[0]), float(np.ravel(found.beta_p_r)[0])],
        "slopes": [float(np.ravel(found.beta_p_l)[1]), float(np.ravel(found.beta_p_r)[1])],
    }


def main() -> None:
    rows = orders()
    began = date(2024, 4, 1)
    out = []
    for start, end in [(date(2024, 4, 1), date(2024, 7, 1)), (date(2024, 7, 1), date(2024, 10, 1))]:
        running = sums(rows, start - timedelta(365), start)[1]
        near = np.abs(running - CUT / 100) <= CUT / 100
        density = float(rddensity.rddensity(running[near], c=CUT / 100).test["p_jk"])
        after, before = sums(rows, start, end), sums(rows, began - (end - start), began)
        outcomes = {"converted": lambda of: (of[0] > 0).astype(float), "orders": lambda of: of[0], "revenue": lambda of: of[1]}
        case = {"start": start.isoformat(), "customers": int(near.sum()), "density_p": density, "outcomes": {}}
        for name, value in outcomes.items():
            case["outcomes"][name] = {"effect": fit(value(after)[near], running[near]), "placebo": fit(value(before)[near], running[near])}
        out.append(case)
    (Path(__file__).parent.parent / "data" / "threshold.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
