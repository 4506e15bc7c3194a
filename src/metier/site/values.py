"""What the website is handed: the fleet, files, options of a page. Shapes only.

The server is a stranger to the website; its values fit these protocols, and so may anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from metier.card import AnyCard
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
