"""Systems side by side on one sealed eval: results that are here, and what is missing measured.

It knows where results are kept and which system a name means; pairs, groups and disagreements are
``evals.contrast``'s. What was answered once is never asked again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from metier.card import Card, Cost
from metier.errors import InputError, MetierError
from metier.evals.contrast import Contrast, Side, contrast
from metier.evals.items import Eval
from metier.evals.results import Result, read_result
from metier.examine.sealed import RIVALS, Examiner
from metier.fleet import Installed
from metier.messages import Progress, Report
from metier.reference import Digest

MOST_HEADER = 65_536


@dataclass(frozen=True)
class Gathered:
    """What is known of a comparison.

    Attributes:
        on: What the eval was called.
        sealed: Its items.
        sides: Systems whose results are here, in the order they were named.
        missing: Names of the others.
        labels: Labels that any of them may answer.
    """

    on: str
    sealed: Eval
    sides: tuple[Side, ...]
    missing: tuple[str, ...]
    labels: tuple[str, ...]
    date: str

    @property
    def contrast(self) -> Contrast | None:
        """Every pair and the groups; ``None`` while fewer than two results are here."""
        return contrast(self.sides, on=self.on, date=self.date) if len(self.sides) > 1 else None


class Contraster:
    """Gathers and measures what a comparison needs; for one request."""

    def __init__(self, examiner: Examiner, leaks: Path) -> None:
        self._examiner = examiner
        self._leaks = leaks

    def gather(self, names: Sequence[str], *, on: str) -> Gathered:
        """What is here already; runs nothing.

        Args:
            names: Installed classifiers, or ``majority``, ``base``, ``general`` of the first.
            on: As in ``Examiner.examine``.

        Raises:
            NotFoundError: A name is not installed, or ``on`` is no eval.
            InputError: One is no classifier (``not_a_classifier``).
        """
        systems = {name: self._installed(name, names[0]) for name in names}
        owner = systems[names[0]]
        refusal = owner.classifier.out_of_scope_label if owner.classifier else None
        sealed = self._examiner.eval_of(on, refusal)
        kept = stored(self._examiner.results, sealed.fingerprint)
        sides, missing = [], []
        for name in names:
            result = self._known(name, systems[name], sealed, kept)
            if result is None:
                missing.append(name)
            else:
                sides.append(self._side(name, systems[name], sealed, result))
        labels = {label for item in systems.values() for label in _labels(item)}
        return Gathered(
            on, sealed, tuple(sides), tuple(missing), tuple(sorted(labels)), self._examiner.today
        )

    def measure(
        self,
        names: Sequence[str],
        *,
        on: str,
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Gathered:
        """The same with what was missing measured; see ``gather`` for what it raises."""
        found = self.gather(names, on=on)
        sides = {side.name: side for side in found.sides}
        for number, name in enumerate(found.missing):
            report(Progress("eval", f"{name} answers {len(found.sealed.items):,} questions."))
            result = self._examiner.run(name, names[0], found.sealed, report, cancelled)
            installed = self._installed(name, names[0])
            sides[name] = self._side(name, installed, found.sealed, result)
            report(Progress("eval", f"{name} has answered.", (number + 1) / len(found.missing)))
        for name, side in sides.items():
            if side.leaked is None and name not in RIVALS:
                leaked = self._examiner.leaks_of(name, found.sealed, report)
                if leaked is not None:
                    self._keep(side.result, leaked)
                    sides[name] = replace(side, leaked=leaked)
        return replace(found, sides=tuple(sides[name] for name in names), missing=())

    def _installed(self, name: str, first: str) -> Installed:
        """What a name means; a rival's role means the first system's."""
        installed = self._examiner.fleet.show(first if name in RIVALS else name)
        if installed.classifier is None:
            raise InputError(
                f"{installed.name!r} is of the task {installed.task or installed.kind}; sealed "
                "evals compare classifiers.",
                code="not_a_classifier",
                remedy="Name classifiers; 'metier list' shows the task of each.",
            )
        return installed

    def _known(
        self, name: str, installed: Installed, sealed: Eval, kept: dict[str, Path]
    ) -> Result | None:
        """The stored result of a system on this eval, or ``None``."""
        card = installed.classifier
        role = name if name in RIVALS else "specialist"
        part = f"results/{role}.jsonl"
        own = card is not None and card.data.eval_digest == sealed.fingerprint
        if name not in RIVALS and str(installed.system) in kept:
            return read_result(kept[str(installed.system)])
        if own and installed.manifest.part(part) is not None:
            try:
                return read_result(self._examiner.fleet.part_path(installed, part))
            except MetierError:  # it is measured again
                return None
        return None

    def _side(self, name: str, installed: Installed, sealed: Eval, result: Result) -> Side:
        if name in RIVALS:
            return Side(name, result, _timed(result), frozenset())
        card = installed.classifier
        cost = _timed(result)
        if card is not None:
            chosen = next((rung for rung in card.ladder if rung.state == "chosen"), None)
            if chosen is not None:
                cost = Cost(
                    ms_per_text=cost.ms_per_text or chosen.ms_per_text,
                    size_bytes=chosen.size_bytes,
                    shared_bytes=chosen.shared_bytes or None,
                )
        return Side(name, result, cost, self._leaked(card, sealed, result))

    def _leaked(self, card: Card | None, sealed: Eval, result: Result) -> frozenset[str] | None:
        """What is known of leaks without looking for them."""
        if card is not None and card.data.eval_digest == sealed.fingerprint:
            return frozenset(card.leaks.items)
        try:
            found = json.loads(self._leak_file(result).read_bytes())
            return frozenset(str(item) for item in found["items"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _keep(self, result: Result, leaked: frozenset[str]) -> None:
        self._leaks.mkdir(parents=True, exist_ok=True)
        file = self._leak_file(result)
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps({"items": sorted(leaked)}), "utf-8")
        draft.replace(file)

    def _leak_file(self, result: Result) -> Path:
        key = Digest.of(f"{result.system} {result.eval_fingerprint}".encode())
        return self._leaks / f"{key.hex}.json"


def stored(folder: Path, fingerprint: str) -> dict[str, Path]:
    """Results of an eval that are kept in a folder: system to file, the latest of each."""
    found: dict[str, tuple[float, Path]] = {}
    for file in folder.glob("*.jsonl"):
        header = _header(file)
        if header.get("eval") != fingerprint:
            continue
        modified = file.stat().st_mtime
        system = str(header.get("system"))
        if system not in found or modified > found[system][0]:
            found[system] = (modified, file)
    return {system: file for system, (_, file) in found.items()}


def _header(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            found = json.loads(opened.readline(MOST_HEADER))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _timed(result: Result) -> Cost:
    return Cost(ms_per_text=result.timings.median_ms() if result.timings else None)


def _labels(installed: Installed) -> Collection[str]:
    card = installed.classifier
    if card is None:
        return ()
    return (*card.labels, *([card.out_of_scope_label] if card.out_of_scope_label else []))
