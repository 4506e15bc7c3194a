"""What the server needs from below: the composition root and the website, as protocols.

It knows the shapes only. ``metier.assembly.Metier`` satisfies ``Facade`` and ``metier.site.Site``
satisfies ``Pages``; both are strangers to the server and are handed in by whoever starts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from metier.card import AnyCard, Card
from metier.coding import Checked, Diagnostic, Mended, SourceFile
from metier.conversing import (
    Manner,
    OnStep,
    OnText,
    Passage,
    Reply,
    Sampling,
    Turn,
)
from metier.finding import Fit, Found, Hit, Query
from metier.generating import Models, ModelSheet, RunningModel
from metier.messages import Prediction, Report
from metier.recipe import Recipe
from metier.reference import Digest, Reference
from metier.server.auto import Routes
from metier.server.hops import Hops, Moves, Rebases
from metier.server.runplans import Browses, RunPages
from metier.server.timelines import Timelines
from metier.server.tries import Tries
from metier.server.watches import Watches

if TYPE_CHECKING:
    from metier.evals.mistakes import Mistakes


class Installed(Protocol):
    """One entry of the fleet."""

    @property
    def reference(self) -> Reference:
        """Its name."""

    @property
    def card(self) -> AnyCard | None:
        """Its card, of the kind of its task; a base has none."""

    @property
    def digest(self) -> object:
        """The manifest's digest; ``str`` of it is ``sha256:…``."""

    @property
    def size_bytes(self) -> int:
        """Bytes of its own parts."""

    @property
    def kind(self) -> str:
        """``specialist`` or ``base``."""


class Part(Protocol):
    """One file of a specialist."""

    @property
    def filepath(self) -> str:
        """Its path inside the specialist, like ``results/base.jsonl``."""

    @property
    def digest(self) -> object:
        """``str`` of it is ``sha256:…``."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def path(self) -> Path:
        """Where its bytes lie on this machine."""


class Lack(Protocol):
    """Something that a specialist would use and that is not here."""

    @property
    def message(self) -> str:
        """What does not work without it."""

    @property
    def command(self) -> str:
        """The one command that mends it."""


class Base(Protocol):
    """A base that may be given, or that somebody may get."""

    @property
    def ref(self) -> str:
        """What to give as base."""

    @property
    def here(self) -> bool:
        """Whether it is set up here."""

    @property
    def note(self) -> str:
        """What is known of it."""

    @property
    def command(self) -> str:
        """What would measure it, or ""."""


class Rows(Protocol):
    """Looks at rows before something is made of them."""

    def preview(
        self,
        data: Path,
        *,
        eval_file: Path | None = None,
        columns: Mapping[str, str | None] = ...,
        seed: int = 0,
        curve: bool = True,
    ) -> Mapping[str, Any]:
        """What a make would find in these rows; takes seconds, however many there are."""

    def clean(self, data: Path, target: Path, *, text: str, label: str) -> Mapping[str, int]:
        """Write the usable rows as JSON Lines; gives why others were left out, and how many."""


class Holdings(Protocol):
    """What the fleet takes of this machine."""

    def machine(self) -> Mapping[str, Mapping[str, Any]]:
        """Bytes of memory and of the disk.

        ``memory`` has ``total``, ``free``, ``used`` by models and ``room`` for them; ``disk`` has
        ``store``, ``partial``, ``reclaimable`` and ``free``.
        """

    def forget(self) -> None:
        """Look at the disk afresh next time."""


class Facade(Protocol):
    """The verbs that the server offers over HTTP; thread-safe."""

    @property
    def comparing(self) -> Any:
        """Comparisons of what is installed on sealed evals: ``evals``, ``gather``, ``measure``."""

    @property
    def holdings(self) -> Holdings:
        """What the fleet takes of this machine."""

    @property
    def rows(self) -> Rows:
        """Looks at rows before something is made of them."""

    @property
    def timelines(self) -> Timelines:
        """General models by date against a specialist."""

    @property
    def models(self) -> Models:
        """Everything that is here by name, and what is asked of it."""

    @property
    def watching(self) -> Watches:
        """Where specialists stand with the watch, and what people say of their answers."""

    @property
    def hopping(self) -> Hops:
        """Specialists made again on other bases, and back."""

    @property
    def moving(self) -> Moves:
        """Document packs made again on other documents."""

    @property
    def rebasing(self) -> Rebases:
        """Chat specialists hopped from base to base."""

    @property
    def routing(self) -> Routes:
        """Who answers what is asked of ``auto``."""

    @property
    def browsing(self) -> Browses:
        """What pages that run a specialist themselves are given."""

    @property
    def picturing(self) -> Any:
        """Pictures: see ``server.picturing.Depicts``."""

    def pull(self, name: str, /, *, report: Report, cancelled: Callable[[], bool]) -> object:
        """Fetch a model from the hub; what is half fetched stays for the next time.

        The messages of ``report`` are Ollama's words; ``data`` has ``digest``, ``total`` and
        ``completed`` (bytes) while a file is fetched. Raises NotFoundError, UnavailableError.
        """

    def has_blob(self, digest: Digest) -> bool:
        """Whether the store holds these bytes."""

    def blob_path(self, digest: Digest) -> Path:
        """Where they lie, for an order; raises NotFoundError."""

    def put_blob(self, digest: Digest, chunks: Iterable[bytes]) -> bool:
        """Take bytes in, and say whether they were not here before.

        Raises InputError (``digest_mismatch``) unless they have this digest, and StorageError.
        """

    def list(self) -> Sequence[Installed]:
        """Everything that is installed."""

    def show(self, name: str) -> Installed:
        """One entry; raises NotFoundError with near names."""

    def parts(self, name: str) -> Sequence[Part]:
        """The files of one entry; raises NotFoundError."""

    def classify(self, name: str, texts: Sequence[str], *, top: int = 5) -> Sequence[Prediction]:
        """One prediction per text, in order."""

    def lacks(self, name: str) -> Sequence[Lack]:
        """What a chat specialist would use and is not here."""

    def bases(self, name: str) -> Sequence[Base]:
        """What a chat specialist may be given as base, best evidence first."""

    def search(self, name: str, query: str, *, top: int = 5) -> Sequence[Passage]:
        """The best passages of a pack, or of a specialist's packs."""

    def answer(
        self,
        name: str,
        turns: Sequence[Turn],
        *,
        base: str | None = None,
        sampling: Sampling | None = None,
        manner: Manner | None = None,
        on_text: OnText | None = None,
        on_step: OnStep | None = None,
        cancelled: Callable[[], bool] = ...,
    ) -> Reply:
        """The last turn of a conversation, answered by a chat specialist."""

    def check(self, name: str, files: Sequence[SourceFile]) -> Checked:
        """What a specialist's tool finds in files."""

    def explain(
        self, name: str, files: Sequence[SourceFile]
    ) -> Sequence[tuple[Diagnostic, Sequence[Passage]]]:
        """Each finding with the passages about it."""

    def repair(self, name: str, files: Sequence[SourceFile]) -> Mended | None:
        """The files after the known repairs."""

    def migrate(self, name: str, files: Sequence[SourceFile]) -> Mended | None:
        """The files for the newer version."""

    def recipe_for(  # noqa: PLR0913  one argument per flag of 'metier make'
        self,
        data: Path,
        *,
        name: str,
        domain: str = "general",
        eval_file: Path | None = None,
        text: str | None = None,
        label: str | None = None,
        group: str | None = None,
        budget: float | None = None,
        seed: int = 0,
        drop_leaks: bool = False,
        curve: bool = True,
    ) -> Recipe:
        """The recipe that makes a classifier of these rows."""

    def make(
        self,
        recipe: Recipe,
        *,
        folder: Path,
        report: Report,
        cancelled: Callable[[], bool],
        confined: bool,
    ) -> Card:
        """Make a specialist and put it into the store.

        ``confined`` is for recipes that came over HTTP: no path outside ``folder``, no address.
        """

    def evaluate(
        self,
        name: str,
        *,
        on: str,
        against: Sequence[str],
        report: Report,
        cancelled: Callable[[], bool],
    ) -> Any:
        """Question a specialist, and rivals, on an eval."""

    @property
    def trying(self) -> Tries:
        """Searches by eval."""

    def compare(self, first: str, second: str, *, on: str) -> Any:
        """The paired evidence of two systems on an eval."""

    def check_eval(self, on: str) -> Any:
        """What is wrong with an eval, if anything."""

    def remove(self, name: str) -> None:
        """Take one entry out of the fleet."""

    def collect_garbage(self) -> Mapping[str, Any]:
        """Remove bytes that nothing names."""

    def find(self, query: Query, /) -> Found:
        """What is installed and what catalogues name, in an honest order; asks no network."""

    def search_hub(self, query: Query) -> Sequence[Hit]:
        """What the hub finds; only when a person asks it to. Raises UnavailableError."""

    def verify(self, *, remake: bool = False, report: Report) -> Mapping[str, Any]:
        """Check every byte of the store; with ``remake`` every starter's recipe too."""

    def entry(self, origin: str, name: str) -> Hit:
        """One entry of a catalogue; raises NotFoundError (``no_entry``) with near names."""

    def fit(self, what: Any) -> Fit:
        """Whether a hit, or what is installed under a name, runs on this machine."""

    def lineage(self, name: str) -> Sequence[Any]:
        """What an entry was made from, itself, and what was made from it; see ``fleet.Kin``."""

    def mistakes(self, name: str) -> Mistakes | None:
        """What is known of a classifier's answers to its sealed items."""


@dataclass(frozen=True, slots=True)
class Here:
    """Where this server answers, for commands that a page shows.

    Attributes:
        address: ``http://127.0.0.1:11434``, as the caller reached it.
        needs_key: Whether calls must carry the key.
    """

    address: str
    needs_key: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """A text that somebody tried on a page without scripts, and what came of it.

    ``prediction`` is ``None`` when the call failed; ``problem`` then says why in a sentence.
    """

    name: str
    text: str
    prediction: Prediction | None = None
    ms: float = 0.0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class HubSaid:
    """What the hub answered to a person who asked it.

    ``problem`` says why there is no answer, in a sentence; "" if there is one.
    """

    hits: tuple[Hit, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error for a page: what, where, how to mend it, and the form that was left."""

    status: int
    message: str
    remedy: str | None = None
    where: str | None = None
    request_id: str | None = None
    back: str | None = None


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What differs between two showings of one page."""

    here: Here
    trial: Trial | None = None
    query: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


class Pages(RunPages, Protocol):
    """The website: values in, HTML out. It escapes everything and answers nothing itself."""

    def fleet(self, fleet: Mapping[str, Any], options: PageOptions) -> str:
        """What is here and what it takes."""

    def removal(self, removal: Mapping[str, Any], options: PageOptions) -> str:
        """What would be missed, before something is removed."""

    def find(self, found: Found, options: PageOptions, hub: HubSaid | None = None) -> str:
        """The first page: what was looked for, what was found, and what the hub said if asked."""

    def specialist(self, item: Installed, around: Any, tried: Any, options: PageOptions) -> str:
        """The page of a classifier, or of an entry without a card.

        ``around`` is a ``Surroundings``, ``tried`` a ``classifying.Trials`` or ``None``.
        """

    def chat(
        self,
        item: Installed,
        around: Any,
        choices: tuple[Sequence[Lack], Sequence[Base]],
        told: Any,
        options: PageOptions,
    ) -> str:
        """The page of a chat specialist; ``told`` is a ``desk.Told``."""

    def pack(self, item: Installed, around: Any, told: Any, options: PageOptions) -> str:
        """The page of a document pack: search."""

    def entry(self, hit: Hit, fit: Any, options: PageOptions) -> str:
        """The page of a catalogue's entry; ``fit`` is a ``finding.Fit``."""

    def model(
        self,
        sheet: ModelSheet,
        around: Any,
        running: RunningModel | None,
        spoken: Any,
        options: PageOptions,
    ) -> str:
        """The page of a model that writes, embeds or ranks; ``running`` if it is in memory.

        ``spoken`` is a ``talk.Spoken`` or ``None``.
        """

    def make(self, jobs: Sequence[Mapping[str, Any]], options: PageOptions) -> str:
        """The form that starts a make."""

    def look(self, look: Mapping[str, Any], options: PageOptions) -> str:
        """What was recognised in an upload, and the form that starts a make of it."""

    def job(self, job: Mapping[str, Any], options: PageOptions) -> str:
        """One job: the ladder while it is climbed."""

    def try_eval(self, looked: Any, jobs: Sequence[Mapping[str, Any]], options: PageOptions) -> str:
        """The form of a search by eval; ``looked`` is a ``trying.Looked``."""

    def tried(self, job: Mapping[str, Any], options: PageOptions) -> str:
        """A search by eval: its rounds while they go, then the winner with its evidence."""

    def reference(self, document: Mapping[str, Any], options: PageOptions) -> str:
        """The HTTP interface, from its OpenAPI document."""

    def failure(self, failure: Failure, options: PageOptions) -> str:
        """An error page."""

    def sign_in(self, wrong: bool, next_path: str, options: PageOptions) -> str:
        """Where a person gives the key."""

    def asset(self, name: str) -> tuple[bytes, str] | None:
        """A style sheet, script or picture and its media type, or ``None``."""

    def compare(self, document: Mapping[str, Any], options: PageOptions) -> str:
        """Two or more on one eval; ``document`` is what ``/compare.json`` gives."""

    def route(self, document: Mapping[str, Any], options: PageOptions) -> str:
        """Who would answer a text; ``document`` is what ``/route.json`` gives."""

    def asked(self, document: Mapping[str, Any], options: PageOptions) -> str:
        """Answers side by side; ``document`` is what their address gives as JSON."""
