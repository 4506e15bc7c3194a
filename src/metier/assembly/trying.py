"""Find by eval: who of what is here can answer a file of examples, and the search among them.

It knows what is installed, which services are written down, and what each can answer; how a
search goes is ``examine.trying``'s matter. Nothing is fetched: what is not here is only named.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, Unpack
from urllib.parse import urlsplit

from metier.answer import Answering
from metier.assembly.bases import LOCAL, REMOTE, Bases
from metier.assembly.conversations import Conversations, conversant_base
from metier.assembly.measuring import SUITES
from metier.assembly.overbase import SpecialistOverBase
from metier.assembly.workbench import Workbench, never, today, toolchain
from metier.errors import InputError, MetierError, NotFoundError
from metier.finding import Found, Query
from metier.fleet import Fleet, Installed
from metier.ledger import Ledger
from metier.messages import Report, silent
from metier.recipe import PICTURES
from metier.reference import Digest
from metier.services import is_loopback
from metier.settings import Settings

if TYPE_CHECKING:
    from metier.assembly.models import LocalModels
    from metier.datasets.questions import Sheet
    from metier.evals.items import Eval
    from metier.examine.tried import Budget, Candidate, LeftOut, Tried

GENERAL = f"{REMOTE}general"
MOST_NAMED = 5
"""Entries of catalogues that are named as what could be tried too."""

_LOCAL_BATCH = 256
_SHOWN_LABELS = 3
_LOOKED_AT = 40
NOT_HERE = "It is not installed."


class Trial(TypedDict, total=False):
    """What ``Metier.find_by_eval`` may be told; see ``Trying.find_by_eval``."""

    candidates: Sequence[str]
    questions: int | None
    seconds: float | None
    seed: int
    against: str | None
    name: str | None
    report: Report
    cancelled: Callable[[], bool]


@dataclass(frozen=True)
class Field:
    """Who could answer a file of examples.

    Attributes:
        sheet: What the file was taken for.
        candidates: Who can.
        left_out: Who cannot, and why.
        others: Not here; they could be tried after a pull.
        sealed: The eval, if the file is a sealed one.
    """

    sheet: Sheet
    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]
    others: tuple[LeftOut, ...]
    sealed: Eval | None = None


class Here(Protocol):
    """What a search needs of the façade."""

    settings: Settings
    fleet: Fleet
    models: LocalModels

    @property
    def ledger(self) -> Ledger:
        """Where evidence is written."""

    def find(self, query: Query) -> Found:
        """What catalogues name."""


class Trying:
    """Searches by eval over one home; threads may share it."""

    def __init__(
        self, here: Here, parts: tuple[Answering, Bases, Conversations, Workbench]
    ) -> None:
        self._here = here
        self._settings, self._fleet = here.settings, here.fleet
        self._answering, self._bases, self._conversations, self._workbench = parts

    def field(
        self,
        source: Path,
        wanted: Sequence[str] = (),
        *,
        name: str | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> Field:
        """What a file of examples is, and who of what is here can answer it.

        Args:
            source: Labelled texts, or questions with answers; see ``datasets.questions``.
            wanted: Names of candidates; all that can answer, if none is named.
            name: What people call the file.
            cancelled: Handed to what writes.

        Raises:
            InputError: The file is wrong (which row, and how to mend it).
            NotFoundError: There is no candidate of a name that is wanted.
        """
        sheet, sealed = _read(source, name)
        candidates: list[Candidate] = []
        left_out: list[LeftOut] = []
        named = [self._familiar(one) for one in wanted] or self._everybody(sheet)
        for entrant in dict.fromkeys(named):
            found = self._candidate(entrant, sheet, cancelled)
            (left_out if _is_left_out(found) else candidates).append(found)  # type: ignore[arg-type]
        others = () if wanted else self._others()
        return Field(sheet, tuple(candidates), tuple(left_out), others, sealed)

    def find_by_eval(self, source: Path, **told: Unpack[Trial]) -> Tried:
        """Try candidates on one's own examples, and score the best again on untouched ones.

        Args:
            source: Labelled texts, or questions with answers.
            **told: ``candidates`` names who is tried (by default all that can on this machine: a
                remote service gets no question before it is named); ``questions`` or
                ``seconds`` is the budget; ``seed`` orders the questions; ``against`` names a
                candidate with which the winner is compared too; ``name`` is what people call the
                file; ``report`` receives progress and ``cancelled`` stops the search.

        Returns:
            The search. Its results lie in the home, its evidence stands in the ledger.

        Raises:
            InputError: The file, a name or the budget is wrong: see ``field`` and
                ``examine.trying.Trier.search``.
            UnavailableError: ``cancelled``; what was answered is kept. ``nobody_answered``.
        """
        from metier.examine.tried import Budget
        from metier.examine.trying import Trier

        cancelled = told.get("cancelled", never)
        against = told.get("against")
        against = None if against is None else self._familiar(against)
        wanted = [self._familiar(one) for one in told.get("candidates", ())]
        if against is not None and wanted and against not in wanted:
            wanted.append(against)
        field = self.field(source, wanted, name=told.get("name"), cancelled=cancelled)
        if not wanted:
            field = _kept_here(field)
        if not field.candidates:
            raise _nobody(field)
        sealed = field.sealed or _sealed(field)
        budget = Budget(told.get("questions"), told.get("seconds"))
        seed = told.get("seed", 0)
        command = _command(told.get("name") or str(source), wanted, budget, seed, against)
        home = self._settings.home
        trier = Trier(
            journals=home / "journals",
            results=home / "results",
            toolchain=toolchain(),
            today=today(),
            leaked=self._leaked,
            report=told.get("report", silent),
            cancelled=cancelled,
        )
        tried = trier.search(
            sealed,
            field.candidates,
            budget=budget,
            seed=seed,
            reference=against,
            command=command,
        )
        tried = replace(
            tried,
            left_out=(*field.left_out, *tried.left_out),
            others=field.others,
            sheet=field.sheet.to_dict(),
            alone=self._alone(field, cancelled),
        )
        for item in tried.evidence:
            self._here.ledger.append(
                "evidence",
                str(tried.search.winner),
                Digest.parse(item.results[0]),
                item.model_dump(mode="json"),
            )
        return tried

    def _everybody(self, sheet: Sheet) -> list[str]:
        """Every name that might answer: those of the wrong task are not worth a reason."""
        names = []
        for item in self._fleet.list():
            if item.task == PICTURES:
                continue  # what is tried here are texts
            specialist = item.classifier if sheet.kind == "labels" else item.chat
            if specialist is not None or (sheet.kind == "labels" and _is_encoder(item)):
                names.append(item.name)
        names += self._here.models.writers()
        names += [f"{REMOTE}{service}" for service in self._bases.services()]
        if self._settings.general_url:
            names.append(GENERAL)
        return names

    def _familiar(self, name: str) -> str:
        """The name by which somebody takes part; raises NotFoundError if nobody has it."""
        if name.startswith(REMOTE):
            return name
        return self._fleet.show(name.removeprefix(LOCAL)).name

    def _candidate(
        self, name: str, sheet: Sheet, cancelled: Callable[[], bool]
    ) -> Candidate | LeftOut:
        """Somebody as a candidate, or why not; raises NotFoundError if there is none."""
        from metier.examine.tried import LeftOut

        try:
            if name.startswith(REMOTE):
                return self._writer(name, sheet, cancelled)
            item = self._fleet.show(name)
            if item.task == PICTURES:
                return LeftOut(name, "it classifies pictures, and these are texts", "")
            if item.classifier is not None:
                return self._classifier(item, sheet)
            if item.chat is not None:
                return self._specialist(item, sheet, cancelled)
            if item.model is not None:
                return self._writer(item.name, sheet, cancelled, item)
            if _is_encoder(item) and sheet.kind == "labels":
                return self._encoder(item, sheet)
        except NotFoundError:
            raise
        except MetierError as error:
            return LeftOut(name, error.message, error.remedy or "")
        what = item.task or item.kind
        return LeftOut(name, f"It is of the kind {what!r}, which does not answer such examples.")

    def _classifier(self, item: Installed, sheet: Sheet) -> Candidate | LeftOut:
        from metier.engines.systems import SpecialistSystem
        from metier.examine.tried import Candidate, LeftOut

        if sheet.kind != "labels":
            return LeftOut(item.name, "It gives labels; these are questions with answers.")
        classifier = self._answering.classifier(item.name)
        known = {*classifier.labels, classifier.out_of_scope_label}
        lacking = [label for label in sheet.labels if label not in known]
        if lacking:
            shown = ", ".join(lacking[:_SHOWN_LABELS])
            more = len(lacking) - _SHOWN_LABELS
            rest = f" and {more} more" if more > 0 else ""
            return LeftOut(
                item.name,
                f"It does not know {len(lacking)} of {len(sheet.labels)} labels: {shown}{rest}.",
            )
        return Candidate(
            name=item.name,
            kind="classifier",
            system=SpecialistSystem(item.name, classifier),
            batch=_LOCAL_BATCH,
            weight=float(item.size_bytes),
            act=f"metier run {shlex.quote(item.name)}",
        )

    def _encoder(self, item: Installed, sheet: Sheet) -> Candidate:
        from metier.engines.systems import ZeroShotSystem
        from metier.examine.tried import Candidate

        encoder = self._answering.encoder(item.name, "fp32")
        return Candidate(
            name=item.name,
            kind="encoder",
            system=ZeroShotSystem(
                name=f"{item.name} on label names",
                encoder=encoder,
                embed=encoder.encode,
                labels=sheet.labels,
            ),
            weight=float(item.size_bytes),
            act=f"metier make --task classify --data {shlex.quote(sheet.source)} --name NAME",
        )

    def _writer(
        self,
        name: str,
        sheet: Sheet,
        cancelled: Callable[[], bool],
        item: Installed | None = None,
    ) -> Candidate | LeftOut:
        from metier.engines.questioned import BATCH, WritingSystem
        from metier.examine.tried import HEAVY, Candidate, LeftOut

        if item is not None and item.name not in self._here.models.writers():
            return LeftOut(name, "It does not write.")
        services = self._bases.services()
        entry = services.get(name.removeprefix(REMOTE))
        system = WritingSystem(
            generator=self._bases.generator(name),
            labels=sheet.labels,
            parallel=entry.parallel if entry is not None else 1,
            cancelled=cancelled,
        )
        kind = "service" if self._is_elsewhere(name) else "local service"
        return Candidate(
            name=name,
            kind=kind if item is None else "writer",
            system=system,
            batch=max(BATCH, system.parallel),
            weight=HEAVY if item is None else float(item.size_bytes),
            act=f"metier run {shlex.quote(name)}",
        )

    def _is_elsewhere(self, name: str) -> bool:
        """Whether a service is reached over a network, so that questions would leave here."""
        entry = self._bases.services().get(name.removeprefix(REMOTE))
        url = entry.url if entry is not None else self._settings.general_url or ""
        return not is_loopback(urlsplit(url).hostname or "")

    def _specialist(
        self, item: Installed, sheet: Sheet, cancelled: Callable[[], bool]
    ) -> Candidate | LeftOut:
        from metier.engines.questioned import BATCH, WritingSystem
        from metier.examine.tried import Candidate, LeftOut

        if sheet.kind == "labels":
            return LeftOut(item.name, "It answers in words; these are labels.")
        conversant = self._conversations.conversant(item.name)
        base = self._settings.base or conversant_base(conversant)
        if base is None:
            return LeftOut(item.name, "It needs a base that writes: set METIER_BASE.")
        generator = SpecialistOverBase(
            item, self._bases.generator(base), base, self._conversations, cancelled
        )
        return Candidate(
            name=item.name,
            kind="specialist",
            system=WritingSystem(generator, instructed=False, cancelled=cancelled),
            batch=BATCH,
            weight=float(item.size_bytes),
            act=f"metier run {shlex.quote(item.name)}",
        )

    def _others(self) -> tuple[LeftOut, ...]:
        """What catalogues name that writes, runs here and is not installed; general models first.

        What writes can be given any labels and any question; what was made for other labels
        cannot.
        """
        from metier.examine.tried import LeftOut

        found: dict[str, LeftOut] = {}
        for domain in ("general", ""):
            asked = Query(task="chat", domain=domain, fits=True, limit=_LOOKED_AT, meaning=False)
            for hit in self._here.find(asked).hits:
                entry = hit.entry
                if not hit.installed and entry.pull and len(found) < MOST_NAMED:
                    command = f"metier pull {shlex.quote(entry.pull)}"
                    found.setdefault(entry.name, LeftOut(entry.name, NOT_HERE, command))
        return tuple(found.values())

    def _leaked(self, candidate: Candidate, sealed: Eval) -> frozenset[str] | None:
        """Ids of the items that overlap a classifier's training rows; ``None`` if not known."""
        if candidate.kind != "classifier":
            return None
        return self._workbench.examiner().leaks_of(candidate.name, sealed, silent)

    def _alone(self, field: Field, cancelled: Callable[[], bool]) -> bool:
        """Whether the one candidate is the only one that can answer, named or not."""
        if len(field.candidates) != 1:
            return False
        rest = [one for one in self._everybody(field.sheet) if one != field.candidates[0].name]
        return all(_is_left_out(self._candidate(one, field.sheet, cancelled)) for one in rest)


def _kept_here(field: Field) -> Field:
    """Without remote services: somebody's examples leave the machine only if that is asked for."""
    from metier.examine.tried import LeftOut

    elsewhere = tuple(one for one in field.candidates if one.kind == "service")
    said = "It is a remote service and would get your questions; it is tried if you name it."
    told = tuple(LeftOut(one.name, said, f"--candidate {one.name}") for one in elsewhere)
    here = tuple(one for one in field.candidates if one.kind != "service")
    return replace(field, candidates=here, left_out=(*field.left_out, *told))


def _is_left_out(found: Candidate | LeftOut) -> bool:
    from metier.examine.tried import LeftOut

    return isinstance(found, LeftOut)


def _is_encoder(item: Installed) -> bool:
    return item.kind == "base" and item.manifest.part("base.json") is not None


def _read(source: Path, name: str | None) -> tuple[Sheet, Eval | None]:
    """What a file of examples was taken for; of a sealed eval also the eval.

    Raises:
        InputError: It names an executed eval (``executed_eval``), or the file is wrong.
        NotFoundError: There is no such file.
    """
    from metier.datasets.questions import Sheet, read_sheet
    from metier.evals.items import is_sealed, read_eval
    from metier.evals.matching import ANSWER
    from metier.messages import Example

    if not source.exists() and source.name == str(source) and (SUITES / source.name).is_dir():
        raise InputError(
            f"{source.name!r} is an executed eval: its answers are run, not compared.",
            code="executed_eval",
            remedy=f"Measure bases on it: metier eval NAME --on {source.name} --base A --base B",
        )
    if not source.is_file() or not is_sealed(source):
        return read_sheet(source, name=name), None
    sealed = read_eval(source)
    examples = [Example(item.text, item.label, item.cluster, item.date) for item in sealed.items]
    kind: Literal["labels", "answers"] = "answers" if sealed.scorer == ANSWER.name else "labels"
    told = (f"A sealed eval, {sealed.fingerprint[:19]}.",)
    label = name or source.name
    return Sheet(kind, label, "jsonl", "text", "label", None, tuple(examples), told), sealed


def _sealed(field: Field) -> Eval:
    """The examples as an eval; raises InputError on a label or text that is too long."""
    from metier.evals.items import seal
    from metier.evals.matching import ANSWER
    from metier.evals.scoring import Accuracy

    scorer = Accuracy().name if field.sheet.kind == "labels" else ANSWER.name
    return seal(field.sheet.examples, scorer=scorer)


def _nobody(field: Field) -> InputError:
    told = " ".join(f"{one.name}: {one.why}" for one in field.left_out[:4])
    pull = field.others[0].command if field.others else ""
    instead = f"Run: {pull}" if pull else "Pull a model that writes, or write down a service"
    return InputError(
        f"Nothing here can answer {field.sheet.source}. {told}".strip(),
        code="no_candidates",
        remedy=f"{instead}; of labelled rows a specialist can be made: metier make --task "
        f"classify --data {shlex.quote(field.sheet.source)} --name NAME",
        details={"left_out": [{"name": one.name, "why": one.why} for one in field.left_out]},
    )


def _command(
    source: str, wanted: Sequence[str], budget: Budget, seed: int, against: str | None
) -> str:
    words = ["metier", "find", "--eval", source]
    for name in wanted:
        words += ["--candidate", name]
    if budget.seconds is not None:
        words += ["--budget", f"{budget.seconds:g}s"]
    elif budget.questions is not None:
        words += ["--budget", str(budget.questions)]
    words += ["--seed", str(seed)] if seed else []
    words += ["--against", against] if against else []
    return shlex.join(words)
