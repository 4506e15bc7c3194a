"""A watch that was told where everything stands, and that keeps what people say in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from metier.errors import InputError
from metier.watching import Notice, Standing, Track

SYSTEM = "sha256:" + "ab" * 32
WORSE = Track("general", "<i>general</i>", 400, 20, 80, -0.15, -0.21, -0.09, 0.001, 4e7, 0.001)
OPEN = Track("base", "a base", 12, 2, 1, 0.08, -0.5, 0.6, 1.2, 0.4, 1.1, needed=700, fresh=True)


def standing(name: str, **told: Any) -> Standing:
    """A demoted one, unless it is told otherwise."""
    facts: dict[str, Any] = {
        "system": SYSTEM,
        "state": "DEMOTED",
        "since": "2026-11-12",
        "why": "−15.0 points [−21.0, −9.0] on 400 pairs: it is worse.",
        "tracks": (WORSE, OPEN),
    }
    return Standing(name, **{**facts, **told})


class Watched:
    """Satisfies ``metier.server.watches.Watches``.

    Args:
        show: Raises NotFoundError for what is not installed.
        found: Where they stand, by name.
    """

    def __init__(
        self, show: Callable[[str], object], found: Mapping[str, Standing] | None = None
    ) -> None:
        self._show = show
        self.found = dict(found or {})
        self.said: list[dict[str, Any]] = []
        self.erased: list[str] = []

    def standing(self, name: str) -> Standing | None:
        self._show(name)
        return self.found.get(name)

    def standings(self) -> Mapping[str, Standing]:
        return self.found

    def notices(self) -> Sequence[Notice]:
        return [
            Notice(one.name, one.since, "demoted", one.why, f"metier watch {one.name}")
            for one in self.found.values()
            if one.state not in ("PROMOTED", "WATCH")
        ]

    def document(self, name: str) -> Mapping[str, Any]:
        self._show(name)
        found = self.found.get(name)
        return {
            "name": name,
            "task": "classify",
            "watched": True,
            "standing": asdict(found) if found else None,
            "looked": "2026-11-13T08:00:00Z" if found else None,
            "history": [
                {"date": "2026-11-12T08:00:00Z", "state": "PROMOTED", "suspect": False},
                {"date": "2026-11-13T08:00:00Z", "state": "DEMOTED", "suspect": False},
            ]
            if found
            else [],
            "notices": [],
            "fresh_items": 3 if found else 0,
            "thumbs": {"up": 3, "down": 1, "share": 0.75, "low": 0.301, "high": 0.954}
            if found
            else {"up": 0, "down": 0, "share": None, "low": None, "high": None},
            "labelled": 0,
            "command": f"metier watch {name}",
        }

    def schedule(self) -> Mapping[str, Any]:
        return {"every": None, "looked": None, "next": None, "asks": "nobody over a network"}

    def feedback(self, name: str, **said: Any) -> Mapping[str, Any]:
        self._show(name)
        if said.get("label") == "nonsense":
            raise InputError("'nonsense' is none of its labels.", code="bad_feedback")
        self.said.append({"name": name, **said})
        return {"name": name, "id": len(self.said), "kept_text": bool(said.get("keep"))}

    def erase_texts(self, name: str) -> int:
        self._show(name)
        self.erased.append(name)
        return 2
