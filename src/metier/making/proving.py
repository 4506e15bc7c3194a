"""Proving: the exported parts against the majority, their own base and the general model.

It knows which rivals there are and runs each on the sealed items; scoring and statistics are
``evals``'. What is questioned here is loaded from the bytes that will be installed, never the
fitted objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from metier.card import Cost, Evidence, Row
from metier.engines import remote, systems
from metier.engines.remote import GeneralSystem, Service
from metier.engines.systems import MajoritySystem, SpecialistSystem, ZeroShotSystem
from metier.errors import UnavailableError
from metier.evals.comparing import compare
from metier.evals.items import Eval
from metier.evals.results import Result
from metier.evals.running import discard, journal_path, run_to_end
from metier.evals.summary import mean_score
from metier.features import FeatureSpec, hashed_counts
from metier.heads import FloatArray, inverse_document_frequency, weigh
from metier.making.rows import Rows
from metier.messages import Example, Progress, Report, System
from metier.picturing import Pictures
from metier.recipe import Recipe

EXAMPLES = 5
"""Retrieved examples that the general model is shown (field practice, ``docs/explanation``)."""
NOT_CONFIGURED = "no general model is configured"
NOT_INSTALLED = "the base encoder is not installed"
NOT_WANTED = "the recipe does not ask for it"
NO_NAMES = "an encoder of pictures knows no names of labels, so it answers nothing by itself"
NO_EYES = "nothing says that the general model takes pictures (METIER_GENERAL_SEES)"
CONFIGURE_EYES = "METIER_GENERAL_SEES=1 {command}"
CONFIGURE = (
    "METIER_GENERAL_URL=https://HOST/v1 METIER_GENERAL_MODEL=MODEL "
    "metier eval {name} --on {name} --against general"
)


@dataclass(frozen=True)
class Proof:
    """The rows that are always shown, the evidence, and each role's result.

    ``journals`` hold answers that were paid for; ``settle`` removes them once all is installed.
    """

    rows: tuple[Row, ...]
    evidence: tuple[Evidence, ...]
    results: dict[str, Result]
    journals: tuple[Path, ...] = ()

    def settle(self) -> None:
        """Remove the journals of paid answers: the results are kept elsewhere."""
        for journal in self.journals:
            discard(journal)


@dataclass(frozen=True)
class Showing:
    """How pictures are put to a general model.

    Attributes:
        pictures: Pictures by digest.
        view: Digests to rows by which pictures are alike, shape (len(digests), width).
    """

    pictures: Pictures
    view: Callable[[Sequence[str]], FloatArray]


@dataclass(frozen=True)
class Trial:
    """What every run of this eval shares; ``showing`` where its items are pictures."""

    rows: Rows
    journals: Path
    toolchain: dict[str, str]
    report: Report
    cancelled: Callable[[], bool]
    showing: Showing | None = None

    @property
    def sealed(self) -> Eval:
        """The eval."""
        return self.rows.sealed

    def journal(self, system: System) -> Path:
        """Where the answers of a run are kept as they come."""
        digest, eval_digest = system.digest, self.sealed.fingerprint
        return journal_path(self.journals, digest, eval_digest, self.toolchain)

    def run(self, system: System) -> Result:
        """Question one system; resumes where an interrupted run stopped.

        Answers that cost money stay in the journal until ``Proof.settle``.
        """
        return run_to_end(
            system,
            self.sealed,
            journals=self.journals,
            batch=remote.BATCH if isinstance(system, GeneralSystem) else systems.BATCH,
            toolchain=self.toolchain,
            report=self.report,
            cancelled=self.cancelled,
            keep=isinstance(system, GeneralSystem),
        )


def prove(
    recipe: Recipe,
    trial: Trial,
    *,
    specialist: SpecialistSystem,
    specialist_cost: Cost,
    base: ZeroShotSystem | str,
    base_cost: Cost,
    service: Service | None,
    date: str,
) -> Proof:
    """Run all rivals and compare.

    Args:
        recipe: Names the rivals and the margin.
        trial: The eval and where its runs are journalled.
        specialist: Loaded from the exported bytes.
        specialist_cost: Milliseconds and bytes.
        base: The base on label names, or why it is not asked.
        base_cost: Of the base.
        service: The general model, or ``None`` if none is configured.
        date: ISO date of the evidence.
    """
    results = {"specialist": trial.run(specialist)}
    rows = [_row("specialist", results["specialist"], specialist_cost)]
    costs: dict[str, Cost] = {"specialist": specialist_cost}
    rivals: list[tuple[str, System, Cost]] = []
    frequent = int(np.bincount(trial.rows.classes).argmax())
    rivals.append(("majority", MajoritySystem(trial.rows.labels[frequent]), Cost(ms_per_text=0.0)))
    if isinstance(base, ZeroShotSystem):
        rivals.append(("base", base, base_cost))
    if service is not None and "general" in recipe.eval.against and _can_see(recipe, service):
        rivals.extend(_general(service, recipe, trial.rows, trial.showing))
    for role, system, cost in rivals:
        trial.report(Progress("eval", f"Asking {system.name}."))
        try:
            result = trial.run(system)
        except UnavailableError as error:
            if error.code == "cancelled":
                raise
            # The work of the maker is not lost because somebody else is not there.
            rows.append(_unasked(role, system.name, error.message, _repeat(recipe, role)))
            continue
        if isinstance(system, GeneralSystem):
            cost = _measured(cost, system.service, result)
        if not result.scored:
            note = f"none of its {len(result.items):,} answers could be scored"
            row = _unasked(role, system.name, note, _repeat(recipe, role))
            rows.append(row.model_copy(update={"cost": cost}))
            continue
        results[_key(role, results)] = result
        costs[_key_of(result, results)] = cost
        rows.append(_row(role, result, cost).model_copy(update={"settings": _settings(system)}))
    rows.extend(_missing(recipe, base, service))
    evidence = [
        compare(
            results["specialist"],
            result,
            against=_role(key),
            command=_repeat(recipe, _role(key)),
            date=date,
            leaked=trial.rows.leaked,
            margin=recipe.eval.margin,
            costs=(costs["specialist"], costs[key]),
        )
        for key, result in results.items()
        if key != "specialist"
    ]
    journals = [
        trial.journal(system) for _, system, _ in rivals if isinstance(system, GeneralSystem)
    ]
    return Proof(tuple(rows), tuple(evidence), results, tuple(journals))


def _can_see(recipe: Recipe, service: Service) -> bool:
    return service.sees or not recipe.of_pictures


def _general(
    service: Service, recipe: Recipe, rows: Rows, showing: Showing | None
) -> list[tuple[str, System, Cost]]:
    """The general model twice: on label names alone, and with retrieved examples."""
    labels = rows.labels
    if recipe.specialist.out_of_scope_label is not None:
        labels = (*labels, recipe.specialist.out_of_scope_label)
    source, pictures = rows.summary.train_digest, showing.pictures if showing else None
    find = nearest(rows.examples) if showing is None else alike(rows.examples, showing.view)
    cost = Cost(cost_class="remote", price_per_million_tokens=service.price_in)
    bare = GeneralSystem(service, labels, pictures=pictures)
    shown = GeneralSystem(service, labels, find, EXAMPLES, source, pictures)
    return [("general", bare, cost), ("general", shown, cost)]


def alike(
    examples: Sequence[Example], view: Callable[[Sequence[str]], FloatArray]
) -> Callable[[Sequence[str]], list[list[Example]]]:
    """Retrieval of pictures: for each the examples most like it by cosine, nearest first."""

    def unit(digests: Sequence[str]) -> FloatArray:
        rows = view(digests)
        scaled: FloatArray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return scaled

    known = cache(lambda: unit([example.text for example in examples]))

    def find(digests: Sequence[str]) -> list[list[Example]]:
        order = np.argsort(-(unit(digests) @ known().T), axis=1, kind="stable")[:, :EXAMPLES]
        return [[examples[column] for column in row] for row in order.tolist()]

    return find


def nearest(examples: Sequence[Example]) -> Callable[[Sequence[str]], list[list[Example]]]:
    """Retrieval by hashed words: for each text the examples most like it, nearest first."""
    spec = FeatureSpec()
    counts = hashed_counts([example.text for example in examples], spec)
    idf = inverse_document_frequency(counts)
    index = weigh(counts, idf).T.tocsr()

    def find(texts: Sequence[str]) -> list[list[Example]]:
        similar = (weigh(hashed_counts(texts, spec), idf) @ index).tocsr()
        found = []
        for row in range(len(texts)):
            part = similar.getrow(row)
            order = np.argsort(-part.data, kind="stable")[:EXAMPLES]
            found.append([examples[column] for column in part.indices[order].tolist()])
        return found

    return find


def _measured(cost: Cost, service: Service, result: Result) -> Cost:
    tokens_in = sum(item.tokens_in for item in result.items)
    tokens_out = sum(item.tokens_out for item in result.items)
    return cost.model_copy(
        update={
            "ms_per_text": result.timings.median_ms() if result.timings else None,
            "spent": service.spent(tokens_in, tokens_out),
        }
    )


def _settings(system: System) -> dict[str, str | float]:
    """What of a rival was fitted on the training rows."""
    if isinstance(system, MajoritySystem):
        return {"label": system.label}
    if isinstance(system, ZeroShotSystem) and system.similarity_below is not None:
        return {"similarity_below": system.similarity_below}
    return {}


def _row(role: str, result: Result, cost: Cost) -> Row:
    return Row.model_validate(
        {"role": role, "name": result.system_name, "score": mean_score(result), "cost": cost}
    )


def _unasked(role: str, name: str, note: str, command: str) -> Row:
    return Row.model_validate({"role": role, "name": name, "note": note, "command": command})


def _never(role: str, note: str) -> Row:
    return Row.model_validate({"role": role, "name": role, "note": note})


def _missing(recipe: Recipe, base: ZeroShotSystem | str, service: Service | None) -> list[Row]:
    rows = []
    if recipe.of_pictures:
        rows.append(_never("base", NO_NAMES))
    elif isinstance(base, str):
        mend = "metier doctor" if base == NOT_INSTALLED else _repeat(recipe, "base")
        rows.append(_unasked("base", "base", base, mend))
    if service is None:
        command = CONFIGURE.format(name=recipe.specialist.name)
        told = CONFIGURE_EYES.format(command=command) if recipe.of_pictures else command
        rows.append(_unasked("general", "general", NOT_CONFIGURED, told))
    elif "general" not in recipe.eval.against:
        rows.append(_unasked("general", "general", NOT_WANTED, _repeat(recipe, "general")))
    elif not _can_see(recipe, service):
        command = CONFIGURE_EYES.format(command=_repeat(recipe, "general"))
        rows.append(_unasked("general", "general", NO_EYES, command))
    return rows


def _repeat(recipe: Recipe, role: str) -> str:
    name = recipe.specialist.name
    return f"metier compare {name} {role} --on {name}"


def _key(role: str, results: dict[str, Result]) -> str:
    """A file name for a result; a second result of one role gets a number."""
    if role not in results:
        return role
    return f"{role}-{2 + sum(key.startswith(f'{role}-') for key in results)}"


def _key_of(result: Result, results: dict[str, Result]) -> str:
    return next(key for key, value in results.items() if value is result)


def _role(key: str):  # type: ignore[no-untyped-def]  # the literal of card.Evidence.against
    return key.partition("-")[0]
