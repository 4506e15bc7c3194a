"""Hop as champion and challenger on 44 models that arrive in random order, questions arriving too.

Needs the mirror (recorded/livecodebench_44models). In each of 200 orders the first model is
champion; 43 others arrive one by one while the 405 dated questions arrive by date. At each
arrival every model so far is held against the champion on the questions so far, and at most one
is promoted. The rules drive ``metier.hop.decide``, ``metier.stats.paired_difference`` and
``metier.stats.anytime``. Questions dated after both models' listed cut-offs are fresh.

Regret: mean, over the arrivals, of the best model so far (by all questions, in hindsight) minus
the champion, in points. A promotion is wrong if the challenger is worse on all questions; beside
it, on those dated from 2023-09-01 on, which are newer than every cut-off. To reach: the product's
rule for looking again and again promotes wrongly in at most 5 %.

    python benchmarks/hop_backtest.py --mirror DIR
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import write

from metier.card import Evidence, Score
from metier.hop import Challenger, decide
from metier.stats import anytime, paired_difference, wilson

HERE = Path(__file__).parent
ORDERS = 200
SEED = 20_261_123
FRESH = "2023-09-01"
MOST_WRONG = 0.05
SYSTEM = "sha256:" + "{:064d}"
Floats = NDArray[np.float64]
Rule = Callable[[int, Sequence[int], int], int | None]
"""Champion, models so far and number of questions so far to who is promoted, or ``None``."""


@dataclass(frozen=True)
class Records:
    """Outcomes 0 to 1 by question (by date) and model; not a number where one is missing."""

    outcomes: Floats
    dates: tuple[str, ...]
    models: tuple[str, ...]
    cutoffs: tuple[str, ...]

    def truth(self, since: str = "") -> Floats:
        """Mean of each model over the questions from a date on."""
        rows = np.array([date >= since for date in self.dates])
        return np.asarray(np.nanmean(self.outcomes[rows], axis=0))


def main() -> int:
    """Run every rule on the same orders; 1 if the product's rule promotes wrongly too often."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "hop_backtest.json")
    arguments = parser.parse_args()
    records = read(arguments.mirror)
    random = np.random.default_rng(SEED)
    count = len(records.models)
    orders = [[int(one) for one in random.permutation(count)] for _ in range(arguments.orders)]
    results: dict[str, Any] = {
        "models": count,
        "questions": len(records.dates),
        "fresh questions": sum(date >= FRESH for date in records.dates),
    }
    print(f"{'rule':44} {'regret':>7} {'95 %':>13} {'hops':>5} {'wrong':>20} {'on fresh':>9}")
    for name, rule in rules(records).items():
        began = time.process_time()
        results[name] = found = played(records, orders, rule)
        found["cpu_s"] = round(time.process_time() - began, 1)
        low, high = found["regret_interval"]
        print(
            f"{name:44} {found['regret']:7.2f} {low:6.2f} {high:6.2f} {found['hops']:5.2f} "
            f"{found['wrong']:5d} of {found['promotions']:5d} {found['wrong_share']:6.3f} "
            f"{found['wrong_on_fresh']:9.3f}",
            flush=True,
        )
    passes = results[PRODUCT]["wrong_share"] <= MOST_WRONG
    results["bar"] = {"wrong": results[PRODUCT]["wrong_share"], "reach": "<= .05", "pass": passes}
    print("pass" if passes else "FAIL", f"{PRODUCT}: wrong {results['bar']['wrong']:.3f} (<= .05)")
    write(arguments.out, results, seed=SEED)
    return 0 if passes else 1


PRODUCT = "hop's rule, looked at again (anytime)"


def read(mirror: Path) -> Records:
    """The recorded outcomes, by date of the question."""
    folder = mirror / "recorded"
    with gzip.open(folder / "livecodebench_44models.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = sorted((json.loads(line) for line in file), key=lambda row: row["date"])
    models = json.loads((folder / "livecodebench_models.json").read_bytes())
    names = tuple(model["model"] for model in models)
    outcomes = [[row["pass_at_1_percent"].get(name, np.nan) for name in names] for row in rows]
    return Records(
        np.array(outcomes, dtype=np.float64) / 100.0,
        tuple(row["date"] for row in rows),
        names,
        tuple(model["listed_cutoff"] for model in models),
    )


def played(records: Records, orders: Sequence[Sequence[int]], rule: Rule) -> dict[str, Any]:
    """What a rule comes to over all orders."""
    truth, fresh = records.truth(), records.truth(FRESH)
    regrets, hops, last = [], [], []
    wrong = stale = promotions = 0
    for order in orders:
        champion, lost, hopped = order[0], [], 0
        for place in range(1, len(order)):
            seen = order[: place + 1]
            questions = round(len(records.dates) * (place + 1) / len(order))
            challenger = rule(champion, seen, questions)
            if challenger is not None and challenger != champion:
                promotions += 1
                hopped += 1
                wrong += bool(truth[challenger] < truth[champion])
                stale += bool(fresh[challenger] < fresh[champion])
                champion = challenger
            lost.append(float(truth[seen].max() - truth[champion]))
        regrets.append(100 * float(np.mean(lost)))
        last.append(100 * lost[-1])
        hops.append(hopped)
    spread = 1.96 * float(np.std(regrets, ddof=1)) / len(regrets) ** 0.5
    regret = float(np.mean(regrets))
    share = wilson(wrong, promotions) if promotions else None
    return {
        "regret": round(regret, 3),
        "regret_interval": [round(regret - spread, 3), round(regret + spread, 3)],
        "regret_at_the_end": round(float(np.mean(last)), 3),
        "hops": round(float(np.mean(hops)), 3),
        "promotions": promotions,
        "wrong": wrong,
        "wrong_share": round(wrong / max(1, promotions), 4),
        "wrong_interval": [round(share.low, 4), round(share.high, 4)] if share else None,
        "wrong_on_fresh": round(stale / max(1, promotions), 4),
    }


def rules(records: Records) -> dict[str, Rule]:
    """Every rule, the naive ones first."""
    told = Telling(records)

    def never(_champion: int, _seen: Sequence[int], _questions: int) -> None:
        return None

    def always(_champion: int, seen: Sequence[int], _questions: int) -> int:
        return seen[-1]

    def best_so_far(_champion: int, seen: Sequence[int], questions: int) -> int:
        means = np.nanmean(records.outcomes[:questions][:, list(seen)], axis=0)
        return seen[int(np.argmax(means))]

    def with_challengers(
        of: Callable[[int, int, int], Challenger], *, earlier: bool = True
    ) -> Rule:
        def rule(champion: int, seen: Sequence[int], questions: int) -> int | None:
            # Nobody behind the champion so far can win; they count among the compared all the same.
            ahead = [
                one for one in seen if one != champion and told.ahead(one, champion, questions)
            ]
            if not ahead:
                return None
            others = len(seen) - 1 - len(ahead) if earlier else 1 - len(ahead)
            challengers = [of(one, champion, questions) for one in ahead]
            promoted = decide(challengers, earlier=others).promoted
            return None if promoted is None else records.models.index(promoted.key)

        return rule

    return {
        "never hop": never,
        "always hop": always,
        "best mean so far": best_so_far,
        "WIN at 5 % at each look (peeking)": with_challengers(told.fixed, earlier=False),
        "hop's rule for one hop (5 % / compared)": with_challengers(told.fixed),
        "hop's rule for one hop, fresh beside": with_challengers(told.fixed_and_fresh),
        "anytime at one-sided 5 %": with_challengers(told.standing_one_sided),
        "anytime, fresh items not asked": with_challengers(told.standing),
        PRODUCT: with_challengers(told.standing_and_fresh),
    }


class Telling:
    """Challengers as ``metier.hop`` takes them, from the records; each comparison is made once."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.evidence = cache(self._evidence)
        self.anytime = cache(self._anytime)

    def ahead(self, one: int, champion: int, questions: int) -> bool:
        """Whether the mean so far is higher."""
        mine, theirs = self._pairs(one, champion, questions)
        return bool(mine.size and mine.mean() > theirs.mean())

    def fixed(self, one: int, champion: int, questions: int) -> Challenger:
        """By the fixed test on the questions so far."""
        return Challenger(
            self._records.models[one],
            system=SYSTEM.format(one),
            evidence=self.evidence(one, champion, questions, False),
        )

    def fixed_and_fresh(self, one: int, champion: int, questions: int) -> Challenger:
        """The same, with what fresh questions say."""
        return Challenger(
            self._records.models[one],
            system=SYSTEM.format(one),
            evidence=self.evidence(one, champion, questions, False),
            fresh=self.evidence(one, champion, questions, True),
        )

    def standing(self, one: int, champion: int, questions: int) -> Challenger:
        """By what holds however often anybody looks."""
        return Challenger(
            self._records.models[one],
            system=SYSTEM.format(one),
            evidence=self.evidence(one, champion, questions, False),
            standing=self.anytime(one, champion, questions),
        )

    def standing_one_sided(self, one: int, champion: int, questions: int) -> Challenger:
        """The same with the whole stake on "better": shown at an e-value of 10 with half of it."""
        found = self.standing_and_fresh(one, champion, questions)
        told = self.anytime(one, champion, questions)
        return replace(found, standing=replace(told, for_it=2.0 * told.for_it))

    def standing_and_fresh(self, one: int, champion: int, questions: int) -> Challenger:
        """The same, with what fresh questions say."""
        return Challenger(
            self._records.models[one],
            system=SYSTEM.format(one),
            evidence=self.evidence(one, champion, questions, False),
            fresh=self.evidence(one, champion, questions, True),
            standing=self.anytime(one, champion, questions),
        )

    def _pairs(
        self, one: int, champion: int, questions: int, *, fresh: bool = False
    ) -> tuple[Floats, Floats]:
        records = self._records
        mine = records.outcomes[:questions, one]
        theirs = records.outcomes[:questions, champion]
        kept = ~(np.isnan(mine) | np.isnan(theirs))
        if fresh:
            since = max(records.cutoffs[one], records.cutoffs[champion])
            kept &= np.array([date > since for date in records.dates[:questions]])
        return mine[kept], theirs[kept]

    def _anytime(self, one: int, champion: int, questions: int) -> Any:
        return anytime(*self._pairs(one, champion, questions))

    def _evidence(self, one: int, champion: int, questions: int, fresh: bool) -> Evidence | None:
        mine, theirs = self._pairs(one, champion, questions, fresh=fresh)
        if not mine.size:
            return None
        names = self._records.models
        return Evidence(
            against="other",
            system=SYSTEM.format(one),
            system_name=names[one],
            rival=SYSTEM.format(champion),
            rival_name=names[champion],
            eval_fingerprint=SYSTEM.format(questions),
            score=_score(mine),
            rival_score=_score(theirs),
            difference=paired_difference(mine, theirs),
            date=self._records.dates[questions - 1],
            command="",
        )


def _score(outcomes: Floats) -> Score:
    n = len(outcomes)
    return Score(metric="pass_at_1", value=float(outcomes.mean()), n=n, clusters=n)


if __name__ == "__main__":
    raise SystemExit(main())
