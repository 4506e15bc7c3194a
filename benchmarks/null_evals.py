"""How often do two equal systems come out as WIN or LOSS?

Simulates evals of two systems without a true difference, compares them as ``metier compare``
does and counts verdicts; then evals with a true difference, and counts how often the interval
misses it. Clustered items hang together with an intraclass correlation (ICC) of .5.

Bars. In no shape may WIN and LOSS together exceed 7 %, nor either exceed 4 %. In *dense* shapes
they must also reach 3 % together and 1.5 % each. A shape is dense if its discordance is spread
over 8 effective clusters or more (the squared sum of the clusters' absolute sums over the sum of
their squares), or, where the items are independent and two-valued, 100 of them are discordant.
With fewer an exact test moves in steps too coarse to come near its level; it stays below.

    python benchmarks/null_evals.py --out benchmarks/results/null_evals.json
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import record
from numpy.typing import NDArray

from metier.card import Verdict
from metier.stats import mcnemar_p, paired_difference, paired_interval

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
ICC = 0.5
DENSE, DENSE_SINGLE = 8.0, 100.0
"""Effective discordant clusters, or independent two-valued items, from which lower limits hold."""
SEED = 20_251_112


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of eval.

    Attributes:
        clusters: Number of clusters, or of items where ``sizes`` is ``single``.
        sizes: ``single``, ``10`` or ``30`` items each, ``1-30`` uniform, ``skewed`` (one cluster
            holds a quarter of the items).
        discordant: Share of items on which the outcomes differ.
        source: ``own`` (independent items), ``dirichlet`` (each cluster has shares of its own),
            ``copy`` (each item repeats its cluster's outcome with chance √ICC) or ``graded``
            (scores that share their cluster's shift).
        shift: True difference.
    """

    clusters: int
    sizes: str
    discordant: float
    source: str
    shift: float = 0.0

    @property
    def name(self) -> str:
        """For the table."""
        shifted = f", difference {self.shift:+g}" if self.shift else ""
        return f"{self.clusters} x {self.sizes}, d {self.discordant:g}, {self.source}{shifted}"


def null_shapes() -> list[Shape]:
    """Evals of equal systems."""
    found = []
    for clusters in (10, 25, 50, 150, 500):
        for share in (0.02, 0.1, 0.2, 0.4):
            for sizes in ("10", "30", "1-30", "skewed"):
                found.append(Shape(clusters, sizes, share, "dirichlet"))
            found.append(Shape(clusters, "1-30", share, "copy"))
        found.append(Shape(clusters, "1-30", 1.0, "graded"))
    for items in (50, 100, 300, 1_000, 3_000):
        found += [Shape(items, "single", share, "own") for share in (0.02, 0.1, 0.2, 0.4)]
        found.append(Shape(items, "single", 1.0, "graded"))
    return found


def shifted_shapes() -> list[Shape]:
    """Evals with a true difference: at the margin, well beyond it, and all one way."""
    return [
        Shape(300, "single", 0.02, "own", -0.01),
        Shape(1_000, "single", 0.01, "own", -0.01),
        Shape(1_000, "single", 0.1, "own", -0.01),
        Shape(3_000, "single", 0.1, "own", -0.01),
        Shape(300, "single", 0.2, "own", 0.05),
        Shape(100, "single", 0.4, "own", 0.3),
        Shape(10, "30", 0.4, "dirichlet", 0.2),
        Shape(10, "1-30", 0.4, "copy", 0.3),
        Shape(25, "1-30", 0.1, "copy", 0.1),
        Shape(50, "1-30", 0.2, "dirichlet", 0.1),
        Shape(150, "1-30", 0.1, "dirichlet", -0.01),
        Shape(500, "1-30", 0.01, "dirichlet", -0.01),
        Shape(500, "1-30", 0.1, "dirichlet", -0.01),
        Shape(50, "1-30", 1.0, "graded", 0.02),
        Shape(300, "single", 1.0, "graded", 0.02),
    ]


def draw_sizes(shape: Shape, generator: np.random.Generator) -> Codes:
    """Items of each cluster."""
    if shape.sizes == "single":
        return np.ones(shape.clusters, dtype=np.intp)
    if shape.sizes == "1-30":
        return generator.integers(1, 31, shape.clusters)
    if shape.sizes == "skewed":
        sizes = generator.integers(1, 16, shape.clusters)
        sizes[0] = max(1, int(sizes[1:].sum()) // 3)
        return sizes
    return np.full(shape.clusters, int(shape.sizes), dtype=np.intp)


def draw(shape: Shape, generator: np.random.Generator) -> tuple[Floats, Floats, Codes]:
    """Outcomes of both systems and the cluster of each item, shape (items,) each."""
    sizes = draw_sizes(shape, generator)
    clusters = np.repeat(np.arange(sizes.size), sizes)
    if shape.source == "graded":
        return (*_draw_graded(shape, sizes.size, clusters, generator), clusters)
    share = shape.discordant
    chances = np.array([(share + shape.shift) / 2.0, 1.0 - share, (share - shape.shift) / 2.0])
    own = generator.choice([1, 0, -1], p=chances, size=clusters.size)
    if shape.source == "copy":
        common = generator.choice([1, 0, -1], p=chances, size=sizes.size)[clusters]
        signs = np.where(generator.random(clusters.size) < np.sqrt(ICC), common, own)
    elif shape.source == "dirichlet":
        # A Dirichlet with total weight (1 - ICC) / ICC gives the items of a cluster this ICC.
        shares = generator.dirichlet(np.maximum(chances, 1e-9) * (1.0 - ICC) / ICC, sizes.size)
        cuts = shares.cumsum(axis=1)[clusters]
        uniform = generator.random(clusters.size)
        signs = np.where(uniform < cuts[:, 0], 1, np.where(uniform < cuts[:, 1], 0, -1))
    else:
        signs = own
    base = (generator.random(clusters.size) < 0.5).astype(np.float64)
    first = np.where(signs == 0, base, (signs + 1) / 2)
    second = np.where(signs == 0, base, (1 - signs) / 2)
    return first, second, clusters


def _draw_graded(
    shape: Shape, groups: int, clusters: Codes, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Scores around .5 whose difference has an ICC of .5 and the mean ``shift``."""
    spread = 0.08
    common = generator.normal(0.0, spread, (2, groups))[:, clusters]
    scores = 0.5 + common + generator.normal(0.0, spread, (2, clusters.size))
    scores[0] += shape.shift
    clipped = np.clip(scores, 0.0, 1.0)
    return clipped[0], clipped[1]


def spread(first: Floats, second: Floats, clusters: Codes) -> float:
    """Effective number of clusters that the discordance is spread over."""
    sums = np.abs(np.bincount(clusters, weights=first - second))
    return float(sums.sum() ** 2 / np.square(sums).sum()) if sums.any() else 0.0


def null_rates(shape: Shape, runs: int, seed: int) -> dict[str, Any]:
    """Shares of the verdicts among ``runs`` evals of equal systems, and the bars they must keep.

    ``naive`` is the share that McNemar's exact test finds different at 5 % if the items are taken
    as independent; ``None`` for graded outcomes.
    """
    generator = np.random.default_rng(seed)
    verdicts: Counter[Verdict] = Counter()
    spreads, naive = 0.0, 0
    for _ in range(runs):
        first, second, clusters = draw(shape, generator)
        verdicts[paired_difference(first, second, clusters).verdict] += 1
        spreads += spread(first, second, clusters)
        if shape.source != "graded":
            naive += mcnemar_p(int((first > second).sum()), int((first < second).sum())) < 0.05
    win, loss = verdicts[Verdict.WIN] / runs, verdicts[Verdict.LOSS] / runs
    dense = spreads / runs >= (DENSE_SINGLE if shape.source == "own" else DENSE)
    return {
        **asdict(shape),
        **{verdict.value: verdicts[verdict] / runs for verdict in Verdict},
        "win_or_loss": win + loss,
        "effective_clusters": spreads / runs,
        "dense": dense,
        "naive": None if shape.source == "graded" else naive / runs,
        "kept": keeps_bars(win, loss, dense=dense),
    }


def keeps_bars(win: float, loss: float, *, dense: bool) -> bool:
    """Whether the rates of equal systems keep the bars of this benchmark."""
    below = win + loss <= 0.07 and max(win, loss) <= 0.04
    return below and (not dense or (win + loss >= 0.03 and min(win, loss) >= 0.015))


def miss_rates(shape: Shape, runs: int, seed: int) -> dict[str, Any]:
    """How often the 95 % interval lies above or below the true difference, and its mean width."""
    generator = np.random.default_rng(seed)
    above = below = 0
    width = 0.0
    for _ in range(runs):
        found = paired_interval(*draw(shape, generator))
        above += found.low > shape.shift
        below += found.high < shape.shift
        width += found.high - found.low
    return {
        **asdict(shape),
        "above": above / runs,
        "below": below / runs,
        "missed": (above + below) / runs,
        "width": width / runs,
    }


def main() -> int:
    """Run every shape, print both tables, write the figures; 1 if a bar is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    started = time.process_time()
    print(f"{'equal systems':34s} {'spread':>7s}    WIN   LOSS   both  naive    TIE  NOT W  UNDER")
    nulls = []
    for shape in null_shapes():
        row = null_rates(shape, options.runs, options.seed)
        nulls.append(row)
        naive = "     -" if row["naive"] is None else f"{row['naive']:6.3f}"
        rates = (row["WIN"], row["LOSS"], row["win_or_loss"])
        others = (row["TIE"], row["NOT WORSE"], row["UNDERPOWERED"])
        mark = ("dense" if row["dense"] else "") + ("" if row["kept"] else " BAR NOT KEPT")
        print(
            f"{shape.name:34s} {row['effective_clusters']:7.1f} "
            + " ".join(f"{rate:6.4f}" for rate in rates)
            + f" {naive} "
            + " ".join(f"{rate:6.3f}" for rate in others)
            + f" {mark}",
            flush=True,
        )
    print(f"\n{'true difference':46s}  above  below missed  width")
    shifted = []
    for shape in shifted_shapes():
        row = miss_rates(shape, options.runs, options.seed)
        shifted.append(row)
        figures = (row["above"], row["below"], row["missed"], row["width"])
        print(f"{shape.name:46s} " + " ".join(f"{figure:6.4f}" for figure in figures), flush=True)
    broken = sum(not row["kept"] for row in nulls)
    results = {
        "runs": options.runs,
        "broken_bars": broken,
        "cpu_seconds": round(time.process_time() - started, 1),
        "null": nulls,
        "shifted": shifted,
    }
    record.write(options.out, results, seed=options.seed)
    print(f"\n{broken} of {len(nulls)} shapes break a bar.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
