"""What the command line needs of the floors below, as protocols.

``metier.assembly.Metier`` has these methods; tests bring a small one of their own. It computes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from metier.card import Card, Evidence
    from metier.messages import Prediction, Report
    from metier.recipe import Recipe
    from metier.reference import Reference


class Installed(Protocol):
    """Something in the fleet: a specialist with its card, or a base."""

    @property
    def reference(self) -> Reference:
        """Its name."""

    @property
    def card(self) -> Card | None:
        """What it has proved; ``None`` for a base."""

    @property
    def digest(self) -> Any:
        """The manifest's digest."""

    @property
    def size_bytes(self) -> int:
        """Bytes of its own parts."""

    @property
    def modified(self) -> Any:
        """When it was stored."""

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


class EvalReport(Protocol):
    """What ``evaluate`` found."""

    @property
    def scores(self) -> Sequence[Any]:
        """Scores of the specialist."""

    @property
    def evidence(self) -> Sequence[Evidence]:
        """One comparison for each rival."""


class Facade(Protocol):
    """The composition root, as the command line sees it."""

    @property
    def settings(self) -> Any:
        """The settings it was opened with."""

    def list(self) -> Sequence[Installed]:
        """Everything installed."""

    def show(self, name: str) -> Installed:
        """One of them; raises NotFoundError with near names."""

    def classify(self, name: str, texts: Sequence[str], *, top: int = 5) -> Sequence[Prediction]:
        """One prediction per text."""

    def make(
        self,
        recipe: Recipe,
        *,
        folder: Path,
        report: Report = ...,
        cancelled: Callable[[], bool] = ...,
    ) -> Card:
        """Make a specialist; relative paths of the recipe start at ``folder``."""

    def recipe_for(self, data: Path, *, name: str, **choices: Any) -> Recipe:
        """The recipe that examples in a file or folder ask for."""

    def evaluate(
        self, name: str, *, on: str, against: Sequence[str] = (), report: Report = ...
    ) -> EvalReport:
        """Measure a specialist on an eval."""

    def compare(self, first: str, second: str, *, on: str) -> Evidence:
        """The paired comparison of two specialists."""

    def check_eval(self, on: str) -> Mapping[str, Any]:
        """What is wrong with an eval."""

    def remove(self, name: str) -> None:
        """Remove a name."""

    def collect_garbage(self) -> Mapping[str, int]:
        """Remove blobs nothing refers to: ``removed``, ``bytes``."""

    def verify(self, *, remake: bool = False, report: Report = ...) -> Mapping[str, Any]:
        """Check every stored byte: ``checked``, ``problems``."""

    def import_path(self, path: Path, *, name: str | None = None) -> Sequence[Installed]:
        """Bring in an OCI layout or archive."""

    def export(self, name: str, directory: Path) -> Path:
        """Write a complete OCI layout."""

    def install_starters(self, report: Report = ...) -> Sequence[Installed]:
        """Put the starters into the store where they are missing."""

    def parts(self, name: str) -> Sequence[Part]:
        """The files of an entry; raises NotFoundError."""
