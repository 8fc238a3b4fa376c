"""Writes savvi-multinomial.json and confseq.json: what two packages of the Python index say of recorded inputs.

No part of npm test. It needs savvi and confseq, whose build needs a C++ compiler and the headers of Boost:

    pip install savvi==0.3.1 confseq==0.0.11 && python test/bench/judge/record-oracles.py
"""

import json
import math
from importlib.metadata import version
from pathlib import Path

import numpy as np
from confseq.boundaries import beta_binomial_log_mixture
from confseq.quantiles import quantile_ab_p_value
from savvi.multinomial import Multinomial

SEED = 22
FOLDER = Path(__file__).parent
ALPHA = 0.05


def write(name, about, cases):
    lines = ",\n".join(json.dumps(case) for case in cases)
    (FOLDER / name).write_text(f'{{ "about": {json.dumps(about)}, "cases": [\n{lines}\n] }}\n', encoding="utf8")


def steps_of(random, share, odds):
    """Draws twelve minutes of failures of both arms; the canary's odds are those of its share, times a factor."""
    canary = odds * share / (1 - share + odds * share)
    for count in random.poisson(8, 12):
        mine = int(random.binomial(count, canary))
        yield mine, int(count) - mine


def shares():
    for share in (0.05, 0.25, 0.5):
        for odds in (1, 4):
            yield share, odds


def savvi_cases(random):
    for share, odds in shares():
        test = Multinomial(ALPHA, np.array([share, 1 - share]))
        steps = []
        for canary, stable in steps_of(random, share, odds):
            test.update(np.array([canary, stable]))
            steps.append([canary, stable, math.log(test.odds)])
        yield {"share": share, "steps": steps}


def intrinsic(share, weight):
    """The time at which the mixture of Howard and Ramdas is best whose prior weighs as much as so many requests."""
    two_sided = 2 * math.log(1 / ALPHA)
    return (weight + 1) * share * (1 - share) * (two_sided + math.log(1 + two_sided))


def mixture_cases(random):
    for share, odds in shares():
        canary = stable = 0
        steps = []
        for more, more_of_stable in steps_of(random, share, odds):
            canary += more
            stable += more_of_stable
            total = canary + stable
            log = beta_binomial_log_mixture(
                canary - total * share,
                total * share * (1 - share),
                intrinsic(share, 100),
                share,
                1 - share,
                alpha_opt=ALPHA,
                is_one_sided=False,
            )
            steps.append([more, more_of_stable, float(log)])
        yield {"kind": "mixture", "share": share, "steps": steps}


def counted(durations):
    """Counts durations by band, as in engines/rollout/judge/durations.ts."""
    bands, counts = np.unique(np.floor(8 * np.log2(durations)).astype(int), return_counts=True)
    return [[int(band), int(count)] for band, count in zip(bands, counts)]


def band_cases(random):
    """Draws both arms for twelve minutes, and asks the bands after each minute whether the medians differ."""
    for factor in (1, 1, 1.5, 3):
        canary = np.array([])
        stable = np.array([])
        minutes = []
        least = 1.0
        for _ in range(12):
            mine = factor * random.lognormal(math.log(100), 0.58, 60)
            others = random.lognormal(math.log(100), 0.58, 240)
            canary = np.append(canary, mine)
            stable = np.append(stable, others)
            least = min(least, quantile_ab_p_value(canary, stable, 0.5, 600))
            minutes.append([counted(mine), counted(others), round(least, 6)])
        yield {"kind": "median", "factor": factor, "minutes": minutes}


if __name__ == "__main__":
    random = np.random.default_rng(SEED)
    drawn = f"Draws: numpy.random.default_rng({SEED}), by record-oracles.py."
    write(
        "savvi-multinomial.json",
        f"savvi {version('savvi')} (PyPI), savvi.multinomial.Multinomial({ALPHA}, [share, 1 - share]); each step is "
        f"the counts of canary and stable, and the logarithm of the odds after it. {drawn}",
        savvi_cases(random),
    )
    write(
        "confseq.json",
        f"confseq {version('confseq')} (PyPI). mixture: confseq.boundaries.beta_binomial_log_mixture, two-sided, with "
        "the prior of a hundred requests; each step is the counts of canary and stable, and the logarithm after it. "
        f"median: confseq.quantiles.quantile_ab_p_value of the medians; each minute is the durations of canary and "
        f"stable by band, and the least p-value so far. {drawn}",
        [*mixture_cases(random), *band_cases(random)],
    )
