#!/usr/bin/env python3
"""Writes tests/data/gbstats.json: what GrowthBook's gbstats (MIT) says of the customers in tests/data/stats.json.

    pip install gbstats                                            Welch, CUPED, split check
    pip install 'git+https://github.com/growthbook/growthbook@8f1db4456915a8e7b7faf23d5632ca7219d2f469#subdirectory=packages/stats'
                                                                   these and post-stratification
    python tests/oracles/gbstats_parity.py [--check]

The release on PyPI, 0.8.0, has no post-stratification yet; the pinned commit (also called 0.8.0) has. Both give the same
Welch, CUPED and split check. --check compares with the file instead of writing it, and needs only what is installed.

Definitions that differ, so that they are not compared:
- A proportion's variance: gbstats m(1 - m), rfmill with n - 1 as for every outcome. All outcomes here are SampleMeanStatistic.
- CUPED's means: gbstats post - theta·pre, rfmill post - theta·(pre - pre of both arms). The difference is the same.
- The lift's interval: gbstats takes the degrees of freedom of the difference, rfmill those of the lift's own two parts. Value
  and standard error are compared.
- CUPED's lift: its standard error needs the treated mean over the control mean. rfmill takes 1 + lift, gbstats the ratio of
  the unadjusted means (the pinned commit), or leaves the covariance with the control mean out (PyPI). The value is compared.
- Post-stratification: gbstats takes the pooled arms' degrees of freedom, rfmill Satterthwaite's over all cells and the
  multinomial term. Value and standard error are compared. gbstats merges cells without variance into the largest, rfmill keeps
  them, and leaves out cells with fewer than two customers in an arm.
- The split check: gbstats keeps an arm's degree of freedom when its weight is 0, rfmill does not.
"""
import json, pathlib, sys
from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest
from gbstats.models import tests as models
from gbstats.models.statistics import RegressionAdjustedStatistic, SampleMeanStatistic
from gbstats.utils import check_srm

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
PINNED = hasattr(models, "EffectMomentsPostStratification")


def mean(rows, i):
    return SampleMeanStatistic(n=len(rows), sum=sum(r[i] for r in rows) / 100, sum_squares=sum(r[i] ** 2 for r in rows) / 1e4)


def cuped(rows):
    return RegressionAdjustedStatistic(n=len(rows), post_statistic=mean(rows, 0), pre_statistic=mean(rows, 1),
                                       post_pre_sum_of_products=sum(r[0] * r[1] for r in rows) / 1e4, theta=None if PINNED else 0)


def ask(pairs, kind, **more):
    config = FrequentistConfig(difference_type=kind, **more)
    result = (TwoSidedTTest(pairs, config) if PINNED else TwoSidedTTest(*pairs[0], config)).compute_result()
    p = result.pValue if PINNED else result.p_value
    return dict(value=float(result.expected), low=float(result.ci[0]), high=float(result.ci[1]), p=float(p), se=float(result.uplift.stddev))


def answers():
    fixture = json.loads((DATA / "stats.json").read_text())
    out = dict(estimators=[], split=[float(check_srm(s["observed"], s["planned"])) for s in fixture["small"]["split"]])
    for case in fixture["estimators"]:
        t, c = case["treated"], case["control"]
        row = dict(welch=ask([(mean(c, 0), mean(t, 0))], "absolute"), welch_lift=ask([(mean(c, 0), mean(t, 0))], "relative"),
                   cuped=ask([(cuped(c), cuped(t))], "absolute"))
        if PINNED:
            row["cuped_lift"] = ask([(cuped(c), cuped(t))], "relative")
        out["estimators"].append(row)
    if PINNED:
        cells = [(mean(c["control"], 0), mean(c["treated"], 0)) for c in fixture["stratified"]["cells"]]
        out["post_stratified"] = {kind: ask(cells, kind, post_stratify=True) for kind in ("absolute", "relative")}
    return out


def same(a, b, path=""):
    if isinstance(a, dict):
        return all(same(a[k], b[k], f"{path}/{k}") for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y, f"{path}/{i}") for i, (x, y) in enumerate(zip(a, b)))
    ok = abs(a - b) <= 1e-9 * max(1, abs(b))
    return ok or print(f"differs at {path}: {a} here, {b} in the file") or False


got = answers()
if "--check" in sys.argv:
    sys.exit(0 if same(got, json.loads((DATA / "gbstats.json").read_text())) else 1)
if not PINNED:
    sys.exit("this gbstats has no post-stratification; install the pinned commit to write the file, or use --check")
(DATA / "gbstats.json").write_text(json.dumps(got, separators=(",", ":")) + "\n")
print(DATA / "gbstats.json")
