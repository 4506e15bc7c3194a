"""Sealed evals: installed specialists and their rivals on labelled items, after they were made.

It knows where an eval comes from (a sealed file, labelled rows, the specialist's own) and which
system a name means; scoring and verdicts are ``evals``'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from metier.card import Cost, Evidence, Score
from metier.datasets.pictures import looks_like_pictures
from metier.datasets.recognising import read_examples
from metier.engines import questioned, remote, systems
from metier.engines.classifier import TextClassifier
from metier.engines.questioned import WritingSystem
from metier.engines.remote import GeneralSystem, Service
from metier.engines.systems import MajoritySystem, SpecialistSystem, ZeroShotSystem
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.evals.checking import check_eval
from metier.evals.comparing import Disagreements, compare, disagreements
from metier.evals.items import Eval, is_sealed, read_eval, seal
from metier.evals.leaks import scan
from metier.evals.results import Result
from metier.evals.running import run_to_end
from metier.evals.sameness import of_pictures, scan_pictures
from metier.evals.scoring import Accuracy
from metier.evals.summary import scores
from metier.fleet import Fleet, Installed
from metier.messages import Encoder, Example, Progress, Report, System
from metier.picturefeatures import trace
from metier.picturing import Pictures
from metier.recipe import PICTURES
from metier.reference import Digest

RIVALS = ("majority", "base", "general")


@dataclass(frozen=True)
class Examined:
    """What an examination came to.

    Attributes:
        name: The specialist.
        eval_name: What the eval was called.
        fingerprint: The eval's.
        scores: Of the specialist.
        evidence: One for each rival.
        result: Digest of the specialist's result.
        differ: Per rival, the item ids on which the two differ.
    """

    name: str
    eval_name: str
    fingerprint: str
    scores: tuple[Score, ...]
    evidence: tuple[Evidence, ...]
    result: str
    differ: dict[str, Disagreements]

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable mapping."""
        return {
            "name": self.name,
            "eval": self.eval_name,
            "fingerprint": self.fingerprint,
            "scores": [score.model_dump(mode="json") for score in self.scores],
            "evidence": [item.model_dump(mode="json") for item in self.evidence],
            "result": self.result,
            "differ": {
                name: {
                    "first_better": list(found.first_better),
                    "second_better": list(found.second_better),
                    "other_answer": list(found.other_answer),
                    "left_out": list(found.left_out),
                }
                for name, found in self.differ.items()
            },
        }


@dataclass(frozen=True)
class Examiner:
    """What assembly hands to an examination.

    Attributes:
        fleet: What is installed.
        classifier: Name to loaded specialist.
        base_of: Name of a specialist to the name of the base that its recipe names.
        encoder: Name of a base to its fp32 encoder; raises MetierError if it is not here.
        service: The general model where it is a service, or ``None``.
        writes: Name of a rival that writes, and labels, to what is asked; ``None`` if nothing of
            that name writes. ``general`` is the router's general model.
        evals: Folder of sealed evals.
        journals: Folder of interrupted runs.
        results: Folder in which results are kept.
        rebuild: Seals an installed specialist's eval again from its recipe's sources.
        training: The rows that it was trained on, or ``None`` if they are not here any more.
        toolchain: Part of every result.
        today: ISO date.
        pictured: Labelled pictures at a path, and a scorer, to a sealed eval of them.
        pictures: Pictures by digest.
        decoder: What else is part of a result whose items are pictures.
        engine: What else is part of a result that a model of this machine wrote.
    """

    fleet: Fleet
    classifier: Callable[[str], TextClassifier]
    base_of: Callable[[str], str]
    encoder: Callable[[str], Encoder]
    service: Service | None
    writes: Callable[[str, Sequence[str]], WritingSystem | None]
    evals: Path
    journals: Path
    results: Path
    rebuild: Callable[[Installed], Eval]
    training: Callable[[Installed], Sequence[Example] | None]
    toolchain: dict[str, str]
    today: str
    pictured: Callable[[Path, str], Eval]
    pictures: Pictures
    decoder: dict[str, str] = field(default_factory=dict)
    engine: dict[str, str] = field(default_factory=dict)

    def examine(
        self,
        name: str,
        *,
        on: str,
        against: Sequence[str],
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Examined:
        """Run a specialist and its rivals on an eval.

        Args:
            name: An installed specialist.
            on: The name of an installed specialist, whose own eval it then is; a sealed eval's
                file, or a file of labelled rows. A name goes first: ``./name`` is a file.
            against: Installed specialists, models that write (also ``remote:NAME``), or
                ``majority``, ``base``, ``general``.
            report: Receives progress.
            cancelled: Stops the work; what was answered is kept.
        """
        classifier = self.classifier(name)
        seen = classifier.task == PICTURES
        sealed = self.eval_of(on, classifier.out_of_scope_label, pictures=seen)
        first = self._run(SpecialistSystem(name, classifier), sealed, report, cancelled)
        evidence = []
        differ = {}
        leaked = self.leaked(name, sealed, report)
        for rival in against:
            system = self.system(rival, name, sealed)
            second = self._run(system, sealed, report, cancelled)
            evidence.append(
                compare(
                    first,
                    second,
                    against=_role(rival),
                    command=f"metier eval {name} --on {on} --against {rival}",
                    date=self.today,
                    leaked=leaked,
                    costs=(_cost(first), _cost(second, system)),
                )
            )
            differ[rival] = disagreements(first, second)
        return Examined(
            name=name,
            eval_name=on,
            fingerprint=sealed.fingerprint,
            scores=scores(sealed, first),
            evidence=tuple(evidence),
            result=first.digest,
            differ=differ,
        )

    def check(self, on: str) -> dict[str, Any]:
        """What an eval can show, and what is wrong with it."""
        sealed = self.eval_of(on, None)
        return check_eval(sealed, ()).to_dict()

    def eval_of(self, on: str, out_of_scope_label: str | None, *, pictures: bool = False) -> Eval:
        """The eval that ``on`` names; with ``pictures`` a table's rows are paths of some.

        Raises:
            NotFoundError: It is neither a file nor an installed specialist.
            InputError: The file holds no eval.
        """
        try:
            installed = self.fleet.show(on)
        except InputError as error:
            if not on or not Path(on).exists():
                raise NotFoundError(
                    f"{on!r} is neither a file nor an installed specialist.",
                    code="no_eval",
                    remedy="Name a file of labelled rows, a sealed eval, or a specialist.",
                ) from error
            return self._eval_at(Path(on), out_of_scope_label, pictures=pictures)
        if installed.classifier is None:
            raise InputError(f"{on!r} has no eval of its own.", code="no_eval")
        kept = self.evals / f"{Digest.parse(installed.classifier.data.eval_digest).hex}.jsonl"
        return read_eval(kept) if kept.is_file() else self.rebuild(installed)

    def _eval_at(self, path: Path, out_of_scope_label: str | None, *, pictures: bool) -> Eval:
        scorer = Accuracy(out_of_scope_label).name
        if path.is_file() and is_sealed(path):
            return read_eval(path)
        if pictures or looks_like_pictures(path):
            return self.pictured(path, scorer)
        dataset = read_examples(path, trains=False)
        held_out = dataset.part("test") or dataset.part("valid") or dataset.examples
        return seal(held_out, scorer=scorer)

    def run(
        self,
        rival: str,
        name: str,
        sealed: Eval,
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Result:
        """Run a system on an eval and keep its result; ``rival`` as in ``examine``."""
        return self._run(self.system(rival, name, sealed), sealed, report, cancelled)

    def _run(
        self, system: System, sealed: Eval, report: Report, cancelled: Callable[[], bool]
    ) -> Result:
        from metier.evals.results import write_result

        if isinstance(system, SpecialistSystem):
            _refuse_other_task(system, sealed)
        if isinstance(system, WritingSystem):
            system = replace(system, cancelled=cancelled)
        result = run_to_end(
            system,
            sealed,
            journals=self.journals,
            batch=batch_of(system),
            toolchain=self.judged_by(system, pictures=of_pictures(sealed.items)),
            report=report,
            cancelled=cancelled,
        )
        self.results.mkdir(parents=True, exist_ok=True)
        write_result(self.results / f"{Digest.parse(result.digest).hex}.jsonl", result)
        return result

    def judged_by(self, system: System, *, pictures: bool) -> dict[str, str]:
        """What of this machine can change a system's answers."""
        wrote = isinstance(system, WritingSystem) and not system.elsewhere
        return {
            **self.toolchain,
            **(self.decoder if pictures else {}),
            **(self.engine if wrote else {}),
        }

    def system(self, rival: str, name: str, sealed: Eval) -> System:
        """Whom ``rival`` means for a specialist; raises what asking for it raises."""
        classifier = self.classifier(name)
        refusal = classifier.out_of_scope_label
        if rival == "majority":
            label = self._settings(name, "majority").get("label")
            return MajoritySystem(str(label) if label is not None else _most_frequent(sealed))
        seen = classifier.task == PICTURES
        if seen and rival == "base":
            raise InputError(
                f"{name!r} classifies pictures, and an encoder of pictures knows no names of "
                "labels, so it answers nothing by itself.",
                code="no_rival",
                remedy="Compare it with 'majority', 'general' or another classifier of pictures.",
            )
        if rival == "base":
            base = self.base_of(name)
            encoder = self.encoder(base)
            below = self._settings(name, "base").get("similarity_below")
            return ZeroShotSystem(
                name=f"{base} on label names",
                encoder=encoder,
                embed=encoder.encode,
                labels=classifier.labels,
                out_of_scope_label=refusal if below is not None else None,
                similarity_below=float(below) if below is not None else None,
            )
        labels = (*classifier.labels, refusal) if refusal else classifier.labels
        if rival == "general" and self.service is not None:
            if seen and not self.service.sees:
                raise InputError(
                    f"{name!r} classifies pictures, and nothing says that the general model takes "
                    "them.",
                    code="no_rival",
                    remedy="Set METIER_GENERAL_SEES=1 if it does.",
                )
            return GeneralSystem(self.service, labels, pictures=self.pictures if seen else None)
        written = self.writes(rival, labels)
        if written is not None and seen:
            raise InputError(
                f"{name!r} classifies pictures, and {written.name} is shown none in an eval.",
                code="no_rival",
                remedy="A service that takes pictures can be asked: METIER_GENERAL_URL and "
                "METIER_GENERAL_SEES=1.",
            )
        if written is None and rival == "general":
            raise UnavailableError(
                "No general model is configured, and no model that writes is installed.",
                code="no_general",
                remedy="Set METIER_GENERAL_URL and METIER_GENERAL_MODEL, or 'metier pull' one.",
            )
        return written or SpecialistSystem(rival, self.classifier(rival))

    def _settings(self, name: str, role: str) -> dict[str, str | float]:
        """What was fitted for a rival when the specialist was made."""
        card = self.fleet.show(name).classifier
        rows = card.rows if card is not None else ()
        return next((row.settings for row in rows if row.role == role), {})

    def leaked(self, name: str, sealed: Eval, report: Report) -> frozenset[str]:
        """Ids of the items that overlap its training rows.

        Its own eval was scanned when it was made; another is scanned now, if the rows are here.
        """
        return self.leaks_of(name, sealed, report) or frozenset()

    def leaks_of(self, name: str, sealed: Eval, report: Report) -> frozenset[str] | None:
        """The same, or ``None`` if its training rows are not here."""
        installed = self.fleet.show(name)
        card = installed.classifier
        if card is not None and card.data.eval_digest == sealed.fingerprint:
            return frozenset(card.leaks.items)
        rows = self.training(installed)
        if rows is None:
            message = f"The training rows of {name} are not here: leaks cannot be looked for."
            report(Progress("leaks", message))
            return None
        questions = [Example(item.text, item.label) for item in sealed.items]
        if of_pictures(sealed.items):
            digests = {example.text for example in (*rows, *questions)}
            traces = {digest: trace(self.pictures.get(digest)) for digest in digests}
            scanned = scan_pictures(rows, questions, traces)
        else:
            scanned = scan(rows, questions)
        message = f"{len(scanned.leaked):,} of {len(questions):,} eval items leaked into training."
        report(Progress("leaks", message, data=scanned.report.model_dump()))
        return frozenset(sealed.items[position].id for position in scanned.leaked)


def batch_of(system: System) -> int:
    """Items between two writes of a system's journal: fewer where an answer takes long or costs."""
    if isinstance(system, WritingSystem):
        return max(questioned.BATCH, system.parallel)
    return remote.BATCH if isinstance(system, GeneralSystem) else systems.BATCH


def _refuse_other_task(system: SpecialistSystem, sealed: Eval) -> None:
    """Texts are not put to a classifier of pictures, nor pictures to one of texts."""
    wants = system.classifier.task == PICTURES
    if wants != of_pictures(sealed.items):
        said = ("pictures", "texts") if wants else ("texts", "pictures")
        raise InputError(
            f"{system.name!r} classifies {said[0]}, and the eval is one of {said[1]}.",
            code="wrong_task",
            remedy="Name an eval of its own kind; its own name is one.",
        )


def _most_frequent(sealed: Eval) -> str:
    from collections import Counter

    return Counter(item.label for item in sealed.items).most_common(1)[0][0]


def _cost(result: Result, system: System | None = None) -> Cost:
    cost = Cost(ms_per_text=result.timings.median_ms() if result.timings else None)
    if isinstance(system, WritingSystem) and system.elsewhere:
        return cost.model_copy(update={"cost_class": "remote"})
    if not isinstance(system, GeneralSystem):
        return cost
    service = system.service
    tokens = (
        sum(item.tokens_in for item in result.items),
        sum(item.tokens_out for item in result.items),
    )
    return cost.model_copy(
        update={
            "cost_class": "remote",
            "price_per_million_tokens": service.price_in,
            "spent": service.spent(*tokens),
        }
    )


def _role(rival: str) -> Literal["majority", "base", "general", "other"]:
    roles: dict[str, Literal["majority", "base", "general"]] = {
        "majority": "majority",
        "base": "base",
        "general": "general",
    }
    return roles.get(rival, "other")
