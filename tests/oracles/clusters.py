"""Numbers of tests/clusters.rs: permutation over stores by all draws, and two periods of the same stores. Needs numpy.

    python3 tests/oracles/clusters.py
"""

from itertools import combinations

import numpy as np

SIZES = [20 + 7 * store for store in range(12)]
STORE = np.repeat(np.arange(12), SIZES)
ID = np.arange(len(STORE))
LEVEL = STORE * 37 % 11
TREATED = np.isin(np.arange(12), [0, 3, 4, 7, 8, 11])
NOISE = ID * 7919 % 101


def month(number):
    """Orders and money in cents of every customer in April (0) or May (1)."""
    first = (NOISE + 13 * number) % 101 < 40 + 3 * LEVEL + 5 * number * (LEVEL % 2)
    second = ID % 5 == 0
    money = first * (1000 + 50 * (ID * 31 % 97) + 200 * LEVEL) + second * 700
    return first.astype(int) + second, money


def by_store(values):
    return np.bincount(STORE, values, 12)


def effect(y, d):
    """Difference of ratios, and the p-value over all draws of six stores of the residuals' sum."""
    ratio = y.sum() / d.sum()
    residual = y - ratio * d
    found = residual[~TREATED].sum()
    sums = np.array([residual[list(draw)].sum() for draw in combinations(range(12), 6)])
    p = 2 * min((sums >= found - 1e-9).mean(), (sums <= found + 1e-9).mean())
    return y[TREATED].sum() / d[TREATED].sum() - y[~TREATED].sum() / d[~TREATED].sum(), p


def influence(y, d):
    """By store, what it moves the difference by."""
    moved = np.zeros(12)
    for arm, sign in ((TREATED, 1), (~TREATED, -1)):
        ratio = y[arm].sum() / d[arm].sum()
        moved[arm] = sign * (y - ratio * d)[arm] / d[arm].sum()
    return moved


customers = by_store(np.ones(len(ID)))
periods = []
for number in (0, 1):
    orders, money = month(number)
    outcomes = {
        "converted": (by_store(orders > 0), customers),
        "orders": (by_store(orders), customers),
        "revenue": (by_store(money) / 100, customers),
        "avg_order_value": (by_store(money) / 100, by_store(orders)),
    }
    for name, (y, d) in outcomes.items():
        print(number, name, *map(repr, map(float, effect(y, d))))
    periods.append((effect(outcomes["revenue"][0], customers)[0], influence(outcomes["revenue"][0], customers)))

# Six stores per arm: variances of influences with n - 1, covariances of the two periods with n.
(first, a), (second, b) = periods
variance = np.array([6 / 5 * (a @ a), 6 / 5 * (b @ b)])
covariance = a @ b
sigma = np.array([[variance[0], covariance], [covariance, variance[1]]])
inverse = np.linalg.inv(sigma)
values, ones = np.array([first, second]), np.ones(2)
mean = ones @ inverse @ values / (ones @ inverse @ ones)
print("pooled", repr(float(values.mean())), "q", repr(float((values - mean) @ inverse @ (values - mean))))
print("se", repr(float(np.sqrt((variance.sum() + 2 * covariance) / 4))))
