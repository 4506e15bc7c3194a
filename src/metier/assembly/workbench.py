"""What the makers and the examiner are handed: places, services, encoders, sealed evals.

It knows which unit needs which value of the settings and the fleet; it makes and measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metier.answer import Answering
from metier.answer.classifying import digest_in
from metier.assembly.rivals import Rivals
from metier.card import BaseReference, Card
from metier.errors import InputError, NotFoundError
from metier.fleet import Fleet, Installed, own_name
from metier.hardware import cpu_class, machine
from metier.ledger import Ledger
from metier.messages import Example, Report, silent
from metier.picturing import VISION_FILE, VisionFile
from metier.recipe import PICTURES, AnyRecipe, Recipe, read_recipe
from metier.reference import Digest
from metier.settings import Settings
from metier.sources import Sources

if TYPE_CHECKING:
    from metier.assembly.picturing import Picturing
    from metier.engines.remote import Service
    from metier.evals.items import Eval
    from metier.examine import Examined, Examiner
    from metier.making import Makers, Places

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "onnxruntime", "tokenizers")


def never() -> bool:
    """For callers that do not cancel."""
    return False


class Workbench:
    """Fills in what makers and examiners need; threads may share it."""

    def __init__(
        self,
        settings: Settings,
        fleet: Fleet,
        answering: Answering,
        ledger: Callable[[], Ledger],
        threads: int,
        pictures: Picturing,
        rivals: Rivals,
    ) -> None:
        self._settings = settings
        self._fleet = fleet
        self._answering = answering
        self._ledger = ledger
        self._threads = threads
        self._pictures = pictures
        self.rivals = rivals
        """Whom a rival's name means that writes."""
        self._evals = settings.home / "evals"

    @property
    def fleet(self) -> Fleet:
        """What is installed."""
        return self._fleet

    @property
    def ledger(self) -> Ledger:
        """Results, evidence and decisions, in order."""
        return self._ledger()

    @property
    def home(self) -> Path:
        """The home folder."""
        return self._settings.home

    @property
    def sources(self) -> Sources:
        """Where local sources lie."""
        return Sources(self._settings.home / "sources.json")

    def recipe_of(self, name: str) -> AnyRecipe:
        """The recipe that an installed specialist was made by, its local files found again."""
        text = self._fleet.read_part(name, "recipe.toml").decode()
        recipe = read_recipe(text, where=f"{name}'s recipe")
        return self.sources.find(recipe) if isinstance(recipe, Recipe) else recipe

    def classifier_recipe(self, name: str) -> Recipe:
        """The recipe of a classifier; raises InputError for any other specialist."""
        recipe = self.recipe_of(name)
        if not isinstance(recipe, Recipe):
            raise InputError(
                f"{name!r} is a {recipe.specialist.task} specialist, which this does not take.",
                code="not_a_classifier",
                remedy="Name a classifier; 'metier list' shows the task of each.",
            )
        return recipe

    def base(self, name: str | None) -> BaseReference | None:
        """An installed encoder by name and digest, or ``None``, also for ``None``."""
        if name is None:
            return None
        try:
            installed = self._fleet.show(name)
        except NotFoundError:
            return None
        folder = self._fleet.store.folder(installed.reference)
        if (folder / VISION_FILE).is_file():
            vision = VisionFile.from_bytes((folder / VISION_FILE).read_bytes())
            return BaseReference(name=name, digest=vision.digest, licence=vision.licence)
        return BaseReference(name=name, digest=digest_in(folder), licence="Apache-2.0")

    def service(self) -> Service | None:
        """The general model, if one is configured."""
        from metier.engines.remote import Service, check_service
        from metier.prices import price_of

        settings = self._settings
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
            sees=settings.general_sees,
        )
        check_service(service)
        return service

    def makers(
        self,
        base: str | None,
        folder: Path,
        *,
        confined: bool = False,
        libraries: Sequence[str] = (),
    ) -> Makers:
        """For making a specialist on an encoder, or on none; ``libraries`` decode its rows."""
        from metier.making import Makers

        return Makers(
            places=self.places(folder, confined=confined),
            base=self.base(base) if base else None,
            encoder=lambda view: self._answering.encoder(base or "", view),
            service=self.service(),
            machine=machine(),
            toolchain=toolchain(*libraries),
            threads=self._threads,
            journals=self._settings.home / "journals",
            today=today(),
            resumes=True,
            pictures=self._pictures.shelf,
        )

    def remakers(self, recipe: Recipe) -> Makers:
        """For a remake: the general model is not asked again."""
        makers = self.makers(recipe.base.ref, self._settings.home, libraries=libraries_of(recipe))
        return replace(makers, service=None, resumes=False)

    def examiner(self) -> Examiner:
        """For measuring classifiers."""
        from importlib.metadata import version

        from metier.examine import Examiner

        return Examiner(
            fleet=self._fleet,
            classifier=self._answering.classifier,
            base_of=lambda name: self.classifier_recipe(name).base.ref or "",
            encoder=lambda base: self._answering.encoder(base, "fp32"),
            service=self.service(),
            writes=self.rivals.system,
            evals=self._evals,
            journals=self._settings.home / "journals",
            results=self._settings.home / "results",
            rebuild=self._rebuild,
            training=self._training_rows,
            toolchain=toolchain(),
            today=today(),
            pictured=self._pictured,
            pictures=self._pictures.shelf,
            decoder=decoder(),
            engine={"xllamacpp": version("xllamacpp")},
        )

    def evaluate(
        self,
        name: str,
        on: str,
        against: Sequence[str],
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Examined:
        """Run a specialist on an eval, beside its rivals; the evidence goes into the ledger."""
        examined = self.examiner().examine(
            name, on=on, against=against, report=report, cancelled=cancelled
        )
        for item in examined.evidence:
            body = item.model_dump(mode="json")
            self.ledger.append("evidence", name, Digest.parse(examined.result), body)
        return examined

    def places(self, folder: Path, *, confined: bool = False) -> Places:
        """Where a recipe's data may come from."""
        from metier.making import Places

        home = self._settings.home
        return Places(
            folder, self._settings.mirror, home / "cache", confined, self._pictures.reader
        )

    def replaced(self, name: str) -> Card | None:
        """The card of the classifier that a new specialist of this name replaces.

        Raises:
            InputError: A base has the name (code ``name_taken``); bases are not replaced. Or it
                is what a hop puts aside (``bad_name``).
        """
        own_name(name)
        try:
            installed = self._fleet.show(name)
        except NotFoundError:
            return None
        if installed.kind != "specialist":
            raise InputError(
                f"{installed.name!r} is a {installed.kind} that specialists may stand on.",
                code="name_taken",
                remedy="Give the specialist another name.",
            )
        return installed.classifier

    def keep_eval(self, sealed: Eval, *, pictures: bool = False) -> None:
        """Write a sealed eval into the home folder, with its pictures if its items are some."""
        from metier.evals.items import write_eval

        if pictures:
            self._pictures.keep(sealed)

        self._evals.mkdir(parents=True, exist_ok=True)
        write_eval(self._eval_file(sealed.fingerprint), sealed)

    def forget_eval(self, card: Card | None) -> None:
        """Remove the sealed eval of a specialist that is gone, unless another has it too."""
        if card is None:
            return
        every = (*self._fleet.list(), *self._fleet.aside())
        kept = {item.classifier.data.eval_digest for item in every if item.classifier}
        if card.data.eval_digest not in kept:
            self._eval_file(card.data.eval_digest).unlink(missing_ok=True)
            self._pictures.forget(card.data.eval_digest)

    def record(self, card: Card, results: Mapping[str, str], *, challenger: bool = False) -> None:
        """Append what was proved and decided to the ledger; a challenger is not decided yet."""
        ledger = self._ledger()
        for key, digest in results.items():
            ledger.append("result", card.name, Digest.parse(digest), {"role": key})
        for item in card.evidence:
            body = item.model_dump(mode="json")
            ledger.append("evidence", card.name, Digest.parse(card.system), body)
        if challenger:
            return
        decision = {"rung": card.rung, "why": card.why, "decided": card.decided}
        ledger.append("decision", card.name, Digest.parse(card.system), decision)

    def verify(self, *, remake: bool, report: Report) -> dict[str, Any]:
        """Every byte in the store and the ledger; with ``remake``, each classifier made again."""
        verified = self._fleet.store.verify(report)
        problems: list[dict[str, Any]] = [
            {"what": item.what, "where": item.where, "remedy": item.remedy}
            for item in verified.problems
        ]
        problems.extend(
            {"what": item.what, "where": f"ledger row {item.id}", "remedy": None}
            for item in self._ledger().verify_chain()
        )
        found: dict[str, Any] = {"checked": verified.checked, "problems": problems}
        if remake:
            from metier.making.remaking import remake_all

            made = [item for item in self._fleet.list() if item.classifier is not None]
            remade, differing = remake_all(
                made, self._fleet, self.classifier_recipe, self.remakers, report=report
            )
            found["remade"] = remade
            problems.extend(differing)
        return found

    def _eval_file(self, fingerprint: str) -> Path:
        return self._evals / f"{Digest.parse(fingerprint).hex}.jsonl"

    def _pictured(self, path: Path, scorer: str) -> Eval:
        from metier.making.picturerows import seal_pictures

        return seal_pictures(path, self.places(path.parent), silent, scorer=scorer)

    def _rebuild(self, installed: Installed) -> Eval:
        from metier.making.remaking import sealed_again

        places = self.places(self._settings.home)
        sealed = sealed_again(installed, self.classifier_recipe, places)
        self.keep_eval(sealed, pictures=installed.task == PICTURES)
        return sealed

    def _training_rows(self, installed: Installed) -> Sequence[Example] | None:
        from metier.making.remaking import trained_on

        return trained_on(installed, self.classifier_recipe, self.places(self._settings.home))


def libraries_of(recipe: Recipe) -> tuple[str, ...]:
    """What else can change a number, by the recipe's task."""
    return ("pillow",) if recipe.of_pictures else ()


def decoder() -> dict[str, str]:
    """What decodes pictures, by name and version; empty where nothing does."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return {"pillow": version("pillow")}
    except PackageNotFoundError:
        return {}


def toolchain(*more: str) -> dict[str, str]:
    """What can change a number: library versions and the class of processor."""
    from importlib.metadata import version

    return {**{name: version(name) for name in (*_LIBRARIES, *more)}, "processor": cpu_class()}


def today() -> str:
    """ISO date, UTC."""
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()
