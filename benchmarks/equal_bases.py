"""How often does a table part bases that are equally good?

Eight equal entries on 60 tasks in 15 clusters: each entry happens to know some features better
than others, by chance, and none is better on the whole. A table errs if it shows more than one
group. Reported for groups by single p-values and by Holm's, with clusters and, for comparison,
with tasks taken as independent. To reach: at most 5 %.

    python benchmarks/equal_bases.py [--tables 400] [--seed 7] --out FILE
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from record import write

from metier.stats import groups, holm, paired_interval

ENTRIES, TASKS, CLUSTERS = 8, 60, 15


def outcomes(chance: np.random.Generator, cluster: NDArray[np.int64]) -> NDArray[np.float64]:
    """Outcomes of equal entries, shape (TASKS, ENTRIES), the best first."""
    task = chance.normal(0, 1, (TASKS, 1)) + chance.normal(0, 1, (CLUSTERS, 1))[cluster]
    feature = chance.normal(0, 0.8, (CLUSTERS, ENTRIES))[cluster]
    made = (task + feature + chance.normal(0, 1, (TASKS, ENTRIES)) > 0).astype(float)
    return np.asarray(made[:, np.argsort(-made.mean(0))])


def parted(found: NDArray[np.float64], clusters: NDArray[np.int64]) -> tuple[bool, bool]:
    """Whether a table shows several groups, by single p-values and by Holm's."""
    pairs = [(one, two) for one in range(ENTRIES) for two in range(one + 1, ENTRIES)]
    single = [paired_interval(found[:, one], found[:, two], clusters).p_value for one, two in pairs]
    errs = []
    for values in (single, holm(single)):
        by_pair = dict(zip(pairs, values, strict=True))
        group = groups(ENTRIES, lambda one, two, p=by_pair: p[one, two] < 0.05)  # type: ignore[misc]
        errs.append(max(group) > 1)
    return errs[0], errs[1]


def main() -> None:
    """Draw tables and count the wrong ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=400)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    chance = np.random.default_rng(chosen.seed)
    cluster = np.arange(TASKS) % CLUSTERS
    alone = np.arange(TASKS)
    counts = np.zeros((2, 2))
    for _ in range(chosen.tables):
        found = outcomes(chance, cluster)
        counts += [parted(found, cluster), parted(found, alone)]
    shares = counts / chosen.tables
    names = ("clusters", "tasks as independent")
    results = {
        name: {"single": round(float(row[0]), 3), "holm": round(float(row[1]), 3)}
        for name, row in zip(names, shares, strict=True)
    }
    print(results)
    write(chosen.out, {"tables": chosen.tables, "false groups": results}, seed=chosen.seed)


if __name__ == "__main__":
    main()
