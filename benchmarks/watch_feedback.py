"""Do people who speak up when an answer is wrong demote a specialist that is better?

Worlds in which the specialist is right in 90 % and the general model in 85 % of 500 eval items, and
then people label texts: they speak up in half of the wrong answers and in some share of the right
ones. After every 50 labelled texts the watch looks. Counted: worlds in which the specialist is ever
DEMOTED, if every labelled text counts, and if wrong ones count in the eval's proportion only
(``feedback.balanced``); and, where the general model truly is 5 points better, worlds in which the
loss is found.

    python benchmarks/watch_feedback.py --out benchmarks/results/watch_feedback.json
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import record

from metier.assembly.feedback import balanced
from metier.watch import Watched, judge, tracks_of
from metier.watching import Pair

SEED = 20_261_123
EVAL, SAID, EVERY = 500, 600, 50
NOW = Watched("a", "system", "2026-11-12", proved="2026-11-01", until="2099-01-01")


def world(rng: np.random.Generator, own: float, general: float, praise: float) -> list[Pair]:
    """Eval pairs, then labelled texts in the order in which people sent them."""
    pairs = []
    for number in range(EVAL):
        right, other = rng.random() < own, rng.random() < general
        pairs.append(Pair("general", f"e{number}", f"e{number}", float(right), float(other)))
    while len(pairs) < EVAL + SAID:
        right, other = rng.random() < own, rng.random() < general
        if rng.random() < (praise if right else 0.5):
            name = f"f{len(pairs)}"
            look = f"{1 + (len(pairs) - EVAL) // EVERY:03d}"
            pairs.append(
                Pair(
                    "general",
                    name,
                    name,
                    float(right),
                    float(other),
                    date="2026-11-12",
                    fresh=True,
                    source="feedback",
                    look=look,
                )
            )
    return pairs


def demoted(pairs: list[Pair], *, weighed: bool) -> bool:
    """Whether a look, after every ``EVERY`` texts, ever takes the route."""
    standing = None
    for end in range(EVAL, len(pairs) + 1, EVERY):
        seen = balanced(pairs[:end])[0] if weighed else pairs[:end]
        standing = judge(standing, tracks_of(seen, {"general": "general"}), NOW)
        if standing.state == "DEMOTED":
            return True
    return False


def main() -> None:
    """Run every world and write the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=40)
    asked = parser.parse_args()
    started = time.process_time()
    rows = []
    for own, general in ((0.90, 0.85), (0.85, 0.90)):
        for praise in (0.0, 0.02, 0.1, 0.5):
            rng = np.random.default_rng(SEED)
            worlds = [world(rng, own, general, praise) for _ in range(asked.runs)]
            row = {
                "own": own,
                "general": general,
                "praise": praise,
                "demoted_if_all_count": np.mean([demoted(one, weighed=False) for one in worlds]),
                "demoted_if_weighed": np.mean([demoted(one, weighed=True) for one in worlds]),
            }
            rows.append({key: float(value) for key, value in row.items()})
            print(rows[-1])
    seconds = round(time.process_time() - started, 1)
    record.write(asked.out, {"runs": asked.runs, "rows": rows, "cpu_seconds": seconds}, seed=SEED)


if __name__ == "__main__":
    main()
