"""What a page that runs a specialist itself is made from, as protocols.

It knows the shapes only: ``metier.assembly`` gives plans and files, ``metier.site`` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


class RunFile(Protocol):
    """One file that a page loads to run a specialist itself."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def digest(self) -> str:
        """``sha256:…``."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def path(self) -> Path:
        """Where it lies; never told."""


class RunPlan(Protocol):
    """How a page runs a specialist itself."""

    @property
    def name(self) -> str:
        """The specialist."""

    @property
    def digest(self) -> str:
        """``sha256:…`` of its system."""

    @property
    def document(self) -> Mapping[str, Any]:
        """Labels, rules and members, for the page's scripts."""

    @property
    def files(self) -> Sequence[RunFile]:
        """What is loaded."""

    @property
    def encoder(self) -> bool:
        """Whether it needs ONNX Runtime Web."""

    @property
    def exact(self) -> bool:
        """Whether the page's scores are the server's up to 1e-4."""

    def file(self, digest: str) -> RunFile | None:
        """The file of this digest, if it is one of the plan's."""


class Browses(Protocol):
    """What gives plans and the files that every page needs."""

    def plan(self, name: str) -> RunPlan:
        """How a browser answers as this classifier; raises InputError, UnavailableError."""

    def alphabet(self) -> Mapping[str, Any]:
        """What the server takes for letters; every plan is read with it."""

    def assets(self) -> Mapping[str, Path]:
        """ONNX Runtime Web's files by name; raises UnavailableError (``no_toolchain``)."""

    def assets_digest(self) -> str:
        """``sha256:…`` of the lock that fixes them."""


@dataclass(frozen=True, slots=True)
class Running:
    """A specialist that a page runs itself; with ``problem`` it says why it cannot.

    ``assets`` are ONNX Runtime Web's files, empty where no encoder is needed.
    """

    name: str
    plan: RunPlan | None
    assets: Mapping[str, Path]
    problem: str | None = None
    remedy: str | None = None


class RunPages(Protocol):
    """The part of the website that such a page is drawn by."""

    def run(self, running: Running, options: Any) -> str:
        """The page; ``options`` are ``facade.PageOptions``."""

    def running_module(self, name: str) -> bytes | None:
        """A script of that page, or ``None``."""

    def running_version(self) -> str:
        """What changes with any of those scripts."""
