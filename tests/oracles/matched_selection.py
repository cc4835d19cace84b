"""How often a matched strategy says `keep` where its treated were chosen and nothing was done, by a numpy model of the estimator:
level and change within cells of today's states, each above 0 and above both placebos. Prints rows of docs/STRATEGIES.md.

    venv/bin/python tests/oracles/matched_selection.py [runs of 6,000 customers] [runs of 40,000]

`tests/simulation/chosen.rs` asks the program itself about the same shoppers.
"""

import sys

import numpy as np
from scipy import stats

QUARTERS = 6  # before the outcome's
OFTEN = lambda rate: rate / (rate + 0.5)


def quarter(rng, rate, level):
    """Orders and money of a quarter."""
    orders = rng.poisson(rate)
    money = np.zeros(len(rate))
    for at in range(orders.max()):
        buys = orders > at
        money[buys] += level[buys] * rng.lognormal(0, 0.5, buys.sum())
    return orders, money


def state(quarters):
    """Recency, frequency and money of the last four quarters."""
    orders = [q[0] for q in quarters[-4:]]
    recency = np.select([orders[3] > 0, orders[2] > 0, (orders[0] > 0) | (orders[1] > 0)], [0, 1, 2], 3)
    frequency = np.digitize(sum(orders), [2, 4, 8])
    return (recency * 4 + frequency) * 3 + np.digitize(sum(q[1] for q in quarters[-4:]), [60, 200])


def within(values, treated, cell):
    """Treated less control in cells with two of each, by the treated: value, variance, df, influences, share matched."""
    _, at = np.unique(cell, return_inverse=True)
    n = [np.bincount(at, arm).astype(float) for arm in (treated, ~treated)]
    known = (n[0] > 1) & (n[1] > 1)
    weight = np.where(known, n[0], 0) / n[0][known].sum()
    value, variance, squares, influence = 0.0, 0.0, 0.0, np.zeros(len(values))
    for of, arm, sign in ((n[0], treated, 1), (n[1], ~treated, -1)):
        mean = np.bincount(at, values * arm) / np.maximum(of, 1)
        distance = np.where(arm, values - mean[at], 0)
        part = weight**2 * np.bincount(at, distance**2) / np.maximum(of - 1, 1) / np.maximum(of, 1)
        value += sign * (weight * mean).sum()
        variance += part.sum()
        squares += (part**2 / np.maximum(of - 1, 1)).sum()
        influence += sign * weight[at] * distance / np.maximum(of[at], 1)
    return value, variance, variance**2 / squares, influence, n[0][known].sum() / n[0].sum()


def above(value, variance, df):
    return value > 0 and 2 * stats.t.sf(value / np.sqrt(variance), df) < 0.05


def keeps(y, x, d, treated, now, then, alone):
    """Whether both ends, and both less either placebo (or, `alone`, that in the same cells), lie above 0."""
    for own, same, shifted in ((y, d, x), (y - x, x - d, x - d)):
        end, less, before = within(own, treated, now), within(own - same, treated, now), within(shifted, treated, then)
        both = end[1] + before[1] - 2 * (end[3] * before[3]).sum()
        is_above = above(*end[:3]) and above(*less[:3])
        is_above = is_above and (alone or above(end[0] - before[0], both, min(end[2], before[2])))
        if not is_above or end[4] <= 0.5 or before[4] <= 0.5:
            return False
    return True


def job(rng, customers, chosen, lift=1.0, peak=1.0, drift=0.0, alone=False):
    rate, level = rng.gamma(0.6, 1.2, customers), rng.lognormal(8, 0.9, customers) / 100
    slope = np.clip(rng.normal(0, 0.08, customers), -0.15, 0.15) if chosen == "rising" else np.zeros(customers)
    walk = drift * rng.normal(0, 1, (QUARTERS + 1, customers)).cumsum(0)
    factor = lambda q: np.exp(walk[q] - walk[QUARTERS - 1]) * (1 + slope * (q - 2)) * (peak if q in (2, QUARTERS) else 1.0)
    quarters = [quarter(rng, rate * factor(q), level) for q in range(QUARTERS)]
    untreated = quarter(rng, rate * factor(QUARTERS), level)
    (_, d), (orders, x) = quarters[-2:]
    chance = {
        "random": lambda: 0.5,
        "rising": lambda: 1 / (1 + np.exp(-20 * slope)),
        "more": lambda: np.where(x > d, 0.7, 0.3),
        "often": lambda: OFTEN(rate),
        "baskets": lambda: level / (level + 30),
        "lately": lambda: np.select([orders > 1, orders > 0], [0.8, 0.5], 0.15),
        "little": lambda: np.where(x + d < 20, 0.7, 0.25),
        "lapsed": lambda: np.where(orders == 0, OFTEN(rate), 0.1),
        "about": lambda: np.where(untreated[0] > 0, 0.7, 0.4),
    }[chosen]()
    treated = rng.random(customers) < 0.1 + 0.8 * chance
    y = untreated[1]
    if lift != 1:
        y = np.where(treated, quarter(rng, rate * factor(QUARTERS) * lift, level)[1], y)
    return keeps(y, x, d, treated, state(quarters), state(quarters[:-1]), alone)


ROWS = [
    ("at random", {"chosen": "random"}),
    ("by a steady rise in how often they buy", {"chosen": "rising"}),
    ("because they spent more than in the quarter before", {"chosen": "more"}),
    ("by how often they buy", {"chosen": "often"}),
    ("by how often they buy, habits drifting", {"chosen": "often", "drift": 0.4}),
    ("by what their orders are worth", {"chosen": "baskets"}),
    ("because they bought lately", {"chosen": "lately"}),
    ("because they spent little", {"chosen": "little"}),
    ("by how often they buy, before a season's peak of +40 %", {"chosen": "often", "peak": 1.4}),
    ("by how often they buy, of those who lapsed", {"chosen": "lapsed"}),
    ("because they were about to buy", {"chosen": "about"}),
    ("at random, and +20 % is real", {"chosen": "random", "lift": 1.2}),
    ("by how often they buy, and +20 % is real", {"chosen": "often", "lift": 1.2}),
    ("by how often they buy, were the placebo in the same cells alone", {"chosen": "often", "alone": True}),
]

if __name__ == "__main__":
    runs = [int(number) for number in sys.argv[1:]] or [2000, 300]
    for seed, (what, settings) in enumerate(ROWS):
        shares = []
        for customers, times in zip((6_000, 40_000), runs):
            kept = sum(job(np.random.default_rng([seed, customers, run]), customers, **settings) for run in range(times))
            shares.append(f"{100 * kept / times:.1f} % of {times}")
        print(f"| {what} | {' | '.join(shares)} |", flush=True)
