"""Makes tests/data/discontinuity.json: what rdrobust 2.1.1 and rddensity 3.0 say of jumps at a cut.

    python tests/oracles/discontinuity.py        (needs rdrobust==2.1.1 and rddensity==3.0)

The first case is the one of the package: shares of votes in elections to the United States Senate by the margin of the one before.
The others are made: skewed money and repeated counts, few and many, with and without a jump and a heap at the cut.
"""

import json
import warnings
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import rddensity
import rdrobust

warnings.simplefilter("ignore")


def case(name: str, running: np.ndarray, outcome: np.ndarray, cut: float) -> dict:
    jump = rdrobust.rdrobust(outcome, running, c=cut)
    density = rddensity.rddensity(running, c=cut)
    return {
        "name": name, "cut": cut, "running": running.tolist(), "outcome": outcome.tolist(),
        "estimate": jump.coef.iloc[0, 0], "standard_error": jump.se.iloc[0, 0], "corrected": jump.coef.iloc[1, 0],
        "robust_error": jump.se.iloc[2, 0], "bandwidth": jump.bws.iloc[0, 0], "bias_bandwidth": jump.bws.iloc[1, 0],
        "inside": [int(count) for count in jump.N_h],
        "densities": [float(density.hat["left"]), float(density.hat["right"])], "statistic": float(density.test["t_jk"]),
        "p_value": float(density.test["p_jk"]), "density_bandwidths": [float(density.h["left"]), float(density.h["right"])],
    }


def main() -> None:
    senate = pd.read_csv(resources.files(rdrobust) / "data" / "rdrobust_RDsenate.csv")[["margin", "vote"]].dropna()
    cases = [case("senate", senate.margin.to_numpy(), senate.vote.to_numpy(), 0.0)]
    rng = np.random.default_rng(23)
    for name, count, jump, heap in [("money", 400, 2.0, 0), ("much money", 1500, 0.0, 0), ("heaped money", 600, 0.0, 60), ("counts", 500, 1.0, 0)]:
        running = np.round(rng.gamma(2, 20, count)) if name == "counts" else np.round(rng.gamma(2, 400, count), 2)
        cut = 50.0 if name == "counts" else 1000.0
        running = np.concatenate([running, np.round(rng.uniform(cut, cut * 1.05, heap), 2)])
        outcome = np.round(5 + 0.01 * running + jump * (running >= cut) + rng.gamma(1, 5, len(running)), 3)
        cases.append(case(name, running, outcome, cut))
    (Path(__file__).parent.parent / "data" / "discontinuity.json").write_text(json.dumps(cases))


if __name__ == "__main__":
    main()
