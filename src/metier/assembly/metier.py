"""The façade: everything Metier can do, one method for each verb of a door.

It decides nothing: each method hands on to what the modules beside it put together.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, overload

from metier.answer import Answering
from metier.assembly import starting
from metier.assembly.bases import BaseChoice, Bases
from metier.assembly.binding import Binding
from metier.assembly.browsing import Browsing
from metier.assembly.comparing import Comparing
from metier.assembly.conversations import Conversations, Lack
from metier.assembly.facts import Facts
from metier.assembly.family import Family
from metier.assembly.fitting import open_fitting
from metier.assembly.holdings import Holdings
from metier.assembly.hopping import open_hopping
from metier.assembly.localmodels import open_models
from metier.assembly.looking import Looking
from metier.assembly.making import Making
from metier.assembly.measuring import Measuring
from metier.assembly.movingdocs import open_moving
from metier.assembly.picturing import Picturing
from metier.assembly.rebasing import open_rebasing
from metier.assembly.rivals import Rivals
from metier.assembly.routes import open_routing
from metier.assembly.shelves import Library
from metier.assembly.tables import Tables
from metier.assembly.timelines import Timelines
from metier.assembly.toolbox import Toolbox
from metier.assembly.trying import Field, Trial, Trying
from metier.assembly.values import Asked, How, InstalledPart, parts_of
from metier.assembly.visionbases import install_vision, is_vision, try_imported
from metier.assembly.watching import open_watching
from metier.assembly.workbench import Workbench, never
from metier.card import AnyCard, Card, ChatCard, Evidence, SearchCard
from metier.coding import Checked, Diagnostic, Mended, SourceFile
from metier.conversing import Manner, OnStep, OnText, Passage, Reply, Sampling, Turn
from metier.finding import Entry, Fit, Found, Hit, Query
from metier.fleet import Fleet, Installed, Kin
from metier.hardware import usable_cores
from metier.ledger import Ledger
from metier.messages import Prediction, Report, silent
from metier.recipe import AnyRecipe, ChatRecipe, Recipe, SearchRecipe, read_recipe
from metier.reference import Digest
from metier.settings import Settings
from metier.store import Store
from metier.toolchains import Toolchains

if TYPE_CHECKING:
    from metier.assembly.cataloguing import Cataloguer
    from metier.assembly.finding import Finder
    from metier.assembly.pulling import Pulled
    from metier.evals.mistakes import Mistakes
    from metier.examine import Examined
    from metier.examine.tried import Tried


class Metier:
    """Everything Metier can do, over one home folder; threads may share it."""

    def __init__(self, settings: Settings, fleet: Fleet) -> None:
        self.settings = settings
        self.fleet = fleet
        self.toolchains = Toolchains(settings.toolchains)
        threads = settings.threads or usable_cores()
        held = partial(starting.base_folder, fleet)
        self.picturing = Picturing(settings.home, lambda: self._answering)
        self._answering = Answering(fleet, held, threads, self.picturing.shelf)
        self.browsing = Browsing(fleet, self.parts, held, self.toolchains)
        rivals = Rivals(
            lambda: self._bases,
            lambda: self.models.writers(),
            lambda: self.routing.field().general,
        )
        self._workbench = Workbench(
            settings, fleet, self._answering, lambda: self.ledger, threads, self.picturing, rivals
        )
        self._library = Library(fleet, self._answering)
        self._bases = Bases(settings, self._workbench.service, lambda: self.models)
        self._toolbox = Toolbox(settings, self.toolchains, threads)
        self._conversations = Conversations(
            settings,
            fleet,
            self._library,
            self._bases,
            self.toolchains,
            self._toolbox,
            lambda name: self.tables.standings(name),
        )
        facts = Facts()
        self.models = open_models(
            settings,
            fleet,
            remove=self.remove,
            specialist=self.answer,
            answering=self._answering,
            facts=facts,
        )
        self._family = Family(fleet, lambda: self.ledger, settings.home / "evals")
        self.fitting = open_fitting(settings, fleet, facts, self.models.running, self._answering)
        self.rows = Looking(self._workbench)
        self.comparing = Comparing(fleet, self._workbench, lambda: self.ledger, settings.home)
        self.holdings = Holdings(settings, fleet, self.models.used_bytes)
        self._maker = Making(fleet, self._answering, self._workbench)
        self._measuring = Measuring(settings, self._conversations, self._bases, self._toolbox)
        binding = Binding(settings, fleet, self._conversations, self._bases, self._toolbox)
        self.tables = Tables(self._measuring, binding, rivals, lambda: self.ledger)
        self.timelines = Timelines(settings, fleet, lambda: self.ledger)
        self.routing = open_routing(self, self._workbench, self._library, self._bases, binding)
        parts = (self._answering, self._bases, self._conversations, self._workbench)
        self.trying = Trying(self, parts)
        self.watching = open_watching(self, parts, self._measuring)
        self.hopping = open_hopping(
            self._workbench, self._maker, self._answering, find=self.find, pull=self.pull
        )
        tools = (self._workbench, self._maker, self._answering)
        self.moving = open_moving(*tools, self.hopping.promoting)
        parted = (self._workbench, self._maker, self.tables, self.hopping.promoting)
        self.rebasing = open_rebasing(*parted, self._bases)

    @classmethod
    def open(cls, settings: Settings | None = None) -> Metier:
        """Open the home folder, making it if needed.

        Raises:
            StorageError: The home cannot be written.
        """
        chosen = settings or Settings.read()
        return cls(chosen, Fleet(Store.open(chosen.home)))

    def close(self) -> None:
        """End every process and connection that answering started; it may be used again."""
        self.picturing.close()
        self.models.close()
        self._toolbox.close()
        self._bases.close()
        self.routing.close()

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

    def lineage(self, name: str) -> tuple[Kin, ...]:
        """What an entry was made from, itself, and what was made from it."""
        return self._family.lineage(name)

    def mistakes(self, name: str) -> Mistakes | None:
        """What is known of a classifier's answers to its sealed items; see ``evals.mistakes``."""
        return self._family.mistakes(name)

    def remove(self, name: str) -> None:
        """Remove a specialist and, unless another has it too, its sealed eval."""
        installed = self.fleet.show(name)
        self.fleet.remove(name)
        self._workbench.forget_eval(installed.classifier)

    def collect_garbage(self) -> dict[str, Any]:
        """Remove blobs that nothing names; returns how many and how many bytes."""
        collected = self.fleet.store.collect_garbage()
        return {"removed": collected.removed, "bytes": collected.bytes}

    def import_path(self, path: Path, *, name: str | None = None) -> Sequence[Installed]:
        """Take in an exported layout, or an encoder's folder as a base."""
        if path.is_dir() and is_vision(path):
            return [install_vision(self.fleet, self.settings.home, path, name=name)]
        if path.is_dir() and (path / "model.safetensors").is_file():
            return [self.install_base(path, name=name)]
        return self.fleet.import_path(path, name, further=try_imported(self.settings.home))

    def has_blob(self, digest: Digest) -> bool:
        """Whether the store holds these bytes."""
        return self.fleet.has_blob(digest)

    def blob_path(self, digest: Digest) -> Path:
        """Where they lie; raises NotFoundError."""
        return self.fleet.blob_path(digest)

    def put_blob(self, digest: Digest, chunks: Iterable[bytes]) -> bool:
        """Take bytes in, for a model that will be made of them; see ``Fleet.put_blob``."""
        return self.fleet.put_blob(digest, chunks)

    def pull(self, text: str, **told: Unpack[Pulled]) -> Installed:
        """Bring a model here from the hub, an address or a file; see ``pulling.pull``."""
        from metier.assembly.pulling import pull

        return pull(self, text, **told)

    def export(self, name: str, directory: Path) -> Path:
        """Write one of them as an OCI image layout."""
        return self.fleet.export(name, directory)

    def parts(self, name: str) -> Sequence[InstalledPart]:
        """The files of a specialist or a base, by path."""
        return parts_of(self.fleet, name)

    def read_part(self, name: str, filepath: str) -> bytes:
        """The bytes of one of its files, proved by their digest."""
        return self.fleet.read_part(name, filepath)

    def recipe_of(self, name: str) -> AnyRecipe:
        """The recipe that an installed specialist was made by, its local files found again."""
        return self._workbench.recipe_of(name)

    # --- finding --------------------------------------------------------------------------------

    @cached_property
    def finder(self) -> Finder:
        """The catalogues of this home, searched; nothing is read before it is asked."""
        from metier.assembly.finding import open_finder

        return open_finder(self, self._workbench, self._answering)

    @cached_property
    def catalogs(self) -> Cataloguer:
        """The catalogues of this home: added, brought up to date, built; and the hub when asked."""
        from metier.assembly.cataloguing import open_cataloguer

        return open_cataloguer(self)

    def find(self, query: Query) -> Found:
        """What is installed and what catalogues name, in an honest order; see ``Finder.find``."""
        return self.finder.find(query)

    def search_hub(self, query: Query) -> Sequence[Hit]:
        """What the hub finds for a person who asked it to; see ``Cataloguer.search_hub``."""
        from metier.assembly.cataloguing import open_cataloguer

        return open_cataloguer(self).search_hub(query)

    def entry(self, origin: str, name: str) -> Hit:
        """One entry of a catalogue; raises NotFoundError (``no_entry``) with near names."""
        return self.finder.entry(origin, name)

    def find_by_eval(self, source: Path, **told: Unpack[Trial]) -> Tried:
        """The best of the candidates on one's own examples; see ``Trying.find_by_eval``."""
        return self.trying.find_by_eval(source, **told)

    def examples(self, source: Path) -> Field:
        """What a file of examples is, and who of what is here can answer it."""
        return self.trying.field(source)

    def fit(self, what: str | Hit | Entry | Installed) -> Fit:
        """Whether it runs here, with what memory and how fast; see ``assembly.fitting``."""
        return self.fitting.of(what)

    # --- answering ------------------------------------------------------------------------------

    def classify(
        self, name: str, texts: Sequence[str], *, top: int = 5
    ) -> builtins.list[Prediction]:
        """One prediction per text."""
        return self._answering.classify(name, texts, top=top)

    def encodes(self, name: str) -> bool:
        """Whether answering runs an encoder (milliseconds) or only tables (microseconds)."""
        return self._answering.classifier(name).uses_encoder

    def search(self, name: str, query: str, *, top: int = 5) -> builtins.list[Passage]:
        """The best passages of a document pack, or of the packs of a chat specialist.

        Raises:
            NotFoundError: There is none of this name, or none of its packs is here
                (``no_pack``).
            InputError: It is a classifier or a base (``not_a_pack``).
        """
        if self.fleet.show(name).chat is None:
            return self._library.pack(name).search(query, top=top)
        return self._conversations.search(name, query, top=top)

    def answer(
        self,
        name: str,
        turns: Sequence[Turn],
        *,
        base: str | Path | None = None,
        sampling: Sampling | None = None,
        manner: Manner | None = None,
        on_text: OnText | None = None,
        on_step: OnStep | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> Reply:
        """Answer the last turn of a conversation by a chat specialist.

        Args:
            name: The specialist.
            turns: The conversation; its last user turn is the question.
            base: What writes (``remote:NAME``, a model, a file as ``Path``); ``None`` takes
                ``METIER_BASE`` or the specialist's own; without any, documents and tools answer.
            sampling: What the caller wants of the base, over the specialist's own.
            manner: How to answer this once; see ``Manner``.
            on_text: Receives the accepted answer, or the first draft as it is written.
            on_step: Receives the trace as it goes.
            cancelled: Becomes true when the person says stop.

        Raises:
            NotFoundError: No such specialist, or no such base (``no_service``).
            InputError: ``not_a_chat_specialist``, ``bad_base``, ``not_servable``, ``bad_turns``.
            UnavailableError: The base gave no answer at all.
        """
        return self._conversations.answer(
            name,
            turns,
            base=base,
            sampling=sampling,
            manner=manner or Manner(),
            on_text=on_text,
            on_step=on_step,
            cancelled=cancelled,
        )

    def check(self, name: str, files: Sequence[SourceFile]) -> Checked:
        """What a chat specialist's tool finds in some files, without a base.

        Raises:
            UnavailableError: No toolchain (``no_toolchain``) or no Node (``no_node``).
            InputError: It has no tool (``no_tool``).
        """
        return self._conversations.check(name, files)

    def repair(self, name: str, files: Sequence[SourceFile]) -> Mended | None:
        """The files after the tool's deterministic repairs, or ``None`` if no rule applies."""
        return self._conversations.repair(name, files)

    def explain(
        self, name: str, files: Sequence[SourceFile]
    ) -> builtins.list[tuple[Diagnostic, tuple[Passage, ...]]]:
        """Each diagnostic with the passages of the specialist's packs that are about it."""
        return self._conversations.explain(name, files)

    def migrate(self, name: str, files: Sequence[SourceFile]) -> Mended | None:
        """The files brought to the newer version; ``None`` if there is nothing to change.

        Raises:
            InputError: Its tool migrates nothing (``no_migration``).
        """
        return self._conversations.migrate(name, files)

    def bases(self, name: str) -> builtins.list[BaseChoice]:
        """What a chat specialist may be given as base, best evidence first."""
        return self._conversations.choices(self._conversations.conversant(name))

    def services(self) -> builtins.list[str]:
        """Names of the remote services that are written down here; never a key."""
        return list(self._bases.services())

    def lacks(self, name: str, *, base: str | Path | None = None) -> builtins.list[Lack]:
        """What a chat specialist would use and is not here, each with the command that mends it."""
        return self._conversations.lacks(name, base=base)

    # --- making ---------------------------------------------------------------------------------

    def recipe_for(
        self,
        data: Path,
        *,
        text: str | None = None,
        label: str | None = None,
        group: str | None = None,
        **asked: Unpack[Asked],
    ) -> Recipe:
        """A recipe for a file of examples, its columns named; see ``making.asking``."""
        from metier.making.asking import Columns, recipe_for

        return recipe_for(data, columns=Columns(text, label, group), **asked)

    @overload
    def make(self, recipe: Recipe, *, folder: Path, **how: Unpack[How]) -> Card: ...

    @overload
    def make(self, recipe: ChatRecipe, *, folder: Path, **how: Unpack[How]) -> ChatCard: ...

    @overload
    def make(self, recipe: SearchRecipe, *, folder: Path, **how: Unpack[How]) -> SearchCard: ...

    @overload
    def make(self, recipe: AnyRecipe, *, folder: Path, **how: Unpack[How]) -> AnyCard: ...

    def make(self, recipe: AnyRecipe, *, folder: Path, **how: Unpack[How]) -> AnyCard:
        """Make a specialist of any task and install it; a classifier is proved first.

        Args:
            recipe: What to make.
            folder: Where the recipe's relative paths start.
            **how: ``report`` receives progress; ``cancelled`` is asked often and stops the work;
                ``confined`` is for recipes that came over HTTP: no path outside ``folder``, no
                address.

        Raises:
            InputError: The data or recipe is wrong; nothing is installed.
        """
        report, cancelled = how.get("report", silent), how.get("cancelled", never)
        confined = how.get("confined", False)
        if isinstance(recipe, ChatRecipe):
            return self._maker.chat(recipe, report)
        if isinstance(recipe, SearchRecipe):
            return self._maker.pack(recipe, folder, report, cancelled, confined=confined)
        return self._maker.classifier(recipe, folder, report, cancelled, confined=confined)

    def recipes(self) -> Sequence[str]:
        """Names of the recipes that come with the package."""
        return list(starting.packaged_recipes())

    def packaged_recipe(self, name: str) -> AnyRecipe:
        """One of them; raises NotFoundError (code ``no_recipe``) with near names."""
        path = starting.packaged_recipe(name)
        return read_recipe(path.read_text("utf-8"), where=path.name)

    def pack_recipe(self, folder: Path, *, name: str, version: str = "") -> SearchRecipe:
        """A recipe for a pack of one's own folder of markdown."""
        from metier.making.packing import folder_recipe

        return folder_recipe(folder, name=name, version=version)

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
        return self._workbench.evaluate(name, on, against, report, cancelled)

    def compare(self, first: str, second: str, *, on: str) -> Evidence:
        """The evidence of two systems on one eval."""
        return self.evaluate(first, on=on, against=[second]).evidence[0]

    def check_eval(
        self,
        on: str,
        *,
        fresh: bool = False,
        report: Report = silent,
        cancelled: Callable[[], bool] = never,
    ) -> dict[str, Any]:
        """What an eval can show; of an executed one also whether it is sound.

        Args:
            on: A file or specialist with labelled items, or an executed eval by name or folder.
            fresh: For executed ones: whether to prove again what is known.
            report: Receives progress.
            cancelled: Stops the work; what was proved is kept.
        """
        examiner = self._measuring.examiner()
        if examiner.holds(on):
            return examiner.check(on, fresh=fresh, report=report, cancelled=cancelled).to_dict()
        return self._workbench.examiner().check(on)

    def verify(self, *, remake: bool = False, report: Report = silent) -> dict[str, Any]:
        """Check every byte in the store and the ledger; with ``remake``, make each again."""
        return self._workbench.verify(remake=remake, report=report)

    # --- setting up -----------------------------------------------------------------------------

    def install_base(
        self, source: Path | None = None, *, name: str | None = None, report: Report = silent
    ) -> Installed:
        """Convert an encoder's folder and file it; by default the packaged MiniLM.

        Raises:
            NotFoundError: The package is not installed (code ``encoder_missing``).
        """
        return starting.install_base(self.fleet, self.settings.home, source, name, report)

    def install_starters(self, report: Report = silent) -> Sequence[Installed]:
        """Put the default base and the packaged starters into the store where they are missing.

        A missing encoder package is reported, not raised: linear specialists need none.
        """
        return starting.install_starters(self.fleet, self.settings.home, report)

    def install_toolchain(
        self, name: str, *, report: Report = silent, cancelled: Callable[[], bool] = never
    ) -> Path:
        """Install a toolchain (``svelte@5``) with npm, from its lock file; see ``Toolchains``."""
        return self.toolchains.install(name, report=report, cancelled=cancelled)
