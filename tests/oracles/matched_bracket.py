"""Writes tests/data/matched_bracket.json: customers of a matched strategy, and both ends of the bracket with both placebos, their
standard errors, degrees of freedom and p-values, from the raw customers.

    venv/bin/python tests/oracles/matched_bracket.py
"""

import json
import pathlib

import numpy as np
from scipy import stats

N = 400
CELLS = ["Champions", "Loyal", "At Risk", "Lonely"]


def within(values, cells, treated):
    """Treated less control within cells that have two of each, weighted by the treated: value, variance, df, influences."""
    known = [c for c in np.unique(cells) if all(((cells == c) & (treated == arm)).sum() > 1 for arm in (True, False))]
    n_treated = sum(((cells == c) & treated).sum() for c in known)
    value, variance, squares, influence = 0.0, 0.0, 0.0, np.zeros(N)
    for c in known:
        weight = ((cells == c) & treated).sum() / n_treated
        for arm, sign in ((True, 1), (False, -1)):
            members = (cells == c) & (treated == arm)
            of = values[members]
            value += sign * weight * of.mean()
            part = weight**2 * of.var(ddof=1) / len(of)
            variance += part
            squares += part**2 / (len(of) - 1)
            influence[members] = sign * weight * (of - of.mean()) / len(of)
    return value, variance, variance**2 / squares, influence


def numbers(value, variance, df):
    se = float(np.sqrt(variance))
    half = stats.t.ppf(0.975, df) * se
    p = 2 * stats.t.sf(abs(value) / se, df)
    return {"value": float(value), "low": float(value - half), "high": float(value + half), "p": float(p)}


def case(seed, factors):
    """Customers whose treated spend these factors in the period before the baseline, in it, and after the assignment."""
    rng = np.random.default_rng(seed)
    cell = rng.choice(4, N, p=[0.3, 0.4, 0.28, 0.02])
    earlier = np.where(rng.random(N) < 0.6, np.minimum(cell, 2), rng.choice(3, N))
    treated = rng.random(N) < np.array([0.6, 0.5, 0.35, 1.0])[cell]
    level = rng.gamma(2.0, 1500.0, N) * np.array([1.6, 1.0, 0.5, 1.0])[cell]

    def spend(factor):
        spends = level * np.where(treated, factor, 1.0) * rng.lognormal(0, 0.4, N)
        return np.where(rng.random(N) < 0.7, spends, 0).round().astype(int)

    d, x, y = map(spend, factors)
    arms = np.where(treated, "mail", "control")
    customers = [[CELLS[cell[i]], CELLS[earlier[i]], str(arms[i]), int(y[i]), int(x[i]), int(d[i])] for i in range(N)]
    y, x, d = y / 100, x / 100, d / 100
    ends = {}
    for method, own, same, shifted in (("matched", y, d, x), ("did", y - x, x - d, x - d)):
        end = within(own, cell, treated)
        before, less = within(same, cell, treated), within(own - same, cell, treated)
        then = within(shifted, earlier, treated)
        variance = end[1] + then[1] - 2 * (end[3] * then[3]).sum()
        ends[method] = {
            "end": numbers(*end[:3]),
            "same": {"before": numbers(*before[:3]), "above": numbers(*less[:3])},
            "earlier": {"before": numbers(*then[:3]), "above": numbers(end[0] - then[0], variance, min(end[2], then[2]))},
        }
        print(factors, method, ends[method])
    return {"customers": customers, "ends": ends}


path = pathlib.Path(__file__).parent.parent / "data" / "matched_bracket.json"
cases = [case(20240611, (1.05, 1.1, 1.9)), case(20240612, (1.5, 1.0, 2.2))]
path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
