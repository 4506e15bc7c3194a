"""Remaking: the same recipe once more, to see that what is installed is what its recipe makes.

It knows the two ways to pass: the same digest, or (on another class of processor or with other
libraries) at least 99.9 % equal labels on the sealed items and no worse a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from metier.card import Card, Verdict
from metier.errors import InputError, MetierError, UnavailableError
from metier.evals.items import Eval
from metier.evals.results import Result, read_result
from metier.fleet import Fleet, Installed
from metier.making.clock import never
from metier.making.gathering import gather_any
from metier.making.makers import Makers
from metier.making.rows import Places
from metier.making.workflow import make
from metier.messages import Example, Progress, Report, silent
from metier.recipe import Recipe

EQUAL_LABELS = 0.999
ORDER = (Verdict.LOSS, Verdict.UNDERPOWERED, Verdict.TIE, Verdict.NOT_WORSE, Verdict.WIN)


@dataclass(frozen=True)
class Remade:
    """How a remake compares with what is installed.

    Attributes:
        same_digest: Whether the parts that answer are the same bytes.
        equal_labels: Share of sealed items with the same answer.
        verdicts: Rival to verdict, installed and remade.
        passed: Whether it counts as the same specialist.
        system: The remade system's digest.
    """

    same_digest: bool
    equal_labels: float
    verdicts: dict[str, tuple[str, str]]
    passed: bool
    system: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return asdict(self)


def remake(
    card: Card,
    result: Result,
    recipe: Recipe,
    makers: Makers,
    *,
    report: Report,
    cancelled: Callable[[], bool],
) -> Remade:
    """Make it again and compare.

    Args:
        card: The installed card.
        result: The installed specialist's result.
        recipe: Its recipe.
        makers: As for making; the general model is not asked again.
        report: Receives progress.
        cancelled: Stops the work.
    """
    ladder = recipe.ladder.model_copy(update={"curve": False})
    again = make(
        recipe.model_copy(update={"ladder": ladder}), makers, report=report, cancelled=cancelled
    )
    before = {item.id: item.answer for item in result.items}
    after = {item.id: item.answer for item in again.proof.results["specialist"].items}
    same_items = before.keys() == after.keys()
    equal = sum(before[key] == after[key] for key in before) / len(before) if same_items else 0.0
    verdicts: dict[str, tuple[str, str]] = {}
    worse = False
    for item in again.card.evidence:
        old = card.against(item.against)
        if old is not None:
            pair = (old.difference.verdict, item.difference.verdict)
            verdicts[item.against] = (str(pair[0]), str(pair[1]))
            worse = worse or ORDER.index(pair[1]) < ORDER.index(pair[0])
    same = again.card.system == card.system
    return Remade(
        same_digest=same,
        equal_labels=equal,
        verdicts=verdicts,
        passed=same or (equal >= EQUAL_LABELS and not worse),
        system=again.card.system,
    )


def sealed_again(installed: Installed, recipe_of: Callable[[str], Recipe], places: Places) -> Eval:
    """An installed specialist's eval, sealed once more from its recipe's sources.

    Raises:
        UnavailableError: The sources cannot be had (code ``eval_not_here``).
        InputError: They are no longer what they were (code ``other_eval``).
    """
    try:
        sealed = gather_any(recipe_of(str(installed.reference)), places, silent).sealed
    except MetierError as error:
        raise UnavailableError(
            f"The eval of {installed.name!r} is not kept here, and its rows cannot be had: "
            f"{error.message}",
            code="eval_not_here",
            remedy=error.remedy or "Set METIER_MIRROR, or go online.",
        ) from error
    card = installed.classifier
    if card is None or sealed.fingerprint != card.data.eval_digest:
        raise InputError(
            f"The rows of {installed.name!r} are no longer what its eval was sealed from.",
            code="other_eval",
        )
    return sealed


def trained_on(
    installed: Installed, recipe_of: Callable[[str], Recipe], places: Places
) -> Sequence[Example] | None:
    """What a specialist was trained on, or ``None`` if its sources are gone or have changed."""
    try:
        rows = gather_any(recipe_of(str(installed.reference)), places, silent)
    except MetierError:
        return None
    known = installed.classifier.data.train_digest if installed.classifier is not None else None
    return rows.examples if rows.summary.train_digest == known else None


def remake_all(
    installed: Sequence[Installed],
    fleet: Fleet,
    recipe_of: Callable[[str], Recipe],
    makers_for: Callable[[Recipe], Makers],
    *,
    report: Report,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Make every specialist again; what could not be made or differs is a problem.

    Args:
        installed: Those with a card.
        fleet: Holds their results.
        recipe_of: Name to recipe.
        makers_for: What each recipe is made with.
        report: Receives progress.

    Returns:
        A document for each remake, and the problems (``what``, ``where``, ``remedy``).
    """
    remade: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    for item in installed:
        card = item.classifier
        if card is None:
            continue
        report(Progress("remake", f"Making {item.name} again."))
        try:
            recipe = recipe_of(item.name)
            result = read_result(fleet.part_path(item.name, "results/specialist.jsonl"))
            again = remake(card, result, recipe, makers_for(recipe), report=report, cancelled=never)
        except MetierError as error:
            problems.append({"what": error.message, "where": item.name, "remedy": error.remedy})
            continue
        remade.append({"name": item.name, **again.to_dict()})
        if not again.passed:
            problems.append(
                {
                    "what": f"a remake answers otherwise ({100 * again.equal_labels:.2f} % equal)",
                    "where": item.name,
                    "remedy": "Make it again with the locked libraries.",
                }
            )
    return remade, problems
