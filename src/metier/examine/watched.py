"""A specialist and a rival put to the same items: paired outcomes, each item asked once.

It knows systems, sealed items and where answers are kept; it judges nothing and opens no ledger.
What was answered stands on the disk before the next batch is asked, so a round that was killed
goes on where it was, and nobody is paid twice for the same answer.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from metier.errors import UnavailableError
from metier.evals.items import Eval, EvalItem
from metier.examine.answered import Answered, Answers
from metier.messages import Progress, Report, System
from metier.watching import Pair, Rival

BATCH = 64
"""Items between two looks at whether somebody said stop."""


@dataclass(frozen=True)
class Asking:
    """How items are asked.

    Attributes:
        folder: Where answers are kept.
        report: Receives progress.
        cancelled: Stops the work; what was answered is kept.
    """

    folder: Path
    report: Report
    cancelled: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two.

    Attributes:
        system: Whom to ask.
        batch: How many items it is asked at once.
        local: Whether it runs on this machine.
        toolchain: What of this machine can change its answers.
    """

    system: System
    batch: int = BATCH
    local: bool = True
    toolchain: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Met:
    """What two systems came to on the same items.

    Attributes:
        pairs: Of the items that both answered.
        unscored: Items that one of them could not answer; they are asked again next time.
        own_ms, rival_ms: Median milliseconds of an answer, ``None`` where nothing was timed.
    """

    pairs: tuple[Pair, ...]
    unscored: int
    own_ms: float | None
    rival_ms: float | None


def meet(
    own: Side,
    other: Side,
    role: Rival,
    sealed: Eval,
    asking: Asking,
    *,
    without: Collection[str] = (),
    fresh_from: str = "",
    source: str = "eval",
) -> Met:
    """Ask both sides what they have not been asked of an eval, and pair their outcomes.

    Args:
        own: The specialist.
        other: The rival.
        role: The rival's.
        sealed: The items.
        asking: See ``Asking``.
        without: Ids of items that are left out: paired before, or leaked.
        fresh_from: ISO date from which an item is newer than what the specialist was made from;
            "" for items that are old whatever their date.
        source: Where the items come from.

    Raises:
        UnavailableError: ``cancelled``; or what a system raises.
        StorageError: Answers cannot be kept, or another process asks (``journal_busy``).
    """
    items = [item for item in sealed.items if item.id not in without]
    first = answers_of(own, sealed, items, asking)
    second = answers_of(other, sealed, items, asking)
    pairs = []
    for item in items:
        one, two = first[item.id], second[item.id]
        if one.item.outcome == "unscored" or two.item.outcome == "unscored":
            continue
        pairs.append(
            Pair(
                rival=role,
                item=item.id,
                cluster=item.cluster,
                own=one.item.outcome,
                other=two.item.outcome,
                date=item.date or "",
                fresh=bool(fresh_from) and (item.date or "")[:10] >= fresh_from,
                source="feedback" if source == "feedback" else "eval",
            )
        )
    return Met(
        tuple(pairs), len(items) - len(pairs), _median(first.values()), _median(second.values())
    )


def answers_of(
    side: Side, sealed: Eval, items: Sequence[EvalItem], asking: Asking
) -> dict[str, Answered]:
    """A system's answers to some items by their ids; what is known is not asked again."""
    with Answers.opened(asking.folder, side.system, sealed, side.toolchain) as answers:
        missing = [item for item in items if answers.of(item) is None]
        done = len(items) - len(missing)
        for start in range(0, len(missing), side.batch):
            if asking.cancelled():
                raise _stopped(done + start, len(items))
            answers.ask(missing[start : start + side.batch])
            asked = min(start + side.batch, len(missing))
            asking.report(
                Progress(
                    "watch",
                    f"{side.system.name}: {done + asked:,} of {len(items):,} items",
                    (done + asked) / len(items),
                )
            )
        return {item.id: answers.of(item) or Answered.silent(item) for item in items}


def _median(answered: Collection[Answered]) -> float | None:
    timed = [one.seconds for one in answered if one.seconds > 0.0]
    return round(1000.0 * statistics.median(timed), 4) if timed else None


def _stopped(done: int, total: int) -> UnavailableError:
    return UnavailableError(
        f"The watch was stopped after {done:,} of {total:,} items.",
        code="cancelled",
        remedy="Run the same command again; it goes on from there.",
        retryable=True,
    )
