"""What the router gains over the best single model, where it abstains, and what a decision costs.

It drives ``metier.router`` with its shipped settings on 15,343 questions of five data sets that
seven models answered (RouterDC's records, ``recorded/routing_7models``). Each data set is a
domain; its specialist is the model that did best on the training questions, and it holds a proof
if it beats the general model on them. The general model is the best single model, chosen on the
training questions too. Nothing is chosen on the test questions; ``--part train`` shows the same
table on held-out training questions, which is what settings are tuned on.

    python benchmarks/routing.py --mirror DIR --out FILE
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import write
from routing_cost import fitting, latency, memory
from routing_scope import scope
from routing_steadiness import pictures, steadiness

from metier.router import Router, request_of_text
from metier.router.learning import fit_domains
from metier.routing import Candidate
from metier.stats import expected_calibration_error, paired_interval

FILE = "recorded/routing_7models.jsonl.gz"
DRAWS = 2_000
HELD_OUT = 0.3
"""Share of the training questions that ``--part train`` answers instead of the test questions."""
Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Records:
    """Questions, what each model scored on them, and which of them are for choosing.

    Attributes:
        texts: Questions.
        sets: Number of each question's data set.
        scores: Shape (questions, models), 0 to 1.
        train: Whether a question is for choosing.
        models, names: Of the columns and of the data sets.
    """

    texts: list[str]
    sets: Places
    scores: Floats
    train: NDArray[np.bool_]
    models: list[str]
    names: list[str]

    def best_single(self, among: list[int]) -> int:
        """The best model on the training questions of some data sets, each weighing the same."""
        means = [self.scores[self.train & (self.sets == one)].mean(axis=0) for one in among]
        return int(np.mean(means, axis=0).argmax())

    def best_of(self, one: int) -> int:
        """The best model on the training questions of one data set."""
        return int(self.scores[self.train & (self.sets == one)].mean(axis=0).argmax())


def main() -> None:
    """Measure every row and write one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/routing.json"))
    parser.add_argument("--part", choices=("test", "train"), default="test")
    parser.add_argument(
        "--rows", nargs="+", default=["gain", "left-out", "steady", "scope", "cost"]
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    records = read(arguments.mirror / FILE, arguments.part, arguments.seed)
    every = list(range(len(records.names)))
    router, candidates = fleet(records, every)
    results: dict[str, Any] = {"part": arguments.part, "router": router.digest}
    asked = np.flatnonzero(~records.train)
    texts = [records.texts[place] for place in asked]
    if "gain" in arguments.rows:
        results["gain"] = gain(records, router, candidates, arguments.seed)
    if "left-out" in arguments.rows:
        results["left_out"] = [left_out(records, one) for one in every]
        mean = float(np.mean([row["gain"] for row in results["left_out"]]))
        results["left_out_mean"] = round(mean, 2)
    if "steady" in arguments.rows:
        results["steadiness"] = steadiness(router, candidates, texts, arguments.seed)
        results["pictures"] = pictures(router, candidates, texts, arguments.seed)
    if "scope" in arguments.rows:
        results["scope"] = scope(arguments.mirror)
    if "cost" in arguments.rows:
        results["latency"] = latency(router, candidates, texts)
        results["memory"] = memory(router)
        results["fitting"] = fitting(questions_of(records, every))
    write(arguments.out, results, seed=arguments.seed)
    json.dump(results, sys.stdout, indent=1)
    print()


def read(path: Path, part: str, seed: int) -> Records:
    """The records; for ``train`` the test questions are dropped and a share is held out."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    if part == "train":
        rows = [row for row in rows if row["split"] == "train"]
    models = list(rows[0]["scores"])
    names = sorted({row["dataset"] for row in rows})
    train = np.array([row["split"] == "train" for row in rows])
    if part == "train":
        train = np.random.default_rng(seed).random(len(rows)) >= HELD_OUT
    return Records(
        [row["question"] for row in rows],
        np.array([names.index(row["dataset"]) for row in rows]),
        np.array([[row["scores"][model] for model in models] for row in rows], float),
        train,
        models,
        names,
    )


def fleet(records: Records, among: list[int]) -> tuple[Router, tuple[Candidate, ...]]:
    """The router of some data sets, and who holds a proof for which of them."""
    general = records.best_single(among)
    candidates = [Candidate(records.models[general], _digest(general), "generate", general=True)]
    for one in among:
        mask = records.train & (records.sets == one)
        best = records.best_of(one)
        if best == general:
            continue
        found = paired_interval(records.scores[mask, best], records.scores[mask, general])
        candidates.append(
            Candidate(
                f"{records.models[best]} for {records.names[one]}",
                _digest(best),
                "chat",
                domain=records.names[one],
                proof="9999-12-31" if found.low > 0 else "",
                gain=found.low,
            )
        )
    return Router(fit_domains(questions_of(records, among))), tuple(candidates)


def questions_of(records: Records, among: list[int]) -> dict[str, list[str]]:
    """The training questions of some data sets."""
    return {
        records.names[one]: [
            records.texts[place] for place in np.flatnonzero(records.train & (records.sets == one))
        ]
        for one in among
    }


def chosen_by(
    records: Records, router: Router, candidates: tuple[Candidate, ...], places: Places
) -> tuple[Places, Places, NDArray[np.bool_]]:
    """The router's model for each question, that of its likeliest domain, and who abstained."""
    model_of = {one.name: int(one.digest.rpartition(":")[2]) for one in candidates}
    general = next(model_of[one.name] for one in candidates if one.general)
    of_domain = {one.domain: model_of[one.name] for one in candidates if one.proof}
    chosen, likeliest, abstained = [], [], []
    for place in places:
        decision = router.decide(request_of_text(records.texts[place]), candidates)
        chosen.append(model_of[decision.chosen])
        likeliest.append(of_domain.get(decision.domain, general))
        abstained.append(decision.ground == "abstained")
    return np.array(chosen), np.array(likeliest), np.array(abstained)


def gain(
    records: Records, router: Router, candidates: tuple[Candidate, ...], seed: int
) -> dict[str, Any]:
    """Every rule's macro score and its gain over the best single model."""
    every = list(range(len(records.names)))
    places = np.flatnonzero(~records.train)
    scores, sets = records.scores[places], records.sets[places]
    single = records.best_single(every)
    ours, likeliest, abstained = chosen_by(records, router, candidates, places)
    best = np.array([records.best_of(one) for one in every])
    rows = {
        "best single": _of(scores, np.full(places.size, single)),
        "zero-router": _of(scores, np.full(places.size, single)),
        "random": scores.mean(axis=1),
        "longest prompt first": _of(scores, longest_first(records)[places]),
        "domain means": _of(scores, best[sets]),
        "ours": _of(scores, ours),
        "ours, never abstaining": _of(scores, likeliest),
        "oracle": scores.max(axis=1),
    }
    draws = _draws(sets, seed)
    told = {name: _row(values, rows["best single"], sets, draws) for name, values in rows.items()}
    shares = {
        name: round(float(abstained[sets == one].mean()), 3)
        for one, name in enumerate(records.names)
    }
    general = records.models[single]
    return {
        "best single": general,
        "rules": told,
        "abstained": shares,
        "calibration error": calibration_error(records, router, places),
        "questions": places.size,
    }


def calibration_error(records: Records, router: Router, places: Places) -> float:
    """Gap between the score of the likeliest domain and how often it is the right one."""
    assert router.model is not None  # a fleet's router has one
    found = [router.model.asked(records.texts[place]) for place in places]
    right = [
        one.domain == records.names[records.sets[place]]
        for one, place in zip(found, places, strict=True)
    ]
    return round(expected_calibration_error([one.score for one in found], right), 4)


def longest_first(records: Records) -> Places:
    """Long questions to one model, short ones to another; both and the length chosen on train."""
    length = np.array([len(text) for text in records.texts])
    train, best = records.train, (-1.0, 0, 0, 0)
    for limit in np.quantile(length[train], np.arange(0.05, 1.0, 0.05)).astype(int).tolist():
        long = length > limit
        table = np.stack(
            [
                np.mean(
                    [
                        (records.scores * (long == side)[:, None])[
                            train & (records.sets == one)
                        ].mean(axis=0)
                        for one in range(len(records.names))
                    ],
                    axis=0,
                )
                for side in (True, False)
            ]
        )
        high, low = table.argmax(axis=1).tolist()
        best = max(best, (float(table[0, high] + table[1, low]), high, low, limit))
    _, high, low, limit = best
    return np.where(length > limit, high, low)


def left_out(records: Records, one: int) -> dict[str, Any]:
    """A router that has never seen a data set, on its questions."""
    others = [each for each in range(len(records.names)) if each != one]
    router, candidates = fleet(records, others)
    places = np.flatnonzero(~records.train & (records.sets == one))
    single = records.best_single(others)
    ours, likeliest, abstained = chosen_by(records, router, candidates, places)
    scores = records.scores[places]
    base = scores[:, single]
    found = paired_interval(_of(scores, ours), base)
    return {
        "left out": records.names[one],
        "best single of the others": records.models[single],
        "gain": _points(found.difference),
        "interval": [_points(found.low), _points(found.high)],
        "abstained": round(float(abstained.mean()), 3),
        "never abstaining": _points((_of(scores, likeliest) - base).mean()),
        "questions": places.size,
    }


def _draws(sets: Places, seed: int) -> list[Places]:
    """Bootstrap: questions drawn with replacement within each data set."""
    random = np.random.default_rng(seed)
    groups = [np.flatnonzero(sets == one) for one in np.unique(sets)]
    return [random.choice(group, (DRAWS, group.size)) for group in groups]


def _row(values: Floats, base: Floats, sets: Places, draws: list[Places]) -> dict[str, Any]:
    difference = values - base
    drawn = np.mean([difference[group].mean(axis=1) for group in draws], axis=0)
    low, high = np.quantile(drawn, (0.025, 0.975))
    macro = np.mean([values[sets == one].mean() for one in np.unique(sets)])
    mean = np.mean([difference[sets == one].mean() for one in np.unique(sets)])
    return {
        "score": round(float(macro), 4),
        "gain": _points(mean),
        "interval": [_points(low), _points(high)],
    }


def _of(scores: Floats, chosen: Places) -> Floats:
    return scores[np.arange(chosen.size), chosen]


def _points(share: Any) -> float:
    return round(100.0 * float(share), 2)


def _digest(model: int) -> str:
    return f"sha256:{model}"


if __name__ == "__main__":
    main()
