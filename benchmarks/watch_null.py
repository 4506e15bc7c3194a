"""How often does the watch err, if it looks after every pair and never stops?

Worlds in which the truth is known: pairs come in one by one, ``metier.watch`` judges after each,
up to a horizon of 3,000 to 10,000 pairs (clusters: 1,500 of 1 to 30 items, 23,000 items). Counted
per world:

* **false promotion**: a specialist that is no better, and not proved, is ever PROMOTED by pairs;
  the same for one that starts DEMOTED and comes back. Where a rival costs twice as much: one that
  is worse by exactly the margin is ever PROMOTED as NOT WORSE.
* **false demotion**: a specialist that is no worse (the hardest case: exactly equal) and whose
  proof never ends is ever DEMOTED.

Bars: at most 5 % each in every world. Half of the pairs are fresh, so each rival has two tracks.

The state machine is the real one. It is asked wherever anything that it reads crosses a line
(e-values at 1, at 20 and at what takes a route; ``ENOUGH`` pairs); between two such pairs its
arguments say the same. The e-values are those of ``metier.stats``.

Then power: +5 points with 30 % discordant, by 500, 1,000, 2,000 and 3,000 pairs, beside one fixed
look (McNemar's exact test) and the uniform one-sided mixture with all the stake; what the fixed
test does to those who peek; and how long a change for the worse takes to be seen.

    python benchmarks/watch_null.py --out benchmarks/results/watch_null.json
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import record
from numpy.typing import NDArray
from scipy.special import bdtr, betainc, betaln

from metier.card import Cost
from metier.stats.sequential import SHOWN, e_values, reduced
from metier.stats.turning import turning_path
from metier.watch import ENOUGH, Watched, judge
from metier.watching import Rival, Standing, State, Track

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Draw = Callable[[np.random.Generator, int], list[Floats]]
SEED = 20_261_123
RIVALS: tuple[Rival, ...] = ("general", "base", "base+documents")
MARGIN = 0.01
SIZES = (500, 1_000, 2_000, 3_000)
NOW = Watched("specialist", "system", "2026-01-01")
PROVED = replace(NOW, proved="2025-12-01", until="9999-12-31", proved_fresh=True)
DEAR: Cost = Cost(cost_class="remote", price_per_million_tokens=2.0)
CHEAP: Cost = Cost(cost_class="remote", price_per_million_tokens=1.0)


@dataclass(frozen=True, slots=True)
class World:
    """One kind of truth.

    Attributes:
        name: For the table.
        draw: Differences of each rival, one a cluster, in the order in which they come.
        pairs: Horizon.
        half: Whether the specialist costs half.
        counted: Which of the errors this world is about.
    """

    name: str
    draw: Draw
    pairs: int = 10_000
    half: bool = False
    counted: tuple[str, ...] = ("promoted", "restored", "demoted")


@dataclass(frozen=True, slots=True)
class _Path:
    """The e-values of one track after each pair, and how many pairs it had."""

    rival: Rival
    fresh: bool
    pairs: NDArray[np.intp]
    for_it: Floats
    against_it: Floats
    not_worse: Floats
    turned: Floats
    turned_far: Floats


# --- worlds -------------------------------------------------------------------------------------


def signs(discordant: float, shift: float = 0.0) -> Draw:
    """Independent right-or-wrong items."""
    chances = [(discordant + shift) / 2, 1 - discordant, (discordant - shift) / 2]
    return lambda rng, n: [rng.choice([1.0, 0.0, -1.0], n, p=chances)]


def graded(rng: np.random.Generator, n: int) -> list[Floats]:
    """Graded items, alike on average."""
    return [np.clip(rng.normal(0.0, 0.2, n), -1.0, 1.0)]


def skewed(rng: np.random.Generator, n: int) -> list[Floats]:
    """Often a little won, seldom a lot lost; equal on average, unequal in the median."""
    return [np.where(rng.random(n) < 0.1, -0.9, 0.1)]


def clustered(rng: np.random.Generator, n: int) -> list[Floats]:
    """Clusters of 1 to 30 right-or-wrong items with an intraclass correlation of .5."""
    sizes = rng.integers(1, 31, n)
    shares = rng.dirichlet([0.15, 0.7, 0.15], n)  # a total weight of 1 is a correlation of .5
    codes = np.repeat(np.arange(n), sizes)
    cuts = shares.cumsum(axis=1)[codes]
    drawn = rng.random(codes.size)
    items = np.where(drawn < cuts[:, 0], 1.0, np.where(drawn < cuts[:, 1], 0.0, -1.0))
    return [reduced(items, codes)]


def three(better: int) -> Draw:
    """Three rivals that answer the same items; ``better`` of them are beaten by 10 points."""

    def draw(rng: np.random.Generator, n: int) -> list[Floats]:
        hard = rng.random(n)  # what is hard is hard for all
        own = (rng.random(n) < 0.4 + 0.4 * hard).astype(np.float64)
        found = []
        for number in range(3):
            less = 0.1 if number < better else 0.0
            found.append(own - (rng.random(n) < 0.4 + 0.4 * hard - less))
        return found

    return draw


def worlds() -> list[World]:
    """Every kind of truth in which an error can be made."""
    return [
        World("equal, 30 % discordant", signs(0.3)),
        World("equal, 5 % discordant", signs(0.05)),
        World("equal, 90 % discordant", signs(0.9), 5_000),
        World("equal, graded", graded, 3_000),
        World("equal, skewed", skewed, 3_000),
        World("equal, clusters of 1-30, ICC .5", clustered, 1_500),
        World("three rivals, all equal", three(0), 5_000, counted=("demoted",)),
        World("three rivals, one equal", three(2), 5_000, counted=("promoted", "restored")),
        World(
            "a point worse, half the cost",
            signs(0.3, -MARGIN),
            5_000,
            half=True,
            counted=("promoted", "restored"),
        ),
        World("a point better", signs(0.3, 0.01), 5_000, counted=("demoted",)),
    ]


# --- the watch ----------------------------------------------------------------------------------


def path_of(differences: Floats, rival: Rival, chosen: Bools, *, half: bool) -> _Path:
    """The track over the chosen pairs, read after every pair."""
    fresh = not bool(chosen.all())
    pairs = chosen.cumsum()
    moving = chosen & (differences != 0.0)  # at 0 an even pair pays nothing
    up, down = _paid(differences, moving, 0.0)
    not_worse = _paid(differences, chosen, -MARGIN)[0] if half else np.zeros(pairs.size)
    idle = np.full(pairs.size, 0.5)
    turned = idle if fresh or half else turning_path(differences)
    far = turning_path(differences, -MARGIN) if half and not fresh else idle
    return _Path(rival, fresh, pairs, up, down, not_worse, turned, far)


def _paid(differences: Floats, moving: Bools, mean: float) -> tuple[Floats, Floats]:
    if not moving.any():
        return np.full(moving.size, 0.5), np.full(moving.size, 0.5)
    count = moving.cumsum()
    up, down = e_values(differences[moving], mean)
    return np.append(0.5, up)[count], np.append(0.5, down)[count]


def track_at(path: _Path, place: int) -> Track:
    """The track after a pair, as far as the state machine reads it."""
    up, down = float(path.for_it[place]), float(path.against_it[place])
    return Track(
        rival=path.rival,
        rival_name=path.rival,
        pairs=int(path.pairs[place]),
        wins=0,
        losses=0,
        difference=0.0,
        low=0.001 if up >= SHOWN else -1.0,
        high=-0.001 if down >= SHOWN else 1.0,
        for_it=up,
        against_it=down,
        not_worse=float(path.not_worse[place]),
        fresh=path.fresh,
        turned=float(path.turned[place]),
        turned_far=float(path.turned_far[place]),
    )


def paths_of(rivals: Sequence[Floats], fresh: Bools | None, *, half: bool = False) -> list[_Path]:
    """Both tracks of every rival; one each if no pair is dated."""
    found = []
    for rival, differences in zip(RIVALS, rivals, strict=False):
        every = np.ones(differences.size, dtype=np.bool_)
        chosen = [every] if fresh is None else [every, fresh]
        found += [path_of(differences, rival, one, half=half) for one in chosen]
    return found


def course(paths: Sequence[_Path], start: State, now: Watched) -> list[tuple[int, State]]:
    """The state after each pair at which it can change: (pairs seen, state)."""
    ways = len(paths) + sum(not path.fresh for path in paths)
    lines = [SHOWN, 0.5 * SHOWN * ways]
    crossed = [path.pairs >= ENOUGH for path in paths]
    for path in paths:
        crossed += [path.for_it >= SHOWN, path.not_worse >= SHOWN]
        crossed += [path.against_it >= line for line in lines]
        crossed += [one >= line for one in (path.turned, path.turned_far) for line in (1.0, *lines)]
    for rival in {path.rival for path in paths}:
        mine = [path for path in paths if path.rival == rival]
        total = np.sum([path.against_it for path in mine], axis=0)
        whole = next(path for path in mine if not path.fresh)
        crossed += [total + one >= lines[1] for one in (whole.turned, whole.turned_far)]
    flags = np.stack(crossed)
    changes = (flags[:, 1:] != flags[:, :-1]).any(axis=0).nonzero()[0] + 1
    standing = Standing(now.name, now.system, start, "2025-12-15", "")
    found = []
    for place in [0, *changes.tolist()]:
        standing = judge(standing, [track_at(path, place) for path in paths], now)
        found.append((place + 1, standing.state))
    return found


def beaten(paths: Sequence[_Path]) -> list[_Path]:
    """Two more rivals, beaten from the first pair on: they only divide the error."""
    sure = np.full(paths[0].pairs.size, 1e3)
    none = np.full(sure.size, 1e-3)
    return [
        _Path(rival, path.fresh, path.pairs, sure, none, sure, none, none)
        for rival in RIVALS[1:]
        for path in paths
    ]


def first(run: Sequence[tuple[int, State]], *states: State) -> int | None:
    """Pairs seen when it first stood in one of these states."""
    return next((pairs for pairs, state in run if state in states), None)


def errors_of(world: World, runs: int, seed: int) -> dict[str, Any]:
    """Shares of worlds in which each error is ever made."""
    rng = np.random.default_rng(seed)
    made = dict.fromkeys(("promoted", "restored", "demoted"), 0)
    unproved, proved = NOW, PROVED
    if world.half:
        dear = dict.fromkeys(RIVALS, DEAR)
        unproved = replace(NOW, cost=CHEAP, rivals=dear)
        proved = replace(PROVED, cost=CHEAP, rivals=dear)
    starts: list[tuple[str, State, Watched, State]] = [
        ("promoted", "WATCH", unproved, "PROMOTED"),
        ("restored", "DEMOTED", unproved, "PROMOTED"),
        ("demoted", "PROMOTED", proved, "DEMOTED"),
    ]
    for _ in range(runs):
        rivals = world.draw(rng, world.pairs)
        paths = paths_of(rivals, rng.random(world.pairs) < 0.5, half=world.half)
        for name, start, now, wrong in starts:
            if name in world.counted:
                made[name] += first(course(paths, start, now), wrong) is not None
    shares = {name: made[name] / runs if name in world.counted else None for name in made}
    kept = all(share is None or share <= 0.05 for share in shares.values())
    return {"world": world.name, "pairs": world.pairs, **shares, "kept": kept}


# --- power, peeking, change ---------------------------------------------------------------------


def mcnemar(differences: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Exact two-sided p after each pair, and the sign of the difference."""
    wins, losses = (differences > 0).cumsum(), (differences < 0).cumsum()
    p = 2.0 * bdtr(np.minimum(wins, losses), wins + losses, 0.5)
    return np.minimum(1.0, p), np.sign(wins - losses)


def uniform(differences: Floats) -> Floats:
    """The one-sided uniform mixture on the discordant pairs, all the stake on one side."""
    wins, losses = (differences > 0).cumsum(), (differences < 0).cumsum()
    tail = 1.0 - betainc(1.0 + wins, 1.0 + losses, 0.5)
    logs = (wins + losses) * np.log(2.0) + betaln(1.0 + wins, 1.0 + losses)
    return np.asarray(2.0 * np.exp(np.minimum(logs, 600.0)) * tail, dtype=np.float64)


def power_of(runs: int, seed: int, shift: float, discordant: float) -> dict[str, Any]:
    """Shares found by each size: by the watch, by one fixed look, by the uniform mixture."""
    rng = np.random.default_rng(seed)
    draw = signs(discordant, shift)
    names = ("promoted", "demoted", "both_tracks", "three_rivals", "fixed", "uniform")
    found = {name: np.zeros(len(SIZES)) for name in names}
    waited: list[float] = []
    sizes = np.asarray(SIZES)
    for _ in range(runs):
        differences = draw(rng, SIZES[-1])[0]
        paths = paths_of([differences], None)
        up = first(course(paths, "WATCH", NOW), "PROMOTED")
        waited.append(up if up is not None else np.inf)
        found["promoted"] += sizes >= waited[-1]
        down = paths_of([-differences], None)
        out = first(course(down, "PROMOTED", PROVED), "DEMOTED")
        found["demoted"] += sizes >= (out or np.inf)
        half_fresh = paths_of([-differences], rng.random(differences.size) < 0.5)
        out = first(course(half_fresh, "PROMOTED", PROVED), "DEMOTED")
        found["both_tracks"] += sizes >= (out or np.inf)
        out = first(course([*half_fresh, *beaten(half_fresh)], "PROMOTED", PROVED), "DEMOTED")
        found["three_rivals"] += sizes >= (out or np.inf)
        p, sign = mcnemar(differences)
        found["fixed"] += (p[sizes - 1] < 0.05) & (sign[sizes - 1] > 0)
        best = np.maximum.accumulate(uniform(differences))
        found["uniform"] += best[sizes - 1] >= SHOWN
    shares = {name: (count / runs).tolist() for name, count in found.items()}
    median = float(np.median(waited))
    return {
        "shift": shift,
        "discordant": discordant,
        "sizes": SIZES,
        **shares,
        "median_pairs": median if np.isfinite(median) else None,
    }


def peeking(runs: int, seed: int) -> dict[str, float]:
    """What McNemar's exact test does to those who look again and again at equal systems."""
    rng = np.random.default_rng(seed)
    made = dict.fromkeys(
        ("every 25 up to 500", "every pair up to 500", "every pair up to 10000"), 0
    )
    promoted = 0
    for _ in range(runs):
        p, sign = mcnemar(signs(0.3)(rng, 10_000)[0])
        low = p < 0.05
        made["every 25 up to 500"] += bool(low[24:500:25].any())
        made["every pair up to 500"] += bool(low[:500].any())
        made["every pair up to 10000"] += bool(low.any())
        promoted += bool((low & (sign > 0)).any())
    shares = {name: count / runs for name, count in made.items()}
    return {**shares, "of these for the specialist, up to 10000": promoted / runs}


def change(runs: int, seed: int, before: int) -> dict[str, Any]:
    """+5 points for so many pairs, then -5: pairs from the change until WATCH and DEMOTED."""
    rng = np.random.default_rng(seed)
    waits: dict[str, list[float]] = {"WATCH": [], "DEMOTED": []}
    after = 6_000
    for _ in range(runs):
        good = signs(0.3, 0.05)(rng, before)[0]
        bad = signs(0.3, -0.05)(rng, after)[0]
        run = course(paths_of([np.append(good, bad)], None), "PROMOTED", PROVED)
        late = [(pairs - before, state) for pairs, state in run if pairs > before]
        held = next((state for pairs, state in run[::-1] if pairs <= before), "PROMOTED")
        for state in ("WATCH", "DEMOTED"):
            when = 0 if held in (state, "DEMOTED") else first(late, state, "DEMOTED")
            waits[state].append(when if when is not None else np.inf)
    return {
        "before": before,
        **{
            state: None if not np.isfinite(np.median(wait)) else float(np.median(wait))
            for state, wait in waits.items()
        },
    }


def main() -> int:
    """Run everything, print the tables, write the figures; 1 if a bar is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    started = time.process_time()
    print(f"{'world':36s}  pairs  promoted restored demoted (share of worlds, ever)")
    rows = []
    for world in worlds():
        row = errors_of(world, asked.runs, asked.seed)
        rows.append(row)
        figures = [row[name] for name in ("promoted", "restored", "demoted")]
        shown = "  ".join("     -" if one is None else f"{one:6.4f}" for one in figures)
        print(f"{world.name:36s} {world.pairs:6d}    {shown} {'' if row['kept'] else 'NOT KEPT'}")
        sys.stdout.flush()
    powers = [power_of(asked.runs, asked.seed, *shape) for shape in ((0.05, 0.3), (0.05, 0.1))]
    for row in powers:
        print(f"\n{100 * row['shift']:+.0f} points, {row['discordant']:g} discordant, by {SIZES}")
        for name in ("promoted", "demoted", "both_tracks", "three_rivals", "fixed", "uniform"):
            print(f"  {name:14s}", " ".join(f"{share:.3f}" for share in row[name]))
        print("  median pairs until PROMOTED", row["median_pairs"])
    peeks = peeking(asked.runs, asked.seed)
    print("\nfixed test while peeking, equal systems", peeks)
    changes = [change(asked.runs // 5, asked.seed, before) for before in (0, 300, 1_000, 3_000)]
    print("from +5 to -5 points: median pairs until", changes)
    figures_out = {
        "runs": asked.runs,
        "errors": rows,
        "power": powers,
        "peeking": peeks,
        "change": changes,
        "broken_bars": sum(not row["kept"] for row in rows),
        "cpu_seconds": round(time.process_time() - started, 1),
    }
    record.write(asked.out, figures_out, seed=asked.seed)
    return 1 if figures_out["broken_bars"] else 0


if __name__ == "__main__":
    sys.exit(main())
