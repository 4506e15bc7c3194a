"""Who is asked what in a hop: champion and challenger on the same items, both by the examiner.

What was answered before, by the very bytes that are installed, to the very items, with the same
libraries, is not asked again: some items are, and if one answer differs, all are. What an answer
costs is measured here and now, of both alike. It makes nothing and promotes nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from metier.assembly.workbench import Workbench, libraries_of, today, toolchain
from metier.card import Card, Cost, Evidence
from metier.errors import InputError, MetierError, NotFoundError
from metier.fleet import Installed
from metier.hop import without_leaks
from metier.messages import Example, Progress, Report
from metier.reference import Digest

if TYPE_CHECKING:
    from metier.evals.items import Eval
    from metier.evals.results import Result
    from metier.making.rows import Rows

ASKED_AGAIN = 48
"""Items that are asked once more before answers of before count."""
TIMED = 24
"""Texts on which the milliseconds of one are measured."""
_T = TypeVar("_T")
_RESULT = "results/specialist.jsonl"


class Asking:
    """The questions of one hop.

    Args:
        workbench: The examiner, and where results lie.
        champion: What answers now.
        rows: Its rows, with the items that were sealed of them.
    """

    def __init__(self, workbench: Workbench, champion: Installed, rows: Rows) -> None:
        self._workbench = workbench
        self._examiner = workbench.examiner()
        self._champion = champion
        self._rows = rows
        self._answers: dict[str, Result] = {}

    def fresh(self, path: Path, report: Report) -> Eval:
        """The items of a file that were neither trained on nor sealed.

        Raises:
            NotFoundError: There is no such file.
            InputError: None of them is fresh (code ``nothing_fresh``).
        """
        from metier.evals.items import Eval
        from metier.evals.leaks import scan

        if not path.is_file():
            raise NotFoundError(
                f"There is no file {str(path)!r}.", code="file_not_found", remedy="Check the path."
            )
        label = _card(self._champion).out_of_scope_label
        found = self._examiner.eval_of(str(path.absolute()), label)
        asked = [Example(item.text, item.label) for item in found.items]
        known = {item.text for item in self._rows.sealed.items}
        leaked = frozenset(scan(self._rows.examples, asked).leaked)
        items = tuple(
            item
            for place, item in enumerate(found.items)
            if place not in leaked and item.text not in known
        )
        if not items:
            raise InputError(
                f"None of the {len(asked):,} rows of {path.name!r} is fresh: all are sealed "
                "already or overlap the training rows.",
                code="nothing_fresh",
                remedy="Give rows that were written after the specialist was made.",
            )
        left = len(asked) - len(items)
        known_too = f"; {left:,} are known and left out" if left else ""
        report(
            Progress(
                "fresh",
                f"{len(items):,} fresh items{known_too}.",
                data={"fresh": len(items), "left_out": left},
            )
        )
        return Eval(items, found.scorer)

    def evidence(
        self,
        made: Installed,
        key: str,
        fresh: Eval | None,
        report: Report,
        cancelled: Callable[[], bool],
        reused: list[str],
    ) -> Evidence:
        """A challenger against the champion, filed in the ledger.

        Args:
            made: The challenger, installed aside.
            key: What it is called.
            fresh: Fresh items; ``None`` for the sealed ones.
            report: Receives progress.
            cancelled: Stops the work; what was answered is kept.
            reused: Is told what did not have to be asked.
        """
        from metier.evals.comparing import compare

        sealed = fresh or self._rows.sealed
        champion = self._champion
        second = self._answers.get(sealed.fingerprint)
        if second is None:
            second = self._result(champion, sealed, report, cancelled, reused)
            self._answers[sealed.fingerprint] = second
        first = self._result(made, sealed, report, cancelled, reused)
        texts = _spread([item.text for item in sealed.items], TIMED)
        found = without_leaks(
            compare(
                first,
                second,
                against="other",
                command=f"metier hop {champion.name} --base {key}",
                date=today(),
                leaked=frozenset() if fresh else self._rows.leaked,
                margin=self._rows.recipe.eval.margin,
                costs=(self._cost(made, texts), self._cost(champion, texts)),
            )
        )
        body = found.model_dump(mode="json")
        ledger = self._workbench.ledger
        ledger.append("evidence", champion.name, Digest.parse(first.digest), body)
        return found

    def _result(
        self,
        item: Installed,
        sealed: Eval,
        report: Report,
        cancelled: Callable[[], bool],
        reused: list[str],
    ) -> Result:
        """What it answers to these items, asked now or before."""
        name = item.name
        before = self._before(item, sealed)
        if before is not None:
            reused.append("answers to the sealed items")
            said = f"{name} answered these {len(sealed.items):,} items before, and still does."
            report(Progress("eval", said))
            return before
        report(Progress("eval", f"Asking {name}."))
        return self._examiner.run(name, name, sealed, _unshared(report), cancelled)

    def _before(self, item: Installed, sealed: Eval) -> Result | None:
        """Its result of when it was made, if it is of this and a sample bears it out."""
        from metier.engines.systems import SpecialistSystem
        from metier.evals.results import answer_digest, read_result

        try:
            path = self._workbench.fleet.part_path(item, _RESULT)
            known = read_result(path, timed=False)
        except MetierError:
            return None  # a card without its result: everything is asked
        same = (
            known.system == str(item.system)
            and known.eval_fingerprint == sealed.fingerprint
            and dict(known.toolchain) == toolchain(*libraries_of(self._rows.recipe))
        )
        if not same:
            return None
        asked = _spread(sealed.items, ASKED_AGAIN)
        system = SpecialistSystem(item.name, self._examiner.classifier(item.name))
        answers = system.answer([one.text for one in asked])
        before = {one.id: one.answer for one in known.items}
        now = [None if one.text is None else answer_digest(one.text) for one in answers]
        return known if now == [before.get(one.id) for one in asked] else None

    def _cost(self, item: Installed, texts: Sequence[str]) -> Cost:
        """Bytes from its card; milliseconds of one text alone, here and now."""
        from metier.making.material import median_milliseconds

        classifier = self._examiner.classifier(item.name)
        found = median_milliseconds(lambda text: classifier.predict([text], top=1), texts)
        return _card(item).cost.model_copy(update={"ms_per_text": found})


def _card(item: Installed) -> Card:
    card = item.classifier
    if card is None:
        raise InputError(f"{item.name!r} has no card of a classifier.", code="not_a_classifier")
    return card


def _spread(items: Sequence[_T], number: int) -> list[_T]:
    """So many of them, evenly spread; the same every time."""
    step = max(1, len(items) // number)
    return list(items[::step])[:number]


def _unshared(report: Report) -> Report:
    """Steps of one run, which say nothing of the whole hop's share."""
    return lambda progress: report(
        Progress(progress.stage, progress.message, None, progress.seconds_left, progress.data)
    )
