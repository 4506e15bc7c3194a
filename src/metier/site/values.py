"""What the website is handed: the fleet, files, options of a page. Shapes only.

The server is a stranger to the website; its values fit these protocols, and so may anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from metier.card import AnyCard
from metier.coding import Checked, Diagnostic, Mended, SourceFile
from metier.conversing import Passage, Reply
from metier.finding import Hit
from metier.generating import Written
from metier.messages import Prediction
from metier.reference import Reference


class Item(Protocol):
    """One entry of the fleet."""

    @property
    def reference(self) -> Reference:
        """Its name."""

    @property
    def card(self) -> AnyCard | None:
        """Its card, of the kind of its task; a base has none."""

    @property
    def digest(self) -> object:
        """``str`` of it is ``sha256:…``."""

    @property
    def size_bytes(self) -> int:
        """Bytes of its own parts."""

    @property
    def kind(self) -> str:
        """``specialist`` or ``base``."""


class File(Protocol):
    """One file of a specialist."""

    @property
    def filepath(self) -> str:
        """Its path inside the specialist."""

    @property
    def digest(self) -> object:
        """``str`` of it is ``sha256:…``."""

    @property
    def size(self) -> int:
        """Bytes."""


class Place(Protocol):
    """Where the server answers."""

    @property
    def address(self) -> str:
        """``http://127.0.0.1:11434``."""

    @property
    def needs_key(self) -> bool:
        """Whether calls must carry the key."""


class Tried(Protocol):
    """A text that somebody tried on a page without scripts."""

    @property
    def name(self) -> str:
        """The specialist."""

    @property
    def text(self) -> str:
        """The text."""

    @property
    def prediction(self) -> Prediction | None:
        """The answer, or ``None``."""

    @property
    def ms(self) -> float:
        """Milliseconds that it took."""

    @property
    def problem(self) -> str | None:
        """Why there is no answer."""


class Options(Protocol):
    """What differs between two showings of one page."""

    @property
    def here(self) -> Place:
        """Where the server answers."""

    @property
    def trial(self) -> Tried | None:
        """The text that was just tried."""

    @property
    def query(self) -> str:
        """What the fleet is narrowed to."""

    @property
    def fields(self) -> Mapping[str, str]:
        """What a form was filled in with."""


class Lacking(Protocol):
    """Something that a specialist would use and that is not here."""

    @property
    def message(self) -> str:
        """What does not work without it."""

    @property
    def command(self) -> str:
        """The one command that mends it."""


class Offered(Protocol):
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


class Said(Protocol):
    """What a person did on the page of a chat specialist or a pack, and what came of it."""

    @property
    def act(self) -> str:
        """``ask``, ``check``, ``search`` or ""."""

    @property
    def question(self) -> str:
        """The question."""

    @property
    def turns(self) -> tuple[str, ...]:
        """What was said before, a person's turn and the answer in turn."""

    @property
    def base(self) -> str:
        """The base that was chosen."""

    @property
    def query(self) -> str:
        """What was searched for."""

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """The files that were given."""

    @property
    def reply(self) -> Reply | None:
        """The answer."""

    @property
    def found(self) -> tuple[Passage, ...] | None:
        """The passages."""

    @property
    def checked(self) -> Checked | None:
        """What the tool found."""

    @property
    def explained(self) -> tuple[tuple[Diagnostic, tuple[Passage, ...]], ...]:
        """Its diagnostics with passages about them."""

    @property
    def mended(self) -> Mended | None:
        """The files after the known repairs."""

    @property
    def problem(self) -> str | None:
        """Why there is no answer."""


class Spoken(Protocol):
    """What a person said to a model on its page, and what came of it."""

    @property
    def turns(self) -> tuple[str, ...]:
        """The conversation before, a person's turn and the model's in turn."""

    @property
    def question(self) -> str:
        """What was said now."""

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """What the settings were, by name."""

    @property
    def pictures(self) -> int:
        """How many pictures came along."""

    @property
    def written(self) -> Written | None:
        """The answer."""

    @property
    def problem(self) -> str | None:
        """Why there is no answer."""

    @property
    def texts(self) -> tuple[str, ...]:
        """What was to be compared or ordered."""

    @property
    def order(self) -> tuple[tuple[int, float], ...]:
        """Their places and scores, the nearest first."""


class Loaded(Protocol):
    """One file that a page loads to run a specialist itself."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def size(self) -> int:
        """Bytes."""


class Planned(Protocol):
    """How a page runs a specialist itself."""

    @property
    def files(self) -> Sequence[Loaded]:
        """What is loaded."""

    @property
    def encoder(self) -> bool:
        """Whether it needs ONNX Runtime Web."""

    @property
    def exact(self) -> bool:
        """Whether the page's scores are the server's up to 1e-4."""


class Runs(Protocol):
    """A specialist that a page runs itself, or why it cannot."""

    @property
    def name(self) -> str:
        """The specialist."""

    @property
    def plan(self) -> Planned | None:
        """How; ``None`` if no page can."""

    @property
    def assets(self) -> Mapping[str, Path]:
        """ONNX Runtime Web's files, where they are needed."""

    @property
    def problem(self) -> str | None:
        """Why it does not run."""

    @property
    def remedy(self) -> str | None:
        """How to mend that."""


class HubSaid(Protocol):
    """What the hub answered to a person who asked it."""

    @property
    def hits(self) -> tuple[Hit, ...]:
        """What it has."""

    @property
    def problem(self) -> str:
        """Why there is no answer, or ""."""


class Trouble(Protocol):
    """An error for a page."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def message(self) -> str:
        """What was wrong, and where."""

    @property
    def remedy(self) -> str | None:
        """How to mend it."""

    @property
    def where(self) -> str | None:
        """The address that was asked for."""

    @property
    def request_id(self) -> str | None:
        """The id in the reply's header."""
