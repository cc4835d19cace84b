#!/usr/bin/env python3
"""Writes tests/data/stats.json: what scipy, statsmodels and mpmath say, for the unit tests of src/stats.

    pip install numpy scipy statsmodels mpmath
    python tests/oracles/stats_fixtures.py

Every estimator is checked by a way of its own: customers are turned into numbers (adjusted, linearised) one by one, and
scipy's t-test is asked about those numbers. Samples are small and whole; the seed is fixed.
"""
import json, math, pathlib
import mpmath as mp, numpy as np
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_confint
import statsmodels.api as sm

mp.mp.dps = 30
rng = np.random.default_rng(7)
OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "stats.json"


def t_tail(t, df):
    """P(|T| > t) with 30 digits."""
    t, df = mp.mpf(t), mp.mpf(df)
    return mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + t * t), regularized=True)


def distributions():
    dfs = [1, 1.37, 2, 4.75, 29.5, 311.25, 1998.6, 19968.3, 1e6, 1e9]
    tails = [[t, df, float(t_tail(t, df))] for df in dfs for t in (0, 1e-6, 0.3, 0.999, 1.96, 4.2, 9.5, 25) if t_tail(t, df) > 1e-290]
    quantiles = []
    for df in dfs:
        for p in (0.6, 0.9, 0.975, 0.9995):
            x = mp.mpf(float(stats.t.ppf(p, df)))
            for _ in range(4):                                   # Newton with 30 digits from scipy's answer
                d = mp.exp(mp.loggamma((mp.mpf(df) + 1) / 2) - mp.loggamma(mp.mpf(df) / 2) - (mp.mpf(df) + 1) / 2 * mp.log1p(x * x / df)) / mp.sqrt(df * mp.pi)
                x += (t_tail(x, df) / 2 - (1 - mp.mpf(p))) / d
            quantiles.append([p, df, float(x)])
    chi = [[x, k, float(mp.gammainc(mp.mpf(k) / 2, mp.mpf(x) / 2, mp.inf, regularized=True))]
           for k in (1, 2, 3, 7, 39, 200) for x in (0.01, 0.5, 3.84, 20, 100, 700)]
    normal = [[p, float(mp.sqrt(2) * mp.erfinv(2 * mp.mpf(p) - 1))] for p in (1e-9, 0.025, 0.3, 0.8, 0.975, 0.9995)]
    return dict(t_two_sided=tails, t_quantile=quantiles, chi_square_sf=[c for c in chi if c[2] > 1e-290], normal_quantile=normal)


def customers(n, lift, zero=0.5):
    """Revenue and orders, after and before, of n customers: whole cents, skewed, correlated over time."""
    taste = rng.gamma(0.8, 1.5, n)
    d, e = rng.poisson(taste * lift), rng.poisson(taste)
    level = rng.lognormal(3.2, 0.8, n)
    y = np.round(level * d * 100 * rng.lognormal(0, 0.3, n)).astype(int)
    x = np.round(level * e * 100 * rng.lognormal(0, 0.3, n)).astype(int)
    return np.stack([y, x, d, e], axis=1)


def test(t, c):
    r = stats.ttest_ind(t, c, equal_var=False)
    ci = r.confidence_interval(0.95)
    se = math.sqrt(np.var(t, ddof=1) / len(t) + np.var(c, ddof=1) / len(c))
    return dict(difference=t.mean() - c.mean(), se=se, df=float(r.df), low=float(ci.low), high=float(ci.high), p=float(r.pvalue))


def lifted(t, c, base_c, base):
    """Delta method by hand: numbers whose means differ by the lift to first order."""
    d = t.mean() - c.mean()
    r = test(t / base, c / base + d / base**2 * base_c)
    return dict(value=d / base, se=r["se"], df=r["df"])


def estimators():
    cases = []
    for n_t, n_c, lift in ((60, 47, 1.4), (400, 90, 1.0), (2, 3, 1.0), (25, 300, 2.0)):
        T, C = customers(n_t, lift), customers(n_c, 1.0)
        money = np.array([100, 100, 1, 1])
        t, c = T / money, C / money
        both = np.concatenate([t, c])
        case = dict(treated=T.tolist(), control=C.tolist())
        y_t, y_c, x_t, x_c = t[:, 0], c[:, 0], t[:, 1], c[:, 1]
        case["welch"] = dict(test(y_t, y_c), lift=lifted(y_t, y_c, y_c, y_c.mean()))
        theta = np.cov(both[:, 0], both[:, 1])[0, 1] / both[:, 1].var(ddof=1)
        a_t, a_c = y_t - theta * (x_t - both[:, 1].mean()), y_c - theta * (x_c - both[:, 1].mean())
        case["cuped"] = dict(test(a_t, a_c), lift=lifted(a_t, a_c, y_c, y_c.mean()))
        case["did"] = dict(test(y_t - x_t, y_c - x_c), lift=lifted(y_t - x_t, y_c - x_c, y_c, y_c.mean()))
        change = np.concatenate([y_t - x_t, y_c - x_c])
        ols = sm.OLS(change, np.stack([np.ones(len(change)), np.arange(len(change)) < n_t], axis=1)).fit(cov_type="HC2")
        assert abs(ols.bse[1] / case["did"]["se"] - 1) < 1e-9 and abs(ols.params[1] - case["did"]["difference"]) < 1e-9
        if min(t[:, 2].sum(), c[:, 2].sum(), t[:, 3].sum(), c[:, 3].sum()) > 0:
            ratio = lambda a, i, j: a[:, i].sum() / a[:, j].sum()
            line = lambda a, i, j, of: (a[:, i] - ratio(of, i, j) * a[:, j]) / of[:, j].mean()
            r_t, r_c = line(t, 0, 2, t) + ratio(t, 0, 2), line(c, 0, 2, c) + ratio(c, 0, 2)
            case["ratio"] = dict(test(r_t, r_c), lift=lifted(r_t, r_c, r_c, r_c.mean()))
            w, z = line(both, 1, 3, both), line(both, 0, 2, both)
            th = np.cov(z, w)[0, 1] / w.var(ddof=1)
            q_t = r_t - th * (line(t, 1, 3, t) + ratio(t, 1, 3) - ratio(both, 1, 3))
            q_c = r_c - th * (line(c, 1, 3, c) + ratio(c, 1, 3) - ratio(both, 1, 3))
            case["ratio_cuped"] = dict(test(q_t, q_c), lift=lifted(q_t, q_c, r_c, r_c.mean()))
        cases.append(case)
    return cases


def stratified():
    """Strata with different shares: pooled weights with the multinomial term, and the treated's weights without."""
    cells, ds, ws, vs, dfs, base = [], [], [], [], [], []
    for n_t, n_c, lift in ((80, 20, 1.3), (30, 90, 1.0), (12, 15, 2.0)):
        T, C = customers(n_t, lift), customers(n_c, 1.0)
        cells.append(dict(treated=T.tolist(), control=C.tolist()))
    n_t = np.array([len(c["treated"]) for c in cells]); n_c = np.array([len(c["control"]) for c in cells])
    y_t = [np.array(c["treated"])[:, 0] / 100 for c in cells]; y_c = [np.array(c["control"])[:, 0] / 100 for c in cells]
    d = np.array([a.mean() - b.mean() for a, b in zip(y_t, y_c)])
    out = dict(cells=cells)
    for name, w, n in (("post_stratified", (n_t + n_c) / (n_t + n_c).sum(), (n_t + n_c).sum()), ("matched", n_t / n_t.sum(), None)):
        parts = np.array([[w_k**2 * a.var(ddof=1) / len(a), w_k**2 * b.var(ddof=1) / len(b)] for w_k, a, b in zip(w, y_t, y_c)])
        D = w @ d
        between = w @ (d - D) ** 2 / n if n else 0.0
        v = parts.sum() + between
        df = v**2 / ((parts**2 / np.stack([n_t - 1, n_c - 1], axis=1)).sum() + (between**2 / (n - 1) if n else 0))
        half = stats.t.ppf(0.975, df) * v**0.5
        out[name] = dict(difference=D, se=v**0.5, df=df, low=D - half, high=D + half, p=2 * stats.t.sf(abs(D) / v**0.5, df))
        # The lift by finite differences of the ratio in the cell means and in the shares.
        m = w @ np.array([b.mean() for b in y_c])
        L, m_k = D / m, np.array([b.mean() for b in y_c])
        var = sum(w_k**2 * a.var(ddof=1) / len(a) / m**2 + w_k**2 * b.var(ddof=1) / len(b) * (1 / m + D / m**2) ** 2 for w_k, a, b in zip(w, y_t, y_c))
        if n:
            g = d / m - D / m**2 * m_k
            var += w @ (g - w @ g) ** 2 / n
        out[name]["lift"] = dict(value=L, se=var**0.5)
    return out


def recurring():
    """Three periods, arms drawn anew, half of the customers in more than one: pooled by their treated, and clustered by brute force."""
    n, periods = 300, []
    taste, level = rng.gamma(0.8, 1.5, n), rng.lognormal(3, 0.7, n)
    influence, members = np.zeros((3, n)), []
    for p in range(3):
        there = rng.random(n) < 0.6
        arm = rng.random(n) < 0.5
        y = np.round(level * rng.poisson(taste) * 100).astype(int)
        x = np.round(level * rng.poisson(taste) * 100).astype(int)
        T, C = there & arm, there & ~arm
        yb, xb = y[there] / 100, x[there] / 100
        theta = np.cov(yb, xb)[0, 1] / xb.var(ddof=1)
        a = y / 100 - theta * (x / 100 - xb.mean())
        influence[p, T] = (a[T] - a[T].mean()) / T.sum()
        influence[p, C] = -(a[C] - a[C].mean()) / C.sum()
        r = test(a[T], a[C])
        members.append((r["difference"], r["se"], r["df"], T.sum()))
        periods.append([[int(i), int(arm[i]), int(y[i]), int(x[i])] for i in range(n) if there[i]])
    d, se, df, treated = map(np.array, zip(*members))
    meta = combine_effects(d, se**2)
    w = treated / treated.sum()
    cross = influence @ influence.T
    cov = np.where(np.eye(3, dtype=bool), se**2, cross)
    own = w**2 * se**2
    inverse = np.linalg.inv(cov)
    mean = inverse.sum(axis=0) @ d / inverse.sum()
    q = (d - mean) @ inverse @ (d - mean)
    return dict(periods=periods, value=w @ d, se_independent=own.sum() ** 0.5, se_clustered=(w @ cov @ w) ** 0.5, q=float(meta.q),
                q_p=float(stats.chi2.sf(meta.q, 2)), q_clustered=q, df=own.sum() ** 2 / (own**2 / df).sum(),
                covariances=[cross[0, 1], cross[0, 2], cross[1, 2]])


def shrinking():
    effects = [(3.1, 0.9), (1.2, 0.8), (-0.4, 1.4), (5.2, 2.2), (2.4, 0.5), (0.1, 0.7)]
    v, se = map(np.array, zip(*effects))
    meta = combine_effects(v, se**2, method_re="dl")
    tau2, mu = meta.tau2, meta.mean_effect_re
    b = tau2 / (tau2 + se**2)
    value = mu + b * (v - mu)
    low = value - stats.norm.ppf(0.975) * np.sqrt(b * se**2 + (1 - b) ** 2 * meta.sd_eff_w_re**2)
    return dict(effects=effects, value=value.tolist(), low=low.tolist())


def small():
    wilson = [[k, n, *map(float, proportion_confint(k, n, method="wilson"))] for k, n in ((0, 10), (3, 10), (10, 10), (517, 10_000), (1, 1))]
    split = [dict(observed=o, planned=p, p=float(stats.chisquare(o, np.array(p) / sum(p) * sum(o)).pvalue))
             for o, p in (([9996, 9974], [0.5, 0.5]), ([505_000, 495_000], [0.5, 0.5]), ([810, 95, 95], [8, 1, 1]))]
    groups = [[30, 1000], [45, 900], [10, 400]]
    table = [[a, n - a] for a, n in groups]
    p = [0.01, 0.04, 0.03, 0.005, 0.2, 0.04, 1.0, 0.0006]
    # The effect that 80 % of tests find: statsmodels must agree on the power of two arms with this standard error.
    se = 0.37
    effect = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * se
    assert abs(NormalIndPower().power(effect, 2 / se**2, 0.025, ratio=1, alternative="larger") - 0.8) < 1e-12
    return dict(wilson=wilson, split=split, groups=groups, groups_p=float(stats.chi2_contingency(table, correction=False).pvalue),
                bh_p=p, bh_adjusted=stats.false_discovery_control(p).tolist(), mde_se=se, mde=float(effect))


OUT.write_text(json.dumps(dict(distributions=distributions(), estimators=estimators(), stratified=stratified(), recurring=recurring(),
                               shrinking=shrinking(), small=small()), separators=(",", ":")) + "\n")
print(OUT, OUT.stat().st_size)
