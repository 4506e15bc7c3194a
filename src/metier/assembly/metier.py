"""Assembly: the one place where the units are put together.

It knows every unit and decides nothing; each verb of the command line and of HTTP is one method
of ``Metier``. Heavy units are imported when a verb first needs them.
"""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.answer import Answering, base_digest
from metier.card import BaseReference, Card, Evidence
from metier.errors import InputError, NotFoundError, UnavailableError
from metier.fleet import Fleet, Installed
from metier.hardware import cpu_class, machine, usable_cores
from metier.ledger import Ledger
from metier.manifest import BASE, BUILD, KIND, RECIPE, TASK
from metier.messages import Example, Prediction, Progress, Report, silent
from metier.recipe import Recipe
from metier.reference import Digest, Reference
from metier.settings import Settings
from metier.sources import Sources
from metier.store import Store

if TYPE_CHECKING:
    from metier.engines.remote import Service
    from metier.evals.items import Eval
    from metier.examine import Examined, Examiner
    from metier.making import Makers, Places

DEFAULT_BASE = "all-minilm-l6-v2"
STARTERS = Path(__file__).parent / "starters"
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "onnxruntime", "tokenizers")


def never() -> bool:
    """For callers that do not cancel."""
    return False


@dataclass(frozen=True, slots=True)
class InstalledPart:
    """One file of what is installed: path inside it, digest, bytes, and where it lies."""

    filepath: str
    digest: str
    size: int
    path: Path


class Metier:
    """Everything Metier can do, over one home folder; threads may share it."""

    def __init__(self, settings: Settings, fleet: Fleet) -> None:
        self.settings = settings
        self.fleet = fleet
        self._threads = settings.threads or usable_cores()
        self._answering = Answering(fleet, self._base_folder, self._threads)
        self._making = threading.Lock()

    @classmethod
    def open(cls, settings: Settings | None = None) -> Metier:
        """Open the home folder, making it if needed.

        Raises:
            StorageError: The home cannot be written.
        """
        chosen = settings or Settings.read()
        return cls(chosen, Fleet(Store.open(chosen.home)))

    @cached_property
    def ledger(self) -> Ledger:
        """Results, evidence and decisions, in order."""
        return Ledger.open(self.settings.ledger)

    # --- what is here ---------------------------------------------------------------------------

    def list(self) -> Sequence[Installed]:
        """Everything that is installed, by name."""
        return self.fleet.list()

    def show(self, name: str) -> Installed:
        """One of them; raises NotFoundError with near names."""
        return self.fleet.show(name)

    def remove(self, name: str) -> None:
        """Remove a specialist and, unless another has it too, its sealed eval."""
        installed = self.fleet.show(name)
        self.fleet.remove(name)
        self._forget_eval(installed.classifier)

    def collect_garbage(self) -> dict[str, Any]:
        """Remove blobs that nothing names; returns how many and how many bytes."""
        collected = self.fleet.store.collect_garbage()
        return {"removed": collected.removed, "bytes": collected.bytes}

    def import_path(self, path: Path, *, name: str | None = None) -> Sequence[Installed]:
        """Take in an exported layout, or an encoder's folder as a base."""
        if path.is_dir() and (path / "model.safetensors").is_file():
            return [self.install_base(path, name=name)]
        return self.fleet.import_path(path, name)

    def export(self, name: str, directory: Path) -> Path:
        """Write one of them as an OCI image layout."""
        return self.fleet.export(name, directory)

    def parts(self, name: str) -> Sequence[InstalledPart]:
        """The files of a specialist or a base, by path."""
        return [
            InstalledPart(
                part.filepath,
                str(part.digest),
                part.size_bytes,
                self.fleet.part_path(name, part.filepath),
            )
            for part in self.fleet.parts(name)
        ]

    def read_part(self, name: str, filepath: str) -> bytes:
        """The bytes of one of its files, proved by their digest."""
        return self.fleet.read_part(name, filepath)

    def recipe_of(self, name: str) -> Recipe:
        """The recipe that an installed specialist was made by, its local files found again."""
        text = self.fleet.read_part(name, "recipe.toml").decode()
        return self._sources.find(Recipe.from_toml(text, where=f"{name}'s recipe"))

    # --- answering ------------------------------------------------------------------------------

    def classify(
        self, name: str, texts: Sequence[str], *, top: int = 5
    ) -> builtins.list[Prediction]:
        """One prediction per text."""
        return self._answering.classify(name, texts, top=top)

    def encodes(self, name: str) -> bool:
        """Whether answering runs an encoder (milliseconds) or only tables (microseconds)."""
        return self._answering.classifier(name).uses_encoder

    # --- making ---------------------------------------------------------------------------------

    def recipe_for(  # noqa: PLR0913  one argument per flag of 'metier make'
        self,
        data: Path,
        *,
        name: str,
        eval_file: Path | None = None,
        text: str | None = None,
        label: str | None = None,
        group: str | None = None,
        budget: float | None = None,
        seed: int = 0,
        drop_leaks: bool = False,
        curve: bool = True,
    ) -> Recipe:
        """A recipe for a file of examples; see ``making.asking``."""
        from metier.making.asking import Columns, recipe_for

        return recipe_for(
            data,
            name=name,
            eval_file=eval_file,
            columns=Columns(text, label, group),
            budget=budget,
            seed=seed,
            drop_leaks=drop_leaks,
            curve=curve,
        )

    def make(
        self,
        recipe: Recipe,
        *,
        folder: Path,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
        confined: bool = False,
    ) -> Card:
        """Make, prove and install a specialist.

        Args:
            recipe: What to make.
            folder: Where the recipe's relative paths start.
            report: Receives progress.
            cancelled: Asked often; stops the work.
            confined: For recipes that came over HTTP: no path outside ``folder``, no address.

        Raises:
            InputError: The data or recipe is wrong; nothing is installed.
        """
        from metier.making import artifact_parts, make

        before = self._replaced(recipe.specialist.name)
        with self._making:
            makers = self._makers(recipe.base.ref, folder, confined)
            made = make(recipe, makers, report=report, cancelled=cancelled)
        card = made.card
        annotations = {
            KIND: "specialist",
            TASK: card.task,
            RECIPE: card.recipe_id,
            BUILD: card.build_id,
        }
        if card.base is not None:
            annotations[BASE] = card.base.digest
        reference = Reference.parse(card.name)
        self.fleet.install(reference, artifact_parts(made), annotations, card.licence)
        self._keep_eval(made.sealed)
        self._forget_eval(before)
        self._sources.add(made.located)
        self._record(card, {key: item.digest for key, item in made.proof.results.items()})
        made.proof.settle()
        report(Progress("done", f"{card.name} is installed.", 1.0, data=card.to_dict()))
        return card

    # --- proving --------------------------------------------------------------------------------

    def evaluate(
        self,
        name: str,
        *,
        on: str,
        against: Sequence[str] = (),
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> Examined:
        """Run a specialist on an eval, beside its rivals; the evidence goes into the ledger."""
        examined = self._examiner().examine(
            name, on=on, against=against, report=report, cancelled=cancelled
        )
        for item in examined.evidence:
            body = item.model_dump(mode="json")
            self.ledger.append("evidence", name, Digest.parse(examined.result), body)
        return examined

    def compare(self, first: str, second: str, *, on: str) -> Evidence:
        """The evidence of two systems on one eval."""
        return self.evaluate(first, on=on, against=[second]).evidence[0]

    def check_eval(self, on: str) -> dict[str, Any]:
        """What an eval can show."""
        return self._examiner().check(on)

    def verify(self, *, remake: bool = False, report: Report = silent) -> dict[str, Any]:
        """Check every byte in the store and the ledger; with ``remake``, make each again."""
        verified = self.fleet.store.verify()
        problems: builtins.list[dict[str, Any]] = [
            {"what": item.what, "where": item.where, "remedy": item.remedy}
            for item in verified.problems
        ]
        problems.extend(
            {"what": item.what, "where": f"ledger row {item.id}", "remedy": None}
            for item in self.ledger.verify_chain()
        )
        found: dict[str, Any] = {"checked": verified.checked, "problems": problems}
        if remake:
            from metier.making.remaking import remake_all

            made = [item for item in self.fleet.list() if item.classifier is not None]
            remade, differing = remake_all(
                made, self.fleet, self.recipe_of, self._remakers, report=report
            )
            found["remade"] = remade
            problems.extend(differing)
        return found

    # --- setting up -----------------------------------------------------------------------------

    def install_base(
        self, source: Path | None = None, *, name: str | None = None, report: Report = silent
    ) -> Installed:
        """Convert an encoder's folder and file it; by default the packaged MiniLM.

        Raises:
            NotFoundError: The package is not installed (code ``encoder_missing``).
        """
        import tempfile

        from metier.conversion.preparation import prepare_base
        from metier.conversion.upstream import find_packaged_default

        folder = source or find_packaged_default()
        work = self.settings.home / "work"
        work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=work) as temporary:
            files = prepare_base(folder, Path(temporary) / "base", report, name=name)
            roles = {"base.json": "weight-config", "config.json": "weight-config"}
            roles["tokenizer.json"] = "weight-config"
            parts: dict[str, Any] = {
                path.name: (roles.get(path.name, "weight"), path) for path in files.parts()
            }
            called = name or DEFAULT_BASE if source is None else name or folder.name
            return self.fleet.install(Reference.parse(called), parts, {KIND: "base"}, adopt=True)

    def install_starters(self, report: Report = silent) -> Sequence[Installed]:
        """Put the default base and the packaged starters into the store where they are missing.

        A missing encoder package is reported, not raised: linear specialists need none.
        """
        known = {item.name for item in self.fleet.list()}
        fresh: list[Installed] = []
        if DEFAULT_BASE not in known:
            try:
                fresh.append(self.install_base(report=report))
            except NotFoundError as error:
                remedy = f" {error.remedy}" if error.remedy else ""
                report(Progress("base", error.message + remedy))
        if STARTERS.is_dir():
            fresh.extend(self._import_starters())
        return fresh

    def _import_starters(self) -> Sequence[Installed]:
        """Import the packaged starters once: what a person removed stays removed."""
        mark = self.settings.home / "starters.sha256"
        digest = Digest.of((STARTERS / "index.json").read_bytes()).hex
        if mark.is_file() and mark.read_text("ascii").strip() == digest:
            return []
        imported = self.fleet.import_path(STARTERS)
        mark.write_text(digest, "ascii")
        return imported

    # --- inside ---------------------------------------------------------------------------------

    @property
    def _sources(self) -> Sources:
        return Sources(self.settings.home / "sources.json")

    @property
    def _evals(self) -> Path:
        return self.settings.home / "evals"

    def _base_folder(self, base: str) -> Path:
        try:
            installed = self.fleet.show(base)
        except NotFoundError as error:
            raise UnavailableError(
                f"The base {base!r} is not installed, so what stands over it cannot answer.",
                code="base_missing",
                remedy="Run 'metier doctor'; 'make up' installs the default base.",
            ) from error
        return self.fleet.store.folder(installed.reference)

    def _base(self, name: str) -> BaseReference | None:
        from metier.engines.encoder import read_base

        try:
            installed = self.fleet.show(name)
        except NotFoundError:
            return None
        description = read_base(self.fleet.store.folder(installed.reference))
        return BaseReference(name=name, digest=base_digest(description), licence="Apache-2.0")

    def _service(self) -> Service | None:
        from metier.engines.remote import Service, check_service
        from metier.prices import price_of

        settings = self.settings
        if not settings.general_url:
            return None
        prices = price_of(settings.prices, settings.general_model or "")
        service = Service(
            url=settings.general_url,
            model=settings.general_model or "",
            key=settings.general_key,
            price_in=prices[0],
            price_out=prices[1],
            date=today(),
        )
        check_service(service)
        return service

    def _makers(self, base: str, folder: Path, confined: bool) -> Makers:
        from metier.making import Makers

        return Makers(
            places=self._places(folder, confined),
            base=self._base(base),
            encoder=lambda view: self._answering.encoder(base, view),
            service=self._service(),
            machine=machine(),
            toolchain=toolchain(),
            threads=self._threads,
            journals=self.settings.home / "journals",
            today=today(),
        )

    def _remakers(self, recipe: Recipe) -> Makers:
        """For a remake: the general model is not asked again."""
        makers = self._makers(recipe.base.ref, self.settings.home, confined=False)
        return replace(makers, service=None)

    def _examiner(self) -> Examiner:
        from metier.examine import Examiner

        return Examiner(
            fleet=self.fleet,
            classifier=self._answering.classifier,
            base_of=lambda name: self.recipe_of(name).base.ref,
            encoder=lambda base: self._answering.encoder(base, "fp32"),
            service=self._service(),
            evals=self._evals,
            journals=self.settings.home / "journals",
            results=self.settings.home / "results",
            rebuild=self._rebuild,
            training=self._training_rows,
            toolchain=toolchain(),
            today=today(),
        )

    def _rebuild(self, installed: Installed) -> Eval:
        from metier.making.remaking import sealed_again

        sealed = sealed_again(installed, self.recipe_of, self._places(self.settings.home))
        self._keep_eval(sealed)
        return sealed

    def _training_rows(self, installed: Installed) -> Sequence[Example] | None:
        from metier.making.remaking import trained_on

        return trained_on(installed, self.recipe_of, self._places(self.settings.home))

    def _places(self, folder: Path, confined: bool = False) -> Places:
        from metier.making import Places

        return Places(folder, self.settings.mirror, self.settings.home / "cache", confined)

    def _replaced(self, name: str) -> Card | None:
        """The card of what a new specialist of this name replaces; bases are not replaced."""
        try:
            installed = self.fleet.show(name)
        except NotFoundError:
            return None
        if installed.kind != "specialist":
            raise InputError(
                f"{installed.name!r} is a {installed.kind} that specialists may stand on.",
                code="name_taken",
                remedy="Give the specialist another name.",
            )
        return installed.classifier

    def _eval_file(self, fingerprint: str) -> Path:
        return self._evals / f"{Digest.parse(fingerprint).hex}.jsonl"

    def _keep_eval(self, sealed: Eval) -> None:
        from metier.evals.items import write_eval

        self._evals.mkdir(parents=True, exist_ok=True)
        write_eval(self._eval_file(sealed.fingerprint), sealed)

    def _forget_eval(self, card: Card | None) -> None:
        """Remove the sealed eval of a specialist that is gone, unless another has it too."""
        if card is None:
            return
        kept = {item.classifier.data.eval_digest for item in self.fleet.list() if item.classifier}
        if card.data.eval_digest not in kept:
            self._eval_file(card.data.eval_digest).unlink(missing_ok=True)

    def _record(self, card: Card, results: dict[str, str]) -> None:
        for key, digest in results.items():
            self.ledger.append("result", card.name, Digest.parse(digest), {"role": key})
        for item in card.evidence:
            body = item.model_dump(mode="json")
            self.ledger.append("evidence", card.name, Digest.parse(card.system), body)
        decision = {"rung": card.rung, "why": card.why, "decided": card.decided}
        self.ledger.append("decision", card.name, Digest.parse(card.system), decision)


def toolchain() -> dict[str, str]:
    """What can change a number: library versions and the class of processor."""
    from importlib.metadata import version

    return {**{name: version(name) for name in _LIBRARIES}, "processor": cpu_class()}


def today() -> str:
    """ISO date, UTC."""
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()
