"""The watch on recorded answers: when would a specialist have lost its route?

44 models answered 405 dated coding questions (``recorded/livecodebench_44models.jsonl.gz``,
pass@1). A code model takes the part of the specialist, a general chat model that of the rival.
Questions come in by their date, in one look a day, and ``metier.watch`` judges after each: the
real tracks and the real state machine. A question is fresh if it is younger than the later of both
models' listed training cut-offs.

The specialist gets its proof as people do: by one fixed look at the old questions, the day after
the cut-off. Two courses are run: with a proof that is renewed for ever, so that only evidence can
take the route; and with one that ends after 90 days unrenewed. Beside them: the day on which a
fixed test, looked at every day, first says LOSS (which a fixed test does not allow).

The table holds every pair of a code model and a chat model for which the fixed look at the old
questions says WIN, by at most 15 points: those are the pairs in which a watch has something to do
and the two are of similar standing. Chosen by the old questions only.

    python benchmarks/watch_backtest.py --mirror DIR --out benchmarks/results/watch_backtest.json
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import record

from metier.card import Difference, Verdict
from metier.stats import anytime, paired_difference
from metier.watch import Watched, judge, tracks_over
from metier.watching import ROUTED, Pair, Standing, Track

MAIN = ("DSCoder-33b-Ins", "GPT-4-0613")
CODE = ("DSCoder-", "Cllama-", "WCoder-", "Phind-", "CodeQwen15-7B-Chat", "MagiCoderS-", "OC-DS-")
GENERAL = ("GPT-", "Claude-", "Google-Gemini-", "Mistral-", "Command-R", "DBRX-", "Smaug-", "Qwen-")
NEAR = 0.15
PROOF_DAYS = 90
FOR_EVER = "9999-12-31"
FEWEST = 30
"""Old and fresh questions that a pair must have to be in the table."""


@dataclass(frozen=True, slots=True)
class Record:
    """The recorded answers.

    Attributes:
        rows: Question, date and pass@1 in per cent by model, by date.
        cutoffs: Listed training cut-off of each model.
    """

    rows: list[dict[str, Any]]
    cutoffs: dict[str, str]


def load(mirror: Path) -> Record:
    """Read the answers and the cut-offs."""
    folder = mirror / "recorded"
    with gzip.open(folder / "livecodebench_44models.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    models = json.loads((folder / "livecodebench_models.json").read_text("utf-8"))
    cutoffs = {model["model"]: model["listed_cutoff"] for model in models}
    return Record(sorted(rows, key=lambda row: (row["date"], row["question"])), cutoffs)


def pairs_of(recorded: Record, own: str, other: str) -> tuple[list[Pair], str]:
    """The questions that both answered, one look a day, and the cut-off."""
    cut = max(recorded.cutoffs[own], recorded.cutoffs[other])
    found = []
    for row in recorded.rows:
        scores, day = row["pass_at_1_percent"], row["date"]
        if scores.get(own) is not None and scores.get(other) is not None:
            first, second = scores[own] / 100.0, scores[other] / 100.0
            name = row["question"]
            found.append(Pair("general", name, "", first, second, day, day > cut, look=day))
    return found, cut


def fixed(pairs: list[Pair]) -> Difference:
    """One fixed look."""
    return paired_difference([pair.own for pair in pairs], [pair.other for pair in pairs])


def courses(
    pairs: list[Pair], cut: str, own: str, other: str, *, proved: bool
) -> dict[str, list[tuple[str, Standing]]]:
    """The standing after each day, with a proof that is renewed and with one that ends."""
    day = (date.fromisoformat(cut) + timedelta(days=1)).isoformat()
    ends = (date.fromisoformat(day) + timedelta(days=PROOF_DAYS)).isoformat()
    looks = list(tracks_over(pairs, {"general": other}))
    found: dict[str, list[tuple[str, Standing]]] = {}
    for name, until in (("renewed", FOR_EVER), ("unrenewed", ends)):
        before: Standing | None = None
        course = []
        for today, tracks in _with_the_day(looks, day):
            holds = proved and today >= day
            now = Watched(
                own, own, today, proved=day if holds else "", until=until if holds else ""
            )
            before = judge(before, tracks, now)
            course.append((today, before))
        found[name] = course
    return found


def _with_the_day(
    looks: list[tuple[str, tuple[Track, ...]]], day: str
) -> Iterator[tuple[str, tuple[Track, ...]]]:
    """The looks, and one more on the day of the proof, which adds no question."""
    latest: tuple[Track, ...] = ()
    told = False
    for today, tracks in looks:
        if not told and today >= day:
            told = True
            if today != day and latest:
                yield day, latest
        latest = tracks
        yield today, tracks


def first_out(course: list[tuple[str, Standing]]) -> tuple[str, Standing] | None:
    """The first day without a route."""
    return next(((day, one) for day, one in course if one.state not in ROUTED), None)


def peeked(pairs: list[Pair]) -> dict[str, Any] | None:
    """The first day on which a fixed test of the fresh pairs so far says LOSS."""
    for day in sorted({pair.date for pair in pairs}):
        so_far = [pair for pair in pairs if pair.date <= day]
        if len(so_far) > 1 and fixed(so_far).verdict is Verdict.LOSS:
            return {"day": day, "questions": len(so_far)}
    return None


def compare(recorded: Record, own: str, other: str) -> dict[str, Any]:
    """Everything about one pair of models."""
    pairs, cut = pairs_of(recorded, own, other)
    old, fresh = ([pair for pair in pairs if pair.fresh is wanted] for wanted in (False, True))
    before, after = fixed(old), fixed(fresh)
    runs = courses(pairs, cut, own, other, proved=before.verdict is Verdict.WIN)
    return {
        "own": own,
        "other": other,
        "cutoff": cut,
        "old": _shown(before, old),
        "fresh": _shown(after, fresh),
        "fixed_while_peeking": peeked(fresh),
        "courses": {name: _told(course) for name, course in runs.items()},
    }


def _shown(found: Difference, pairs: list[Pair]) -> dict[str, Any]:
    always = anytime([pair.own for pair in pairs], [pair.other for pair in pairs])
    return {
        "questions": len(pairs),
        "fixed": {
            "verdict": found.verdict.value,
            "difference": found.difference,
            "low": found.interval.low,
            "high": found.interval.high,
        },
        "anytime": {
            "verdict": always.verdict.value,
            "low": always.low,
            "high": always.high,
            "for_it": always.for_it,
            "against_it": always.against_it,
            "needed": always.needed,
        },
    }


def _told(course: list[tuple[str, Standing]]) -> dict[str, Any]:
    """When the state changed, and the first day without a route."""
    changes: list[dict[str, Any]] = []
    for day, one in course:
        same = changes and changes[-1]["state"] == one.state
        if not (same and changes[-1]["suspect"] == one.suspect):
            changes.append({"day": day, "state": one.state, "suspect": one.suspect, "why": one.why})
    out = first_out(course)
    told: dict[str, Any] = {"changes": changes, "last": course[-1][1].state, "out": None}
    if out is not None:
        day, one = out
        fresh = next((track.pairs for track in one.tracks if track.fresh), 0)
        told["out"] = {"day": day, "fresh_questions": fresh, "why": one.why}
    return told


def table(recorded: Record) -> list[dict[str, Any]]:
    """Every pair of similar standing in which the old questions say WIN."""
    names = list(recorded.cutoffs)
    found = []
    for own in (name for name in names if name.startswith(CODE)):
        for other in (name for name in names if name.startswith(GENERAL)):
            pairs, _ = pairs_of(recorded, own, other)
            old = [pair for pair in pairs if not pair.fresh]
            if min(len(old), len(pairs) - len(old)) < FEWEST:
                continue
            look = fixed(old)
            if look.verdict is Verdict.WIN and look.difference <= NEAR:
                found.append(compare(recorded, own, other))
    return found


def show(row: dict[str, Any]) -> str:
    """One line of the table."""
    parts = [f"{row['own']:18s} {row['other']:26s}"]
    for name in ("old", "fresh"):
        look = row[name]["fixed"]
        ends = f"[{100 * look['low']:+.1f}, {100 * look['high']:+.1f}]"
        parts.append(f"{100 * look['difference']:+6.1f} {ends:15s} {look['verdict']:12s}")
    course = row["courses"]["renewed"]
    out, peek = course["out"], row["fixed_while_peeking"]
    parts.append(f"{out['day']} ({out['fresh_questions']:3d})" if out else f"{course['last']:16s}")
    parts.append(f"{peek['day']} ({peek['questions']:3d})" if peek else "-")
    return " ".join(parts)


def main() -> int:
    """Run the pair and the table, write the figures; 1 if the pair does not come out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    started = time.process_time()
    recorded = load(asked.mirror)
    main_pair = compare(recorded, *MAIN)
    print(
        f"{'specialist':18s} {'general model':26s} {'old, one fixed look':36s} "
        "fresh, one fixed look"
    )
    print(show(main_pair))
    for name, course in main_pair["courses"].items():
        print(f"\nproof {name}")
        for change in course["changes"]:
            print(f"  {change['day']} {change['state']:8s} {change['why']}")
    rows = table(recorded)
    print(
        "\nlast columns: day of demotion (fresh questions by then); day on which a fixed test, "
        "looked at daily, first says LOSS"
    )
    for row in sorted(rows, key=lambda row: float(row["fresh"]["fixed"]["difference"])):
        print(show(row))
    summary = summed(rows)
    print(json.dumps(summary, indent=1))
    figures = {
        "pair": main_pair,
        "table": rows,
        "summary": summary,
        "cpu_seconds": round(time.process_time() - started, 1),
    }
    record.write(asked.out, figures)
    out = main_pair["courses"]["renewed"]["out"]
    verdicts = [main_pair[name]["fixed"]["verdict"] for name in ("old", "fresh")]
    return 0 if verdicts == ["WIN", "LOSS"] and out else 1


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What became of the pairs, by what one fixed look at all fresh questions says."""
    found: dict[str, Any] = {"pairs": len(rows)}
    for verdict in Verdict:
        mine = [row for row in rows if row["fresh"]["fixed"]["verdict"] == verdict.value]
        if mine:
            outs = [row["courses"]["renewed"]["out"] for row in mine]
            counts = [out["fresh_questions"] for out in outs if out]
            ended = [row["courses"]["unrenewed"] for row in mine]
            found[f"fresh {verdict.value}"] = {
                "pairs": len(mine),
                "demoted": len(counts),
                "median_fresh_questions": float(np.median(counts)) if counts else None,
                "promoted_at_the_end": sum(
                    row["courses"]["renewed"]["last"] == "PROMOTED" for row in mine
                ),
                "without_route_at_the_end_if_the_proof_ends": sum(
                    course["last"] not in ROUTED for course in ended
                ),
                "suspect": sum(
                    any(change["suspect"] for change in row["courses"]["renewed"]["changes"])
                    for row in mine
                ),
            }
    return found


if __name__ == "__main__":
    sys.exit(main())
