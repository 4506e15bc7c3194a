"""Nobody to route to: the stand-in's façade has no router, so that ``auto`` is in no list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from metier.errors import UnavailableError
from metier.generating import ModelListing, ModelSheet

NOBODY = SimpleNamespace(
    candidates=(),
    general=SimpleNamespace(name="", why="Nothing writes here.", remedy="metier pull NAME"),
)


def _nobody() -> UnavailableError:
    return UnavailableError(
        "auto has no general model to turn to.", code="no_general_model", remedy="metier pull NAME"
    )


class NoRoutes:
    """Satisfies ``metier.server.auto.Routes``."""

    def names(self) -> Sequence[str]:
        return ()

    def listed(self, models: Sequence[ModelListing]) -> Sequence[ModelListing]:
        return models

    def listing(self, name: str) -> ModelListing:
        raise _nobody()

    def sheet(self, name: str) -> ModelSheet:
        raise _nobody()

    def field(self) -> Any:
        return NOBODY

    def warm(self) -> None:
        """There is nothing to read."""

    def decide(self, *_asked: Any, **_how: Any) -> Any:
        raise _nobody()

    def ask(self, *_asked: Any) -> Any:
        raise _nobody()

    def question(self, *_asked: Any) -> Any:
        raise _nobody()

    def reply(self, *_asked: Any) -> Any:
        raise _nobody()

    def latest(self, count: int = 20) -> Sequence[Mapping[str, Any]]:
        return []
