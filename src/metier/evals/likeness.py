"""Tasks that ask nearly the same: pairs of prompts that share most of their runs of three words.

It knows prompts; it decides nothing. Two tasks with one prompt count twice what is one thing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from metier.evals.tasks import Task

SIMILAR = 0.5
"""Jaccard similarity of runs of three words from which two prompts are reported."""
_WORDS = re.compile(r"[\w@$#+-]+")
_RUN = 3
_COMMON = 0.2
"""Runs in more than this share of the prompts (and in five or more) are the suite's boilerplate."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Two tasks whose prompts are alike; ``similarity`` is 1 for copies."""

    first: str
    second: str
    similarity: float


def alike(tasks: Sequence[Task]) -> tuple[Alike, ...]:
    """Pairs of tasks with nearly the same prompt, the most similar first.

    Prompts are compared after folding case, punctuation and white space, without the runs of
    words that much of the suite shares.
    """
    runs = [_runs(task.prompt) for task in tasks]
    often = Counter(run for found in runs for run in found)
    most = max(4.0, _COMMON * len(tasks))
    own = [frozenset(run for run in found if often[run] <= most) for found in runs]
    whole: defaultdict[str, list[int]] = defaultdict(list)
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, task in enumerate(tasks):
        whole[" ".join(_WORDS.findall(task.prompt.casefold()))].append(number)
        for run in own[number]:
            holders[run].append(number)
    shared = Counter(
        (one, two)
        for members in holders.values()
        for place, one in enumerate(members)
        for two in members[place + 1 :]
    )
    pairs = {
        (one, two): count / len(own[one] | own[two])
        for (one, two), count in shared.items()
        if count >= SIMILAR * len(own[one] | own[two])
    }
    for members in whole.values():
        pairs.update({(members[0], other): 1.0 for other in members[1:]})
    found = [Alike(tasks[one].id, tasks[two].id, size) for (one, two), size in pairs.items()]
    return tuple(sorted(found, key=lambda pair: (-pair.similarity, pair.first, pair.second)))


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORDS.findall(text.casefold())
    return frozenset(
        tuple(words[start : start + _RUN]) for start in range(max(1, len(words) - _RUN + 1))
    )
